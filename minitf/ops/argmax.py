"""Where the largest and the smallest elements are: `tf.argmax`, `tf.argmin`."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import UNKNOWN, TensorShape, unknown_shape
from minitf.ops.gather import place_of
from minitf.ops.registry import Attr, Bool, Index, Real, Types, not_differentiable, op
from minitf.ops.segment import highest, lowest
from minitf.ops.shape_rules import constant_value

_Axis = Index.another("Axis")
_Orderable = Types("Orderable", (*Real.allowed, *Bool.allowed))


def _without_axis(input, dimension, *, output_type=dtypes.int64):
    position = constant_value(dimension)
    if input.shape.rank is None:
        return UNKNOWN
    if input.shape.rank <= 1 and position is None:
        return TensorShape([])
    if position is None:
        return unknown_shape(input.shape.rank - 1)
    count, position = input.shape.rank, int(position)
    if not -count <= position < count:
        raise ValueError(f"Dimension ({position}) must be in the range [{-count}, {count}), where {count} is "
                         "the number of dimensions in the input.")  # fmt: skip
    position %= count
    return TensorShape([s for i, s in enumerate(input.shape.sizes) if i != position])


def _declare(name: str, numpy_name: str, worst: Any) -> Any:
    method = getattr(np.ndarray, numpy_name)

    def find(input, axis, out=None):
        # NaN is the extreme for NumPy, and never for TensorFlow. A sum sees it, and little else.
        if input.dtype.kind == "f" and np.isnan(np.add.reduce(input, None)):
            limit = worst(input.dtype)
            input = np.where(np.isnan(input), limit, input)
        return method(input, axis, out)

    def prepare(node):
        axis, input = node.inputs[1].constant, node.inputs[0]
        if axis is None or node.attrs["output_type"] != dtypes.int64 or input.shape.rank is None:
            return None
        axis = int(axis)
        if not input.shape.sizes[axis]:
            return None
        return lambda input, dimension, out=None: find(input, axis, out)

    @op(name, shape=_without_axis, prepare=prepare)
    def kernel(input: _Orderable, dimension: _Axis, *, output_type=dtypes.int64, out=None) -> Attr(
        "output_type"
    ):
        axis = int(dimension)
        if not -input.ndim <= axis < input.ndim:
            raise ValueError(f"Expected dimension in the range [{-input.ndim}, {input.ndim}), but got {axis}")
        axis %= input.ndim
        if input.shape[axis] == 0 and input.size == 0 and 0 not in np.delete(input.shape, axis):
            raise ValueError(f"Reduction axis {axis} is empty in shape {place_of(input.shape)}")
        result = np.asarray(find(input, axis)).astype(output_type.numpy_dtype)
        if out is None:
            return result
        np.copyto(out, result)
        return out

    not_differentiable(kernel)
    return kernel


_argmax = _declare("ArgMax", "argmax", lowest)
_argmin = _declare("ArgMin", "argmin", highest)


def _public(kernel: Any, doc: str) -> tuple[Any, Any]:
    """The function under its TF1 name and under its older one."""

    def function(
        input: Any,
        axis: Any = None,
        name: str | None = None,
        dimension: Any = None,
        output_type: Any = dtypes.int64,
    ) -> Any:
        if axis is not None and dimension is not None:
            raise ValueError("Cannot specify both 'dimension' and 'axis'.")
        axis = dimension if axis is None else axis
        return kernel(input, 0 if axis is None else axis, output_type=as_dtype(output_type), name=name)

    def old(input: Any, dimension: Any, output_type: Any = dtypes.int64, name: str | None = None) -> Any:
        return function(input, dimension, name, output_type=output_type)

    function.__doc__ = f"{doc} `axis` is 0 by default, `dimension` its old name; the first of equals counts."
    old.__doc__ = f"{doc} The old form of the function without the underscore."
    return function, old


argmax, arg_max = _public(_argmax, "The index of the largest element along `axis`.")
argmin, arg_min = _public(_argmin, "The index of the smallest element along `axis`.")
