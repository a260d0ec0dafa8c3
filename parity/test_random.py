"""Seeded programs draw TensorFlow's own numbers, run after run, under TensorFlow's own names."""

import numpy as np
import pytest
import tensorflow as tensorflow_2

import minitf

TF = {"minitf": minitf, "tensorflow": tensorflow_2.compat.v1}

# NumPy's float64 logarithms and sines, and the C library's float32 ones, differ in the last place.
ULPS = {"normal float64": 4, "gamma float64": 8, "log-uniform classes": 2}
TRUE_CLASSES = np.array([[0, 3], [2, 1], [4, 4]], np.int64)


def program(tf):
    """One of everything that draws, in one graph, so that op seeds are numbered alike."""
    logits = np.array([[0.0, 1.0, 2.0], [5.0, 1.0, 1.0]], np.float32)
    grid = np.arange(40.0).reshape(8, 5)
    samplers = tf.random
    return {
        "uniform": tf.random_uniform([33, 5]),
        "uniform between": tf.random_uniform([33, 5], -2.0, 3.0),
        "uniform float64": tf.random_uniform([7], -2.0, 3.0, dtype=tf.float64),
        "uniform float16": tf.random_uniform([7], maxval=3.0, dtype=tf.float16),
        "integers": tf.random_uniform([9], -20, 30, dtype=tf.int32),
        "long integers": tf.random_uniform([9], -20, 2**40, dtype=tf.int64, seed=5),
        "normal": tf.random_normal([33, 5], 1.0, 2.0),
        "normal float64": tf.random_normal([33], 1.0, 2.0, dtype=tf.float64),
        "truncated normal": tf.truncated_normal([129], stddev=0.1),
        "shuffled": tf.random_shuffle(grid, seed=9),
        "classes": tf.multinomial(logits, 20),
        "categorical": tf.random.categorical(logits, 20, dtype=tf.int32),
        "gamma": tf.random_gamma([4], [0.5, 2.0], [[1.0], [2.0]]),
        "gamma float64": tf.random_gamma([4], [0.5, 2.0], dtype=tf.float64),
        "poisson": tf.random_poisson([0.5, 20.0], [4]),
        "crop": tf.random_crop(grid, [3, 2]),
        "stateless": tf.random.stateless_uniform([5], [1, 2], -1.0, 1.0),
        "stateless normal": tf.random.stateless_normal([5], [1, 2]),
        "uniform classes": samplers.uniform_candidate_sampler(TRUE_CLASSES, 2, 4, True, 10),
        "log-uniform classes": samplers.log_uniform_candidate_sampler(TRUE_CLASSES, 2, 4, True, 10),
        "learned classes": samplers.learned_unigram_candidate_sampler(TRUE_CLASSES, 2, 4, False, 10),
        "initial": tf.Variable(tf.truncated_normal([20], stddev=0.1), name="weights").initial_value,
    }


def run(tf, seed, runs=3):
    """The values of several runs of one session, and the names of what was fetched."""
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(seed)
        fetches = {name: tuple(x) if isinstance(x, list | tuple) else (x,) for name, x in program(tf).items()}
        names = {name: [t.name for t in tensors] for name, tensors in fetches.items()}
        with tf.Session(graph=graph) as session:
            return [session.run(fetches) for _ in range(runs)], names


@pytest.mark.parametrize("seed", [0, 1, 1234, 2**31 - 1, -7])
def test_seeded_programs(seed):
    (ours, our_names), (theirs, their_names) = (run(tf, seed) for tf in TF.values())
    assert our_names == their_names
    for number, (mine, reference) in enumerate(zip(ours, theirs, strict=True)):
        for name, values in reference.items():
            for a, b in zip(mine[name], values, strict=True):
                what = f"{name}, run {number}"
                assert (a.shape, a.dtype) == (b.shape, b.dtype), what
                if name in ULPS and a.dtype.kind == "f":
                    np.testing.assert_array_max_ulp(a, b, ULPS[name])
                else:
                    np.testing.assert_array_equal(a, b, err_msg=what)


@pytest.mark.parametrize("op_seed", [0, 1, 42, -3, 2**31 + 5])
def test_op_seed_alone(op_seed):
    values = []
    for tf in TF.values():
        with tf.Graph().as_default(), tf.Session() as session:
            tf.random_uniform([3])  # takes no number, as the graph has no seed
            values.append(session.run(tf.random_normal([50], seed=op_seed)))
    np.testing.assert_array_equal(*values)


def test_initializers_of_a_network_begin_as_tensorflow_does():
    values = []
    for tf in TF.values():
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(3)
            weights = tf.get_variable("w", [30, 20], initializer=tf.truncated_normal_initializer(stddev=0.1))
            other = tf.get_variable("v", [30, 20])  # Glorot uniform
            drawn = tf.Variable(tf.random_normal([30, 20], stddev=0.35))
            session.run(tf.global_variables_initializer())
            values.append(session.run([weights, other, drawn]))
    for mine, reference in zip(*values, strict=True):
        np.testing.assert_array_equal(mine, reference)
