"""Metrics from counts of right and wrong decisions at thresholds, and from confusion matrices."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.keras.engine.metric import Metric
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, reshape
from minitf.ops.confusion import confusion_matrix
from minitf.ops.constants import constant
from minitf.ops.diag import diag_part
from minitf.ops.group import group
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.select import where_v2
from minitf.ops.sort import top_k
from minitf.ops.tile import tile

# name of a count → (target is positive, prediction is positive)
CELLS = {
    "true_positives": (True, True), "false_positives": (False, True),
    "true_negatives": (False, False), "false_negatives": (True, False),
}  # fmt: skip


def _counts(
    y_true: Any, y_pred: Any, weight: Any, thresholds: list[float], cells: list[str],
    class_id: int | None = None, top_k: int | None = None, by_label: bool = False, label_weights: Any = None,
) -> dict[str, Any]:  # fmt: skip
    """The (weighted) number of values in each of `cells` at every threshold, float32 (thresholds,).

    With `by_label` each label of the last dimension is counted for itself: (thresholds, labels).
    """
    convert = interpreter().convert
    y_pred = convert(y_pred, None)
    y_true = cast(convert(y_true, None), y_pred.dtype)
    if top_k is not None:
        y_pred = _keep_top(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    form = [-1, y_pred.shape.sizes[-1]] if by_label else [-1]
    limits = constant(np.array(thresholds, np.float32).reshape(-1, *(1 for _ in form)))
    labels = expand_dims(reshape(cast(y_true, dtypes.bool), form), 0)
    says = math.greater(expand_dims(reshape(cast(y_pred, dtypes.float32), form), 0), limits)
    if len(thresholds) > 1:
        labels = tile(labels, [len(thresholds), *(1 for _ in form)])
    weights = _spread(weight, label_weights, cast(y_pred, dtypes.float32), form)
    found = {}
    for name in cells:
        positive, predicted = CELLS[name]
        both = math.logical_and(
            labels if positive else math.logical_not(labels), says if predicted else math.logical_not(says)
        )
        values = cast(both, dtypes.float32)
        found[name] = reduce_sum(values if weights is None else values * weights, 1)
    return found


def _spread(weight: Any, label_weights: Any, y_pred: Any, form: list[int]) -> Any:
    """One weight per prediction, (1, predictions), or None."""
    if weight is None and label_weights is None:
        return None
    each = y_pred * constant(0.0)
    if weight is None:
        weight = constant(1.0)
    weight = cast(interpreter().convert(weight, None), dtypes.float32)
    if weight.shape.rank:
        for _ in range(y_pred.shape.rank - weight.shape.rank):
            weight = expand_dims(weight, -1)
    each = each + weight
    if label_weights is not None:
        each = each * constant(np.asarray(label_weights, np.float32))
    return expand_dims(reshape(each, form), 0)


def _keep_top(y_pred: Any, k: int) -> Any:
    """Predictions below the k largest of the last dimension as minus infinity."""
    least = top_k(y_pred, k).values[..., -1:]
    return where_v2(math.greater_equal(y_pred, least), y_pred, constant(-1e10, y_pred.dtype))


def threshold_list(thresholds: Any, default: float = 0.5) -> list[float]:
    """One threshold or several (None: the default) as a list. Raises ValueError for those outside [0, 1]."""
    if thresholds is None:
        thresholds = default
    values = list(thresholds) if isinstance(thresholds, list | tuple | np.ndarray) else [thresholds]
    invalid = [t for t in values if t is None or t < 0 or t > 1]
    if invalid:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {invalid}")
    return [float(t) for t in values]


class Counted(Metric):
    """Base: variables for some cells, one number per threshold."""

    _cells: tuple[str, ...] = ()
    _by_label = False  # then the cells are made when the number of labels is known

    def __init__(self, thresholds: Any, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = self._limits
        if not self._by_label:
            self._make_cells((len(self._limits),))

    def _make_cells(self, shape: tuple[int, ...]) -> None:
        for cell in self._cells:
            setattr(self, cell, self.add_weight(cell, shape=shape))

    def _count(self, y_true: Any, y_pred: Any, weight: Any, **options: Any) -> Any:
        found = _counts(y_true, y_pred, weight, self._limits, list(self._cells), **options)
        updates = [getattr(self, cell).assign_add(value) for cell, value in found.items()]
        return group(*[u for u in updates if u is not None])

    def _one_or_all(self, values: Any) -> Any:
        return values[0] if len(self._limits) == 1 else values

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


def _cell_metric(class_name: str, cell: str) -> type[Counted]:
    """The metric that counts one cell."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        self._limits = threshold_list(thresholds)
        self._cells = (cell,)
        Counted.__init__(self, thresholds, name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Counts a batch."""
        return self._count(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """The count so far."""
        return self._one_or_all(getattr(self, cell).read_value())

    body = {
        "__init__": __init__, "update_state": update_state, "result": result, "__module__": __name__,
        "__doc__": f"The number of {cell.replace('_', ' ')}, at each of `thresholds` (default 0.5).",
    }  # fmt: skip
    return type(class_name, (Counted,), body)


TruePositives = _cell_metric("TruePositives", "true_positives")
FalsePositives = _cell_metric("FalsePositives", "false_positives")
TrueNegatives = _cell_metric("TrueNegatives", "true_negatives")
FalseNegatives = _cell_metric("FalseNegatives", "false_negatives")


class _Share(Counted):
    """True positives over them and one other cell."""

    def __init__(
        self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None,
        name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        self._limits = (
            threshold_list(thresholds, -np.inf if top_k is not None else 0.5)
            if thresholds is not None or top_k is None
            else [-1e9]
        )
        self.top_k, self.class_id = top_k, class_id
        super().__init__(thresholds, name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Counts a batch."""
        return self._count(y_true, y_pred, sample_weight, class_id=self.class_id, top_k=self.top_k)

    def result(self) -> Any:
        """The share so far."""
        right = getattr(self, self._cells[0]).read_value()
        return self._one_or_all(math.div_no_nan(right, right + getattr(self, self._cells[1]).read_value()))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "top_k": self.top_k, "class_id": self.class_id}


class Precision(_Share):
    """True positives over all that was called positive; at `thresholds`, or among the `top_k` predictions."""

    _cells = ("true_positives", "false_positives")


class Recall(_Share):
    """True positives over all that is positive; at `thresholds`, or among the `top_k` predictions."""

    _cells = ("true_positives", "false_negatives")


class MeanIoU(Metric):
    """The mean over classes of intersection over union of targets and predictions (class numbers)."""

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.total_cm = self.add_weight("total_confusion_matrix", shape=(num_classes, num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Adds a batch to the confusion matrix."""
        convert = interpreter().convert
        labels = reshape(cast(convert(y_true, None), dtypes.int64), [-1])
        predictions = reshape(cast(convert(y_pred, None), dtypes.int64), [-1])
        weights = None
        if sample_weight is not None:
            each = reshape(cast(convert(sample_weight, None), dtypes.float32), [-1])
            weights = each + cast(labels, dtypes.float32) * constant(0.0)
        matrix = confusion_matrix(labels, predictions, self.num_classes, dtypes.float32, weights=weights)
        return self.total_cm.assign_add(cast(matrix, self._dtype))

    def result(self) -> Any:
        """The mean so far, over the classes that occur."""
        matrix = self.total_cm.read_value()
        right = diag_part(matrix)
        union = reduce_sum(matrix, 0) + reduce_sum(matrix, 1) - right
        there = reduce_sum(cast(math.not_equal(union, constant(0.0)), matrix.dtype))
        return math.div_no_nan(reduce_sum(math.div_no_nan(right, union)), there)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "num_classes": self.num_classes}
