import numpy as np
import pytest

import minitf as tf


def drawn(initializer, shape, dtype=None, seed=None):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        return session.run(initializer(shape, dtype))


# What TensorFlow 2.21 draws first with the graph seed 7 and the op seed 5.
UNIFORM = [0.7338621616363525, -0.9956648349761963, 0.8389039039611816, -0.14780497550964355]
TRUNCATED = [0.028778786151244396, -0.0225020862598186, 0.037136489270232845, 0.10506343707477168]


def test_constants():
    assert drawn(tf.zeros_initializer(), [2]).tolist() == [0, 0]
    assert drawn(tf.ones_initializer(), [2], tf.bool).tolist() == [True, True]
    assert drawn(tf.constant_initializer(2.5), [2]).tolist() == [2.5, 2.5]
    assert drawn(tf.constant_initializer([1, 2]), [2, 2]).tolist() == [[1, 2], [2, 2]]
    assert drawn(tf.constant_initializer(np.arange(4)), [2, 2], tf.int64).tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: tf.constant_initializer(object()),
            TypeError,
            "Invalid type for initial value=.* of type: object",
        ),
        (lambda: tf.constant_initializer([1, 2, 3])([2]), ValueError, "Too many elements provided"),
        (lambda: tf.constant_initializer([1], verify_shape=True)([2]), TypeError, "Expected Tensor's shape"),
        (lambda: tf.random_normal_initializer(dtype=tf.int32), ValueError, "expected to be floating point"),
        (lambda: tf.variance_scaling_initializer(scale=0.0), ValueError, "`scale` must be a positive float"),
        (lambda: tf.variance_scaling_initializer(mode="x"), ValueError, "`mode` should be one of"),
        (
            lambda: tf.variance_scaling_initializer(distribution="x"),
            ValueError,
            "`distribution` should be one of",
        ),
        (
            lambda: tf.orthogonal_initializer()([3]),
            ValueError,
            r"at least two-dimensional. Received shape=\[3\]",
        ),
        (lambda: tf.initializers.identity()([2, 2, 2]), ValueError, "has two dimensions"),
        (lambda: tf.initializers.Initializer()([2]), NotImplementedError, "^$"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


SHAPE = [20, 30]  # fan in 20, fan out 30


@pytest.mark.parametrize(
    ("initializer", "limit", "deviation"),
    [
        (tf.glorot_uniform_initializer(1), (6 / 50) ** 0.5, (2 / 50) ** 0.5),
        (tf.initializers.he_uniform(1), (6 / 20) ** 0.5, (2 / 20) ** 0.5),
        (tf.initializers.lecun_uniform(1), (3 / 20) ** 0.5, (1 / 20) ** 0.5),
        (tf.uniform_unit_scaling_initializer(1.43, 1), 1.43 * (3 / 20) ** 0.5, 1.43 * (1 / 20) ** 0.5),
        (tf.variance_scaling_initializer(1.0, "fan_out", "uniform", 1), (3 / 30) ** 0.5, (1 / 30) ** 0.5),
        (tf.random_uniform_initializer(-2, 2, 1), 2, 4 / 12**0.5),
        (tf.glorot_normal_initializer(1), 2.28 * (2 / 50) ** 0.5, (2 / 50) ** 0.5),
        (tf.initializers.he_normal(1), 2.28 * (2 / 20) ** 0.5, (2 / 20) ** 0.5),
        (tf.initializers.lecun_normal(1), 2.28 * (1 / 20) ** 0.5, (1 / 20) ** 0.5),
        (tf.truncated_normal_initializer(0, 0.1, 1), 0.2, 0.088),
        (tf.random_normal_initializer(0, 3, 1), np.inf, 3),
    ],
)  # fmt: skip
def test_range_and_deviation(initializer, limit, deviation):
    x = drawn(initializer, SHAPE)
    assert np.abs(x).max() <= limit * (1 + 1e-6)
    assert x.std() == pytest.approx(deviation, rel=0.08)
    assert abs(x.mean()) < 4 * deviation / x.size**0.5


def test_a_receptive_field_counts_in_both_fans():
    x = drawn(tf.glorot_uniform_initializer(1), [3, 3, 4, 5])
    assert 0.95 * (6 / (36 + 45)) ** 0.5 < np.abs(x).max() < (6 / (36 + 45)) ** 0.5


def test_the_numbers_that_tensorflow_draws():
    tf.set_random_seed(7)
    v = tf.get_variable("v", [3, 4], initializer=tf.random_uniform_initializer(-1, 1, seed=5))
    w = tf.get_variable("w", [3, 4], tf.float64, tf.truncated_normal_initializer(stddev=0.1, seed=5))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        first = session.run([v[0], w[0]])
    np.testing.assert_array_equal(first[0], np.float32(UNIFORM))
    np.testing.assert_allclose(first[1], TRUNCATED, rtol=1e-15)


def test_seeds():
    one, other = tf.glorot_uniform_initializer(seed=1), tf.glorot_uniform_initializer()
    assert (drawn(one, [4]) == drawn(one, [4])).all()
    assert (drawn(other, [4], seed=9) == drawn(other, [4], seed=9)).all()
    assert (drawn(other, [4], seed=9) != drawn(other, [4], seed=8)).any()


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (2, 2, 3, 4)])
def test_orthogonal(shape):
    q = drawn(tf.orthogonal_initializer(2.0, seed=1), shape, tf.float64).reshape(-1, shape[-1])
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, 4 * np.eye(min(q.shape)), atol=1e-12)


def test_identity():
    assert drawn(tf.initializers.identity(2.0), [2, 3]).tolist() == [[2, 0, 0], [0, 2, 0]]


def test_configs_make_equal_initializers():
    for initializer in (
        tf.random_normal_initializer(1.0, 2.0, 3),
        tf.variance_scaling_initializer(2.0, "fan_out", "uniform", 5),
        tf.glorot_normal_initializer(4),
        tf.constant_initializer(3.0),
        tf.orthogonal_initializer(2.0, 1),
    ):
        again = type(initializer).from_config(initializer.get_config())
        assert again.get_config() == initializer.get_config()
        assert (drawn(again, [3, 3]) == drawn(initializer, [3, 3])).all()
    assert tf.random_normal_initializer(1.0, 2.0, 3).get_config() == {
        "mean": 1.0, "stddev": 2.0, "seed": 3, "dtype": "float32"
    }  # fmt: skip


def test_of_a_part_the_whole_gives_the_scale():
    class Part:
        full_shape = [100, 100]

    x = drawn(lambda shape, _: tf.glorot_uniform_initializer(1)(shape, partition_info=Part), [4, 4])
    assert np.abs(x).max() <= (6 / 200) ** 0.5
