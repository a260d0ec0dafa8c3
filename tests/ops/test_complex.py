"""Complex numbers and Fourier transforms through their public functions."""

import numpy as np
import pytest

import minitf as tf

RNG = np.random.default_rng(0)


def run(build):
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(build())


def test_parts():
    z = np.array([1 + 2j, -3.0])
    made, real, imag, angle = run(
        lambda: [tf.complex([1.0, -3.0], [2.0, 0.0]), tf.real(z), tf.imag(z), tf.angle(z)]
    )
    assert made.dtype == np.complex64 and made.tolist() == z.tolist()
    assert real.tolist() == [1, -3] and imag.tolist() == [2, 0]
    np.testing.assert_allclose(angle, np.angle(z))


def test_parts_of_real_numbers():
    x = tf.constant([2.0, -2.0], tf.float64)
    with tf.Session(graph=x.graph) as session:
        assert tf.real(x) is x
        np.testing.assert_allclose(session.run(tf.angle(x)), [0, np.pi])
        assert session.run(tf.imag(x)).tolist() == [0, 0]


def test_parts_must_be_alike():
    with tf.Graph().as_default():
        one, other = tf.constant(1.0), tf.constant(1.0, tf.float64)
        with pytest.raises(TypeError, match="incorrect types: float32 float64"):
            tf.complex(one, other)


@pytest.mark.parametrize("length", [None, 4, 8])
def test_transforms_of_real_numbers(length):
    x = RNG.normal(size=(3, 6))
    lengths = None if length is None else [length]
    spectrum = run(lambda: tf.signal.rfft(tf.constant(x), lengths))
    np.testing.assert_allclose(spectrum, np.fft.rfft(x, length), atol=1e-12)
    back = run(lambda: tf.signal.irfft(tf.constant(np.fft.rfft(x)), lengths))
    np.testing.assert_allclose(back, np.fft.irfft(np.fft.rfft(x), length), atol=1e-12)


def test_two_dimensions_and_back():
    x = RNG.normal(size=(2, 4, 5))
    there_and_back = run(lambda: tf.signal.irfft2d(tf.signal.rfft2d(tf.constant(x)), [4, 5]))
    np.testing.assert_allclose(there_and_back, x, atol=1e-12)
    assert there_and_back.dtype == np.float64


def test_gradient_reaches_what_a_short_transform_leaves_out():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(RNG.normal(size=6))
        energy = tf.reduce_sum(tf.abs(tf.signal.rfft(x, [4])) ** 2)
        grad = session.run(tf.gradients(energy, x)[0])
    assert grad.shape == (6,) and grad[4:].tolist() == [0, 0] and np.abs(grad[:4]).min() > 0


def test_input_too_short_for_the_raw_transform():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None])
        y = tf.signal.rfft(x, [8])
        with pytest.raises(tf.errors.InvalidArgumentError, match="must have length of at least 8 but got: 3"):
            session.run(y, {x: [1, 2, 3]})
