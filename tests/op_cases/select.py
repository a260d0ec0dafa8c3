"""Choosing between tensors."""

from tests.op_cases import case
from tests.op_cases.draw import ALL


@case("Select", dtypes=(*ALL, "object"))
def select(draw):
    shape = draw.shape(min_rank=1)
    by_row = draw.boolean()
    condition = draw.array(shape[:1] if by_row else shape, dtype="bool")
    return {"condition": condition, "x": draw.array(shape), "y": draw.array(shape)}


@case("Select", dtypes=("float32", "float64"))
def select_by_scalar(draw):
    shape = draw.shape()
    return {"condition": draw.array((), dtype="bool"), "x": draw.array(shape), "y": draw.array(shape)}


@case("SelectV2", dtypes=(*ALL, "object"), reference=lambda tf, condition, x, y: tf.where(condition, x, y))
def select_v2(draw):
    condition, x, y = draw.broadcastable(3)
    return {"condition": draw.array(condition, dtype="bool"), "x": draw.array(x), "y": draw.array(y)}


@case("Where", dtypes=ALL, dynamic=True, reference=lambda tf, condition: tf.where(condition))
def where(draw):
    return {"condition": draw.array(draw.shape(min_rank=1), -1, 1)}
