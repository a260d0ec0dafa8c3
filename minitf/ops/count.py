"""Counting: occurrences of integers, histograms, non-zero elements."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape
from minitf.ops import math, shape_rules
from minitf.ops.array import cast, size
from minitf.ops.reduce import reduce_max
from minitf.ops.registry import Attr, Types, interpreter, not_differentiable, op
from minitf.ops.shape_rules import constant_value

_Counted = Types("Counted", (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64))
_Values = Types("Values", (dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64))
_Int = Types("Int", (dtypes.int32,))


def _length_shape(count: Any) -> TensorShape:
    value = constant_value(count)
    if value is not None and value < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {value}")
    return TensorShape([None if value is None else int(value)])


def _bin_shape(arr, size, weights):
    shape_rules.require_rank(size, 0)
    return _length_shape(size)


@op("Bincount", shape=_bin_shape)
def _bincount(arr: _Int, size: _Int, weights: _Counted) -> _Counted:
    size = int(size)
    if arr.size and arr.min() < 0:
        raise ValueError("Input arr must be non-negative!")
    if weights.size and weights.shape != arr.shape:
        raise ValueError(
            "If weights are passed, they must have the same shape ("
            f"{list(weights.shape)}) as arr ({list(arr.shape)})"
        )
    arr, counts = arr.reshape(-1), np.zeros(size, weights.dtype)
    inside = arr < size
    np.add.at(counts, arr[inside], weights.reshape(-1)[inside] if weights.size else weights.dtype.type(1))
    return counts


def bincount(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = dtypes.int32
) -> Any:
    """How often each integer from 0 to max(arr) occurs in `arr`, or the sum of `weights` where it does.

    There are at least `minlength` and at most `maxlength` results; larger integers are then left out. The
    dtype is that of `weights`, or `dtype` without them. Raises InvalidArgumentError for negative integers.
    """
    current = interpreter()
    with current.name_scope("bincount"):
        arr = current.convert(arr, dtypes.int32 if not hasattr(arr, "dtype") else None, None, "arr")
        arr = cast(arr, dtypes.int32)
        not_empty = cast(math.greater(size(arr), np.int32(0)), dtypes.int32)
        length = not_empty * (reduce_max(arr) + np.int32(1))
        if minlength is not None:
            length = math.maximum(current.convert(minlength, dtypes.int32, None, "minlength"), length)
        if maxlength is not None:
            length = math.minimum(current.convert(maxlength, dtypes.int32, None, "maxlength"), length)
        if weights is None:
            weights = np.zeros(0, as_dtype(dtype).numpy_dtype)
        return _bincount(arr, length, weights)


def _histogram_shape(values, value_range, nbins, *, dtype):
    shape_rules.require_rank(value_range, 1)
    return _length_shape(nbins)


def _check_range(value_range, nbins):
    if value_range.shape != (2,):
        raise ValueError(f"value_range should be a 2-vector, but got {list(value_range.shape)}")
    if value_range[0] >= value_range[1]:
        raise ValueError(
            "value_range should satisfy value_range[0] < value_range[1], but got "
            f"'[{value_range[0]}, {value_range[1]}]'"
        )
    if nbins <= 0:
        raise ValueError(f"nbins should be a positive number, but got '{nbins}'")


@op("HistogramFixedWidth", shape=_histogram_shape)
def _histogram(values: _Values, value_range: _Values, nbins: _Int, *, dtype=dtypes.int32) -> Attr("dtype"):
    bins = int(nbins)
    _check_range(value_range, bins)
    low = value_range[0]
    step = float(value_range[1] - low) / bins
    places = (np.maximum(values.reshape(-1), low) - low).astype(np.float64) / step
    places = np.minimum(places, bins - 1).astype(np.int32)
    return np.bincount(places, minlength=bins).astype(dtype.numpy_dtype)


not_differentiable(_bincount, _histogram)


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Any:
    """How many of `values` fall into each of `nbins` equal parts of `value_range` = [low, high].

    Values outside count in the first and last part. Raises InvalidArgumentError unless low < high.
    """
    name = name or "histogram_fixed_width"
    return _histogram(values, value_range, nbins, dtype=as_dtype(dtype), name=name)


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Any:
    """The number of the part of `value_range` that each of `values` falls into, from 0 to nbins - 1.

    Raises NotImplementedError for another `dtype` than int32 or int64.
    """
    from minitf.ops.clip import clip_by_value

    current, dtype = interpreter(), as_dtype(dtype)
    if dtype not in (dtypes.int32, dtypes.int64):
        raise NotImplementedError(f"tf.histogram_fixed_width_bins: dtype {dtype.name} is not supported")
    with current.name_scope(name or "histogram_fixed_width_bins"):
        values = current.convert(values, None, None, "values")
        bounds = current.convert(value_range, values.dtype.base_dtype, None, "value_range")
        nbins = cast(current.convert(nbins, dtypes.int32, None, "nbins"), values.dtype)
        scaled = math.truediv(values - bounds[0], bounds[1] - bounds[0], name="scaled_values")
        places = math.floor(cast(nbins, scaled.dtype) * scaled, name="indices")
        zero, one = (np.array(v, places.dtype.numpy_dtype) for v in (0, 1))
        return cast(clip_by_value(places, zero, cast(nbins, places.dtype) - one), dtypes.int32)


def count_nonzero(
    input_tensor: Any = None,
    axis: Any = None,
    keepdims: bool | None = None,
    dtype: Any = dtypes.int64,
    name: str | None = None,
    reduction_indices: Any = None,
    keep_dims: bool | None = None,
    input: Any = None,
) -> Any:
    """How many elements are not 0 (not False, not empty strings) over dimensions, as `dtype`.

    `reduction_indices`, `keep_dims` and `input` are old names of `axis`, `keepdims` and `input_tensor`.
    """
    from minitf.ops.reduce import _one_of, reduce_sum

    axis = _one_of("axis", axis, "reduction_indices", reduction_indices)
    keep = bool(_one_of("keepdims", keepdims, "keep_dims", keep_dims))
    input_tensor = _one_of("input", input_tensor, "input", input)
    with interpreter().name_scope(name or "count_nonzero"):
        input_tensor = interpreter().convert(input_tensor, None, None, "input")
        zero = np.array(b"" if input_tensor.dtype == dtypes.string else 0, input_tensor.dtype.numpy_dtype)
        flags = cast(math.not_equal(input_tensor, zero), dtypes.int64)
        return cast(reduce_sum(flags, axis, keepdims=keep), dtype)
