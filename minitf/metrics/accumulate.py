"""What all metrics are made of: local variables that add up batches, and a result worked out from them."""

from collections.abc import Callable
from typing import Any

from minitf.framework import dtypes
from minitf.graph.collections import GraphKeys, add_to_collections
from minitf.graph.variables import Variable
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.constants import zeros
from minitf.ops.registry import interpreter
from minitf.ops.weights import fit_weights, remove_squeezable_dimensions

_COLLECTIONS = [GraphKeys.LOCAL_VARIABLES, GraphKeys.METRIC_VARIABLES]

Pair = tuple[Any, Any]  # a metric's value and its update op


def metric_variable(shape: Any, dtype: Any, name: str) -> Variable:
    """A local variable of zeros that isn't trained."""
    return Variable(lambda: zeros(shape, dtype), trainable=False, collections=_COLLECTIONS, name=name)


def total_up(batch: dict[str, Any], dtype: Any = dtypes.float32) -> tuple[list[Variable], list[Any]]:
    """For each of `batch` a local variable of that name, and the op that adds the amount to it."""
    totals = [metric_variable(amount.shape, dtype, name) for name, amount in batch.items()]
    return totals, [total.assign_add(amount) for total, amount in zip(totals, batch.values(), strict=True)]


def accumulate(
    batch: dict[str, Any],
    result: Callable,
    metrics_collections: Any = None,
    updates_collections: Any = None,
) -> Pair:
    """A metric that adds each of `batch` to a local variable of that name.

    `result(*totals, name)` works the metric out, from the variables for its value, and from the variables
    just updated for its update op. Both are added to the collections given, if any.
    """
    totals, updates = total_up(batch)
    value, update_op = result(*totals, name="value"), result(*updates, name="update_op")
    return collected(value, update_op, metrics_collections, updates_collections)


def collected(value: Any, update_op: Any, metrics_collections: Any, updates_collections: Any) -> Pair:
    """The pair itself, after adding each to the collections given (a name or several, or None)."""
    if metrics_collections:
        add_to_collections(metrics_collections, value)
    if updates_collections:
        add_to_collections(updates_collections, update_op)
    return value, update_op


def ratio(numerator: Any, denominator: Any, name: str | None = None) -> Any:
    """numerator / denominator, and 0 where the denominator is not positive."""
    return math.div_no_nan(numerator, math.maximum(denominator, 0), name=name)


def same_shape(labels: Any, predictions: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Labels, predictions and weights as tensors of one shape, but for a last size of 1 that one may lack.

    `weights` may be None. Raises ValueError when the shapes differ otherwise.
    """
    labels, predictions = remove_squeezable_dimensions(labels, predictions)
    predictions.shape.assert_is_compatible_with(labels.shape)
    return labels, predictions, weights_for(weights, predictions)


def weights_for(weights: Any, values: Any) -> Any:
    """`weights` as a tensor, its rank fitted to that of `values` where it differs by a size of 1; or None."""
    if weights is None:
        return None
    return fit_weights(interpreter().convert(weights, None, None, "weights"), values)


def as_bools(labels: Any, predictions: Any, weights: Any) -> tuple[Any, Any, Any]:
    """See `same_shape`; labels and predictions become bool."""
    return same_shape(cast(labels, dtypes.bool), cast(predictions, dtypes.bool), weights)
