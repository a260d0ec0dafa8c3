"""Convolution layers, plain and transposed. Separable ones are in separable.py."""

from collections.abc import Callable
from typing import Any

from minitf.framework.shapes import as_shape
from minitf.layers import windows
from minitf.layers.base import InputSpec, Layer, functional
from minitf.layers.named import get_activation
from minitf.ops.array import expand_dims, shape, squeeze
from minitf.ops.bias import bias_add
from minitf.ops.conv import conv2d as conv2d_op
from minitf.ops.conv import conv2d_transpose as conv2d_transpose_op
from minitf.ops.initializers import zeros_initializer
from minitf.ops.join import stack
from minitf.ops.volume import conv3d as conv3d_op
from minitf.ops.volume import conv3d_transpose as conv3d_transpose_op

_ZEROS = zeros_initializer()


class Convolution(Layer):
    """What all of them share: the window, the bias and the activation."""

    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        bias_constraint: Callable | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = int(filters)
        if self.filters <= 0:
            raise ValueError(
                "Invalid value for argument `filters`. Expected a strictly positive value. "
                f"Received filters={filters}."
            )
        self.kernel_size = windows.several(kernel_size, self.rank, "kernel_size")
        self.strides = windows.several(strides, self.rank, "strides")
        self.padding = windows.checked_padding(padding)
        self.data_format = windows.checked_format(data_format)
        self.dilation_rate = windows.several(dilation_rate, self.rank, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. Received: "
                f"strides={self.strides} and dilation_rate={self.dilation_rate}"
            )
        self.activation = get_activation(activation)
        self.use_bias = use_bias
        self.bias_initializer = bias_initializer
        self.bias_regularizer = bias_regularizer
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _channels(self, input_shape: Any) -> int:
        """How many channels the inputs have; from now on they must have as many."""
        axis = windows.channel_axis(self.data_format)
        size = as_shape(input_shape).sizes[axis]
        if size is None:
            raise ValueError(
                f"The channel dimension of the inputs should be defined. The input_shape received is "
                f"{as_shape(input_shape)}, where axis {axis} (0-based) is the channel dimension, which found "
                "to be `None`."
            )
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: size})
        return size

    def _add_bias(self) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                [self.filters],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    # The ops know no single dimension of space: it becomes two, the first of size 1.

    def _window(self) -> dict[str, Any]:
        return {
            "strides": windows.per_dimension((1,) * (2 - self.rank) + self.strides, self.data_format),
            "padding": self.padding.upper(),
            "data_format": windows.op_format(self.data_format, max(self.rank, 2)),
        }

    def _as_images(self, inputs: Any) -> Any:
        return expand_dims(inputs, windows.added_axis(self.data_format)) if self.rank == 1 else inputs

    def _as_outputs(self, images: Any) -> Any:
        return squeeze(images, [windows.added_axis(self.data_format)]) if self.rank == 1 else images

    def _biased(self, x: Any, rank: int) -> Any:
        """`x`, which has `rank` dimensions of space, plus the bias."""
        if self.bias is None:
            return x
        return bias_add(x, self.bias, data_format=windows.op_format(self.data_format, rank))

    def _activated(self, outputs: Any) -> Any:
        return outputs if self.activation is None else self.activation(outputs)


class _Plain(Convolution):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = _ZEROS,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Callable | None = None,
        bias_constraint: Callable | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias,
            bias_initializer, bias_regularizer, bias_constraint,
            activity_regularizer=activity_regularizer, trainable=trainable, name=name, **kwargs,
        )  # fmt: skip
        self.kernel_initializer = kernel_initializer
        self.kernel_regularizer = kernel_regularizer
        self.kernel_constraint = kernel_constraint

    def _kernel_shape(self, channels: int) -> list[int]:
        return [*self.kernel_size, channels, self.filters]

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias` for inputs of that shape."""
        self.kernel = self.add_weight(
            "kernel",
            self._kernel_shape(self._channels(input_shape)),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias()

    def call(self, inputs: Any) -> Any:
        """The convolved `inputs`."""
        kernel = expand_dims(self.kernel, 0) if self.rank == 1 else self.kernel
        dilations = windows.per_dimension((1,) * (2 - self.rank) + self.dilation_rate, self.data_format)
        convolve = conv3d_op if self.rank == 3 else conv2d_op
        images = convolve(self._as_images(inputs), kernel, dilations=dilations, **self._window())
        return self._activated(self._biased(self._as_outputs(images), self.rank))


class Conv2D(_Plain):
    """activation(inputs * kernel + bias), * being convolution over two dimensions of space.

    Inputs are (N, H, W, C), or (N, C, H, W) with `data_format="channels_first"`; `kernel` is
    (KH, KW, C, filters), `bias` (filters,). `kernel_size`, `strides` and `dilation_rate` are one int, or one
    for each of height and width. `padding` is "valid" or "same" (zeros around, so that
    ceil(size / stride) pixels come out along a side).

    Raises ValueError when C is not known, or for strides together with dilation.
    """

    rank = 2


class Conv1D(_Plain):
    """Convolution over one dimension of space: (N, W, C) or (N, C, W). See `Conv2D`.

    `kernel` is (K, C, filters).
    """

    rank = 1


class Conv3D(_Plain):
    """Convolution over three dimensions of space: (N, D, H, W, C) or (N, C, D, H, W). See `Conv2D`.

    `kernel` is (KD, KH, KW, C, filters).
    """

    rank = 3


class _Transposed(_Plain):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = _ZEROS,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Callable | None = None,
        bias_constraint: Callable | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters, kernel_size, strides, padding, data_format, 1, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, trainable, name, **kwargs,
        )  # fmt: skip

    def _kernel_shape(self, channels: int) -> list[int]:
        return [*self.kernel_size, self.filters, channels]

    def call(self, inputs: Any) -> Any:
        """The enlarged `inputs`."""
        first = self.data_format == "channels_first"
        space = range(2 if first else 1, self.rank + (2 if first else 1))
        known, running = inputs.shape.sizes, shape(inputs)
        sizes = []
        for axis, kernel, stride in zip(space, self.kernel_size, self.strides, strict=True):
            size = running[axis] if known[axis] is None else known[axis]
            sizes.append(size * stride + (max(kernel - stride, 0) if self.padding == "valid" else 0))
        batch = running[0] if known[0] is None else known[0]
        order = [batch, self.filters, *sizes] if first else [batch, *sizes, self.filters]
        convolve = conv3d_transpose_op if self.rank == 3 else conv2d_transpose_op
        outputs = convolve(inputs, self.kernel, stack(order), **self._window())
        return self._activated(self._biased(outputs, self.rank))


class Conv2DTranspose(_Transposed):
    """The transpose of a convolution as a linear map, which makes images larger by `strides`.

    `kernel` is (KH, KW, filters, C). See `Conv2D`.
    """

    rank = 2


class Conv3DTranspose(_Transposed):
    """`Conv2DTranspose` over three dimensions of space; `kernel` is (KD, KH, KW, filters, C)."""

    rank = 3


conv1d = functional(Conv1D, "conv1d")
conv2d = functional(Conv2D, "conv2d")
conv3d = functional(Conv3D, "conv3d")
conv2d_transpose = functional(Conv2DTranspose, "conv2d_transpose")
conv3d_transpose = functional(Conv3DTranspose, "conv3d_transpose")
