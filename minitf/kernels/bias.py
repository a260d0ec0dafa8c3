"""A vector added along the channels, and the sums over all else that are its gradient.

The NumPy functions are the specification; large arrays with channels last have compiled loops that read and
write memory once, on all threads.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import math

import numpy as np

from minitf.kernels.threads import chunk, flat, num_threads, parallel_jit, prange, scratch

__all__ = ["bias_add", "bias_add_grad"]

Array = np.ndarray

SMALL = 40_000
"""With fewer values NumPy is fast enough not to load a compiler for."""


def _compiled_for(x: Array, out: Array | None) -> bool:
    return x.size >= SMALL and x.dtype.char in "fd" and (out is None or out.flags.c_contiguous)


def bias_add(x: Array, bias: Array, out: Array | None = None) -> Array:
    """x + bias, along the last axis."""
    if not _compiled_for(x, out):
        return np.add(x, bias, out)
    out = np.empty(x.shape, x.dtype) if out is None else out
    _add_rows(flat(x), flat(bias), out.reshape(-1), num_threads())
    return out


def bias_add_grad(x: Array, out: Array | None = None) -> Array:
    """The sums of x over all axes but the last."""
    channels = x.shape[-1]
    if not _compiled_for(x, out):
        wide = np.float32 if x.dtype == np.float16 else None
        rows = x.reshape(math.prod(x.shape[:-1]), channels)
        sums = np.add.reduce(rows, 0, wide, out if wide is None else None)
        if wide is None:
            return sums
        return sums.astype(x.dtype) if out is None else np.copyto(out, sums, casting="same_kind") or out
    out = np.empty(channels, x.dtype) if out is None else out
    parts = num_threads()
    _sum_rows(flat(x), out, scratch("bias sums", parts * channels, x.dtype), parts)
    return out


@parallel_jit
def _add_rows(x, bias, y, parts):
    channels = bias.size
    rows = x.size // channels
    for part in prange(parts):
        start, stop = chunk(rows, parts, np.int64(part))
        for row in range(start, stop):
            source = x[row * channels : (row + 1) * channels]
            target = y[row * channels : (row + 1) * channels]
            for i in range(channels):
                target[i] = source[i] + bias[i]


@parallel_jit
def _sum_rows(x, y, sums, parts):
    channels = y.size
    rows = x.size // channels
    for part in prange(parts):
        start, stop = chunk(rows, parts, np.int64(part))
        own = sums[part * channels : (part + 1) * channels]
        own[:] = 0
        for row in range(start, stop):
            source = x[row * channels : (row + 1) * channels]
            for i in range(channels):
                own[i] += source[i]
    for i in range(channels):
        total = sums[i]
        for part in range(1, parts):
            total += sums[part * channels + i]
        y[i] = total
