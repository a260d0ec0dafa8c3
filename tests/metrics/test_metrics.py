import numpy as np
import pytest

import minitf as tf


def stream(metric, *feeds):
    """What the update op gives for each feed, and the value at the end."""
    value, update = metric
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        updates = [session.run(update, feed) for feed in feeds]
        assert session.run(value).tolist() == pytest.approx(np.asarray(updates[-1]).tolist(), nan_ok=True)
        return [np.asarray(x).tolist() for x in updates]


def test_a_mean_goes_on_over_batches_and_starts_at_0():
    x = tf.placeholder(tf.float32, [None])
    value, update = tf.metrics.mean(x)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(value) == 0
        assert session.run(update, {x: [1, 2, 3]}) == 2
        assert session.run(update, {x: [6]}) == 3
        assert session.run(value) == session.run(value) == 3
        session.run(tf.local_variables_initializer())
        assert session.run(value) == 0


def test_what_a_metric_leaves_in_the_graph():
    value, update = tf.metrics.accuracy([1], [1], metrics_collections="m", updates_collections=["a", "b"])
    assert [v.name for v in tf.local_variables()] == ["accuracy/total:0", "accuracy/count:0"]
    assert tf.get_collection(tf.GraphKeys.METRIC_VARIABLES) == tf.local_variables()
    assert tf.global_variables() == tf.trainable_variables() == []
    assert tf.get_collection("m") == [value]
    assert tf.get_collection("a") == tf.get_collection("b") == [update]
    tf.metrics.accuracy([1], [1], name="mine")
    assert tf.local_variables()[2].name == "mine/total:0"


def test_accuracy_compares_in_the_labels_dtype_and_drops_a_last_one():
    labels, predictions = tf.placeholder(tf.int64, [None, 1]), tf.placeholder(tf.float32, [None])
    metric = tf.metrics.accuracy(labels, predictions)
    first = {labels: [[1], [2]], predictions: [1, 2]}
    second = {labels: [[1], [2]], predictions: [3, 3]}
    assert stream(metric, first, second) == [1, 0.5]


def test_weights():
    assert stream(tf.metrics.mean([1.0, 2.0, 6.0], [1.0, 0.0, 3.0]), None) == [19 / 4]
    assert stream(tf.metrics.mean([[1.0, 3.0], [5.0, 7.0]], [[1.0], [0.0]]), None) == [2]
    assert stream(tf.metrics.mean([1.0, 2.0], 0.0), None) == [0]
    with pytest.raises(ValueError, match="weights can not be broadcast to values"):
        tf.metrics.mean([1.0, 2.0, 6.0], [1.0, 0.0])


LABELS, GUESSES = [1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("mean_absolute_error", (LABELS, GUESSES), 3 / 4),
        ("mean_squared_error", (LABELS, GUESSES), 5 / 4),
        ("root_mean_squared_error", (LABELS, GUESSES), (5 / 4) ** 0.5),
        ("mean_relative_error", (LABELS, GUESSES, [1.0, 4.0, 0.0, 2.0]), (2 / 4) / 4),
        ("mean_cosine_distance", ([[0.6, 0.8]], [[1.0, 0.0]], 1), 0.4),
        ("percentage_below", (LABELS, 2.5), 0.5),
        ("true_positives", ([1, 1, 0, 0], [1, 0, 1, 0]), 1),
        ("precision", ([1, 1, 0, 0, 0], [1, 1, 1, 0, 0]), 2 / 3),
        ("recall", ([1, 1, 1, 1, 0], [1, 1, 1, 0, 1]), 3 / 4),
        ("precision", ([1, 1], [0, 0]), 0),
        ("false_negatives", ([1, 1, 1, 0], [1, 0, 0, 0]), 2),
        ("false_positives", ([1, 1, 0, 0], [1, 0, 1, 1]), 2),
        ("true_negatives", ([1, 1, 0, 0], [1, 0, 1, 0]), 1),
        ("auc", ([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]), 0.75),
        ("auc", ([0, 1], [0.1, 0.9]), 1),
        ("precision_at_thresholds", ([0, 1, 1], [0.2, 0.4, 0.9], [0.1, 0.3, 0.95]), [2 / 3, 1, 0]),
        ("recall_at_thresholds", ([0, 1, 1], [0.2, 0.4, 0.9], [0.1, 0.5]), [1, 0.5]),
        ("sensitivity_at_specificity", ([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9], 0.5), 1),
        ("specificity_at_sensitivity", ([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9], 1.0), 0.5),
        ("precision_at_k", ([[0], [2]], [[0.9, 0.5, 0.1], [0.8, 0.5, 0.1]], 2), 1 / 4),
        ("recall_at_k", ([[0], [2]], [[0.9, 0.5, 0.1], [0.8, 0.5, 0.1]], 2), 1 / 2),
        # Found at rank 2 of 2, and not at all.
        ("average_precision_at_k", ([[1], [2]], [[0.9, 0.5, 0.1], [0.8, 0.5, 0.1]], 2), (1 / 2 + 0) / 2),
    ],
)
def test_values(name, arguments, expected):
    (result,) = stream(getattr(tf.metrics, name)(*arguments), None)
    assert result == pytest.approx(expected, abs=1e-5)


def test_mean_tensor():
    x = tf.placeholder(tf.float32, [2])
    assert stream(tf.metrics.mean_tensor(x), {x: [1, 2]}, {x: [3, 6]}) == [[1, 2], [2, 4]]


def test_classes():
    labels, predictions = [[0, 1, 1], [2, 2, 2]], [[0, 1, 2], [2, 2, 0]]
    value, update = tf.metrics.mean_per_class_accuracy(labels, predictions, 4)
    of_regions, matrix = tf.metrics.mean_iou(labels, predictions, 4)
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        assert session.run(of_regions) == 0
        assert session.run(update).tolist() == pytest.approx([1, 1 / 2, 2 / 3, 0])
        assert session.run(matrix).tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
        assert session.run(value) == pytest.approx((1 + 1 / 2 + 2 / 3) / 4)
        assert session.run(of_regions) == pytest.approx((1 / 2 + 1 / 2 + 2 / 4) / 3)


def test_confusion_matrix():
    def run(*arguments, **options):
        with tf.Session() as session:
            return session.run(tf.confusion_matrix(*arguments, **options))

    assert run([1, 2, 1], [1, 2, 0]).tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 1]]
    weighted = run([0, 1], [0, 1], 2, tf.float32, weights=[0.5, 2.0])
    assert (weighted.dtype, weighted.tolist()) == (np.float32, [[0.5, 0], [0, 2]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="`labels` out of bound"):
        run([2], [0], 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`predictions` contains negative values"):
        run([1], [-1], 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.metrics.mean_squared_error([1.0, 2.0], [1.0, 2.0, 3.0]), "Shapes .* are incompatible"),
        (lambda: tf.metrics.auc([1], [0.5], curve="x"), "Curve must be either ROC or PR. Curve x is unknown"),
        (lambda: tf.metrics.auc([1], [0.5], summation_method="x"), "Invalid summation_method: x"),
        (lambda: tf.metrics.sensitivity_at_specificity([1], [0.5], 2), "`specificity` must be in the range"),
        (lambda: tf.metrics.average_precision_at_k([[1]], [[0.5]], 0), "Invalid k=0"),
        (lambda: tf.metrics.recall_at_k([[[1]]], [[0.5]], 1), "Unexpected labels shape"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sparse_labels_are_not_supported():
    labels = tf.SparseTensor([[0, 0]], tf.constant([1], tf.int64), [1, 1])
    with pytest.raises(NotImplementedError, match="labels as a SparseTensor"):
        tf.metrics.recall_at_k(labels, [[0.5, 0.2]], 1)


def test_chances_must_be_chances():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"predictions must be in \[0, 1\]"):
        stream(tf.metrics.auc([0, 1], [0.5, 1.5]), None)
