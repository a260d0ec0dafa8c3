"""Patches of images as vectors: `tf.extract_image_patches`."""

from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.ops.registry import Anything, Mixed, Numeric, gradient, op
from minitf.ops.shape_rules import require_rank


def _extent(size: int, kernel: int, stride: int, rate: int, padding: str) -> tuple[int, int, int]:
    """How many patches fit along a dimension, and the zeros before and after it."""
    reach = (kernel - 1) * rate + 1
    if padding == "VALID":
        return max(-(-(size - reach + 1) // stride), 0), 0, 0
    count = -(-size // stride)
    missing = max((count - 1) * stride + reach - size, 0)
    return count, missing // 2, missing - missing // 2


def _patches_shape(images, *, ksizes, strides, rates, padding):
    batch, *sizes, channels = require_rank(images, 4).with_rank(4).sizes
    counts = [
        None if size is None else _extent(size, k, s, r, padding)[0]
        for size, k, s, r in zip(sizes, ksizes[1:3], strides[1:3], rates[1:3])
    ]
    depth = None if channels is None else channels * ksizes[1] * ksizes[2]
    return TensorShape([batch, *counts, depth])


def _windows(sizes, ksizes, strides, rates, padding):
    """The paddings, and for each place in the kernel the slices of the padded images that it sees."""
    extents = [
        _extent(size, k, s, r, padding) for size, k, s, r in zip(sizes, ksizes[1:3], strides[1:3], rates[1:3])
    ]
    (height, *above), (width, *left) = extents
    seen = []
    for i in range(ksizes[1]):
        for j in range(ksizes[2]):
            top, start = i * rates[1], j * rates[2]
            seen.append((
                slice(top, top + (height - 1) * strides[1] + 1, strides[1]),
                slice(start, start + (width - 1) * strides[2] + 1, strides[2]),
            ))  # fmt: skip
    return (height, width), (above, left), seen


@op("ExtractImagePatches", shape=_patches_shape)
def _extract_patches(images: Anything, *, ksizes, strides, rates, padding) -> Anything:
    (height, width), (above, left), seen = _windows(images.shape[1:3], ksizes, strides, rates, padding)
    padded = np.pad(images, ((0, 0), above, left, (0, 0)))
    channels = images.shape[3]
    result = np.empty((len(images), height, width, len(seen), channels), images.dtype)
    if height and width:
        for place, (rows, columns) in enumerate(seen):
            result[..., place, :] = padded[:, rows, columns]
    return result.reshape(len(images), height, width, len(seen) * channels)


def _like_shape(like, grad, **_attrs):
    return like.shape


@op("ExtractImagePatchesGrad", shape_only=("like",), shape=_like_shape)
def _patches_grad(like: Mixed, grad: Numeric, *, ksizes, strides, rates, padding) -> Numeric:
    """`grad` added up where the patches of images like `like` came from."""
    (height, width), (above, left), seen = _windows(like.shape[1:3], ksizes, strides, rates, padding)
    batch, rows, columns, channels = like.shape
    padded = np.zeros((batch, rows + sum(above), columns + sum(left), channels), grad.dtype)
    parts = grad.reshape(batch, height, width, len(seen), channels)
    if height and width:
        for place, (down, across) in enumerate(seen):
            padded[:, down, across] += parts[..., place, :]
    return padded[:, above[0] : above[0] + rows, left[0] : left[0] + columns].copy()


@gradient(_extract_patches)
def _extract_patches_gradient(op, grad):
    return _patches_grad(op.inputs[0], grad, **op.attrs)


@gradient(_patches_grad)
def _patches_grad_gradient(op, grad):
    return [None, _extract_patches(grad, **op.attrs)]


def extract_image_patches(
    images: Any,
    ksizes: Any = None,
    strides: Any = None,
    rates: Any = None,
    padding: str | None = None,
    name: str | None = None,
    sizes: Any = None,
) -> Any:
    """The patches of images (N, H, W, C), each as a vector: (N, rows, columns, height * width * C).

    `ksizes` (newer name: `sizes`), `strides` and `rates` (dilations) are lists [1, height, width, 1];
    `padding` is 'SAME' or 'VALID'. Raises ValueError for other forms.
    """
    ksizes = sizes if ksizes is None else ksizes
    attributes = {"ksizes": ksizes, "strides": strides, "rates": rates}
    for key, value in attributes.items():
        if value is None or len(value) != 4:
            raise ValueError(f"{key} must be a list of 4 integers, got {value}")
        if value[0] != 1 or value[3] != 1:
            raise NotImplementedError(f"Only support {key} across space, got {list(value)}")
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"Unknown padding {padding!r}, expected 'SAME' or 'VALID'")
    attributes = {key: tuple(int(n) for n in value) for key, value in attributes.items()}
    return _extract_patches(images, padding=padding, name=name, **attributes)
