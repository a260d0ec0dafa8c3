import numpy as np
import pytest

import minitf as tf
from minitf import keras

X = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 20)


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


class Linear(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(name="w", shape=(input_shape[-1], self.units), initializer="glorot_uniform")
        self.b = self.add_weight(name="b", shape=(self.units,), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = Linear(5)
        self.blocks = {"norm": keras.layers.BatchNormalization(), "more": [keras.layers.Dense(4)]}
        self.last = keras.layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None):
        x = tf.nn.relu(self.first(inputs))
        x = self.blocks["norm"](x, training=training)
        if training:
            x = x * 1.5
        return self.last(self.blocks["more"][0](x))


def test_a_layer_of_ones_own():
    layer = Linear(2)
    model = keras.Sequential([layer, keras.layers.Dense(1)])
    model.predict(X)
    assert layer.name == "linear" and [w.name for w in layer.weights] == ["linear/w:0", "linear/b:0"]
    assert layer.trainable_weights == [layer.w] and layer.non_trainable_weights == [layer.b]
    assert layer.count_params() == 10
    again = Linear.from_config(layer.get_config())
    assert (again.units, again.name) == (2, "linear")
    layer.trainable = False
    assert layer.trainable_weights == [] and layer.non_trainable_weights == [layer.w, layer.b]


def test_a_subclassed_model():
    model = Net()
    assert model.name == "net" and Net().name == "net_1" and not model.built
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X, Y, epochs=30, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.predict(X).shape == (20, 3) and len(model.evaluate(X, Y, verbose=0)) == 2
    assert [type(layer).__name__ for layer in model.layers] == [
        "Linear", "BatchNormalization", "Dense", "Dense",
    ]  # fmt: skip
    assert len(model.weights) == 10 and len(model.trainable_weights) == 7
    with pytest.raises(NotImplementedError, match="Net is a subclassed model"):
        model.get_config()


def test_a_subclassed_model_without_call():
    class Empty(keras.Model):
        pass

    with pytest.raises(NotImplementedError, match="subclass `Model` with an overridden `call"):
        Empty().predict(X)


def test_training_decides_what_a_model_does():
    model = Net()
    model.build((None, 4))
    model.compile("sgd", "sparse_categorical_crossentropy")
    moving = model.blocks["norm"].moving_mean.numpy()
    model.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(model.blocks["norm"].moving_mean.numpy(), moving)
    model.train_on_batch(X, Y)
    assert np.abs(model.blocks["norm"].moving_mean.numpy() - moving).max() > 0


def test_losses_and_metrics_of_layers():
    class Activity(keras.layers.Layer):
        def call(self, inputs):
            self.add_loss(tf.reduce_mean(tf.square(inputs)))
            self.add_metric(tf.reduce_max(inputs), name="largest", aggregation="mean")
            return inputs

    model = keras.Sequential([Activity(input_shape=(4,))])
    model.compile("sgd", "mse")
    logs = model.test_on_batch(X, X, return_dict=True)
    assert logs == pytest.approx({"loss": np.mean(X**2), "largest": X.max()}, rel=1e-5)
    assert model.metrics_names == ["loss", "largest"]
    halves = model.evaluate(X, X, batch_size=10, verbose=0, return_dict=True)
    assert halves["largest"] == pytest.approx((X[:10].max() + X[10:].max()) / 2, rel=1e-5)


def test_freezing_counts_from_the_next_compile_on():
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax", input_shape=(4,))])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(X, Y)
    model.layers[0].trainable = False
    before = model.get_weights()[0]
    model.train_on_batch(X, Y)
    after = model.get_weights()[0]
    assert np.abs(after - before).max() > 0
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.get_weights()[0], after)


def test_cloning_with_a_function_of_ones_own():
    model = keras.Sequential([keras.layers.Dense(3, input_shape=(4,)), keras.layers.Dense(2)])

    def copy(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "activation": "relu"})

    clone = keras.models.clone_model(model, clone_function=copy)
    clone.set_weights(model.get_weights())
    assert clone.predict(X).min() == 0
    functional = keras.Model(model.input, model.output)
    again = keras.models.clone_model(functional, input_tensors=keras.Input((4,)))
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(X), model.predict(X), 1e-6)
    with pytest.raises(ValueError, match="but got a subclassed model"):
        keras.models.clone_model(Net())


def test_weights_of_another_shape_are_refused_whole():
    model = keras.Sequential([keras.layers.Dense(3, input_shape=(4,))])
    before = model.get_weights()
    with pytest.raises(
        ValueError, match=r"weight shape \(3,\) is not compatible with provided weight shape \(2,\)"
    ):
        model.set_weights([np.zeros((4, 3)), np.zeros(2)])
    with pytest.raises(
        ValueError, match="with a weight list of length 1, but the layer was expecting 2 weights"
    ):
        model.set_weights([np.zeros((4, 3))])
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_steps_of_ones_own_are_refused():
    class Own(keras.Sequential):
        def train_step(self, data):
            return {}

    with pytest.raises(NotImplementedError, match="Own.train_step: steps of one's own are not supported"):
        Own().compile("sgd", "mse")


@pytest.mark.parametrize("name", ["Model", "Functional"])
def test_configs_of_either_class_name(name):
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Dense(2)(x))
    text = model.to_json().replace('"class_name": "Functional"', f'"class_name": "{name}"')
    assert keras.models.model_from_json(text).get_config() == model.get_config()
