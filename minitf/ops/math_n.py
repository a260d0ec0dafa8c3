"""Sums of many tensors of one shape: `tf.add_n`."""

from typing import Any

import numpy as np

from minitf.ops import shape_rules
from minitf.ops.array import identity
from minitf.ops.registry import Numeric, gradient, op


def _one_shape(inputs):
    return shape_rules.merge(*[x.shape for x in inputs])


@op("AddN", shape=_one_shape)
def _add_n(inputs: [Numeric], *, out=None) -> Numeric:
    total = np.add(inputs[0], inputs[1], out)
    for x in inputs[2:]:
        total = np.add(total, x, out)
    return total


def add_n(inputs: Any, name: str | None = None) -> Any:
    """The sum of several tensors of one shape and dtype.

    Raises ValueError for no tensors or different shapes.
    """
    if not isinstance(inputs, list | tuple) or not inputs:
        raise ValueError(
            "Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape."
        )
    if len(inputs) == 1:
        return identity(inputs[0], name=name)
    return _add_n(list(inputs), name=name)


@gradient(_add_n)
def _add_n_gradient(op, grad):
    return [grad] * len(op.inputs)


def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Any:
    """As `tf.add_n`; `shape` and `tensor_dtype` are checked against the sum's."""
    result = add_n(inputs, name=name or "AccumulateNV2")
    if tensor_dtype is not None and result.dtype.base_dtype != tensor_dtype:
        raise TypeError(f"tensor_dtype is {tensor_dtype!r}, but the inputs have {result.dtype!r}.")
    if shape is not None:
        result.set_shape(shape)
    return result
