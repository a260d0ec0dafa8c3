"""tf.gradients: several ys, weights, None, stops, higher orders, repeated indices, ops without gradient."""

import numpy as np
import pytest

import minitf as tf


def run(fetches, feeds=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feeds)


def test_simple_derivatives():
    x = tf.constant(3.0)
    assert run(tf.gradients(x * x, x)) == [6.0]
    assert run(tf.gradients(tf.exp(2.0 * x), [x]))[0] == pytest.approx(2 * np.exp(6.0), 1e-5)


def test_several_ys_add_up():
    x = tf.constant(3.0)
    assert run(tf.gradients([x * x, 5.0 * x], x)) == [11.0]
    assert run(tf.gradients([x, x], x)) == [2.0]


def test_grad_ys_weigh():
    x = tf.constant([1.0, 2.0])
    assert run(tf.gradients(x * x, x, grad_ys=tf.constant([10.0, 100.0])))[0].tolist() == [20.0, 400.0]
    two = tf.gradients([x * x, x], x, grad_ys=[None, tf.constant([5.0, 5.0])])
    assert run(two)[0].tolist() == [7.0, 9.0]
    with pytest.raises(ValueError, match="Length mismatch. Passed 1 grad_ys for 2 ys"):
        tf.gradients([x, x], x, grad_ys=[x])
    with pytest.raises(
        ValueError, match="Incompatible shapes between op input and calculated input gradient"
    ):
        tf.gradients(x * x, x, grad_ys=tf.ones([3]))


def test_several_xs_in_one_go():
    x, y, unused = tf.constant(2.0), tf.constant(3.0), tf.constant(4.0)
    grads = tf.gradients(x * y, [x, y, unused])
    assert grads[2] is None
    assert run(grads[:2]) == [3.0, 2.0]
    assert tf.gradients(x * y, [x, x])[0] is not None


def test_unconnected_gradients_may_be_zeros():
    x, y = tf.constant([2.0, 1.0]), tf.constant(3.0)
    assert tf.gradients(y * y, x) == [None]
    assert run(tf.gradients(y * y, x, unconnected_gradients="zero"))[0].tolist() == [0.0, 0.0]


def test_gradients_with_respect_to_what_lies_between():
    x = tf.constant(2.0)
    middle = x * x
    y = middle * 3.0
    assert run(tf.gradients(y, [x, middle])) == [12.0, 3.0]
    assert run(tf.gradients(y, y)) == [1.0]


def test_stopping():
    x = tf.constant(2.0)
    square = x * x
    y = square * x
    assert run(tf.gradients(y, x)) == [12.0]
    assert run(tf.gradients(y, x, stop_gradients=[square])) == [4.0]
    assert run(tf.gradients(tf.stop_gradient(square) * x, x)) == [4.0]
    assert tf.gradients(tf.stop_gradient(x), x) == [None]
    assert run(tf.gradients(x + square, [x, square], stop_gradients=[x, square])) == [1.0, 1.0]
    assert tf.gradients(square, x, stop_gradients=[square]) == [None]


def test_integers_and_comparisons_end_the_way():
    x = tf.constant([1.0, 2.0])
    assert tf.gradients(tf.cast(x, tf.int32), x) == [None]
    assert tf.gradients(tf.cast(tf.cast(x, tf.int32), tf.float32), x) == [None]
    assert tf.gradients(tf.cast(x > 1.0, tf.float32), x) == [None]
    assert tf.gradients(tf.argmax(x), x) == [None]
    assert run(tf.gradients(tf.sign(x), x))[0].tolist() == [0.0, 0.0]


def test_higher_orders():
    x = tf.constant(2.0)
    y, derivatives = x**5, []
    for _ in range(5):
        (y,) = tf.gradients(y, x)
        derivatives.append(y)
    assert run(derivatives) == [80.0, 160.0, 240.0, 240.0, 120.0]


def test_hessians():
    x = tf.constant([1.0, 2.0, 3.0], tf.float64)
    (hessian,) = tf.hessians(tf.reduce_sum(x**3) + x[0] * x[1], x)
    assert run(hessian).tolist() == [[6.0, 1.0, 0.0], [1.0, 12.0, 0.0], [0.0, 0.0, 18.0]]


def test_broadcasting_is_undone_for_unknown_batches():
    x, b = tf.placeholder(tf.float32, [None, 3]), tf.Variable(np.zeros(3, np.float32))
    scale = tf.Variable(2.0)
    to_b, to_scale, to_x = tf.gradients(tf.reduce_sum((x + b) * scale), [b, scale, x])
    assert to_b.shape.as_list() == [3] and to_scale.shape.as_list() == []
    assert to_x.shape.as_list() == [None, 3]
    results = run([to_b, to_scale, to_x], {x: np.ones((4, 3))})
    assert results[0].tolist() == [8.0] * 3 and results[1] == 12.0
    assert results[2].tolist() == [[2.0] * 3] * 4


def test_a_variable_that_is_read_many_times():
    v = tf.Variable(3.0)
    y = v * v + v.read_value() * 2.0 + tf.identity(v)
    assert run(tf.gradients(y, v)) == [9.0]


def test_repeated_indices_of_a_gather_add_up():
    table = tf.Variable(np.zeros((4, 2), np.float32))
    rows = tf.gather(table, [1, 3, 1])
    weights = tf.constant([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    (grad,) = tf.gradients(tf.reduce_sum(rows * weights), table)
    assert isinstance(grad, tf.IndexedSlices)
    dense = run(tf.convert_to_tensor(grad))
    assert dense.tolist() == [[0, 0], [11, 22], [0, 0], [3, 4]]
    values = run(grad)
    assert values.indices.tolist() == [1, 3, 1] and values.values.tolist() == [[1, 2], [3, 4], [10, 20]]


def test_sparse_and_dense_gradients_add_up():
    table = tf.Variable(np.ones((3, 2), np.float32))
    y = tf.reduce_sum(tf.gather(table, [0, 0])) + tf.reduce_sum(table * 3.0)
    (grad,) = tf.gradients(y, table)
    assert run(tf.convert_to_tensor(grad)).tolist() == [[5, 5], [3, 3], [3, 3]]


def test_ops_without_gradient_say_so():
    x = tf.constant([1.0, 2.0])
    with pytest.raises(LookupError, match="Gradient explicitly disabled. Reason: for a test"):
        from minitf.ops.array import prevent_gradient

        tf.gradients(prevent_gradient(x, message="for a test"), x)


def test_complex_ys_need_grad_ys():
    x = tf.constant(1 + 2j)
    with pytest.raises(TypeError, match="Gradients of complex tensors must set grad_ys"):
        tf.gradients(x * x, x)


def test_names_of_gradient_ops():
    x = tf.Variable([[1.0]], name="x")
    loss = tf.reduce_mean(tf.square(tf.matmul(x, x)))
    (grad,) = tf.gradients(loss, x)
    assert grad.name.startswith("gradients/")
    (again,) = tf.gradients(loss, x, name="other")
    assert again.name.startswith("other/")
    assert tf.gradients(loss, x)[0].name.startswith("gradients_1/")


def test_gradients_of_a_diamond_visit_each_op_once():
    x = tf.constant(1.0)
    y = x
    for _ in range(30):
        y = tf.tanh(y) + y
    before = tf.get_default_graph().version
    tf.gradients(y, x)
    assert tf.get_default_graph().version - before < 30 * 10


def test_hessian_of_a_scalar():
    x = tf.constant(2.0)
    (hessian,) = tf.hessians(x**3, x)
    assert hessian.shape.as_list() == []
    assert run(hessian) == pytest.approx(12.0)


def test_a_registered_gradient_takes_the_place_of_an_ops_own():
    @tf.RegisterGradient("TripledInTest")
    def tripled(op, grad):
        assert op.type == "Square"
        return grad * 3.0

    x = tf.constant(2.0)
    with tf.get_default_graph().gradient_override_map({"Square": "TripledInTest"}):
        y = tf.square(x)
    assert run(tf.gradients(y, x)) == [3.0]
    assert run(tf.gradients(tf.square(x), x)) == [4.0]
    with pytest.raises(KeyError, match="Registering two gradient with name 'TripledInTest'"):
        tf.RegisterGradient("TripledInTest")(tripled)
    with tf.get_default_graph().gradient_override_map({"Square": "Nowhere"}):
        y = tf.square(x)
    with pytest.raises(LookupError, match="gradient registry has no entry for: Nowhere"):
        tf.gradients(y, x)


def test_python_functions_get_a_gradient_by_override():
    @tf.RegisterGradient("DoubledInTest")
    def doubled(op, grad):
        return 2.0 * op.inputs[0] * grad

    x = tf.constant([3.0, 4.0])
    with tf.get_default_graph().gradient_override_map({"PyFunc": "DoubledInTest"}):
        y = tf.py_func(np.square, [x], tf.float32)
    assert run(tf.gradients(y, x))[0].tolist() == [6.0, 8.0]


def test_the_enum_of_unconnected_gradients():
    x = tf.constant([1.0, 2.0])
    other = tf.constant(1.0)
    assert tf.gradients(other, x, unconnected_gradients=tf.UnconnectedGradients.NONE) == [None]
    (zeros,) = tf.gradients(other, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    assert run(zeros).tolist() == [0.0, 0.0]
