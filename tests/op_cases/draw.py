"""What a case draws its inputs with: shapes, dtypes and choices from hypothesis, numbers from a seed."""

from typing import Any

import numpy as np
from hypothesis import strategies

HALF = ("float16",)
FLOATS = ("float16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
REAL = FLOATS + INTEGERS
NUMERIC = REAL + COMPLEX
ALL = (*NUMERIC, "bool")

_SIZES = (2, 3, 1, 4, 3, 2, 0, 5)
# No denormals: TensorFlow flushes them to zero.
_SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1e-30)


class Draw:
    """Draws a sample. `dtype` is the NumPy dtype under test, `smooth` asks for a differentiable place."""

    def __init__(self, data: Any, dtype: str, smooth: bool = False) -> None:
        self._data = data
        self.dtype = np.dtype(dtype)
        self.smooth = smooth
        self._rng = np.random.default_rng(data.draw(strategies.integers(0, 2**16), label="seed"))

    def one_of(self, *values: Any) -> Any:
        """One of `values`."""
        return self._data.draw(strategies.sampled_from(values))

    def boolean(self) -> bool:
        """True or False."""
        return self._data.draw(strategies.booleans())

    def integer(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return self._data.draw(strategies.integers(low, high))

    def shape(self, min_rank: int = 0, max_rank: int = 3, min_size: int = 0) -> tuple[int, ...]:
        """A small shape; sizes 0 and 1 among others, unless `min_size` is larger."""
        sizes = [size for size in _SIZES if size >= min_size]
        return tuple(self.one_of(*sizes) for _ in range(self.integer(min_rank, max_rank)))

    def broadcastable(self, count: int, max_rank: int = 3) -> list[tuple[int, ...]]:
        """Shapes that broadcast together."""
        whole = self.shape(max_rank=max_rank)
        shapes = []
        for _ in range(count):
            lead = self.integer(0, len(whole))
            shapes.append(tuple(self.one_of(size, size, 1) for size in whole[lead:]))
        return shapes

    def array(
        self,
        shape: tuple[int, ...] | None = None,
        low: float = -3,
        high: float = 3,
        dtype: Any = None,
        special: bool = True,
        margin: float = 0.02,
    ) -> np.ndarray:
        """An array with values between `low` and `high`.

        Of floats, now and then one that has NaN, infinities, zeros and very large and small numbers too,
        unless `special` is False or gradients are wanted. Where they are, values are different from each
        other and at least `margin` away from 0 and from both ends. Unsigned integers start at 0.
        """
        shape = self.shape() if shape is None else tuple(shape)
        dtype = self.dtype if dtype is None else np.dtype(dtype)
        if dtype.kind == "b":
            return self._rng.random(shape) < 0.5
        if dtype.kind == "O":
            words = np.array([b"", b"a", b"minitf", "été".encode(), b"\x00z"], object)
            return np.array(words[self._rng.integers(0, len(words), shape)], object)
        if dtype.kind == "c":
            real = np.float32 if dtype.itemsize == 8 else np.float64
            parts = [self.array(shape, low, high, real, special=False) for _ in range(2)]
            return (parts[0] + 1j * parts[1]).astype(dtype)
        if dtype.kind in "iu":
            low = max(int(np.ceil(low)), 0) if dtype.kind == "u" else int(np.ceil(low))
            return self._rng.integers(low, int(high), shape, endpoint=True).astype(dtype)
        if self.smooth:
            return self._apart(shape, low, high, margin).astype(dtype)
        values = self._rng.uniform(low, high, shape).astype(dtype)
        if special and self.integer(0, 3) == 3:
            where = self._rng.random(shape) < 0.5
            with np.errstate(over="ignore", under="ignore"):
                chosen = np.array(self._rng.choice(_SPECIAL, shape)).astype(dtype)
            values = np.where(where, chosen, values).astype(dtype)
        return values

    def _apart(self, shape: tuple[int, ...], low: float, high: float, margin: float) -> np.ndarray:
        count = int(np.prod(shape))
        places = (np.arange(count) + self._rng.uniform(0.3, 0.7, count)) / max(count, 1)
        values = self._rng.permutation(low + margin + places * (high - low - 2 * margin))
        values = np.where(np.abs(values) < margin, np.copysign(margin, values) + values, values)
        return values.reshape(shape)

    def indices(self, shape: tuple[int, ...], limit: int, dtype: Any = None) -> np.ndarray:
        """Integers from 0 to `limit` - 1, int32 or int64 (or as given)."""
        return self._rng.integers(0, limit, shape).astype(dtype or self.index_dtype())

    def index_dtype(self) -> np.dtype:
        """int32 or int64."""
        return np.dtype(self.one_of("int32", "int64"))

    def index(self, value: Any) -> np.ndarray:
        """`value` as an int32 or int64 array."""
        return np.array(value, self.index_dtype())

    def axis(self, rank: int) -> int:
        """A dimension, counted from either end."""
        return self.integer(-rank, rank - 1)

    def axes(self, rank: int) -> list[int]:
        """Some different dimensions (perhaps none), counted from either end."""
        chosen = [axis for axis in range(rank) if self.boolean()]
        return [axis - rank if self.boolean() else axis for axis in chosen]

    def permutation(self, count: int) -> list[int]:
        """0 … count - 1 in some order."""
        return [int(i) for i in self._rng.permutation(count)]
