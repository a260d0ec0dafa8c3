"""tf.function: when functions are traced, side effects, captured tensors, and gradients through calls."""

import numpy as np
import pytest

import minitf as tf
from minitf.eager.context import eager_mode, executing_eagerly, init_scope
from minitf.eager.function import TensorSpec, function
from minitf.eager.tape import GradientTape
from minitf.eager.variable import Variable


@pytest.fixture(autouse=True)
def eager():
    with eager_mode():
        yield


def test_traced_once_for_each_kind_of_arguments():
    kinds = []

    @function
    def double(x, times=2):
        assert not executing_eagerly()
        kinds.append(x)
        return x * times

    assert double(tf.constant([1.0, 2.0])).numpy().tolist() == [2, 4]
    assert double(np.array([3.0, 4.0], np.float32)).numpy().tolist() == [6, 8]
    assert len(kinds) == 1
    double(tf.constant([1.0, 2.0]), times=2)
    assert len(kinds) == 1
    double(tf.constant([1.0, 2.0]), 3)
    double(tf.constant([1.0, 2.0, 3.0]))
    double(tf.constant([1, 2]))
    assert len(kinds) == 4
    double(2), double(2), double(3)
    assert len(kinds) == 6 and double.experimental_get_tracing_count() == 6


def test_input_signatures():
    @function(input_signature=[TensorSpec([None], tf.float32)])
    def total(x):
        return tf.reduce_sum(x)

    assert total([1.0, 2.0]).numpy() == 3 and total(tf.ones([5])).numpy() == 5
    assert total.experimental_get_tracing_count() == 1
    with pytest.raises(TypeError, match="Can not cast TensorSpec"):
        total(tf.ones([2, 2]))


def test_sizes_left_open():
    @function(reduce_retracing=True)
    def total(x):
        return tf.reduce_sum(x)

    assert [float(total(tf.ones([n]))) for n in (2, 3, 4, 5)] == [2, 3, 4, 5]
    assert total.experimental_get_tracing_count() == 2


def test_concrete_functions():
    @function
    def add(x, y):
        return {"sum": x + y}

    concrete = add.get_concrete_function(TensorSpec([None], tf.float32), tf.constant([1.0]))
    assert concrete(tf.constant([1.0, 2.0]), tf.constant([3.0]))["sum"].numpy().tolist() == [4, 5]
    assert [t.shape.rank for t in concrete.inputs] == [1, 1]


def test_structures():
    @function
    def swap(pair, options):
        return {"b": pair[0], "a": [pair[1] + options["more"], None]}

    result = swap((tf.constant(1), tf.constant(2)), {"more": tf.constant(5)})
    assert int(result["b"]) == 1 and int(result["a"][0]) == 7 and result["a"][1] is None


def test_side_effects_happen_in_order():
    v = Variable(1.0)

    @function
    def update(x):
        first = v.read_value()
        v.assign_add(x)
        second = v * 10
        v.assign(v * v)
        return first, second, v.read_value()

    assert [float(t) for t in update(tf.constant(2.0))] == [1, 30, 9]
    assert [float(t) for t in update(tf.constant(1.0))] == [9, 100, 100]
    assert v.numpy() == 100


def test_side_effects_in_branches_and_loops():
    v = Variable(0.0)

    @function
    def update(x):
        tf.cond(x > 0, lambda: v.assign_add(x), lambda: v.assign_sub(1.0))
        tf.cond(x > 5, lambda: None, lambda: None)

        def body(i):
            v.assign_add(0.5)
            return i + 1

        tf.while_loop(lambda i: i < 4, body, [0])
        return v.read_value()

    assert update(tf.constant(3.0)).numpy() == 5
    assert update(tf.constant(-3.0)).numpy() == 6


def test_captured_tensors():
    scale = tf.constant([2.0, 3.0])
    index = tf.constant(1)

    @function
    def scaled(x):
        return x * scale + x[index]

    assert scaled(tf.constant([1.0, 10.0])).numpy().tolist() == [12, 40]


def test_methods():
    class Model:
        def __init__(self):
            self.w = Variable(2.0)
            self.traces = 0

        @function
        def __call__(self, x):
            self.traces += 1
            return x * self.w

        @function
        def other(self, x):
            return self(x) + 1

    first, second = Model(), Model()
    second.w.assign(5.0)
    assert first(tf.constant(1.0)).numpy() == 2 and second(tf.constant(1.0)).numpy() == 5
    assert first(tf.constant(2.0)).numpy() == 4 and first.traces == 1
    assert second.other(tf.constant(1.0)).numpy() == 6


def test_gradients_through_calls():
    w, c = Variable([1.0, 2.0]), tf.constant([3.0, 4.0])

    @function
    def value(x):
        return tf.reduce_sum(tf.sin(x) * w * c), tf.shape(x)

    x = tf.constant([0.5, 1.5])
    with GradientTape() as tape:
        tape.watch([x, c])
        y, _ = value(x)
    dx, dw, dc = tape.gradient(y, [x, w, c])
    np.testing.assert_allclose(dx.numpy(), np.cos([0.5, 1.5]) * [3, 8], rtol=1e-6)
    np.testing.assert_allclose(dw.numpy(), np.sin([0.5, 1.5]) * [3, 4], rtol=1e-6)
    np.testing.assert_allclose(dc.numpy(), np.sin([0.5, 1.5]) * [1, 2], rtol=1e-6)


def test_second_derivatives_through_calls():
    w = Variable([1.0, 2.0])

    @function
    def value(x):
        _, h = tf.while_loop(lambda i, h: i < 2, lambda i, h: (i + 1, h * x * w), [0, x])
        return tf.reduce_sum(h * h)

    def plain(x):
        return tf.reduce_sum((x**3 * w * w) ** 2)

    results = []
    for f in (value, plain):
        x = tf.constant([0.7, -1.2])
        with GradientTape(persistent=True) as outer:
            outer.watch(x)
            with GradientTape() as inner:
                inner.watch(x)
                y = f(x)
            slope = inner.gradient(y, x)
        results.append([y, slope, *outer.gradient(slope, [x, w])])
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours.numpy(), expected.numpy(), rtol=1e-5)


def test_a_training_step_with_the_tape_inside():
    w = Variable([0.0, 0.0])
    x = tf.constant(np.random.RandomState(0).randn(20, 2).astype(np.float32))

    @function
    def step(target):
        with GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.reduce_sum(x * w, 1) - target))
        assert tape.watched_variables() == (w,)
        w.assign_sub(0.2 * tape.gradient(loss, w))
        return loss

    target = tf.reduce_sum(x * [2.0, -3.0], 1)
    losses = [float(step(target)) for _ in range(60)]
    assert losses[-1] < 1e-4 < losses[0]
    np.testing.assert_allclose(w.numpy(), [2, -3], atol=0.02)


def test_python_control_flow_over_tensors_is_refused():
    @function
    def choose(x):
        return x if x > 0 else -x

    with pytest.raises(TypeError, match="Using a symbolic `tf.Tensor` as a Python `bool` is not allowed"):
        choose(tf.constant(1.0))


def test_variables_are_made_outside():
    made = []

    @function
    def layer(x):
        if not made:
            made.append(Variable(lambda: tf.ones([2])))
            with init_scope():
                assert executing_eagerly()
        return x * made[0]

    assert layer(tf.constant([2.0, 3.0])).numpy().tolist() == [2, 3]
    made[0].assign([5.0, 5.0])
    assert layer(tf.constant([2.0, 3.0])).numpy().tolist() == [10, 15]


def test_calls_within_functions_and_graphs_become_part_of_them():
    @function
    def square(x):
        return x * x

    @function
    def fourth(x):
        return square(square(x))

    assert fourth(tf.constant(2.0)).numpy() == 16
    with tf.Graph().as_default(), tf.Session() as session:
        assert session.run(fourth(tf.constant(3.0))) == 81


def test_random_ops_draw_anew_in_each_call():
    @function
    def draw():
        return tf.random_uniform([3])

    tf.set_random_seed(1)
    first, second = draw().numpy(), draw().numpy()
    assert not np.array_equal(first, second)


def test_errors_name_the_line():
    @function(input_signature=[TensorSpec([None], tf.float32)])
    def bad(x):
        return tf.reshape(x, [2, 2])

    with pytest.raises(tf.errors.InvalidArgumentError, match="test_function.py"):
        bad(tf.ones([3]))
