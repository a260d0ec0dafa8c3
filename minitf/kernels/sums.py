"""Sums of squares.

May import: NumPy.
"""

import numpy as np

__all__ = ["half_sum_of_squares"]

_BLOCK = 1024
"""Values summed one after another; the sums of blocks are then summed in pairs, for accuracy."""


def half_sum_of_squares(x: np.ndarray) -> np.ndarray:
    """sum(x ** 2) / 2, a scalar array of x's dtype (half precision is summed in single precision)."""
    values = x.reshape(-1)
    if x.dtype == np.float16:
        values = values.astype(np.float32)
    whole = values.size - values.size % _BLOCK
    blocks, rest = values[:whole].reshape(-1, _BLOCK), values[whole:]
    total = np.einsum("ij,ij->i", blocks, blocks).sum() + np.einsum("i,i->", rest, rest)
    return np.array(total / 2, x.dtype)
