"""Softmax along the last axis, and cross-entropies with their slopes in one pass.

With m the largest logit of a row and s the sum of exp(logit - m): softmax is exp(logit - m) / s,
log-softmax (logit - m) - log(s); and the cross-entropy of labels p is sum(p * (log(s) - (logit - m))),
its slope softmax - p where the labels sum to 1.

Half precision is worked out in single precision.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

__all__ = ["cross_entropy", "log_softmax", "softmax", "sparse_cross_entropy"]

Array = np.ndarray


def _wide(x: Array) -> Array:
    return x.astype(np.float32) if x.dtype == np.float16 else x


def _shifted(x: Array, out: Array | None = None) -> Array:
    """The logits less the largest of their row."""
    largest = np.maximum.reduce(x, -1, None, None, True, initial=-np.inf)
    return np.subtract(x, largest, out)


def _returned(values: Array, like: Array, out: Array | None) -> Array:
    """`values` in `like`'s dtype, in `out` if that is given."""
    if out is None:
        return values.astype(like.dtype, copy=False)
    if values is not out:
        np.copyto(out, values, casting="same_kind")
    return out


def softmax(x: Array, out: Array | None = None) -> Array:
    """exp(x) over its sum along the last axis."""
    wide = _wide(x)
    y = _shifted(wide, out if wide is x else None)
    np.exp(y, y)
    np.divide(y, np.add.reduce(y, -1, None, None, True), y)
    return _returned(y, x, out)


def log_softmax(x: Array, out: Array | None = None) -> Array:
    """The logarithm of softmax along the last axis."""
    wide = _wide(x)
    y = _shifted(wide, out if wide is x else None)
    np.subtract(y, np.log(np.add.reduce(np.exp(y), -1, None, None, True)), y)
    return _returned(y, x, out)


def cross_entropy(
    logits: Array, labels: Array, out: tuple[Array, Array] | None = None
) -> tuple[Array, Array]:
    """The cross-entropy of each row, and its slope with respect to the logits.

    Args:
      logits: (N, C).
      labels: (N, C), of the same dtype; each row a distribution.
      out: where to put the two results.

    Returns:
      Arrays (N,) and (N, C); the operands broadcast.
    """
    loss_out, slope_out = out or (None, None)
    x, labels_wide = _wide(logits), _wide(labels)
    shifted = _shifted(x)
    slope = np.exp(shifted)
    total = np.add.reduce(slope, -1, None, None, True)
    np.subtract(np.log(total), shifted, shifted)
    loss = np.add.reduce(labels_wide * shifted, -1)
    slope = np.divide(slope, total, slope) - labels_wide
    return _returned(loss, logits, loss_out), _returned(slope, logits, slope_out)


def sparse_cross_entropy(
    logits: Array, labels: Array, out: tuple[Array, Array] | None = None
) -> tuple[Array, Array]:
    """The cross-entropy of each row with one true class, and its slope.

    Args:
      logits: (N, C).
      labels: (N,), integers.
      out: where to put the two results.

    Returns:
      Arrays (N,) and (N, C).

    Raises:
      ValueError: a label is no class, or there are no classes.
    """
    loss_out, slope_out = out or (None, None)
    rows, classes = logits.shape
    _check_labels(labels, rows, classes)
    x = _wide(logits)
    shifted = _shifted(x)
    own = np.arange(rows), labels
    chosen = shifted[own]
    slope = np.exp(shifted, shifted)
    total = np.add.reduce(slope, -1, None, None, True)
    loss = np.log(total[:, 0]) - chosen
    np.divide(slope, total, slope)
    slope[own] -= 1
    return _returned(loss, logits, loss_out), _returned(slope, logits, slope_out)


def _check_labels(labels: Array, rows: int, classes: int) -> None:
    if classes == 0:
        raise ValueError(f"Must have at least one class, but got logits shape [{rows},0]")
    if not rows:
        return
    if labels.min() < 0 or labels.max() >= classes:
        first = labels[(labels < 0) | (labels >= classes)][0]
        raise ValueError(
            f"Received a label value of {first} which is outside the valid range of [0, {classes}).  "
            f"Label values: {' '.join(map(str, labels))}"
        )
