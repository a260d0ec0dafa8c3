"""Metrics of the k best-ranked classes: precision and recall at k, mean average precision."""

from typing import Any

from minitf.framework import dtypes
from minitf.graph.scopes import name_scope
from minitf.metrics.accumulate import Pair, collected, metric_variable, ratio
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, shape, size
from minitf.ops.constants import ones_like, zeros_like
from minitf.ops.reduce import reduce_any, reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.scan import cumsum
from minitf.ops.select import where_v2
from minitf.ops.sets import set_sizes
from minitf.ops.sort import top_k
from minitf.ops.weights import broadcast_weights, checked_weights

# Labels are int64, (batch…, labels) or (batch…) for one each; classes outside the range are never found.


def _scope_name(metric: str, k: int | None, class_id: int | None = None) -> str:
    name = f"{metric}_at_k" if k is None else f"{metric}_at_{k}"
    return name if class_id is None else f"{name}_class{class_id}"


def _fitted_labels(labels: Any, predictions: Any) -> Any:
    if hasattr(labels, "dense_shape"):
        raise NotImplementedError("labels as a SparseTensor are not supported")
    labels = interpreter().convert(labels, dtypes.int64, None, "labels")
    ranks = labels.shape.rank, predictions.shape.rank
    if None in ranks:
        raise ValueError(f"Labels and predictions must have known ranks, got {labels} and {predictions}.")
    if ranks[0] == ranks[1]:
        return labels
    if ranks[0] + 1 == ranks[1]:
        return expand_dims(labels, -1)
    raise ValueError(
        f"Unexpected labels shape {labels.shape} for predictions shape {predictions.shape}. Predictions rank "
        "should be the same rank as labels rank or labels rank plus one ."
    )


def _matches(labels: Any, predictions: Any, class_id: int | None) -> tuple[Any, Any, Any]:
    """For each example: how many ids were predicted and are labels, are labels alone, predicted alone."""
    if class_id is None:
        both, predicted, missed = set_sizes(predictions, labels)
        return both, missed, predicted
    predicted, labelled = (reduce_any(math.equal(x, class_id), -1) for x in (predictions, labels))
    return (
        math.logical_and(predicted, labelled),
        math.logical_and(labelled, math.logical_not(predicted)),
        math.logical_and(predicted, math.logical_not(labelled)),
    )


def _add_up(amount: Any, weights: Any, name: str) -> Pair:
    """The local float64 variable of that name, and the op that adds the weighted sum of `amount` to it."""
    amount = cast(amount, dtypes.float64)
    if weights is not None:
        amount = math.multiply(amount, cast(checked_weights(weights, amount), dtypes.float64))
    with name_scope(name) as scope:
        total = metric_variable([], dtypes.float64, scope)
        return total, total.assign_add(reduce_sum(amount), name="update")


def _share_at_top_k(metric, others, labels, predictions_idx, k, class_id, weights, collections, name) -> Pair:
    """True positives / (true positives + `others`), which is "false_negative" or "false_positive"."""
    with name_scope(name, _scope_name(metric, k, class_id)) as scope:
        predictions_idx = interpreter().convert(predictions_idx, None, None, "predictions_idx")
        labels = _fitted_labels(labels, predictions_idx)
        found, missed, false = _matches(labels, cast(predictions_idx, dtypes.int64), class_id)
        other = missed if others == "false_negative" else false
        tp, tp_update = _add_up(found, weights, _scope_name("true_positive", k, class_id))
        rest, rest_update = _add_up(other, weights, _scope_name(others, k, class_id))
        value = math.divide(tp, math.add(tp, rest), name=scope)
        update_op = math.divide(tp_update, math.add(tp_update, rest_update), name="update")
        return collected(value, update_op, *collections)


def recall_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The share of the labels that are among `predictions_idx` (batch…, k), NaN before the first.

    With `class_id`, of that class alone. `k` only names the metric. `weights` are a scalar or (batch…).
    """
    collections = metrics_collections, updates_collections
    return _share_at_top_k(
        "recall", "false_negative", labels, predictions_idx, k, class_id, weights, collections, name
    )


def precision_at_top_k(
    labels: Any,
    predictions_idx: Any,
    k: int | None = None,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The share of `predictions_idx` (batch…, k) that are among the labels, NaN before the first.

    See `recall_at_top_k`.
    """
    collections = metrics_collections, updates_collections
    return _share_at_top_k(
        "precision", "false_positive", labels, predictions_idx, k, class_id, weights, collections, name
    )


def recall_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The share of the labels whose class has one of the `k` largest `predictions` (batch…, classes).

    See `recall_at_top_k`.
    """
    with name_scope(name, _scope_name("recall", k, class_id)) as scope:
        _, best = top_k(predictions, k)
        return recall_at_top_k(
            labels, best, k, class_id, weights, metrics_collections, updates_collections, scope
        )


def precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    class_id: int | None = None,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The share of labels among the classes of the `k` largest `predictions` (batch…, classes).

    See `recall_at_top_k`.
    """
    with name_scope(name, _scope_name("precision", k, class_id)) as scope:
        _, best = top_k(predictions, k)
        return precision_at_top_k(
            labels, best, k, class_id, weights, metrics_collections, updates_collections, scope
        )


sparse_precision_at_k = precision_at_k


def average_precision_at_k(
    labels: Any,
    predictions: Any,
    k: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean over examples of average precision: of the precisions at the ranks where a label is found.

    `predictions` are (batch…, classes); their `k` largest are looked at. Raises ValueError for k below 1.
    """
    if k < 1:
        raise ValueError(f"Invalid k={k}. `k` should be >= 1.")
    with name_scope(name, _scope_name("average_precision", k)) as scope:
        predictions = interpreter().convert(predictions, None, None, "predictions")
        labels = _fitted_labels(labels, predictions)
        _, best = top_k(predictions, k)
        classes = cast(shape(predictions)[-1], dtypes.int64)
        average = _average_precision(labels, cast(best, dtypes.int64), classes, k)
        if weights is None:
            count = cast(size(average), dtypes.float64)
        else:
            weights = broadcast_weights(cast(weights, dtypes.float64), average)
            average, count = math.multiply(average, weights), reduce_sum(weights)
        most, most_update = _add_up(count, None, "max")
        total, total_update = _add_up(average, None, "total")
        value = math.div_no_nan(total, most, name="mean")
        update_op = math.div_no_nan(total_update, most_update, name=scope)
        return collected(value, update_op, metrics_collections, updates_collections)


sparse_average_precision_at_k = average_precision_at_k


def _average_precision(labels: Any, best: Any, classes: Any, k: int) -> Any:
    found = reduce_any(math.equal(expand_dims(best, -1), expand_dims(labels, -2)), -1)
    found = cast(found, dtypes.float64)
    precisions = ratio(cumsum(found, -1), cumsum(ones_like(found), -1)) * found
    valid = math.logical_and(math.greater_equal(labels, 0), math.less(labels, classes))
    relevant = reduce_sum(where_v2(valid, ones_like(labels), zeros_like(labels)), -1)
    return math.divide(reduce_sum(precisions, -1), cast(math.minimum(relevant, k), dtypes.float64))
