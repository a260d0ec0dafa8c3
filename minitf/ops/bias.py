"""Adding a bias to each channel, and its gradient."""

from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.kernels import bias as kernels
from minitf.ops.constants import zeros_like
from minitf.ops.like import broadcast_like
from minitf.ops.registry import Numeric, gradient, interpreter, op
from minitf.ops.shape_rules import merge_sizes, require_rank, require_rank_at_least


def _is_first(data_format: str) -> bool:
    return data_format.startswith("NC")


def _biased(value, bias, *, data_format):
    images = require_rank_at_least(value, 2)
    (size,) = require_rank(bias, 1).sizes
    if images.rank is None:
        return images
    sizes = list(images.sizes)
    axis = 1 if _is_first(data_format) else -1
    sizes[axis] = merge_sizes(sizes[axis], size)
    return TensorShape(sizes)


def _prepare_add(node):
    if _is_first(node.attrs["data_format"]):
        return lambda value, bias, out=None: np.add(value, _as_column(bias, value), out)
    return kernels.bias_add


@op("BiasAdd", shape=_biased, elementwise=True, prepare=_prepare_add)
def _bias_add(value: Numeric, bias: Numeric, *, data_format="NHWC", out=None) -> Numeric:
    """Value plus bias, a number for each channel."""
    if _is_first(data_format):
        bias = _as_column(bias, value)
        return np.add(value, bias, out)
    return kernels.bias_add(value, bias, out)


def _as_column(bias, value):
    return bias.reshape(-1, *[1] * (value.ndim - 2))


def _channels(out_backprop, *, data_format):
    images = require_rank_at_least(out_backprop, 2)
    if images.rank is None:
        return TensorShape([None])
    return TensorShape([images.sizes[1 if _is_first(data_format) else -1]])


@op("BiasAddGrad", shape=_channels)
def _bias_add_grad(out_backprop: Numeric, *, data_format="NHWC", out=None) -> Numeric:
    """The sums over all dimensions but the channels'."""
    if _is_first(data_format):
        axes = tuple(axis for axis in range(out_backprop.ndim) if axis != 1)
        return np.add.reduce(out_backprop, axes, None, out)
    return kernels.bias_add_grad(out_backprop, out)


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Any:
    """`value` (N, …, C) plus `bias` (C,), channel by channel.

    Args:
      value: any numeric dtype, at least two dimensions.
      bias: of the same dtype.
      data_format: "N…C" (the default), or "NC…" for channels in the second dimension.

    Raises:
      ValueError: the sizes differ, or `data_format` is of neither form.
    """
    if data_format is not None:
        if not (data_format.startswith("NC") or data_format.startswith("N") and data_format.endswith("C")):
            raise ValueError(
                f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}"
            )
        data_format = "NCHW" if _is_first(data_format) else "NHWC"
    current = interpreter()
    with current.name_scope(name or "BiasAdd") as scope:
        value = current.convert(value, None, None, "input")
        bias = current.convert(bias, None, value.dtype.base_dtype, "bias")
        return _bias_add(value, bias, data_format=data_format or "NHWC", name=scope)


@gradient(_bias_add)
def _bias_add_gradient(op, grad):
    return [grad, _bias_add_grad(grad, **op.attrs)]


@gradient(_bias_add_grad)
def _bias_add_grad_gradient(op, grad):
    values = op.inputs[0]
    if _is_first(op.attrs["data_format"]):
        return _bias_add(zeros_like(values), grad, **op.attrs)
    return broadcast_like(grad, values)
