"""Initializers beside TensorFlow's: the same numbers for the same seeds."""

import numpy as np
import pytest

from parity.programs import caught, compare

MAKERS = {
    "default": lambda tf: None,
    "zeros": lambda tf: tf.zeros_initializer(),
    "ones": lambda tf: tf.initializers.ones(),
    "number": lambda tf: tf.constant_initializer(2.5),
    "array": lambda tf: tf.initializers.constant(np.arange(12).reshape(3, 4)),
    "few numbers": lambda tf: tf.constant_initializer([1, 2, 3]),
    "uniform": lambda tf: tf.random_uniform_initializer(-1, 2),
    "uniform of one": lambda tf: tf.initializers.random_uniform(seed=5),
    "normal": lambda tf: tf.random_normal_initializer(1.0, 0.5, seed=3),
    "truncated": lambda tf: tf.truncated_normal_initializer(stddev=0.1),
    "unit scaling": lambda tf: tf.uniform_unit_scaling_initializer(1.43, seed=9),
    "glorot uniform": lambda tf: tf.glorot_uniform_initializer(seed=2),
    "glorot normal": lambda tf: tf.glorot_normal_initializer(),
    "he uniform": lambda tf: tf.initializers.he_uniform(),
    "he normal": lambda tf: tf.initializers.he_normal(seed=4),
    "lecun uniform": lambda tf: tf.initializers.lecun_uniform(seed=4),
    "lecun normal": lambda tf: tf.initializers.lecun_normal(),
    "fan out": lambda tf: tf.variance_scaling_initializer(2.0, "fan_out", "untruncated_normal"),
    "fan average": lambda tf: tf.variance_scaling_initializer(0.5, "fan_avg", "normal", seed=8),
}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(maker, dtype):
    def program(tf):
        shapes = {"vector": [5], "matrix": [3, 4], "filters": [2, 2, 3, 4]}
        initializer = maker(tf)
        made = {
            name: tf.get_variable(name, shape, tf.as_dtype(dtype), initializer)
            for name, shape in shapes.items()
            if getattr(initializer, "value", None) is None or np.size(initializer.value) <= np.prod(shape)
        }
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            values = session.run(made)
            session.run(tf.global_variables_initializer())
            again = session.run(list(made.values()))
        return {**values, "again": again, "names": [v.initial_value.name for v in made.values()]}

    compare(program, tolerance={"float32": 2e-7, "float64": 1e-15}[dtype])


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2), (2, 2, 3, 4), (2, 1, 2, 7)])
def test_orthogonal_and_identity(shape):
    def program(tf):
        made = [tf.get_variable("o", shape, initializer=tf.orthogonal_initializer(1.5, seed=1))]
        if len(shape) == 2:
            made.append(tf.get_variable("i", shape, initializer=tf.initializers.identity(2.0)))
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return {"values": session.run(made)}

    compare(program, tolerance=2e-6)


def test_integers_and_other_dtypes():
    def program(tf):
        made = [
            tf.get_variable("i", [3], tf.int32, tf.random_uniform_initializer(0, 9, dtype=tf.int32)),
            tf.get_variable("n", [3], tf.int64),
            tf.get_variable("b", [3], tf.bool, tf.ones_initializer()),
            tf.get_variable("c", [2], tf.complex64, tf.zeros_initializer()),
        ]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return {"values": session.run(made)}

    compare(program)


def test_configs():
    def program(tf):
        names = [name for name in MAKERS if name not in ("default", "array")]
        configs = {name: MAKERS[name](tf).get_config() for name in names}
        rebuilt = tf.variance_scaling_initializer.from_config(configs["fan out"]).get_config()
        return {**configs, "rebuilt": rebuilt}

    compare(program)


def test_errors():
    def program(tf):
        scaling = tf.variance_scaling_initializer
        return {
            "scale": caught(lambda: scaling(scale=0.0)),
            "dtype": caught(lambda: tf.random_normal_initializer(dtype=tf.int32)),
            "value": caught(lambda: tf.constant_initializer(tf)).split(" of type")[0][:30],
            "vector": caught(lambda: tf.orthogonal_initializer()([3])),
            "rank": caught(lambda: tf.initializers.identity()([3])),
            "verified": caught(lambda: tf.constant_initializer([1, 2], verify_shape=True)([3])),
            "too many": caught(lambda: tf.constant_initializer([1, 2, 3])([2])).split(":")[0],
        }

    compare(program)
