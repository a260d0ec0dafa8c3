"""Rows dealt out to several tensors by number, and put together again."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.ops import shape_rules
from minitf.ops.array import size
from minitf.ops.constants import range
from minitf.ops.gather import gather, place_of
from minitf.ops.like import reshape_like
from minitf.ops.registry import Anything, Types, gradient, op
from minitf.ops.shape_rules import constant_value

_Int = Types("Int", (dtypes.int32,))


def _partition_shapes(data, partitions, *, num_partitions):
    if data.shape.rank is None or partitions.shape.rank is None:
        return [UNKNOWN] * num_partitions
    shape_rules.merge(data.shape[: partitions.shape.rank], partitions.shape)
    rest = data.shape[partitions.shape.rank :]
    return [TensorShape([None]).concatenate(rest)] * num_partitions


@op("DynamicPartition", shape=_partition_shapes)
def _dynamic_partition(data: Anything, partitions: _Int, *, num_partitions) -> [Anything]:
    if data.shape[: partitions.ndim] != partitions.shape:
        raise ValueError(
            f"data.shape must start with partitions.shape, got data.shape = {place_of(data.shape) or '[]'}, "
            f"partitions.shape = {place_of(partitions.shape) or '[]'}"
        )
    outside = (partitions < 0) | (partitions >= num_partitions)
    if outside.any():
        first = np.unravel_index(int(np.argmax(outside)), partitions.shape)
        raise ValueError(
            f"partitions{place_of(first)} = {partitions[first]} is not in [0, {num_partitions})"
        )  # fmt: skip
    return [data[partitions == number] for number in np.arange(num_partitions)]


@gradient(_dynamic_partition)
def _dynamic_partition_gradient(op, *grads):
    data, partitions = op.inputs
    numbers = reshape_like(range(size(partitions)), partitions)
    places = _dynamic_partition(numbers, partitions, **op.attrs)
    return [reshape_like(dynamic_stitch(places, list(grads)), data), None]


def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Any]:
    """The rows of `data` dealt out to `num_partitions` tensors, each to the one its number says.

    `partitions` (int32) has the shape of data's first dimensions. Raises InvalidArgumentError for numbers
    outside [0, num_partitions).
    """
    return _dynamic_partition(data, partitions, num_partitions=int(num_partitions), name=name)


def _stitched_shape(indices, data):
    rest, largest = UNKNOWN, -1
    for index, value in zip(indices, data):
        known = constant_value(index)
        if index.shape.rank is not None and value.shape.rank is not None:
            if index.shape.rank > value.shape.rank:
                raise ValueError(
                    f"Shape must be at least rank {index.shape.rank} but is rank {value.shape.rank}"
                )
            shape_rules.merge(value.shape[: index.shape.rank], index.shape)
            rest = shape_rules.merge(rest, value.shape[index.shape.rank :])
        if known is None or largest is None:
            largest = None
        elif known.size:
            largest = max(largest, int(known.max()))
    return TensorShape([None if largest is None else largest + 1]).concatenate(rest)


def _stitch(indices, data):
    for number, (index, value) in enumerate(zip(indices, data)):
        if value.shape[: index.ndim] != index.shape:
            raise ValueError(
                f"data[{number}].shape = {place_of(value.shape) or '[]'} does not start with "
                f"indices[{number}].shape = {place_of(index.shape) or '[]'}"
            )
    count = max((int(index.max()) + 1 for index in indices if index.size), default=0)
    rest = data[0].shape[indices[0].ndim :]
    result = np.full((count, *rest), b"" if data[0].dtype == object else 0, data[0].dtype)
    for number, (index, value) in enumerate(zip(indices, data)):
        if index.size and index.min() < 0:
            raise ValueError(f"indices[{number}] is out of range")
        result[index.reshape(-1)] = value.reshape(index.size, *rest)
    return result


@op("DynamicStitch", shape=_stitched_shape)
def _dynamic_stitch(indices: [_Int], data: [Anything]) -> Anything:
    return _stitch(indices, data)


@op("ParallelDynamicStitch", shape=_stitched_shape)
def _parallel_dynamic_stitch(indices: [_Int], data: [Anything]) -> Anything:
    return _stitch(indices, data)


@gradient(_dynamic_stitch, _parallel_dynamic_stitch)
def _dynamic_stitch_gradient(op, grad):
    count = len(op.inputs) // 2
    return [None] * count + [gather(grad, index) for index in op.inputs[:count]]


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Any:
    """One tensor with the rows of all `data`, each at the place its `indices` (int32) say.

    Where an index occurs several times, the last row counts. Places that no index names hold zeros.
    """
    return _dynamic_stitch(list(indices), list(data), name=name)


def parallel_dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Any:
    """`dynamic_stitch` for indices that do not repeat."""
    return _parallel_dynamic_stitch(list(indices), list(data), name=name)
