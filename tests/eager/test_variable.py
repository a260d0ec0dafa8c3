"""TF2's Variable: changed in place, while tensors that were read from it keep their value."""

import copy

import numpy as np
import pytest

import minitf as tf
from minitf.eager.context import eager_mode
from minitf.eager.variable import Variable


@pytest.fixture(autouse=True)
def eager():
    with eager_mode():
        yield


def test_what_it_shows():
    v = Variable([1.0, 2.0], name="weights")
    assert repr(v) == (
        "<tf.Variable 'weights:0' shape=(2,) dtype=float32, numpy=array([1., 2.], dtype=float32)>"
    )
    assert repr(Variable(1.0)) == "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=1.0>"
    with tf.name_scope("layer"):
        assert Variable(1, name="count").name == "layer/count:0"
    assert v.shape == (2,) and v.dtype == tf.float32 and v.trainable


def test_assignments_return_the_variable():
    v = Variable([1.0, 2.0])
    assert v.assign([3.0, 4.0]) is v and v.assign_add([1.0, 1.0]) is v
    assert v.assign_sub([0.5, 0.5]).numpy().tolist() == [3.5, 4.5]
    with pytest.raises(
        ValueError, match=r"Shape mismatch.The variable shape \(2,\), and the assigned value shape"
    ):
        v.assign([1.0])
    free = Variable([1.0], shape=[None])
    assert free.assign([1.0, 2.0, 3.0]).numpy().tolist() == [1, 2, 3]


def test_what_was_read_keeps_its_value():
    v = Variable([1.0, 2.0])
    read, part = v.read_value(), v[:1]
    v.assign_add([10.0, 10.0])
    v.assign([7.0, 7.0])
    assert read.numpy().tolist() == [1, 2] and part.numpy().tolist() == [1]
    assert v.numpy().tolist() == [7, 7]


def test_updates_are_in_place_when_nothing_shows_the_value():
    v = Variable(np.zeros(1000, np.float32))
    before = v._storage.value.ctypes.data
    v.assign_add(np.ones(1000, np.float32))
    v.assign(np.ones(1000, np.float32))
    assert v._storage.value.ctypes.data == before


def test_a_run_of_a_graph_does_not_change_what_was_read():
    v = Variable([1.0, 2.0])
    read = v.read_value()
    with tf.Graph().as_default(), tf.Session() as session:
        session.run(tf.assign_add(v, [5.0, 5.0]))
    assert read.numpy().tolist() == [1, 2] and v.numpy().tolist() == [6, 7]


def test_operators_and_protocols():
    v = Variable([1.0, 2.0])
    assert (v + 1).numpy().tolist() == [2, 3] and (2 * v).numpy().tolist() == [2, 4]
    assert v[1].numpy() == 2 and len(v) == 2 and [float(x) for x in v] == [1, 2]
    assert np.sum(v) == 3 and float(Variable(2.5)) == 2.5 and bool(Variable(1))
    assert (v == [1.0, 3.0]).numpy().tolist() == [True, False]
    with pytest.raises(TypeError, match="Variable is unhashable"):
        hash(v)
    assert v.ref() == v.ref() and v.ref().deref() is v
    other = copy.deepcopy(v)
    other.assign([9.0, 9.0])
    assert v.numpy().tolist() == [1, 2]
    with pytest.raises(RuntimeError, match="assign_add"):
        v += 1


def test_initial_values():
    assert Variable(lambda: tf.ones([2])).numpy().tolist() == [1, 1]
    assert Variable(3, dtype=tf.float32).dtype == tf.float32
    assert Variable(tf.constant([1, 2])).numpy().tolist() == [1, 2]
    assert Variable(Variable(4.0)).numpy() == 4
    with pytest.raises(ValueError, match="The `initial_value` arg to `tf.Variable` must be specified"):
        Variable()


def test_the_name_tf_variable_means_such_a_variable_in_eager_mode():
    v = tf.Variable([1.0, 2.0], False, None, True, name="mine")
    assert isinstance(v, Variable) and isinstance(v, tf.Variable) and not v.trainable
    assert v.name == "mine:0" and v.numpy().tolist() == [1, 2]
    with tf.Graph().as_default():
        assert not isinstance(tf.Variable(1.0), Variable)

    @tf.function
    def make(made=[]):  # noqa: B006
        made[:] = made or [tf.Variable(lambda: tf.zeros([2]))]
        return made[0] + 1

    assert make().numpy().tolist() == [1, 1]
