"""Every layer by itself: configs, saved weights, Sequential and functional use, shapes, one step."""

import numpy as np
import pytest

import minitf as tf
from minitf import keras
from minitf.keras.engine.base_layer import Layer
from minitf.keras.layers.serialization import known_layers
from tests.keras.layers.layer_cases import BATCH, CASES

# Layers that are there for others.
BASES = {
    "Layer", "InputLayer", "Wrapper", "Sequential", "Model", "Functional", "LSTMCell", "GRUCell",
    "SimpleRNNCell", "StackedRNNCells",
}  # fmt: skip
# Inputs cannot be learned from their outputs, or an output is random.
TRAINABLE = [case for case in CASES if case.training and not case.mask]
ids = {"ids": lambda case: case.name}


def _inputs(case):
    dtype = "int32" if case.words else "float32"
    return [keras.Input(shape, case.batch_size, dtype=dtype) for shape in case.shapes]


def _model(case, layer=None):
    inputs = _inputs(case)
    first = keras.layers.Masking()(inputs[0]) if case.mask else inputs[0]
    layer = layer or case.make(keras.layers)
    return layer, keras.Model(inputs, layer(first if len(inputs) == 1 else [first, *inputs[1:]]))


def _arrays(case):
    arrays = case.inputs()
    return arrays if len(arrays) > 1 else arrays[0]


def _predictions(model, case):
    result = model.predict(_arrays(case), batch_size=BATCH)
    return result if isinstance(result, list) else [result]


def _assert_same(first, second):
    assert len(first) == len(second)
    for x, y in zip(first, second):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)


def test_every_exported_layer_has_a_case():
    made = {case.layer_class for case in CASES}
    missing = {cls.__name__ for cls in known_layers().values()} - made - BASES
    assert not missing


@pytest.mark.parametrize("case", CASES, **ids)
def test_config_round_trip(case):
    layer, model = _model(case)
    config = layer.get_config()
    again = type(layer).from_config(config)
    clone = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is type(clone) is type(layer)
    for copy in (again, clone):
        found = copy.get_config()
        if case.layer_class == "Lambda":  # marshalled twice, the same code need not be the same bytes
            found["function"] = config["function"]
        assert found == config
    _, copy = _model(case, clone)
    assert [w.shape for w in copy.get_weights()] == [w.shape for w in model.get_weights()]
    copy.set_weights(model.get_weights())
    if layer.stateful:
        model.reset_states()
    _assert_same(_predictions(copy, case), _predictions(model, case))


@pytest.mark.parametrize("case", [case for case in CASES if case.layer_class != "Lambda"], **ids)
def test_the_whole_model_goes_through_json_and_a_weights_file(case, tmp_path):
    _, model = _model(case)
    model.save_weights(tmp_path / "weights.h5")
    again = keras.models.model_from_json(model.to_json())
    again.load_weights(tmp_path / "weights.h5")
    _assert_same(again.get_weights(), model.get_weights())
    _assert_same(_predictions(again, case), _predictions(model, case))


@pytest.mark.parametrize("case", CASES, **ids)
def test_shapes_are_as_announced(case):
    layer, model = _model(case)
    shapes = [(case.batch_size, *shape) for shape in case.shapes]
    announced = layer.compute_output_shape(shapes[0] if len(shapes) == 1 else shapes)
    announced = announced if isinstance(announced, list) else [announced]
    results = _predictions(model, case)
    assert len(announced) == len(results)
    for shape, symbolic, result in zip(announced, model.outputs, results):
        assert shape.as_list() == symbolic.shape.as_list()
        known = [BATCH if i == 0 and n is None else n for i, n in enumerate(shape.as_list())]
        assert [n for n in known if n is not None] == [
            m for m, n in zip(result.shape, known) if n is not None
        ]
    assert layer.count_params() == sum(w.size for w in layer.get_weights())
    assert [tuple(w.shape.as_list()) for w in layer.weights] == [w.shape for w in layer.get_weights()]


@pytest.mark.parametrize(
    "case", [c for c in CASES if len(c.shapes) == 1 and not c.mask and "state" not in c.name], **ids
)
def test_sequential_agrees_with_functional(case):
    layer, model = _model(case)
    if len(model.outputs) > 1:
        pytest.skip("Sequential takes layers of one output")
    stack = keras.Sequential([case.make(keras.layers)])
    stack.build((case.batch_size, *case.shapes[0]))
    stack.set_weights(model.get_weights())
    _assert_same(_predictions(stack, case), _predictions(model, case))


@pytest.mark.parametrize("case", TRAINABLE, **ids)
def test_one_step_of_training_lowers_the_loss(case):
    layer, model = _model(case)
    targets = [np.full(p.shape, 0.3, "float32") for p in _predictions(model, case)]
    targets = targets if len(targets) > 1 else targets[0]
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    if layer.stateful:
        model.reset_states()
    before = np.ravel(model.train_on_batch(_arrays(case), targets))[0]
    if layer.stateful:
        model.reset_states()
    after = np.ravel(model.train_on_batch(_arrays(case), targets))[0]
    assert after < before or not model.trainable_weights and after == pytest.approx(before)


# --- recurrent layers: what one call does not show ---------------------------------------------------

SERIES = np.random.default_rng(2).normal(size=(4, 6, 5)).astype("float32")
KINDS = ("SimpleRNN", "LSTM", "GRU")


@pytest.mark.parametrize("kind", KINDS)
def test_a_stateful_layer_goes_on_where_it_stopped(kind):
    make = getattr(keras.layers, kind)
    whole = keras.Sequential([make(3, return_sequences=True, batch_input_shape=(4, 6, 5))])
    parts = keras.Sequential([make(3, return_sequences=True, stateful=True, batch_input_shape=(4, 2, 5))])
    parts.set_weights(whole.get_weights())
    expected = whole.predict(SERIES)
    for _ in range(2):
        found = [parts.predict(SERIES[:, i : i + 2], batch_size=4) for i in (0, 2, 4)]
        np.testing.assert_allclose(np.concatenate(found, 1), expected, rtol=1e-5, atol=1e-6)
        parts.reset_states()


@pytest.mark.parametrize("kind", KINDS)
def test_one_op_steps_and_a_loop_agree(kind):
    make = getattr(keras.layers, kind)
    inputs = keras.Input((None, 5))
    masked = keras.layers.Masking()(inputs)
    fused = make(3, return_sequences=True)
    looped = make(3, return_sequences=True, recurrent_dropout=0.5)
    model = keras.Model(inputs, [fused(masked), looped(masked)])
    looped.set_weights(fused.get_weights())
    series = SERIES.copy()
    series[1, 3:] = 0
    series[2, 0] = 0
    first, second = model.predict(series)
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
    fixed = keras.Input((6, 5))
    unrolled = make(3, return_sequences=True, unroll=True)
    steps = keras.Model(fixed, unrolled(keras.layers.Masking()(fixed)))
    unrolled.set_weights(fused.get_weights())
    np.testing.assert_allclose(steps.predict(series), first, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_one_mask_for_all_steps_and_only_in_training(kind):
    make = getattr(keras.layers, kind)
    layer = make(3, dropout=0.5, recurrent_dropout=0.5)
    x = tf.constant(SERIES)
    results = [layer(x, training=True), layer(x, training=False)]
    with tf.Session() as session:
        first, quiet = session.run(results)
        second, again = session.run(results)
    np.testing.assert_array_equal(quiet, again)
    assert np.abs(first - second).max() > 1e-3 < np.abs(first - quiet).max()


def test_unrolled_layers_can_be_differentiated_twice():
    x = tf.constant(SERIES)
    for unroll in (True, False):
        (first,) = tf.gradients(tf.reduce_sum(keras.layers.LSTM(3, unroll=unroll)(x)), [x])
        if not unroll:
            with pytest.raises(LookupError, match="LSTMSequenceGrad"):
                tf.gradients(first, [x])
            continue
        (second,) = tf.gradients(first, [x])
        with tf.Session() as session:
            assert np.isfinite(session.run(second)).all()


def test_a_custom_cell_with_constants():
    class Scaled(Layer):
        state_size = output_size = 5

        def call(self, inputs, states, constants):
            output = states[0] + inputs * constants[0]
            return output, [output]

    scale = keras.Input((5,))
    inputs = keras.Input((6, 5))
    model = keras.Model([inputs, scale], keras.layers.RNN(Scaled())(inputs, constants=scale))
    factors = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    expected = (SERIES * factors[:, None]).sum(1)
    np.testing.assert_allclose(model.predict([SERIES, factors]), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda k: k.LSTM(0), ValueError, "argument `units`, expected a positive integer, got 0"),
        (lambda k: k.LSTM(3)(tf.zeros((2, 5))), ValueError, "expected ndim=3, found ndim=2"),
        (lambda k: k.LSTM(3, stateful=True)(keras.Input((6, 5))), ValueError, "needs to know its batch size"),
        (lambda k: k.LSTM(3).reset_states(), AttributeError, "Layer must be stateful."),
        (lambda k: k.GRU(3, unroll=True)(keras.Input((None, 5))), ValueError, "Cannot unroll a RNN"),
        (lambda k: k.RNN(3), ValueError, "should have a `call` method"),
        (lambda k: k.LSTM(3)(tf.zeros((2, 6, 5)), initial_state=[tf.zeros((2, 3))]), ValueError,
         "Layer has 2 states but was passed 1 initial states"),
        (lambda k: k.GRU(3)(tf.zeros((2, 6, 5)), initial_state=tf.zeros((2, 4))), ValueError,
         "not compatible with `cell.state_size`"),
        (lambda k: k.Bidirectional(k.LSTM(3), merge_mode="max"), ValueError, "Invalid merge mode"),
        (lambda k: k.Bidirectional(k.LSTM(3), backward_layer=k.LSTM(3)), ValueError,
         "different `go_backwards` value"),
        (lambda k: k.TimeDistributed(tf.zeros), ValueError, "Please initialize `TimeDistributed` layer"),
        (lambda k: k.TimeDistributed(k.Dense(2))(tf.zeros((2, 5))), ValueError, "at least 3 dimensions"),
        (lambda k: k.ReLU(max_value=-1.0), ValueError, "max_value of a ReLU layer cannot be a negative"),
        (lambda k: k.LeakyReLU(None), ValueError, "alpha value of a Leaky ReLU layer cannot be None"),
        (lambda k: k.Attention()(tf.zeros((2, 3, 4))), ValueError, "must be called on a list of inputs"),
        (lambda k: k.LocallyConnected2D(2, 3, padding="same"), ValueError, 'only "valid" is supported'),
        (lambda k: k.ConvLSTM2D(2, 3, unroll=True), TypeError, "Unrolling is not possible"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused_in_keras_words(make, error, words):
    with pytest.raises(error) as caught:
        make(keras.layers)
    assert words in str(caught.value)
