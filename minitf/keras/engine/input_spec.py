"""What a layer's inputs must look like, checked before they reach it."""

from typing import Any

from minitf.framework import nest
from minitf.framework.dtypes import as_dtype


class InputSpec:
    """Rank (exactly `ndim`, or within `min_ndim` and `max_ndim`), shape, dtype, and sizes of some `axes`."""

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
    ) -> None:
        self.dtype = None if dtype is None else as_dtype(dtype).name
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name


def assert_input_compatibility(specs: Any, inputs: Any, layer_name: str) -> None:
    """Raises ValueError in Keras's words when inputs do not match a layer's specs."""
    specs, tensors = nest.flatten(specs), nest.flatten(inputs)
    if len(specs) != len(tensors):
        raise ValueError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(tensors)} input '
            f"tensors. Inputs received: {tensors}"
        )
    for i, (spec, tensor) in enumerate(zip(specs, tensors, strict=True)):
        if spec is not None:
            problem = _mismatch(spec, tensor)
            if problem:
                raise ValueError(
                    f'Input {i} of layer "{layer_name}" is incompatible with the layer: {problem}'
                )


def _mismatch(spec: InputSpec, tensor: Any) -> str | None:
    """What is wrong with a tensor, or None."""
    if tensor.shape.rank is None:
        return None
    sizes = tuple(tensor.shape.as_list())
    rank = len(sizes)
    if spec.ndim is not None and rank != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={rank}. Full shape received: {sizes}"
    if spec.max_ndim is not None and rank > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={rank}"
    if spec.min_ndim is not None and rank < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={rank}. Full shape received: {sizes}"
    if spec.dtype is not None and tensor.dtype.base_dtype.name != spec.dtype:
        return f"expected dtype={spec.dtype}, found dtype={tensor.dtype.base_dtype.name}"
    for axis, wanted in spec.axes.items():
        if wanted is not None and sizes[axis] not in (wanted, None):
            return (
                f"expected axis {axis} of input shape to have value {wanted}, but received input with shape "
                f"{sizes}"
            )
    for wanted, size in zip(spec.shape or (), sizes, strict=False):
        if wanted is not None and size is not None and wanted != size:
            return f"expected shape={spec.shape}, found shape={sizes}"
    return None
