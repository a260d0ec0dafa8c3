"""Sparse tensors rearranged: put in order, transposed, reshaped, thinned out, joined."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape, unknown_shape
from minitf.ops.array import invert_permutation, reshape
from minitf.ops.gather import gather
from minitf.ops.reduce import _one_of
from minitf.ops.registry import Anything, Types, gradient, interpreter, not_differentiable, op
from minitf.ops.select import where
from minitf.ops.shape_rules import constant_value, require_rank
from minitf.ops.sparse_tensor import SparseTensor, as_sparse, sparse_parts

_Long = Types("Long", (dtypes.int64,))


def row_order(indices: np.ndarray) -> np.ndarray:
    """The permutation that sorts the rows of `indices`."""
    return np.lexsort(indices.T[::-1]) if indices.shape[1] else np.arange(len(indices))


def _reordered_shapes(input_indices, input_values, input_shape):
    return [require_rank(input_indices, 2), require_rank(input_values, 1)]


@op("SparseReorder", shape=_reordered_shapes)
def _sparse_reorder(input_indices: _Long, input_values: Anything, input_shape: _Long) -> (_Long, Anything):
    order = row_order(input_indices)
    return input_indices[order], input_values[order]


@op("RowOrder", shape=lambda indices: require_rank(indices, 2)[:1])
def _order_of_rows(indices: _Long) -> dtypes.int64:
    """The permutation that sorts the rows of `indices`."""
    return row_order(indices)


@gradient(_sparse_reorder)
def _sparse_reorder_gradient(op, _, grad):
    return [None, gather(grad, invert_permutation(_order_of_rows(op.inputs[0]))), None]


def sparse_reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """The same SparseTensor with its elements in the order of rows."""
    sp_input = as_sparse(sp_input, "sp_input")
    indices, values = _sparse_reorder(*sparse_parts(sp_input), name=name)
    return SparseTensor(indices, values, sp_input.dense_shape)


def sparse_transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor with its dimensions in the order `perm` (reversed by default)."""
    sp_input = as_sparse(sp_input, "sp_input")
    with interpreter().name_scope(name or "SparseTranspose"):
        if perm is None:
            count = sp_input.dense_shape.shape.sizes[0]
            if count is None:
                raise ValueError("tf.sparse_transpose needs `perm` for a SparseTensor of unknown rank")
            perm = np.arange(count - 1, -1, -1, dtype=np.int32)
        indices = gather(sp_input.indices, perm, axis=1)
        return sparse_reorder(SparseTensor(indices, sp_input.values, gather(sp_input.dense_shape, perm)))


def _reshaped_shapes(input_indices, input_shape, new_shape):
    count = require_rank(new_shape, 1).sizes[0]
    return [TensorShape([require_rank(input_indices, 2).sizes[0], count]), TensorShape([count])]


@op("SparseReshape", shape=_reshaped_shapes)
def _sparse_reshape(input_indices: _Long, input_shape: _Long, new_shape: _Long) -> (_Long, _Long):
    total = int(np.prod(input_shape))
    known = int(np.prod(new_shape[new_shape != -1]))
    sizes = np.where(new_shape == -1, total // max(known, 1), new_shape)
    if (new_shape == -1).sum() > 1 or int(np.prod(sizes)) != total:
        raise ValueError(
            f"Input to reshape is a tensor with {total} dense values, but the requested shape has "
            f"{int(np.prod(sizes))}. input_shape={input_shape.tolist()} output_shape={sizes.tolist()}"
        )
    flat = np.ravel_multi_index(tuple(input_indices.T), tuple(input_shape))
    return np.stack(np.unravel_index(flat, tuple(sizes)), -1).astype(np.int64), sizes


def sparse_reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """A SparseTensor's elements in another shape; one size may be -1."""
    sp_input = as_sparse(sp_input, "sp_input")
    target = interpreter().convert(shape, dtypes.int64, None, "shape")
    indices, sizes = _sparse_reshape(sp_input.indices, sp_input.dense_shape, target, name=name)
    if constant_value(target) is not None and constant_value(sp_input.dense_shape) is not None:
        sizes = _sparse_reshape.definition.kernel(
            np.zeros((0, len(constant_value(sp_input.dense_shape))), np.int64),
            constant_value(sp_input.dense_shape),
            constant_value(target),
        )[1]
    return SparseTensor(indices, sp_input.values, sizes)


def sparse_retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """Those of a SparseTensor's elements for which the bool vector `to_retain` holds."""
    sp_input = as_sparse(sp_input, "sp_input")
    to_retain = interpreter().convert(to_retain, dtypes.bool, None, "to_retain")
    places = reshape(where(to_retain), [-1])
    return SparseTensor(
        gather(sp_input.indices, places), gather(sp_input.values, places), sp_input.dense_shape
    )


def _joined_shapes(indices, values, shapes, *, concat_dim):
    return [unknown_shape(2).merge_with([None, shapes[0].shape.with_rank(1).sizes[0]]), unknown_shape(1),
            require_rank(shapes[0], 1)]  # fmt: skip


@op("SparseConcat", shape=_joined_shapes)
def _sparse_concat(indices: [_Long], values: [Anything], shapes: [_Long], *, concat_dim) -> (
    _Long, Anything, _Long,
):  # fmt: skip
    axis = concat_dim % len(shapes[0])
    total, moved = shapes[0].copy(), []
    total[axis] = 0
    for places, sizes in zip(indices, shapes):
        if np.delete(sizes, axis).tolist() != np.delete(shapes[0], axis).tolist():
            raise ValueError(
                f"Input shapes must match except in the concat dimension: {sizes.tolist()} and "
                f"{shapes[0].tolist()}"
            )
        shifted = places.copy()
        shifted[:, axis] += total[axis]
        total[axis] += sizes[axis]
        moved.append(shifted)
    joined = np.concatenate(moved)
    order = row_order(joined)
    return joined[order], np.concatenate(values)[order], total


not_differentiable(_sparse_concat, _sparse_reshape, _order_of_rows)


def sparse_concat(
    axis: int,
    sp_inputs: Any,
    name: str | None = None,
    expand_nonconcat_dim: bool = False,
    concat_dim: Any = None,
    expand_nonconcat_dims: Any = None,
) -> SparseTensor:
    """Sparse tensors joined along a dimension; `concat_dim` is the old name of `axis`.

    Raises NotImplementedError for `expand_nonconcat_dim`.
    """
    axis = _one_of("axis", axis, "concat_dim", concat_dim)
    if expand_nonconcat_dim or expand_nonconcat_dims:
        raise NotImplementedError("tf.sparse_concat: expand_nonconcat_dim is not supported")
    inputs = [as_sparse(x, "sp_inputs") for x in sp_inputs]
    if len(inputs) == 1:
        return inputs[0]
    parts = [list(part) for part in zip(*map(sparse_parts, inputs))]
    indices, values, sizes = _sparse_concat(*parts, concat_dim=int(axis), name=name)
    shapes = [constant_value(x.dense_shape) for x in inputs]
    if all(shape is not None for shape in shapes):
        sizes = shapes[0].copy()
        sizes[axis] = sum(shape[axis] for shape in shapes)
    return SparseTensor(indices, values, sizes)
