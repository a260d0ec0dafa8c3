"""Python's operators on tensors: one table that graph tensors, eager tensors and variables share."""

from typing import Any

from minitf.framework.errors import OperatorNotAllowedInGraphError
from minitf.ops import math, slicing
from minitf.ops.linalg import matmul
from minitf.ops.registry import interpreter


def _binary(function: Any, name: str, reverse: bool = False) -> Any:
    def method(self, other):
        if getattr(other, "__minitf_operand__", True) is False:
            return NotImplemented
        this = interpreter().convert(self, None, None, "x")
        dtype = this.dtype.base_dtype
        if reverse:
            return function(_Operand(other, dtype, None, "x"), this, name=name)
        return function(this, _Operand(other, None, dtype, "y"), name=name)

    return method


class _Operand:
    """The other operand, which becomes a tensor inside the op's own name scope (`add/y`).

    As in TensorFlow, one on the right is tried as a tensor of the left one's dtype; one on the left must be
    of the right one's.
    """

    __slots__ = ("value", "dtype", "hint", "name")

    def __init__(self, value: Any, dtype: Any, hint: Any, name: str) -> None:
        self.value, self.dtype, self.hint, self.name = value, dtype, hint, name

    def _as_tensor(self):
        return interpreter().convert(self.value, self.dtype, self.hint, self.name)


def _unary(function: Any, name: str) -> Any:
    def method(self):
        return function(interpreter().convert(self, None, None, "x"), name=name)

    return method


class TensorOperators:
    """Mixin: arithmetic, comparison, logical and indexing operators, each an op."""

    __slots__ = ()
    __array_priority__ = 100  # numpy_array * tensor asks the tensor, not NumPy

    def __getitem__(self, key: Any) -> Any:
        return slicing.slice_by_key(interpreter().convert(self, None, None, "x"), key)

    def __bool__(self) -> bool:
        raise OperatorNotAllowedInGraphError(
            "Using a symbolic `tf.Tensor` as a Python `bool` is not allowed. Use `if t is not None:` to "
            "test whether a tensor is defined, and tf.cond or tf.where to depend on its value."
        )

    def __len__(self) -> int:
        raise TypeError(
            f"len is not well defined for a symbolic Tensor ({self.name}). "
            "Please call `x.shape` rather than `len(x)` for shape information."
        )

    def __iter__(self) -> Any:
        raise OperatorNotAllowedInGraphError(
            "Iterating over a symbolic `tf.Tensor` is not allowed. Use tf.unstack, tf.map_fn or "
            "tf.while_loop."
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise NotImplementedError(
            f"Cannot convert a symbolic tf.Tensor ({self.name}) to a numpy array. This error may indicate "
            "that you're trying to pass a Tensor to a NumPy call, which is not supported."
        )


_BINARY = {
    "add": (math.add, "add"),
    "sub": (math.subtract, "sub"),
    "mul": (math.multiply, "mul"),
    "truediv": (math.truediv, "truediv"),
    "floordiv": (math.floordiv, "floordiv"),
    "mod": (math.floormod, "mod"),
    "pow": (math.pow, "pow"),
    "matmul": (matmul, "matmul"),
    "and": (math.bitwise_or_logical_and, "and"),
    "or": (math.bitwise_or_logical_or, "or"),
    "xor": (math.bitwise_or_logical_xor, "xor"),
}
_COMPARISON = {
    "lt": (math.less, "Less"),
    "le": (math.less_equal, "LessEqual"),
    "gt": (math.greater, "Greater"),
    "ge": (math.greater_equal, "GreaterEqual"),
}
_UNARY = {
    "neg": (math.negative, "Neg"),
    "abs": (math.abs, "Abs"),
    "invert": (math.logical_not, "LogicalNot"),
}
for _method, (_function, _name) in _BINARY.items():
    setattr(TensorOperators, f"__{_method}__", _binary(_function, _name))
    setattr(TensorOperators, f"__r{_method}__", _binary(_function, _name, reverse=True))
for _method, (_function, _name) in _COMPARISON.items():
    setattr(TensorOperators, f"__{_method}__", _binary(_function, _name))
for _method, (_function, _name) in _UNARY.items():
    setattr(TensorOperators, f"__{_method}__", _unary(_function, _name))
