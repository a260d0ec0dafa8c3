"""Sums and means over groups of rows that are gathered from a larger tensor."""

from typing import Any

import numpy as np

from minitf.ops import math
from minitf.ops.constants import ones_like
from minitf.ops.gather import gather
from minitf.ops.registry import interpreter
from minitf.ops.segment import _spread, segment_sum, unsorted_segment_sum


def _summed(rows, segment_ids, num_segments, name=None):
    if num_segments is None:
        return segment_sum(rows, segment_ids, name=name)
    return unsorted_segment_sum(rows, segment_ids, num_segments, name=name)


def _sparse_segment(default_name: str, divisor: Any, doc: str) -> Any:
    def function(
        data: Any,
        indices: Any,
        segment_ids: Any,
        name: str | None = None,
        num_segments: Any = None,
        sparse_gradient: bool = False,
    ) -> Any:
        current = interpreter()
        with current.name_scope(name or default_name) as scope:
            data = current.convert(data, None, None, "data")
            segment_ids = current.convert(segment_ids, None, None, "segment_ids")
            picked = gather(data, indices)
            if divisor is None:
                return _summed(picked, segment_ids, num_segments, scope)
            total = _summed(picked, segment_ids, num_segments)
            counts = _summed(ones_like(segment_ids, dtype=data.dtype), segment_ids, num_segments)
            counts = math.maximum(counts, np.ones((), counts.dtype.numpy_dtype))
            return math.truediv(total, _spread(divisor(counts), total), name=scope)

    function.__doc__ = f"""{doc}

    `segment_ids`: one sorted id per index. There are max(id) + 1 results, or `num_segments`. The gradient of
    `data` is an IndexedSlices always (`sparse_gradient`: in TensorFlow only when asked for).
    """
    return function


sparse_segment_sum = _sparse_segment(
    "SparseSegmentSum", None, "The sums of the rows of `data` at `indices` that have the same id."
)
sparse_segment_mean = _sparse_segment(
    "SparseSegmentMean", lambda n: n, "The means of the rows of `data` at `indices` that have the same id."
)
sparse_segment_sqrt_n = _sparse_segment(
    "SparseSegmentSqrtN", math.sqrt, "The sums per id divided by the square root of their number."
)
