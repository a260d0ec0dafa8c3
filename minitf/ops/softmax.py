"""Softmax and log-softmax along any axis."""

from typing import Any

import numpy as np

from minitf.kernels import softmax as kernels
from minitf.ops import constants, math
from minitf.ops.array import rank, transpose
from minitf.ops.join import concat
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Floating, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value, require_rank_at_least


def _logits_shape(logits):
    return require_rank_at_least(logits, 1)


@op("Softmax", shape=_logits_shape)
def softmax_kernel(logits: Floating, *, out=None) -> Floating:
    """exp(logits) over its sum along the last axis."""
    return kernels.softmax(logits, out)


@op("LogSoftmax", shape=_logits_shape)
def log_softmax_kernel(logits: Floating, *, out=None) -> Floating:
    """logits - log(sum of exp(logits) along the last axis)."""
    return kernels.log_softmax(logits, out)


@gradient(softmax_kernel)
def _softmax_gradient(op, grad):
    y = op.outputs[0]
    return (grad - _row_sums(grad * y)) * y


@gradient(log_softmax_kernel)
def _log_softmax_gradient(op, grad):
    return grad - _row_sums(grad) * math.exp(op.outputs[0])


def _row_sums(x):
    return reduce_sum(x, -1, keepdims=True)


def _along(kernel: Any, axis: Any, logits: Any, name: str | None) -> Any:
    """Applies a function of the last axis along `axis`."""
    current = interpreter()
    logits = current.convert(logits, None, None, "logits")
    count = logits.shape.rank
    axis = -1 if axis is None else int(axis if isinstance(axis, int) else constant_value(axis))
    if count and not -count <= axis < count:
        raise ValueError(
            f"`dim` must be in the range [{-count}, {count}) where {count} is the number of dimensions in "
            f"the input. Received: dim={axis}"
        )
    if axis == -1 or axis + 1 == count:
        return kernel(logits, name=name)
    with current.name_scope(name or kernel.definition.name) as scope:
        order = _swapped_with_last(logits, axis)
        return transpose(kernel(transpose(logits, order)), order, name=scope)


def _swapped_with_last(x: Any, axis: int) -> Any:
    """The permutation that swaps dimension `axis` of `x` with the last."""
    count = x.shape.rank
    if count is not None:
        order = list(range(count))
        order[axis], order[-1] = order[-1], order[axis]
        return np.array(order, np.int32)
    count, place = _counted_from_front(x, axis)
    last = count - 1
    return concat([constants.range(place), [last], constants.range(place + 1, last), [place]], 0)


def moved_to_end(x: Any, axis: int) -> Any:
    """`x` with dimension `axis` after all others."""
    count = x.shape.rank
    if count is not None:
        order = [*range(count)]
        order.append(order.pop(axis))
        return transpose(x, np.array(order, np.int32))
    count, place = _counted_from_front(x, axis)
    return transpose(x, concat([constants.range(place), constants.range(place + 1, count), [place]], 0))


def _counted_from_front(x: Any, axis: int) -> tuple[Any, Any]:
    count = rank(x)
    return count, count + axis if axis < 0 else axis


def softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """exp(logits) over its sum along `axis` (the last by default; `dim` is its old name).

    Raises ValueError when `axis` is outside [-rank, rank).
    """
    return _along(softmax_kernel, _one_axis(axis, dim), logits, name)


def log_softmax(logits: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """The logarithm of `tf.nn.softmax`, exact where that is close to 0.

    Raises ValueError when `axis` is outside [-rank, rank).
    """
    return _along(log_softmax_kernel, _one_axis(axis, dim), logits, name)


def _one_axis(axis: Any, dim: Any) -> Any:
    if axis is not None and dim is not None:
        raise ValueError("Cannot specify both 'dim' and 'axis'.")
    return dim if axis is None else axis
