"""Reading parts of a tensor at given indices: `tf.gather`, `tf.gather_nd`, `tf.boolean_mask`."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape, unknown_shape
from minitf.kernels import rows
from minitf.ops import shape_rules
from minitf.ops.array import cast, expand_dims, reshape, shape, size, squeeze
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.registry import Anything, Index, Mixed, Numeric, Types, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value

Axis = Index.another("Axis")
_Indices = Types("Indices", (dtypes.int32, dtypes.int64, dtypes.int16))


def place_of(index: Any) -> str:
    """An index as messages have it: `[1,0]`, nothing for a scalar's."""
    return f"[{','.join(str(i) for i in index)}]" if len(index) else ""


def check_bounds(indices: np.ndarray, bound: int) -> None:
    """Raises ValueError in TensorFlow's words unless every index is in [0, bound)."""
    flat = rows.first_outside(indices, bound)
    if flat is not None:
        place = place_of(np.unravel_index(flat, indices.shape))
        raise ValueError(f"indices{place} = {indices.flat[flat]} is not in [0, {bound})")


def _gathered_shape(params, indices, axis, *, batch_dims=0):
    position = constant_value(axis)
    if params.shape.rank is None or indices.shape.rank is None:
        return UNKNOWN
    rank, batch = params.shape.rank, _batch_dims(batch_dims, indices.shape.rank)
    if position is None:
        return unknown_shape(rank - 1 + indices.shape.rank - batch)
    position = int(position)
    if not -rank <= position < rank:
        needed = position + 1 if position >= 0 else -position
        raise ValueError(f"Shape must be at least rank {needed} but is rank {rank}")
    position %= rank
    if batch > position:
        raise ValueError(f"batch_dims ({batch}) must be less than or equal to axis ({position})")
    shape_rules.merge(params.shape[:batch], indices.shape[:batch])
    return TensorShape(
        [*params.shape.sizes[:position], *indices.shape.sizes[batch:], *params.shape.sizes[position + 1 :]]
    )


def _batch_dims(batch_dims: int, rank: int) -> int:
    if not -rank <= batch_dims <= rank:
        raise ValueError(f"Expected batch_dims in the range [{-rank}, {rank}], but got {batch_dims}")
    return batch_dims + rank if batch_dims < 0 else batch_dims


def _gather_numpy(params, indices, axis, batch):
    """Gathers at `axis` >= `batch`, whose leading `batch` dimensions both have."""
    grid = np.ix_(*(np.arange(n) for n in params.shape[:batch]))
    grid = [g.reshape(g.shape + (1,) * (indices.ndim - batch)) for g in grid]
    picked = np.moveaxis(params, axis, batch)[(*grid, indices, ...)]
    between = axis - batch
    # picked: batch, indices, dimensions between batch and axis, the rest.
    order = [
        *range(batch),
        *range(indices.ndim, indices.ndim + between),
        *range(batch, indices.ndim),
        *range(indices.ndim + between, picked.ndim),
    ]
    return np.ascontiguousarray(picked.transpose(order))


def _prepare_gather(node):
    axis = node.inputs[2].constant
    if axis is None or node.attrs["batch_dims"] or node.inputs[0].dtype.base_dtype == dtypes.string:
        return None
    axis, bounded = int(axis), rows.first_outside

    def gather_rows(params, indices, axis_, out=None):
        if bounded(indices, params.shape[axis]) is not None:
            check_bounds(indices, params.shape[axis])
        return params.take(indices, axis, out, "clip")

    return gather_rows


@op("GatherV2", shape=_gathered_shape, prepare=_prepare_gather)
def _gather(params: Anything, indices: _Indices, axis: Axis, *, batch_dims=0, out=None) -> Anything:
    axis = int(axis) % params.ndim
    batch = _batch_dims(batch_dims, indices.ndim)
    check_bounds(indices, params.shape[axis])
    if not batch:
        return rows.take(params, indices, axis, out)
    result = _gather_numpy(params, indices, axis, batch)
    if out is None:
        return result
    np.copyto(out, result)
    return out


def _shape_of_like(like, *_rest, **_attrs):
    return like.shape


@op("GatherGrad", shape_only=("like",), shape=_shape_of_like)
def _gather_grad(
    like: Mixed, indices: _Indices, axis: Axis, grad: Numeric, *, batch_dims=0, out=None
) -> Numeric:
    """`grad` added up where GatherV2 took its values from, in a tensor of `like`'s shape."""
    axis = int(axis) % like.ndim
    batch = _batch_dims(batch_dims, indices.ndim)
    lead, tail = like.shape[:axis], like.shape[axis + 1 :]
    # Every gathered row has a number of its own: (its place before axis, index).
    places = np.arange(int(np.prod(lead, dtype=np.int64))).reshape(lead + (1,) * (indices.ndim - batch))
    between = (1,) * (axis - batch)
    spread = indices.reshape(indices.shape[:batch] + between + indices.shape[batch:])
    flat = places * like.shape[axis] + spread
    target = np.zeros(like.shape, grad.dtype) if out is None else out
    if out is not None:
        target.fill(0)
    width = int(np.prod(tail, dtype=np.int64))
    if target.size:
        rows.add_rows(target.reshape(-1, width), flat.reshape(-1), grad.reshape(-1, width))
    return target


@gradient(_gather)
def _gather_gradient(op, grad):
    params, indices, axis = op.inputs
    position, batch_dims = constant_value(axis), op.attrs["batch_dims"]
    if position is None or position != 0 or batch_dims:
        return [_gather_grad(params, indices, axis, grad, batch_dims=batch_dims), None, None]
    return [_row_gradient(params, indices, grad), None, None]


def _row_gradient(params, indices, grad):
    """The gradient of gathering rows: only those rows of it, as TensorFlow gives it."""
    dense_shape = shape(params)
    count = expand_dims(size(indices), 0)
    flat = indices if indices.shape.rank == 1 else reshape(indices, count)
    values = grad if indices.shape.rank == 1 else reshape(grad, _join(count, dense_shape[1:]))
    return IndexedSlices(values, flat, dense_shape)


def _join(*vectors):
    from minitf.ops.join import concat

    return concat(list(vectors), 0)


@gradient(_gather_grad)
def _gather_grad_gradient(op, grad):
    _, indices, axis, _ = op.inputs
    return [None, None, None, _gather(grad, indices, axis, **op.attrs)]


def gather(
    params: Any,
    indices: Any,
    validate_indices: bool | None = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Any:
    """The slices of `params` along `axis` that `indices` (of any shape, int32 or int64) name.

    The result has shape params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]. The first
    `batch_dims` dimensions are common to both; `axis` is `batch_dims` by default. `validate_indices` is
    deprecated: indices are always checked. Raises InvalidArgumentError when one is out of range.
    """  # fmt: skip
    if axis is None:
        axis = batch_dims
    return _gather(params, indices, axis, batch_dims=batch_dims, name=name)


def batch_gather(params: Any, indices: Any, name: str | None = None) -> Any:
    """Gathers from each innermost row: result[b…, i…] = params[b…, indices[b…, i]]."""
    with interpreter().name_scope(name or "BatchGather"):
        params = interpreter().convert(params, None, None, "params")
        indices = interpreter().convert(indices, None, None, "indices")
        if indices.shape.rank is None:
            raise ValueError("batch_gather does not allow indices with unknown shape.")
        return gather(params, indices, axis=indices.shape.rank - 1, batch_dims=indices.shape.rank - 1)


# --- gather_nd ---------------------------------------------------------------------------------------


def _gathered_nd_shape(params, indices, **_attrs):
    if params.shape.rank is None or indices.shape.rank is None:
        return UNKNOWN
    shape_rules.require_rank_at_least(indices, 1)
    depth = indices.shape.sizes[-1]
    if depth is None:
        return UNKNOWN
    if depth > params.shape.rank:
        raise ValueError(
            "indices.shape[-1] must be <= params.rank, but saw indices shape: "
            f"{indices.shape.brackets()} and params shape: {params.shape.brackets()}"
        )
    return indices.shape[:-1].concatenate(params.shape[depth:])


def check_bounds_nd(indices: np.ndarray, sizes: tuple[int, ...], what: str = "param shape") -> None:
    """Raises ValueError in TensorFlow's words unless every row of `indices` is inside `sizes`."""
    outside = ((indices < 0) | (indices >= np.array(sizes[: indices.shape[-1]], np.int64))).any(-1)
    if outside.any():
        first = np.unravel_index(int(np.argmax(outside)), outside.shape)
        values = ", ".join(str(i) for i in indices[first])
        raise ValueError(
            f"indices{place_of(first)} = [{values}] does not index into {what} {place_of(sizes) or '[]'}"
        )


@op("GatherNd", shape=_gathered_nd_shape)
def _gather_nd(params: Anything, indices: _Indices) -> Anything:
    check_bounds_nd(indices, params.shape)
    return params[(*np.moveaxis(indices, -1, 0), ...)].copy()


@gradient(_gather_nd)
def _gather_nd_gradient(op, grad):
    from minitf.ops.scatter import scatter_nd

    params, indices = op.inputs
    if indices.shape.rank == 2 and indices.shape.sizes[-1] == 1:
        return [IndexedSlices(grad, squeeze(indices, axis=-1), shape(params)), None]
    return [scatter_nd(indices, grad, shape(params, out_type=indices.dtype.base_dtype)), None]


def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> Any:
    """The elements or slices of `params` that the rows of `indices` (…, depth) name.

    The result has shape indices.shape[:-1] + params.shape[depth:]; the first `batch_dims` dimensions are
    common to both. Raises InvalidArgumentError when an index is out of range.
    """  # fmt: skip
    if not batch_dims:
        return _gather_nd(params, indices, name=name)
    with interpreter().name_scope(name or "BatchGatherND"):
        params = interpreter().convert(params, None, None, "params")
        indices = interpreter().convert(indices, None, None, "indices")
        return _gather_nd(params, _with_batch_index(params, indices, batch_dims))


def _with_batch_index(params, indices, batch_dims):
    """`indices` with the place in each batch dimension put before them."""
    from minitf.ops.constants import range
    from minitf.ops.join import concat, stack
    from minitf.ops.tile import broadcast_to

    count = indices.shape.rank
    if count is None or not 0 < batch_dims < count:
        raise ValueError(f"batch_dims = {batch_dims} must be less than rank(indices) = {count}")
    lead = shape(indices)[:-1]
    grid = []
    for axis in np.arange(batch_dims):
        sizes = [1] * (count - 1)
        sizes[axis] = -1
        steps = range(shape(params)[int(axis)])
        grid.append(broadcast_to(reshape(cast(steps, indices.dtype.base_dtype), sizes), lead))
    return concat([stack(grid, axis=-1), indices], -1)


# --- masks -------------------------------------------------------------------------------------------


def boolean_mask(tensor: Any, mask: Any, name: str = "boolean_mask", axis: Any = None) -> Any:
    """The slices of `tensor` for which `mask` (bool, of known rank) holds, along a new first dimension.

    mask.shape must equal tensor.shape[axis : axis + rank(mask)] (`axis`: 0 by default). Raises ValueError
    when it does not, or for a scalar mask.
    """
    from minitf.ops.reduce import reduce_prod
    from minitf.ops.select import where

    with interpreter().name_scope(name):
        tensor = interpreter().convert(tensor, None, None, "tensor")
        mask = interpreter().convert(mask, None, dtypes.bool, "mask")
        count = mask.shape.rank
        if count == 0:
            raise ValueError("mask cannot be scalar.")
        if count is None:
            raise ValueError(
                "Number of mask dimensions must be specified, even if some dimensions are None.  E.g. "
                "shape=[None] is ok, but shape=None is not."
            )
        axis = 0 if axis is None else int(constant_value(interpreter().convert(axis, None)))
        axis = axis if axis >= 0 or tensor.shape.rank is None else axis + tensor.shape.rank
        tensor.shape[axis : axis + count].assert_is_compatible_with(mask.shape)
        before, after = shape(tensor)[:axis], shape(tensor)[axis + count :]
        masked = expand_dims(reduce_prod(shape(tensor)[axis : axis + count]), 0)
        static = tensor.shape
        tensor = reshape(tensor, _join(before, masked, after))
        if static.rank is not None:
            sizes = static[axis : axis + count].num_elements()
            tensor.set_shape(static[:axis].concatenate([sizes]).concatenate(static[axis + count :]))
        chosen = squeeze(where(reshape(mask, [-1])), axis=[1])
        return gather(tensor, chosen, axis=axis)
