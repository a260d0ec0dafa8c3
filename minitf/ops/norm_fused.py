"""Fused batch normalization, its gradient, and the gradient of that."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import SCALAR, TensorShape
from minitf.kernels import normalize as kernels
from minitf.kernels.layout import channels_first, channels_last
from minitf.ops import math, windows
from minitf.ops.array import cast, reshape
from minitf.ops.reduce import reduce_mean, reduce_sum
from minitf.ops.registry import Types, gradient, interpreter, op
from minitf.ops.shape_rules import merge_sizes, require_rank

_Images = Types("Images", (dtypes.float16, dtypes.float32))
_Statistics = Types("Statistics", (dtypes.float32,))


def _normalized(x, scale, offset, mean, variance, *, is_training, data_format, **_attrs):
    images = windows.image_shape(x, data_format)
    axis = windows.channel_axis(data_format)
    given = (scale, offset) if is_training else (scale, offset, mean, variance)
    channels = images.sizes[axis]
    for vector in given:
        channels = merge_sizes(channels, require_rank(vector, 1).sizes[0])
    sizes = list(images.sizes)
    sizes[axis] = channels
    return [TensorShape(sizes), *[TensorShape([channels])] * 4, SCALAR]


@op("FusedBatchNormV3", shape=_normalized)
def _fused_batch_norm(
    x: _Images,
    scale: _Statistics,
    offset: _Statistics,
    mean: _Statistics,
    variance: _Statistics,
    *,
    epsilon=0.0001,
    exponential_avg_factor=1.0,
    data_format="NHWC",
    is_training=True,
    out=None,
) -> (_Images, _Statistics, _Statistics, _Statistics, _Statistics, _Statistics):
    """Images normalized; running mean and variance; and what the gradient needs."""
    y, *vectors = out or (None,) * 6
    images = channels_last(x) if _is_first(data_format) else x
    if is_training:
        own_mean, own_variance = kernels.moments(images)
        count = images.size // max(images.shape[-1], 1)
        unbiased = own_variance * np.float32(count / max(count - 1, 1))
        running = [
            _blended(old, new, exponential_avg_factor)
            for old, new in ((mean, own_mean), (variance, unbiased))
        ]
    else:
        own_mean, own_variance = mean, variance
        running = [mean, variance]
    results = [*running, own_mean, own_variance, np.zeros((), np.float32)]
    rsqrt = _rsqrt(own_variance, epsilon)
    if _is_first(data_format):
        y = channels_first(kernels.apply(images, scale, offset, own_mean, rsqrt), y)
    else:
        y = kernels.apply(images, scale, offset, own_mean, rsqrt, y)
    return y, *_delivered(results, vectors)


def _is_first(data_format: str) -> bool:
    return data_format.startswith("NC")


def _rsqrt(variance: np.ndarray, epsilon: float) -> np.ndarray:
    return np.float32(1) / np.sqrt(variance + np.float32(epsilon))


def _blended(old: np.ndarray, new: np.ndarray, factor: float) -> np.ndarray:
    if factor == 1:
        return new
    return old * np.float32(1 - factor) + new * np.float32(factor)


def _delivered(results: list[np.ndarray], targets: list[np.ndarray | None]) -> list[np.ndarray]:
    """Each result in its target, or as an array that no input shares."""
    delivered = []
    for result, target in zip(results, targets, strict=True):
        if target is None:
            target = np.array(result)
        else:
            np.copyto(target, result)
        delivered.append(target)
    return delivered


def _gradient_shapes(y_backprop, x, scale, *_reserves, data_format, **_attrs):
    images = windows.image_shape(x, data_format).merge_with(y_backprop.shape)
    channels = merge_sizes(images.sizes[windows.channel_axis(data_format)], require_rank(scale, 1).sizes[0])
    vector = TensorShape([channels])
    return [images, vector, vector]


@op("FusedBatchNormGradV3", shape=_gradient_shapes)
def _fused_batch_norm_grad(
    y_backprop: _Images,
    x: _Images,
    scale: _Statistics,
    reserve_space_1: _Statistics,
    reserve_space_2: _Statistics,
    reserve_space_3: _Statistics,
    *,
    epsilon=0.0001,
    data_format="NHWC",
    is_training=True,
    out=None,
) -> (_Images, _Statistics, _Statistics):
    """Gradients of x, scale and offset. (TensorFlow's op has two more outputs, always empty.)"""
    dx, *vectors = out or (None,) * 3
    rsqrt = _rsqrt(reserve_space_2, epsilon)
    backward = kernels.train_grad if is_training else kernels.apply_grad
    if not _is_first(data_format):
        dx, *sums = backward(y_backprop, x, scale, reserve_space_1, rsqrt, dx)
    else:
        slopes, images = channels_last(y_backprop), channels_last(x)
        to_x, *sums = backward(slopes, images, scale, reserve_space_1, rsqrt)
        dx = channels_first(to_x, dx)
    return dx, *_delivered(sums, vectors)


@gradient(_fused_batch_norm)
def _fused_batch_norm_gradient(op, grad, *_statistics):
    """As in TensorFlow, no gradient flows through the running statistics."""
    x, scale, _, mean, variance = op.inputs
    # TensorFlow's reserve 1 and 2 are the batch's mean and variance; in inference the given ones.
    reserves = op.outputs[3:] if op.attrs["is_training"] else [mean, variance, op.outputs[5]]
    attrs = {name: op.attrs[name] for name in ("epsilon", "data_format", "is_training")}
    return [*_fused_batch_norm_grad(grad, x, scale, *reserves, **attrs), None, None]


@gradient(_fused_batch_norm_grad)
def _fused_batch_norm_grad_gradient(op, to_dx, to_dscale, to_doffset):
    """Of a . dx + b . dscale + c . doffset, with P(u) = u - mean(u) - z mean(u z), z = (x - m) r:

    with respect to dy     scale r P(a) + b z + c
    with respect to x      -scale r^2 (z (mean(a dy) - mean(a) mean(dy) - p q) + q P(a) + p P(dy)) + b r P(dy)
    with respect to scale  r sum(a P(dy))

    where p = mean(a z) and q = mean(dy z): differentiate the formulas of kernels/normalize.py, with
    d r / d x = -r^2 z / N and d z / d x . u = r P(u). With m and r given, P(u) = u and both are constant.
    """
    dy, x, scale, mean, variance, _ = op.inputs
    data_format = op.attrs["data_format"]
    axis = windows.channel_axis(data_format)
    axes = [i for i in range(len(data_format)) if i != axis]
    column = [-1 if i == axis else 1 for i in range(len(data_format))]

    def average(u):
        return reduce_mean(u, axes, keepdims=True)

    def total(u):
        return reduce_sum(u, axes)

    kind = x.dtype.base_dtype
    dy, x, a = (cast(t, dtypes.float32) for t in (dy, x, to_dx))
    scale, mean, variance, b, c = (reshape(t, column) for t in (scale, mean, variance, to_dscale, to_doffset))
    if op.attrs["is_training"]:
        # Anew from x, on which they depend, so that this can be differentiated again.
        mean = average(x)
        variance = average(math.squared_difference(x, mean))
    r = math.rsqrt(variance + np.float32(op.attrs["epsilon"]))
    z = (x - mean) * r
    if op.attrs["is_training"]:
        p, q = average(a * z), average(dy * z)
        through_a = a - average(a) - z * p
        through_dy = dy - average(dy) - z * q
        spread = average(a * dy) - average(a) * average(dy) - p * q
        to_x = b * r * through_dy - scale * r * r * (z * spread + q * through_a + p * through_dy)
    else:
        through_a, through_dy = a, dy
        to_x = b * r * dy
    to_dy = scale * r * through_a + b * z + c
    to_scale = total(a * through_dy * r)
    return [cast(to_dy, kind), cast(to_x, kind), to_scale, None, None, None]


# TensorFlow's GPU kernels take no smaller one, and its function therefore none.
_SMALLEST_EPSILON = 1.001e-5


def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
    exponential_avg_factor: float = 1.0,
) -> tuple[Any, Any, Any]:
    """Images normalized channel by channel: scale * (x - mean) / sqrt(variance + epsilon) + offset.

    Args:
      x: (N, H, W, C), or (N, C, H, W) if `data_format` is "NCHW"; float16 or float32.
      scale, offset: (C,), float32.
      mean, variance: (C,), float32: the statistics in inference; in training the running ones, needed
        only if `exponential_avg_factor` is not 1.
      epsilon: at least 1.001e-5 is used.
      is_training: whether to use the batch's own statistics.
      exponential_avg_factor: the share of the batch in the new running statistics.

    Returns:
      The images, and the running mean and variance (the latter over N - 1).

    Raises:
      ValueError: sizes differ, or mean or variance are needed and missing.
    """
    if (not is_training or exponential_avg_factor != 1.0) and (mean is None or variance is None):
        raise ValueError(
            "Both `mean` and `variance` must be a 1D tensor when `is_training` is False or "
            f"`exponential_avg_factor` != 1.0. Received: `mean` {mean!r} and `variance` {variance!r}"
        )
    current = interpreter()
    x = current.convert(x, None, dtypes.float32, "input")
    scale = current.convert(scale, None, dtypes.float32, "scale")
    offset = current.convert(offset, None, dtypes.float32, "offset")
    mean, variance = (np.zeros(0, np.float32) if v is None else v for v in (mean, variance))
    y, running_mean, running_variance, *_ = _fused_batch_norm(
        x, scale, offset, mean, variance,
        epsilon=max(epsilon, _SMALLEST_EPSILON), exponential_avg_factor=float(exponential_avg_factor),
        data_format=data_format, is_training=is_training, name=name,
    )  # fmt: skip
    return y, running_mean, running_variance
