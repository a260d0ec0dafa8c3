import numpy as np
import pytest

import minitf as tf
from minitf import keras
from minitf.eager.context import eager_mode

T, P = np.float32([[0, 1], [2, 4]]), np.float32([[1, 1], [0, 1]])


@pytest.fixture(autouse=True)
def eagerly():
    with eager_mode():
        yield


def test_reductions():
    each = [0.5, (4 + 9) / 2]
    for reduction, expected in {
        "none": each, "sum": sum(each), "sum_over_batch_size": sum(each) / 2, "auto": sum(each) / 2,
    }.items():  # fmt: skip
        loss = keras.losses.MeanSquaredError(reduction=reduction)
        np.testing.assert_allclose(loss(T, P).numpy(), expected)
    weighted = keras.losses.MeanSquaredError()(T, P, sample_weight=[2.0, 0.5])
    assert weighted.numpy() == pytest.approx((2 * each[0] + 0.5 * each[1]) / 2)
    with pytest.raises(ValueError, match="Invalid Reduction Key: mean"):
        keras.losses.MeanSquaredError(reduction="mean")


def test_cross_entropies_by_hand():
    p = np.float32([[0.2, 0.3, 0.5], [0.7, 0.1, 0.2]])
    expected = -np.log([0.5, 0.1])
    sparse = keras.losses.sparse_categorical_crossentropy
    np.testing.assert_allclose(sparse([2, 1], p).numpy(), expected, 1e-6)
    np.testing.assert_allclose(sparse([[2], [1]], p).numpy(), expected, 1e-6)
    np.testing.assert_allclose(sparse([2, 1], np.log(p), from_logits=True).numpy(), expected, 1e-6)
    one_hot = np.eye(3, dtype=np.float32)[[2, 1]]
    np.testing.assert_allclose(keras.losses.categorical_crossentropy(one_hot, p).numpy(), expected, 1e-6)
    smooth = one_hot * 0.7 + 0.1
    np.testing.assert_allclose(
        keras.losses.categorical_crossentropy(one_hot, p, label_smoothing=0.3).numpy(),
        -(smooth * np.log(p)).sum(-1),
        1e-6,
    )
    bits = np.float32([[1], [0]])
    np.testing.assert_allclose(
        keras.losses.binary_crossentropy(bits, np.float32([[0.9], [0.2]])).numpy(), -np.log([0.9, 0.8]), 1e-5
    )


def test_probabilities_of_zero_give_finite_losses():
    sure = np.float32([[1.0, 0.0]])
    for value in (
        keras.losses.categorical_crossentropy(np.float32([[0, 1]]), sure),
        keras.losses.sparse_categorical_crossentropy([1], sure),
        keras.losses.kl_divergence(np.float32([[0, 1]]), sure),
    ):
        assert value.numpy()[0] == pytest.approx(-np.log(1e-7), rel=1e-3)


def test_shapes_that_do_not_match():
    with pytest.raises(ValueError, match=r"Shapes \(2, 3\) and \(2, 2\) are incompatible"):
        keras.losses.categorical_crossentropy(np.zeros((2, 3), np.float32), P)


def test_names_and_near_misses():
    assert keras.losses.get("mse") is keras.losses.mean_squared_error is keras.losses.MSE
    assert isinstance(keras.losses.get("MeanSquaredError"), keras.losses.MeanSquaredError)
    assert keras.losses.get(None) is None
    with pytest.raises(ValueError, match="Unknown loss function: 'categorical_crosentropy'.*Did you mean"):
        keras.losses.get("categorical_crosentropy")
    with pytest.raises(ValueError, match="Could not interpret loss function identifier: 3"):
        keras.losses.get(3)


def test_a_loss_class_of_ones_own():
    class Gap(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return tf.reduce_sum(tf.abs(y_true - y_pred), -1)

    assert Gap()(T, P).numpy() == 3.0
    assert Gap(reduction="sum", name="gap").get_config() == {"reduction": "sum", "name": "gap"}
    with pytest.raises(NotImplementedError, match="Must be implemented in subclasses."):
        keras.losses.Loss()(T, P)


def test_options_are_attributes_and_unknown_ones_refused():
    assert keras.losses.Huber(0.5).delta == 0.5
    assert keras.losses.Huber(0.5).get_config() == {"reduction": "auto", "name": "huber_loss", "delta": 0.5}
    with pytest.raises(TypeError, match="Huber.* unexpected keyword argument.*gamma"):
        keras.losses.Huber(gamma=1)


def test_the_arguments_of_2020():
    loss = keras.losses.SparseCategoricalCrossentropy(True, "sum", "mine")
    assert (loss.from_logits, loss.reduction, loss.name) == (True, "sum", "mine")


def test_logits_of_a_softmax_are_not_logits():
    with tf.Graph().as_default():
        p = tf.nn.softmax(tf.constant(P))
        with pytest.warns(UserWarning, match="received `from_logits=True`, but the `output` argument was"):
            keras.losses.categorical_crossentropy(T, p, from_logits=True)
