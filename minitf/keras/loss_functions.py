"""Loss functions: one loss per sample, averaged over the last dimension.

Formulas: https://www.tensorflow.org/api_docs/python/tf/keras/losses.
"""

import warnings
from typing import Any

from minitf.framework import dtypes
from minitf.keras.engine import state
from minitf.ops import activation as activations
from minitf.ops import cross_entropy, math
from minitf.ops.array import cast, reshape, squeeze, transpose
from minitf.ops.clip import clip_by_value
from minitf.ops.control import cond
from minitf.ops.norm import l2_normalize
from minitf.ops.reduce import reduce_all, reduce_max, reduce_mean, reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.select import where_v2


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = interpreter().convert(y_pred, None)
    y_true = interpreter().convert(y_true, None)
    return cast(y_true, y_pred.dtype), y_pred


def _number(value: float, like: Any) -> Any:
    return cast(value, like.dtype.base_dtype)


def _epsilon(like: Any) -> Any:
    return _number(state.epsilon(), like)


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of (y_pred - y_true)²."""
    y_true, y_pred = _pair(y_true, y_pred)
    return reduce_mean(math.squared_difference(y_pred, y_true), -1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of |y_pred - y_true|."""
    y_true, y_pred = _pair(y_true, y_pred)
    return reduce_mean(math.abs(y_pred - y_true), -1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 times the mean of |(y_true - y_pred) / y_true|."""
    y_true, y_pred = _pair(y_true, y_pred)
    relative = math.abs((y_true - y_pred) / math.maximum(math.abs(y_true), _epsilon(y_pred)))
    return _number(100.0, y_pred) * reduce_mean(relative, -1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of (log(y_true + 1) - log(y_pred + 1))²."""
    y_true, y_pred = _pair(y_true, y_pred)
    one, least = _number(1.0, y_pred), _epsilon(y_pred)
    logs = [math.log(math.maximum(y, least) + one) for y in (y_pred, y_true)]
    return reduce_mean(math.squared_difference(*logs), -1)


def _signs(y_true: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; other labels as they are."""
    zero, one = _number(0.0, y_true), _number(1.0, y_true)
    binary = reduce_all(math.logical_or(math.equal(y_true, zero), math.equal(y_true, one)))
    return cond(binary, lambda: _number(2.0, y_true) * y_true - one, lambda: y_true)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of max(1 - y_true * y_pred, 0); labels are -1 and 1, or 0 and 1."""
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _signs(y_true)
    zero, one = _number(0.0, y_pred), _number(1.0, y_pred)
    return reduce_mean(math.maximum(one - y_true * y_pred, zero), -1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of max(1 - y_true * y_pred, 0)²."""
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _signs(y_true)
    zero, one = _number(0.0, y_pred), _number(1.0, y_pred)
    return reduce_mean(math.square(math.maximum(one - y_true * y_pred, zero)), -1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(1 + the best wrong score - the right one, 0); targets are one-hot."""
    y_true, y_pred = _pair(y_true, y_pred)
    zero, one = _number(0.0, y_pred), _number(1.0, y_pred)
    right = reduce_sum(y_true * y_pred, -1)
    wrong = reduce_max((one - y_true) * y_pred, -1)
    return math.maximum(wrong - right + one, zero)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Squared error / 2 up to `delta`, linear beyond."""
    y_pred = cast(interpreter().convert(y_pred, None), state.floatx())  # whatever it was
    y_true, y_pred = _pair(y_true, y_pred)
    error = math.abs(y_pred - y_true)
    delta, half = _number(delta, y_pred), _number(0.5, y_pred)
    small = math.less_equal(error, delta)
    return reduce_mean(
        where_v2(small, half * math.square(error), delta * error - half * math.square(delta)), -1
    )


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """The mean of log(cosh(y_pred - y_true))."""
    y_true, y_pred = _pair(y_true, y_pred)
    x = y_pred - y_true
    two = _number(2.0, y_pred)
    return reduce_mean(x + activations.softplus(-two * x) - math.log(two), -1)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """The sum of y_true * log(y_true / y_pred)."""
    y_true, y_pred = _pair(y_true, y_pred)
    one = _number(1.0, y_pred)
    y_true, y_pred = (clip_by_value(y, _epsilon(y_pred), one) for y in (y_true, y_pred))
    return reduce_sum(y_true * math.log(y_true / y_pred), -1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """The mean of y_pred - y_true * log(y_pred)."""
    y_true, y_pred = _pair(y_true, y_pred)
    return reduce_mean(y_pred - y_true * math.log(y_pred + _epsilon(y_pred)), -1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between target and prediction."""
    y_true, y_pred = _pair(y_true, y_pred)
    return -reduce_sum(l2_normalize(y_true, axis) * l2_normalize(y_pred, axis), axis)


def _smoothed(y_true: Any, smoothing: float, classes: Any) -> Any:
    if not smoothing:
        return y_true
    one, s = _number(1.0, y_true), _number(smoothing, y_true)
    return y_true * (one - s) + s / cast(classes, y_true.dtype)


def _logits(y_pred: Any, from_logits: bool, activation: str, loss: str) -> Any:
    """The predictions as logits, or None if they are but probabilities.

    Keras's own activations leave their input on their output, which then counts (of whatever kind: so does
    Keras). Else it is the input of the op `activation`, seen through the identities that layers add.
    """
    left = getattr(y_pred, "_keras_logits", None)
    op = getattr(y_pred, "op", None)
    while op is not None and op.type == "Identity" and op.inputs:
        op = op.inputs[0].op
    made_by_activation = op is not None and op.type == activation
    if from_logits and (left is not None or made_by_activation):
        warnings.warn(
            f"`{loss}` received `from_logits=True`, but the `output` argument was produced by a {activation} "
            "activation and thus does not represent logits. Was this intended?",
            stacklevel=3,
        )
    if left is not None:
        return left
    if from_logits:
        return y_pred
    return op.inputs[0] if made_by_activation else None


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0, axis: int = -1
) -> Any:
    """-sum of y_true * log(y_pred) along `axis`; targets are one-hot, predictions probabilities or logits."""
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, y_true.shape.sizes[-1] if label_smoothing else 1)
    if not y_true.shape.is_compatible_with(y_pred.shape):
        shapes = [tuple(t.shape.as_list()) for t in (y_true, y_pred)]
        raise ValueError(f"Shapes {shapes[0]} and {shapes[1]} are incompatible")
    logits = _logits(y_pred, from_logits, "Softmax", "categorical_crossentropy")
    if logits is not None and (from_logits or axis in (-1, (y_pred.shape.rank or 0) - 1)):
        return cross_entropy.softmax_cross_entropy_with_logits_v2(labels=y_true, logits=logits, axis=axis)
    y_pred = y_pred / reduce_sum(y_pred, axis, keepdims=True)
    y_pred = clip_by_value(y_pred, _epsilon(y_pred), _number(1.0 - state.epsilon(), y_pred))
    return -reduce_sum(y_true * math.log(y_pred), axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """-log of the probability (or logit) of the class that y_true names; 0 where that is `ignore_class`."""
    y_pred = interpreter().convert(y_pred, None)
    y_true = interpreter().convert(y_true, None)
    logits = _logits(y_pred, from_logits, "Softmax", "sparse_categorical_crossentropy")
    if logits is None:
        logits = math.log(clip_by_value(y_pred, _epsilon(y_pred), _number(1.0 - state.epsilon(), y_pred)))
    count = logits.shape.rank
    if axis not in (-1, (count or 0) - 1):
        order = [i for i in range(count) if i != axis % count] + [axis % count]
        logits = transpose(logits, order)
    if y_true.shape.rank is not None and y_true.shape.rank == count and y_true.shape.sizes[-1] in (1, None):
        y_true = squeeze(y_true, [-1])
    labels = cast(y_true, dtypes.int64)
    if count == 2:
        labels = reshape(labels, [-1])
    if ignore_class is None:
        return cross_entropy.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    valid = math.not_equal(labels, cast(ignore_class, dtypes.int64))
    labels = labels * cast(valid, dtypes.int64)
    values = cross_entropy.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return values * cast(valid, values.dtype)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0, axis: int = -1
) -> Any:
    """The mean of -y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred)."""
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2)
    logits = _logits(y_pred, from_logits, "Sigmoid", "binary_crossentropy")
    if logits is not None:
        each = cross_entropy.sigmoid_cross_entropy_with_logits(labels=y_true, logits=logits)
        return reduce_mean(each, axis)
    one, least = _number(1.0, y_pred), _epsilon(y_pred)
    y_pred = clip_by_value(y_pred, least, one - least)
    positive = y_true * math.log(y_pred + least)
    return reduce_mean(-(positive + (one - y_true) * math.log(one - y_pred + least)), axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary cross-entropy that counts easy samples less (Lin et al. 2018)."""
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing, 2)
    if from_logits:
        y_pred = math.sigmoid(y_pred)
    one, least = _number(1.0, y_pred), _epsilon(y_pred)
    clipped = clip_by_value(y_pred, least, one - least)
    each = -(y_true * math.log(clipped + least) + (one - y_true) * math.log(one - clipped + least))
    right = y_true * y_pred + (one - y_true) * (one - y_pred)
    each = math.pow(one - right, _number(gamma, y_pred)) * each
    if apply_class_balancing:
        a = _number(alpha, y_pred)
        each = (y_true * a + (one - y_true) * (one - a)) * each
    return reduce_mean(each, axis)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
huber_loss = huber
bce = BCE = binary_crossentropy
cosine_proximity = cosine = cosine_similarity
