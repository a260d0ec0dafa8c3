"""Convolutions, and layers that pad, crop and upsample images."""

from typing import Any

from minitf.framework.shapes import TensorShape
from minitf.keras import activations, constraints, initializers, regularizers
from minitf.keras.engine import state
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.ops.bias import bias_add
from minitf.ops.conv import conv2d


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
                f"Invalid value for argument `filters`. Expected a strictly positive value. Received filters={filters}."
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


class Conv2D(Conv):
    """Convolution of images (batch, rows, columns, channels)."""

    def __init__(self, filters: Any = None, kernel_size: Any = None, *args: Any, **kwargs: Any) -> None:
        if (
            args
            and isinstance(kernel_size, int)
            and isinstance(args[0], int)
            and kwargs.pop("_keras1", False)
        ):
            kernel_size, args = (kernel_size, args[0]), args[1:]
        super().__init__(filters, kernel_size, *args, **kwargs)

    def _convolve(self, inputs: Any) -> Any:
        rows_columns = (
            (1, 1, *self.strides) if self._format == "NCHW" else (1, *self.strides, 1),
            (1, 1, *self.dilation_rate) if self._format == "NCHW" else (1, *self.dilation_rate, 1),
        )
        return conv2d(
            inputs, self.kernel, strides=list(rows_columns[0]), padding=self.padding.upper(),
            data_format=self._format, dilations=list(rows_columns[1]),
        )  # fmt: skip
