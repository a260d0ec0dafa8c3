"""Channels first or last: how kernels that know channels last serve the other layout.

May import: NumPy.
"""

import numpy as np

__all__ = ["channels_first", "channels_last"]


def channels_last(x: np.ndarray) -> np.ndarray:
    """(N, C, …) as a contiguous (N, …, C)."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def channels_first(x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """(N, …, C) as a contiguous (N, C, …)."""
    turned = np.moveaxis(x, -1, 1)
    if out is None:
        return np.ascontiguousarray(turned)
    np.copyto(out, turned)
    return out
