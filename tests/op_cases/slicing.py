"""Slices and the scattering of their gradients."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import ALL

EVERYTHING = (*ALL, "object")


def strided(draw):
    """Bounds, strides and masks for a shape, one entry of each kind after the other."""
    shape = draw.shape(max_rank=3, min_size=1)
    begin, end, strides, axis = [], [], [], 0
    masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)
    while axis < len(shape) and (position := len(begin)) < 6:
        kind = draw.one_of("slice", "slice", "shrink_axis_mask", "new_axis_mask", "ellipsis_mask", "end")
        size, bit = shape[axis], 1 << position
        if kind == "end":
            break
        if kind == "ellipsis_mask" and masks["ellipsis_mask"]:
            continue
        first, last, step = draw.integer(-size - 1, size), draw.integer(-size - 1, size + 1), 1
        if kind == "slice":
            step = draw.one_of(1, 2, -1, -2)
            masks["begin_mask"] |= bit * draw.boolean()
            masks["end_mask"] |= bit * draw.boolean()
        else:
            masks[kind] |= bit
            if kind == "shrink_axis_mask":
                first = draw.integer(-size, size - 1)
                last = first + 1
        begin.append(first)
        end.append(last)
        strides.append(step)
        # An ellipsis may stand for no dimension, then for one.
        axis += kind in ("slice", "shrink_axis_mask")
        if kind == "ellipsis_mask":
            axis = max(axis, len(shape) - draw.integer(0, len(shape) - axis))
    index = draw.index_dtype()
    bounds = {"begin": begin, "end": end, "strides": strides}
    return shape, {name: np.array(v, index) for name, v in bounds.items()}, masks


@case("StridedSlice", dtypes=EVERYTHING)
def strided_slice(draw):
    shape, key, masks = strided(draw)
    return {"input": draw.array(shape), **key, **masks}


@case(
    "StridedSliceGrad", dtypes=ALL, no_gradient=("like",),
    reference=lambda tf, like, begin, end, strides, grad, **masks: tf.raw_ops.StridedSliceGrad(
        shape=tf.shape(like, out_type=begin.dtype), begin=begin, end=end, strides=strides, dy=grad, **masks
    ),
)  # fmt: skip
def strided_slice_grad(draw):
    from minitf.ops.slicing import _key

    shape, key, masks = strided(draw)
    like = draw.array(shape)
    return {"like": like, **key, "grad": draw.array(np.shape(like[_key(*key.values(), masks)])), **masks}


def box(draw):
    """A shape, and where a box in it starts and how large it is."""
    shape = draw.shape(min_rank=1)
    begin = [draw.integer(0, size) for size in shape]
    size = [draw.integer(0, s - b) for s, b in zip(shape, begin, strict=True)]
    return shape, begin, size


@case("Slice", dtypes=EVERYTHING)
def slice_(draw):
    shape, begin, size = box(draw)
    size = [draw.one_of(n, -1) for n in size]
    index = draw.index_dtype()
    return {"input": draw.array(shape), "begin": np.array(begin, index), "size": np.array(size, index)}


def _padded(tf, like, begin, grad):
    after = [s - b - n for s, b, n in zip(like.shape, begin.numpy(), grad.shape, strict=True)]
    return tf.pad(grad, list(zip(begin.numpy(), after, strict=True)))


@case("SliceGrad", dtypes=("float32", "float64", "int32"), no_gradient=("like",), reference=_padded)
def slice_grad(draw):
    shape, begin, size = box(draw)
    return {"like": draw.array(shape), "begin": draw.index(begin), "grad": draw.array(tuple(size))}
