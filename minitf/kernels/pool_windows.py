"""The compiled side of `pool`: rows of windows, and the code that `pool_code` makes for them.

May import: NumPy and the kernels below this one; numba only inside functions.
"""

from __future__ import annotations

import functools

import numpy as np

from minitf.kernels.microkernel import emit_call, vector_bytes
from minitf.kernels.threads import (
    chunk,
    compile_callback,
    intrinsic,
    jit,
    num_threads,
    parallel_jit,
    prange,
    scratch,
)

__all__ = [
    "ADD_AT_PLACE", "ADD_SHARE", "MAXIMUM", "MEAN", "SET_AT_PLACE", "backward", "forward", "run",
]  # fmt: skip

MAXIMUM, MEAN, SET_AT_PLACE, ADD_AT_PLACE, ADD_SHARE = range(5)
"""What the compiled code does with a window, see `pool_code.OPERATIONS`."""


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
def forward(code, operation, x, y, places, offsets, numbers, geometry, parts):
    """Do an operation that reads x and writes y, row of y by row."""
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
def backward(code, operation, dx, dy, places, offsets, numbers, geometry, parts):
    """Do an operation that reads dy and writes dx, image by image, since windows overlap."""
    for part in prange(parts):
        _backward_part(
            code, operation, dx, dy, places, offsets, numbers, geometry, parts, np.int64(part)
        )  # fmt: skip


def run(kernel, operation, x, y, places, x_shape, y_shape, ksize, strides, padding) -> None:
    """Run a kernel on flat arrays."""
    parts = num_threads()
    size = parts * ksize[0] * ksize[1]
    kernel(
        _windows_address(x.dtype, places.dtype), operation, x, y, places,
        scratch("pool offsets", size, np.int64)[:size],
        scratch("pool numbers", size, np.int64)[:size],
        _geometry(x_shape, y_shape, ksize, strides, padding), parts,
    )  # fmt: skip
