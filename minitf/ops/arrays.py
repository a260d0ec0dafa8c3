"""Python values to NumPy arrays, by TensorFlow's rules: no silent promotion of one kind to another.

Lists become float32, int32, bool or string; NumPy arrays keep their dtype unless another is asked for.
"""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import DType
from minitf.framework.shapes import Dimension, TensorShape
from minitf.ops.registry import Symbol

# Which kinds of Python value each kind of dtype takes without complaint.
_ACCEPTED = {"f": "fiub", "i": "iub", "u": "iub", "b": "b", "c": "cfiub", "O": "OSU"}


def to_array(value: Any, dtype: DType | None = None) -> np.ndarray:
    """`value` as an array of `dtype`, or of the dtype TensorFlow would infer.

    Raises TypeError when a Python value does not fit the dtype, ValueError for ragged lists and None.
    Integers too large for the dtype wrap around, as TensorFlow's do.
    """
    if isinstance(value, np.ndarray | np.generic):
        return _from_numpy(np.asarray(value), dtype)
    if isinstance(value, Symbol):
        raise TypeError("Expected any non-tensor type, but got a tensor instead.")
    if hasattr(value, "__array__") and not isinstance(value, list | tuple):
        return _from_numpy(np.asarray(value), dtype)
    if value is None:
        raise ValueError("None values not supported.")
    plain = _plain(value)
    try:
        array = np.array(plain)
    except ValueError:
        raise ValueError(
            f"Can't convert non-rectangular Python sequence to Tensor: {_short(value)}"
        ) from None
    except OverflowError as error:
        raise TypeError(f"Cannot convert {_short(value)} to a tensor: {error}") from None
    kind = array.dtype.kind
    if kind == "O":
        return _from_objects(array, value, dtype)
    if kind in "SU":
        if not all(isinstance(leaf, str | bytes | np.generic) for leaf in _leaves(plain)):
            raise _unconvertible(value)
        array = _bytes_array(np.array(plain, dtype=object))
        kind = "O"
    if dtype is None:
        return _infer(array, kind, _holds_arrays(plain))
    return _as_dtype(array, kind, value, dtype, _holds_arrays(plain))


def _infer(array: np.ndarray, kind: str, from_arrays: bool) -> np.ndarray:
    """NumPy's double and long become float32 and int32 (where they fit) unless they come from arrays."""
    if array.dtype == np.float64 and not from_arrays:
        with np.errstate(over="ignore"):
            return array.astype(np.float32)
    if array.dtype == np.int64 and (not array.size or _fits(array, np.int32)):
        return array.astype(np.int32)
    return array


def _as_dtype(array: np.ndarray, kind: str, value: Any, dtype: DType, from_arrays: bool) -> np.ndarray:
    wanted = dtype.base_dtype.numpy_dtype
    if array.size and not from_arrays and kind not in _ACCEPTED[wanted.kind]:
        offender = next(v for v in _leaves(value) if not _accepts(v, wanted.kind))
        raise TypeError(
            f"Expected {dtype.base_dtype.name}, but got {offender} of type '{type(offender).__name__}'."
        )
    with np.errstate(all="ignore"):
        return array.astype(wanted)


def _accepts(value: Any, wanted: str) -> bool:
    return np.asarray(value).dtype.kind in _ACCEPTED[wanted]


def _fits(array: np.ndarray, integer: type) -> bool:
    limits = np.iinfo(integer)
    return limits.min <= int(array.min()) and int(array.max()) <= limits.max


def _from_numpy(array: np.ndarray, dtype: DType | None) -> np.ndarray:
    if array.dtype.kind in "SU":
        array = _bytes_array(array.astype(object))
    elif array.dtype.kind == "O":
        return _from_objects(array, array, dtype)
    if dtype is None:
        dtypes.as_dtype(array.dtype)  # TypeError for types that TensorFlow lacks
        return array
    wanted = dtype.base_dtype.numpy_dtype
    if (wanted.kind == "O") != (array.dtype.kind == "O"):
        offender = array.flat[0] if array.size else array
        raise TypeError(
            f"Expected {dtype.base_dtype.name}, but got {offender} of type '{type(offender).__name__}'."
        )
    with np.errstate(all="ignore"):
        return array.astype(wanted, copy=False)


def _from_objects(array: np.ndarray, value: Any, dtype: DType | None) -> np.ndarray:
    leaves = list(array.flat)
    if all(isinstance(leaf, str | bytes) for leaf in leaves) and dtype in (None, dtypes.string):
        return _bytes_array(array)
    if dtype in (dtypes.variant, dtypes.resource):
        return array
    known = bool(leaves) and all(isinstance(leaf, int | float | bool | np.generic) for leaf in leaves)
    numbers = np.array(array.tolist()) if known else array
    if numbers.dtype != object:
        return to_array(numbers, dtype)
    if dtype is not None and any(isinstance(leaf, str | bytes) for leaf in leaves):
        offender = next(leaf for leaf in leaves if isinstance(leaf, str | bytes))
        raise TypeError(f"Expected {dtype.name}, but got {offender} of type 'str'.")
    raise _unconvertible(value)


def _unconvertible(value: Any) -> TypeError:
    return TypeError(
        f"Failed to convert elements of {_short(value)} to Tensor. Consider casting elements to a supported "
        "type. See https://www.tensorflow.org/api_docs/python/tf/dtypes for supported TF dtypes."
    )


def _bytes_array(array: np.ndarray) -> np.ndarray:
    result = np.empty(array.shape, dtype=object)
    result.flat = [v.encode() if isinstance(v, str) else v for v in array.flat]
    return result


def _plain(value: Any) -> Any:
    """`value` with shapes and dimensions as plain integers."""
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape {value} to a Tensor.")
        return list(value.sizes)
    if isinstance(value, Dimension):
        if value.value is None:
            raise ValueError(f"Cannot convert an unknown Dimension to a Tensor: {value}")
        return value.value
    if isinstance(value, DType):
        return value.as_datatype_enum
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _holds_arrays(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and _holds_arrays(value[0])
    return isinstance(value, np.ndarray)


def _leaves(value: Any) -> Any:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "…"
