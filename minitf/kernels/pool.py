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

import functools

import numpy as np

from minitf.kernels.conv import NO_PADDING, Padding, Pair, output_length
from minitf.kernels.microkernel import emit_call, vector_bytes
from minitf.kernels.threads import (
    chunk,
    compile_callback,
    flat,
    intrinsic,
    jit,
    num_threads,
    parallel_jit,
    prange,
    result,
    scratch,
)

__all__ = ["avg_pool", "avg_pool_grad", "max_pool", "max_pool_gather", "max_pool_grad"]

SMALL = 20_000
"""With fewer values of output, NumPy is fast enough not to load a compiler for."""


MAXIMUM, MEAN, SET_AT_PLACE, ADD_AT_PLACE, ADD_SHARE = range(5)
"""What the compiled code does with a window, see `pool_code.OPERATIONS`."""

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
        _run(_forward, MAXIMUM, flat(x), y.reshape(-1), places.reshape(-1), *how)
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
        _run(_backward, operation, dx.reshape(-1), flat(dy), flat(argmax), *how)
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
        _run(_forward, MEAN, flat(x), y.reshape(-1), _NO_PLACES, *how)
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
        _run(_backward, ADD_SHARE, dx.reshape(-1), flat(dy), _NO_PLACES, *how)
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


# Compiled kernels ----------------------------------------------------------------------------


def _geometry(x_shape, y_shape, ksize, strides, padding) -> tuple[int, ...]:
    return (
        *map(int, x_shape), *y_shape[1:3], *map(int, ksize), *map(int, strides),
        int(padding[0][0]), int(padding[1][0]),
    )  # fmt: skip


@functools.cache
def _windows_address(dtype: np.dtype, place_dtype: np.dtype) -> int:
    """The address of the code for all operations on windows, compiled on first need."""
    from numba import from_dtype, types

    number, place = types.CPointer(from_dtype(dtype)), types.CPointer(from_dtype(place_dtype))
    return compile_callback(_windows, _windows_signature(number, place, types.CPointer(types.int64)))


def _windows_signature(number, place, table):
    from numba.core import types

    i = types.int64
    return types.void(i, number, i, number, i, place, table, table, i, i, i, i, i)


def _windows(
    operation, x, x0, y, y0, places, offsets, numbers, cells, count, step, pitch, channels
):  # fmt: skip
    _windows_code(
        operation, x, x0, y, y0, places, offsets, numbers, cells, count, step, pitch, channels
    )  # fmt: skip


@intrinsic
def _windows_code():
    from numba.extending import intrinsic as numba_intrinsic

    from minitf.kernels.pool_code import Windows, emit_windows

    def emit(context, builder, signature, args):
        number = context.get_value_type(signature.args[1].dtype)
        size = context.get_abi_sizeof(number)
        place_bits = signature.args[5].dtype.bitwidth
        lanes = vector_bytes() // size
        emit_windows(builder, args[0], number, 8 * size, place_bits, lanes, Windows(*args[1:]))
        return context.get_dummy_value()

    def windows(
        typingctx, operation, x, x0, y, y0, places, offsets, numbers, cells, count, step, pitch, channels
    ):  # fmt: skip
        return _windows_signature(x, places, offsets), emit

    return numba_intrinsic(windows)


@intrinsic
def _do_windows():
    """Call the code at an address: _do_windows(address, operation, x, x0, y, y0, places, offsets,
    numbers, cells, count, step, pitch, channels), as `pool_code.Windows` describes them.
    """
    from numba.core import types
    from numba.extending import intrinsic as numba_intrinsic

    def windows(
        typingctx, address, operation, x, x0, y, y0, places, offsets, numbers, cells, count, step,
        pitch, channels,
    ):  # fmt: skip
        inner = _windows_signature(x, places, offsets)
        return types.void(types.int64, *inner.args), emit_call

    return numba_intrinsic(windows)


@jit
def _row(code, operation, x, image, y, places, offsets, numbers, table, row, unit, geometry):
    """Do an operation on the windows of a row: at the borders one by one, between them as a run.

    `unit` is which row of y this is, and which channels are wanted.
    """
    (_, height, width, channels, _, columns, k_rows, k_columns, s_rows, s_columns,
     top_padding, left_padding) = geometry  # fmt: skip
    y_row, first_channel, stop_channel = unit
    y_top = row * s_rows - top_padding
    top, bottom = max(0, -y_top), min(k_rows, height - y_top)
    last_whole = (width - k_columns + left_padding) // s_columns
    column = 0
    while column < columns:
        x_left = column * s_columns - left_padding
        left, right = max(0, -x_left), min(k_columns, width - x_left)
        whole = left == 0 and right == k_columns
        count = min(last_whole + 1, columns) - column if whole else 1
        cells = 0
        for k in range(top, bottom):
            for m in range(left, right):
                offsets[table + cells] = (k * width + m) * channels
                numbers[table + cells] = k * k_columns + m
                cells += 1
        _do_windows(
            code, operation,
            x, image + (y_top * width + x_left) * channels + first_channel,
            y, (y_row * columns + column) * channels + first_channel, places,
            offsets[table : table + cells], numbers[table : table + cells], cells, count,
            s_columns * channels, channels, stop_channel - first_channel,
        )  # fmt: skip
        column += count


@jit
def _forward_part(code, operation, x, y, places, offsets, numbers, geometry, parts, part):
    batch, height, width, channels, rows = geometry[:5]
    table = offsets.size // parts * part
    first, stop = chunk(batch * rows, parts, part)
    for index in range(first, stop):
        image = index // rows * height * width * channels
        unit = index, 0, channels
        _row(code, operation, x, image, y, places, offsets, numbers, table, index % rows, unit, geometry)


@parallel_jit
def _forward(code, operation, x, y, places, offsets, numbers, geometry, parts):
    for part in prange(parts):
        _forward_part(
            code, operation, x, y, places, offsets, numbers, geometry, parts, np.int64(part)
        )  # fmt: skip


@jit
def _clear(dx, image, covered_rows, covered_columns, first_channel, stop_channel, geometry):
    """Clear an image outside its top left `covered_rows` by `covered_columns` cells."""
    _, height, width, channels = geometry[:4]
    for row in range(height):
        first_column = covered_columns if row < covered_rows else 0
        x0 = image + row * width * channels
        if stop_channel - first_channel == channels:
            dx[x0 + first_column * channels : x0 + width * channels] = 0
        else:
            for column in range(first_column, width):
                cell = x0 + column * channels
                dx[cell + first_channel : cell + stop_channel] = 0


@jit
def _backward_part(code, operation, dx, dy, places, offsets, numbers, geometry, parts, part):
    (batch, height, width, channels, rows, columns, _, _, s_rows, s_columns,
     top_padding, left_padding) = geometry  # fmt: skip
    table = offsets.size // parts * part
    # What is set need not be cleared first.
    tiled = operation == SET_AT_PLACE
    covered_rows = rows * s_rows - top_padding if tiled else 0
    covered_columns = columns * s_columns - left_padding if tiled else 0
    # A few images are cut by their channels, which do not meet.
    splits = -(-parts // batch)
    first, stop = chunk(batch * splits, parts, part)
    for index in range(first, stop):
        number = index // splits
        image = number * height * width * channels
        first_channel, stop_channel = chunk(channels, splits, index % splits)
        _clear(dx, image, covered_rows, covered_columns, first_channel, stop_channel, geometry)
        for row in range(rows):
            unit = number * rows + row, first_channel, stop_channel
            _row(code, operation, dx, image, dy, places, offsets, numbers, table, row, unit, geometry)


@parallel_jit
def _backward(code, operation, dx, dy, places, offsets, numbers, geometry, parts):
    for part in prange(parts):
        _backward_part(
            code, operation, dx, dy, places, offsets, numbers, geometry, parts, np.int64(part)
        )  # fmt: skip


def _run(kernel, operation, x, y, places, x_shape, y_shape, ksize, strides, padding) -> None:
    """Run a kernel on flat arrays."""
    parts = num_threads()
    size = parts * ksize[0] * ksize[1]
    kernel(
        _windows_address(x.dtype, places.dtype), operation, x, y, places,
        scratch("pool offsets", size, np.int64)[:size],
        scratch("pool numbers", size, np.int64)[:size],
        _geometry(x_shape, y_shape, ksize, strides, padding), parts,
    )  # fmt: skip
