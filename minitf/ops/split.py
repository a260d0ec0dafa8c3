"""Splitting tensors along a dimension."""

import numpy as np

from minitf.ops.registry import Anything, Index, Mixed, gradient, op


def _shapes_of_likes(value, likes, axis):
    return [like.shape for like in likes]


@op("SplitLike", shape_only=("likes",), shape=_shapes_of_likes)
def split_like(value: Anything, likes: [Mixed], axis: Index) -> [Anything]:
    """`value` cut along `axis` into parts of the sizes that `likes` have there: concat undone."""
    axis = int(axis)
    ends = np.cumsum([like.shape[axis] for like in likes])[:-1]
    return [np.array(part) for part in np.split(value, ends, axis)]


@gradient(split_like)
def _split_like(op, *grads):
    from minitf.ops.join import concat

    return [concat(list(grads), op.inputs[-1]), *[None] * (len(op.inputs) - 1)]
