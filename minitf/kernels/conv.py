"""Two-dimensional convolution and its two gradients.

Images are NHWC, filters HWIO (height, width, channels in, channels out), both C-contiguous.
Padding is explicit, ((top, bottom), (left, right)); names such as SAME are for the callers.

Each function has two implementations. The NumPy one is the specification: a convolution is a sum,
over the taps of the filter, of products of shifted images with one tap's matrix. The compiled one
does the same sums tile by tile in registers (see `microkernel`): a tile of y takes all taps at
once, a tile of dx one tap after another, a tile of dw all pixels. Images that need padding are
copied, a few rows at a time, to a buffer with a border that stays in cache.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.conv_tiles import (
    Plan,
    filter_gradient,
    forward,
    input_gradient,
    make_plan,
    pack_filters,
    transpose_filters,
)
from minitf.kernels.microkernel import epilogue, finish
from minitf.kernels.threads import flat, num_threads, result, scratch

__all__ = [
    "NO_PADDING",
    "Padding",
    "Pair",
    "conv2d",
    "conv2d_backprop_filter",
    "conv2d_backprop_input",
    "output_length",
    "output_shape",
    "taps",
    "wide",
]

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]
NO_PADDING: Padding = ((0, 0), (0, 0))

SMALL = 100_000
"""Below so many multiplications NumPy is fast enough not to load a compiler for."""


# Public functions ----------------------------------------------------------------------------


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    strides: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilations: Pair = (1, 1),
    out: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    activation: str | None = None,
) -> np.ndarray:
    """Convolve images with filters, y[n, i, j] = sum of x[n, i*sh + k*dh - t, ...] @ w[k, l].

    Args:
      x: images (N, H, W, C).
      w: filters (KH, KW, C, O), of the same dtype.
      strides: step of the window along height and width.
      padding: zeros around the image, ((top, bottom), (left, right)), none negative.
      dilations: distance between taps of a filter.
      out: where to put the result, C-contiguous; made anew by default.
      bias: (O,), added to the result.
      activation: "relu" or "relu6", applied last.

    Returns:
      (N, OH, OW, O) of the dtype of x, with OH = (H + t + b - (KH - 1) * dh - 1) // sh + 1.

    Raises:
      ValueError: shapes or dtypes do not fit, or the activation is unknown.
    """
    shape = output_shape(x.shape, w.shape, strides, padding, dilations)
    bias, code = epilogue(bias, activation, shape[3], x.dtype)
    y = result(shape, x.dtype, out)
    if _runs_on_numpy(x, w, y.size // max(w.shape[3], 1)):
        y[...] = _conv2d_numpy(x, w, strides, padding, dilations)
        return finish(y, bias, code)
    plan = _plan(x.shape, w.shape, shape, strides, padding, dilations, x)
    filters = flat(w)
    if plan.packs:
        packed = scratch("conv filters", plan.packed_size, x.dtype)
        pack_filters(filters, packed, plan.terms, shape[3], plan.width, plan.parts)
        filters = packed
    forward(
        flat(x), filters, bias, y.reshape(-1),
        scratch("conv images", plan.buffer_size * plan.parts, x.dtype),
        plan.pixel_x, plan.pixel_y, plan.segment_x, plan.segment_w,
        plan.geometry, plan.blocking, code, plan.parts,
    )  # fmt: skip
    return y


def conv2d_backprop_input(
    input_shape: tuple[int, ...],
    w: np.ndarray,
    dy: np.ndarray,
    strides: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilations: Pair = (1, 1),
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of `conv2d` with respect to images of `input_shape`, given that of its result.

    Arguments are those of `conv2d`, and dy of its result's shape; returns (N, H, W, C).
    """
    input_shape = tuple(input_shape)
    _check_gradient(input_shape, w.shape, dy, strides, padding, dilations)
    dx = result(input_shape, dy.dtype, out)
    if _runs_on_numpy(dy, w, dy.size // max(w.shape[3], 1)):
        dx[...] = _backprop_input_numpy(input_shape, w, dy, strides, padding, dilations)
        return dx
    plan = _plan(input_shape, w.shape, dy.shape, strides, padding, dilations, dy)
    turned = scratch("conv filters", plan.turned_size, dy.dtype)
    transpose_filters(flat(w), turned, *plan.turning, plan.parts)
    input_gradient(
        flat(dy), turned, dx.reshape(-1),
        scratch("conv images", plan.image_buffer_size * plan.parts, dy.dtype),
        plan.pixel_x, plan.pixel_y, plan.tap_x, plan.here,
        plan.geometry, plan.blocking, plan.parts,
    )  # fmt: skip
    return dx


def conv2d_backprop_filter(
    x: np.ndarray,
    w_shape: tuple[int, ...],
    dy: np.ndarray,
    strides: Pair = (1, 1),
    padding: Padding = NO_PADDING,
    dilations: Pair = (1, 1),
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of `conv2d` with respect to filters of `w_shape`, given that of its result.

    Arguments are those of `conv2d`, and dy of its result's shape; returns (KH, KW, C, O). With
    the same number of threads the same arguments give the same bits.
    """
    w_shape = tuple(w_shape)
    _check_gradient(x.shape, w_shape, dy, strides, padding, dilations)
    dw = result(w_shape, x.dtype, out)
    if _runs_on_numpy(x, dw, dy.size // max(w_shape[3], 1)):
        dw[...] = _backprop_filter_numpy(x, w_shape, dy, strides, padding, dilations)
        return dw
    plan = _plan(x.shape, w_shape, dy.shape, strides, padding, dilations, x)
    filter_gradient(
        flat(x), flat(dy), dw.reshape(-1),
        scratch("conv sums", dw.size * (plan.parts - 1), x.dtype),
        scratch("conv images", plan.buffer_size * plan.parts, x.dtype),
        plan.term_x, plan.term_w, plan.row_x, plan.row_y,
        plan.geometry, plan.blocking, plan.parts,
    )  # fmt: skip
    return dw


def output_shape(
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    strides: Pair,
    padding: Padding,
    dilations: Pair,
) -> tuple[int, int, int, int]:
    """The shape of `conv2d`'s result.

    Raises:
      ValueError: images and filters do not fit each other.
    """
    if len(x_shape) != 4 or len(w_shape) != 4 or x_shape[3] != w_shape[2]:
        raise ValueError(
            f"images {tuple(x_shape)} (N, H, W, C) do not fit filters {tuple(w_shape)} (KH, KW, C, O)"
        )
    rows, columns = (
        output_length(x_shape[1 + i], w_shape[i], strides[i], padding[i], dilations[i]) for i in (0, 1)
    )
    return x_shape[0], rows, columns, w_shape[3]


def output_length(size: int, window: int, stride: int, padding: Pair, dilation: int = 1) -> int:
    """How many windows fit along one axis."""
    span = (window - 1) * dilation + 1
    return max(0, (size + sum(padding) - span) // stride + 1)


def _plan(x_shape, w_shape, y_shape, strides, padding, dilations, like: np.ndarray) -> Plan:
    return make_plan(
        x_shape, w_shape, y_shape, tuple(strides), tuple(map(tuple, padding)), tuple(dilations),
        like.dtype, num_threads(),
    )  # fmt: skip


def _check_gradient(x_shape, w_shape, dy, strides, padding, dilations) -> None:
    expected = output_shape(x_shape, w_shape, strides, padding, dilations)
    if dy.shape != expected:
        raise ValueError(
            f"the gradient has shape {dy.shape}, but images {x_shape} and filters {w_shape} give {expected}"
        )


def _runs_on_numpy(images: np.ndarray, filters: np.ndarray, pixels: int) -> bool:
    if images.dtype != filters.dtype:
        raise ValueError(f"dtypes differ: {images.dtype} and {filters.dtype}")
    return images.dtype.char not in "fd" or pixels * filters.size < SMALL


# The specification ---------------------------------------------------------------------------


def taps(w_shape, rows, columns, strides, dilations):
    """Each tap of a filter, with the part of padded images that it meets."""
    for k in range(w_shape[0]):
        for m in range(w_shape[1]):
            top, left = k * dilations[0], m * dilations[1]
            yield (
                (k, m),
                (
                    slice(None),
                    slice(top, top + (rows - 1) * strides[0] + 1, strides[0]),
                    slice(left, left + (columns - 1) * strides[1] + 1, strides[1]),
                ),
            )


def wide(array):
    """Half precision is summed in single precision."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _conv2d_numpy(x, w, strides, padding, dilations):
    x, w = wide(x), wide(w)
    y = np.zeros(output_shape(x.shape, w.shape, strides, padding, dilations), x.dtype)
    if y.size > 0:
        padded = np.pad(x, ((0, 0), *padding, (0, 0)))
        for tap, seen in taps(w.shape, *y.shape[1:3], strides, dilations):
            y += padded[seen] @ w[tap]
    return y


def _backprop_input_numpy(x_shape, w, dy, strides, padding, dilations):
    w, dy = wide(w), wide(dy)
    batch, height, width, channels = x_shape
    (top, bottom), (left, right) = padding
    padded = np.zeros((batch, height + top + bottom, width + left + right, channels), dy.dtype)
    if dy.size > 0:
        for tap, seen in taps(w.shape, *dy.shape[1:3], strides, dilations):
            padded[seen] += dy @ w[tap].T
    return padded[:, top : top + height, left : left + width]


def _backprop_filter_numpy(x, w_shape, dy, strides, padding, dilations):
    x, dy = wide(x), wide(dy)
    dw = np.zeros(w_shape, x.dtype)
    if dy.size > 0:
        padded = np.pad(x, ((0, 0), *padding, (0, 0)))
        for tap, seen in taps(w_shape, *dy.shape[1:3], strides, dilations):
            dw[tap] = np.tensordot(padded[seen], dy, axes=([0, 1, 2], [0, 1, 2]))
    return dw
