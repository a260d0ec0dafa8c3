import numpy as np
import pytest

import minitf as tf
from minitf import keras

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3) / 10


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


def test_automatic_names():
    def model():
        return keras.Sequential(
            [keras.layers.Dense(2, input_shape=(3,)), keras.layers.Dense(2), keras.layers.LeakyReLU()]
        )

    first, second = model(), model()
    assert (first.name, second.name) == ("sequential", "sequential_1")
    assert [layer.name for layer in first.layers] == ["dense", "dense_1", "leaky_re_lu"]
    assert [layer.name for layer in second.layers] == ["dense_2", "dense_3", "leaky_re_lu_1"]
    assert first.input_names == ["dense_input"] and first.output_names == ["leaky_re_lu"]
    keras.backend.clear_session()
    again = model()
    assert again.name == "sequential" and again.layers[1].name == "dense_1"


def test_a_deferred_model_is_built_by_its_first_call():
    model = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(1)])
    assert not model.built and model.weights == [] and len(model.layers) == 2
    y = model.predict(ROWS)
    assert y.shape == (4, 1) and model.built
    assert [w.shape.as_list() for w in model.weights] == [[3, 2], [2], [2, 1], [1]]
    assert model.input_shape == (None, 3) and model.output_shape == (None, 1)


def test_build_and_fit_build_deferred_models():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.build((None, 5))
    assert model.count_params() == 12
    other = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    other.compile("sgd", "mse")
    other.fit(ROWS.reshape(2, 2, 3), np.zeros((2, 2)), verbose=0)
    assert other.count_params() == 14


def test_add_and_pop():
    model = keras.Sequential([keras.layers.Dense(4, input_shape=(3,))])
    model.add(keras.layers.Dense(2))
    model.add(keras.layers.Dense(1))
    assert model.output_shape == (None, 1)
    model.pop()
    assert model.output_shape == (None, 2) and len(model.layers) == 2
    assert model.predict(ROWS).shape == (4, 2)
    model.add(keras.layers.Dense(7))
    assert model.predict(ROWS).shape == (4, 7)
    with pytest.raises(TypeError, match="There are no layers in the model."):
        keras.Sequential().pop()


def test_what_may_not_be_added():
    model = keras.Sequential([keras.layers.Dense(2, name="a", input_shape=(3,))])
    with pytest.raises(TypeError, match="must be an instance of class Layer. Received: layer=dense"):
        model.add("dense")
    with pytest.raises(ValueError, match='should have unique names. Name "a" is already the name of a layer'):
        model.add(keras.layers.Dense(2, name="a"))
    assert [layer.name for layer in model.layers] == ["a"]


def test_input_as_first_layer():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert [layer.name for layer in model.layers] == ["dense"]
    other = keras.Sequential([keras.layers.InputLayer((3,)), keras.layers.Dense(2)])
    assert other.count_params() == model.count_params() == 8


def test_outputs_of_all_layers():
    model = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)),
            keras.layers.MaxPooling2D(2, 2),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation=tf.nn.softmax),
        ]
    )
    image = np.random.default_rng(0).uniform(size=(1, 8, 8, 1)).astype(np.float32)
    activations = keras.models.Model(inputs=model.input, outputs=[layer.output for layer in model.layers])
    outputs = activations.predict(image)
    assert [o.shape for o in outputs] == [(1, 6, 6, 4), (1, 3, 3, 4), (1, 36), (1, 3)]
    np.testing.assert_allclose(outputs[-1], model.predict(image), 1e-6)
    np.testing.assert_array_equal(outputs[1], outputs[0].reshape(1, 3, 2, 3, 2, 4).max((2, 4)))
    np.testing.assert_array_equal(outputs[2], outputs[1].reshape(1, -1))


def test_weights_of_all_layers():
    model = keras.Sequential([keras.layers.Dense(2, input_shape=(3,)), keras.layers.BatchNormalization()])
    assert [w.name for w in model.weights] == [
        "dense/kernel:0", "dense/bias:0", "batch_normalization/gamma:0", "batch_normalization/beta:0",
        "batch_normalization/moving_mean:0", "batch_normalization/moving_variance:0",
    ]  # fmt: skip
    assert len(model.trainable_weights) == 4 and len(model.non_trainable_weights) == 2
    values = [np.full_like(w, 2) for w in model.get_weights()]
    model.set_weights(values)
    for mine, given in zip(model.get_weights(), values, strict=True):
        np.testing.assert_array_equal(mine, given)


def test_config_and_clone():
    model = keras.Sequential(
        [keras.layers.Dense(2, activation="relu", input_shape=(3,)), keras.layers.Dense(1)], name="net"
    )
    again = keras.Sequential.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    from_json = keras.models.model_from_json(model.to_json())
    assert from_json.get_config() == model.get_config() and type(from_json) is keras.Sequential
    clone = keras.models.clone_model(model)
    assert clone.get_config() == model.get_config()
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(ROWS), model.predict(ROWS))
    clone.layers[0].set_weights([np.zeros((3, 2)), np.zeros(2)])
    assert np.abs(model.layers[0].get_weights()[0]).max() > 0
