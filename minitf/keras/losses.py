"""Losses: classes that reduce the values of a function of targets and predictions to a number.

Formulas: https://www.tensorflow.org/api_docs/python/tf/keras/losses.
"""

from collections.abc import Callable
from typing import Any

from minitf.framework import dtypes
from minitf.keras import loss_functions
from minitf.keras.loss_functions import (  # noqa: F401 - named here for users
    BCE,
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    bce,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine,
    cosine_proximity,
    cosine_similarity,
    hinge,
    huber,
    huber_loss,
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
)  # fmt: skip
from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, size, squeeze
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import interpreter


class Reduction:
    """How a loss's values become one."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """The reductions that there are."""
        return cls.AUTO, cls.NONE, cls.SUM, cls.SUM_OVER_BATCH_SIZE

    @classmethod
    def validate(cls, key: str) -> None:
        """Raises ValueError for an unknown reduction."""
        if key not in cls.all():
            raise ValueError(f'Invalid Reduction Key: {key}. Expected keys are "{cls.all()}"')


def compute_weighted_loss(
    values: Any, sample_weight: Any = None, reduction: str = "sum_over_batch_size"
) -> Any:
    """Losses times weights, reduced."""
    if sample_weight is not None:
        sample_weight = cast(interpreter().convert(sample_weight, None), values.dtype)
        values = broadcast_weights(values, sample_weight)
    if reduction == Reduction.NONE:
        return values
    total = reduce_sum(values)
    if reduction == Reduction.SUM:
        return total
    return math.div_no_nan(total, cast(size(values), total.dtype))


def broadcast_weights(values: Any, weight: Any) -> Any:
    """values * weight, the ranks made to agree as Keras does."""
    ranks = values.shape.rank, weight.shape.rank
    if None not in ranks and ranks[1] != 0:
        last = weight.shape.sizes[-1]
        if ranks[1] == ranks[0] + 1 and (last == 1 or last is None and ranks[0]):
            weight = squeeze(weight, [-1])
        elif ranks[0] == ranks[1] + 1:
            weight = expand_dims(weight, -1)
        elif ranks[0] > ranks[1]:
            for _ in range(ranks[0] - ranks[1]):
                weight = expand_dims(weight, -1)
    return values * weight


class Loss:
    """Base of losses: `call(y_true, y_pred)` gives one loss per sample, `reduction` what becomes of them.

    Raises ValueError for an unknown reduction.
    """

    def __init__(self, reduction: str = Reduction.AUTO, name: str | None = None) -> None:
        Reduction.validate(reduction)
        self.reduction = reduction
        self.name = name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss: a scalar, unless the reduction is 'none'."""
        with interpreter().name_scope(_scope_name(self.name or type(self).__name__.lower())):
            y_true, y_pred = squeezed(y_true, y_pred)
            values = self.call(y_true, y_pred)
            reduction = self.reduction
            if reduction == Reduction.AUTO:
                reduction = Reduction.SUM_OVER_BATCH_SIZE
            return compute_weighted_loss(values, sample_weight, reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One loss per sample."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Loss":
        """A loss made from what `get_config` returned."""
        return cls(**config)


def _scope_name(name: str) -> str:
    return "lambda" if name == "<lambda>" else name.strip("_")


def squeezed(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as tensors, the targets without a last dimension of 1 that the predictions lack."""
    y_pred, y_true = interpreter().convert(y_pred, None), interpreter().convert(y_true, None)
    ranks = y_true.shape.rank, y_pred.shape.rank
    if None not in ranks and ranks[0] == ranks[1] + 1 and y_true.shape.sizes[-1] == 1:
        y_true = squeeze(y_true, [-1])
    return y_true, y_pred


class LossFunctionWrapper(Loss):
    """A loss function as a Loss; further keywords are passed to the function."""

    def __init__(self, fn: Callable, reduction: str = Reduction.AUTO, name: str | None = None, **kwargs: Any):
        super().__init__(reduction, name)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One loss per sample."""
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal loss."""
        return {**super().get_config(), **self._fn_kwargs}


def _class_of(class_name: str, fn: Callable, default_name: str, **options: Any) -> type[Loss]:
    """The Loss class of a function; `options` are its keywords with their defaults."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = [*options, "reduction", "name"]
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        unknown = given.keys() - set(names)
        if unknown or len(args) > len(names):
            raise TypeError(f"{class_name}() got an unexpected keyword argument {sorted(unknown)}")
        reduction = given.pop("reduction", Reduction.AUTO)
        name = given.pop("name", default_name)
        LossFunctionWrapper.__init__(self, fn, reduction, name, **{**options, **given})
        for key, value in self._fn_kwargs.items():
            setattr(self, key, value)

    body = {"__init__": __init__, "__doc__": fn.__doc__, "__module__": __name__}
    return type(class_name, (LossFunctionWrapper,), body)


MeanSquaredError = _class_of("MeanSquaredError", mean_squared_error, "mean_squared_error")
MeanAbsoluteError = _class_of("MeanAbsoluteError", mean_absolute_error, "mean_absolute_error")
MeanAbsolutePercentageError = _class_of(
    "MeanAbsolutePercentageError", mean_absolute_percentage_error, "mean_absolute_percentage_error"
)
MeanSquaredLogarithmicError = _class_of(
    "MeanSquaredLogarithmicError", mean_squared_logarithmic_error, "mean_squared_logarithmic_error"
)
BinaryCrossentropy = _class_of(
    "BinaryCrossentropy", binary_crossentropy, "binary_crossentropy", from_logits=False,
    label_smoothing=0.0, axis=-1,
)  # fmt: skip
BinaryFocalCrossentropy = _class_of(
    "BinaryFocalCrossentropy", binary_focal_crossentropy, "binary_focal_crossentropy",
    apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
)  # fmt: skip
CategoricalCrossentropy = _class_of(
    "CategoricalCrossentropy", categorical_crossentropy, "categorical_crossentropy", from_logits=False,
    label_smoothing=0.0, axis=-1,
)  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """-log of the probability (or logit) of the class that y_true names."""

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str = Reduction.AUTO,
        name: str = "sparse_categorical_crossentropy",
    ) -> None:
        if isinstance(ignore_class, str):  # Keras 2.4: (from_logits, reduction, name)
            named = reduction not in Reduction.all()
            ignore_class, reduction, name = None, ignore_class, reduction if named else name
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, from_logits=from_logits,
            ignore_class=ignore_class,
        )  # fmt: skip
        self.from_logits, self.ignore_class = from_logits, ignore_class

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss; a mean is one over the samples that are not of the class to ignore."""
        if self.ignore_class is not None:
            y_true, y_pred = squeezed(y_true, y_pred)
            valid = math.not_equal(cast(y_true, dtypes.int64), cast(self.ignore_class, dtypes.int64))
            weight = cast(valid, y_pred.dtype)
            if self.reduction in (Reduction.AUTO, Reduction.SUM_OVER_BATCH_SIZE):
                weight = weight * cast(size(weight), weight.dtype) / reduce_sum(weight)
            sample_weight = (
                weight
                if sample_weight is None
                else broadcast_weights(weight, cast(interpreter().convert(sample_weight, None), weight.dtype))
            )
        return super().__call__(y_true, y_pred, sample_weight)


Hinge = _class_of("Hinge", hinge, "hinge")
SquaredHinge = _class_of("SquaredHinge", squared_hinge, "squared_hinge")
CategoricalHinge = _class_of("CategoricalHinge", categorical_hinge, "categorical_hinge")
Poisson = _class_of("Poisson", poisson, "poisson")
LogCosh = _class_of("LogCosh", log_cosh, "log_cosh")
KLDivergence = _class_of("KLDivergence", kl_divergence, "kl_divergence")
Huber = _class_of("Huber", huber, "huber_loss", delta=1.0)
CosineSimilarity = _class_of("CosineSimilarity", cosine_similarity, "cosine_similarity", axis=-1)

_OBJECTS: dict[str, Any] = {
    name: value
    for name, value in vars(loss_functions).items()
    if getattr(value, "__module__", "") == loss_functions.__name__
}
_OBJECTS.update(
    (name, value) for name, value in globals().items() if isinstance(value, type) and issubclass(value, Loss)
)


def serialize(loss: Any) -> Any:
    """A loss's config, or a loss function's name."""
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict | None = None) -> Any:
    """The loss (an object or function) that a config or name stands for. Raises ValueError."""
    return deserialize_keras_object(name, _OBJECTS, custom_objects, "loss function")


def get(identifier: Any) -> Any:
    """A loss from a name, config, class, object or function; None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, str | dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret loss function identifier: {identifier}")
