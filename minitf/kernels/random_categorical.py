"""Draws from categorical distributions, as TensorFlow's CPU kernel makes them.

May import: numpy, and its neighbours philox, random_fill and threads.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike

from minitf.kernels.philox import Stream
from minitf.kernels.random_fill import uniform
from minitf.kernels.threads import num_threads

# What Eigen's thread pool, which TensorFlow shares its loops out with, supposes of a task.
_CYCLES_TO_START = 100_000
_CYCLES_PER_THREAD = 100_000
_CYCLES_PER_BLOCK = 40_000
_BLOCKS_PER_THREAD = 4


def multinomial(
    stream: Stream,
    logits: np.ndarray,
    num_samples: int,
    dtype: DTypeLike = np.int64,
    threads: int | None = None,
) -> np.ndarray:
    """Class numbers drawn with probabilities softmax(logits).

    Args:
      stream: where to draw from.
      logits: (batch, classes), floating; entries that are not finite are never drawn.
      num_samples: draws per row.
      dtype: int32 or int64.
      threads: TensorFlow shares large batches out among this many threads, and each part draws
        from a stream of its own: its numbers then depend on the machine. None means
        `threads.num_threads()`, by default one for each processor, as in TensorFlow.

    Returns:
      (batch, num_samples).
    """
    batch, classes = logits.shape
    finite = np.isfinite(logits)
    lowest = np.finfo(logits.dtype).min
    highest = np.max(logits, axis=1, keepdims=True, where=finite, initial=lowest)
    with np.errstate(over="ignore", invalid="ignore"):
        weights = np.exp(logits.astype(np.float64) - highest.astype(np.float64))
    cumulative = np.cumsum(np.where(finite, weights, 0.0), axis=1)

    cycles = int(50 * (num_samples * math.log(classes) / math.log(2) + classes))
    rows_per_part = _rows_per_part(batch, cycles, threads or num_threads())
    out = np.empty((batch, num_samples), dtype)
    for start in range(0, batch, rows_per_part):
        stop = min(start + rows_per_part, batch)
        part = stream.skip(start * (num_samples + 3) // 4)
        wanted = uniform(part, (stop - start, num_samples), np.float64)
        wanted *= cumulative[start:stop, -1:]
        for row in range(start, stop):
            out[row] = np.searchsorted(cumulative[row], wanted[row - start], side="right")
    return out


def _rows_per_part(rows: int, cycles: int, threads: int) -> int:
    """How many rows Eigen's `parallelFor` gives to a thread at a time.

    Args:
      rows: in all.
      cycles: what one row is said to cost.
      threads: in the pool.
    """
    useful = int((rows * cycles - _CYCLES_TO_START) / _CYCLES_PER_THREAD + 0.9)
    if rows <= 1 or min(threads, useful) <= 1:
        return max(rows, 1)
    size = max(-(-rows // (_BLOCKS_PER_THREAD * threads)), int(_CYCLES_PER_BLOCK / cycles))
    size = min(rows, size)
    largest = min(rows, 2 * size)
    count = -(-rows // size)
    best = _efficiency(count, threads)
    tried = count
    while best < 1.0 and tried > 1:
        coarser = -(-rows // (tried - 1))
        if coarser > largest:
            break
        tried = -(-rows // coarser)
        efficiency = _efficiency(tried, threads)
        if efficiency + 0.01 >= best:
            size, best = coarser, max(best, efficiency)
    return size


def _efficiency(parts: int, threads: int) -> float:
    """The share of the threads' time that is spent working on equal parts."""
    return parts / (-(-parts // threads) * threads)
