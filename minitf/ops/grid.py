"""Evenly spaced values, grids of coordinates, repeated elements."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, reshape, shape, size
from minitf.ops.constants import ones, range
from minitf.ops.gather import gather
from minitf.ops.join import _pack, concat, stack
from minitf.ops.registry import Index, interpreter, not_differentiable, op
from minitf.ops.shape_rules import constant_value
from minitf.ops.slicing import slice_
from minitf.ops.tile import broadcast_dynamic_shape, broadcast_to


def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Any:
    """`num` values evenly spaced from `start` to `stop`, both included, along a new dimension `axis`.

    start and stop may be tensors that broadcast; integers give floating values.
    """
    current = interpreter()
    with current.name_scope(name or "linspace"):
        start = current.convert(start, None, None, "start")
        stop = current.convert(stop, start.dtype.base_dtype, None, "stop")
        count = cast(current.convert(num, None, None, "num"), dtypes.int32)
        if not start.shape == stop.shape or not start.shape.is_fully_defined():
            both = broadcast_dynamic_shape(shape(start), shape(stop))
            start, stop = broadcast_to(start, both), broadcast_to(stop, both)
        first, last = expand_dims(start, axis), expand_dims(stop, axis)
        one = np.int32(1)
        steps = math.maximum(count - one, one)
        delta = math.truediv(last - first, cast(steps, start.dtype))
        first, last = cast(first, delta.dtype), cast(last, delta.dtype)
        position = axis if axis >= 0 else axis + first.shape.rank
        between = cast(range(one, steps), delta.dtype)
        line = [1] * first.shape.rank
        line[position] = -1
        inner = first + delta * reshape(between, line)
        whole = concat([first, inner, last], position)
        sizes = shape(first)
        wanted = concat([sizes[:position], reshape(count, [1]), sizes[position + 1 :]], 0)
        return slice_(whole, np.zeros(first.shape.rank, np.int32), wanted)


def meshgrid(*args: Any, indexing: str = "xy", name: str = "meshgrid") -> list[Any]:
    """For each of the vectors `args` a tensor that has it along its own dimension of a common grid.

    With indexing 'xy' the first two dimensions are swapped: columns are those of the first vector.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Argument `indexing` parameter must be either 'xy' or 'ij', got '{indexing}'")
    current = interpreter()
    with current.name_scope(name):
        vectors = [current.convert(x, None, None, "x") for x in args]
        places = list(np.arange(len(vectors)))
        if indexing == "xy" and len(vectors) > 1:
            places[:2] = [1, 0]
        sizes: list[Any] = [None] * len(vectors)
        lines = []
        for vector, place in zip(vectors, places):
            line = [1] * len(vectors)
            line[place] = -1
            lines.append(reshape(vector, line))
            sizes[place] = size(vector)
        if not vectors:
            return []
        grid = ones(stack(sizes), vectors[0].dtype.base_dtype)
        return [line * grid for line in lines]


def parallel_stack(values: Any, name: str = "parallel_stack") -> Any:
    """Tensors of one shape, which must be known, joined along a new first dimension."""
    values = list(values)
    result = _pack(values, axis=0, name=name)
    if not result.shape.is_fully_defined():
        raise ValueError(f"All input shapes must be fully defined, got {result.shape}.")
    return result


def _total(repeats, count):
    times, length = constant_value(repeats), constant_value(count)
    if times is None or length is None:
        return TensorShape([None])
    return TensorShape([int(np.broadcast_to(np.ravel(times), int(length)).sum())])


@op("RepeatedIndices", shape=_total)
def _repeated_indices(repeats: Index, count: Index) -> Index:
    """0 … count - 1, each as often as `repeats` (a number or one for each) says."""
    if np.size(repeats) not in (1, int(count)):
        raise ValueError(f"repeats has {np.size(repeats)} elements for a dimension of size {int(count)}")
    return np.repeat(np.arange(int(count), dtype=count.dtype), repeats)


not_differentiable(_repeated_indices)


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Any:
    """Each element of `input` along `axis` `repeats` times (a number, or one for each element).

    Without `axis`, of the flattened input.
    """
    current = interpreter()
    with current.name_scope(name or "Repeat"):
        input = current.convert(input, None, None, "input")
        repeats = cast(current.convert(repeats, None, None, "repeats"), dtypes.int32)
        if axis is None:
            input, axis = reshape(input, [-1]), 0
        return gather(input, _repeated_indices(repeats, shape(input)[axis]), axis=axis)
