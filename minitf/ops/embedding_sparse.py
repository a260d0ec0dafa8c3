"""Embeddings of several ids per row, combined: `tf.nn.embedding_lookup_sparse` and its forgiving form."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import unknown_shape
from minitf.ops import math
from minitf.ops.array import cast, reshape, shape
from minitf.ops.constants import ones_like, zeros_like
from minitf.ops.embedding import embedding_lookup
from minitf.ops.gather import gather
from minitf.ops.join import concat, stack
from minitf.ops.reduce import reduce_prod
from minitf.ops.registry import interpreter
from minitf.ops.segment import segment_sum
from minitf.ops.segment_sparse import sparse_segment_mean, sparse_segment_sqrt_n, sparse_segment_sum
from minitf.ops.select import where_v2
from minitf.ops.sparse_more import sparse_fill_empty_rows
from minitf.ops.sparse_rearrange import sparse_reshape, sparse_retain
from minitf.ops.sparse_tensor import SparseTensor
from minitf.ops.unique import unique

_COMBINERS = {"sum": sparse_segment_sum, "mean": sparse_segment_mean, "sqrtn": sparse_segment_sqrt_n}


def embedding_lookup_sparse(
    params: Any,
    sp_ids: SparseTensor,
    sp_weights: SparseTensor | None,
    partition_strategy: str = "mod",
    name: str | None = None,
    combiner: str | None = None,
    max_norm: Any = None,
    allow_fast_lookup: bool = False,
) -> Any:
    """For each row of the sparse matrix `sp_ids` the embeddings of its ids, combined into one.

    `combiner`: 'sum', 'mean' (the default: divided by the sum of the weights) or 'sqrtn' (by the square root
    of the sum of their squares). Without `sp_weights` all weigh 1. `params`, `partition_strategy` and
    `max_norm` are those of `tf.nn.embedding_lookup`; `allow_fast_lookup` promises sorted ids, and changes
    nothing. Raises ValueError for another combiner, TypeError for what is not sparse.
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in _COMBINERS:
        raise ValueError(f"combiner must be one of 'mean', 'sqrtn' or 'sum', got {combiner}")
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError(f"sp_ids must be SparseTensor, got {type(sp_ids)}")
    if sp_weights is not None and not isinstance(sp_weights, SparseTensor):
        raise TypeError(f"sp_weights must be either None or SparseTensor,got {type(sp_weights)}")
    with interpreter().name_scope(name or "embedding_lookup_sparse") as scope:
        row = cast(sp_ids.indices[:, 0], dtypes.int32)
        ids, places = unique(sp_ids.values)
        found = embedding_lookup(params, ids, partition_strategy, max_norm=max_norm)
        if sp_weights is None:
            return _COMBINERS[combiner](found, places, row, name=scope)
        return _weighted(gather(found, places), cast(sp_weights.values, found.dtype), row, combiner, scope)


def _weighted(embeddings, weights, row, combiner, scope):
    ones = np.ones(embeddings.shape.rank - 1, np.int32)
    weights = reshape(weights, concat([shape(weights), ones], 0))
    if combiner == "sum":
        return segment_sum(embeddings * weights, row, name=scope)
    total = segment_sum(embeddings * weights, row)
    if combiner == "mean":
        return math.div_no_nan(total, segment_sum(weights, row), name=scope)
    return math.div_no_nan(total, math.sqrt(segment_sum(math.square(weights), row)), name=scope)


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: SparseTensor,
    sparse_weights: SparseTensor | None = None,
    combiner: str = "mean",
    default_id: int | None = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: Any = None,
    allow_fast_lookup: bool = False,
) -> Any:
    """As `embedding_lookup_sparse`, of ids of any rank, for data that is not clean.

    Negative ids and, unless summed, ids without positive weight are left out. Rows with none left give the
    embedding of `default_id`, or zeros. The result has shape sparse_ids.shape[:-1] + (width,).
    """
    if embedding_weights is None or isinstance(embedding_weights, list) and not embedding_weights:
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    with interpreter().name_scope(name or "embedding_lookup"):
        lead = sparse_ids.dense_shape[:-1]
        rank = sparse_ids.dense_shape.shape.sizes[0]
        flat = [reduce_prod(lead), sparse_ids.dense_shape[-1]]
        ids = sparse_reshape(sparse_ids, stack(flat))
        weights = sparse_weights
        if weights is not None:
            weights = SparseTensor(ids.indices, weights.values, ids.dense_shape)
        ids, weights = _valid(ids, weights, combiner)
        ids, is_empty = sparse_fill_empty_rows(ids, default_id or 0)
        if weights is not None:
            weights, _ = sparse_fill_empty_rows(weights, np.ones((), weights.dtype.numpy_dtype))
        result = embedding_lookup_sparse(
            embedding_weights, ids, weights, partition_strategy, combiner=combiner, max_norm=max_norm
        )
        if default_id is None:
            empty = math.logical_and(reshape(is_empty, [-1, 1]), ones_like(result, dtype=dtypes.bool))
            result = where_v2(empty, zeros_like(result), result)
        whole = reshape(result, concat([cast(lead, dtypes.int32), shape(result)[1:]], 0))
        if rank is not None:
            whole.set_shape(unknown_shape(rank - 1).concatenate(result.shape[1:]))
        return whole


def _valid(ids, weights, combiner):
    """The ids that are not negative, and have a positive weight if it is divided by."""
    kept = math.greater_equal(ids.values, zeros_like(ids.values))
    if weights is not None and combiner != "sum":
        kept = math.logical_and(kept, math.greater(weights.values, zeros_like(weights.values)))
    return sparse_retain(ids, kept), None if weights is None else sparse_retain(weights, kept)
