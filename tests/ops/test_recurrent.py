"""Recurrent sequences as one op beside the same drawn step by step, NumPy's and the compiled ones."""

import numpy as np
import pytest

import minitf as tf
from minitf.ops import recurrent

rng = np.random.default_rng(0)
GATES = {"simple": 1, "lstm": 4, "gru": 3}


def _tensors(kind, steps, batch, units, dtype):
    def draw(*shape, scale=0.5):
        return tf.constant((rng.normal(size=shape) * scale).astype(dtype))

    width = GATES[kind] * units
    tensors = {"x": draw(steps, batch, width), "r": draw(units, width, scale=0.2), "h": draw(batch, units)}
    if kind == "lstm":
        tensors["c"] = draw(batch, units)
    if kind == "gru":
        tensors["b"] = draw(width)
    return tensors


def _one_op(kind, tensors, mask):
    x, r, h = (tensors[key] for key in "xrh")
    if kind == "lstm":
        outputs, _, _, *last = recurrent.lstm_sequence(x, r, h, tensors["c"], mask)
        return [outputs, *last]
    if kind == "gru":
        outputs, _, last = recurrent.gru_sequence(x, r, tensors["b"], h, mask)
        return [outputs, last]
    return list(recurrent.simple_rnn_sequence(x, r, h, mask))


def _step(kind, x, states, tensors):
    product = tf.matmul(states[0], tensors["r"])
    if kind == "simple":
        return [tf.tanh(x + product)]
    if kind == "lstm":
        i, f, g, o = tf.split(x + product, 4, 1)
        c = tf.sigmoid(f) * states[1] + tf.sigmoid(i) * tf.tanh(g)
        return [tf.sigmoid(o) * tf.tanh(c), c]
    z, r, g = tf.split(x, 3, 1)
    own_z, own_r, own_g = tf.split(product + tensors["b"], 3, 1)
    update = tf.sigmoid(z + own_z)
    return [update * states[0] + (1 - update) * tf.tanh(g + tf.sigmoid(r + own_r) * own_g)]


def _by_steps(kind, tensors, mask):
    states = [tensors[key] for key in "hc" if key in tensors]
    units = states[0].shape.as_list()[1]
    outputs = []
    for t in range(tensors["x"].shape.as_list()[0]):
        new = _step(kind, tensors["x"][t], states, tensors)
        if mask.size:
            kept = np.repeat(mask[t][:, None], units, 1)
            new = [tf.where(kept, n, old) for n, old in zip(new, states)]
        states = new
        outputs.append(states[0])
    return [tf.stack(outputs), *states]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("sizes", "dtype", "tolerance"),
    [((5, 3, 4), "float64", 1e-10), ((1, 3, 4), "float32", 2e-5), ((4, 32, 40), "float32", 2e-5),
     ((6, 101, 70), "float32", 2e-5)],
)  # fmt: skip
@pytest.mark.parametrize("kind", GATES)
def test_outputs_and_gradients_are_those_of_single_steps(kind, sizes, dtype, tolerance, masked):
    steps, batch, _ = sizes
    mask = rng.random((steps, batch)) > 0.3 if masked else np.zeros((0, 0), bool)
    tensors = _tensors(kind, *sizes, dtype)
    found, expected = _one_op(kind, tensors, mask), _by_steps(kind, tensors, mask)
    weights = [tf.constant(rng.normal(size=t.shape.as_list()).astype(dtype)) for t in expected]
    fetches = [*zip(found, expected)]
    for used in ([0], [1], range(len(expected))):
        slopes = [
            tf.gradients(tf.add_n([tf.reduce_sum(side[i] * weights[i]) for i in used]), [*tensors.values()])
            for side in (found, expected)
        ]
        fetches += [(a, b) for a, b in zip(*slopes) if b is not None]
    with tf.Session() as session:
        for a, b in session.run(fetches):
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(np.abs(b).max(), 1e-3))


@pytest.mark.parametrize(
    ("kind", "op"),
    [("simple", "SimpleRNNSequenceGrad"), ("lstm", "LSTMSequenceGrad"), ("gru", "GRUSequenceGrad")],
)
def test_second_order_says_what_to_do(kind, op):
    tensors = _tensors(kind, 2, 3, 4, "float32")
    (first,) = tf.gradients(_one_op(kind, tensors, np.zeros((0, 0), bool))[0], [tensors["x"]])
    with pytest.raises(LookupError, match=f"op type: {op}.*make it with unroll=True"):
        tf.gradients(first, [tensors["x"]])


def test_states_and_kernel_must_fit():
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 8 and 12"):
        recurrent.lstm_sequence(
            tf.zeros((2, 3, 8)), tf.zeros((3, 12)), tf.zeros((3, 3)), tf.zeros((3, 3)), np.zeros((0, 0), bool)
        )
