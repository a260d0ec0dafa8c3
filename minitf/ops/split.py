"""Splitting tensors along a dimension."""

from typing import Any

import numpy as np

from minitf.framework.shapes import UNKNOWN, TensorShape, unknown_shape
from minitf.ops import shape_rules
from minitf.ops.registry import Anything, Index, Mixed, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value

_Axis = Index.another("Axis")


def _shapes_of_likes(value, likes, axis):
    return [like.shape for like in likes]


def _cut(value, ends, axis, out):
    lead = (slice(None),) * (axis % value.ndim)
    starts, ends = [0, *ends], [*ends, value.shape[axis]]
    parts = [value[(*lead, slice(start, end))] for start, end in zip(starts, ends)]
    if out is None:
        return [np.array(part) for part in parts]
    for target, part in zip(out, parts):
        np.copyto(target, part)
    return out


@op("SplitLike", shape_only=("likes",), shape=_shapes_of_likes)
def split_like(value: Anything, likes: [Mixed], axis: Index, *, out=None) -> [Anything]:
    """`value` cut along `axis` into parts of the sizes that `likes` have there: concat undone."""
    axis = int(axis)
    return _cut(value, np.cumsum([like.shape[axis] for like in likes])[:-1], axis, out)


@gradient(split_like)
def _split_like(op, *grads):
    from minitf.ops.join import concat

    return [concat(list(grads), op.inputs[-1]), *[None] * (len(op.inputs) - 1)]


def _position(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise ValueError(f"Dimension size, given by scalar input {axis} must be in range [{-rank}, {rank})")
    return axis % rank


def _even_shapes(axis, value, *, num_split):
    position = constant_value(axis)
    if value.shape.rank is None or position is None:
        return [unknown_shape(value.shape.rank)] * num_split
    sizes = list(value.shape.sizes)
    position = _position(int(position), len(sizes))
    size = sizes[position]
    if size is not None and size % num_split:
        raise ValueError(
            f"Dimension size must be evenly divisible by {num_split} but is {size}\n"
            "\tNumber of ways to split should evenly divide the split dimension"
        )
    sizes[position] = None if size is None else size // num_split
    return [TensorShape(sizes)] * num_split


@op("Split", shape=_even_shapes, default_name="split")
def _split(axis: _Axis, value: Anything, *, num_split, out=None) -> [Anything]:
    axis = int(axis)
    if value.shape[axis] % num_split:
        raise ValueError(
            f"Number of ways to split should evenly divide the split dimension, but got split_dim {axis} "
            f"(size = {value.shape[axis]}) and num_split {num_split}"
        )
    size = value.shape[axis] // num_split
    return _cut(value, [size * i for i in range(1, num_split)], axis, out)


def _given_shapes(value, size_splits, axis, *, num_split):
    position, lengths = constant_value(axis), constant_value(size_splits)
    shape_rules.require_rank(size_splits, 1)
    if value.shape.rank is None:
        return [UNKNOWN] * num_split
    if position is None:
        return [unknown_shape(value.shape.rank)] * num_split
    sizes = list(value.shape.sizes)
    position = _position(int(position), len(sizes))
    lengths = [None] * num_split if lengths is None else _static_lengths(lengths, sizes[position])
    return [TensorShape([*sizes[:position], length, *sizes[position + 1 :]]) for length in lengths]


def _static_lengths(lengths: Any, size: int | None) -> list[int | None]:
    lengths = [int(length) for length in lengths]
    if lengths.count(-1) > 1:
        raise ValueError("size_splits can only have one -1")
    if size is None:
        return [None if length == -1 else length for length in lengths]
    if -1 not in lengths and sum(lengths) != size:
        pieces = ",".join(str(length) for length in lengths)
        raise ValueError(f"can't split axis of size {size} into pieces of size [{pieces}]")
    return _completed(lengths, size)


def _completed(lengths: Any, size: int) -> list[int]:
    """The lengths with the one -1 replaced by what the others leave of `size`."""
    lengths = [int(length) for length in lengths]
    known = sum(length for length in lengths if length != -1)
    if lengths.count(-1) > 1:
        raise ValueError("There can only be one -1 in the input.")
    if known > size or (-1 not in lengths and known != size):
        raise ValueError(
            "Determined shape must either match input shape along split_dim exactly if fully specified, or "
            f"be less than the size of the input along split_dim if not fully specified.  Got: {known}"
        )
    for index, length in enumerate(lengths):
        if length < -1:
            raise ValueError(f"Split size at index {index} must be >= 0. Got: {length}")
    return [size - known if length == -1 else length for length in lengths]


@op("SplitV", shape=_given_shapes, default_name="split")
def _split_v(value: Anything, size_splits: Index, axis: _Axis, *, num_split, out=None) -> [Anything]:
    axis = int(axis)
    lengths = _completed(size_splits, value.shape[axis])
    return _cut(value, np.cumsum(lengths)[:-1], axis, out)


@gradient(_split)
def _split_gradient(op, *grads):
    from minitf.ops.join import concat

    return [None, concat(list(grads), op.inputs[0])]


@gradient(_split_v)
def _split_v_gradient(op, *grads):
    from minitf.ops.join import concat

    return [concat(list(grads), op.inputs[2]), None, None]


def split(
    value: Any = None,
    num_or_size_splits: Any = None,
    axis: Any = 0,
    num: int | None = None,
    name: str = "split",
    split_dim: Any = None,
) -> list[Any]:
    """The parts of `value` along `axis`: that many equal ones, or ones of the given sizes.

    One of the sizes may be -1: what is left. `num` is their number where it cannot be seen; `split_dim` is
    the old name of `axis`. TF 0.x's `split(split_dim, num_split, value)` is understood too. Raises ValueError
    when the sizes don't add up.
    """
    if split_dim is not None:
        axis = split_dim
    if isinstance(value, int) and isinstance(num_or_size_splits, int):
        value, axis = axis, value
    current = interpreter()
    if isinstance(num_or_size_splits, int | np.integer):
        if num_or_size_splits < 1:
            raise ValueError(
                f"Attr 'num_split' of 'Split' Op passed {num_or_size_splits} less than minimum 1."
            )
        return _split(axis, value, num_split=int(num_or_size_splits), name=name)
    sizes = current.convert(num_or_size_splits, None, None, "size_splits")
    if sizes.shape.rank == 0:
        raise ValueError(
            "Rank-0 tensors are not supported as the num_or_size_splits argument to split. "
            f"Argument provided: {num_or_size_splits}"
        )
    if num is None:
        if sizes.shape.rank is None or sizes.shape.sizes[0] is None:
            raise ValueError(f"Cannot infer argument `num` from shape {num_or_size_splits}")
        num = sizes.shape.sizes[0]
    return _split_v(value, sizes, axis, num_split=num, name=name)
