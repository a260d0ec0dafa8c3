"""Two-dimensional pooling, maximum and average, with gradients.

Images are NHWC. Padding is explicit, ((top, bottom), (left, right)), and its cells take no part:
they are never the maximum and do not count in the average.

`max_pool` also returns which cell of its window each maximum came from, as the cell's number in
row-major order, one byte per value; the gradient needs nothing else. As in TensorFlow on CPUs, the
first of equal maxima is the one; NaN is never the maximum, but a NaN in a window's first cell takes
the gradient; and a window of NaN or -inf alone gives the lowest finite number.

The NumPy functions are the specification. The compiled ones take a window, and a vector of its
channels, after another, and go through its cells in order (see `pool_code`).

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.conv import NO_PADDING, Padding, Pair, output_length
from minitf.kernels.pool_windows import (
    ADD_AT_PLACE,
    ADD_SHARE,
    MAXIMUM,
    MEAN,
    SET_AT_PLACE,
    backward,
    forward,
    run,
)
from minitf.kernels.threads import flat, result

__all__ = ["avg_pool", "avg_pool_grad", "max_pool", "max_pool_gather", "max_pool_grad"]

SMALL = 20_000
"""With fewer values of output, NumPy is fast enough not to load a compiler for."""


_NO_PLACES = np.empty(0, np.uint8)


# Public functions ----------------------------------------------------------------------------


def max_pool(
    x: np.ndarray,
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
    argmax: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The maximum over each window, and where it was.

    Args:
      x: images (N, H, W, C).
      ksize: height and width of a window.
      strides: step of the window along height and width.
      padding: cells around the image, each side's fewer than the window has.
      out: where to put the maxima, C-contiguous; made anew by default.
      argmax: where to put their places, of dtype `argmax_dtype(ksize)`.

    Returns:
      Two arrays (N, OH, OW, C): the maxima, and the number of the cell in its window, counted in
      row-major order over the whole window including what lies in the padding.
    """
    shape = _output_shape(x.shape, ksize, strides, padding)
    y = result(shape, x.dtype, out)
    places = result(shape, argmax_dtype(ksize), argmax)
    if _runs_on_numpy(y):
        y[...], places[...] = _max_pool_numpy(x, ksize, strides, padding)
    else:
        how = x.shape, shape, ksize, strides, padding
        run(forward, MAXIMUM, flat(x), y.reshape(-1), places.reshape(-1), *how)
    return y, places


def max_pool_grad(
    argmax: np.ndarray,
    dy: np.ndarray,
    x_shape: tuple[int, ...],
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of the maxima with respect to images of `x_shape`: dy, sent to their places."""
    dx = result(tuple(x_shape), dy.dtype, out)
    if _runs_on_numpy(dy):
        dx[...] = _max_pool_grad_numpy(argmax, dy, x_shape, ksize, strides, padding)
    else:
        # Windows that tile the image write each cell once.
        operation = SET_AT_PLACE if tuple(ksize) == tuple(strides) else ADD_AT_PLACE
        how = x_shape, dy.shape, ksize, strides, padding
        run(backward, operation, dx.reshape(-1), flat(dy), flat(argmax), *how)
    return dx


def max_pool_gather(
    argmax: np.ndarray,
    x: np.ndarray,
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """What images x have at the places of maxima of other images; the transpose of the gradient."""
    y = result(argmax.shape, x.dtype, out)
    y[...] = 0
    for tap, seen, kept in _taps(x.shape, argmax.shape, ksize, strides, padding):
        y[kept] += np.where(argmax[kept] == tap, x[seen], 0)
    return y


def avg_pool(
    x: np.ndarray,
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The mean over each window's cells that are inside the image; arguments as of `max_pool`."""
    y = result(_output_shape(x.shape, ksize, strides, padding), x.dtype, out)
    if _runs_on_numpy(y):
        y[...] = _avg_pool_numpy(x, ksize, strides, padding)
    else:
        how = x.shape, y.shape, ksize, strides, padding
        run(forward, MEAN, flat(x), y.reshape(-1), _NO_PLACES, *how)
    return y


def avg_pool_grad(
    dy: np.ndarray,
    x_shape: tuple[int, ...],
    ksize: Pair,
    strides: Pair,
    padding: Padding = NO_PADDING,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient of the means with respect to images of `x_shape`: dy, spread over windows."""
    dx = result(tuple(x_shape), dy.dtype, out)
    if _runs_on_numpy(dy):
        dx[...] = _avg_pool_grad_numpy(dy, x_shape, ksize, strides, padding)
    else:
        how = x_shape, dy.shape, ksize, strides, padding
        run(backward, ADD_SHARE, dx.reshape(-1), flat(dy), _NO_PLACES, *how)
    return dx


def argmax_dtype(ksize: Pair) -> type:
    """The smallest unsigned integer that can number a window's cells."""
    cells = ksize[0] * ksize[1]
    return np.uint8 if cells <= 256 else np.uint16 if cells <= 65536 else np.uint32


def _output_shape(x_shape, ksize, strides, padding):
    if any(max(sides) >= window for sides, window in zip(padding, ksize)):
        raise ValueError(f"padding {padding} must be smaller than the window size {tuple(ksize)}")
    rows, columns = (output_length(x_shape[1 + i], ksize[i], strides[i], padding[i]) for i in (0, 1))
    return x_shape[0], rows, columns, x_shape[3]


def _runs_on_numpy(y: np.ndarray) -> bool:
    return y.dtype.char not in "fd" or y.size < SMALL


def _lowest(dtype):
    kind = np.iinfo if np.issubdtype(dtype, np.integer) else np.finfo
    return dtype.type(kind(dtype).min)


# The specification ---------------------------------------------------------------------------


def _taps(x_shape, y_shape, ksize, strides, padding):
    """Each cell of a window: its number, where images have it, and which windows have it inside.

    Both places are slices of (N, H, W, C) arrays that select equally many cells.
    """
    for number in range(ksize[0] * ksize[1]):
        seen, kept = [slice(None)], [slice(None)]
        for axis, place in enumerate(divmod(number, ksize[1])):
            offset, step = place - padding[axis][0], strides[axis]
            first = max(0, -(offset // step))
            stop = min(y_shape[1 + axis], (x_shape[1 + axis] - 1 - offset) // step + 1)
            stop = max(first, stop)
            begin = first * step + offset
            end = begin + (stop - first - 1) * step + 1 if stop > first else begin
            seen.append(slice(begin, end, step))
            kept.append(slice(first, stop))
        yield number, tuple(seen), tuple(kept)


def _max_pool_numpy(x, ksize, strides, padding):
    shape = _output_shape(x.shape, ksize, strides, padding)
    y = np.full(shape, _lowest(x.dtype), x.dtype)
    places = np.zeros(shape, argmax_dtype(ksize))
    first_seen = np.zeros(shape, bool)
    settled = np.zeros(shape, bool)
    for tap, seen, kept in _taps(x.shape, shape, ksize, strides, padding):
        value, first = x[seen], ~first_seen[kept]
        better = value > y[kept]
        y[kept] = np.where(better, value, y[kept])
        places[kept] = np.where(first | (better & ~settled[kept]), tap, places[kept])
        settled[kept] |= first & (value != value)
        first_seen[kept] = True
    return y, places


def _max_pool_grad_numpy(argmax, dy, x_shape, ksize, strides, padding):
    dx = np.zeros(x_shape, dy.dtype)
    for tap, seen, kept in _taps(x_shape, dy.shape, ksize, strides, padding):
        dx[seen] += np.where(argmax[kept] == tap, dy[kept], 0)
    return dx


def _counts(x_shape, y_shape, ksize, strides, padding):
    """How many cells of each window are inside the image, (1, OH, OW, 1)."""
    counts = np.zeros((1, *y_shape[1:3], 1), np.int64)
    for _, _, kept in _taps(x_shape, y_shape, ksize, strides, padding):
        counts[kept] += 1
    return counts


def _avg_pool_numpy(x, ksize, strides, padding):
    shape = _output_shape(x.shape, ksize, strides, padding)
    wide = np.float32 if x.dtype == np.float16 else x.dtype
    y = np.zeros(shape, wide)
    for _, seen, kept in _taps(x.shape, shape, ksize, strides, padding):
        y[kept] += x[seen]
    return y / _counts(x.shape, shape, ksize, strides, padding).astype(wide)


def _avg_pool_grad_numpy(dy, x_shape, ksize, strides, padding):
    wide = np.float32 if dy.dtype == np.float16 else dy.dtype
    share = dy / _counts(x_shape, dy.shape, ksize, strides, padding).astype(wide)
    dx = np.zeros(x_shape, wide)
    for _, seen, kept in _taps(x_shape, dy.shape, ksize, strides, padding):
        dx[seen] += share[kept]
    return dx
