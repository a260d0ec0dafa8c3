"""Random programs of nested loops and branches as traced functions: values and derivatives of two orders."""

import numpy as np
import pytest

import minitf as tf
from minitf.eager.context import eager_mode
from minitf.eager.variable import Variable
from tests.ops.test_control_random import Program, results


def zeros_for_none(grads):
    return [tf.zeros([3], tf.float64) if grad is None else grad for grad in grads]


@pytest.mark.parametrize("seed", range(40, 80))
def test_as_unrolled_in_a_graph(seed):
    flag = seed % 3 != 0
    expected = results(seed, True, flag)
    with eager_mode():
        x, condition = tf.constant(np.array([0.4, 0.9, -0.3])), tf.constant(flag)
        w = Variable(np.array([0.3, -0.7, 0.5]))

        @tf.function
        def function(x, condition):
            y = Program(seed, False, (condition, flag)).build(x, w)
            return y, tf.reduce_sum(y * [1.0, 2.0, -1.0])

        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y, value = function(x, condition)
            first = zeros_for_none(inner.gradient(value, [x, w]))
            weighed = tf.reduce_sum((first[0] + first[1]) * [1.0, 0.5, 2.0])
        second = zeros_for_none(outer.gradient(weighed, [x, w]))
        got = [tensor.numpy() for tensor in (y, value, *first, *second)]
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)
