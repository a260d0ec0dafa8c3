"""Passing on, casting and reshaping."""

import numpy as np

from minitf.framework.dtypes import as_dtype
from tests.op_cases import case
from tests.op_cases.draw import ALL

EVERYTHING = (*ALL, "object")


@case("Identity", "StopGradient", dtypes=EVERYTHING)
def passed_on(draw):
    return {"input": draw.array()}


@case("PreventGradient", dtypes=EVERYTHING, no_gradient=("input",))
def no_gradient(draw):
    return {"input": draw.array()}


@case("NoOp")
def nothing(draw):
    return {}


@case("Cast", dtypes=ALL, reference=lambda tf, x, DstT: tf.cast(x, DstT.name))
def cast(draw):
    # What NaN or 1e30 become as integers is the processor's business.
    target = draw.one_of(*ALL) if not draw.smooth else "float64"
    low = 0 if target.startswith("u") else -100
    return {"x": draw.array(low=low, high=100, special=target.startswith("float")), "DstT": as_dtype(target)}


_TWINS = {2: ("float16", "int16", "uint16"), 4: ("float32", "int32", "uint32"), 8: ("float64", "int64")}


@case("Bitcast", dtypes=("float32", "int32", "float64", "int64", "int16"), no_gradient=("input",))
def bitcast(draw):
    return {"input": draw.array(special=False), "type": as_dtype(draw.one_of(*_TWINS[draw.dtype.itemsize]))}


@case("Shape", "Size", dtypes=("float32", "object"))
def shape(draw):
    return {"input": draw.array(), "out_type": as_dtype(draw.one_of("int32", "int64"))}


@case("Rank", dtypes=("float32",))
def rank(draw):
    return {"input": draw.array()}


@case("Reshape", dtypes=EVERYTHING)
def reshape(draw):
    x = draw.array()
    target = draw.permutation(x.ndim)
    target = [x.shape[i] for i in target] + [1] * draw.integer(0, 2)
    if target and draw.boolean() and x.size:
        target[draw.integer(0, len(target) - 1)] = -1
    return {"tensor": x, "shape": draw.index(target)}


@case("ExpandDims", dtypes=EVERYTHING)
def expand_dims(draw):
    x = draw.array()
    return {"input": x, "axis": draw.index(draw.integer(-x.ndim - 1, x.ndim))}


@case("Squeeze", dtypes=EVERYTHING, reference=lambda tf, input, axis: tf.squeeze(input, list(axis)))
def squeeze(draw):
    x = draw.array(tuple(draw.one_of(1, 2, 1, 3) for _ in range(draw.integer(0, 4))))
    ones = [i for i in range(x.ndim) if x.shape[i] == 1]
    chosen = tuple(i - x.ndim if draw.boolean() else i for i in ones if draw.boolean())
    return {"input": x, "axis": chosen}


@case("Transpose", dtypes=EVERYTHING)
def transpose(draw):
    x = draw.array(draw.shape(max_rank=4))
    return {"x": x, "perm": draw.index(draw.permutation(x.ndim))}


@case("InvertPermutation")
def invert_permutation(draw):
    return {"x": np.array(draw.permutation(draw.integer(0, 6)), draw.dtype)}
