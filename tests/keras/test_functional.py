import numpy as np
import pytest

import minitf as tf
from minitf import keras

A = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
B = np.random.default_rng(1).normal(size=(8, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


def two_in_two_out():
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    joined = keras.layers.concatenate([keras.layers.Dense(4, name="left")(a), b])
    return keras.Model(
        [a, b], [keras.layers.Dense(2, name="u")(joined), keras.layers.Dense(1, name="v")(joined)]
    )


def test_names_and_shapes():
    model = two_in_two_out()
    assert model.name == "model" and keras.Model(model.inputs, model.outputs).name == "model_1"
    assert model.input_names == ["a", "b"] and model.output_names == ["u", "v"]
    assert model.input_shape == [(None, 3), (None, 2)] and model.output_shape == [(None, 2), (None, 1)]
    assert [layer.name for layer in model.layers] == ["a", "left", "b", "concatenate", "u", "v"]
    assert keras.Input((2,)).op.name == "input_1" and keras.Input((2,)).op.name == "input_2"


def test_inputs_as_lists_dicts_and_tuples():
    model = two_in_two_out()
    u, v = model.predict([A, B])
    for given in ({"a": A, "b": B}, {"b": B, "a": A}, (A, B)):
        mine = model.predict(given)
        np.testing.assert_array_equal(mine[0], u)
        np.testing.assert_array_equal(mine[1], v)
    with pytest.raises(ValueError, match="Missing data for input 'b'"):
        model.predict({"a": A})


def test_shared_layers_have_one_set_of_weights():
    dense = keras.layers.Dense(2, name="shared")
    a, b = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([a, b], keras.layers.subtract([dense(a), dense(b)]))
    assert len(model.weights) == 2
    np.testing.assert_allclose(model.predict([A, A]), np.zeros((8, 2)))
    with pytest.raises(
        AttributeError, match='has multiple inbound nodes, hence the notion of "layer output"'
    ):
        _ = dense.output
    assert dense.get_output_at(1) is not dense.get_output_at(0)
    assert dense.get_input_at(0) is a and dense.get_output_shape_at(1) == (None, 2)


def test_a_model_is_a_layer():
    inner = keras.Sequential([keras.layers.Dense(3, activation="tanh", input_shape=(3,))], name="inner")
    x = keras.Input((3,))
    model = keras.Model(x, inner(inner(x)))
    kernel, bias = inner.get_weights()
    once = np.tanh(A @ kernel + bias)
    np.testing.assert_allclose(model.predict(A), np.tanh(once @ kernel + bias), 1e-5, 1e-6)
    assert len(model.trainable_weights) == 2
    inner.trainable = False
    assert model.trainable_weights == [] and len(model.non_trainable_weights) == 2


def test_ops_between_layers():
    x = keras.Input((3,))
    y = tf.nn.relu(keras.layers.Dense(3, use_bias=False, name="d")(x)) * 2.0 + 1.0
    model = keras.Model(x, y)
    kernel = model.get_weights()[0]
    np.testing.assert_allclose(model.predict(A), np.maximum(A @ kernel, 0) * 2 + 1, 1e-5, 1e-6)


def test_layers_are_found_by_name_and_number():
    model = two_in_two_out()
    assert model.get_layer("left") is model.layers[1] is model.get_layer(index=1)
    with pytest.raises(ValueError, match="No such layer: right. Existing layers are: .'a', 'left'"):
        model.get_layer("right")
    with pytest.raises(ValueError, match="retrieve layer at index 9 but model only has 6 layers"):
        model.get_layer(index=9)
    with pytest.raises(ValueError, match="Provide either a layer name or layer index."):
        model.get_layer()


def test_disconnected_graphs_and_repeated_inputs():
    x, other = keras.Input((2,), name="x"), keras.Input((2,), name="other")
    with pytest.raises(
        ValueError, match='Graph disconnected: cannot obtain value for tensor .* at layer "other"'
    ):
        keras.Model(x, keras.layers.Dense(1)(other))
    with pytest.raises(ValueError, match="contains the same input multiple times"):
        keras.Model([x, x], keras.layers.Dense(1)(x))


def test_configs_of_connected_layers():
    model = two_in_two_out()
    again = keras.Model.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    again.set_weights(model.get_weights())
    for mine, other in zip(again.predict([A, B]), model.predict([A, B]), strict=True):
        np.testing.assert_array_equal(mine, other)
    clone = keras.models.clone_model(model)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]


def test_nested_and_shared_models_come_back_from_their_config():
    inner = keras.Sequential([keras.layers.Dense(3, input_shape=(3,))], name="inner")
    x = keras.Input((3,))
    y = inner(keras.layers.Dense(3)(inner(x)))
    model = keras.Model(x, keras.layers.add([y, x]))
    again = keras.models.model_from_json(model.to_json())
    assert again.get_config() == model.get_config()
    assert len(again.weights) == len(model.weights) == 4
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(A), model.predict(A))


def test_a_loss_that_uses_a_layers_output():
    x = keras.Input((3,))
    code = keras.layers.Dense(2, name="code")(x)
    model = keras.Model(x, keras.layers.Dense(3)(code))
    model.compile(
        "sgd", lambda t, p: keras.losses.mean_squared_error(t, p) + tf.reduce_sum(tf.square(code), 1)
    )
    expected = np.mean((model.predict(A) - A) ** 2, 1)
    codes = keras.Model(x, code).predict(A)
    assert model.test_on_batch(A, A) == pytest.approx(np.mean(expected + (codes**2).sum(1)), rel=1e-5)
    first = model.train_on_batch(A, A)
    assert model.train_on_batch(A, A) < first
