"""Metrics from counts of right and wrong decisions at thresholds, and from confusion matrices."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.keras.engine.metric import Metric
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, reshape
from minitf.ops.confusion import confusion_matrix
from minitf.ops.constants import constant
from minitf.ops.group import group
from minitf.ops.reduce import reduce_max, reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.select import where_v2
from minitf.ops.tile import tile

_EPSILON = 1e-7
# name of a count → (target is positive, prediction is positive)
_CELLS = {
    "true_positives": (True, True), "false_positives": (False, True),
    "true_negatives": (False, False), "false_negatives": (True, False),
}  # fmt: skip


def _counts(
    y_true: Any, y_pred: Any, weight: Any, thresholds: list[float], cells: list[str],
    class_id: int | None = None, top_k: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """For each of `cells`, the (weighted) number of values in it at every threshold, float32 (thresholds,)."""
    convert = interpreter().convert
    y_pred = convert(y_pred, None)
    y_true = cast(convert(y_true, None), y_pred.dtype)
    if top_k is not None:
        y_pred = _keep_top(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = y_true[..., class_id], y_pred[..., class_id]
    count = len(thresholds)
    limits = constant(np.array(thresholds, np.float32).reshape(-1, 1))
    labels = expand_dims(reshape(cast(y_true, dtypes.bool), [-1]), 0)
    scores = expand_dims(reshape(cast(y_pred, dtypes.float32), [-1]), 0)
    says = math.greater(scores, limits)
    if count > 1:
        labels = tile(labels, [count, 1])
    weights = None
    if weight is not None:
        weight = cast(convert(weight, None), dtypes.float32)
        while weight.shape.rank < y_pred.shape.rank:
            weight = expand_dims(weight, -1)
        weights = expand_dims(reshape(weight + cast(y_pred, dtypes.float32) * constant(0.0), [-1]), 0)
    found = {}
    for name in cells:
        positive, predicted = _CELLS[name]
        both = math.logical_and(
            labels if positive else math.logical_not(labels), says if predicted else math.logical_not(says)
        )
        values = cast(both, dtypes.float32)
        found[name] = reduce_sum(values if weights is None else values * weights, 1)
    return found


def _keep_top(y_pred: Any, k: int) -> Any:
    """Predictions below the k largest of the last dimension as minus infinity."""
    from minitf.ops.sort import top_k

    least = top_k(y_pred, k).values[..., -1:]
    return where_v2(math.greater_equal(y_pred, least), y_pred, constant(-1e10, y_pred.dtype))


def _list(thresholds: Any, default: float = 0.5) -> list[float]:
    if thresholds is None:
        thresholds = default
    values = list(thresholds) if isinstance(thresholds, list | tuple | np.ndarray) else [thresholds]
    invalid = [t for t in values if t is None or t < 0 or t > 1]
    if invalid:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {invalid}")
    return [float(t) for t in values]


class _Counted(Metric):
    """Base: variables for some cells, one number per threshold."""

    _cells: tuple[str, ...] = ()

    def __init__(self, thresholds: Any, name: str | None, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = thresholds
        for cell in self._cells:
            setattr(self, cell, self.add_weight(cell, shape=(len(self._limits),)))

    def _count(self, y_true: Any, y_pred: Any, weight: Any, **options: Any) -> Any:
        found = _counts(y_true, y_pred, weight, self._limits, list(self._cells), **options)
        updates = [getattr(self, cell).assign_add(value) for cell, value in found.items()]
        return group(*[u for u in updates if u is not None])

    def _one_or_all(self, values: Any) -> Any:
        return values[0] if len(self._limits) == 1 else values

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


def _cell_metric(class_name: str, cell: str) -> type[_Counted]:
    """The metric that counts one cell."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        self._limits = _list(thresholds)
        self._cells = (cell,)
        _Counted.__init__(self, thresholds, name or cell, dtype)

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
    return type(class_name, (_Counted,), body)


TruePositives = _cell_metric("TruePositives", "true_positives")
FalsePositives = _cell_metric("FalsePositives", "false_positives")
TrueNegatives = _cell_metric("TrueNegatives", "true_negatives")
FalseNegatives = _cell_metric("FalseNegatives", "false_negatives")


class _Share(_Counted):
    """True positives over them and one other cell."""

    _name_default = ""

    def __init__(
        self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None,
        name: str | None = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        self._limits = (
            _list(thresholds, -np.inf if top_k is not None else 0.5)
            if thresholds is not None or top_k is None
            else [-1e9]
        )
        self.top_k, self.class_id = top_k, class_id
        super().__init__(thresholds, name or self._name_default, dtype)

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

    _name_default = "precision"
    _cells = ("true_positives", "false_positives")


class Recall(_Share):
    """True positives over all that is positive; at `thresholds`, or among the `top_k` predictions."""

    _name_default = "recall"
    _cells = ("true_positives", "false_negatives")


def _even_thresholds(count: int) -> list[float]:
    inner = [(i + 1) / (count - 1) for i in range(count - 2)]
    return [0.0 - _EPSILON, *inner, 1.0 + _EPSILON]


class _Curve(_Counted):
    """Base of metrics over many thresholds."""

    _cells = tuple(_CELLS)

    def __init__(self, limits: list[float], name: str | None, dtype: Any) -> None:
        self._limits = limits
        super().__init__(None, name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Counts a batch."""
        return self._count(y_true, y_pred, sample_weight, class_id=getattr(self, "class_id", None))

    def _cell(self, name: str) -> Any:
        return getattr(self, name).read_value()


class AUC(_Curve):
    """The area under the ROC or precision-recall curve, by a sum over thresholds.

    Raises ValueError for unknown curves and methods and fewer than 2 thresholds.
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        if multi_label or label_weights is not None or num_labels:
            raise NotImplementedError("AUC: multi_label, num_labels and label_weights are not supported")
        if curve not in ("ROC", "PR"):
            raise ValueError(f'Invalid AUC curve value: "{curve}". Expected values are ["PR", "ROC"]')
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". Expected values are '
                '["interpolation", "majoring", "minoring"]'
            )
        if thresholds is not None:
            limits = [0.0 - _EPSILON, *sorted(_list(thresholds)), 1.0 + _EPSILON]
        else:
            if num_thresholds <= 1:
                raise ValueError(
                    f"Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}"
                )
            limits = _even_thresholds(num_thresholds)
        self.num_thresholds, self.curve, self.summation_method = len(limits), curve, summation_method
        self.from_logits = from_logits
        self._given_thresholds = thresholds
        super().__init__(limits, name or "auc", dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Counts a batch."""
        if self.from_logits:
            y_pred = math.sigmoid(interpreter().convert(y_pred, None))
        return super().update_state(y_true, y_pred, sample_weight)

    def result(self) -> Any:
        """The area so far."""
        tp, fp = self._cell("true_positives"), self._cell("false_positives")
        tn, fn = self._cell("true_negatives"), self._cell("false_negatives")
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated_precision_recall(tp, fp, fn)
        recall = math.div_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            x, y = math.div_no_nan(fp, fp + tn), recall
        else:
            x, y = recall, math.div_no_nan(tp, tp + fp)
        left, right = y[:-1], y[1:]
        if self.summation_method == "interpolation":
            heights = (left + right) / constant(2.0)
        else:
            choose = math.minimum if self.summation_method == "minoring" else math.maximum
            heights = choose(left, right)
        return reduce_sum((x[:-1] - x[1:]) * heights)

    @staticmethod
    def _interpolated_precision_recall(tp: Any, fp: Any, fn: Any) -> Any:
        """Davis and Goadrich 2006, as TensorFlow's documentation has it."""
        dtp = tp[:-1] - tp[1:]
        p = tp + fp
        dp = p[:-1] - p[1:]
        slope = math.div_no_nan(dtp, math.maximum(dp, constant(0.0)))
        intercept = tp[1:] - slope * p[1:]
        both = math.logical_and(math.greater(p[:-1], constant(0.0)), math.greater(p[1:], constant(0.0)))
        ratio = where_v2(both, math.div_no_nan(p[:-1], math.maximum(p[1:], constant(0.0))), p[1:] * 0.0 + 1.0)
        total = slope * (dtp + intercept * math.log(ratio))
        return reduce_sum(math.div_no_nan(total, math.maximum(tp[1:] + fn[1:], constant(0.0))))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        config = {"name": self.name, "dtype": self.dtype, "num_thresholds": self.num_thresholds,
                  "curve": self.curve, "summation_method": self.summation_method,
                  "from_logits": self.from_logits}  # fmt: skip
        if self._given_thresholds is not None:
            config["thresholds"] = list(self._given_thresholds)
        return config


class _Tradeoff(_Curve):
    """The best of one share among the thresholds where another is at least `value`."""

    _default_name = ""

    def __init__(
        self, value: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        if not 0 <= value <= 1:
            raise ValueError(f"Argument must be in the range [0, 1]. Received: {value}")
        if num_thresholds <= 0:
            raise ValueError(f"Argument `num_thresholds` must be an integer > 0. Received: {num_thresholds}")
        self.value, self.num_thresholds, self.class_id = value, num_thresholds, class_id
        limits = [0.5] if num_thresholds == 1 else [
            0.0, *[(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)], 1.0
        ]  # fmt: skip
        super().__init__(limits, name or self._default_name, dtype)

    def _shares(self) -> tuple[Any, Any]:
        """The share that must be large enough, and the one that is wanted."""
        raise NotImplementedError

    def result(self) -> Any:
        """The best share so far, 0 if no threshold will do."""
        given, wanted = self._shares()
        enough = math.greater_equal(given, constant(float(self.value)))
        return reduce_max(where_v2(enough, wanted, constant(0.0)))

    def _share(self, right: str, wrong: str) -> Any:
        right = self._cell(right)
        return math.div_no_nan(right, right + self._cell(wrong))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {
            "name": self.name, "dtype": self.dtype, self._argument: self.value,
            "num_thresholds": self.num_thresholds, "class_id": self.class_id,
        }  # fmt: skip


def _tradeoff(class_name: str, argument: str, name: str, given: tuple, wanted: tuple, doc: str) -> type:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if argument in kwargs:
            args = (kwargs.pop(argument), *args)
        _Tradeoff.__init__(self, *args, **kwargs)

    def _shares(self) -> tuple[Any, Any]:
        return self._share(*given), self._share(*wanted)

    body = {
        "__init__": __init__, "_shares": _shares, "_argument": argument, "_default_name": name,
        "__doc__": doc, "__module__": __name__,
    }  # fmt: skip
    return type(class_name, (_Tradeoff,), body)


_SENSITIVITY = ("true_positives", "false_negatives")
_SPECIFICITY = ("true_negatives", "false_positives")
_PRECISION = ("true_positives", "false_positives")
SensitivityAtSpecificity = _tradeoff(
    "SensitivityAtSpecificity", "specificity", "sensitivity_at_specificity", _SPECIFICITY, _SENSITIVITY,
    "The best sensitivity where specificity is at least the given one.",
)  # fmt: skip
SpecificityAtSensitivity = _tradeoff(
    "SpecificityAtSensitivity", "sensitivity", "specificity_at_sensitivity", _SENSITIVITY, _SPECIFICITY,
    "The best specificity where sensitivity is at least the given one.",
)  # fmt: skip
PrecisionAtRecall = _tradeoff(
    "PrecisionAtRecall", "recall", "precision_at_recall", _SENSITIVITY, _PRECISION,
    "The best precision where recall is at least the given one.",
)  # fmt: skip
RecallAtPrecision = _tradeoff(
    "RecallAtPrecision", "precision", "recall_at_precision", _PRECISION, _SENSITIVITY,
    "The best recall where precision is at least the given one.",
)  # fmt: skip


class MeanIoU(Metric):
    """The mean over classes of intersection over union of targets and predictions (class numbers)."""

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name or "mean_io_u", dtype=dtype)
        self.num_classes = num_classes
        self.total_cm = self.add_weight("total_confusion_matrix", shape=(num_classes, num_classes))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Adds a batch to the confusion matrix."""
        convert = interpreter().convert
        labels = reshape(cast(convert(y_true, None), dtypes.int64), [-1])
        predictions = reshape(cast(convert(y_pred, None), dtypes.int64), [-1])
        weights = None
        if sample_weight is not None:
            weights = reshape(cast(convert(sample_weight, None), dtypes.float32), [-1])
        matrix = confusion_matrix(labels, predictions, self.num_classes, dtypes.float32, weights=weights)
        return self.total_cm.assign_add(cast(matrix, self._dtype))

    def result(self) -> Any:
        """The mean so far, over the classes that occur."""
        from minitf.ops.diag import diag_part

        matrix = self.total_cm.read_value()
        right = diag_part(matrix)
        union = reduce_sum(matrix, 0) + reduce_sum(matrix, 1) - right
        there = reduce_sum(cast(math.not_equal(union, constant(0.0)), matrix.dtype))
        return math.div_no_nan(reduce_sum(math.div_no_nan(right, union)), there)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "num_classes": self.num_classes}
