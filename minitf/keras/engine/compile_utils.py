"""What `compile` was given: losses and metrics, matched to a model's outputs."""

from collections.abc import Callable
from typing import Any

from minitf.keras import losses as losses_module
from minitf.keras import metrics as metrics_module
from minitf.keras.engine.base_layer import get_mask
from minitf.ops import math
from minitf.ops.array import cast, expand_dims


def match_rank(y_true: Any, y_pred: Any, weight: Any) -> tuple[Any, Any]:
    """Targets (and weights) with a last dimension of 1 where predictions have it, in the same dtype."""
    ranks = y_true.shape.rank, y_pred.shape.rank
    if ranks[0] == 1 and ranks[1] == 2:
        y_true = expand_dims(y_true, -1)
    same_kind = y_true.dtype.is_floating == y_pred.dtype.is_floating and not y_true.dtype.is_bool
    if same_kind and y_true.dtype.base_dtype != y_pred.dtype.base_dtype:
        y_true = cast(y_true, y_pred.dtype.base_dtype)
    if weight is not None and weight.dtype.base_dtype != y_pred.dtype.base_dtype:
        weight = cast(weight, y_pred.dtype.base_dtype)
    return y_true, weight


def spread(given: Any, names: list[str], what: str) -> list[Any]:
    """One item per output from a single one, a list, or a dict by output name.

    Raises ValueError for a wrong number of items or names that are no outputs.
    """
    if isinstance(given, dict):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise ValueError(
                f"Found unexpected {what} keys that do not correspond to any Model output: {set(unknown)}. "
                f"Expected: {set(names)}"
            )
        return [given.get(name) for name in names]
    if isinstance(given, list | tuple):
        if len(given) == 1 and len(names) > 1 or len(given) != len(names):
            raise ValueError(
                f"When passing a list as {what}, it should have one entry per model output. The model has "
                f"{len(names)} outputs, but you passed {what}={given}"
            )
        return list(given)
    return [given] * len(names)


class Losses:
    """The losses of a model's outputs and their weights."""

    def __init__(self, loss: Any, weights: Any, names: list[str]) -> None:
        self.names = names
        self.functions = [self._function(item) for item in spread(loss, names, "loss")]
        self.weights = [1.0 if w is None else w for w in spread(weights, names, "loss_weights")]

    @staticmethod
    def _function(loss: Any) -> Callable | None:
        if loss is None:
            return None
        function = losses_module.get(loss)
        if isinstance(function, losses_module.Loss):
            return function
        return losses_module.LossFunctionWrapper(function, name=getattr(function, "__name__", "loss"))

    def __call__(self, targets: list[Any], outputs: list[Any], sample_weights: list[Any]) -> tuple[Any, list]:
        """The weighted sum of the outputs' losses (None without one), and each by itself."""
        total, parts = None, []
        for function, factor, y_true, y_pred, weight in zip(
            self.functions, self.weights, targets, outputs, sample_weights, strict=True
        ):
            if function is None or y_true is None:
                parts.append(None)
                continue
            y_true, weight = match_rank(y_true, y_pred, weight)
            weight = _with_mask(y_pred, weight)
            value = function(y_true, y_pred, sample_weight=weight)
            parts.append(value)
            weighted = value if factor == 1.0 else value * cast(factor, value.dtype)
            total = weighted if total is None else math.add(total, weighted)
        return total, parts


def _with_mask(y_pred: Any, weight: Any) -> Any:
    mask = get_mask(y_pred)
    if mask is None:
        return weight
    mask = cast(mask, y_pred.dtype)
    if weight is None:
        return mask
    while weight.shape.rank is not None and weight.shape.rank < mask.shape.rank:
        weight = expand_dims(weight, -1)
    return math.multiply(mask, weight)


_BY_SHAPE = {"accuracy": "accuracy", "acc": "accuracy", "crossentropy": "crossentropy", "ce": "crossentropy"}


def _copied(metrics: Any) -> list[Any]:
    """The same metrics for another output: objects count one output only."""
    metrics = metrics if isinstance(metrics, list | tuple) else [metrics]
    return [
        type(item).from_config(item.get_config()) if isinstance(item, metrics_module.Metric) else item
        for item in metrics
    ]


class Metrics:
    """The metrics of a model's outputs: made when the shapes of targets and outputs are known."""

    def __init__(self, metrics: Any, weighted: Any, names: list[str]) -> None:
        self.names = names
        self._given = self._spread(metrics), self._spread(weighted)
        self._made: list[list[tuple[Any, bool]]] | None = None

    def _spread(self, metrics: Any) -> list[list[Any]]:
        if metrics is None:
            return [[] for _ in self.names]
        if isinstance(metrics, dict):
            items = spread(metrics, self.names, "metrics")
        elif any(isinstance(item, list | tuple) for item in metrics):
            items = spread(list(metrics), self.names, "metrics")
        else:
            items = [metrics] + [_copied(metrics) for _ in self.names[1:]]
        return [
            [] if item is None else list(item) if isinstance(item, list | tuple) else [item] for item in items
        ]

    def make(self, targets: list[Any], outputs: list[Any]) -> None:
        """Makes the metric objects; does nothing the second time."""
        if self._made is not None:
            return
        self._made = []
        for i, (y_true, y_pred) in enumerate(zip(targets, outputs, strict=True)):
            own = []
            for given, weighted in ((self._given[0], False), (self._given[1], True)):
                own += [(self._metric(item, y_true, y_pred), weighted) for item in given[i]]
            self._made.append(own)
        self._name_apart()

    def _name_apart(self) -> None:
        """Begins names with the output's where there are several, and those of weighted twins `weighted_`."""
        taken: set[str] = set()
        for output, own in zip(self.names, self._made, strict=True):
            prefix = f"{output}_" if len(self.names) > 1 else ""
            for metric, weighted in own:
                name = metric._name.removeprefix(prefix)
                full = prefix + name
                if weighted and full in taken:
                    full = f"{prefix}weighted_{name}"
                if full in taken:
                    raise ValueError(
                        f"Found two metrics with the same name: {full}. All the metrics added to the model "
                        "need to have unique names."
                    )
                metric._name = full
                taken.add(full)

    def _metric(self, item: Any, y_true: Any, y_pred: Any) -> Any:
        if isinstance(item, metrics_module.Metric):
            return item
        name = None
        if isinstance(item, str) and item in _BY_SHAPE:
            name = item
            item = self._by_shape(_BY_SHAPE[item], y_true, y_pred)
        function = metrics_module.get(item)
        if isinstance(function, metrics_module.Metric):
            return function
        if name is None:
            name = item if isinstance(item, str) else getattr(function, "__name__", "metric")
        return metrics_module.MeanMetricWrapper(function, name=name)

    @staticmethod
    def _by_shape(kind: str, y_true: Any, y_pred: Any) -> str:
        last = y_pred.shape.sizes[-1] if y_pred.shape.rank else 1
        if last == 1:
            return "binary_" + kind
        sparse = y_true is None or y_true.shape.rank < y_pred.shape.rank or y_true.shape.sizes[-1] == 1
        return ("sparse_categorical_" if sparse else "categorical_") + kind

    def update(self, targets: list[Any], outputs: list[Any], sample_weights: list[Any]) -> None:
        """Adds the ops that take a batch into account."""
        self.make(targets, outputs)
        for own, y_true, y_pred, weight in zip(self._made, targets, outputs, sample_weights, strict=True):
            if y_true is None:
                continue
            y_true, weight = match_rank(y_true, y_pred, weight)
            mask = get_mask(y_pred)
            for metric, weighted in own:
                given = weight if weighted else None
                if mask is not None:
                    given = _with_mask(y_pred, given)
                metric.update_state(y_true, y_pred, sample_weight=given)

    @property
    def all(self) -> list[Any]:
        """The metric objects, those of the first output first."""
        return [metric for own in self._made or [] for metric, _ in own]
