"""Dropout: values kept by chance and scaled, in one pass.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.threads import chunk, flat, num_threads, parallel_jit, prange

__all__ = ["dropout"]

SMALL = 40_000
"""With fewer values NumPy is fast enough not to load a compiler for."""


def dropout(
    x: np.ndarray,
    noise: np.ndarray,
    rate: np.ndarray,
    scale: np.ndarray,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """x * scale where noise >= rate, else 0.

    Args:
      x: any shape, floating.
      noise: of a shape that broadcasts with x.
      rate: a scalar.
      scale: a scalar.
      out: where to put the result, C-contiguous; made anew by default.
    """
    if out is None:
        out = np.empty(np.broadcast_shapes(x.shape, noise.shape), x.dtype)
    if x.size < SMALL or x.dtype.char not in "fd" or x.shape != noise.shape or not out.flags.c_contiguous:
        dropped = np.less(noise, rate)
        np.multiply(x, scale, out)
        np.copyto(out, 0, where=dropped)
        return out
    kind = x.dtype.type
    _dropout(flat(x), flat(noise), kind(rate), kind(scale), out.reshape(-1), num_threads())
    return out


@parallel_jit
def _dropout(x, noise, rate, scale, y, parts):
    zero = x.dtype.type(0)
    for part in prange(parts):
        start, stop = chunk(x.size, parts, np.int64(part))
        source, chance, target = x[start:stop], noise[start:stop], y[start:stop]
        for i in range(target.size):
            target[i] = source[i] * scale if not chance[i] < rate else zero
