"""Keras's optimizers beside tf-keras's legacy ones (Keras 2.4's OptimizerV2): 25 steps, slots, schedules."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import minitf
from minitf import keras
from minitf.eager.context import eager_mode

STEPS = 25
THEIRS = tf_keras.optimizers.legacy
rng = np.random.default_rng(13)
START = [rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)]
GRADIENTS = [[rng.normal(size=a.shape).astype(np.float32) for a in START] for _ in range(STEPS)]

CASES = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True, "decay": 0.05}),
    ("SGD", {"clipnorm": 0.5}),
    ("SGD", {"clipvalue": 0.2}),
    ("SGD", {"global_clipnorm": 0.7}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.01, "rho": 0.8, "momentum": 0.5}),
    ("RMSprop", {"centered": True, "epsilon": 1e-3}),
    ("RMSprop", {"centered": True, "momentum": 0.7}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "decay": 0.1, "clipnorm": 1.0}),
    ("Adam", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Adam", {"amsgrad": True, "learning_rate": 0.02}),
    ("Adamax", {}),
    ("Adamax", {"learning_rate": 0.1, "beta_1": 0.8}),
    ("Nadam", {}),
    ("Nadam", {"learning_rate": 0.05, "beta_1": 0.7}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.5, "initial_accumulator_value": 0.0, "decay": 0.01}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-6}),
    ("Ftrl", {}),
    ("Ftrl", {"learning_rate": 0.3, "l1_regularization_strength": 0.05, "l2_regularization_strength": 0.1}),
    ("Ftrl", {"learning_rate": 0.3, "l2_shrinkage_regularization_strength": 0.1, "beta": 0.2}),
]  # fmt: skip
SCHEDULES = [
    ("ExponentialDecay", (0.5, 5, 0.7), {}),
    ("ExponentialDecay", (0.5, 5, 0.7), {"staircase": True}),
    ("InverseTimeDecay", (0.5, 5, 0.7), {}),
    ("InverseTimeDecay", (0.5, 5, 0.7, True), {}),
    ("PiecewiseConstantDecay", ([4, 10], [0.5, 0.1, 0.02]), {}),
    ("PolynomialDecay", (0.5, 10), {"power": 2.0}),
    ("PolynomialDecay", (0.5, 7, 0.01), {"cycle": True}),
    ("CosineDecay", (0.5, 10), {"alpha": 0.1}),
    ("CosineDecayRestarts", (0.5, 4), {}),
    ("CosineDecayRestarts", (0.5, 4, 1.0, 0.8), {"alpha": 0.05}),
]


def _theirs(name, options):
    """The oracle calls `lr` deprecated."""
    return getattr(THEIRS, name)(**{"learning_rate" if k == "lr" else k: v for k, v in options.items()})


def _compare(ours, theirs, tolerance=3e-6):
    np.testing.assert_allclose(ours, theirs, tolerance, tolerance)


def _in_tensorflow(optimizer, start=START):
    variables = [tf.Variable(a) for a in start]
    for gradients in GRADIENTS:
        optimizer.apply_gradients(zip([tf.constant(g) for g in gradients], variables, strict=True))
    return [v.numpy() for v in variables], optimizer.get_weights()


def _in_a_graph(optimizer, start=START):
    with minitf.Graph().as_default(), minitf.Session() as session:
        from minitf.runtime.shared_variable import SharedVariable

        variables = [SharedVariable(a, name=f"v{i}") for i, a in enumerate(start)]
        feeds = [minitf.placeholder(a.dtype, a.shape) for a in start]
        step = optimizer.apply_gradients(zip(feeds, variables, strict=True))
        for gradients in GRADIENTS:
            session.run(step, dict(zip(feeds, gradients, strict=True)))
        return [v.numpy() for v in variables], optimizer.get_weights()


def _eagerly(optimizer, start=START):
    from minitf.eager.variable import Variable

    with eager_mode():
        variables = [Variable(a) for a in start]
        for gradients in GRADIENTS:
            pairs = zip([minitf.constant(g) for g in gradients], variables, strict=True)
            optimizer.apply_gradients(pairs)
        return [v.numpy() for v in variables], optimizer.get_weights()


def _check(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        assert len(mine) == len(other)
        for a, b in zip(mine, other, strict=True):
            assert np.shape(a) == np.shape(b)
            _compare(a, b)


@pytest.mark.parametrize("run", [_in_a_graph, _eagerly])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_steps_and_slots(name, options, run):
    _check(run(getattr(keras.optimizers, name)(**options)), _in_tensorflow(_theirs(name, options)))


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_double_precision(name, options):
    start = [a.astype(np.float64) for a in START]
    with np.errstate(all="ignore"):
        variables, _ = _in_a_graph(getattr(keras.optimizers, name)(**options), start)
    with minitf.Graph().as_default():
        theirs = [tf.Variable(a) for a in start]
        optimizer = _theirs(name, options)
        for gradients in GRADIENTS:
            pairs = zip([tf.constant(g, tf.float64) for g in gradients], theirs, strict=True)
            optimizer.apply_gradients(pairs)
    for mine, other in zip(variables, theirs, strict=True):
        assert mine.dtype == np.float64
        _compare(mine, other.numpy(), 1e-6)


@pytest.mark.parametrize(("name", "arguments", "options"), SCHEDULES, ids=str)
def test_schedules(name, arguments, options):
    ours = getattr(keras.optimizers.schedules, name)(*arguments, **options)
    theirs = getattr(tf_keras.optimizers.schedules, name)(*arguments, **options)
    with eager_mode():
        for step in (0, 1, 3, 4, 5, 9, 10, 11, 25, 100):
            _compare(np.asarray(ours(step)), np.asarray(theirs(step)), 1e-5)
    mine = ours.get_config()
    assert mine == {key: theirs.get_config()[key] for key in mine}
    again = keras.optimizers.schedules.deserialize(keras.optimizers.schedules.serialize(ours))
    assert again.get_config() == mine
    _check(
        _in_a_graph(keras.optimizers.SGD(ours, momentum=0.5)),
        _in_tensorflow(THEIRS.SGD(theirs, momentum=0.5)),
    )


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_configs(name, options):
    ours, theirs = getattr(keras.optimizers, name)(**options), _theirs(name, options)
    mine, other = ours.get_config(), theirs.get_config()
    assert mine.keys() == other.keys()
    for key in mine:
        assert mine[key] == pytest.approx(other[key], rel=1e-6) if key != "name" else mine[key] == other[key]
    assert keras.optimizers.deserialize(keras.optimizers.serialize(ours)).get_config() == mine


@pytest.mark.parametrize(
    ("name", "options"),
    [(n, o) for n, o in CASES if "clip" not in str(o) and not (n == "RMSprop" and o.get("centered"))],
    ids=str,
)
def test_sparse_gradients(name, options):
    """Gradients of looked-up rows, some of them looked up twice."""
    table = rng.normal(size=(6, 3)).astype(np.float32)
    ids = [np.random.default_rng(i).integers(0, 6, 4) for i in range(STEPS)]
    factors = [np.random.default_rng(i).normal(size=(4, 3)).astype(np.float32) for i in range(STEPS)]
    ours, theirs = getattr(keras.optimizers, name)(**options), _theirs(name, options)
    variable = tf.Variable(table)
    for rows, factor in zip(ids, factors, strict=True):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(variable, rows) * factor)
        theirs.apply_gradients([(tape.gradient(loss, variable), variable)])
    with minitf.Graph().as_default(), minitf.Session() as session:
        from minitf.runtime.shared_variable import SharedVariable

        mine = SharedVariable(table, name="table")
        rows_feed, factor_feed = minitf.placeholder("int64", [None]), minitf.placeholder("float32", [None, 3])
        loss = minitf.reduce_sum(minitf.gather(mine, rows_feed) * factor_feed)
        step = ours.minimize(loss, [mine])
        for rows, factor in zip(ids, factors, strict=True):
            session.run(step, {rows_feed: rows, factor_feed: factor})
    _check(([mine.numpy()], ours.get_weights()), ([variable.numpy()], theirs.get_weights()))


def test_hyperparameters_change_between_steps():
    ours, theirs = keras.optimizers.Adam(lr=0.1), THEIRS.Adam(0.1)
    with minitf.Graph().as_default(), minitf.Session() as session:
        from minitf.runtime.shared_variable import SharedVariable

        mine, other = SharedVariable(START[0], name="v"), tf.Variable(START[0])
        feed = minitf.placeholder("float32", START[0].shape)
        step = ours.apply_gradients([(feed, mine)])
        for i, (gradient, _) in enumerate(GRADIENTS):
            if i == 5:
                ours.lr = theirs.learning_rate = 0.01
            if i == 10:
                ours.learning_rate.load(0.5)
                theirs.learning_rate.assign(0.5)
            session.run(step, {feed: gradient})
            theirs.apply_gradients([(tf.constant(gradient), other)])
    _compare(mine.numpy(), other.numpy())
    assert ours.iterations.numpy() == STEPS
