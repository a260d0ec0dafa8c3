"""Softmax and the cross-entropies."""

import numpy as np

from tests.op_cases import case


def logits(draw, rank=None):
    # Without classes there is nothing to normalise.
    shape = draw.shape(1, 3) if rank is None else draw.shape(rank, rank)
    return draw.array((*shape[:-1], max(shape[-1], 1)), -5, 5)


@case("Softmax", "LogSoftmax")
def softmax(draw):
    return {"logits": logits(draw)}


# As in TensorFlow, the second output does not depend on the labels as far as gradients go.
@case("SoftmaxCrossEntropyWithLogits", no_gradient=("labels",))
def dense(draw):
    features = logits(draw, 2)
    rows, classes = features.shape
    labels = draw.array((rows if draw.smooth else draw.one_of(rows, 1), classes), 0.1, 1, special=False)
    # The slope is that of labels which sum to 1.
    return {"features": features, "labels": labels / labels.sum(1, keepdims=True)}


@case("SparseSoftmaxCrossEntropyWithLogits")
def sparse(draw):
    features = logits(draw, 2)
    return {"features": features, "labels": draw.indices((len(features),), features.shape[1])}


@case("InTopKV2", dtypes=("float32",))
def in_top_k(draw):
    rows, classes = draw.shape(2, 2, min_size=1)
    return {
        "predictions": np.round(draw.array((rows, classes))),  # with ties
        "targets": (targets := draw.indices((rows,), classes)) + (draw.integer(0, 3) == 3) * classes,
        "k": np.array(draw.integer(0, classes + 1), targets.dtype),
    }
