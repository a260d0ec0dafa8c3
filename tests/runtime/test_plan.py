"""What a plan promises: built once, no depth limit, nothing computed in vain, memory reused without harm."""

import time

import numpy as np
import pytest

import minitf as tf
from minitf.runtime import session as session_module


@pytest.fixture
def compiled(monkeypatch):
    """The plans that are made."""
    plans = []
    make = session_module.compile_plan

    def counted(*args, **kwargs):
        plans.append(make(*args, **kwargs))
        return plans[-1]

    monkeypatch.setattr(session_module, "compile_plan", counted)
    return plans


def test_a_second_run_of_the_same_fetches_builds_nothing(compiled):
    x = tf.placeholder(tf.float32, [None, 2])
    y, z = x * 2.0, tf.reduce_sum(x)
    with tf.Session() as session:
        session.run([y, {"z": z}], {x: np.ones((3, 2), np.float32)})
        assert len(compiled) == 1
        for dtype in (np.float32, np.float64, np.int32):
            session.run([y, {"z": z}], {x: np.ones((3, 2), dtype)})
        session.run([y, {"z": z}], {"Placeholder:0": [[1, 2], [3, 4], [5, 6]]})
        assert len(compiled) == 1
        session.run([y, {"z": z}], {x: np.ones((4, 2))})
        assert len(compiled) == 2, "another batch size is another plan"
        session.run(y, {x: np.ones((4, 2))})
        assert len(compiled) == 3


def test_running_adds_nothing_to_the_graph():
    v = tf.Variable(1.0)
    step = v.assign_add(1.0)
    with tf.Session() as session:
        session.run(v.initializer)
        before = tf.get_default_graph().version
        for _ in range(5):
            session.run([step, v])
        v.load(3.0, session)
        v.eval(session)
        assert tf.get_default_graph().version == before


def test_what_is_not_needed_is_not_computed(compiled):
    x = tf.placeholder(tf.float32, [])
    tf.Variable(1.0).assign_add(1.0)
    y = tf.identity(x) + 1.0
    with tf.Session() as session:
        session.run(y, {x: 1.0})
    assert [op.type for op in compiled[0].ops] == ["AddV2"]


def test_constants_are_folded_and_equal_ops_merged(compiled):
    x = tf.placeholder(tf.float32, [4])
    scale = tf.sqrt(tf.constant(4.0)) * 3.0
    y = tf.exp(x) * scale + tf.exp(x) * scale
    with tf.Session() as session:
        result = session.run(y, {x: np.zeros(4)})
    assert result.tolist() == [12.0] * 4
    assert [op.type for op in compiled[0].ops].count("Exp") == 1
    assert not any(op.type == "Sqrt" for op in compiled[0].ops)


def test_random_ops_are_never_merged_nor_folded():
    a, b = tf.random_uniform([3], seed=1), tf.random_uniform([3], seed=2)
    with tf.Session() as session:
        first, other = session.run([a, b])
        second = session.run(a)
    assert not np.array_equal(first, other) and not np.array_equal(first, second)


def test_sixty_doublings_run_at_once():
    """Without a visited set this would take 2 ** 60 steps."""
    n = tf.placeholder(tf.float64, [])
    total = n
    for _ in range(60):
        total = total + total
    started = time.perf_counter()
    (gradient,) = tf.gradients(total, n)
    with tf.Session() as session:
        assert session.run([total, gradient], {n: 1.0}) == [2.0**60, 2.0**60]
    assert time.perf_counter() - started < 5


def test_a_chain_of_five_thousand_ops():
    x = tf.placeholder(tf.float64, [2])
    y = x
    for _ in range(5000):
        y = y + 1.0
    (gradient,) = tf.gradients(tf.reduce_sum(tf.square(y)), x)
    with tf.Session() as session:
        result, slope = session.run([y, gradient], {x: [0.0, 1.0]})
    assert result.tolist() == [5000.0, 5001.0]
    assert slope.tolist() == [10000.0, 10002.0]


def test_five_thousand_constants_in_a_sum():
    total = tf.add_n([tf.constant(float(i)) for i in range(5000)])
    assert tf.Session().run(total) == sum(range(5000))


def test_many_intermediates_share_little_memory():
    """A long chain on a large array needs a few buffers, not one per op."""
    import tracemalloc

    x = tf.placeholder(tf.float64, [None, 100])
    y = x
    for i in range(100):
        y = tf.tanh(tf.matmul(y, tf.constant(np.eye(100)))) if i % 10 == 0 else tf.sin(y)
    y = tf.reduce_sum(y)
    value = np.ones((1000, 100))
    with tf.Session() as session:
        session.run(y, {x: value[1:]})  # kernels are compiled and loaded
        tracemalloc.start()
        session.run(y, {x: value})
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 12 * value.nbytes


def test_an_array_that_is_fed_is_not_overwritten():
    x = tf.placeholder(tf.float32, [3])
    v = tf.Variable(np.zeros(3, np.float32))
    y = tf.sqrt(tf.exp(-x)) + v.assign(x)
    value = np.ones(3, np.float32)
    with tf.Session() as session:
        session.run(v.initializer)
        session.run([y, v.assign_add([1.0, 1.0, 1.0])], {x: value})
        assert value.tolist() == [1, 1, 1]
        session.run(v.assign(x), {x: value})
        value += 5
        assert session.run(v).tolist() == [1, 1, 1], "a variable keeps its own copy"


def test_control_dependencies_order_updates():
    v = tf.Variable(1.0)
    with tf.control_dependencies([v.assign(10.0)]):
        with tf.control_dependencies([v.assign_add(5.0)]):
            read = v.read_value()
            after = v.assign_sub(1.0)
    with tf.Session() as session:
        session.run(v.initializer)
        assert session.run(tf.add(read, 0.0)) == 15.0
        session.run(v.initializer)
        assert session.run(after) == 14.0


def test_a_loss_beside_an_accuracy_keeps_its_gradient():
    x, labels = tf.placeholder(tf.float32, [None, 3]), tf.placeholder(tf.int64, [None])
    w = tf.Variable(np.eye(3, dtype=np.float32))
    logits = tf.matmul(x, w)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), labels), tf.float32))
    loss = tf.reduce_mean(tf.square(logits))
    (gradient,) = tf.gradients(loss + 0.0 * accuracy, [w])
    feeds = {x: np.ones((2, 3)), labels: [0, 1]}
    with tf.Session() as session:
        session.run(w.initializer)
        right, slope = session.run([accuracy, gradient], feeds)
    assert right == 0.5
    np.testing.assert_allclose(slope, np.full((3, 3), 2 / 3), 1e-6)
