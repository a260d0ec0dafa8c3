"""Where a step's intermediates live: one arena, its blocks reused as soon as their last reader has run."""

import bisect
from dataclasses import dataclass

import numpy as np

from minitf.runtime.plan import Node, Value

_ALIGNMENT = 64


@dataclass(eq=False)
class Block:
    """A stretch of the arena, held until the node at position `end` has run."""

    offset: int
    size: int
    end: int


class FreeList:
    """Free stretches of an arena that grows as needed."""

    def __init__(self) -> None:
        self.total = 0
        self._free: list[tuple[int, int]] = []  # (offset, size), by offset, never adjacent

    def take(self, size: int) -> int:
        """The offset of a stretch of `size` bytes: the smallest free one that holds it, else new ground."""
        fitting = [(length, offset) for offset, length in self._free if length >= size]
        if fitting:
            length, offset = min(fitting)
            self._free.remove((offset, length))
            if length > size:
                bisect.insort(self._free, (offset + size, length - size))
            return offset
        if self._free and sum(self._free[-1]) == self.total:
            offset, _ = self._free.pop()
        else:
            offset = self.total
        self.total = offset + size
        return offset

    def give_back(self, offset: int, size: int) -> None:
        """Frees a stretch, joining it with its free neighbours."""
        at = bisect.bisect(self._free, (offset, size))
        if at < len(self._free) and offset + size == self._free[at][0]:
            size += self._free.pop(at)[1]
        if at and sum(self._free[at - 1]) == offset:
            start, length = self._free.pop(at - 1)
            offset, size = start, length + size
        bisect.insort(self._free, (offset, size))


def last_uses(nodes: list[Node]) -> dict[Value, int]:
    """For each root value, the position of the last node that reads it or a view of it."""
    uses: dict[Value, int] = {}
    for node in nodes:
        for value in (*node.inputs, *node.reads, *node.outputs):
            uses[value.root] = max(uses.get(value.root, 0), node.position)
    return uses


def allocate(nodes: list[Node], fetched: set[Value]) -> dict[Value, np.ndarray]:
    """Arrays for the values that a kernel can be told to write to; the others are made as the step runs.

    Values that are fetched are made anew each time, since the caller keeps them.
    """
    uses = last_uses(nodes)
    kept = {value.root for value in fetched}
    arena, blocks = FreeList(), {}
    live: list[tuple[Value, Block]] = []
    for node in nodes:
        for value in node.outputs:
            if not _plannable(node, value) or value.root in kept:
                continue
            block = _inherit(node, value, blocks, uses)
            if block is None:
                size = -(-_bytes(value) // _ALIGNMENT) * _ALIGNMENT
                block = Block(arena.take(size), size, uses[value])
                live.append((value, block))
            block.end = max(block.end, uses[value])
            blocks[value] = block
        for entry in [entry for entry in live if entry[1].end <= node.position]:
            live.remove(entry)
            arena.give_back(entry[1].offset, entry[1].size)
    memory = np.empty(arena.total + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return {
        value: memory[start + b.offset : start + b.offset + _bytes(value)]
        .view(value.dtype.base_dtype.numpy_dtype)
        .reshape(value.shape.sizes)
        for value, b in blocks.items()
    }


def _plannable(node: Node, value: Value) -> bool:
    return (
        node.definition.accepts_out
        and value.root is value
        and value.slot is None
        and all(v.shape.is_fully_defined() and v.dtype.numpy_dtype.kind != "O" for v in node.outputs)
        and _bytes(value) > 0
    )


def _inherit(node: Node, value: Value, blocks: dict, uses: dict[Value, int]) -> Block | None:
    """The block of an input that an elementwise node may overwrite, or None."""
    if not node.definition.elementwise:
        return None
    for candidate in node.inputs:
        if (
            candidate in blocks
            and candidate.root is candidate
            and uses[candidate] == node.position
            and candidate.shape == value.shape
            and candidate.dtype == value.dtype
            and not any(v.root is candidate and v is not candidate for v in node.inputs)
            and blocks[candidate].end <= node.position
        ):
            return blocks[candidate]
    return None


def _bytes(value: Value) -> int:
    return value.shape.num_elements() * value.dtype.numpy_dtype.itemsize
