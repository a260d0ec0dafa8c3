"""`tf.confusion_matrix`: how often each class is taken for each."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.constants import ones_like
from minitf.ops.reduce import reduce_max
from minitf.ops.registry import Numeric, Types, interpreter, not_differentiable, op
from minitf.ops.shape_rules import constant_value, merge, require_rank
from minitf.ops.weights import remove_squeezable_dimensions

_Classes = Types("Classes", (dtypes.int64,))


def _square(labels, predictions, num_classes, weights):
    merge(require_rank(labels, 1), require_rank(predictions, 1), weights.shape)
    count = constant_value(num_classes)
    return TensorShape([None, None] if count is None else [int(count)] * 2)


@op("ConfusionMatrix", shape=_square)
def _confusion_matrix(
    labels: _Classes, predictions: _Classes, num_classes: _Classes, weights: Numeric
) -> Numeric:
    count = int(num_classes)
    for name, ids in {"labels": labels, "predictions": predictions}.items():
        if ids.size and ids.min() < 0:
            raise ValueError(f"assertion failed: [`{name}` contains negative values]")
        if ids.size and ids.max() >= count:
            raise ValueError(f"assertion failed: [`{name}` out of bound]")
    matrix = np.zeros((count, count), weights.dtype)
    np.add.at(matrix, (labels, predictions), weights)
    return matrix


not_differentiable(_confusion_matrix)


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    weights: Any = None,
) -> Any:
    """A matrix (classes, classes) that counts at (i, j) the labels i for which j was predicted.

    `labels` and `predictions` are integer vectors. `num_classes` is by default one more than the largest of
    them. Each pair counts its weight instead of 1 if `weights` (a vector) are given. `dtype` is the result's.
    Raises InvalidArgumentError for classes below 0 or not below `num_classes`.
    """
    current = interpreter()
    with current.name_scope(name or "confusion_matrix"):
        labels, predictions = remove_squeezable_dimensions(labels, predictions)
        labels, predictions = cast(labels, dtypes.int64), cast(predictions, dtypes.int64)
        if num_classes is None:
            num_classes = math.maximum(reduce_max(predictions), reduce_max(labels)) + 1
        weights = (
            ones_like(predictions) if weights is None else current.convert(weights, None, None, "weights")
        )
        predictions.shape.assert_is_compatible_with(weights.shape)
        counted = cast(weights, as_dtype(dtype))
        return _confusion_matrix(labels, predictions, cast(num_classes, dtypes.int64), counted)
