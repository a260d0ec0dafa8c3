"""What networks are built of, in Keras's names: activations, losses, convolutions, pools, normalizations."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.keras import activations, losses
from minitf.keras.backend.shaping import batch_dot, concatenate, permute_dimensions, reshape, temporal_padding
from minitf.keras.backend.values import int_shape, ndim, shape, tensor
from minitf.keras.engine import state
from minitf.keras.layers.convolutional import data_format_of
from minitf.ops import cross_entropy, math, nn_misc, norm
from minitf.ops.array import cast
from minitf.ops.bias import bias_add as _bias_add
from minitf.ops.clip import clip_by_value
from minitf.ops.conv import conv2d_transpose as _conv2d_transpose
from minitf.ops.conv_depthwise import depthwise_conv2d as _depthwise_conv2d
from minitf.ops.conv_depthwise import separable_conv2d as _separable_conv2d
from minitf.ops.conv_more import convolution
from minitf.ops.dropout import dropout as _dropout
from minitf.ops.join import stack
from minitf.ops.norm_fused import fused_batch_norm
from minitf.ops.pool import avg_pool, max_pool
from minitf.ops.volume import avg_pool3d, max_pool3d

relu, elu, softmax, hard_sigmoid = (
    activations.relu,
    activations.elu,
    activations.softmax,
    activations.hard_sigmoid,
)


def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> Any:
    """Values dropped with chance `level`, the others scaled up."""
    seed = np.random.randint(10_000_000) if seed is None else seed
    return _dropout(x, rate=level, noise_shape=noise_shape, seed=seed)


def l2_normalize(x: Any, axis: Any = None) -> Any:
    """x over its length along `axis`."""
    return norm.l2_normalize(x, axis=axis)


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """Whether each target is among the k largest predictions."""
    return nn_misc.in_top_k(predictions, targets, k)


# --- losses ------------------------------------------------------------------------------------------


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Any:
    """-sum of target * log(output) along `axis`; targets are one-hot."""
    return losses.categorical_crossentropy(target, output, from_logits, axis=axis)


def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """-log of the output for the class that `target` names."""
    return losses.sparse_categorical_crossentropy(target, output, from_logits, axis, ignore_class)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """-target * log(output) - (1 - target) * log(1 - output), element by element."""
    output = tensor(output)
    target = cast(tensor(target), output.dtype)
    if from_logits:
        return cross_entropy.sigmoid_cross_entropy_with_logits(labels=target, logits=output)
    one, least = (cast(number, output.dtype) for number in (1.0, state.epsilon()))
    output = clip_by_value(output, least, one - least)
    return -(target * math.log(output + least) + (one - target) * math.log(one - output + least))


# --- convolutions and pools --------------------------------------------------------------------------

_LAST, _FIRST = {1: "NWC", 2: "NHWC", 3: "NDHWC"}, {1: "NCW", 2: "NCHW", 3: "NCDHW"}


def _format(data_format: str | None, rank: int) -> str:
    return (_FIRST if data_format_of(data_format) == "channels_first" else _LAST)[rank]


def _padding(padding: str) -> str:
    if padding not in ("same", "valid"):
        raise ValueError(f"Invalid padding: {padding}")
    return padding.upper()


def _whole(values: Any, data_format: str) -> list[int]:
    """Sizes of windows or strides with those of batch and channels."""
    return [1, 1, *values] if data_format[1] == "C" else [1, *values, 1]


def _convolve(x, kernel, strides, padding, data_format, dilation_rate, rank) -> Any:
    return convolution(
        x, kernel, _padding(padding), strides=strides, dilation_rate=dilation_rate,
        data_format=_format(data_format, rank),
    )  # fmt: skip


def conv1d(
    x: Any,
    kernel: Any,
    strides: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int = 1,
) -> Any:
    """Sequences convolved with a kernel (size, channels, filters); `padding` may be 'causal'."""
    if padding == "causal":
        x = temporal_padding(x, (dilation_rate * (int_shape(kernel)[0] - 1), 0))
        padding = "valid"
    return _convolve(x, kernel, [strides], padding, data_format, [dilation_rate], 1)


def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Images convolved with a kernel (rows, columns, channels, filters)."""
    return _convolve(x, kernel, strides, padding, data_format, dilation_rate, 2)


def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Any:
    """Volumes convolved with a kernel (depth, rows, columns, channels, filters)."""
    return _convolve(x, kernel, strides, padding, data_format, dilation_rate, 3)


def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """The transpose of `conv2d`; kernel (rows, columns, filters, channels), `output_shape` with the batch."""
    if tuple(dilation_rate) != (1, 1):
        raise NotImplementedError("K.conv2d_transpose: dilation_rate is not supported")
    form = _format(data_format, 2)
    if isinstance(output_shape, list | tuple):
        first = shape(x)[0] if output_shape[0] is None else output_shape[0]
        output_shape = stack([first, *output_shape[1:]])
    return _conv2d_transpose(
        x, kernel, output_shape, _whole(strides, form), padding=_padding(padding), data_format=form
    )


def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """Each channel convolved with filters of its own."""
    form = _format(data_format, 2)
    return _depthwise_conv2d(
        x,
        depthwise_kernel,
        _whole(strides, form),
        _padding(padding),
        rate=list(dilation_rate),
        data_format=form,
    )


def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """`depthwise_conv2d`, then a convolution of single pixels."""
    form = _format(data_format, 2)
    return _separable_conv2d(
        x, depthwise_kernel, pointwise_kernel, _whole(strides, form), _padding(padding),
        rate=list(dilation_rate), data_format=form,
    )  # fmt: skip


def _local(inputs, kernel, kernel_size, strides, output_shape, data_format) -> Any:
    """A convolution with weights of their own at each place: kernel (places, window * channels, filters)."""
    is_first = data_format_of(data_format) == "channels_first"
    features, filters = int_shape(kernel)[1:]
    inputs = tensor(inputs)
    windows = []
    for place in itertools.product(*[range(size) for size in output_shape]):
        window = [slice(p * s, p * s + k) for p, s, k in zip(place, strides, kernel_size, strict=True)]
        key = (slice(None), slice(None), *window) if is_first else (slice(None), *window)
        windows.append(reshape(inputs[key], (1, -1, features)))
    output = reshape(batch_dot(concatenate(windows, 0), kernel), (*output_shape, -1, filters))
    rank = len(output_shape)
    spatial = list(range(rank))
    return permute_dimensions(output, [rank, rank + 1, *spatial] if is_first else [rank, *spatial, rank + 1])


def local_conv1d(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: str | None = None
) -> Any:
    """Sequences convolved without sharing weights: kernel (steps, window * channels, filters)."""
    return _local(inputs, kernel, kernel_size, strides, (int_shape(kernel)[0],), data_format)


def local_conv2d(
    inputs: Any,
    kernel: Any,
    kernel_size: Any,
    strides: Any,
    output_shape: Any,
    data_format: str | None = None,
) -> Any:
    """Images convolved without sharing weights: kernel (rows * columns, window * channels, filters)."""
    return _local(inputs, kernel, kernel_size, strides, tuple(output_shape), data_format)


def _pooling(rank: int, modes: dict[str, Callable], doc: str) -> Callable:
    def function(
        x: Any,
        pool_size: Any,
        strides: Any = (1,) * rank,
        padding: str = "valid",
        data_format: str | None = None,
        pool_mode: str = "max",
    ) -> Any:
        for name, value in (("pool_size", pool_size), ("strides", strides)):
            if len(value) != rank:
                raise ValueError(f"`{name}` must be a tuple of {rank} integers.")
        if pool_mode not in modes:
            raise ValueError(f"Invalid pooling mode: {pool_mode}")
        form = _format(data_format, rank)
        return modes[pool_mode](
            x, _whole(pool_size, form), _whole(strides, form), _padding(padding), data_format=form
        )

    function.__name__ = function.__qualname__ = f"pool{rank}d"
    function.__doc__ = doc
    return function


pool2d = _pooling(2, {"max": max_pool, "avg": avg_pool}, "The maximum or mean ('avg') of windows of images.")
pool3d = _pooling(
    3, {"max": max_pool3d, "avg": avg_pool3d}, "The maximum or mean ('avg') of windows of volumes."
)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """x plus a bias: a vector with one number per channel, or a tensor in the shape of a sample.

    Raises ValueError for a bias of other dimensions.
    """
    is_first = data_format_of(data_format) == "channels_first"
    sizes = int_shape(bias)
    if len(sizes) == 1:
        return _bias_add(x, bias, data_format="NCHW" if is_first else "NHWC")
    if len(sizes) != ndim(x) - 1:
        raise ValueError(
            f"Unexpected bias dimensions {len(sizes)}, expect to be 1 or {ndim(x) - 1} dimensions"
        )
    return tensor(x) + reshape(bias, (1, sizes[-1], *sizes[:-1]) if is_first else (1, *sizes))


# --- normalizations ----------------------------------------------------------------------------------


def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    """gamma * (x - mean) / sqrt(var + epsilon) + beta, with one number of each per channel."""
    x = tensor(x)
    if axis % ndim(x) != ndim(x) - 1:
        wide = [1] * ndim(x)
        wide[axis] = -1
        mean, var, beta, gamma = (None if v is None else reshape(v, wide) for v in (mean, var, beta, gamma))
    return norm.batch_normalization(x, mean, var, beta, gamma, epsilon)


def normalize_batch_in_training(
    x: Any, gamma: Any, beta: Any, reduction_axes: Any, epsilon: float = 1e-3
) -> tuple[Any, Any, Any]:
    """x normalized by its own mean and variance over `reduction_axes`: (normalized, mean, variance).

    Of images over [0, 1, 2] the variance is the unbiased one, over N - 1, as TensorFlow's fused op gives it.
    """
    x = tensor(x)
    if ndim(x) == 4 and list(reduction_axes) == [0, 1, 2]:
        channels = int_shape(x)[-1]
        gamma = np.ones(channels, x.dtype.numpy_dtype) if gamma is None else gamma
        beta = np.zeros(channels, x.dtype.numpy_dtype) if beta is None else beta
        return fused_batch_norm(x, gamma, beta, epsilon=epsilon)
    mean, variance = norm.moments(x, list(reduction_axes))
    wide = [1 if axis in reduction_axes else size for axis, size in enumerate(int_shape(x))]
    wide = [-1 if size is None else size for size in wide]
    parts = [None if v is None else reshape(v, wide) for v in (mean, variance, beta, gamma)]
    return norm.batch_normalization(x, *parts, epsilon), mean, variance
