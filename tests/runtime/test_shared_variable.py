"""Variables that hold their own value: one VarHandleOp for each graph that uses them."""

import numpy as np
import pytest

import minitf as tf
from minitf.runtime.shared_variable import SharedVariable


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_the_value_is_there_at_once_and_the_same_everywhere():
    w = SharedVariable(lambda: tf.fill([2], 3.0), name="layer/w")
    np.testing.assert_array_equal(w.numpy(), [3, 3])
    for _ in range(2):
        with tf.Graph().as_default(), tf.Session() as session:
            session.run(w.assign_add([1.0, 2.0]))
    np.testing.assert_array_equal(w.numpy(), [5, 7])
    assert (w.name, w.dtype, w.shape.as_list()) == ("layer/w:0", tf.float32, [2])


def test_making_one_leaves_nothing_in_the_graph(graph):
    SharedVariable(lambda: tf.random_normal([3]), name="w")
    assert graph.get_operations() == []


def test_a_graph_refers_to_it_once(graph):
    w = SharedVariable(np.float32(1.0), name="w")
    total = w + w.value()
    assert [op.name for op in graph.get_operations() if op.type == "VarHandleOp"] == ["w"]
    with tf.Session() as session:
        assert session.run(total) == 2
        w.load(5.0)
        assert session.run(total) == 10
        assert session.run(w) == 5


def test_gradients_and_optimizers_of_both_faces_train_it():
    w = SharedVariable(np.array([1.0, 2.0], np.float32), name="w")
    loss = tf.reduce_sum(w * w)
    (gradient,) = tf.gradients(loss, [w])
    train = tf.train.GradientDescentOptimizer(0.25).minimize(loss, var_list=[w])
    with tf.Session() as session:
        np.testing.assert_array_equal(session.run(gradient), [2, 4])
        session.run(train)
    np.testing.assert_array_equal(w.numpy(), [0.5, 1])


def test_its_initializer_sets_it_back():
    w = SharedVariable(np.float32(1.0), name="w", collections=[tf.GraphKeys.GLOBAL_VARIABLES])
    w.load(9.0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
    assert w.numpy() == 1


def test_another_shape_is_refused_and_the_value_kept():
    w = SharedVariable(np.zeros(2, np.float32), name="w")
    with pytest.raises(ValueError, match="Shape mismatch. The variable shape"):
        w.load([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="Dimension 0 in both shapes must be equal, but are 2 and 3"):
        w.assign([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(w.numpy(), [0, 0])
