"""tf.layers beside Keras 2's legacy layers: names, shapes, outputs, gradients, updates and errors.

Both start from the same seeds, so that even the weights agree.
"""

import numpy as np
import pytest

from parity.programs import caught, compare

rng = np.random.default_rng(3)
ROWS = rng.normal(size=(5, 4)).astype(np.float32)
IMAGES = rng.normal(size=(3, 8, 7, 4)).astype(np.float32)
SERIES = rng.normal(size=(3, 9, 4)).astype(np.float32)
VOLUMES = rng.normal(size=(2, 6, 5, 7, 3)).astype(np.float32)

TOLERANCE = 1e-5


def _forward(build, batch, training=None, initializers=True):
    """The layer's outputs, the gradients of their weighted sum, the weights and the losses."""

    def program(tf):
        x = tf.placeholder(tf.float32, [None, *batch.shape[1:]], name="x")
        if initializers:
            scope = tf.variable_scope("net", initializer=tf.glorot_uniform_initializer(seed=5))
        else:
            scope = tf.variable_scope("net")
        with scope:
            y = build(tf, x)
        weights = tf.cos(tf.range(tf.cast(tf.size(y), tf.float32)))
        objective = tf.reduce_sum(tf.reshape(y, [-1]) * weights)
        variables = tf.trainable_variables()
        gradients = tf.gradients(objective, [x, *variables])
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            found = session.run([y, gradients], {x: batch})
            start = session.run(tf.global_variables())
            session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS), {x: batch})
            end = session.run(tf.global_variables())
            losses = session.run(tf.losses.get_regularization_losses(), {x: batch})
        return {
            "found": found,
            "start": start,
            "end": end,
            "losses": losses,
            "shape": y.shape.as_list(),
            "name": y.name,
            "variables": [(v.name, v.shape.as_list()) for v in tf.global_variables()],
            "trainable": [v.name for v in variables],
        }

    compare(program, TOLERANCE)


DENSE = {
    "plain": {},
    "relu": {"activation": lambda tf: tf.nn.relu},
    "tanh by name": {"activation": lambda tf: "tanh"},
    "no bias": {"use_bias": lambda tf: False, "activation": lambda tf: tf.nn.softmax},
    "regularized": {
        "kernel_regularizer": lambda tf: lambda w: 0.3 * tf.reduce_sum(tf.square(w)),
        "bias_regularizer": lambda tf: lambda w: tf.reduce_sum(tf.abs(w)),
        "activity_regularizer": lambda tf: lambda y: tf.reduce_sum(y * y),
    },
    "initialized": {
        "kernel_initializer": lambda tf: tf.initializers.he_normal(seed=2),
        "bias_initializer": lambda tf: tf.constant_initializer([1.0, 2.0, 3.0]),
        "name": lambda tf: "mine",
    },
    "fixed": {"trainable": lambda tf: False, "bias_initializer": lambda tf: "ones"},
}


@pytest.mark.parametrize("options", DENSE.values(), ids=DENSE)
@pytest.mark.parametrize("batch", [ROWS, SERIES, IMAGES], ids=["rows", "series", "images"])
def test_dense(options, batch):
    def build(tf, x):
        return tf.layers.dense(x, 3, **{k: make(tf) for k, make in options.items()})

    if "trainable" in options:
        build, fixed = (lambda tf, x: fixed(tf, tf.layers.dense(x, 4))), build
    _forward(build, batch)


CONVOLUTIONS = {
    "plain": {},
    "same": {"padding": "same", "strides": 2},
    "rectangle": {"kernel_size": (3, 2), "strides": (1, 2), "padding": "SAME"},
    "dilated": {"dilation_rate": (2, 1)},
    "no bias": {"use_bias": False, "activation": "relu"},
}


@pytest.mark.parametrize("options", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_conv2d(options):
    _forward(lambda tf, x: tf.layers.conv2d(x, **{"filters": 5, "kernel_size": 3, **options}), IMAGES)


@pytest.mark.parametrize("options", [{}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}])
def test_conv1d(options):
    _forward(lambda tf, x: tf.layers.conv1d(x, 5, 3, activation=tf.nn.relu, **options), SERIES)


@pytest.mark.parametrize("options", [{}, {"strides": 2, "padding": "same"}, {"strides": (1, 2, 1)}])
def test_conv3d(options):
    _forward(lambda tf, x: tf.layers.conv3d(x, 4, 3, activation=tf.nn.relu, **options), VOLUMES)
    _forward(lambda tf, x: tf.layers.conv3d_transpose(x, 4, 3, **options), VOLUMES)


@pytest.mark.parametrize("options", [{}, {"strides": 2, "padding": "same"}, {"strides": (3, 2)}])
def test_conv2d_transpose(options):
    _forward(lambda tf, x: tf.layers.conv2d_transpose(x, 5, 3, activation=tf.nn.relu, **options), IMAGES)


@pytest.mark.parametrize("options", [{}, {"strides": 2, "padding": "same"}, {"depth_multiplier": 2}])
def test_separable_conv2d(options):
    _forward(lambda tf, x: tf.layers.separable_conv2d(x, 5, 3, activation=tf.nn.relu, **options), IMAGES)


@pytest.mark.parametrize("options", [{}, {"strides": 2, "padding": "same"}, {"depth_multiplier": 2}])
def test_separable_conv1d(options):
    _forward(lambda tf, x: tf.layers.separable_conv1d(x, 5, 3, **options), SERIES)


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("options", [{"strides": 2}, {"strides": 1, "padding": "same"}])
def test_pooling(kind, options):
    _forward(lambda tf, x: getattr(tf.layers, f"{kind}_pooling2d")(x, 3, **options), IMAGES)
    _forward(lambda tf, x: getattr(tf.layers, f"{kind}_pooling1d")(x, 3, **options), SERIES)
    _forward(lambda tf, x: getattr(tf.layers, f"{kind}_pooling3d")(x, 3, **options), VOLUMES)
    _forward(lambda tf, x: getattr(tf.layers, f"{kind}_pooling2d")(x, (2, 3), (1, 2), name="p"), IMAGES)


@pytest.mark.parametrize("layer", ["conv2d", "max_pooling2d", "batch_normalization", "flatten"])
def test_channels_first_is_channels_last_transposed(layer):
    """TensorFlow's CPU kernels know few of these, so minitf is compared with itself."""
    import minitf as tf

    first = np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2))
    arguments = {"conv2d": (5, 3), "max_pooling2d": (2, 2), "batch_normalization": (), "flatten": ()}[layer]

    def run(batch, **options):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(1)
            y = getattr(tf.layers, layer)(tf.constant(batch), *arguments, **options)
            session.run(tf.global_variables_initializer())
            return session.run(y)

    if layer == "batch_normalization":
        expected, actual = run(IMAGES, training=True), run(first, training=True, axis=1)
    else:
        expected, actual = run(IMAGES), run(first, data_format="channels_first")
    actual = actual.transpose(0, 2, 3, 1) if actual.ndim == 4 else actual
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_flatten():
    for batch in (ROWS, SERIES, IMAGES):
        _forward(lambda tf, x: tf.layers.flatten(x), batch)

    def program(tf):
        shapes = [[None], [None, 3], [2, None, 4], [None, None, 4], [2, 3, 4]]
        return {"shapes": [tf.layers.flatten(tf.placeholder(tf.float32, s)).shape.as_list() for s in shapes]}

    compare(program)


NORMALIZATIONS = {
    "plain": {},
    "training": {"training": True},
    "slow": {"training": True, "momentum": 0.9, "epsilon": 0.01},
    "bare": {"training": True, "center": False, "scale": False},
    "by steps": {"training": True, "fused": False},
    "by steps in use": {"fused": False},
}


@pytest.mark.parametrize("options", NORMALIZATIONS.values(), ids=NORMALIZATIONS)
@pytest.mark.parametrize("batch", [ROWS, SERIES, IMAGES], ids=["rows", "series", "images"])
def test_batch_normalization(options, batch):
    _forward(lambda tf, x: tf.layers.batch_normalization(x, **options), batch, initializers=False)


def test_batch_normalization_of_other_axes():
    for axis in (1, [1, 3], [1, 2, 3]):
        options = {"axis": axis, "training": True}
        if axis == 1:
            options["fused"] = False
        _forward(lambda tf, x: tf.layers.batch_normalization(x, **options), IMAGES, initializers=False)  # noqa: B023


@pytest.mark.parametrize("batch", [ROWS, IMAGES], ids=["rows", "images"])
def test_batch_normalization_told_when_it_runs(batch):
    def program(tf):
        x = tf.constant(batch)
        training = tf.placeholder_with_default(False, [])
        y = tf.layers.batch_normalization(x, training=training, momentum=0.5)
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        gradient = tf.gradients(y * y * batch, [x, *tf.trainable_variables()])
        results = []
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for now in (False, True, True, False):
                feeds = {training: now}
                results.append(session.run([y, gradient], feeds))
                session.run(updates, feeds)
                results.append(session.run(tf.global_variables()))
        return {"results": results, "updates": len(updates)}

    compare(program, TOLERANCE)


def test_training_a_normalized_network_with_its_updates():
    def program(tf):
        x, training = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.bool)
        hidden = tf.layers.dense(x, 8, kernel_initializer=tf.glorot_uniform_initializer(seed=1))
        hidden = tf.nn.relu(tf.layers.batch_normalization(hidden, training=training))
        outputs = tf.layers.dense(hidden, 1, kernel_initializer=tf.glorot_uniform_initializer(seed=2))
        loss = tf.losses.mean_squared_error(ROWS[:, :1] * ROWS[:, 1:2], outputs)
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        losses = []
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(20):
                losses.append(session.run([loss, step], {x: ROWS, training: True})[0])
            losses.append(session.run(loss, {x: ROWS, training: False}))
            weights = session.run(tf.global_variables())
        return {"losses": losses, "weights": weights}

    compare(program, TOLERANCE)


def test_dropout():
    def program(tf):
        x = tf.constant(IMAGES)
        training = tf.placeholder_with_default(False, [])
        outputs = [
            tf.layers.dropout(x),
            tf.layers.dropout(x, 0.4, seed=3, training=True),
            tf.layers.dropout(x, 0.4, noise_shape=[3, 1, 1, 4], seed=4, training=True),
            tf.layers.dropout(x, 0.4, noise_shape=[None, 1, 1, None], seed=4, training=True),
            tf.layers.dropout(x, 0.3, seed=5, training=training),
            tf.layers.dropout(x, 0.0, training=True),
        ]
        with tf.Session() as session:
            return {"outputs": session.run(outputs), "again": session.run(outputs, {training: True})}

    compare(program)


def test_names_and_reuse():
    def program(tf):
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        dense = tf.layers.Dense(3, activation=tf.nn.relu)
        names = [tf.layers.Dense(3).name, dense.name, tf.layers.Dense(3, name="foo").name]
        first, second = dense(x), dense(x)
        names += [first.name, second.name, dense.scope_name, [v.name for v in dense.weights]]
        shared = tf.layers.dense(x, 2, name="d"), tf.layers.dense(x, 2, name="d", reuse=True)
        again = tf.layers.dense(x, 2)
        names += [t.name for t in (*shared, again)]
        for scope in ("s", "s"):
            with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
                names += [tf.layers.dense(x, 7).name, tf.layers.dense(x, 7).name]
        conv = tf.layers.Conv2D(2, 3, name="c")
        names.append(conv.apply(tf.placeholder(tf.float32, [None, 5, 5, 1])).name)
        pools = [tf.layers.max_pooling2d(tf.ones([1, 4, 4, 1]), 2, 2) for _ in range(2)]
        names += [pool.name for pool in pools]
        return {
            "names": names,
            "variables": [v.name for v in tf.global_variables()],
            "built": [dense.built, conv.count_params(), dense.count_params()],
        }

    compare(program)


def test_errors():
    def program(tf):
        layers = tf.layers
        rows, images = (tf.placeholder(tf.float32, [None, *x.shape[1:]]) for x in (ROWS, IMAGES))
        layers.dense(rows, 2, name="d")
        return {
            "units": caught(lambda: layers.dense(rows, -2)),
            "argument": caught(lambda: layers.Dense(3, foo=3)),
            "exists": caught(lambda: layers.dense(rows, 2, name="d")),
            "shape": caught(lambda: layers.dense(images[0, 0, :, :3], 2, name="d", reuse=True)),
            "last size": caught(lambda: layers.dense(tf.placeholder(tf.float32, [None, None]), 3)),
            "no rank": caught(lambda: layers.dense(tf.placeholder(tf.float32), 3)),
            "integers": caught(lambda: layers.dense(tf.placeholder(tf.int32, [None, 3]), 3)),
            "kernel size": caught(lambda: layers.conv2d(images, 3, [3, 3, 3])),
            "format": caught(lambda: layers.conv2d(images, 3, 3, data_format="foo")),
            "strides": caught(lambda: layers.conv2d(images, 3, 3, strides=2, dilation_rate=2)),
            "rate": caught(lambda: layers.dropout(rows, 1.5)),
            "axis": caught(lambda: layers.batch_normalization(rows, axis=4)),
            "channels": caught(lambda: layers.conv2d(tf.placeholder(tf.float32, [None, 8, 8, None]), 3, 3)),
        }

    compare(program)
