"""The busiest draws of `random` once more, compiled: for large arrays, by all threads.

`random` is the specification: each function here gives the very bits that its NumPy twin gives.

May import: numpy, and its neighbours threads, philox and libm.
"""

from __future__ import annotations

import math

import numpy as np

from minitf.kernels import libm
from minitf.kernels.philox import KEY_INCREMENTS, MASK64, MULTIPLIERS, ROUNDS, Stream
from minitf.kernels.threads import jit, parallel_jit, prange

_TILE = 512  # blocks that a thread makes before it turns them into numbers

_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = map(np.uint64, MULTIPLIERS)
_INCREMENT_0, _INCREMENT_1 = map(np.uint64, KEY_INCREMENTS)

_LOG_START, _LOG_TWO = np.int32(libm.LOG_INTERVAL_START), libm.LOG_TWO
_LOG_INVERSE, _LOG_LOGARITHM = (np.ascontiguousarray(column) for column in libm.LOG_TABLE.T)
_LOG_A, _LOG_B, _LOG_C = libm.LOG_POLYNOMIAL
_S1, _S2, _S3 = libm.SIN_POLYNOMIAL
_C1, _C2, _C3, _C4 = libm.COS_POLYNOMIAL
_HALF_PI, _QUADRANTS_24 = libm.HALF_PI, libm.QUADRANTS_24
_TWO_PI = 2 * math.pi
_SMALLEST_UNIFORM = np.float32(1.0e-7)
_TRUNCATION = np.float32(2)
_STRIDE = 256  # blocks between the groups of truncated normals

_exact = jit(fastmath=False)  # a fused a * b + c would round once where NumPy rounds twice
_exact_parallel = parallel_jit(fastmath=False)


def uniform_float32(stream: Stream, out: np.ndarray) -> None:
    """`random.uniform` of float32 into `out`, float32 of shape (groups, 4)."""
    _uniform_float32(out, *_position(stream))


def normal_float32(stream: Stream, out: np.ndarray) -> None:
    """`random.standard_normal` of float32 into `out`, float32 of shape (groups, 4)."""
    _normal_float32(out, *_position(stream))


def truncated_normal_float32(stream: Stream, out: np.ndarray) -> None:
    """`random.truncated_normal` of float32 into `out`, float32 of shape (groups, 4)."""
    _truncated_normal_float32(out, *_position(stream))


def _position(stream: Stream) -> tuple[np.uint64, np.uint64, np.uint64]:
    low, high = stream.counter & MASK64, stream.counter >> 64
    return np.uint64(stream.key), np.uint64(low), np.uint64(high)


@_exact
def _blocks(out, key, low, high, first, stride):
    """Blocks first, first + stride, … of the stream into `out`, uint32 of shape (n, 4)."""
    for i in range(out.shape[0]):
        offset = np.uint64(first + i * stride)
        lower = low + offset
        upper = high + np.uint64(lower < offset)
        word0, word1 = lower & _WORD, lower >> _HALF
        word2, word3 = upper & _WORD, upper >> _HALF
        key0, key1 = key & _WORD, key >> _HALF
        for _ in range(ROUNDS):
            product0 = word0 * _MULTIPLIER_0
            product1 = word2 * _MULTIPLIER_1
            word0 = (product1 >> _HALF) ^ word1 ^ key0
            word2 = (product0 >> _HALF) ^ word3 ^ key1
            word1 = product1 & _WORD
            word3 = product0 & _WORD
            key0 = (key0 + _INCREMENT_0) & _WORD
            key1 = (key1 + _INCREMENT_1) & _WORD
        out[i, 0] = np.uint32(word0)
        out[i, 1] = np.uint32(word1)
        out[i, 2] = np.uint32(word2)
        out[i, 3] = np.uint32(word3)


@_exact
def _to_uniform(numbers):
    """Turn the random words that `numbers`, float32 of shape (n, 4), holds into uniforms."""
    words = numbers.view(np.uint32)
    for i in range(numbers.shape[0]):
        for j in range(4):
            words[i, j] = words[i, j] & np.uint32(0x7FFFFF) | np.uint32(127 << 23)
            numbers[i, j] -= np.float32(1)


@_exact
def _to_normal(numbers, scratch):
    """Turn uniforms in `numbers`, float32 of shape (n, 4), into normals by Box–Muller.

    `scratch`, float32 of shape (n,), is overwritten. For the polynomials see `libm`.
    """
    bits = scratch.view(np.int32)
    for pair in range(0, 4, 2):
        for i in range(numbers.shape[0]):
            scratch[i] = max(numbers[i, pair], _SMALLEST_UNIFORM)
            offset = bits[i] - _LOG_START
            interval = (offset >> 19) & 15
            exponent = offset >> 23
            bits[i] -= exponent << 23
            r = np.float64(scratch[i]) * _LOG_INVERSE[interval] - 1.0
            square = r * r
            start = _LOG_LOGARITHM[interval] + exponent * _LOG_TWO
            polynomial = _LOG_A * square + (_LOG_B * r + _LOG_C)
            logarithm = np.float32(polynomial * square + (start + r))
            radius = np.float32(math.sqrt(np.float32(-2) * logarithm))

            wide = np.float64(np.float32(_TWO_PI * np.float64(numbers[i, pair + 1])))
            quadrant = (np.int32(wide * _QUADRANTS_24) + np.int32(0x800000)) >> 24
            r = wide - quadrant * _HALF_PI
            square = r * r
            cube = r * square
            sine = (r + cube * _S1) + (cube * square) * (_S2 + square * _S3)
            fourth = square * square
            cosine = ((1.0 + square * _C1) + fourth * _C2) + (fourth * square) * (_C3 + square * _C4)
            swapped = quadrant & 1 != 0
            up = cosine if swapped else sine
            right = sine if swapped else cosine
            up = -up if quadrant & 2 else up
            right = -right if (quadrant + 1) & 2 else right
            numbers[i, pair] = np.float32(up) * radius
            numbers[i, pair + 1] = np.float32(right) * radius


@_exact_parallel
def _uniform_float32(out, key, low, high):
    for tile in prange(-(-out.shape[0] // _TILE)):
        start = tile * _TILE
        numbers = out[start : start + _TILE]
        _blocks(numbers.view(np.uint32), key, low, high, start, 1)
        _to_uniform(numbers)


@_exact_parallel
def _normal_float32(out, key, low, high):
    for tile in prange(-(-out.shape[0] // _TILE)):
        start = tile * _TILE
        numbers = out[start : start + _TILE]
        scratch = np.empty(_TILE, np.float32)
        _blocks(numbers.view(np.uint32), key, low, high, start, 1)
        _to_uniform(numbers)
        _to_normal(numbers, scratch)


@_exact_parallel
def _truncated_normal_float32(out, key, low, high):
    for tile in prange(-(-out.shape[0] // _TILE)):
        start = tile * _TILE
        numbers = out[start : start + _TILE]
        scratch = np.empty(_TILE, np.float32)
        _blocks(numbers.view(np.uint32), key, low, high, start * _STRIDE, _STRIDE)
        _to_uniform(numbers)
        _to_normal(numbers, scratch)
        for i in range(numbers.shape[0]):
            filled = 0
            for j in range(4):
                if abs(numbers[i, j]) < _TRUNCATION:
                    numbers[i, filled] = numbers[i, j]
                    filled += 1
            step = 0
            while filled < 4:
                step += 1
                more = np.empty((1, 4), np.float32)
                _blocks(more.view(np.uint32), key, low, high, (start + i) * _STRIDE + step, 1)
                _to_uniform(more)
                _to_normal(more, scratch)
                for j in range(4):
                    if filled < 4 and abs(more[0, j]) < _TRUNCATION:
                        numbers[i, filled] = more[0, j]
                        filled += 1
