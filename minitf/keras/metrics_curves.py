"""Metrics over many thresholds: areas under curves, and one share where another is large enough."""

from typing import Any

import numpy as np

from minitf.keras.metrics_counting import CELLS, Counted, threshold_list
from minitf.ops import math
from minitf.ops.constants import constant
from minitf.ops.reduce import reduce_max, reduce_mean, reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.select import where_v2

_EPSILON = 1e-7


def _even_thresholds(count: int) -> list[float]:
    inner = [(i + 1) / (count - 1) for i in range(count - 2)]
    return [0.0 - _EPSILON, *inner, 1.0 + _EPSILON]


class _Curve(Counted):
    """Base of metrics over many thresholds."""

    _cells = tuple(CELLS)

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
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        if curve not in ("ROC", "PR"):
            raise ValueError(f'Invalid AUC curve value: "{curve}". Expected values are ["PR", "ROC"]')
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". Expected values are '
                '["interpolation", "majoring", "minoring"]'
            )
        if thresholds is not None:
            thresholds = sorted(threshold_list(thresholds))
            limits = [0.0 - _EPSILON, *thresholds, 1.0 + _EPSILON]
        else:
            if num_thresholds <= 1:
                raise ValueError(
                    "Argument `num_thresholds` must be an integer > 1. Received: "
                    f"num_thresholds={num_thresholds}"
                )
            limits = _even_thresholds(num_thresholds)
        self.num_thresholds, self.curve, self.summation_method = len(limits), curve, summation_method
        self.from_logits = from_logits
        self._given_thresholds = thresholds
        self.multi_label, self.num_labels, self.label_weights = multi_label, num_labels, label_weights
        self._by_label = multi_label
        super().__init__(limits, name, dtype)
        if multi_label and num_labels:
            self._make_cells((len(limits), num_labels))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Counts a batch."""
        y_pred = interpreter().convert(y_pred, None)
        if self.multi_label and not self.weights:
            if y_pred.shape.rank != 2:
                raise ValueError(
                    f"`y_pred` must have rank 2 when `multi_label=True`. Found rank {y_pred.shape.rank}. "
                    f"Full shape received for `y_pred`: {y_pred.shape}"
                )
            self._make_cells((self.num_thresholds, y_pred.shape.as_list()[1]))
        if self.from_logits:
            y_pred = math.sigmoid(y_pred)
        label_weights = None if self.multi_label else self.label_weights
        return self._count(
            y_true, y_pred, sample_weight, by_label=self.multi_label, label_weights=label_weights
        )

    def result(self) -> Any:
        """The area so far."""
        tp, fp = self._cell("true_positives"), self._cell("false_positives")
        tn, fn = self._cell("true_negatives"), self._cell("false_negatives")
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._mean_of_labels(self._interpolated_precision_recall(tp, fp, fn))
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
        return self._mean_of_labels(reduce_sum((x[:-1] - x[1:]) * heights, 0))

    def _mean_of_labels(self, areas: Any) -> Any:
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return reduce_mean(areas)
        weights = constant(np.asarray(self.label_weights, np.float32))
        return math.div_no_nan(reduce_sum(areas * weights), reduce_sum(weights))

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
        return reduce_sum(math.div_no_nan(total, math.maximum(tp[1:] + fn[1:], constant(0.0))), 0)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        config = {"name": self.name, "dtype": self.dtype, "num_thresholds": self.num_thresholds,
                  "curve": self.curve, "summation_method": self.summation_method,
                  "multi_label": self.multi_label, "num_labels": self.num_labels,
                  "label_weights": self.label_weights, "from_logits": self.from_logits}  # fmt: skip
        if self._given_thresholds is not None:
            config["thresholds"] = list(self._given_thresholds)
        return config


class _Tradeoff(_Curve):
    """The best of one share among the thresholds where another is at least `value`."""

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
        super().__init__(limits, name, dtype)

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


def _tradeoff(class_name: str, argument: str, given: tuple, wanted: tuple, doc: str) -> type:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if argument in kwargs:
            args = (kwargs.pop(argument), *args)
        _Tradeoff.__init__(self, *args, **kwargs)

    def _shares(self) -> tuple[Any, Any]:
        return self._share(*given), self._share(*wanted)

    body = {
        "__init__": __init__, "_shares": _shares, "_argument": argument,
        "__doc__": doc, "__module__": __name__,
    }  # fmt: skip
    return type(class_name, (_Tradeoff,), body)


_SENSITIVITY = ("true_positives", "false_negatives")
_SPECIFICITY = ("true_negatives", "false_positives")
_PRECISION = ("true_positives", "false_positives")
SensitivityAtSpecificity = _tradeoff(
    "SensitivityAtSpecificity", "specificity", _SPECIFICITY, _SENSITIVITY,
    "The best sensitivity where specificity is at least the given one.",
)  # fmt: skip
SpecificityAtSensitivity = _tradeoff(
    "SpecificityAtSensitivity", "sensitivity", _SENSITIVITY, _SPECIFICITY,
    "The best specificity where sensitivity is at least the given one.",
)  # fmt: skip
PrecisionAtRecall = _tradeoff(
    "PrecisionAtRecall", "recall", _SENSITIVITY, _PRECISION,
    "The best precision where recall is at least the given one.",
)  # fmt: skip
RecallAtPrecision = _tradeoff(
    "RecallAtPrecision", "precision", _PRECISION, _SENSITIVITY,
    "The best recall where precision is at least the given one.",
)  # fmt: skip
