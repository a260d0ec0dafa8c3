"""Ops of our own that take another tensor's shape when they run; TensorFlow composes them."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import ALL, NUMERIC


def _sum_like(tf, value, like):
    lead = value.shape.rank - like.shape.rank
    axes = list(range(lead)) + [lead + i for i, size in enumerate(like.shape) if size == 1]
    return tf.reshape(tf.reduce_sum(value, axes), like.shape)


def _wide_and_narrow(draw):
    wide = draw.shape()
    lead = draw.integer(0, len(wide))
    return wide, tuple(draw.one_of(size, 1) for size in wide[lead:])


@case("SumLike", dtypes=NUMERIC, reference=_sum_like, no_gradient=("like",))
def sum_like(draw):
    wide, narrow = _wide_and_narrow(draw)
    return {"value": draw.array(wide, special=draw.dtype.itemsize > 2), "like": draw.array(narrow)}


@case(
    "BroadcastLike", dtypes=NUMERIC, no_gradient=("like",),
    reference=lambda tf, value, like: tf.broadcast_to(value, like.shape),
)  # fmt: skip
def broadcast_like(draw):
    wide, narrow = _wide_and_narrow(draw)
    return {"value": draw.array(narrow), "like": draw.array(wide)}


@case(
    "ReshapeLike", dtypes=ALL, no_gradient=("like",),
    reference=lambda tf, value, like: tf.reshape(value, like.shape),
)  # fmt: skip
def reshape_like(draw):
    value = draw.array()
    return {"value": value, "like": draw.array(value.shape[::-1])}


def _expand(tf, grad, like, axis):
    kept = list(like.shape)
    for dimension in np.atleast_1d(axis):
        kept[dimension] = 1
    return tf.broadcast_to(tf.reshape(grad, kept), like.shape)


@case("ExpandReduced", dtypes=NUMERIC, reference=_expand, no_gradient=("like",))
def expand_reduced(draw):
    like = draw.array()
    axes = draw.axes(like.ndim)
    reduced = np.sum(np.zeros(like.shape), tuple(axes), keepdims=draw.boolean())
    return {"grad": draw.array(reduced.shape), "like": like, "axis": draw.index(axes)}
