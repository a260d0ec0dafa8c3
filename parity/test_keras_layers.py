"""Keras's layers beside tf-keras, from the same weights: outputs, gradients, training, configs, weights."""

import re

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import minitf
from minitf import keras
from tests.keras.layers.layer_cases import BATCH, CASES

# What tf-keras has added to configs since Keras 2.4, or calls otherwise.
LATER = {
    "ConvLSTM2D": {"name"},  # whose automatic name was conv_lst_m2d
    # Keras forgets theirs.
    "SpatialDropout2D": {"data_format"},
    "SpatialDropout3D": {"data_format"},
    "Attention": {"score_mode", "causal"},
    "AdditiveAttention": {"causal"},
    "Embedding": {"sparse"},
}


def _model(module, case, unmasked=False):
    """A functional model of the layer alone; `unmasked` ends the outputs' masks."""
    size = case.batch_size
    dtype = "int32" if case.words else "float32"
    inputs = [module.Input(shape, size, dtype=dtype) for shape in case.shapes]
    tensors = list(inputs)
    if case.mask:
        tensors[0] = module.layers.Masking()(tensors[0])
    layer = case.make(module.layers)
    outputs = layer(tensors[0] if len(tensors) == 1 else tensors)
    if unmasked:
        outputs = [module.layers.Lambda(lambda x: x * 1.0)(y) for y in _flat(outputs)]
    return layer, module.Model(inputs, outputs)


def _pair(case, unmasked=False):
    """Both layers and models, with the same weights (not those that most start with: zeros and ones)."""
    minitf.reset_default_graph()
    theirs = _model(tf_keras, case, unmasked)
    ours = _model(keras, case, unmasked)
    rng = np.random.default_rng(5)
    start = [w + rng.normal(scale=0.1, size=w.shape).astype(w.dtype) for w in theirs[1].get_weights()]
    start = [np.abs(w) if "variance" in v.name else w for w, v in zip(start, theirs[1].weights)]
    assert [w.shape for w in ours[1].get_weights()] == [w.shape for w in start]
    theirs[1].set_weights(start)
    ours[1].set_weights(start)
    return ours, theirs


def _close(ours, theirs, tolerance, what):
    assert len(ours) == len(theirs), what
    for i, (x, y) in enumerate(zip(ours, theirs)):
        if y is None:
            assert x is None or not np.any(x), (what, i)
            continue
        assert np.shape(x) == np.shape(y), (what, i)
        scale = max(float(np.abs(y).max(initial=0)), 1e-2)
        np.testing.assert_allclose(x, y, rtol=0, atol=tolerance * scale, err_msg=f"{what} {i}")


def _flat(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def _objective(module, outputs):
    """A sum in which every output has a weight of its own."""
    total = 0.0
    for y in outputs:
        y = module.cast(y, module.float32)
        total += module.reduce_sum(
            module.reshape(y, [-1]) * module.cos(module.range(module.cast(module.size(y), module.float32)))
        )
    return total


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_outputs_and_gradients(case, training):
    if training and not case.training:
        pytest.skip("its training is random")
    (_, ours), (_, theirs) = _pair(case)
    arrays = case.inputs()

    given = [tf.constant(a) for a in arrays]
    watched = [g for g in given if g.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        expected = _flat(theirs(given if len(given) > 1 else given[0], training=training))
        objective = _objective(tf, expected)
    slopes = tape.gradient(objective, [*watched, *theirs.trainable_weights])
    slopes = [None if s is None else tf.convert_to_tensor(s).numpy() for s in slopes]

    tensors = [minitf.constant(a) for a in arrays]
    found = _flat(ours(tensors if len(tensors) > 1 else tensors[0], training=training))
    sources = [t for t in tensors if t.dtype.is_floating] + ours.trainable_weights
    gradients = minitf.gradients(_objective(minitf, found), sources)
    gradients = [None if g is None else minitf.convert_to_tensor(g) for g in gradients]
    with minitf.Session() as session:
        values, found_slopes = session.run([found, [g for g in gradients if g is not None]])
    found_slopes = iter(found_slopes)
    found_slopes = [None if g is None else next(found_slopes) for g in gradients]

    _close(values, [e.numpy() for e in expected], case.tolerance, "output")
    _close(found_slopes, slopes, 10 * case.tolerance, "gradient")


@pytest.mark.parametrize("case", [c for c in CASES if c.training], ids=lambda case: case.name)
def test_three_steps_of_training(case):
    # Keras 2.4 divides masked losses by all values, tf-keras by those that count.
    (ours_layer, ours), (_, theirs) = _pair(case, unmasked=case.mask or case.name == "Embedding masked")
    arrays = case.inputs()
    arrays = arrays if len(arrays) > 1 else arrays[0]
    rng = np.random.default_rng(8)
    shapes = [tuple(BATCH if n is None else n for n in t.shape.as_list()) for t in ours.outputs]
    targets = [rng.normal(size=s).astype("float32") for s in shapes]
    ours.compile(keras.optimizers.SGD(0.05), "mse")
    theirs.compile(tf_keras.optimizers.legacy.SGD(0.05), "mse")
    for _ in range(3):
        found = ours.train_on_batch(arrays, targets if len(targets) > 1 else targets[0])
        expected = theirs.train_on_batch(arrays, targets if len(targets) > 1 else targets[0])
        np.testing.assert_allclose(found, expected, rtol=1e-4)
    _close(ours.get_weights(), theirs.get_weights(), 1e-4, "weight")
    _close(_flat(ours.predict(arrays)), _flat(theirs.predict(arrays, verbose=0)), 1e-4, "prediction")
    if ours_layer.stateful:
        ours.reset_states()
        theirs.reset_states()
        _close([ours.predict(arrays)], [theirs.predict(arrays, verbose=0)], 1e-4, "prediction after reset")


def _plain(value):
    """A config without what tells Keras versions apart."""
    if isinstance(value, dict):
        dropped = {"module", "registered_name", "build_config", "compile_config"}
        return {k: _plain(v) for k, v in value.items() if k not in dropped}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return float(np.float32(value))
    return re.sub(r"_\d+$", "", value) if isinstance(value, str) else value


def _without(config, names):
    return {key: value for key, value in config.items() if key not in names}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_config_weights_and_shapes(case):
    (ours, our_model), (theirs, their_model) = _pair(case)
    later = LATER.get(case.layer_class, set())
    config, expected = (_without(_plain(layer.get_config()), later) for layer in (ours, theirs))
    if case.layer_class == "Lambda":
        assert config.pop("function")[0] == expected.pop("function")[0]  # defaults are marked otherwise
    assert config == expected

    def names(weights):
        return [re.sub(r"_\d+(?=[/:])", "", w.name).replace("conv_lst_m2d", "conv_lstm2d") for w in weights]

    assert names(ours.weights) == names(theirs.weights)
    assert names(ours.trainable_weights) == names(theirs.trainable_weights)
    assert ours.count_params() == theirs.count_params()
    assert _shapes(our_model.outputs) == _shapes(their_model.outputs)
    assert len(ours.losses) == len(theirs.losses)


def _shapes(tensors):
    return [tuple(t.shape.as_list() if hasattr(t.shape, "as_list") else t.shape) for t in tensors]
