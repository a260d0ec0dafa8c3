"""Local response normalization across channels, and its gradient.

    y[..., c] = x[..., c] / (bias + alpha * sum over |d| <= depth_radius of x[..., c + d]**2) ** beta

(Krizhevsky et al., 2012, section 3.3). With s the term in brackets and g the gradient of y, that of
x is g * s**-beta - 2 * alpha * beta * x * (the same window's sum of g * y / s).

The NumPy functions are the specification; the compiled ones go pixel by pixel.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.threads import (
    chunk,
    flat,
    jit,
    num_threads,
    parallel_jit,
    prange,
    result,
    scratch,
)

__all__ = ["local_response_normalization", "local_response_normalization_grad"]

SMALL = 20_000
"""With fewer values NumPy is fast enough not to load a compiler for."""


def local_response_normalization(
    x: np.ndarray,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Divide each value by a power of the squares around it along the last axis.

    Args:
      x: (..., C), of a floating dtype.
      depth_radius: how many channels on either side belong to the window.
      bias: added to the scaled sum of squares.
      alpha: scale of the sum of squares.
      beta: the power.
      out: where to put the result, C-contiguous; made anew by default.

    Returns:
      An array of the shape and dtype of x.
    """
    y = result(x.shape, x.dtype, out)
    if _runs_on_numpy(x):
        y[...] = _forward_numpy(x, depth_radius, bias, alpha, beta)
    else:
        parts = num_threads()
        _forward(
            flat(x), y.reshape(-1), scratch("lrn", parts * x.shape[-1], x.dtype),
            x.shape[-1], int(depth_radius), *_numbers(x.dtype, bias, alpha, beta), parts,
        )  # fmt: skip
    return y


def local_response_normalization_grad(
    dy: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The gradient with respect to x, given that of y = local_response_normalization(x, ...)."""
    dx = result(x.shape, x.dtype, out)
    if _runs_on_numpy(x):
        dx[...] = _gradient_numpy(dy, x, y, depth_radius, bias, alpha, beta)
    else:
        parts = num_threads()
        _gradient(
            flat(dy), flat(x), flat(y), dx.reshape(-1),
            scratch("lrn", 2 * parts * x.shape[-1], x.dtype),
            x.shape[-1], int(depth_radius), *_numbers(x.dtype, bias, alpha, beta), parts,
        )  # fmt: skip
    return dx


def _runs_on_numpy(x: np.ndarray) -> bool:
    return x.dtype.char not in "fd" or x.size < SMALL


def _numbers(dtype: np.dtype, *values: float) -> tuple[np.floating, ...]:
    return tuple(dtype.type(value) for value in values)


# The specification ---------------------------------------------------------------------------


def _window_sums(values, radius):
    sums = values.copy()
    for shift in range(1, min(radius, values.shape[-1] - 1) + 1):
        sums[..., shift:] += values[..., :-shift]
        sums[..., :-shift] += values[..., shift:]
    return sums


def _forward_numpy(x, radius, bias, alpha, beta):
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    bias, alpha, beta = _numbers(wide.dtype, bias, alpha, beta)
    return wide * (bias + alpha * _window_sums(wide * wide, radius)) ** -beta


def _gradient_numpy(dy, x, y, radius, bias, alpha, beta):
    if x.dtype == np.float16:
        dy, x, y = (array.astype(np.float32) for array in (dy, x, y))
    bias, alpha, beta = _numbers(x.dtype, bias, alpha, beta)
    base = bias + alpha * _window_sums(x * x, radius)
    return dy * base**-beta - 2 * alpha * beta * x * _window_sums(dy * y / base, radius)


# Compiled kernels ----------------------------------------------------------------------------


@jit
def _window_sum(values, radius, sums):
    for i in range(sums.size):
        sums[i] = values[i]
    for shift in range(1, min(radius, sums.size - 1) + 1):
        later, earlier = sums[shift:], sums[: sums.size - shift]
        for i in range(later.size):
            later[i] += values[i]
        moved = values[shift:]
        for i in range(earlier.size):
            earlier[i] += moved[i]


@jit
def _inverse_powers(base, beta):
    """base ** -beta in place; square roots are far cheaper than powers."""
    one = base.dtype.type(1)
    if beta == 0.5:
        for i in range(base.size):
            base[i] = one / np.sqrt(base[i])
    elif beta == 0.75:
        for i in range(base.size):
            root = np.sqrt(base[i])
            base[i] = one / (root * np.sqrt(root))
    elif beta == 1:
        for i in range(base.size):
            base[i] = one / base[i]
    else:
        for i in range(base.size):
            base[i] = base[i] ** -beta


@jit
def _forward_part(x, y, buffer, channels, radius, bias, alpha, beta, parts, part):
    base = buffer[part * channels : (part + 1) * channels]
    first, stop = chunk(x.size // channels, parts, part)
    for pixel in range(first, stop):
        values = x[pixel * channels : (pixel + 1) * channels]
        made = y[pixel * channels : (pixel + 1) * channels]
        for i in range(channels):
            made[i] = values[i] * values[i]
        _window_sum(made, radius, base)
        for i in range(channels):
            base[i] = bias + alpha * base[i]
        _inverse_powers(base, beta)
        for i in range(channels):
            made[i] = values[i] * base[i]


@parallel_jit
def _forward(x, y, buffer, channels, radius, bias, alpha, beta, parts):
    for part in prange(parts):
        _forward_part(x, y, buffer, channels, radius, bias, alpha, beta, parts, np.int64(part))


@jit
def _gradient_part(dy, x, y, dx, buffer, channels, radius, bias, alpha, beta, parts, part):
    base = buffer[2 * part * channels : (2 * part + 1) * channels]
    ratios = buffer[(2 * part + 1) * channels : (2 * part + 2) * channels]
    scale = 2 * alpha * beta
    first, stop = chunk(x.size // channels, parts, part)
    for pixel in range(first, stop):
        start, end = pixel * channels, (pixel + 1) * channels
        slopes, values, results, made = dy[start:end], x[start:end], y[start:end], dx[start:end]
        for i in range(channels):
            made[i] = values[i] * values[i]
        _window_sum(made, radius, base)
        for i in range(channels):
            base[i] = bias + alpha * base[i]
        for i in range(channels):
            ratios[i] = slopes[i] * results[i] / base[i]
        _window_sum(ratios, radius, made)
        _inverse_powers(base, beta)
        for i in range(channels):
            made[i] = slopes[i] * base[i] - scale * values[i] * made[i]


@parallel_jit
def _gradient(dy, x, y, dx, buffer, channels, radius, bias, alpha, beta, parts):
    for part in prange(parts):
        _gradient_part(dy, x, y, dx, buffer, channels, radius, bias, alpha, beta, parts, np.int64(part))
