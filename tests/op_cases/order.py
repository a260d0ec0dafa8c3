"""Order, counts and distinct elements."""

import numpy as np

from minitf.framework.dtypes import as_dtype
from tests.op_cases import case
from tests.op_cases.draw import ALL, REAL

EVERYTHING = (*ALL, "object")


def index_type(draw):
    return as_dtype(draw.one_of("int32", "int64"))


@case("ArgMax", "ArgMin", dtypes=(*REAL, "bool"))
def argmax(draw):
    x = draw.array(draw.shape(min_rank=1, min_size=1))
    return {"input": x, "dimension": draw.index(draw.axis(x.ndim)), "output_type": index_type(draw)}


@case("TopKV2", dtypes=REAL)
def top_k(draw):
    x = draw.array(draw.shape(min_rank=1, min_size=int(draw.smooth)), special=False)
    k = np.array(draw.integer(0, x.shape[-1]), np.int32)
    return {"input": x, "k": k, "sorted": True, "index_type": as_dtype("int32")}


@case("NthElement", dtypes=("float32", "float64", "int32", "int64", "uint8"))
def nth_element(draw):
    x = draw.array(draw.shape(min_rank=1, min_size=1), special=False)
    return {"input": x, "n": np.array(draw.integer(0, x.shape[-1] - 1), np.int32), "reverse": draw.boolean()}


@case("LowerBound", "UpperBound", dtypes=REAL)
def bounds(draw):
    rows = draw.integer(1, 3)
    sequence = np.sort(draw.array((rows, draw.integer(1, 5)), special=False), -1)
    values = np.concatenate([draw.array((rows, 2), special=False), sequence[:, :1]], 1)
    return {"sorted_inputs": sequence, "values": values, "out_type": index_type(draw)}


@case("Bincount", dtypes=("int32",))
def bincount(draw):
    arr = draw.array(low=0, high=5)
    sizes = arr.shape if draw.boolean() else (0,)
    weights = draw.array(sizes, dtype=draw.one_of("float32", "int64"), special=False)
    return {"arr": arr, "size": np.int32(draw.integer(0, 6)), "weights": weights}


@case("HistogramFixedWidth", dtypes=("float32", "float64", "int32", "int64"))
def histogram(draw):
    low = draw.integer(-3, 1)
    value_range = np.array([low, low + draw.integer(1, 4)], draw.dtype)
    return {
        "values": draw.array(special=False), "value_range": value_range,
        "nbins": np.int32(draw.integer(1, 6)), "dtype": index_type(draw),
    }  # fmt: skip


@case("Unique", "UniqueWithCounts", dtypes=EVERYTHING, dynamic=True)
def unique(draw):
    return {"x": draw.array(draw.shape(min_rank=1, max_rank=1), special=False), "out_idx": index_type(draw)}


@case("ListDiff", dtypes=EVERYTHING, dynamic=True)
def list_diff(draw):
    x, y = (draw.array(draw.shape(min_rank=1, max_rank=1), special=False) for _ in range(2))
    return {"x": x, "y": np.concatenate([y, x[:1]]), "out_idx": index_type(draw)}


@case("OneHot", dtypes=("int32", "int64", "uint8", "int8"))
def one_hot(draw):
    indices = draw.array(draw.shape(max_rank=2), -2, 4)
    dtype = draw.one_of(*EVERYTHING)
    on, off = draw.array((), dtype=dtype, special=False), draw.array((), dtype=dtype, special=False)
    return {
        "indices": indices, "depth": np.int32(draw.integer(0, 4)), "on_value": np.asarray(on, dtype),
        "off_value": np.asarray(off, dtype), "axis": draw.integer(-1, indices.ndim),
    }  # fmt: skip


@case("DynamicPartition", dtypes=EVERYTHING, dynamic=True)
def dynamic_partition(draw):
    data, count = draw.array(draw.shape(min_rank=1, min_size=1)), draw.integer(1, 4)
    partitions = draw.indices(data.shape[: draw.integer(1, data.ndim)], count, "int32")
    return {"data": data, "partitions": partitions, "num_partitions": count}


@case("DynamicStitch", "ParallelDynamicStitch", dtypes=EVERYTHING)
def dynamic_stitch(draw):
    rest = draw.shape(max_rank=1)
    parts = [draw.integer(0, 3) for _ in range(draw.integer(1, 3))]
    parts[0] = max(parts[0], 1)
    places, indices = draw.permutation(sum(parts)), []
    for count in parts:
        indices.append(np.array(places[:count], np.int32))
        places = places[count:]
    data = [draw.array((len(index), *rest)) for index in indices]
    return {"indices": indices, "data": data}


def _repeated(tf, repeats, count):
    return tf.repeat(tf.range(count), repeats)


@case("RepeatedIndices", dtypes=("int32", "int64"), reference=_repeated)
def repeated_indices(draw):
    count = draw.integer(0, 4)
    repeats = draw.integer(0, 3) if draw.boolean() else [draw.integer(0, 3) for _ in range(count)]
    return {"repeats": np.array(repeats, draw.dtype), "count": np.array(count, draw.dtype)}
