"""Less common functions: Bessel functions, the beta function, polynomials."""

from typing import Any

import numpy as np

from minitf.kernels.elementwise import special
from minitf.ops import math
from minitf.ops.constants import ones_like, zeros_like
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.math_grad import unbroadcast
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Floating, elementwise, gradient, interpreter, not_differentiable
from minitf.ops.select import where_v2

bessel_i0 = elementwise("BesselI0", special("i0"), x=Floating, doc="The modified Bessel function I0.")
bessel_i0e = elementwise("BesselI0e", special("i0e"), x=Floating, doc="exp(-|x|) * I0(x).")
bessel_i1 = elementwise("BesselI1", special("i1"), x=Floating, doc="The modified Bessel function I1.")
bessel_i1e = elementwise("BesselI1e", special("i1e"), x=Floating, doc="exp(-|x|) * I1(x).")
betainc = elementwise(
    "Betainc", special("betainc", 3), a=Floating, b=Floating, x=Floating, doc="Regularised incomplete beta."
)
nextafter = elementwise(
    "NextAfter", np.nextafter, x1=Floating, x2=Floating, doc="The next number after x1 towards x2."
)
not_differentiable(nextafter)


def _number(value, like):
    return np.asarray(value, like.dtype.base_dtype.numpy_dtype)


@gradient(bessel_i0)
def _bessel_i0_gradient(op, grad):
    return grad * bessel_i1(op.inputs[0])


@gradient(bessel_i0e)
def _bessel_i0e_gradient(op, grad):
    x = op.inputs[0]
    return grad * (bessel_i1e(x) - math.sign(x) * op.outputs[0])


def _over_x(y, x):
    """y / x where y ~ x / 2 near 0."""
    is_zero = math.equal(x, zeros_like(x))
    half = _number(0.5, x) * ones_like(x)
    return where_v2(is_zero, half, math.real_divide(y, where_v2(is_zero, ones_like(x), x)))


@gradient(bessel_i1)
def _bessel_i1_gradient(op, grad):
    x = op.inputs[0]
    return grad * (bessel_i0(x) - _over_x(op.outputs[0], x))


@gradient(bessel_i1e)
def _bessel_i1e_gradient(op, grad):
    x, y = op.inputs[0], op.outputs[0]
    return grad * (bessel_i0e(x) - _over_x(y, x) - math.sign(x) * y)


@gradient(betainc)
def _betainc_gradient(op, grad):
    """Of x only: x^(a-1) (1-x)^(b-1) / B(a, b)."""
    a, b, x = op.inputs
    one = _number(1, x)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    density = math.exp(math.xlog1py(b - one, -x) + math.xlogy(a - one, x) - log_beta)
    return [None, None, unbroadcast(grad * density, x)]


def erfcinv(x: Any, name: str | None = None) -> Any:
    """The inverse of erfc, for x in (0, 2)."""
    with interpreter().name_scope(name or "erfcinv"):
        x = interpreter().convert(x, None, None, "start")
        return -math.ndtri(_number(0.5, x) * x) * _number(np.sqrt(0.5), x)


def lbeta(x: Any, name: str | None = None) -> Any:
    """log |Beta(x)| along the last dimension: sum(lgamma(x)) - lgamma(sum(x))."""
    with interpreter().name_scope(name or "lbeta"):
        x = interpreter().convert(x, None, None, "x")
        return reduce_sum(math.lgamma(x), [-1]) - math.lgamma(reduce_sum(x, [-1]))


def polyval(coeffs: list[Any], x: Any, name: str | None = None) -> Any:
    """The polynomial with the given coefficients, the highest power's first, at `x`.

    Raises ValueError unless `coeffs` is a list.
    """
    if not isinstance(coeffs, list):
        raise ValueError(f"Argument coeffs must be list type. Received type {type(coeffs)}.")
    with interpreter().name_scope(name or "polyval"):
        x = interpreter().convert(x, None, None, "x")
        if not coeffs:
            return zeros_like(x)
        result, *rest = (interpreter().convert(c, None, None, f"coeff_{i}") for i, c in enumerate(coeffs))
        for coefficient in rest:
            result = coefficient + result * x
        return result


def reciprocal_no_nan(x: Any, name: str | None = None) -> Any:
    """1 / x, and 0 where x is 0."""
    with interpreter().name_scope(name or "reciprocal_no_nan") as scope:
        x = interpreter().convert(x, None, None, "x")
        return math.div_no_nan(_number(1, x), x, name=scope)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Any:
    """A scalar times a tensor or IndexedSlices. Raises ValueError unless it is one."""
    scalar = interpreter().convert(scalar, x.dtype.base_dtype, None, "scalar")
    if scalar.shape.rank != 0:
        raise ValueError(f"The input scalar must be a 0-D value. Received shape {scalar.shape}.")
    if isinstance(x, IndexedSlices):
        return IndexedSlices(math.multiply(scalar, x.values, name=name), x.indices, x.dense_shape)
    return math.multiply(scalar, x, name=name)
