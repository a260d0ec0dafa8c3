"""Optimizers, schedules, moving averages and their names, as TensorFlow has them."""

import numpy as np
import pytest

from parity.programs import compare

_STEPS = 25
_OPTIMIZERS = {
    "gradient descent": lambda train: train.GradientDescentOptimizer(0.1),
    "proximal gradient descent": lambda train: train.ProximalGradientDescentOptimizer(0.1, 0.01, 0.02),
    "momentum": lambda train: train.MomentumOptimizer(0.05, 0.9),
    "nesterov": lambda train: train.MomentumOptimizer(0.05, 0.9, use_nesterov=True),
    "adagrad": lambda train: train.AdagradOptimizer(0.3),
    "proximal adagrad": lambda train: train.ProximalAdagradOptimizer(0.3, 0.1, 0.01, 0.02),
    "adadelta": lambda train: train.AdadeltaOptimizer(1.0),
    "adam": lambda train: train.AdamOptimizer(0.05),
    "rmsprop": lambda train: train.RMSPropOptimizer(0.01, momentum=0.5),
    "centered rmsprop": lambda train: train.RMSPropOptimizer(0.01, centered=True),
    "ftrl": lambda train: train.FtrlOptimizer(0.3, l1_regularization_strength=0.01, beta=0.1),
    "ftrl with shrinkage": lambda train: train.FtrlOptimizer(
        0.3, l2_regularization_strength=0.01, l2_shrinkage_regularization_strength=0.02
    ),
}
by_optimizer = pytest.mark.parametrize("make", _OPTIMIZERS.values(), ids=_OPTIMIZERS.keys())


def _trained(tf, make, loss_of):
    """Losses, variables and slots over some steps, with a global step."""
    step = tf.train.get_or_create_global_step()
    loss, feeds = loss_of(tf)
    optimizer = make(tf.train)
    train = optimizer.minimize(loss, global_step=step)
    results = {"train op": train.name, "slot names": optimizer.get_slot_names()}
    results["variables"] = [v.name for v in tf.global_variables()]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        results["losses"] = [session.run([loss, train], feed)[0] for feed in feeds]
        results["values"] = session.run(tf.global_variables())
    return results


def _dense(tf):
    rng = np.random.default_rng(1)
    x = tf.placeholder(tf.float32, [None, 3])
    with tf.variable_scope("net"):
        w = tf.get_variable("w", initializer=rng.normal(size=(3, 2)).astype("f"))
    b = tf.Variable(np.zeros(2, "f"), name="b")
    loss = tf.reduce_mean(tf.square(tf.tanh(tf.matmul(x, w) + b) - 0.5))
    return loss, [{x: rng.normal(size=(4, 3))} for _ in range(_STEPS)]


def _embedded(tf):
    rng = np.random.default_rng(2)
    table = tf.Variable(rng.normal(size=(6, 3)).astype("f"), name="table")
    words = tf.placeholder(tf.int32, [4])
    loss = tf.reduce_mean(tf.square(tf.nn.embedding_lookup(table, words) - 0.5))
    return loss, [{words: rng.integers(0, 6, 4)} for _ in range(_STEPS)]


@by_optimizer
def test_optimizers_train_as_tensorflows_do(make):
    compare(lambda tf: _trained(tf, make, _dense), tolerance=1e-4)


@by_optimizer
def test_sparse_gradients_train_as_tensorflows_do(make):
    compare(lambda tf: _trained(tf, make, _embedded), tolerance=1e-4)


_SCHEDULES = {
    "exponential": lambda train, step: train.exponential_decay(0.1, step, 3, 0.9),
    "staircase": lambda train, step: train.exponential_decay(0.1, step, 3, 0.9, staircase=True),
    "piecewise": lambda train, step: train.piecewise_constant(step, [2, 5], [0.1, 0.01, 0.001]),
    "polynomial": lambda train, step: train.polynomial_decay(0.1, step, 6, 0.01, power=0.5),
    "cycled polynomial": lambda train, step: train.polynomial_decay(0.1, step, 3, 0.01, cycle=True),
    "natural exponential": lambda train, step: train.natural_exp_decay(0.1, step, 3, 0.5),
    "inverse time": lambda train, step: train.inverse_time_decay(0.1, step, 3, 0.5, staircase=True),
    "cosine": lambda train, step: train.cosine_decay(0.1, step, 6, alpha=0.1),
    "cosine restarts": lambda train, step: train.cosine_decay_restarts(0.1, step, 2, t_mul=1.5, m_mul=0.9),
    "equal restarts": lambda train, step: train.cosine_decay_restarts(0.1, step, 3, t_mul=1.0),
    "linear cosine": lambda train, step: train.linear_cosine_decay(0.1, step, 6),
}


@pytest.mark.parametrize("rate_of", _SCHEDULES.values(), ids=_SCHEDULES.keys())
def test_schedules_follow_the_step_as_tensorflows_do(rate_of):
    def program(tf):
        step = tf.placeholder(tf.int64, [])
        rate = rate_of(tf.train, step)
        with tf.Session() as session:
            return {"rates": [session.run(rate, {step: i}) for i in range(9)]}

    compare(program)


@pytest.mark.parametrize("options", [{}, {"zero_debias": True}], ids=str)
@pytest.mark.parametrize("counted", [False, True], ids=["fixed decay", "decay by updates"])
def test_moving_averages_are_tensorflows(options, counted):
    def program(tf):
        w = tf.Variable([1.0, 2.0], name="w")
        noise = tf.multiply(w, 3.0, name="noise")
        step = tf.train.get_or_create_global_step()
        average = tf.train.ExponentialMovingAverage(0.9, num_updates=step if counted else None, **options)
        update = average.apply([w, noise])
        change = tf.group(w.assign_add([1.0, -1.0]), step.assign_add(1))
        results = {"names": [average.average_name(w), average.average(noise).name, update.name]}
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            averages = []
            for _ in range(5):
                session.run(update)
                averages.append(session.run([average.average(w), average.average(noise)]))
                session.run(change)
        return {**results, "averages": averages, "to restore": sorted(average.variables_to_restore())}

    compare(program)


def test_gradients_are_clipped_and_applied_by_hand():
    def program(tf):
        w = tf.Variable([3.0, -4.0], name="w")
        unused = tf.Variable(1.0, name="unused")
        optimizer = tf.train.GradientDescentOptimizer(0.5)
        pairs = optimizer.compute_gradients(tf.reduce_sum(w * w), [w, unused])
        clipped = [(None if g is None else tf.clip_by_norm(g, 1.0), v) for g, v in pairs]
        train = optimizer.apply_gradients(clipped)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(train)
            return {"op": train.name, "none": pairs[1][0] is None, "values": session.run([w, unused])}

    compare(program)
