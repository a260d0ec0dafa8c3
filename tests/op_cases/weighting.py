"""Weights beside values, sets of ids, confusion matrices: what losses and metrics need."""

from tests.op_cases import case


def _weights_beside(draw):
    values = draw.shape()
    weights = tuple(draw.one_of(size, 1) for size in values) if draw.boolean() else ()
    return weights, draw.array(values)


@case("CheckWeights", reference=lambda tf, weights, values: tf.identity(weights), no_gradient=("values",))
def check_weights(draw):
    shape, values = _weights_beside(draw)
    return {"weights": draw.array(shape), "values": values}


def _fitted(tf, x, like, more, expand):
    surplus = len(x.shape) - len(like.shape) - more
    if surplus == 1:
        return tf.squeeze(x, -1)
    return tf.expand_dims(x, -1) if expand and surplus == -1 and len(x.shape) else x


@case("FitRank", reference=_fitted, no_gradient=("like",), dynamic=True)
def fit_rank(draw):
    like = draw.array(draw.shape(max_rank=2))
    more, expand = draw.integer(-1, 1), draw.boolean()
    rank = max(like.ndim + more + draw.integer(-1, 1), 0)
    shape = draw.shape(min_rank=rank, max_rank=rank)
    if rank == like.ndim + more + 1:
        shape = (*shape[:-1], 1)
    return {"x": draw.array(shape), "like": like, "more": more, "expand": expand}


def _set_sizes(tf, first, second):
    rows = [x.numpy().reshape(-1, x.shape[-1]).tolist() for x in (first, second)]
    sets = [(set(a), set(b)) for a, b in zip(*rows, strict=True)]
    columns = [
        [len(s(a, b)) for a, b in sets] for s in (set.intersection, set.difference, _reversed_difference)
    ]
    return [tf.reshape(tf.constant(column, tf.int64), first.shape[:-1]) for column in columns]


def _reversed_difference(first, second):
    return second - first


@case("SetSizes", reference=_set_sizes, dtypes=("int64",))
def set_sizes(draw):
    lead = draw.shape(max_rank=2)
    return {name: draw.indices((*lead, draw.one_of(2, 3, 1, 5)), 4, "int64") for name in ("first", "second")}


def _confusion(tf, labels, predictions, num_classes, weights):
    return tf.math.confusion_matrix(labels, predictions, num_classes, weights, weights.dtype)


@case("ConfusionMatrix", reference=_confusion, dtypes=("int64",), dynamic=True)
def confusion_matrix(draw):
    count, classes = draw.integer(0, 6), draw.integer(1, 4)
    ids = {name: draw.indices((count,), classes, "int64") for name in ("labels", "predictions")}
    dtype = draw.one_of("int32", "float32", "float64")
    weights = draw.array((count,), dtype=dtype, special=False)
    return {**ids, "num_classes": draw.array((), classes, classes, "int64"), "weights": weights}
