"""What is measured. A workload is one function, written once and run under both engines.

A new one is a function `build(tf)` that sets things up and returns the step to time:

    @step("Matrix product", face="tf1")
    def matrix_product(tf):
        ...
        return lambda: sess.run(product)

`face` names the module that `build` is given (see FACES). What is no step (a start, a size) is a
function decorated with `whole`, which is given a `Run` and returns its figure itself.
"""

import contextlib
import importlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from benchmarks import measure


def _tensorflow_v1() -> ModuleType:
    tf = importlib.import_module("tensorflow.compat.v1")
    tf.disable_v2_behavior()
    return tf


# The module that a workload sees, per face and engine.
# Keras is Keras 2 on both sides: TensorFlow's is the package tf-keras, run by TensorFlow 2.
FACES: dict[str, dict[str, Callable[[], ModuleType]]] = {
    "tf1": {
        "minitf": lambda: importlib.import_module("minitf"),
        "tensorflow": _tensorflow_v1,
    },
    "keras": {
        "minitf": lambda: importlib.import_module("minitf.keras"),
        "tensorflow": lambda: importlib.import_module("tf_keras"),
    },
}


@dataclass(frozen=True)
class Run:
    """One run of a workload: by which engine, for how long, in a process started when."""

    engine: str
    seconds: float = 2.0  # to spend on timing steps
    started: float = 0.0  # time.time() when the process was started

    def load(self, face: str = "tf1") -> ModuleType:
        """Imports the engine and returns the module with that face."""
        return FACES[face][self.engine]()


@dataclass(frozen=True)
class Workload:
    """A thing to measure; `run` returns seconds or bytes, as `unit` says ("s" or "B")."""

    name: str
    title: str
    unit: str
    run: Callable[[Run], float]
    cold: bool = False  # start with an empty cache of compiled kernels
    fixed: bool = False  # the same every time, so that one round will do


WORKLOADS: dict[str, Workload] = {}


def whole(title: str, unit: str = "s", **options: bool):
    """Declares a workload that returns its own figure: `run(run: Run) -> float`."""

    def declare(run: Callable[[Run], float]) -> Callable[[Run], float]:
        WORKLOADS[run.__name__] = Workload(run.__name__, title, unit, run, **options)
        return run

    return declare


def step(title: str, face: str = "tf1", steps: int = 1):
    """Declares a workload that is timed again and again: `build(tf) -> step()`, which does `steps` steps."""

    def declare(build: Callable[[ModuleType], Callable[[], object]]):
        def run(run: Run) -> float:
            return measure.time_steps(build(run.load(face)), run.seconds) / steps

        WORKLOADS[build.__name__] = Workload(build.__name__, title, "s", run)
        return build

    return declare


# Small graphs: the cost of `sess.run` itself.


@step("Linear regression, one step")
def linear_regression(tf):
    """The lecture's first program: 100 points, two variables, gradient descent."""
    x_data = np.random.default_rng(0).random(100, np.float32)
    weights = tf.Variable(tf.random_uniform([1], -1.0, 1.0))
    biases = tf.Variable(tf.zeros([1]))
    loss = tf.reduce_mean(tf.square(weights * x_data + biases - (x_data * 0.1 + 0.3)))
    train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
    sess = _session(tf)
    return lambda: sess.run(train)


@step("Counter, one increment")
def counter(tf):
    """The lecture's counter: a variable, and an assignment of itself plus one."""
    state = tf.Variable(0, name="counter")
    update = tf.assign(state, tf.add(state, tf.constant(1)))
    sess = _session(tf)
    return lambda: sess.run(update)


# Networks on images of Fashion-MNIST's size, by sessions.


@step("MLP 784-256-10, batch 100, feed_dict")
def mlp(tf):
    """Two dense layers by gradient descent, fed with one-hot labels."""
    images, labels = tf.placeholder(tf.float32, [None, 784]), tf.placeholder(tf.float32, [None, 10])
    logits = _dense(tf, tf.nn.relu(_dense(tf, images, 256, "hidden")), 10, "scores")
    losses = tf.nn.softmax_cross_entropy_with_logits_v2(labels=labels, logits=logits)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_mean(losses))
    return _fed_step(tf, train, images, labels, _batches(100, one_hot=True))


@step("Seed MLP 784-128-10, batch 32, Adam")
def seed_mlp(tf):
    """The lecture's dense network."""
    images, labels = tf.placeholder(tf.float32, [None, 784]), tf.placeholder(tf.int64, [None])
    logits = _dense(tf, tf.nn.relu(_dense(tf, images, 128, "hidden")), 10, "scores")
    return _fed_step(tf, _adam(tf, labels, logits), images, labels, _batches(32))


@step("Seed CNN, two 64-filter convolutions, batch 32, Adam")
def seed_cnn(tf):
    """The lecture's network of two convolutions: 243,786 weights."""
    images, labels = tf.placeholder(tf.float32, [None, 784]), tf.placeholder(tf.int64, [None])
    hidden = tf.reshape(images, [-1, 28, 28, 1])
    hidden = _pooled(tf, _convolution(tf, hidden, 64, "conv1"))
    hidden = _pooled(tf, _convolution(tf, hidden, 64, "conv2"))
    hidden = tf.reshape(hidden, [-1, 5 * 5 * 64])
    logits = _dense(tf, tf.nn.relu(_dense(tf, hidden, 128, "hidden")), 10, "scores")
    return _fed_step(tf, _adam(tf, labels, logits), images, labels, _batches(32))


# The same networks by Keras: layers, `fit`, `evaluate` and `predict`.


def fit(title: str, **options: object):
    """Declares a workload that trains: `build(keras) -> (model, inputs, targets)`; see `_time_fit`."""

    def declare(build: Callable[[ModuleType], tuple]):
        def run(run: Run) -> float:
            return _time_fit(*build(run.load("keras")), run.seconds, **options)

        WORKLOADS[build.__name__] = Workload(build.__name__, title, "s", run)
        return build

    return declare


@fit("Keras MLP 784-128-10, batch 32, fit per step")
def keras_mlp_fit(keras):
    """The lecture's first Keras program, without a progress bar."""
    return _keras_mlp(keras), *_examples(3200)


@fit("Keras MLP 784-128-10, batch 32, fit per step, progress bar", verbose=1)
def keras_mlp_fit_bar(keras):
    """The same with a progress bar, which goes nowhere."""
    return _keras_mlp(keras), *_examples(3200)


@fit("Keras MLP 784-512-10, batch 32, fit per step")
def keras_wide_mlp_fit(keras):
    """The network of the lecture's callback."""
    return _keras_mlp(keras, 512), *_examples(3200)


@fit("Keras CNN, two 64-filter convolutions, batch 32, fit per step")
def keras_cnn_fit(keras):
    """The lecture's Keras network of two convolutions: 243,786 weights."""
    return _keras_cnn(keras), *_examples(640, (28, 28, 1))


@fit("Keras horse-or-human CNN 150x150x3, batch 32, RMSprop, fit per step")
def keras_horses_fit(keras):
    """Three convolutions and poolings, 512 units and one that decides."""
    layers = keras.layers
    stack = [layers.Conv2D(16, 3, activation="relu", input_shape=(150, 150, 3)), layers.MaxPooling2D()]
    for _ in range(2):
        stack += [layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(512, activation="relu"), layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential(stack)
    model.compile(keras.optimizers.RMSprop(0.001), "binary_crossentropy", metrics=["accuracy"])
    return model, *_examples(128, (150, 150, 3), classes=2)


@fit("Keras LSTM classifier 28x28, 128 units, batch 128, fit per step", batch_size=128)
def keras_lstm_fit(keras):
    """Images read row by row."""
    lstm = keras.layers.LSTM(128, input_shape=(28, 28))
    model = _compiled(keras.Sequential([lstm, keras.layers.Dense(10, activation="softmax")]))
    return model, *_examples(1280)


@step("Keras MLP 784-128-10, evaluate per step", face="keras", steps=100)
def keras_mlp_evaluate(keras):
    """Loss and accuracy of 100 batches of 32."""
    model, (images, labels) = _keras_mlp(keras), _examples(3200)
    return lambda: model.evaluate(images, labels, verbose=0)


@step("Keras CNN, evaluate per step", face="keras", steps=20)
def keras_cnn_evaluate(keras):
    """Loss and accuracy of 20 batches of 32."""
    model, (images, labels) = _keras_cnn(keras), _examples(640, (28, 28, 1))
    return lambda: model.evaluate(images, labels, verbose=0)


def _predictions(title: str, build: Callable, shape: tuple[int, ...], size: int) -> None:
    """Declares a workload that predicts the classes of `size` images in one call."""

    def predict(keras):
        model, (images, _) = build(keras), _examples(size, shape)
        return lambda: model.predict(images, verbose=0)

    predict.__name__ = f"{build.__name__[1:]}_predict_{size}"
    step(f"Keras {title}, predict, batch {size}", face="keras")(predict)


# Starts and sizes.


@whole("Import")
def import_time(run: Run) -> float:
    """The engine's import alone, files in the page cache."""
    start = time.perf_counter()
    run.load()
    return time.perf_counter() - start


@whole("Seed CNN, process start to first step, empty kernel cache", cold=True)
def cold_start(run: Run) -> float:
    """Interpreter, import, graph, compiling of kernels and one step."""
    return warm_start(run)


@whole("Seed CNN, process start to first step, kernels cached")
def warm_start(run: Run) -> float:
    """Interpreter, import, graph and one step."""
    seed_cnn(run.load())()
    return time.time() - run.started


@whole("Seed CNN, peak memory", unit="B")
def memory(run: Run) -> float:
    """The most resident memory of a process that does 50 steps."""
    train = seed_cnn(run.load())
    for _ in range(50):
        train()
    return measure.peak_memory()


@whole("Installed size, dependencies included", unit="B", fixed=True)
def size(run: Run) -> float:
    """The installed files of the engine and of all it requires."""
    return measure.installed_size(run.engine)


# Pieces.


def _session(tf):
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    return sess


def _dense(tf, inputs, units, name):
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", [inputs.shape[-1], units])
        bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
    return tf.matmul(inputs, kernel) + bias


def _convolution(tf, images, filters, name):
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", [3, 3, images.shape[-1], filters])
        bias = tf.get_variable("bias", [filters], initializer=tf.zeros_initializer())
    outputs = tf.nn.conv2d(images, kernel, strides=[1, 1, 1, 1], padding="VALID")
    return tf.nn.relu(tf.nn.bias_add(outputs, bias))


def _pooled(tf, images):
    return tf.nn.max_pool(images, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")


def _adam(tf, labels, logits):
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.train.AdamOptimizer().minimize(tf.reduce_mean(losses))


def _batches(size, one_hot=False, count=50):
    """Returns `count` batches of noise: images (size, 784) in [0, 1) and labels."""
    random = np.random.default_rng(0)
    images = random.random((count, size, 784), np.float32)
    labels = random.integers(10, size=(count, size))
    return list(zip(images, np.eye(10, dtype=np.float32)[labels] if one_hot else labels))


def _fed_step(tf, train, images, labels, batches):
    """Returns a step that feeds the next of `batches` each time."""
    sess = _session(tf)
    position = 0

    def step():
        nonlocal position
        fed_images, fed_labels = batches[position % len(batches)]
        position += 1
        sess.run(train, feed_dict={images: fed_images, labels: fed_labels})

    return step


def _time_fit(model, images, labels, seconds: float, batch_size: int = 32, verbose: int = 0) -> float:
    """Returns the median over epochs of the time per step, in seconds.

    The first epoch, which compiles, is not counted; at least 3 more are.
    """
    steps = len(images) // batch_size

    def epoch():
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            model.fit(images, labels, batch_size, epochs=1, verbose=verbose)

    epoch()
    return measure.time_steps(epoch, seconds, warm=1, least=3) / steps


def _keras_mlp(keras, units=128):
    layers = keras.layers
    return _compiled(keras.Sequential([
        layers.Flatten(input_shape=(28, 28)),
        layers.Dense(units, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]))  # fmt: skip


def _keras_cnn(keras):
    layers = keras.layers
    return _compiled(keras.Sequential([
        layers.Conv2D(64, 3, activation="relu", input_shape=(28, 28, 1)),
        layers.MaxPooling2D(2, 2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2, 2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]))  # fmt: skip


def _compiled(model):
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _examples(count, shape=(28, 28), classes=10):
    """Returns `count` images of noise in [0, 1) and their labels."""
    random = np.random.default_rng(0)
    return random.random((count, *shape), np.float32), random.integers(classes, size=count)


for _size in (32, 1):
    _predictions("MLP 784-128-10", _keras_mlp, (28, 28), _size)
    _predictions("CNN", _keras_cnn, (28, 28, 1), _size)
