"""Metrics: functions of targets and predictions, and classes that add up over batches.

Formulas: https://www.tensorflow.org/api_docs/python/tf/keras/metrics.
"""

from collections.abc import Callable
from typing import Any

from minitf.framework import dtypes
from minitf.keras import losses
from minitf.keras.engine.metric import Mean, MeanMetricWrapper, MeanTensor, Metric, Reduce, Sum
from minitf.keras.losses import (  # noqa: F401 - metrics too
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    hinge,
    kl_divergence,
    kld,
    kullback_leibler_divergence,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from minitf.keras.metrics_counting import (  # noqa: F401 - named here for users
    FalseNegatives,
    FalsePositives,
    MeanIoU,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from minitf.keras.metrics_curves import (  # noqa: F401 - named here for users
    AUC,
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object
from minitf.ops import math
from minitf.ops.argmax import argmax
from minitf.ops.array import cast, reshape, shape, squeeze
from minitf.ops.nn_misc import in_top_k
from minitf.ops.norm import l2_normalize
from minitf.ops.reduce import reduce_mean, reduce_sum
from minitf.ops.registry import interpreter


def _tensors(*values: Any) -> list[Any]:
    return [interpreter().convert(value, None) for value in values]


# --- functions ---------------------------------------------------------------------------------------


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where targets equal predictions, else 0."""
    y_true, y_pred = _tensors(y_true, y_pred)
    if y_true.dtype.base_dtype != y_pred.dtype.base_dtype:
        y_pred = cast(y_pred, y_true.dtype)
    return cast(math.equal(y_true, y_pred), "float32")


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """The share of predictions on the right side of `threshold`, over the last dimension."""
    return reduce_mean(_binary_matches(y_true, y_pred, threshold), -1)


def _binary_matches(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    y_true, y_pred = _tensors(y_true, y_pred)
    above = cast(math.greater(y_pred, cast(threshold, y_pred.dtype)), y_pred.dtype)
    return cast(math.equal(cast(y_true, y_pred.dtype), above), "float32")


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is that of the one-hot target, else 0."""
    y_true, y_pred = _tensors(y_true, y_pred)
    return cast(math.equal(argmax(y_true, -1), argmax(y_pred, -1)), "float32")


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is that of the class number y_true, else 0."""
    y_true, y_pred = _tensors(y_true, y_pred)
    ranks = y_true.shape.rank, y_pred.shape.rank
    if None not in ranks and ranks[0] == ranks[1] and y_true.shape.sizes[-1] in (1, None):
        y_true = squeeze(y_true, [-1])
    return cast(math.equal(cast(y_true, dtypes.int64), argmax(y_pred, -1)), "float32")


def _in_top(y_true: Any, y_pred: Any, k: int) -> Any:
    """Whether the class is among the k largest predictions, in the targets' shape."""
    flat = reshape(y_pred, [-1, y_pred.shape.sizes[-1]])
    found = cast(in_top_k(flat, reshape(cast(y_true, dtypes.int32), [-1]), k), "float32")
    return found if y_true.shape.rank == 1 else reshape(found, shape(y_true))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the one-hot target's class is among the `k` largest predictions, else 0."""
    y_true, y_pred = _tensors(y_true, y_pred)
    return _in_top(argmax(y_true, -1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class number y_true is among the `k` largest predictions, else 0."""
    y_true, y_pred = _tensors(y_true, y_pred)
    if y_true.shape.rank == y_pred.shape.rank and y_true.shape.sizes[-1] in (1, None):
        y_true = squeeze(y_true, [-1])
    return _in_top(y_true, y_pred, k)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The cosine of the angle between targets and predictions."""
    y_true, y_pred = _tensors(y_true, y_pred)
    return reduce_sum(l2_normalize(cast(y_true, y_pred.dtype), axis) * l2_normalize(y_pred, axis), axis)


cosine_proximity = cosine_similarity


# --- classes -----------------------------------------------------------------------------------------


def _class_of(
    class_name: str, fn: Callable, default_name: str, doc: str = "", **options: Any
) -> type[MeanMetricWrapper]:
    """The Metric class of a function; `options` are its further arguments with their defaults."""
    order = _ORDERS.get(class_name, ("name", "dtype", *options))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = {**dict(zip(order, args, strict=False)), **kwargs}
        unknown = given.keys() - set(order)
        if unknown:
            raise TypeError(f"{class_name}() got an unexpected keyword argument {sorted(unknown)}")
        name, dtype = given.pop("name", default_name), given.pop("dtype", None)
        MeanMetricWrapper.__init__(self, fn, name, dtype, **{**options, **given})

    body = {"__init__": __init__, "__doc__": doc or fn.__doc__, "__module__": __name__}
    return type(class_name, (MeanMetricWrapper,), body)


# Classes whose own arguments come before name and dtype.
_ORDERS = {
    "TopKCategoricalAccuracy": ("k", "name", "dtype"),
    "SparseTopKCategoricalAccuracy": ("k", "name", "dtype"),
}

Accuracy = _class_of("Accuracy", accuracy, "accuracy")
BinaryAccuracy = _class_of(
    "BinaryAccuracy",
    _binary_matches,
    "binary_accuracy",
    "The share of predictions on the right side of `threshold`.",
    threshold=0.5,
)
CategoricalAccuracy = _class_of("CategoricalAccuracy", categorical_accuracy, "categorical_accuracy")
SparseCategoricalAccuracy = _class_of(
    "SparseCategoricalAccuracy", sparse_categorical_accuracy, "sparse_categorical_accuracy"
)
TopKCategoricalAccuracy = _class_of(
    "TopKCategoricalAccuracy", top_k_categorical_accuracy, "top_k_categorical_accuracy", k=5
)
SparseTopKCategoricalAccuracy = _class_of(
    "SparseTopKCategoricalAccuracy",
    sparse_top_k_categorical_accuracy,
    "sparse_top_k_categorical_accuracy",
    k=5,
)
CosineSimilarity = _class_of("CosineSimilarity", cosine_similarity, "cosine_similarity", axis=-1)
MeanAbsoluteError = _class_of("MeanAbsoluteError", mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = _class_of(
    "MeanAbsolutePercentageError", mean_absolute_percentage_error, "mean_absolute_percentage_error"
)
MeanSquaredError = _class_of("MeanSquaredError", mean_squared_error, "mean_squared_error")
MeanSquaredLogarithmicError = _class_of(
    "MeanSquaredLogarithmicError", mean_squared_logarithmic_error, "mean_squared_logarithmic_error"
)
Hinge = _class_of("Hinge", hinge, "hinge")
SquaredHinge = _class_of("SquaredHinge", squared_hinge, "squared_hinge")
CategoricalHinge = _class_of("CategoricalHinge", categorical_hinge, "categorical_hinge")
LogCoshError = _class_of("LogCoshError", log_cosh, "logcosh")
Poisson = _class_of("Poisson", poisson, "poisson")
KLDivergence = _class_of("KLDivergence", kl_divergence, "kullback_leibler_divergence")
BinaryCrossentropy = _class_of(
    "BinaryCrossentropy", binary_crossentropy, "binary_crossentropy", from_logits=False, label_smoothing=0
)
CategoricalCrossentropy = _class_of(
    "CategoricalCrossentropy", categorical_crossentropy, "categorical_crossentropy", from_logits=False,
    label_smoothing=0,
)  # fmt: skip
SparseCategoricalCrossentropy = _class_of(
    "SparseCategoricalCrossentropy", sparse_categorical_crossentropy, "sparse_categorical_crossentropy",
    from_logits=False, axis=-1,
)  # fmt: skip


class RootMeanSquaredError(Mean):
    """The square root of the mean squared error."""

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Adds squared errors."""
        y_true, y_pred = losses.squeezed(y_true, y_pred)
        error = math.squared_difference(y_pred, cast(y_true, y_pred.dtype))
        return super().update_state(error, sample_weight)

    def result(self) -> Any:
        """The root of the mean so far."""
        return math.sqrt(super().result())


class MeanRelativeError(Mean):
    """The mean of |y_true - y_pred| / normalizer, 0 where the normalizer is 0."""

    def __init__(self, normalizer: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name or "mean_relative_error", dtype)
        self.normalizer = normalizer

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Adds relative errors."""
        y_true, y_pred = losses.squeezed(y_true, y_pred)
        error = math.abs(cast(y_true, y_pred.dtype) - y_pred)
        relative = math.div_no_nan(error, cast(self.normalizer, y_pred.dtype))
        return super().update_state(relative, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "normalizer": self.normalizer}


acc = ACC = accuracy
_PUBLIC = [
    name
    for name, value in list(globals().items())
    if not name.startswith("_")
    and (
        isinstance(value, type)
        and issubclass(value, Metric)
        or callable(value)
        and not isinstance(value, type)
        and getattr(value, "__module__", "") in (__name__, "minitf.keras.loss_functions")
    )
]
_OBJECTS: dict[str, Any] = {name: globals()[name] for name in _PUBLIC}
_OBJECTS.update(
    Metric=Metric, MeanMetricWrapper=MeanMetricWrapper, MeanTensor=MeanTensor, Reduce=Reduce, Sum=Sum
)


def serialize(metric: Any) -> Any:
    """A metric's config, or a metric function's name."""
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The metric (an object or function) that a config or name stands for. Raises ValueError."""
    return deserialize_keras_object(config, _OBJECTS, custom_objects, "metric function")


def get(identifier: Any) -> Any:
    """A metric from a name, config, class, object or function; None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, str | dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret metric identifier: {identifier}")
