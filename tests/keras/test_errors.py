"""Bad input: the error says what is wrong, and the weights stay what they were."""

import numpy as np
import pytest

import minitf as tf
from minitf import keras

X = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 12)


@pytest.fixture
def model():
    keras.backend.clear_session()
    made = keras.Sequential([keras.layers.Dense(3, activation="softmax", input_shape=(4,), name="only")])
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


CASES = {
    "a size that is not the layer's": (
        lambda m: m.fit(X[:, :3], Y, verbose=0),
        ValueError,
        'Input 0 of layer "only" is incompatible with the layer: expected axis -1 .* to have value 4',
    ),
    "a rank that is not the layer's": (
        lambda m: keras.layers.Conv2D(2, 3)(keras.Input((5, 5))),
        ValueError,
        'Input 0 of layer "conv2d.*" is incompatible with the layer: expected min_ndim=4, found ndim=3',
    ),
    "channels": (
        lambda m: keras.Sequential([keras.layers.Conv2D(2, 3, input_shape=(8, 8, 3))]).predict(
            np.zeros((1, 8, 8, 1))
        ),
        ValueError,
        "expected axis -1 of input shape to have value 3",
    ),
    "two arrays for one input": (
        lambda m: m.fit([X, X], Y, verbose=0),
        ValueError,
        r'Layer "sequential" expects 1 input\(s\), but it received 2 input tensors',
    ),
    "labels below zero": (
        lambda m: m.fit(X, Y - 1, verbose=0),
        tf.errors.InvalidArgumentError,
        "label value of -1 which is outside the valid range",
    ),
    "targets of one-hot losses as class numbers": (
        lambda m: (m.compile("sgd", "categorical_crossentropy"), m.fit(X, Y, verbose=0)),
        ValueError,
        r"Shapes \(None, 1\) and \(None, 3\) are incompatible",
    ),
    "counts of weights": (
        lambda m: m.fit(X, Y, sample_weight=np.ones(5), verbose=0),
        ValueError,
        "Data cardinality is ambiguous(?s:.*)x sizes: 12\n  y sizes: 12\n  sample_weight sizes: 5",
    ),
    "no targets": (lambda m: m.fit(X, verbose=0), ValueError, "no loss to optimize"),
    "validation data of four parts": (
        lambda m: m.fit(X, Y, verbose=0, validation_data=(X, Y, Y, Y)),
        ValueError,
        "must contain either 2 items .x_val, y_val., or 3 items",
    ),
    "a validation split of everything": (
        lambda m: m.fit(X, Y, verbose=0, validation_split=1.0),
        ValueError,
        "`validation_split` must be between 0 and 1, received: 1.0",
    ),
    "class weights for several outputs": (
        lambda m: m.fit(X, [Y, Y], class_weight={0: 1.0}, verbose=0),
        ValueError,
        "`class_weight` is only supported for Models with a single output",
    ),
    "targets beside a generator": (
        lambda m: m.fit(iter([(X, Y)]), Y, verbose=0),
        ValueError,
        "`y` argument is not supported when using .*generator",
    ),
    "an item of four parts": (
        lambda m: m.fit(iter([(X, Y, Y, Y)]), verbose=0),
        ValueError,
        r"expected to be in format `x`, `\(x,\)`, `\(x, y\)`, or `\(x, y, sample_weight\)`",
    ),
    "an empty generator": (lambda m: m.fit(iter([]), verbose=0), ValueError, "non-empty array or dataset"),
    "before compile": (
        lambda m: keras.Sequential([keras.layers.Dense(1, input_shape=(4,))]).evaluate(X, Y, verbose=0),
        RuntimeError,
        "You must compile your model before training/testing. Use `model.compile\\(optimizer, loss\\)`",
    ),
    "unknown keywords": (
        lambda m: m.fit(X, Y, batchsize=3),
        TypeError,
        r"unexpected keyword.*\['batchsize'\]",
    ),
    "unknown layer keywords": (
        lambda m: keras.layers.Dense(2, inputshape=(3,)),
        TypeError,
        "Keyword argument not understood:.*inputshape",
    ),
    "outputs before a call": (
        lambda m: keras.layers.Dense(2, name="alone").output,
        AttributeError,
        "Layer alone is not connected, no output to return",
    ),
    "parameters before building": (
        lambda m: keras.layers.Dense(2, name="alone").count_params(),
        ValueError,
        "You tried to call `count_params` on layer alone, but the layer isn't built",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input(model, name):
    provoke, kind, words = CASES[name]
    before = model.get_weights()
    with pytest.raises(kind, match=words):
        provoke(model)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert np.isfinite(model.train_on_batch(X, Y))  # and it is of use afterwards


def test_errors_at_run_time_name_the_op(model):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Defined at"):
        model.fit(X, np.full(12, 7), verbose=0)
