"""Distinct elements, set differences, partitions and counts: ops whose result's size depends on values."""

from typing import Any, NamedTuple

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import unknown_shape
from minitf.ops.registry import Anything, Attr, not_differentiable, op
from minitf.ops.shape_rules import require_rank


def _first_occurrences(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct elements in order of first occurrence, each element's place among them, and counts."""
    values, first, inverse, counts = np.unique(
        x, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    order = np.argsort(first)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return values[order], places[inverse.reshape(-1)], counts[order]


def _unique_shapes(x, *, out_idx):
    return [unknown_shape(1), require_rank(x, 1)]


@op("Unique", shape=_unique_shapes)
def _unique(x: Anything, *, out_idx=dtypes.int32) -> (Anything, Attr("out_idx")):
    values, places, _ = _first_occurrences(x)
    return values, places.astype(out_idx.numpy_dtype)


def _unique_counts_shapes(x, *, out_idx):
    return [unknown_shape(1), require_rank(x, 1), unknown_shape(1)]


@op("UniqueWithCounts", shape=_unique_counts_shapes)
def _unique_with_counts(x: Anything, *, out_idx=dtypes.int32) -> (Anything, Attr("out_idx"), Attr("out_idx")):
    values, places, counts = _first_occurrences(x)
    return values, places.astype(out_idx.numpy_dtype), counts.astype(out_idx.numpy_dtype)


def _difference_shapes(x, y, *, out_idx):
    require_rank(x, 1), require_rank(y, 1)
    return [unknown_shape(1), unknown_shape(1)]


@op("ListDiff", shape=_difference_shapes)
def _list_diff(x: Anything, y: Anything, *, out_idx=dtypes.int32) -> (Anything, Attr("out_idx")):
    kept = np.flatnonzero(~np.isin(x, y))
    return x[kept], kept.astype(out_idx.numpy_dtype)


not_differentiable(_unique, _unique_with_counts, _list_diff)


class ListDiff(NamedTuple):
    """The elements of one vector that are not in another, and their indices."""

    out: Any
    idx: Any


class Unique(NamedTuple):
    """Distinct elements, and the place of each element among them."""

    y: Any
    idx: Any


class UniqueWithCounts(NamedTuple):
    """Distinct elements, the place of each element among them, and how often each occurs."""

    y: Any
    idx: Any
    count: Any


def setdiff1d(x: Any, y: Any, index_dtype: Any = dtypes.int32, name: str | None = None) -> ListDiff:
    """The elements of the vector `x` that are not in `y`, in order, and their indices."""
    return ListDiff(*_list_diff(x, y, out_idx=as_dtype(index_dtype), name=name))


def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Unique:
    """The distinct elements of the vector `x` in order of first occurrence, and each one's place in them."""
    return Unique(*_unique(x, out_idx=as_dtype(out_idx), name=name))


def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> UniqueWithCounts:
    """As `tf.unique`, and how often each distinct element occurs."""
    return UniqueWithCounts(*_unique_with_counts(x, out_idx=as_dtype(out_idx), name=name))
