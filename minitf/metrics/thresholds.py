"""Metrics of probabilities that count as yes above a threshold: counts at many thresholds, AUC and kin."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.graph.scopes import control_dependencies
from minitf.graph.variable_scope import variable_scope
from minitf.metrics.accumulate import Pair, accumulate, same_shape
from minitf.metrics.counts import CASES, is_case
from minitf.ops import math
from minitf.ops.argmax import argmax, argmin
from minitf.ops.array import cast, identity, reshape
from minitf.ops.checks import Assert
from minitf.ops.constants import ones_like
from minitf.ops.reduce import reduce_all, reduce_min, reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.scan import cumsum
from minitf.ops.select import where
from minitf.ops.weights import broadcast_weights


def _counts(
    labels: Any, predictions: Any, thresholds: Sequence[float], weights: Any, which: Sequence[str] = CASES
) -> dict[str, Any]:
    """The weighted counts of a batch at each threshold, by name."""
    predictions = interpreter().convert(predictions, None, None, "predictions")
    inside = math.logical_and(math.greater_equal(predictions, 0.0), math.less_equal(predictions, 1.0))
    with control_dependencies([Assert(reduce_all(inside), ["predictions must be in [0, 1]", predictions])]):
        predictions = identity(predictions)
    labels, predictions, weights = same_shape(
        cast(labels, dtypes.bool), cast(predictions, dtypes.float32), weights
    )
    label_true = reshape(labels, [1, -1])
    limits = np.array(thresholds, np.float32).reshape(-1, 1)
    predicted_true = math.greater(reshape(predictions, [1, -1]), limits)
    if weights is not None:
        weights = reshape(broadcast_weights(cast(weights, dtypes.float32), predictions), [1, -1])

    def count(case: str) -> Any:
        counted = is_case(case, label_true, predicted_true)
        return reduce_sum(counted if weights is None else counted * weights, 1)

    return {case: count(case) for case in which}


def _at_thresholds(
    default_name: str, which: Sequence[str], result: Callable, doc: str
) -> Callable[..., Pair]:
    def metric(
        labels: Any,
        predictions: Any,
        thresholds: Sequence[float],
        weights: Any = None,
        metrics_collections: Any = None,
        updates_collections: Any = None,
        name: str | None = None,
    ) -> Pair:
        with variable_scope(name, default_name, (predictions, labels, weights)):
            batch = _counts(labels, predictions, thresholds, weights, which)
            return accumulate(batch, result, metrics_collections, updates_collections)

    metric.__name__ = metric.__qualname__ = default_name.removesuffix("_at_thresholds") + "_at_thresholds"
    metric.__doc__ = (
        doc + "\n\n    One number for each of `thresholds`. `predictions` lie in [0, 1]; otherwise the"
    )
    metric.__doc__ += "\n    update fails with InvalidArgumentError."
    return metric


_EPSILON = 1e-7  # keeps ratios of nothing finite


def _share(name: str) -> Callable:
    def result(positives, others, name):
        return math.divide(positives, _EPSILON + positives + others, name=f"{kind}_{name}")

    kind = name
    return result


true_positives_at_thresholds = _at_thresholds(
    "true_positives", ("true_positives",), identity, "The weighted number of true labels predicted true."
)
false_negatives_at_thresholds = _at_thresholds(
    "false_negatives", ("false_negatives",), identity, "The weighted number of true labels predicted false."
)
true_negatives_at_thresholds = _at_thresholds(
    "true_negatives", ("true_negatives",), identity, "The weighted number of false labels predicted false."
)
false_positives_at_thresholds = _at_thresholds(
    "false_positives", ("false_positives",), identity, "The weighted number of false labels predicted true."
)
precision_at_thresholds = _at_thresholds(
    "precision_at_thresholds",
    ("true_positives", "false_positives"),
    _share("precision"),
    "The share of true labels among those predicted true.",
)
recall_at_thresholds = _at_thresholds(
    "recall_at_thresholds",
    ("true_positives", "false_negatives"),
    _share("recall"),
    "The share of those predicted true among true labels.",
)


def _even_thresholds(count: int, last: float = 1.0 + _EPSILON) -> list[float]:
    """`count` thresholds, the first below 0 and the last at `last`."""
    inner = [(i + 1) * 1.0 / (count - 1) for i in range(count - 2)]
    return [0.0 - _EPSILON, *inner, last]


# The height of the curve over each step between thresholds.
_SUMMATIONS = {
    "trapezoidal": lambda left, right: (left + right) / 2.0,
    "careful_interpolation": lambda left, right: (left + right) / 2.0,
    "minoring": math.minimum,
    "majoring": math.maximum,
}


def auc(
    labels: Any,
    predictions: Any,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    curve: str = "ROC",
    name: str | None = None,
    summation_method: str = "trapezoidal",
    thresholds: Sequence[float] | None = None,
) -> Pair:
    """The area under the ROC or PR curve, approximated over `num_thresholds` even thresholds or those given.

    `curve` is "ROC" (recall over the rate of false alarms) or "PR" (precision over recall). Between
    thresholds `summation_method` takes the mean ("trapezoidal"), smaller ("minoring") or larger
    ("majoring") end, or interpolates the counts ("careful_interpolation": right for PR,
    https://dl.acm.org/citation.cfm?id=1143874). `predictions` lie in [0, 1].

    Raises ValueError for other curves and methods.
    """
    if curve not in ("ROC", "PR"):
        raise ValueError(f"Curve must be either ROC or PR. Curve {curve} is unknown.")
    if summation_method not in _SUMMATIONS:
        raise ValueError(
            f"Invalid summation_method: {summation_method} summation_method should be 'trapezoidal', "
            "'careful_interpolation', 'minoring', or 'majoring'."
        )
    if thresholds is None:
        thresholds = _even_thresholds(num_thresholds)
    else:
        thresholds = [0.0 - _EPSILON, *sorted(thresholds), 1.0 + _EPSILON]
    with variable_scope(name, "auc", (labels, predictions, weights)):
        if curve == "PR" and summation_method == "careful_interpolation":
            result = _interpolated_precision
        else:
            result = _area(curve, _SUMMATIONS[summation_method])
        batch = _counts(labels, predictions, thresholds, weights)
        return accumulate(batch, result, metrics_collections, updates_collections)


def _area(curve: str, height: Callable) -> Callable:
    epsilon = 1.0e-6

    def area(tp, fn, tn, fp, name):
        recall = math.divide(tp + epsilon, tp + fn + epsilon)
        if curve == "ROC":
            x, y = math.divide(fp, fp + tn + epsilon), recall
        else:
            x, y = recall, math.divide(tp + epsilon, tp + fp + epsilon)
        return reduce_sum(math.multiply(x[:-1] - x[1:], height(y[:-1], y[1:])), name=name)

    return area


def _interpolated_precision(tp, fn, tn, fp, name):
    """The area under the PR curve, with true and false positives interpolated between thresholds."""
    step = tp[:-1] - tp[1:]
    positives = tp + fp
    left, right = positives[:-1], positives[1:]
    slope = math.div_no_nan(step, math.maximum(left - right, 0))
    intercept = tp[1:] - math.multiply(slope, right)
    growth = where(
        math.logical_and(left > 0, right > 0),
        math.div_no_nan(left, math.maximum(right, 0)),
        ones_like(right),
    )
    area = slope * (step + intercept * math.log(growth))
    return reduce_sum(math.div_no_nan(area, math.maximum(tp[1:] + fn[1:], 0)), name=name)


def _check_unit(name: str, value: float) -> None:
    if value < 0 or value > 1:
        raise ValueError(f"`{name}` must be in the range [0, 1]. Currently, `{name}` got {value}.")


def sensitivity_at_specificity(
    labels: Any,
    predictions: Any,
    specificity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The recall at that of `num_thresholds` thresholds where the specificity is nearest to the given.

    Specificity is the share of those predicted false among false labels. `predictions` lie in [0, 1].
    Raises ValueError unless `specificity` lies there too.
    """
    _check_unit("specificity", specificity)

    def result(tp, fn, tn, fp, name):
        specificities = math.divide(tn, tn + fp + _EPSILON)
        nearest = cast(argmin(math.abs(specificities - specificity), 0), dtypes.int32)
        return math.divide(tp[nearest], tp[nearest] + fn[nearest] + _EPSILON, name=name)

    with variable_scope(name, "sensitivity_at_specificity", (predictions, labels, weights)):
        batch = _counts(labels, predictions, _even_thresholds(num_thresholds), weights)
        return accumulate(batch, result, metrics_collections, updates_collections)


def specificity_at_sensitivity(
    labels: Any,
    predictions: Any,
    sensitivity: float,
    weights: Any = None,
    num_thresholds: int = 200,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The specificity at the last of those thresholds where the recall is nearest to `sensitivity`.

    See `sensitivity_at_specificity`.
    """
    _check_unit("sensitivity", sensitivity)

    def result(tp, fn, tn, fp, name):
        distance = math.abs(math.divide(tp, tp + fn + _EPSILON) - sensitivity)
        # The running count of nearest ones is largest from the last of them on.
        nearest = cast(math.equal(distance, reduce_min(distance)), dtypes.int64)
        last = cast(argmax(cumsum(nearest), 0), dtypes.int32)
        return math.divide(tn[last], tn[last] + fp[last] + _EPSILON, name=name)

    with variable_scope(name, "specificity_at_sensitivity", (predictions, labels, weights)):
        # TensorFlow ends this list of thresholds just below 1.
        thresholds = _even_thresholds(num_thresholds, last=1.0 - _EPSILON)
        batch = _counts(labels, predictions, thresholds, weights)
        return accumulate(batch, result, metrics_collections, updates_collections)
