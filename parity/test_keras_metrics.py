"""Keras's metrics beside tf-keras: values over several batches, with and without weights, and configs."""

import numpy as np
import pytest
import tf_keras

import minitf
from minitf import keras
from minitf.eager.context import eager_mode

rng = np.random.default_rng(12)
COUNT, BATCHES = 6, 3


def _batches(kind):
    """Targets and predictions of several batches."""
    for _ in range(BATCHES):
        if kind == "real":
            yield tuple(rng.normal(size=(COUNT, 4)).astype(np.float32) for _ in range(2))
        elif kind == "positive":
            yield tuple(rng.uniform(0.1, 3, size=(COUNT, 4)).astype(np.float32) for _ in range(2))
        elif kind == "binary":
            yield rng.integers(0, 2, COUNT), rng.uniform(size=COUNT).astype(np.float32)
        elif kind == "labels":
            yield (
                rng.integers(0, 2, (COUNT, 4)).astype(np.float32),
                rng.uniform(size=(COUNT, 4)).astype(np.float32),
            )
        elif kind == "logits":
            yield (
                rng.integers(0, 2, (COUNT, 4)).astype(np.float32),
                rng.normal(size=(COUNT, 4)).astype(np.float32),
            )
        elif kind == "one hot":
            yield (
                np.eye(7, dtype=np.float32)[rng.integers(0, 7, COUNT)],
                rng.dirichlet(np.ones(7), COUNT).astype(np.float32),
            )
        elif kind == "sparse":
            yield rng.integers(0, 7, COUNT), rng.dirichlet(np.ones(7), COUNT).astype(np.float32)
        elif kind == "column":
            yield rng.integers(0, 7, (COUNT, 1)), rng.dirichlet(np.ones(7), COUNT).astype(np.float32)
        elif kind == "classes":
            yield rng.integers(0, 4, COUNT), rng.integers(0, 4, COUNT)
        elif kind == "steps":
            yield (
                rng.integers(0, 7, (COUNT, 3)),
                rng.dirichlet(np.ones(7), (COUNT, 3)).astype(np.float32),
            )


CASES = [
    ("Accuracy", {}, "classes"),
    ("BinaryAccuracy", {}, "labels"),
    ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.8}, "labels"),
    ("CategoricalAccuracy", {}, "one hot"),
    ("SparseCategoricalAccuracy", {}, "sparse"),
    ("SparseCategoricalAccuracy", {}, "column"),
    ("SparseCategoricalAccuracy", {}, "steps"),
    ("TopKCategoricalAccuracy", {}, "one hot"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "sparse"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "column"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "steps"),
    ("MeanSquaredError", {}, "real"),
    ("MeanAbsoluteError", {}, "real"),
    ("MeanAbsolutePercentageError", {}, "real"),
    ("MeanSquaredLogarithmicError", {}, "positive"),
    ("RootMeanSquaredError", {}, "real"),
    ("MeanRelativeError", {"normalizer": [1.0, 0.0, 2.0, 3.0]}, "real"),
    ("CosineSimilarity", {}, "real"),
    ("Hinge", {}, "logits"),
    ("SquaredHinge", {}, "logits"),
    ("CategoricalHinge", {}, "one hot"),
    ("LogCoshError", {}, "real"),
    ("Poisson", {}, "positive"),
    ("KLDivergence", {}, "one hot"),
    ("BinaryCrossentropy", {}, "labels"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "logits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one hot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
    ("TruePositives", {}, "labels"),
    ("FalsePositives", {"thresholds": 0.3}, "labels"),
    ("TrueNegatives", {"thresholds": [0.2, 0.7]}, "labels"),
    ("FalseNegatives", {}, "binary"),
    ("Precision", {}, "labels"),
    ("Precision", {"thresholds": [0.2, 0.5, 0.9]}, "labels"),
    ("Precision", {"top_k": 2}, "labels"),
    ("Precision", {"class_id": 2}, "labels"),
    ("Precision", {"top_k": 2, "class_id": 1}, "labels"),
    ("Recall", {}, "binary"),
    ("Recall", {"thresholds": 0.1}, "labels"),
    ("Recall", {"top_k": 3, "class_id": 1}, "one hot"),
    ("AUC", {}, "labels"),
    ("AUC", {}, "binary"),
    ("AUC", {"num_thresholds": 11, "curve": "PR"}, "labels"),
    ("AUC", {"curve": "PR", "summation_method": "minoring"}, "labels"),
    ("AUC", {"summation_method": "majoring", "num_thresholds": 7}, "labels"),
    ("AUC", {"thresholds": [0.3, 0.6, 0.1]}, "labels"),
    ("AUC", {"from_logits": True}, "logits"),
    ("AUC", {"multi_label": True}, "labels"),
    ("AUC", {"multi_label": True, "num_labels": 4, "label_weights": [1.0, 2.0, 0.5, 0.0]}, "labels"),
    ("AUC", {"multi_label": True, "curve": "PR"}, "labels"),
    ("PrecisionAtRecall", {"recall": 0.4}, "labels"),
    ("RecallAtPrecision", {"precision": 0.5}, "labels"),
    ("SensitivityAtSpecificity", {"specificity": 0.4, "num_thresholds": 20}, "labels"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.4, "num_thresholds": 1}, "binary"),
    ("MeanIoU", {"num_classes": 4}, "classes"),
]  # fmt: skip


def _weight(form, targets):
    if form == "none":
        return None
    if form == "number":
        return 0.5
    return rng.uniform(size=len(targets)).astype(np.float32)


def _streams(make, kind, form):
    global rng
    rng = np.random.default_rng(99)
    ours, theirs = make(keras.metrics), make(tf_keras.metrics)
    for targets, predictions in _batches(kind):
        yield ours, theirs, targets, predictions, _weight(form, targets)


@pytest.mark.parametrize("form", ["none", "number", "per sample"])
@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=str)
def test_eagerly_over_batches(name, options, kind, form):
    if name == "MeanIoU" and form == "number":
        pytest.skip("TensorFlow wants one weight per sample")
    with eager_mode():
        streams = _streams(lambda metrics: getattr(metrics, name)(**options), kind, form)
        for ours, theirs, targets, predictions, weight in streams:
            ours.update_state(targets, predictions, sample_weight=weight)
            theirs.update_state(targets, predictions, sample_weight=weight)
            mine, other = np.asarray(ours.result()), np.asarray(theirs.result())
            assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
            np.testing.assert_allclose(mine, other, 2e-6, 2e-6)
        assert [tuple(w.shape.as_list()) for w in ours.weights] == [tuple(w.shape) for w in theirs.weights]
        ours.reset_state()
        theirs.reset_state()
        np.testing.assert_allclose(np.asarray(ours.result()), np.asarray(theirs.result()), 1e-6)


@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=str)
def test_in_a_graph_over_batches(name, options, kind):
    with minitf.Graph().as_default(), minitf.Session() as session:
        update = None
        streams = _streams(lambda metrics: getattr(metrics, name)(**options), kind, "per sample")
        for ours, theirs, targets, predictions, weight in streams:
            if update is None:
                feeds = [
                    minitf.placeholder(a.dtype, [None, *a.shape[1:]]) for a in (targets, predictions, weight)
                ]
                update = ours.update_state(*feeds)
                result = ours.result()
            session.run(update, dict(zip(feeds, (targets, predictions, weight), strict=True)))
            theirs.update_state(targets, predictions, weight)
            np.testing.assert_allclose(session.run(result), np.asarray(theirs.result()), 2e-6, 2e-6)


@pytest.mark.parametrize(("name", "options", "kind"), CASES, ids=str)
def test_configs(name, options, kind):
    ours = getattr(keras.metrics, name)(**options)
    theirs = getattr(tf_keras.metrics, name)(**options)
    mine, other = ours.get_config(), theirs.get_config()
    for key in ("normalizer", "label_weights"):  # tensors there
        if other.get(key) is not None:
            other[key] = np.asarray(other[key]).tolist()
    assert {k: v for k, v in mine.items() if k != "name"} == {k: other[k] for k in mine if k != "name"}
    assert mine["name"].rstrip("_0123456789") == other["name"].rstrip("_0123456789")
    again = keras.metrics.deserialize(keras.metrics.serialize(ours))
    assert again.get_config() == ours.get_config()


@pytest.mark.parametrize("name", ["Mean", "Sum", "MeanTensor"])
@pytest.mark.parametrize("weighted", [False, True])
def test_of_values(name, weighted):
    values = [np.random.default_rng(i).normal(size=(4, 3)).astype(np.float32) for i in range(3)]
    weights = [np.random.default_rng(i).uniform(size=4).astype(np.float32) for i in range(3)]
    if name == "MeanTensor":
        weights = [w[:, None] for w in weights]
    ours, theirs = getattr(keras.metrics, name)(), getattr(tf_keras.metrics, name)()
    with eager_mode():
        for value, weight in zip(values, weights, strict=True):
            ours.update_state(value, weight if weighted else None)
            theirs.update_state(value, weight if weighted else None)
            np.testing.assert_allclose(np.asarray(ours.result()), np.asarray(theirs.result()), 1e-6, 1e-6)


def test_automatic_names():
    keras.backend.clear_session()
    tf_keras.backend.clear_session()
    for name in (
        "Precision",
        "Precision",
        "AUC",
        "MeanIoU",
        "AUC",
        "Recall",
        "Mean",
        "Mean",
        "TruePositives",
    ):
        options = {"num_classes": 2} if name == "MeanIoU" else {}
        ours, theirs = getattr(keras.metrics, name)(**options), getattr(tf_keras.metrics, name)(**options)
        assert ours.name == theirs.name
