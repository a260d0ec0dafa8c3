"""Layers that pad, crop and enlarge sequences, images and volumes."""

from typing import Any

from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.convolutional import data_format_of, sizes
from minitf.ops.array import reshape, shape
from minitf.ops.grid import repeat
from minitf.ops.join import stack
from minitf.ops.pad import pad


def _edges(value: Any, rank: int, name: str) -> tuple[tuple[int, int], ...]:
    """An int, `rank` ints or `rank` pairs as pairs. Raises ValueError for anything else."""
    if isinstance(value, int):
        return ((value, value),) * rank
    if rank == 1:
        value = (value,)
    if len(value) != rank:
        raise ValueError(f"`{name}` should have {rank} elements. Received: {value}.")
    return tuple((v, v) if isinstance(v, int) else sizes(v, 2, name, allow_zero=True) for v in value)


class _Spatial(Layer):
    """Base: knows which dimensions are spatial."""

    rank = 2

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format_of(data_format if self.rank > 1 else "channels_last")
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _arranged(self, spatial: list[Any], other: Any) -> list[Any]:
        """One item per dimension."""
        if self.data_format == "channels_first":
            return [other, other, *spatial]
        return [other, *spatial, other]

    @property
    def _axes(self) -> range:
        first = 2 if self.data_format == "channels_first" else 1
        return range(first, first + self.rank)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        config = super().get_config()
        return {**config, "data_format": self.data_format} if self.rank > 1 else config


class ZeroPadding2D(_Spatial):
    """Zeros around images: `padding` on all sides, (rows, columns) or ((top, bottom), (left, right))."""

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.padding = _edges(padding, self.rank, "padding")

    def call(self, inputs: Any) -> Any:
        """Pads."""
        return pad(inputs, [list(p) for p in self._arranged(list(self.padding), (0, 0))])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "padding": self.padding if self.rank > 1 else self.padding[0]}


class ZeroPadding1D(ZeroPadding2D):
    """Zeros before and after sequences."""

    rank = 1

    def __init__(self, padding: Any = 1, **kwargs: Any) -> None:
        super().__init__(padding, **kwargs)


class ZeroPadding3D(ZeroPadding2D):
    """Zeros around volumes."""

    rank = 3


class Cropping2D(_Spatial):
    """Cuts rows and columns off: as many on all sides, (rows, columns) or ((top, bottom), (left, right)).

    Raises ValueError when nothing would be left.
    """

    def __init__(self, cropping: Any = 0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.cropping = _edges(cropping, self.rank, "cropping")

    def call(self, inputs: Any) -> Any:
        """Crops."""
        known = inputs.shape.as_list()
        for axis, (first, last) in zip(self._axes, self.cropping, strict=True):
            if known[axis] is not None and first + last >= known[axis]:
                raise ValueError(
                    "`cropping` parameter of `Cropping` layer must be smaller than the input shape. "
                    f"Received: input_shape={tuple(known)} and cropping={self.cropping}"
                )
        cuts = [slice(first, -last if last else None) for first, last in self.cropping]
        return inputs[tuple(self._arranged(cuts, slice(None)))]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "cropping": self.cropping if self.rank > 1 else self.cropping[0]}


class Cropping1D(Cropping2D):
    """Cuts steps off the ends of sequences."""

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)


class Cropping3D(Cropping2D):
    """Cuts the faces off volumes."""

    rank = 3

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class _Repeating(_Spatial):
    def __init__(self, size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = sizes(size, self.rank, "size")

    def call(self, inputs: Any) -> Any:
        """Repeats rows, columns, …"""
        sizes = inputs.shape.as_list()
        for axis, times in zip(self._axes, self.size, strict=True):
            if times > 1:
                inputs = repeat(inputs, times, axis=axis)
            sizes[axis] = None if sizes[axis] is None else sizes[axis] * times
        inputs.set_shape(sizes)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "size": self.size if self.rank > 1 else self.size[0]}


class UpSampling1D(_Repeating):
    """Repeats each step `size` times."""

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(size, **kwargs)


class UpSampling3D(_Repeating):
    """Repeats the cells of volumes."""

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(size, data_format, **kwargs)


class UpSampling2D(_Repeating):
    """Enlarges images: 'nearest' repeats pixels, 'bilinear' goes evenly from one to the next."""

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(size, data_format, **kwargs)
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                '`interpolation` argument should be one of "nearest" or "bilinear". Received: '
                f'"{interpolation}".'
            )
        self.interpolation = interpolation

    def call(self, inputs: Any) -> Any:
        """Enlarges."""
        if self.interpolation == "nearest":
            return self._nearest(inputs)
        for axis, times in zip(self._axes, self.size, strict=True):
            inputs = _interpolated(inputs, axis, times)
        return inputs

    def _nearest(self, inputs: Any) -> Any:
        """Each pixel as a block, by one broadcast instead of a gather."""
        known, running = inputs.shape.as_list(), shape(inputs)
        first, second = self._axes
        dims = [running[i] if n is None else n for i, n in enumerate(known)]
        spread, blocks, target = [], [], []
        for i, n in enumerate(dims):
            position = {first: 0, second: 1}.get(i)
            times = 1 if position is None else self.size[position]
            spread += [n] if position is None else [n, 1]
            blocks += [1] if position is None else [1, times]
            target.append(n * times)
        from minitf.ops.tile import tile

        return _reshaped(tile(_reshaped(inputs, spread), blocks), target)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "interpolation": self.interpolation}


def _reshaped(tensor: Any, target: list[Any]) -> Any:
    return reshape(tensor, target if all(isinstance(n, int) for n in target) else stack(target))


def _interpolated(inputs: Any, axis: int, times: int) -> Any:
    """`inputs` made `times` as long along `axis`, linearly between the centres of cells."""
    import numpy as np

    from minitf.ops.gather import gather

    if times == 1:
        return inputs
    size = inputs.shape.as_list()[axis]
    if size is None:
        raise NotImplementedError("UpSampling2D(interpolation='bilinear') needs images of known size")
    places = np.clip((np.arange(size * times) + 0.5) / times - 0.5, 0, size - 1)
    low = np.floor(places).astype(np.int32)
    high = np.minimum(low + 1, size - 1)
    weight = (places - low).astype(inputs.dtype.numpy_dtype)
    weight = weight.reshape([-1 if i == axis else 1 for i in range(inputs.shape.rank)])
    lower, upper = gather(inputs, low, axis=axis), gather(inputs, high, axis=axis)
    return lower + (upper - lower) * weight
