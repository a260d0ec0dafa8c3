"""Softmax along the last axis, and cross-entropies with their slopes in one pass.

With m the largest logit of a row and s the sum of exp(logit - m): softmax is exp(logit - m) / s,
log-softmax (logit - m) - log(s); and the cross-entropy of labels p is sum(p * (log(s) - (logit - m))),
its slope softmax - p where the labels sum to 1.

Half precision is worked out in single precision.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.exponential import exp
from minitf.kernels.rows import first_outside
from minitf.kernels.threads import chunk, copy, flat, jit, num_threads, parallel_jit, prange

__all__ = ["cross_entropy", "log_softmax", "softmax", "sparse_cross_entropy"]

Array = np.ndarray

SMALL = 512
"""With fewer values NumPy is fast enough not to load a compiler for."""

PARALLEL = 20_000
"""From so many values on, it pays to use all threads."""


def _compiled_for(logits: Array, *others: Array) -> bool:
    """Whether to leave rows of float32, of one shape, to the compiled loops."""
    return (
        logits.size >= SMALL
        and logits.dtype == np.float32
        and all(other.shape == logits.shape for other in others)
    )


def _over_rows(serial, parallel, logits: Array, *arguments) -> None:
    """Calls `serial(…, first row, stop row)`, or `parallel(…, parts)` where there is enough to do."""
    if logits.size < PARALLEL:
        serial(*arguments, 0, logits.size // logits.shape[-1])
    else:
        parallel(*arguments, num_threads())


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
    if _compiled_for(x):
        out = np.empty(x.shape, x.dtype) if out is None else out
        _over_rows(_softmax_rows, _softmax_all, x, flat(x), out.reshape(-1), x.shape[-1])
        return out
    wide = _wide(x)
    y = _shifted(wide, out if wide is x else None)
    np.exp(y, y)
    np.divide(y, np.add.reduce(y, -1, None, None, True), y)
    return _returned(y, x, out)


def log_softmax(x: Array, out: Array | None = None) -> Array:
    """The logarithm of softmax along the last axis."""
    if _compiled_for(x):
        out = np.empty(x.shape, x.dtype) if out is None else out
        _over_rows(_log_softmax_rows, _log_softmax_all, x, flat(x), out.reshape(-1), x.shape[-1])
        return out
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
    if _compiled_for(logits, labels):
        loss, slope = out or (np.empty(len(logits), logits.dtype), np.empty(logits.shape, logits.dtype))
        arguments = flat(logits), flat(labels), loss, slope.reshape(-1), logits.shape[1]
        _over_rows(_entropy_rows, _entropy_all, logits, *arguments)
        return loss, slope
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
    rows, classes = logits.shape
    _check_labels(labels, rows, classes)
    if _compiled_for(logits):
        loss, slope = out or (np.empty(rows, logits.dtype), np.empty(logits.shape, logits.dtype))
        arguments = flat(logits), labels.astype(np.int64), loss, slope.reshape(-1), classes
        _over_rows(_sparse_entropy_rows, _sparse_entropy_all, logits, *arguments)
        return loss, slope
    loss_out, slope_out = out or (None, None)
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
    outside = first_outside(labels, classes)
    if outside is not None:
        raise ValueError(
            f"Received a label value of {labels[outside]} which is outside the valid range of "
            f"[0, {classes}).  Label values: {' '.join(map(str, labels))}"
        )


# --- compiled ----------------------------------------------------------------------------------------

# A row with NaN becomes NaN whatever its maximum is said to be.

_LANES = 64


@jit
def _largest(x, lanes):
    """The largest of x, found in as many lanes as `lanes` has: compilers do not vectorise a maximum."""
    width = lanes.size
    whole = x.size - x.size % width
    largest = x[x.size - 1]
    if whole:
        copy(lanes, x[:width])
        for first in range(width, whole, width):
            _keep_larger(lanes, x[first : first + width])
        for i in range(width):
            largest = max(largest, lanes[i])
    for i in range(whole, x.size):
        largest = max(largest, x[i])
    return largest


@jit
def _keep_larger(best, x):
    for i in range(best.size):
        best[i] = x[i] if x[i] > best[i] else best[i]


@jit
def _exp_shifted(x, largest, y):
    for i in range(y.size):
        y[i] = exp(x[i] - largest)


@jit(fastmath={"reassoc", "contract"})
def _total(x):
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i]
    return total


@jit
def _exponentials(x, y, lanes):
    """y = exp(x - m); returns m, the largest of x, and the sum of y."""
    largest = _largest(x, lanes)
    _exp_shifted(x, largest, y)
    return largest, _total(y)


@jit
def _softmax_rows(x, y, classes, start, stop):
    lanes = np.empty(_LANES, x.dtype)
    for row in range(start, stop):
        values, chances = (
            x[row * classes : (row + 1) * classes],
            y[row * classes : (row + 1) * classes],
        )
        _, total = _exponentials(values, chances, lanes)
        for i in range(classes):
            chances[i] /= total


@parallel_jit
def _softmax_all(x, y, classes, parts):
    for part in prange(parts):
        start, stop = chunk(x.size // classes, parts, np.int64(part))
        _softmax_rows(x, y, classes, start, stop)


@jit
def _log_softmax_rows(x, y, classes, start, stop):
    lanes = np.empty(_LANES, x.dtype)
    for row in range(start, stop):
        values, results = (
            x[row * classes : (row + 1) * classes],
            y[row * classes : (row + 1) * classes],
        )
        largest, total = _exponentials(values, results, lanes)
        logarithm = np.log(total)
        for i in range(classes):
            results[i] = (values[i] - largest) - logarithm


@parallel_jit
def _log_softmax_all(x, y, classes, parts):
    for part in prange(parts):
        start, stop = chunk(x.size // classes, parts, np.int64(part))
        _log_softmax_rows(x, y, classes, start, stop)


@jit(fastmath={"reassoc", "contract"})
def _entropy(values, chances, largest, logarithm):
    total = values.dtype.type(0)
    for i in range(values.size):
        total += chances[i] * (logarithm - (values[i] - largest))
    return total


@jit
def _entropy_rows(x, labels, loss, slope, classes, start, stop):
    lanes = np.empty(_LANES, x.dtype)
    for row in range(start, stop):
        first, last = row * classes, (row + 1) * classes
        values, chances, slopes = x[first:last], labels[first:last], slope[first:last]
        largest, total = _exponentials(values, slopes, lanes)
        loss[row] = _entropy(values, chances, largest, np.log(total))
        for i in range(classes):
            slopes[i] = slopes[i] / total - chances[i]


@parallel_jit
def _entropy_all(x, labels, loss, slope, classes, parts):
    for part in prange(parts):
        start, stop = chunk(loss.size, parts, np.int64(part))
        _entropy_rows(x, labels, loss, slope, classes, start, stop)


@jit
def _sparse_entropy_rows(x, labels, loss, slope, classes, start, stop):
    lanes = np.empty(_LANES, x.dtype)
    for row in range(start, stop):
        first, last = row * classes, (row + 1) * classes
        values, slopes = x[first:last], slope[first:last]
        largest, total = _exponentials(values, slopes, lanes)
        label = labels[row]
        loss[row] = np.log(total) - (values[label] - largest)
        for i in range(classes):
            slopes[i] /= total
        slopes[label] -= 1


@parallel_jit
def _sparse_entropy_all(x, labels, loss, slope, classes, parts):
    for part in prange(parts):
        start, stop = chunk(loss.size, parts, np.int64(part))
        _sparse_entropy_rows(x, labels, loss, slope, classes, start, stop)
