"""Stacking, unstacking and concatenating tensors. Splitting is in split.py."""

from typing import Any

import numpy as np

from minitf.framework.shapes import UNKNOWN, TensorShape, unknown_shape
from minitf.ops import shape_rules
from minitf.ops.array import identity
from minitf.ops.constants import constant
from minitf.ops.registry import Anything, Index, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value, normalize_axis


def _stacked(values, *, axis):
    merged = shape_rules.merge(*[v.shape for v in values])
    if merged.rank is None:
        return UNKNOWN
    sizes = list(merged.sizes)
    sizes.insert(normalize_axis(axis, len(sizes) + 1), len(values))
    return TensorShape(sizes)


@op("Pack", shape=_stacked, default_name="stack")
def _pack(values: [Anything], *, axis=0, out=None) -> Anything:
    return np.stack(values, axis, out)


def stack(values: Any, axis: int = 0, name: str = "stack") -> Any:
    """Tensors of one shape joined along a new dimension `axis`.

    Raises ValueError when the shapes differ or `axis` is outside [-(rank + 1), rank + 1).
    """
    values = list(values) if isinstance(values, list | tuple) else unstack(values)
    if axis == 0:
        try:
            return constant(values, name=name)
        except (TypeError, ValueError, NotImplementedError):
            pass  # there are tensors among them
    return _pack(values, axis=axis, name=name)


@gradient(_pack)
def _pack_gradient(op, grad):
    return _unpack(grad, num=len(op.inputs), axis=op.attrs["axis"])


def _unstacked(value, *, num, axis):
    if value.shape.rank is None:
        return [UNKNOWN] * num
    sizes = list(value.shape.sizes)
    size = sizes.pop(normalize_axis(axis, len(sizes)))
    if size not in (None, num):
        raise ValueError(f"Dimension must be {num} but is {size}")
    return [TensorShape(sizes)] * num


@op("Unpack", shape=_unstacked, default_name="unstack")
def _unpack(value: Anything, *, num, axis=0) -> [Anything]:
    if value.shape[axis] != num:
        raise ValueError(f"Input shape axis {axis} must equal {num}, got shape {list(value.shape)}")
    return [np.array(part, value.dtype) for part in np.moveaxis(value, axis, 0)]


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str = "unstack") -> list[Any]:
    """The parts of a tensor along `axis`, without that dimension.

    Raises ValueError when `num` is not given and cannot be seen from the shape.
    """
    value = interpreter().convert(value, None, None, "value")
    if num is None:
        if value.shape.rank is None or value.shape.sizes[normalize_axis(axis, value.shape.rank)] is None:
            raise ValueError(f"Cannot infer argument `num` from shape {value.shape}")
        num = value.shape.sizes[axis]
    return _unpack(value, num=num, axis=axis, name=name)


@gradient(_unpack)
def _unpack_gradient(op, *grads):
    return _pack(list(grads), axis=op.attrs["axis"])


def _concatenated(values, axis):
    position = constant_value(axis)
    ranks = [v.shape.rank for v in values if v.shape.rank is not None]
    if not ranks:
        return UNKNOWN
    count = ranks[0]
    for value in values:
        shape_rules.require_rank(value, count)
    if position is None:
        return unknown_shape(count)
    position = normalize_axis(int(position), count)
    totals, rest = [], TensorShape([None] * count)
    for value in values:
        sizes = list(value.shape.sizes) if value.shape.rank is not None else [None] * count
        totals.append(sizes[position])
        sizes[position] = None
        rest = shape_rules.merge(rest, TensorShape(sizes))
    sizes = list(rest.sizes)
    sizes[position] = None if None in totals else sum(totals)
    return TensorShape(sizes)


@op("ConcatV2", shape=_concatenated, default_name="concat")
def _concat(values: [Anything], axis: Index, *, out=None) -> Anything:
    return np.concatenate(values, int(axis), out)


def concat(values: Any, axis: Any, name: str = "concat") -> Any:
    """Tensors joined along an existing dimension. TF 0.x's `concat(axis, values)` is understood too."""
    if isinstance(values, int) and isinstance(axis, list | tuple):
        values, axis = axis, values
    if not isinstance(values, list | tuple):
        values = [values]
    if len(values) == 1:
        with interpreter().name_scope(name):
            return identity(values[0], name="concat")
    return _concat(list(values), axis, name=name)


@gradient(_concat)
def _concat_gradient(op, grad):
    from minitf.ops.split import split_like

    *values, axis = op.inputs
    return [*split_like(grad, values, axis), None]
