import numpy as np
import pytest

import minitf as tf
from minitf import keras
from minitf.eager.context import eager_mode
from minitf.eager.variable import Variable


def step(optimizer, start, gradient, count=1):
    with eager_mode():
        variable = Variable(np.float32(start))
        for _ in range(count):
            optimizer.apply_gradients([(tf.constant(np.float32(gradient)), variable)])
        return variable.numpy()


def test_first_steps_by_hand():
    o = keras.optimizers
    assert step(o.SGD(0.1), [1.0], [2.0]) == pytest.approx(0.8)
    assert step(o.SGD(0.1, momentum=0.5), [1.0], [2.0], 2) == pytest.approx(1 - 0.2 - 0.3)
    assert step(o.SGD(0.1, momentum=0.5, nesterov=True), [1.0], [2.0]) == pytest.approx(1 - 0.3)
    assert step(o.Adam(0.1), [1.0], [2.0]) == pytest.approx(0.9, abs=1e-5)
    assert step(o.Adagrad(0.1, initial_accumulator_value=0.0), [1.0], [2.0]) == pytest.approx(0.9, abs=1e-5)
    assert step(o.SGD(1.0, clipvalue=0.5), [1.0], [2.0]) == pytest.approx(0.5)
    assert step(o.SGD(1.0, clipnorm=5.0), [0.0, 0.0], [6.0, 8.0]) == pytest.approx([-3.0, -4.0])
    assert step(o.SGD(lr=1.0, decay=1.0), [0.0], [1.0], 3) == pytest.approx(-1 - 1 / 2 - 1 / 3)


def test_minimize_a_function_eagerly():
    """The lecture's program for TensorFlow 2."""
    x = np.random.default_rng(0).uniform(size=100).astype(np.float32)
    with eager_mode():
        weights, biases = Variable(np.zeros(1, np.float32)), Variable(np.zeros(1, np.float32))
        optimizer = tf.keras.optimizers.SGD(learning_rate=0.5)
        for _ in range(201):
            optimizer.minimize(
                lambda: tf.keras.losses.MSE(x * 0.1 + 0.3, weights * x + biases), var_list=[weights, biases]
            )
        np.testing.assert_allclose([weights.numpy()[0], biases.numpy()[0]], [0.1, 0.3], atol=2e-3)
        assert optimizer.iterations.numpy() == 201


def test_hyperparameters_are_attributes():
    optimizer = keras.optimizers.Adam(lr=0.1)
    assert keras.backend.get_value(optimizer.lr) == pytest.approx(0.1)
    optimizer.lr = 0.5
    assert keras.backend.get_value(optimizer.learning_rate) == 0.5
    keras.backend.set_value(optimizer.lr, 0.25)
    assert optimizer.get_config()["learning_rate"] == 0.25


def test_what_is_refused():
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer: rate"):
        keras.optimizers.SGD(rate=1.0)
    with pytest.raises(ValueError, match="Expected clipnorm >= 0, received: -1"):
        keras.optimizers.Adam(clipnorm=-1)
    with pytest.raises(ValueError, match=r"`momentum` must be between \[0, 1\]"):
        keras.optimizers.SGD(momentum=1.5)
    with pytest.raises(ValueError, match="does not support LearningRateSchedules"):
        keras.optimizers.Nadam(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier: 3"):
        keras.optimizers.get(3)
    with pytest.raises(ValueError, match="Unknown optimizer: 'rmsprob'.*Did you mean 'rmsprop'"):
        keras.optimizers.get("rmsprob")


def test_a_gradient_of_nothing():
    with tf.Graph().as_default():
        dense = keras.layers.Dense(1)
        dense.build((None, 2))
        loss = tf.constant(1.0)
        with pytest.raises(ValueError, match=r"No gradients provided for any variable: \['dense"):
            keras.optimizers.SGD().minimize(loss, dense.trainable_weights)


def test_state_set_before_the_first_step():
    first, second, third = (keras.optimizers.Adam(0.1) for _ in range(3))
    start = step(first, [1.0, 2.0], [1.0, -1.0], 3)
    state = first.get_weights()
    assert [w.shape for w in state] == [(), (2,), (2,)] and state[0] == 3
    second.set_weights(state)
    later = step(second, start, [3.0, 1.0])
    assert second.get_weights()[0] == 4
    np.testing.assert_array_equal(step(third, start, [3.0, 1.0]) == later, [False, False])
    with pytest.raises(ValueError, match="with a weight list of length 2, but the optimizer was expecting 3"):
        first.set_weights(state[:2])


@pytest.mark.parametrize(
    ("make", "twin"),
    [
        (lambda: tf.train.GradientDescentOptimizer(0.1), lambda: keras.optimizers.SGD(0.1)),
        (lambda: tf.train.MomentumOptimizer(0.1, 0.5), lambda: keras.optimizers.SGD(0.1, momentum=0.5)),
        (lambda: tf.train.AdamOptimizer(0.1), lambda: keras.optimizers.Adam(0.1, epsilon=1e-8)),
    ],
)
def test_optimizers_of_tf_train_in_models(make, twin):
    x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    start, histories = model.get_weights(), []
    for optimizer in (make, twin):
        model.set_weights(start)
        model.compile(optimizer(), "mse")
        histories.append(model.fit(x, x.sum(1), epochs=20, shuffle=False, verbose=0).history["loss"])
    assert histories[0][-1] < histories[0][0] / 2
    np.testing.assert_allclose(*histories, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "Adamax", "Nadam", "Adagrad", "Adadelta", "Ftrl"])
def test_every_optimizer_lowers_the_loss_of_a_model(name):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(3,))])
    rate = {"learning_rate": 0.05} if name == "Ftrl" else {}
    model.compile(keras.optimizers.deserialize({"class_name": name.lower(), "config": rate}), "mse")
    history = model.fit(x, x.sum(1), epochs=5, batch_size=8, verbose=0).history["loss"]
    assert history[-1] < history[0]
