"""Keras's losses beside tf-keras: functions, classes, options, reductions, weights, gradients, configs."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import minitf
from minitf import keras
from minitf.eager.context import eager_mode

rng = np.random.default_rng(11)
REAL = rng.normal(size=(6, 4)).astype(np.float32)
SHIFTED = (REAL + rng.normal(scale=1.5, size=REAL.shape)).astype(np.float32)
SHARES = rng.dirichlet(np.ones(4), 6).astype(np.float32)
ONE_HOT = np.eye(4, dtype=np.float32)[[0, 3, 1, 1, 2, 0]]
BITS = rng.integers(0, 2, (6, 4)).astype(np.float32)
UNIT = rng.uniform(size=(6, 4)).astype(np.float32)
CLASSES = np.array([0, 3, 1, 1, 2, 0])

# function → (targets, predictions)
FUNCTIONS = {
    "mean_squared_error": (REAL, SHIFTED),
    "mean_absolute_error": (REAL, SHIFTED),
    "mean_absolute_percentage_error": (REAL, SHIFTED),
    "mean_squared_logarithmic_error": (np.abs(REAL), np.abs(SHIFTED)),
    "hinge": (BITS * 2 - 1, SHIFTED),
    "squared_hinge": (BITS, SHIFTED),
    "categorical_hinge": (ONE_HOT, SHIFTED),
    "huber": (REAL, SHIFTED),
    "log_cosh": (REAL, SHIFTED),
    "kl_divergence": (SHARES, SHARES[::-1].copy()),
    "poisson": (np.abs(REAL), np.abs(SHIFTED)),
    "cosine_similarity": (REAL, SHIFTED),
    "categorical_crossentropy": (ONE_HOT, SHARES),
    "sparse_categorical_crossentropy": (CLASSES, SHARES),
    "binary_crossentropy": (BITS, UNIT),
    "binary_focal_crossentropy": (BITS, UNIT),
}
OPTIONS = [
    ("huber", {"delta": 0.3}),
    ("cosine_similarity", {"axis": 0}),
    ("categorical_crossentropy", {"from_logits": True}),
    ("categorical_crossentropy", {"label_smoothing": 0.2}),
    ("categorical_crossentropy", {"from_logits": True, "label_smoothing": 0.1}),
    ("categorical_crossentropy", {"axis": 0}),
    ("sparse_categorical_crossentropy", {"from_logits": True}),
    ("sparse_categorical_crossentropy", {"ignore_class": 1}),
    ("binary_crossentropy", {"from_logits": True}),
    ("binary_crossentropy", {"label_smoothing": 0.2}),
    ("binary_crossentropy", {"axis": 0}),
    ("binary_focal_crossentropy", {"gamma": 3.0, "apply_class_balancing": True, "alpha": 0.4}),
    ("binary_focal_crossentropy", {"from_logits": True, "label_smoothing": 0.1}),
]


def _ours(compute, targets, predictions):
    """The loss and the gradient of its sum, computed in a graph."""
    with minitf.Graph().as_default(), minitf.Session() as session:
        y_pred = minitf.placeholder(predictions.dtype, [None, *predictions.shape[1:]])
        y_true = minitf.placeholder(targets.dtype, [None, *targets.shape[1:]])
        value = compute(y_true, y_pred)
        (gradient,) = minitf.gradients(minitf.reduce_sum(value), [y_pred])
        return session.run([value, gradient], {y_true: targets, y_pred: predictions})


def _theirs(compute, targets, predictions):
    y_pred = tf.constant(predictions)
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        value = compute(tf.constant(targets), y_pred)
        total = tf.reduce_sum(value)
    return value.numpy(), tape.gradient(total, y_pred).numpy()


def _compare(ours, theirs, targets, predictions, tolerance=2e-6):
    for mine, other in zip(
        _ours(ours, targets, predictions), _theirs(theirs, targets, predictions), strict=True
    ):
        assert mine.dtype == other.dtype and mine.shape == other.shape
        np.testing.assert_allclose(mine, other, tolerance, tolerance)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_functions(name, dtype):
    targets, predictions = FUNCTIONS[name]
    targets = targets if targets.dtype.kind == "i" else targets.astype(dtype)
    ours, theirs = getattr(keras.losses, name), getattr(tf_keras.losses, name)
    _compare(ours, theirs, targets, predictions.astype(dtype))


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_options(name, options):
    targets, predictions = FUNCTIONS[name]
    if options.get("from_logits"):
        predictions = SHIFTED
    ours, theirs = getattr(keras.losses, name), getattr(tf_keras.losses, name)
    _compare(lambda t, p: ours(t, p, **options), lambda t, p: theirs(t, p, **options), targets, predictions)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_higher_ranks(name):
    targets, predictions = (np.stack([a, a[::-1]], 1) for a in FUNCTIONS[name])
    _compare(getattr(keras.losses, name), getattr(tf_keras.losses, name), targets, predictions)


CLASS_NAMES = [
    "MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError",
    "Hinge", "SquaredHinge", "CategoricalHinge", "Huber", "LogCosh", "KLDivergence", "Poisson",
    "CosineSimilarity", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
]  # fmt: skip
CLASSES_OF = dict(
    zip(
        CLASS_NAMES,
        [
            "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
            "mean_squared_logarithmic_error", "hinge", "squared_hinge", "categorical_hinge", "huber",
            "log_cosh",
            "kl_divergence", "poisson", "cosine_similarity", "categorical_crossentropy",
            "sparse_categorical_crossentropy", "binary_crossentropy", "binary_focal_crossentropy",
        ],
        strict=True,
    )
)  # fmt: skip
WEIGHTS = {
    "none": None,
    "number": np.float32(2.5),
    "per sample": rng.uniform(size=6).astype(np.float32),
    "a column": rng.uniform(size=(6, 1)).astype(np.float32),
}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("reduction", ["auto", "none", "sum", "sum_over_batch_size"])
@pytest.mark.parametrize("name", CLASS_NAMES)
def test_classes(name, reduction, weights):
    targets, predictions = FUNCTIONS[CLASSES_OF[name]]
    ours = getattr(keras.losses, name)(reduction=reduction)
    theirs = getattr(tf_keras.losses, name)(reduction=reduction)
    assert ours.name == theirs.name
    weight = WEIGHTS[weights]
    _compare(
        lambda t, p: ours(t, p, sample_weight=weight),
        lambda t, p: theirs(t, p, sample_weight=weight),
        targets,
        predictions,
    )


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 1), (5,), (5, 1), ()])
def test_weights_of_sequences(shape):
    targets, predictions = (rng.normal(size=(5, 3, 4)).astype(np.float32) for _ in range(2))
    weight = rng.uniform(size=shape).astype(np.float32)
    ours, theirs = keras.losses.MeanSquaredError(), tf_keras.losses.MeanSquaredError()
    _compare(lambda t, p: ours(t, p, weight), lambda t, p: theirs(t, p, weight), targets, predictions)


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_configs(name):
    ours, theirs = getattr(keras.losses, name)(), getattr(tf_keras.losses, name)()
    known = {k: v for k, v in theirs.get_config().items() if k != "fn"}
    assert ours.get_config() == known
    again = type(ours).from_config(ours.get_config())
    assert again.get_config() == ours.get_config()
    same = keras.losses.deserialize(keras.losses.serialize(ours))
    assert type(same) is type(ours)


@pytest.mark.parametrize("name", ["Softmax", "Sigmoid"])
def test_losses_see_the_logits_behind_an_activation(name):
    """Where probabilities have become 0 and 1, the loss still grows with the logits."""
    far = np.float32([[60.0, -60.0], [-80.0, 90.0]])
    targets = np.float32([[0, 1], [1, 0]])
    loss = "categorical_crossentropy" if name == "Softmax" else "binary_crossentropy"

    def compute(tf, losses):
        activation = tf.nn.softmax if name == "Softmax" else tf.nn.sigmoid
        return lambda t, p: getattr(losses, loss)(t, activation(p))

    with tf.Graph().as_default():
        logits, labels = tf.constant(far), tf.constant(targets)
        value = compute(tf, tf_keras.losses)(labels, logits)
        (gradient,) = tf.gradients(tf.reduce_sum(value), [logits])
        with tf.compat.v1.Session() as session:
            theirs = session.run([value, gradient])
    for mine, other in zip(_ours(compute(minitf, keras.losses), targets, far), theirs, strict=True):
        np.testing.assert_allclose(mine, other, 1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_eagerly(name):
    targets, predictions = FUNCTIONS[name]
    with eager_mode():
        mine = getattr(keras.losses, name)(targets, predictions).numpy()
    np.testing.assert_allclose(mine, getattr(tf_keras.losses, name)(targets, predictions), 2e-6, 2e-6)


@pytest.mark.parametrize("reduction", ["auto", "none", "sum"])
@pytest.mark.parametrize("weights", ["none", "per sample"])
def test_a_class_to_ignore(reduction, weights):
    targets, predictions = FUNCTIONS["sparse_categorical_crossentropy"]
    options, weight = {"ignore_class": 1, "reduction": reduction}, WEIGHTS[weights]
    ours = keras.losses.SparseCategoricalCrossentropy(**options)
    theirs = tf_keras.losses.SparseCategoricalCrossentropy(**options)
    _compare(lambda t, p: ours(t, p, weight), lambda t, p: theirs(t, p, weight), targets, predictions)
