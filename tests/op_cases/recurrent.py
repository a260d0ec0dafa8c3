"""Recurrent layers' whole sequences. TensorFlow steps through them with single ops."""

import numpy as np

from tests.op_cases import case, exempt

DTYPES = ("float32", "float64")
# The gates and c have no gradient, being outputs for the gradient's own use.
SAVING = {"dtypes": DTYPES, "orders": 0, "reference_gradient": False}
exempt("SimpleRNNSequenceGrad", "LSTMSequenceGrad", "GRUSequenceGrad", test="tests/ops/test_recurrent.py")


def _draw(draw, gates):
    """Steps, batch and units, and what every kind takes: x, recurrent kernel, first state, mask."""
    steps, batch, units = draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 5)
    mask = np.zeros((0, 0), bool)
    if draw.boolean():
        mask = np.arange(steps * batch).reshape(steps, batch) % 3 != 1
    return {
        "x": draw.array((steps, batch, gates * units), special=False),
        "recurrent_kernel": draw.array((units, gates * units), -1, 1, special=False),
        "h0": draw.array((batch, units), special=False),
        "mask": mask,
    }


def _steps(tf, x, mask, states, step):
    """All first states, whatever else each step returns, and the last states."""
    outputs, others = [], []
    kept = mask.numpy()
    for t in range(x.shape[0]):
        new, other = step(x[t], states)
        if kept.size:
            new = [tf.where(kept[t][:, None], n, old) for n, old in zip(new, states)]
        states = new
        outputs.append(states)
        others.append(other)
    return [tf.stack(each) for each in zip(*outputs)], tf.stack(others), states


def _simple(tf, x, recurrent_kernel, h0, mask):
    def step(x, states):
        h = tf.tanh(x + states[0] @ recurrent_kernel)
        return [h], h

    (h,), _, (last,) = _steps(tf, x, mask, [h0], step)
    return [h, last]


def _lstm(tf, x, recurrent_kernel, h0, c0, mask):
    def step(x, states):
        i, f, g, o = tf.split(x + states[0] @ recurrent_kernel, 4, 1)
        i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
        c = f * states[1] + i * g
        return [o * tf.tanh(c), c], tf.concat([i, f, g, o], 1)

    (h, c), gates, (last_h, last_c) = _steps(tf, x, mask, [h0, c0], step)
    return [h, c, gates, last_h, last_c]


def _gru(tf, x, recurrent_kernel, recurrent_bias, h0, mask):
    def step(x, states):
        z, r, g = tf.split(x, 3, 1)
        own_z, own_r, own_g = tf.split(states[0] @ recurrent_kernel + recurrent_bias, 3, 1)
        z, r = tf.sigmoid(z + own_z), tf.sigmoid(r + own_r)
        g = tf.tanh(g + r * own_g)
        return [z * states[0] + (1 - z) * g], tf.concat([z, r, g, own_g], 1)

    (h,), gates, (last,) = _steps(tf, x, mask, [h0], step)
    return [h, gates, last]


@case("SimpleRNNSequence", reference=_simple, dtypes=DTYPES, orders=1)
def simple_rnn_sequence(draw):
    return _draw(draw, 1)


@case("LSTMSequence", reference=_lstm, **SAVING)
def lstm_sequence(draw):
    sample = _draw(draw, 4)
    return {**sample, "c0": draw.array(sample["h0"].shape, special=False)}


@case("GRUSequence", reference=_gru, **SAVING)
def gru_sequence(draw):
    sample = _draw(draw, 3)
    width = sample["x"].shape[2]
    return {**sample, "recurrent_bias": draw.array((width,), special=False)}
