"""The innermost loop of products and convolutions: one register tile of C += A B.

A tile is a few rows by a few vectors of columns, held in registers while a long sum runs. Rows of A
and C are found through tables of offsets and the sum runs over segments, likewise found through
tables, so that a convolution needs no im2col: with NHWC images and HWIO filters, the pixels that
a filter sees are a few runs of memory at fixed distances from where its window begins. A tile is

    C[row_c[r] + j] (+)= sum over s in segments, k < length of
                         A[row_a[r] + segment_a[s] + k * step_a] * B[segment_b[s] + k * step_b + j]

for ROWS rows r from `row` on and all columns j < `columns`. This is the batch-reduce product of
Georganas et al., "Harnessing Deep Learning via a Single Building Block" (2020), with tables in
place of pointers.

The tile is compiled once per dtype and called through its address, which kernels take as an
argument: were it compiled into each of them, the first step of a network would wait twice as long.

May import: NumPy and the kernels below this one; numba and llvmlite only inside functions.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minitf.kernels.threads import compile_callback, copy, flat, intrinsic, jit

__all__ = [
    "ROWS",
    "emit_call",
    "epilogue",
    "finish",
    "finish_rows",
    "multiply_tiles",
    "pack_columns",
    "tiles_address",
    "tile_columns",
]

ROWS = 6
"""Rows of a tile: 6 by 4 vectors leave 8 of 32 registers for operands; 6 by 2, 4 of 16."""


@functools.cache
def vector_bytes() -> int:
    """The width of this machine's vector registers."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


@functools.cache
def _most_vectors() -> int:
    """How many vectors of columns a tile has at most: with 32 registers 4, with AVX's 16 only 2."""
    return 2 if vector_bytes() == 32 else 4


def tile_columns(itemsize: int) -> int:
    """The most columns a tile can have, for numbers of `itemsize` bytes."""
    return _most_vectors() * vector_bytes() // itemsize


@functools.cache
def tiles_address(dtype: np.dtype, elementwise: bool = False) -> int:
    """The address of the tiles' code for float32 or float64, compiled on first need.

    Tiles that are `elementwise` read a number of A for each column, A[... + j], instead of one for
    all: those of depthwise convolutions.
    """
    from numba import types

    number = types.CPointer(types.float32 if dtype == np.float32 else types.float64)
    table = types.CPointer(types.int64)
    signature = _tile_signature(number, number, number, table, table, table, table)
    return compile_callback(_elementwise_tiles if elementwise else _tiles, signature)


def _tiles(
    a, a0, b, b0, c, c0, row_a, row_c, first, stop,
    segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
):  # fmt: skip
    for row in range(first, stop, ROWS):
        _tile(
            a, a0, b, b0, c, c0, row_a, row_c, row, stop - 1,
            segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
        )  # fmt: skip


def _elementwise_tiles(
    a, a0, b, b0, c, c0, row_a, row_c, first, stop,
    segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
):  # fmt: skip
    for row in range(first, stop, ROWS):
        _elementwise_tile(
            a, a0, b, b0, c, c0, row_a, row_c, row, stop - 1,
            segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
        )  # fmt: skip


@intrinsic
def _tile():
    return _make_tile(elementwise=False)


@intrinsic
def _elementwise_tile():
    return _make_tile(elementwise=True)


def _make_tile(elementwise: bool) -> Any:
    """An intrinsic: the tile with as few rows and vectors as cover what is wanted."""
    from numba.extending import intrinsic as numba_intrinsic

    from minitf.kernels.tile_code import WORD, Matrices, emit_tile

    def emit(context, builder, signature, args):
        matrices = Matrices(*args)
        number = context.get_value_type(signature.args[0].dtype)
        itemsize = context.get_abi_sizeof(number)
        lanes = vector_bytes() // itemsize
        rows_wanted = builder.sub(matrices.last, builder.sub(matrices.row, WORD(1)))
        for fewer_rows, rows in ((2, ROWS), (1, 2), (0, 1)):
            for fewer, vectors in ((2, _most_vectors()), (1, 2), (0, 1)):
                if fewer >= vectors:
                    continue
                conditions = [
                    builder.icmp_signed(">", rows_wanted, WORD(fewer_rows)),
                    builder.icmp_signed(">", matrices.columns, WORD(fewer * lanes)),
                ]
                if rows < ROWS:
                    conditions.append(builder.icmp_signed("<=", rows_wanted, WORD(rows)))
                if vectors < _most_vectors():
                    limit = WORD(vectors * lanes)
                    conditions.append(builder.icmp_signed("<=", matrices.columns, limit))
                with builder.if_then(functools.reduce(builder.and_, conditions)):
                    emit_tile(builder, number, 8 * itemsize, lanes, rows, vectors, elementwise, matrices)
        return context.get_dummy_value()

    def tile(
        typingctx, a, a0, b, b0, c, c0, row_a, row_c, row, last,
        segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
    ):  # fmt: skip
        return _tile_signature(a, b, c, row_a, row_c, segment_a, segment_b), emit

    return numba_intrinsic(tile)


def _tile_signature(a: Any, b: Any, c: Any, *tables: Any) -> Any:
    from numba.core import types

    i = types.int64
    row_a, row_c, segment_a, segment_b = tables
    return types.void(a, i, b, i, c, i, row_a, row_c, i, i, segment_a, segment_b, i, i, i, i, i, i, i)


def emit_call(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """The code of an intrinsic that calls the address it is given first with the rest.

    Arrays are passed as the addresses of their data.
    """
    from llvmlite import ir
    from numba.core import types

    values = [
        context.make_array(kind)(context, builder, arg).data if isinstance(kind, types.Array) else arg
        for kind, arg in zip(signature.args[1:], args[1:])
    ]
    kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
    builder.call(builder.inttoptr(args[0], kind.as_pointer()), values)
    return context.get_dummy_value()


@intrinsic
def multiply_tiles():
    """Multiply: multiply_tiless(address, a, a0, b, b0, c, c0, row_a, row_c, first, stop,
    segment_a, segment_b, begin, end, length, step_a, step_b, columns, add).

    a, b, c are flat arrays of the dtype of `tiles_address`, and a0, b0, c0 where the matrices
    begin in them. The rows are numbers `first` to `stop` - 1 of the tables row_a and row_c; the
    `columns` columns, at most `tile_columns`, are adjacent. The sum runs over segments `begin` to
    `end` - 1, at least one, and `length` >= 1 terms of each. The product is added to C, or
    replaces it where `add` is 0. Rows of C must not overlap.
    """
    from numba.core import types
    from numba.extending import intrinsic as numba_intrinsic

    def tile(
        typingctx, address, a, a0, b, b0, c, c0, row_a, row_c, row, last,
        segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
    ):  # fmt: skip
        inner = _tile_signature(a, b, c, row_a, row_c, segment_a, segment_b)
        return types.void(types.int64, *inner.args), emit_call

    return numba_intrinsic(tile)


@jit
def pack_columns(
    source, s0, rows, row_step, columns, column_step, width, target, t0, block_step
):  # fmt: skip
    """Copy a matrix into blocks of `width` adjacent columns, each row of a block contiguous.

    Item (i, j) of the source is source[s0 + i * row_step + j * column_step]; block number n begins
    at target[t0 + n * block_step].
    """
    for first in range(0, columns, width):
        wanted = min(width, columns - first)
        start = s0 + first * column_step
        block = t0 + first // width * block_step
        if column_step == 1:
            for i in range(rows):
                to = block + i * width
                at = start + i * row_step
                copy(target[to : to + wanted], source[at : at + wanted])
            continue
        # A few rows at a time, so that each piece of a column is fetched once.
        for few in range(0, rows, 16):
            for j in range(wanted):
                for i in range(few, min(few + 16, rows)):
                    value = source[start + i * row_step + j * column_step]
                    target[block + i * width + j] = value


ACTIVATIONS = {None: 0, "relu": 1, "relu6": 2}
"""The activations that a product or convolution can apply before its result leaves the cache."""


def epilogue(
    bias: np.ndarray | None, activation: str | None, columns: int, dtype: np.dtype
) -> tuple[np.ndarray, int]:
    """A bias, empty if there is none, and the number of an activation, as kernels take them.

    Raises:
      ValueError: the bias is not one number per column, or the activation none of `ACTIVATIONS`.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {list(ACTIVATIONS)}, got {activation!r}")
    if bias is None:
        return np.empty(0, dtype), ACTIVATIONS[activation]
    if bias.shape != (columns,) or bias.dtype != dtype:
        raise ValueError(
            f"bias must be of shape ({columns},) and dtype {dtype}, got {bias.dtype} {bias.shape}"
        )
    return flat(bias), ACTIVATIONS[activation]


@jit
def finish_rows(c, c0, rows, row_step, columns, bias, bias0, activation):
    """Add a bias (none when the array is empty) to rows of C and apply an activation, in place."""
    zero, six = c.dtype.type(0), c.dtype.type(6)
    for i in range(rows):
        values = c[c0 + i * row_step : c0 + i * row_step + columns]
        if bias.size > 0:
            added = bias[bias0 : bias0 + columns]
            for j in range(columns):
                values[j] += added[j]
        if activation > 0:
            for j in range(columns):
                values[j] = zero if values[j] < zero else values[j]
        if activation == 2:
            for j in range(columns):
                values[j] = six if values[j] > six else values[j]


def finish(result: np.ndarray, bias: np.ndarray, activation: int) -> np.ndarray:
    """`finish_rows` in NumPy, over the last axis of `result`, in place."""
    if bias.size > 0:
        result += bias
    if activation > 0:
        np.maximum(result, 0, out=result)
    if activation == 2:
        np.minimum(result, 6, out=result)
    return result
