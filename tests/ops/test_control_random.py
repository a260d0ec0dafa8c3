"""Random programs of nested loops and branches: they compute and differentiate as when unrolled in Python."""

import random

import numpy as np
import pytest

import minitf as tf


class Program:
    """A random program over vectors of three numbers, built either with control flow or without.

    `flag` decides the branches: a bool tensor, and the Python bool that it will be.
    """

    def __init__(self, seed, unrolled, flag):
        self._seed = seed
        self._unrolled = unrolled
        self._flag, self._known_flag = flag

    def build(self, *values):
        return self._part(random.Random(self._seed), list(values), depth=3)

    def _part(self, rng, values, depth):
        kind = rng.random()
        if depth and kind < 0.45:
            return self._loop(rng, values, depth - 1)
        if depth and kind < 0.75:
            return self._branch(rng, values, depth - 1)
        return self._expression(rng, values, 2)

    def _expression(self, rng, values, depth):
        if depth == 0 or rng.random() < 0.2:
            return rng.choice(values)
        x, y = (self._expression(rng, values, depth - 1) for _ in range(2))
        return rng.choice(
            [
                lambda: x + y,
                lambda: x * y,
                lambda: tf.sin(x),
                lambda: tf.tanh(x),
                lambda: x * tf.reduce_mean(y),
                lambda: 0.5 * x - tf.reshape(tf.reshape(y, [1, 3]), [3]),
            ]
        )()

    def _branch(self, rng, values, depth):
        seeds = rng.random(), rng.random()
        true_fn, false_fn = (
            lambda seed=seed: self._part(random.Random(seed), values, depth) for seed in seeds
        )
        if self._unrolled:
            return true_fn() if self._known_flag else false_fn()
        return tf.cond(self._flag, true_fn, false_fn)

    def _loop(self, rng, values, depth):
        count, size = rng.randrange(4), rng.randrange(1, 4)
        seeds = [rng.random() for _ in range(size)]
        state = [self._expression(rng, values, 1) for _ in range(size)]
        order = rng.sample(range(size), size)
        collects = rng.random() < 0.5 and count > 0

        def body(state):
            results = []
            for place, seed in zip(order, seeds, strict=True):
                own = random.Random(seed)
                changes = own.random() < 0.8
                results.append(self._part(own, [*values, *state], depth) if changes else state[place])
            return results

        if self._unrolled:
            rows = []
            for i in range(count):
                state = body(state)
                rows.append(state[0] * (i + 1.0))
            collected = tf.stack(rows) if collects else None
        else:

            def step(i, rows, *state):
                state = body(state)
                rows = rows.write(i, state[0] * tf.cast(i + 1, tf.float64)) if collects else rows
                return i + 1, rows, *state

            rows = tf.TensorArray(tf.float64, count, element_shape=[3])
            _, rows, *state = tf.while_loop(lambda i, *_: i < count, step, [0, rows, *state])
            collected = rows.stack() if collects else None
        return state[-1] if collected is None else state[-1] + 0.1 * tf.reduce_sum(collected**2, 0)


def results(seed, unrolled, flag):
    with tf.Graph().as_default(), tf.Session() as session:
        fed = tf.placeholder(tf.float64, [None] if seed % 2 else [3])
        x = tf.ensure_shape(fed, [3])
        w = tf.Variable(np.array([0.3, -0.7, 0.5]))
        condition = tf.placeholder(tf.bool, [])
        y = Program(seed, unrolled, (condition, flag)).build(x, w)
        value = tf.reduce_sum(y * [1.0, 2.0, -1.0])
        first = tf.gradients(value, [fed, w], unconnected_gradients="zero")
        weighed = tf.reduce_sum((first[0] + first[1]) * [1.0, 0.5, 2.0])
        second = tf.gradients(weighed, [fed, w], unconnected_gradients="zero")
        session.run(w.initializer)
        feed = {fed: [0.4, 0.9, -0.3], condition: flag}
        return [session.run(y, feed), *session.run([value, *first, *second], feed)]


@pytest.mark.parametrize("flag", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_as_unrolled(seed, flag):
    for got, expected in zip(results(seed, False, flag), results(seed, True, flag), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-10)
