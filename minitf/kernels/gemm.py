"""Matrix products."""

import numpy as np


def matmul(a, b, transpose_a=False, transpose_b=False, out=None):
    """op(a) @ op(b)."""
    a = a.swapaxes(-1, -2) if transpose_a else a
    b = b.swapaxes(-1, -2) if transpose_b else b
    return np.matmul(a, b, out)
