"""Sparse tensors: to dense and back, products with dense matrices."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape, as_shape
from minitf.kernels import rows
from minitf.ops import math, shape_rules
from minitf.ops.array import reshape
from minitf.ops.constants import placeholder, placeholder_with_default
from minitf.ops.gather import gather, gather_nd, place_of
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import (
    Anything,
    Index,
    Numeric,
    Types,
    gradient,
    interpreter,
    op,
)
from minitf.ops.select import where
from minitf.ops.shape_rules import require_rank, shape_from
from minitf.ops.sparse_tensor import SparseTensor, SparseTensorValue, as_sparse, sparse_parts

__all__ = ["SparseTensor", "SparseTensorValue"]

_Long = Types("Long", (dtypes.int64,))


def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A SparseTensor that must be fed, with a SparseTensorValue or (indices, values, dense_shape)."""
    names = [None if name is None else f"{name}/{part}" for part in ("shape", "values", "indices")]
    shape = as_shape(shape)
    if shape.rank is None:
        dense_shape = placeholder(dtypes.int64, [None], names[0])
    else:
        sizes = np.array([-1 if size is None else size for size in shape.sizes], np.int64)
        dense_shape = placeholder_with_default(sizes, [shape.rank], names[0])
    values = placeholder(as_dtype(dtype), [None], names[1])
    indices = placeholder(dtypes.int64, [None, shape.rank], names[2])
    return SparseTensor(indices, values, dense_shape)


# --- dense -------------------------------------------------------------------------------------------


def _dense_shape(sparse_indices, output_shape, sparse_values, default_value, *, validate_indices=True):
    return shape_from(output_shape)


@op("SparseToDense", shape=_dense_shape)
def _sparse_to_dense(
    sparse_indices: Index,
    output_shape: Index,
    sparse_values: Anything,
    default_value: Anything,
    *,
    validate_indices=True,
    out=None,
) -> Anything:
    sizes = tuple(output_shape)
    indices = sparse_indices
    if indices.ndim < 2:
        indices = indices.reshape(-1, 1)
    if indices.shape[1] != len(sizes):
        raise ValueError(
            f"output_shape has incorrect number of elements: {len(sizes)} should be: {indices.shape[1]}"
        )
    if validate_indices:
        _check_places(indices, sizes)
    if out is None:
        out = np.empty(sizes, sparse_values.dtype)
    out.fill(default_value[()])
    out[tuple(indices.T)] = sparse_values
    return out


def _check_places(indices, sizes):
    """Raises ValueError unless the indices are inside `sizes`, in the order of rows, and unrepeated."""
    outside = ((indices < 0) | (indices >= np.array(sizes, np.int64))).any(1)
    if outside.any():
        place = int(np.argmax(outside))
        raise ValueError(
            f"indices[{place}] = {place_of(indices[place])} is out of bounds: need 0 <= index < "
            f"{place_of(sizes)}"
        )
    flat = np.ravel_multi_index(tuple(indices.T), sizes) if len(sizes) else np.zeros(len(indices), np.int64)
    steps = np.diff(flat)
    if (steps <= 0).any():
        place = int(np.argmax(steps <= 0)) + 1
        what = "is repeated" if not steps[place - 1] else (
            "is out of order. Many sparse ops require sorted indices.\n"
            "    Use `tf.sparse.reorder` to create a correctly ordered copy.\n\n"
        )  # fmt: skip
        raise ValueError(f"indices[{place}] = {place_of(indices[place])} {what}")


@gradient(_sparse_to_dense)
def _sparse_to_dense_gradient(op, grad):
    indices, _, values, _ = op.inputs
    places = indices if indices.shape.rank == 2 else reshape(indices, [-1, 1])
    to_values = gather_nd(grad, places)
    if values.shape.rank == 0:
        to_values = reduce_sum(to_values)
        return [None, None, to_values, reduce_sum(grad) - to_values]
    return [None, None, to_values, reduce_sum(grad) - reduce_sum(to_values)]


def sparse_to_dense(
    sparse_indices: Any,
    output_shape: Any,
    sparse_values: Any,
    default_value: Any = 0,
    validate_indices: bool = True,
    name: str | None = None,
) -> Any:
    """A tensor of `output_shape` with `sparse_values` (or one scalar) at `sparse_indices`, else the default.

    Raises InvalidArgumentError for indices out of range and, with `validate_indices`, for repeated or
    unsorted ones.
    """
    current = interpreter()
    values = current.convert(sparse_values, None, None, "sparse_values")
    if values.dtype.base_dtype == dtypes.string and default_value == 0:
        default_value = b""
    elif values.dtype.is_bool and default_value == 0:
        default_value = False
    return _sparse_to_dense(
        sparse_indices,
        output_shape,
        values,
        default_value,
        validate_indices=bool(validate_indices),
        name=name,
    )


def sparse_tensor_to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Any:
    """A SparseTensor as a tensor, with `default_value` (0, False, empty) where it has none."""
    sp_input = as_sparse(sp_input, "sp_input")
    default_value = 0 if default_value is None else default_value
    indices, values, sizes = sparse_parts(sp_input)
    return sparse_to_dense(indices, sizes, values, default_value, validate_indices, name or "SparseToDense")


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """The elements of a tensor that are not zero (or empty), as a SparseTensor."""
    from minitf.ops.array import shape

    with interpreter().name_scope(name or "dense_to_sparse"):
        tensor = interpreter().convert(tensor, None, None, "tensor")
        zero = np.array(b"" if tensor.dtype == dtypes.string else 0, tensor.dtype.numpy_dtype)
        indices = where(math.not_equal(tensor, zero))
        return SparseTensor(indices, gather_nd(tensor, indices), shape(tensor, out_type=dtypes.int64))


# --- products ----------------------------------------------------------------------------------------


def _product_shape(a_indices, a_values, a_shape, b, *, adjoint_a=False, adjoint_b=False):
    require_rank(a_indices, 2), require_rank(a_values, 1)
    size = shape_from(a_shape)
    sizes = (None, None) if size.rank is None else size.with_rank(2).sizes
    n, inner = sizes[:: -1 if adjoint_a else 1]
    inner_b, columns = require_rank(b, 2).with_rank(2).sizes[:: -1 if adjoint_b else 1]
    shape_rules.merge_sizes(inner, inner_b)
    return TensorShape([n, columns])


@op("SparseTensorDenseMatMul", shape=_product_shape)
def _sparse_matmul(
    a_indices: Index.another("Places"),
    a_values: Numeric,
    a_shape: _Long,
    b: Numeric,
    *,
    adjoint_a=False,
    adjoint_b=False,
    out=None,
) -> Numeric:
    b = np.conj(b).T if adjoint_b else b
    from_row, from_column = (1, 0) if adjoint_a else (0, 1)
    count, inner = int(a_shape[from_row]), int(a_shape[from_column])
    if inner != len(b):
        raise ValueError(
            f"Cannot multiply A and B because inner dimension does not match: {inner} vs. {len(b)}.  "
            "Did you forget a transpose?  Dimensions of A: "
            f"[{a_shape[0]}, {a_shape[1]}).  Dimensions of B: {place_of(b.shape)}"
        )
    target, source = a_indices[:, from_row], a_indices[:, from_column]
    for ids, bound, which in ((source, inner, from_column), (target, count, from_row)):
        place = rows.first_outside(np.ascontiguousarray(ids), bound)
        if place is not None:
            raise ValueError(
                f"k ({ids[place]}) from index[{place},{which}] out of bounds (>={bound})"
            )  # fmt: skip
    if out is None:
        out = np.empty((count, b.shape[1]), b.dtype)
    out.fill(0)
    values = np.conj(a_values) if adjoint_a else a_values
    if out.size and len(values):
        rows.add_rows(out, target, values[:, None] * b[source])
    return out


@gradient(_sparse_matmul)
def _sparse_matmul_gradient(op, grad):
    indices, values, sizes, b = op.inputs
    adjoint_a, adjoint_b = op.attrs["adjoint_a"], op.attrs["adjoint_b"]
    to_b = _sparse_matmul(indices, values, sizes, grad, adjoint_a=not adjoint_a)
    if adjoint_b:
        to_b = math.conj(_transposed(to_b))
    target, source = (indices[:, i] for i in ((1, 0) if adjoint_a else (0, 1)))
    rows_of_b = gather(_transposed(b) if adjoint_b else math.conj(b), source)
    to_values = reduce_sum(gather(grad, target) * rows_of_b, 1)
    return [None, math.conj(to_values) if adjoint_a else to_values, None, to_b]


def _transposed(x):
    from minitf.ops.array import transpose

    return transpose(x, [1, 0])


def sparse_tensor_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Any:
    """The product of a sparse matrix and a dense one, each conjugated and transposed if `adjoint_…`.

    If `b` is the sparse one, its product with the dense `sp_a`. Raises ValueError when the sizes differ.
    """
    if isinstance(b, SparseTensor | SparseTensorValue):
        product = sparse_tensor_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a)
        return math.conj(_transposed(product))
    sp_a = as_sparse(sp_a, "sp_a")
    with interpreter().name_scope(name or "SparseTensorDenseMatMul"):
        return _sparse_matmul(
            *sparse_parts(sp_a), b, adjoint_a=bool(adjoint_a), adjoint_b=bool(adjoint_b)
        )  # fmt: skip
