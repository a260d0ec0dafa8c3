"""Sums, means, extremes and products over groups of rows: segment and unsorted_segment reductions."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.kernels import rows
from minitf.ops import math, shape_rules
from minitf.ops.array import cast, expand_dims, rank, reshape, shape
from minitf.ops.constants import ones, ones_like, zeros_like
from minitf.ops.gather import gather, place_of
from minitf.ops.join import concat
from minitf.ops.registry import Index, Numeric, Real, gradient, interpreter, op
from minitf.ops.select import where_v2
from minitf.ops.shape_rules import constant_value

_Count = Index.another("Count")

# --- unsorted: ids of any order, a given number of segments -------------------------------------------


def _unsorted_shape(data, segment_ids, num_segments):
    count = constant_value(num_segments)
    if segment_ids.shape.rank is None or data.shape.rank is None:
        return UNKNOWN
    if data.shape.rank < segment_ids.shape.rank:
        raise ValueError(
            f"Shape must be at least rank {segment_ids.shape.rank} but is rank {data.shape.rank}"
        )
    shape_rules.merge(data.shape[: segment_ids.shape.rank], segment_ids.shape)
    if count is not None and count < 0:
        raise ValueError(f"Dimension size, given by scalar input 2, must be non-negative but is {count}")
    size = None if count is None else int(count)
    return TensorShape([size]).concatenate(data.shape[segment_ids.shape.rank :])


def _check_unsorted(data, segment_ids, num_segments):
    if data.shape[: segment_ids.ndim] != segment_ids.shape:
        raise ValueError(
            f"data.shape = {place_of(data.shape)} does not start with segment_ids.shape = "
            f"{place_of(segment_ids.shape)}"
        )
    too_large = segment_ids >= num_segments
    if too_large.any():
        first = np.unravel_index(int(np.argmax(too_large)), segment_ids.shape)
        raise ValueError(
            f"segment_ids{place_of(first)} = {segment_ids[first]} is out of range [0, {num_segments})"
        )


def _flattened(data, segment_ids):
    width = int(np.prod(data.shape[segment_ids.ndim :], dtype=np.int64))
    return segment_ids.reshape(-1), data.reshape(segment_ids.size, width)


def _unsorted(name: str, initial: Any, accumulate: Any, types: Any) -> Any:
    """Declares an unsorted reduction: `accumulate(target, ids, rows)` on a target filled with `initial`."""

    @op(name, shape=_unsorted_shape)
    def kernel(data: types, segment_ids: Index, num_segments: _Count, *, out=None) -> types:
        _check_unsorted(data, segment_ids, num_segments)
        if out is None:
            out = np.empty((int(num_segments), *data.shape[segment_ids.ndim :]), data.dtype)
        out.fill(initial(data.dtype))
        if data.size:
            ids, values = _flattened(data, segment_ids)
            accumulate(out.reshape(len(out), values.shape[1]), ids, values)
        return out

    return kernel


def _accumulator(ufunc):
    def accumulate(target, ids, values):
        kept = ids >= 0
        ufunc.at(target, ids[kept], values[kept])

    return accumulate


def lowest(dtype: np.dtype) -> Any:
    """The smallest value of a NumPy dtype that is not -inf."""
    return np.finfo(dtype).min if dtype.kind == "f" else np.iinfo(dtype).min


def highest(dtype: np.dtype) -> Any:
    """The largest value of a NumPy dtype that is not inf."""
    return np.finfo(dtype).max if dtype.kind == "f" else np.iinfo(dtype).max


_unsorted_sum = _unsorted("UnsortedSegmentSum", lambda dtype: 0, rows.add_rows, Numeric)
_unsorted_prod = _unsorted("UnsortedSegmentProd", lambda dtype: 1, _accumulator(np.multiply), Numeric)
_unsorted_max = _unsorted("UnsortedSegmentMax", lowest, _accumulator(np.maximum), Real)
_unsorted_min = _unsorted("UnsortedSegmentMin", highest, _accumulator(np.minimum), Real)


def _wrap(kernel: Any, doc: str) -> Any:
    def function(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
        return kernel(data, segment_ids, num_segments, name=name)

    function.__doc__ = f"""{doc}

    `segment_ids` has the shape of data's first dimensions; negative ids are left out. The result has shape
    (num_segments,) + data.shape[rank(segment_ids):].
    """
    return function


unsorted_segment_sum = _wrap(
    _unsorted_sum, "The sums of the rows of `data` that have the same id; 0 for none."
)
unsorted_segment_prod = _wrap(_unsorted_prod, "The products of the rows that have the same id; 1 for none.")
unsorted_segment_max = _wrap(_unsorted_max, "The largest per id; the dtype's lowest value for none.")
unsorted_segment_min = _wrap(_unsorted_min, "The smallest per id; the dtype's highest value for none.")


def _spread(segment_ids: Any, like: Any) -> Any:
    """`segment_ids` (or one value per id) with dimensions of size 1 added up to the rank of `like`."""
    if segment_ids.shape.rank is not None and segment_ids.shape.rank == like.shape.rank:
        return segment_ids
    extra = ones(expand_dims(math.subtract(rank(like), rank(segment_ids)), 0), dtypes.int32)
    return reshape(segment_ids, concat([shape(segment_ids), extra], 0))


def _gather_or_zero(values: Any, segment_ids: Any) -> tuple[Any, Any, Any]:
    """The row of `values` of each id (zeros for negative ids), the ids made safe, and which are valid."""
    safe = math.maximum(segment_ids, zeros_like(segment_ids))
    gathered = gather(values, safe)
    valid = _spread(math.greater_equal(segment_ids, zeros_like(segment_ids)), gathered)
    return where_v2(valid, gathered, zeros_like(gathered)), safe, valid


@gradient(_unsorted_sum)
def _unsorted_sum_gradient(op, grad):
    return [_gather_or_zero(grad, op.inputs[1])[0], None, None]


@gradient(_unsorted_max, _unsorted_min)
def _unsorted_extreme_gradient(op, grad):
    """The gradient goes to the extreme rows, shared among equal ones."""
    data, ids, count = op.inputs
    extreme, safe, valid = _gather_or_zero(op.outputs[0], ids)
    chosen = math.logical_and(math.equal(data, extreme), valid)
    ties = _unsorted_sum(cast(chosen, grad.dtype), ids, count)
    shared = gather(math.truediv(grad, ties), safe)
    return [where_v2(chosen, shared, zeros_like(shared)), None, None]


@gradient(_unsorted_prod)
def _unsorted_prod_gradient(op, grad):
    data, ids, count = op.inputs
    safe = math.maximum(ids, zeros_like(ids))
    partial, grad = _product_slopes(
        data,
        op.outputs[0],
        grad,
        prod=lambda x: _unsorted_prod(x, ids, count),
        sum=lambda x: _unsorted_sum(x, ids, count),
        spread=lambda x: gather(x, safe),
    )
    return [_gather_or_zero(grad, ids)[0] * partial, None, None]


def _product_slopes(data, product, grad, prod, sum, spread):
    """For each row the product of its segment's other rows, and `grad` without segments of two zeros.

    It is product / row, but where the row is 0, it is the product of the rows that are not.
    """
    is_zero = math.equal(data, zeros_like(data))
    zeros_in_segment = sum(cast(is_zero, dtypes.int32))
    grad = where_v2(math.greater(zeros_in_segment, np.int32(1)), zeros_like(grad), grad)
    non_zero = where_v2(is_zero, ones_like(data), data)
    return where_v2(is_zero, spread(prod(non_zero)), math.truediv(spread(product), non_zero)), grad


def _unsorted_average(default_name: str, divisor: Any, doc: str) -> Any:
    def function(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
        current = interpreter()
        with current.name_scope(name or default_name):
            data = current.convert(data, None, None, "data")
            segment_ids = current.convert(segment_ids, None, None, "segment_ids")
            ones_per_id = ones_like(segment_ids, dtype=data.dtype.base_dtype)
            counts = _unsorted_sum(ones_per_id, segment_ids, num_segments)
            total = _unsorted_sum(data, segment_ids, num_segments)
            counts = math.maximum(counts, ones_like(counts))
            return math.truediv(total, divisor(_spread(counts, total)))

    function.__doc__ = doc
    return function


unsorted_segment_mean = _unsorted_average(
    "UnsortedSegmentMean", lambda n: n, "The means of the rows that have the same id; 0 for none."
)
unsorted_segment_sqrt_n = _unsorted_average(
    "UnsortedSegmentSqrtN", math.sqrt, "The sums per id, divided by the square root of their number."
)

# --- sorted: the number of segments is the last id + 1 ------------------------------------------------


def _sorted_shape(data, segment_ids):
    shape_rules.require_rank(segment_ids, 1)
    if data.shape.rank is None:
        return UNKNOWN
    shape_rules.require_rank_at_least(data, 1)
    return TensorShape([None]).concatenate(data.shape[1:])


def starts_of(segment_ids: np.ndarray) -> np.ndarray:
    """Where each segment starts. Raises ValueError unless the ids are sorted and not negative."""
    if np.any(segment_ids[1:] < segment_ids[:-1]):
        raise ValueError("segment ids are not increasing")
    if segment_ids.size and segment_ids[0] < 0:
        raise ValueError(
            f"Segment id {segment_ids[0]} out of range [0, {segment_ids[-1] + 1}), possibly because "
            "'segment_ids' input is not sorted."
        )
    return np.flatnonzero(np.diff(segment_ids, prepend=-1))


def _sorted(name: str, reduce: Any, default: int, types: Any, doc: str) -> Any:
    """Declares a sorted reduction; `reduce(rows, starts)` as ufunc.reduceat does it."""

    @op(name, shape=_sorted_shape)
    def kernel(data: types, segment_ids: Index) -> types:
        if len(data) != len(segment_ids):
            raise ValueError("segment_ids should be the same size as dimension 0 of input.")
        starts = starts_of(segment_ids)
        count = int(segment_ids[-1]) + 1 if len(segment_ids) else 0
        result = np.full((count, *data.shape[1:]), default, data.dtype)
        if data.size:
            result[segment_ids[starts]] = reduce(data, starts)
        return result

    kernel.__name__ = kernel.__qualname__ = name
    kernel.__doc__ = f"""{doc}

    `segment_ids`: one sorted id, not negative, per row. There are max(id) + 1 results.
    """
    return kernel


def _mean_at(data, starts):
    counts = np.diff(np.append(starts, len(data))).reshape((-1,) + (1,) * (data.ndim - 1))
    total = np.add.reduceat(data, starts, 0, data.dtype)
    if data.dtype.kind in "iu":
        return np.trunc(total / counts).astype(data.dtype)
    return total / counts.astype(data.dtype)


def _at(ufunc):
    return lambda data, starts: ufunc.reduceat(data, starts, 0, data.dtype)


segment_sum = _sorted("SegmentSum", _at(np.add), 0, Numeric, "The sums of rows with the same id.")
segment_prod = _sorted("SegmentProd", _at(np.multiply), 1, Numeric, "The products of rows with the same id.")
segment_mean = _sorted("SegmentMean", _mean_at, 0, Numeric, "The means of rows with the same id.")
segment_max = _sorted("SegmentMax", _at(np.maximum), 0, Real, "The largest of rows with the same id.")
segment_min = _sorted("SegmentMin", _at(np.minimum), 0, Real, "The smallest of rows with the same id.")


@gradient(segment_sum)
def _segment_sum_gradient(op, grad):
    return [gather(grad, op.inputs[1]), None]


@gradient(segment_mean)
def _segment_mean_gradient(op, grad):
    ids = op.inputs[1]
    counts = segment_sum(ones_like(ids, dtype=grad.dtype.base_dtype), ids)
    return [gather(math.truediv(grad, _spread(counts, grad)), ids), None]


@gradient(segment_max, segment_min)
def _segment_extreme_gradient(op, grad):
    data, ids = op.inputs
    chosen = math.equal(data, gather(op.outputs[0], ids))
    ties = segment_sum(cast(chosen, grad.dtype), ids)
    return [where_v2(chosen, gather(math.truediv(grad, ties), ids), zeros_like(data)), None]


@gradient(segment_prod)
def _segment_prod_gradient(op, grad):
    data, ids = op.inputs
    partial, grad = _product_slopes(
        data,
        op.outputs[0],
        grad,
        prod=lambda x: segment_prod(x, ids),
        sum=lambda x: segment_sum(x, ids),
        spread=lambda x: gather(x, ids),
    )
    return [gather(grad, ids) * partial, None]
