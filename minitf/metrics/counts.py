"""Metrics of yes-or-no predictions: the four counts, precision and recall."""

from collections.abc import Callable
from typing import Any

from minitf.framework import dtypes
from minitf.graph.variable_scope import variable_scope
from minitf.metrics.accumulate import Pair, accumulate, as_bools, ratio
from minitf.ops import math
from minitf.ops.array import cast, identity
from minitf.ops.reduce import reduce_sum
from minitf.ops.weights import checked_weights

# What label and prediction are in the cases that a count is of.
_CASES = {
    "true_positives": (True, True),
    "false_negatives": (True, False),
    "true_negatives": (False, False),
    "false_positives": (False, True),
}
CASES = tuple(_CASES)


def is_case(case: str, labels: Any, predictions: Any) -> Any:
    """1.0 where the bool labels and predictions (which broadcast) are such a case, else 0.0."""
    tensors = zip(_CASES[case], (labels, predictions), strict=True)
    return cast(math.logical_and(*[x if wanted else math.logical_not(x) for wanted, x in tensors]), "float32")


def _batch_count(case: str, labels: Any, predictions: Any, weights: Any) -> Any:
    counted = is_case(case, labels, predictions)
    if weights is not None:
        counted = math.multiply(counted, cast(checked_weights(weights, counted), dtypes.float32))
    return reduce_sum(counted)


def _counter(case: str, meaning: str) -> Callable[..., Pair]:
    def count(
        labels: Any,
        predictions: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Pair:
        with variable_scope(name, case, (predictions, labels, weights)):
            batch = {"count": _batch_count(case, *as_bools(labels, predictions, weights))}
            return accumulate(batch, identity, metrics_collections, updates_collections)

    count.__name__ = count.__qualname__ = case
    count.__doc__ = f"The weighted number of {meaning} so far. Numbers other than 0 count as true."
    return count


true_positives = _counter("true_positives", "true labels predicted true")
false_negatives = _counter("false_negatives", "true labels predicted false")
true_negatives = _counter("true_negatives", "false labels predicted false")
false_positives = _counter("false_positives", "false labels predicted true")


def _share(of: str, name: str, doc: str) -> Callable[..., Pair]:
    """The metric true positives / (true positives + `of`)."""

    def share(
        labels: Any,
        predictions: Any,
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Pair:
        with variable_scope(name, default_name, (predictions, labels, weights)):
            tensors = as_bools(labels, predictions, weights)
            batch = {f"{case}/count": _batch_count(case, *tensors) for case in ("true_positives", of)}
            return accumulate(batch, share_of_positives, metrics_collections, updates_collections)

    default_name = share.__name__ = share.__qualname__ = name
    share.__doc__ = doc
    return share


def share_of_positives(positives: Any, others: Any, name: str | None = None) -> Any:
    """positives / (positives + others), 0 for none of either."""
    return ratio(positives, math.add(positives, others), name=name)


precision = _share(
    "false_positives",
    "precision",
    "The share of true labels among those predicted true. Numbers other than 0 count as true.",
)
recall = _share(
    "false_negatives",
    "recall",
    "The share of those predicted true among true labels. Numbers other than 0 count as true.",
)
