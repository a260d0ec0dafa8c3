"""Activation functions and their slopes, and biases. Each is called like a ufunc: f(x, …, out=None).

Small arrays run NumPy; for large ones of float32 or float64 the commonest functions have compiled loops
that read and write memory once, on all threads.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import math

import numpy as np

from minitf.kernels.exponential import expm1
from minitf.kernels.threads import chunk, copy, flat, jit, num_threads, parallel_jit, prange, scratch

__all__ = [
    "elu",
    "elu_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "relu",
    "relu6",
    "relu6_grad",
    "relu_grad",
    "selu",
    "selu_grad",
    "softplus",
    "softplus_grad",
    "softsign",
    "softsign_grad",
]

Array = np.ndarray

SMALL = 40_000
"""With fewer values NumPy is fast enough not to load a compiler for."""

# Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
SELU_SCALE = 1.0507009873554804934193349852946
SELU_SCALED_ALPHA = 1.7580993408473768599402175208123


def _compiled_for(x: Array, out: Array | None) -> bool:
    return x.size >= SMALL and x.dtype.char in "fd" and (out is None or out.flags.c_contiguous)


def _buffer(x: Array, out: Array | None) -> Array:
    return np.empty(x.shape, x.dtype) if out is None else out


# --- piecewise linear --------------------------------------------------------------------------------


def relu(x: Array, out: Array | None = None) -> Array:
    """max(x, 0); NaN stays NaN."""
    if not _compiled_for(x, out):
        return np.maximum(x, x.dtype.type(0), out=out)
    out = _buffer(x, out)
    kind = x.dtype.type
    _clip_all(flat(x), out.reshape(-1), kind(0), kind(math.inf), num_threads())
    return out


def relu6(x: Array, out: Array | None = None) -> Array:
    """min(max(x, 0), 6); NaN stays NaN."""
    if not _compiled_for(x, out):
        return np.clip(x, x.dtype.type(0), x.dtype.type(6), out)
    out = _buffer(x, out)
    kind = x.dtype.type
    _clip_all(flat(x), out.reshape(-1), kind(0), kind(6), num_threads())
    return out


def relu_grad(gradient: Array, features: Array, out: Array | None = None) -> Array:
    """The gradient where features > 0, else 0 times it."""
    if not _compiled_for(gradient, out):
        return np.multiply(gradient, features > 0, out)
    out = _buffer(gradient, out)
    _between(gradient, features, math.inf, True, out)
    return out


def relu6_grad(gradient: Array, features: Array, out: Array | None = None) -> Array:
    """The gradient where 0 < features < 6, else 0 times it."""
    if not _compiled_for(gradient, out):
        return np.multiply(gradient, (features > 0) & (features < 6), out)
    out = _buffer(gradient, out)
    _between(gradient, features, 6, False, out)
    return out


def _between(gradient: Array, features: Array, limit: float, limit_too: bool, out: Array) -> None:
    kind = gradient.dtype.type
    arrays = flat(gradient), flat(features), out.reshape(-1)
    _between_all(*arrays, kind(0), kind(limit), limit_too, num_threads())


def leaky_relu(x: Array, alpha: float, out: Array | None = None) -> Array:
    """x where x > 0, else alpha * x; alpha is rounded to float32, as TensorFlow stores it."""
    alpha = x.dtype.type(np.float32(alpha))
    if not _compiled_for(x, out):
        return _select(x > 0, x, x * alpha, out)
    out = _buffer(x, out)
    _leaky_all(flat(x), flat(x), out.reshape(-1), alpha, num_threads())
    return out


def leaky_relu_grad(gradient: Array, features: Array, alpha: float, out: Array | None = None) -> Array:
    """The gradient where features > 0, else alpha times it."""
    alpha = gradient.dtype.type(np.float32(alpha))
    if not _compiled_for(gradient, out):
        return _select(features > 0, gradient, gradient * alpha, out)
    out = _buffer(gradient, out)
    _leaky_all(flat(gradient), flat(features), out.reshape(-1), alpha, num_threads())
    return out


# Where a result overwrites an operand, the loop must read that operand through the result: to the compiler,
# two arrays in one place overlap in unknown ways, which rules out vectors.


# And zero comes in as a number of their own type: beside a literal 0 they would be widened.


@jit
def _clipped(value, zero, limit):
    value = value if not value < zero else zero
    return value if not value > limit else limit


@parallel_jit
def _clip_all(x, y, zero, limit, parts):
    """y = x held between zero and limit."""
    in_place = x.ctypes.data == y.ctypes.data
    for part in prange(parts):
        start, stop = chunk(x.size, parts, np.int64(part))
        source, target = x[start:stop], y[start:stop]
        if in_place:
            for i in range(target.size):
                target[i] = _clipped(target[i], zero, limit)
        else:
            for i in range(target.size):
                target[i] = _clipped(source[i], zero, limit)


@jit
def _passed(slope, feature, zero, limit, limit_too):
    """The slope where zero < feature < limit, or <= limit if limit_too, else zero times it."""
    return slope if feature > zero and (limit_too or feature < limit) else slope * zero


@parallel_jit
def _between_all(gradient, features, y, zero, limit, limit_too, parts):
    """y = gradient where zero < features < limit, or <= limit if limit_too."""
    in_place = y.ctypes.data == gradient.ctypes.data
    over_features = y.ctypes.data == features.ctypes.data
    for part in prange(parts):
        start, stop = chunk(y.size, parts, np.int64(part))
        slope, feature, target = gradient[start:stop], features[start:stop], y[start:stop]
        if in_place:
            for i in range(target.size):
                target[i] = _passed(target[i], feature[i], zero, limit, limit_too)
        elif over_features:
            for i in range(target.size):
                target[i] = _passed(slope[i], target[i], zero, limit, limit_too)
        else:
            for i in range(target.size):
                target[i] = _passed(slope[i], feature[i], zero, limit, limit_too)


@jit
def _leaked(value, feature, alpha):
    return value if feature > 0 else value * alpha


@parallel_jit
def _leaky_all(x, features, y, alpha, parts):
    """y = x where features > 0, else alpha * x."""
    in_place = y.ctypes.data == x.ctypes.data
    over_features = y.ctypes.data == features.ctypes.data
    for part in prange(parts):
        start, stop = chunk(x.size, parts, np.int64(part))
        source, feature, target = x[start:stop], features[start:stop], y[start:stop]
        if in_place and over_features:
            for i in range(target.size):
                target[i] = _leaked(target[i], target[i], alpha)
        elif in_place:
            for i in range(target.size):
                target[i] = _leaked(target[i], feature[i], alpha)
        elif over_features:
            for i in range(target.size):
                target[i] = _leaked(source[i], target[i], alpha)
        else:
            for i in range(target.size):
                target[i] = _leaked(source[i], feature[i], alpha)


# --- with exponentials -------------------------------------------------------------------------------


def _select(condition: Array, x: Array, y: Array, out: Array | None) -> Array:
    if out is None:
        return np.where(condition, x, y)
    np.copyto(out, np.where(condition, x, y))
    return out


def elu(x: Array, out: Array | None = None) -> Array:
    """x where x > 0, else exp(x) - 1."""
    return _exponential_unit(x, 1.0, 1.0, out)


def _exponential_unit(x: Array, scale: float, scaled_alpha: float, out: Array | None) -> Array:
    """Scale * x where x > 0, else scaled_alpha * (exp(x) - 1)."""
    kind = x.dtype.type
    scale, scaled_alpha = kind(scale), kind(scaled_alpha)
    if x.dtype != np.float32 or not _compiled_for(x, out):
        return _select(x > 0, x * scale, np.expm1(np.minimum(x, 0)) * scaled_alpha, out)
    out = _buffer(x, out)
    parts = num_threads()
    buffer = scratch("exponential unit", _BLOCK * parts, x.dtype)
    _exponential_units(flat(x), out.reshape(-1), scale, scaled_alpha, buffer, parts)
    return out


_BLOCK = 2048


@parallel_jit
def _exponential_units(x, y, scale, scaled_alpha, buffer, parts):
    for part in prange(parts):
        start, stop = chunk(x.size, parts, np.int64(part))
        own = buffer[part * _BLOCK : (part + 1) * _BLOCK]
        for first in range(start, stop, _BLOCK):
            # By way of a buffer, so that y may be x.
            target = y[first : min(first + _BLOCK, stop)]
            source = own[: target.size]
            copy(source, x[first : first + target.size])
            zero = x.dtype.type(0)
            for i in range(target.size):
                value = source[i]
                negative = expm1(min(value, zero)) * scaled_alpha
                target[i] = value * scale if value > zero else negative


def elu_grad(gradient: Array, outputs: Array, out: Array | None = None) -> Array:
    """The gradient times elu'(x), from elu's outputs."""
    return np.multiply(gradient, np.minimum(outputs, 0) + outputs.dtype.type(1), out)


def selu(x: Array, out: Array | None = None) -> Array:
    """Scaled ELU: scale * x where x > 0, else scale * alpha * (exp(x) - 1)."""
    return _exponential_unit(x, SELU_SCALE, SELU_SCALED_ALPHA, out)


def selu_grad(gradient: Array, outputs: Array, out: Array | None = None) -> Array:
    """The gradient times selu'(x), from selu's outputs."""
    kind = outputs.dtype.type
    slope = np.where(outputs < 0, outputs + kind(SELU_SCALED_ALPHA), kind(SELU_SCALE))
    return np.multiply(gradient, slope, out)


def softplus(x: Array, out: Array | None = None) -> Array:
    """log(1 + exp(x)), without overflow."""
    tail = np.log1p(np.exp(-np.abs(x)))
    return np.add(tail, np.maximum(x, x.dtype.type(0)), out)


def softplus_grad(gradient: Array, features: Array, out: Array | None = None) -> Array:
    """The gradient times sigmoid(features)."""
    return np.divide(gradient, np.exp(-features) + features.dtype.type(1), out)


def softsign(x: Array, out: Array | None = None) -> Array:
    """x / (1 + |x|)."""
    return np.divide(x, np.abs(x) + x.dtype.type(1), out)


def softsign_grad(gradient: Array, features: Array, out: Array | None = None) -> Array:
    """The gradient over (1 + |features|) squared."""
    return np.divide(gradient, np.square(np.abs(features) + features.dtype.type(1)), out)
