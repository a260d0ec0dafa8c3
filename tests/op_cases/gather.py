"""Gathering, scattering, masks: reading and writing at given indices."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import ALL, COMPLEX, FLOATS, NUMERIC, REAL

EVERYTHING = (*ALL, "object")


def gathering(draw):
    """Parameters, indices into one of their dimensions, that dimension, and how many they share."""
    shape = draw.shape(min_rank=1, min_size=1)
    axis = draw.integer(0, len(shape) - 1)
    batch = draw.integer(0, axis)
    indices = shape[:batch] + draw.shape(max_rank=2)
    chosen = draw.indices(indices, shape[axis])
    given_batch = batch - len(indices) if draw.boolean() and indices else batch
    return shape, chosen, draw.index(axis - len(shape) if draw.boolean() else axis), given_batch


@case("GatherV2", dtypes=EVERYTHING)
def gather(draw):
    shape, indices, axis, batch = gathering(draw)
    return {"params": draw.array(shape), "indices": indices, "axis": axis, "batch_dims": batch}


@case("GatherV2")
def gather_rows(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices = draw.indices(draw.shape(), shape[0])
    return {"params": draw.array(shape), "indices": indices, "axis": draw.index(0), "batch_dims": 0}


def _added(tf, like, indices, axis, grad, batch_dims):
    with tf.GradientTape() as tape:
        params = tf.zeros(like.shape, grad.dtype)
        tape.watch(params)
        gathered = tf.raw_ops.GatherV2(params=params, indices=indices, axis=axis, batch_dims=batch_dims)
    return tf.convert_to_tensor(tape.gradient(gathered, params, grad))


@case("GatherGrad", dtypes=("float32", "float64", *COMPLEX), no_gradient=("like",), reference=_added)
def gather_grad(draw):
    shape, indices, axis, batch = gathering(draw)
    position, shared = int(axis) % len(shape), batch % max(indices.ndim, 1) if batch < 0 else batch
    sizes = shape[:position] + indices.shape[shared:] + shape[position + 1 :]
    # TensorFlow's gradient is at fault for batches of which one side is a scalar's.
    return {
        "like": draw.array(shape), "indices": indices, "axis": axis, "grad": draw.array(sizes),
        "batch_dims": shared,
    }  # fmt: skip


def nested_indices(draw, shape, distinct=False):
    """Rows of indices into the first dimensions of `shape`, and the shape of what they name."""
    depth = draw.integer(1, len(shape))
    if distinct:
        count = draw.integer(0, int(np.prod(shape[:depth])))
        flat = np.array(draw.permutation(int(np.prod(shape[:depth])))[:count], np.int64)
        indices = np.stack(np.unravel_index(flat, shape[:depth]), -1).astype(draw.index_dtype())
        return indices, (count, *shape[depth:])
    lead = draw.shape(min_rank=1, max_rank=2)  # TensorFlow scatters no scalar updates
    columns = [draw.indices(lead, size, "int64") for size in shape[:depth]]
    return np.stack(columns, -1).astype(draw.index_dtype()), (*lead, *shape[depth:])


@case("GatherNd", dtypes=EVERYTHING)
def gather_nd(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices, _ = nested_indices(draw, shape)
    return {"params": draw.array(shape), "indices": indices}


@case("ScatterNd", dtypes=NUMERIC)
def scatter_nd(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices, sizes = nested_indices(draw, shape)
    updates = draw.array(sizes, special=False)
    return {"indices": indices, "updates": updates, "shape": np.array(shape, indices.dtype)}


@case("TensorScatterAdd", "TensorScatterSub", dtypes=NUMERIC)
def tensor_scatter_sum(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices, sizes = nested_indices(draw, shape)
    return {
        "tensor": draw.array(shape, special=False), "indices": indices,
        "updates": draw.array(sizes, special=False),
    }  # fmt: skip


@case("TensorScatterUpdate", dtypes=EVERYTHING)
def tensor_scatter_update(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices, sizes = nested_indices(draw, shape, distinct=True)
    return {"tensor": draw.array(shape), "indices": indices, "updates": draw.array(sizes)}


@case("TensorScatterMax", "TensorScatterMin", dtypes=REAL)
def tensor_scatter_extreme(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices, sizes = nested_indices(draw, shape)
    return {
        "tensor": draw.array(shape, special=False), "indices": indices,
        "updates": draw.array(sizes, special=False),
    }  # fmt: skip


def rows_of_variable(draw, distinct=False, low=-3):
    shape = draw.shape(min_rank=1, min_size=1)
    if distinct:
        indices = np.array(draw.permutation(shape[0])[: draw.integer(0, shape[0])], draw.index_dtype())
    else:
        indices = draw.indices(draw.shape(max_rank=2), shape[0])
    updates = () if draw.integer(0, 4) == 4 else indices.shape + shape[1:]
    return {
        "ref": draw.array(shape, special=False), "indices": indices,
        "updates": draw.array(updates, low, special=False), "use_locking": draw.boolean(),
    }  # fmt: skip


@case("ScatterAdd", "ScatterSub", "ScatterMul", dtypes=NUMERIC)
def scatter_sum(draw):
    return rows_of_variable(draw)


@case("ScatterDiv", dtypes=FLOATS)
def scatter_quotient(draw):
    return rows_of_variable(draw, low=1)


@case("ScatterMin", "ScatterMax", dtypes=("float32", "float64", "int32", "int64"))
def scatter_extreme(draw):
    return rows_of_variable(draw)


@case("ScatterUpdate", dtypes=ALL)
def scatter_update(draw):
    return rows_of_variable(draw, distinct=True)


@case("ScatterNdAdd", "ScatterNdSub", dtypes=("float32", "float64", "int32", "int64", *COMPLEX))
def scatter_nd_sum(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices, sizes = nested_indices(draw, shape)
    return {
        "ref": draw.array(shape, special=False), "indices": indices,
        "updates": draw.array(sizes, special=False), "use_locking": False,
    }  # fmt: skip


@case("ScatterNdUpdate", dtypes=("float32", "float64", "int32", "int64", "bool"))
def scatter_nd_update(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices, sizes = nested_indices(draw, shape, distinct=True)
    return {"ref": draw.array(shape), "indices": indices, "updates": draw.array(sizes), "use_locking": True}
