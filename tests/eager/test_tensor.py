"""Eager tensors: what they look like, what Python and NumPy can do with them, and how errors read."""

import copy
import pickle

import numpy as np
import pytest

import minitf as tf
from minitf.eager.context import (
    disable_eager_execution,
    eager_mode,
    enable_eager_execution,
    executing_eagerly,
    init_scope,
)
from minitf.ops import registry


@pytest.fixture(autouse=True)
def eager():
    with eager_mode():
        yield


@pytest.mark.parametrize(
    ("value", "shown", "printed"),
    [
        (1.0, "shape=(), dtype=float32, numpy=1.0", "1.0, shape=(), dtype=float32"),
        (3, "shape=(), dtype=int32, numpy=3", "3, shape=(), dtype=int32"),
        (True, "shape=(), dtype=bool, numpy=True", "True, shape=(), dtype=bool"),
        ("abc", "shape=(), dtype=string, numpy=b'abc'", "b'abc', shape=(), dtype=string"),
        (
            [[1.0, 2], [3, 4]],
            "shape=(2, 2), dtype=float32, numpy=\narray([[1., 2.],\n       [3., 4.]], dtype=float32)",
            "\n[[1. 2.]\n [3. 4.]], shape=(2, 2), dtype=float32",
        ),
        (
            ["a", "b"], "shape=(2,), dtype=string, numpy=array([b'a', b'b'], dtype=object)",
            "[b'a' b'b'], shape=(2,), dtype=string",
        ),
    ],
)  # fmt: skip
def test_printing(value, shown, printed):
    tensor = tf.constant(value)
    assert repr(tensor) == f"<tf.Tensor: {shown}>"
    assert str(tensor) == f"tf.Tensor({printed})"


def test_python_protocols():
    assert bool(tf.constant(True)) and not tf.constant(0)
    assert int(tf.constant(3.7)) == 3 and float(tf.constant(2)) == 2.0
    assert [10, 20, 30][tf.constant(1)] == 20
    assert f"{tf.constant(1.5):.3f}" == "1.500" and f"{tf.constant([1, 2])}" == "[1 2]"
    assert len(tf.zeros([3, 2])) == 3
    assert [row.numpy().tolist() for row in tf.constant([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
    assert [i for i in range(tf.constant(3))] == [0, 1, 2]
    tensor = tf.constant([1.0, 2.0])
    assert pickle.loads(pickle.dumps(tensor)).numpy().tolist() == [1, 2]
    assert copy.deepcopy(tensor).numpy().tolist() == [1, 2] and copy.copy(tensor) is tensor


def test_numpy_takes_tensors_and_gives_them_back():
    tensor = tf.constant([1.0, 2.0, 3.0])
    assert np.sum(tensor) == 6 and np.asarray(tensor).dtype == np.float32
    assert isinstance(np.ones(3, np.float32) * tensor, type(tensor))
    array = tensor.numpy()
    array[0] = 9
    assert tensor.numpy().tolist() == [1, 2, 3]
    assert isinstance(tf.constant(1.0).numpy(), np.float32) and tf.constant("a").numpy() == b"a"


def test_tensors_do_not_change_with_what_they_were_made_of():
    array = np.zeros(3, np.float32)
    tensor = tf.constant(array)
    array[:] = 5
    assert tensor.numpy().tolist() == [0, 0, 0]


def test_operators():
    x = tf.constant([1.0, 2.0])
    assert (x + 1).numpy().tolist() == [2, 3] and (1 - x).numpy().tolist() == [0, -1]
    assert (x * x / 2).numpy().tolist() == [0.5, 2] and (x**2).numpy().tolist() == [1, 4]
    assert (x < 2).numpy().tolist() == [True, False] and (-x).numpy().tolist() == [-1, -2]
    assert (tf.constant(7) // 2).numpy() == 3 and (tf.constant(7) / 2).numpy() == 3.5
    assert (x == [1, 3]).numpy().tolist() == [True, False] and (x != x).numpy().tolist() == [False, False]
    assert x[1].numpy() == 2 and x[::-1].numpy().tolist() == [2, 1]
    assert x.shape == (2,) and x.shape[0] == 2 and x.dtype == tf.float32


def test_keys():
    x = tf.constant(1.0)
    with pytest.raises(TypeError, match="Tensor is unhashable. Instead, use tensor.ref"):
        hash(x)
    assert {x.ref(): 1}[x.ref()] == 1 and x.ref().deref() is x and x.ref() != tf.constant(1.0).ref()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: tf.matmul(tf.ones([2, 3]), tf.ones([2, 3])),
            "Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3] [Op:MatMul]",
        ),
        (lambda: tf.ones([2, 3]) + tf.ones([2, 4]), "Incompatible shapes: [2,3] vs. [2,4] [Op:AddV2]"),
        (
            lambda: tf.constant(1) + tf.constant(1.0),
            "cannot compute AddV2 as input #1(zero-based) was expected to be a int32 tensor but is a float",
        ),
        (
            lambda: tf.reshape(tf.ones([3]), [2, 2]),
            "Input to reshape is a tensor with 3 values, but the requested shape has 4 [Op:Reshape]",
        ),
        (lambda: tf.constant([1, 2, 3])[5], "slice index 5 of dimension 0 out of bounds. [Op:StridedSlice]"),
        (lambda: tf.gather([1, 2], 5), "= 5 is not in [0, 2) [Op:GatherV2]"),
    ],
)  # fmt: skip
def test_errors(call, message):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bool(tf.constant([1, 2])), ValueError, "truth value of an array with more than one element"),
        (lambda: len(tf.constant(1)), TypeError, "Scalar tensor has no `len"),
        (lambda: list(tf.constant(1)), TypeError, "Cannot iterate over a scalar tensor."),
        (lambda: tf.constant(1).name, AttributeError, "Tensor.name is undefined when eager"),
        (lambda: tf.constant(1).op, AttributeError, "Tensor.op is undefined when eager execution is enabled"),
        (lambda: tf.constant(1).eval(), NotImplementedError, "eval is not supported when eager execution"),
        (lambda: tf.constant([1, 2]).set_shape([3]), ValueError, "is not compatible with supplied shape"),
        (lambda: tf.tanh(x=1, unknown=2), TypeError, "unexpected keyword argument 'unknown'"),
    ],
)  # fmt: skip
def test_errors_of_python(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_control_flow_runs_python():
    x = tf.constant(3.0)
    assert tf.cond(x > 2, lambda: x * 2, lambda: x).numpy() == 6
    i, total = tf.while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t + i), [0, 0])
    assert (int(i), int(total)) == (4, 6)
    assert tf.map_fn(lambda v: v * v, tf.constant([1.0, 2.0, 3.0])).numpy().tolist() == [1, 4, 9]
    assert tf.scan(lambda a, v: a + v, tf.constant([1.0, 2.0, 3.0])).numpy().tolist() == [1, 3, 6]
    array = tf.TensorArray(tf.float32, 0, dynamic_size=True).write(0, 1.0).write(1, 2.0).write(0, 3.0)
    assert array.stack().numpy().tolist() == [3, 2] and array.read(1).numpy() == 2
    assert tf.case([(x < 0, lambda: 1), (x > 0, lambda: 2)]) == 2
    assert int(tf.switch_case(tf.constant(1), [lambda: 5, lambda: 6])) == 6


def test_random_numbers_follow_the_global_seed():
    def draws():
        return [tf.random_uniform([2]).numpy().tolist(), tf.random_uniform([2]).numpy().tolist()]

    tf.set_random_seed(1)
    first = draws()
    np.testing.assert_allclose(first, [[0.16513085, 0.9014813], [0.51010704, 0.44353175]], rtol=1e-6)
    assert draws() != first
    tf.set_random_seed(1)
    assert draws() == first
    tf.set_random_seed(1)
    seeded = [tf.random_normal([2], seed=5).numpy().tolist() for _ in range(2)]
    assert seeded[0] != seeded[1]


def test_modes():
    assert executing_eagerly()
    with tf.Graph().as_default():
        assert not executing_eagerly()
        with eager_mode():
            assert tf.constant(1.0).numpy() == 1
        assert not executing_eagerly()
    with tf.control_dependencies([tf.constant(1)]), tf.device("/cpu:0"), tf.name_scope("a"):
        assert (tf.constant(1) + 1).numpy() == 2


def test_the_default_mode_can_be_changed():
    held = registry.interpreter_stack()[:]
    registry.interpreter_stack().clear()
    try:
        assert not executing_eagerly()
        with init_scope():
            assert not executing_eagerly()
        tf.reset_default_graph()
        enable_eager_execution()
        assert executing_eagerly() and tf.constant(2.0).numpy() == 2
        disable_eager_execution()
        tf.constant(1.0)
        with pytest.raises(ValueError, match="must be called at program startup"):
            enable_eager_execution()
        tf.reset_default_graph()
    finally:
        registry.interpreter_stack().extend(held)


def test_tensors_of_graphs_are_out_of_scope():
    with tf.Graph().as_default():
        symbolic = tf.constant(1.0)
    with pytest.raises(TypeError, match="is out of scope and cannot be used here"):
        symbolic + tf.constant(1.0)
