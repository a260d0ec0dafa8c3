"""Matrix products, with the bias and activation that often follow them.

Small products, those with vectors, and those of other dtypes than float32 and float64, are NumPy's:
its overhead is the least there is, and its BLAS runs small ones on one thread. Large ones are cut
into register tiles (see `microkernel`) on our own threads rather than left to the BLAS, because the
BLAS has threads of its own that keep spinning for a while after a product, in the way of ours.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minitf.kernels.blas import blas_on_one_thread
from minitf.kernels.microkernel import (
    epilogue,
    finish,
    finish_rows,
    multiply_tiles,
    pack_columns,
    tile_columns,
    tiles_address,
)
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

__all__ = ["matmul"]

SMALL = 64**3
"""Products of no more multiplications are NumPy's; OpenBLAS, too, runs them on one thread."""

SMALL_MATRIX = 9000
"""OpenBLAS runs products of a vector and a matrix of no more numbers on one thread."""

BAND_ROWS = 96
"""Rows worked on at a time: with `BLOCK_TERMS` terms of each they fill a third of the cache."""

BLOCK_TERMS = 1024
"""Terms summed at a time: a block of 64 columns then fills a quarter of the cache."""

LONG_COLUMN = 128
"""Columns with no more terms than this are used where they are."""

FEW_ROWS = 96
"""With no more rows, it does not pay to pack the columns of the other matrix."""


def matmul(
    a: np.ndarray,
    b: np.ndarray,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: np.ndarray | None = None,
    bias: np.ndarray | None = None,
    activation: str | None = None,
) -> np.ndarray:
    """The matrix product of the last two axes; the axes before them are broadcast.

    Args:
      a: (..., M, K), or (..., K, M) if `transpose_a`.
      b: (..., K, N), or (..., N, K) if `transpose_b`; of the same dtype.
      transpose_a: whether to swap the last two axes of a first.
      transpose_b: whether to swap the last two axes of b first.
      out: where to put the result, C-contiguous; made anew by default.
      bias: (N,), added to the result.
      activation: "relu" or "relu6", applied last.

    Returns:
      (..., M, N), of the dtype of a.

    Raises:
      ValueError: shapes or dtypes do not fit, or the activation is unknown.
    """
    left = a.swapaxes(-1, -2) if transpose_a else a
    right = b.swapaxes(-1, -2) if transpose_b else b
    rows, terms = left.shape[-2:]
    columns = right.shape[-1]
    if right.shape[-2] != terms or a.dtype != b.dtype:
        raise ValueError(f"cannot multiply {a.dtype} {left.shape} and {b.dtype} {right.shape}")
    plain = a.ndim == b.ndim == 2
    batch = () if plain else np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    c = result((*batch, rows, columns), a.dtype, out)
    if c.size * terms <= SMALL or 1 in (rows, columns) or a.dtype.char not in "fd":
        if a.size <= SMALL_MATRIX >= b.size:
            np.matmul(left, right, out=c)
        else:
            with blas_on_one_thread():
                np.matmul(left, right, out=c)
        if bias is None and activation is None:
            return c
        return finish(c, *epilogue(bias, activation, columns, c.dtype))
    bias, code = epilogue(bias, activation, columns, c.dtype)
    count = c.size // (rows * columns)
    a, a_pitch = _matrices(a, batch)
    b, b_pitch = _matrices(b, batch)
    plan = _plan(count, rows, columns, terms, bool(transpose_a), bool(transpose_b), a.dtype, num_threads())
    if plan.turned:
        a, a_pitch, b, b_pitch = b, b_pitch, a, a_pitch
    if plan.packs:
        packed = scratch("matmul columns", (count if b_pitch else 1) * plan.packed_size, a.dtype)
        _pack(b, packed, (count if b_pitch else 1), *plan.packing, plan.parts)
        b, b_pitch = packed, plan.packed_size if b_pitch else 0
    _product(
        a, b, c.reshape(-1), bias, scratch("matmul rows", plan.buffer_size * plan.parts, a.dtype),
        plan.row_a, plan.row_c, plan.here, (a_pitch, b_pitch), plan.shape, code, plan.parts,
    )  # fmt: skip
    return c


def _matrices(array: np.ndarray, batch: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """The array as flat, and how far its matrices are apart: 0 if one serves for all."""
    size = array.shape[-2] * array.shape[-1]
    if array.size == size:
        return flat(array), 0
    if array.shape[:-2] != batch:
        array = np.broadcast_to(array, (*batch, *array.shape[-2:]))
    return flat(array), size


class _Plan(NamedTuple):
    """How one product is computed."""

    parts: int
    turned: bool
    packs: bool
    packed_size: int
    packing: tuple[int, ...]
    buffer_size: int
    shape: tuple[int, ...]
    row_a: np.ndarray
    row_c: np.ndarray
    here: np.ndarray


@lru_cache(maxsize=256)
def _plan(count, rows, columns, terms, transpose_a, transpose_b, dtype, threads) -> _Plan:
    block = tile_columns(dtype.itemsize)
    # Tiles want the columns of B side by side. Where B is transposed it may be cheaper to turn
    # the whole product around, C.T = B.T A.T, than to transpose B.
    turned = transpose_b and rows * (terms + columns) < terms * columns
    if turned:
        rows, columns = columns, rows
        transpose_a, transpose_b = not transpose_b, not transpose_a
    # Steps from row to row and term to term of A, term to term and column to column of B.
    a_row, a_term = (1, rows) if transpose_a else (terms, 1)
    b_term, b_column = (1, terms) if transpose_b else (columns, 1)
    packs = transpose_b or (columns > block and rows > FEW_ROWS)
    blocks = -(-columns // block)
    # Columns of a long transposed A are far apart, and would be fetched again for each block.
    gathers = transpose_a and blocks > 1 and terms > LONG_COLUMN
    bands = -(-rows // BAND_ROWS)
    if bands > 1:
        bands = -(-bands // threads) * threads
    band = -(-rows // bands)
    bands = -(-rows // band)
    splits = min(blocks, -(-threads // (count * bands)))
    width = min(block, columns)
    return _Plan(
        parts=min(threads, count * bands * splits),
        turned=turned,
        packs=packs,
        packed_size=blocks * terms * width,
        packing=(terms, b_term, columns, b_column, width),
        buffer_size=band * (columns if turned else BLOCK_TERMS * gathers),
        shape=(
            tiles_address(dtype),
            count,
            bands,
            splits,
            band,
            block,
            rows,
            columns,
            terms,
            a_row,
            a_term,
            width if packs else columns,
            int(packs),
            int(turned),
            int(gathers),
        ),  # fmt: skip
        row_a=np.arange(band) * (1 if gathers else a_row),
        row_c=np.arange(band) * columns,
        here=np.zeros(1, np.int64),
    )


@parallel_jit
def _pack(b, packed, count, terms, term_step, columns, column_step, width, parts):
    """Pack the columns of `count` matrices."""
    for part in prange(parts):
        blocks = -(-columns // width)
        first, stop = chunk(count * blocks, parts, np.int64(part))
        for index in range(first, stop):
            matrix, block = index // blocks, index % blocks
            pack_columns(
                b, matrix * terms * columns + block * width * column_step,
                terms, term_step, min(width, columns - block * width), column_step, width,
                packed, index * terms * width, 0,
            )  # fmt: skip


@jit
def _product_part(a, b, c, bias, buffer, row_a, row_c, here, pitches, shape, activation, parts, part):
    a_pitch, b_pitch = pitches
    (tiles, count, bands, splits, band, block, rows, columns, terms,
     a_row, a_term, b_term, packed, turned, gathers) = shape  # fmt: skip
    blocks = -(-columns // block)
    first, stop = chunk(count * bands * splits, parts, part)
    for index in range(first, stop):
        matrix, rest = index // (bands * splits), index % (bands * splits)
        first_row = rest // splits * band
        height = min(band, rows - first_row)
        first_block, stop_block = chunk(blocks, splits, rest % splits)
        left, right = first_block * block, min(stop_block * block, columns)
        a0 = matrix * a_pitch + first_row * a_row
        c0 = matrix * rows * columns
        own = buffer.size // parts * part
        source, step = a, a_term
        if gathers:
            source, step = buffer, band
        target, t0 = c, c0 + first_row * columns
        if turned:
            target, t0 = buffer, own
        for term in range(0, terms, BLOCK_TERMS):
            length = min(BLOCK_TERMS, terms - term)
            s0 = a0 + term * a_term
            if gathers:
                pack_columns(a, s0, length, a_term, height, 1, band, buffer, own, 0)
                s0 = own
            for column in range(left, right, block):
                b0 = matrix * b_pitch + (column * terms if packed else column) + term * b_term
                multiply_tiles(
                    tiles, source, s0, b, b0, target, t0 + column,
                    row_a, row_c, 0, height, here, here, 0, 1,
                    length, step, b_term,
                    min(block, right - column), int(term > 0),
                )  # fmt: skip
        if turned:
            c0 += first_row
            for column in range(left, right):
                line = c[c0 + column * rows : c0 + column * rows + height]
                for row in range(height):
                    line[row] = buffer[t0 + row * columns + column]
            finish_rows(c, c0 + left * rows, right - left, rows, height, bias, first_row, activation)
        else:
            finish_rows(
                c, t0 + left, height, columns, right - left, bias, left, activation
            )  # fmt: skip


@parallel_jit
def _product(a, b, c, bias, buffer, row_a, row_c, here, pitches, shape, activation, parts):
    for part in prange(parts):
        _product_part(
            a, b, c, bias, buffer, row_a, row_c, here, pitches, shape, activation,
            parts, np.int64(part),
        )  # fmt: skip
