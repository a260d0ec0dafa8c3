"""cond, while_loop and what is built of them: the ops If, While, Capture and IdentityN."""

import collections
import time

import numpy as np
import pytest

import minitf as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def run(fetches, feed=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feed)


# --- cond -------------------------------------------------------------------------------------------------


def test_only_the_branch_taken_runs():
    x, v, w = tf.placeholder(tf.float32, []), tf.Variable(0.0), tf.Variable(0.0)
    y = tf.cond(x > 0, lambda: v.assign_add(x), lambda: w.assign_sub(x))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(y, {x: 2}) == 2 and session.run(y, {x: -3}) == 3 and session.run(y, {x: 1}) == 3
        assert session.run([v, w]) == [3, 3]


def test_an_error_in_the_branch_not_taken_does_not_matter():
    x = tf.placeholder(tf.float32, [None])
    y = tf.cond(tf.size(x) > 2, lambda: tf.reshape(x, [2, 2]), lambda: tf.reshape(x, [1, 2]))
    assert run(y, {x: [1, 2]}).tolist() == [[1, 2]]
    assert run(y, {x: [1, 2, 3, 4]}).shape == (2, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="test_control.py") as caught:
        run(y, {x: [1, 2, 3]})
    assert "Input to reshape is a tensor with 3 values" in str(caught.value)
    assert caught.value.op.type == "Reshape"


def test_names_and_shapes_of_conds():
    p = tf.placeholder(tf.bool, [])
    a, b = tf.cond(p, lambda: (tf.zeros([2, 3]), 1), lambda: (tf.zeros([4, 3]), 2))
    assert (a.name, b.name) == ("cond/Merge:0", "cond/Merge_1:0")
    assert a.shape.as_list() == [None, 3] and b.shape.as_list() == []
    assert tf.cond(p, lambda: 1, lambda: 2, name="choose").name == "choose/Merge:0"
    assert tf.cond(p, lambda: 1, lambda: 2).name == "cond_1/Merge:0"


def test_a_branch_that_hands_on_an_outer_tensor():
    p, x = tf.placeholder(tf.bool, []), tf.constant([1.0, 2.0])
    y = tf.cond(p, lambda: x, lambda: x * 2)
    assert run([y, *tf.gradients(y, x)], {p: True})[1].tolist() == [1, 1]
    assert run([y, *tf.gradients(y, x)], {p: False})[1].tolist() == [2, 2]


def test_dictionaries_and_namedtuples_as_results():
    pair = collections.namedtuple("Pair", "first second")
    p = tf.placeholder(tf.bool, [])
    y = tf.cond(p, lambda: {"b": 1, "a": pair(2, [3])}, lambda: {"a": pair(5, [6]), "b": 4})
    assert run(y, {p: True}) == {"b": 1, "a": pair(2, [3])}
    assert run(y, {p: False}) == {"b": 4, "a": pair(5, [6])}


def test_the_old_names_of_the_functions():
    p = tf.constant(True)
    assert run(tf.cond(p, fn1=lambda: 1, fn2=lambda: 2)) == 1
    with pytest.raises(TypeError, match="'true_fn' and 'fn1' may not be set simultaneously"):
        tf.cond(p, lambda: 1, lambda: 2, fn1=lambda: 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((True, lambda: 1, lambda: 2), TypeError, "'pred' must not be a Python bool."),
        ((None, lambda: 1), TypeError, r"cond\(\): 'false_fn' argument required"),
        ((None, 1, lambda: 2), TypeError, "'true_fn' must be callable."),
        ((None, lambda: None, lambda: 2), ValueError, "'true_fn' must have a return value."),
        ((None, lambda: 2, lambda: None), ValueError, "'false_fn' must have a return value."),
        ((None, lambda: [], lambda: []), ValueError, "must return at least one result"),
        (
            (None, lambda: 1, lambda: 2.0), ValueError,
            "must have the same type.*Received int32 from 'true_fn' and float32 from 'false_fn'",
        ),
        ((None, lambda: (1, 2), lambda: (1, 2, 3)), ValueError, "Incompatible return values of 'true_fn'"),
        ((None, lambda: (1, 2), lambda: [1, 2]), TypeError, "Incompatible return types of 'true_fn'"),
    ],
)  # fmt: skip
def test_bad_conds(arguments, error, message):
    pred, *functions = arguments
    with pytest.raises(error, match=message):
        tf.cond(tf.placeholder(tf.bool, []) if pred is None else pred, *functions)


def test_the_condition_must_be_a_scalar_bool():
    with pytest.raises(ValueError, match="Shape must be rank 0 but is rank 1"):
        tf.cond(tf.placeholder(tf.bool, [2]), lambda: 1, lambda: 2)
    with pytest.raises(TypeError, match="'pred' has DataType int32 not in list of allowed values: bool"):
        tf.cond(tf.placeholder(tf.int32, []), lambda: 1, lambda: 2)


def test_tensors_of_a_branch_stay_inside():
    inside = []
    tf.cond(tf.constant(True), lambda: inside.append(tf.constant(1.0) + 1) or 1, lambda: 2)
    with pytest.raises(ValueError, match="is out of scope and cannot be used here"):
        inside[0] * 2
    with pytest.raises(ValueError, match="Operation 'cond/add' has been marked as not fetchable"):
        run(inside[0])


def test_composite_results_and_loop_variables():
    p, x = tf.placeholder(tf.bool, []), tf.constant([[1.0, 2.0], [3.0, 4.0]])
    slices = tf.IndexedSlices(x, tf.constant([0, 2]), tf.constant([3, 2]))
    y = tf.cond(p, lambda: slices, lambda: tf.IndexedSlices(x * 10, slices.indices, slices.dense_shape))
    assert isinstance(y, tf.IndexedSlices)
    assert run(tf.convert_to_tensor(y), {p: True}).tolist() == [[1, 2], [0, 0], [3, 4]]
    assert run(y.values, {p: False}).tolist() == [[10, 20], [30, 40]]
    _, z = tf.while_loop(
        lambda i, s: i < 2,
        lambda i, s: (i + 1, tf.IndexedSlices(s.values * 2, s.indices, s.dense_shape)),
        [0, slices],
    )
    assert run(z.values).tolist() == [[4, 8], [12, 16]] and run(z.indices).tolist() == [0, 2]


def test_control_dependencies_from_inside_on_what_is_outside():
    v, p = tf.Variable(0.0), tf.placeholder(tf.bool, [])
    update = v.assign_add(1.0)

    def dependent():
        with tf.control_dependencies([update]):
            return tf.constant(1.0)

    assert run([tf.cond(p, dependent, lambda: tf.constant(2.0)), v.read_value()], {p: True})[0] == 1
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(tf.cond(p, dependent, lambda: tf.constant(2.0)), {p: True})
        assert session.run(v) == 1


def test_a_value_read_before_keeps_its_value_while_the_branch_assigns():
    v, p = tf.Variable([1.0]), tf.placeholder(tf.bool, [])
    before = v.value()

    def assign():
        with tf.control_dependencies([v.assign([5.0])]):
            return before + 0.0

    assert run(tf.cond(p, assign, lambda: before), {p: True}).tolist() == [1]


def test_dropout_in_a_branch_has_the_gradient_of_its_own_mask():
    x, training = tf.placeholder(tf.float32, [None, 50]), tf.placeholder(tf.bool, [])
    y = tf.cond(training, lambda: tf.nn.dropout(x, 0.5), lambda: tf.identity(x))
    (grad,) = tf.gradients(y, x)
    ones = np.ones((4, 50), np.float32)
    values, grads = run([y, grad], {x: ones, training: True})
    assert set(np.unique(values)) == {0, 2} and np.array_equal(values, grads)
    values, grads = run([y, grad], {x: ones, training: False})
    assert np.array_equal(values, ones) and np.array_equal(grads, ones)


def test_summaries_of_plans_made_before_the_gradient_stay_right():
    p, x = tf.placeholder(tf.bool, []), tf.placeholder(tf.float32, [])
    y = tf.cond(p, lambda: tf.sin(x) * x, lambda: tf.exp(x))
    with tf.Session() as session:
        before = session.run(y, {p: True, x: 0.5})
        grads = tf.gradients(y, x)
        assert session.run(y, {p: True, x: 0.5}) == before
        expected = np.cos(0.5) * 0.5 + np.sin(0.5)
        np.testing.assert_allclose(session.run(grads, {p: True, x: 0.5})[0], expected, rtol=1e-6)


def test_initialising_from_other_variables_in_one_run():
    first = tf.Variable(tf.random_normal([3]))
    second = tf.Variable(first * 2)
    third = tf.Variable(second + first.initialized_value())
    a, b, c = run([first, second, third])
    assert np.array_equal(b, a * 2) and np.array_equal(c, b + a)


# --- while_loop -------------------------------------------------------------------------------------------


def test_names_shapes_and_structure_of_loops():
    i, pair = tf.while_loop(lambda i, p: i < 10, lambda i, p: (i + 1, [p[1], p[0] + p[1]]), (0, [0, 1]))
    assert (i.name, pair[0].name) == ("while/Exit:0", "while/Exit_1:0")
    assert run([i, pair]) == [10, [55, 89]]
    assert run(tf.while_loop(lambda d: d["x"] < 5, lambda d: [{"x": d["x"] + 2}], [{"x": 0}])) == {"x": 6}


def test_gradients_of_loops_of_any_order():
    a, n = tf.placeholder(tf.float64, []), tf.placeholder(tf.int32, [])
    start = tf.constant(1.1, tf.float64)
    _, y = tf.while_loop(lambda i, v: i < n, lambda i, v: (i + 1, v * v * a), [0, start])
    derivatives = [y]
    for _ in range(3):
        derivatives += tf.gradients(derivatives[-1], a)
    got = run(derivatives, {a: 1.05, n: 5})
    expected = [1.1**32 * 1.05**31]
    for k in range(3):
        expected.append(expected[-1] * (31 - k) / 1.05)
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert run(derivatives[:2], {a: 1.05, n: 0}) == [1.1, 0]


def test_gradients_agree_with_finite_differences_where_loops_branch():
    x, w = tf.placeholder(tf.float64, [3]), tf.placeholder(tf.float64, [3])

    def body(i, h, total):
        h = tf.cond(tf.equal(i % 3, 0), lambda: tf.sin(h * w), lambda: h * tf.exp(-x))
        inner = tf.while_loop(lambda j, k: j < i, lambda j, k: (j + 1, k * w + x), [0, h])[1]
        return i + 1, h, total + tf.reduce_sum(inner * inner)

    *_, y = tf.while_loop(lambda i, *_: i < 4, body, [0, x, tf.constant(0.0, tf.float64)])
    grads = tf.gradients(y, [x, w])
    second = tf.gradients([tf.reduce_sum(grad * [1.0, 2.0, 3.0]) for grad in grads], [x, w])
    random = np.random.RandomState(3)
    values = [random.uniform(0.2, 0.9, 3) for _ in range(2)]
    with tf.Session() as session:

        def call(fetches, values):
            return session.run(fetches, dict(zip([x, w], values, strict=True)))

        def difference(fetch, which, i, step=1e-6):
            moved = [[v.copy() for v in values] for _ in range(2)]
            moved[0][which][i] += step
            moved[1][which][i] -= step
            return (call(fetch, moved[0]) - call(fetch, moved[1])) / (2 * step)

        weighed = sum(tf.reduce_sum(grad * [1.0, 2.0, 3.0]) for grad in grads)
        for fetch, derivatives in ((y, grads), (weighed, second)):
            for which, derivative in enumerate(call(derivatives, values)):
                numeric = [difference(fetch, which, i) for i in range(3)]
                np.testing.assert_allclose(derivative, numeric, rtol=1e-6, atol=1e-7)


def test_random_numbers_of_a_body_are_drawn_once_for_value_and_gradient():
    x = tf.placeholder(tf.float32, [20])
    _, y = tf.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, h * tf.random_uniform([20], 1, 2)), [0, x])
    values, grads = run([y, tf.gradients(y, x)[0]], {x: np.full(20, 2.0)})
    np.testing.assert_allclose(values, 2 * grads, rtol=1e-6)
    assert len(np.unique(grads)) == 20


def test_no_gradient_flows_without_back_prop():
    x = tf.placeholder(tf.float32, [])
    y = tf.while_loop(lambda v: v < 10, lambda v: v * x, [x], back_prop=False)
    assert tf.gradients(y, x) == [None]


def test_variables_made_in_a_body_belong_to_the_graph():
    def body(i, h):
        return i + 1, h * tf.get_variable("scale", [], initializer=tf.constant_initializer(3.0))

    with tf.variable_scope("outer"):
        _, y = tf.while_loop(lambda i, h: i < 2, body, [0, 1.0])
    (scale,) = tf.trainable_variables()
    assert scale.name == "outer/scale:0"
    assert run([y, *tf.gradients(y, scale)]) == [9, 6]


def test_an_initial_value_from_inside_a_body_is_refused():
    with pytest.raises(ValueError, match="Initializer for variable while/Variable/ is from inside a control"):
        tf.while_loop(lambda h: h < 3, lambda h: h + tf.Variable(h * 2), [1.0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None, lambda i: i, [0]), TypeError, "'cond' must be callable."),
        ((lambda i: True, None, [0]), TypeError, "'body' must be callable."),
        ((lambda: True, lambda: 0, []), ValueError, "'loop_vars' must be provided."),
        ((lambda i: i < 3, lambda i: (i, i), [0]), ValueError, "don't have the same nested structure"),
        ((lambda i: i, lambda i: i, [0]), TypeError, "DataType int32 not in list of allowed values: bool"),
        (
            (lambda v: True, lambda v: tf.concat([v, v], 0), [np.zeros(2)]), ValueError,
            r"Input tensor 'while/.*' enters the loop with shape \(2,\), but has shape \(4,\) after one "
            "iteration. To allow the shape to vary across iterations, use the `shape_invariants` argument",
        ),
        (
            (lambda v: True, lambda v: v, [np.zeros(2)], [tf.TensorShape([3])]), ValueError,
            r"It enters the loop with shape \(2,\), but the specified shape invariant is \(3,\)",
        ),
        ((lambda i: True, lambda i: i, [0], None, 0), TypeError, "must be a positive integer"),
    ],
)  # fmt: skip
def test_bad_loops(arguments, error, message):
    with pytest.raises(error, match=message):
        tf.while_loop(*arguments)


def test_maximum_iterations_must_be_a_scalar():
    with pytest.raises(ValueError, match="'maximum_iterations' must be a scalar"):
        tf.while_loop(lambda i: True, lambda i: i, [0], maximum_iterations=[1, 2])


def test_an_error_in_a_body_names_the_op_and_the_line():
    x = tf.placeholder(tf.int32, [None])
    _, y = tf.while_loop(lambda i, v: i < 5, lambda i, v: (i + 1, tf.gather(x, i)), [0, 0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="test_control.py") as caught:
        run(y, {x: [1, 2, 3]})
    assert "= 3 is not in [0, 3)" in caught.value.message
    assert caught.value.op.type.startswith("Gather")


def test_gradients_inside_a_body_reach_variables_outside():
    w = tf.Variable([2.0, 3.0])

    def body(i, h):
        (grad,) = tf.gradients(tf.reduce_sum(h * w), w)
        return i + 1, h + grad

    _, y = tf.while_loop(lambda i, h: i < 3, body, [0, tf.constant([1.0, 1.0])])
    assert run(y).tolist() == [8, 8]


def test_what_is_not_fetched_is_not_computed():
    x = tf.placeholder(tf.float32, [])
    i, _ = tf.while_loop(
        lambda i, v: i < 3, lambda i, v: (i + 1, tf.cast(tf.gather([1], i), tf.float32) + v), [0, x]
    )
    assert run(i, {x: 1.0}) == 3  # tf.gather would fail at 1


def test_a_long_loop_is_fast_and_keeps_nothing():
    n = tf.placeholder(tf.int32, [])
    i, v = tf.while_loop(lambda i, v: i < n, lambda i, v: (i + 1, v * 0.999), [0, 1.0])
    with tf.Session() as session:
        session.run([i, v], {n: 1})
        start = time.perf_counter()
        session.run([i, v], {n: 20000})
        assert (time.perf_counter() - start) / 20000 < 50e-6


# --- map_fn and others ------------------------------------------------------------------------------------


def test_map_fn_checks_its_arguments():
    with pytest.raises(TypeError, match="is not callable"):
        tf.map_fn(3, tf.zeros([2]))
    with pytest.raises(ValueError, match=r"Elements in elems must be 1\+ dimensional Tensors, not scalars"):
        tf.map_fn(lambda x: x, tf.zeros([]))
    with pytest.raises(ValueError, match="which does not contain any Tensors"):
        tf.map_fn(lambda x: x, [])
    with pytest.raises(ValueError, match="Dimensions 2 and 3 are not compatible"):
        tf.map_fn(lambda x: x[0], (tf.zeros([2]), tf.zeros([3])))


def test_map_fn_over_nothing():
    assert run(tf.map_fn(lambda x: x * 2, tf.zeros([0, 3]))).shape == (0, 3)


def test_case_without_default_needs_one_true_predicate():
    x = tf.placeholder(tf.float32, [])
    y = tf.case([(x < 0, lambda: x * 2), (x > 1, lambda: x * 3)])
    assert [run(y, {x: value}) for value in (-1, 2)] == [-2, 6]
    with pytest.raises(tf.errors.InvalidArgumentError, match="None of conditions evaluated as True"):
        run(y, {x: 0.5})


def test_exclusive_cases():
    x = tf.placeholder(tf.float32, [])
    y = tf.case([(x < 1, lambda: 1), (x < 2, lambda: 2)], default=lambda: 3, exclusive=True)
    assert [run(y, {x: value}) for value in (1.5, 3)] == [2, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="exclusive=True"):
        run(y, {x: 0})


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (3, "'pred_fn_pairs' must be a list, tuple, or dict"),
        ([3], "Each entry in 'pred_fn_pairs' must be a 2-tuple. Received 3."),
        ([(True, lambda: 1)], "pred must be a Tensor, got: True"),
    ],
)
def test_bad_cases(pairs, message):
    with pytest.raises(TypeError, match=message):
        tf.case(pairs)


def test_bad_switch_cases():
    with pytest.raises(TypeError, match="'branch_index' must be an integer Tensor"):
        tf.switch_case(1.0, [lambda: 1])
    with pytest.raises(ValueError, match="Must provide at least one item in 'branch_fns'"):
        tf.switch_case(1, [])
    with pytest.raises(ValueError, match=r"contiguous range of \[0 to 2\) but found \{0,5\}"):
        tf.switch_case(1, {0: lambda: 1, 5: lambda: 2})
    with pytest.raises(TypeError, match="key must be a Python `int`"):
        tf.switch_case(1, {"a": lambda: 1})


def test_custom_gradient_checks_for_variables():
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())

    @tf.custom_gradient
    def scaled(x):
        return x * w, lambda dy: dy

    x = tf.constant(2.0)
    y = scaled(x)
    assert run([y, *tf.gradients(y, x)]) == [2, 1]
    with pytest.raises(ValueError, match="keywords arguments only when eager execution"):
        scaled(x=x)


def test_identity_n():
    x = tf.constant([1.0, 2.0])
    a, b = tf.identity_n([x, x * 2])
    assert run([a, b, *tf.gradients(a * b, x)])[2].tolist() == [4, 8]
