"""Running sums and products along a dimension."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.ops import math
from minitf.ops.array import cast, invert_permutation, rank, reshape, shape, transpose
from minitf.ops.like import reshape_like
from minitf.ops.registry import Floating, Index, Numeric, gradient, op
from minitf.ops.shape_rules import constant_value, same_as_input

_Axis = Index.another("Axis")


def _scan_shape(x, axis, **_attrs):
    position = constant_value(axis)
    if position is not None and x.shape.rank is not None:
        _position(position, x.shape.rank)
    return same_as_input(x)


def _position(axis: Any, rank: int) -> int:
    axis = int(axis)
    if not -rank <= axis < rank:
        raise ValueError(f"ScanOp: Expected scan axis in the range [{-rank}, {rank}), but got {axis}")
    return axis % rank


def running(
    ufunc: Any, x: np.ndarray, axis: int, exclusive: bool, reverse: bool, first: Any, out: Any
) -> Any:
    """`ufunc.accumulate` of x along `axis`; if exclusive, shifted by one, with `first` before the rest."""
    out = np.empty_like(x) if out is None else out
    source, target = np.moveaxis(x, axis, 0), np.moveaxis(out, axis, 0)
    if reverse:
        source, target = source[::-1], target[::-1]
    if not exclusive:
        ufunc.accumulate(source, 0, x.dtype, target)
    elif len(target):
        target[0] = first
        ufunc.accumulate(source[:-1], 0, x.dtype, target[1:])
    return out


@op("Cumsum", shape=_scan_shape)
def _cumsum(x: Numeric, axis: _Axis, *, exclusive=False, reverse=False, out=None) -> Numeric:
    return running(np.add, x, _position(axis, x.ndim), exclusive, reverse, 0, out)


@op("Cumprod", shape=_scan_shape)
def _cumprod(x: Numeric, axis: _Axis, *, exclusive=False, reverse=False, out=None) -> Numeric:
    return running(np.multiply, x, _position(axis, x.ndim), exclusive, reverse, 1, out)


@op("CumulativeLogsumexp", shape=_scan_shape)
def _cumulative_logsumexp(x: Floating, axis: _Axis, *, exclusive=False, reverse=False, out=None) -> Floating:
    return running(np.logaddexp, x, _position(axis, x.ndim), exclusive, reverse, -np.inf, out)


def _public(kernel: Any, doc: str) -> Any:
    def function(
        x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
    ) -> Any:
        return kernel(x, axis, exclusive=bool(exclusive), reverse=bool(reverse), name=name)

    function.__doc__ = f"""{doc}

    `exclusive` leaves the element itself out of each result; `reverse` starts at the end.
    """
    return function


cumsum = _public(_cumsum, "The sums of the elements up to each along `axis`.")
cumprod = _public(_cumprod, "The products of the elements up to each along `axis`.")
cumulative_logsumexp = _public(
    _cumulative_logsumexp, "log(sum(exp(…))) of the elements up to each along `axis`, without overflow."
)


@gradient(_cumsum)
def _cumsum_gradient(op, grad):
    exclusive, reverse = op.attrs["exclusive"], op.attrs["reverse"]
    return [_cumsum(grad, op.inputs[1], exclusive=exclusive, reverse=not reverse), None]


@gradient(_cumprod)
def _cumprod_gradient(op, grad):
    x, axis = op.inputs
    exclusive, reverse = op.attrs["exclusive"], op.attrs["reverse"]
    total = _cumsum(math.multiply(op.outputs[0], grad), axis, exclusive=exclusive, reverse=not reverse)
    return [math.div_no_nan(total, x), None]


@gradient(_cumulative_logsumexp)
def _cumulative_logsumexp_gradient(op, grad):
    """Each x weighs exp(x - result) in every later result; positive and negative parts in logarithms."""
    from minitf.ops.constants import zeros_like
    from minitf.ops.select import where_v2

    x, axis = op.inputs
    output = op.outputs[0]
    exclusive, reverse = op.attrs["exclusive"], op.attrs["reverse"]
    lowest = np.array(np.finfo(grad.dtype.numpy_dtype).min, grad.dtype.numpy_dtype)
    zero = zeros_like(grad)

    def part(positive):
        amount = grad if positive else -grad
        logarithm = where_v2(math.greater(amount, zero), math.log(amount), lowest)
        scan = _cumulative_logsumexp(logarithm - output, axis, exclusive=exclusive, reverse=not reverse)
        return math.exp(scan + x)

    return [part(True) - part(False), None]


def product_of_others(x: Any, axis: Any) -> Any:
    """For each element the product of the others that a reduction over `axis` multiplies it with.

    As products of those before and those after it, so that zeros do no harm.
    """
    position = constant_value(axis)
    if position is not None and position.size == 1:
        return _product_along(x, position.reshape(()))
    order, reduced = _reduced_first(x, axis, position)
    moved = transpose(x, order)
    sizes = shape(moved)
    flat = reshape(moved, _two_sizes(sizes, reduced))
    product = reshape_like(_product_along(flat, np.zeros((), np.int32)), moved)
    return transpose(product, invert_permutation(order))


def _product_along(x, axis):
    before = _cumprod(x, axis, exclusive=True)
    after = _cumprod(x, axis, exclusive=True, reverse=True)
    return math.multiply(math.conj(before), math.conj(after))


def _reduced_first(x, axis, position):
    """The order of dimensions that puts the reduced ones first, and how many these are."""
    from minitf.ops.constants import range
    from minitf.ops.join import concat
    from minitf.ops.unique import setdiff1d

    if position is not None and x.shape.rank is not None:
        reduced = [int(a) % x.shape.rank for a in position.reshape(-1)]
        others = [a for a in np.arange(x.shape.rank) if a not in reduced]
        return np.array([*reduced, *others], np.int32), len(reduced)
    reduced = math.floormod(cast(reshape(axis, [-1]), dtypes.int32), math.maximum(rank(x), 1))
    others, _ = setdiff1d(range(0, rank(x)), reduced)
    return concat([reduced, others], 0), shape(reduced)[0]


def _two_sizes(sizes, reduced):
    from minitf.ops.join import stack
    from minitf.ops.reduce import reduce_prod

    return stack([reduce_prod(sizes[:reduced]), reduce_prod(sizes[reduced:])])
