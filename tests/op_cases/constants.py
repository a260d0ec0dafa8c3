"""Constants, fills, ranges, placeholders."""

import numpy as np

from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape
from tests.op_cases import case, exempt
from tests.op_cases.draw import ALL

exempt("Placeholder", test="tests/runtime/test_session.py")


@case("Const", dtypes=(*ALL, "object"), reference=lambda tf, value, dtype: tf.constant(value, dtype.name))
def const(draw):
    return {"value": draw.array(), "dtype": as_dtype(draw.dtype)}


@case(
    "PlaceholderWithDefault", dtypes=(*ALL, "object"), dynamic=True,
    reference=lambda tf, input, shape: tf.identity(input),
)  # fmt: skip
def placeholder_with_default(draw):
    value = draw.array()
    shape = TensorShape([draw.one_of(size, None) for size in value.shape])
    return {"input": value, "shape": shape}


@case("Fill", dtypes=(*ALL, "object"))
def fill(draw):
    return {"dims": draw.index(draw.shape()), "value": draw.array(())}


@case("ZerosLike", "OnesLike", dtypes=ALL)
def like(draw):
    return {"x": draw.array()}


@case("Range", dtypes=("int32", "int64", "float32", "float64"))
def range_(draw):
    number = draw.dtype.type
    delta = draw.one_of(1, 2, -1, 3, -2)
    start, limit = draw.integer(-5, 5), draw.integer(-5, 5)
    if (limit - start) * delta < 0:
        start, limit = limit, start
    return {
        "start": np.array(number(start)),
        "limit": np.array(number(limit)),
        "delta": np.array(number(delta)),
    }
