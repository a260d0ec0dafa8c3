"""Reductions over dimensions: sums, means, extremes, products, logical all and any."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import SCALAR, UNKNOWN, TensorShape, unknown_shape
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.like import expand_reduced
from minitf.ops.registry import (
    Bool,
    Index,
    Mixed,
    Numeric,
    Real,
    gradient,
    interpreter,
    not_differentiable,
    op,
)
from minitf.ops.shape_rules import constant_value


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    """The reduced dimensions, counted from the front. Raises ValueError when one is out of range."""
    axes = []
    for a in np.ravel(axis):
        if not -rank <= a < rank:
            raise ValueError(f"Invalid reduction dimension {a} for input with {rank} dimensions")
        axes.append(int(a) % rank if rank else 0)
    return tuple(dict.fromkeys(axes))


def _reduced_shape(input, axis, *, keep_dims=False):
    value = constant_value(axis)
    if input.shape.rank is None:
        return UNKNOWN
    if value is None:
        return unknown_shape(input.shape.rank) if keep_dims else UNKNOWN
    axes = _axes(value, input.shape.rank)
    sizes = input.shape.sizes
    if keep_dims:
        return TensorShape([1 if i in axes else s for i, s in enumerate(sizes)])
    return TensorShape([s for i, s in enumerate(sizes) if i not in axes])


def _no_such_dimension(input, axis, **_attrs):
    wrong = [a for a in np.ravel(constant_value(axis)) if not -input.shape.rank <= a < input.shape.rank]
    return f"Invalid reduction dimension ({wrong[0]} for input with {input.shape.rank} dimension(s)"


def _no_axes(node):
    axis = node.inputs[1].constant
    return axis is not None and axis.size == 0


def _reduction(name: str, ufunc: Any, types: Any) -> Any:
    """Declares a reduction whose kernel is `ufunc.reduce`."""
    reduce = ufunc.reduce

    def prepare(node):
        axis, shape = node.inputs[1].constant, node.inputs[0].shape
        rank = shape.rank
        if axis is None or rank is None or not shape.num_elements():
            return None
        axes, keep = _axes(axis, rank), node.attrs["keep_dims"]
        if len(axes) == rank:
            axes = None  # NumPy's quicker path over everything
        dtype = node.outputs[0].dtype.numpy_dtype
        return lambda input, axis, out=None: reduce(input, axes, dtype, out, keep)

    @op(name, shape=_reduced_shape, bad_shapes=_no_such_dimension, prepare=prepare, passes_through=_no_axes)
    def kernel(input: types, axis: Index, *, keep_dims=False, out=None) -> types:
        axes = _axes(axis, input.ndim)
        if not input.size and ufunc.identity is None:
            return reduce(input, axes, input.dtype, out, keep_dims, _of_nothing(ufunc, input.dtype))
        return reduce(input, axes, input.dtype, out, keep_dims)

    return kernel


def _of_nothing(ufunc: Any, dtype: np.dtype) -> Any:
    """The largest or smallest of no elements: what never wins."""
    sign = -1 if ufunc is np.maximum else 1
    if dtype.kind == "f":
        return dtype.type(sign * np.inf)
    limits = np.iinfo(dtype)
    return limits.min if sign < 0 else limits.max


_sum = _reduction("Sum", np.add, Numeric)
_prod = _reduction("Prod", np.multiply, Numeric)
_max = _reduction("Max", np.maximum, Real)
_min = _reduction("Min", np.minimum, Real)
_all = _reduction("All", np.logical_and, Bool)
_any = _reduction("Any", np.logical_or, Bool)


def _prepare_mean(node):
    axis, input = node.inputs[1].constant, node.inputs[0]
    if axis is None or not input.shape.is_fully_defined():
        return None
    axes, keep = _axes(axis, input.shape.rank), node.attrs["keep_dims"]
    dtype = input.dtype.numpy_dtype
    if dtype.kind not in "fc" or dtype.itemsize == 2:
        return None
    count = dtype.type(np.prod([input.shape.sizes[a] for a in axes], dtype=np.float64))
    reduce, divide = np.add.reduce, np.divide
    return lambda input, axis, out=None: divide(reduce(input, axes, None, out, keep), count, out)


@op(
    "Mean",
    shape=_reduced_shape,
    bad_shapes=_no_such_dimension,
    prepare=_prepare_mean,
    passes_through=_no_axes,
)
def _mean(input: Numeric, axis: Index, *, keep_dims=False, out=None) -> Numeric:
    axes, dtype = _axes(axis, input.ndim), input.dtype
    count = int(np.prod([input.shape[a] for a in axes]))
    # Half precision would overflow long before the mean does.
    total = np.add.reduce(input, axes, np.float32 if dtype == np.float16 else dtype, None, keep_dims)
    if dtype.kind != "f":
        count = count or 1
    mean = np.trunc(total / count) if dtype.kind in "iu" else np.divide(total, total.dtype.type(count))
    if out is None:
        return mean.astype(dtype)
    np.copyto(out, mean, casting="unsafe")
    return out


def _public(kernel: Any, doc: str, default_name: str | None = None) -> Any:
    """The TF1 function around a reduction, old argument names included."""

    def function(
        input_tensor: Any,
        axis: Any = None,
        keepdims: bool | None = None,
        name: str | None = None,
        reduction_indices: Any = None,
        keep_dims: bool | None = None,
    ) -> Any:
        axis = _one_of("axis", axis, "reduction_indices", reduction_indices)
        keep = bool(_one_of("keepdims", keepdims, "keep_dims", keep_dims))
        return reduce_with(kernel, input_tensor, axis, keep, name)

    function.__doc__ = doc + _ARGUMENTS
    return function


_ARGUMENTS = """

    `axis` is a dimension or several (negative ones count from the back), None for all of them. With
    `keepdims` they stay, with size 1. `reduction_indices` and `keep_dims` are the old names.
    """


def reduce_with(kernel: Any, input_tensor: Any, axis: Any, keepdims: bool, name: str | None = None) -> Any:
    """Applies a reduction op; `axis=None` means every dimension, even of a tensor of unknown rank."""
    input_tensor = interpreter().convert(input_tensor, None, None, "input_tensor")
    whole = axis is None and not keepdims
    if axis is None:
        axis = _every_axis(input_tensor)
    elif isinstance(axis, list | tuple) and not axis:
        axis = np.zeros(0, np.int32)
    result = kernel(input_tensor, axis, keep_dims=keepdims, name=name)
    if whole and result.shape.rank is None:
        result.set_shape([])
    return result


def _every_axis(x: Any) -> Any:
    if x.shape.rank is not None:
        current = interpreter()
        return current.constant(np.arange(x.shape.rank, dtype=np.int32))
    from minitf.ops.array import rank
    from minitf.ops.constants import range

    return range(0, rank(x))


def _one_of(name: str, value: Any, old_name: str, old_value: Any) -> Any:
    if old_value is not None and value is not None:
        raise ValueError(f"Cannot specify both '{name}' and '{old_name}'.")
    return value if old_value is None else old_value


reduce_sum = _public(_sum, "The sum of a tensor's elements over dimensions.")
reduce_mean = _public(_mean, "The mean of a tensor's elements over dimensions.")
reduce_prod = _public(_prod, "The product of a tensor's elements over dimensions.")
reduce_max = _public(_max, "The largest of a tensor's elements over dimensions.")
reduce_min = _public(_min, "The smallest of a tensor's elements over dimensions.")
reduce_all = _public(_all, "Whether all of a bool tensor's elements over dimensions are true.")
reduce_any = _public(_any, "Whether any of a bool tensor's elements over dimensions is true.")


# --- gradients ---------------------------------------------------------------------------------------


@gradient(_sum)
def _sum_gradient(op, grad):
    input, axis = op.inputs
    return [expand_reduced(grad, input, axis), None]


@op("ReductionFactor", shape_only=("input", "output"), shape=lambda *_: SCALAR)
def _reduction_factor(input: Mixed, output: Mixed) -> dtypes.int32:
    """How many elements of `input` went into each of `output`."""
    return np.array(input.size // max(output.size, 1), np.int32)


not_differentiable(_reduction_factor)


def _static_factor(input, output) -> int | None:
    before, after = input.shape.num_elements(), output.shape.num_elements()
    return None if before is None or after is None else before // max(after, 1)


@gradient(_mean)
def _mean_gradient(op, grad):
    (input, axis), (output,) = op.inputs, op.outputs
    factor = _static_factor(input, output)
    if factor is None:
        factor = cast(_reduction_factor(input, output), grad.dtype)
    else:
        factor = np.array(factor, grad.dtype.numpy_dtype)
    return [math.truediv(expand_reduced(grad, input, axis), factor), None]


@gradient(_max, _min)
def _extreme_gradient(op, grad):
    input, axis = op.inputs
    chosen = cast(math.equal(expand_reduced(op.outputs[0], input, axis), input), grad.dtype)
    ties = expand_reduced(_sum(chosen, axis), input, axis)
    return [math.divide(chosen, ties) * expand_reduced(grad, input, axis), None]


@gradient(_prod)
def _prod_gradient(op, grad):
    from minitf.ops.scan import product_of_others

    input, axis = op.inputs
    return [expand_reduced(grad, input, axis) * product_of_others(input, axis), None]
