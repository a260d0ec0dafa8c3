"""Two-dimensional pooling and its gradients. Pooling in one and three dimensions is in pool_more.py."""

import functools
from typing import Any, NamedTuple

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import unknown_shape
from minitf.kernels import pool as kernels
from minitf.kernels.layout import channels_first, channels_last
from minitf.ops import windows
from minitf.ops.array import shape
from minitf.ops.constants import zeros_like
from minitf.ops.conv import one_of
from minitf.ops.registry import Attr, Floating, Mixed, Real, Types, gradient, op
from minitf.ops.shape_rules import shape_from

_Sizes = Types("Sizes", (dtypes.int32,))
_Place = Types("Place", (dtypes.uint8, dtypes.uint16, dtypes.uint32))


# --- how the window lies -----------------------------------------------------------------------------


class Pooling(NamedTuple):
    """What a kernel needs to know: window, steps and padding over height and width."""

    ksize: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]


def _pooling(sizes, window: dict[str, Any]) -> Pooling:
    axes = windows.spatial_axes(window["data_format"])
    ksize = tuple(window["ksize"][axis] for axis in axes)
    found = windows.geometry(
        tuple(sizes), ksize, window["strides"], window["padding"],
        window.get("explicit_paddings", ()), window["data_format"],
    )  # fmt: skip
    return Pooling(ksize, found.strides, found.padding)


def pooled_shape(value, *, ksize, strides, padding, explicit_paddings=(), data_format, **_attrs):
    """The shape that pooling gives `value`. Raises ValueError in TensorFlow's words."""
    images = windows.image_shape(value, data_format)
    channel = windows.channel_axis(data_format)
    window = [ksize[axis] for axis in windows.spatial_axes(data_format)]
    if ksize[0] != 1 or strides[0] != 1:
        raise ValueError("Pooling is not yet supported on the batch dimension.")
    channels = images.sizes[channel]
    if channels is not None:
        channels //= ksize[channel]
    return windows.slid_shape(images, window, channels, strides, padding, explicit_paddings, data_format)


def _max_pooled(input, *, argmax_type, **window):
    _check_max_pool(input, **window)
    pooled = pooled_shape(input, **window)
    return [pooled, pooled]


_SIDES = ("Top", "Bottom", "Left", "Right")


def _check_max_pool(input, *, ksize, strides, padding, explicit_paddings, data_format) -> None:
    channel = windows.channel_axis(data_format)
    axes = windows.spatial_axes(data_format)
    if ksize[channel] != 1:
        if any(ksize[axis] != 1 for axis in axes):
            raise ValueError(
                "MaxPooling supports exactly one of pooling across depth or pooling across width/height."
            )
        if ksize[channel] != strides[channel]:
            raise ValueError("Depthwise max pooling requires the depth window to equal the depth stride")
        depth = input.shape.sizes[channel] if input.shape.rank else None
        if depth is not None and depth % ksize[channel]:
            raise ValueError(
                "Depthwise max pooling requires the depth window to evenly divide the input depth"
            )
    elif strides[channel] != 1:
        raise ValueError("Depthwise max pooling requires the depth window to equal the depth stride")
    pads = [explicit_paddings[2 * axis + end] for axis in axes for end in (0, 1)] if explicit_paddings else []
    for side, pad, size in zip(_SIDES, pads, (ksize[axes[0]],) * 2 + (ksize[axes[-1]],) * 2):
        if pad >= size:
            raise ValueError(f"{side} padding {pad} needs to be smaller than the window size {size}")


def _depth(ksize, data_format) -> int:
    """How many channels a window spans."""
    return ksize[windows.channel_axis(data_format)]


def _as_columns(x: np.ndarray) -> np.ndarray:
    """Images with channels last as (pixels, channels, 1, 1), so that channels can be pooled like rows."""
    return x.reshape(-1, x.shape[-1], 1, 1)


def _laid_out(kernel, arrays, data_format, out):
    """Calls `kernel(*arrays, out)`, which knows channels last only, in either layout."""
    if data_format == "NHWC":
        return kernel(*arrays, out)
    return channels_first(kernel(*[channels_last(array) for array in arrays], None), out)


# --- maximum -----------------------------------------------------------------------------------------


def _prepare_max_pool(node):
    sizes, window = node.inputs[0].shape, dict(node.attrs)
    if not sizes.is_fully_defined() or not _is_plain(window):
        return None
    del window["argmax_type"]
    pooling = _pooling(sizes.sizes, window)
    kernel = kernels.max_pool

    def prepared(input, out=(None, None)):
        return kernel(input, *pooling, *out)

    return prepared


def _is_plain(window: dict[str, Any]) -> bool:
    """Whether kernels serve as they are: channels last, and not pooled."""
    return window["data_format"] == "NHWC" and window["ksize"][3] == 1


@op("MaxPool", shape=_max_pooled, prepare=_prepare_max_pool)
def _max_pool(
    input: Real,
    *,
    ksize,
    strides,
    padding,
    explicit_paddings=(),
    data_format="NHWC",
    argmax_type=dtypes.uint8,
    out=None,
) -> (Real, Attr("argmax_type")):
    """The maximum in each window, and the number of its cell there, for the gradient."""
    y, places = out or (None, None)
    x = input if data_format == "NHWC" else channels_last(input)
    depth = _depth(ksize, data_format)
    if depth > 1:
        found = kernels.max_pool(_as_columns(x), (depth, 1), (depth, 1))
        results = [array.reshape(*x.shape[:3], -1) for array in found]
    else:
        window = {"ksize": ksize, "strides": strides, "padding": padding, "data_format": data_format}
        pooling = _pooling(input.shape, {**window, "explicit_paddings": explicit_paddings})
        if data_format == "NHWC":
            return kernels.max_pool(x, *pooling, y, places)
        results = kernels.max_pool(x, *pooling)
    if data_format == "NHWC":
        return tuple(_put(array, target) for array, target in zip(results, (y, places), strict=True))
    return tuple(channels_first(array, target) for array, target in zip(results, (y, places), strict=True))


def _put(array: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    if out is None:
        return array
    np.copyto(out, array)
    return out


def _prepare_from_argmax(kernel_of):
    """Prepares an op over (orig_input, argmax, value): `kernel_of(pooling, image shape)` makes its kernel."""

    def prepare(node):
        images, window = node.inputs[0].shape, dict(node.attrs)
        if not images.is_fully_defined() or not _is_plain(window):
            return None
        return kernel_of(_pooling(images.sizes, window), images.sizes)

    return prepare


def _grad_kernel(pooling, sizes):
    kernel = kernels.max_pool_grad
    return lambda orig_input, argmax, grad, out=None: kernel(argmax, grad, sizes, *pooling, out)


def _gather_kernel(pooling, sizes):
    kernel = kernels.max_pool_gather
    return lambda orig_input, argmax, grad, out=None: kernel(argmax, grad, *pooling, out)


def _image_like(orig_input, argmax, grad, **_attrs):
    return orig_input.shape


def _pooled_like(orig_input, argmax, grad, **_attrs):
    return argmax.shape


@op("MaxPoolGrad", shape=_image_like, shape_only=("orig_input",), prepare=_prepare_from_argmax(_grad_kernel))
def _max_pool_grad(
    orig_input: Mixed,
    argmax: _Place,
    grad: Real,
    *,
    ksize,
    strides,
    padding,
    explicit_paddings=(),
    data_format="NHWC",
    out=None,
) -> Real:
    """The gradient of MaxPool's maxima with respect to its input."""
    depth = _depth(ksize, data_format)
    window = {"ksize": ksize, "strides": strides, "padding": padding, "data_format": data_format}
    sizes = orig_input.shape
    last = sizes if data_format == "NHWC" else (sizes[0], *sizes[2:], sizes[1])

    def kernel(places, slopes, out):
        if depth == 1:
            pooling = _pooling(sizes, {**window, "explicit_paddings": explicit_paddings})
            return kernels.max_pool_grad(places, slopes, last, *pooling, out)
        columns = (int(np.prod(last[:3])), last[3], 1, 1)
        found = kernels.max_pool_grad(
            _as_columns(places), _as_columns(slopes), columns, (depth, 1), (depth, 1)
        )
        return _put(found.reshape(last), out)

    return _laid_out(kernel, (argmax, grad), data_format, out)


@op(
    "MaxPoolGradGrad",
    shape=_pooled_like,
    shape_only=("orig_input",),
    prepare=_prepare_from_argmax(_gather_kernel),
)
def _max_pool_grad_grad(
    orig_input: Mixed,
    argmax: _Place,
    grad: Real,
    *,
    ksize,
    strides,
    padding,
    explicit_paddings=(),
    data_format="NHWC",
    out=None,
) -> Real:
    """What `grad`, of the input's shape, has at the places of the maxima."""
    depth = _depth(ksize, data_format)
    window = {"ksize": ksize, "strides": strides, "padding": padding, "data_format": data_format}

    def kernel(places, values, out):
        if depth == 1:
            pooling = _pooling(grad.shape, {**window, "explicit_paddings": explicit_paddings})
            return kernels.max_pool_gather(places, values, *pooling, out)
        found = kernels.max_pool_gather(_as_columns(places), _as_columns(values), (depth, 1), (depth, 1))
        return _put(found.reshape(places.shape), out)

    return _laid_out(kernel, (argmax, grad), data_format, out)


def _without_type(attrs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attrs.items() if name != "argmax_type"}


@gradient(_max_pool)
def _max_pool_gradient(op, grad, _):
    return _max_pool_grad(op.inputs[0], op.outputs[1], grad, **_without_type(op.attrs))


@gradient(_max_pool_grad)
def _max_pool_grad_gradient(op, grad):
    images, argmax, _ = op.inputs
    return [zeros_like(images), None, _max_pool_grad_grad(images, argmax, grad, **op.attrs)]


@gradient(_max_pool_grad_grad)
def _max_pool_grad_grad_gradient(op, grad):
    images, argmax, _ = op.inputs
    return [zeros_like(images), None, _max_pool_grad(images, argmax, grad, **op.attrs)]


# --- average -----------------------------------------------------------------------------------------


def _avg_pooled(value, **window):
    channel = windows.channel_axis(window["data_format"])
    if window["ksize"][channel] != 1 or window["strides"][channel] != 1:
        raise ValueError("Non-spatial pooling is not yet supported.")
    return pooled_shape(value, **window)


def _prepare_avg_pool(node):
    images = node.inputs[0].shape
    if not images.is_fully_defined() or not _is_plain(node.attrs):
        return None
    ksize, strides, padding = _pooling(images.sizes, node.attrs)
    return functools.partial(kernels.avg_pool, ksize=ksize, strides=strides, padding=padding)


@op("AvgPool", shape=_avg_pooled, prepare=_prepare_avg_pool)
def _avg_pool(value: Floating, *, ksize, strides, padding, data_format="NHWC", out=None) -> Floating:
    """The mean of each window's part inside the image."""
    window = {"ksize": ksize, "strides": strides, "padding": padding, "data_format": data_format}
    pooling = _pooling(value.shape, window)
    return _laid_out(lambda x, out: kernels.avg_pool(x, *pooling, out), (value,), data_format, out)


def _averaged_images(orig_input_shape, grad, **window):
    return shape_from(orig_input_shape).merge_with(unknown_shape(4))


def _prepare_avg_pool_grad(node):
    (images,) = (value.shape for value in node.outputs)
    if not images.is_fully_defined() or not _is_plain(node.attrs):
        return None
    sizes, pooling, kernel = images.sizes, _pooling(images.sizes, node.attrs), kernels.avg_pool_grad
    return lambda orig_input_shape, grad, out=None: kernel(grad, sizes, *pooling, out)


@op("AvgPoolGrad", shape=_averaged_images, prepare=_prepare_avg_pool_grad)
def _avg_pool_grad(
    orig_input_shape: _Sizes,
    grad: Floating,
    *,
    ksize,
    strides,
    padding,
    data_format="NHWC",
    out=None,
) -> Floating:
    """The gradient of AvgPool with respect to an input of that shape."""
    window = {"ksize": ksize, "strides": strides, "padding": padding, "data_format": data_format}
    sizes = tuple(int(size) for size in orig_input_shape)
    last = sizes if data_format == "NHWC" else (sizes[0], *sizes[2:], sizes[1])
    pooling = _pooling(sizes, window)
    return _laid_out(
        lambda slopes, out: kernels.avg_pool_grad(slopes, last, *pooling, out), (grad,), data_format, out
    )


@gradient(_avg_pool)
def _avg_pool_gradient(op, grad):
    return _avg_pool_grad(shape(op.inputs[0]), grad, **op.attrs)


@gradient(_avg_pool_grad)
def _avg_pool_grad_gradient(op, grad):
    return [None, _avg_pool(grad, **op.attrs)]


# --- TF1's functions ---------------------------------------------------------------------------------


def window_attrs(op_name, ksize, strides, padding, data_format, rank=4, explicit=False) -> dict[str, Any]:
    """The attributes of a pooling op that a public function's arguments mean."""
    found = windows.attributes(op_name, rank, strides, padding, data_format, None, explicit)
    ksize = windows.per_dimension(ksize, "ksize", found.data_format)
    if 0 in ksize:
        raise ValueError(f"`ksize` cannot be zero. Received: ksize={list(ksize)}")
    attrs = {"ksize": ksize, **found._asdict()}
    del attrs["dilations"]
    if not explicit:
        del attrs["explicit_paddings"]
    return attrs


def max_pool(
    value: Any = None,
    ksize: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Any:
    """The maximum over each window of images.

    Args:
      value: (N, H, W, C), or (N, C, H, W) if `data_format` is "NCHW"; any real dtype. `input` is its
        newer name.
      ksize: the window: one number, one for each of height and width, or one per dimension. It may
        span channels instead, which it must then divide evenly.
      strides: its steps, given likewise.
      padding: "SAME", "VALID", or a list of pairs, the cells before and after each dimension.

    Raises:
      ValueError: the window does not fit or an attribute is wrong.
    """
    value = one_of("input", input, "value", value)
    attrs = window_attrs("MaxPool", ksize, strides, padding, data_format, explicit=True)
    cells = tuple(attrs["ksize"][axis] for axis in windows.spatial_axes(attrs["data_format"]))
    if _depth(attrs["ksize"], attrs["data_format"]) > 1:
        cells = (_depth(attrs["ksize"], attrs["data_format"]), 1)
    argmax_type = dtypes.as_dtype(kernels.argmax_dtype(cells))
    return _max_pool(value, name=name, argmax_type=argmax_type, **attrs)[0]


def avg_pool(
    value: Any = None,
    ksize: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Any:
    """The mean over each window of images, of the cells inside the image; arguments as of `max_pool`."""
    value = one_of("input", input, "value", value)
    attrs = window_attrs("AvgPool", ksize, strides, padding, data_format)
    return _avg_pool(value, name=name, **attrs)
