"""How far sequences are from others: the Levenshtein distance of `tf.edit_distance`."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.ops.registry import Anything, Types, not_differentiable, op
from minitf.ops.shape_rules import constant_value
from minitf.ops.sparse_tensor import as_sparse, sparse_parts

_Long = Types("Long", (dtypes.int64,))


def _distance_shape(hypothesis_indices, hypothesis_values, hypothesis_shape, *truth, normalize):
    sizes = [constant_value(x) for x in (hypothesis_shape, truth[2])]
    if any(size is None for size in sizes):
        return UNKNOWN
    return TensorShape([int(max(a, b)) for a, b in zip(*(size[:-1] for size in sizes))])


def _sequences(indices: np.ndarray, values: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
    """The values by all dimensions of their indices but the last."""
    if not len(indices):
        return {}
    lead = indices[:, :-1]
    starts = np.flatnonzero(np.concatenate([[True], (lead[1:] != lead[:-1]).any(1)]))
    parts = np.split(values, starts[1:])
    return {tuple(lead[start].tolist()): part for start, part in zip(starts, parts)}


def levenshtein(a: np.ndarray, b: np.ndarray) -> int:
    """The least number of insertions, deletions and replacements that turn a into b.

    Wagner and Fischer, The string-to-string correction problem (1974), one row at a time.
    """
    row = np.arange(len(b) + 1)
    for i, element in enumerate(a, 1):
        above = row
        # Without insertions first; these then spread along the row.
        row = np.minimum(above[1:] + 1, above[:-1] + (b != element))
        row = np.concatenate([[i], row])
        row = np.minimum.accumulate(row - np.arange(len(row))) + np.arange(len(row))
    return int(row[-1])


@op("EditDistance", shape=_distance_shape)
def _edit_distance(
    hypothesis_indices: _Long,
    hypothesis_values: Anything,
    hypothesis_shape: _Long,
    truth_indices: _Long,
    truth_values: Anything,
    truth_shape: _Long,
    *,
    normalize=True,
) -> dtypes.float32:
    if len(hypothesis_shape) != len(truth_shape):
        raise ValueError("truth_shape should have the same rank as hypothesis_shape")
    hypotheses = _sequences(hypothesis_indices, hypothesis_values)
    truths = _sequences(truth_indices, truth_values)
    sizes = np.maximum(hypothesis_shape[:-1], truth_shape[:-1])
    result = np.zeros(tuple(sizes), np.float32)
    nothing = hypothesis_values[:0]
    for place in hypotheses.keys() | truths.keys():
        hypothesis, truth = hypotheses.get(place, nothing), truths.get(place, nothing)
        distance = float(levenshtein(hypothesis, truth))
        if normalize:
            distance = distance / len(truth) if len(truth) else np.inf
        result[place] = distance
    return result


not_differentiable(_edit_distance)


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str = "edit_distance") -> Any:
    """The Levenshtein distances between the sequences (last dimension) of two sparse tensors, float32.

    With `normalize` divided by the length of the true sequence (infinite if that is 0).
    """
    parts = (*sparse_parts(as_sparse(hypothesis, "hypothesis")), *sparse_parts(as_sparse(truth, "truth")))
    return _edit_distance(*parts, normalize=bool(normalize), name=name)
