"""tf.metrics beside TensorFlow's: values after every batch, local variables, collections and errors."""

import numpy as np
import pytest

from parity.programs import caught, compare

rng = np.random.default_rng(11)
BATCHES = 3
NUMBERS = [[rng.normal(size=(4, 3)).astype(np.float32) for _ in range(2)] for _ in range(BATCHES)]
NORMALIZER = np.float32([[1, 2, 0], [0.5, 1, 3], [1, 1, 1], [2, 0, 4]])
BITS = [[(x > 0).astype(np.int64) for x in pair] for pair in NUMBERS]
CHANCES = [[bits[0], rng.random((4, 3)).astype(np.float32)] for bits in BITS]
CLASSES = [[rng.integers(0, 5, 12) for _ in range(2)] for _ in range(BATCHES)]
RANKED = [[rng.integers(0, 6, (5, 2)), rng.normal(size=(5, 6)).astype(np.float32)] for _ in range(BATCHES)]

WEIGHTS = {
    "none": None,
    "scalar": np.float32(0.5),
    "column": np.float32([[1], [0], [2], [0.5]]),
    "full": np.array(rng.random((4, 3)) * (NORMALIZER != 1), np.float32),
}
PAIRS = {
    "accuracy": (BITS, {}),
    "mean_absolute_error": (NUMBERS, {}),
    "mean_squared_error": (NUMBERS, {}),
    "root_mean_squared_error": (NUMBERS, {}),
    "mean_cosine_distance": (NUMBERS, {"dim": 0}),
    "mean_relative_error": (NUMBERS, {"normalizer": NORMALIZER}),
    "precision": (BITS, {}),
    "recall": (BITS, {}),
    "true_positives": (BITS, {}),
    "true_negatives": (BITS, {}),
    "false_positives": (BITS, {}),
    "false_negatives": (BITS, {}),
    "auc": (CHANCES, {}),
}
THRESHOLDS = [0.1, 0.5, 0.9]
AT_THRESHOLDS = [
    "precision_at_thresholds",
    "recall_at_thresholds",
    "true_positives_at_thresholds",
    "true_negatives_at_thresholds",
    "false_positives_at_thresholds",
    "false_negatives_at_thresholds",
]


def _stream(name, batches, options, unknown=False, named=True, **arguments):
    """The metric after every batch, and its trail in the graph."""

    def program(tf):
        places = [tf.placeholder(tf.as_dtype(x.dtype), None if unknown else x.shape) for x in batches[0]]
        names = [options.get(k, k) for k in ("labels", "predictions")]
        given = dict(zip(names, places, strict=False)) if len(places) == 2 else {"values": places[0]}
        keywords = {k: v for k, v in options.items() if k not in ("labels", "predictions")}
        value, update = getattr(tf.metrics, name)(
            **given, **keywords, metrics_collections=["values"], updates_collections="updates", **arguments
        )
        results = []
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            results.append(session.run(value))
            for batch in batches:
                updated = session.run(update, dict(zip(places, batch, strict=True)))
                results += [updated, session.run(value)]
            totals = session.run(tf.local_variables())
        return {
            "results": results,
            "totals": totals,
            "variables": [
                (v.name if named else v.shape.as_list(), v.trainable) for v in tf.local_variables()
            ],
            "same": tf.local_variables() == tf.get_collection(tf.GraphKeys.METRIC_VARIABLES),
            "global": len(tf.global_variables()),
            "collected": [tf.get_collection("values") == [value], tf.get_collection("updates") == [update]],
        }

    compare(program)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_labels_and_predictions(name, weights):
    batches, options = PAIRS[name]
    if name == "mean_cosine_distance" and np.ndim(weights):
        weights = weights[:1]
    _stream(name, batches, options, weights=weights)


@pytest.mark.parametrize("name", ["accuracy", "precision", "mean_squared_error", "auc"])
def test_unknown_shapes(name):
    batches, options = PAIRS[name]
    _stream(name, batches, options, unknown=True)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_values(weights):
    batches = [pair[:1] for pair in NUMBERS]
    _stream("mean", batches, {}, weights=weights)
    _stream("mean_tensor", batches, {}, weights=weights)
    _stream("percentage_below", batches, {"threshold": 0.25}, weights=weights)


@pytest.mark.parametrize("name", AT_THRESHOLDS)
@pytest.mark.parametrize("weights", [WEIGHTS["none"], WEIGHTS["full"]], ids=["none", "full"])
def test_at_thresholds(name, weights):
    _stream(name, CHANCES, {"thresholds": THRESHOLDS}, weights=weights)


@pytest.mark.parametrize("curve", ["ROC", "PR"])
@pytest.mark.parametrize("method", ["trapezoidal", "careful_interpolation", "minoring", "majoring"])
def test_areas(curve, method):
    _stream("auc", CHANCES, {"curve": curve, "summation_method": method, "num_thresholds": 20})
    _stream("auc", CHANCES, {"curve": curve, "summation_method": method, "thresholds": [0.7, 0.2]})


@pytest.mark.parametrize("weights", [WEIGHTS["none"], WEIGHTS["full"]], ids=["none", "full"])
def test_sensitivity_and_specificity(weights):
    _stream("sensitivity_at_specificity", CHANCES, {"specificity": 0.6}, weights=weights)
    _stream("specificity_at_sensitivity", CHANCES, {"sensitivity": 0.6}, weights=weights)


@pytest.mark.parametrize("name", ["mean_per_class_accuracy", "mean_iou"])
@pytest.mark.parametrize("weighted", [False, True])
def test_classes(name, weighted):
    weights = {"weights": rng.random(12).astype(np.float32)} if weighted else {}

    def program(tf):
        places = [tf.placeholder(tf.int64, [12]) for _ in range(2)]
        scale = {k: tf.constant(v) for k, v in weights.items()}
        value, update = getattr(tf.metrics, name)(*places, num_classes=6, **scale)
        results = []
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            for batch in CLASSES:
                updated = session.run(update, dict(zip(places, batch, strict=True)))
                results += [updated, session.run(value)]
        return {"results": results, "variables": [v.name for v in tf.local_variables()]}

    compare(program)


@pytest.mark.parametrize("name", ["precision_at_k", "recall_at_k"])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("class_id", [None, 2])
def test_at_k(name, k, class_id):
    weights = np.float32([1, 0, 2, 0.5, 1])
    for scale in (None, weights):
        _stream(name, RANKED, {"k": k, "class_id": class_id}, weights=scale)
    single = [[labels[:, 0], outputs] for labels, outputs in RANKED]
    _stream(name, single, {"k": k, "class_id": class_id})


@pytest.mark.parametrize("name", ["precision_at_top_k", "recall_at_top_k"])
def test_at_top_k(name):
    best = [[labels, np.argsort(outputs)[:, -2:]] for labels, outputs in RANKED]
    _stream(name, best, {"predictions": "predictions_idx"})


@pytest.mark.parametrize("weights", [None, np.float32([1, 0, 2, 0.5, 1])], ids=["none", "each"])
def test_average_precision_at_k(weights):
    # TensorFlow counts labels that stand twice twice, so here none does; -1 and 9 are no classes.
    labels = np.array([[0, 1], [2, 5], [9, 3], [-1, 4], [1, 0]])
    # Its variable "max" is "max_1" in TensorFlow, which has an op "Max" in the same scope.
    batches = [[labels, outputs] for _, outputs in RANKED]
    _stream("average_precision_at_k", batches, {"k": 3}, named=False, weights=weights)


def test_columns_are_taken_for_vectors():
    def program(tf):
        labels, predictions = (tf.constant(x) for x in BITS[0])
        results = [
            tf.metrics.accuracy(labels[:, :1], predictions[:, 0]),
            tf.metrics.accuracy(labels[:, 0], predictions[:, :1], weights=[[1.0], [2.0], [0.0], [0.5]]),
            tf.metrics.accuracy(labels[:, 0], tf.cast(predictions[:, 0], tf.float32), weights=0.5),
        ]
        with tf.Session() as session:
            session.run(tf.local_variables_initializer())
            return {
                "updates": session.run([update for _, update in results]),
                "variables": [v.name for v in tf.local_variables()],
            }

    compare(program)


def test_errors():
    def program(tf):
        labels, chances = CHANCES[0]
        metrics = tf.metrics

        def run(metric, feeds=None):
            with tf.Session() as session:
                session.run(tf.local_variables_initializer())
                session.run(metric[1], feeds)

        classes = tf.placeholder(tf.int64, [3])
        too_large = {classes: [1, 2, 0]}
        return {
            "shapes": caught(lambda: metrics.mean_squared_error(labels, chances[:2])),
            "curve": caught(lambda: metrics.auc(labels, chances, curve="x")),
            "method": caught(lambda: metrics.auc(labels, chances, summation_method="x")),
            "specificity": caught(lambda: metrics.sensitivity_at_specificity(labels, chances, 1.5)),
            "k": caught(lambda: metrics.average_precision_at_k(labels, chances, 0)),
            "range": "predictions must be in [0, 1]" in caught(lambda: run(metrics.auc(labels, 3 * chances))),
            "class": "[`labels` out of bound]"
            in caught(lambda: run(metrics.mean_iou(classes, classes, 2), too_large)),
        }

    compare(program)
