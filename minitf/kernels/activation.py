"""Activation functions and their slopes, and biases. Each is called like a ufunc: f(x, …, out=None).

Small arrays run NumPy; for large ones of float32 or float64 the commonest functions have compiled loops
that read and write memory once, on all threads.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import math

import numpy as np

from minitf.kernels.threads import chunk, flat, num_threads, parallel_jit, prange

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
    _clip_all(flat(x), out.reshape(-1), x.dtype.type(math.inf), num_threads())
    return out


def relu6(x: Array, out: Array | None = None) -> Array:
    """min(max(x, 0), 6); NaN stays NaN."""
    if not _compiled_for(x, out):
        return np.clip(x, x.dtype.type(0), x.dtype.type(6), out)
    out = _buffer(x, out)
    _clip_all(flat(x), out.reshape(-1), x.dtype.type(6), num_threads())
    return out


def relu_grad(gradient: Array, features: Array, out: Array | None = None) -> Array:
    """The gradient where features > 0, else 0 times it."""
    if not _compiled_for(gradient, out):
        return np.multiply(gradient, features > 0, out)
    out = _buffer(gradient, out)
    limit = gradient.dtype.type(math.inf)
    _between_all(flat(gradient), flat(features), out.reshape(-1), limit, True, num_threads())
    return out


def relu6_grad(gradient: Array, features: Array, out: Array | None = None) -> Array:
    """The gradient where 0 < features < 6, else 0 times it."""
    if not _compiled_for(gradient, out):
        return np.multiply(gradient, (features > 0) & (features < 6), out)
    out = _buffer(gradient, out)
    limit = gradient.dtype.type(6)
    _between_all(flat(gradient), flat(features), out.reshape(-1), limit, False, num_threads())
    return out


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


@parallel_jit
def _clip_all(x, y, limit, parts):
    """y = x held between 0 and limit."""
    for part in prange(parts):
        start, stop = chunk(x.size, parts, np.int64(part))
        source, target = x[start:stop], y[start:stop]
        for i in range(source.size):
            value = source[i]
            value = value if not value < 0 else 0
            target[i] = value if not value > limit else limit


@parallel_jit
def _between_all(gradient, features, y, limit, limit_too, parts):
    """y = gradient where 0 < features < limit, or <= limit if limit_too."""
    for part in prange(parts):
        start, stop = chunk(y.size, parts, np.int64(part))
        slope, feature, target = gradient[start:stop], features[start:stop], y[start:stop]
        if limit_too:
            for i in range(target.size):
                target[i] = slope[i] * (1 if feature[i] > 0 else 0)
        else:
            for i in range(target.size):
                target[i] = slope[i] * (1 if feature[i] > 0 and feature[i] < limit else 0)


@parallel_jit
def _leaky_all(x, features, y, alpha, parts):
    for part in prange(parts):
        start, stop = chunk(x.size, parts, np.int64(part))
        source, feature, target = x[start:stop], features[start:stop], y[start:stop]
        for i in range(target.size):
            target[i] = source[i] if feature[i] > 0 else source[i] * alpha


# --- with exponentials -------------------------------------------------------------------------------


def _select(condition: Array, x: Array, y: Array, out: Array | None) -> Array:
    if out is None:
        return np.where(condition, x, y)
    np.copyto(out, np.where(condition, x, y))
    return out


def elu(x: Array, out: Array | None = None) -> Array:
    """x where x > 0, else exp(x) - 1."""
    return _select(x > 0, x, np.expm1(np.minimum(x, 0)), out)


def elu_grad(gradient: Array, outputs: Array, out: Array | None = None) -> Array:
    """The gradient times elu'(x), from elu's outputs."""
    return np.multiply(gradient, np.minimum(outputs, 0) + outputs.dtype.type(1), out)


def selu(x: Array, out: Array | None = None) -> Array:
    """Scaled ELU: scale * x where x > 0, else scale * alpha * (exp(x) - 1)."""
    kind = x.dtype.type
    return _select(x > 0, x * kind(SELU_SCALE), np.expm1(np.minimum(x, 0)) * kind(SELU_SCALED_ALPHA), out)


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
