"""Elementwise arithmetic, comparison and logic."""

from tests.op_cases import case
from tests.op_cases.draw import COMPLEX, FLOATS, INTEGERS, NUMERIC, REAL, Draw


def two(draw: Draw, names=("x", "y"), **options):
    """Two operands that broadcast."""
    return {
        name: draw.array(shape, **options)
        for name, shape in zip(names, draw.broadcastable(2), strict=True)
    }  # fmt: skip


def one(draw: Draw, name="x", **options):
    """One operand."""
    return {name: draw.array(**options)}


@case("AddV2", "Sub", "Mul", "SquaredDifference")
def arithmetic(draw):
    return two(draw)


@case("Maximum", "Minimum")
def extremes(draw):
    x, y = draw.broadcastable(2)
    # Far enough from ties for differences.
    y = draw.array(y) + (draw.dtype.type(0.003) if draw.smooth else draw.dtype.type(0))
    return {"x": draw.array(x), "y": y}


def nonzero(draw, shape, **options):
    """No zeros among integers; floats of either sign away from 0 where gradients are wanted."""
    values = draw.array(shape, **options)
    if draw.dtype.kind in "iu":
        values[values == 0] = 1
    return values


@case("RealDiv", "FloorDiv", "TruncateDiv")
def division(draw):
    x, y = draw.broadcastable(2)
    return {"x": draw.array(x, -9, 9), "y": nonzero(draw, y, margin=0.3)}


@case("TruncateMod", reference_gradient=False)
@case("FloorMod")
def remainder(draw):
    x, y = draw.broadcastable(2)
    low = 2.1 if draw.smooth else -3  # the quotient then stays between two integers
    return {
        "x": draw.array(x, 0.1 if draw.smooth else -9, 1.9 if draw.smooth else 9, special=False),
        "y": nonzero(draw, y, low=low, special=False, margin=0.1),
    }


@case("DivNoNan", "MulNoNan")
def no_nan(draw):
    x, y = draw.broadcastable(2)
    y = draw.array(y, margin=0.5)
    if not draw.smooth and draw.boolean():
        y = y * draw.array(y.shape, 0, 1, "bool")
    return {"x": draw.array(x), "y": y}


@case("Pow", dtypes=FLOATS + COMPLEX)
def power(draw):
    x, y = draw.broadcastable(2)
    return {"x": draw.array(x, 0.2, 3, special=False), "y": draw.array(y, -2, 3, special=False)}


@case("Pow", dtypes=INTEGERS)
def integer_power(draw):
    x, y = draw.broadcastable(2)
    return {"x": draw.array(x), "y": draw.array(y, 0, 3)}


@case("Atan2")
def atan2(draw):
    return two(draw, ("y", "x"))


@case("Xlogy", "Xlog1py", "Xdivy")
def zero_times(draw):
    x, y = draw.broadcastable(2)
    x = draw.array(x, special=False)
    if not draw.smooth and draw.boolean():
        x = x * draw.array(x.shape, 0, 1, "bool")
    return {"x": x, "y": draw.array(y, 0.1, 3, special=False)}


@case(
    "Igamma", "Igammac", dtypes=("float32", "float64"), no_gradient=("a",), orders=1,
    tolerance={"float32": 1e-4}, gradient_tolerance={"float32": 1e-3},
    reason="TensorFlow's float32 series stops at about 1e-5; minitf computes in float64",
)  # fmt: skip
def incomplete_gamma(draw):
    return two(draw, ("a", "x"), low=0.3, high=5, special=False)


@case("Zeta", dtypes=("float32", "float64"), no_gradient=("x",))
def zeta(draw):
    x, q = draw.broadcastable(2)
    return {"x": draw.array(x, 1.3, 5, special=False), "q": draw.array(q, 0.5, 5, special=False)}


@case("Polygamma", dtypes=("float32", "float64"), no_gradient=("a",))
def polygamma(draw):
    a, x = draw.broadcastable(2)
    orders = draw.indices(a, 4, draw.dtype) + draw.dtype.type(1)
    return {"a": orders, "x": draw.array(x, 0.5, 5, special=False)}


@case("Less", "LessEqual", "Greater", "GreaterEqual", dtypes=REAL)
def order(draw):
    return two(draw)


@case("Equal", "NotEqual", dtypes=(*NUMERIC, "bool", "object"))
def equality(draw):
    return two(draw, low=-1, high=1)


@case("LogicalAnd", "LogicalOr")
def logic(draw):
    return two(draw)


@case("LogicalNot")
def negation(draw):
    return one(draw)


@case("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bits(draw):
    return two(draw, low=-100, high=100)


@case("LeftShift", "RightShift")
def shift(draw):
    x, y = draw.broadcastable(2)
    return {"x": draw.array(x, -50, 50), "y": draw.array(y, 0, 5)}


@case("Invert")
def invert(draw):
    return one(draw, low=-100, high=100)


@case("Neg", "Sign", "Square", "Tanh", "Sigmoid", "Sinh", "Cosh", "Asinh", "Atan", "Erf", "Erfc", "Abs")
def anywhere(draw):
    return one(draw)


@case("Exp", "Expm1")
def exponential(draw):
    return one(draw, low=-10, high=10)


@case("Sin", "Cos")
def circular(draw):
    # Half a million turns on, float32 argument reduction is a matter of taste.
    return one(draw, low=-20, high=20, special=False)


@case("Tan")
def tangent(draw):
    return one(draw, low=-1.4, high=1.4, special=False)


@case("Sqrt", "Rsqrt", "Log", "Lgamma")
def positive(draw):
    return one(draw, low=0.1, high=9)


@case("Log1p")
def above_minus_one(draw):
    return one(draw, low=-0.9, high=9)


@case("Reciprocal")
def reciprocal(draw):
    return {"x": nonzero(draw, None, margin=0.3)}


@case("Asin", "Acos", "Atanh")
def inside_one(draw):
    return one(draw, low=-0.95, high=0.95)


@case("Acosh")
def above_one(draw):
    return one(draw, low=1.1, high=9)


@case("Floor", "Ceil", "Rint")
def rounding(draw):
    return one(draw, low=-5, high=5)


@case("IsNan", "IsInf", "IsFinite")
def kind(draw):
    return one(draw)


@case(
    "Erfinv", "Ndtri", dtypes=("float32", "float64"), tolerance={"float32": 1e-4},
    reason="TensorFlow's float32 kernels are good to about 1e-5",
)  # fmt: skip
def quantile(draw):
    return one(draw, low=0.05, high=0.95, special=False)


@case("Digamma")
def digamma(draw):
    return one(draw, low=0.3, high=9, special=False)


@case("SigmoidGrad", "TanhGrad")
def slope(draw):
    return two_same(draw, ("y", "dy"))


def two_same(draw, names):
    """Two operands of one shape."""
    shape = draw.shape()
    return {name: draw.array(shape) for name in names}


@case("ComplexAbs", reference=lambda tf, x, Tout: tf.abs(x))
def complex_abs(draw):
    real = "float32" if draw.dtype.itemsize == 8 else "float64"
    from minitf.framework.dtypes import as_dtype

    return {"x": draw.array(), "Tout": as_dtype(real)}


@case("Conj", reference=lambda tf, x: tf.math.conj(x))
def conj(draw):
    return one(draw)


@case("AddN", dtypes=NUMERIC)
def add_n(draw):
    shape = draw.shape()
    return {"inputs": [draw.array(shape) for _ in range(draw.integer(2, 4))]}
