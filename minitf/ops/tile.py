"""Repeating tensors: `tf.tile`, `tf.broadcast_to`, and shapes that broadcast."""

from typing import Any

import numpy as np

from minitf.framework.shapes import UNKNOWN, TensorShape, as_shape, broadcast_sizes, unknown_shape
from minitf.ops import shape_rules
from minitf.ops.array import _as_int32 as as_int32
from minitf.ops.gather import place_of
from minitf.ops.like import sum_like
from minitf.ops.registry import Anything, Index, Mixed, Numeric, gradient, not_differentiable, op
from minitf.ops.shape_rules import constant_value, shape_from

_Multiples = Index.another("Multiples")


def _tiled_shape(input, multiples):
    shape_rules.require_rank(multiples, 1)
    length, times = multiples.shape.with_rank(1).sizes[0], constant_value(multiples)
    if input.shape.rank is None:
        return unknown_shape(length)
    if length not in (None, input.shape.rank):
        raise ValueError(f"Shape must be rank {input.shape.rank} but is rank {length}")
    if times is None:
        return unknown_shape(input.shape.rank)
    return TensorShape(
        [None if size is None or n < 0 else size * int(n) for size, n in zip(input.shape.sizes, times)]
    )


def _interleaved(input, multiples) -> list[int]:
    """Sizes (multiple, size, multiple, size, …)."""
    return [n for pair in zip(multiples, input.shape) for n in (int(pair[0]), pair[1])]


@op("Tile", shape=_tiled_shape)
def _tile(input: Anything, multiples: _Multiples, *, out=None) -> Anything:
    if len(multiples) != input.ndim:
        raise ValueError(
            f"Expected multiples argument to be a vector of length {input.ndim} but got length "
            f"{len(multiples)}"
        )
    for i, n in enumerate(multiples):
        if n < 0:
            raise ValueError(f"Expected multiples[{i}] >= 0, but got {n}")
    if out is None:
        out = np.empty([int(n) * size for n, size in zip(multiples, input.shape)], input.dtype)
    source = input.reshape([n for size in input.shape for n in (1, size)])
    np.copyto(out.reshape(_interleaved(input, multiples)), source)
    return out


def _shape_of_like(like, *_rest, **_attrs):
    return like.shape


@op("TileSum", shape_only=("like",), shape=_shape_of_like)
def _tile_sum(like: Mixed, multiples: _Multiples, grad: Numeric, *, out=None) -> Numeric:
    """The sum of the repetitions in a tiled tensor `grad`, of the shape of `like`."""
    parts = grad.reshape(_interleaved(like, multiples))
    return np.add.reduce(parts, tuple(range(0, 2 * like.ndim, 2)), grad.dtype, out)


@gradient(_tile)
def _tile_gradient(op, grad):
    return [_tile_sum(op.inputs[0], op.inputs[1], grad), None]


@gradient(_tile_sum)
def _tile_sum_gradient(op, grad):
    return [None, None, _tile(grad, op.inputs[1])]


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """`input` repeated multiples[i] times along each dimension i.

    `multiples` is an integer vector as long as `input` has dimensions.
    """
    return _tile(input, multiples, name=name)


# --- broadcasting ------------------------------------------------------------------------------------


def _broadcast_shape(input, shape):
    target = shape_from(shape)
    if input.shape.rank is None or target.rank is None:
        return target
    if input.shape.rank > target.rank:
        raise ValueError(f"Shape must be at most rank {target.rank} but is rank {input.shape.rank}")
    lead = target.rank - input.shape.rank
    for size, wanted in zip(input.shape.sizes, target.sizes[lead:]):
        if None not in (size, wanted) and size not in (1, wanted):
            raise ValueError(f"Dimensions must be equal, but are {size} and {wanted}")
    return target


@op("BroadcastTo", shape=_broadcast_shape, alias=True)
def _broadcast_to(input: Anything, shape: Index.another("Shape")) -> Anything:
    try:
        return np.broadcast_to(input, tuple(shape))
    except ValueError:
        raise ValueError(
            f"Incompatible shapes: {place_of(input.shape) or '[]'} vs. {place_of(shape) or '[]'}"
        ) from None


@gradient(_broadcast_to)
def _broadcast_to_gradient(op, grad):
    return [sum_like(grad, op.inputs[0]), None]


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Any:
    """`input` repeated along dimensions of size 1 (and new ones in front) to have `shape`.

    Raises ValueError, or InvalidArgumentError when it runs, if the shapes do not fit.
    """
    return _broadcast_to(input, as_int32(shape), name=name)


@op("BroadcastArgs", shape=lambda s0, s1: _longest(s0, s1))
def _broadcast_args(s0: Index, s1: Index) -> Index:
    try:
        return np.array(np.broadcast_shapes(tuple(s0), tuple(s1)), s0.dtype)
    except ValueError:
        raise ValueError(
            f"Incompatible shapes: {place_of(s0) or '[]'} vs. {place_of(s1) or '[]'}"
        ) from None  # fmt: skip


def _longest(s0, s1):
    lengths = [shape_rules.require_rank(s, 1).sizes[0] for s in (s0, s1)]
    return TensorShape([None if None in lengths else max(lengths)])


not_differentiable(_broadcast_args)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Any:
    """The shape (an integer vector) that tensors of two shapes, given as vectors, broadcast to."""
    return _broadcast_args(as_int32(shape_x), as_int32(shape_y))


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The TensorShape that two TensorShapes broadcast to. Raises ValueError when they can't."""
    x, y = as_shape(shape_x), as_shape(shape_y)
    if x.rank is None or y.rank is None:
        return UNKNOWN
    try:
        return broadcast_sizes(x, y)
    except ValueError:
        raise ValueError(
            "Incompatible shapes for broadcasting. Two shapes are compatible if for each dimension pair they "
            f"are either equal or one of them is 1. Received: {x} and {y}."
        ) from None
