"""Sparse tensors cut, filled up, normalised and compared."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape, unknown_shape
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, shape
from minitf.ops.constants import ones, zeros_like
from minitf.ops.gather import gather
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.join import concat
from minitf.ops.reduce import reduce_all
from minitf.ops.registry import (
    Anything,
    Floating,
    Numeric,
    Real,
    Types,
    gradient,
    interpreter,
    not_differentiable,
    op,
)
from minitf.ops.scatter import tensor_scatter_nd_update
from minitf.ops.shape_rules import constant_value, require_rank, same_as_input
from minitf.ops.sparse import sparse_to_dense
from minitf.ops.sparse_rearrange import row_order, sparse_reshape, sparse_retain
from minitf.ops.sparse_tensor import SparseTensor, as_sparse, sparse_parts
from minitf.ops.tile import broadcast_to
from minitf.ops.unique import setdiff1d

_Long = Types("Long", (dtypes.int64,))

# --- empty rows --------------------------------------------------------------------------------------


def _filled_shapes(indices, values, dense_shape, default_value):
    size = constant_value(dense_shape)
    count = require_rank(values, 1).sizes[0]
    columns = require_rank(indices, 2).with_rank(2).sizes[1]
    row_count = None if size is None else int(size[0])
    return [TensorShape([None, columns]), unknown_shape(1), TensorShape([row_count]), TensorShape([count])]


@op("SparseFillEmptyRows", shape=_filled_shapes)
def _fill_empty_rows(indices: _Long, values: Anything, dense_shape: _Long, default_value: Anything) -> (
    _Long, Anything, dtypes.bool, _Long,
):  # fmt: skip
    """Indices and values with one more in each empty row; which rows were empty; where each value went."""
    count = int(dense_shape[0])
    rows = indices[:, 0]
    outside = (rows < 0) | (rows >= count)
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(f"indices({place}, 0) is invalid: {rows[place]} >= {count}")
    empty = np.bincount(rows, minlength=count)[:count] == 0
    added = np.zeros((int(empty.sum()), indices.shape[1]), np.int64)
    added[:, 0] = np.flatnonzero(empty)
    joined = np.concatenate([indices, added])
    order = np.argsort(joined[:, 0], kind="stable")
    filling = np.full(len(added), default_value[()], values.dtype)
    places = np.empty(len(joined), np.int64)
    places[order] = np.arange(len(joined))
    return joined[order], np.concatenate([values, filling])[order], empty, places[: len(values)]


def _map_and_scalar(reverse_index_map, grad_values):
    return [reverse_index_map.shape, TensorShape([])]


@op("SparseFillEmptyRowsGrad", shape=_map_and_scalar)
def _fill_empty_rows_grad(reverse_index_map: _Long, grad_values: Numeric) -> (Numeric, Numeric):
    kept = grad_values[reverse_index_map]
    left = np.ones(len(grad_values), bool)
    left[reverse_index_map] = False
    return kept, np.asarray(grad_values[left].sum(dtype=grad_values.dtype))


@gradient(_fill_empty_rows)
def _fill_empty_rows_gradient(op, _indices, grad, _empty, _map):
    to_values, to_default = _fill_empty_rows_grad(op.outputs[3], grad)
    return [None, to_values, None, to_default]


@gradient(_fill_empty_rows_grad)
def _fill_empty_rows_grad_gradient(op, grad_values, grad_default):
    places, given = op.inputs
    everywhere = broadcast_to(grad_default, shape(given))
    return [None, tensor_scatter_nd_update(everywhere, expand_dims(places, 1), grad_values)]


def sparse_fill_empty_rows(
    sp_input: Any, default_value: Any, name: str | None = None
) -> tuple[SparseTensor, Any]:
    """A SparseTensor with `default_value` first in rows that have nothing; and a bool vector of these."""
    sp_input = as_sparse(sp_input, "sp_input")
    default = interpreter().convert(default_value, sp_input.values.dtype.base_dtype, None, "default_value")
    indices, values, empty, _ = _fill_empty_rows(*sparse_parts(sp_input), default, name=name)
    return SparseTensor(indices, values, sp_input.dense_shape), empty


# --- cutting -----------------------------------------------------------------------------------------


def sparse_slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """The box of a SparseTensor that starts at `start` and has at most `size` (vectors of int64)."""
    sp_input = as_sparse(sp_input, "sp_input")
    current = interpreter()
    with current.name_scope(name or "SparseSlice"):
        start = current.convert(start, dtypes.int64, None, "start")
        size = current.convert(size, dtypes.int64, None, "size")
        end = math.minimum(start + size, sp_input.dense_shape)
        inside = math.logical_and(
            math.greater_equal(sp_input.indices, start), math.less(sp_input.indices, end)
        )
        kept = sparse_retain(sp_input, reduce_all(inside, 1))
        sizes = math.maximum(end - start, zeros_like(end))
        return SparseTensor(kept.indices - start, kept.values, sizes)


def sparse_split(
    keyword_required: Any = None,
    sp_input: Any = None,
    num_split: int | None = None,
    axis: int | None = None,
    name: str | None = None,
    split_dim: int | None = None,
) -> list[SparseTensor]:
    """A SparseTensor cut into `num_split` along `axis` (old name: `split_dim`), the first parts one longer.

    Keyword arguments only. Raises ValueError when one is missing or the shape is not known.
    """
    if keyword_required is not None:
        raise ValueError("Keyword arguments are required for this function.")
    axis = split_dim if axis is None else axis
    for argument, value in (("sp_input", sp_input), ("num_split", num_split), ("axis", axis)):
        if value is None:
            raise ValueError(f"{argument} is required")
    sp_input = as_sparse(sp_input, "sp_input")
    sizes = constant_value(sp_input.dense_shape)
    if sizes is None:
        raise ValueError("tf.sparse_split needs a SparseTensor of known shape")
    with interpreter().name_scope(name or "SparseSplit"):
        least, longer = divmod(int(sizes[axis]), num_split)
        parts, first = [], 0
        for number in range(num_split):
            start, size = np.zeros(len(sizes), np.int64), sizes.copy()
            start[axis], size[axis] = first, least + (number < longer)
            first += size[axis]
            parts.append(sparse_slice(sp_input, start, size))
        return parts


def sparse_mask(a: Any, mask_indices: Any, name: str | None = None) -> Any:
    """An IndexedSlices without the rows whose indices are in `mask_indices`."""
    with interpreter().name_scope(name or "sparse_mask") as scope:
        indices, kept = setdiff1d(a.indices, mask_indices)
        return IndexedSlices(gather(a.values, kept, name=scope), indices, a.dense_shape)


def sparse_expand_dims(sp_input: Any, axis: int | None = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor with a dimension of size 1 inserted at `axis` (the end)."""
    sp_input = as_sparse(sp_input, "sp_input")
    rank = sp_input.dense_shape.shape.sizes[0]
    axis = -1 if axis is None else axis
    axis = axis + rank + 1 if axis < 0 else axis
    with interpreter().name_scope(name or "expand_dims"):
        sizes = sp_input.dense_shape
        return sparse_reshape(sp_input, concat([sizes[:axis], np.ones(1, np.int64), sizes[axis:]], 0))


def sparse_eye(
    num_rows: int, num_columns: int | None = None, dtype: Any = dtypes.float32, name: str | None = None
) -> SparseTensor:
    """An identity matrix as a SparseTensor."""
    columns = num_rows if num_columns is None else num_columns
    size = min(num_rows, columns)
    with interpreter().name_scope(name or "eye"):
        places = np.repeat(np.arange(size, dtype=np.int64)[:, None], 2, 1)
        return SparseTensor(places, ones([size], dtype), np.array([num_rows, columns], np.int64))


def sparse_to_indicator(sp_input: Any, vocab_size: int, name: str | None = None) -> Any:
    """For each row of ids (the last dimension of a SparseTensor) a bool vector that is true at its ids."""
    sp_input = as_sparse(sp_input, "sp_input")
    with interpreter().name_scope(name or "SparseToIndicator"):
        ids = expand_dims(cast(sp_input.values, dtypes.int64), 1)
        places = concat([sp_input.indices[:, :-1], ids], 1)
        sizes = concat([sp_input.dense_shape[:-1], np.array([vocab_size], np.int64)], 0)
        return sparse_to_dense(places, sizes, True, False, validate_indices=False)


# --- numbers -----------------------------------------------------------------------------------------


def _row_starts(indices: np.ndarray) -> np.ndarray:
    """Where the rows (all dimensions but the last) of sorted indices start."""
    lead = indices[:, :-1]
    return np.flatnonzero(np.concatenate([[True], (lead[1:] != lead[:-1]).any(1)]))


@op("SparseSoftmax", shape=lambda sp_indices, sp_values, sp_shape: require_rank(sp_values, 1))
def _sparse_softmax(sp_indices: _Long, sp_values: Floating, sp_shape: _Long) -> Floating:
    if not len(sp_values):
        return sp_values.copy()
    starts = _row_starts(sp_indices)
    counts = np.diff(np.append(starts, len(sp_values)))
    powers = np.exp(sp_values - np.repeat(np.maximum.reduceat(sp_values, starts), counts))
    return powers / np.repeat(np.add.reduceat(powers, starts), counts)


@op("SparseRowSum", shape=lambda sp_indices, sp_values: same_as_input(sp_values))
def _row_sum(sp_indices: _Long, sp_values: Floating) -> Floating:
    """For each value the sum of the values in its row (all dimensions of its index but the last)."""
    if not len(sp_values):
        return sp_values.copy()
    starts = _row_starts(sp_indices)
    counts = np.diff(np.append(starts, len(sp_values)))
    return np.repeat(np.add.reduceat(sp_values, starts), counts)


@gradient(_row_sum)
def _row_sum_gradient(op, grad):
    return [None, _row_sum(op.inputs[0], grad)]


@gradient(_sparse_softmax)
def _sparse_softmax_gradient(op, grad):
    share = op.outputs[0]
    return [None, share * (grad - _row_sum(op.inputs[0], grad * share)), None]


def sparse_softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The softmax over the given elements of each row (last dimension) of a sorted SparseTensor."""
    sp_input = as_sparse(sp_input, "sp_input")
    values = _sparse_softmax(*sparse_parts(sp_input), name=name)
    return SparseTensor(sp_input.indices, values, sp_input.dense_shape)


def _pair_shapes(a_indices, *_rest):
    return [unknown_shape(2).merge_with([None, a_indices.shape.with_rank(2).sizes[1]]), unknown_shape(1)]


def _extreme(name: str, ufunc: Any) -> Any:
    @op(name, shape=_pair_shapes)
    def kernel(
        a_indices: _Long, a_values: Real, a_shape: _Long, b_indices: _Long, b_values: Real, b_shape: _Long
    ) -> (_Long, Real):
        if a_shape.tolist() != b_shape.tolist():
            raise ValueError("Operands' shapes do not match")
        indices = np.concatenate([a_indices, b_indices])
        order = row_order(indices)
        indices, values = indices[order], np.concatenate([a_values, b_values])[order]
        first = np.concatenate([[True], (indices[1:] != indices[:-1]).any(1)])[: len(indices)]
        starts = np.flatnonzero(first)
        counts = np.diff(np.append(starts, len(values)))
        largest = ufunc.reduceat(values, starts) if len(values) else values.copy()
        # What only one of them has is compared with 0.
        alone = ufunc(largest, largest.dtype.type(0))
        return indices[starts], np.where(counts == 1, alone, largest)

    not_differentiable(kernel)
    return kernel


def _public_extreme(kernel: Any, doc: str) -> Any:
    def function(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
        a, b = as_sparse(sp_a, "sp_a"), as_sparse(sp_b, "sp_b")
        indices, values = kernel(*sparse_parts(a), *sparse_parts(b), name=name)
        return SparseTensor(indices, values, a.dense_shape)

    function.__doc__ = doc
    return function


sparse_maximum = _public_extreme(
    _extreme("SparseSparseMaximum", np.maximum), "The larger of two, wherever either has an element."
)
sparse_minimum = _public_extreme(
    _extreme("SparseSparseMinimum", np.minimum), "The smaller of two, wherever either has an element."
)
