"""Pooling: the largest or the mean value of windows, or of whole sequences, images and volumes."""

from typing import Any

from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.convolutional import data_format_of, sizes
from minitf.ops import pool, volume
from minitf.ops.array import cast, expand_dims, squeeze
from minitf.ops.math import divide
from minitf.ops.reduce import reduce_max, reduce_mean, reduce_sum


class _Pooling(Layer):
    """Base of pooling over windows."""

    rank = 2
    _ops: tuple[Any, Any] = (None, None)  # of images, of volumes

    def __init__(
        self, pool_size: Any = 2, strides: Any = None, padding: str = "valid",
        data_format: str | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        padding = kwargs.pop("border_mode", padding)  # Keras 1
        super().__init__(**kwargs)
        self.pool_size = sizes(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else sizes(strides, self.rank, "strides")
        self.padding = padding.lower()
        if self.padding not in ("valid", "same"):
            raise ValueError(f'The `padding` argument must be one of "valid", "same". Received: {padding}')
        self.data_format = data_format_of(data_format or ("channels_last" if self.rank == 1 else None))
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """Pools."""
        last = self.data_format == "channels_last"
        window, steps = self.pool_size, self.strides
        if self.rank == 1:  # a sequence is an image of one column
            axis = 2 if last else 3
            inputs, window, steps = expand_dims(inputs, axis), (*window, 1), (*steps, 1)
        window, steps = ([1, *n, 1] if last else [1, 1, *n] for n in (window, steps))
        letters = "DHW" if self.rank == 3 else "HW"
        name = f"N{letters}C" if last else f"NC{letters}"
        op = type(self)._ops[self.rank == 3]
        outputs = op(inputs, window, steps, self.padding.upper(), data_format=name)
        return squeeze(outputs, [axis]) if self.rank == 1 else outputs

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(), "strides": self.strides, "pool_size": self.pool_size,
            "padding": self.padding, "data_format": self.data_format,
        }  # fmt: skip


class MaxPooling2D(_Pooling):
    """The largest value of each window of images."""

    _ops = (pool.max_pool, volume.max_pool3d)


class MaxPooling1D(MaxPooling2D):
    """The largest value of each window of sequences."""

    rank = 1


class MaxPooling3D(MaxPooling2D):
    """The largest value of each window of volumes."""

    rank = 3


class AveragePooling2D(_Pooling):
    """The mean of each window of images."""

    _ops = (pool.avg_pool, volume.avg_pool3d)


class AveragePooling1D(AveragePooling2D):
    """The mean of each window of sequences."""

    rank = 1


class AveragePooling3D(AveragePooling2D):
    """The mean of each window of volumes."""

    rank = 3


class _GlobalPooling(Layer):
    """Base of pooling over everything but batch and channels."""

    rank = 2
    _reduce: Any = None

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format or ("channels_last" if self.rank == 1 else None))
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _axes(self) -> list[int]:
        first = 1 if self.data_format == "channels_last" else 2
        return list(range(first, first + self.rank))

    def call(self, inputs: Any) -> Any:
        """Pools."""
        return type(self)._reduce(inputs, self._axes, keepdims=self.keepdims)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest value of each channel of images."""

    _reduce = staticmethod(reduce_max)


class GlobalMaxPooling1D(GlobalMaxPooling2D):
    """The largest value of each channel of sequences."""

    rank = 1


class GlobalMaxPooling3D(GlobalMaxPooling2D):
    """The largest value of each channel of volumes."""

    rank = 3


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel of images."""

    _reduce = staticmethod(reduce_mean)


class GlobalAveragePooling3D(GlobalAveragePooling2D):
    """The mean of each channel of volumes."""

    rank = 3


class GlobalAveragePooling1D(GlobalAveragePooling2D):
    """The mean of each channel of sequences, over the steps that are not masked."""

    rank = 1

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Pools."""
        if mask is None:
            return super().call(inputs)
        mask = expand_dims(cast(mask, inputs.dtype), 2 if self.data_format == "channels_last" else 1)
        total = reduce_sum(inputs * mask, self._axes, keepdims=self.keepdims)
        return divide(total, reduce_sum(mask, self._axes, keepdims=self.keepdims))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The steps are gone, and so is their mask."""
        return None
