"""`python -m minitf warmup`: compiles the kernels ahead of time, so that later programs start warm."""

import argparse
import time
from collections.abc import Callable

import numpy as np

import minitf as tf
from minitf.kernels import cache


def _dense(dtype: str) -> tuple[tf.Tensor, dict]:
    """A network large enough to leave NumPy for compiled products."""
    x = tf.placeholder(dtype, [None, 784])
    hidden = tf.nn.relu(tf.matmul(x, _weights(dtype, 784, 256)) + _weights(dtype, 256))
    logits = tf.matmul(hidden, _weights(dtype, 256, 10)) + _weights(dtype, 10)
    labels = tf.constant(np.zeros(128, np.int64))
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return tf.reduce_mean(loss), {x: np.zeros((128, 784))}


def _convolutional(dtype: str) -> tuple[tf.Tensor, dict]:
    """Convolutions, pooling and normalisation of images."""
    x = tf.placeholder(dtype, [None, 28, 28, 1])
    image = x
    for channels in ((1, 64), (64, 64)):
        image = tf.nn.conv2d(image, _weights(dtype, 3, 3, *channels), [1, 1, 1, 1], "VALID")
        image = tf.nn.relu(tf.nn.bias_add(image, _weights(dtype, channels[1])))
        image = tf.nn.max_pool(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    return tf.reduce_sum(tf.square(image)), {x: np.zeros((32, 28, 28, 1))}


def _weights(dtype: str, *shape: int) -> tf.Variable:
    return tf.Variable(np.full(shape, 0.01, dtype))


_NETWORKS: dict[str, Callable[[str], tuple[tf.Tensor, dict]]] = {
    "dense": _dense,
    "convolutional": _convolutional,
}
_OPTIMIZERS = {
    "gradient descent": lambda: tf.train.GradientDescentOptimizer(0.1),
    "momentum": lambda: tf.train.MomentumOptimizer(0.1, 0.9),
    "Adam": lambda: tf.train.AdamOptimizer(),
    "RMSProp": lambda: tf.train.RMSPropOptimizer(0.1),
}


def warmup(dtype: str) -> None:
    """Runs a step of small networks with the usual optimizers, which compiles and keeps their kernels."""
    for name, network in _NETWORKS.items():
        for optimizer_name, optimizer in _OPTIMIZERS.items():
            start = time.perf_counter()
            with tf.Graph().as_default(), tf.Session() as session:
                loss, feeds = network(dtype)
                train = optimizer().minimize(loss)
                session.run(tf.global_variables_initializer())
                session.run(train, feeds)
            print(f"{name} network, {optimizer_name}: {time.perf_counter() - start:.1f} s", flush=True)
    print(f"compiled kernels are kept in {cache.cache_folder()}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m minitf", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("warmup", help="compile the kernels of common networks and keep them")
    command.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    warmup(parser.parse_args().dtype)


if __name__ == "__main__":
    main()
