"""Cross-entropies of logits with labels: softmax, sparse, sigmoid and weighted; and the Poisson loss."""

import math as pymath
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape
from minitf.kernels import softmax as kernels
from minitf.ops import math
from minitf.ops.activation import relu
from minitf.ops.array import cast, expand_dims, identity, reshape, shape, stop_gradient
from minitf.ops.constants import zeros_like
from minitf.ops.math_grad import unbroadcast
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Floating, Index, gradient, interpreter, op
from minitf.ops.select import where
from minitf.ops.shape_rules import broadcast, merge_sizes, require_rank
from minitf.ops.softmax import log_softmax_kernel, moved_to_end, softmax_kernel

# --- the ops -----------------------------------------------------------------------------------------


def _dense_shapes(features, labels):
    require_rank(features, 2)
    require_rank(labels, 2)
    both = broadcast(features, labels)
    return [TensorShape([both.sizes[0]]) if both.rank else TensorShape([None]), both]


@op("SoftmaxCrossEntropyWithLogits", shape=_dense_shapes, takes_none=True)
def dense_kernel(features: Floating, labels: Floating, *, out=None) -> (Floating, Floating):
    """Cross-entropies (N,) of softmax(features) with labels, both (N, C), and their slopes (N, C)."""
    return kernels.cross_entropy(features, labels, out)


def _sparse_shapes(features, labels):
    logits = require_rank(features, 2)
    classes = require_rank(labels, 1)
    rows = merge_sizes(logits.sizes[0], classes.sizes[0])
    return [TensorShape([rows]), TensorShape([rows, logits.sizes[1]])]


@op("SparseSoftmaxCrossEntropyWithLogits", shape=_sparse_shapes, takes_none=True)
def sparse_kernel(features: Floating, labels: Index, *, out=None) -> (Floating, Floating):
    """Cross-entropies (N,) of softmax(features) (N, C) with classes (N,), and their slopes (N, C)."""
    return kernels.sparse_cross_entropy(features, labels, out)


def _to_logits(op, grad_loss, grad_slope):
    """The logits' gradient from those of the loss and of its slope; each may be None."""
    logits, parts = op.inputs[0], []
    if grad_loss is not None:
        parts.append(expand_dims(grad_loss, -1) * op.outputs[1])
    if grad_slope is not None:
        chances = softmax_kernel(logits)
        mean = reduce_sum(grad_slope * chances, 1, keepdims=True)
        parts.append((grad_slope - mean) * chances)
    total = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    return unbroadcast(total, logits)


@gradient(dense_kernel)
def _dense_gradient(op, grad_loss, grad_slope):
    features, labels = op.inputs
    to_labels = None
    if grad_loss is not None:
        to_labels = unbroadcast(expand_dims(grad_loss, -1) * -log_softmax_kernel(features), labels)
    return [_to_logits(op, grad_loss, grad_slope), to_labels]


@gradient(sparse_kernel)
def _sparse_gradient(op, grad_loss, grad_slope):
    return [_to_logits(op, grad_loss, grad_slope), None]


# --- softmax -----------------------------------------------------------------------------------------


def _require_both(function: str, labels: Any, logits: Any) -> None:
    if labels is None or logits is None:
        raise ValueError(
            f"Both `labels` and `logits` must be provided for {function}"
            f"Received: labels={labels} and logits={logits}"
        )


def softmax_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, dim: int = -1, name: str | None = None, axis: int | None = None
) -> Any:
    """As `softmax_cross_entropy_with_logits_v2`, but no gradient flows into `labels`."""
    _require_both("softmax_cross_entropy_with_logits", labels, logits)
    axis = dim if axis is None else axis
    with interpreter().name_scope(name or "softmax_cross_entropy_with_logits_sg") as scope:
        labels = stop_gradient(labels, name="labels_stop_gradient")
        return _dense(labels, logits, axis, scope)


def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None
) -> Any:
    """The cross-entropy between labels and the softmax of logits.

    Args:
      labels: distributions along `axis`; gradients flow into them too.
      logits: unscaled log-chances, of the same shape and dtype (float16, float32 or float64).
      axis: the classes' dimension, the last by default. `dim` is its old name.

    Returns:
      A tensor of the shape of `labels` without dimension `axis`.
    """
    if axis is not None and dim is not None:
        raise ValueError("Cannot specify both 'dim' and 'axis'.")
    axis = dim if axis is None else axis
    with interpreter().name_scope(name or "softmax_cross_entropy_with_logits") as scope:
        return _dense(labels, logits, -1 if axis is None else axis, scope)


def _dense(labels: Any, logits: Any, axis: int, scope: str) -> Any:
    current = interpreter()
    logits = current.convert(logits, None, dtypes.float32, "logits")
    half = logits.dtype.base_dtype == dtypes.float16
    precise = cast(logits, dtypes.float32) if half else logits
    labels = current.convert(labels, None, precise.dtype.base_dtype, "labels")
    labels = cast(labels, precise.dtype.base_dtype)
    if axis not in (-1, (precise.shape.rank or 0) - 1):
        precise, labels = moved_to_end(precise, axis), moved_to_end(labels, axis)
    if precise.shape.rank == labels.shape.rank == 2:
        # `Reshape_2` is what TensorFlow calls the result.
        cost = identity(dense_kernel(precise, labels, name=scope)[0], name="Reshape_2")
    else:
        cost, _ = dense_kernel(_as_matrix(precise), _as_matrix(labels), name=scope)
        cost = reshape(cost, shape(precise)[:-1], name="Reshape_2")
        cost.set_shape(precise.shape[:-1])
    return cast(cost, dtypes.float16) if half else cost


def _as_matrix(x: Any) -> Any:
    """`x` with all dimensions but the last flattened."""
    classes = x.shape.sizes[-1] if x.shape.rank else None
    return reshape(x, [-1, shape(x)[-1] if classes is None else classes])


def sparse_softmax_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """The cross-entropy between classes and the softmax of logits.

    Args:
      labels: the true classes, int32 or int64, of the shape of `logits` without the last dimension.
      logits: unscaled log-chances, (…, classes); float16, float32 or float64.

    Returns:
      A tensor of the shape of `labels` and the dtype of `logits`.

    Raises:
      ValueError: shapes do not fit. InvalidArgumentError, when it runs: a label is no class.
    """
    _require_both("sparse_softmax_cross_entropy_with_logits", labels, logits)
    current = interpreter()
    with current.name_scope(name or "SparseSoftmaxCrossEntropyWithLogits"):
        labels = current.convert(labels, None, None, "labels")
        logits = current.convert(logits, None, dtypes.float32, "logits")
        _check_sparse(labels, logits)
        half = logits.dtype.base_dtype == dtypes.float16
        precise = cast(logits, dtypes.float32) if half else logits
        if logits.shape.rank == 2:
            cost, _ = sparse_kernel(precise, labels)
        else:
            cost, _ = sparse_kernel(_as_matrix(precise), reshape(labels, [-1]))
            cost = reshape(cost, shape(labels))
            cost.set_shape(labels.shape)
        return cast(cost, dtypes.float16) if half else cost


def _check_sparse(labels: Any, logits: Any) -> None:
    of_labels, of_logits = labels.shape, logits.shape
    if of_logits.rank == 0:
        raise ValueError(f"`logits` cannot be a scalar. Received logits={logits}`")
    if None not in (of_labels.rank, of_logits.rank) and of_labels.rank != of_logits.rank - 1:
        raise ValueError(
            f"`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape={of_labels} "
            f"of rank {of_labels.rank} and logits.shape={of_logits} of rank {of_logits.rank}"
        )
    if not of_labels.is_compatible_with(of_logits[:-1]):
        raise ValueError(
            f"`labels.shape` must equal `logits.shape` except for the last dimension. "
            f"Received: labels.shape={of_labels} and logits.shape={of_logits}"
        )


# --- sigmoid and others ------------------------------------------------------------------------------


def _same_shapes(logits: Any, labels: Any) -> None:
    if not labels.shape.is_compatible_with(logits.shape):
        raise ValueError(
            f"`logits` and `labels` must have the same shape, received ({logits.shape} vs {labels.shape})."
        )


def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Any:
    """The cross-entropy of independent chances sigmoid(logits) with labels in [0, 1], elementwise.

    With x = logits and z = labels: max(x, 0) - x * z + log(1 + exp(-|x|)), which never overflows.
    Raises ValueError when the shapes differ.
    """
    _require_both("sigmoid_cross_entropy_with_logits", labels, logits)
    current = interpreter()
    with current.name_scope(name or "logistic_loss") as scope:
        logits = current.convert(logits, None, dtypes.float32, "logits")
        labels = current.convert(labels, None, logits.dtype.base_dtype, "labels")
        _same_shapes(logits, labels)
        # Chosen by the sign rather than by max and abs, so that the slope at 0 is that of both sides.
        positive = math.greater_equal(logits, zeros_like(logits, name="zeros_like"))
        above = where(positive, logits, zeros_like(logits))
        below = where(positive, -logits, logits)
        return math.add(above - logits * labels, math.log1p(math.exp(below)), name=scope)


def weighted_cross_entropy_with_logits(
    labels: Any = None,
    logits: Any = None,
    pos_weight: Any = None,
    name: str | None = None,
    targets: Any = None,
) -> Any:
    """As `sigmoid_cross_entropy_with_logits`, with `pos_weight` on the positive labels' part.

    With l = 1 + (pos_weight - 1) * labels: (1 - labels) * x + l * (log(1 + exp(-|x|)) + max(-x, 0)).
    `targets` is the old name of `labels`. Raises ValueError when the shapes differ.
    """
    if labels is not None and targets is not None:
        raise ValueError("Cannot specify both 'targets' and 'labels'.")
    labels = targets if labels is None else labels
    _require_both("weighted_cross_entropy_with_logits", labels, logits)
    current = interpreter()
    with current.name_scope(name or "logistic_loss") as scope:
        logits = current.convert(logits, None, dtypes.float32, "logits")
        labels = current.convert(labels, None, logits.dtype.base_dtype, "targets")
        _same_shapes(logits, labels)
        one = np.ones((), logits.dtype.base_dtype.numpy_dtype)
        pos_weight = current.convert(pos_weight, None, logits.dtype.base_dtype, "pos_weight")
        weight = one + (pos_weight - one) * labels
        tail = math.log1p(math.exp(-math.abs(logits))) + relu(-logits)
        return math.add((one - labels) * logits, weight * tail, name=scope)


def log_poisson_loss(
    targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None
) -> Any:
    """The negative log-likelihood of counts `targets` under Poisson rates exp(`log_input`), elementwise.

    exp(c) - z * c, without the term log(z!), for which Stirling's approximation stands in with
    `compute_full_loss`. Raises ValueError when the shapes differ.
    """
    current = interpreter()
    with current.name_scope(name or "log_poisson_loss") as scope:
        log_input = current.convert(log_input, None, dtypes.float32, "log_input")
        targets = current.convert(targets, None, log_input.dtype.base_dtype, "targets")
        if not targets.shape.is_compatible_with(log_input.shape):
            raise ValueError(
                "`log_input` and `targets` must have the same shape, received "
                f"({log_input.shape} vs {targets.shape})."
            )
        if not compute_full_loss:
            return math.subtract(math.exp(log_input), log_input * targets, name=scope)
        number = log_input.dtype.base_dtype.numpy_dtype.type
        result = math.exp(log_input) - log_input * targets
        stirling = targets * math.log(targets) - targets
        stirling += number(0.5) * math.log(number(2 * pymath.pi) * targets)
        # 0! and 1! are 1; the approximation is for larger counts.
        small = math.logical_and(
            math.greater_equal(targets, zeros_like(targets)), math.less_equal(targets, number(1))
        )
        return result + where(small, zeros_like(targets), stirling)
