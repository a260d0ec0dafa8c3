"""Reductions built of others: log-sum-exp, variance, standard deviation; and the Euclidean norm."""

from typing import Any

import numpy as np

from minitf.ops import math
from minitf.ops.array import reshape, shape, stop_gradient
from minitf.ops.constants import zeros_like
from minitf.ops.like import expand_reduced
from minitf.ops.reduce import (
    _axes,
    _one_of,
    _reduced_shape,
    reduce_max,
    reduce_mean,
    reduce_sum,
    reduce_with,
)
from minitf.ops.registry import Index, Numeric, gradient, interpreter, op
from minitf.ops.select import where_v2


def reduce_logsumexp(
    input_tensor: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
) -> Any:
    """log(sum(exp(…))) over dimensions, without overflow.

    `reduction_indices` and `keep_dims` are the old names of `axis` and `keepdims`.
    """
    axis = _one_of("axis", axis, "reduction_indices", reduction_indices)
    keep = bool(_one_of("keepdims", keepdims, "keep_dims", keep_dims))
    with interpreter().name_scope(name or "ReduceLogSumExp") as scope:
        x = interpreter().convert(input_tensor, None, None, "input_tensor")
        largest = reduce_max(x, axis, keepdims=True)
        shift = stop_gradient(where_v2(math.is_finite(largest), largest, zeros_like(largest)))
        total = math.log(reduce_sum(math.exp(x - shift), axis, keepdims=keep))
        return math.add(total, shift if keep else reshape(shift, shape(total)), name=scope)


@op("EuclideanNorm", shape=_reduced_shape)
def _euclidean_norm(input: Numeric, axis: Index, *, keep_dims=False, out=None) -> Numeric:
    squares = np.square(np.abs(input)).astype(input.dtype, copy=False)
    total = np.add.reduce(squares, _axes(axis, input.ndim), input.dtype, None, keep_dims)
    if out is None:
        return np.asarray(np.sqrt(total)).astype(input.dtype, copy=False)
    np.copyto(out, np.sqrt(total), casting="unsafe")
    return out


@gradient(_euclidean_norm)
def _euclidean_norm_gradient(op, grad):
    input, axis = op.inputs
    norm, grad = (expand_reduced(x, input, axis) for x in (op.outputs[0], grad))
    return [math.real_divide(input, math.real_divide(norm, grad)), None]


def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """The square root of the sum of squares over dimensions."""
    return reduce_with(_euclidean_norm, input_tensor, axis, bool(keepdims), name)


def reduce_variance(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Any:
    """The mean squared deviation from the mean over dimensions (real, of a complex tensor too).

    Raises TypeError for integers.
    """
    with interpreter().name_scope(name or "reduce_variance"):
        x = interpreter().convert(input_tensor, None, None, "input_tensor")
        if not (x.dtype.is_floating or x.dtype.is_complex):
            raise TypeError(
                f"Input must be either real or complex. Received integer type {x.dtype.base_dtype}."
            )  # fmt: skip
        deviation = x - reduce_mean(x, axis, keepdims=True)
        if x.dtype.is_complex:
            from minitf.ops.complex import real

            squared = real(deviation * math.conj(deviation))
        else:
            squared = math.square(deviation)
        return reduce_mean(squared, axis, keepdims=keepdims)


def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """The square root of `reduce_variance`."""
    with interpreter().name_scope(name or "reduce_std"):
        return math.sqrt(reduce_variance(input_tensor, axis, keepdims))
