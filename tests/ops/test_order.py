"""Sorting, extremes, distinct elements, counts, clipping and running sums."""

import numpy as np
import pytest

import minitf as tf
from minitf.framework.errors import InvalidArgumentError

X = np.array([[3.0, 1.0, 2.0], [5.0, 5.0, 4.0]], np.float32)


def run(*tensors, feed=None):
    with tf.Session() as session:
        results = [session.run(t, feed) for t in tensors]
    return results[0] if len(results) == 1 else results


def test_top_k_is_a_named_tuple_with_a_gradient():
    x = tf.placeholder(tf.float32, [None, 3])
    top = tf.nn.top_k(x, 2)
    assert top.values.shape.as_list() == [None, 2]
    values, indices = run(top, feed={x: X})
    assert values.tolist() == [[3, 2], [5, 5]] and indices.tolist() == [[0, 2], [0, 1]]
    grad = run(tf.gradients(top.values * [[1.0, 2.0]], x)[0], feed={x: X})
    assert grad.tolist() == [[1, 0, 2], [1, 2, 0]]
    with pytest.raises(ValueError, match="input must have last dimension >= k = 4 but is 3"):
        tf.nn.top_k(X, 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8])
@pytest.mark.parametrize(("size", "k"), [(4, 4), (40, 3), (100, 16), (100, 40)])
def test_top_k_keeps_the_order_of_equals(dtype, size, k):
    x = np.random.default_rng(0).integers(0, 6, (5, size)).astype(dtype)
    expected = np.argsort(-x.astype(np.float64), -1, kind="stable")[:, :k]
    np.testing.assert_array_equal(run(tf.nn.top_k(x, k)).indices, expected)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sort_and_argsort(axis):
    x = np.random.default_rng(1).permutation(24).reshape(4, 6).astype(np.float32)
    down = {"direction": "DESCENDING"}
    np.testing.assert_array_equal(run(tf.sort(x, axis)), np.sort(x, axis))
    np.testing.assert_array_equal(run(tf.sort(x, axis, **down)), -np.sort(-x, axis))
    np.testing.assert_array_equal(run(tf.argsort(x, axis)), np.argsort(x, axis))
    np.testing.assert_array_equal(run(tf.argsort(x.astype(np.int32), axis, **down)), np.argsort(-x, axis))


def test_sort_refuses():
    with pytest.raises(ValueError, match="should be one of ASCENDING, DESCENDING. Received: direction=UP"):
        tf.sort([1], direction="UP")


def test_argmax_in_all_its_forms():
    x = tf.placeholder(tf.float32, [None, 3])
    forms = [tf.argmax(x, 1), tf.argmax(x, axis=-1), tf.argmax(x, dimension=1), tf.arg_max(x, 1)]
    for result in run(*forms, feed={x: X}):
        assert result.tolist() == [0, 0] and result.dtype == np.int64
    assert run(tf.argmin(X, 1, output_type=tf.int32)).dtype == np.int32
    assert run(tf.argmax(X)).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="Cannot specify both 'dimension' and 'axis'"):
        tf.argmax(X, 0, dimension=1)
    with pytest.raises(ValueError, match=r"Dimension \(2\) must be in the range \[-2, 2\)"):
        tf.argmax(X, 2)


def test_nan_is_never_the_extreme():
    nan = np.float32("nan")
    x = np.array([[1, nan, 3], [nan, nan, nan], [nan, -np.inf, -5]], np.float32)
    assert run(tf.argmax(x, 1)).tolist() == [2, 0, 2]
    assert run(tf.argmin(x, 1)).tolist() == [0, 0, 1]


def test_searchsorted():
    assert run(tf.searchsorted([1, 3, 5], [0, 3, 6])).tolist() == [0, 1, 3]
    assert run(tf.searchsorted([[1, 3], [3, 3]], [[3], [3]], side="right")).tolist() == [[2], [2]]
    with pytest.raises(ValueError, match="Argument `side` must be either 'right' or 'left'"):
        tf.searchsorted([1], [1], side="up")


def test_unique():
    result = run(tf.unique([3, 1, 3, 2]))
    assert result.y.tolist() == [3, 1, 2] and result.idx.tolist() == [0, 1, 0, 2]
    counted = run(tf.unique_with_counts(["b", "a", "b"], out_idx=tf.int64))
    assert counted.y.tolist() == [b"b", b"a"] and counted.count.tolist() == [2, 1]
    assert counted.count.dtype == np.int64
    out, places = run(tf.setdiff1d([1, 2, 3, 4], [2, 4]))
    assert out.tolist() == [1, 3] and places.tolist() == [0, 2]
    with pytest.raises(ValueError, match="Shape must be rank 1 but is rank 2"):
        tf.unique([[1]])


def test_bincount():
    assert run(tf.bincount([1, 1, 3])).tolist() == [0, 2, 0, 1]
    assert run(tf.bincount([[1], [5]], minlength=3, maxlength=4)).tolist() == [0, 1, 0, 0]
    assert run(tf.bincount([1, 1], weights=[0.5, 2.0])).tolist() == [0, 2.5]
    with pytest.raises(InvalidArgumentError, match="Input arr must be non-negative!"):
        run(tf.bincount([-1, 2]))


def test_histogram():
    values = [-1.0, 0.0, 1.5, 2.0, 5.0, 15.0]
    assert run(tf.histogram_fixed_width(values, [0.0, 5.0], nbins=5)).tolist() == [2, 1, 1, 0, 2]
    assert run(tf.histogram_fixed_width_bins(values, [0.0, 5.0], nbins=5)).tolist() == [0, 0, 1, 2, 4, 4]
    with pytest.raises(InvalidArgumentError, match=r"value_range\[0\] < value_range\[1\]"):
        run(tf.histogram_fixed_width([1.0], [5.0, 0.0]))


def test_count_nonzero():
    assert run(tf.count_nonzero([[0, 1], [2, 3]], axis=1)).tolist() == [1, 2]
    assert run(tf.count_nonzero(["", "a"], dtype=tf.int32)).dtype == np.int32


# --- segments ----------------------------------------------------------------------------------------


def test_segments():
    assert run(tf.segment_sum([1.0, 2.0, 5.0], [0, 2, 2])).tolist() == [1, 0, 7]
    assert run(tf.unsorted_segment_mean([1.0, 2.0, 6.0], [1, 0, 1], 3)).tolist() == [2, 3.5, 0]
    assert run(tf.unsorted_segment_sum([1, 2, 3], [0, -1, 0], 2)).tolist() == [4, 0]
    mean = tf.sparse_segment_mean([[1.0], [2.0], [6.0]], [2, 0, 1], [0, 0, 1])
    assert run(mean).tolist() == [[3.5], [2]]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: tf.segment_sum([1.0, 2.0], [1, 0]), "segment ids are not increasing"),
        (lambda: tf.segment_sum([1.0, 2.0], [-1, 0]), r"Segment id -1 out of range \[0, 1\)"),
        (
            lambda: tf.segment_sum([1.0, 2.0], [0]),
            "segment_ids should be the same size as dimension 0 of input",
        ),
        (
            lambda: tf.unsorted_segment_sum([1.0, 2.0], [0, 5], 3),
            r"segment_ids\[1\] = 5 is out of range \[0, 3\)",
        ),
    ],
)
def test_segments_refuse(build, message):
    with pytest.raises(InvalidArgumentError, match=message):
        run(build())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_rows_are_added_as_few_are(dtype):
    rng = np.random.default_rng(3)
    rows, ids = rng.normal(size=(3000, 16)).astype(dtype), rng.integers(-1, 50, 3000)
    expected = np.zeros((50, 16), dtype)
    np.add.at(expected, ids[ids >= 0], rows[ids >= 0])
    np.testing.assert_array_equal(run(tf.unsorted_segment_sum(rows, ids, 50)), expected)


# --- running sums, clipping, reductions ----------------------------------------------------------------


def test_running_sums():
    x = [1.0, 2.0, 3.0]
    assert run(tf.cumsum(x)).tolist() == [1, 3, 6]
    assert run(tf.cumsum(x, exclusive=True)).tolist() == [0, 1, 3]
    assert run(tf.cumsum(x, reverse=True, exclusive=True)).tolist() == [5, 3, 0]
    assert run(tf.cumprod(x, reverse=True)).tolist() == [6, 6, 3]
    np.testing.assert_allclose(run(tf.math.cumulative_logsumexp(x)), np.logaddexp.accumulate(x), rtol=1e-6)
    with pytest.raises(ValueError, match=r"Expected scan axis in the range \[-1, 1\), but got 1"):
        tf.cumsum(x, 1)


def test_clip_by_value():
    x = tf.placeholder(tf.float32, [None, 3])
    clipped = tf.clip_by_value(x, 2.0, 4.0)
    value, grad = run(clipped, tf.gradients(clipped, x)[0], feed={x: X})
    assert value.tolist() == [[3, 2, 2], [4, 4, 4]] and grad.tolist() == [[1, 0, 1], [0, 0, 1]]
    with pytest.raises(ValueError, match="are incompatible"):
        tf.clip_by_value(X, [[[1.0]]], 2.0)


def test_clip_understands_rows():
    v = tf.Variable(np.ones((4, 2), np.float32))
    (grad,) = tf.gradients(tf.gather(v, [1, 1]) * 9.0, v)
    clipped = tf.clip_by_value(grad, 0.0, 2.0)
    assert isinstance(clipped, tf.IndexedSlices) and clipped.indices is grad.indices
    assert run(clipped).values.tolist() == [[2, 2], [2, 2]]
    (scaled,), norm = tf.clip_by_global_norm([grad], 6.0)
    assert isinstance(scaled, tf.IndexedSlices)
    assert run(norm) == 18
    np.testing.assert_allclose(run(scaled).values, [[3, 3], [3, 3]], rtol=1e-6)


def test_clip_by_norm():
    np.testing.assert_allclose(run(tf.clip_by_norm([3.0, 4.0], 1.0)), [0.6, 0.8], rtol=1e-6)
    assert run(tf.clip_by_norm([0.0, 0.0], 1.0)).tolist() == [0, 0]
    x = tf.placeholder(tf.float32, [2])
    assert np.isfinite(run(tf.gradients(tf.clip_by_norm(x, 1.0), x)[0], feed={x: [0.0, 0.0]})).all()


def test_clip_by_global_norm():
    clipped, norm = tf.clip_by_global_norm([[3.0], None, [[4.0]]], 1.0)
    assert clipped[1] is None
    a, b, n = run(clipped[0], clipped[2], norm)
    assert n == 5
    np.testing.assert_allclose([a[0], b[0, 0]], [0.6, 0.8], rtol=1e-6)
    infinite, _ = tf.clip_by_global_norm([np.float32([np.inf, 1])], 1.0)
    assert np.isnan(run(infinite[0])).all()
    with pytest.raises(TypeError, match="`t_list` should be a sequence of tensors"):
        tf.clip_by_global_norm(tf.constant(1.0), 1.0)


def test_reductions_of_reductions():
    x = tf.placeholder(tf.float64, [None, 3])
    big = np.array([[1000.0, 1001.0, 1002.0], [-1000.0, -np.inf, -1001.0]])
    expected = np.log(np.sum(np.exp(big - big.max(1, keepdims=True)), 1)) + big.max(1)
    np.testing.assert_allclose(run(tf.reduce_logsumexp(x, 1), feed={x: big}), expected)
    np.testing.assert_allclose(run(tf.math.reduce_std(x, 0), feed={x: X}), X.std(0))
    np.testing.assert_allclose(run(tf.math.reduce_variance(x), feed={x: X}), X.var())
    np.testing.assert_allclose(
        run(tf.math.reduce_euclidean_norm(x, 1), feed={x: X}), np.linalg.norm(X, axis=1), 1e-6
    )
    with pytest.raises(TypeError, match="Received integer type <dtype: 'int32'>"):
        tf.math.reduce_variance([1, 2])
