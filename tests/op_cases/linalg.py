"""Matrix products."""

from tests.op_cases import case
from tests.op_cases.draw import NUMERIC

HALF = {"float16": 1e-2}
HALF_REASON = "TensorFlow adds float16 products in float16 or float32, as the processor likes it"


@case(
    "MatMul", dtypes=NUMERIC, tolerance=HALF, reason=HALF_REASON,
    reference=lambda tf, a, b, **attrs: tf.raw_ops.MatMul(a=a, b=b, **attrs),
)  # fmt: skip
def matmul(draw):
    rows, inner, columns = draw.shape(3, 3)
    transpose_a, transpose_b = draw.boolean(), draw.boolean()
    return {
        "a": draw.array((inner, rows) if transpose_a else (rows, inner), special=False),
        "b": draw.array((columns, inner) if transpose_b else (inner, columns), special=False),
        "transpose_a": transpose_a,
        "transpose_b": transpose_b,
    }


@case("BatchMatMulV2", dtypes=NUMERIC, tolerance=HALF, reason=HALF_REASON)
def batch_matmul(draw):
    rows, inner, columns = draw.shape(3, 3)
    batch_x, batch_y = draw.broadcastable(2, max_rank=2)
    adj_x, adj_y = draw.boolean(), draw.boolean()
    return {
        "x": draw.array((*batch_x, *((inner, rows) if adj_x else (rows, inner))), special=False),
        "y": draw.array((*batch_y, *((columns, inner) if adj_y else (inner, columns))), special=False),
        "adj_x": adj_x,
        "adj_y": adj_y,
    }
