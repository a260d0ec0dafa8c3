"""Convolution and pooling in three dimensions.

Volumes are (N, D, H, W, C), filters (KD, KH, KW, C, O). A convolution is a sum over the depth of the filter
of two-dimensional ones, each over the slices of depth that this layer of the filter meets; pooling walks
over the window's cells with NumPy. Padding is explicit, a pair for each dimension.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from minitf.kernels import conv
from minitf.kernels.conv import output_length

__all__ = [
    "avg_pool3d",
    "avg_pool3d_grad",
    "conv3d",
    "conv3d_backprop_filter",
    "conv3d_backprop_input",
    "max_pool3d",
    "max_pool3d_gather",
    "max_pool3d_grad",
]

Array = np.ndarray
Triple = tuple[int, int, int]
Padding = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


# --- convolution -------------------------------------------------------------------------------------


def _layers(
    depth: int, out_depth: int, taps: int, stride: int, padding: tuple[int, int], dilation: int
) -> Iterator[tuple[int, slice, slice]]:
    """Each layer of a filter, with the slices of the volume it meets and those of the result they go to."""
    for tap in range(taps):
        seen, kept = _met(depth, out_depth, tap * dilation - padding[0], stride)
        if kept.stop > kept.start:
            yield tap, seen, kept


def _met(size: int, out_size: int, offset: int, stride: int) -> tuple[slice, slice]:
    """Which cells i * stride + offset lie in [0, size), and for which i."""
    first = max(0, -(offset // stride))
    stop = max(first, min(out_size, (size - 1 - offset) // stride + 1))
    begin = first * stride + offset
    return slice(begin, begin + (stop - first - 1) * stride + 1 if stop > first else begin, stride), slice(
        first, stop
    )


def _images(volume: Array) -> Array:
    """(N, D, H, W, C) as (N * D, H, W, C)."""
    return np.ascontiguousarray(volume).reshape(-1, *volume.shape[2:])


def _result_shape(x_shape, w_shape, strides, padding, dilations) -> tuple[int, ...]:
    sizes = [
        output_length(x_shape[1 + i], w_shape[i], strides[i], padding[i], dilations[i]) for i in range(3)
    ]
    return (x_shape[0], *sizes, w_shape[4])


def conv3d(
    x: Array, w: Array, strides: Triple, padding: Padding, dilations: Triple, out: Array | None = None
) -> Array:
    """Convolve volumes with filters; returns (N, OD, OH, OW, O)."""
    shape = _result_shape(x.shape, w.shape, strides, padding, dilations)
    y = np.empty(shape, x.dtype) if out is None else out
    y[...] = 0
    plane = (strides[1:], padding[1:], dilations[1:])
    layers = _layers(x.shape[1], shape[1], w.shape[0], strides[0], padding[0], dilations[0])
    for tap, seen, kept in layers:
        part = conv.conv2d(_images(x[:, seen]), np.ascontiguousarray(w[tap]), *plane)
        y[:, kept] += part.reshape(shape[0], -1, *shape[2:])
    return y


def conv3d_backprop_input(
    x_shape: tuple[int, ...],
    w: Array,
    dy: Array,
    strides: Triple,
    padding: Padding,
    dilations: Triple,
    out: Array | None = None,
) -> Array:
    """The gradient of `conv3d` with respect to volumes of `x_shape`."""
    dx = np.empty(x_shape, dy.dtype) if out is None else out
    dx[...] = 0
    plane = (strides[1:], padding[1:], dilations[1:])
    layers = _layers(x_shape[1], dy.shape[1], w.shape[0], strides[0], padding[0], dilations[0])
    for tap, seen, kept in layers:
        slopes = _images(dy[:, kept])
        shape = (len(slopes), *x_shape[2:])
        part = conv.conv2d_backprop_input(shape, np.ascontiguousarray(w[tap]), slopes, *plane)
        dx[:, seen] += part.reshape(x_shape[0], -1, *x_shape[2:])
    return dx


def conv3d_backprop_filter(
    x: Array,
    w_shape: tuple[int, ...],
    dy: Array,
    strides: Triple,
    padding: Padding,
    dilations: Triple,
    out: Array | None = None,
) -> Array:
    """The gradient of `conv3d` with respect to filters of `w_shape`."""
    dw = np.empty(w_shape, x.dtype) if out is None else out
    dw[...] = 0
    plane = (strides[1:], padding[1:], dilations[1:])
    layers = _layers(x.shape[1], dy.shape[1], w_shape[0], strides[0], padding[0], dilations[0])
    for tap, seen, kept in layers:
        images, slopes = _images(x[:, seen]), _images(dy[:, kept])
        dw[tap] = conv.conv2d_backprop_filter(images, w_shape[1:], slopes, *plane)
    return dw


# --- pooling -----------------------------------------------------------------------------------------


def _cells(
    x_shape: tuple[int, ...], y_shape: tuple[int, ...], ksize: Triple, strides: Triple, padding: Padding
) -> Iterator[tuple[int, tuple[slice, ...], tuple[slice, ...]]]:
    """Each cell of a window: its number, where volumes have it, and which windows have it inside."""
    for number, places in enumerate(product(*map(range, ksize))):
        met = [_met(x_shape[1 + i], y_shape[1 + i], places[i] - padding[i][0], strides[i]) for i in range(3)]
        yield number, (slice(None), *[m[0] for m in met]), (slice(None), *[m[1] for m in met])


def _pooled(x_shape, ksize, strides, padding) -> tuple[int, ...]:
    sizes = [output_length(x_shape[1 + i], ksize[i], strides[i], padding[i]) for i in range(3)]
    return (x_shape[0], *sizes, x_shape[4])


def max_pool3d(
    x: Array,
    ksize: Triple,
    strides: Triple,
    padding: Padding,
    out: Array | None = None,
    argmax: Array | None = None,
) -> tuple[Array, Array]:
    """The maximum over each window, and the number of its cell there (uint16, row-major)."""
    shape = _pooled(x.shape, ksize, strides, padding)
    y = np.empty(shape, x.dtype) if out is None else out
    places = np.empty(shape, np.uint16) if argmax is None else argmax
    y[...] = np.finfo(x.dtype).min
    places[...] = 0
    for number, seen, kept in _cells(x.shape, shape, ksize, strides, padding):
        better = x[seen] > y[kept]
        np.copyto(y[kept], x[seen], where=better)
        np.copyto(places[kept], number, where=better)
    return y, places


def max_pool3d_grad(
    argmax: Array,
    dy: Array,
    x_shape: tuple[int, ...],
    ksize: Triple,
    strides: Triple,
    padding: Padding,
    out: Array | None = None,
) -> Array:
    """dy, sent to the places of the maxima in volumes of `x_shape`."""
    dx = np.empty(x_shape, dy.dtype) if out is None else out
    dx[...] = 0
    for number, seen, kept in _cells(x_shape, dy.shape, ksize, strides, padding):
        dx[seen] += np.where(argmax[kept] == number, dy[kept], 0)
    return dx


def max_pool3d_gather(
    argmax: Array, x: Array, ksize: Triple, strides: Triple, padding: Padding, out: Array | None = None
) -> Array:
    """What volumes x have at the places of maxima of other volumes."""
    y = np.empty(argmax.shape, x.dtype) if out is None else out
    y[...] = 0
    for number, seen, kept in _cells(x.shape, argmax.shape, ksize, strides, padding):
        np.copyto(y[kept], x[seen], where=argmax[kept] == number)
    return y


def _counts(x_shape, y_shape, ksize, strides, padding, dtype) -> Array:
    """How many cells of each window are inside the volume, (1, OD, OH, OW, 1)."""
    counts = np.zeros((1, *y_shape[1:4], 1), dtype)
    for _, _, kept in _cells(x_shape, y_shape, ksize, strides, padding):
        counts[kept] += 1
    return counts


def avg_pool3d(x: Array, ksize: Triple, strides: Triple, padding: Padding, out: Array | None = None) -> Array:
    """The mean over each window's cells inside the volume."""
    shape = _pooled(x.shape, ksize, strides, padding)
    wide = np.float32 if x.dtype == np.float16 else x.dtype
    y = np.zeros(shape, wide)
    for _, seen, kept in _cells(x.shape, shape, ksize, strides, padding):
        y[kept] += x[seen]
    y /= _counts(x.shape, shape, ksize, strides, padding, wide)
    if out is None:
        return y.astype(x.dtype, copy=False)
    np.copyto(out, y, casting="same_kind")
    return out


def avg_pool3d_grad(
    dy: Array,
    x_shape: tuple[int, ...],
    ksize: Triple,
    strides: Triple,
    padding: Padding,
    out: Array | None = None,
) -> Array:
    """The gradient of the means with respect to volumes of `x_shape`: dy, spread over windows."""
    wide = np.float32 if dy.dtype == np.float16 else dy.dtype
    share = dy / _counts(x_shape, dy.shape, ksize, strides, padding, wide)
    dx = np.zeros(x_shape, wide)
    for _, seen, kept in _cells(x_shape, dy.shape, ksize, strides, padding):
        dx[seen] += share[kept]
    if out is None:
        return dx.astype(dy.dtype, copy=False)
    np.copyto(out, dx, casting="same_kind")
    return out
