"""Metrics of predicted classes, each class counting alike."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.graph.variable_scope import variable_scope
from minitf.metrics.accumulate import Pair, collected, ratio, total_up
from minitf.ops import math
from minitf.ops.array import cast, reshape, size
from minitf.ops.confusion import confusion_matrix
from minitf.ops.constants import ones
from minitf.ops.diag import diag_part
from minitf.ops.reduce import reduce_mean, reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.segment import unsorted_segment_sum


def _vectors(labels: Any, predictions: Any, weights: Any) -> tuple[Any, Any, Any]:
    """All three as vectors (weights may be None); labels and predictions become int64."""
    current = interpreter()
    labels, predictions = (
        reshape(cast(current.convert(x, None, None, name), dtypes.int64), [-1])
        for name, x in (("labels", labels), ("predictions", predictions))
    )
    predictions.shape.assert_is_compatible_with(labels.shape)
    return labels, predictions, None if weights is None else reshape(weights, [-1])


def mean_per_class_accuracy(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean over the classes of the share of each one's labels that were predicted.

    Labels and predictions are integers below `num_classes`, of any one shape. The update op gives the share
    of each class.
    """
    with variable_scope(name, "mean_accuracy", (predictions, labels, weights)):
        labels, predictions, weights = _vectors(labels, predictions, weights)
        each = ones([size(labels)], dtypes.float32)
        hits = cast(math.equal(predictions, labels), dtypes.float32)
        if weights is not None:
            weights = cast(weights, dtypes.float32)
            each, hits = each * weights, hits * weights
        (total, count), updates = total_up(
            {
                "total": unsorted_segment_sum(each, labels, num_classes),
                "count": unsorted_segment_sum(hits, labels, num_classes),
            }
        )
        value = reduce_mean(ratio(count, total), name="mean_accuracy")
        update_op = ratio(updates[1], updates[0], name="update_op")
        return collected(value, update_op, metrics_collections, updates_collections)


def mean_iou(
    labels: Any,
    predictions: Any,
    num_classes: int,
    weights: Any = None,
    metrics_collections: Any = None,
    updates_collections: Any = None,
    name: str | None = None,
) -> Pair:
    """The mean over the classes seen of intersection over union: hits / (labels + predictions - hits).

    Labels and predictions are integers below `num_classes`, of any one shape. The update op gives the
    confusion matrix so far.
    """
    with variable_scope(name, "mean_iou", (predictions, labels, weights)):
        labels, predictions, weights = _vectors(labels, predictions, weights)
        batch = confusion_matrix(labels, predictions, num_classes, dtypes.float64, weights=weights)
        (total,), (update_op,) = total_up({"total_confusion_matrix": batch}, dtypes.float64)
        value = _mean_intersection(total)
        return collected(value, update_op, metrics_collections, updates_collections)


def _mean_intersection(matrix: Any) -> Any:
    hits, columns, rows = (
        cast(x, dtypes.float32) for x in (diag_part(matrix), reduce_sum(matrix, 0), reduce_sum(matrix, 1))
    )
    union = columns + rows - hits
    seen = cast(math.not_equal(union, np.float32(0)), dtypes.float32)
    return ratio(reduce_sum(math.div_no_nan(hits, union), name="mean_iou"), reduce_sum(seen))
