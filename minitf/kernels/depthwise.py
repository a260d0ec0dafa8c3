"""Depthwise convolution, in which each channel has filters of its own, and its two gradients.

Images are NHWC, filters (height, width, channels, multiplier); result channel c * multiplier + m is
channel c under its filter m. Strides, padding and dilations are as in `conv`.

A multiplier above 1 is reduced to 1 by repeating the channels of x, so that both implementations
know only products of equally long runs of channels, one tap after another.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.conv import NO_PADDING, Padding, Pair, output_length, taps, wide
from minitf.kernels.threads import (
    chunk,
    flat,
    jit,
    num_threads,
    parallel_jit,
    prange,
    result,
    scratch,
)

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
        geometry = _geometry(x.shape, w.shape, y.shape, strides, padding, dilations)
        _forward(flat(x), flat(w), y.reshape(-1), geometry, num_threads())
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
    if _runs_on_numpy(dy, w, dy):
        target[...] = _backprop_input_numpy(wide_shape, w, dy, strides, padding, dilations)
    else:
        geometry = _geometry(wide_shape, w.shape, dy.shape, strides, padding, dilations)
        _input_gradient(flat(w), flat(dy), target.reshape(-1), geometry, num_threads())
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
        geometry = _geometry(x.shape, w_shape, dy.shape, strides, padding, dilations)
        parts = num_threads()
        sums = scratch("depthwise sums", dw.size * parts, x.dtype)
        _filter_gradient(flat(x), flat(dy), dw.reshape(-1), sums, geometry, parts)
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


# Compiled kernels ----------------------------------------------------------------------------


def _geometry(x_shape, w_shape, y_shape, strides, padding, dilations) -> tuple[int, ...]:
    return tuple(
        map(
            int,
            (*x_shape, *y_shape[1:3], *w_shape[:2], *strides, padding[0][0], padding[1][0], *dilations),
        )
    )


@jit
def _offset(tap, row, column, geometry):
    """Where tap `tap` of the window at (row, column) is in an image; negative if outside it."""
    (_, height, width, channels, _, _, _, k_columns, s_rows, s_columns,
     top, left, d_rows, d_columns) = geometry  # fmt: skip
    y = row * s_rows - top + tap // k_columns * d_rows
    x = column * s_columns - left + tap % k_columns * d_columns
    if y < 0 or y >= height or x < 0 or x >= width:
        return -1
    return (y * width + x) * channels


@jit
def _add_products(y, a, b):
    for i in range(y.size):
        y[i] += a[i] * b[i]


@jit
def _forward_part(x, w, y, geometry, parts, part):
    batch, height, width, channels, rows, columns, k_rows, k_columns = geometry[:8]
    first, stop = chunk(batch * rows, parts, part)
    for index in range(first, stop):
        x0 = index // rows * height * width * channels
        for column in range(columns):
            y0 = (index * columns + column) * channels
            sums = y[y0 : y0 + channels]
            sums[:] = 0
            for tap in range(k_rows * k_columns):
                at = _offset(tap, index % rows, column, geometry)
                if at >= 0:
                    _add_products(
                        sums,
                        x[x0 + at : x0 + at + channels],
                        w[tap * channels : tap * channels + channels],
                    )


@parallel_jit
def _forward(x, w, y, geometry, parts):
    for part in prange(parts):
        _forward_part(x, w, y, geometry, parts, np.int64(part))


@jit
def _input_gradient_part(w, dy, dx, geometry, parts, part):
    batch, height, width, channels, rows, columns, k_rows, k_columns = geometry[:8]
    # A few images are cut by their channels, which do not meet.
    splits = -(-parts // batch)
    first_unit, stop_unit = chunk(batch * splits, parts, part)
    for unit in range(first_unit, stop_unit):
        image = unit // splits
        first, stop = chunk(channels, splits, unit % splits)
        size = stop - first
        x0 = image * height * width * channels + first
        for cell in range(height * width):
            dx[x0 + cell * channels : x0 + cell * channels + size] = 0
        for row in range(rows):
            for column in range(columns):
                y0 = ((image * rows + row) * columns + column) * channels + first
                for tap in range(k_rows * k_columns):
                    at = _offset(tap, row, column, geometry)
                    w0 = tap * channels + first
                    if at >= 0:
                        _add_products(dx[x0 + at : x0 + at + size], dy[y0 : y0 + size], w[w0 : w0 + size])


@parallel_jit
def _input_gradient(w, dy, dx, geometry, parts):
    for part in prange(parts):
        _input_gradient_part(w, dy, dx, geometry, parts, np.int64(part))


@jit
def _filter_gradient_part(x, dy, sums, geometry, parts, part):
    batch, height, width, channels, rows, columns, k_rows, k_columns = geometry[:8]
    size = k_rows * k_columns * channels
    own = sums[part * size : part * size + size]
    own[:] = 0
    first, stop = chunk(batch * rows, parts, part)
    for index in range(first, stop):
        x0 = index // rows * height * width * channels
        for column in range(columns):
            y0 = (index * columns + column) * channels
            for tap in range(k_rows * k_columns):
                at = _offset(tap, index % rows, column, geometry)
                if at >= 0:
                    _add_products(
                        own[tap * channels : tap * channels + channels],
                        x[x0 + at : x0 + at + channels],
                        dy[y0 : y0 + channels],
                    )


@parallel_jit
def _filter_gradient(x, dy, dw, sums, geometry, parts):
    for part in prange(parts):
        _filter_gradient_part(x, dy, sums, geometry, parts, np.int64(part))
    dw[:] = 0
    for part in range(parts):
        for i in range(dw.size):
            dw[i] += sums[part * dw.size + i]
