"""Variables: making, initialising, reading, assigning, and what a fresh one refuses."""

import numpy as np
import pytest

import minitf as tf


def started():
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return session


def test_attributes():
    v = tf.Variable([[1.0, 2.0]], name="v")
    assert (v.name, v.op.name, v.op.type, v.dtype.base_dtype, v.shape.as_list()) == (
        "v:0", "v", "VariableV2", tf.float32, [1, 2]
    )  # fmt: skip
    assert v.get_shape() == v.shape and v.graph is tf.get_default_graph()
    assert v.initializer.type == "Assign" and v.initial_value.shape == v.shape
    assert str(v) == repr(v) == "<tf.Variable 'v:0' shape=(1, 2) dtype=float32_ref>"
    assert v.trainable and not tf.Variable(1.0, trainable=False).trainable
    assert v.value().name == "v/read:0"


@pytest.mark.parametrize(
    ("initial", "dtype", "expected"),
    [
        (1, None, tf.int32),
        (1.0, None, tf.float32),
        (np.zeros(2), None, tf.float64),
        (1, tf.float64, tf.float64),
        (True, None, tf.bool),
        ("text", None, tf.string),
        (lambda: tf.zeros([2, 2]), None, tf.float32),
        (lambda: 3.0, tf.float64, tf.float64),
    ],
)
def test_dtypes_of_initial_values(initial, dtype, expected):
    v = tf.Variable(initial, dtype=dtype)
    assert v.dtype.base_dtype == expected
    value = started().run(v)
    assert value == b"text" if expected == tf.string else value.dtype == expected.as_numpy_dtype


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: tf.Variable(), ValueError, "initial_value must be specified"),
        (lambda: tf.Variable(tf.placeholder(tf.float32, [None])), ValueError, "must have a shape specified"),
        (lambda: tf.Variable(1.5, dtype=tf.int32), TypeError, "Expected int32, but got 1.5 of type 'float'"),
        (lambda: tf.Variable(1.0, collections="c"), ValueError, "must be a list, tuple, or set"),
        (lambda: tf.Variable([1.0], expected_shape=[2]), ValueError, "incompatible"),
    ],
)
def test_what_a_variable_refuses(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_initial_values_may_depend_on_others():
    v = tf.Variable([1.0, 2.0])
    w = tf.Variable(v.initialized_value() * 2.0)
    assert started().run(w).tolist() == [2.0, 4.0]


def test_reading_and_assigning():
    v = tf.Variable([1.0, 2.0])
    session = started()
    assert session.run(v.assign([3.0, 4.0])).tolist() == [3.0, 4.0]
    assert session.run(v.assign_add([1.0, 1.0])).tolist() == [4.0, 5.0]
    assert session.run(v.assign_sub([4.0, 5.0])).tolist() == [0.0, 0.0]
    assert session.run(tf.assign(v, [7.0, 8.0])).tolist() == [7.0, 8.0]
    assert session.run(tf.assign_add(v, [1.0, 1.0])).tolist() == [8.0, 9.0]
    assert session.run(v.read_value()).tolist() == [8.0, 9.0]
    v.load([0.5, 0.25], session)
    assert v.eval(session).tolist() == [0.5, 0.25]
    assert session.run(v[0]) == 0.5


def test_variables_are_operands():
    v = tf.Variable([1.0, 2.0])
    session = started()
    assert session.run(2.0 * v + 1.0).tolist() == [3.0, 5.0]
    assert session.run(v[::-1]).tolist() == [2.0, 1.0]
    assert session.run(tf.reduce_sum(v)) == 3.0
    assert session.run(tf.stack([v, v])).tolist() == [[1.0, 2.0]] * 2
    v += 1.0
    assert isinstance(v, tf.Tensor), "+= makes a tensor, as TensorFlow's does"


def test_assigning_to_a_tensor_is_refused():
    with pytest.raises((TypeError, AttributeError, ValueError)):
        tf.assign(tf.constant(1.0), 2.0)


def test_wrong_dtypes_are_refused():
    v = tf.Variable([1.0])
    with pytest.raises(
        TypeError, match="'value' of 'Assign' Op has type int32 that does not match type float32"
    ):
        v.assign(tf.constant([1]))
    with pytest.raises(TypeError, match="has type float64 that does not match type float32"):
        v.assign_add(tf.constant([1.0], tf.float64))


def test_shapes_may_change_when_validation_is_off():
    v = tf.Variable([1.0, 2.0], validate_shape=False)
    assert v.shape.ndims is None
    grow = tf.assign(v, [1.0, 2.0, 3.0], validate_shape=False)
    session = started()
    assert session.run(grow).tolist() == [1.0, 2.0, 3.0]
    assert session.run(v).tolist() == [1.0, 2.0, 3.0]


def test_reports_about_initialization():
    v, w = tf.Variable(1.0, name="v"), tf.Variable(2.0, name="w")
    check, report = tf.is_variable_initialized(w), tf.report_uninitialized_variables()
    assert check.op.type == "IsVariableInitialized"
    with tf.Session() as session:
        assert session.run(report).tolist() == [b"v", b"w"]
        session.run(v.initializer)
        assert session.run(report).tolist() == [b"w"] and not session.run(check)
        session.run(tf.variables_initializer([w]))
        assert session.run(report).tolist() == [] and session.run(check)


def test_old_names_of_the_initializers():
    v = tf.Variable(1.0)
    local = tf.Variable(2.0, collections=[tf.GraphKeys.LOCAL_VARIABLES], trainable=False)
    with tf.Session() as session:
        session.run(tf.initialize_all_variables())
        session.run(tf.local_variables_initializer())
        assert session.run([v, local]) == [1.0, 2.0]


def test_initializing_waits_for_no_control_dependencies():
    v = tf.Variable(1.0)
    with tf.control_dependencies([v.assign(5.0)]):
        inner = tf.Variable(2.0)
    assert inner.initializer.control_inputs == []
    with tf.Session() as session:
        session.run(inner.initializer)
        assert session.run(inner) == 2.0


def test_iterating_is_refused():
    with pytest.raises(TypeError, match="'Variable' object is not iterable"):
        iter(tf.Variable([1.0]))
