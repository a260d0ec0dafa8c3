"""The value of a TensorArray: a list that can be written without changing its earlier versions."""

from typing import Any

from minitf.ops.variants import added


class Elements:
    """The elements of a TensorArray (None where nothing is written yet), in one of its versions.

    The newest version has the list. An older one knows what the version after it changed, and makes a list of
    its own when it is asked (H. Baker, Shallow binding makes functional arrays fast, 1991).
    """

    __slots__ = ("_items", "_newer", "_change")

    def __init__(self, items: list[Any]) -> None:
        self._items: list[Any] | None = items
        self._newer: Elements | None = None
        self._change: tuple[int, Any, int] | None = None

    @property
    def items(self) -> list[Any]:
        """The elements. Not to be changed."""
        if self._items is None:
            changes, version = [], self
            while version._items is None:
                changes.append(version._change)
                version = version._newer
            items = list(version._items)
            for index, before, length in reversed(changes):
                items[index] = before
                del items[length:]
            self._items, self._newer, self._change = items, None, None
        return self._items

    def written(self, index: int, value: Any) -> "Elements":
        """The version that has `value` at `index`; it grows as needed."""
        items = self.items
        length = len(items)
        if index >= length:
            items.extend([None] * (index + 1 - length))
        newer = Elements(items)
        self._items, self._newer, self._change = None, newer, (index, items[index], length)
        items[index] = value
        return newer

    def __add__(self, other: Any) -> "Elements":
        if isinstance(other, Entry):
            items = self.items
            before = items[other.index] if other.index < len(items) else None
            return self.written(other.index, added(before, other.value))
        long, short = sorted((self.items, other.items), key=len, reverse=True)
        return Elements([added(a, b) for a, b in zip(long, short)] + long[len(short) :])


class Entry:
    """Elements of which one is known to be there."""

    __slots__ = ("index", "value")

    def __init__(self, index: int, value: Any) -> None:
        self.index, self.value = index, value

    @property
    def items(self) -> list[Any]:
        """The elements."""
        return [None] * self.index + [self.value]

    def written(self, index: int, value: Any) -> Elements:
        """The elements with `value` at `index`."""
        return Elements(self.items).written(index, value)

    def __add__(self, other: Any) -> Elements:
        return Elements(self.items) + other
