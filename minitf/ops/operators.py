"""Python's operators on tensors: one table that graph tensors, eager tensors and variables share."""

from typing import Any

from minitf.framework.errors import OperatorNotAllowedInGraphError
from minitf.ops import math, slicing
from minitf.ops.linalg import matmul
from minitf.ops.registry import Symbol, interpreter


def _binary(function: Any, name: str, reverse: bool = False) -> Any:
    def method(self, other):
        try:
            left, right = _operands(self, other)
        except NotImplementedError:
            return NotImplemented
        return function(right, left, name=name) if reverse else function(left, right, name=name)

    return method


def _operands(this: Any, other: Any) -> tuple[Any, Any]:
    """`other` tried as a tensor of `this` one's dtype first, as TensorFlow does."""
    current = interpreter()
    this = current.convert(this, None, None, "x")
    if not isinstance(other, Symbol) and getattr(other, "__minitf_operand__", True) is False:
        raise NotImplementedError
    return this, _Operand(other, this.dtype.base_dtype)


class _Operand:
    """A right operand that becomes a tensor inside the op's own name scope (`add/y`)."""

    __slots__ = ("value", "hint")

    def __init__(self, value: Any, hint: Any) -> None:
        self.value, self.hint = value, hint

    def _as_tensor(self):
        return interpreter().convert(self.value, None, self.hint, "y")


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
