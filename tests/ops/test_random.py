"""Random ops: whose seeds they use, what their functions build, and what they refuse."""

import numpy as np
import pytest

import minitf as tf
from minitf.ops.random_seed import get_seed

LARGEST = 2**31 - 1


@pytest.mark.parametrize(
    ("graph_seed", "op_seed", "expected"),
    [
        (None, None, (None, None)),
        (None, 7, (87654321, 7)),
        (3, 7, (3, 7)),
        (0, 0, (0, LARGEST)),
        (LARGEST, 0, (0, LARGEST)),
        (LARGEST + 5, LARGEST + 2, (5, 2)),
        (-1, 1, (LARGEST - 1, 1)),
    ],
)
def test_seed_pairs(graph_seed, op_seed, expected):
    with tf.Graph().as_default():
        tf.set_random_seed(graph_seed)
        assert get_seed(op_seed) == expected


def test_ops_are_numbered_only_where_the_graph_seed_asks_for_it():
    with tf.Graph().as_default() as graph:
        tf.random_uniform([1])
        tf.random_uniform([1], seed=9)
        tf.set_random_seed(5)
        tf.random_uniform([1], seed=9)
        drawn = [tf.random_normal([1]), tf.random_shuffle([1, 2])]
        assert [get_seed(None), get_seed(None)] == [(5, 2), (5, 3)]
        seeds = [
            graph.get_operation_by_name(n).attrs["seed2"] for n in ("random_normal/RandomStandardNormal",)
        ]
        assert seeds == [0]
        assert drawn[1].op.attrs["seed2"] == 1


def test_every_session_begins_anew_and_every_run_goes_on():
    with tf.Graph().as_default() as graph:
        x = tf.random_normal([5], seed=1)
        runs = []
        for _ in range(2):
            with tf.Session(graph=graph) as session:
                runs.append([session.run(x) for _ in range(2)])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0][0], runs[0][1])


def test_without_seeds_sessions_differ():
    with tf.Graph().as_default() as graph:
        x = tf.random_uniform([20])
        with tf.Session(graph=graph) as first, tf.Session(graph=graph) as second:
            assert not np.array_equal(first.run(x), second.run(x))


def test_tensorflow_draws_these_numbers():
    """Printed by TensorFlow 2.21 for the same program."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        uniform, normal = tf.random_uniform([2]), tf.random_normal([2], mean=1.0)
        integers = tf.random_uniform([3], 0, 100, dtype=tf.int32, seed=4)
        got = session.run([uniform, normal, integers])
    np.testing.assert_array_equal(got[0], np.array([0.8126964569091797, 0.07857465744018555], np.float32))
    np.testing.assert_allclose(
        got[1], np.array([1.2818338871002197, 3.3878283500671387], np.float32), rtol=2e-7
    )
    assert got[2].tolist() == [56, 13, 25]


def test_bounds_moments_and_dtypes():
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        uniform, normal, truncated, double = session.run(
            [
                tf.random_uniform([20000], -2.0, 3.0),
                tf.random_normal([20000], 5.0, 2.0),
                tf.truncated_normal([20000], 1.0, 0.5),
                tf.random_uniform([3], dtype=tf.float64),
            ]
        )
    assert -2 <= uniform.min() < -1.99 and 2.99 < uniform.max() < 3
    assert abs(uniform.mean() - 0.5) < 0.05
    assert abs(normal.mean() - 5) < 0.05 and abs(normal.std() - 2) < 0.05
    assert truncated.min() >= 0 and truncated.max() <= 2
    assert double.dtype == np.float64


def test_stddev_and_mean_broadcast_and_carry_gradients():
    with tf.Graph().as_default(), tf.Session() as session:
        mean, stddev = tf.constant([[1.0], [2.0]]), tf.constant([0.0, 1.0, 2.0])
        x = tf.random_normal([2, 3], mean, stddev, seed=3)
        to_mean, to_stddev = tf.gradients(x, [mean, stddev])
        value, a, b = session.run([x, to_mean, to_stddev])
    assert value[:, 0].tolist() == [1, 2]
    assert a.tolist() == [[3], [3]]
    np.testing.assert_allclose(b[1:], ((value - [[1], [2]]) / [1, 1, 2]).sum(0)[1:], rtol=1e-5)


def test_shuffle_keeps_rows_together():
    rows = np.arange(20).reshape(10, 2)
    with tf.Graph().as_default(), tf.Session() as session:
        shuffled = session.run(tf.random_shuffle(rows, seed=1))
    assert shuffled.tolist() != rows.tolist()
    assert sorted(shuffled.tolist()) == rows.tolist()


def test_crop_is_a_box_of_the_value_and_must_fit():
    value = np.arange(30).reshape(5, 6)
    with tf.Graph().as_default(), tf.Session() as session:
        box = session.run(tf.random_crop(value, [2, 3], seed=1))
        assert box.shape == (2, 3)
        row, column = divmod(int(box[0, 0]), 6)
        np.testing.assert_array_equal(box, value[row : row + 2, column : column + 3])
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"Need value.shape >= size, got \] \[5 6\] \[6 3\]"
        ):
            session.run(tf.random_crop(value, [6, 3]))


def test_classes_of_no_probability_are_never_drawn():
    logits = np.log(np.array([[0.0, 0.25, 0.75], [1.0, 0.0, 0.0]], np.float32) + 1e-30)
    with tf.Graph().as_default(), tf.Session() as session:
        drawn = session.run(tf.multinomial(logits, 2000, seed=1))
    assert set(drawn[0]) == {1, 2} and set(drawn[1]) == {0}
    assert abs((drawn[0] == 2).mean() - 0.75) < 0.03
    assert drawn.dtype == np.int64


def test_gamma_gradient_is_that_of_the_mean():
    """The mean of a gamma variate is alpha / beta."""
    with tf.Graph().as_default(), tf.Session() as session:
        alpha, beta = tf.constant(3.0, tf.float64), tf.constant(2.0, tf.float64)
        mean = tf.reduce_mean(tf.random_gamma([40000], alpha, beta, tf.float64, seed=1))
        to_alpha, to_beta = session.run(tf.gradients(mean, [alpha, beta]))
    assert abs(to_alpha - 1 / 2) < 0.01
    assert abs(to_beta + 3 / 4) < 0.01


def test_stateless_draws_depend_on_the_seed_alone():
    with tf.Graph().as_default(), tf.Session() as session:
        seed = tf.placeholder(tf.int32, [2])
        x = tf.random.stateless_uniform([3], seed)
        first, again, other = (session.run(x, {seed: s}) for s in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_refusals():
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Must specify maxval for integer dtype tf.int32"):
            tf.random_uniform([2], dtype=tf.int32)
        with pytest.raises(ValueError, match="Argument `dtype` got invalid value <dtype: 'int8'>"):
            tf.random_uniform([2], maxval=3, dtype=tf.int8)
        with pytest.raises(TypeError, match="Expected int32, but got 0.0 of type 'float'"):
            tf.random_normal([2], dtype=tf.int32)
        with pytest.raises(ValueError, match="Shape must be rank 1 but is rank 0"):
            tf.random_uniform(3)
        with pytest.raises(ValueError, match="Shape must be rank 2 but is rank 1"):
            tf.multinomial([1.0, 2.0], 3)
        with pytest.raises(ValueError, match="Dimension must be 2 but is 3"):
            tf.random.stateless_uniform([2], [1, 2, 3])
        with pytest.raises(NotImplementedError, match="alg='threefry'"):
            tf.random.stateless_uniform([2], [1, 2], alg="threefry")
        with pytest.raises(ValueError, match="both None or not None"):
            tf.random.stateless_uniform([2], [1, 2], minval=None, maxval=3, dtype=tf.int32)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: tf.random_uniform(tf.placeholder_with_default([-1], [1])), "Dimension -1 must be >= 0"),
        (lambda: tf.random_uniform([3], 5, 5, dtype=tf.int32), "Need minval < maxval, got 5 >= 5"),
        (lambda: tf.multinomial(np.zeros((2, 0), np.float32), 1), "num_classes should be positive, got 0"),
    ],
)
def test_failures_at_run_time(build, message):
    with tf.Graph().as_default(), tf.Session() as session:
        x = build()
        with pytest.raises(tf.errors.InvalidArgumentError, match=message) as caught:
            session.run(x)
        assert "test_random.py" in str(caught.value)


def test_candidate_sampler_counts():
    from minitf.ops.candidate_sampling import compute_accidental_hits, log_uniform_candidate_sampler

    true_classes = np.array([[0, 1], [2, 3]], np.int64)
    with tf.Graph().as_default(), tf.Session() as session:
        sampled, true_count, sampled_count = log_uniform_candidate_sampler(
            true_classes, 2, 5, unique=True, range_max=50, seed=1
        )
        hits = compute_accidental_hits(true_classes, sampled, 2)
        sampled, true_count, sampled_count, (rows, places, weights) = session.run(
            [sampled, true_count, sampled_count, hits]
        )
    assert len(set(sampled)) == 5 and true_count.shape == (2, 2) and sampled_count.shape == (5,)
    assert true_count[0, 0] > true_count[0, 1] > true_count[1, 0]
    for row, place in zip(rows, places, strict=True):
        assert sampled[place] in true_classes[row]
    assert (weights == -np.finfo(np.float32).max).all()
