"""`EagerTensor`: a tensor that has its value, and looks like NumPy's arrays from outside."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import DType
from minitf.framework.shapes import PlainTensorShape
from minitf.graph.storage import Storage
from minitf.ops.operators import TensorOperators
from minitf.ops.registry import Symbol


class EagerTensor(TensorOperators, Symbol):
    """The result of an op in eager mode. It never changes."""

    __slots__ = ("_array", "dtype", "_known_shape", "__weakref__")

    def __init__(self, array: Any, dtype: DType) -> None:
        self._array = array
        self.dtype = dtype

    @property
    def constant(self) -> Any:
        """The value as shape rules see it: known before anything else runs."""
        return self._array

    @property
    def shape(self) -> PlainTensorShape:
        """The shape."""
        try:
            return self._known_shape
        except AttributeError:
            shape = () if self.dtype is dtypes.variant else np.shape(self._array)
            self._known_shape = shape = PlainTensorShape(shape)
            return shape

    def get_shape(self) -> PlainTensorShape:
        """The shape (the TF1 spelling)."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Raises ValueError unless the tensor has this shape."""
        if not self.shape.is_compatible_with(shape):
            raise ValueError(f"Tensor's shape {self.shape} is not compatible with supplied shape {shape}.")

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return np.ndim(self._array)

    @property
    def device(self) -> str:
        """There is one device."""
        return "/job:localhost/replica:0/task:0/device:CPU:0"

    def numpy(self) -> Any:
        """A copy of the value: an array, a NumPy scalar, or bytes."""
        return np.array(self._array) if np.ndim(self._array) else _scalar(self._array)

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Raises NotImplementedError: there are no sessions in eager mode."""
        raise NotImplementedError(
            "eval is not supported when eager execution is enabled, is .numpy() what you're looking for?"
        )

    def ref(self) -> "TensorReference":
        """Something to use as a key: equal for the same tensor only."""
        return TensorReference(self)

    experimental_ref = ref

    def __getattr__(self, name: str) -> Any:
        if name in ("name", "op", "graph", "value_index"):
            raise AttributeError(f"Tensor.{name} is undefined when eager execution is enabled.")
        raise AttributeError(f"'EagerTensor' object has no attribute {name!r}")

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self._array, dtype=dtype)

    def __bool__(self) -> bool:
        return bool(self._array)

    def __len__(self) -> int:
        if not np.ndim(self._array):
            raise TypeError("Scalar tensor has no `len()`")
        return len(self._array)

    def __iter__(self) -> Iterator["EagerTensor"]:
        if not np.ndim(self._array):
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[i] for i in range(len(self._array)))

    def __int__(self) -> int:
        return int(self._array)

    def __float__(self) -> float:
        return float(self._array)

    def __complex__(self) -> complex:
        return complex(self._array)

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __round__(self, digits: int | None = None) -> Any:
        return round(_scalar(self._array), digits) if digits is not None else round(_scalar(self._array))

    def __format__(self, spec: str) -> str:
        return format(self.numpy(), spec)

    def __copy__(self) -> "EagerTensor":
        return self

    def __deepcopy__(self, memo: dict) -> "EagerTensor":
        return EagerTensor(np.array(self._array), self.dtype)

    def __reduce__(self) -> tuple:
        return _rebuilt, (self.numpy(), self.dtype)

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def __eq__(self, other: Any) -> Any:
        return _compared(self, other, np.equal, False)

    def __ne__(self, other: Any) -> Any:
        return _compared(self, other, np.not_equal, True)

    def __repr__(self) -> str:
        if self.dtype.base_dtype == dtypes.variant:
            return "<tf.Tensor: shape=(), dtype=variant, value=<TensorList>>"
        text = shown(self._array)
        text = ("\n" if "\n" in text else "") + text
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={text}>"

    def __str__(self) -> str:
        text = str(self.numpy())
        text = ("\n" if "\n" in text else "") + text
        return f"tf.Tensor({text}, shape={self.shape}, dtype={self.dtype.name})"


class Reference(EagerTensor):
    """What stands for a variable where an op takes one: its value is the variable's, at any time."""

    __slots__ = ("storage", "owner")

    def __init__(self, storage: Storage, dtype: DType, owner: Any) -> None:
        self.storage = storage
        self.dtype = dtype._as_ref
        self.owner = owner

    @property
    def _array(self) -> np.ndarray:
        return self.storage.value

    @property
    def shape(self) -> PlainTensorShape:
        """What is known of the variable's shape."""
        return PlainTensorShape(self.storage.shape)


class TensorReference:
    """A tensor as a key of dicts and sets."""

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def deref(self) -> Any:
        """The tensor."""
        return self._tensor

    def __hash__(self) -> int:
        return id(self._tensor)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, TensorReference) and other._tensor is self._tensor

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._tensor!r}>"


def shown(array: Any) -> str:
    """How values look after `numpy=`."""
    return repr(array) if np.ndim(array) else str(_plain(array))


def _plain(array: Any) -> Any:
    value = _scalar(array)
    return repr(value) if isinstance(value, bytes | str) else value


def _scalar(array: Any) -> Any:
    return array[()] if isinstance(array, np.ndarray | np.generic) else array


def _rebuilt(array: Any, dtype: DType) -> EagerTensor:
    return EagerTensor(np.asarray(array, dtype.numpy_dtype), dtype)


def _compared(tensor: EagerTensor, other: Any, compare: Any, otherwise: bool) -> Any:
    from minitf.ops import math

    function = math.equal if compare is np.equal else math.not_equal
    try:
        return function(tensor, other)
    except (TypeError, ValueError):
        return otherwise
