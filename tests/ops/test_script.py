"""PyFunc and PyFuncStateless: arguments, results, errors."""

import numpy as np
import pytest

import minitf as tf


def run(build):
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(build())


def test_one_result_and_several():
    assert run(lambda: tf.py_func(lambda x: x * 2, [np.float32([1, 2])], tf.float32)).tolist() == [2, 4]
    doubled, text = run(
        lambda: tf.py_func(lambda x, s: (x * 2, s), [np.float32([1, 2]), "s"], [tf.float32, tf.string])
    )
    assert doubled.tolist() == [2, 4] and text == b"s"
    assert run(lambda: tf.numpy_function(lambda: np.int64(3), [], tf.int64)) == 3


def test_what_the_function_gets():
    kinds = []
    run(
        lambda: tf.py_func(
            lambda *args: kinds.extend(type(a) for a in args), [np.float32(1), "s", np.ones(2)], []
        )
    )
    assert kinds == [np.float32, bytes, np.ndarray]


def test_arguments_may_be_kept_and_changed():
    kept = []

    def keep(x):
        kept.append(x)
        x += 1
        return x

    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [2])
        y = x * 10
        z = tf.py_func(keep, [y], tf.float32)
        for value in (1, 2):
            before, after = session.run([y, z], {x: [value, value]})
            assert before.tolist() == [10 * value] * 2 and after.tolist() == [10 * value + 1] * 2
    assert [k.tolist() for k in kept] == [[11, 11], [21, 21]]


def test_it_runs_each_time_unless_stateless():
    calls = []

    def count(x):
        calls.append(x)
        return np.float32(len(calls))

    with tf.Graph().as_default(), tf.Session() as session:
        twice = [tf.py_func(count, [np.float32(1)], tf.float32) for _ in range(2)]
        assert sorted(session.run(twice)) == [1, 2]
        assert sorted(session.run(twice)) == [3, 4]


def raising(error):
    def function(x):
        raise error

    return lambda: tf.py_func(function, [np.float32(1)], tf.float32)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ValueError("mine"), tf.errors.InvalidArgumentError, "ValueError: mine"),
        (TypeError("mine"), tf.errors.InvalidArgumentError, "TypeError: mine"),
        (StopIteration("end"), tf.errors.OutOfRangeError, "StopIteration: end"),
        (NotImplementedError("no"), tf.errors.UnimplementedError, "NotImplementedError: no"),
        (MemoryError("full"), tf.errors.ResourceExhaustedError, "MemoryError: full"),
        (KeyError("k"), tf.errors.UnknownError, "KeyError: 'k'"),
        (ZeroDivisionError("z"), tf.errors.UnknownError, "ZeroDivisionError: z"),
    ],
)
def test_errors(error, kind, message):
    with pytest.raises(kind, match=message) as caught:
        run(raising(error))
    assert caught.value.__cause__ is error
    assert caught.value.op.name == "PyFunc" and "test_script.py" in str(caught.value)


@pytest.mark.parametrize(
    ("function", "out", "message"),
    [
        (lambda x: 2.5, tf.float32, r"0-th value returned by pyfunc_\d+ is double, but expects float"),
        (lambda x: (x, x), tf.float32, r"pyfunc_\d+ returns 2 values, but expects to see 1 values\."),
        (lambda x: x, [tf.float32] * 2, r"pyfunc_\d+ returns 1 values, but expects to see 2 values\."),
    ],
)
def test_wrong_results(function, out, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run(lambda: tf.py_func(function, [np.float32(1)], out))


def test_refusals_and_no_gradient():
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Expected func to be callable"):
            tf.py_func(3, [1.0], tf.float32)
        x = tf.constant(1.0)
        assert tf.gradients(tf.py_func(np.sin, [x], tf.float32), x) == [None]
        stateless = tf.py_func(np.sin, [x], tf.float32, stateful=False)
        assert stateless.op.type == "PyFuncStateless" and not stateless.op.definition.stateful
