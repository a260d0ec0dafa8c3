"""The innermost loop of products and convolutions: one register tile of C += A B.

A tile is R rows by up to V vectors of columns, held in registers while a long sum runs. Rows of A
and C are found through tables of offsets and the sum runs over segments, likewise found through
tables, so that a convolution needs no im2col: with NHWC images and HWIO filters, the pixels that
a filter sees are a few runs of memory at fixed distances from where its window begins. In terms
of what is summed,

    C[row_c[r] + j] (+)= sum over s in segments, k < length of
                         A[row_a[r] + segment_a[s] + k * step_a] * B[segment_b[s] + k * step_b + j]

for R rows r from `row` on and columns j < `columns`; this is the batch-reduce product of
Georganas et al., "Harnessing Deep Learning via a Single Building Block" (2020), with tables in
place of pointers. numba's vectoriser cannot be told to keep a block of sums in registers, hence
the LLVM code by hand.

May import: minitf.kernels.threads; numba and llvmlite only inside functions.
"""

from __future__ import annotations

import functools

import numpy as np

from minitf.kernels.threads import intrinsic, jit

__all__ = [
    "ROWS",
    "activation_code",
    "finish",
    "finish_rows",
    "multiply_tile",
    "pack_columns",
    "tile_columns",
    "tile_lanes",
]


@functools.cache
def vector_bytes() -> int:
    """The width of this machine's vector registers in bytes."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


@functools.cache
def vectors_per_tile() -> int:
    """How many vectors of columns a tile has: with 32 registers 4, with 16 registers 2."""
    return 2 if vector_bytes() == 32 else 4


ROWS = 6
"""Rows of a tile: 6 by 4 vectors leave 8 of 32 registers for operands; 6 by 2, 4 of 16."""


def tile_lanes(itemsize: int) -> int:
    """How many numbers of `itemsize` bytes a vector holds."""
    return vector_bytes() // itemsize


def tile_columns(itemsize: int) -> int:
    """The most columns a tile can have, for numbers of `itemsize` bytes."""
    return vectors_per_tile() * tile_lanes(itemsize)


def _make_tile_intrinsic(vectors: int):
    """An intrinsic for tiles of ROWS rows and `vectors` vectors."""
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic as numba_intrinsic

    word = ir.IntType(64)

    def emit(context, builder, signature, args):
        number = context.get_value_type(signature.args[0].dtype)
        lanes = vector_bytes() // context.get_abi_sizeof(number)
        vector = ir.VectorType(number, lanes)
        flags = ir.VectorType(ir.IntType(1), lanes)
        suffix = f"v{lanes}f{8 * context.get_abi_sizeof(number)}"

        def data(position):
            array_type = signature.args[position]
            return context.make_array(array_type)(context, builder, args[position]).data

        def function(name, result, *parameters):
            kind = ir.FunctionType(result, parameters)
            return cgutils.get_or_insert_function(builder.module, kind, name)

        def masked_load(pointer, mask):
            load = function(
                f"llvm.masked.load.{suffix}.p0",
                vector,
                vector.as_pointer(),
                ir.IntType(32),
                flags,
                vector,
            )
            address = builder.bitcast(pointer, vector.as_pointer())
            return builder.call(
                load, [address, ir.IntType(32)(context.get_abi_sizeof(number)), mask, zero]
            )

        def masked_store(value, pointer, mask):
            store = function(
                f"llvm.masked.store.{suffix}.p0",
                ir.VoidType(),
                vector,
                vector.as_pointer(),
                ir.IntType(32),
                flags,
            )
            address = builder.bitcast(pointer, vector.as_pointer())
            builder.call(
                store, [value, address, ir.IntType(32)(context.get_abi_sizeof(number)), mask]
            )

        def splat(value, kind):
            empty = ir.Constant(kind, ir.Undefined)
            first = builder.insert_element(empty, value, ir.IntType(32)(0))
            picks = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
            return builder.shuffle_vector(first, empty, picks)

        fma = function(f"llvm.fma.{suffix}", vector, vector, vector, vector)
        zero = ir.Constant(vector, [0.0] * lanes)
        a, a0, b, b0, c, c0 = data(0), args[1], data(2), args[3], data(4), args[5]
        row_a, row_c, row, last = data(6), data(7), args[8], args[9]
        segment_a, segment_b, begin, end = data(10), data(11), args[12], args[13]
        length, step_a, step_b, columns, add = args[14:19]

        # Rows past the last one repeat it: they compute and store the same numbers again.
        rows_a, rows_c = [], []
        for r in range(ROWS):
            wanted = builder.add(row, word(r))
            index = builder.select(builder.icmp_signed("<", wanted, last), wanted, last)
            offset = builder.load(builder.gep(row_a, [index]))
            rows_a.append(builder.gep(a, [builder.add(a0, offset)]))
            offset = builder.load(builder.gep(row_c, [index]))
            rows_c.append(builder.gep(c, [builder.add(c0, offset)]))

        words = ir.VectorType(word, lanes)
        all_columns = splat(columns, words)
        masks = [
            builder.icmp_signed(
                "<", ir.Constant(words, list(range(v * lanes, (v + 1) * lanes))), all_columns
            )
            for v in range(vectors)
        ]
        adding = splat(builder.trunc(add, ir.IntType(1)), flags)
        sums = [
            masked_load(builder.gep(rows_c[r], [word(v * lanes)]), builder.and_(masks[v], adding))
            for r in range(ROWS)
            for v in range(vectors)
        ]

        entry = builder.block
        outer = builder.append_basic_block("segment")
        inner = builder.append_basic_block("term")
        next_segment = builder.append_basic_block("next_segment")
        done = builder.append_basic_block("done")
        builder.branch(outer)

        builder.position_at_end(outer)
        segment = builder.phi(word)
        segment.add_incoming(begin, entry)
        outer_sums = [builder.phi(vector) for _ in sums]
        for phi, value in zip(outer_sums, sums):
            phi.add_incoming(value, entry)
        start_a = builder.load(builder.gep(segment_a, [segment]))
        start_b = builder.add(b0, builder.load(builder.gep(segment_b, [segment])))
        builder.branch(inner)

        builder.position_at_end(inner)
        k, at_a, at_b = builder.phi(word), builder.phi(word), builder.phi(word)
        inner_sums = [builder.phi(vector) for _ in sums]
        for phi, value in zip(
            [k, at_a, at_b, *inner_sums], [word(0), start_a, start_b, *outer_sums]
        ):
            phi.add_incoming(value, outer)
        columns_b = [
            masked_load(builder.gep(b, [builder.add(at_b, word(v * lanes))]), masks[v])
            for v in range(vectors)
        ]
        new_sums = []
        for r in range(ROWS):
            factor = splat(builder.load(builder.gep(rows_a[r], [at_a])), vector)
            for v in range(vectors):
                old = inner_sums[r * vectors + v]
                new_sums.append(builder.call(fma, [factor, columns_b[v], old]))
        new_k = builder.add(k, word(1))
        stepped = [new_k, builder.add(at_a, step_a), builder.add(at_b, step_b), *new_sums]
        for phi, value in zip([k, at_a, at_b, *inner_sums], stepped):
            phi.add_incoming(value, inner)
        builder.cbranch(builder.icmp_signed("<", new_k, length), inner, next_segment)

        builder.position_at_end(next_segment)
        new_segment = builder.add(segment, word(1))
        segment.add_incoming(new_segment, next_segment)
        for phi, value in zip(outer_sums, new_sums):
            phi.add_incoming(value, next_segment)
        builder.cbranch(builder.icmp_signed("<", new_segment, end), outer, done)

        builder.position_at_end(done)
        for r in range(ROWS):
            for v in range(vectors):
                target = builder.gep(rows_c[r], [word(v * lanes)])
                masked_store(new_sums[r * vectors + v], target, masks[v])
        return context.get_dummy_value()

    @numba_intrinsic
    def tile(
        typingctx,
        a, a0, b, b0, c, c0,
        row_a, row_c, row, last,
        segment_a, segment_b, begin, end,
        length, step_a, step_b, columns, add,
    ):  # fmt: skip
        i = types.int64
        return types.void(
            a, i, b, i, c, i, row_a, row_c, i, i, segment_a, segment_b, i, i, i, i, i, i, i
        ), emit  # fmt: skip

    return tile


@intrinsic
def _tile_of_1():
    return _make_tile_intrinsic(1)


@intrinsic
def _tile_of_2():
    return _make_tile_intrinsic(2)


@intrinsic
def _tile_of_4():
    return _make_tile_intrinsic(min(4, vectors_per_tile()))


@jit
def multiply_tile(
    a, a0, b, b0, c, c0,
    row_a, row_c, row, last,
    segment_a, segment_b, begin, end,
    length, step_a, step_b, columns, lanes, add,
):  # fmt: skip
    """Add one tile of the product of A and B to C, or set it where `add` is 0.

    a, b, c are flat arrays of one floating dtype and a0, b0, c0 where the matrices begin in them.
    The tile's rows are numbers `row` to `row` + ROWS - 1 of the tables row_a and row_c, those past
    `last` left out; its `columns` columns, at most as many as `tile_columns` says, are adjacent.
    The sum runs over segments `begin` to `end` - 1 and `length` >= 1 terms in each. `lanes` is
    the number of items in a vector.
    """
    if columns > 2 * lanes:
        _tile_of_4(
            a, a0, b, b0, c, c0, row_a, row_c, row, last,
            segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
        )  # fmt: skip
    elif columns > lanes:
        _tile_of_2(
            a, a0, b, b0, c, c0, row_a, row_c, row, last,
            segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
        )  # fmt: skip
    else:
        _tile_of_1(
            a, a0, b, b0, c, c0, row_a, row_c, row, last,
            segment_a, segment_b, begin, end, length, step_a, step_b, columns, add,
        )  # fmt: skip


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
        block = t0 + first // width * block_step
        for i in range(rows):
            start = s0 + i * row_step + first * column_step
            packed = target[block + i * width : block + i * width + wanted]
            if column_step == 1:
                packed[:] = source[start : start + wanted]
            else:
                for j in range(wanted):
                    packed[j] = source[start + j * column_step]


ACTIVATIONS = {None: 0, "relu": 1, "relu6": 2}
"""The activations that a product or convolution can apply before its result leaves the cache."""


def activation_code(activation: str | None) -> int:
    """The number kernels know an activation by.

    Raises:
      ValueError: it is none of `ACTIVATIONS`.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {list(ACTIVATIONS)}, got {activation!r}")
    return ACTIVATIONS[activation]


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


def finish(result: np.ndarray, bias: np.ndarray | None, activation: str | None) -> np.ndarray:
    """`finish_rows` in NumPy, over the last axis of `result`, in place."""
    code = activation_code(activation)
    if bias is not None:
        result += bias
    if code > 0:
        np.maximum(result, 0, out=result)
    if code == 2:
        np.minimum(result, 6, out=result)
    return result
