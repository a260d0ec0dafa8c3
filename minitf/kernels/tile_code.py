"""LLVM code for one register tile of a matrix product; `microkernel` says what it computes.

numba's own loops do not keep a block of sums in registers through a long sum, so this one function
is written as LLVM code: an outer loop over segments, an inner loop over the terms of one, and all
sums of the tile carried from step to step as values. It is made for each vector width and number
of rows and vectors that `microkernel` wants.

May import: nothing of minitf; llvmlite at once, hence to be imported only when code is needed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir

WORD = ir.IntType(64)


class Matrices(NamedTuple):
    """The arguments of a tile, as LLVM values: pointers, tables, and 64-bit integers."""

    a: Any
    a0: Any
    b: Any
    b0: Any
    c: Any
    c0: Any
    row_a: Any
    row_c: Any
    row: Any
    last: Any
    segment_a: Any
    segment_b: Any
    begin: Any
    end: Any
    length: Any
    step_a: Any
    step_b: Any
    columns: Any
    add: Any


class Vectors:
    """Instructions on vectors of `lanes` numbers, of which LLVM's builder has only the simplest."""

    def __init__(self, builder: ir.IRBuilder, number: ir.Type, bits: int, lanes: int) -> None:
        self.builder = builder
        self.lanes = lanes
        self.number = number
        self.type = ir.VectorType(number, lanes)
        is_integer = isinstance(number, ir.IntType)
        self.zero = ir.Constant(self.type, [0 if is_integer else 0.0] * lanes)
        self._name = f"v{lanes}{'i' if is_integer else 'f'}{bits}"
        self._alignment = ir.IntType(32)(bits // 8)

    def _call(self, name: str, result: ir.Type, *args: ir.Value) -> ir.Value:
        kind = ir.FunctionType(result, [arg.type for arg in args])
        function = self.builder.module.globals.get(name)
        if function is None:
            function = ir.Function(self.builder.module, kind, name)
        return self.builder.call(function, args)

    def load(self, pointer: ir.Value, mask: ir.Value) -> ir.Value:
        """The numbers from `pointer` on where the mask is set, zero elsewhere."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        name = f"llvm.masked.load.{self._name}.p0"
        return self._call(name, self.type, pointer, self._alignment, mask, self.zero)

    def store(self, value: ir.Value, pointer: ir.Value, mask: ir.Value) -> None:
        """Store the lanes that the mask sets."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        name = f"llvm.masked.store.{self._name}.p0"
        self._call(name, ir.VoidType(), value, pointer, self._alignment, mask)

    def multiply_add(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """x * y + z, fused where the machine can."""
        return self._call(f"llvm.fmuladd.{self._name}", self.type, x, y, z)

    def splat(self, value: ir.Value) -> ir.Value:
        """The value in every lane."""
        empty = ir.Constant(ir.VectorType(value.type, self.lanes), ir.Undefined)
        first = self.builder.insert_element(empty, value, ir.IntType(32)(0))
        picks = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, empty, picks)

    def below(self, first: int, stop: ir.Value) -> ir.Value:
        """The mask of lanes whose number, counted from `first`, is less than `stop`."""
        words = ir.VectorType(WORD, self.lanes)
        numbers = ir.Constant(words, list(range(first, first + self.lanes)))
        return self.builder.icmp_signed("<", numbers, self.splat(stop))


def emit_tile(
    builder: ir.IRBuilder,
    number: ir.Type,
    bits: int,
    lanes: int,
    rows: int,
    vectors: int,
    elementwise: bool,
    m: Matrices,
) -> None:
    """Write the code of one tile where the builder stands, and leave it at the code's end.

    Args:
      builder: where to write.
      number: the LLVM type of the numbers, and `bits` its size.
      lanes: numbers in a vector.
      rows: rows of the tile.
      vectors: vectors of columns of the tile.
      elementwise: whether A has a number for each column, or one for all.
      m: the matrices.
    """
    v = Vectors(builder, number, bits, lanes)
    columns = [WORD(lanes * i) for i in range(vectors)]

    # Rows past the last one repeat it: they compute and store the same numbers again.
    rows_a, rows_c = [], []
    for i in range(rows):
        wanted = builder.add(m.row, WORD(i))
        index = builder.select(builder.icmp_signed("<", wanted, m.last), wanted, m.last)
        for base, start, table, found in (
            (m.a, m.a0, m.row_a, rows_a),
            (m.c, m.c0, m.row_c, rows_c),
        ):
            offset = builder.load(builder.gep(table, [index]))
            found.append(builder.gep(base, [builder.add(start, offset)]))

    masks = [v.below(lanes * i, m.columns) for i in range(vectors)]
    adding = v.splat(builder.icmp_signed("!=", m.add, WORD(0)))
    initial = [
        v.load(builder.gep(row, [column]), builder.and_(mask, adding))
        for row in rows_c
        for column, mask in zip(columns, masks)
    ]

    entry = builder.block
    segment_block = builder.append_basic_block("segment")
    term_block = builder.append_basic_block("term")
    next_block = builder.append_basic_block("next_segment")
    done_block = builder.append_basic_block("done")
    builder.branch(segment_block)

    builder.position_at_end(segment_block)
    segment, *carried = _phis(builder, [m.begin, *initial], entry)
    start_a = builder.load(builder.gep(m.segment_a, [segment]))
    start_b = builder.add(m.b0, builder.load(builder.gep(m.segment_b, [segment])))
    builder.branch(term_block)

    builder.position_at_end(term_block)
    k, at_a, at_b, *sums = _phis(builder, [WORD(0), start_a, start_b, *carried], segment_block)
    factors = [
        v.load(builder.gep(m.b, [builder.add(at_b, column)]), mask) for column, mask in zip(columns, masks)
    ]
    new_sums = []
    for row in rows_a:
        term = None if elementwise else v.splat(builder.load(builder.gep(row, [at_a])))
        for column, mask, factor in zip(columns, masks, factors):
            if elementwise:
                term = v.load(builder.gep(row, [builder.add(at_a, column)]), mask)
            new_sums.append(v.multiply_add(term, factor, sums[len(new_sums)]))
    new_k = builder.add(k, WORD(1))
    stepped = [new_k, builder.add(at_a, m.step_a), builder.add(at_b, m.step_b), *new_sums]
    for phi, value in zip([k, at_a, at_b, *sums], stepped):
        phi.add_incoming(value, term_block)
    builder.cbranch(builder.icmp_signed("<", new_k, m.length), term_block, next_block)

    builder.position_at_end(next_block)
    new_segment = builder.add(segment, WORD(1))
    for phi, value in zip([segment, *carried], [new_segment, *new_sums]):
        phi.add_incoming(value, next_block)
    builder.cbranch(builder.icmp_signed("<", new_segment, m.end), segment_block, done_block)

    builder.position_at_end(done_block)
    for i, value in enumerate(new_sums):
        row, column = divmod(i, vectors)
        v.store(value, builder.gep(rows_c[row], [columns[column]]), masks[column])


def _phis(builder: ir.IRBuilder, values: list[ir.Value], block: ir.Block) -> list[ir.Value]:
    phis = [builder.phi(value.type) for value in values]
    for phi, value in zip(phis, values):
        phi.add_incoming(value, block)
    return phis
