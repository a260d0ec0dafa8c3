"""Looking up rows of embedding matrices, whole or in parts: `tf.nn.embedding_lookup` and its sparse form."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.ops import math
from minitf.ops.array import cast, identity, rank, reshape, shape, size
from minitf.ops.clip import clip_by_norm
from minitf.ops.constants import range
from minitf.ops.gather import gather
from minitf.ops.join import concat, stack
from minitf.ops.partition import dynamic_partition, parallel_dynamic_stitch
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.select import where


def embedding_lookup(
    params: Any,
    ids: Any,
    partition_strategy: str = "mod",
    name: str | None = None,
    validate_indices: bool = True,
    max_norm: Any = None,
) -> Any:
    """The rows of an embedding matrix that `ids` name: shape ids.shape + params.shape[1:].

    `params` may be a list of matrices that hold the rows in parts: dealt out in turn ('mod'), or in order, as
    evenly as possible ('div'). Each embedding longer than `max_norm` is scaled down to that length.
    `validate_indices` does nothing: ids are always checked. Raises ValueError for no params or an unknown
    strategy.
    """
    if params is None:
        raise ValueError("params must be specified")
    params = list(params) if isinstance(params, list | tuple) else [params]
    if not params:
        raise ValueError("Length of params is currently 0. Need at least one param.")
    current = interpreter()
    with current.name_scope(name or "embedding_lookup") as scope:
        params = [current.convert(p, None, None, f"params_{i}") for i, p in enumerate(params)]
        ids = current.convert(ids, None, None, "ids")
        if len(params) == 1:
            return identity(_clipped(gather(params[0], ids, name=scope), ids, max_norm))
        found = _lookup_in_parts(params, ids, partition_strategy, scope)
        return _clipped(found, ids, max_norm)


def _clipped(embeddings, ids, max_norm):
    if max_norm is None:
        return embeddings
    if ids.shape.rank is not None and embeddings.shape.rank is not None:
        axes = list(np.arange(ids.shape.rank, embeddings.shape.rank))
    else:
        axes = range(rank(ids), rank(embeddings))
    return clip_by_norm(embeddings, max_norm, axes)


def _lookup_in_parts(params, ids, strategy, scope):
    flat = reshape(ids, [-1])
    part, row = _placed(params, flat, strategy)
    part = cast(part, dtypes.int32)
    rows = dynamic_partition(row, part, len(params))
    places = dynamic_partition(range(size(flat)), part, len(params))
    found = [gather(p, r) for p, r in zip(params, rows)]
    joined = parallel_dynamic_stitch(places, found, name=scope)
    rest = params[0].shape[1:]
    for p in params[1:]:
        rest = rest.merge_with(p.shape[1:])
    sizes = np.array(rest.as_list(), np.int32) if rest.is_fully_defined() else shape(params[0])[1:]
    result = reshape(joined, concat([shape(ids), sizes], 0))
    result.set_shape(ids.shape.concatenate(rest))
    return result


def _placed(params, ids, strategy):
    """In which of the params each id is, and in which of its rows."""
    dtype = ids.dtype.base_dtype.numpy_dtype.type
    if strategy == "mod":
        return math.floormod(ids, dtype(len(params))), math.floor_divide(ids, dtype(len(params)))
    if strategy != "div":
        raise ValueError(
            f"Unrecognized partition strategy: {strategy}.Must be one of either `mod` or `div`."
        )  # fmt: skip
    counts = [p.shape.sizes[0] if p.shape.rank else None for p in params]
    if None in counts:
        total = reduce_sum(stack([cast(shape(p)[0], ids.dtype) for p in params]))
    else:
        total = interpreter().constant(np.array(sum(counts), dtype))
    least, extra = math.floor_divide(total, dtype(len(params))), math.floormod(total, dtype(len(params)))
    # The first `extra` parts hold one row more.
    longer = least + dtype(1)
    part = math.maximum(math.floor_divide(ids, longer), math.floor_divide(ids - extra, least))
    row = where(math.less(part, extra), math.floormod(ids, longer), math.floormod(ids - extra, least))
    return part, row
