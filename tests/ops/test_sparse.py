"""Sparse tensors: made, fed, fetched, multiplied, summed; and what is refused."""

import numpy as np
import pytest

import minitf as tf
from minitf.framework.errors import InvalidArgumentError

DENSE = np.array([[0, 1, 0], [2, 0, 3]], np.float32)


def sparse():
    return tf.SparseTensor([[0, 1], [1, 0], [1, 2]], [1.0, 2.0, 3.0], [2, 3])


def run(*tensors, feed=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        results = [session.run(t, feed) for t in tensors]
    return results[0] if len(results) == 1 else results


def dense(tensor, feed=None):
    return run(tf.sparse_tensor_to_dense(tensor), feed=feed)


def test_a_fetched_one_is_a_value():
    value = run(sparse())
    assert isinstance(value, tf.SparseTensorValue)
    assert value.indices.tolist() == [[0, 1], [1, 0], [1, 2]] and value.dense_shape.tolist() == [2, 3]
    assert sparse().shape == [2, 3] and sparse().dtype == tf.float32


@pytest.mark.parametrize("as_tuple", [False, True])
def test_a_placeholder_is_fed_a_value(as_tuple):
    x = tf.sparse_placeholder(tf.float32)
    value = tf.SparseTensorValue([[0, 1], [1, 2]], [1.0, 2.0], [2, 3])
    result = dense(x, feed={x: tuple(value) if as_tuple else value})
    assert result.tolist() == [[0, 1, 0], [0, 0, 2]]
    assert tf.sparse_placeholder(tf.float32, [None, 3], name="p").values.name == "p/values:0"


def test_parts_must_fit():
    with pytest.raises(ValueError, match="must have rank 2|are incompatible"):
        tf.SparseTensor([0, 1], [1.0, 2.0], [2])
    with pytest.raises(ValueError, match="incompatible"):
        tf.SparseTensor([[0, 1]], [1.0, 2.0], [2, 2])
    with pytest.raises(TypeError, match="Input must be a SparseTensor, got"):
        tf.sparse_tensor_to_dense(tf.constant(1.0))


def test_dense_and_back():
    np.testing.assert_array_equal(dense(sparse()), DENSE)
    again = run(tf.sparse.from_dense(DENSE))
    assert again.indices.tolist() == [[0, 1], [1, 0], [1, 2]] and again.values.tolist() == [1, 2, 3]
    assert run(tf.sparse_to_dense([1, 3], [4], 5, -1)).tolist() == [-1, 5, -1, 5]


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([[1, 0], [0, 0]], r"indices\[1\] = \[0,0\] is out of order"),
        ([[1, 0], [1, 0]], r"indices\[1\] = \[1,0\] is repeated"),
        ([[0, 0], [2, 0]], r"indices\[1\] = \[2,0\] is out of bounds: need 0 <= index < \[2,3\]"),
    ],
)
def test_indices_are_checked(indices, message):
    with pytest.raises(InvalidArgumentError, match=message):
        dense(tf.SparseTensor(tf.placeholder_with_default(np.int64(indices), [2, 2]), [1.0, 2.0], [2, 3]))


@pytest.mark.parametrize("adjoint", [False, True])
def test_product_and_its_gradients(adjoint):
    right = np.arange(6, dtype=np.float32).reshape(3, 2)
    b = tf.Variable(right.T if adjoint else right)
    values = tf.placeholder_with_default(np.float32([1, 2, 3]), [3])
    a = tf.SparseTensor([[0, 1], [1, 0], [1, 2]], values, [2, 3])
    product = tf.sparse_tensor_dense_matmul(a, b, adjoint_b=adjoint)
    to_values, to_b = tf.gradients(product * product, [values, b])
    product, to_values, to_b = run(product, to_values, to_b)
    np.testing.assert_allclose(product, DENSE @ right)
    whole = 2 * product @ right.T
    np.testing.assert_allclose(to_values, whole[[0, 1, 1], [1, 0, 2]])
    expected = DENSE.T @ (2 * product)
    np.testing.assert_allclose(to_b, expected.T if adjoint else expected)


def test_product_with_the_sparse_one_on_the_right():
    left = np.arange(4, dtype=np.float32).reshape(2, 2)
    np.testing.assert_allclose(run(tf.sparse_tensor_dense_matmul(left, sparse())), left @ DENSE)


def test_product_refuses():
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 2"):
        tf.sparse_tensor_dense_matmul(sparse(), np.eye(2, dtype=np.float32))


def test_sums():
    assert run(tf.sparse_reduce_sum(sparse(), 1)).tolist() == [1, 5]
    assert run(tf.sparse_reduce_sum(sparse(), keepdims=True)).tolist() == [[6]]
    assert run(tf.sparse_reduce_max(sparse(), reduction_axes=0)).tolist() == [2, 1, 3]
    np.testing.assert_array_equal(dense(tf.sparse_add(sparse(), sparse())), 2 * DENSE)
    np.testing.assert_array_equal(run(tf.sparse_add(sparse(), DENSE)), 2 * DENSE)
    cancelled = run(tf.sparse_add(sparse(), tf.SparseTensor([[0, 1]], [-1.0], [2, 3]), 0.5))
    assert cancelled.values.tolist() == [2, 3]
    with pytest.raises(TypeError, match="At least one input should be SparseTensor"):
        tf.sparse_add(DENSE, DENSE)


def test_rearranged():
    np.testing.assert_array_equal(dense(tf.sparse_transpose(sparse())), DENSE.T)
    np.testing.assert_array_equal(dense(tf.sparse_reshape(sparse(), [3, -1])), DENSE.reshape(3, 2))
    assert tf.sparse_reshape(sparse(), [3, -1]).shape == [3, 2]
    np.testing.assert_array_equal(
        dense(tf.sparse_retain(sparse(), [True, False, True])), DENSE * (DENSE != 2)
    )
    joined = tf.sparse_concat(1, [sparse(), sparse()])
    assert joined.shape == [2, 6]
    np.testing.assert_array_equal(dense(joined), np.concatenate([DENSE, DENSE], 1))
    shuffled = tf.SparseTensor([[1, 2], [0, 1]], [3.0, 1.0], [2, 3])
    assert run(tf.sparse_reorder(shuffled)).values.tolist() == [1, 3]


def test_filled_rows():
    filled, empty = tf.sparse_fill_empty_rows(tf.SparseTensor([[0, 1], [2, 0]], [1.0, 2.0], [4, 2]), 9.0)
    value, flags = run(filled, empty)
    assert value.indices.tolist() == [[0, 1], [1, 0], [2, 0], [3, 0]]
    assert value.values.tolist() == [1, 9, 2, 9] and flags.tolist() == [False, True, False, True]


def test_cut():
    np.testing.assert_array_equal(dense(tf.sparse_slice(sparse(), [0, 1], [2, 9])), DENSE[:, 1:])
    parts = tf.sparse_split(sp_input=sparse(), num_split=2, axis=1)
    assert [p.shape.as_list() for p in parts] == [[2, 2], [2, 1]]
    np.testing.assert_array_equal(np.concatenate([dense(p) for p in parts], 1), DENSE)
    with pytest.raises(ValueError, match="num_split is required"):
        tf.sparse_split(sp_input=sparse(), axis=0)
    with pytest.raises(ValueError, match="Keyword arguments are required"):
        tf.sparse_split(1, 2, sparse())


def test_rows_normalised():
    value = run(tf.sparse_softmax(sparse())).values
    share = np.exp(2) / (np.exp(2) + np.exp(3))
    np.testing.assert_allclose(value, [1, share, 1 - share], rtol=1e-6)


def test_extremes_and_indicators():
    other = tf.SparseTensor([[0, 1], [1, 1]], [5.0, -1.0], [2, 3])
    np.testing.assert_array_equal(dense(tf.sparse_maximum(sparse(), other)), [[0, 5, 0], [2, 0, 3]])
    np.testing.assert_array_equal(dense(tf.sparse_minimum(sparse(), other)), [[0, 1, 0], [0, -1, 0]])
    ids = tf.SparseTensor([[0, 0], [0, 1]], np.int64([3, 1]), [2, 2])
    assert run(tf.sparse_to_indicator(ids, 4)).tolist() == [[False, True, False, True], [False] * 4]


def test_mask_of_rows():
    rows = tf.IndexedSlices(tf.constant([[1.0], [2.0], [3.0]]), tf.constant([5, 6, 7]))
    assert run(tf.sparse_mask(rows, [6]).values).tolist() == [[1], [3]]


def test_edit_distance():
    a = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "b", "c"], [3, 2])
    b = tf.SparseTensor([[0, 0], [1, 0], [2, 0]], ["a", "c", "d"], [3, 1])
    assert run(tf.edit_distance(a, b)).tolist() == [1, 0, 1]
    assert run(tf.edit_distance(b, a)).tolist() == [0.5, 0, np.inf]
    assert run(tf.edit_distance(b, a, normalize=False)).tolist() == [1, 0, 1]


# --- embeddings of several ids -------------------------------------------------------------------------

TABLE = np.arange(8, dtype=np.float32).reshape(4, 2)


def ids_and_weights():
    indices, shape = [[0, 0], [0, 1], [2, 0]], [3, 2]
    ids = tf.SparseTensor(indices, np.int64([1, 3, 0]), shape)
    return ids, tf.SparseTensor(indices, [1.0, 3.0, 2.0], shape)


@pytest.mark.parametrize("combiner", ["sum", "mean", "sqrtn"])
@pytest.mark.parametrize("weighted", [False, True])
def test_combined_embeddings(combiner, weighted):
    ids, weights = ids_and_weights()
    w = np.array([1, 3, 2]) if weighted else np.ones(3)
    total = np.stack([w[0] * TABLE[1] + w[1] * TABLE[3], np.zeros(2), w[2] * TABLE[0]])
    divisor = {"sum": lambda w: 1, "mean": np.sum, "sqrtn": lambda w: np.sqrt(np.sum(w**2))}[combiner]
    expected = total / np.array([divisor(w[:2]), 1, divisor(w[2:])])[:, None]
    found = tf.nn.embedding_lookup_sparse(TABLE, ids, weights if weighted else None, combiner=combiner)
    np.testing.assert_allclose(run(found), expected, rtol=1e-6)


def test_combined_embeddings_refuse():
    ids, _ = ids_and_weights()
    with pytest.raises(ValueError, match="combiner must be one of 'mean', 'sqrtn' or 'sum', got max"):
        tf.nn.embedding_lookup_sparse(TABLE, ids, None, combiner="max")
    with pytest.raises(TypeError, match="sp_ids must be SparseTensor"):
        tf.nn.embedding_lookup_sparse(TABLE, tf.constant([1]), None)


def test_safe_embeddings_leave_out_what_is_wrong():
    indices = [[0, 0], [0, 1], [2, 0], [3, 0]]
    ids = tf.SparseTensor(indices, np.int64([1, -2, 0, 2]), [5, 2])
    weights = tf.SparseTensor(indices, [1.0, 2.0, -1.0, 3.0], [5, 2])
    found = run(tf.nn.safe_embedding_lookup_sparse(TABLE, ids, weights))
    np.testing.assert_allclose(found, [TABLE[1], [0, 0], [0, 0], TABLE[2], [0, 0]])
    found = run(tf.nn.safe_embedding_lookup_sparse(TABLE, ids, default_id=3))
    np.testing.assert_allclose(found, TABLE[[1, 3, 0, 2, 3]])


def test_sparse_or_not():
    assert isinstance(tf.convert_to_tensor_or_sparse_tensor(run(sparse())), tf.SparseTensor)
    assert isinstance(tf.convert_to_tensor_or_sparse_tensor([1.0]), tf.Tensor)
    assert tf.is_tensor(sparse()) and tf.is_tensor(tf.constant(1)) and not tf.is_tensor(np.ones(2))
    with pytest.raises(RuntimeError, match="Sparse dtype mismatch. Requested: int32,  Actual: float32"):
        tf.convert_to_tensor_or_sparse_tensor(sparse(), tf.int32)
