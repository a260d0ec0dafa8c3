"""Pooling layers: the largest or the mean of each window."""

from typing import Any

from minitf.layers import windows
from minitf.layers.base import InputSpec, Layer, functional
from minitf.ops.array import expand_dims, squeeze
from minitf.ops.pool import avg_pool, max_pool
from minitf.ops.volume import avg_pool3d, max_pool3d


class _Pooling(Layer):
    rank: int
    pool: Any

    def __init__(
        self,
        pool_size: Any,
        strides: Any,
        padding: str = "valid",
        data_format: str = "channels_last",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = windows.several(pool_size, self.rank, "pool_size")
        self.strides = windows.several(pool_size if strides is None else strides, self.rank, "strides")
        self.padding = windows.checked_padding(padding)
        self.data_format = windows.checked_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The pooled `inputs`."""
        size, strides = self.pool_size, self.strides
        if self.rank > 1:
            return self._pooled(inputs, size, strides)
        # The ops know no single dimension of space: it becomes two, the first of size 1.
        axis = windows.added_axis(self.data_format)
        return squeeze(self._pooled(expand_dims(inputs, axis), (1, *size), (1, *strides)), [axis])

    def _pooled(self, images: Any, size: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        return type(self).pool(
            images,
            ksize=windows.per_dimension(size, self.data_format),
            strides=windows.per_dimension(strides, self.data_format),
            padding=self.padding.upper(),
            data_format=windows.op_format(self.data_format, len(size)),
        )


class MaxPooling2D(_Pooling):
    """The largest of each window of `pool_size` pixels, `strides` apart (default: side by side).

    (N, H, W, C), or (N, C, H, W) with `data_format="channels_first"`. `padding` is "valid" (windows lie
    inside) or "same" (ceil(size / stride) of them along a side).
    """

    rank, pool = 2, staticmethod(max_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window of `pool_size` pixels. See `MaxPooling2D`."""

    rank, pool = 2, staticmethod(avg_pool)


class MaxPooling1D(_Pooling):
    """The largest of each window of `pool_size` steps: (N, W, C) or (N, C, W). See `MaxPooling2D`."""

    rank, pool = 1, staticmethod(max_pool)


class AveragePooling1D(_Pooling):
    """The mean of each window of `pool_size` steps: (N, W, C) or (N, C, W). See `MaxPooling2D`."""

    rank, pool = 1, staticmethod(avg_pool)


class MaxPooling3D(_Pooling):
    """The largest of each window of `pool_size` cells: (N, D, H, W, C) or (N, C, D, H, W)."""

    rank, pool = 3, staticmethod(max_pool3d)


class AveragePooling3D(_Pooling):
    """The mean of each window of `pool_size` cells: (N, D, H, W, C) or (N, C, D, H, W)."""

    rank, pool = 3, staticmethod(avg_pool3d)


max_pooling1d = functional(MaxPooling1D, "max_pooling1d")
max_pooling2d = functional(MaxPooling2D, "max_pooling2d")
max_pooling3d = functional(MaxPooling3D, "max_pooling3d")
average_pooling1d = functional(AveragePooling1D, "average_pooling1d")
average_pooling2d = functional(AveragePooling2D, "average_pooling2d")
average_pooling3d = functional(AveragePooling3D, "average_pooling3d")
