"""Sums of products by Einstein's notation, of one operand or two, as transposes around one matrix product.

A label is a letter, or an int: dimension -n, counted from the back, of what an ellipsis stands for.

May import: numpy, and its neighbour gemm.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minitf.kernels import gemm

Label = str | int
Labels = tuple[Label, ...]


class _Step(NamedTuple):
    """How one operand becomes a tensor with its remaining labels, each once."""

    diagonal: Labels  # the labels it then has
    summed: tuple[int, ...]  # axes of that which are summed up
    squeezed: tuple[int, ...]  # axes after the sum, of size 1, that broadcast
    labels: Labels  # what is left


def labels_of(subscripts: str, rank: int) -> Labels:
    """The labels of each of `rank` dimensions; an ellipsis takes what the letters leave.

    Raises:
      ValueError: the subscripts don't fit the rank.
    """
    before, dots, after = subscripts.partition("...")
    letters = len(before) + len(after)
    if not dots and rank != letters or rank < letters:
        raise ValueError(f"rank {rank} does not fit the subscripts {subscripts!r}")
    return (*before, *range(letters - rank, 0), *after)


def einsum(equation: str, operands: Sequence[np.ndarray], out: np.ndarray | None = None) -> np.ndarray:
    """The sum of products of one operand or two that `equation` names, e.g. "bij,bjk->bik".

    Dimensions of an ellipsis broadcast; labels may repeat, in the output too (the rest is then zero).

    Raises:
      ValueError: the shapes don't fit the equation.
    """
    sides, _, result = equation.partition("->")
    inputs = tuple(
        labels_of(subscripts, x.ndim) for subscripts, x in zip(sides.split(","), operands, strict=True)
    )
    depth = max([-label for labels in inputs for label in labels if isinstance(label, int)], default=0)
    before, dots, after = result.partition("...")
    output = (*before, *(range(-depth, 0) if dots else ()), *after)
    if depth and not dots:
        raise ValueError(
            f"Output contains {depth} broadcasting dimension(s) but no ellipsis (...) was found in the "
            "output subscripts."
        )
    kept = tuple(dict.fromkeys(output))
    if kept != output:
        return _on_diagonal(_sum(inputs, kept, operands, None), kept, output, out)
    return _sum(inputs, output, operands, out)


def _sum(inputs, output, operands, out):
    sizes = _sizes(inputs, [x.shape for x in operands])
    steps = _prepare(inputs, output, tuple(x.shape for x in operands))
    reduced = [_reduced(x, labels, step) for x, labels, step in zip(operands, inputs, steps, strict=True)]
    if len(operands) == 1:
        (x,), (step,) = reduced, steps
        result = _arranged(x, step.labels, output)
        if out is None:
            return result.copy() if np.may_share_memory(result, operands[0]) else np.asarray(result)
        np.copyto(out, result)
        return out
    a, b = (step.labels for step in steps)
    batch = tuple(label for label in a if label in b and label in output)
    summed = tuple(label for label in a if label in b and label not in output)
    rows = tuple(label for label in a if label not in b)
    columns = tuple(label for label in b if label not in a)
    left = _matrix(reduced[0], a, (batch, rows, summed), sizes)
    right = _matrix(reduced[1], b, (batch, summed, columns), sizes)
    made = batch + rows + columns
    if out is not None and output == made:
        gemm.matmul(left, right, out=out.reshape(*left.shape[:-1], right.shape[-1]))
        return out
    product = gemm.matmul(left, right).reshape([sizes[label] for label in made])
    result = _arranged(product, made, output)
    if out is None:
        return result
    np.copyto(out, result)
    return out


@lru_cache(maxsize=1024)
def _prepare(inputs: tuple[Labels, ...], output: Labels, shapes: tuple) -> tuple[_Step, ...]:
    sizes = _sizes(inputs, shapes)
    steps = []
    for i, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        others = {label for j, other in enumerate(inputs) if j != i for label in other}
        diagonal = tuple(dict.fromkeys(labels))
        summed = tuple(
            axis for axis, label in enumerate(diagonal) if label not in output and label not in others
        )
        rest = [label for axis, label in enumerate(diagonal) if axis not in summed]
        own = dict(zip(labels, shape, strict=True))
        squeezed = tuple(axis for axis, label in enumerate(rest) if own[label] != sizes[label])
        steps.append(
            _Step(diagonal, summed, squeezed, tuple(x for a, x in enumerate(rest) if a not in squeezed))
        )
    return tuple(steps)


def _sizes(inputs: tuple[Labels, ...], shapes: Sequence[tuple[int, ...]]) -> dict[Label, int]:
    sizes: dict[Label, int] = {}
    for labels, shape in zip(inputs, shapes, strict=True):
        for axis, (label, size) in enumerate(zip(labels, shape, strict=True)):
            known = sizes.setdefault(label, size)
            if known == size or isinstance(label, int) and size == 1:
                continue
            if isinstance(label, int) and known == 1:
                sizes[label] = size
                continue
            raise ValueError(
                f"Expected dimension {known} at axis {axis} of the input shaped "
                f"[{','.join(map(str, shape))}] but got dimension {size}"
            )
    return sizes


def _reduced(x: np.ndarray, labels: Labels, step: _Step) -> np.ndarray:
    if step.diagonal != labels:
        x = _diagonal(x, labels, step.diagonal)
    if step.summed:
        x = np.add.reduce(x, step.summed, x.dtype)
    return x.squeeze(step.squeezed) if step.squeezed else x


def _diagonal(x: np.ndarray, labels: Labels, kept: Labels) -> np.ndarray:
    """A view of `x` along the diagonals of repeated labels."""
    strides = [sum(s for s, label in zip(x.strides, labels, strict=True) if label == k) for k in kept]
    sizes = [x.shape[labels.index(k)] for k in kept]
    return np.lib.stride_tricks.as_strided(x, sizes, strides, writeable=x.flags.writeable)


def _on_diagonal(x: np.ndarray, kept: Labels, output: Labels, out: np.ndarray | None) -> np.ndarray:
    """Zeros with labels `output`, but for `x` on the diagonals of repeated ones."""
    if out is None:
        out = np.zeros([x.shape[kept.index(label)] for label in output], x.dtype)
    else:
        out.fill(0)
    _diagonal(out, output, kept)[...] = x
    return out


def _matrix(x: np.ndarray, labels: Labels, groups: tuple[Labels, Labels, Labels], sizes: dict) -> np.ndarray:
    order = groups[0] + groups[1] + groups[2]
    if order != labels:
        x = x.transpose([labels.index(label) for label in order])
    counts = [int(np.prod([sizes[label] for label in group], dtype=np.int64)) for group in groups]
    return x.reshape(counts if groups[0] else counts[1:])


def _arranged(x: np.ndarray, labels: Labels, output: Labels) -> np.ndarray:
    return x if labels == output else x.transpose([labels.index(label) for label in output])
