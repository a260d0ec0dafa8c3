"""Weighting the losses of single elements and reducing them to one number."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.graph.collections import GraphKeys
from minitf.graph.scopes import name_scope
from minitf.losses.collected import add_loss
from minitf.ops import math
from minitf.ops.array import cast, rank, size
from minitf.ops.constants import ones_like, range
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.weights import broadcast_weights, checked_weights


class Reduction:
    """How the losses of single elements become one: the values of the `reduction` arguments."""

    NONE = "none"
    SUM = "weighted_sum"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    MEAN = "weighted_mean"
    SUM_BY_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"
    SUM_OVER_NONZERO_WEIGHTS = SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """All of them."""
        return (cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_BY_NONZERO_WEIGHTS)

    @classmethod
    def validate(cls, key: str) -> None:
        """Raises ValueError unless `key` is one of them."""
        if key not in cls.all():
            raise ValueError(f"Invalid Reduction Key {key}. Key should be one of {cls.all()}.")


def _element_count(losses: Any) -> Any:
    with name_scope("num_elements") as scope:
        return cast(size(losses, name=scope), losses.dtype)


def present_count(losses: Any, weights: Any, per_example: bool = False) -> Any:
    """How many of `losses` have weights other than 0 (in each example: of shape (batch, 1, …))."""
    if not per_example and isinstance(weights, float) and weights != 0.0:
        return _element_count(losses)
    with name_scope("num_present"):
        present = cast(math.not_equal(cast(weights, dtypes.float32), np.float32(0)), dtypes.float32)
        present = broadcast_weights(present, losses)
        axis = axes_of_example(losses) if per_example else None
        return reduce_sum(present, axis=axis, keepdims=per_example)


def axes_of_example(x: Any) -> Any:
    """All dimensions but the first, as an integer vector."""
    return range(1, rank(x))


# What the sum of the weighted losses is divided by.
_DIVISORS = {
    Reduction.MEAN: lambda losses, weights: reduce_sum(ones_like(losses) * cast(weights, dtypes.float32)),
    Reduction.SUM_BY_NONZERO_WEIGHTS: present_count,
    Reduction.SUM_OVER_BATCH_SIZE: lambda losses, weights: _element_count(losses),
}


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: Any = GraphKeys.LOSSES,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """`losses` (any shape, floating) times `weights`, reduced to a scalar, which is collected.

    `weights` are a scalar, or have the rank of `losses` with sizes that are 1 or equal. `reduction` says
    what the weighted sum is divided by: by default the number of weights that aren't 0; 0 / 0 counts as 0.
    With `Reduction.NONE` the weighted losses are returned as they are. Arithmetic is done in float32, as in
    TensorFlow; the result has the dtype of `losses`.

    Raises ValueError for weights of another shape and unknown reductions.
    """
    Reduction.validate(reduction)
    with name_scope(scope, "weighted_loss"):
        losses = interpreter().convert(losses, None, None, "losses")
        dtype = losses.dtype
        losses = cast(losses, dtypes.float32)
        checked = checked_weights(weights, losses)
        loss = math.multiply(losses, cast(checked, dtypes.float32))
        if reduction != Reduction.NONE:
            loss = reduce_sum(loss)
        if reduction in _DIVISORS:
            present = _DIVISORS[reduction](losses, weights)
            loss = math.div_no_nan(loss, present, name="value")
        loss = cast(loss, dtype)
        add_loss(loss, loss_collection)
        return loss


@contextmanager
def loss_scope(
    scope: str | None, default: str, dtype: Any = dtypes.float32, **arguments: Any
) -> Iterator[tuple[str, Any, Any]]:
    """Yields the entered name scope and the two `arguments` (labels first) as tensors of one shape.

    Both become `dtype`; with None, the second keeps its own and the labels are cast to it. Raises ValueError
    when an argument is None or the shapes differ.
    """
    for name, value in arguments.items():
        if value is None:
            raise ValueError(f"Argument `{name}` must not be None.")
    labels, outputs = arguments.values()
    with name_scope(scope, default) as entered:
        outputs = interpreter().convert(outputs, None, None, "outputs")
        outputs = outputs if dtype is None else cast(outputs, dtype)
        labels = cast(labels, outputs.dtype.base_dtype)
        outputs.shape.assert_is_compatible_with(labels.shape)
        yield entered, labels, outputs
