"""The same elements in another order: reversed, rolled around, reversed up to given lengths."""

from typing import Any

import numpy as np

from minitf.ops import math
from minitf.ops.registry import Anything, Index, gradient, op
from minitf.ops.shape_rules import constant_value, require_rank, require_rank_at_least, same_as_input

_Axis = Index.another("Axis")


def _normal_axes(axis: Any, rank: int) -> list[int]:
    axes = []
    for a in np.ravel(axis):
        if not -rank <= a < rank:
            raise ValueError(f"'axis'[{len(axes)}] = {a} is out of valid range [0, {rank - 1}")
        if int(a) % rank in axes:
            raise ValueError(f"axis {int(a) % rank} specified more than once.")
        axes.append(int(a) % rank)
    return axes


def _reversed_shape(tensor, axis):
    value = constant_value(axis)
    require_rank(axis, 1)
    if value is not None and tensor.shape.rank is not None:
        _normal_axes(value, tensor.shape.rank)
    return tensor.shape


@op("ReverseV2", shape=_reversed_shape)
def _reverse(tensor: Anything, axis: _Axis, *, out=None) -> Anything:
    turned = np.asarray(np.flip(tensor, tuple(_normal_axes(axis, tensor.ndim))), tensor.dtype)
    if out is None:
        return turned.copy()
    np.copyto(out, turned)
    return out


@gradient(_reverse)
def _reverse_gradient(op, grad):
    return [_reverse(grad, op.inputs[1]), None]


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """`tensor` with its elements along each of the dimensions `axis` (a vector) in reverse order."""
    axis = np.zeros(0, np.int32) if isinstance(axis, list | tuple) and not axis else axis
    return _reverse(tensor, axis, name=name)


def _rolled_shape(input, shift, axis):
    require_rank_at_least(input, 1)
    return input.shape


@op("Roll", shape=_rolled_shape)
def _roll(input: Anything, shift: Index, axis: _Axis) -> Anything:
    if input.ndim < 1:
        raise ValueError("input must be 1-D or higher")
    if np.shape(shift) != np.shape(axis):
        raise ValueError("shift and axis must have the same size")
    for a in np.ravel(axis):
        if not -input.ndim <= a < input.ndim:
            raise ValueError(f"axis {a} is out of range")
    return np.roll(input, tuple(np.ravel(shift)), tuple(np.ravel(axis)))


@gradient(_roll)
def _roll_gradient(op, grad):
    return [_roll(grad, math.negative(op.inputs[1]), op.inputs[2]), None, None]


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Any:
    """`input` moved by `shift` places along `axis` (scalars or vectors); what leaves comes back in."""
    return _roll(input, shift, axis, name=name)


def _sequence_shape(input, seq_lengths, *, seq_dim, batch_dim):
    require_rank(seq_lengths, 1)
    if input.shape.rank is None:
        return input.shape
    for name, axis in (("batch_dim", batch_dim), ("seq_dim", seq_dim)):
        if axis >= input.shape.rank:
            raise ValueError(f"{name} must be < input rank: {axis} vs. {input.shape.rank}")
    return same_as_input(input)


@op("ReverseSequence", shape=_sequence_shape)
def _reverse_sequence(input: Anything, seq_lengths: Index, *, seq_dim, batch_dim=0) -> Anything:
    if seq_dim == batch_dim:
        raise ValueError(f"batch_dim == seq_dim == {seq_dim}")
    if len(seq_lengths) != input.shape[batch_dim]:
        raise ValueError(
            f"Length of seq_lengths != input.dims({batch_dim}), ({len(seq_lengths)} vs. "
            f"{input.shape[batch_dim]})"
        )
    result = input.copy()
    rows = np.moveaxis(result, (batch_dim, seq_dim), (0, 1))
    for i, (row, length) in enumerate(zip(rows, seq_lengths)):
        if length < 0 or length > len(row):
            bound = "< 0" if length < 0 else f"> input.dims({seq_dim})"
            raise ValueError(f"seq_lengths({i}) {bound}")
        row[:length] = row[:length][::-1].copy()
    return result


@gradient(_reverse_sequence)
def _reverse_sequence_gradient(op, grad):
    return [_reverse_sequence(grad, op.inputs[1], **op.attrs), None]


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
    seq_dim: int | None = None,
    batch_dim: int | None = None,
) -> Any:
    """For each i along `batch_axis` (0), the first seq_lengths[i] elements along `seq_axis` turned around.

    `seq_dim` and `batch_dim` are the old names of the axes.
    """
    seq_axis = seq_dim if seq_axis is None else seq_axis
    batch_axis = batch_dim if batch_axis is None else batch_axis
    if seq_axis is None:
        raise ValueError("tf.reverse_sequence needs seq_axis")
    return _reverse_sequence(input, seq_lengths, seq_dim=seq_axis, batch_dim=batch_axis or 0, name=name)
