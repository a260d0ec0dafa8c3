"""Convolutions whose filters differ from place to place."""

import itertools
import math
from typing import Any

from minitf.framework.shapes import TensorShape
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.convolutional import Conv
from minitf.ops.array import reshape, transpose
from minitf.ops.join import stack
from minitf.ops.linalg import matmul


class _LocallyConnected(Conv):
    """Base: a kernel (places, window size times channels, filters) and a bias (*places, filters).

    Raises ValueError for paddings other than 'valid', NotImplementedError for implementations other than 1,
    which store the kernel in other ways.
    """

    def __init__(
        self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid",
        data_format: str | None = None, activation: Any = None, use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, bias_regularizer: Any = None, activity_regularizer: Any = None,
        kernel_constraint: Any = None, bias_constraint: Any = None, implementation: int = 1, **kwargs: Any,
    ) -> None:  # fmt: skip
        if implementation in (2, 3):
            raise NotImplementedError(
                f"{type(self).__name__}: implementation={implementation} is not supported"
            )
        if implementation != 1:
            raise ValueError(f"Unrecognized implementation mode: {implementation}.")
        if padding.lower() != "valid":
            raise ValueError(
                f'Invalid border mode for {type(self).__name__} (only "valid" is supported if implementation '
                f"is 1): {padding}"
            )
        super().__init__(
            filters, kernel_size, strides, padding, data_format, activation=activation, use_bias=use_bias,
            kernel_initializer=kernel_initializer, bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer, bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer, kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint, **kwargs,
        )  # fmt: skip
        self.implementation = implementation
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Any) -> None:
        """Makes kernel and bias."""
        sizes = TensorShape(input_shape).as_list()
        first = 1 if self.data_format == "channels_last" else 2
        spatial = sizes[first : first + self.rank]
        channels = self._channels(input_shape)
        if None in spatial:
            raise ValueError(
                f"The spatial dimensions of the inputs to  a {type(self).__name__} layer should be "
                f"fully-defined, but layer received the inputs shape {tuple(sizes)}"
            )
        self.places = tuple(
            (n - k) // s + 1 for n, k, s in zip(spatial, self.kernel_size, self.strides, strict=True)
        )
        if min(self.places) <= 0:
            raise ValueError(
                f"One of the dimensions in the output is <= 0 due to downsampling in {self.name}. Consider "
                f"increasing the input size. Received input shape {tuple(sizes)} which would produce output "
                "shape with a zero or negative value in a dimension."
            )
        window = math.prod(self.kernel_size) * channels
        self.kernel = self._weight("kernel", (math.prod(self.places), window, self.filters))
        self.bias = self._weight("bias", (*self.places, self.filters), "bias") if self.use_bias else None
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self._channel_axis: channels})
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Each window with its own filters, bias added, through the activation."""
        first = self.data_format == "channels_first"
        window = self.kernel.shape.as_list()[1]
        patches = []
        for place in itertools.product(*map(range, self.places)):
            cuts = [
                slice(p * s, p * s + k) for p, s, k in zip(place, self.strides, self.kernel_size, strict=True)
            ]
            cuts = [slice(None), slice(None), *cuts] if first else [slice(None), *cuts, slice(None)]
            patches.append(reshape(inputs[tuple(cuts)], [-1, window]))
        order = [1, 2, 0] if first else [1, 0, 2]
        sizes = [self.filters, *self.places] if first else [*self.places, self.filters]
        outputs = reshape(transpose(matmul(stack(patches), self.kernel), order), [-1, *sizes])
        if self.use_bias:
            # With channels first Keras has the numbers of the bias in another order than its shape says.
            outputs = outputs + reshape(self.bias, sizes)
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        config = super().get_config()
        for name in ("groups", "dilation_rate"):
            config.pop(name)
        return {**config, "implementation": self.implementation}


class LocallyConnected1D(_LocallyConnected):
    """Filters of their own for each place of sequences (batch, steps, channels)."""

    rank = 1


class LocallyConnected2D(_LocallyConnected):
    """Filters of their own for each place of images (batch, rows, columns, channels)."""
