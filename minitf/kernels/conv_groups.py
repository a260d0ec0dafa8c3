"""Convolution in groups, and of images with channels first: `conv` and its gradients in general form.

Where the filters take fewer channels than the images have, channels and filters are cut into that many
groups of equal size, each convolved on its own (Krizhevsky et al., 2012, section 3.5).

May import: NumPy and the kernels below this one.
"""

import numpy as np

from minitf.kernels import conv
from minitf.kernels.layout import channels_first, channels_last

__all__ = ["conv2d", "conv2d_backprop_filter", "conv2d_backprop_input"]

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    strides: Pair,
    padding: Padding,
    dilations: Pair,
    first: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """As `conv.conv2d`; x may have several times as many channels as w takes.

    With `first`, x and the result are (N, C, H, W).
    """
    if first:
        return channels_first(conv2d(channels_last(x), w, strides, padding, dilations), out)
    groups = x.shape[3] // max(w.shape[2], 1)
    if groups <= 1:
        return conv.conv2d(x, w, strides, padding, dilations, out)
    parts = [
        conv.conv2d(np.ascontiguousarray(images), np.ascontiguousarray(filters), strides, padding, dilations)
        for images, filters in zip(np.split(x, groups, 3), np.split(w, groups, 3), strict=True)
    ]
    return np.concatenate(parts, 3, out)


def conv2d_backprop_input(
    x_shape: tuple[int, ...],
    w: np.ndarray,
    dy: np.ndarray,
    strides: Pair,
    padding: Padding,
    dilations: Pair,
    first: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of `conv2d` with respect to images of `x_shape`."""
    if first:
        shape = (x_shape[0], *x_shape[2:], x_shape[1])
        dx = conv2d_backprop_input(shape, w, channels_last(dy), strides, padding, dilations)
        return channels_first(dx, out)
    groups = x_shape[3] // max(w.shape[2], 1)
    if groups <= 1:
        return conv.conv2d_backprop_input(x_shape, w, dy, strides, padding, dilations, out)
    shape = (*x_shape[:3], w.shape[2])
    parts = [
        conv.conv2d_backprop_input(
            shape, np.ascontiguousarray(filters), np.ascontiguousarray(slopes), strides, padding, dilations
        )
        for filters, slopes in zip(np.split(w, groups, 3), np.split(dy, groups, 3), strict=True)
    ]
    return np.concatenate(parts, 3, out)


def conv2d_backprop_filter(
    x: np.ndarray,
    w_shape: tuple[int, ...],
    dy: np.ndarray,
    strides: Pair,
    padding: Padding,
    dilations: Pair,
    first: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of `conv2d` with respect to filters of `w_shape`."""
    if first:
        x, dy = channels_last(x), channels_last(dy)
    groups = x.shape[3] // max(w_shape[2], 1)
    if groups <= 1:
        return conv.conv2d_backprop_filter(x, w_shape, dy, strides, padding, dilations, out)
    shape = (*w_shape[:3], w_shape[3] // groups)
    parts = [
        conv.conv2d_backprop_filter(
            np.ascontiguousarray(images), shape, np.ascontiguousarray(slopes), strides, padding, dilations
        )
        for images, slopes in zip(np.split(x, groups, 3), np.split(dy, groups, 3), strict=True)
    ]
    return np.concatenate(parts, 3, out)
