"""Losses of predicted numbers."""

from typing import Any

from minitf.framework import dtypes
from minitf.graph.collections import GraphKeys
from minitf.losses.collected import add_loss
from minitf.losses.weighted import (
    Reduction,
    axes_of_example,
    compute_weighted_loss,
    loss_scope,
    present_count,
)
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.constants import zeros_like
from minitf.ops.reduce import reduce_sum
from minitf.ops.select import where
from minitf.ops.weights import checked_weights


def absolute_difference(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """|predictions - labels|, weighted and reduced as `compute_weighted_loss` says."""
    with loss_scope(scope, "absolute_difference", labels=labels, predictions=predictions) as tensors:
        scope, labels, predictions = tensors
        losses = math.abs(math.subtract(predictions, labels))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """(predictions - labels) ** 2, weighted and reduced as `compute_weighted_loss` says."""
    with loss_scope(scope, "mean_squared_error", labels=labels, predictions=predictions) as tensors:
        scope, labels, predictions = tensors
        losses = math.squared_difference(predictions, labels)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def huber_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    delta: float = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """Huber's loss, weighted and reduced as `compute_weighted_loss` says.

    Of the error e it is e² / 2 where |e| is at most `delta`, and delta · (|e| - delta / 2) beyond.
    """
    with loss_scope(scope, "huber_loss", labels=labels, predictions=predictions) as tensors:
        scope, labels, predictions = tensors
        error = math.abs(math.subtract(predictions, labels))
        quadratic = math.minimum(error, delta)
        losses = 0.5 * (quadratic * quadratic) + delta * (error - quadratic)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def cosine_distance(
    labels: Any,
    predictions: Any,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
    dim: int | None = None,
) -> Any:
    """1 minus the scalar products along `axis` of vectors that are already of length 1.

    Weighted and reduced as `compute_weighted_loss` says; `dim` is the old name of `axis`. Raises ValueError
    without an axis.
    """
    if dim is not None and axis is not None:
        raise ValueError("Cannot specify both 'axis' and 'dim'.")
    axis = dim if axis is None else axis
    if axis is None:
        raise ValueError("You must specify argument `axis`.")
    with loss_scope(scope, "cosine_distance_loss", labels=labels, predictions=predictions) as tensors:
        scope, labels, predictions = tensors
        losses = 1 - reduce_sum(math.multiply(predictions, labels), axis=(axis,), keepdims=True)
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def mean_pairwise_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
) -> Any:
    """The mean squared difference between the errors of all pairs of elements of an example.

    The errors of an example (everything but the first dimension) count only by how they differ. `weights`
    are a scalar or of shape (batch, 1, …); the result is the weighted sum over the examples.
    """
    with loss_scope(scope, "mean_pairwise_squared_error", labels=labels, predictions=predictions) as tensors:
        _, labels, predictions = tensors
        weights = cast(checked_weights(weights, labels), dtypes.float32)
        errors = math.subtract(predictions, labels)
        axes = axes_of_example(errors)
        count = present_count(errors, weights, per_example=True)
        squares = reduce_sum(math.square(errors), axis=axes, keepdims=True)
        squared_sum = math.square(reduce_sum(errors, axis=axes, keepdims=True))
        # Over pairs, the sum of (a - b)² is 2·n·sum(a²) - 2·sum(a)².
        of_squares = 2.0 * math.div_no_nan(squares, math.maximum(count - 1, 0), name="value")
        of_sum = 2.0 * math.div_no_nan(squared_sum, math.maximum(count * (count - 1), 0), name="value")
        total = reduce_sum((of_squares - of_sum) * weights)
        loss = where(reduce_sum(count) > 0, total, zeros_like(total), name="value")
        add_loss(loss, loss_collection)
        return loss
