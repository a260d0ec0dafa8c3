"""Random distributions as TensorFlow's CPU kernels draw them from a Philox stream.

Each function takes the stream its op has reserved and gives the numbers TensorFlow gives from
there: bit for bit, except where the float64 logarithms and sines of NumPy and the C library differ
in the last place. `Philox` is the state of one stateful op: it reserves, then calls the function.
A stateless op passes `philox.stateless_stream(seed)` to the function itself.

Two ways of spending the stream cover all: a *fill* turns each block of four words into a fixed
group of outputs (two for 64-bit types, four for the others); where the number of words depends on
what is drawn (rejection), each output owns a region of the stream far enough from the next.

May import: numpy, and its neighbours philox and libm.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minitf.kernels import libm
from minitf.kernels.philox import StatefulStream, Stream

RESERVED_PER_OUTPUT = 256  # blocks a kernel reserves for one output, whatever it then uses
TRUNCATION = 2.0  # standard deviations
SMALLEST_UNIFORM = 1.0e-7  # Box–Muller takes no smaller one into its logarithm
_CHUNK = 8192  # blocks at a time, so that every pass over them stays in the cache

Shape = tuple[int, ...]
Transform = Callable[[np.ndarray], np.ndarray]


def uniform(stream: Stream, shape: Shape, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Uniform on [0, 1): float16, float32 or float64 of the given shape."""
    return _fill(stream, shape, dtype, _of_dtype("uniform", _UNIFORM, dtype))


def uniform_int(
    stream: Stream, shape: Shape, minval: int, maxval: int, dtype: DTypeLike = np.int32
) -> np.ndarray:
    """Uniform integers on [minval, maxval): int32, int64, uint32 or uint64 of the given shape.

    As in TensorFlow, the remainder of a random word by the width, hence slightly biased.

    Raises:
      ValueError: `minval` is not below `maxval`.
    """
    words = _of_dtype("uniform_int", _WORDS, dtype)
    if minval >= maxval:
        raise ValueError(f"Need minval < maxval, got {minval} >= {maxval}")
    unsigned = _unsigned(dtype)
    width = np.array(int(maxval) - int(minval), unsigned)
    lowest = np.array([minval], dtype).view(unsigned)
    words_in_range = _fill(stream, shape, unsigned, lambda blocks: words(blocks) % width + lowest)
    return words_in_range.view(dtype)


def uniform_full_int(stream: Stream, shape: Shape, dtype: DTypeLike = np.int32) -> np.ndarray:
    """Uniform on all values of int32, int64, uint32 or uint64, in the given shape."""
    words = _of_dtype("uniform_full_int", _WORDS, dtype)
    return _fill(stream, shape, _unsigned(dtype), words).view(dtype)


def standard_normal(stream: Stream, shape: Shape, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Normal with mean 0 and deviation 1: float16, float32 or float64 of the given shape."""
    return _fill(stream, shape, dtype, _of_dtype("standard_normal", _NORMAL, dtype))


def truncated_normal(stream: Stream, shape: Shape, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Standard normal, redrawn until within two deviations: float16, float32 or float64."""
    transform = _of_dtype("truncated_normal", _NORMAL, dtype)
    group = _group_size(dtype)
    stride = group * RESERVED_PER_OUTPUT // 4
    size = math.prod(shape)
    groups = -(-size // group)
    out = np.empty((groups, group), dtype)
    for start in range(0, groups, _CHUNK):
        stop = min(start + _CHUNK, groups)
        region = stream.skip(start * stride)
        normals = transform(region.blocks(stop - start, stride))
        _redraw_outliers(normals, region, stride, transform)
        out[start:stop] = normals
    return out.reshape(-1)[:size].reshape(shape)


def _redraw_outliers(
    normals: np.ndarray, region: Stream, stride: int, transform: Transform
) -> None:
    """In each row that has an outlier, keep the inliers and append those of the row's next blocks.

    Args:
      normals: (n, group), made of block number `row * stride` of `region`; changed in place.
      region: the stream the rows were drawn from.
      stride: blocks between the rows' beginnings.
      transform: makes `group` normals of a block.
    """
    group = normals.shape[1]
    rows = np.flatnonzero((np.abs(normals) >= TRUNCATION).any(axis=1))
    candidates = normals[rows]
    filled = np.zeros(rows.size, np.intp)
    step = 0
    while rows.size:
        for column in candidates.T:
            taken = np.flatnonzero((np.abs(column) < TRUNCATION) & (filled < group))
            normals[rows[taken], filled[taken]] = column[taken]
            filled[taken] += 1
        unfinished = filled < group
        rows, filled = rows[unfinished], filled[unfinished]
        step += 1
        candidates = transform(region.blocks_at(rows * stride + step))


def gamma(
    stream: Stream, shape: Shape, alpha: ArrayLike, dtype: DTypeLike | None = None
) -> np.ndarray:
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
    draw_uniform = draws(_UNIFORM[np.dtype(np.float64)])
    draw_normal = draws(_NORMAL[np.dtype(np.float64)])

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
        tried, x, v = lanes[positive], x[positive], v[positive] ** 3
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


def poisson(
    stream: Stream, shape: Shape, rate: ArrayLike, dtype: DTypeLike | None = None
) -> np.ndarray:
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
    draw = draws(_UNIFORM[np.dtype(np.float64)])
    floating = dtype.kind == "f"
    highest = float(np.finfo(dtype).max if floating else np.iinfo(dtype).max)
    infinite = np.inf if floating else highest
    _poisson_by_products(rates, out, lanes[rates[lanes] < 10], draw, highest)
    out[np.isposinf(rates)] = infinite
    _poisson_by_rejection(
        rates, out, lanes[(rates[lanes] >= 10) & np.isfinite(rates[lanes])], draw, highest
    )
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


def _samples_first(
    out: np.ndarray, shape: Shape, parameter: np.ndarray, dtype: DTypeLike
) -> np.ndarray:
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


def multinomial(
    stream: Stream, logits: np.ndarray, num_samples: int, dtype: DTypeLike = np.int64
) -> np.ndarray:
    """Class numbers drawn with probabilities softmax(logits).

    Args:
      stream: where to draw from.
      logits: (batch, classes), floating; entries that are not finite are never drawn.
      num_samples: draws per row.
      dtype: int32 or int64.

    Returns:
      (batch, num_samples). TensorFlow splits large batches among its threads, each with a stream
      of its own, so that its draws then depend on the machine; these are those of one thread.
    """
    batch, classes = logits.shape
    finite = np.isfinite(logits)
    lowest = np.finfo(logits.dtype).min
    highest = np.max(logits, axis=1, keepdims=True, where=finite, initial=lowest)
    with np.errstate(over="ignore", invalid="ignore"):
        weights = np.exp(logits.astype(np.float64) - highest.astype(np.float64))
    cumulative = np.cumsum(np.where(finite, weights, 0.0), axis=1)
    wanted = uniform(stream, (batch, num_samples), np.float64) * cumulative[:, -1:]
    out = np.empty((batch, num_samples), dtype)
    for row in range(batch):
        out[row] = np.searchsorted(cumulative[row], wanted[row], side="right")
    return out


def permutation(stream: Stream, size: int) -> np.ndarray:
    """A random order of `size` things (Fisher–Yates, from the front): intp, shape (size,)."""
    order = list(range(size))
    if size > 1:
        words = stream.blocks(-(-(size - 1) // 4)).reshape(-1)[: size - 1]
        partner = np.arange(size - 1) + words % np.arange(size, 1, -1, dtype=np.uint32)
        for here, there in enumerate(partner.tolist()):
            order[here], order[there] = order[there], order[here]
    return np.array(order, np.intp)


class Philox(StatefulStream):
    """The generator of one stateful random op: `seed`, `seed2`, and how far it has got.

    Each method runs the op once: it reserves what TensorFlow's kernel reserves, so that the
    second call gives the numbers of TensorFlow's second run. See the functions of the same names
    for arguments and results.
    """

    __slots__ = ()

    def _outputs(self, count: int) -> Stream:
        return self.reserve(count * RESERVED_PER_OUTPUT)

    def uniform(self, shape: Shape, dtype: DTypeLike = np.float32) -> np.ndarray:
        """RandomUniform."""
        return uniform(self._outputs(math.prod(shape)), shape, dtype)

    def random_uniform_int(
        self, shape: Shape, minval: int, maxval: int, dtype: DTypeLike = np.int32
    ) -> np.ndarray:
        """RandomUniformInt."""
        return uniform_int(self._outputs(math.prod(shape)), shape, minval, maxval, dtype)

    def standard_normal(self, shape: Shape, dtype: DTypeLike = np.float32) -> np.ndarray:
        """RandomStandardNormal."""
        return standard_normal(self._outputs(math.prod(shape)), shape, dtype)

    def truncated_normal(self, shape: Shape, dtype: DTypeLike = np.float32) -> np.ndarray:
        """TruncatedNormal."""
        return truncated_normal(self._outputs(math.prod(shape)), shape, dtype)

    def gamma(self, shape: Shape, alpha: ArrayLike, dtype: DTypeLike | None = None) -> np.ndarray:
        """RandomGamma."""
        return gamma(self._outputs(math.prod(shape) * np.size(alpha)), shape, alpha, dtype)

    def poisson(self, shape: Shape, rate: ArrayLike, dtype: DTypeLike | None = None) -> np.ndarray:
        """RandomPoisson, RandomPoissonV2."""
        return poisson(self._outputs(math.prod(shape) * np.size(rate)), shape, rate, dtype)

    def multinomial(
        self, logits: np.ndarray, num_samples: int, dtype: DTypeLike = np.int64
    ) -> np.ndarray:
        """Multinomial."""
        padded = (num_samples + 3) // 4 * 4
        stream = self._outputs(len(logits) * padded * 2 if num_samples else 0)
        return multinomial(stream, logits, num_samples, dtype)

    def shuffle(self, array: np.ndarray) -> np.ndarray:
        """RandomShuffle: a copy of `array`, shuffled along its first dimension."""
        if array.size <= 1 or len(array) <= 1:
            return array.copy()
        stream = self.reserve((len(array) + 2) // 4)
        return array[permutation(stream, len(array))]


def _unsigned(dtype: DTypeLike) -> np.dtype:
    return np.dtype(f"u{np.dtype(dtype).itemsize}")


def _group_size(dtype: DTypeLike) -> int:
    return 2 if np.dtype(dtype).itemsize == 8 else 4


def _fill(stream: Stream, shape: Shape, dtype: DTypeLike, transform: Transform) -> np.ndarray:
    """Block by block, each made into one group of outputs by `transform`."""
    group = _group_size(dtype)
    size = math.prod(shape)
    groups = -(-size // group)
    out = np.empty((groups, group), dtype)
    for start in range(0, groups, _CHUNK):
        stop = min(start + _CHUNK, groups)
        out[start:stop] = transform(stream.skip(start).blocks(stop - start))
    return out.reshape(-1)[:size].reshape(shape)


def _of_dtype(name: str, table: dict[np.dtype, Transform], dtype: DTypeLike) -> Transform:
    try:
        return table[np.dtype(dtype)]
    except KeyError:
        known = ", ".join(str(key) for key in table)
        raise TypeError(f"{name}: dtype {np.dtype(dtype)} is not one of {known}") from None


def _uniform_float16(blocks: np.ndarray) -> np.ndarray:
    """The low 10 bits of each word as the fraction of a number in [1, 2), less 1."""
    bits = (blocks & 0x3FF).astype(np.uint16) | np.uint16(15 << 10)
    return bits.view(np.float16) - np.float16(1)


def _uniform_float32(blocks: np.ndarray) -> np.ndarray:
    """The low 23 bits of each word as the fraction of a number in [1, 2), less 1."""
    bits = blocks & 0x7FFFFF
    bits |= 127 << 23
    return bits.view(np.float32) - np.float32(1)


def _uniform_float64(blocks: np.ndarray) -> np.ndarray:
    """20 bits of an even word over the odd word after it, as a fraction: two from a block."""
    bits = (blocks[:, 0::2] & 0xFFFFF).astype(np.uint64) << 32
    bits |= blocks[:, 1::2]
    bits |= 1023 << 52
    return bits.view(np.float64) - 1.0


def _normal_float32(blocks: np.ndarray) -> np.ndarray:
    """Box–Muller on pairs of words: four from a block."""
    uniforms = _uniform_float32(blocks)
    radius = np.maximum(uniforms[:, 0::2], np.float32(SMALLEST_UNIFORM))
    radius = np.sqrt(np.float32(-2) * libm.log(radius))
    angle = (2 * math.pi * uniforms[:, 1::2].astype(np.float64)).astype(np.float32)
    return _polar_pairs(radius, *libm.sin_cos(angle))


def _normal_float64(blocks: np.ndarray) -> np.ndarray:
    """Box–Muller on pairs of float64 uniforms: two from a block."""
    uniforms = _uniform_float64(blocks)
    radius = np.sqrt(-2.0 * np.log(np.maximum(uniforms[:, 0:1], SMALLEST_UNIFORM)))
    angle = 2 * math.pi * uniforms[:, 1:2]
    return _polar_pairs(radius, np.sin(angle), np.cos(angle))


def _polar_pairs(radius: np.ndarray, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    normals = np.empty((len(radius), 2 * radius.shape[1]), radius.dtype)
    np.multiply(sine, radius, out=normals[:, 0::2])
    np.multiply(cosine, radius, out=normals[:, 1::2])
    return normals


def _words32(blocks: np.ndarray) -> np.ndarray:
    return blocks


def _words64(blocks: np.ndarray) -> np.ndarray:
    """Two 64-bit words from a block, the lower half first."""
    return blocks[:, 0::2] | blocks[:, 1::2].astype(np.uint64) << 32


_UNIFORM: dict[np.dtype, Transform] = {
    np.dtype(np.float16): _uniform_float16,
    np.dtype(np.float32): _uniform_float32,
    np.dtype(np.float64): _uniform_float64,
}
_NORMAL: dict[np.dtype, Transform] = {
    np.dtype(np.float16): _normal_float32,
    np.dtype(np.float32): _normal_float32,
    np.dtype(np.float64): _normal_float64,
}
_WORDS: dict[np.dtype, Transform] = {
    np.dtype(np.int32): _words32,
    np.dtype(np.uint32): _words32,
    np.dtype(np.int64): _words64,
    np.dtype(np.uint64): _words64,
}
