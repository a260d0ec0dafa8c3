"""Writing to a tensor at given indices: into zeros, into a copy of a tensor, or into a variable."""

from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.kernels import elementwise, rows
from minitf.ops import math, shape_rules
from minitf.ops.array import cast
from minitf.ops.constants import zeros_like
from minitf.ops.gather import check_bounds, check_bounds_nd, gather_nd, place_of
from minitf.ops.registry import (
    Anything,
    Index,
    Numeric,
    Real,
    Ref,
    gradient,
    interpreter,
    not_differentiable,
    op,
)
from minitf.ops.shape_rules import shape_from

# How rows are put to a matrix at flat indices, each index in [0, len(matrix)).


def _set_rows(matrix, places, updates):
    matrix[places] = updates


def _subtract_rows(matrix, places, updates):
    np.subtract.at(matrix, places, updates)


def _divide_rows(matrix, places, updates):
    if matrix.dtype.kind in "fc":
        np.divide.at(matrix, places, updates)
        return
    for place, update in zip(places, updates):
        matrix[place] = elementwise.truncate_divide(matrix[place], update)


def _ufunc_at(ufunc):
    return lambda matrix, places, updates: ufunc.at(matrix, places, updates)


_WAYS = {
    "Update": _set_rows,
    "Add": rows.add_rows,
    "Sub": _subtract_rows,
    "Mul": _ufunc_at(np.multiply),
    "Div": _divide_rows,
    "Min": _ufunc_at(np.minimum),
    "Max": _ufunc_at(np.maximum),
}


def _write_nd(target: np.ndarray, indices: np.ndarray, updates: np.ndarray, way: str) -> np.ndarray:
    """Puts `updates` (indices.shape[:-1] + target.shape[depth:]) where the rows of `indices` say."""
    depth = indices.shape[-1]
    expected = indices.shape[:-1] + target.shape[depth:]
    if updates.shape != expected:
        raise ValueError(
            "Must have updates.shape = indices.shape[:batch_dim] + params_shape[slice_dim:], got "
            f"updates.shape: {place_of(updates.shape) or '[]'}, indices.shape: {place_of(indices.shape)}, "
            f"params_shape: {place_of(target.shape) or '[]'}, slice_dim: {depth}, and batch_dim: "
            f"{indices.ndim - 1}"
        )
    check_bounds_nd(indices, target.shape, "shape")
    lead = target.shape[:depth]
    width = int(np.prod(target.shape[depth:], dtype=np.int64))
    if updates.size:
        steps = np.cumprod((1, *lead[:0:-1]), dtype=np.int64)[::-1]
        places = (indices.reshape(-1, depth).astype(np.int64) * steps[:depth]).sum(-1)
        _WAYS[way](target.reshape(-1, width), places, updates.reshape(-1, width))
    return target


def _check_nd_shapes(target: TensorShape, indices: Any, updates: Any) -> None:
    if None in (target.rank, indices.shape.rank, updates.shape.rank):
        return
    shape_rules.require_rank_at_least(indices, 1)
    depth = indices.shape.sizes[-1]
    if depth is None:
        return
    if depth > target.rank:
        raise ValueError(
            f"Dimension {indices.shape.rank - 1} of indices[{indices.shape.brackets()}] is {depth}, more "
            f"than the rank {target.rank} of the output"
        )
    lead = indices.shape[:-1]
    if not lead.is_compatible_with(updates.shape[: lead.rank]):
        raise ValueError(
            f"Dimensions [0,{lead.rank}) of indices[shape={indices.shape.brackets()}] = {lead.brackets()} "
            f"must match dimensions [0,{lead.rank}) of updates[shape={updates.shape.brackets()}] = "
            f"{updates.shape[: lead.rank].brackets()}"
        )
    if not target[depth:].is_compatible_with(updates.shape[lead.rank :]):
        raise ValueError(
            f"Dimensions [{depth},{target.rank}) of input[shape={target.brackets()}] = "
            f"{target[depth:].brackets()} must match dimensions [{lead.rank},{updates.shape.rank}) of "
            f"updates[shape={updates.shape.brackets()}] = {updates.shape[lead.rank :].brackets()}"
        )


# --- into zeros --------------------------------------------------------------------------------------


def _scattered_shape(indices, updates, shape):
    target = shape_from(shape)
    _check_nd_shapes(target, indices, updates)
    return target


@op("ScatterNd", shape=_scattered_shape)
def _scatter_nd(indices: Index, updates: Anything, shape: Index, *, out=None) -> Anything:
    if out is None:
        out = np.empty(tuple(shape), updates.dtype)
    out.fill(b"" if updates.dtype == object else 0)
    way = "Add" if updates.dtype.kind in "iufc" else "Update"
    return _write_nd(out, indices, updates, way)


@gradient(_scatter_nd)
def _scatter_nd_gradient(op, grad):
    return [None, gather_nd(grad, op.inputs[0]), None]


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Any:
    """Zeros of `shape` with `updates` added at `indices` (…, depth): `gather_nd` the other way round.

    updates.shape = indices.shape[:-1] + shape[depth:]; what goes to one place adds up. Raises ValueError for
    shapes that do not fit, InvalidArgumentError for indices out of range.
    """
    return _scatter_nd(indices, updates, shape, name=name)


# --- into a copy -------------------------------------------------------------------------------------


def _like_tensor(tensor, indices, updates, **_attrs):
    _check_nd_shapes(tensor.shape, indices, updates)
    return tensor.shape


def _tensor_scatter(way: str, types: Any) -> Any:
    @op(f"TensorScatter{way}", shape=_like_tensor)
    def kernel(tensor: types, indices: Index, updates: types, *, out=None) -> types:
        if out is None:
            out = tensor.copy()
        else:
            np.copyto(out, tensor)
        return _write_nd(out, indices, updates, way)

    return kernel


def _public_copy(kernel: Any, doc: str) -> Any:
    def function(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
        return kernel(tensor, indices, updates, name=name)

    function.__doc__ = f"""{doc}

    updates.shape = indices.shape[:-1] + tensor.shape[indices.shape[-1]:].
    """
    return function


_tensor_update = _tensor_scatter("Update", Anything)
_tensor_add = _tensor_scatter("Add", Numeric)
_tensor_sub = _tensor_scatter("Sub", Numeric)
_tensor_max = _tensor_scatter("Max", Real)
_tensor_min = _tensor_scatter("Min", Real)
tensor_scatter_nd_update = _public_copy(_tensor_update, "A copy of `tensor` with `updates` at `indices`.")
tensor_scatter_nd_add = _public_copy(_tensor_add, "A copy of `tensor`, `updates` added at `indices`.")
tensor_scatter_nd_sub = _public_copy(_tensor_sub, "A copy of `tensor`, `updates` subtracted at `indices`.")
tensor_scatter_nd_max = _public_copy(_tensor_max, "A copy of `tensor`, at `indices` no less than `updates`.")
tensor_scatter_nd_min = _public_copy(_tensor_min, "A copy of `tensor`, at `indices` no more than `updates`.")


@gradient(_tensor_update)
def _tensor_update_gradient(op, grad):
    _, indices, updates = op.inputs
    kept = _tensor_update(grad, indices, zeros_like(updates))
    return [kept, None, gather_nd(grad, indices)]


@gradient(_tensor_add)
def _tensor_add_gradient(op, grad):
    return [grad, None, gather_nd(grad, op.inputs[1])]


@gradient(_tensor_sub)
def _tensor_sub_gradient(op, grad):
    return [grad, None, -gather_nd(grad, op.inputs[1])]


@gradient(_tensor_max, _tensor_min)
def _tensor_extreme_gradient(op, grad):
    """The gradient goes to what was chosen, the tensor's or an update's, shared among equal ones."""
    tensor, indices, updates = op.inputs
    chosen = op.outputs[0]
    from_tensor = cast(math.equal(tensor, chosen), grad.dtype)
    from_updates = cast(math.equal(updates, gather_nd(chosen, indices)), grad.dtype)
    ties = _tensor_add(from_tensor, indices, from_updates)
    share = math.real_divide(grad, ties)
    return [share * from_tensor, None, gather_nd(share, indices) * from_updates]


# --- into a variable ---------------------------------------------------------------------------------


def _ref_shape(ref, indices, updates, *, use_locking=False):
    if None not in (ref.shape.rank, indices.shape.rank, updates.shape.rank) and updates.shape.rank:
        shape_rules.merge(indices.shape.concatenate(ref.shape[1:]), updates.shape)
    return ref.shape


def _scatter(way: str, types: Any) -> Any:
    @op(f"Scatter{way}", shape=_ref_shape)
    def kernel(ref: Ref(types), indices: Index, updates: types, *, use_locking=False) -> Ref(types):
        expected = indices.shape + ref.shape[1:]
        if updates.shape not in (expected, ()):
            raise ValueError(
                "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got "
                f"updates.shape {place_of(updates.shape)}, indices.shape {place_of(indices.shape) or '[]'}, "
                f"params.shape {place_of(ref.shape)}"
            )
        check_bounds(indices, len(ref))
        updates = np.broadcast_to(updates, expected)
        width = int(np.prod(ref.shape[1:], dtype=np.int64))
        if updates.size:
            _WAYS[way](ref.reshape(-1, width), indices.reshape(-1), updates.reshape(-1, width))
        return ref

    not_differentiable(kernel)
    return kernel


def _ref_nd_shape(ref, indices, updates, *, use_locking=False):
    _check_nd_shapes(ref.shape, indices, updates)
    return ref.shape


def _scatter_into_nd(way: str, types: Any) -> Any:
    @op(f"ScatterNd{way}", shape=_ref_nd_shape)
    def kernel(ref: Ref(types), indices: Index, updates: types, *, use_locking=False) -> Ref(types):
        return _write_nd(ref, indices, updates, way)

    not_differentiable(kernel)
    return kernel


def _public_ref(kernel: Any, doc: str, locking: bool = False) -> Any:
    def function(
        ref: Any, indices: Any, updates: Any, use_locking: bool = locking, name: str | None = None
    ) -> Any:
        return kernel(ref, indices, updates, use_locking=bool(use_locking), name=name)

    function.__doc__ = f"""{doc} The result is the variable, changed.

    Where an index occurs several times, all its updates count, one after another. Steps of one session never
    overlap, with `use_locking` or without. Raises InvalidArgumentError for indices out of range.
    """
    return function


_ROWS = "the rows of a variable at `indices`"
scatter_update = _public_ref(_scatter("Update", Anything), f"Sets {_ROWS} to `updates`.", True)
scatter_add = _public_ref(_scatter("Add", Numeric), f"Adds `updates` to {_ROWS}.")
scatter_sub = _public_ref(_scatter("Sub", Numeric), f"Subtracts `updates` from {_ROWS}.")
scatter_mul = _public_ref(_scatter("Mul", Numeric), f"Multiplies {_ROWS} by `updates`.")
scatter_div = _public_ref(_scatter("Div", Numeric), f"Divides {_ROWS} by `updates`.")
scatter_min = _public_ref(_scatter("Min", Real), f"Lowers {_ROWS} to `updates`.")
scatter_max = _public_ref(_scatter("Max", Real), f"Raises {_ROWS} to `updates`.")
_PARTS = "the parts of a variable that the rows of `indices` name"
scatter_nd_update = _public_ref(_scatter_into_nd("Update", Anything), f"Sets {_PARTS} to `updates`.", True)
scatter_nd_add = _public_ref(_scatter_into_nd("Add", Numeric), f"Adds `updates` to {_PARTS}.")
scatter_nd_sub = _public_ref(_scatter_into_nd("Sub", Numeric), f"Subtracts `updates` from {_PARTS}.")


def batch_scatter_update(
    ref: Any, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None
) -> Any:
    """Sets ref[b…, indices[b…, i]] to updates[b…, i] in a variable, for each place b… of a batch."""
    from minitf.ops.array import expand_dims
    from minitf.ops.gather import _with_batch_index

    with interpreter().name_scope(name or "batch_scatter_update"):
        indices = interpreter().convert(indices, None, None, "indices")
        batch_dims = indices.shape.rank - 1
        if not batch_dims:
            return scatter_update(ref, indices, updates, use_locking)
        places = _with_batch_index(indices, expand_dims(indices, -1), batch_dims)
        return scatter_nd_update(ref, places, updates, use_locking)
