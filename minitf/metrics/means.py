"""Metrics that are means over all batches: of values, of errors, of hits."""

from typing import Any

from minitf.framework import dtypes
from minitf.graph.variable_scope import variable_scope
from minitf.metrics.accumulate import Pair, accumulate, collected, ratio, same_shape, weights_for
from minitf.ops import math
from minitf.ops.array import cast, size
from minitf.ops.constants import ones_like, zeros_like
from minitf.ops.reduce import reduce_sum
from minitf.ops.select import where
from minitf.ops.weights import broadcast_weights, remove_squeezable_dimensions

# Every metric here takes `weights` (None: 1 each; a scalar, or of the rank of the values with sizes that are
# 1 or equal), collections to add its value and its update op to, and the name of its scope. It returns the
# value so far and the op that takes a batch in and returns the value after it.


def mean(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The weighted mean of all `values` (any shape), 0 before the first."""
    with variable_scope(name, "mean", (values, weights)):
        values = cast(values, dtypes.float32)
        if weights is None:
            count = cast(size(values), dtypes.float32)
        else:
            values, weights = _weighted(values, weights)
            count = reduce_sum(weights)
        batch = {"total": reduce_sum(values), "count": count}
        return accumulate(batch, ratio, metrics_collections, updates_collections)


def _weighted(values: Any, weights: Any) -> Pair:
    weights = broadcast_weights(cast(weights_for(weights, values), dtypes.float32), values)
    return math.multiply(values, weights), weights


def mean_tensor(
    values: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The weighted mean of all `values`, for each element by itself: of the shape of `values`."""
    with variable_scope(name, "mean", (values, weights)):
        values = cast(values, dtypes.float32)
        count = ones_like(values)
        if weights is not None:
            values, weights = _weighted(values, weights)
            count = math.multiply(count, weights)
        batch = {"total_tensor": values, "count_tensor": count}
        return accumulate(batch, ratio, metrics_collections, updates_collections)


def accuracy(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The share of `predictions` that equal `labels` (of one shape, but for a last size of 1)."""
    labels, predictions, weights = same_shape(labels, predictions, weights)
    hits = cast(math.equal(cast(predictions, labels.dtype), labels), dtypes.float32)
    return mean(hits, weights, metrics_collections, updates_collections, name or "accuracy")


def mean_absolute_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean of |predictions - labels|."""
    labels, predictions, weights = same_shape(labels, predictions, weights)
    errors = math.abs(predictions - labels)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_absolute_error")


def mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean of (predictions - labels) ** 2."""
    labels, predictions, weights = same_shape(labels, predictions, weights)
    errors = math.squared_difference(labels, predictions)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_squared_error")


def root_mean_squared_error(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The root of the mean of (predictions - labels) ** 2."""
    name = name or "root_mean_squared_error"
    value, update_op = mean_squared_error(labels, predictions, weights, name=name)
    return collected(math.sqrt(value), math.sqrt(update_op), metrics_collections, updates_collections)


def mean_relative_error(
    labels: Any,
    predictions: Any,
    normalizer: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean of |labels - predictions| / `normalizer` (of their shape), 0 where `normalizer` is 0."""
    labels, predictions, weights = same_shape(labels, predictions, weights)
    predictions, normalizer = remove_squeezable_dimensions(predictions, normalizer)
    predictions.shape.assert_is_compatible_with(normalizer.shape)
    errors = math.divide(math.abs(labels - predictions), normalizer)
    errors = where(math.equal(normalizer, 0.0), zeros_like(labels), errors)
    return mean(errors, weights, metrics_collections, updates_collections, name or "mean_relative_error")


def mean_cosine_distance(
    labels: Any,
    predictions: Any,
    dim: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """1 minus the mean scalar product, along `dim`, of vectors that are already of length 1."""
    labels, predictions, weights = same_shape(labels, predictions, weights)
    products = reduce_sum(math.multiply(predictions, labels), axis=[dim], keepdims=True)
    value, update_op = mean(products, weights, name=name or "mean_cosine_distance")
    value, update_op = math.subtract(1.0, value), math.subtract(1.0, update_op)
    return collected(value, update_op, metrics_collections, updates_collections)


def percentage_below(
    values: Any,
    threshold: Any,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The share of `values` that are less than `threshold`."""
    below = cast(math.less(values, threshold), dtypes.float32)
    name = name or "percentage_below_threshold"
    return mean(below, weights, metrics_collections, updates_collections, name)
