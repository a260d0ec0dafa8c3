"""Moving blocks of images between their height and width, their channels, and the batch."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.ops import shape_rules
from minitf.ops.registry import Anything, Index, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value

_Block = Index.another("Block")

# Where (batch, height, width, channels) stand in each format.
_FORMATS = {"NHWC": (0, 1, 2, 3), "NCHW": (0, 2, 3, 1)}


def _axes_of(data_format: str) -> tuple[int, ...]:
    if data_format not in _FORMATS:
        raise NotImplementedError(f"data_format {data_format!r} is not supported, only NHWC and NCHW")
    return _FORMATS[data_format]


def _space_shape(input, *, block_size, data_format="NHWC"):
    axes = _axes_of(data_format)
    sizes = list(shape_rules.require_rank(input, 4).with_rank(4).sizes)
    for axis in axes[1:3]:
        if sizes[axis] is not None:
            if sizes[axis] % block_size:
                raise ValueError(
                    f"Dimension size must be evenly divisible by {block_size} but is {sizes[axis]}"
                )
            sizes[axis] //= block_size
    if sizes[axes[3]] is not None:
        sizes[axes[3]] *= block_size**2
    return TensorShape(sizes)


def _depth_shape(input, *, block_size, data_format="NHWC"):
    axes = _axes_of(data_format)
    sizes = list(shape_rules.require_rank(input, 4).with_rank(4).sizes)
    depth = sizes[axes[3]]
    if depth is not None:
        if depth % block_size**2:
            raise ValueError(f"Dimension size must be evenly divisible by {block_size**2} but is {depth}")
        sizes[axes[3]] = depth // block_size**2
    for axis in axes[1:3]:
        sizes[axis] = None if sizes[axis] is None else sizes[axis] * block_size
    return TensorShape(sizes)


@op("SpaceToDepth", shape=_space_shape)
def _space_to_depth(input: Anything, *, block_size, data_format="NHWC") -> Anything:
    axes = _axes_of(data_format)
    images = input.transpose(axes)
    n, height, width, channels = images.shape
    for size, name in ((height, "height"), (width, "width")):
        if size % block_size:
            raise ValueError(f"Image {name} {size} should be divisible by block_size: {block_size}")
    b = block_size
    blocks = images.reshape(n, height // b, b, width // b, b, channels).transpose(0, 1, 3, 2, 4, 5)
    result = blocks.reshape(n, height // b, width // b, b * b * channels)
    return result.transpose(np.argsort(axes)).copy()


@op("DepthToSpace", shape=_depth_shape)
def _depth_to_space(input: Anything, *, block_size, data_format="NHWC") -> Anything:
    axes = _axes_of(data_format)
    images = input.transpose(axes)
    n, height, width, channels = images.shape
    b = block_size
    if channels % b**2:
        raise ValueError(f"Input depth dimension {channels} should be divisible by: {b * b}")
    blocks = images.reshape(n, height, width, b, b, channels // b**2).transpose(0, 1, 3, 2, 4, 5)
    result = blocks.reshape(n, height * b, width * b, channels // b**2)
    return result.transpose(np.argsort(axes)).copy()


@gradient(_space_to_depth)
def _space_to_depth_gradient(op, grad):
    return _depth_to_space(grad, **op.attrs)


@gradient(_depth_to_space)
def _depth_to_space_gradient(op, grad):
    return _space_to_depth(grad, **op.attrs)


def space_to_depth(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Any:
    """Images whose blocks of block_size x block_size pixels have become the channels of one."""
    _check_block(block_size)
    return _space_to_depth(input, block_size=block_size, data_format=data_format, name=name)


def depth_to_space(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Any:
    """Images whose channels have become blocks of pixels: `space_to_depth` undone."""
    _check_block(block_size)
    return _depth_to_space(input, block_size=block_size, data_format=data_format, name=name)


def _check_block(block_size):
    if block_size < 2:
        raise ValueError(f"Attr 'block_size' passed {block_size} less than minimum 2.")


# --- batches -----------------------------------------------------------------------------------------


def _block_shapes(input, block_shape, borders):
    """What is known of the input's shape (or None), the block shape and the paddings or crops."""
    block = shape_rules.require_rank(block_shape, 1).with_rank(1)
    given = shape_rules.require_rank(borders, 2).with_rank(2)
    shape_rules.merge_sizes(given.sizes[1], 2)
    count = shape_rules.merge_sizes(block.sizes[0], given.sizes[0])
    if count is None or input.shape.rank is None:
        return None
    shape_rules.require_rank_at_least(input, count + 1)
    return input.shape.sizes, constant_value(block_shape), constant_value(borders), count


def _batched_shape(input, block_shape, paddings):
    known = _block_shapes(input, block_shape, paddings)
    if known is None:
        return UNKNOWN
    sizes, block, borders, count = known
    if block is None or borders is None:
        return TensorShape([None] * (count + 1)).concatenate(TensorShape(sizes[count + 1 :]))
    result = [None if sizes[0] is None else sizes[0] * int(np.prod(block))]
    for size, b, (before, after) in zip(sizes[1:], block, borders):
        if b < 1 or before < 0 or after < 0:
            raise ValueError(f"block_shape and paddings must not be negative: {block}, {borders.tolist()}")
        size = None if size is None else size + int(before) + int(after)
        if size is not None and size % b:
            raise ValueError(f"Dimension size must be evenly divisible by {b} but is {size}")
        result.append(None if size is None else size // int(b))
    return TensorShape([*result, *sizes[count + 1 :]])


def _spaced_shape(input, block_shape, crops):
    known = _block_shapes(input, block_shape, crops)
    if known is None:
        return UNKNOWN
    sizes, block, borders, count = known
    if block is None or borders is None:
        return TensorShape([None] * (count + 1)).concatenate(TensorShape(sizes[count + 1 :]))
    batch, times = sizes[0], int(np.prod(block))
    if batch is not None and batch % times:
        raise ValueError(f"Dimension size must be evenly divisible by {times} but is {batch}")
    result = [None if batch is None else batch // times]
    for size, b, (before, after) in zip(sizes[1:], block, borders):
        cropped = None if size is None else size * int(b) - int(before) - int(after)
        if cropped is not None and cropped < 0:
            raise ValueError(
                f"Negative dimension size caused by subtracting {before + after} from {size * b}"
            )
        result.append(cropped)
    return TensorShape([*result, *sizes[count + 1 :]])


@op("SpaceToBatchND", shape=_batched_shape)
def _space_to_batch(input: Anything, block_shape: _Block, paddings: Index.another("Paddings")) -> Anything:
    count = len(block_shape)
    around = [(0, 0), *map(tuple, paddings.tolist()), *[(0, 0)] * (input.ndim - count - 1)]
    padded = np.pad(input, around, constant_values=b"" if input.dtype == object else 0)
    sizes = [len(padded)]
    for axis, b in enumerate(block_shape.tolist(), 1):
        if padded.shape[axis] % b:
            raise ValueError(
                f"padded_shape[{axis - 1}]={padded.shape[axis]} is not divisible by "
                f"block_shape[{axis - 1}]={b}"
            )
        sizes += [padded.shape[axis] // b, b]
    inside, offsets = range(1, 2 * count, 2), range(2, 2 * count + 1, 2)
    blocks = padded.reshape(*sizes, *padded.shape[count + 1 :])
    blocks = blocks.transpose(*offsets, 0, *inside, *range(2 * count + 1, blocks.ndim))
    return blocks.reshape(-1, *[sizes[i] for i in inside], *input.shape[count + 1 :]).copy()


@op("BatchToSpaceND", shape=_spaced_shape)
def _batch_to_space(input: Anything, block_shape: _Block, crops: Index.another("Crops")) -> Anything:
    count, block = len(block_shape), block_shape.tolist()
    times = int(np.prod(block_shape))
    if len(input) % times:
        raise ValueError(
            f"Input batch dimension ({len(input)}) is not divisible by product of block sizes ({times})"
        )
    blocks = input.reshape(*block, len(input) // times, *input.shape[1:])
    order = [count]
    for i in range(count):
        order += [count + 1 + i, i]
    blocks = blocks.transpose(*order, *range(2 * count + 1, blocks.ndim))
    sizes = [size * b for size, b in zip(input.shape[1:], block)]
    whole = blocks.reshape(len(input) // times, *sizes, *input.shape[count + 1 :])
    inside = (slice(before, size - after) for size, (before, after) in zip(sizes, crops.tolist()))
    return whole[(slice(None), *inside)].copy()


@gradient(_space_to_batch)
def _space_to_batch_gradient(op, grad):
    return [_batch_to_space(grad, op.inputs[1], op.inputs[2]), None, None]


@gradient(_batch_to_space)
def _batch_to_space_gradient(op, grad):
    return [_space_to_batch(grad, op.inputs[1], op.inputs[2]), None, None]


def space_to_batch_nd(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Any:
    """The blocks of dimensions 1 … m, m = len(block_shape), moved into the batch after zero padding.

    `paddings` is (m, 2). Each padded size must be a multiple of the block's.
    """
    return _space_to_batch(input, block_shape, paddings, name=name)


def batch_to_space_nd(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Any:
    """Blocks moved from the batch into dimensions 1 … m, then cropped: `space_to_batch_nd` undone."""
    return _batch_to_space(input, block_shape, crops, name=name)


def _square(block_size, block_shape):
    if (block_size is None) == (block_shape is None):
        raise ValueError("Specify exactly one of block_size and block_shape.")
    return np.full(2, block_size if block_shape is None else block_shape, np.int64)


def space_to_batch(
    input: Any,
    paddings: Any,
    block_size: int | None = None,
    name: str | None = None,
    block_shape: int | None = None,
) -> Any:
    """`space_to_batch_nd` of images (4-D), with square blocks of `block_size` (or `block_shape`)."""
    result = _space_to_batch(input, _square(block_size, block_shape), paddings, name=name)
    result.shape.assert_has_rank(4)
    return result


def batch_to_space(
    input: Any,
    crops: Any,
    block_size: int | None = None,
    name: str | None = None,
    block_shape: int | None = None,
) -> Any:
    """`batch_to_space_nd` of images (4-D), with square blocks of `block_size` (or `block_shape`)."""
    result = _batch_to_space(input, _square(block_size, block_shape), crops, name=name)
    result.shape.assert_has_rank(4)
    return result


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Any, Any]:
    """Paddings (m, 2) that make `input_shape` (m,) a multiple of `block_shape`, and crops that undo them.

    `base_paddings` is what there must be at least; more is added at the end only.
    """
    from minitf.ops.join import stack

    current = interpreter()
    with current.name_scope(name or "required_space_to_batch_paddings"):
        sizes = current.convert(input_shape, dtypes.int32, None, "input_shape")
        block = current.convert(block_shape, dtypes.int32, None, "block_shape")
        block.shape.assert_is_fully_defined()
        block.shape.assert_has_rank(1)
        count = block.shape.sizes[0]
        sizes.shape.assert_is_compatible_with([count])
        if base_paddings is None:
            base_paddings = np.zeros((count, 2), np.int32)
        base = current.convert(base_paddings, dtypes.int32, None, "base_paddings")
        base.shape.assert_is_compatible_with([count, 2])
        before, after = base[:, 0], base[:, 1]
        extra = (block - (sizes + before + after) % block) % block
        paddings = stack([before, after + extra], axis=1, name="paddings")
        return paddings, stack([extra - extra, extra], axis=1, name="crops")
