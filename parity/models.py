"""Models in TF1 style, each built by the same source from minitf or from TensorFlow.

A builder is called as `build(tf, dtype)` inside a fresh graph and returns a `Model`; `batch(rng)` makes the
data of one step. Initial weights are set from outside.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Batch = dict[str, np.ndarray]


@dataclass
class Model:
    """What a builder returns: what to feed, what to look at, and the op that trains."""

    feeds: dict[str, Any]
    outputs: dict[str, Any]
    loss: Any
    train: Any


@dataclass(frozen=True)
class ModelCase:
    """A model and its data. `steps` are trained; `dtypes` says in which precisions it is compared.

    Where a tolerance is set, `reason` says why the usual one would not do.
    """

    name: str
    build: Callable[[Any, str], Model]
    batch: Callable[[np.random.Generator], Batch]
    steps: int = 20
    dtypes: tuple[str, ...] = ("float32", "float64")
    # Standard deviation of the initial weights.
    scale: float = 0.3
    tolerances: dict[str, float] = field(default_factory=dict)
    reason: str = ""


_FLOAT32_LOSSES = {
    "tolerances": {"losses": 1e-6},
    "reason": "tf.losses adds up in float32, whatever the precision of the logits",
}

MODELS: dict[str, ModelCase] = {}


def model(name: str, batch: Callable, **options: Any) -> Callable:
    """Registers a builder under `name`."""

    def declare(build: Callable) -> Callable:
        MODELS[name] = ModelCase(name, build, batch, **options)
        return build

    return declare


def _weight(tf, dtype, shape, name):
    return tf.Variable(np.zeros(shape, dtype), name=name)


def _placeholders(tf, dtype, **shapes):
    return {name: tf.placeholder(dtype, shape, name=name) for name, shape in shapes.items()}


# --- data --------------------------------------------------------------------------------------------


def line(rng):
    """Points on a line, with noise."""
    x = rng.uniform(0, 1, 32)
    return {"x": x, "y": 3 * x + 2 + rng.normal(0, 0.05, 32)}


def curve(rng):
    """A parabola with noise, 50 points."""
    x = np.linspace(-1, 1, 50)[:, None]
    return {"x": x, "y": x**2 - 0.5 + rng.normal(0, 0.05, x.shape)}


def digits(rng, count=100):
    """Vectors of 784 pixels and one-hot labels."""
    return {"x": rng.uniform(0, 1, (count, 784)), "y": np.eye(10)[rng.integers(0, 10, count)]}


def images(rng, count=8, size=12):
    """Small images with one channel, and labels as integers."""
    return {"x": rng.uniform(0, 1, (count, size, size, 1)), "y": rng.integers(0, 10, count)}


def words(rng, count=16, length=6):
    """Sequences of word numbers, some of them repeated, and a binary label."""
    return {"x": rng.integers(0, 30, (count, length)), "y": rng.integers(0, 2, (count, 1))}


# --- models ------------------------------------------------------------------------------------------


@model("linear regression", line)
def linear_regression(tf, dtype):
    """y = W * x + b by gradient descent."""
    feeds = _placeholders(tf, dtype, x=[None], y=[None])
    w, b = _weight(tf, dtype, [1], "W"), _weight(tf, dtype, [1], "b")
    y = w * feeds["x"] + b
    loss = tf.reduce_mean(tf.square(y - feeds["y"]))
    train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    return Model(feeds, {"y": y}, loss, train)


@model("softmax regression", digits)
def softmax_regression(tf, dtype):
    """One layer, the cross-entropy written out as the old tutorials do."""
    feeds = _placeholders(tf, dtype, x=[None, 784], y=[None, 10])
    w, b = _weight(tf, dtype, [784, 10], "W"), _weight(tf, dtype, [10], "b")
    y = tf.nn.softmax(tf.matmul(feeds["x"], w) + b)
    loss = tf.reduce_mean(-tf.reduce_sum(feeds["y"] * tf.log(y), reduction_indices=[1]))
    train = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
    return Model(feeds, {"y": y}, loss, train)


@model("MLP 784-256-10", digits, scale=0.05)
def mlp(tf, dtype):
    """Two dense layers, fed in batches of 100, with an accuracy beside the loss."""
    feeds = _placeholders(tf, dtype, x=[None, 784], y=[None, 10])
    w1, b1 = _weight(tf, dtype, [784, 256], "w1"), _weight(tf, dtype, [256], "b1")
    w2, b2 = _weight(tf, dtype, [256, 10], "w2"), _weight(tf, dtype, [10], "b2")
    hidden = tf.nn.relu(tf.matmul(feeds["x"], w1) + b1)
    logits = tf.matmul(hidden, w2) + b2
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=feeds["y"], logits=logits))
    right = tf.equal(tf.argmax(logits, 1), tf.argmax(feeds["y"], 1))
    accuracy = tf.reduce_mean(tf.cast(right, dtype))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    return Model(feeds, {"logits": logits, "hidden": hidden, "accuracy": accuracy}, loss, train)


@model("add_layer curve fit", curve)
def add_layer_curve(tf, dtype):
    """The curve fit of the lecture notes: 1-10-1 with relu."""

    def add_layer(inputs, in_size, out_size, activation=None):
        weights = _weight(tf, dtype, [in_size, out_size], "W")
        biases = _weight(tf, dtype, [1, out_size], "b")
        product = tf.matmul(inputs, weights) + biases
        return product if activation is None else activation(product)

    feeds = _placeholders(tf, dtype, x=[None, 1], y=[None, 1])
    hidden = add_layer(feeds["x"], 1, 10, tf.nn.relu)
    prediction = add_layer(hidden, 10, 1)
    loss = tf.reduce_mean(tf.reduce_sum(tf.square(feeds["y"] - prediction), reduction_indices=[1]))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    return Model(feeds, {"prediction": prediction}, loss, train)


@model("two-conv CNN", images)
def cnn(tf, dtype):
    """Convolutions and pools of tf.nn, a dense layer, Adam."""
    feeds = _placeholders(tf, dtype, x=[None, 12, 12, 1])
    feeds["y"] = tf.placeholder(tf.int64, [None], name="y")
    x = feeds["x"]
    for i, (channels, filters) in enumerate([(1, 8), (8, 16)], 1):
        kernel, bias = (
            _weight(tf, dtype, [5, 5, channels, filters], f"k{i}"),
            _weight(tf, dtype, [filters], f"b{i}"),
        )
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME") + bias)
        x = tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    flat = tf.reshape(x, [-1, 3 * 3 * 16])
    logits = tf.matmul(flat, _weight(tf, dtype, [144, 10], "w")) + _weight(tf, dtype, [10], "b")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=feeds["y"], logits=logits))
    train = tf.train.AdamOptimizer(1e-3).minimize(loss)
    return Model(feeds, {"pooled": x, "logits": logits}, loss, train)


@model("CNN of tf.layers", images, **_FLOAT32_LOSSES)
def layers_cnn(tf, dtype):
    """The same of tf.layers and tf.losses, with dropout switched off by a placeholder."""
    feeds = _placeholders(tf, dtype, x=[None, 12, 12, 1])
    feeds["y"] = tf.placeholder(tf.int32, [None], name="y")
    x = tf.layers.conv2d(feeds["x"], 8, 3, activation=tf.nn.relu, padding="same")
    x = tf.layers.max_pooling2d(x, 2, 2)
    x = tf.layers.conv2d(x, 8, [3, 3], strides=2, activation=tf.nn.elu, name="second")
    x = tf.layers.average_pooling2d(x, 2, 1)
    x = tf.layers.dropout(tf.layers.flatten(x), 0.4, training=False)
    logits = tf.layers.dense(x, 10)
    loss = tf.losses.sparse_softmax_cross_entropy(labels=feeds["y"], logits=logits)
    train = tf.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
    return Model(feeds, {"logits": logits}, loss, train)


@model("deep tanh net", curve, scale=0.6)
def deep(tf, dtype):
    """Ten layers of tanh."""
    feeds = _placeholders(tf, dtype, x=[None, 1], y=[None, 1])
    x, size = feeds["x"], 1
    for i in range(10):
        x = tf.tanh(tf.matmul(x, _weight(tf, dtype, [size, 8], f"w{i}")) + _weight(tf, dtype, [8], f"b{i}"))
        size = 8
    y = tf.matmul(x, _weight(tf, dtype, [8, 1], "w"))
    loss = tf.reduce_mean(tf.squared_difference(y, feeds["y"]))
    train = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
    return Model(feeds, {"y": y}, loss, train)


@model("embedding", words)
def embedding(tf, dtype):
    """Word vectors, averaged: their gradient is non-zero in a few rows, with repeated indices."""
    feeds = {"x": tf.placeholder(tf.int32, [None, 6], name="x"), **_placeholders(tf, dtype, y=[None, 1])}
    table = _weight(tf, dtype, [30, 5], "table")
    mean = tf.reduce_mean(tf.nn.embedding_lookup(table, feeds["x"]), axis=1)
    logits = tf.matmul(mean, _weight(tf, dtype, [5, 1], "w")) + _weight(tf, dtype, [1], "b")
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=feeds["y"], logits=logits))
    train = tf.train.AdamOptimizer(0.05).minimize(loss)
    return Model(feeds, {"mean": mean, "logits": logits}, loss, train)


@model("batch normalization", digits, scale=0.05, **_FLOAT32_LOSSES)
def batch_norm(tf, dtype):
    """A dense net with batch normalisation, its moving averages updated beside each step."""
    feeds = _placeholders(tf, dtype, x=[None, 784], y=[None, 10])
    x = tf.layers.dense(feeds["x"], 16, use_bias=False)
    x = tf.nn.relu(tf.layers.batch_normalization(x, training=True, momentum=0.9))
    logits = tf.layers.dense(x, 10)
    loss = tf.losses.softmax_cross_entropy(feeds["y"], logits)
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    return Model(feeds, {"logits": logits}, loss, train)


@model("gradient penalty", curve)
def gradient_penalty(tf, dtype):
    """A loss that holds a gradient: second-order derivatives in training."""
    feeds = _placeholders(tf, dtype, x=[None, 1], y=[None, 1])
    hidden = tf.nn.softplus(
        tf.matmul(feeds["x"], _weight(tf, dtype, [1, 8], "w1")) + _weight(tf, dtype, [8], "b")
    )
    y = tf.matmul(hidden, _weight(tf, dtype, [8, 1], "w2"))
    (slope,) = tf.gradients(y, feeds["x"])
    loss = tf.reduce_mean(tf.square(y - feeds["y"])) + 0.1 * tf.reduce_mean(tf.square(slope))
    train = tf.train.GradientDescentOptimizer(0.05).minimize(loss)
    return Model(feeds, {"y": y, "slope": slope}, loss, train)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "GradientDescent": lambda train: train.GradientDescentOptimizer(0.1),
    "Momentum": lambda train: train.MomentumOptimizer(0.05, 0.9),
    "Nesterov": lambda train: train.MomentumOptimizer(0.05, 0.9, use_nesterov=True),
    "Adagrad": lambda train: train.AdagradOptimizer(0.1),
    "Adadelta": lambda train: train.AdadeltaOptimizer(1.0, rho=0.9),
    "Adam": lambda train: train.AdamOptimizer(0.01),
    "RMSProp": lambda train: train.RMSPropOptimizer(0.01, momentum=0.5),
    "centered RMSProp": lambda train: train.RMSPropOptimizer(0.01, centered=True),
    "Ftrl": lambda train: train.FtrlOptimizer(0.1, l1_regularization_strength=0.001),
}


def _optimized(make):
    def build(tf, dtype):
        feeds = {"x": tf.placeholder(tf.int32, [None, 6], name="x"), **_placeholders(tf, dtype, y=[None, 1])}
        table = _weight(tf, dtype, [30, 4], "table")
        mean = tf.reduce_mean(tf.gather(table, feeds["x"]), axis=1)
        hidden = tf.tanh(tf.matmul(mean, _weight(tf, dtype, [4, 6], "w1")) + _weight(tf, dtype, [6], "b1"))
        y = tf.matmul(hidden, _weight(tf, dtype, [6, 1], "w2"))
        loss = tf.reduce_mean(tf.square(y - feeds["y"]))
        step = tf.train.get_or_create_global_step()
        train = make(tf.train).minimize(loss, global_step=step)
        return Model(feeds, {"y": y}, loss, train)

    return build


for _name, _make in OPTIMIZERS.items():
    MODELS[f"optimizer {_name}"] = ModelCase(f"optimizer {_name}", _optimized(_make), words, steps=25)
