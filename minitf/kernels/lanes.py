"""Rows of few channels, taken several at a time.

Loops over the channels of one pixel at a time are short, and starting a loop costs more than a few vectors of
work. Several whole pixels make one long row, if what goes with each channel is repeated as often.

May import: NumPy.
"""

import functools

import numpy as np

__all__ = ["fold", "lanes", "repeat"]

WIDEST = 1024
"""Values of the longest row that is put together: longer ones gain nothing."""


@functools.lru_cache(maxsize=1024)
def lanes(rows: int, channels: int) -> int:
    """How many rows to take at a time: a divisor of `rows`."""
    most = min(rows, WIDEST // max(channels, 1))
    return next((count for count in range(most, 1, -1) if rows % count == 0), 1)


def repeat(vector: np.ndarray, count: int) -> np.ndarray:
    """A number for each channel of `count` rows; contiguous and writable, as compiled kernels want it."""
    return np.tile(vector, count)


def fold(sums: np.ndarray, count: int) -> np.ndarray:
    """The sums over `count` lanes of each channel, as a new array."""
    return np.add.reduce(sums.reshape(count, -1), 0)
