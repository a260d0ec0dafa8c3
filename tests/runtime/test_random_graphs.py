"""Random graphs: whatever the plan fuses, folds, merges or keeps in its arena, the results are NumPy's.

Each graph mixes elementwise ops, views, reductions, products, constants, variables and updates. The same
recipe is evaluated node by node with NumPy, every intermediate in memory of its own.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minitf as tf

ROWS, COLUMNS = 3, 4


class Recipe:
    """The same computation twice: minitf tensors beside NumPy arrays."""

    def __init__(self, data, known_batch):
        self.data = data
        self.rng = np.random.default_rng(data.draw(st.integers(0, 999)))
        rows = ROWS if known_batch else None
        self.feeds, self.pairs = {}, []
        for _ in range(2):
            x = tf.placeholder(tf.float64, [rows, COLUMNS])
            self.feeds[x] = self._numbers()
            self.pairs.append((x, self.feeds[x]))
        value = self._numbers()
        self.pairs.append((tf.constant(value), value))

    def _numbers(self):
        return self.rng.uniform(-1, 1, (ROWS, COLUMNS))

    def pick(self):
        return self.data.draw(st.sampled_from(self.pairs))

    def grow(self):
        name = self.data.draw(st.sampled_from(sorted(STEPS)))
        self.pairs.append(STEPS[name](self))


def _binary(tf_op, np_op):
    def step(recipe):
        (a, x), (b, y) = recipe.pick(), recipe.pick()
        return tf_op(a, b), np_op(x, y)

    return step


def _unary(tf_op, np_op):
    def step(recipe):
        a, x = recipe.pick()
        return tf_op(a), np_op(x)

    return step


STEPS = {
    "add": _binary(tf.add, np.add),
    "multiply": _binary(tf.multiply, np.multiply),
    "subtract": _binary(tf.subtract, np.subtract),
    "maximum": _binary(tf.maximum, np.maximum),
    "tanh": _unary(tf.tanh, np.tanh),
    "negative": _unary(lambda t: -t, np.negative),
    "square": _unary(tf.square, np.square),
    "identity": _unary(tf.identity, np.array),
    "scale": _unary(lambda t: t * 0.5 + 1.0, lambda x: x * 0.5 + 1.0),
    "twice": _unary(lambda t: t + t, lambda x: x + x),
    "turned": _unary(lambda t: t[::-1], lambda x: x[::-1]),
    "reshaped": _unary(
        lambda t: tf.reshape(tf.sin(tf.reshape(t, [-1])), [ROWS, COLUMNS]), lambda x: np.sin(x)
    ),
    "transposed": _unary(
        lambda t: tf.transpose(tf.exp(tf.transpose(t) * 0.1)), lambda x: np.exp(x.T * 0.1).T
    ),
    "centred": _unary(
        lambda t: t - tf.reduce_mean(t, 0, keepdims=True), lambda x: x - x.mean(0, keepdims=True)
    ),
    "summed": _unary(lambda t: t + tf.reduce_sum(t), lambda x: x + x.sum()),
    "product": _unary(
        lambda t: tf.matmul(t, tf.constant(np.eye(COLUMNS) * 0.5)), lambda x: x @ (np.eye(COLUMNS) * 0.5)
    ),
    "joined": _binary(lambda a, b: tf.concat([a[:1], b[1:]], 0), lambda x, y: np.concatenate([x[:1], y[1:]])),
    "stacked": _binary(lambda a, b: tf.reduce_max(tf.stack([a, b]), 0), lambda x, y: np.stack([x, y]).max(0)),
}


def check(data, known_batch, steps):
    with tf.Graph().as_default():
        recipe = Recipe(data, known_batch)
        for _ in range(steps):
            recipe.grow()
        chosen = [recipe.pick() for _ in range(data.draw(st.integers(1, 4)))] + [recipe.pairs[-1]]
        with tf.Session() as session:
            before = {x: value.copy() for x, value in recipe.feeds.items()}
            first = session.run([t for t, _ in chosen], recipe.feeds)
            kept = [result.copy() for result in first]
            second = session.run([t for t, _ in chosen], recipe.feeds)
        for (tensor, expected), result, again in zip(chosen, first, second, strict=True):
            np.testing.assert_allclose(result, expected, 1e-9, 1e-9, err_msg=tensor.name)
            np.testing.assert_allclose(again, expected, 1e-9, 1e-9, err_msg=tensor.name)
        for result, copy in zip(first, kept, strict=True):
            assert np.array_equal(result, copy), "a later run changed an array that was handed out"
        for x, value in recipe.feeds.items():
            assert np.array_equal(value, before[x]), "a run changed an array that was fed"
            assert not any(np.may_share_memory(value, result) for result in first)


@pytest.mark.parametrize("known_batch", [True, False])
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_results_are_those_of_plain_numpy(known_batch, data):
    check(data, known_batch, data.draw(st.integers(1, 25)))


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_gradients_of_random_graphs_agree_with_differences(data):
    with tf.Graph().as_default():
        recipe = Recipe(data, data.draw(st.booleans()))
        del recipe.pairs[2]
        for _ in range(data.draw(st.integers(1, 12))):
            recipe.grow()
        y = tf.reduce_sum(recipe.pairs[-1][0])
        xs = list(recipe.feeds)
        grads = [tf.zeros_like(x) if g is None else g for g, x in zip(tf.gradients(y, xs), xs)]
        with tf.Session() as session:
            analytic = session.run(grads, recipe.feeds)
            for _ in range(2):
                directions = [recipe.rng.uniform(-1, 1, (ROWS, COLUMNS)) for _ in xs]
                ends = [
                    session.run(y, {x: recipe.feeds[x] + step * d for x, d in zip(xs, directions)})
                    for step in (1e-6, -1e-6)
                ]
                slope = (ends[0] - ends[1]) / 2e-6
                expected = sum(np.sum(g * d) for g, d in zip(analytic, directions))
                scale = max(1.0, abs(expected), abs(ends[0]))
                assert abs(slope - expected) / scale < 1e-4


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_reads_and_updates_of_variables_keep_their_order(data):
    """A chain of control dependencies fixes the order; readings in between see what was there then."""
    with tf.Graph().as_default():
        rng = np.random.default_rng(data.draw(st.integers(0, 999)))
        values = [rng.integers(-5, 5, 3).astype(np.float64) for _ in range(2)]
        variables = [tf.Variable(value) for value in values]
        state = [value.copy() for value in values]
        seen, last = [], []
        for _ in range(data.draw(st.integers(1, 12))):
            which = data.draw(st.sampled_from([0, 1]))
            other = 1 - which
            kind = data.draw(st.sampled_from(["add", "sub", "set", "read", "cross", "derived"]))
            with tf.control_dependencies(last):
                if kind == "add":
                    op = variables[which].assign_add([1.0, 2.0, 3.0])
                    state[which] = state[which] + [1.0, 2.0, 3.0]
                elif kind == "sub":
                    op = variables[which].assign_sub(variables[other].read_value())
                    state[which] = state[which] - state[other]
                elif kind == "set":
                    op = variables[which].assign([7.0, 8.0, 9.0])
                    state[which] = np.array([7.0, 8.0, 9.0])
                elif kind == "cross":
                    op = variables[which].assign(variables[other].read_value() * 2.0)
                    state[which] = state[other] * 2.0
                elif kind == "read":
                    op = -variables[which].read_value()
                    seen.append((op, -state[which]))
                else:
                    op = tf.reshape(variables[which].read_value(), [1, 3]) + 1.0
                    seen.append((op, state[which].reshape(1, 3) + 1.0))
            last = [op]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            results, _ = session.run([[op for op, _ in seen], last])
            for (op, expected), result in zip(seen, results, strict=True):
                assert np.array_equal(result, expected), op.name
            for variable, expected in zip(variables, state, strict=True):
                assert np.array_equal(session.run(variable), expected)
