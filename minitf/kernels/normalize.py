"""Batch normalization over all axes but the last, and its gradient.

With N values in each channel, mean m, variance v (over N) and r = 1 / sqrt(v + epsilon):

    y  = scale * (x - m) * r + offset
    dx = scale * r * (dy - mean(dy) - (x - m) * r^2 * mean(dy * (x - m)))

(Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167). Where m and v are given rather than the
batch's own, dx = scale * r * dy.

The NumPy functions are the specification. The compiled ones read memory once for the statistics (blocks
small enough for the cache, merged as Chan et al., 1979, show) and once to apply them, on all threads.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import math

import numpy as np

from minitf.kernels.lanes import fold, lanes, repeat
from minitf.kernels.threads import chunk, flat, jit, num_threads, parallel_jit, prange, scratch

__all__ = ["apply", "apply_grad", "moments", "train_grad"]

Array = np.ndarray

SMALL = 40_000
"""With fewer values NumPy is fast enough not to load a compiler for."""

BLOCK = 8192
"""Values whose statistics are taken at a time: few enough to be read twice from the cache."""


def _compiled_for(*arrays: Array) -> bool:
    return arrays[0].size >= SMALL and all(array.dtype == np.float32 for array in arrays)


def _wide(x: Array) -> Array:
    return x.astype(np.float32) if x.dtype == np.float16 else x


def moments(x: Array) -> tuple[Array, Array]:
    """Mean and variance (over N, not N - 1) of each channel of x (…, C)."""
    rows, channels = _matrix_shape(x)
    if not _compiled_for(x):
        values = _wide(x).reshape(rows, channels)
        mean = np.mean(values, 0)
        return mean, np.mean(np.square(values - mean), 0)
    count = lanes(rows, channels)
    width, parts = channels * count, num_threads()
    mean, variance = np.empty(width, x.dtype), np.empty(width, x.dtype)
    sums = scratch("batch norm", 4 * parts * width, x.dtype)
    _moments(flat(x), mean, variance, sums, max(1, BLOCK // width), parts)
    means = mean.reshape(count, channels)
    return means.mean(0), variance.reshape(count, channels).mean(0) + means.var(0)


def apply(
    x: Array, scale: Array, offset: Array, mean: Array, rsqrt: Array, out: Array | None = None
) -> Array:
    """scale * (x - mean) * rsqrt + offset; x (…, C), the others (C,) in float32 or wider."""
    factor = scale * rsqrt
    if not _compiled_for(x, factor) or (out is not None and not out.flags.c_contiguous):
        y = (_wide(x) - mean) * factor + offset
        return _returned(y, x, out)
    out = np.empty(x.shape, x.dtype) if out is None else out
    count = lanes(*_matrix_shape(x))
    vectors = [repeat(vector, count) for vector in (factor, offset, mean)]
    _apply(flat(x), *vectors, out.reshape(-1), num_threads())
    return out


def _matrix_shape(x: Array) -> tuple[int, int]:
    return math.prod(x.shape[:-1]), x.shape[-1]


def train_grad(
    dy: Array, x: Array, scale: Array, mean: Array, rsqrt: Array, out: Array | None = None
) -> tuple[Array, Array, Array]:
    """Gradients of x, scale and offset where mean and rsqrt are the batch's own."""
    to_factor, to_offset = _sums(dy, x, mean)
    count = scale.dtype.type(max(x.size // max(x.shape[-1], 1), 1))
    slope = -scale * rsqrt * rsqrt * rsqrt * (to_factor / count)
    shift = -scale * rsqrt * (to_offset / count)
    dx = _combine(dy, x, scale * rsqrt, slope, shift, mean, out)
    return dx, to_factor * rsqrt, to_offset


def apply_grad(
    dy: Array, x: Array, scale: Array, mean: Array, rsqrt: Array, out: Array | None = None
) -> tuple[Array, Array, Array]:
    """Gradients of x, scale and offset where mean and rsqrt are given."""
    to_factor, to_offset = _sums(dy, x, mean)
    dx = _returned(_wide(dy) * (scale * rsqrt), dy, out)
    return dx, to_factor * rsqrt, to_offset


def _returned(values: Array, like: Array, out: Array | None) -> Array:
    if out is None:
        return values.astype(like.dtype, copy=False)
    np.copyto(out, values, casting="same_kind")
    return out


def _sums(dy: Array, x: Array, mean: Array) -> tuple[Array, Array]:
    """sum(dy * (x - mean)) and sum(dy) of each channel."""
    rows, channels = _matrix_shape(x)
    if not _compiled_for(x, dy, mean):
        slopes, values = (_wide(array).reshape(rows, channels) for array in (dy, x))
        return np.einsum("ij,ij->j", slopes, values - mean), np.add.reduce(slopes, 0)
    count = lanes(rows, channels)
    width, parts = channels * count, num_threads()
    products, totals = np.empty(width, x.dtype), np.empty(width, x.dtype)
    sums = scratch("batch norm", 4 * parts * width, x.dtype)
    block = max(1, BLOCK // width)
    _gradient_sums(flat(dy), flat(x), repeat(mean, count), products, totals, sums, block, parts)
    return fold(products, count), fold(totals, count)


def _combine(dy, x, factor, slope, shift, mean, out) -> Array:
    """Factor * dy + slope * (x - mean) + shift."""
    if not _compiled_for(x, dy, factor) or (out is not None and not out.flags.c_contiguous):
        return _returned(factor * _wide(dy) + slope * (_wide(x) - mean) + shift, x, out)
    out = np.empty(x.shape, x.dtype) if out is None else out
    count = lanes(*_matrix_shape(x))
    vectors = [repeat(vector, count) for vector in (factor, slope, shift, mean)]
    _combine_rows(flat(dy), flat(x), *vectors, out.reshape(-1), num_threads())
    return out


# --- compiled ----------------------------------------------------------------------------------------


@jit
def _add_to(total, values):
    for i in range(total.size):
        total[i] += values[i]


@jit
def _add_squares(total, values, mean):
    for i in range(total.size):
        difference = values[i] - mean[i]
        total[i] += difference * difference


@jit
def _merge_moments(mean, squares, count, other_mean, other_squares, other_count):
    """Make mean and sum of squared differences those of both sets of values."""
    both = count + other_count
    share = mean.dtype.type(other_count / both)
    weight = mean.dtype.type(count * (other_count / both))
    for i in range(mean.size):
        difference = other_mean[i] - mean[i]
        mean[i] += difference * share
        squares[i] += other_squares[i] + difference * difference * weight


@parallel_jit
def _moments(x, mean, variance, sums, block, parts):
    channels = mean.size
    rows = x.size // channels
    for part in prange(parts):
        base = 4 * part * channels
        own_mean, own_squares = sums[base : base + channels], sums[base + channels : base + 2 * channels]
        block_mean = sums[base + 2 * channels : base + 3 * channels]
        block_squares = sums[base + 3 * channels : base + 4 * channels]
        own_mean[:] = 0
        own_squares[:] = 0
        start, stop = chunk(rows, parts, np.int64(part))
        for first in range(start, stop, block):
            last = min(first + block, stop)
            size = x.dtype.type(last - first)
            block_mean[:] = 0
            for row in range(first, last):
                _add_to(block_mean, x[row * channels : (row + 1) * channels])
            for i in range(channels):
                block_mean[i] /= size
            block_squares[:] = 0
            for row in range(first, last):
                _add_squares(block_squares, x[row * channels : (row + 1) * channels], block_mean)
            _merge_moments(own_mean, own_squares, first - start, block_mean, block_squares, last - first)
    for i in range(channels):
        mean[i] = sums[i]
        variance[i] = sums[channels + i]
    start, count = chunk(rows, parts, 0)
    for part in range(1, parts):
        start, stop = chunk(rows, parts, part)
        base = 4 * part * channels
        if stop > start:
            _merge_moments(
                mean, variance, count,
                sums[base : base + channels], sums[base + channels : base + 2 * channels], stop - start,
            )  # fmt: skip
            count += stop - start
    for i in range(channels):
        variance[i] /= rows


@jit
def _apply_row(x, factor, offset, mean, y):
    for i in range(y.size):
        y[i] = (x[i] - mean[i]) * factor[i] + offset[i]


@parallel_jit
def _apply(x, factor, offset, mean, y, parts):
    channels = mean.size
    for part in prange(parts):
        start, stop = chunk(x.size // channels, parts, np.int64(part))
        for row in range(start, stop):
            first, last = row * channels, (row + 1) * channels
            _apply_row(x[first:last], factor, offset, mean, y[first:last])


@jit
def _add_products(products, totals, dy, x, mean):
    for i in range(totals.size):
        products[i] += dy[i] * (x[i] - mean[i])
        totals[i] += dy[i]


@parallel_jit
def _gradient_sums(dy, x, mean, products, totals, sums, block, parts):
    channels = mean.size
    for part in prange(parts):
        base = 4 * part * channels
        own_products, own_totals = sums[base : base + channels], sums[base + channels : base + 2 * channels]
        block_products = sums[base + 2 * channels : base + 3 * channels]
        block_totals = sums[base + 3 * channels : base + 4 * channels]
        own_products[:] = 0
        own_totals[:] = 0
        start, stop = chunk(x.size // channels, parts, np.int64(part))
        for begin in range(start, stop, block):
            block_products[:] = 0
            block_totals[:] = 0
            for row in range(begin, min(begin + block, stop)):
                first, last = row * channels, (row + 1) * channels
                _add_products(block_products, block_totals, dy[first:last], x[first:last], mean)
            _add_to(own_products, block_products)
            _add_to(own_totals, block_totals)
    for i in range(channels):
        products[i], totals[i] = sums[i], sums[channels + i]
    for part in range(1, parts):
        base = 4 * part * channels
        _add_to(products, sums[base : base + channels])
        _add_to(totals, sums[base + channels : base + 2 * channels])


@jit
def _combine_row(dy, x, factor, slope, shift, mean, dx):
    for i in range(dx.size):
        dx[i] = factor[i] * dy[i] + slope[i] * (x[i] - mean[i]) + shift[i]


@parallel_jit
def _combine_rows(dy, x, factor, slope, shift, mean, dx, parts):
    channels = mean.size
    for part in prange(parts):
        start, stop = chunk(x.size // channels, parts, np.int64(part))
        for row in range(start, stop):
            first, last = row * channels, (row + 1) * channels
            _combine_row(dy[first:last], x[first:last], factor, slope, shift, mean, dx[first:last])
