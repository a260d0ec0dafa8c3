"""Indices as vectors of zeros and a one, lengths as masks: `tf.one_hot`, `tf.sequence_mask`."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.ops import math
from minitf.ops.array import cast, expand_dims
from minitf.ops.constants import range
from minitf.ops.registry import Anything, Types, interpreter, not_differentiable, op
from minitf.ops.shape_rules import constant_value

_Indices = Types("Indices", (dtypes.int32, dtypes.int64, dtypes.uint8, dtypes.int8))
_Depth = Types("Depth", (dtypes.int32,))


def _hot_shape(indices, depth, on_value, off_value, *, axis=-1):
    if indices.shape.rank is None:
        return UNKNOWN
    size, count = constant_value(depth), indices.shape.rank + 1
    if axis < -1:
        raise ValueError("axis must be >= -1")
    if axis >= count:
        raise ValueError(f"Expected axis to be -1 or between [0, {count}).  But received: {axis}")
    if size is not None and size < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {size}")
    sizes = list(indices.shape.sizes)
    sizes.insert(count - 1 if axis == -1 else axis, None if size is None else int(size))
    return TensorShape(sizes)


@op("OneHot", shape=_hot_shape, default_name="one_hot")
def _one_hot(
    indices: _Indices, depth: _Depth, on_value: Anything, off_value: Anything, *, axis=-1, out=None
) -> Anything:
    depth = int(depth)
    axis = indices.ndim if axis == -1 else axis
    if out is None:
        dtype = np.asarray(on_value).dtype
        out = np.empty((*indices.shape[:axis], depth, *indices.shape[axis:]), dtype)
    out.fill(off_value[()])
    # Seen as (before axis, depth, after): an index's own place is `steps`, its element's is worked out flat.
    after = int(np.prod(indices.shape[axis:], dtype=np.int64))
    flat = np.asarray(indices, np.intp).reshape(-1)
    inside = None
    if flat.size and (flat.min() < 0 or flat.max() >= depth):
        inside = np.flatnonzero((flat >= 0) & (flat < depth))
    steps = np.arange(flat.size) if inside is None else inside
    flat = flat if inside is None else flat[inside]
    if after == 1:
        out.reshape(-1)[steps * depth + flat] = on_value
    else:
        out.reshape(-1)[steps // after * (depth * after) + flat * after + steps % after] = on_value
    return out


not_differentiable(_one_hot)


def one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: int | None = None,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """`on_value` (1) where `indices` say along the new dimension `axis` (the last), else `off_value` (0).

    Indices outside [0, depth) give off_value throughout. The dtype is that of the values, float32 if
    neither is given. Raises TypeError when `dtype` and the values do not agree.
    """
    current = interpreter()
    with current.name_scope(name or "one_hot") as scope:
        on, off = _hot_values(current, on_value, off_value, None if dtype is None else as_dtype(dtype))
        return _one_hot(indices, depth, on, off, axis=-1 if axis is None else axis, name=scope)


def _hot_values(current, on_value, off_value, dtype):
    on = None if on_value is None else current.convert(on_value, None, dtype, "Const")
    off = None if off_value is None else current.convert(off_value, None, dtype, "Const")
    for key, value in (("on_value", on), ("off_value", off)):
        if value is not None and dtype not in (None, value.dtype.base_dtype):
            raise TypeError(
                f"dtype {value.dtype.base_dtype} of {key} does not match dtype parameter {dtype}"
            )  # fmt: skip
    given = on if on is not None else off
    if dtype is None:
        dtype = dtypes.float32 if given is None else given.dtype.base_dtype
    on = current.convert(1, dtype, None, "on_value") if on is None else on
    off = current.convert(0, dtype, None, "off_value") if off is None else off
    if on.dtype.base_dtype != off.dtype.base_dtype:
        raise TypeError(
            f"dtype {on.dtype.base_dtype} of on_value does not match dtype {off.dtype.base_dtype} of "
            "off_value"
        )
    return on, off


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool, name: str | None = None) -> Any:
    """True (or 1) in each row's first `lengths` places: shape lengths.shape + (maxlen,).

    `maxlen` is the largest length by default. Raises ValueError when it is not a scalar.
    """
    from minitf.ops.reduce import reduce_max

    current = interpreter()
    with current.name_scope(name or "SequenceMask"):
        lengths = current.convert(lengths, None, None, "lengths")
        if maxlen is None:
            maxlen = math.maximum(np.zeros((), lengths.dtype.numpy_dtype), reduce_max(lengths))
        maxlen = current.convert(maxlen, None, lengths.dtype.base_dtype, "maxlen")
        if maxlen.shape.rank not in (0, None):
            raise ValueError(
                f"Argument `maxlen` must be scalar for sequence_mask, received `maxlen` = {maxlen} with "
                f"shape '{maxlen.shape}' instead"
            )
        steps = range(np.zeros((), maxlen.dtype.numpy_dtype), maxlen, np.ones((), maxlen.dtype.numpy_dtype))
        result = math.less(steps, cast(expand_dims(lengths, -1), maxlen.dtype))
        return cast(result, dtype)
