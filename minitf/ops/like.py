"""Ops that take the shape of another tensor when they run: how gradients undo broadcasts and reductions.

They let a gradient be built while batch sizes are unknown; the step plan drops them where shapes agree.
"""

import numpy as np

from minitf.ops.registry import Anything, Index, Mixed, Numeric, gradient, op


def _shape_of_like(value, like, **_attrs):
    return like.shape


def _prepare_sum_like(node):
    value, like = node.inputs[0].shape, node.inputs[1].shape
    if value.rank is None or like.rank is None:
        return None
    if not (value.is_fully_defined() and like.is_fully_defined()):
        return None
    lead = value.rank - like.rank
    axes = tuple(range(lead)) + tuple(
        lead + i for i, size in enumerate(like.sizes) if size == 1 and value.sizes[lead + i] != 1
    )
    if not lead:
        return lambda x, like, out=None: np.add.reduce(x, axes, x.dtype, out, True)
    if len(axes) == lead:
        return lambda x, like, out=None: np.add.reduce(x, axes, x.dtype, out)
    sizes = like.sizes
    return lambda x, like, out=None: _sum_to(x, axes, sizes, out)


def _sum_to(x, axes, sizes, out):
    result = np.add.reduce(x, axes, x.dtype).reshape(sizes)
    if out is None:
        return result
    np.copyto(out, result)
    return out


def _same_shape(node):
    value, like = node.inputs[:2]
    return value.shape.is_fully_defined() and value.shape == like.shape


@op(
    "SumLike",
    shape=_shape_of_like,
    shape_only=("like",),
    prepare=_prepare_sum_like,
    passes_through=_same_shape,
)
def sum_like(value: Numeric, like: Mixed, *, out=None) -> Numeric:
    """`value` summed over the dimensions along which `like` would broadcast to its shape."""
    lead = value.ndim - like.ndim
    axes = tuple(range(lead)) + tuple(
        lead + i for i, size in enumerate(like.shape) if size == 1 and value.shape[lead + i] != 1
    )
    return _sum_to(value, axes, like.shape, out)


@op(
    "BroadcastLike",
    shape=_shape_of_like,
    shape_only=("like",),
    alias=True,
    passes_through=_same_shape,
)
def broadcast_like(value: Numeric, like: Mixed) -> Numeric:
    """`value` broadcast to the shape of `like`."""
    return np.broadcast_to(value, like.shape)


@op(
    "ReshapeLike",
    shape=_shape_of_like,
    shape_only=("like",),
    alias=True,
    passes_through=_same_shape,
)
def reshape_like(value: Anything, like: Mixed) -> Anything:
    """`value` with the shape of `like` (of as many elements)."""
    return np.reshape(value, like.shape)


def _expanded_shape(grad, like, axis, **_attrs):
    return like.shape


@op("ExpandReduced", shape=_expanded_shape, shape_only=("like",), alias=True)
def expand_reduced(grad: Numeric, like: Mixed, axis: Index) -> Numeric:
    """A reduction's result (with or without kept dimensions) repeated over the reduced dimensions."""
    kept = list(like.shape)
    for dimension in np.atleast_1d(axis):
        kept[dimension] = 1
    return np.broadcast_to(np.reshape(grad, kept), like.shape)


@gradient(sum_like)
def _sum_like(op, grad):
    return [broadcast_like(grad, op.inputs[0]), None]


@gradient(broadcast_like)
def _broadcast_like(op, grad):
    return [sum_like(grad, op.inputs[0]), None]


@gradient(reshape_like)
def _reshape_like(op, grad):
    return [reshape_like(grad, op.inputs[0]), None]


@gradient(expand_reduced)
def _expand_reduced(op, grad):
    from minitf.ops.reduce import reduce_sum

    return [reshape_like(reduce_sum(grad, op.inputs[2]), op.inputs[0]), None, None]
