"""Matrix products. Decompositions and solvers are in matrix.py."""

import functools
from typing import Any

import numpy as np

from minitf.framework.shapes import UNKNOWN, TensorShape, broadcast_sizes
from minitf.kernels import gemm
from minitf.ops import math, shape_rules
from minitf.ops.like import sum_like
from minitf.ops.registry import Numeric, gradient, interpreter, op
from minitf.ops.shape_rules import merge_sizes, require_rank


def _product_shape(a, b, *, transpose_a, transpose_b):
    rows, inner = require_rank(a, 2).sizes[:: -1 if transpose_a else 1]
    inner_b, columns = require_rank(b, 2).sizes[:: -1 if transpose_b else 1]
    merge_sizes(inner, inner_b)
    return TensorShape([rows, columns])


def _prepare_product(node):
    return functools.partial(gemm.matmul, **node.attrs)


def _sizes_differ(*inputs, **_attrs):
    for i, x in enumerate(inputs):
        if x.shape.rank is not None and x.shape.rank < 2:
            return f"In[{i}] ndims must be >= 2: {x.shape.rank}"
    a, b = inputs
    return f"Matrix size-incompatible: In[0]: {a.shape.brackets()}, In[1]: {b.shape.brackets()}"


@op("MatMul", shape=_product_shape, bad_shapes=_sizes_differ, prepare=_prepare_product, epilogue=True)
def _matmul(a: Numeric, b: Numeric, *, transpose_a=False, transpose_b=False, out=None) -> Numeric:
    return gemm.matmul(a, b, transpose_a, transpose_b, out=out)


def _batch_shape(x, y, *, adj_x, adj_y):
    if x.shape.rank is None or y.shape.rank is None:
        return UNKNOWN
    shape_rules.require_rank_at_least(x, 2)
    shape_rules.require_rank_at_least(y, 2)
    rows, inner = x.shape.sizes[-2:][:: -1 if adj_x else 1]
    inner_y, columns = y.shape.sizes[-2:][:: -1 if adj_y else 1]
    merge_sizes(inner, inner_y)
    return broadcast_sizes(x.shape[:-2], y.shape[:-2]).concatenate([rows, columns])


@op("BatchMatMulV2", shape=_batch_shape, default_name="MatMul", bad_shapes=_sizes_differ)
def _batch_matmul(x: Numeric, y: Numeric, *, adj_x=False, adj_y=False, out=None) -> Numeric:
    x = np.conj(x) if adj_x and x.dtype.kind == "c" else x
    y = np.conj(y) if adj_y and y.dtype.kind == "c" else y
    return gemm.matmul(x, y, adj_x, adj_y, out=out)


def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """The matrix product of `a` and `b`, over leading (broadcasting) batch dimensions if there are any.

    The last two dimensions may be transposed or, for complex numbers, conjugated too (`adjoint_…`).
    `a_is_sparse` and `b_is_sparse` are hints for speed only. Raises ValueError when the inner sizes differ.
    """
    if transpose_a and adjoint_a or transpose_b and adjoint_b:
        raise ValueError("Only one of `transpose_a` and `adjoint_a` can be True.")
    current = interpreter()
    a = current.convert(a, None, None, "a")
    b = current.convert(b, None, a.dtype.base_dtype, "b")
    batched = (a.shape.rank is None or a.shape.rank > 2) and (b.shape.rank is None or b.shape.rank > 2)
    batched = batched or (a.shape.rank or 0) > 2 or (b.shape.rank or 0) > 2
    if not batched:
        if adjoint_a:
            a, transpose_a = math.conj(a), True
        if adjoint_b:
            b, transpose_b = math.conj(b), True
        return _matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b, name=name)
    if transpose_a:
        a, adjoint_a = math.conj(a), True
    if transpose_b:
        b, adjoint_b = math.conj(b), True
    return _batch_matmul(a, b, adj_x=adjoint_a, adj_y=adjoint_b, name=name)


# By which transposes: the gradients of op(a) @ op(b) as products of grad (g), a and b.
@gradient(_matmul)
def _matmul_gradient(op, grad):
    a, b = (math.conj(x) for x in op.inputs)
    ta, tb = op.attrs["transpose_a"], op.attrs["transpose_b"]
    if ta:
        to_a = _matmul(b, grad, transpose_a=tb, transpose_b=True)
    else:
        to_a = _matmul(grad, b, transpose_b=not tb)
    if tb:
        to_b = _matmul(grad, a, transpose_a=True, transpose_b=ta)
    else:
        to_b = _matmul(a, grad, transpose_a=not ta)
    return [to_a, to_b]


@gradient(_batch_matmul)
def _batch_matmul_gradient(op, grad):
    x, y = op.inputs
    ax, ay = op.attrs["adj_x"], op.attrs["adj_y"]
    if ax:
        to_x = _batch_matmul(y, grad, adj_x=ay, adj_y=True)
    else:
        to_x = _batch_matmul(grad, y, adj_y=not ay)
    if ay:
        to_y = _batch_matmul(grad, x, adj_x=True, adj_y=ax)
    else:
        to_y = _batch_matmul(x, grad, adj_x=not ax)
    return [sum_like(to_x, x), sum_like(to_y, y)]
