"""Depthwise convolution, its gradients, and separable convolution."""

import functools
from typing import Any

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape, unknown_shape
from minitf.kernels import depthwise as kernels
from minitf.kernels.layout import channels_first, channels_last
from minitf.ops import windows
from minitf.ops.array import shape
from minitf.ops.conv import _check_strides, conv2d, one_of
from minitf.ops.registry import Floating, Types, gradient, interpreter, op
from minitf.ops.shape_rules import merge_sizes, require_rank, shape_from

_Sizes = Types("Sizes", (dtypes.int32,))


def _convolved(input, filter, **window):
    images = windows.image_shape(input, window["data_format"])
    filters = require_rank(filter, 4)
    _check_strides(window)
    channels = merge_sizes(images.sizes[windows.channel_axis(window["data_format"])], filters.sizes[2])
    multiplier = filters.sizes[3]
    depth = None if None in (channels, multiplier) else channels * multiplier
    return windows.slid_shape(images, filters.sizes[:2], depth, **window)


def _is_plain(node, images, filters) -> bool:
    return images.is_fully_defined() and filters.is_fully_defined() and node.attrs["data_format"] == "NHWC"


def _prepare_forward(node):
    images, filters = (value.shape for value in node.inputs)
    if not _is_plain(node, images, filters):
        return None
    found = windows.geometry(images.sizes, filters.sizes[:2], **node.attrs)
    return functools.partial(kernels.depthwise_conv2d, **found._asdict())


@op("DepthwiseConv2dNative", shape=_convolved, prepare=_prepare_forward, default_name="depthwise")
def _depthwise(
    input: Floating,
    filter: Floating,
    *,
    strides,
    padding,
    explicit_paddings=(),
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    out=None,
) -> Floating:
    """Each channel convolved with filters of its own."""
    found = windows.geometry(
        input.shape, filter.shape[:2], strides, padding, explicit_paddings, data_format, dilations
    )
    if data_format == "NHWC":
        return kernels.depthwise_conv2d(input, filter, *found, out)
    return channels_first(kernels.depthwise_conv2d(channels_last(input), filter, *found), out)


def _images_shape(input_sizes, filter, out_backprop, **window):
    require_rank(filter, 4)
    images = shape_from(input_sizes).merge_with(unknown_shape(4))
    slopes = windows.image_shape(out_backprop, window["data_format"])
    return images.merge_with([slopes.sizes[0], None, None, None])


def _prepare_input_gradient(node):
    (images,), filters = [v.shape for v in node.outputs], node.inputs[1].shape
    if not _is_plain(node, images, filters):
        return None
    strides, padding, dilations = windows.geometry(images.sizes, filters.sizes[:2], **node.attrs)
    sizes, kernel = images.sizes, kernels.depthwise_conv2d_backprop_input
    return lambda input_sizes, w, dy, out=None: kernel(sizes, w, dy, strides, padding, dilations, out)


@op("DepthwiseConv2dNativeBackpropInput", shape=_images_shape, prepare=_prepare_input_gradient)
def _depthwise_backprop_input(
    input_sizes: _Sizes,
    filter: Floating,
    out_backprop: Floating,
    *,
    strides,
    padding,
    explicit_paddings=(),
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    out=None,
) -> Floating:
    """The gradient of DepthwiseConv2dNative with respect to images of shape `input_sizes`."""
    sizes = tuple(int(size) for size in input_sizes)
    found = windows.geometry(
        sizes, filter.shape[:2], strides, padding, explicit_paddings, data_format, dilations
    )
    if data_format == "NHWC":
        return kernels.depthwise_conv2d_backprop_input(sizes, filter, out_backprop, *found, out)
    last = (sizes[0], *sizes[2:], sizes[1])
    slopes = channels_last(out_backprop)
    return channels_first(kernels.depthwise_conv2d_backprop_input(last, filter, slopes, *found), out)


def _filters_shape(input, filter_sizes, out_backprop, **window):
    windows.image_shape(input, window["data_format"])
    windows.image_shape(out_backprop, window["data_format"])
    return shape_from(filter_sizes).merge_with(unknown_shape(4))


def _prepare_filter_gradient(node):
    images, (filters,) = node.inputs[0].shape, [v.shape for v in node.outputs]
    if not _is_plain(node, images, filters):
        return None
    strides, padding, dilations = windows.geometry(images.sizes, filters.sizes[:2], **node.attrs)
    sizes, kernel = filters.sizes, kernels.depthwise_conv2d_backprop_filter
    return lambda x, filter_sizes, dy, out=None: kernel(x, sizes, dy, strides, padding, dilations, out)


@op("DepthwiseConv2dNativeBackpropFilter", shape=_filters_shape, prepare=_prepare_filter_gradient)
def _depthwise_backprop_filter(
    input: Floating,
    filter_sizes: _Sizes,
    out_backprop: Floating,
    *,
    strides,
    padding,
    explicit_paddings=(),
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    out=None,
) -> Floating:
    """The gradient of DepthwiseConv2dNative with respect to filters of shape `filter_sizes`."""
    sizes = tuple(int(size) for size in filter_sizes)
    found = windows.geometry(
        input.shape, sizes[:2], strides, padding, explicit_paddings, data_format, dilations
    )
    if data_format == "NCHW":
        input, out_backprop = channels_last(input), channels_last(out_backprop)
    return kernels.depthwise_conv2d_backprop_filter(input, sizes, out_backprop, *found, out)


@gradient(_depthwise)
def _depthwise_gradient(op, grad):
    images, filters = op.inputs
    return [
        _depthwise_backprop_input(shape(images), filters, grad, **op.attrs),
        _depthwise_backprop_filter(images, shape(filters), grad, **op.attrs),
    ]


@gradient(_depthwise_backprop_input)
def _depthwise_backprop_input_gradient(op, grad):
    _, filters, slopes = op.inputs
    return [
        None,
        _depthwise_backprop_filter(grad, shape(filters), slopes, **op.attrs),
        _depthwise(grad, filters, **op.attrs),
    ]


@gradient(_depthwise_backprop_filter)
def _depthwise_backprop_filter_gradient(op, grad):
    images, _, slopes = op.inputs
    return [
        _depthwise_backprop_input(shape(images), grad, slopes, **op.attrs),
        None,
        _depthwise(images, grad, **op.attrs),
    ]


# --- TF1's functions ---------------------------------------------------------------------------------


def _attrs(strides, padding, data_format, dilations, op_name="DepthwiseConv2dNative") -> dict[str, Any]:
    return windows.attributes(op_name, 4, strides, padding, data_format, dilations)._asdict()


def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Any:
    """Each channel of `input` convolved with `filter` (KH, KW, C, multiplier): see `depthwise_conv2d`."""
    attrs = _attrs(strides, padding, data_format, dilations)
    return _depthwise(input, filter, name=name or "DepthwiseConv2dNative", **attrs)


def depthwise_conv2d_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Any:
    """The gradient of `depthwise_conv2d_native` with respect to images of shape `input_sizes`."""
    attrs = _attrs(strides, padding, data_format, dilations)
    return _depthwise_backprop_input(input_sizes, filter, out_backprop, name=name, **attrs)


def depthwise_conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Any:
    """The gradient of `depthwise_conv2d_native` with respect to filters of shape `filter_sizes`."""
    attrs = _attrs(strides, padding, data_format, dilations)
    return _depthwise_backprop_filter(input, filter_sizes, out_backprop, name=name, **attrs)


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: Any,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Any:
    """Each channel convolved with filters of its own.

    Args:
      input: (N, H, W, C), or (N, C, H, W) if `data_format` is "NCHW"; floating.
      filter: (KH, KW, C, M), of the same dtype: M filters for each channel.
      strides: four numbers, steps of the window.
      padding: "SAME", "VALID" or a list of pairs, as of `tf.nn.conv2d`.
      rate: two dilations, of height and width; above 1 all strides must be 1. `dilations` is its newer
        name.

    Returns:
      (N, OH, OW, C * M); result channel c * M + m is channel c under its filter m.

    Raises:
      ValueError: sizes do not fit, or both strides and dilations are above 1.
    """
    rate = one_of("dilations", dilations, "rate", rate, required=False)
    with interpreter().name_scope(name or "depthwise") as scope:
        attrs = _attrs(strides, padding, data_format, _checked_rate(rate, strides))
        return _depthwise(input, filter, name=scope, **attrs)


def _checked_rate(rate: Any, strides: Any) -> Any:
    rate = (1, 1) if rate is None else rate
    if any(r != 1 for r in rate) and any(s != 1 for s in strides):
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilations > 1`. "
            f"Received: strides={strides} and dilations={rate}"
        )
    return rate


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: Any,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Any:
    """A depthwise convolution, then one of single pixels that mixes the channels.

    Args:
      input: (N, H, W, C), or (N, C, H, W) if `data_format` is "NCHW".
      depthwise_filter: (KH, KW, C, M).
      pointwise_filter: (1, 1, C * M, O).
      strides, padding, rate: of the depthwise convolution: see `depthwise_conv2d`.

    Returns:
      (N, OH, OW, O).
    """
    rate = one_of("dilations", dilations, "rate", rate, required=False)
    current = interpreter()
    with current.name_scope(name or "separable_conv2d") as scope:
        pointwise_filter = current.convert(pointwise_filter, None, None, "pointwise_filter")
        TensorShape(pointwise_filter.shape).assert_is_compatible_with([1, 1, None, None])
        mixed = depthwise_conv2d(input, depthwise_filter, strides, padding, rate, "depthwise", data_format)
        return conv2d(mixed, pointwise_filter, 1, "VALID", data_format=data_format or "NHWC", name=scope)
