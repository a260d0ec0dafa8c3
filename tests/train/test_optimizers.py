"""What optimizers refuse, what they keep, and that compiled updates equal the plain ones."""

import numpy as np
import pytest

import minitf as tf
from minitf.kernels import update


def _loss():
    w = tf.Variable([1.0, 2.0], name="w")
    return w, tf.reduce_sum(w * w)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


def test_slots_are_variables_of_their_own():
    w, loss = _loss()
    optimizer = tf.train.AdamOptimizer(0.1)
    optimizer.minimize(loss)
    assert optimizer.get_slot_names() == ["m", "v"]
    assert optimizer.get_slot(w, "m").name == "w/Adam:0"
    assert optimizer.get_slot(w, "none") is None
    assert [v.name for v in tf.trainable_variables()] == ["w:0"]


def test_a_constraint_holds_after_each_step():
    w = tf.Variable([1.0, -2.0], constraint=lambda v: tf.maximum(v, 0.0))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(w))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        np.testing.assert_allclose(session.run(w), [0.9, 0.0], rtol=1e-6)


def test_a_nan_rate_spoils_variables_but_not_the_session():
    w, loss = _loss()
    rate = tf.placeholder(tf.float32, [])
    train = tf.train.GradientDescentOptimizer(rate).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train, {rate: np.nan})
        assert np.isnan(session.run(w)).all()
        session.run(w.initializer)
        session.run(train, {rate: 0.5})
        np.testing.assert_array_equal(session.run(w), [0, 0])


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda o: o.minimize(tf.constant(1.0)), ValueError, "No gradients provided for any variable"),
        (lambda o: o.minimize(tf.constant(1)), ValueError, "Invalid type tf.int32"),
        (lambda o: o.minimize(tf.constant(1.0), var_list=[]), ValueError, "No variables to optimize"),
        (lambda o: o.minimize(tf.constant(1.0), var_list=[1]), TypeError, "not a variable"),
        (lambda o: o.apply_gradients([]), ValueError, "No variables provided"),
        (
            lambda o: o.minimize(tf.constant(1.0), gate_gradients=9),
            ValueError,
            "gate_gradients must be one of",
        ),
    ],
)
def test_errors_are_tensorflows(act, error, message):
    _loss()
    with pytest.raises(error, match=message):
        act(tf.train.GradientDescentOptimizer(0.1))


def test_global_step_helpers():
    assert tf.train.get_global_step() is None
    step = tf.train.create_global_step()
    assert tf.train.get_or_create_global_step() is step
    with pytest.raises(ValueError, match='"global_step" already exists'):
        tf.train.create_global_step()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert tf.train.global_step(session, step) == 0
    with pytest.raises(TypeError, match="does not have integer type"):
        tf.train.assert_global_step(tf.Variable(1.0))


_RULES = {
    "gradient_descent": ([], [0.1]),
    "momentum": (["a"], [0.1, "g", 0.9]),
    "nesterov": (["a"], [0.1, "g", 0.9]),
    "adagrad": (["p"], [0.1, "g"]),
    "adagrad_v2": (["p"], [0.1, 1e-7, "g"]),
    "adadelta": (["p", "p"], [1.0, 0.9, 1e-6, "g"]),
    "adam": (["a", "p"], [0.1, 0.9, 0.99, 1e-7, "g"]),
    "nadam": (["a", "p"], [0.1, 0.9, 0.99, 1e-7, "g"]),
    "adamax": (["a", "p"], [0.1, 0.9, 0.99, 1e-7, "g"]),
    "rmsprop": (["p", "a"], [0.1, 0.9, 0.5, 1e-7, "g"]),
    "plain_rmsprop": (["p"], [0.1, 0.9, 1e-7, "g"]),
    "ftrl": (["p", "a"], ["g", 0.1, 0.01, 0.02, 0.03, -0.5]),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", _RULES)
def test_compiled_updates_equal_the_plain_ones(name, dtype):
    rule = getattr(update, name)
    rng = np.random.default_rng(5)
    size = (3, update.LARGE // 2)
    made = {
        "a": lambda: rng.normal(size=size),
        "p": lambda: rng.random(size) + 0.1,
        "g": lambda: rng.normal(size=size),
    }
    slots, rest = _RULES[name]
    rest = rest if "g" in rest else [*rest, "g"]
    arguments = [np.asarray(made[x]() if isinstance(x, str) else x, dtype) for x in ["a", *slots, *rest]]
    plain = [x.copy() for x in arguments]
    rule(*arguments)
    rule.plain(*plain)
    tolerance = {"float32": 1e-5, "float64": 1e-13}[dtype]
    for got, expected in zip(arguments, plain, strict=True):
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
