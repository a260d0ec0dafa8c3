"""Tensors: operators, the refusal to promote, indexing, static shapes, what they will not do."""

import numpy as np
import pytest

import minitf as tf

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def run(tensor, feeds=None):
    with tf.Session() as session:
        return session.run(tensor, feeds)


@pytest.mark.parametrize(
    "expression",
    [
        "x + y", "x - y", "x * y", "x / y", "x // y", "x % y", "x ** y", "-x", "abs(-x)", "x < y", "x <= y",
        "x > y", "x >= y", "2.0 + x", "2.0 - x", "2.0 * x", "2.0 / x", "7.0 // x", "7.0 % x", "2.0 ** x",
        "x + 2", "x - 1", "x / 2", "x // 2", "x % 2", "x ** 2",
    ],
)  # fmt: skip
def test_operators(expression):
    x, y = np.array([1.5, 2.0, 3.0], np.float32), np.array([2.0, 0.5, 2.0], np.float32)
    expected = eval(expression, {"x": x, "y": y})
    tensors = {"x": tf.constant(x), "y": tf.constant(y)}
    result = run(eval(expression, tensors))
    np.testing.assert_allclose(result, expected, 1e-6)
    assert result.dtype == (np.bool_ if expected.dtype == np.bool_ else np.float32)


def test_operators_with_arrays_on_the_left_ask_the_tensor():
    result = np.ones(2, np.float32) + tf.constant([1.0, 2.0])
    assert isinstance(result, tf.Tensor)
    assert np.array_equal(run(result), [2.0, 3.0])


def test_integer_operators_follow_python_three():
    x, y = tf.constant([-7, 7]), tf.constant([2, -2])
    assert run(x // y).tolist() == [-4, -4]
    assert run(x % y).tolist() == [1, -1]
    divided = x / y
    assert divided.dtype == tf.float64
    assert run(divided).tolist() == [-3.5, -3.5]
    assert run(tf.div(x, y)).tolist() == [-4, -4]


def test_logical_and_bitwise_operators():
    p, q = tf.constant([True, True, False]), tf.constant([True, False, False])
    assert run(p & q).tolist() == [True, False, False]
    assert run(p | q).tolist() == [True, True, False]
    assert run(p ^ q).tolist() == [False, True, False]
    assert run(~p).tolist() == [False, False, True]
    assert run(tf.constant([6]) & tf.constant([3])).tolist() == [2]


def test_matmul_operator():
    a = tf.constant([[1.0, 2.0]])
    assert run(a @ tf.constant([[3.0], [4.0]])).tolist() == [[11.0]]
    assert run(np.array([[1.0, 1.0]], np.float32) @ tf.transpose(a)).tolist() == [[3.0]]


def test_equality_is_identity_and_tensors_are_hashable():
    x, y = tf.constant(1.0), tf.constant(1.0)
    assert x == x and x != y
    assert {x: 1}[x] == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: tf.constant(1) + tf.constant(1.0), "'y' of 'AddV2' Op has type float32 that does not match"),
        (lambda: tf.constant(1) * 1.5, "'y' of 'Mul' Op has type float32 that does not match type int32"),
        (lambda: 1.5 * tf.constant(1), "Expected int32, but got 1.5 of type 'float'"),
        (lambda: tf.constant(1.0) + tf.constant(1.0, tf.float64), "has type float64 that does not match"),
        (lambda: tf.constant(1.0) / tf.constant(2), "must have the same dtype"),
        (lambda: tf.constant(1.0) < tf.constant(2), "does not match type float32"),
        (lambda: tf.sqrt(tf.constant(4)), "DataType int32 not in list of allowed values"),
        (lambda: tf.constant(True) + tf.constant(True), "DataType bool not in list of allowed values"),
        (lambda: tf.matmul(tf.ones([1, 1]), tf.ones([1, 1], tf.int32)), "does not match type float32"),
        (lambda: tf.logical_and(tf.constant(1), True), "DataType int32 not in list of allowed values: bool"),
    ],
)
def test_dtypes_are_never_promoted_silently(make, words):
    with pytest.raises(TypeError, match=words):
        make()


def test_python_numbers_take_the_tensors_dtype():
    assert (tf.constant(1.0) + 1).dtype == tf.float32
    assert (tf.constant(1.0, tf.float64) * 0.5).dtype == tf.float64
    assert (tf.constant(1, tf.int64) + 1).dtype == tf.int64
    assert (tf.constant([1.0]) + np.array([1.0])).dtype == tf.float32


KEYS = [
    "0", "-1", "1:2", "::-1", "1, 2, 3", "..., 1", ":, 1:, ::2", "::-1, ::-1", "0, :, -2:", "None",
    "..., None", ":, None, 1", "None, ..., None", "1, ..., 0", "-1:0:-1", "5:1", ":, 0:3:2, 3:0:-2",
    "0:0", "..., -3:-1",
    "np.int64(1), np.int32(2)", "...", ":, ..., :", "0, None, 0, None, 0",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("known", [True, False])
def test_indexing_is_numpys(key, known):
    index = eval(f"np.s_[{key}]")
    x = tf.placeholder(tf.float32, X.shape if known else [None, None, 4])
    part = x[index]
    expected = X[index]
    assert part.shape.is_compatible_with(expected.shape)
    if known:
        assert part.shape == expected.shape
    assert np.array_equal(run(part, {x: X}), expected)


def test_indexing_by_tensors():
    x, i = tf.constant(X), tf.placeholder(tf.int32, [])
    part = x[i, 1:i]
    assert part.shape.as_list() == [None, 4]
    assert np.array_equal(run(part, {i: 1}), X[1, 1:1])
    assert np.array_equal(run(x[:, i], {i: 2}), X[:, 2])
    assert np.array_equal(run(x[:, i], {i: -1}), X[:, -1])


def test_indexing_of_shapes_stays_known():
    x = tf.placeholder(tf.float32, [None, 5])
    assert tf.reshape(tf.zeros([10]), [tf.shape(x)[1], 2]).shape.as_list() == [5, 2]


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (5, ValueError, "slice index 5 of dimension 0 out of bounds"),
        (-6, ValueError, "slice index -6 of dimension 0 out of bounds"),
        ((0, 0, 0), ValueError, "Index out of range using input dim 2; input has only 2 dims"),
        (1.5, TypeError, "Only integers, slices .* are valid indices, got 1.5"),
        ("a", TypeError, "Only integers, slices"),
        (slice(None, None, 0), ValueError, r"strides\[0\] must be non-zero"),
    ],
)
def test_bad_indices_say_so(key, error, words):
    with pytest.raises(error, match=words):
        tf.zeros([5, 2])[key]


def test_too_many_indices_are_seen_even_when_some_are_tensors():
    i = tf.placeholder(tf.int32, [])
    with pytest.raises(ValueError, match="Index out of range using input dim 1; input has only 1 dims"):
        tf.zeros([5])[i, 0]


def test_set_shape_adds_knowledge():
    x = tf.placeholder(tf.float32, [None, 3])
    x.set_shape([2, None])
    assert x.get_shape().as_list() == [2, 3]
    with pytest.raises(ValueError, match="Dimension 1 in both shapes must be equal, but are 3 and 4"):
        x.set_shape([2, 4])
    unknown = tf.placeholder(tf.float32)
    unknown.set_shape([None, 7])
    assert unknown.shape.as_list() == [None, 7]


def test_printing():
    assert str(tf.constant(1.0, name="c")) == 'Tensor("c:0", shape=(), dtype=float32)'
    assert repr(tf.constant([1, 2], name="d")) == "<tf.Tensor 'd:0' shape=(2,) dtype=int32>"
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    assert str(x) == 'Tensor("x:0", shape=(?, 2), dtype=float32)'
    assert str(tf.placeholder(tf.float32, name="u")) == 'Tensor("u:0", dtype=float32)'


def test_what_symbolic_tensors_refuse():
    x = tf.constant([1.0, 2.0])
    refused = tf.errors.OperatorNotAllowedInGraphError
    with pytest.raises(refused, match="Using a symbolic `tf.Tensor` as a Python `bool` is not allowed"):
        bool(x)
    with pytest.raises(refused, match="Iterating over a symbolic `tf.Tensor` is not allowed"):
        list(x)
    with pytest.raises(TypeError, match="len is not well defined for a symbolic Tensor"):
        len(x)
    with pytest.raises(NotImplementedError, match="Cannot convert a symbolic tf.Tensor .* to a numpy array"):
        np.array(x)


def test_eval_needs_a_session_of_the_same_graph():
    x = tf.constant(3.0)
    with pytest.raises(ValueError, match="Cannot evaluate tensor using `eval\\(\\)`: No default session"):
        x.eval()
    with tf.Session():
        assert x.eval() == 3.0
    assert x.eval(session=tf.Session()) == 3.0
    with tf.Graph().as_default(), tf.Session() as other:
        with pytest.raises(ValueError, match="the tensor's graph is different from the session's graph"):
            x.eval(session=other)


def test_shape_queries_are_constants_where_they_are_known():
    x = tf.placeholder(tf.float32, [2, 3])
    assert tf.shape(x).op.type == "Const"
    y = tf.placeholder(tf.float32, [None, 3])
    assert tf.shape(y).op.type == "Shape"
    assert run(tf.shape(y), {y: np.zeros((4, 3))}).tolist() == [4, 3]
    assert run([tf.size(y), tf.rank(y)], {y: np.zeros((4, 3))}) == [12, 2]
