"""Less common functions of numbers."""

from tests.op_cases import case
from tests.op_cases.draw import COMPLEX, FLOATS


@case("BesselI0", "BesselI0e", "BesselI1", "BesselI1e", dtypes=("float32", "float64"))
def bessel(draw):
    return {"x": draw.array(special=False)}


@case("Betainc", dtypes=("float32", "float64"), no_gradient=("a", "b"))
def betainc(draw):
    shape = draw.shape()
    a, b = draw.array(shape, 0.3, 4, special=False), draw.array(shape, 0.3, 4, special=False)
    return {"a": a, "b": b, "x": draw.array(shape, 0.05, 0.95, special=False)}


@case("NextAfter", dtypes=("float32", "float64"))
def nextafter(draw):
    one, other = draw.broadcastable(2)
    return {"x1": draw.array(one, special=False), "x2": draw.array(other, special=False)}


@case("EuclideanNorm", dtypes=(*FLOATS, "int32", *COMPLEX))
def euclidean_norm(draw):
    x = draw.array(draw.shape(min_size=1), special=False)
    return {"input": x, "axis": draw.index(draw.axes(x.ndim)), "keep_dims": draw.boolean()}
