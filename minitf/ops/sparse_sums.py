"""Sums of sparse tensors: over dimensions, with each other, with tensors."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape, unknown_shape
from minitf.ops import math, shape_rules
from minitf.ops.array import expand_dims, reshape, size
from minitf.ops.constants import ones_like
from minitf.ops.gather import check_bounds_nd, gather_nd
from minitf.ops.reduce import _axes, _one_of
from minitf.ops.registry import Index, Numeric, Real, Types, gradient, not_differentiable, op
from minitf.ops.scatter import tensor_scatter_nd_update
from minitf.ops.shape_rules import constant_value, require_rank, shape_from
from minitf.ops.sparse import _sparse_to_dense
from minitf.ops.sparse_rearrange import row_order
from minitf.ops.sparse_tensor import SparseTensor, SparseTensorValue, as_sparse, sparse_parts

_Long = Types("Long", (dtypes.int64,))
_Axes = Types("Axes", (dtypes.int32,))
_Threshold = Types("Threshold", Real.allowed)


def _sum_shape(input_indices, input_values, input_shape, reduction_axes, *, keep_dims=False):
    sizes, axes = shape_from(input_shape), constant_value(reduction_axes)
    if sizes.rank is None:
        return UNKNOWN
    if axes is None:
        return unknown_shape(sizes.rank) if keep_dims else UNKNOWN
    reduced = _axes(axes, sizes.rank) if axes.size else ()
    if keep_dims:
        return TensorShape([1 if i in reduced else s for i, s in enumerate(sizes.sizes)])
    return TensorShape([s for i, s in enumerate(sizes.sizes) if i not in reduced])


def _reduced(indices, values, sizes, axes, keep_dims, accumulate, initial):
    """The reduction of each group of elements that agree in the other dimensions; 0 for empty groups."""
    axes = _axes(axes, len(sizes)) if np.size(axes) else ()
    kept = np.array([1 if i in axes else int(size) for i, size in enumerate(sizes)], np.int64)
    places = tuple(np.where(kept == 1, 0, indices).T)
    flat = np.ravel_multi_index(places, tuple(kept)) if len(kept) else np.zeros(len(indices), np.int64)
    result = np.full(int(np.prod(kept)), initial, values.dtype)
    accumulate(result, flat, values)
    if initial != 0:
        empty = np.ones(result.size, bool)
        empty[flat] = False
        result[empty] = 0
    shape = kept if keep_dims else [size for i, size in enumerate(kept) if i not in axes]
    return result.reshape(tuple(shape))


@op("SparseReduceSum", shape=_sum_shape)
def _sparse_sum(
    input_indices: _Long, input_values: Numeric, input_shape: _Long, reduction_axes: _Axes, *, keep_dims=False
) -> Numeric:
    return _reduced(input_indices, input_values, input_shape, reduction_axes, keep_dims, np.add.at, 0)


@op("SparseReduceMax", shape=_sum_shape)
def _sparse_max(
    input_indices: _Long, input_values: Real, input_shape: _Long, reduction_axes: _Axes, *, keep_dims=False
) -> Real:
    least = -np.inf if input_values.dtype.kind == "f" else np.iinfo(input_values.dtype).min
    return _reduced(input_indices, input_values, input_shape, reduction_axes, keep_dims, np.maximum.at, least)


not_differentiable(_sparse_max)


def _kept_sizes(sizes, axes):
    """The shape with 1 at the reduced axes."""
    axes = expand_dims(math.floormod(axes, size(sizes)), 1)
    return tensor_scatter_nd_update(sizes, axes, ones_like(axes[:, 0], dtype=dtypes.int64))


@gradient(_sparse_sum)
def _sparse_sum_gradient(op, grad):
    indices, _, sizes, axes = op.inputs
    kept = _kept_sizes(sizes, axes)
    scale = math.floor_divide(sizes, math.maximum(kept, np.int64(1)))
    places = math.floor_divide(indices, math.maximum(scale, np.int64(1)))
    return [None, gather_nd(reshape(grad, kept), places), None, None]


def _sparse_reduction(kernel: Any, doc: str) -> Any:
    def function(
        sp_input: Any,
        axis: Any = None,
        keepdims: bool | None = None,
        reduction_axes: Any = None,
        keep_dims: bool | None = None,
    ) -> Any:
        axis = _one_of("axis", axis, "reduction_axes", reduction_axes)
        keep = bool(_one_of("keepdims", keepdims, "keep_dims", keep_dims))
        sp_input = as_sparse(sp_input, "sp_input")
        if axis is None:
            count = sp_input.dense_shape.shape.sizes[0]
            if count is None:
                raise ValueError("`axis` must be given for a SparseTensor of unknown rank")
            axis = np.arange(count, dtype=np.int32)
        return kernel(*sparse_parts(sp_input), axis, keep_dims=keep)

    function.__doc__ = f"""{doc}

    `axis` is None for all. `reduction_axes` and `keep_dims` are the old names of `axis` and `keepdims`.
    """
    return function


sparse_reduce_sum = _sparse_reduction(_sparse_sum, "The sums of a SparseTensor over dimensions, dense.")
sparse_reduce_max = _sparse_reduction(
    _sparse_max,
    "The largest of a SparseTensor's given elements over dimensions, dense; 0 where there is none.",
)


def _dense_sum_shape(a_indices, a_values, a_shape, b):
    return shape_rules.merge(b.shape, shape_from(a_shape))


@op("SparseTensorDenseAdd", shape=_dense_sum_shape)
def _sparse_dense_add(
    a_indices: Index.another("Places"), a_values: Numeric, a_shape: Index.another("Places"), b: Numeric
) -> Numeric:
    if tuple(a_shape) != b.shape:
        raise ValueError(
            f"Two operands have different shapes: sparse {list(map(int, a_shape))}, dense {list(b.shape)}"
        )
    check_bounds_nd(a_indices, b.shape)
    result = b.copy()
    np.add.at(result, tuple(a_indices.T), a_values)
    return result


@gradient(_sparse_dense_add)
def _sparse_dense_add_gradient(op, grad):
    return [None, gather_nd(grad, op.inputs[0]), None, grad]


def _sum_shapes(a_indices, a_values, a_shape, b_indices, b_values, b_shape, thresh):
    count = shape_rules.merge_sizes(
        a_indices.shape.with_rank(2).sizes[1], b_indices.shape.with_rank(2).sizes[1]
    )
    return [TensorShape([None, count]), unknown_shape(1), require_rank(a_shape, 1)]


@op("SparseAdd", shape=_sum_shapes)
def _sparse_add(
    a_indices: _Long,
    a_values: Numeric,
    a_shape: _Long,
    b_indices: _Long,
    b_values: Numeric,
    b_shape: _Long,
    thresh: _Threshold,
) -> (_Long, Numeric, _Long):
    if tuple(a_shape) != tuple(b_shape):
        raise ValueError("operands' shapes do not match")
    indices = np.concatenate([a_indices, b_indices])
    values = np.concatenate([a_values, b_values])
    order = row_order(indices)
    indices, values = indices[order], values[order]
    first = np.ones(len(indices), bool)
    first[1:] = (indices[1:] != indices[:-1]).any(1)
    starts = np.flatnonzero(first)
    total = np.add.reduceat(values, starts, dtype=values.dtype) if len(values) else values
    kept = np.abs(total) >= thresh
    return indices[starts][kept], total[kept], a_shape.copy()


@gradient(_sparse_add)
def _sparse_add_gradient(op, _indices, grad, _shape):
    """Each summand's gradient is that of the sum at its place, 0 where the sum was left out."""
    a_indices, _, sizes, b_indices = op.inputs[:4]
    dense = _sparse_to_dense(op.outputs[0], sizes, grad, np.zeros((), grad.dtype.numpy_dtype))
    return [None, gather_nd(dense, a_indices), None, None, gather_nd(dense, b_indices), None, None]


def sparse_add(a: Any, b: Any, threshold: Any = None, thresh: Any = None) -> Any:
    """The sum of two sparse tensors (sparse; sums below `threshold` are left out), or of one and a tensor.

    `thresh` is the old name of `threshold`. Raises TypeError when neither is sparse.
    """
    threshold = _one_of("threshold", threshold, "thresh", thresh)
    sparse = (SparseTensor, SparseTensorValue)
    if not isinstance(a, sparse) and not isinstance(b, sparse):
        raise TypeError("At least one input should be SparseTensor; do you mean to use tf.add()?")
    if isinstance(a, sparse) and isinstance(b, sparse):
        a, b = as_sparse(a, "a"), as_sparse(b, "b")
        real = a.values.dtype.real_dtype.numpy_dtype
        threshold = np.asarray(0 if threshold is None else threshold, real)
        indices, values, _ = _sparse_add(*sparse_parts(a), *sparse_parts(b), threshold)
        return SparseTensor(indices, values, a.dense_shape)
    if not isinstance(a, sparse):
        a, b = b, a
    return _sparse_dense_add(*sparse_parts(as_sparse(a, "a")), b)
