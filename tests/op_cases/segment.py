"""Reductions over groups of rows, and running ones."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import FLOATS, NUMERIC, REAL

SOME = ("float16", "float32", "float64", "int32", "int64", "uint8", "complex64", "complex128")


def unsorted(draw):
    data = draw.array(draw.shape(min_rank=1, min_size=1), special=False)
    count = draw.integer(1, 4)
    ids = draw.indices(data.shape[: draw.integer(1, data.ndim)], count + 1) - 1
    if draw.smooth:  # without empty segments, whose extremes are too large to take differences of
        count = min(count, ids.size)
        ids.flat[:] = np.arange(ids.size) % count
    return {"data": data, "segment_ids": ids, "num_segments": draw.index(count)}


@case("UnsortedSegmentSum", "UnsortedSegmentProd", dtypes=SOME)
def unsorted_sum(draw):
    return unsorted(draw)


@case("UnsortedSegmentMax", "UnsortedSegmentMin", dtypes=REAL)
def unsorted_extreme(draw):
    return unsorted(draw)


def segments(draw, low=-3.0):
    data = draw.array(draw.shape(min_rank=1, min_size=1), low, special=False)
    ids = np.sort(draw.indices((len(data),), 4))
    return {"data": data, "segment_ids": ids}


@case("SegmentSum", "SegmentProd", "SegmentMean", dtypes=SOME, dynamic=True)
def segment_sum(draw):
    return segments(draw, low=0 if draw.dtype.kind in "iu" else -3)


@case("SegmentMax", "SegmentMin", dtypes=REAL, dynamic=True)
def segment_extreme(draw):
    return segments(draw)


def running(draw):
    x = draw.array(draw.shape(min_rank=1), special=False)
    return {
        "x": x,
        "axis": draw.index(draw.axis(x.ndim)),
        "exclusive": draw.boolean(),
        "reverse": draw.boolean(),
    }


@case("Cumsum", "Cumprod", dtypes=NUMERIC)
def cumulative(draw):
    return running(draw)


@case("CumulativeLogsumexp", dtypes=FLOATS)
def cumulative_logsumexp(draw):
    sample = running(draw)
    # Of nothing it is the lowest number, too large to take differences of.
    return sample | {"exclusive": False} if draw.smooth else sample
