"""Cross-entropies, the losses of sampled classes, and what scripts meet of their errors."""

import numpy as np
import pytest

import minitf as tf
from tests.ops.test_nn_convolution import image, numbers, run


def chances(logits):
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def distributions(*shape, seed=3):
    return chances(numbers(*shape, seed=seed))


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5), (5,)])
@pytest.mark.parametrize(
    "function", ["softmax_cross_entropy_with_logits", "softmax_cross_entropy_with_logits_v2"]
)
def test_softmax_cross_entropy(shape, function):
    x, p = numbers(*shape), distributions(*shape)
    loss, to_x, to_p = run(
        lambda x, p: [
            (y := getattr(tf.nn, function)(labels=p, logits=x)),
            *tf.gradients(y, [x, p], unconnected_gradients="zero"),
        ],
        x, p,
    )  # fmt: skip
    np.testing.assert_allclose(loss, -(p * np.log(chances(x))).sum(-1), rtol=1e-12)
    np.testing.assert_allclose(to_x, chances(x) - p, atol=1e-14)
    expected = -np.log(chances(x)) if function.endswith("v2") else np.zeros(shape)
    np.testing.assert_allclose(to_p, expected, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, -2, 2])
def test_classes_may_lie_along_any_axis(axis):
    x, p = numbers(3, 4, 5), np.moveaxis(distributions(3, 4, 5), -1, 0)
    p = np.moveaxis(chances(np.moveaxis(numbers(3, 4, 5, seed=1), axis, -1)), -1, axis)
    with tf.Graph().as_default(), tf.Session() as session:
        y = tf.nn.softmax_cross_entropy_with_logits_v2(
            labels=tf.constant(p), logits=tf.constant(x), axis=axis
        )
        found = [session.run(t) for t in (y, tf.nn.softmax(x, axis=axis), tf.nn.log_softmax(x, dim=axis))]
    q = np.moveaxis(chances(np.moveaxis(x, axis, -1)), -1, axis)
    np.testing.assert_allclose(found[0], -(p * np.log(q)).sum(axis), rtol=1e-12)
    np.testing.assert_allclose(found[1], q, rtol=1e-12)
    np.testing.assert_allclose(found[2], np.log(q), rtol=1e-12)


def test_softmax_along_an_axis_of_unknown_rank():
    x = numbers(3, 4, 5)
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = tf.placeholder(tf.float64)
        for axis in (0, 1, -2):
            expected = np.moveaxis(chances(np.moveaxis(x, axis, -1)), -1, axis)
            found = session.run(tf.nn.softmax(inputs, axis=axis), {inputs: x})
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_hessian_of_softmax_cross_entropy_is_the_covariance():
    x, p = numbers(1, 4), distributions(1, 4)
    for function, labels in (("softmax", p), ("sparse_softmax", np.array([2]))):
        hessian = run(
            lambda x, y, function=function: [
                tf.gradients(tf.gradients(getattr(tf.nn, f"{function}_cross_entropy_with_logits")(
                    labels=y, logits=x), [x])[0][0, i], [x])[0]
                for i in range(4)
            ],
            x, labels,
        )  # fmt: skip
        q = chances(x)[0]
        np.testing.assert_allclose(np.concatenate(hessian), np.diag(q) - np.outer(q, q), atol=1e-14)


def test_sparse_is_dense_with_one_hot_labels():
    x, labels = numbers(2, 3, 5), np.array([[0, 4, 2], [1, 1, 3]])
    loss, grad = run(
        lambda x, y: [
            (z := tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x)),
            tf.gradients(z, [x])[0],
        ],
        x, labels,
    )  # fmt: skip
    hot = np.eye(5)[labels]
    np.testing.assert_allclose(loss, -(hot * np.log(chances(x))).sum(-1), rtol=1e-12)
    np.testing.assert_allclose(grad, chances(x) - hot, atol=1e-14)


@pytest.mark.parametrize("label", [10, -1])
def test_a_label_that_is_no_class(label):
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        run(
            lambda x, y: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x),
            numbers(2, 10),
            np.array([label, 1]),
        )
    assert (
        f"Received a label value of {label} which is outside the valid range of [0, 10).  "
        f"Label values: {label} 1"
    ) in str(error.value)


def test_large_logits_do_not_overflow():
    x, labels = np.array([[1e4, 0.0], [-1e4, 0.0]]), np.array([[0.0, 1.0], [0.5, 0.5]])
    np.testing.assert_allclose(
        run(lambda x, p: tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x), x, labels), [1e4, 5e3]
    )
    found = run(lambda x, p: tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=x), x, labels)
    np.testing.assert_allclose(found, [[1e4, np.log(2)], [5e3, np.log(2)]])


def test_sigmoid_and_weighted_cross_entropy():
    x, z = numbers(3, 4), np.random.default_rng(1).uniform(size=(3, 4))
    q = 1 / (1 + np.exp(-x))
    plain = run(lambda x, z: tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x), x, z)
    np.testing.assert_allclose(plain, -z * np.log(q) - (1 - z) * np.log(1 - q), rtol=1e-10)
    weighted = run(lambda x, z: tf.nn.weighted_cross_entropy_with_logits(z, x, 3.0), x, z)
    np.testing.assert_allclose(weighted, -3 * z * np.log(q) - (1 - z) * np.log(1 - q), rtol=1e-10)
    old = run(
        lambda x, z: tf.nn.weighted_cross_entropy_with_logits(targets=z, logits=x, pos_weight=3.0), x, z
    )
    np.testing.assert_array_equal(old, weighted)


def test_the_slope_of_sigmoid_cross_entropy_at_zero():
    grad = run(
        lambda x, z: tf.gradients(tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x), [x])[0],
        np.zeros(2), np.array([0.0, 1.0]),
    )  # fmt: skip
    np.testing.assert_allclose(grad, [0.5, -0.5])


def test_poisson_loss():
    x, z = numbers(5), np.array([0.0, 1.0, 2.0, 5.0, 20.0])
    np.testing.assert_allclose(run(lambda x, z: tf.nn.log_poisson_loss(z, x), x, z), np.exp(x) - x * z)
    full = run(lambda x, z: tf.nn.log_poisson_loss(z, x, compute_full_loss=True), x, z)
    stirling = np.where(
        z <= 1, 0, z * np.log(np.maximum(z, 1)) - z + 0.5 * np.log(2 * np.pi * np.maximum(z, 1))
    )
    np.testing.assert_allclose(full, np.exp(x) - x * z + stirling)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: tf.nn.softmax_cross_entropy_with_logits(labels=image(2, 3), logits=image(2, 4)),
            "Dimensions must be equal, but are 4 and 3",
        ),
        (
            lambda: tf.nn.softmax_cross_entropy_with_logits(logits=image(2, 4)),
            "Both `labels` and `logits` must be provided for softmax_cross_entropy_with_logits",
        ),
        (
            lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=image(2, 3, dtype=tf.int32), logits=image(2, 4)
            ),
            "`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: labels.shape=(2, 3) of rank 2 "
            "and logits.shape=(2, 4) of rank 2",
        ),
        (
            lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=image(3, dtype=tf.int32), logits=image(2, 4)
            ),
            "`labels.shape` must equal `logits.shape` except for the last dimension. "
            "Received: labels.shape=(3,) and logits.shape=(2, 4)",
        ),
        (
            lambda: tf.nn.sigmoid_cross_entropy_with_logits(labels=image(2, 3), logits=image(2, 4)),
            "`logits` and `labels` must have the same shape, received ((2, 4) vs (2, 3)).",
        ),
        (lambda: tf.nn.softmax(image(2, 3), axis=2), "`dim` must be in the range [-2, 2)"),
        (lambda: tf.nn.softmax(image()), "Shape must be at least rank 1 but is rank 0"),
        (
            lambda: tf.nn.weighted_cross_entropy_with_logits(image(2), image(2), 1.0, targets=image(2)),
            "Cannot specify both 'targets' and 'labels'.",
        ),
    ],
)
def test_errors_are_tensorflows(build, message):
    with tf.Graph().as_default(), pytest.raises(ValueError) as error:
        build()
    assert message in str(error.value)


def test_labels_of_a_wrong_dtype():
    with tf.Graph().as_default(), pytest.raises(TypeError) as error:
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=image(2), logits=image(2, 4))
    assert (
        "Value passed to parameter 'labels' has DataType float32 not in list of allowed values: int32, int64"
        in str(error.value)
    )


def test_node_names():
    with tf.Graph().as_default():
        x, p = image(2, 3), image(2, 3)
        y = tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=x)
        assert y.name == "softmax_cross_entropy_with_logits_sg/Reshape_2:0"
        y = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=image(2, dtype=tf.int32), logits=x)
        assert y.name == "SparseSoftmaxCrossEntropyWithLogits/SparseSoftmaxCrossEntropyWithLogits:0"
        assert tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=x).name == "logistic_loss:0"
        assert tf.nn.softmax(x).name == "Softmax:0"


# --- sampled classes ---------------------------------------------------------------------------------


def test_with_every_class_sampled_the_loss_is_the_full_one():
    weights, biases, inputs = numbers(6, 4), numbers(6, seed=1), numbers(3, 4, seed=2)
    labels = np.array([[0], [5], [2]])

    def loss(w, b, x, y):
        everything = tf.nn.all_candidate_sampler(y, 1, 6, unique=True)
        return tf.nn.sampled_softmax_loss(w, b, y, x, 6, 6, sampled_values=everything)

    found = run(loss, weights, biases, inputs, labels)
    logits = inputs @ weights.T + biases
    np.testing.assert_allclose(found, -np.log(chances(logits))[np.arange(3), labels[:, 0]], rtol=1e-6)


def test_noise_contrastive_loss_from_its_definition():
    weights, biases, inputs = numbers(9, 4), numbers(9, seed=1), numbers(2, 4, seed=2)
    labels = np.array([[1, 4], [8, 8]])
    sampled, true_count, sampled_count = np.array([1, 7, 3]), np.full((2, 2), 0.3), np.array([0.9, 0.2, 0.4])

    def loss(w, b, x, y):
        values = (
            tf.constant(sampled),
            tf.constant(true_count, tf.float32),
            tf.constant(sampled_count, tf.float32),
        )
        return [
            tf.nn.nce_loss(w, b, y, x, 3, 9, 2, sampled_values=values, remove_accidental_hits=remove)
            for remove in (False, True)
        ]

    found = run(loss, weights, biases, inputs, labels)
    scores = inputs @ weights.T + biases
    true = scores[np.arange(2)[:, None], labels] - np.log(true_count)
    noise = scores[:, sampled] - np.log(sampled_count)
    # Each true class counts half; what is not true is noise.
    entropy = (np.logaddexp(0, true) - 0.5 * true).sum(1)
    np.testing.assert_allclose(found[0], entropy + np.logaddexp(0, noise).sum(1), rtol=1e-6)
    kept = np.array([[False, True, True], [True, True, True]])
    np.testing.assert_allclose(found[1], entropy + (np.logaddexp(0, noise) * kept).sum(1), rtol=1e-6)


def test_gradients_of_sampled_losses_touch_few_rows():
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        w = tf.Variable(numbers(1000, 4))
        b = tf.Variable(np.zeros(1000))
        loss = tf.nn.nce_loss(w, b, [[1], [2]], tf.constant(numbers(2, 4)), 5, 1000)
        grad, _ = tf.gradients(loss, [w, b])
        assert isinstance(grad, tf.IndexedSlices)
        session.run(tf.global_variables_initializer())
        rows = session.run(grad.indices)
        assert len(rows) == 7
        np.testing.assert_array_equal(rows[:2], [1, 2])
