"""Elementwise arithmetic, comparison and logic, with broadcasting."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import DType
from minitf.kernels import elementwise as kernels
from minitf.ops import shape_rules
from minitf.ops.registry import (
    Anything,
    Attr,
    Bool,
    Complex,
    Floating,
    FloatingOrComplex,
    Integer,
    Numeric,
    Real,
    Types,
    elementwise,
    interpreter,
    op,
)

_Float = Floating
_AnyOrder = Types("Comparable", Real.allowed)
_Equatable = Types("Equatable", Anything.allowed)


# --- two operands ------------------------------------------------------------------------------------

add = elementwise("AddV2", np.add, default_name="Add", x=Numeric, y=Numeric, doc="x + y.")
subtract = elementwise("Sub", np.subtract, x=Numeric, y=Numeric, doc="x - y.")
multiply = elementwise("Mul", np.multiply, x=Numeric, y=Numeric, doc="x * y.")
real_divide = elementwise(
    "RealDiv", np.divide, x=FloatingOrComplex, y=FloatingOrComplex, doc="x / y for floating types."
)
floor_divide = elementwise("FloorDiv", kernels.floor_divide, x=Real, y=Real, doc="x / y rounded down.")
floormod = elementwise(
    "FloorMod", kernels.floor_mod, x=Real, y=Real, doc="The remainder of x / y, with y's sign."
)
truncatediv = elementwise(
    "TruncateDiv", kernels.truncate_divide, x=Real, y=Real, doc="x / y rounded towards zero."
)
truncatemod = elementwise(
    "TruncateMod",
    kernels.truncate_mod,
    x=Real,
    y=Real,
    doc="The remainder of x / y, with x's sign.",
)
div_no_nan = elementwise(
    "DivNoNan",
    kernels.divide_no_nan,
    x=FloatingOrComplex,
    y=FloatingOrComplex,
    doc="x / y, and 0 where y is 0.",
)
multiply_no_nan = elementwise(
    "MulNoNan",
    kernels.multiply_no_nan,
    x=FloatingOrComplex,
    y=FloatingOrComplex,
    doc="x * y, and 0 where y is 0 even if x is infinite or NaN.",
)
pow = elementwise("Pow", kernels.integer_power, x=Numeric, y=Numeric, doc="x ** y.")
maximum = elementwise("Maximum", np.maximum, x=Real, y=Real, doc="The larger of x and y.")
minimum = elementwise("Minimum", np.minimum, x=Real, y=Real, doc="The smaller of x and y.")
squared_difference = elementwise(
    "SquaredDifference", kernels.squared_difference, x=Numeric, y=Numeric, doc="(x - y) ** 2."
)
atan2 = elementwise("Atan2", np.arctan2, y=Floating, x=Floating, doc="The angle of the point (x, y).")
xlogy = elementwise("Xlogy", kernels.xlogy, x=Floating, y=Floating, doc="x * log(y); 0 where x is 0.")
xlog1py = elementwise(
    "Xlog1py", kernels.xlog1py, x=Floating, y=Floating, doc="x * log(1 + y); 0 where x is 0."
)
xdivy = elementwise("Xdivy", kernels.xdivy, x=Floating, y=Floating, doc="x / y; 0 where x is 0.")
igamma = elementwise(
    "Igamma", kernels.special("gammainc", 2), a=Floating, x=Floating, doc="Lower regularised gamma."
)
igammac = elementwise(
    "Igammac", kernels.special("gammaincc", 2), a=Floating, x=Floating, doc="Upper regularised gamma."
)
zeta = elementwise("Zeta", kernels.special("zeta", 2), x=Floating, q=Floating, doc="Hurwitz zeta.")
polygamma = elementwise(
    "Polygamma", kernels.special("polygamma", 2), a=Floating, x=Floating, doc="The polygamma function."
)

# --- comparison and logic ----------------------------------------------------------------------------

less = elementwise("Less", np.less, dtypes.bool, x=_AnyOrder, y=_AnyOrder, doc="x < y.")
less_equal = elementwise("LessEqual", np.less_equal, dtypes.bool, x=_AnyOrder, y=_AnyOrder, doc="x <= y.")
greater = elementwise("Greater", np.greater, dtypes.bool, x=_AnyOrder, y=_AnyOrder, doc="x > y.")
greater_equal = elementwise(
    "GreaterEqual", np.greater_equal, dtypes.bool, x=_AnyOrder, y=_AnyOrder, doc="x >= y."
)
equal = elementwise("Equal", np.equal, dtypes.bool, x=_Equatable, y=_Equatable, doc="x == y.")
not_equal = elementwise("NotEqual", np.not_equal, dtypes.bool, x=_Equatable, y=_Equatable, doc="x != y.")
logical_and = elementwise("LogicalAnd", np.logical_and, x=Bool, y=Bool, doc="x and y.")
logical_or = elementwise("LogicalOr", np.logical_or, x=Bool, y=Bool, doc="x or y.")
logical_not = elementwise("LogicalNot", np.logical_not, x=Bool, doc="not x.")
bitwise_and = elementwise("BitwiseAnd", np.bitwise_and, x=Integer, y=Integer, doc="x & y.")
bitwise_or = elementwise("BitwiseOr", np.bitwise_or, x=Integer, y=Integer, doc="x | y.")
bitwise_xor = elementwise("BitwiseXor", np.bitwise_xor, x=Integer, y=Integer, doc="x ^ y.")
invert = elementwise("Invert", np.invert, x=Integer, doc="~x.")
left_shift = elementwise("LeftShift", np.left_shift, x=Integer, y=Integer, doc="x << y.")
right_shift = elementwise("RightShift", np.right_shift, x=Integer, y=Integer, doc="x >> y.")

# --- one operand -------------------------------------------------------------------------------------

negative = elementwise("Neg", np.negative, x=Numeric, doc="-x.")
sign = elementwise("Sign", np.sign, x=Numeric, doc="-1, 0 or 1, as x is below, at or above 0.")
square = elementwise("Square", np.square, x=Numeric, doc="x * x.")
sqrt = elementwise("Sqrt", np.sqrt, x=FloatingOrComplex, doc="The square root.")
rsqrt = elementwise("Rsqrt", kernels.rsqrt, x=FloatingOrComplex, doc="1 / sqrt(x).")
reciprocal = elementwise("Reciprocal", kernels.reciprocal, x=Numeric, doc="1 / x.")
exp = elementwise("Exp", np.exp, x=FloatingOrComplex, doc="e ** x.")
expm1 = elementwise("Expm1", np.expm1, x=FloatingOrComplex, doc="exp(x) - 1, exact near 0.")
log = elementwise("Log", np.log, x=FloatingOrComplex, doc="The natural logarithm.")
log1p = elementwise("Log1p", np.log1p, x=FloatingOrComplex, doc="log(1 + x), exact near 0.")
sin = elementwise("Sin", np.sin, x=FloatingOrComplex, doc="The sine of x (radians).")
cos = elementwise("Cos", np.cos, x=FloatingOrComplex, doc="The cosine of x (radians).")
tan = elementwise("Tan", np.tan, x=FloatingOrComplex, doc="The tangent of x (radians).")
asin = elementwise("Asin", np.arcsin, x=FloatingOrComplex, doc="The arc sine, in radians.")
acos = elementwise("Acos", np.arccos, x=FloatingOrComplex, doc="The arc cosine, in radians.")
atan = elementwise("Atan", np.arctan, x=FloatingOrComplex, doc="The arc tangent, in radians.")
sinh = elementwise("Sinh", np.sinh, x=FloatingOrComplex, doc="The hyperbolic sine.")
cosh = elementwise("Cosh", np.cosh, x=FloatingOrComplex, doc="The hyperbolic cosine.")
tanh = elementwise("Tanh", np.tanh, x=FloatingOrComplex, doc="The hyperbolic tangent.")
asinh = elementwise("Asinh", np.arcsinh, x=FloatingOrComplex, doc="The inverse hyperbolic sine.")
acosh = elementwise("Acosh", np.arccosh, x=FloatingOrComplex, doc="The inverse hyperbolic cosine.")
atanh = elementwise("Atanh", np.arctanh, x=FloatingOrComplex, doc="The inverse hyperbolic tangent.")
sigmoid = elementwise("Sigmoid", kernels.sigmoid, x=FloatingOrComplex, doc="1 / (1 + exp(-x)).")
floor = elementwise("Floor", np.floor, x=Floating, doc="The largest integer at or below x.")
ceil = elementwise("Ceil", np.ceil, x=Floating, doc="The smallest integer at or above x.")
rint = elementwise("Rint", np.rint, x=Floating, doc="The nearest integer, halves to even.")
is_nan = elementwise("IsNan", np.isnan, dtypes.bool, x=Floating, doc="Whether x is NaN.")
is_inf = elementwise("IsInf", np.isinf, dtypes.bool, x=Floating, doc="Whether x is infinite.")
is_finite = elementwise(
    "IsFinite", np.isfinite, dtypes.bool, x=Floating, doc="Whether x is neither infinite nor NaN."
)
erf = elementwise("Erf", kernels.special("erf"), x=Floating, doc="The error function.")
erfc = elementwise("Erfc", kernels.special("erfc"), x=Floating, doc="1 - erf(x).")
erfinv = elementwise("Erfinv", kernels.special("erfinv"), x=Floating, doc="The inverse of erf.")
ndtri = elementwise("Ndtri", kernels.special("ndtri"), x=Floating, doc="The normal quantile.")
lgamma = elementwise("Lgamma", kernels.lgamma, x=Floating, doc="log |gamma(x)|.")
digamma = elementwise("Digamma", kernels.special("digamma"), x=Floating, doc="d/dx lgamma(x).")

_sigmoid_grad = elementwise(
    "SigmoidGrad",
    kernels.sigmoid_grad,
    y=FloatingOrComplex,
    dy=FloatingOrComplex,
    doc="dy * y * (1 - y).",
)
_tanh_grad = elementwise(
    "TanhGrad",
    kernels.tanh_grad,
    y=FloatingOrComplex,
    dy=FloatingOrComplex,
    doc="dy * (1 - y * y).",
)

# --- TensorFlow's names for choices among the above --------------------------------------------------

_abs = elementwise("Abs", np.abs, x=Real, doc="|x|.")


@op("ComplexAbs", shape=shape_rules.same_as_input)
def _complex_abs(x: Complex, *, Tout=dtypes.float32) -> Attr("Tout"):
    """|x| of complex numbers."""
    return np.abs(x)


def abs(x: Any, name: str | None = None) -> Any:
    """|x|, for complex numbers too (then of the matching real type)."""
    x = interpreter().convert(x, None, None, "x")
    if x.dtype.is_complex:
        return _complex_abs(x, Tout=x.dtype.real_dtype, name=name)
    return _abs(x, name=name)


# What integers become before a true division.
_TRUE_DIVISION = {
    "int8": dtypes.float32, "uint8": dtypes.float32, "int16": dtypes.float32,
    "uint16": dtypes.float32, "int32": dtypes.float64, "uint32": dtypes.float64,
    "int64": dtypes.float64, "uint64": dtypes.float64,
}  # fmt: skip


def truediv(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y as Python 3 divides: integers become floating (float64 from 32 bits on).

    Raises TypeError when x and y have different dtypes.
    """
    from minitf.ops.array import cast

    with interpreter().name_scope(name or "truediv") as scope:
        x = interpreter().convert(x, None, None, "x")
        y = interpreter().convert(y, None, x.dtype.base_dtype, "y")
        if x.dtype.base_dtype != y.dtype.base_dtype:
            raise TypeError(f"`x` and `y` must have the same dtype, got {x.dtype!r} != {y.dtype!r}.")
        target: DType | None = _TRUE_DIVISION.get(x.dtype.base_dtype.name)
        if target is not None:
            x, y = cast(x, target), cast(y, target)
        return real_divide(x, y, name=scope)


def divide(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y as Python 3 divides."""
    return truediv(x, y, name or "truediv")


def div(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y as Python 2 divides: integers are divided with rounding down. See `tf.divide`."""
    with interpreter().name_scope(name or "div") as scope:
        x = interpreter().convert(x, None, None, "x")
        y = interpreter().convert(y, None, x.dtype.base_dtype, "y")
        divide_op = floor_divide if x.dtype.is_integer else real_divide
        return divide_op(x, y, name=scope)


def floordiv(x: Any, y: Any, name: str | None = None) -> Any:
    """x / y rounded down."""
    return floor_divide(x, y, name=name or "floordiv")


mod = floormod


def logical_xor(x: Any, y: Any, name: str = "LogicalXor") -> Any:
    """x or y, but not both (bool)."""
    return logical_and(logical_or(x, y), logical_not(logical_and(x, y)), name=name)


def _bool_or_bits(on_bool: Any, on_bits: Any) -> Any:
    def function(x, y, name=None):
        x = interpreter().convert(x, None, None, "x")
        return (on_bool if x.dtype.is_bool else on_bits)(x, y, name=name)

    return function


bitwise_or_logical_and = _bool_or_bits(logical_and, bitwise_and)
bitwise_or_logical_or = _bool_or_bits(logical_or, bitwise_or)


def _scoped_xor(x, y, name):
    with interpreter().name_scope(name) as scope:
        return logical_xor(x, y, name=scope)


bitwise_or_logical_xor = _bool_or_bits(_scoped_xor, bitwise_xor)


def round(x: Any, name: str | None = None) -> Any:
    """The nearest integer, halves to even; integers are returned as they are."""
    x = interpreter().convert(x, None, None, "x")
    return x if x.dtype.is_integer else rint(x, name=name or "Round")


def log_sigmoid(x: Any, name: str | None = None) -> Any:
    """log(sigmoid(x)), as -softplus(-x)."""
    from minitf.ops.activation import softplus

    with interpreter().name_scope(name or "LogSigmoid"):
        return negative(softplus(negative(x)))


def conj(x: Any, name: str | None = None) -> Any:
    """The complex conjugate; real numbers are returned as they are."""
    x = interpreter().convert(x, None, None, "x")
    return _conj(x, name=name) if x.dtype.is_complex else x


_conj = elementwise("Conj", np.conj, x=Complex, doc="The complex conjugate.")
