"""Adding borders around tensors: constants, or reflections of what is there."""

from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape, unknown_shape
from minitf.ops import shape_rules
from minitf.ops.array import shape
from minitf.ops.gather import place_of
from minitf.ops.registry import Anything, Index, Numeric, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value
from minitf.ops.slicing import slice_

_Paddings = Index.another("Paddings")


def _padded_shape(input, paddings, *_rest, sign=1, **_attrs):
    given = shape_rules.require_rank(paddings, 2).with_rank(2).sizes
    shape_rules.merge_sizes(given[1], 2)
    value, rank = constant_value(paddings), input.shape.rank
    if rank is None:
        return unknown_shape(given[0])
    if given[0] not in (None, rank):
        raise ValueError(f"Shape must be rank {given[0]} but is rank {rank}")
    if value is None:
        return unknown_shape(rank)
    if (value < 0).any():
        raise ValueError("Paddings must be non-negative")
    added = sign * value.sum(1)
    return TensorShape([None if size is None else size + int(n) for size, n in zip(input.shape.sizes, added)])


def _check(input, paddings):
    if paddings.shape != (input.ndim, 2):
        raise ValueError(
            f"The first dimension of paddings must be the rank of inputs{place_of(paddings.shape)} "
            f"{place_of(input.shape)}"
        )
    for before, after in paddings:
        if before < 0 or after < 0:
            raise ValueError(f"Paddings must be non-negative: {before} {after}")


def _inside(paddings, sizes) -> tuple[slice, ...]:
    return tuple(slice(before, before + size) for (before, _), size in zip(paddings.tolist(), sizes))


def _filled_around(input, paddings, fill, out):
    _check(input, paddings)
    if out is None:
        out = np.empty([n + before + after for n, (before, after) in zip(input.shape, paddings.tolist())],
                       input.dtype)  # fmt: skip
    out.fill(fill)
    out[_inside(paddings, input.shape)] = input
    return out


@op("Pad", shape=_padded_shape)
def _pad(input: Anything, paddings: _Paddings, *, out=None) -> Anything:
    return _filled_around(input, paddings, b"" if input.dtype == object else 0, out)


@op("PadV2", shape=_padded_shape)
def _pad_with(input: Anything, paddings: _Paddings, constant_values: Anything, *, out=None) -> Anything:
    return _filled_around(input, paddings, constant_values[()], out)


@gradient(_pad, _pad_with)
def _pad_gradient(op, grad):
    input, paddings = op.inputs[:2]
    begin = paddings[:, 0]
    inside = slice_(grad, begin, shape(input, out_type=paddings.dtype.base_dtype))
    return [inside] + [None] * (len(op.inputs) - 1)


# In REFLECT mode the border is not repeated: [1, 2, 3] padded by 2 is [3, 2, 1, 2, 3, 2, 1].
_BORDER = {"REFLECT": 1, "SYMMETRIC": 0}


def _check_mirror(input, paddings, mode):
    _check(input, paddings)
    border = _BORDER[mode]
    for size, (before, after) in zip(input.shape, paddings):
        if max(before, after) > size - border:
            what = "less than" if border else "no greater than"
            which = "not less than" if border else "greater than"
            raise ValueError(
                f"paddings must be {what} the dimension size: {before}, {after} {which} {size}"
            )  # fmt: skip


@op("MirrorPad", shape=_padded_shape)
def _mirror_pad(input: Anything, paddings: _Paddings, *, mode) -> Anything:
    _check_mirror(input, paddings, mode)
    for axis, (before, after) in enumerate(paddings):
        if before or after:
            input = np.take(input, _sources(input.shape[axis], before, after, mode), axis)
    return np.array(input)


def _sources(size, before, after, mode) -> np.ndarray:
    """Which element along a dimension each element of the padded dimension shows."""
    border = _BORDER[mode]
    steps = np.arange(-before, size + after)
    steps = np.where(steps < 0, -steps - 1 + border, steps)
    return np.where(steps >= size, 2 * size - 1 - border - steps, steps)


def _unpadded_shape(input, paddings, **attrs):
    return _padded_shape(input, paddings, sign=-1)


@op("MirrorPadGrad", shape=_unpadded_shape)
def _mirror_pad_grad(input: Numeric, paddings: _Paddings, *, mode) -> Numeric:
    """`input` with its border added to the elements that it mirrors."""
    _check(input, paddings)
    for axis, (before, after) in enumerate(paddings):
        if before or after:
            size = input.shape[axis] - before - after
            rows = np.moveaxis(input, axis, 0)
            total = np.zeros((size, *rows.shape[1:]), input.dtype)
            np.add.at(total, _sources(size, before, after, mode), rows)
            input = np.moveaxis(total, 0, axis)
    return np.array(input)


@gradient(_mirror_pad)
def _mirror_pad_gradient(op, grad):
    return [_mirror_pad_grad(grad, op.inputs[1], mode=op.attrs["mode"]), None]


@gradient(_mirror_pad_grad)
def _mirror_pad_grad_gradient(op, grad):
    return [_mirror_pad(grad, op.inputs[1], mode=op.attrs["mode"]), None]


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Any:
    """`tensor` with paddings[i] = (before, after) elements added along each dimension i.

    They are `constant_values` in mode CONSTANT, else the tensor mirrored at its edge: REFLECT leaves out the
    edge itself, SYMMETRIC repeats it. Raises ValueError for another mode or paddings of another shape than
    (rank, 2).
    """
    mode = mode.upper()
    if mode in _BORDER:
        return _mirror_pad(tensor, paddings, mode=mode, name=name)
    if mode != "CONSTANT":
        raise ValueError(
            'Value of argument `mode` expected to be one of "CONSTANT", "REFLECT", or "SYMMETRIC". '
            f"Received `mode` = {mode}"
        )
    if isinstance(constant_values, int | float | np.number) and constant_values == 0:
        return _pad(tensor, paddings, name=name)
    tensor = interpreter().convert(tensor, None, None, "tensor")
    return _pad_with(tensor, paddings, constant_values, name=name)
