"""Pooling in one dimension, by the number of dimensions, and with the places of the maxima."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.kernels import pool as kernels
from minitf.ops import windows
from minitf.ops.array import expand_dims, squeeze
from minitf.ops.constants import zeros_like
from minitf.ops.pool import _max_pooled, _pooling, avg_pool, max_pool, window_attrs
from minitf.ops.registry import Attr, Index, Mixed, Real, gradient, interpreter, op
from minitf.ops.volume import avg_pool3d, max_pool3d
from minitf.ops.windows import per_dimension

# --- one dimension -----------------------------------------------------------------------------------


def _pool1d(pool: Any, input, ksize, strides, padding, data_format, name: str) -> Any:
    data_format = windows.check_format(pool.__name__, data_format, 3)
    height = data_format.index("W")
    ksize, strides = (
        list(per_dimension(values, label, data_format))
        for values, label in ((ksize, "ksize"), (strides, "strides"))
    )
    for values in (ksize, strides):
        values.insert(height, 1)
    if isinstance(padding, list | tuple):
        padding = [*padding[:height], [0, 0], *padding[height:]]
    with interpreter().name_scope(name) as scope:
        images = expand_dims(input, height)
        pooled = pool(images, ksize, strides, padding, data_format.replace("W", "HW"), name=scope)
        return squeeze(pooled, [height])


def max_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NWC",
    name: str | None = None,
) -> Any:
    """The maximum over each window of sequences (N, W, C), or (N, C, W) if `data_format` is "NCW"."""
    return _pool1d(max_pool, input, ksize, strides, padding, data_format, name or "MaxPool1d")


def avg_pool1d(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NWC",
    name: str | None = None,
) -> Any:
    """The mean over each window of sequences (N, W, C), or (N, C, W) if `data_format` is "NCW"."""
    return _pool1d(avg_pool, input, ksize, strides, padding, data_format, name or "AvgPool1D")


# --- by the number of dimensions ---------------------------------------------------------------------

_MAX = {3: max_pool1d, 4: max_pool, 5: max_pool3d}
_AVERAGE = {3: avg_pool1d, 4: avg_pool, 5: avg_pool3d}


def _by_rank(functions: dict[int, Any], input, ksize, strides, padding, data_format, name) -> Any:
    input = interpreter().convert(input, None, None, "input")
    rank = input.shape.rank if input.shape.rank is not None else len(data_format or "NHWC")
    if rank not in functions:
        raise ValueError(
            f"`input.shape.rank` must be 3, 4 or 5. Received: input.shape={input.shape} of rank {rank}."
        )
    return functions[rank](input, ksize, strides, padding, data_format, name=name)


def max_pool_v2(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    name: str | None = None,
) -> Any:
    """The maximum over each window, in one, two or three dimensions, as many as `input` has (TF2's)."""
    return _by_rank(_MAX, input, ksize, strides, padding, data_format, name)


def avg_pool_v2(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = None,
    name: str | None = None,
) -> Any:
    """The mean over each window, in one, two or three dimensions, as many as `input` has (TF2's)."""
    return _by_rank(_AVERAGE, input, ksize, strides, padding, data_format, name)


def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    padding: str,
    dilation_rate: Any = None,
    strides: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Any:
    """Pooling by name: `pooling_type` is "MAX" or "AVG", `window_shape` one size per spatial dimension.

    Raises ValueError for other types and for strides larger than the window; NotImplementedError for
    dilations above 1.
    """
    rates = dilation_rate if dilations is None else dilations
    if rates is not None and any(rate != 1 for rate in np.atleast_1d(rates)):
        raise NotImplementedError("tf.nn.pool: `dilation_rate` above 1 is not supported")
    functions = {"MAX": _MAX, "AVG": _AVERAGE}.get(pooling_type)
    rank = len(window_shape) + 2
    if functions is None or rank not in functions:
        raise ValueError(f"{rank - 2}-D {pooling_type} pooling is not supported.")
    strides = [1] * (rank - 2) if strides is None else list(strides)
    if any(step > size for step, size in zip(strides, window_shape, strict=True)):
        raise ValueError(
            "`strides` > `window_shape` not supported due to inconsistency between CPU and GPU "
            f"implementations. Received: strides={strides} and window_shape={window_shape}"
        )
    with interpreter().name_scope(name or f"{pooling_type.lower()}_pool") as scope:
        return functions[rank](input, list(window_shape), strides, padding, data_format, name=scope)


# --- the places of the maxima ------------------------------------------------------------------------


def _with_places(input, *, include_batch_in_index, Targmax, **window):
    return _max_pooled(input, argmax_type=None, explicit_paddings=(), data_format="NHWC", **window)


@op("MaxPoolWithArgmax", shape=_with_places)
def _max_pool_with_argmax(
    input: Real, *, ksize, strides, padding, Targmax=dtypes.int64, include_batch_in_index=False
) -> (Real, Attr("Targmax")):
    """The maximum in each window, and its place in the flattened image."""
    window = {"ksize": ksize, "strides": strides, "padding": padding, "data_format": "NHWC"}
    pooling = _pooling(input.shape, window)
    y, cells = kernels.max_pool(input, *pooling)
    _, height, width, channels = input.shape
    images, rows, columns, channel = np.indices(y.shape, np.int64, sparse=True)
    cells = cells.astype(np.int64)
    row = rows * pooling.strides[0] - pooling.padding[0][0] + cells // pooling.ksize[1]
    column = columns * pooling.strides[1] - pooling.padding[1][0] + cells % pooling.ksize[1]
    places = (row * width + column) * channels + channel
    if include_batch_in_index:
        places += images * (height * width * channels)
    return y, places.astype(Targmax.numpy_dtype)


def _flat_places(argmax: np.ndarray, image_size: int, with_batch: bool) -> np.ndarray:
    """Places counted through the whole batch."""
    if with_batch:
        return argmax.reshape(-1)
    first = np.arange(len(argmax), dtype=np.int64) * image_size
    return (argmax.reshape(len(argmax), -1) + first[:, None]).reshape(-1)


def _image_like(input, grad, argmax, **_attrs):
    return input.shape


def _pooled_like(input, grad, argmax, **_attrs):
    return argmax.shape


@op("MaxPoolGradWithArgmax", shape=_image_like, shape_only=("input",))
def _max_pool_grad_with_argmax(
    input: Mixed, grad: Real, argmax: Index, *, ksize, strides, padding, include_batch_in_index=False
) -> Real:
    """The gradient of the maxima, sent to their places."""
    dx = np.zeros(input.shape, grad.dtype)
    places = _flat_places(argmax, dx[:1].size, include_batch_in_index)
    np.add.at(dx.reshape(-1), places, grad.reshape(-1))
    return dx


@op("MaxPoolGradGradWithArgmax", shape=_pooled_like, shape_only=("input",))
def _max_pool_grad_grad_with_argmax(
    input: Mixed, grad: Real, argmax: Index, *, ksize, strides, padding, include_batch_in_index=False
) -> Real:
    """What `grad`, of the input's shape, has at the places of the maxima."""
    places = _flat_places(argmax, grad[:1].size, include_batch_in_index)
    return grad.reshape(-1)[places].reshape(argmax.shape)


def _shared(attrs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attrs.items() if name != "Targmax"}


@gradient(_max_pool_with_argmax)
def _max_pool_with_argmax_gradient(op, grad, _):
    return _max_pool_grad_with_argmax(op.inputs[0], grad, op.outputs[1], **_shared(op.attrs))


@gradient(_max_pool_grad_with_argmax)
def _max_pool_grad_with_argmax_gradient(op, grad):
    images, _, argmax = op.inputs
    return [zeros_like(images), _max_pool_grad_grad_with_argmax(images, grad, argmax, **op.attrs), None]


@gradient(_max_pool_grad_grad_with_argmax)
def _max_pool_grad_grad_with_argmax_gradient(op, grad):
    images, _, argmax = op.inputs
    return [zeros_like(images), _max_pool_grad_with_argmax(images, grad, argmax, **op.attrs), None]


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    Targmax: Any = None,
    name: str | None = None,
    output_dtype: Any = None,
    include_batch_in_index: bool = False,
) -> tuple[Any, Any]:
    """The maximum over each window of images (N, H, W, C), and where it was.

    Places are counted through the flattened image, (row * W + column) * C + channel, or through the whole
    batch with `include_batch_in_index`; int64, or `output_dtype` (old name: `Targmax`).
    Raises ValueError for another layout.
    """
    if data_format != "NHWC":
        raise ValueError(
            f"`data_format` values other  than 'NHWC' are not supported. Received: data_format={data_format}"
        )
    kind = Targmax if output_dtype is None else output_dtype
    attrs = window_attrs("MaxPoolWithArgmax", ksize, strides, padding, data_format)
    del attrs["data_format"]
    return tuple(
        _max_pool_with_argmax(
            input,
            name=name,
            Targmax=dtypes.as_dtype(dtypes.int64 if kind is None else kind),
            include_batch_in_index=include_batch_in_index,
            **attrs,
        )
    )
