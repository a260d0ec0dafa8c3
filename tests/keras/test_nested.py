"""Models within models: what their layers say of themselves stays as it was."""

import numpy as np

from minitf import keras
from minitf.keras import backend as K  # noqa: N812 - everybody calls it so


def _inner():
    return keras.Sequential(
        [keras.layers.Dense(4, input_shape=(3,), activation="relu"), keras.layers.Dense(2)]
    )


def test_layers_of_a_model_that_is_used_again_keep_their_one_output():
    inner = _inner()
    outer_input = keras.Input((3,))
    outer = keras.Model(outer_input, keras.layers.Dense(1)(inner(outer_input)))
    for layer in inner.layers:
        assert len(layer._inbound_nodes) == 1
    assert inner.layers[-1].output is inner.output
    # So the activations can still be taken out, as transfer learning and adversarial training do.
    activations = keras.Model(inner.input, [layer.output for layer in inner.layers])
    x = np.random.RandomState(0).rand(5, 3).astype("float32")
    hidden, last = activations.predict(x)
    kernel, bias = inner.layers[0].get_weights()
    np.testing.assert_allclose(hidden, np.maximum(x @ kernel + bias, 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(last, inner.predict(x), rtol=1e-6)
    np.testing.assert_allclose(outer.predict(x), last @ outer.layers[-1].kernel.numpy(), rtol=1e-5, atol=1e-6)


def test_two_models_that_share_a_third_train_together():
    generator, critic = _inner(), keras.Sequential([keras.layers.Dense(1, input_shape=(2,))])
    critic.compile("sgd", "mse")
    critic.trainable = False
    noise = keras.Input((3,))
    both = keras.Model(noise, critic(generator(noise)))
    both.compile("sgd", "mse")
    x, y = np.ones((8, 3), "float32"), np.zeros((8, 1), "float32")
    before = critic.get_weights(), generator.get_weights()
    both.train_on_batch(x, y + 5)
    for a, b in zip(critic.get_weights(), before[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(generator.get_weights(), before[1], strict=True))


def test_a_backend_function_through_a_nested_model():
    inner = _inner()
    x = K.placeholder((None, 3))
    run = K.function([x], [K.sum(inner(x), axis=-1)] + K.gradients(K.sum(inner(x)), [x]))
    value = np.random.RandomState(1).rand(4, 3).astype("float32")
    total, by_input = run([value])
    np.testing.assert_allclose(total, inner.predict(value).sum(-1), rtol=1e-5, atol=1e-6)
    assert by_input.shape == (4, 3)
