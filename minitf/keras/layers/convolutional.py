"""Convolutions. Layers that only pad, crop and enlarge are in resampling.py."""

from typing import Any

from minitf.framework.shapes import TensorShape
from minitf.keras import activations, constraints, initializers, regularizers
from minitf.keras.engine import state
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.ops.array import expand_dims, shape, squeeze
from minitf.ops.bias import bias_add
from minitf.ops.conv import conv2d, conv2d_transpose
from minitf.ops.conv_depthwise import depthwise_conv2d, separable_conv2d
from minitf.ops.conv_more import convolution
from minitf.ops.join import stack
from minitf.ops.pad import pad
from minitf.ops.volume import conv3d


def sizes(value: Any, count: int, name: str, allow_zero: bool = False) -> tuple[int, ...]:
    """An int or `count` ints as a tuple. Raises ValueError in Keras's words for anything else."""
    values = (value,) * count if isinstance(value, int) else tuple(int(v) for v in value)
    least = 0 if allow_zero else 1
    if len(values) != count or any(v < least for v in values):
        raise ValueError(f"The `{name}` argument must be a tuple of {count} integers. Received: {value}")
    return values


def data_format_of(value: str | None) -> str:
    """The image format. Raises ValueError for an unknown one."""
    value = state.image_data_format() if value is None else value.lower()
    if value not in ("channels_first", "channels_last"):
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return value


class Conv(Layer):
    """Base of convolutions: a kernel, a bias, an activation."""

    rank = 2

    def __init__(
        self,
        filters: Any,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = None if filters is None else int(filters)
        if self.filters is not None and self.filters <= 0:
            raise ValueError(
                "Invalid value for argument `filters`. Expected a strictly positive value. Received "
                f"filters={filters}."
            )
        self.groups = groups or 1
        self.kernel_size = sizes(kernel_size, self.rank, "kernel_size")
        self.strides = sizes(strides, self.rank, "strides")
        self.padding = padding.lower()
        if self.padding not in ("valid", "same", "causal") or self.padding == "causal" and self.rank > 1:
            raise ValueError(f'The `padding` argument must be one of "valid", "same". Received: {padding}')
        self.data_format = data_format_of(data_format)
        self.dilation_rate = sizes(dilation_rate, self.rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    @property
    def _format(self) -> str:
        return "NCHW" if self.data_format == "channels_first" else "NHWC"

    def _channels(self, input_shape: Any) -> int:
        channels = TensorShape(input_shape).as_list()[self._channel_axis]
        if channels is None:
            raise ValueError(
                "The channel dimension of the inputs should be defined. The input_shape received is "
                f"{input_shape}, where axis {self._channel_axis} (0-based) is the channel dimension, which "
                "found to be `None`."
            )
        return channels

    def _weight(self, name: str, shape: tuple, prefix: str = "kernel") -> Any:
        return self.add_weight(
            name, shape, initializer=getattr(self, f"{prefix}_initializer"),
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Makes kernel and bias."""
        channels = self._channels(input_shape)
        if channels % self.groups or self.filters % self.groups:
            raise ValueError(
                f"The number of input channels must be evenly divisible by the number of groups. Received "
                f"groups={self.groups}, but the input has {channels} channels (full input shape is "
                f"{input_shape})."
            )
        self.kernel = self._weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self.bias = self._weight("bias", (self.filters,), "bias") if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={self._channel_axis: channels})
        self.built = True

    def _convolve(self, inputs: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        """The convolution, bias added, through the activation."""
        outputs = self._convolve(inputs)
        if self.use_bias:
            outputs = bias_add(outputs, self.bias, data_format=self._format)
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Conv1D(Conv):
    """Convolution of sequences (batch, steps, channels); padding 'causal' looks at the past only."""

    rank = 1

    def _convolve(self, inputs: Any) -> Any:
        if self.padding == "causal":
            left = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            last = self.data_format == "channels_last"
            inputs = pad(inputs, [[0, 0], [left, 0], [0, 0]] if last else [[0, 0], [0, 0], [left, 0]])
        return convolution(
            inputs, self.kernel, padding="VALID" if self.padding == "causal" else self.padding.upper(),
            strides=self.strides, dilation_rate=self.dilation_rate,
            data_format="NWC" if self.data_format == "channels_last" else "NCW",
        )  # fmt: skip


class Conv2D(Conv):
    """Convolution of images (batch, rows, columns, channels)."""

    def _convolve(self, inputs: Any) -> Any:
        return conv2d(
            inputs, self.kernel, strides=self._full(self.strides), padding=self.padding.upper(),
            data_format=self._format, dilations=self._full(self.dilation_rate),
        )  # fmt: skip

    def _full(self, pair: tuple[int, ...]) -> list[int]:
        """A pair for rows and columns as the op takes it."""
        return [1, 1, *pair] if self._format == "NCHW" else [1, *pair, 1]


class Conv3D(Conv):
    """Convolution of volumes (batch, depth, rows, columns, channels)."""

    rank = 3

    def _convolve(self, inputs: Any) -> Any:
        last = self.data_format == "channels_last"
        strides, dilations = (
            [1, *sizes, 1] if last else [1, 1, *sizes] for sizes in (self.strides, self.dilation_rate)
        )
        return conv3d(
            inputs, self.kernel, strides=strides, padding=self.padding.upper(),
            data_format="NDHWC" if last else "NCDHW", dilations=dilations,
        )  # fmt: skip


def _ungrouped(layer: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keywords of a layer without groups, which are in its config none the less."""
    if kwargs.get("groups", 1) != 1:
        raise NotImplementedError(f"{type(layer).__name__}: groups={kwargs['groups']} is not supported")
    return kwargs


def _transposed_size(
    size: Any, kernel: int, stride: int, padding: str, output_padding: Any, dilation: int
) -> Any:
    """What a transposed convolution makes of a size."""
    if size is None:
        return None
    kernel = kernel + (kernel - 1) * (dilation - 1)
    if output_padding is None:
        return size * stride + (max(kernel - stride, 0) if padding == "valid" else 0)
    edge = kernel // 2 if padding == "same" else 0
    return (size - 1) * stride + kernel - 2 * edge + output_padding


class Conv2DTranspose(Conv2D):
    """The gradient of a convolution as a layer: it makes images larger by `strides`."""

    def __init__(
        self, filters: Any, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        output_padding: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(filters, kernel_size, strides, padding, **_ungrouped(self, kwargs))
        if self.dilation_rate != (1, 1):
            raise NotImplementedError("Conv2DTranspose: dilation_rate other than 1 is not supported")
        self.output_padding = (
            None if output_padding is None else sizes(output_padding, 2, "output_padding", True)
        )
        for stride, extra in zip(self.strides, self.output_padding or (), strict=False):
            if extra >= stride:
                raise ValueError(
                    "Strides must be greater than output padding. Received strides="
                    f"{self.strides}, output_padding={self.output_padding}."
                )
        self.input_spec = InputSpec(ndim=4)

    def build(self, input_shape: Any) -> None:
        """Makes kernel (rows, columns, filters, channels) and bias."""
        channels = self._channels(input_shape)
        self.kernel = self._weight("kernel", (*self.kernel_size, self.filters, channels))
        self.bias = self._weight("bias", (self.filters,), "bias") if self.use_bias else None
        self.input_spec = InputSpec(ndim=4, axes={self._channel_axis: channels})
        self.built = True

    def _convolve(self, inputs: Any) -> Any:
        spatial = (1, 2) if self.data_format == "channels_last" else (2, 3)
        known, running = inputs.shape.as_list(), shape(inputs)
        extra = self.output_padding or (None, None)
        out = [
            _transposed_size(
                known[axis] if known[axis] is not None else running[axis], k, s, self.padding, e, d
            )
            for axis, k, s, e, d in zip(
                spatial, self.kernel_size, self.strides, extra, self.dilation_rate, strict=True
            )
        ]
        batch = running[0] if known[0] is None else known[0]
        last = self.data_format == "channels_last"
        target = stack([batch, *out, self.filters] if last else [batch, self.filters, *out])
        outputs = conv2d_transpose(
            inputs, self.kernel, target, strides=self._full(self.strides), padding=self.padding.upper(),
            data_format=self._format,
        )  # fmt: skip
        sizes_out = [n if isinstance(n, int) else None for n in out]
        outputs.set_shape(
            [known[0], *sizes_out, self.filters] if last else [known[0], self.filters, *sizes_out]
        )
        return outputs

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "output_padding": self.output_padding}


class DepthwiseConv2D(Conv2D):
    """Each channel convolved with `depth_multiplier` filters of its own."""

    def __init__(
        self, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid", depth_multiplier: int = 1,
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = None,
        use_bias: bool = True, depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", depthwise_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, depthwise_constraint: Any = None, bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            None, kernel_size, strides, padding, data_format, dilation_rate, activation=activation,
            use_bias=use_bias, bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint,
            **_ungrouped(self, kwargs),
        )  # fmt: skip
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.input_spec = InputSpec(ndim=4)

    def build(self, input_shape: Any) -> None:
        """Makes kernel (rows, columns, channels, multiplier) and bias."""
        channels = self._channels(input_shape)
        self.depthwise_kernel = self._weight(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise"
        )
        count = channels * self.depth_multiplier
        self.bias = self._weight("bias", (count,), "bias") if self.use_bias else None
        self.input_spec = InputSpec(ndim=4, axes={self._channel_axis: channels})
        self.built = True

    def _convolve(self, inputs: Any) -> Any:
        return depthwise_conv2d(
            inputs, self.depthwise_kernel, self._full(self.strides), self.padding.upper(),
            rate=list(self.dilation_rate), data_format=self._format,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        config = super().get_config()
        for name in ("filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"):
            config.pop(name)
        return {
            **config, "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
        }  # fmt: skip


class _Separable(Conv):
    """A depthwise convolution, then one of size 1 over the channels (Chollet 2017)."""

    def __init__(
        self, filters: Any, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = 1, depth_multiplier: int = 1,
        activation: Any = None, use_bias: bool = True, depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None, pointwise_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, depthwise_constraint: Any = None,
        pointwise_constraint: Any = None, bias_constraint: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation=activation,
            use_bias=use_bias, bias_initializer=bias_initializer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, bias_constraint=bias_constraint,
            **_ungrouped(self, kwargs),
        )  # fmt: skip
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        """Makes both kernels and the bias."""
        channels = self._channels(input_shape)
        ones = (1,) * self.rank
        self.depthwise_kernel = self._weight(
            "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise"
        )
        self.pointwise_kernel = self._weight(
            "pointwise_kernel", (*ones, channels * self.depth_multiplier, self.filters), "pointwise"
        )
        self.bias = self._weight("bias", (self.filters,), "bias") if self.use_bias else None
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(), "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": initializers.serialize(self.depthwise_initializer),
            "pointwise_initializer": initializers.serialize(self.pointwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "pointwise_regularizer": regularizers.serialize(self.pointwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
            "pointwise_constraint": constraints.serialize(self.pointwise_constraint),
        }  # fmt: skip


class SeparableConv2D(_Separable):
    """A separable convolution of images."""

    def _convolve(self, inputs: Any) -> Any:
        last = self.data_format == "channels_last"
        strides = [1, *self.strides, 1] if last else [1, 1, *self.strides]
        return separable_conv2d(
            inputs, self.depthwise_kernel, self.pointwise_kernel, strides, self.padding.upper(),
            rate=list(self.dilation_rate), data_format=self._format,
        )  # fmt: skip


class SeparableConv1D(_Separable):
    """A separable convolution of sequences, done as one of images with one row."""

    rank = 1

    def _convolve(self, inputs: Any) -> Any:
        last = self.data_format == "channels_last"
        padding = self.padding
        if padding == "causal":
            left = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            inputs = pad(inputs, [[0, 0], [left, 0], [0, 0]] if last else [[0, 0], [0, 0], [left, 0]])
            padding = "valid"
        axis = 1 if last else 2
        step = self.strides * 2
        outputs = separable_conv2d(
            expand_dims(inputs, axis), expand_dims(self.depthwise_kernel, 0),
            expand_dims(self.pointwise_kernel, 0), [1, *step, 1] if last else [1, 1, *step],
            padding.upper(), rate=[1, *self.dilation_rate], data_format=self._format,
        )  # fmt: skip
        return squeeze(outputs, [axis])
