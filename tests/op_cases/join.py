"""Stacking, unstacking, concatenating, and undoing a concatenation."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import ALL

EVERYTHING = (*ALL, "object")


@case("Pack", dtypes=EVERYTHING)
def pack(draw):
    shape = draw.shape()
    values = [draw.array(shape) for _ in range(draw.integer(1, 4))]
    return {"values": values, "axis": draw.axis(len(shape) + 1)}


@case("Unpack", dtypes=EVERYTHING)
def unpack(draw):
    value = draw.array(draw.shape(min_rank=1, min_size=1))
    axis = draw.axis(value.ndim)
    return {"value": value, "num": value.shape[axis], "axis": axis}


@case("ConcatV2", dtypes=EVERYTHING)
def concat(draw):
    return _parts(draw)


def _parts(draw):
    shape = list(draw.shape(min_rank=1))
    axis = draw.axis(len(shape))
    values = []
    for _ in range(draw.integer(2, 4)):
        shape[axis] = draw.integer(0, 3)
        values.append(draw.array(tuple(shape)))
    return {"values": values, "axis": draw.index(axis)}


def _split(tf, value, likes, axis):
    return tf.split(value, [like.shape[int(axis)] for like in likes], int(axis))


@case("SplitLike", dtypes=EVERYTHING, reference=_split, no_gradient=("likes",))
def split_like(draw):
    parts = _parts(draw)
    axis = parts["axis"]
    value = np.concatenate(parts["values"], int(axis))
    return {"value": draw.array(value.shape), "likes": parts["values"], "axis": axis}
