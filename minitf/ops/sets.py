"""Comparing the last dimension of two integer tensors as sets, for metrics at k."""

import numpy as np

from minitf.framework import dtypes
from minitf.ops.registry import Types, not_differentiable, op
from minitf.ops.shape_rules import merge, require_rank_at_least

_Ids = Types("Ids", (dtypes.int64,))


def _without_last(first, second, **_attrs):
    shapes = [require_rank_at_least(x, 1)[:-1] for x in (first, second)]
    return [merge(*shapes)] * 3


@op("SetSizes", shape=_without_last)
def set_sizes(first: _Ids, second: _Ids) -> (dtypes.int64, dtypes.int64, dtypes.int64):
    """How many ids are in both, in the first alone, and in the second alone.

    The ids of a set lie along the last dimension, repetitions counting once: (…, m) and (…, n) give (…).
    """
    same = first[..., :, None] == second[..., None, :]
    unrepeated = _first_of_its_kind(first)
    both = np.sum(same.any(-1) & unrepeated, -1)
    only_first = unrepeated.sum(-1) - both
    only_second = _first_of_its_kind(second).sum(-1) - both
    return tuple(np.asarray(count, np.int64) for count in (both, only_first, only_second))


def _first_of_its_kind(ids: np.ndarray) -> np.ndarray:
    same = ids[..., :, None] == ids[..., None, :]
    return ~np.tril(same, -1).any(-1)


not_differentiable(set_sizes)
