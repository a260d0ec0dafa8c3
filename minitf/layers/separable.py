"""Separable convolution layers: each channel by itself, then all channels of a pixel."""

from collections.abc import Callable
from typing import Any

from minitf.layers import windows
from minitf.layers.base import functional
from minitf.layers.convolutional import Convolution
from minitf.ops.array import expand_dims
from minitf.ops.conv_depthwise import separable_conv2d as separable
from minitf.ops.initializers import zeros_initializer

_ZEROS = zeros_initializer()


class _Separable(Convolution):
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        bias_initializer: Any = _ZEROS,
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Callable | None = None,
        pointwise_constraint: Callable | None = None,
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
        self.depth_multiplier = depth_multiplier
        self.depthwise_initializer = depthwise_initializer
        self.pointwise_initializer = pointwise_initializer
        self.depthwise_regularizer = depthwise_regularizer
        self.pointwise_regularizer = pointwise_regularizer
        self.depthwise_constraint = depthwise_constraint
        self.pointwise_constraint = pointwise_constraint

    def build(self, input_shape: Any) -> None:
        """Makes `depthwise_kernel`, `pointwise_kernel` and `bias` for inputs of that shape."""
        channels = self._channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            "depthwise_kernel",
            [*self.kernel_size, channels, self.depth_multiplier],
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            "pointwise_kernel",
            [*(1,) * self.rank, channels * self.depth_multiplier, self.filters],
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self._add_bias()

    def call(self, inputs: Any) -> Any:
        """The convolved `inputs`."""
        kernels = self.depthwise_kernel, self.pointwise_kernel
        if self.rank == 1:
            kernels = [expand_dims(kernel, 0) for kernel in kernels]
        window = self._window()
        # The op has one stride for both dimensions of space; along the added one there is no second step.
        window["strides"] = windows.per_dimension(self.strides * (3 - self.rank), self.data_format)
        rate = (1,) * (2 - self.rank) + self.dilation_rate
        images = separable(self._as_images(inputs), *kernels, rate=rate, **window)
        return self._activated(self._as_outputs(self._biased(images, 2)))


class SeparableConv2D(_Separable):
    """Each channel convolved by itself (to `depth_multiplier` ones), then all of them mixed per pixel.

    `depthwise_kernel` is (KH, KW, C, depth_multiplier), `pointwise_kernel` (1, 1, C · depth_multiplier,
    filters). See `Conv2D`.
    """

    rank = 2


class SeparableConv1D(_Separable):
    """`SeparableConv2D` over one dimension of space: (N, W, C) or (N, C, W)."""

    rank = 1


separable_conv1d = functional(SeparableConv1D, "separable_conv1d")
separable_conv2d = functional(SeparableConv2D, "separable_conv2d")
