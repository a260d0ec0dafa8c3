"""Losses of predicted classes and probabilities."""

from typing import Any

from minitf.graph.collections import GraphKeys
from minitf.graph.scopes import name_scope
from minitf.losses.weighted import Reduction, compute_weighted_loss, loss_scope
from minitf.ops import math
from minitf.ops.activation import relu
from minitf.ops.array import cast, shape, stop_gradient
from minitf.ops.constants import ones_like
from minitf.ops.cross_entropy import (
    sigmoid_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2,
    sparse_softmax_cross_entropy_with_logits,
)
from minitf.ops.registry import interpreter
from minitf.ops.weights import remove_squeezable_dimensions, squeeze_to_rank


def hinge_loss(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """max(0, 1 - y · logits), y being 1 for the label 1 and -1 for 0; see `compute_weighted_loss`."""
    with loss_scope(scope, "hinge_loss", labels=labels, logits=logits) as (scope, labels, logits):
        ones = ones_like(labels)
        signs = math.subtract(2 * labels, ones)
        losses = relu(math.subtract(ones, math.multiply(signs, logits)))
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def log_loss(
    labels: Any,
    predictions: Any,
    weights: Any = 1.0,
    epsilon: float = 1e-7,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The cross-entropy of probabilities `predictions`; `epsilon` is added before each logarithm.

    Weighted and reduced as `compute_weighted_loss` says.
    """
    with loss_scope(scope, "log_loss", labels=labels, predictions=predictions) as tensors:
        scope, labels, predictions = tensors
        positive = math.multiply(labels, math.log(predictions + epsilon))
        negative = math.multiply(1 - labels, math.log(1 - predictions + epsilon))
        return compute_weighted_loss(-positive - negative, weights, scope, loss_collection, reduction)


def sigmoid_cross_entropy(
    multi_class_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The cross-entropy of independent yes-or-no `logits`, of any shape; see `compute_weighted_loss`.

    `label_smoothing` moves the labels that far from 0 and 1 towards 1 / 2.
    """
    arguments = {"multi_class_labels": multi_class_labels, "logits": logits}
    with loss_scope(scope, "sigmoid_cross_entropy_loss", None, **arguments) as (scope, labels, logits):
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def softmax_cross_entropy(
    onehot_labels: Any,
    logits: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The cross-entropy of the softmax of `logits` (batch, classes) with `onehot_labels` of that shape.

    No gradient flows to the labels. `label_smoothing` moves them that far towards 1 / classes. Weighted (by a
    scalar or one weight per example) and reduced as `compute_weighted_loss` says.
    """
    arguments = {"onehot_labels": onehot_labels, "logits": logits}
    with loss_scope(scope, "softmax_cross_entropy_loss", None, **arguments) as (scope, labels, logits):
        if label_smoothing > 0:
            classes = cast(shape(labels)[-1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        labels = stop_gradient(labels, name="labels_stop_gradient")
        losses = softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)


def sparse_softmax_cross_entropy(
    labels: Any,
    logits: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """The cross-entropy of the softmax of `logits` (…, classes) with integer `labels` (…) or (…, 1).

    Weighted (by a scalar or one weight per label) and reduced as `compute_weighted_loss` says.
    """
    for name, value in {"labels": labels, "logits": logits}.items():
        if value is None:
            raise ValueError(f"Argument `{name}` must not be None.")
    with name_scope(scope, "sparse_softmax_cross_entropy_loss") as scope:
        labels, logits = remove_squeezable_dimensions(labels, logits, expected_rank_diff=1)
        if not isinstance(weights, float):
            weights = squeeze_to_rank(interpreter().convert(weights, None, None, "weights"), labels)
        losses = sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, scope, loss_collection, reduction)
