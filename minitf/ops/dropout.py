"""Dropout (Srivastava et al. 2014): each value is dropped by chance, the others scaled up."""

import numbers
from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.kernels import dropout as kernels
from minitf.ops.array import shape
from minitf.ops.constants import ones_like
from minitf.ops.random import random_uniform
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Floating, gradient, interpreter, op
from minitf.ops.shape_rules import broadcast, constant_value, merge


def _dropped_shape(x, noise, rate, scale):
    return merge(x.shape, broadcast(x, noise))


@op("Dropout", shape=_dropped_shape)
def _dropout(x: Floating, noise: Floating, rate: Floating, scale: Floating, *, out=None) -> Floating:
    """X times scale where noise >= rate, else 0."""
    return kernels.dropout(x, noise, rate, scale, out)


@gradient(_dropout)
def _dropout_gradient(op, grad):
    x, noise, rate, scale = op.inputs
    to_scale = None
    if interpreter().eager or constant_value(scale) is None:
        to_scale = reduce_sum(_dropout(grad * x, noise, rate, ones_like(scale)))
    return [_dropout(grad, noise, rate, scale), None, None, to_scale]


def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
    rate: Any = None,
) -> Any:
    """Values of `x` dropped (set to 0) with chance `rate`, the others scaled by 1 / (1 - rate).

    Args:
      x: float16, float32 or float64.
      keep_prob: the old way to say 1 - rate.
      noise_shape: the shape of the independent choices, which broadcast to that of `x`: with 1 in a
        dimension, values along it are kept or dropped together. None in it means as in `x`.
      seed: see `tf.set_random_seed`.
      rate: a number or scalar tensor in [0, 1).

    Raises:
      ValueError: no rate or both kinds are given, a number is out of range, or `x` is not floating.
    """
    if keep_prob is not None and rate is not None:
        raise ValueError("Cannot specify both 'keep_prob' and 'rate'.")
    if keep_prob is not None:
        rate = 1 - keep_prob
    if rate is None:
        raise ValueError(f"`rate` must be provided. Received: rate={rate}")
    current = interpreter()
    with current.name_scope(name or "dropout"):
        x = current.convert(x, None, None, "x")
        dtype = x.dtype.base_dtype
        if not dtype.is_floating:
            raise ValueError(
                f"`x.dtype` must be a floating point tensor as `x` will be scaled. Received: x_dtype={dtype}"
            )
        if isinstance(rate, numbers.Real):
            if not 0 <= rate < 1:
                raise ValueError(
                    f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}"
                )
            if rate == 0:
                return x
            rate, scale = (np.array(v, dtype.numpy_dtype) for v in (rate, 1 / (1 - rate)))
        else:
            rate = current.convert(rate, dtype, None, "rate")
            merge(rate.shape, TensorShape([]))
            scale = 1 / (1 - rate)
        noise = random_uniform(_noise_shape(x, noise_shape), dtype=dtype, seed=seed)
        return _dropout(x, noise, rate, scale, name="SelectV2")


def _noise_shape(x: Any, noise_shape: Any) -> Any:
    if noise_shape is None:
        return shape(x)
    try:
        wanted = TensorShape(noise_shape)
    except (TypeError, ValueError):
        return noise_shape
    if wanted.rank is None or wanted.rank != x.shape.rank or wanted.is_fully_defined():
        return noise_shape
    filled = [size if size is not None else own for size, own in zip(wanted.sizes, x.shape.sizes)]
    if None not in filled:
        return filled
    own = shape(x)
    return [own[axis] if size is None else size for axis, size in enumerate(filled)]
