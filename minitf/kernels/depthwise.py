"""Depthwise convolution, in which each channel has filters of its own, and its two gradients.

Images are NHWC, filters (height, width, channels, multiplier); result channel c * multiplier + m is
channel c under its filter m. Strides, padding and dilations are as in `conv`.

A multiplier above 1 is reduced to 1 by repeating the channels of x, so that both implementations
know only products of equally long runs of channels. The compiled one is that of `conv`, with tiles
that multiply vector by vector.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.conv import NO_PADDING, Padding, Pair, output_length, taps, wide
from minitf.kernels.conv_tiles import (
    Plan,
    filter_gradient,
    forward,
    input_gradient,
    make_plan,
)
from minitf.kernels.threads import flat, num_threads, result, scratch

__all__ = [
    "depthwise_conv2d",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
]

SMALL = 100_000
"""Below so many multiplications NumPy is fast enough not to load a compiler for."""


def depthwise_conv2d(
    x: np.ndarray,
    w: np.ndarray,
    strides: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilations: Pair = (1, 1),
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Convolve each channel with its own filters.

    Args:
      x: images (N, H, W, C).
      w: filters (KH, KW, C, M), of the same dtype.
      strides: step of the window along height and width.
      padding: zeros around the image, ((top, bottom), (left, right)).
      dilations: distance between taps of a filter.
      out: where to put the result, C-contiguous; made anew by default.

    Returns:
      (N, OH, OW, C * M), of the dtype of x.

    Raises:
      ValueError: shapes or dtypes do not fit.
    """
    y = result(_output_shape(x.shape, w.shape, strides, padding, dilations), x.dtype, out)
    x = _repeated(x, w.shape[3])
    if _runs_on_numpy(x, w, y):
        y[...] = _forward_numpy(x, w, y.shape, strides, padding, dilations)
    else:
        plan = _plan(x.shape, w.shape, y.shape, strides, padding, dilations, x)
        forward(
            flat(x), flat(w), x.reshape(-1)[:0], y.reshape(-1),
            scratch("conv images", plan.buffer_size * plan.parts, x.dtype),
            plan.pixel_x, plan.pixel_y, plan.segment_x, plan.segment_w,
            plan.geometry, plan.blocking, 0, plan.parts,
        )  # fmt: skip
    return y


def depthwise_conv2d_backprop_input(
    input_shape: tuple[int, ...],
    w: np.ndarray,
    dy: np.ndarray,
    strides: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilations: Pair = (1, 1),
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient with respect to images of `input_shape`, given that of the result."""
    input_shape = tuple(input_shape)
    _check_gradient(input_shape, w.shape, dy, strides, padding, dilations)
    dx = result(input_shape, dy.dtype, out)
    multiplier = w.shape[3]
    wide_shape = (*input_shape[:3], input_shape[3] * multiplier)
    target = dx if multiplier == 1 else np.empty(wide_shape, dy.dtype)
    reach = [(w.shape[i] - 1) * dilations[i] for i in (0, 1)]
    around = tuple(tuple(r - p for p in sides) for r, sides in zip(reach, padding))
    if _runs_on_numpy(dy, w, dy):
        target[...] = _backprop_input_numpy(wide_shape, w, dy, strides, padding, dilations)
    elif tuple(strides) == (1, 1) and min(map(min, around)) >= 0:
        # Each cell of x gathers what it gave to: a convolution with the filters turned around.
        turned = w[::-1, ::-1].reshape(*w.shape[:2], -1, 1)
        depthwise_conv2d(dy, turned, (1, 1), around, dilations, out=target)
    else:
        plan = _plan(wide_shape, w.shape, dy.shape, strides, padding, dilations, dy)
        input_gradient(
            flat(dy), flat(w), target.reshape(-1),
            scratch("conv images", plan.image_buffer_size * plan.parts, dy.dtype),
            plan.pixel_x, plan.pixel_y, plan.tap_x, plan.here,
            plan.geometry, plan.blocking, plan.parts,
        )  # fmt: skip
    if multiplier != 1:
        np.sum(target.reshape(*input_shape, multiplier), axis=-1, out=dx)
    return dx


def depthwise_conv2d_backprop_filter(
    x: np.ndarray,
    w_shape: tuple[int, ...],
    dy: np.ndarray,
    strides: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilations: Pair = (1, 1),
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient with respect to filters of `w_shape`, given that of the result.

    With the same number of threads the same arguments give the same bits.
    """
    w_shape = tuple(w_shape)
    _check_gradient(x.shape, w_shape, dy, strides, padding, dilations)
    dw = result(w_shape, x.dtype, out)
    x = _repeated(x, w_shape[3])
    if _runs_on_numpy(x, dw, dy):
        dw[...] = _backprop_filter_numpy(x, w_shape, dy, strides, padding, dilations)
    else:
        plan = _plan(x.shape, w_shape, dy.shape, strides, padding, dilations, x)
        filter_gradient(
            flat(x), flat(dy), dw.reshape(-1),
            scratch("conv sums", dw.size * (plan.parts - 1), x.dtype),
            scratch("conv images", plan.buffer_size * plan.parts, x.dtype),
            plan.term_x, plan.term_w, plan.row_x, plan.row_y,
            plan.geometry, plan.blocking, plan.parts,
        )  # fmt: skip
    return dw


def _output_shape(x_shape, w_shape, strides, padding, dilations):
    if len(x_shape) != 4 or len(w_shape) != 4 or x_shape[3] != w_shape[2]:
        raise ValueError(
            f"images {tuple(x_shape)} (N, H, W, C) do not fit depthwise filters {tuple(w_shape)} "
            "(KH, KW, C, M)"
        )
    rows, columns = (
        output_length(x_shape[1 + i], w_shape[i], strides[i], padding[i], dilations[i]) for i in (0, 1)
    )
    return x_shape[0], rows, columns, w_shape[2] * w_shape[3]


def _plan(x_shape, w_shape, y_shape, strides, padding, dilations, like: np.ndarray) -> Plan:
    return make_plan(
        x_shape, w_shape, y_shape, tuple(strides), tuple(map(tuple, padding)), tuple(dilations),
        like.dtype, num_threads(), depthwise=True,
    )  # fmt: skip


def _check_gradient(x_shape, w_shape, dy, strides, padding, dilations) -> None:
    expected = _output_shape(x_shape, w_shape, strides, padding, dilations)
    if dy.shape != expected:
        raise ValueError(
            f"the gradient has shape {dy.shape}, but images {x_shape} and depthwise filters "
            f"{w_shape} give {expected}"
        )


def _repeated(x: np.ndarray, multiplier: int) -> np.ndarray:
    return x if multiplier == 1 else np.repeat(x, multiplier, axis=3)


def _runs_on_numpy(images: np.ndarray, filters: np.ndarray, y: np.ndarray) -> bool:
    if images.dtype != filters.dtype:
        raise ValueError(f"dtypes differ: {images.dtype} and {filters.dtype}")
    cells = filters.shape[0] * filters.shape[1]
    return images.dtype.char not in "fd" or y.size * cells < SMALL


# The specification, for x with its channels repeated ------------------------------------------


def _forward_numpy(x, w, y_shape, strides, padding, dilations):
    x, w = wide(x), wide(w)
    y = np.zeros(y_shape, x.dtype)
    if y.size > 0:
        padded = np.pad(x, ((0, 0), *padding, (0, 0)))
        for tap, seen in taps(w.shape, *y.shape[1:3], strides, dilations):
            y += padded[seen] * w[tap].reshape(-1)
    return y


def _backprop_input_numpy(x_shape, w, dy, strides, padding, dilations):
    w, dy = wide(w), wide(dy)
    batch, height, width, channels = x_shape
    (top, bottom), (left, right) = padding
    padded = np.zeros((batch, height + top + bottom, width + left + right, channels), dy.dtype)
    if dy.size > 0:
        for tap, seen in taps(w.shape, *dy.shape[1:3], strides, dilations):
            padded[seen] += dy * w[tap].reshape(-1)
    return padded[:, top : top + height, left : left + width]


def _backprop_filter_numpy(x, w_shape, dy, strides, padding, dilations):
    x, dy = wide(x), wide(dy)
    dw = np.zeros(w_shape, x.dtype)
    if dy.size > 0:
        padded = np.pad(x, ((0, 0), *padding, (0, 0)))
        for tap, seen in taps(w_shape, *dy.shape[1:3], strides, dilations):
            dw[tap] = (padded[seen] * dy).sum(axis=(0, 1, 2)).reshape(w_shape[2:])
    return dw
