"""Sparse tensors."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import ALL, COMPLEX, REAL

EVERYTHING = (*ALL, "object")
NUMBERS = ("float32", "float64", "int32", "int64", *COMPLEX)


def places(draw, shape, ordered=True):
    """Different indices into `shape`, in the order of rows unless asked otherwise."""
    total = int(np.prod(shape))
    flat = np.array(draw.permutation(total)[: draw.integer(0, total)], np.int64)
    flat = np.sort(flat) if ordered else flat
    return np.stack(np.unravel_index(flat, shape), -1).reshape(-1, len(shape)).astype(np.int64)


def sparse(draw, prefix, shape=None, ordered=True):
    """The three parts of a sparse tensor, named with a prefix."""
    shape = draw.shape(min_rank=1, max_rank=3, min_size=1) if shape is None else shape
    indices = places(draw, shape, ordered)
    return {
        f"{prefix}_indices": indices, f"{prefix}_values": draw.array((len(indices),), special=False),
        f"{prefix}_shape": np.array(shape, np.int64),
    }  # fmt: skip


def _to_dense(draw, scalar):
    shape = draw.shape(min_rank=1, max_rank=2, min_size=1)
    indices = places(draw, shape).astype(draw.index_dtype())
    return {
        "sparse_indices": indices, "output_shape": np.array(shape, indices.dtype),
        "sparse_values": draw.array(() if scalar else (len(indices),)),
        "default_value": draw.array(()), "validate_indices": True,
    }  # fmt: skip


@case("SparseToDense", dtypes=EVERYTHING)
def sparse_to_dense(draw):
    return _to_dense(draw, scalar=False)


# TensorFlow gives a scalar value a gradient of another shape.
@case("SparseToDense", dtypes=EVERYTHING, reference_gradient=False)
def one_value_to_dense(draw):
    return _to_dense(draw, scalar=True)


@case("SparseTensorDenseMatMul", dtypes=("float32", "float64", "int32", *COMPLEX))
def sparse_matmul(draw):
    rows, inner, columns = (draw.integer(1, 4) for _ in range(3))
    adjoint_a, adjoint_b = draw.boolean(), draw.boolean()
    shape = (inner, rows) if adjoint_a else (rows, inner)
    indices = places(draw, shape)
    return {
        "a_indices": indices, "a_values": draw.array((len(indices),), special=False),
        "a_shape": np.array(shape, np.int64),
        "b": draw.array((columns, inner) if adjoint_b else (inner, columns), special=False),
        "adjoint_a": adjoint_a, "adjoint_b": adjoint_b,
    }  # fmt: skip


@case("SparseReorder", dtypes=EVERYTHING)
def sparse_reorder(draw):
    return sparse(draw, "input", ordered=False)


def _sorting_rows(tf, indices):
    flat = tf.tensordot(indices, tf.constant([100, 10, 1], tf.int64)[-indices.shape[1] :], 1)
    return tf.cast(tf.argsort(flat), tf.int64)


@case("RowOrder", dtypes=("int64",), reference=_sorting_rows)
def row_order(draw):
    return {"indices": places(draw, draw.shape(min_rank=1, min_size=1), ordered=False)}


@case("SparseReshape", dtypes=("int64",))
def sparse_reshape(draw):
    parts = sparse(draw, "input")
    shape = parts["input_shape"]
    target = [int(shape[i]) for i in draw.permutation(len(shape))] + [1] * draw.integer(0, 1)
    if draw.boolean():
        target[draw.integer(0, len(target) - 1)] = -1
    return {
        "input_indices": parts["input_indices"], "input_shape": shape,
        "new_shape": np.array(target, np.int64),
    }  # fmt: skip


def _reduction(draw):
    parts = sparse(draw, "input")
    axes = np.array(draw.axes(len(parts["input_shape"])), np.int32)
    return parts | {"reduction_axes": axes, "keep_dims": draw.boolean()}


@case("SparseReduceSum", dtypes=NUMBERS)
def sparse_reduce_sum(draw):
    return _reduction(draw)


@case("SparseReduceMax", dtypes=REAL)
def sparse_reduce_max(draw):
    return _reduction(draw)


@case("SparseTensorDenseAdd", dtypes=NUMBERS)
def sparse_dense_add(draw):
    shape = draw.shape(min_rank=1, max_rank=2, min_size=1)
    indices = places(draw, shape).astype(draw.index_dtype())
    return {
        "a_indices": indices, "a_values": draw.array((len(indices),), special=False),
        "a_shape": np.array(shape, indices.dtype), "b": draw.array(shape, special=False),
    }  # fmt: skip


@case("SparseAdd", dtypes=("float32", "float64", "int32", "int64"), dynamic=True)
def sparse_add(draw):
    shape = draw.shape(min_rank=1, max_rank=2, min_size=1)
    a, b = sparse(draw, "a", shape), sparse(draw, "b", shape)
    return a | b | {"thresh": np.array(0, draw.dtype)}


@case("SparseConcat", dtypes=EVERYTHING, dynamic=True)
def sparse_concat(draw):
    shape = draw.shape(min_rank=1, max_rank=2, min_size=1)
    axis = draw.integer(0, len(shape) - 1)
    joined = {"indices": [], "values": [], "shapes": []}
    for _ in range(draw.integer(2, 3)):
        sizes = list(shape)
        sizes[axis] = draw.integer(1, 3)
        indices = places(draw, tuple(sizes))
        joined["indices"].append(indices)
        joined["values"].append(draw.array((len(indices),)))
        joined["shapes"].append(np.array(sizes, np.int64))
    return joined | {"concat_dim": axis - len(shape) if draw.boolean() else axis}


@case("SparseFillEmptyRows", dtypes=("float32", "float64", "int32", "object"), dynamic=True)
def fill_empty_rows(draw):
    shape = (draw.integer(1, 4), draw.integer(1, 3))
    indices = places(draw, shape)
    return {
        "indices": indices, "values": draw.array((len(indices),), special=False),
        "dense_shape": np.array(shape, np.int64), "default_value": draw.array((), special=False),
    }  # fmt: skip


@case("SparseFillEmptyRowsGrad", dtypes=("float32", "float64"), reference_gradient=False)
def fill_empty_rows_grad(draw):
    total = draw.integer(1, 6)
    kept = np.array(sorted(draw.permutation(total)[: draw.integer(0, total)]), np.int64)
    return {"reverse_index_map": kept, "grad_values": draw.array((total,), special=False)}


def _matrix(draw):
    shape = draw.shape(min_rank=2, max_rank=3, min_size=1)
    indices = places(draw, shape)
    return {
        "sp_indices": indices, "sp_values": draw.array((len(indices),), special=False),
        "sp_shape": np.array(shape, np.int64),
    }  # fmt: skip


@case("SparseSoftmax", dtypes=("float16", "float32", "float64"), orders=1)
def sparse_softmax(draw):
    return _matrix(draw)


def _sums_of_rows(tf, sp_indices, sp_values):
    same = tf.reduce_all(sp_indices[:, None, :-1] == sp_indices[None, :, :-1], -1)
    return tf.linalg.matvec(tf.cast(same, sp_values.dtype), sp_values)


@case("SparseRowSum", dtypes=("float32", "float64"), reference=_sums_of_rows)
def sparse_row_sum(draw):
    sample = _matrix(draw)
    del sample["sp_shape"]
    return sample


@case("SparseSparseMaximum", "SparseSparseMinimum", dtypes=("float32", "float64", "int32"), dynamic=True)
def sparse_extremes(draw):
    shape = draw.shape(min_rank=1, max_rank=2, min_size=1)
    return sparse(draw, "a", shape) | sparse(draw, "b", shape)


@case("EditDistance", dtypes=("int64",))
def edit_distance(draw):
    rows, parts = draw.integer(1, 3), {}
    for name in ("hypothesis", "truth"):
        lengths = [draw.integer(0, 4) for _ in range(rows)]
        indices = [(i, j) for i, length in enumerate(lengths) for j in range(length)]
        parts[f"{name}_indices"] = np.array(indices, np.int64).reshape(-1, 2)
        values = draw.indices((len(indices),), 3, "int64")
        text = np.array([bytes([97 + v]) for v in values], object)
        parts[f"{name}_values"] = values
        parts[f"{name}_shape"] = np.array([rows, max(lengths)], np.int64)
        parts[name] = text
    texts = [parts.pop(name) for name in ("hypothesis", "truth")]
    if draw.boolean():
        parts["hypothesis_values"], parts["truth_values"] = texts
    return parts | {"normalize": draw.boolean()}
