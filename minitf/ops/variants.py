"""Tensors whose value is a Python object: stacks that loops keep, and the elements of TensorArrays.

None is the zero among them: what it is added to stays as it is.
"""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import SCALAR
from minitf.ops.registry import Types, gradient, not_differentiable, op

Variant = Types("Variant", (dtypes.variant,))


@op("EmptyVariant", shape=lambda: SCALAR, stateful=True)
def empty_variant() -> dtypes.variant:
    """The zero."""
    return None


not_differentiable(empty_variant)


@op("ZerosLikeVariant", shape=lambda like: SCALAR)
def zeros_like_variant(like: Variant) -> dtypes.variant:
    """A stack of zeros like the items of a stack; the zero for anything else."""
    return _zeros_like(like)


def _zeros_like(value: Any) -> Any:
    if isinstance(value, tuple):
        return _stack([_zeros_like(item) for item in _items(value)])
    return (
        np.zeros(np.shape(value), np.asarray(value).dtype)
        if isinstance(value, np.ndarray | np.generic)
        else None
    )


not_differentiable(zeros_like_variant)


@op("AddVariants", shape=lambda inputs: SCALAR)
def add_variants(inputs: [Variant]) -> Variant:
    """The sum of several variants, item by item."""
    total = inputs[0]
    for other in inputs[1:]:
        total = added(total, other)
    return total


@gradient(add_variants)
def _add_variants(op, grad):
    return [grad] * len(op.inputs)


def added(first: Any, second: Any) -> Any:
    """The sum of two variants' values, or of two arrays that are items of them."""
    if first is None or second is None:
        return second if first is None else first
    if not isinstance(first, tuple):
        return first + second
    return _stack([added(a, b) for a, b in zip(_items(first), _items(second), strict=True)])


def _items(stack: tuple | None) -> list[Any]:
    """The items of a stack, the top one first."""
    items = []
    while stack is not None:
        stack, item = stack
        items.append(item)
    return items


def _stack(items: list[Any]) -> tuple | None:
    stack = None
    for item in reversed(items):
        stack = (stack, item)
    return stack


def is_variant(tensor: Any) -> bool:
    """Whether a tensor's value is a Python object."""
    return tensor.dtype.base_dtype == dtypes.variant


def copied(value: Any) -> Any:
    """A copy of an array; variants never change."""
    return np.array(value) if isinstance(value, np.ndarray | np.generic) else value
