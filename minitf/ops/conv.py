"""Two-dimensional convolution and its gradients. Its relatives are in conv_more.py and conv_depthwise.py."""

import functools
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape, unknown_shape
from minitf.kernels import conv as kernels
from minitf.kernels import conv_groups
from minitf.ops import windows
from minitf.ops.array import shape
from minitf.ops.registry import Types, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value, merge, require_rank, shape_from

_Number = Types("ConvNumber", (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.int32))
_Sizes = Types("Sizes", (dtypes.int32,))


def _convolved(input, filter, *, use_cudnn_on_gpu=True, **window):
    images = windows.image_shape(input, window["data_format"])
    filters = require_rank(filter, 4)
    _check_depths(images.sizes[windows.channel_axis(window["data_format"])], *filters.sizes[2:])
    _check_strides(window)
    return windows.slid_shape(images, filters.sizes[:2], filters.sizes[3], **window)


def _check_depths(channels: int | None, filter_channels: int | None, out_channels: int | None) -> None:
    if channels is None or filter_channels is None:
        return
    if filter_channels == 0:
        raise ValueError("Depth of filter must not be 0")
    if channels % filter_channels:
        raise ValueError(
            f"Depth of input ({channels}) is not a multiple of input depth of filter ({filter_channels})"
        )
    groups = channels // filter_channels
    if out_channels is not None and groups and out_channels % groups:
        raise ValueError(
            f"Depth of output ({out_channels}) is not a multiple of the number of groups ({groups})"
        )


def _check_strides(window: dict[str, Any]) -> None:
    axes = windows.spatial_axes(window["data_format"])
    for name, what in (("strides", "strides"), ("dilations", "dilation rates")):
        if any(n != 1 for axis, n in enumerate(window[name]) if axis not in axes):
            raise ValueError(
                f"Current implementation does not yet support {what} in the batch and depth dimensions."
            )


def _geometry(image_shape, filter_shape, window):
    return windows.geometry(tuple(image_shape), tuple(filter_shape[:2]), **window)


def _window_of(attrs: dict[str, Any]) -> dict[str, Any]:
    return {name: attrs[name] for name in windows.Attributes._fields}


def _plain(node, images, filters) -> bool:
    """Whether the kernel serves as it is: channels last, one group, all sizes known."""
    known = images.is_fully_defined() and filters.is_fully_defined()
    return known and node.attrs["data_format"] == "NHWC" and images.sizes[3] == filters.sizes[2]


def _prepare_forward(node):
    images, filters = (value.shape for value in node.inputs)
    if not _plain(node, images, filters):
        return None
    found = _geometry(images.sizes, filters.sizes, _window_of(node.attrs))
    return functools.partial(kernels.conv2d, **found._asdict())


@op("Conv2D", shape=_convolved, prepare=_prepare_forward, epilogue=True)
def conv2d_kernel(
    input: _Number,
    filter: _Number,
    *,
    strides,
    padding,
    use_cudnn_on_gpu=True,
    explicit_paddings=(),
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    out=None,
) -> _Number:
    """The sum, over a window that slides over each image, of products with every filter."""
    found = windows.geometry(
        input.shape, filter.shape[:2], strides, padding, explicit_paddings, data_format, dilations
    )
    return conv_groups.conv2d(input, filter, *found, data_format == "NCHW", out)


def _images_shape(input_sizes, filter, out_backprop, *, use_cudnn_on_gpu=True, **window):
    images = shape_from(input_sizes).merge_with(unknown_shape(4))
    filters, slopes = require_rank(filter, 4), require_rank(out_backprop, 4)
    _check_strides(window)
    channel = windows.channel_axis(window["data_format"])
    channels = slopes.sizes[channel]
    if None not in (channels, filters.sizes[3]) and channels != filters.sizes[3]:
        raise ValueError(f"Dimensions must be equal, but are {channels} and {filters.sizes[3]}")
    if images.sizes[0] is None:
        images = images.merge_with([slopes.sizes[0], None, None, None])
    _check_result(images, filters, slopes, window)
    return images


def _check_result(images, filters, slopes, window) -> None:
    """Raises ValueError unless convolving `images` with `filters` can give `slopes`."""
    _check_depths(images.sizes[windows.channel_axis(window["data_format"])], *filters.sizes[2:])
    expected = windows.slid_shape(images, filters.sizes[:2], filters.sizes[3], **window)
    if not expected.is_compatible_with(slopes):
        raise ValueError(
            f"Conv2DSlowBackprop: Size of out_backprop doesn't match computed: actual = "
            f"{slopes.brackets()}, computed = {expected.brackets()}"
        )


def _prepare_input_gradient(node):
    (images,), filters = [v.shape for v in node.outputs], node.inputs[1].shape
    if not _plain(node, images, filters):
        return None
    strides, padding, dilations = _geometry(images.sizes, filters.sizes, _window_of(node.attrs))
    sizes, kernel = images.sizes, kernels.conv2d_backprop_input
    return lambda input_sizes, w, dy, out=None: kernel(sizes, w, dy, strides, padding, dilations, out)


@op("Conv2DBackpropInput", shape=_images_shape, prepare=_prepare_input_gradient)
def conv2d_backprop_input_kernel(
    input_sizes: _Sizes,
    filter: _Number,
    out_backprop: _Number,
    *,
    strides,
    padding,
    use_cudnn_on_gpu=True,
    explicit_paddings=(),
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    out=None,
) -> _Number:
    """The gradient of Conv2D with respect to images of shape `input_sizes`."""
    sizes = tuple(int(size) for size in input_sizes)
    found = windows.geometry(
        sizes, filter.shape[:2], strides, padding, explicit_paddings, data_format, dilations
    )
    return conv_groups.conv2d_backprop_input(sizes, filter, out_backprop, *found, data_format == "NCHW", out)


def _filters_shape(input, filter_sizes, out_backprop, *, use_cudnn_on_gpu=True, **window):
    images, slopes = (windows.image_shape(x, window["data_format"]) for x in (input, out_backprop))
    filters = shape_from(filter_sizes).merge_with(unknown_shape(4))
    _check_strides(window)
    _check_result(images, filters, slopes, window)
    return filters


def _prepare_filter_gradient(node):
    images, (filters,) = node.inputs[0].shape, [v.shape for v in node.outputs]
    if not _plain(node, images, filters):
        return None
    strides, padding, dilations = _geometry(images.sizes, filters.sizes, _window_of(node.attrs))
    sizes, kernel = filters.sizes, kernels.conv2d_backprop_filter
    return lambda x, filter_sizes, dy, out=None: kernel(x, sizes, dy, strides, padding, dilations, out)


@op("Conv2DBackpropFilter", shape=_filters_shape, prepare=_prepare_filter_gradient)
def conv2d_backprop_filter_kernel(
    input: _Number,
    filter_sizes: _Sizes,
    out_backprop: _Number,
    *,
    strides,
    padding,
    use_cudnn_on_gpu=True,
    explicit_paddings=(),
    data_format="NHWC",
    dilations=(1, 1, 1, 1),
    out=None,
) -> _Number:
    """The gradient of Conv2D with respect to filters of shape `filter_sizes`."""
    sizes = tuple(int(size) for size in filter_sizes)
    found = windows.geometry(
        input.shape, sizes[:2], strides, padding, explicit_paddings, data_format, dilations
    )
    return conv_groups.conv2d_backprop_filter(input, sizes, out_backprop, *found, data_format == "NCHW", out)


# Each is linear in both of its operands, so that the three are each other's gradients.


@gradient(conv2d_kernel)
def _conv2d_gradient(op, grad):
    images, filters = op.inputs
    return [
        conv2d_backprop_input_kernel(shape(images), filters, grad, **op.attrs),
        conv2d_backprop_filter_kernel(images, shape(filters), grad, **op.attrs),
    ]


@gradient(conv2d_backprop_input_kernel)
def _conv2d_backprop_input_gradient(op, grad):
    _, filters, slopes = op.inputs
    return [
        None,
        conv2d_backprop_filter_kernel(grad, shape(filters), slopes, **op.attrs),
        conv2d_kernel(grad, filters, **op.attrs),
    ]


@gradient(conv2d_backprop_filter_kernel)
def _conv2d_backprop_filter_gradient(op, grad):
    images, _, slopes = op.inputs
    return [
        conv2d_backprop_input_kernel(shape(images), grad, slopes, **op.attrs),
        None,
        conv2d_kernel(images, grad, **op.attrs),
    ]


# --- TF1's functions ---------------------------------------------------------------------------------


def _attrs(strides, padding, use_cudnn_on_gpu, data_format, dilations, op_name="Conv2D") -> dict[str, Any]:
    found = windows.attributes(op_name, 4, strides, padding, data_format, dilations)
    return {**found._asdict(), "use_cudnn_on_gpu": use_cudnn_on_gpu}


def one_of(name: str, value: Any, old_name: str, old_value: Any, required: bool = True) -> Any:
    """The value of an argument that has an old name too.

    Raises ValueError if both are given, TypeError if it is `required` and neither is.
    """
    if value is not None and old_value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{name}'.")
    result = value if value is not None else old_value
    if result is None and required:
        raise TypeError(f"missing a required argument: {name!r}")
    return result


def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str | None = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Any:
    """Images convolved with filters.

    Args:
      input: (N, H, W, C), or (N, C, H, W) if `data_format` is "NCHW"; float16, float32, float64 or int32.
      filter: (KH, KW, C, O), of the same dtype. With C / G channels, images and filters are cut into G
        groups, each convolved on its own. `filters` is its newer name.
      strides: steps of the window: one number, one for each of height and width, or one per dimension.
      padding: "SAME" (the result has ceil(size / stride) pixels along a side), "VALID" (none), or a list
        of pairs, the zeros before and after each dimension.
      use_cudnn_on_gpu: for GPUs only, as in TensorFlow.
      dilations: distances between the taps of a filter, given like `strides`.

    Returns:
      (N, OH, OW, O), or (N, O, OH, OW).

    Raises:
      ValueError: a filter is larger than the padded image, depths do not fit, or an attribute is wrong.
    """
    filter = one_of("filters", filters, "filter", filter)
    attrs = _attrs(strides, padding, use_cudnn_on_gpu, data_format, dilations)
    return conv2d_kernel(input, filter, name=name, **attrs)


def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any = None,
    out_backprop: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Any:
    """The gradient of `tf.nn.conv2d` with respect to its images, of shape `input_sizes`."""
    filter = one_of("filters", filters, "filter", filter)
    attrs = _attrs(strides, padding, use_cudnn_on_gpu, data_format, dilations, "Conv2DBackpropInput")
    return conv2d_backprop_input_kernel(input_sizes, filter, out_backprop, name=name, **attrs)


def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Any:
    """The gradient of `tf.nn.conv2d` with respect to its filters, of shape `filter_sizes`."""
    attrs = _attrs(strides, padding, use_cudnn_on_gpu, data_format, dilations, "Conv2DBackpropFilter")
    return conv2d_backprop_filter_kernel(input, filter_sizes, out_backprop, name=name, **attrs)


def conv2d_transpose(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Any:
    """The transpose of `tf.nn.conv2d` as a linear map: what is called a deconvolution.

    Args:
      value: (N, H, W, C), or (N, C, H, W). `input` is its newer name.
      filter: (KH, KW, O, C): as of the convolution that would lead back. `filters` is its newer name.
      output_shape: the result's shape, four integers or an integer tensor.
      strides, padding, data_format, dilations: as of `tf.nn.conv2d`.

    Raises:
      ValueError: `output_shape` is none that convolution would shrink to the shape of `value`.
    """
    value = one_of("input", input, "value", value)
    filter = one_of("filters", filters, "filter", filter)
    attrs = _attrs(strides, padding, True, data_format or "NHWC", dilations, "Conv2DBackpropInput")
    with interpreter().name_scope(name or "conv2d_transpose") as scope:
        sizes = _output_sizes(output_shape)
        result = conv2d_backprop_input_kernel(sizes, filter, value, name=scope, **attrs)
    return result


def _output_sizes(output_shape: Any) -> Any:
    sizes = TensorShape(output_shape).as_list() if isinstance(output_shape, TensorShape) else output_shape
    sizes = interpreter().convert(sizes, None, dtypes.int32, "input_sizes")
    if sizes.dtype.base_dtype == dtypes.int64:
        from minitf.ops.array import cast

        known = constant_value(sizes)
        return cast(sizes, dtypes.int32) if known is None else np.asarray(known, np.int32)
    merge(sizes.shape, TensorShape([4]))
    return sizes
