"""Static shapes: `Dimension` and `TensorShape`, with unknown sizes and unknown ranks.

As in TF1, indexing a shape gives a `Dimension` (it has `.value` and behaves like its integer).
"""

import operator
from collections.abc import Iterator
from typing import Any


class Dimension:
    """One size of a shape: an int, or None when it is unknown."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        if isinstance(value, Dimension):
            value = value.value
        if value is not None:
            try:
                value = operator.index(value)
            except TypeError:
                if not isinstance(value, str):
                    raise TypeError(
                        f"Dimension value must be integer or None or have an __index__ method, "
                        f"got value '{value!r}' with type '{type(value)!r}'"
                    ) from None
                value = int(value)
            if value < 0:
                raise ValueError(f"Dimension {value} must be >= 0")
        self._value = value

    @property
    def value(self) -> int | None:
        """The size, or None."""
        return self._value

    def __repr__(self) -> str:
        return f"Dimension({self._value!r})"

    def __str__(self) -> str:
        return "?" if self._value is None else str(self._value)

    def __int__(self) -> int:
        return self._value

    __index__ = __int__

    def __hash__(self) -> int:
        return hash(self._value)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether the two can be the same size."""
        other = Dimension(other)
        return self._value is None or other._value is None or self._value == other._value

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless the two can be the same size."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {Dimension(other)} are not compatible")

    def merge_with(self, other: Any) -> "Dimension":
        """The size known to either. Raises ValueError when they differ."""
        other = Dimension(other)
        self.assert_is_compatible_with(other)
        return other if self._value is None else self


def _dimension_operator(function, reverse=False):
    def method(self, other):
        try:
            right = Dimension(other).value
        except (TypeError, ValueError):
            return NotImplemented
        if self.value is None or right is None:
            return Dimension(None)
        return Dimension(function(right, self.value) if reverse else function(self.value, right))

    return method


def _dimension_comparison(function):
    def method(self, other):
        try:
            right = Dimension(other).value
        except (TypeError, ValueError):
            return NotImplemented
        return None if self.value is None or right is None else function(self.value, right)

    return method


for _name, _function in [
    ("add", operator.add), ("sub", operator.sub), ("mul", operator.mul),
    ("floordiv", operator.floordiv), ("mod", operator.mod),
]:  # fmt: skip
    setattr(Dimension, f"__{_name}__", _dimension_operator(_function))
    setattr(Dimension, f"__r{_name}__", _dimension_operator(_function, reverse=True))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Dimension, f"__{_name}__", _dimension_comparison(getattr(operator, _name)))


class TensorShape:
    """A tensor's static shape: a tuple of sizes (None where unknown), or unknown altogether.

    `dims` may be None (unknown rank), an int (rank 1), a TensorShape or a sequence of sizes.
    """

    __slots__ = ("_sizes",)

    def __init__(self, dims: Any = None) -> None:
        if dims is None:
            self._sizes = None
        elif isinstance(dims, TensorShape):
            self._sizes = dims._sizes
        elif hasattr(dims, "__iter__"):
            self._sizes = tuple(
                size if size is None or type(size) is int and size >= 0 else _size(size) for size in dims
            )
        else:
            self._sizes = (_size(dims),)

    @property
    def rank(self) -> int | None:
        """The number of dimensions, or None."""
        return None if self._sizes is None else len(self._sizes)

    ndims = rank

    @property
    def sizes(self) -> tuple[int | None, ...] | None:
        """The sizes as a plain tuple, or None for an unknown rank."""
        return self._sizes

    @property
    def dims(self) -> list[Dimension] | None:
        """The sizes as Dimensions, or None for an unknown rank."""
        return None if self._sizes is None else [Dimension(size) for size in self._sizes]

    def as_list(self) -> list[int | None]:
        """The sizes as a list. Raises ValueError when the rank is unknown."""
        if self._sizes is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._sizes)

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return self._sizes is not None and None not in self._sizes

    def num_elements(self) -> int | None:
        """The product of the sizes, or None when one is unknown."""
        if not self.is_fully_defined():
            return None
        count = 1
        for size in self._sizes:
            count *= size
        return count

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor could have both shapes."""
        other = TensorShape(other)
        if self._sizes is None or other._sizes is None:
            return True
        return len(self._sizes) == len(other._sizes) and all(
            a is None or b is None or a == b for a, b in zip(self._sizes, other._sizes, strict=True)
        )

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless a tensor could have both shapes."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {TensorShape(other)} are incompatible")

    def assert_same_rank(self, other: Any) -> None:
        """Raises ValueError when both ranks are known and differ."""
        other = TensorShape(other)
        if self.rank is not None and other.rank is not None and self.rank != other.rank:
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank: int) -> None:
        """Raises ValueError unless this shape can have `rank` dimensions."""
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_is_fully_defined(self) -> None:
        """Raises ValueError unless every size is known."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def with_rank(self, rank: int) -> "TensorShape":
        """This shape, known to have `rank` dimensions. Raises ValueError when it can't."""
        return self.merge_with([None] * rank)

    def with_rank_at_least(self, rank: int) -> "TensorShape":
        """This shape. Raises ValueError when it has fewer than `rank` dimensions."""
        if self.rank is not None and self.rank < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> "TensorShape":
        """This shape. Raises ValueError when it has more than `rank` dimensions."""
        if self.rank is not None and self.rank > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def merge_with(self, other: Any) -> "TensorShape":
        """The shape known from both. Raises ValueError when they contradict each other."""
        other = TensorShape(other)
        self.assert_is_compatible_with(other)
        if self._sizes is None or other._sizes is None:
            return other if self._sizes is None else self
        return TensorShape(b if a is None else a for a, b in zip(self._sizes, other._sizes, strict=True))

    def concatenate(self, other: Any) -> "TensorShape":
        """This shape followed by `other`'s sizes."""
        other = TensorShape(other)
        if self._sizes is None or other._sizes is None:
            return TensorShape(None)
        return TensorShape(self._sizes + other._sizes)

    def as_proto(self) -> dict[str, Any]:
        """The shape as TensorShapeProto has it, in plain Python."""
        if self._sizes is None:
            return {"unknown_rank": True}
        return {"dim": [{"size": -1 if size is None else size} for size in self._sizes]}

    def __repr__(self) -> str:
        if self._sizes is None:
            return "TensorShape(None)"
        return f"TensorShape([{', '.join(repr(Dimension(size)) for size in self._sizes)}])"

    def __str__(self) -> str:
        if self._sizes is None:
            return "<unknown>"
        sizes = ["?" if size is None else str(size) for size in self._sizes]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"

    def brackets(self) -> str:
        """The form used in messages about nodes: `[?,3]`, or `<unknown>`."""
        if self._sizes is None:
            return "<unknown>"
        return "[" + ",".join("?" if size is None else str(size) for size in self._sizes) + "]"

    def __len__(self) -> int:
        if self._sizes is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._sizes)

    def __bool__(self) -> bool:
        return self._sizes is not None

    def __iter__(self) -> Iterator[Dimension]:
        if self._sizes is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter(self.dims)

    def __getitem__(self, key: Any) -> Any:
        if self._sizes is None:
            if isinstance(key, slice):
                return TensorShape(None)
            return Dimension(None)
        if isinstance(key, slice):
            return TensorShape(self._sizes[key])
        return Dimension(self._sizes[key])

    def __add__(self, other: Any) -> "TensorShape":
        return self.concatenate(other)

    def __radd__(self, other: Any) -> "TensorShape":
        return TensorShape(other).concatenate(self)

    def __eq__(self, other: Any) -> bool:
        try:
            return self._sizes == TensorShape(other)._sizes
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._sizes)

    def __reduce__(self) -> tuple:
        return TensorShape, (None if self._sizes is None else list(self._sizes),)


class PlainTensorShape(TensorShape):
    """A TensorShape as TF2 and Keras know it: its items are plain ints, or None."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        if self._sizes is None:
            return PlainTensorShape(None) if isinstance(key, slice) else None
        return PlainTensorShape(self._sizes[key]) if isinstance(key, slice) else self._sizes[key]

    def __iter__(self) -> Iterator[int | None]:
        if self._sizes is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter(self._sizes)


def _size(value: Any) -> int | None:
    if value == -1 and not isinstance(value, Dimension):
        return None
    return Dimension(value).value


UNKNOWN = TensorShape(None)
SCALAR = TensorShape([])


def as_shape(value: Any) -> TensorShape:
    """`value` as a TensorShape."""
    return value if isinstance(value, TensorShape) else TensorShape(value)


def unknown_shape(rank: int | None = None) -> TensorShape:
    """A shape of `rank` unknown sizes, or of unknown rank."""
    return UNKNOWN if rank is None else TensorShape([None] * rank)


def broadcast_sizes(*shapes: TensorShape) -> TensorShape:
    """The shape that these broadcast to. Raises ValueError in TensorFlow's words when they can't."""
    result: list[int | None] = []
    if any(shape.rank is None for shape in shapes):
        return UNKNOWN
    rank = max(shape.rank for shape in shapes)
    for axis in range(rank):
        size: int | None = 1
        for shape in shapes:
            position = axis - (rank - shape.rank)
            other = shape.sizes[position] if position >= 0 else 1
            if other == 1:
                continue
            # An unknown size beside a known one above 1 can only be that one, or 1.
            if size == 1 or (size is None and other is not None):
                size = other
            elif other is not None and size is not None and other != size:
                raise ValueError(f"Dimensions must be equal, but are {size} and {other}")
        result.append(size)
    return TensorShape(result)
