"""Elementwise functions that NumPy lacks. Each is called like a ufunc: f(x, …, out=None).

NumPy's own ufuncs (np.add, np.exp, …) need nothing here.
"""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def _buffer(x: Array, out: Array | None) -> Array:
    return np.empty_like(x) if out is None else out


def rsqrt(x: Array, out: Array | None = None) -> Array:
    """1 / sqrt(x)."""
    out = np.sqrt(x, out)
    return np.divide(1, out, out) if isinstance(out, np.ndarray) else out.dtype.type(1) / out


def reciprocal(x: Array, out: Array | None = None) -> Array:
    """1 / x; an integer division by zero raises ValueError."""
    if x.dtype.kind in "iu":
        return floor_divide(np.ones_like(x), x, out)
    return np.divide(x.dtype.type(1), x, out)


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-x))."""
    out = np.negative(x, _buffer(x, out))
    np.exp(out, out)
    np.add(out, 1, out)
    return np.divide(1, out, out)


def _nonzero(y: Array) -> None:
    if y.dtype.kind in "iu" and not np.all(y):
        raise ValueError("Integer division by zero")


def floor_divide(x: Array, y: Array, out: Array | None = None) -> Array:
    """The quotient rounded down. Raises ValueError for an integer division by zero."""
    _nonzero(y)
    if x.dtype.kind == "f":
        return np.floor(np.divide(x, y, out), out)
    return np.floor_divide(x, y, out)


def floor_mod(x: Array, y: Array, out: Array | None = None) -> Array:
    """The remainder with the divisor's sign. Raises ValueError for an integer division by zero."""
    _nonzero(y)
    return np.mod(x, y, out)


def truncate_divide(x: Array, y: Array, out: Array | None = None) -> Array:
    """The quotient rounded towards zero. Raises ValueError for an integer division by zero."""
    _nonzero(y)
    if x.dtype.kind == "f":
        return np.trunc(np.divide(x, y, out), out)
    quotient = np.floor_divide(x, y)
    quotient = quotient + ((quotient < 0) & (quotient * y != x)).astype(x.dtype)
    return quotient if out is None else np.copyto(out, quotient) or out


def truncate_mod(x: Array, y: Array, out: Array | None = None) -> Array:
    """The remainder with the dividend's sign. Raises ValueError for an integer division by zero."""
    _nonzero(y)
    return np.fmod(x, y, out)


def integer_power(x: Array, y: Array, out: Array | None = None) -> Array:
    """x ** y. Raises ValueError for an integer raised to a negative power."""
    if y.dtype.kind == "i" and np.any(y < 0):
        raise ValueError("Integers to negative integer powers are not allowed")
    return np.power(x, y, out)


def divide_no_nan(x: Array, y: Array, out: Array | None = None) -> Array:
    """x / y, and 0 where y is 0."""
    zero = y == 0
    quotient = np.divide(x, y, out)
    return _zero_where(zero, quotient, out) if zero.any() else quotient


def multiply_no_nan(x: Array, y: Array, out: Array | None = None) -> Array:
    """x * y, and 0 where y is 0 even if x is infinite or NaN."""
    return _zero_where(y == 0, np.multiply(x, y), out)


def xlogy(x: Array, y: Array, out: Array | None = None) -> Array:
    """x * log(y), and 0 where x is 0."""
    return _zero_where(x == 0, np.multiply(x, np.log(y)), out)


def xlog1py(x: Array, y: Array, out: Array | None = None) -> Array:
    """x * log(1 + y), and 0 where x is 0."""
    return _zero_where(x == 0, np.multiply(x, np.log1p(y)), out)


def xdivy(x: Array, y: Array, out: Array | None = None) -> Array:
    """x / y, and 0 where x is 0."""
    return _zero_where(x == 0, np.divide(x, y), out)


def _zero_where(condition: Array, values: Array, out: Array | None) -> Array:
    values = np.where(condition, values.dtype.type(0), values)
    if out is None:
        return values
    np.copyto(out, values)
    return out


def squared_difference(x: Array, y: Array, out: Array | None = None) -> Array:
    """(x - y) ** 2."""
    difference = np.subtract(x, y, out)
    return np.multiply(difference, np.conj(difference), out)


def sigmoid_grad(outputs: Array, gradient: Array, out: Array | None = None) -> Array:
    """gradient * y * (1 - y), from sigmoid's outputs y."""
    slope = 1 - outputs
    return np.multiply(np.multiply(slope, outputs), gradient, out)


def tanh_grad(outputs: Array, gradient: Array, out: Array | None = None) -> Array:
    """gradient * (1 - y * y), from tanh's outputs y."""
    return np.multiply(1 - outputs * outputs, gradient, out)


def lgamma(x: Array, out: Array | None = None) -> Array:
    """log |gamma(x)|, infinite at both infinities."""
    values = special("gammaln")(x)
    values = np.where(np.isinf(x), np.abs(x), values)
    if out is None:
        return values
    np.copyto(out, values)
    return out


def special(name: str, arity: int = 1) -> Callable:
    """SciPy's special function of that name and number of arguments, imported when first called."""

    def function(*args: Array, out: Array | None = None) -> Array:
        import scipy.special

        *inputs, last = args
        if len(args) > arity:  # the trailing positional `out`
            out = last
        else:
            inputs = args
        result = getattr(scipy.special, name)(*inputs)
        result = np.asarray(result, dtype=inputs[0].dtype)
        if out is None:
            return result
        np.copyto(out, result)
        return out

    function.__name__ = name
    function.__doc__ = f"scipy.special.{name}."
    return function
