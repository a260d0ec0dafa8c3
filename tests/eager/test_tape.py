"""GradientTape: what is watched and recorded, and gradients of any order."""

import numpy as np
import pytest

import minitf as tf
from minitf.eager.context import eager_mode
from minitf.eager.tape import GradientTape
from minitf.eager.variable import Variable
from minitf.ops.array import prevent_gradient


@pytest.fixture(autouse=True)
def eager():
    with eager_mode():
        yield


def test_watched_tensors_and_variables():
    x, v = tf.constant([1.0, 2.0]), Variable([3.0, 4.0])
    still = Variable([1.0, 1.0], trainable=False)
    with GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x * x * v * still)
    grads = tape.gradient(y, {"x": x, "rest": [v, still]})
    assert grads["x"].numpy().tolist() == [6, 16] and grads["rest"][0].numpy().tolist() == [1, 4]
    assert grads["rest"][1] is None
    assert tape.watched_variables() == (v,)


def test_nothing_is_watched_unasked():
    x, v = tf.constant(2.0), Variable(3.0)
    with GradientTape(watch_accessed_variables=False) as tape:
        y = x * v
    assert tape.gradient(y, [x, v]) == [None, None]
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(v)
        y = x * v
    assert tape.gradient(y, v).numpy() == 2
    with pytest.raises(ValueError, match="not tf.Tensor or tf.Variable"):
        tape.watch(3.0)


def test_unconnected_gradients():
    x, z = tf.constant([1.0, 2.0]), tf.constant([[1.0]])
    with GradientTape() as tape:
        tape.watch([x, z])
        y = x * 2
    grads = tape.gradient(y, [x, z], unconnected_gradients="zero")
    assert grads[0].numpy().tolist() == [2, 2] and grads[1].numpy().tolist() == [[0]]


def test_a_tape_is_used_once_unless_persistent():
    x = tf.constant(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x).numpy() == 6
    with pytest.raises(
        RuntimeError, match="A non-persistent GradientTape can only be used to compute one set"
    ):
        tape.gradient(y, x)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert tape.gradient(z, x).numpy() == 108 and tape.gradient(y, x).numpy() == 6
    assert tape.gradient(z, y).numpy() == 18


def test_weights_and_several_targets():
    x = tf.constant([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = x * x, x * 3
    assert tape.gradient([y, z], x).numpy().tolist() == [5, 7]
    assert tape.gradient(y, x, output_gradients=tf.constant([1.0, 10.0])).numpy().tolist() == [2, 40]


def test_nested_tapes_and_persistent_ones_give_higher_orders():
    x = tf.constant(3.0)
    with GradientTape() as third:
        third.watch(x)
        with GradientTape() as second:
            second.watch(x)
            with GradientTape() as first:
                first.watch(x)
                y = x**4
            a = first.gradient(y, x)
        b = second.gradient(a, x)
    assert (a.numpy(), b.numpy(), third.gradient(b, x).numpy()) == (108, 108, 72)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x * x
        slope = tape.gradient(y, x)
    assert tape.gradient(slope, x).numpy() == 18


def test_stopping_and_resetting():
    x = tf.constant(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            z = y * x
        w = y + z
    assert tape.gradient(w, x).numpy() == 4
    tape.reset()
    assert tape.gradient(w, x) is None
    with pytest.raises(ValueError, match="Tape is not recording."), tape.stop_recording():
        pass
    with pytest.raises(ValueError, match="Tape is still recording"), tape, tape:
        pass


def test_jacobians():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.matmul(x * x, [[1.0, 2.0], [3.0, 4.0]])
    whole = tape.jacobian(y, x).numpy()
    weights = np.array([[1.0, 2.0], [3.0, 4.0]])
    expected = np.einsum("ac,bd,db->abcd", np.eye(2), np.ones((2, 2)), weights) * 2 * x.numpy()
    np.testing.assert_allclose(whole, expected)
    batched = tape.batch_jacobian(y, x).numpy()
    np.testing.assert_allclose(batched, [whole[0, :, 0], whole[1, :, 1]])
    assert tape.jacobian(y, tf.constant(1.0)) is None
    zeros = tape.jacobian(y, tf.constant([1.0]), unconnected_gradients="zero")
    assert zeros.numpy().tolist() == np.zeros((2, 2, 1)).tolist()
    with pytest.raises(
        ValueError, match="Need first dimension of target shape and source shape to be the same"
    ):
        tape.batch_jacobian(y[:1], x)


def test_gradients_with_repeated_rows():
    table = Variable(np.ones((4, 2), np.float32))
    with GradientTape() as tape:
        y = tf.reduce_sum(tf.gather(table, [1, 1, 3]) * 2.0)
    grad = tf.convert_to_tensor(tape.gradient(y, table))
    assert grad.numpy().tolist() == [[0, 0], [4, 4], [0, 0], [2, 2]]


def test_custom_gradients_eagerly():
    w = Variable(2.0)

    @tf.custom_gradient
    def scaled(x, power=1):
        return x * w, lambda dy, variables=None: (dy * 10, [dy * 20])

    @tf.custom_gradient
    def careless(x):
        return x * w, lambda dy: dy

    x = tf.constant(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = scaled(x, power=tf.constant(2)) * 2
    assert [g.numpy() for g in tape.gradient(y, [x, w])] == [20, 40]
    with pytest.raises(TypeError, match="grad_fn must accept keyword argument 'variables'"):
        careless(x)


def test_integers_have_no_gradient():
    x = tf.constant(3)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x) is None


def test_a_gradient_that_is_disabled_says_why():
    x = tf.constant([1.0, 2.0])
    with GradientTape() as tape:
        tape.watch(x)
        y = prevent_gradient(x * 2, message="no second derivative")
    with pytest.raises(LookupError, match="Gradient explicitly disabled. Reason: no second derivative"):
        tape.gradient(y, x)


def test_training_a_line():
    w, b = Variable(0.0), Variable(0.0)
    x = tf.constant(np.linspace(-1, 1, 50, dtype=np.float32))
    target = x * 3 + 1
    for _ in range(200):
        with GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x * w + b - target))
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(0.5 * dw)
        b.assign_sub(0.5 * db)
    np.testing.assert_allclose([w.numpy(), b.numpy()], [3, 1], atol=1e-3)
