"""Weights that go with values, for losses and metrics: broadcasting them, and dropping a last size of 1."""

from typing import Any

import numpy as np

from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.ops import math
from minitf.ops.array import expand_dims, squeeze
from minitf.ops.constants import ones_like
from minitf.ops.like import reshape_like
from minitf.ops.registry import Anything, Mixed, gradient, interpreter, op

_CANNOT = "weights can not be broadcast to values."


def _complaint(weights: tuple, values: tuple) -> str | None:
    """What keeps shape `weights` from going with shape `values` (as far as both are known), if anything."""
    shapes = f"values.shape={TensorShape(values)}, weights.shape={TensorShape(weights)}"
    if not weights:
        return None
    if len(weights) != len(values):
        return f"{_CANNOT} values.rank={len(values)}. weights.rank={len(weights)}. {shapes}."
    for axis, (weight, value) in enumerate(zip(weights, values, strict=True)):
        if weight not in (1, None, value) and value is not None:
            return f"{_CANNOT} Mismatch at dim {axis}. {shapes}."
    return None


def _fits(node: Any) -> bool:
    weights, values = (x.shape for x in node.inputs)
    known = weights.is_fully_defined() and values.is_fully_defined()
    return weights.rank == 0 or known and _complaint(weights.sizes, values.sizes) is None


def _checked_shape(weights: Any, values: Any) -> TensorShape:
    if weights.shape.rank is not None and values.shape.rank is not None:
        problem = _complaint(weights.shape.sizes, values.shape.sizes)
        if problem is not None:
            raise ValueError(problem)
    return weights.shape


@op("CheckWeights", shape=_checked_shape, shape_only=("values",), alias=True, passes_through=_fits)
def _check_weights(weights: Anything, values: Mixed) -> Anything:
    problem = _complaint(np.shape(weights), np.shape(values))
    if problem is not None:
        raise ValueError(problem)
    return weights


@gradient(_check_weights)
def _check_weights_gradient(op, grad):
    return [grad, None]


def checked_weights(weights: Any, values: Any) -> Any:
    """`weights`, as a tensor that can be multiplied with `values`.

    They must be a scalar, or of the rank of `values` with sizes that are 1 or equal: a ValueError where the
    shapes are known, else an InvalidArgumentError when it runs.
    """
    weights = interpreter().convert(weights, None, None, "weights")
    if weights.shape.rank == 0:
        return weights
    return _check_weights(weights, values)


def broadcast_weights(weights: Any, values: Any) -> Any:
    """`weights` repeated to the shape of `values`. Raises as `checked_weights` does."""
    with interpreter().name_scope("broadcast_weights"):
        weights = checked_weights(weights, values)
        if weights.shape.is_fully_defined() and weights.shape == values.shape:
            return weights
        return math.multiply(weights, ones_like(values, dtype=weights.dtype.base_dtype))


def _unknown(x: Any, like: Any, **_attrs: Any) -> TensorShape:
    return UNKNOWN


@op("FitRank", shape=_unknown, shape_only=("like",), alias=True)
def _fit_rank(x: Anything, like: Mixed, *, more=0, expand=False) -> Anything:
    """For tensors of unknown rank: see `squeeze_to_rank` and `fit_weights`."""
    surplus = x.ndim - like.ndim - more
    if surplus == 1:
        return np.squeeze(x, -1)
    return np.expand_dims(x, -1) if expand and surplus == -1 and x.ndim else x


@gradient(_fit_rank)
def _fit_rank_gradient(op, grad):
    return [reshape_like(grad, op.inputs[0]), None]


def squeeze_to_rank(x: Any, like: Any, more: int = 0) -> Any:
    """`x`, without its last dimension if that has size 1 and is one more than `like` has, plus `more`."""
    if x.shape.rank is not None and not x.shape[-1:].is_compatible_with([1]):
        return x
    if x.shape.rank is None or like.shape.rank is None:
        return _fit_rank(x, like, more=more)
    return squeeze(x, [-1]) if x.shape.rank == like.shape.rank + more + 1 else x


def remove_squeezable_dimensions(
    labels: Any, predictions: Any, expected_rank_diff: int = 0, name: str | None = None
) -> tuple[Any, Any]:
    """Labels and predictions, either without its last size of 1 if the other is without it.

    Their ranks are then to differ by `expected_rank_diff` (predictions having more).
    """
    current = interpreter()
    with current.name_scope(name or "remove_squeezable_dimensions"):
        predictions = current.convert(predictions, None, None, "predictions")
        labels = current.convert(labels, None, None, "labels")
        fitted = squeeze_to_rank(predictions, labels, expected_rank_diff)
        return squeeze_to_rank(labels, predictions, -expected_rank_diff), fitted


def fit_weights(weights: Any, values: Any) -> Any:
    """`weights` with a last size of 1 removed or added where that makes their rank that of `values`."""
    if weights.shape.rank == 0:
        return weights
    if weights.shape.rank is None or values.shape.rank is None:
        return _fit_rank(weights, values, expand=True)
    surplus = weights.shape.rank - values.shape.rank
    if surplus == 1:
        return squeeze(weights, [-1])
    return expand_dims(weights, -1) if surplus == -1 else weights
