"""Branches, loops and TensorArrays: the same programs in minitf and in TensorFlow, with their gradients."""

import collections

import numpy as np
import pytest

from parity.programs import compare

X = np.random.RandomState(0).randn(4, 3).astype(np.float32)
A = np.random.RandomState(1).randn(3, 3).astype(np.float32) * 0.5

PROGRAMS = []


def program(function):
    PROGRAMS.append(function)
    return function


def runs(tf, fetches, feeds):
    """The results of one run for each of `feeds`, after initialising."""
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return {f"run {i}": session.run(fetches, feed) for i, feed in enumerate(feeds)}


@program
def branches_to_second_order(tf):
    x, p = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.bool, [])
    w = tf.Variable(A)
    y = tf.cond(p, lambda: tf.matmul(x, w) ** 3, lambda: tf.matmul(tf.sin(x), w))
    first = tf.gradients(y, [x, w])
    second = tf.gradients(first[0], [x, w])
    return {"name": y.name} | runs(tf, [y, *first, *second], [{x: X, p: True}, {x: X, p: False}])


@program
def branches_within_branches(tf):
    x = tf.placeholder(tf.float32, [])
    y = tf.cond(x > 0, lambda: tf.cond(x > 1, lambda: x * x, lambda: tf.exp(x)), lambda: -x * 3)
    (first,) = tf.gradients(y, x)
    (second,) = tf.gradients(first, x)
    fetches = [y, first] if second is None else [y, first, second]
    return runs(tf, fetches, [{x: -1.0}, {x: 0.5}, {x: 2.0}])


@program
def structures_of_results(tf):
    x = tf.placeholder(tf.float32, [2])
    positive = tf.reduce_sum(x) > 0
    nested = tf.cond(positive, lambda: (x, [x + 1]), lambda: (x - 1, [x]))
    single = tf.cond(positive, lambda: [x * 2], lambda: [x * 3])
    strict = tf.cond(positive, lambda: [x * 2], lambda: [x * 3], strict=True)
    results = runs(tf, [nested[0], nested[1][0], single, strict[0]], [{x: [1, 2]}, {x: [-3, 1]}])
    return results | {"types": [type(nested).__name__, type(nested[1]).__name__, type(strict).__name__]}


@program
def assignments_in_the_taken_branch(tf):
    v, p = tf.Variable(1.0), tf.placeholder(tf.bool, [])
    y = tf.cond(p, lambda: v.assign_add(10.0), lambda: v.assign(-1.0))
    with tf.control_dependencies([y]):
        after = v.read_value()
    return runs(tf, [y, after], [{p: True}, {p: True}, {p: False}, {p: True}])


@program
def operations_as_results(tf):
    v, p = tf.Variable(1.0), tf.placeholder(tf.bool, [])
    y = tf.cond(p, lambda: tf.group(v.assign_add(10.0)), tf.no_op)
    with tf.control_dependencies([y]):
        after = v.read_value()
    return runs(tf, [y, after], [{p: True}, {p: False}, {p: True}])


@program
def powers_by_a_loop(tf):
    a, n = tf.placeholder(tf.float32, []), tf.placeholder(tf.int32, [])
    i, v = tf.while_loop(lambda i, v: i < n, lambda i, v: (i + 1, v * v * a), [0, tf.constant(1.1)])
    (grad,) = tf.gradients(v, a)
    return {"names": [i.name, v.name]} | runs(tf, [i, v, grad], [{a: 1.05, n: n_} for n_ in (0, 1, 5)])


@program
def a_recurrent_network(tf):
    x = tf.placeholder(tf.float32, [None, 3])
    w, b = tf.Variable(A), tf.Variable([0.1, 0.2, 0.3])
    _, h = tf.while_loop(lambda i, h: i < 4, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, w) + b)), [0, x])
    return runs(tf, [h, *tf.gradients(tf.reduce_sum(h * h), [x, w, b])], [{x: X}])


@program
def shapes_that_grow(tf):
    x, w = tf.placeholder(tf.float32, [1, 2]), tf.Variable([[1.0, 2], [3, 4]])
    _, h = tf.while_loop(
        lambda i, h: i < 3,
        lambda i, h: (i + 1, tf.concat([h, tf.matmul(h, w)], 0)),
        [0, x],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 2])],
    )
    results = runs(tf, [h, *tf.gradients(h, [x, w])], [{x: [[1, 0.5]]}])
    return results | {"shape": str(h.shape)}


@program
def loops_within_loops(tf):
    x = tf.placeholder(tf.float32, [2])

    def outer(i, h):
        _, k = tf.while_loop(lambda j, k: j < i + 1, lambda j, k: (j + 1, tf.sin(k) * x), [0, h])
        return i + 1, k + h

    _, h = tf.while_loop(lambda i, h: i < 3, outer, [0, x * 2])
    return runs(tf, [h, *tf.gradients(h, x)], [{x: [0.3, 0.8]}])


@program
def branches_within_loops(tf):
    x, w = tf.placeholder(tf.float32, [2]), tf.Variable([0.5, 1.5])

    def body(i, h):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: h * w + x, lambda: tf.sin(h) * x)

    _, h = tf.while_loop(lambda i, h: i < 5, body, [0, x * 2])
    return runs(tf, [h, *tf.gradients(h, [x, w])], [{x: [0.3, 0.8]}])


@program
def loops_within_branches(tf):
    x, p = tf.placeholder(tf.float32, [2]), tf.placeholder(tf.bool, [])

    def loop():
        return tf.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, h * h * x), [0, x])[1]

    h = tf.cond(p, loop, lambda: x)
    return runs(tf, [h, *tf.gradients(h, x)], [{x: [0.3, 0.8], p: True}, {x: [0.3, 0.8], p: False}])


@program
def a_limit_on_iterations(tf):
    n, x = tf.placeholder(tf.int32, []), tf.placeholder(tf.float32, [])
    r = tf.while_loop(lambda v: v < 100.0, lambda v: v * x, [x], maximum_iterations=n)
    return runs(tf, [r, *tf.gradients(r, x)], [{x: 2.0, n: limit} for limit in (-1, 0, 3, 20)])


@program
def structures_of_loop_variables(tf):
    pair = collections.namedtuple("Pair", "j k")
    i, p = tf.while_loop(
        lambda i, p: i < 10, lambda i, p: (i + 1, pair(p.j + p.k, p.j - p.k)), (0, pair(1, 2))
    )
    (same,) = tf.while_loop(lambda x: x < 10, lambda x: x * 2, [1], return_same_structure=True)
    return {"type": type(p).__name__} | runs(tf, [i, p.j, p.k, same], [{}])


@program
def assignments_in_a_body(tf):
    v = tf.Variable(1.0)

    def body(i):
        with tf.control_dependencies([v.assign_add(2.0)]):
            return i + 1

    i = tf.while_loop(lambda i: i < 4, body, [0])
    with tf.control_dependencies([i]):
        after = v.read_value()
    return runs(tf, [i, after], [{}, {}])


@program
def variables_read_in_a_body(tf):
    v, x = tf.Variable([1.0, 2.0]), tf.placeholder(tf.float32, [2])
    _, h = tf.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, h * v.read_value()), [0, x])
    return runs(tf, [h, *tf.gradients(h, [v, x])], [{x: [1, 3]}])


@program
def gradients_within_a_body(tf):
    x, w = tf.placeholder(tf.float32, [2]), tf.Variable([2.0, 3.0])

    def body(i, h):
        return i + 1, h - 0.1 * tf.gradients(tf.reduce_sum(h * h * w), h)[0]

    _, h = tf.while_loop(lambda i, h: i < 3, body, [0, x])
    return runs(tf, [h, *tf.gradients(h, [w, x])], [{x: [1, 2]}])


@program
def values_that_start_from_variables(tf):
    a = tf.Variable([1.0, 2.0])
    b = tf.Variable(a * 2 + a.read_value())
    c = tf.Variable(a.initialized_value() * 3)
    return runs(tf, [a, b, c], [{}])


@program
def arrays_read_and_stacked(tf):
    x = tf.placeholder(tf.float32, [3, 2])
    array = tf.TensorArray(tf.float32, 3, clear_after_read=False).unstack(x)
    y, z, c, s = array.read(0) * array.read(2), array.gather([2, 0]), array.concat(), array.stack()
    grads = [tf.gradients(value * value, x)[0] for value in (y, z, c, s)]
    return {"shape": str(s.shape)} | runs(tf, [y, z, c, s, array.size(), *grads], [{x: X[:3, :2]}])


@program
def arrays_split(tf):
    x = tf.placeholder(tf.float32, [6, 2])
    pieces = [tf.TensorArray(tf.float32, 3, infer_shape=False).split(x, [1, 2, 3]) for _ in range(2)]
    y, c = pieces[0].read(2) * 2.0, pieces[1].concat()
    return runs(tf, [y, c, *tf.gradients(y, x), *tf.gradients(c * c, x)], [{x: X.reshape(6, 2)}])


@program
def arrays_in_a_loop(tf):
    x, w = tf.placeholder(tf.float32, [None, 5, 3]), tf.Variable(np.tile(A, (2, 1)))
    steps = tf.transpose(x, [1, 0, 2])
    count = tf.shape(steps)[0]
    inputs = tf.TensorArray(tf.float32, count).unstack(steps)

    def body(i, h, outputs):
        h = tf.tanh(tf.matmul(tf.concat([inputs.read(i), h], 1), w))
        return i + 1, h, outputs.write(i, h)

    _, h, outputs = tf.while_loop(
        lambda i, *_: i < count,
        body,
        [0, tf.zeros([tf.shape(x)[0], 3]), tf.TensorArray(tf.float32, count)],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 3]), tf.TensorShape(None)],
    )
    y = outputs.stack()
    results = runs(tf, [y, h, *tf.gradients(tf.reduce_mean(y * y), [x, w])], [{x: np.stack([X] * 5, 1)}])
    return results | {"shape": str(y.shape)}


@program
def arrays_read_and_written_in_a_loop(tf):
    x = tf.placeholder(tf.float32, [])
    array = tf.TensorArray(tf.float32, 0, dynamic_size=True, clear_after_read=False, element_shape=[])
    _, array = tf.while_loop(
        lambda i, t: i < 7,
        lambda i, t: (i + 1, t.write(i, t.read(i - 1) * t.read(i - 2) + x)),
        [2, array.write(0, x).write(1, x * 2)],
    )
    y = array.stack()
    return runs(tf, [y, array.size(), *tf.gradients(y, x)], [{x: 0.7}])


@program
def maps_and_folds(tf):
    x, w = tf.placeholder(tf.float32, [None, 3]), tf.Variable(A)
    mapped = tf.map_fn(lambda row: tf.reduce_sum(tf.sin(row) * w), x)
    pairs = tf.map_fn(lambda t: (t[0] + t[1], t[0] * t[1]), (x, x * 2))
    cut = tf.map_fn(lambda t: tf.cast(t, tf.int32), x, dtype=tf.int32)
    left = tf.foldl(lambda a, row: a * tf.sin(row) + row, x)
    right = tf.foldr(lambda a, row: a * 0.5 + row * w, x, initializer=tf.ones([3, 3]))
    products = tf.scan(lambda a, row: a * row, x)
    backwards = tf.scan(
        lambda a, row: (a[0] + row, a[1] * row), x, (tf.zeros([3]), tf.ones([3])), reverse=True
    )
    values = [mapped, *pairs, left, right, products, *backwards]
    grads = [grad for value in values for grad in tf.gradients(value, [x, w]) if grad is not None]
    shapes = [str(value.shape) for value in values]
    return {"shapes": shapes} | runs(tf, [*values, cut, *grads], [{x: X}])


@program
def cases(tf):
    x = tf.placeholder(tf.float32, [])
    pairs = [(x < 0, lambda: x * 2), (x < 1, lambda: x * x)]
    y = tf.case(pairs, default=lambda: x + 100)
    z = tf.case({x < 0: lambda: x * 2, x > 1: lambda: x * x}, default=lambda: x + 100, exclusive=True)
    grads = [*tf.gradients(y, x), *tf.gradients(z, x)]
    return runs(tf, [y, z, *grads], [{x: value} for value in (-1.0, 0.5, 2.0)])


@program
def numbered_cases(tf):
    i, x = tf.placeholder(tf.int32, []), tf.constant(3.0)
    y = tf.switch_case(i, [lambda: x, lambda: x * 2, lambda: x * x])
    z = tf.switch_case(i, {1: lambda: x, 0: lambda: x * 2}, default=lambda: -x)
    return runs(tf, [y, z, *tf.gradients(y + z, x)], [{i: index} for index in (-1, 0, 1, 2, 5)])


@program
def gradients_of_ones_own(tf):
    x = tf.placeholder(tf.float32, [2])
    w = tf.get_variable("w", [2], initializer=tf.constant_initializer(3.0), use_resource=True)

    @tf.custom_gradient
    def softplus(x):
        e = tf.exp(x)
        return tf.log(1 + e), lambda dy: dy * (1 - 1 / (1 + e))

    @tf.custom_gradient
    def scaled(x):
        return x * w, lambda dy, variables=None: (dy * 5, [dy * 7])

    y, z = softplus(x), scaled(x)
    (first,) = tf.gradients(y, x)
    return runs(tf, [y, z, first, *tf.gradients(first, x), *tf.gradients(z, [x, w])], [{x: [1.0, 3.0]}])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program(program):
    compare(program)
