"""Gradients of the elementwise ops, written with ops so that they can be differentiated again."""

import math as pymath

import numpy as np

from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.constants import zeros_like
from minitf.ops.like import sum_like
from minitf.ops.math import _sigmoid_grad, _tanh_grad, conj
from minitf.ops.registry import gradient, not_differentiable
from minitf.ops.select import where


def _number(value: float, like):
    """A Python number as an array of `like`'s dtype: it broadcasts, and never promotes."""
    return np.asarray(value, like.dtype.base_dtype.numpy_dtype)


def unbroadcast(grad, x):
    """`grad` summed over the dimensions along which `x` was broadcast; nothing to do if the shapes agree."""
    if grad.shape.is_fully_defined() and grad.shape == x.shape:
        return grad
    return sum_like(grad, x)


def _both(function):
    """A binary op's gradient from the function that gives those of its broadcast operands."""

    def rule(op, grad):
        x, y = op.inputs
        to_x, to_y = function(op, grad, x, y)
        return [None if g is None else unbroadcast(g, operand) for g, operand in ((to_x, x), (to_y, y))]

    return rule


_BINARY = {
    math.add: lambda op, g, x, y: (g, g),
    math.subtract: lambda op, g, x, y: (g, -g),
    math.multiply: lambda op, g, x, y: (g * conj(y), g * conj(x)),
    math.real_divide: lambda op, g, x, y: (
        math.real_divide(g, conj(y)),
        g * math.real_divide(math.real_divide(-conj(x), conj(y)), conj(y)),
    ),
    math.div_no_nan: lambda op, g, x, y: (
        math.div_no_nan(g, conj(y)),
        g * math.div_no_nan(math.div_no_nan(-conj(x), conj(y)), conj(y)),
    ),
    math.multiply_no_nan: lambda op, g, x, y: (
        math.multiply_no_nan(g, y),
        math.multiply_no_nan(x, g),
    ),
    math.floor_divide: lambda op, g, x, y: (None, None),
    math.floormod: lambda op, g, x, y: (g, -g * math.floor_divide(x, y)),
    math.truncatemod: lambda op, g, x, y: (g, -g * math.truncatediv(x, y)),
    math.squared_difference: lambda op, g, x, y: (
        _number(2, x) * (x - y) * g,
        _number(-2, x) * (x - y) * g,
    ),
    math.atan2: lambda op, g, y, x: (
        g * math.real_divide(x, math.square(x) + math.square(y)),
        g * math.real_divide(-y, math.square(x) + math.square(y)),
    ),
    math.xlogy: lambda op, g, x, y: (
        g * math.xlogy(cast(math.not_equal(x, _number(0, x)), x.dtype), y),
        g * math.xdivy(x, y),
    ),
    math.xlog1py: lambda op, g, x, y: (
        g * math.xlog1py(cast(math.not_equal(x, _number(0, x)), x.dtype), y),
        g * math.xdivy(x, y + _number(1, y)),
    ),
    math.xdivy: lambda op, g, x, y: (
        g * math.xdivy(cast(math.not_equal(x, _number(0, x)), x.dtype), y),
        g * math.xdivy(-x, math.square(y)),
    ),
    math.maximum: lambda op, g, x, y: _to_larger(g, math.greater_equal(x, y)),
    math.minimum: lambda op, g, x, y: _to_larger(g, math.less_equal(x, y)),
    math.igamma: lambda op, g, a, x: (None, g * _gamma_density(a, x)),
    math.igammac: lambda op, g, a, x: (None, -g * _gamma_density(a, x)),
    math.zeta: lambda op, g, x, q: (None, g * -x * math.zeta(x + _number(1, x), q)),
    math.polygamma: lambda op, g, n, x: (None, g * math.polygamma(n + _number(1, n), x)),
}


def _to_larger(grad, first_wins):
    """The whole gradient goes to the chosen operand (to x when they are equal), as in TensorFlow."""
    zeros = zeros_like(grad)
    return where(first_wins, grad, zeros), where(first_wins, zeros, grad)


def _gamma_density(a, x):
    return math.exp(-x + (a - _number(1, a)) * math.log(x) - math.lgamma(a))


for _function, _rule in _BINARY.items():
    gradient(_function)(_both(_rule))


@gradient(math.pow)
@_both
def _pow(op, grad, x, y):
    safe = where(math.greater(x, _number(0, x)), x, _ones_like(x)) if not x.dtype.is_complex else x
    log_x = math.log(safe) if x.dtype.is_floating or x.dtype.is_complex else zeros_like(x)
    to_x = grad * conj(y) * math.pow(conj(x), conj(y) - _number(1, y))
    return to_x, grad * conj(op.outputs[0]) * conj(log_x)


def _ones_like(x):
    return zeros_like(x) + _number(1, x)


# y' of a unary op, from its input x and output y.
_SLOPES = {
    math.square: lambda x, y: _number(2, x) * x,
    math.sqrt: lambda x, y: math.real_divide(_number(0.5, x), y),
    math.rsqrt: lambda x, y: _number(-0.5, x) * y * y * y,
    math.reciprocal: lambda x, y: -y * y,
    math.exp: lambda x, y: y,
    math.expm1: lambda x, y: math.exp(x),
    math.log: lambda x, y: math.reciprocal(x),
    math.log1p: lambda x, y: math.reciprocal(x + _number(1, x)),
    math.sin: lambda x, y: math.cos(x),
    math.cos: lambda x, y: -math.sin(x),
    math.tan: lambda x, y: math.reciprocal(math.square(math.cos(x))),
    math.asin: lambda x, y: math.rsqrt(_number(1, x) - math.square(x)),
    math.acos: lambda x, y: -math.rsqrt(_number(1, x) - math.square(x)),
    math.atan: lambda x, y: math.reciprocal(_number(1, x) + math.square(x)),
    math.sinh: lambda x, y: math.cosh(x),
    math.cosh: lambda x, y: math.sinh(x),
    math.asinh: lambda x, y: math.reciprocal(math.cosh(y)),
    math.acosh: lambda x, y: math.reciprocal(math.sinh(y)),
    math.atanh: lambda x, y: math.reciprocal(_number(1, x) - math.square(x)),
    math._abs: lambda x, y: math.sign(x),
    math.erf: lambda x, y: _number(2 / pymath.sqrt(pymath.pi), x) * math.exp(-math.square(x)),
    math.erfc: lambda x, y: _number(-2 / pymath.sqrt(pymath.pi), x) * math.exp(-math.square(x)),
    math.erfinv: lambda x, y: _number(pymath.sqrt(pymath.pi) / 2, x) * math.exp(math.square(y)),
    math.ndtri: lambda x, y: (
        _number(pymath.sqrt(2 * pymath.pi), x) * math.exp(_number(0.5, x) * math.square(y))
    ),
    math.lgamma: lambda x, y: math.digamma(x),
    math.digamma: lambda x, y: math.polygamma(_ones_like(x), x),
}
for _function, _slope in _SLOPES.items():
    gradient(_function)(lambda op, grad, slope=_slope: grad * conj(slope(op.inputs[0], op.outputs[0])))


@gradient(math.negative)
def _negative(op, grad):
    return -grad


@gradient(math._conj)
def _conjugate(op, grad):
    return conj(grad)


@gradient(math._complex_abs)
def _complex_abs(op, grad):
    from minitf.ops.complex import to_complex

    x, y = op.inputs[0], op.outputs[0]
    return to_complex(math.div_no_nan(grad, y)) * x


@gradient(math.sigmoid)
def _sigmoid(op, grad):
    return _sigmoid_grad(conj(op.outputs[0]), grad)


@gradient(_sigmoid_grad)
@_both
def _sigmoid_grad_grad(op, grad, y, dy):
    y, dy = conj(y), conj(dy)
    return grad * dy * (_number(1, y) - _number(2, y) * y), _sigmoid_grad(y, grad)


@gradient(math.tanh)
def _tanh(op, grad):
    return _tanh_grad(conj(op.outputs[0]), grad)


@gradient(_tanh_grad)
@_both
def _tanh_grad_grad(op, grad, y, dy):
    y, dy = conj(y), conj(dy)
    return grad * dy * _number(-2, y) * y, _tanh_grad(y, grad)


@gradient(math.sign, math.floor, math.ceil, math.rint)
def _flat(op, grad):
    return zeros_like(op.inputs[0]) if op.type == "Sign" else None


not_differentiable(
    math.less, math.less_equal, math.greater, math.greater_equal, math.equal, math.not_equal,
    math.logical_and, math.logical_or, math.logical_not, math.bitwise_and, math.bitwise_or,
    math.bitwise_xor, math.invert, math.left_shift, math.right_shift, math.truncatediv,
    math.is_nan, math.is_inf, math.is_finite,
)  # fmt: skip
