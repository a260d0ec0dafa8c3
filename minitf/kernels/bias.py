"""A vector added along the channels, and the sums over all else that are its gradient.

The NumPy functions are the specification; large arrays with channels last have compiled loops that read and
write memory once, on all threads.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import math

import numpy as np

from minitf.kernels.lanes import lanes, repeat
from minitf.kernels.threads import chunk, flat, jit, num_threads, parallel_jit, prange, scratch

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
    count = lanes(x.size // bias.size, bias.size)
    _add_rows(flat(x), repeat(bias, count), out.reshape(-1), num_threads())
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
    count = lanes(x.size // channels, channels)
    width, parts = count * channels, num_threads()
    sums = np.empty(width, x.dtype)
    _sum_rows(flat(x), sums, scratch("bias sums", parts * width, x.dtype), parts)
    return np.add.reduce(sums.reshape(count, channels), 0, None, out)


@jit
def _add(x, bias, y):
    for i in range(y.size):
        y[i] = x[i] + bias[i]


@jit
def _add_in_place(y, bias):
    for i in range(y.size):
        y[i] += bias[i]


@parallel_jit
def _add_rows(x, bias, y, parts):
    width = bias.size
    in_place = x.ctypes.data == y.ctypes.data  # to the compiler, that memory overlaps
    for part in prange(parts):
        start, stop = chunk(x.size // width, parts, np.int64(part))
        for row in range(start, stop):
            first, last = row * width, (row + 1) * width
            if in_place:
                _add_in_place(y[first:last], bias)
            else:
                _add(x[first:last], bias, y[first:last])


@parallel_jit
def _sum_rows(x, y, sums, parts):
    width = y.size
    for part in prange(parts):
        start, stop = chunk(x.size // width, parts, np.int64(part))
        own = sums[part * width : (part + 1) * width]
        own[:] = 0
        for row in range(start, stop):
            _add_in_place(own, x[row * width : (row + 1) * width])
    y[:] = 0
    for part in range(parts):
        _add_in_place(y, sums[part * width : (part + 1) * width])
