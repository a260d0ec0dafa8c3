"""LSTM whose states are images (Shi et al. 2015, https://arxiv.org/abs/1506.04214)."""

from typing import Any

from minitf.framework.shapes import TensorShape
from minitf.keras import regularizers
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.convolutional import data_format_of, sizes
from minitf.keras.layers.recurrent import _NO_BATCH_SIZE, RNN
from minitf.keras.layers.recurrent_cells import _Cell, forget_bias
from minitf.ops.bias import bias_add
from minitf.ops.constants import zeros, zeros_like
from minitf.ops.conv import conv2d
from minitf.ops.join import concat
from minitf.ops.split import split


class ConvLSTM2DCell(_Cell):
    """An LSTM cell with convolutions in place of products; the state is padded to keep its size."""

    gates = 4
    _options = ("unit_forget_bias",)

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(filters, locals(), kwargs)
        self.filters = filters
        self.kernel_size = sizes(kernel_size, 2, "kernel_size")
        self.strides = sizes(strides, 2, "strides")
        self.padding = padding.lower()
        if self.padding not in ("valid", "same"):
            raise ValueError(f'The `padding` argument must be one of "valid", "same". Received: {padding}')
        self.data_format = data_format_of(data_format)
        self.dilation_rate = sizes(dilation_rate, 2, "dilation_rate")
        self.state_size = (filters, filters)

    def _size_config(self) -> dict[str, Any]:
        return {
            "filters": self.filters, "kernel_size": self.kernel_size, "strides": self.strides,
            "padding": self.padding, "data_format": self.data_format, "dilation_rate": self.dilation_rate,
        }  # fmt: skip

    @property
    def _is_first(self) -> bool:
        return self.data_format == "channels_first"

    def build(self, input_shape: Any) -> None:
        """Makes kernel, recurrent_kernel and bias."""
        channels = TensorShape(input_shape).as_list()[1 if self._is_first else -1]
        if channels is None:
            raise ValueError(
                "The channel dimension of the inputs (last axis) should be defined. Found None. Full input "
                f"shape received: input_shape={input_shape}"
            )
        width = 4 * self.filters
        self.kernel = self._add_weight("kernel", (*self.kernel_size, channels, width), "kernel")
        self.recurrent_kernel = self._add_weight(
            "recurrent_kernel", (*self.kernel_size, self.filters, width), "recurrent"
        )
        self.bias = None
        if self.use_bias:
            initializer = forget_bias(self.bias_initializer, self.filters) if self.unit_forget_bias else None
            self.bias = self._add_weight("bias", (width,), "bias", initializer)
        self.built = True

    def convolve(self, x: Any, kernel: Any, of_state: bool = False) -> Any:
        """The inputs' convolution, or that of the state."""

        def full(pair):
            return [1, 1, *pair] if self._is_first else [1, *pair, 1]

        once = full((1, 1))
        return conv2d(
            x, kernel, strides=once if of_state else full(self.strides),
            padding="SAME" if of_state else self.padding.upper(),
            data_format="NCHW" if self._is_first else "NHWC",
            dilations=once if of_state else full(self.dilation_rate),
        )  # fmt: skip

    def _total(self, x: Any, kernel: Any, masks: Any, of_state: bool) -> Any:
        """The convolutions for all four gates."""
        if masks is None:
            return self.convolve(x, kernel, of_state)
        parts = zip(masks, split(kernel, 4, axis=3), strict=True)
        products = [self.convolve(x * mask, part, of_state) for mask, part in parts]
        return concat(products, 1 if self._is_first else 3)

    def call(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, Any]:
        """The output (batch, rows, columns, filters) and the new states, output and memory."""
        state, memory = states
        dropped, state_dropped = self._masks_for(inputs, state, training)
        total = self._total(inputs, self.kernel, dropped, False)
        if self.bias is not None:
            total = bias_add(total, self.bias, data_format="NCHW" if self._is_first else "NHWC")
        total = total + self._total(state, self.recurrent_kernel, state_dropped, True)
        into, forget, cell, out = split(total, 4, axis=1 if self._is_first else 3)
        kept = self.recurrent_activation(forget) * memory
        memory = kept + self.recurrent_activation(into) * self.activation(cell)
        outputs = self.recurrent_activation(out) * self.activation(memory)
        return outputs, [outputs, memory]


class ConvLSTM2D(RNN):
    """`ConvLSTM2DCell` over (batch, steps, rows, columns, channels)."""

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
        data_format: str | None = None, dilation_rate: Any = (1, 1), activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", unit_forget_bias: bool = True, kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
        stateful: bool = False, dropout: float = 0.0, recurrent_dropout: float = 0.0, **kwargs: Any,
    ) -> None:  # fmt: skip
        if kwargs.pop("unroll", False):
            raise TypeError("Unrolling is not possible with convolutional RNNs. Received: unroll=True")
        if kwargs.pop("time_major", False):
            raise NotImplementedError("ConvLSTM2D: time_major=True is not supported")
        cell = ConvLSTM2DCell(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation,
            recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
        )  # fmt: skip
        super().__init__(
            cell, return_sequences, return_state, go_backwards, stateful,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self.input_spec = [InputSpec(ndim=5)]

    def build(self, input_shape: Any) -> None:
        """Builds the cell for the images of one step."""
        first = input_shape[0] if isinstance(input_shape, list) else input_shape
        object.__setattr__(self, "_images", TensorShape(first).as_list())
        super().build(input_shape)

    def _cell_scope(self) -> str:
        return self._weight_scope or self.name

    def _state_shapes(self) -> list[tuple[int, ...]]:
        batch, _, *image = self._images
        if None in (batch, *image):
            raise ValueError(_NO_BATCH_SIZE + "\nThe same thing goes for the number of rows and columns.")
        return [tuple(self._state_sizes(batch, image))] * 2

    def _state_sizes(self, batch: Any, image: list[int]) -> list[Any]:
        cell = self.cell
        spatial = image[1:] if cell._is_first else image[:-1]
        settings = zip(spatial, cell.kernel_size, cell.strides, cell.dilation_rate, strict=True)
        result = []
        for size, window, stride, dilation in settings:
            reach = (window - 1) * dilation if cell.padding == "valid" else 0
            result.append(-(-(size - reach) // stride))
        return [batch, cell.filters, *result] if cell._is_first else [batch, *result, cell.filters]

    def _check_states(self, states: list[Any]) -> None:
        channel = 1 if self.cell._is_first else 3
        if any(tensor.shape.as_list()[channel] != self.cell.filters for tensor in states):
            raise ValueError(
                "An `initial_state` was passed that is not compatible with `cell.state_size`. Received state "
                f"shapes {[tuple(s.shape.as_list()) for s in states]}. However `cell.state_size` is "
                f"{self.cell.state_size}"
            )

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Images of zeros, as large as what the cell makes of the inputs."""
        batch, _, *image = inputs.shape.as_list()
        dtype = inputs.dtype.base_dtype
        if None not in (batch, *image):
            return [zeros(self._state_sizes(batch, image), dtype)] * 2
        *window, channels, _ = self.cell.kernel.shape.as_list()
        empty = zeros((*window, channels, self.cell.filters), dtype)
        return [self.cell.convolve(zeros_like(inputs[:, 0]), empty)] * 2

    @property
    def units(self) -> int:
        """The number of filters."""
        return self.cell.filters

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        base = Layer.get_config(self.cell)
        settings = {key: value for key, value in self.cell.get_config().items() if key not in base}
        regularizer = regularizers.serialize(self.activity_regularizer)
        return {
            **Layer.get_config(self), **self._loop_config(), **settings, "activity_regularizer": regularizer,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ConvLSTM2D":
        """A layer made from what `get_config` returned."""
        return cls(**config)
