import numpy as np
import pytest

import minitf as tf

LABELS = np.float32([[1, 2], [3, 4]])
OUTPUTS = np.float32([[1, 0], [6, 5]])  # errors 0, -2, 3, 1


def value(loss, feeds=None):
    with tf.Session() as session:
        return session.run(loss, feeds)


@pytest.mark.parametrize(
    ("reduction", "weights", "expected"),
    [
        ("SUM_BY_NONZERO_WEIGHTS", 1.0, 14 / 4),
        ("SUM_BY_NONZERO_WEIGHTS", [[1.0], [0.0]], 4 / 2),
        ("SUM_BY_NONZERO_WEIGHTS", 0.0, 0),
        ("SUM_BY_NONZERO_WEIGHTS", [[0.0], [0.0]], 0),
        ("SUM", 0.5, 7),
        ("MEAN", [[1.0, 1.0], [0.0, 2.0]], (4 + 2) / 4),
        ("SUM_OVER_BATCH_SIZE", [[1.0], [0.0]], 4 / 4),
        ("NONE", [[1.0], [2.0]], [[0, 4], [18, 2]]),
    ],
)
def test_weights_and_reductions(reduction, weights, expected):
    reduction = getattr(tf.losses.Reduction, reduction)
    loss = tf.losses.mean_squared_error(LABELS, OUTPUTS, weights, reduction=reduction)
    np.testing.assert_allclose(value(loss), expected)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("absolute_difference", (LABELS, OUTPUTS), 6 / 4),
        ("mean_squared_error", (LABELS, OUTPUTS), 14 / 4),
        ("huber_loss", (LABELS, OUTPUTS), (0 + 1.5 + 2.5 + 0.5) / 4),
        ("hinge_loss", ([[1.0, 0.0]], [[0.25, 0.5]]), (0.75 + 1.5) / 2),
        ("log_loss", ([1.0, 0.0], [0.5, 0.5]), np.log(2)),
        ("sigmoid_cross_entropy", ([[1, 0]], [[0.0, 0.0]]), np.log(2)),
        ("softmax_cross_entropy", ([[0, 1, 0]], [[0.0, 0.0, 0.0]]), np.log(3)),
        ("sparse_softmax_cross_entropy", ([2, 0], [[0.0, 0.0, 0.0]] * 2), np.log(3)),
        ("cosine_distance", ([[0.6, 0.8]], [[1.0, 0.0]], 1), 0.4),
        # Over the pair of each example: (0 - -2)² and (3 - 1)².
        ("mean_pairwise_squared_error", (LABELS, OUTPUTS), 4 + 4),
    ],
)
def test_values(name, arguments, expected):
    assert value(getattr(tf.losses, name)(*arguments)) == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_moves_towards_the_middle():
    logits = np.float32([[2.0, -1.0]])
    smoothed = tf.losses.softmax_cross_entropy([[1, 0]], logits, label_smoothing=0.2)
    assert value(smoothed) == pytest.approx(value(tf.losses.softmax_cross_entropy([[0.9, 0.1]], logits)))
    smoothed = tf.losses.sigmoid_cross_entropy([[1, 0]], logits, label_smoothing=0.2)
    assert value(smoothed) == pytest.approx(value(tf.losses.sigmoid_cross_entropy([[0.9, 0.1]], logits)))


def test_gradients_flow_to_outputs_and_weights_but_not_to_softmax_labels():
    labels, logits, weights = tf.constant([[0.0, 1.0]]), tf.constant([[1.0, 1.0]]), tf.constant([2.0])
    loss = tf.losses.softmax_cross_entropy(labels, logits, weights)
    gradients = tf.gradients(loss, [labels, logits, weights])
    assert gradients[0] is None
    np.testing.assert_allclose(value(gradients[1]), [[1, -1]])
    np.testing.assert_allclose(value(gradients[2]), [np.log(2)], rtol=1e-6)


def test_the_result_has_the_dtype_of_the_losses():
    logits = tf.constant([[1.0, 2.0]], tf.float64)
    assert tf.losses.softmax_cross_entropy([[0, 1]], logits).dtype == tf.float64
    assert tf.losses.mean_squared_error(logits, logits).dtype == tf.float32


def test_labels_with_a_last_size_of_one():
    logits = np.zeros((2, 3), np.float32)
    labels = tf.placeholder(tf.int32)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits, [[1.0], [0.0]])
    assert value(loss, {labels: [[1], [2]]}) == pytest.approx(np.log(3))
    assert value(loss, {labels: [1, 2]}) == pytest.approx(np.log(3))


def test_collections():
    first = tf.losses.mean_squared_error(LABELS, OUTPUTS, scope="first")
    tf.losses.mean_squared_error(LABELS, OUTPUTS, loss_collection=None)
    other = tf.losses.absolute_difference(LABELS, OUTPUTS, loss_collection="other")
    second = tf.constant(2.0, name="second")
    tf.losses.add_loss(second)
    tf.losses.add_loss(second, None)
    assert tf.losses.get_losses() == [first, second]
    assert tf.losses.get_losses("first") == [first]
    assert tf.losses.get_losses(loss_collection="other") == [other]
    assert (first.name, other.name) == ("first/value:0", "absolute_difference/value:0")
    assert value(tf.losses.get_regularization_loss()) == 0
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, tf.constant(10.0))
    assert value(tf.losses.get_regularization_loss()) == 10
    assert value(tf.losses.get_total_loss()) == 3.5 + 2 + 10
    assert value(tf.losses.get_total_loss(add_regularization_losses=False)) == 3.5 + 2
    assert tf.losses.get_total_loss(name="all").name == "all:0"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: tf.losses.mean_squared_error(None, x), "`labels` must not be None"),
        (lambda x: tf.losses.sigmoid_cross_entropy(x, None), "`logits` must not be None"),
        (lambda x: tf.losses.softmax_cross_entropy(None, x), "`onehot_labels` must not be None"),
        (lambda x: tf.losses.sparse_softmax_cross_entropy(None, x), "`labels` must not be None"),
        (lambda x: tf.losses.mean_squared_error(x, x[:1]), r"Shapes \(1, 2\) and \(2, 2\) are incompatible"),
        (lambda x: tf.losses.mean_squared_error(x, x, reduction="mean"), "Invalid Reduction Key mean."),
        (lambda x: tf.losses.cosine_distance(x, x), "You must specify argument `axis`"),
        (lambda x: tf.losses.cosine_distance(x, x, 1, dim=1), "Cannot specify both 'axis' and 'dim'"),
        (
            lambda x: tf.losses.mean_squared_error(x, x, [1.0, 2.0]),
            r"weights can not be broadcast to values. values.rank=2. weights.rank=1.",
        ),
        (
            lambda x: tf.losses.mean_squared_error(x, x, [[1.0, 2.0, 3.0]]),
            r"weights can not be broadcast to values. Mismatch at dim 1. values.shape=\(2, 2\), weights",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call(LABELS)


def test_weights_of_unknown_shape_are_checked_when_they_run():
    weights = tf.placeholder(tf.float32)
    loss = tf.losses.mean_squared_error(LABELS, OUTPUTS, weights)
    assert value(loss, {weights: [[1], [0]]}) == 2
    with pytest.raises(tf.errors.InvalidArgumentError, match="weights can not be broadcast to values"):
        value(loss, {weights: [1, 0]})


def test_all_shapes_unknown():
    labels, outputs, weights = (tf.placeholder(tf.float32) for _ in range(3))
    loss = tf.losses.mean_squared_error(labels, outputs, weights)
    assert loss.shape == ()
    assert value(loss, {labels: LABELS, outputs: OUTPUTS, weights: [[1], [0]]}) == 2
    gradient = tf.gradients(loss, outputs)[0]
    result = value(gradient, {labels: LABELS, outputs: OUTPUTS, weights: 1.0})
    np.testing.assert_allclose(result, (OUTPUTS - LABELS) / 2)
