"""Gathering, masking, scattering and looking up, through the functions that programs call."""

import numpy as np
import pytest

import minitf as tf
from minitf.framework.errors import InvalidArgumentError

X = np.arange(12, dtype=np.float32).reshape(4, 3)


def run(*tensors, feed=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        results = [session.run(t, feed) for t in tensors]
    return results[0] if len(results) == 1 else results


# --- gather ------------------------------------------------------------------------------------------


def test_gather_of_a_variable_has_a_gradient_of_its_rows_only():
    v = tf.Variable(X)
    rows = tf.gather(v, [[2, 0], [2, 3]])
    (grad,) = tf.gradients(rows * rows, v)
    assert isinstance(grad, tf.IndexedSlices)
    assert grad.shape.as_list() == [4, 3]
    value = run(grad)
    assert value.indices.tolist() == [2, 0, 2, 3]
    np.testing.assert_array_equal(value.values, 2 * X[[2, 0, 2, 3]])
    assert value.dense_shape.tolist() == [4, 3]
    dense = np.zeros_like(X)
    np.add.at(dense, [2, 0, 2, 3], 2 * X[[2, 0, 2, 3]])
    np.testing.assert_array_equal(run(tf.convert_to_tensor(grad)), dense)


def test_gradients_of_several_gathers_add_up():
    v = tf.Variable(X)
    loss = tf.reduce_sum(tf.gather(v, [0, 0])) + 3.0 * tf.reduce_sum(tf.gather(v, 1))
    dense = run(tf.convert_to_tensor(tf.gradients(loss, v)[0]))
    np.testing.assert_array_equal(dense, [[2] * 3, [3] * 3, [0] * 3, [0] * 3])


def test_gather_and_a_dense_use_add_up():
    v = tf.Variable(X)
    (grad,) = tf.gradients(tf.reduce_sum(v) + tf.reduce_sum(tf.gather(v, [1])), v)
    np.testing.assert_array_equal(run(grad), [[1] * 3, [2] * 3, [1] * 3, [1] * 3])


@pytest.mark.parametrize(
    ("indices", "message"),
    [([0, 4], r"indices\[1\] = 4 is not in \[0, 4\)"), ([[-1]], r"indices\[0,0\] = -1 is not in \[0, 4\)"),
     (9, r"indices = 9 is not in \[0, 4\)")],
)  # fmt: skip
def test_gather_out_of_range(indices, message):
    with pytest.raises(InvalidArgumentError, match=message):
        run(tf.gather(tf.placeholder_with_default(X, [4, 3]), indices))


def test_gather_axis_out_of_range():
    with pytest.raises(ValueError, match="Shape must be at least rank 3 but is rank 2"):
        tf.gather(X, [0], axis=2)
    with pytest.raises(ValueError, match=r"batch_dims \(1\) must be less than or equal to axis \(0\)"):
        tf.gather(X, [[0]], axis=0, batch_dims=1)


def test_gather_nd_with_batches():
    params = np.arange(24).reshape(2, 3, 4)
    result = run(tf.gather_nd(params, [[[0, 1]], [[2, 3]]], batch_dims=1))
    assert result.tolist() == [[params[0, 0, 1]], [params[1, 2, 3]]]
    with pytest.raises(ValueError, match="batch_dims = 3 must be less than rank"):
        tf.gather_nd(params, [[[0, 1]], [[2, 3]]], batch_dims=3)


def test_gather_nd_out_of_range():
    with pytest.raises(InvalidArgumentError, match=r"indices\[1\] = \[0, 3\] does not index into param"):
        run(tf.gather_nd(tf.placeholder_with_default(X, [4, 3]), [[0, 0], [0, 3]]))


def test_batch_gather():
    assert run(tf.batch_gather([[1, 2], [3, 4]], [[1, 1], [0, 1]])).tolist() == [[2, 2], [3, 4]]


# --- masks -------------------------------------------------------------------------------------------


def test_boolean_mask_with_unknown_batch():
    x = tf.placeholder(tf.float32, [None, 3])
    masked = tf.boolean_mask(x, tf.greater(x, 4.0))
    assert masked.shape.as_list() == [None]
    (grad,) = tf.gradients(tf.reduce_sum(masked * masked), x)
    values, slope = run(masked, tf.convert_to_tensor(grad), feed={x: X})
    np.testing.assert_array_equal(values, X[X > 4])
    np.testing.assert_array_equal(slope, np.where(X > 4, 2 * X, 0))


def test_boolean_mask_along_another_axis():
    np.testing.assert_array_equal(run(tf.boolean_mask(X, [True, False, True], axis=1)), X[:, [0, 2]])
    np.testing.assert_array_equal(run(tf.constant(X)[np.array([True, False, False, True])]), X[[0, 3]])


def test_boolean_mask_refuses():
    with pytest.raises(ValueError, match="mask cannot be scalar"):
        tf.boolean_mask(X, True)
    with pytest.raises(ValueError, match=r"Shapes \(4,\) and \(2,\) are incompatible"):
        tf.boolean_mask(X, [True, False])
    with pytest.raises(ValueError, match="Number of mask dimensions must be specified"):
        tf.boolean_mask(X, tf.placeholder(tf.bool))


# --- scatter -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scatter", "expected"),
    [
        (tf.scatter_update, [10, 1, 20]), (tf.scatter_add, [10, 1, 22]), (tf.scatter_sub, [-10, 1, -18]),
        (tf.scatter_mul, [0, 1, 40]), (tf.scatter_div, [0, 1, 0.1]), (tf.scatter_max, [10, 1, 20]),
        (tf.scatter_min, [0, 1, 2]),
    ],
)  # fmt: skip
def test_scatter_changes_the_variable(scatter, expected):
    v = tf.Variable([0.0, 1.0, 2.0])
    changed = scatter(v, [0, 2], [10.0, 20.0])
    with tf.Session() as session:
        session.run(v.initializer)
        np.testing.assert_allclose(session.run(changed), expected, rtol=1e-6)
        np.testing.assert_allclose(session.run(v), expected, rtol=1e-6)


def test_repeated_indices_count_each_time():
    v = tf.Variable(np.zeros((2, 2), np.float32))
    assert run(tf.scatter_add(v, [1, 1, 1], 2.0)).tolist() == [[0, 0], [6, 6]]


def test_scatter_nd_on_a_variable():
    v = tf.Variable(X)
    updates = run(tf.scatter_nd_update(v, [[0, 1], [3, 2]], [-1.0, -2.0]))
    assert updates[0, 1] == -1 and updates[3, 2] == -2
    added = run(tf.scatter_nd_add(v, [[1]], [[1.0, 2.0, 3.0]]))
    assert added[1].tolist() == [4, 6, 8]


def test_a_failed_scatter_leaves_the_variable_as_it_was():
    v = tf.Variable(X)
    wrong = tf.scatter_update(v, [0, 4], tf.zeros([2, 3]))
    with tf.Session() as session:
        session.run(v.initializer)
        with pytest.raises(InvalidArgumentError, match=r"indices\[1\] = 4 is not in \[0, 4\)"):
            session.run(wrong)
        np.testing.assert_array_equal(session.run(v), X)


def test_scatter_needs_a_variable_and_fitting_updates():
    with pytest.raises(TypeError, match="requires a variable"):
        tf.scatter_add(tf.constant(X), [0], tf.zeros([1, 3]))
    with pytest.raises(ValueError, match="Dimension 1 in both shapes must be equal, but are 3 and 2"):
        tf.scatter_add(tf.Variable(X), [0], tf.zeros([1, 2]))


def test_batch_scatter_update():
    v = tf.Variable(np.zeros((2, 3), np.float32))
    result = run(tf.batch_scatter_update(v, [[2], [0]], [[5.0], [6.0]]))
    assert result.tolist() == [[0, 0, 5], [6, 0, 0]]


def test_scatter_nd_refuses():
    with pytest.raises(ValueError, match=r"Dimensions \[0,1\) of indices\[shape=\[1,1\]\] = \[1\] must"):
        tf.scatter_nd([[0]], [1.0, 2.0], [4])
    with pytest.raises(InvalidArgumentError, match=r"\[0\] = \[9\] does not index into shape \[4\]"):
        run(tf.scatter_nd(tf.placeholder_with_default([[9]], [1, 1]), [1.0], [4]))


# --- embeddings --------------------------------------------------------------------------------------


def parts(strategy, count, rows):
    whole = np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    if strategy == "mod":
        return whole, [whole[i::count] for i in range(count)]
    return whole, np.array_split(whole, count)


@pytest.mark.parametrize("strategy", ["mod", "div"])
@pytest.mark.parametrize(("count", "rows"), [(1, 5), (2, 5), (3, 7), (3, 6)])
def test_embedding_lookup_in_parts(strategy, count, rows):
    whole, pieces = parts(strategy, count, rows)
    ids = [[0, rows - 1], [1, 0], [rows // 2, 2]]
    found = tf.nn.embedding_lookup(list(pieces), ids, partition_strategy=strategy)
    assert found.shape.as_list() == [3, 2, 2]
    np.testing.assert_array_equal(run(found), whole[ids])


def test_embedding_gradient_reaches_the_right_part():
    _, pieces = parts("mod", 2, 4)
    variables = [tf.Variable(piece) for piece in pieces]
    found = tf.nn.embedding_lookup(variables, [3, 3, 0])
    grads = tf.gradients(found, variables)
    assert all(isinstance(g, tf.IndexedSlices) for g in grads)
    dense = run(*[tf.convert_to_tensor(g) for g in grads])
    assert dense[0].tolist() == [[1, 1], [0, 0]] and dense[1].tolist() == [[0, 0], [2, 2]]


def test_embeddings_are_kept_short():
    whole = np.array([[3.0, 4.0], [0.3, 0.4]], np.float32)
    found = run(tf.nn.embedding_lookup(whole, [0, 1], max_norm=1.0))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)


def test_embedding_lookup_refuses():
    with pytest.raises(ValueError, match="Need at least one param"):
        tf.nn.embedding_lookup([], [0])
    with pytest.raises(ValueError, match="Unrecognized partition strategy: foo"):
        tf.nn.embedding_lookup([X, X], [0], partition_strategy="foo")


def test_dynamic_partition_and_stitch_undo_each_other():
    x = tf.placeholder(tf.float32, [None, 3])
    numbers = tf.constant([1, 0, 1, 2])
    rows = tf.dynamic_partition(x, numbers, 3)
    places = tf.dynamic_partition(tf.range(4), numbers, 3)
    whole = tf.dynamic_stitch(places, rows)
    (grad,) = tf.gradients(tf.reduce_sum(whole * whole), x)
    again, slope = run(whole, grad, feed={x: X})
    np.testing.assert_array_equal(again, X)
    np.testing.assert_array_equal(slope, 2 * X)
    with pytest.raises(InvalidArgumentError, match=r"partitions\[3\] = 2 is not in \[0, 2\)"):
        run(tf.dynamic_partition(X, numbers, 2))


# --- one_hot and masks of lengths --------------------------------------------------------------------


def test_one_hot():
    x = tf.placeholder(tf.int32, [None])
    hot = tf.one_hot(x, 3)
    assert hot.dtype == tf.float32 and hot.shape.as_list() == [None, 3]
    assert run(hot, feed={x: [2, -1, 3, 0]}).tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert run(tf.one_hot([1], 2, on_value=5, off_value=-1)).tolist() == [[-1, 5]]
    assert run(tf.one_hot([[0, 1]], 2, axis=0)).tolist() == [[[1, 0]], [[0, 1]]]


def test_one_hot_refuses():
    with pytest.raises(
        TypeError, match="'int32'> of on_value does not match dtype <dtype: 'float32'> of off_value"
    ):
        tf.one_hot([0], 2, on_value=1, off_value=2.0)
    with pytest.raises(TypeError, match="of on_value does not match dtype parameter <dtype: 'int32'>"):
        tf.one_hot([0], 2, on_value=1.5, dtype=tf.int32)
    with pytest.raises(ValueError, match="axis must be >= -1"):
        tf.one_hot([0], 2, axis=-2)
    with pytest.raises(TypeError, match="'indices' has DataType float32 not in list of allowed values"):
        tf.one_hot([0.0], 2)


def test_sequence_mask():
    lengths = tf.placeholder(tf.int32, [None])
    mask = tf.sequence_mask(lengths)
    assert mask.dtype == tf.bool and mask.shape.as_list() == [None, None]
    assert run(mask, feed={lengths: [1, 3]}).tolist() == [[True, False, False], [True, True, True]]
    assert run(tf.sequence_mask([1, 0], 2, tf.float32)).tolist() == [[1, 0], [0, 0]]
    with pytest.raises(ValueError, match="Argument `maxlen` must be scalar for sequence_mask"):
        tf.sequence_mask([1], [3])
