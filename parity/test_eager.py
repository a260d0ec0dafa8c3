"""Eager mode: the same lines in minitf and in TensorFlow 2, their results and what they print."""

import numpy as np
import pytest
import tensorflow

import minitf
from minitf.eager.context import eager_mode
from minitf.eager.variable import Variable

PROGRAMS = []


class _Minitf:
    """minitf with TF2's Variable, and TF2's names for random numbers."""

    Variable = Variable
    uniform = staticmethod(minitf.random_uniform)
    normal = staticmethod(minitf.random_normal)
    set_seed = staticmethod(minitf.set_random_seed)

    def __getattr__(self, name):
        return getattr(minitf, name)


class _TensorFlow:
    """TensorFlow 2 with the same names for random numbers."""

    uniform = staticmethod(tensorflow.random.uniform)
    normal = staticmethod(tensorflow.random.normal)
    set_seed = staticmethod(tensorflow.random.set_seed)

    def __getattr__(self, name):
        return getattr(tensorflow, name)


def program(function):
    PROGRAMS.append(function)
    return function


@program
def printing(tf):
    values = [1.0, -2, True, "text", [1, 2], [[1.5, 2], [3, 4]], ["a", "b"], np.zeros((0, 2)), 1 + 2j]
    values += [np.float64(1e-7), np.arange(2000), np.ones((2, 2, 2), np.float32)]
    tensors = [tf.constant(value) for value in values]
    variables = [tf.Variable(1.0), tf.Variable([[1, 2], [3, 4]], name="named")]
    return [text for t in tensors + variables for text in (repr(t), str(t))] + [f"{t}" for t in tensors]


@program
def python_values(tf):
    x = tf.constant([1.0, 2.0, 3.0])
    return [x.numpy(), float(x[0]), len(x), [float(v) for v in x], bool(x[0] > 0), np.sum(x), x + 1, 2 / x]


@program
def random_numbers(tf):
    results = []
    for _ in range(2):
        tf.set_seed(7)
        results += [tf.uniform([3]), tf.uniform([3]), tf.normal([3], seed=2), tf.normal([3], seed=2)]
        results.append(tf.uniform([3], 0, 10, dtype=tf.int32, seed=4))
    return results


@program
def first_and_second_derivatives(tf):
    x, w = tf.constant([0.5, 1.5]), tf.Variable([2.0, 3.0])
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.sin(x * w) * x
        slope = inner.gradient(y, x)
    return [y, slope, *outer.gradient(slope, [x, w]), outer.jacobian(y, x), outer.jacobian(slope, w)]


@program
def batches_of_jacobians(tf):
    x = tf.constant([[0.5, 1.5], [1.0, 2.0], [-1.0, 0.3]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.matmul(tf.sin(x), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    return [tape.batch_jacobian(y, x)]


@program
def watching(tf):
    x, v, fixed = tf.constant(2.0), tf.Variable(3.0), tf.Variable(4.0, trainable=False)
    with tf.GradientTape() as tape:
        y = x * v * fixed
    none = tape.gradient(y, [x, v, fixed])
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([x, fixed])
        y = x * v * fixed
    return [*none, *tape.gradient(y, [x, v, fixed])]


@program
def traced_functions(tf):
    traces, v = [], tf.Variable([1.0, 2.0])

    @tf.function
    def step(x, times=2):
        traces.append(times)
        before = v.read_value()
        v.assign_add(x)
        return {"before": before, "after": v * float(times), "sum": tf.reduce_sum(x)}

    results = [step(tf.constant([1.0, 1.0])), step(tf.constant([2.0, 2.0])), step(tf.constant([1.0, 1.0]), 3)]
    values = [result[key] for result in results for key in sorted(result)]
    return [*values, traces, v]


@program
def gradients_through_traced_functions(tf):
    v, c = tf.Variable([1.0, 2.0]), tf.constant([3.0, 4.0])

    @tf.function
    def value(x):
        _, h = tf.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, h * x * v + c), (0, x))
        return tf.cond(tf.reduce_sum(h) > 0, lambda: h * h, lambda: h)

    x = tf.constant([0.5, -0.7])
    with tf.GradientTape(persistent=True) as outer:
        outer.watch([x, c])
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = value(x)
        slope = inner.gradient(y, x)
    return [y, slope, *outer.gradient(y, [x, v, c]), *outer.gradient(slope, [x, v, c])]


@program
def custom_gradients(tf):
    w = tf.Variable(2.0)

    @tf.custom_gradient
    def scaled(x):
        return x * w, lambda dy, variables=None: (dy * 10, [dy * 20])

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = scaled(x) * 2
    return [y, *tape.gradient(y, [x, w])]


@program
def arrays_and_maps(tf):
    array = tf.TensorArray(tf.float32, 2, dynamic_size=True, clear_after_read=False)
    array = array.write(0, 1.0).write(1, 2.0).write(2, 3.0)
    x = tf.constant([1.0, 2.0, 3.0])
    return [array.stack(), array.read(1), tf.map_fn(lambda v: v * v, x), tf.scan(lambda a, v: a * v, x)]


def _plain(value):
    if hasattr(value, "numpy"):
        return np.asarray(value.numpy())
    return value


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program(program):
    expected = program(_TensorFlow())
    with eager_mode():
        actual = program(_Minitf())
    assert len(actual) == len(expected)
    for i, (ours, theirs) in enumerate(zip(actual, expected, strict=True)):
        ours, theirs = _plain(ours), _plain(theirs)
        if isinstance(theirs, np.ndarray | np.generic):
            assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), i
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=str(i))
        else:
            assert ours == theirs, i
