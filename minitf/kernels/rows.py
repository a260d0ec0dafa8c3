"""Reading and adding to rows that an index vector names: the kernels below gather and scatter.

The NumPy functions are the specification; large float arrays are added by a compiled loop, in which each
thread owns a range of the target's rows, so that the sums come out in the order of the indices.

May import: NumPy and `threads`.
"""

import numpy as np

from minitf.kernels.threads import chunk, flat, num_threads, parallel_jit, prange

__all__ = ["add_rows", "first_outside", "take"]

SMALL = 20_000
"""With fewer values to add, NumPy is fast enough not to load a compiler for."""

_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def first_outside(indices: np.ndarray, size: int) -> int | None:
    """The flat position of the first index outside [0, size), or None."""
    # Seen as unsigned, negative indices are too large as well.
    unsigned = indices.view(_UNSIGNED[indices.itemsize])
    if not indices.size or unsigned.max() < size:
        return None
    return int(np.argmax(unsigned.reshape(-1) >= size))


def take(params: np.ndarray, indices: np.ndarray, axis: int, out: np.ndarray | None = None) -> np.ndarray:
    """`params` at `indices` (all valid) of dimension `axis`, which the dimensions of `indices` replace."""
    if params.dtype == object and not indices.ndim and out is None:
        # NumPy would give the element itself, not an array.
        return params.take(indices.reshape(1), axis).squeeze(axis)
    return params.take(indices, axis, out, "clip")  # other modes go through a copy of `out`


def add_rows(target: np.ndarray, ids: np.ndarray, rows: np.ndarray) -> None:
    """target[ids[i]] += rows[i], one after another.

    Args:
      target: (R, W), C-contiguous, changed in place.
      ids: (N,), integers; those outside [0, R) are skipped.
      rows: (N, W), of the target's dtype.
    """
    if rows.size < SMALL or target.dtype.char not in "fd":
        _add_rows_numpy(target, ids, rows)
    else:
        _add_rows(target.reshape(-1), ids.astype(np.int64), flat(rows), target.shape[1], num_threads())


def _add_rows_numpy(target: np.ndarray, ids: np.ndarray, rows: np.ndarray) -> None:
    inside = (ids >= 0) & (ids < len(target))
    if not inside.all():
        ids, rows = ids[inside], rows[inside]
    width = target.shape[1]
    # `add.at` has a quick path for flat arrays only.
    places = ids if width == 1 else (ids[:, None].astype(np.intp) * width + np.arange(width)).reshape(-1)
    np.add.at(target.reshape(-1), places, rows.reshape(-1))


@parallel_jit
def _add_rows(target, ids, rows, width, parts):
    for part in prange(parts):
        first, stop = chunk(target.size // width, parts, np.int64(part))
        for i in range(ids.size):
            row = ids[i]
            if first <= row and row < stop:
                for j in range(width):
                    target[row * width + j] += rows[i * width + j]
