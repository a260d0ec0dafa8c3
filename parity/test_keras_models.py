"""Whole models beside tf-keras from the same weights: 50 steps, evaluate, predict, weights afterwards."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import minitf
from minitf import keras
from parity.keras_pairs import compile_both, pair, same

rng = np.random.default_rng(14)
IMAGES = rng.uniform(size=(320, 28, 28)).astype(np.float32)
LABELS = rng.integers(0, 10, 320).astype(np.uint8)
IMAGES += np.eye(28, dtype=np.float32)[LABELS][:, None] * 2  # so that there is something to learn
A, B = rng.normal(size=(96, 6)).astype(np.float32), rng.normal(size=(96, 4)).astype(np.float32)
CLASSES = rng.integers(0, 3, 96)
NUMBERS = rng.normal(size=(96, 1)).astype(np.float32)
TOLERANCE = 2e-4  # of numbers after 50 steps


def _mlp(units):
    def build(keras):
        return keras.Sequential(
            [
                keras.layers.Flatten(input_shape=(28, 28)),
                keras.layers.Dense(units, activation="relu"),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )

    return build


def _cnn(keras):
    return keras.Sequential(
        [
            keras.layers.Conv2D(64, (3, 3), activation="relu", input_shape=(28, 28, 1)),
            keras.layers.MaxPooling2D(2, 2),
            keras.layers.Conv2D(64, (3, 3), activation="relu"),
            keras.layers.MaxPooling2D(2, 2),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


def _steps(models, batches, tolerance=TOLERANCE):
    """The same batches for both; what every step reports and the weights after all must agree."""
    ours, theirs = models
    for i, (x, y, *weight) in enumerate(batches):
        mine = ours.train_on_batch(x, y, *weight, reset_metrics=i % 10 == 0)
        other = theirs.train_on_batch(x, y, *weight, reset_metrics=i % 10 == 0)
        same(mine, other, tolerance)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.abs(mine - other).max() <= 1e-3
    assert ours.metrics_names == theirs.metrics_names


def _batches(count, x, y, size=32):
    for i in range(count):
        index = np.random.default_rng(i).integers(0, len(LABELS), size)
        yield x[index], y[index]


@pytest.fixture
def double():
    """Both in float64, in which 50 steps stay equal: in float32 rounding differences grow with every step
    once a network has learned its few images by heart, at a pace that depends on the first weights.
    """
    for module in (keras, tf_keras):
        module.backend.set_floatx("float64")
    yield
    for module in (keras, tf_keras):
        module.backend.set_floatx("float32")


_LECTURE = pytest.mark.parametrize(
    ("build", "params", "images"),
    [(_mlp(128), 101_770, IMAGES), (_mlp(512), 407_050, IMAGES), (_cnn, 243_786, IMAGES[..., None])],
    ids=["MLP", "512 MLP", "CNN"],
)


def _train_lecture(build, params, images, steps, tolerance):
    keras.utils.set_random_seed(1)
    models = ours, theirs = pair(build, drawn=True)
    assert ours.count_params() == theirs.count_params() == params
    loss = "sparse_categorical_crossentropy"
    compile_both(models, ("adam", {"learning_rate": 1e-3}), loss=loss, metrics=["accuracy"])
    _steps(models, _batches(steps, images, LABELS), tolerance)
    same(ours.evaluate(images, LABELS, verbose=0), theirs.evaluate(images, LABELS, verbose=0), tolerance)
    same(ours.predict(images), theirs.predict(images, verbose=0), 5 * tolerance)
    same(ours.predict_on_batch(images[:7]), theirs.predict_on_batch(images[:7]), 5 * tolerance)


@_LECTURE
def test_the_models_of_the_lecture(build, params, images):
    _train_lecture(build, params, images, 10, TOLERANCE)


@_LECTURE
def test_fifty_steps_of_the_models_of_the_lecture(double, build, params, images):
    _train_lecture(build, params, images.astype(np.float64), 50, 1e-9)


def _two_in_two_out(keras):
    a, b = keras.Input((6,), name="a"), keras.Input((4,), name="b")
    shared = keras.layers.Dense(5, activation="tanh", name="shared")
    left = shared(keras.layers.Dense(4, name="left")(a))
    joined = keras.layers.concatenate([left, shared(b)], name="joined")
    probabilities = keras.layers.Dense(3, activation="softmax", name="classes")(joined)
    number = keras.layers.Dense(1, name="number")(keras.layers.add([left, left]))
    return keras.Model([a, b], [probabilities, number], name="both")


def _norm_net(keras):
    return keras.Sequential(
        [
            keras.layers.Dense(8, use_bias=False, input_shape=(6,)),
            keras.layers.BatchNormalization(momentum=0.8),
            keras.layers.Activation("relu"),
            keras.layers.Dropout(0.0),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def _regularized(keras):
    r, c = keras.regularizers, keras.constraints
    return keras.Sequential(
        [
            keras.layers.Dense(8, kernel_regularizer=r.l2(0.01), activity_regularizer=r.l1(0.01),
                               bias_regularizer=r.l1_l2(0.01, 0.02), input_shape=(6,)),
            keras.layers.Dense(8, kernel_constraint=c.MaxNorm(0.5), activation="relu"),
            keras.layers.Dense(3, kernel_constraint=c.NonNeg(), activation="softmax"),
        ]
    )  # fmt: skip


def _nested(keras):
    inner = keras.Sequential(
        [keras.layers.Dense(5, activation="relu", input_shape=(6,)), keras.layers.Dense(5)]
    )
    x = keras.Input((6,))
    y = inner(x)
    z = inner(keras.layers.Dense(6)(y))
    return keras.Model(x, keras.layers.Dense(3, activation="softmax")(keras.layers.average([y, z])))


def _sequence_net(keras):
    return keras.Sequential(
        [
            keras.layers.Embedding(12, 5, mask_zero=True, input_length=7),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def _added(keras):
    x = keras.Input((6,))
    hidden = keras.layers.Dense(5, activation="tanh")(x)
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(hidden))
    backend = minitf if keras.__name__.startswith("minitf") else tf
    model.add_loss(0.1 * backend.reduce_mean(backend.square(hidden)))
    model.add_metric(backend.reduce_sum(hidden), name="total", aggregation="mean")
    return model


SIMPLE = {
    "batch normalisation": (_norm_net, A),
    "regularisers and constraints": (_regularized, A),
    "nested and shared": (_nested, A),
    "embedding with mask": (_sequence_net, rng.integers(0, 12, (96, 7))),
    "add_loss, add_metric": (_added, A),
}
OPTIMIZERS = [
    "sgd",
    "rmsprop",
    "adam",
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "adagrad",
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("name", SIMPLE)
def test_small_models(name, optimizer):
    build, x = SIMPLE[name]
    models = ours, theirs = pair(build)
    compile_both(models, optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    batches = [(x[i : i + 8], CLASSES[i : i + 8]) for i in range(0, 96, 8)] * 2
    _steps(models, batches)
    same(ours.evaluate(x, CLASSES, verbose=0), theirs.evaluate(x, CLASSES, verbose=0), TOLERANCE)
    same(ours.predict(x), theirs.predict(x, verbose=0), TOLERANCE)


TWO = [
    {"loss": ["sparse_categorical_crossentropy", "mse"]},
    {
        "loss": {"classes": "sparse_categorical_crossentropy", "number": "mae"},
        "loss_weights": {"classes": 0.3, "number": 2.0},
        "metrics": {"classes": ["accuracy"], "number": ["mae", "mse"]},
    },
    {
        "loss": ["sparse_categorical_crossentropy", "mse"],
        "loss_weights": [1.0, 0.5],
        "metrics": ["acc", "mae"],
    },
    {
        "loss": {"number": "mse"},
        "metrics": [[], ["mae"]],
        "weighted_metrics": ["mae"],
    },
]


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("options", TWO, ids=range(len(TWO)))
def test_several_inputs_and_outputs(options):
    models = ours, theirs = pair(_two_in_two_out)
    compile_both(models, "adam", **options)
    weights = rng.uniform(size=96).astype(np.float32)
    y = [CLASSES, NUMBERS]
    batches = [
        ([A[i : i + 8], B[i : i + 8]], [t[i : i + 8] for t in y], [weights[i : i + 8]] * 2)
        for i in range(0, 96, 8)
    ]
    _steps(models, batches)
    same(ours.evaluate([A, B], y, verbose=0), theirs.evaluate([A, B], y, verbose=0), TOLERANCE)
    same(
        ours.evaluate({"a": A, "b": B}, {"classes": CLASSES, "number": NUMBERS}, verbose=0, return_dict=True),
        theirs.evaluate(
            {"a": A, "b": B}, {"classes": CLASSES, "number": NUMBERS}, verbose=0, return_dict=True
        ),
        TOLERANCE,
    )
    same(ours.predict([A, B]), theirs.predict([A, B], verbose=0), TOLERANCE)


def test_a_loss_that_closes_over_a_layers_output():
    """A variational autoencoder as of 2020: the loss function uses tensors of the model."""

    def build(keras):
        tf_ = minitf if keras.__name__.startswith("minitf") else tf
        x = keras.Input((6,))
        hidden = keras.layers.Dense(5, activation="tanh")(x)
        mean, log_variance = keras.layers.Dense(2, name="mean")(hidden), keras.layers.Dense(2)(hidden)
        code = keras.layers.Lambda(lambda t: t[0] + tf_.exp(t[1] / 2) * 0.1)([mean, log_variance])
        model = keras.Model(x, keras.layers.Dense(6)(code))
        divergence = -0.5 * tf_.reduce_mean(1 + log_variance - tf_.square(mean) - tf_.exp(log_variance))
        if tf_ is minitf:
            model.compile("adam", lambda t, p: keras.losses.mean_squared_error(t, p) + divergence)
        else:
            model.add_loss(divergence)
            model.compile(tf_keras.optimizers.legacy.Adam(), "mse")
        return model

    ours, theirs = pair(build)
    for i in range(0, 96, 8):
        x = A[i : i + 8]
        same(ours.train_on_batch(x, x), theirs.train_on_batch(x, x), TOLERANCE)


def test_subclassed_models_and_layers():
    def build(keras):
        tf_ = minitf if keras.__name__.startswith("minitf") else tf

        class Scale(keras.layers.Layer):
            def build(self, input_shape):
                self.gain = self.add_weight(name="gain", shape=(int(input_shape[-1]),), initializer="ones")
                super().build(input_shape)

            def call(self, inputs):
                self.add_loss(0.01 * tf_.reduce_sum(tf_.square(self.gain)))
                return inputs * self.gain

        class Net(keras.Model):
            def __init__(self):
                super().__init__(name="net")
                self.first = keras.layers.Dense(5, activation="relu")
                self.blocks = [Scale(), keras.layers.BatchNormalization()]
                self.last = keras.layers.Dense(3, activation="softmax")

            def call(self, inputs, training=None):
                x = self.first(inputs)
                for block in self.blocks:
                    x = block(x)
                return self.last(x * 2.0 if training else x)

        return Net()

    models = ours, theirs = pair(build, (None, 6))
    assert [w.name.split("/")[-1] for w in ours.weights] == [w.name.split("/")[-1] for w in theirs.weights]
    compile_both(models, "adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    _steps(models, [(A[i : i + 8], CLASSES[i : i + 8]) for i in range(0, 96, 8)])
    same(ours.evaluate(A, CLASSES, verbose=0), theirs.evaluate(A, CLASSES, verbose=0), TOLERANCE)
    same(ours.predict(A), theirs.predict(A, verbose=0), TOLERANCE)


def test_layers_that_are_frozen_after_compile():
    """The change counts from the next `compile` on."""
    models = ours, theirs = pair(_norm_net)
    options = {"loss": "sparse_categorical_crossentropy"}
    compile_both(models, "sgd", **options)
    batches = [(A[i : i + 8], CLASSES[i : i + 8]) for i in range(0, 96, 8)]
    _steps(models, batches)
    for model in models:
        model.layers[0].trainable = False
        model.layers[1].trainable = False
    _steps(models, batches)
    assert [len(m.trainable_weights) for m in models] == [2, 2]
    assert [len(m.non_trainable_weights) for m in models] == [5, 5]
    before = ours.get_weights()
    compile_both(models, "sgd", **options)
    _steps(models, batches)
    for old, new in zip(before[:3], ours.get_weights(), strict=False):
        np.testing.assert_array_equal(old, new)
    frozen = ours.layers[0].get_weights() + ours.layers[1].get_weights()
    for mine, other in zip(
        frozen, theirs.layers[0].get_weights() + theirs.layers[1].get_weights(), strict=True
    ):
        np.testing.assert_allclose(mine, other, 1e-5, 1e-6)


def test_configs_of_models():
    for build in (_mlp(4), _cnn, _two_in_two_out, _norm_net, _regularized, _nested):
        keras.backend.clear_session()
        tf_keras.backend.clear_session()
        mine, other = build(keras).get_config(), build(tf_keras).get_config()
        assert mine["name"] == other["name"]
        assert [x["class_name"] for x in mine["layers"]] == [x["class_name"] for x in other["layers"]]
        assert [x["config"]["name"] for x in mine["layers"]] == [x["config"]["name"] for x in other["layers"]]
        for key in ("input_layers", "output_layers"):
            if key in other:
                assert mine[key] == [list(place) for place in other[key]]
        for a, b in zip(mine["layers"], other["layers"], strict=True):
            if "inbound_nodes" in b:
                assert a["inbound_nodes"] == b["inbound_nodes"]
