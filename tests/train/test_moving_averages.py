"""Averages of variables: when they read what they average."""

import pytest

import minitf as tf


def test_average_under_control_dependencies_sees_the_trained_value():
    variable = tf.Variable(1.0)
    step = tf.train.GradientDescentOptimizer(0.1).minimize(tf.square(variable))
    average = tf.train.ExponentialMovingAverage(0.5)
    with tf.control_dependencies([step]):
        update = average.apply([variable])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(update)
        assert session.run(variable) == pytest.approx(0.8)
        assert session.run(average.average(variable)) == pytest.approx(0.9)  # 0.5 * 1 + 0.5 * 0.8
