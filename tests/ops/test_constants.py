"""Python values become tensors by TensorFlow's rules."""

import numpy as np
import pytest

import minitf as tf


def constant(*args, **kwargs):
    tensor = tf.constant(*args, **kwargs)
    return tensor.dtype.name, tf.Session().run(tensor)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int32"), (2**40, "int64"), (2**63, "uint64"), (1.0, "float32"), (True, "bool"), ("a", "string"),
        (b"a", "string"), (1j, "complex128"), ([1, 2.5], "float32"), ([1, 2**40], "int64"), ([], "float32"),
        ([[]], "float32"), ([True, 1], "int32"), ((1, 2), "int32"), (np.float64(1), "float64"),
        (np.int8(1), "int8"), ([np.float64(1)], "float32"), ([np.int64(1)], "int32"),
        ([np.float16(1)], "float16"), (np.zeros(2), "float64"),
        (np.array(["a"]), "string"), (np.arange(3), "int64"),
    ],
)  # fmt: skip
def test_inferred_dtypes(value, dtype):
    name, result = constant(value)
    assert name == dtype
    if dtype != "string":
        assert np.array_equal(result, np.asarray(value))


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1, tf.float32, 1.0), (True, tf.float32, 1.0), (True, tf.int32, 1), ([1, 2], tf.float64, [1.0, 2.0]),
        (np.array([1.9, -1.9]), tf.int32, [1, -1]), (np.float64(2.7), tf.int32, 2), (300, tf.uint8, 44),
        (1, tf.complex64, 1 + 0j), (np.array([2, 0]), tf.bool, [True, False]), ("a", tf.string, b"a"),
    ],
)  # fmt: skip
def test_wanted_dtypes(value, dtype, expected):
    name, result = constant(value, dtype)
    assert name == dtype.name
    assert np.array_equal(result, expected) if dtype != tf.string else result == expected


@pytest.mark.parametrize(
    ("value", "dtype", "error", "words"),
    [
        (1.5, tf.int32, TypeError, "Expected int32, but got 1.5 of type 'float'"),
        ([1, 2.5], tf.int32, TypeError, "Expected int32, but got 2.5 of type 'float'"),
        ("a", tf.float32, TypeError, "Expected float32, but got a of type 'str'"),
        (1, tf.bool, TypeError, "Expected bool, but got 1 of type 'int'"),
        (1, tf.string, TypeError, "Expected string, but got 1 of type 'int'"),
        (1j, tf.float32, TypeError, "Expected float32, but got 1j of type 'complex'"),
        (None, None, ValueError, "None values not supported"),
        ([None, 1], None, TypeError, r"Failed to convert elements of \[None, 1\] to Tensor"),
        (["a", 1], None, TypeError, r"Failed to convert elements of \['a', 1\] to Tensor"),
        ({}, None, TypeError, "Failed to convert elements of {} to Tensor"),
        ([[1], [1, 2]], None, ValueError, "non-rectangular"),
        (-(2**63) - 1, None, TypeError, "Failed to convert elements of -9223372036854775809"),
        (np.datetime64("2020"), None, TypeError, "Cannot convert"),
    ],
)
def test_what_cannot_become_a_tensor(value, dtype, error, words):
    with pytest.raises(error, match=words):
        tf.constant(value, dtype)


def test_tensors_are_no_constants():
    with pytest.raises(TypeError, match="Expected any non-tensor type, but got a tensor instead"):
        tf.constant(tf.constant(1.0))


def test_shapes_fill_up_with_the_last_value():
    assert constant([1, 2, 3], shape=[2, 3])[1].tolist() == [[1, 2, 3], [3, 3, 3]]
    assert constant(7, shape=[2])[1].tolist() == [7, 7]
    assert constant([1, 2, 3, 4], shape=[2, 2])[1].tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match="Too many elements provided. Takes at most 2, but got 3"):
        tf.constant([1, 2, 3], shape=[2])
    with pytest.raises(TypeError, match="Expected Tensor's shape"):
        tf.constant(1, shape=[2], verify_shape=True)


def test_lists_of_tensors_are_stacked():
    x = tf.constant(1.0)
    packed = tf.convert_to_tensor([x, 2.0, [x, 3.0][0]])
    assert packed.op.type == "Pack"
    assert tf.Session().run(packed).tolist() == [1.0, 2.0, 1.0]
    nested = tf.convert_to_tensor([[x, 2.0], [3.0, x]])
    assert tf.Session().run(nested).tolist() == [[1.0, 2.0], [3.0, 1.0]]


def test_convert_to_tensor():
    x = tf.constant(1.0)
    assert tf.convert_to_tensor(x) is x
    assert tf.convert_to_tensor(1, tf.float64).dtype == tf.float64
    assert tf.convert_to_tensor(1, preferred_dtype=tf.float64).dtype == tf.float64
    assert tf.convert_to_tensor(1.5, preferred_dtype=tf.int32).dtype == tf.float32
    with pytest.raises(
        ValueError, match="Tensor conversion requested dtype int32 for Tensor with dtype float32"
    ):
        tf.convert_to_tensor(x, tf.int32)
    assert tf.convert_to_tensor(tf.TensorShape([2, 3])).dtype == tf.int32
    with pytest.raises(ValueError, match="partially known TensorShape"):
        tf.convert_to_tensor(tf.TensorShape([None, 3]))


def test_constants_do_not_change_with_their_source():
    source = np.zeros(3)
    x = tf.constant(source)
    source += 1
    assert tf.Session().run(x).tolist() == [0, 0, 0]


def test_zeros_ones_fill_and_ranges():
    with tf.Session() as session:
        assert session.run(tf.zeros([2, 0])).shape == (2, 0)
        assert session.run(tf.zeros([], tf.string)) == b""
        assert session.run(tf.ones([2], tf.bool)).tolist() == [True, True]
        assert session.run(tf.zeros([3000], tf.int64)).sum() == 0
        n = tf.placeholder(tf.int32, [])
        assert session.run(tf.zeros(tf.stack([n, 2])), {n: 3}).shape == (3, 2)
        assert tf.zeros(tf.stack([n, 2])).shape.as_list() == [None, 2]
        assert session.run(tf.fill([2], "a")).tolist() == [b"a", b"a"]
        assert session.run(tf.range(3)).tolist() == [0, 1, 2]
        assert session.run(tf.range(5, 0, -2)).tolist() == [5, 3, 1]
        assert session.run(tf.range(n), {n: 2}).tolist() == [0, 1]
        assert tf.range(0.0, 1.0, 0.25).dtype == tf.float32
    with pytest.raises(ValueError, match="Requires delta != 0"):
        tf.range(0, 5, 0)
