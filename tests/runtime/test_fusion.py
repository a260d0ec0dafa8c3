"""Fused steps give what the same steps give when nothing is fused."""

import numpy as np
import pytest

import minitf as tf
from minitf.runtime import fusion


def _network(rng, pool_window, activation):
    x = tf.placeholder(tf.float64, [None, 9, 8, 3])
    kernel = tf.constant(rng.normal(size=(3, 3, 3, 4)))
    bias = tf.constant(rng.normal(size=4))
    image = activation(tf.nn.bias_add(tf.nn.conv2d(x, kernel, [1, 1, 1, 1], "SAME"), bias))
    pooled = tf.nn.max_pool(image, [1, *pool_window, 1], [1, 2, 2, 1], "VALID")
    flat = tf.reshape(pooled, [-1, int(np.prod(pooled.shape.as_list()[1:]))])
    weights = tf.constant(rng.normal(size=(flat.shape.as_list()[1], 5)))
    offset = tf.constant(rng.normal(size=5))
    loss = tf.reduce_sum(tf.square(tf.nn.relu(tf.matmul(flat, weights) + offset)))
    return x, [loss, *tf.gradients(loss, [x, kernel, bias, weights, offset])]


def _ops(session):
    ((plan, _),) = session._runners.values()
    return [op.type for op in plan.ops], plan.source


@pytest.mark.parametrize("pool_window", [(2, 2), (3, 3)], ids=["disjoint windows", "overlapping windows"])
@pytest.mark.parametrize("activation", [tf.nn.relu, tf.nn.relu6, tf.nn.tanh], ids=lambda f: f.__name__)
def test_a_fused_step_gives_the_same(monkeypatch, pool_window, activation):
    results = []
    for fuse in (fusion.fuse, lambda nodes, fetched: nodes):
        monkeypatch.setattr(fusion, "fuse", fuse)
        rng = np.random.default_rng(3)
        with tf.Graph().as_default(), tf.Session() as session:
            x, fetches = _network(rng, pool_window, activation)
            results.append(session.run(fetches, {x: rng.normal(size=(2, 9, 8, 3))}))
    for fused, plain in zip(*results, strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-12, atol=1e-12)


def test_bias_and_activation_are_part_of_the_product():
    with tf.Graph().as_default(), tf.Session() as session:
        a, b, c = (tf.placeholder(tf.float32, s) for s in ([2, 3], [3, 4], [4]))
        y = tf.nn.relu(tf.matmul(a, b) + c)
        session.run(y, {a: np.ones((2, 3)), b: np.ones((3, 4)), c: np.ones(4)})
        types, source = _ops(session)
    assert types == ["MatMul"]
    assert "bias=" in source


def test_a_product_that_is_wanted_itself_stays():
    with tf.Graph().as_default(), tf.Session() as session:
        a = tf.placeholder(tf.float32, [2, 2])
        product = tf.matmul(a, a)
        shifted = product + tf.constant([1.0, 2.0])
        got = session.run([product, shifted], {a: np.eye(2)})
    np.testing.assert_array_equal(got[0], np.eye(2))
    np.testing.assert_array_equal(got[1], np.eye(2) + [1, 2])


def test_gradients_are_masked_before_they_are_spread_over_the_image():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [1, 4, 4, 2])
        bias = tf.constant([0.1, -0.2])
        image = tf.nn.relu(tf.nn.bias_add(x, bias))
        loss = tf.reduce_sum(tf.nn.max_pool(image, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"))
        session.run(tf.gradients(loss, [x, bias]), {x: np.ones((1, 4, 4, 2))})
        types, _ = _ops(session)
    assert types.index("ReluGrad") < types.index("MaxPoolGrad")
