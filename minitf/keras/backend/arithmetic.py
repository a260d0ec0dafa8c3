"""Arithmetic, comparisons and reductions of tensors, in Keras's names."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.keras.backend.values import tensor
from minitf.keras.engine import state
from minitf.ops import argmax as arg
from minitf.ops import math, reduce, reduce_more, scan
from minitf.ops.activation import softplus as _softplus
from minitf.ops.activation import softsign as _softsign
from minitf.ops.array import cast as _cast
from minitf.ops.clip import clip_by_value
from minitf.ops.registry import Symbol


def _unary(op: Callable, doc: str) -> Callable:
    def function(x: Any) -> Any:
        return op(tensor(x))

    function.__doc__ = doc
    return function


def _binary(op: Callable, doc: str) -> Callable:
    def function(x: Any, y: Any) -> Any:
        return op(x, y)

    function.__doc__ = doc
    return function


abs = _unary(math.abs, "|x|.")
square = _unary(math.square, "x * x.")
exp = _unary(math.exp, "e ** x.")
log = _unary(math.log, "The natural logarithm.")
round = _unary(math.round, "The nearest integer, halves to even.")
sign = _unary(math.sign, "-1, 0 or 1.")
sin = _unary(math.sin, "The sine.")
cos = _unary(math.cos, "The cosine.")
tanh = _unary(math.tanh, "The hyperbolic tangent.")
sigmoid = _unary(math.sigmoid, "1 / (1 + exp(-x)).")
softplus = _unary(_softplus, "log(exp(x) + 1).")
softsign = _unary(_softsign, "x / (|x| + 1).")

equal = _binary(math.equal, "x == y.")
not_equal = _binary(math.not_equal, "x != y.")
greater = _binary(math.greater, "x > y.")
greater_equal = _binary(math.greater_equal, "x >= y.")
less = _binary(math.less, "x < y.")
less_equal = _binary(math.less_equal, "x <= y.")
maximum = _binary(math.maximum, "The larger of x and y.")
minimum = _binary(math.minimum, "The smaller of x and y.")


def pow(x: Any, a: Any) -> Any:
    """x to the power of a."""
    return math.pow(x, a)


def sqrt(x: Any) -> Any:
    """The square root; of negative numbers 0."""
    x = tensor(x)
    return math.sqrt(math.maximum(x, np.zeros((), x.dtype.base_dtype.numpy_dtype)))


def clip(x: Any, min_value: Any, max_value: Any) -> Any:
    """x, kept between two bounds (None: no bound). A `max_value` below `min_value` counts as that."""
    if isinstance(min_value, int | float) and isinstance(max_value, int | float):
        max_value = min_value if max_value < min_value else max_value
    low = -np.inf if min_value is None else min_value
    high = np.inf if max_value is None else max_value
    return clip_by_value(x, low, high)


def cast(x: Any, dtype: Any) -> Any:
    """x as another dtype."""
    return _cast(x, dtype)


def cast_to_floatx(x: Any) -> Any:
    """x, a tensor or what becomes an array, as the default float type."""
    return _cast(x, state.floatx()) if isinstance(x, Symbol) else np.asarray(x, dtype=state.floatx())


def _reduction(op: Callable, doc: str, prepare: Callable = tensor) -> Callable:
    def function(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return op(prepare(x), axis, keepdims)

    function.__doc__ = f"{doc} over `axis` (a dimension, several, or None for all)."
    return function


def _as_float(x: Any) -> Any:
    x = tensor(x)
    return _cast(x, state.floatx()) if x.dtype.base_dtype == dtypes.bool else x


def _as_bool(x: Any) -> Any:
    return _cast(tensor(x), dtypes.bool)


sum = _reduction(reduce.reduce_sum, "The sum")
prod = _reduction(reduce.reduce_prod, "The product")
max = _reduction(reduce.reduce_max, "The largest element")
min = _reduction(reduce.reduce_min, "The smallest element")
mean = _reduction(reduce.reduce_mean, "The mean", _as_float)
var = _reduction(reduce_more.reduce_variance, "The variance", _as_float)
std = _reduction(reduce_more.reduce_std, "The standard deviation", _as_float)
any = _reduction(reduce.reduce_any, "Whether any element is not 0,", _as_bool)
all = _reduction(reduce.reduce_all, "Whether no element is 0,", _as_bool)
logsumexp = _reduction(reduce_more.reduce_logsumexp, "log(sum(exp(x)))")


def argmax(x: Any, axis: int = -1) -> Any:
    """The place of the largest element along `axis`, int64."""
    return arg.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Any:
    """The place of the smallest element along `axis`, int64."""
    return arg.argmin(x, axis)


def cumsum(x: Any, axis: int = 0) -> Any:
    """The sums of the elements so far along `axis`."""
    return scan.cumsum(x, axis=axis)


def cumprod(x: Any, axis: int = 0) -> Any:
    """The products of the elements so far along `axis`."""
    return scan.cumprod(x, axis=axis)
