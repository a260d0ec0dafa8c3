"""Products of tensors by Einstein's notation."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import NUMERIC

_ONE = ("ij->ji", "ij->i", "ij->", "ii->i", "ii->", "...i->i...", "i...->...", "iji->j", "i->ii")
_TWO = (
    "ij,jk->ik", "bij,bjk->bik", "bij,bjk->kib", "ij,ij->i", "i,j->ij", "ij,k->i", "ii,jk->ki",
    "...ij,...jk->...ik", "a...b,b...c->a...c", "...i,i->...i", "ij...,jk->ik...",
)  # fmt: skip


@case(
    "Einsum", dtypes=tuple(t for t in NUMERIC if t[0] != "u" and t not in ("int8", "int16")),
    tolerance={"float16": 2e-2},
    reason="TensorFlow adds float16 products in float16 or float32, as the processor likes it",
    reference=lambda tf, inputs, equation: tf.raw_ops.Einsum(inputs=inputs, equation=equation),
)  # fmt: skip
def einsum(draw):
    equation = draw.one_of(*_ONE, *_TWO)
    inputs = equation.split("->")[0].split(",")
    sizes = {label: draw.integer(1, 4) for label in "abcijk"}
    middle = draw.broadcastable(len(inputs), max_rank=2)
    arrays = []
    for subscripts, between in zip(inputs, middle, strict=True):
        before, dots, after = subscripts.partition("...")
        between = between if dots else ()
        shape = (*[sizes[s] for s in before], *between, *[sizes[s] for s in after])
        arrays.append(np.asarray(draw.array(shape, special=False)))
    return {"inputs": arrays, "equation": equation}
