"""Gamma and Poisson variates by rejection, as TensorFlow's CPU kernels draw them.

How many random words an output takes is not known before it is drawn. So each output owns a region
of the stream, far enough from the next; the outputs are then drawn side by side, and those rejected
try again together. All arithmetic is in float64.

May import: numpy, and its neighbours philox and random_fill.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minitf.kernels.philox import Stream
from minitf.kernels.random_fill import (
    RESERVED_PER_OUTPUT,
    Shape,
    Transform,
    normal_float64_from_blocks,
    uniform_float64_from_blocks,
)


def gamma(stream: Stream, shape: Shape, alpha: ArrayLike, dtype: DTypeLike | None = None) -> np.ndarray:
    """Gamma variates of rate 1 (Marsaglia and Tsang 2000, by rejection from normals).

    Args:
      stream: where to draw from.
      shape: the samples per entry of `alpha`.
      alpha: shape parameters, any shape; float16, float32 or float64.
      dtype: of the result; that of `alpha` if None.

    Returns:
      An array of shape `shape + alpha.shape`.
    """
    alpha = np.asarray(alpha)
    alphas, out, lanes, draws = _regions(stream, shape, alpha)
    draw_uniform = draws(uniform_float64_from_blocks)
    draw_normal = draws(normal_float64_from_blocks)

    exponential = lanes[alphas[lanes] == 1.0]
    out[exponential] = -np.log1p(-draw_uniform(exponential))

    lanes = lanes[alphas[lanes] != 1.0]
    boosted = alphas < 1.0
    d = alphas + np.where(boosted, 2.0 / 3, -1.0 / 3)
    c = 1.0 / 3 / np.sqrt(d)
    while lanes.size:
        x = draw_normal(lanes)
        v = 1.0 + c[lanes] * x
        positive = v > 0
        tried, x, v = lanes[positive], x[positive], v[positive]
        v = v * v * v
        u = draw_uniform(tried)
        square = x * x
        with np.errstate(divide="ignore"):
            accepted = (u < 1 - 0.0331 * square * square) | (
                np.log(u) < 0.5 * square + d[tried] * (1 - v + np.log(v))
            )
        done = tried[accepted]
        out[done] = d[done] * v[accepted]
        small = done[boosted[done]]
        out[small] *= draw_uniform(small) ** (1.0 / alphas[small])
        finished = np.zeros(out.size, bool)
        finished[done] = True
        lanes = lanes[~finished[lanes]]
    return _samples_first(out, shape, alpha, alpha.dtype if dtype is None else dtype)


def poisson(stream: Stream, shape: Shape, rate: ArrayLike, dtype: DTypeLike | None = None) -> np.ndarray:
    """Poisson variates: Knuth's product of uniforms below rate 10, Hörmann's PTRS (1993) from 10.

    Args:
      stream: where to draw from.
      shape: the samples per entry of `rate`.
      rate: means, any shape.
      dtype: of the result; that of `rate` if None.

    Returns:
      An array of shape `shape + rate.shape`.
    """
    rate = np.asarray(rate)
    dtype = rate.dtype if dtype is None else np.dtype(dtype)
    rates, out, lanes, draws = _regions(stream, shape, rate)
    draw = draws(uniform_float64_from_blocks)
    floating = dtype.kind == "f"
    highest = float(np.finfo(dtype).max if floating else np.iinfo(dtype).max)
    infinite = np.inf if floating else highest
    _poisson_by_products(rates, out, lanes[rates[lanes] < 10], draw, highest)
    out[np.isposinf(rates)] = infinite
    _poisson_by_rejection(rates, out, lanes[(rates[lanes] >= 10) & np.isfinite(rates[lanes])], draw, highest)
    return _samples_first(out, shape, rate, dtype)


def _poisson_by_products(rates, out, lanes, draw, highest) -> None:
    """Write to `out[lanes]` how many uniforms can be multiplied before e^-rate is passed."""
    limit = np.exp(-rates)
    product = np.ones(rates.size)
    count = 0
    while lanes.size:
        product[lanes] *= draw(lanes)
        stopped = (product[lanes] <= limit[lanes]) & (count <= highest)
        out[lanes[stopped]] = count
        lanes = lanes[~stopped]
        count += 1


def _poisson_by_rejection(rates, out, lanes, draw, highest) -> None:
    """Write Poisson variates to `out[lanes]` by Hörmann's transformed rejection."""
    b = 0.931 + 2.53 * np.sqrt(rates)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    while lanes.size:
        u = draw(lanes) - 0.5
        v = draw(lanes)
        mean, slope, peak = rates[lanes], b[lanes], a[lanes]
        shifted = 0.5 - np.abs(u)
        with np.errstate(divide="ignore", invalid="ignore"):
            k = np.floor((2 * peak / shifted + slope) * u + mean + 0.43)
            possible = k <= highest
            accepted = possible & (shifted >= 0.07) & (v <= 0.9277 - 3.6224 / (slope - 2))
            open_ = possible & ~accepted & (k >= 0) & ~((shifted < 0.013) & (v > shifted))
            left = np.log(v * inverse_alpha[lanes] / (peak / (shifted * shifted) + slope))
        for position in np.flatnonzero(open_):
            log_density = k[position] * math.log(mean[position]) - math.lgamma(k[position] + 1)
            accepted[position] = left[position] <= log_density - mean[position]
        out[lanes[accepted]] = k[accepted]
        lanes = lanes[~accepted]


def _regions(stream: Stream, shape: Shape, parameter: np.ndarray):
    """Lay out one region of the stream per sample, the samples of one parameter side by side.

    Returns:
      The parameter of each lane (float64), an empty float64 result, the lanes' numbers, and a
      function that makes a `_Draws` on the lanes' common positions.
    """
    samples = math.prod(shape)
    repeated = np.repeat(parameter.astype(np.float64).reshape(-1), samples)
    lanes = np.arange(repeated.size)
    position = lanes * RESERVED_PER_OUTPUT
    return (
        repeated,
        np.empty(repeated.size),
        lanes,
        lambda transform: _Draws(stream, position, transform),
    )


def _samples_first(out: np.ndarray, shape: Shape, parameter: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """Turn a flat (parameters, samples) result into one of `shape + parameter.shape`."""
    dtype = np.dtype(dtype)
    by_sample = np.ascontiguousarray(out.reshape(parameter.size, math.prod(shape)).T)
    with np.errstate(over="ignore"):
        if dtype.kind == "f" and dtype.itemsize < 8:  # TensorFlow rounds to float32 on the way,
            by_sample = by_sample.astype(np.float32)  # and its threads flush subnormals to zero
            by_sample[np.abs(by_sample) < np.finfo(np.float32).tiny] = 0
        return by_sample.astype(dtype).reshape(tuple(shape) + parameter.shape)


class _Draws:
    """Float64 numbers for many lanes, two from each block, the second first, as TensorFlow does.

    Args:
      stream: what the positions count from.
      position: the next block of each lane; shared by all draws of the lanes, advanced in place.
      transform: makes two numbers of a block.
    """

    def __init__(self, stream: Stream, position: np.ndarray, transform: Transform):
        self._stream, self._position, self._transform = stream, position, transform
        self._pairs = np.empty((position.size, 2))
        self._left = np.zeros(position.size, np.intp)

    def __call__(self, lanes: np.ndarray) -> np.ndarray:
        spent = lanes[self._left[lanes] == 0]
        self._pairs[spent] = self._transform(self._stream.blocks_at(self._position[spent]))
        self._position[spent] += 1
        self._left[spent] = 2
        self._left[lanes] -= 1
        return self._pairs[lanes, self._left[lanes]]
