"""Order: the k largest elements, sorting, ranks within sorted rows."""

from typing import Any, NamedTuple

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import UNKNOWN
from minitf.ops import math, shape_rules
from minitf.ops.array import cast, expand_dims, reshape, shape, transpose
from minitf.ops.gather import _gather_grad
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Attr, Real, Types, gradient, interpreter, not_differentiable, op
from minitf.ops.shape_rules import constant_value, normalize_axis

_Count = Types("Count", (dtypes.int32, dtypes.int16, dtypes.int64))


def _top_shapes(input, k, **_attrs):
    shape_rules.require_rank_at_least(input, 1)
    count = constant_value(k)
    if input.shape.rank is None:
        return [UNKNOWN, UNKNOWN]
    last = input.shape.sizes[-1]
    if count is not None and count < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {count}")
    if count is not None and last is not None and last < count:
        raise ValueError(f"input must have last dimension >= k = {count} but is {last}")
    result = input.shape[:-1].concatenate([None if count is None else int(count)])
    return [result, result]


# Up to so many largest elements are picked one by one; for more the rows are sorted.
_FEW = 16


def _largest(x: np.ndarray, k: int) -> np.ndarray:
    """Indices along the last dimension of the k largest elements, of equals the first first."""
    size = x.shape[-1]
    if not (k <= _FEW and 3 * k <= size and x.size and _above_lowest(x)):
        return size - 1 - np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1][..., :k]
    rest, chosen = x.copy(), np.empty((*x.shape[:-1], k), np.intp)
    taken = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    for place in range(k):
        largest = rest.argmax(-1)
        chosen[..., place] = largest
        np.put_along_axis(rest, largest[..., None], taken, -1)
    return chosen


def _above_lowest(x: np.ndarray) -> bool:
    """Whether every element is larger than what marks those that are taken; no NaN either."""
    if x.dtype.kind == "f":
        return bool(np.isfinite(np.add.reduce(x, None)))
    return bool(x.min() > np.iinfo(x.dtype).min)


@op("TopKV2", shape=_top_shapes)
def _top_k(input: Real, k: _Count, *, sorted=True, index_type=dtypes.int32) -> (Real, Attr("index_type")):
    k = int(k)
    if input.ndim < 1:
        raise ValueError(f"input must be >= 1-D, got shape {list(input.shape)}")
    if k < 0 or k > input.shape[-1]:
        problem = f"Need k >= 0, got {k}" if k < 0 else f"input must have at least k({k}) columns"
        raise ValueError(f"{problem}. Had {input.shape[-1]}" if k > 0 else problem)
    chosen = _largest(input, k)
    return np.take_along_axis(input, chosen, -1), chosen.astype(index_type.numpy_dtype)


@gradient(_top_k)
def _top_k_gradient(op, grad, _):
    minus_one = np.array(-1, np.int32)
    return [_gather_grad(op.inputs[0], op.outputs[1], minus_one, grad, batch_dims=-1), None]


class TopKV2(NamedTuple):
    """The k largest elements, and where they are."""

    values: Any
    indices: Any


def top_k(
    input: Any, k: Any = 1, sorted: bool = True, index_type: Any = dtypes.int32, name: str | None = None
) -> TopKV2:
    """The `k` largest elements along the last dimension, largest first, and their indices there.

    Of equal elements, those that come first count as larger. `sorted=False` allows any order; here it is the
    same one.
    """
    return TopKV2(*_top_k(input, k, sorted=bool(sorted), index_type=as_dtype(index_type), name=name))


def _nth_shape(input, n, *, reverse=False):
    shape_rules.require_rank_at_least(input, 1)
    rank = constant_value(n)
    if rank is not None and rank < 0:
        raise ValueError(f"n must be non-negative but is {rank}")
    if input.shape.rank is None:
        return UNKNOWN
    last = input.shape.sizes[-1]
    if rank is not None and last is not None and last <= rank:
        raise ValueError(f"Input must have last dimension > n = {rank} but is {last}")
    return input.shape[:-1]


@op("NthElement", shape=_nth_shape)
def _nth_element(input: Real, n: Types("Rank", (dtypes.int32,)), *, reverse=False) -> Real:
    n, size = int(n), input.shape[-1]
    if not 0 <= n < size:
        raise ValueError(f"Input must have last dimension > n = {n}")
    place = size - 1 - n if reverse else n
    return np.partition(input, place, -1)[..., place].copy()


@gradient(_nth_element)
def _nth_element_gradient(op, grad):
    input = op.inputs[0]
    chosen = cast(math.equal(expand_dims(op.outputs[0], -1), input), grad.dtype)
    share = math.divide(chosen, expand_dims(reduce_sum(chosen, -1), -1))
    return [share * expand_dims(grad, -1), None]


def nth_element(input: Any, n: Any, reverse: bool = False, name: str | None = None) -> Any:
    """The element of rank `n` (0: the smallest, or the largest if `reverse`) along the last dimension."""
    return _nth_element(input, n, reverse=bool(reverse), name=name)


# --- sorting -----------------------------------------------------------------------------------------


def _sorted(values: Any, axis: Any, direction: str, which: int) -> Any:
    """The sorted values (which = 0) or the indices that sort them (1)."""
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(
            f"Argument `direction` should be one of ASCENDING, DESCENDING. Received: direction={direction}"
        )
    position = constant_value(axis) if hasattr(axis, "dtype") else axis
    if position is None:
        raise ValueError(f"Argument `axis` must be a constant scalar. Received: {axis}.")
    values = interpreter().convert(values, None, None, "values")
    rank = values.shape.rank
    if rank is None:
        raise ValueError("sorting needs a tensor of known rank")
    position = normalize_axis(int(position), rank)
    order = None
    if position != rank - 1:
        order = np.arange(rank, dtype=np.int32)
        order[[position, -1]] = order[[-1, position]]
        values = transpose(values, order)
    # Turned around, an ascending order is a descending one in which of equals the first comes first.
    ascending = direction == "ASCENDING"
    turn = math.invert if values.dtype.is_integer else math.negative
    keys = turn(values) if ascending else values
    result = _top_k(keys, shape(values)[-1], index_type=dtypes.int32)[which]
    if ascending and which == 0:
        result = turn(result)
    return result if order is None else transpose(result, order)


def sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> Any:
    """`values` sorted along `axis`, ASCENDING or DESCENDING."""
    with interpreter().name_scope(name or "sort"):
        return _sorted(values, axis, direction, 0)


def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Any:
    """The indices (int32) along `axis` that sort `values`; the order of equals is always kept (`stable`)."""
    with interpreter().name_scope(name or "argsort"):
        return _sorted(values, axis, direction, 1)


def _bound_shape(sorted_inputs, values, **_attrs):
    shape_rules.require_rank(sorted_inputs, 2)
    return shape_rules.require_rank(values, 2)


def _bound(name: str, side: str) -> Any:
    @op(name, shape=_bound_shape)
    def kernel(sorted_inputs: Real, values: Real, *, out_type=dtypes.int32) -> Attr("out_type"):
        if len(sorted_inputs) != len(values):
            raise ValueError("Leading dim_size of both tensors must match.")
        rows = [np.searchsorted(row, wanted, side) for row, wanted in zip(sorted_inputs, values)]
        return np.array(rows, out_type.numpy_dtype).reshape(values.shape)

    return kernel


_lower_bound = _bound("LowerBound", "left")
_upper_bound = _bound("UpperBound", "right")
not_differentiable(_lower_bound, _upper_bound)


def searchsorted(
    sorted_sequence: Any,
    values: Any,
    side: str = "left",
    out_type: Any = dtypes.int32,
    name: str | None = None,
) -> Any:
    """Where in the sorted rows `sorted_sequence` (…, n) each of `values` (…, m) would be inserted.

    Before elements equal to it with side 'left', after them with 'right'.
    """
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` must be either 'right' or 'left'. Received: `side` = '{side}'.")
    current = interpreter()
    sequence = current.convert(sorted_sequence, None, None, "sorted_sequence")
    values = current.convert(values, sequence.dtype.base_dtype, None, "values")
    rows = reshape(sequence, _rows(sequence))
    wanted = reshape(values, _rows(values))
    find = _lower_bound if side == "left" else _upper_bound
    return reshape(find(rows, wanted, out_type=as_dtype(out_type), name=name), shape(values))


def _rows(x):
    from minitf.ops.join import stack

    last = x.shape.sizes[-1] if x.shape.rank else None
    return [-1, last] if last is not None else stack([np.int32(-1), shape(x)[-1]])
