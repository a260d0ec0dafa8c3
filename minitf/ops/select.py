"""Choosing between tensors element by element: `tf.where`."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape
from minitf.ops import shape_rules
from minitf.ops.constants import zeros_like
from minitf.ops.registry import Anything, Bool, Mixed, gradient, not_differentiable, op


def _selected(condition, x, y):
    merged = shape_rules.merge(x.shape, y.shape)
    if condition.shape.rank == 1 and merged.rank is not None and merged.rank != 1:
        shape_rules.merge_sizes(condition.shape.sizes[0], merged.sizes[0])
    elif condition.shape.rank not in (0, None):
        merged = shape_rules.merge(condition.shape, merged)
    return merged


@op("Select", shape=_selected)
def _select(condition: Bool, x: Anything, y: Anything) -> Anything:
    if condition.ndim == 1 and x.ndim > 1:
        condition = condition.reshape((-1,) + (1,) * (x.ndim - 1))
    return np.where(condition, x, y)


@gradient(_select)
def _select_gradient(op, grad):
    condition, x, _ = op.inputs
    zero = zeros_like(x)
    return [None, _select(condition, grad, zero), _select(condition, zero, grad)]


@op("SelectV2", shape=shape_rules.broadcast, bad_shapes=shape_rules.incompatible)
def where_v2_kernel(condition: Bool, x: Anything, y: Anything) -> Anything:
    """x where `condition` holds, else y; all three broadcast."""
    return np.where(condition, x, y)


@gradient(where_v2_kernel)
def _select_v2_gradient(op, grad):
    from minitf.ops.like import sum_like

    condition, x, y = op.inputs
    zero = zeros_like(grad)
    return [
        None,
        sum_like(where_v2_kernel(condition, grad, zero), x),
        sum_like(where_v2_kernel(condition, zero, grad), y),
    ]


def _indices_of_true(condition, **_attrs):
    return TensorShape([None, condition.shape.rank])


@op("Where", shape=_indices_of_true)
def _where_true(condition: Mixed) -> dtypes.int64:
    return np.argwhere(condition).astype(np.int64)


not_differentiable(_where_true)


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """x where `condition` holds, else y: of one shape (or `condition` a vector choosing whole rows).

    With neither, the indices (n, rank) of the true elements, int64.
    """
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    if x is None:
        return _where_true(condition, name=name)
    return _select(condition, x, y, name=name)


def where_v2(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """As `tf.where`, but the three arguments broadcast (TF2's `tf.where`)."""
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    if x is None:
        return _where_true(condition, name=name)
    return where_v2_kernel(condition, x, y, name=name)
