"""LLVM code for pooling: a run of windows, vector by vector of their channels.

What a window needs of its cells, the best so far or their sum, stays in registers while they are
gone through; loops of numba's would store and fetch it for each cell. Cells are found through a
table of offsets from where the window begins.

May import: `tile_code`; llvmlite and numba at once, hence to be imported only when code is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba.core import cgutils

from minitf.kernels.tile_code import WORD, Vectors


class Windows(NamedTuple):
    """The arguments of a run of windows, as LLVM values.

    x holds images and y one value per window and channel; the gradients are of the same shapes.
    Window number i begins at x[x0 + i * step] and y[y0 + i * pitch].
    """

    x: Any
    x0: Any
    y: Any
    y0: Any
    places: Any
    offsets: Any
    numbers: Any
    cells: Any
    count: Any
    step: Any
    pitch: Any
    channels: Any


class Window:
    """One window and one vector of its channels: what the operations below build their code from."""

    def __init__(self, builder, values: Vectors, places: Vectors, w: Windows, at_x, at_y, mask) -> None:
        self.builder = builder
        self.values = values
        self.places = places
        self.mask = mask
        self._w = w
        self._at_x = at_x
        self._at_y = at_y

    def _item(self, pointer: Any, index: Any) -> Any:
        return self.builder.gep(pointer, [index])

    def x(self, cell: Any) -> Any:
        """The address of a cell's channels."""
        offset = self.builder.load(self._item(self._w.offsets, cell))
        return self._item(self._w.x, self.builder.add(self._at_x, offset))

    def number(self, cell: Any) -> Any:
        """The number of a cell, in every lane."""
        number = self.builder.load(self._item(self._w.numbers, cell))
        return self.places.splat(self.builder.trunc(number, self.places.number))

    def y(self) -> Any:
        """The address of the window's value."""
        return self._item(self._w.y, self._at_y)

    def place(self) -> Any:
        """The address of the window's place."""
        return self._item(self._w.places, self._at_y)

    def cell_count(self) -> Any:
        """The number of cells, in every lane."""
        count = self.builder.uitofp(self._w.cells, self.values.number)
        return self.values.splat(count)

    def variable(self, initial: Any) -> Any:
        """A register that changes from cell to cell."""
        variable = cgutils.alloca_once(self.builder, initial.type)
        self.builder.store(initial, variable)
        return variable

    def each_cell(self, do: Callable[[Any], None]) -> None:
        """Do something for each cell in turn."""
        with cgutils.for_range(self.builder, self._w.cells) as loop:
            do(loop.index)


def _maximum(w: Window) -> None:
    b, first = w.builder, WORD(0)
    lowest = -3.4028234663852886e38 if w.values.number == ir.FloatType() else -1.7976931348623157e308
    best = w.variable(w.values.splat(ir.Constant(w.values.number, lowest)))
    place = w.variable(w.number(first))

    def compare(cell: Any) -> None:
        value = w.values.load(w.x(cell), w.mask)
        better = b.fcmp_ordered(">", value, b.load(best))
        b.store(b.select(better, value, b.load(best)), best)
        b.store(b.select(better, w.number(cell), b.load(place)), place)

    w.each_cell(compare)
    value = w.values.load(w.x(first), w.mask)
    is_nan = b.fcmp_unordered("uno", value, value)
    w.values.store(b.load(best), w.y(), w.mask)
    w.places.store(b.select(is_nan, w.number(first), b.load(place)), w.place(), w.mask)


def _send(w: Window, add: bool) -> None:
    b = w.builder
    slope, place = w.values.load(w.y(), w.mask), w.places.load(w.place(), w.mask)

    def give(cell: Any) -> None:
        address = w.x(cell)
        given = b.select(b.icmp_unsigned("==", place, w.number(cell)), slope, w.values.zero)
        if add:
            given = b.fadd(w.values.load(address, w.mask), given)
        w.values.store(given, address, w.mask)

    w.each_cell(give)


def _mean(w: Window) -> None:
    b = w.builder
    total = w.variable(w.values.zero)
    w.each_cell(lambda cell: b.store(b.fadd(b.load(total), w.values.load(w.x(cell), w.mask)), total))
    w.values.store(b.fdiv(b.load(total), w.cell_count()), w.y(), w.mask)


def _share(w: Window) -> None:
    b = w.builder
    share = b.fdiv(w.values.load(w.y(), w.mask), w.cell_count())

    def give(cell: Any) -> None:
        address = w.x(cell)
        w.values.store(b.fadd(w.values.load(address, w.mask), share), address, w.mask)

    w.each_cell(give)


OPERATIONS: tuple[Callable[[Window], None], ...] = (
    _maximum,
    _mean,
    lambda window: _send(window, add=False),
    lambda window: _send(window, add=True),
    _share,
)
"""What can be done with a window, in the order of the numbers that `pool` gives operations."""


def emit_windows(
    builder: ir.IRBuilder,
    operation: Any,
    number: ir.Type,
    bits: int,
    place_bits: int,
    lanes: int,
    w: Windows,
) -> None:
    """Write, where the builder stands, the code that does an operation on a run of windows.

    Args:
      builder: where to write.
      operation: the number of the operation, a value.
      number: the LLVM type of the numbers, and `bits` its size.
      place_bits: the size of a place.
      lanes: numbers in a vector.
      w: the windows.
    """
    values = Vectors(builder, number, bits, lanes)
    places = Vectors(builder, ir.IntType(place_bits), place_bits, lanes)
    for i, do in enumerate(OPERATIONS):
        with (
            builder.if_then(builder.icmp_signed("==", operation, WORD(i))),
            cgutils.for_range(builder, w.count) as loop,
            cgutils.for_range_slice(builder, WORD(0), w.channels, WORD(lanes), WORD) as (channel, _),
        ):
            mask = values.below(0, builder.sub(w.channels, channel))
            start_x = builder.add(w.x0, builder.mul(loop.index, w.step))
            start_y = builder.add(w.y0, builder.mul(loop.index, w.pitch))
            at_x, at_y = builder.add(start_x, channel), builder.add(start_y, channel)
            do(Window(builder, values, places, w, at_x, at_y, mask))
