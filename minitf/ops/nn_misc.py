"""Small neural-network functions: dense layers in one call, the L2 loss, in_top_k, the share of zeros."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape
from minitf.kernels.sums import half_sum_of_squares
from minitf.ops import math, shape_rules
from minitf.ops.activation import relu
from minitf.ops.array import cast, identity, size
from minitf.ops.bias import bias_add
from minitf.ops.linalg import matmul
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Floating, Index, Types, gradient, interpreter, not_differentiable, op
from minitf.ops.shape_rules import merge_sizes, require_rank


@op("L2Loss", shape=shape_rules.scalar)
def l2_loss(t: Floating) -> Floating:
    """Half the sum of squares: sum(t ** 2) / 2."""
    return half_sum_of_squares(t)


@gradient(l2_loss)
def _l2_loss_gradient(op, grad):
    return op.inputs[0] * grad


_Float32 = Types("Float32", (dtypes.float32,))


def _one_per_row(predictions, targets, k):
    rows = merge_sizes(require_rank(predictions, 2).sizes[0], require_rank(targets, 1).sizes[0])
    return TensorShape([rows])


@op("InTopKV2", shape=_one_per_row)
def _in_top_k(predictions: _Float32, targets: Index, k: Index) -> dtypes.bool:
    """Whether fewer than k predictions exceed the target's."""
    rows, classes = predictions.shape
    valid = (targets >= 0) & (targets < classes)
    chosen = predictions[np.arange(rows), np.where(valid, targets, 0)] if classes else np.zeros(rows)
    ahead = np.count_nonzero(predictions > chosen[:, None], axis=1)
    return valid & (ahead < k) & np.isfinite(predictions).all(axis=1)


not_differentiable(_in_top_k)


def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> Any:
    """Whether each target is among its row's `k` largest predictions (ties count as in).

    Args:
      predictions: (N, C), float32.
      targets: (N,), classes, int32 or int64.
      k: how many.

    Returns:
      (N,), bool; False for rows with infinite or NaN predictions and for targets that are no class.
    """
    with interpreter().name_scope(name or "in_top_k"):
        return _in_top_k(predictions, targets, k)


def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Any:
    """matmul(x, weights) + biases, for x (N, I), weights (I, O), biases (O,)."""
    with interpreter().name_scope(name or "xw_plus_b") as scope:
        return bias_add(matmul(x, weights), biases, name=scope)


def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Any:
    """relu(matmul(x, weights) + biases), for x (N, I), weights (I, O), biases (O,)."""
    with interpreter().name_scope(name or "relu_layer") as scope:
        return relu(bias_add(matmul(x, weights), biases), name=scope)


def zero_fraction(value: Any, name: str | None = None) -> Any:
    """The share of zeros among the elements of `value`, a float32 scalar; NaN if there are none."""
    current = interpreter()
    with current.name_scope(name or "zero_fraction"):
        value = current.convert(value, None, None, "value")
        zeros = math.equal(value, np.zeros((), value.dtype.base_dtype.numpy_dtype))
        count = reduce_sum(cast(zeros, dtypes.int64))
        total = size(value, out_type=dtypes.int64)
        fraction = math.real_divide(cast(count, dtypes.float32), cast(total, dtypes.float32))
        return identity(fraction, name="fraction")
