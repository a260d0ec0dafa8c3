"""Convolution and pooling of volumes (three spatial dimensions), and their gradients."""

from typing import Any

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape, unknown_shape
from minitf.kernels import volume as kernels
from minitf.kernels.layout import channels_first, channels_last
from minitf.ops import windows
from minitf.ops.array import shape
from minitf.ops.constants import zeros_like
from minitf.ops.conv import _check_depths, _check_strides, one_of
from minitf.ops.pool import pooled_shape, window_attrs
from minitf.ops.registry import Floating, Index, Mixed, Types, gradient, interpreter, op
from minitf.ops.shape_rules import merge_sizes, require_rank, shape_from

_Place = Types("Place16", (dtypes.uint16,))


def _laid_out(kernel, arrays, data_format, out):
    """Calls `kernel(*arrays, out)`, which knows channels last only, in either layout."""
    if data_format == "NDHWC":
        return kernel(*arrays, out)
    return channels_first(kernel(*[channels_last(array) for array in arrays], None), out)


def _last(sizes, data_format: str) -> tuple[int, ...]:
    sizes = tuple(int(size) for size in sizes)
    return sizes if data_format == "NDHWC" else (sizes[0], *sizes[2:], sizes[1])


# --- convolution -------------------------------------------------------------------------------------


def _convolved(input, filter, **window):
    volumes = windows.image_shape(input, window["data_format"])
    filters = require_rank(filter, 5)
    channels = volumes.sizes[windows.channel_axis(window["data_format"])]
    _check_depths(channels, *filters.sizes[3:])
    merge_sizes(channels, filters.sizes[3])
    _check_strides(window)
    return windows.slid_shape(volumes, filters.sizes[:3], filters.sizes[4], explicit_paddings=(), **window)


def _geometry(sizes, filter_shape, strides, padding, data_format, dilations):
    return windows.geometry(
        tuple(sizes), tuple(filter_shape[:3]), strides, padding, (), data_format, dilations
    )


@op("Conv3D", shape=_convolved)
def _conv3d(
    input: Floating,
    filter: Floating,
    *,
    strides,
    padding,
    data_format="NDHWC",
    dilations=(1, 1, 1, 1, 1),
    out=None,
) -> Floating:
    """The sum, over a window that slides over each volume, of products with every filter."""
    found = _geometry(input.shape, filter.shape, strides, padding, data_format, dilations)
    return _laid_out(lambda x, out: kernels.conv3d(x, filter, *found, out), (input,), data_format, out)


def _volumes_shape(input_sizes, filter, out_backprop, **window):
    filters = require_rank(filter, 5)
    slopes = windows.image_shape(out_backprop, window["data_format"])
    merge_sizes(slopes.sizes[windows.channel_axis(window["data_format"])], filters.sizes[4])
    volumes = shape_from(input_sizes).merge_with(unknown_shape(5))
    return volumes if volumes.sizes[0] else volumes.merge_with([slopes.sizes[0], *[None] * 4])


@op("Conv3DBackpropInputV2", shape=_volumes_shape)
def _conv3d_backprop_input(
    input_sizes: Index,
    filter: Floating,
    out_backprop: Floating,
    *,
    strides,
    padding,
    data_format="NDHWC",
    dilations=(1, 1, 1, 1, 1),
    out=None,
) -> Floating:
    """The gradient of Conv3D with respect to volumes of shape `input_sizes`."""
    sizes = tuple(int(size) for size in input_sizes)
    found = _geometry(sizes, filter.shape, strides, padding, data_format, dilations)
    last = _last(sizes, data_format)
    return _laid_out(
        lambda dy, out: kernels.conv3d_backprop_input(last, filter, dy, *found, out),
        (out_backprop,), data_format, out,
    )  # fmt: skip


def _filters_shape(input, filter_sizes, out_backprop, **window):
    windows.image_shape(input, window["data_format"])
    return shape_from(filter_sizes).merge_with(unknown_shape(5))


@op("Conv3DBackpropFilterV2", shape=_filters_shape)
def _conv3d_backprop_filter(
    input: Floating,
    filter_sizes: Index,
    out_backprop: Floating,
    *,
    strides,
    padding,
    data_format="NDHWC",
    dilations=(1, 1, 1, 1, 1),
    out=None,
) -> Floating:
    """The gradient of Conv3D with respect to filters of shape `filter_sizes`."""
    sizes = tuple(int(size) for size in filter_sizes)
    found = _geometry(input.shape, sizes, strides, padding, data_format, dilations)
    if data_format == "NCDHW":
        input, out_backprop = channels_last(input), channels_last(out_backprop)
    return kernels.conv3d_backprop_filter(input, sizes, out_backprop, *found, out)


@gradient(_conv3d)
def _conv3d_gradient(op, grad):
    volumes, filters = op.inputs
    return [
        _conv3d_backprop_input(shape(volumes), filters, grad, **op.attrs),
        _conv3d_backprop_filter(volumes, shape(filters), grad, **op.attrs),
    ]


@gradient(_conv3d_backprop_input)
def _conv3d_backprop_input_gradient(op, grad):
    _, filters, slopes = op.inputs
    return [
        None,
        _conv3d_backprop_filter(grad, shape(filters), slopes, **op.attrs),
        _conv3d(grad, filters, **op.attrs),
    ]


@gradient(_conv3d_backprop_filter)
def _conv3d_backprop_filter_gradient(op, grad):
    volumes, _, slopes = op.inputs
    return [
        _conv3d_backprop_input(shape(volumes), grad, slopes, **op.attrs),
        None,
        _conv3d(volumes, grad, **op.attrs),
    ]


# --- pooling -----------------------------------------------------------------------------------------


def _pooling(sizes, ksize, strides, padding, data_format):
    axes = windows.spatial_axes(data_format)
    window = tuple(ksize[axis] for axis in axes)
    found = windows.geometry(tuple(sizes), window, strides, padding, (), data_format)
    return window, found.strides, found.padding


def _spatial_only(value, **window):
    channel = windows.channel_axis(window["data_format"])
    if window["ksize"][channel] != 1 or window["strides"][channel] != 1:
        raise ValueError("Pooling is not yet supported on the depth dimension.")
    return pooled_shape(value, **window)


def _max_pooled(input, **window):
    return [_spatial_only(input, **window)] * 2


@op("MaxPool3D", shape=_max_pooled)
def _max_pool3d(
    input: Floating, *, ksize, strides, padding, data_format="NDHWC", out=None
) -> (Floating, dtypes.uint16):
    """The maximum in each window, and the number of its cell there, for the gradient."""
    pooling = _pooling(input.shape, ksize, strides, padding, data_format)
    y, places = out or (None, None)
    if data_format == "NDHWC":
        return kernels.max_pool3d(input, *pooling, y, places)
    results = kernels.max_pool3d(channels_last(input), *pooling)
    return tuple(channels_first(array, target) for array, target in zip(results, (y, places), strict=True))


def _volume_like(orig_input, argmax, grad, **_attrs):
    return orig_input.shape


def _pooled_like(orig_input, argmax, grad, **_attrs):
    return argmax.shape


@op("MaxPool3DGrad", shape=_volume_like, shape_only=("orig_input",))
def _max_pool3d_grad(
    orig_input: Mixed,
    argmax: _Place,
    grad: Floating,
    *,
    ksize,
    strides,
    padding,
    data_format="NDHWC",
    out=None,
) -> Floating:
    """The gradient of MaxPool3D's maxima with respect to its input."""
    pooling = _pooling(orig_input.shape, ksize, strides, padding, data_format)
    last = _last(orig_input.shape, data_format)
    return _laid_out(
        lambda places, dy, out: kernels.max_pool3d_grad(places, dy, last, *pooling, out),
        (argmax, grad), data_format, out,
    )  # fmt: skip


@op("MaxPool3DGradGrad", shape=_pooled_like, shape_only=("orig_input",))
def _max_pool3d_grad_grad(
    orig_input: Mixed,
    argmax: _Place,
    grad: Floating,
    *,
    ksize,
    strides,
    padding,
    data_format="NDHWC",
    out=None,
) -> Floating:
    """What `grad`, of the input's shape, has at the places of the maxima."""
    pooling = _pooling(grad.shape, ksize, strides, padding, data_format)
    return _laid_out(
        lambda places, x, out: kernels.max_pool3d_gather(places, x, *pooling, out),
        (argmax, grad), data_format, out,
    )  # fmt: skip


@gradient(_max_pool3d)
def _max_pool3d_gradient(op, grad, _):
    return _max_pool3d_grad(op.inputs[0], op.outputs[1], grad, **op.attrs)


@gradient(_max_pool3d_grad)
def _max_pool3d_grad_gradient(op, grad):
    volumes, argmax, _ = op.inputs
    return [zeros_like(volumes), None, _max_pool3d_grad_grad(volumes, argmax, grad, **op.attrs)]


@gradient(_max_pool3d_grad_grad)
def _max_pool3d_grad_grad_gradient(op, grad):
    volumes, argmax, _ = op.inputs
    return [zeros_like(volumes), None, _max_pool3d_grad(volumes, argmax, grad, **op.attrs)]


@op("AvgPool3D", shape=_spatial_only)
def _avg_pool3d(input: Floating, *, ksize, strides, padding, data_format="NDHWC", out=None) -> Floating:
    """The mean of each window's part inside the volume."""
    pooling = _pooling(input.shape, ksize, strides, padding, data_format)
    return _laid_out(lambda x, out: kernels.avg_pool3d(x, *pooling, out), (input,), data_format, out)


def _averaged_volumes(orig_input_shape, grad, **window):
    return shape_from(orig_input_shape).merge_with(unknown_shape(5))


@op("AvgPool3DGrad", shape=_averaged_volumes)
def _avg_pool3d_grad(
    orig_input_shape: Index, grad: Floating, *, ksize, strides, padding, data_format="NDHWC", out=None
) -> Floating:
    """The gradient of AvgPool3D with respect to an input of that shape."""
    pooling = _pooling([int(size) for size in orig_input_shape], ksize, strides, padding, data_format)
    last = _last(orig_input_shape, data_format)
    return _laid_out(
        lambda dy, out: kernels.avg_pool3d_grad(dy, last, *pooling, out), (grad,), data_format, out
    )


@gradient(_avg_pool3d)
def _avg_pool3d_gradient(op, grad):
    return _avg_pool3d_grad(shape(op.inputs[0]), grad, **op.attrs)


@gradient(_avg_pool3d_grad)
def _avg_pool3d_grad_gradient(op, grad):
    return [None, _avg_pool3d(grad, **op.attrs)]


# --- TF1's functions ---------------------------------------------------------------------------------


def _conv_attrs(op_name, strides, padding, data_format, dilations) -> dict[str, Any]:
    found = windows.attributes(op_name, 5, strides, padding, data_format, dilations, explicit=False)._asdict()
    del found["explicit_paddings"]
    return found


def conv3d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str | None = "NDHWC",
    dilations: Any = (1, 1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Any:
    """Volumes (N, D, H, W, C) convolved with filters (KD, KH, KW, C, O); floating.

    `strides` and `dilations` are five numbers, `padding` "SAME" or "VALID", `data_format` "NDHWC" or
    "NCDHW"; `filters` is the newer name of `filter`. Returns (N, OD, OH, OW, O).
    """
    filter = one_of("filters", filters, "filter", filter)
    attrs = _conv_attrs("Conv3D", strides, padding, data_format, dilations)
    return _conv3d(input, filter, name=name, **attrs)


def conv3d_transpose(
    value: Any,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: Any = "SAME",
    data_format: str | None = "NDHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Any:
    """The transpose of `conv3d` as a linear map; `filter` is (KD, KH, KW, O, C)."""
    value = one_of("input", input, "value", value)
    filter = one_of("filters", filters, "filter", filter)
    attrs = _conv_attrs("Conv3DBackpropInputV2", strides, padding, data_format, dilations)
    if isinstance(output_shape, TensorShape):
        output_shape = output_shape.as_list()
    with interpreter().name_scope(name or "conv3d_transpose") as scope:
        return _conv3d_backprop_input(output_shape, filter, value, name=scope, **attrs)


def max_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NDHWC",
    name: str | None = None,
) -> Any:
    """The maximum over each window of volumes (N, D, H, W, C), or (N, C, D, H, W) if "NCDHW".

    `ksize` and `strides` are one number, three or five; `padding` is "SAME" or "VALID".
    """
    return _max_pool3d(
        input, name=name, **window_attrs("MaxPool3D", ksize, strides, padding, data_format, 5)
    )[0]


def avg_pool3d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NDHWC",
    name: str | None = None,
) -> Any:
    """The mean over each window of volumes, of the cells inside; arguments as of `max_pool3d`."""
    return _avg_pool3d(input, name=name, **window_attrs("AvgPool3D", ksize, strides, padding, data_format, 5))
