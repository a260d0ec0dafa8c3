"""Pooling: the largest or the mean value of windows, or of whole images."""

from typing import Any

from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.convolutional import data_format_of, sizes
from minitf.ops.pool import avg_pool, max_pool


class _Pooling2D(Layer):
    _pool: Any = None

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid",
        data_format: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.pool_size = sizes(pool_size, 2, "pool_size")
        self.strides = self.pool_size if strides is None else sizes(strides, 2, "strides")
        self.padding = padding.lower()
        self.data_format = data_format_of(data_format)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """Pools."""
        last = self.data_format == "channels_last"
        window, steps = ([1, *pair, 1] if last else [1, 1, *pair] for pair in (self.pool_size, self.strides))
        return type(self)._pool(
            inputs, window, steps, self.padding.upper(), data_format="NHWC" if last else "NCHW"
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(), "pool_size": self.pool_size, "padding": self.padding,
            "strides": self.strides, "data_format": self.data_format,
        }  # fmt: skip


class MaxPooling2D(_Pooling2D):
    """The largest value of each window of images."""

    _pool = staticmethod(max_pool)


class AveragePooling2D(_Pooling2D):
    """The mean of each window of images."""

    _pool = staticmethod(avg_pool)
