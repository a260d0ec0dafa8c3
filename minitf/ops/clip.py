"""Keeping values and norms within bounds."""

from typing import Any

import numpy as np

from minitf.ops import math
from minitf.ops.array import cast, identity
from minitf.ops.constants import ones_like
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.join import stack
from minitf.ops.nn_misc import l2_loss
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.select import where_v2


def _values(t: Any) -> Any:
    """The numbers of a tensor or of an IndexedSlices."""
    if isinstance(t, IndexedSlices):
        return t.values
    return interpreter().convert(t, None, None, "t")


def _like(t: Any, values: Any) -> Any:
    return IndexedSlices(values, t.indices, t.dense_shape) if isinstance(t, IndexedSlices) else values


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None) -> Any:
    """`t` (a tensor or IndexedSlices) with values below or above the bounds set to them.

    The bounds broadcast to t. Raises ValueError when they would make it larger.
    """
    with interpreter().name_scope(name or "clip_by_value") as scope:
        values = _values(t)
        below = math.minimum(values, clip_value_max)
        values.shape.assert_is_compatible_with(below.shape)
        clipped = math.maximum(below, clip_value_min, name=scope)
        values.shape.assert_is_compatible_with(clipped.shape)
    return _like(t, clipped)


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Any:
    """`t` scaled down so that its L2 norm over `axes` (all) is at most `clip_norm`."""
    with interpreter().name_scope(name or "clip_by_norm") as scope:
        values = _values(t)
        clip_norm = interpreter().convert(clip_norm, values.dtype.base_dtype, None, "clip_norm")
        squared = reduce_sum(math.multiply(values, values), axes, keepdims=True)
        # The square root has no slope at 0, so there it is taken of 1.
        positive = math.greater(squared, np.zeros((), squared.dtype.numpy_dtype))
        root = math.sqrt(where_v2(positive, squared, ones_like(squared)))
        norm = where_v2(positive, root, squared)
        scaled = math.multiply(values, clip_norm)
        values.shape.assert_is_compatible_with(scaled.shape)
        clipped = identity(math.real_divide(scaled, math.maximum(norm, clip_norm)), name=scope)
    return _like(t, clipped)


def clip_by_average_norm(t: Any, clip_norm: Any, name: str | None = None) -> Any:
    """`t` scaled down so that its L2 norm divided by its number of elements is at most `clip_norm`."""
    with interpreter().name_scope(name or "clip_by_average_norm") as scope:
        t = interpreter().convert(t, None, None, "t")
        dtype = t.dtype.base_dtype
        clip_norm = interpreter().convert(clip_norm, dtype, None, "clip_norm")
        count = cast(_size(t), dtype)
        inverse_norm = math.rsqrt(reduce_sum(math.multiply(t, t), keepdims=True))
        factor = math.minimum(
            math.multiply(inverse_norm, count), math.real_divide(ones_like(clip_norm), clip_norm)
        )
        return identity(math.multiply(math.multiply(t, clip_norm), factor), name=scope)


def _size(t):
    from minitf.ops.array import size

    return size(t)


def _listed(t_list: Any) -> list[Any]:
    if isinstance(t_list, str) or not isinstance(t_list, list | tuple):
        raise TypeError(f"`t_list` should be a sequence of tensors. Received {type(t_list)}.")
    return list(t_list)


def global_norm(t_list: Any, name: str | None = None) -> Any:
    """The L2 norm of all the tensors of a sequence together; Nones are left out."""
    t_list = _listed(t_list)
    with interpreter().name_scope(name or "global_norm"):
        half_squares = [l2_loss(_values(t)) for t in t_list if t is not None]
        half = reduce_sum(stack(half_squares))
        return math.sqrt(half * np.array(2, half.dtype.numpy_dtype), name="global_norm")


def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Any]:
    """All tensors scaled by one factor so that their global norm is at most `clip_norm`; and that norm.

    `use_norm` is the norm if it is known already. If it is not finite, all results are NaN.
    """
    t_list = _listed(t_list)
    if use_norm is None:
        use_norm = global_norm(t_list, name)
    with interpreter().name_scope(name or "clip_by_global_norm") as scope:
        dtype = use_norm.dtype.base_dtype
        one = interpreter().convert(1.0, dtype, None, "Const")
        clip_norm = interpreter().convert(clip_norm, dtype, None, "clip_norm")
        scale = math.multiply(
            clip_norm, math.minimum(math.real_divide(one, use_norm), math.real_divide(one, clip_norm))
        )
        # Adds 0, or NaN for an infinite norm.
        scale = math.add(scale, math.subtract(use_norm, use_norm))
        clipped = [
            t if t is None else _like(t, _scaled(_values(t), scale, f"{scope}_{i}"))
            for i, t in enumerate(t_list)
        ]
    return clipped, use_norm


def _scaled(values, scale, name):
    return identity(math.multiply(values, cast(scale, values.dtype)), name=name)
