"""Functions made of others: polynomials, the beta function, multiples."""

import numpy as np
import pytest

import minitf as tf

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], np.float32)


def run(*tensors, feed=None):
    with tf.Session() as session:
        results = [session.run(t, feed) for t in tensors]
    return results[0] if len(results) == 1 else results


def test_polyval():
    x = tf.placeholder(tf.float32, [2, 3])
    y = tf.math.polyval([1.0, -2.0, 3.0], x)
    value, slope = run(y, tf.gradients(y, x)[0], feed={x: X})
    np.testing.assert_allclose(value, np.polyval([1, -2, 3], X))
    np.testing.assert_allclose(slope, 2 * X - 2)
    assert run(tf.math.polyval([], x), feed={x: X}).tolist() == np.zeros((2, 3)).tolist()
    with pytest.raises(ValueError, match="Argument coeffs must be list type"):
        tf.math.polyval((1.0,), x)


def test_lbeta():
    # B(2, 3) = 1! 2! / 4! = 1/12
    np.testing.assert_allclose(run(tf.lbeta([2.0, 3.0])), -np.log(12), rtol=1e-6)


def test_scalar_mul():
    assert run(tf.scalar_mul(2.0, tf.constant(X))).tolist() == (2 * X).tolist()
    rows = tf.IndexedSlices(tf.constant(X), tf.constant([0, 1]), tf.constant([4, 3]))
    scaled = tf.scalar_mul(3.0, rows)
    assert isinstance(scaled, tf.IndexedSlices) and run(scaled).values.tolist() == (3 * X).tolist()
    with pytest.raises(ValueError, match=r"The input scalar must be a 0-D value. Received shape \(2,\)"):
        tf.scalar_mul([1.0, 2.0], tf.constant(X))


def test_inverses():
    np.testing.assert_allclose(run(tf.math.erfcinv([0.5, 1.5])), [0.4769363, -0.4769363], rtol=1e-6)
    np.testing.assert_allclose(run(tf.erfc(tf.math.erfcinv([0.3]))), [0.3], rtol=1e-6)
    assert run(tf.math.reciprocal_no_nan([0.0, 4.0])).tolist() == [0, 0.25]


def test_bessel_at_zero_has_a_gradient():
    x = tf.placeholder(tf.float64, [])
    ys = [tf.math.bessel_i0(x), tf.math.bessel_i1(x), tf.math.bessel_i0e(x), tf.math.bessel_i1e(x)]
    grads = [tf.gradients(y, x)[0] for y in ys]
    np.testing.assert_allclose(run(*grads, feed={x: 0.0}), [0, 0.5, 0, 0.5], atol=1e-12)


def test_names_of_tensorflow_0():
    x = tf.constant(2.0)
    assert run(tf.mul(x, 3.0), tf.sub(x, 3.0), tf.neg(x)) == [6, -1, -2]
    assert run(tf.pack([x, x])).tolist() == [2, 2] and len(tf.unpack(tf.constant([1, 2, 3]))) == 3
