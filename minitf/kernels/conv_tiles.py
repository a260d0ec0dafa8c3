"""The compiled side of `conv`: plans and kernels that cut a convolution into register tiles.

A plan holds what follows from the shapes alone: tables of offsets, and how the work is cut. Work
is cut into units: either whole images, as many as give the tiles enough rows, or a band of rows of
one image, as many as stay in the second-level cache. Each thread takes a fixed run of units.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minitf.kernels.microkernel import (
    finish_rows,
    multiply_tiles,
    pack_columns,
    tile_columns,
    tiles_address,
)
from minitf.kernels.threads import chunk, copy, jit, parallel_jit, prange

UNIT_PIXELS = 512
"""Most pixels of y in a band: with their inputs they stay in the second-level cache."""

GROUP_PIXELS = 48
"""Fewest pixels of y in a group of whole images, so that few tiles are partly empty."""

BLOCK_TERMS = 1024
"""Terms summed at a time: a block of filters 64 wide then fills a quarter of that cache."""


class Plan(NamedTuple):
    """How one convolution is computed. Offsets count items, from the start of a unit's images."""

    parts: int
    geometry: tuple[int, ...]
    blocking: tuple[int, ...]
    packs: bool
    terms: int
    width: int
    packed_size: int
    turned_size: int
    turning: tuple[int, ...]
    buffer_size: int
    image_buffer_size: int
    pixel_x: np.ndarray
    pixel_y: np.ndarray
    segment_x: np.ndarray
    segment_w: np.ndarray
    tap_x: np.ndarray
    here: np.ndarray
    term_x: np.ndarray
    term_w: np.ndarray
    row_x: np.ndarray
    row_y: np.ndarray


def _round_up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


@lru_cache(maxsize=256)
def make_plan(
    x_shape, w_shape, y_shape, strides, padding, dilations, dtype, threads, depthwise=False
) -> Plan:
    """The plan of a convolution of images x with filters w to y, none of them empty.

    A depthwise one, of as many channels out as in, is one whose tiles multiply vectors of x with
    vectors of w: it sums over taps only.
    """
    batch, height, width, channels = x_shape
    tap_rows, tap_columns = w_shape[:2]
    filters = y_shape[3]
    out_rows, out_columns = y_shape[1:3]
    pixels = out_rows * out_columns
    top, left = padding[0][0], padding[1][0]
    # The part of the padded image that windows reach.
    seen_rows = (out_rows - 1) * strides[0] + (tap_rows - 1) * dilations[0] + 1
    seen_columns = (out_columns - 1) * strides[1] + (tap_columns - 1) * dilations[1] + 1
    padded = int(top > 0 or left > 0 or seen_rows > height or seen_columns > width)
    pitch_row = (seen_columns if padded else width) * channels
    pitch_image = pitch_row * (seen_rows if padded else height)

    groups = _round_up(-(-batch // -(-GROUP_PIXELS // pixels)), threads)
    group = -(-batch // min(groups, batch))
    groups = -(-batch // group)
    band_rows = out_rows
    if group == 1:
        bands_wanted = max(-(-pixels // UNIT_PIXELS), -(-threads // batch))
        band_rows = -(-out_rows // min(bands_wanted, out_rows))
    bands = -(-out_rows // band_rows)
    band_seen_rows = min(seen_rows, (band_rows - 1) * strides[0] + (tap_rows - 1) * dilations[0] + 1)

    image = np.arange(group)[:, None, None] * pitch_image
    row = np.arange(out_rows)[:, None] * strides[0] * pitch_row
    column = np.arange(out_columns) * strides[1] * channels
    tap_row = np.arange(tap_rows)[:, None] * dilations[0] * pitch_row
    tap_column = np.arange(tap_columns) * dilations[1] * channels
    tap_x = (tap_row + tap_column).reshape(-1)
    term_x = tap_x if depthwise else (tap_x[:, None] + np.arange(channels)).reshape(-1)
    # Taps side by side are one run of memory; short runs cost more than they save by blocking.
    merged = dilations[1] == 1 and tap_columns * channels <= BLOCK_TERMS and not depthwise
    length = 1 if depthwise else tap_columns * channels if merged else channels
    segment_x = tap_row.reshape(-1) if merged else tap_x

    block = tile_columns(dtype.itemsize)
    packs = filters > block and not depthwise
    width_packed = block if packs else filters
    width_channels = min(block, channels)
    blocks, channel_blocks = -(-filters // block), -(-channels // block)
    terms, taps = term_x.size, tap_x.size
    return Plan(
        parts=min(threads, groups * bands),
        geometry=(
            batch, height, width, channels, taps, filters, out_rows, out_columns, top, left,
            strides[0], strides[1] * channels, (tap_rows - 1) * dilations[0] + 1,
            seen_rows, pitch_row, pitch_image, padded,
        ),  # fmt: skip
        blocking=(
            tiles_address(dtype, depthwise), group, groups, band_rows, bands, block, width_packed,
            width_channels, channel_blocks, length, max(1, BLOCK_TERMS // length), int(depthwise),
        ),  # fmt: skip
        packs=packs,
        terms=terms,
        width=width_packed,
        packed_size=blocks * terms * block,
        turned_size=channel_blocks * taps * filters * width_channels,
        turning=(taps, channels, filters, width_channels),
        buffer_size=padded * group * band_seen_rows * pitch_row,
        image_buffer_size=padded * group * pitch_image,
        pixel_x=(image + row + column).reshape(-1),
        pixel_y=np.arange(group * pixels) * filters,
        segment_x=segment_x,
        segment_w=np.arange(segment_x.size) * length * width_packed,
        tap_x=tap_x,
        here=np.zeros(1, np.int64),
        term_x=term_x,
        term_w=np.arange(terms) * filters,
        row_x=(image[:, :, 0] + row.reshape(-1)).reshape(-1),
        row_y=np.arange(group * out_rows) * out_columns * filters,
    )  # fmt: skip


@parallel_jit
def pack_filters(w, packed, terms, filters, width, parts):
    """Filters (terms, filters) as blocks of `width` columns, one after another."""
    for part in prange(parts):
        first, stop = chunk(terms, parts, np.int64(part))
        pack_columns(
            w, first * filters, stop - first, filters, filters, 1, width,
            packed, first * width, terms * width,
        )  # fmt: skip


@jit
def _load_images(x, first_image, images, first_row, stop_row, buffer, b0, geometry):
    """Copy rows of images, counted from the top of their padding, into a buffer with borders.

    The borders to the left and right are zero already and stay so.
    """
    (_, height, width, channels, _, _, _, _, top, left,
     _, _, _, _, pitch_row, pitch_image, _) = geometry  # fmt: skip
    kept = max(0, min(width * channels, pitch_row - left * channels))
    for image in range(images):
        for row in range(first_row, stop_row):
            target = b0 + image * pitch_image + (row - first_row) * pitch_row + left * channels
            if top <= row < top + height:
                source = ((first_image + image) * height + row - top) * width * channels
                copy(buffer[target : target + kept], x[source : source + kept])
            else:
                buffer[target : target + kept] = 0


@jit
def _unit(index, geometry, blocking):
    """The images, and the rows of y within each, that unit `index` is about."""
    _, group, _, band_rows, bands = blocking[:5]
    first_image = index // bands * group
    first_row = index % bands * band_rows
    images = min(group, geometry[0] - first_image)
    return first_image, images, first_row, min(first_row + band_rows, geometry[6])


@jit
def _unit_images(x, first_image, images, first_row, stop_row, buffer, b0, geometry):
    """Make the images of a unit readable; returns whether in the buffer, and where they begin."""
    (_, height, width, channels, _, _, _, _, _, _,
     stride_row, _, tap_span, _, pitch_row, _, padded) = geometry  # fmt: skip
    if padded == 0:
        return x, first_image * height * width * channels
    first = first_row * stride_row
    stop = (stop_row - 1) * stride_row + tap_span
    _load_images(x, first_image, images, first, stop, buffer, b0, geometry)
    return buffer, b0 - first * pitch_row


@jit
def _forward_part(
    x, w, bias, y, buffer, pixel_x, pixel_y, segment_x, segment_w,
    geometry, blocking, activation, parts, part,
):  # fmt: skip
    filters, out_rows, out_columns = geometry[5:8]
    (tiles, _, groups, _, bands, block, width, _, _, length, segments_at_once, depthwise) = blocking
    b0 = buffer.size // parts * part
    buffer[b0 : b0 + buffer.size // parts] = 0
    segments = segment_x.size
    first, stop = chunk(groups * bands, parts, part)
    for index in range(first, stop):
        first_image, images, first_row, stop_row = _unit(index, geometry, blocking)
        source, s0 = _unit_images(x, first_image, images, first_row, stop_row, buffer, b0, geometry)
        y0 = first_image * out_rows * out_columns * filters
        first_pixel = first_row * out_columns
        stop_pixel = ((images - 1) * out_rows + stop_row) * out_columns
        for column in range(0, filters, block):
            w0 = column if depthwise else column * segments * length
            s1 = s0 + column if depthwise else s0
            columns = min(block, filters - column)
            for begin in range(0, segments, segments_at_once):
                end = min(begin + segments_at_once, segments)
                multiply_tiles(
                    tiles, source, s1, w, w0, y, y0 + column,
                    pixel_x, pixel_y, first_pixel, stop_pixel,
                    segment_x, segment_w, begin, end,
                    length, 1, width, columns, int(begin > 0),
                )  # fmt: skip
        finish_rows(
            y, y0 + first_pixel * filters, stop_pixel - first_pixel, filters, filters,
            bias, 0, activation,
        )  # fmt: skip


@parallel_jit
def forward(
    x, w, bias, y, buffer, pixel_x, pixel_y, segment_x, segment_w,
    geometry, blocking, activation, parts,
):  # fmt: skip
    """Write the convolution of x with (packed) filters w to y."""
    for part in prange(parts):
        _forward_part(
            x, w, bias, y, buffer, pixel_x, pixel_y, segment_x, segment_w,
            geometry, blocking, activation, parts, np.int64(part),
        )  # fmt: skip


@parallel_jit
def transpose_filters(w, turned, taps, channels, filters, width, parts):
    """Filters (taps, channels, filters) as (blocks of channels, taps, filters, width)."""
    for part in prange(parts):
        first, stop = chunk(taps, parts, np.int64(part))
        for tap in range(first, stop):
            pack_columns(
                w, tap * channels * filters, filters, 1, channels, filters, width,
                turned, tap * filters * width, taps * filters * width,
            )  # fmt: skip


@jit
def _input_gradient_part(
    dy, turned, dx, buffer, pixel_x, pixel_y, tap_x, here, geometry, blocking, parts, part
):
    (batch, height, width, channels, taps, filters, out_rows, out_columns, _, _,
     _, _, _, _, _, pitch_image, padded) = geometry  # fmt: skip
    (tiles, group, groups, band_rows, _, block, _, turned_width, blocks, _, _, depthwise) = blocking
    image_size = height * width * channels
    terms = 1 if depthwise else filters
    b0 = buffer.size // parts * part
    first, stop = chunk(groups * blocks, parts, part)
    for index in range(first, stop):
        first_image = index // blocks * group
        images = min(group, batch - first_image)
        column = index % blocks * block
        columns = min(block, channels - column)
        y0 = first_image * out_rows * out_columns * filters
        if depthwise:
            y0 += column
        x0 = first_image * image_size
        target, t0, size = dx, x0, images * image_size
        if padded:
            target, t0, size = buffer, b0, images * pitch_image
        if columns == channels:
            target[t0 : t0 + size] = 0
        else:
            for cell in range(t0 + column, t0 + size, channels):
                target[cell : cell + columns] = 0
        for first_row in range(0, out_rows, band_rows):
            stop_row = min(first_row + band_rows, out_rows)
            stop_pixel = ((images - 1) * out_rows + stop_row) * out_columns
            for tap in range(taps):
                w0 = (index % blocks * taps + tap) * terms * turned_width
                if depthwise:
                    w0 = tap * channels + column
                multiply_tiles(
                    tiles, dy, y0, turned, w0, target, t0 + tap_x[tap] + column,
                    pixel_y, pixel_x, first_row * out_columns, stop_pixel,
                    here, here, 0, 1,
                    terms, 1, turned_width, columns, 1,
                )  # fmt: skip
        if padded:
            _store_images(buffer, b0, images, dx, x0, column, columns, geometry)


@jit
def _store_images(buffer, b0, images, dx, x0, column, columns, geometry):
    """Copy some channels of images from the buffer, without their borders."""
    (_, height, width, channels, _, _, _, _, top, left,
     _, _, _, seen_rows, pitch_row, pitch_image, _) = geometry  # fmt: skip
    for image in range(images):
        for row in range(height):
            target = x0 + (image * height + row) * width * channels + column
            source = b0 + image * pitch_image + (row + top) * pitch_row + left * channels + column
            seen = min(width, pitch_row // channels - left) if row + top < seen_rows else 0
            seen = max(seen, 0)
            if columns == channels:
                size = seen * channels
                copy(dx[target : target + size], buffer[source : source + size])
                dx[target + size : target + width * channels] = 0
            else:
                for cell in range(0, seen * channels, channels):
                    for j in range(columns):
                        dx[target + cell + j] = buffer[source + cell + j]
                for cell in range(seen * channels, width * channels, channels):
                    dx[target + cell : target + cell + columns] = 0


@parallel_jit
def input_gradient(dy, turned, dx, buffer, pixel_x, pixel_y, tap_x, here, geometry, blocking, parts):
    """Write the gradient with respect to images to dx, given `transpose_filters` of w."""
    for part in prange(parts):
        _input_gradient_part(
            dy, turned, dx, buffer, pixel_x, pixel_y, tap_x, here,
            geometry, blocking, parts, np.int64(part),
        )  # fmt: skip


@jit
def _filter_gradient_part(
    x, dy, dw, sums, buffer, term_x, term_w, row_x, row_y, geometry, blocking, parts, part
):
    (_, _, _, _, _, filters, out_rows, out_columns, _, _,
     _, stride_column, _, _, _, _, _) = geometry  # fmt: skip
    (tiles, _, groups, _, bands, block, _, _, _, _, _, depthwise) = blocking
    b0 = buffer.size // parts * part
    buffer[b0 : b0 + buffer.size // parts] = 0
    target, t0 = dw, 0
    if part > 0:
        target, t0 = sums, (part - 1) * dw.size
    first, stop = chunk(groups * bands, parts, part)
    for index in range(first, stop):
        first_image, images, first_row, stop_row = _unit(index, geometry, blocking)
        source, s0 = _unit_images(x, first_image, images, first_row, stop_row, buffer, b0, geometry)
        y0 = first_image * out_rows * out_columns * filters
        for column in range(0, filters, block):
            columns = min(block, filters - column)
            s1 = s0 + column if depthwise else s0
            multiply_tiles(
                tiles, source, s1, dy, y0 + column, target, t0 + column,
                term_x, term_w, 0, term_x.size,
                row_x, row_y, first_row, (images - 1) * out_rows + stop_row,
                out_columns, stride_column, filters, columns, int(index > first),
            )  # fmt: skip


@parallel_jit
def filter_gradient(x, dy, dw, sums, buffer, term_x, term_w, row_x, row_y, geometry, blocking, parts):
    """Write the gradient with respect to filters to dw: a sum per thread, then their sum."""
    for part in prange(parts):
        _filter_gradient_part(
            x, dy, dw, sums, buffer, term_x, term_w, row_x, row_y,
            geometry, blocking, parts, np.int64(part),
        )  # fmt: skip
    for part in prange(parts):
        first, stop = chunk(dw.size, parts, np.int64(part))
        for other in range(parts - 1):
            for i in range(first, stop):
                dw[i] += sums[other * dw.size + i]
