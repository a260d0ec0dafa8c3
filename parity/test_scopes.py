"""Variable scopes, name scopes and get_variable beside TensorFlow's, name by name and error by error."""

import numpy as np

from parity.programs import caught, compare


def test_names_of_scopes_variables_and_ops():
    def program(tf):
        seen = []

        def note(scope, *more):
            one = tf.constant(0.0)
            seen.append([scope.name, scope.original_name_scope, scope.reuse, one.name, *more])

        ones = tf.ones_initializer()
        with tf.variable_scope("a") as a:
            note(a, tf.get_variable("v", [2], initializer=ones).name)
            with tf.variable_scope("b") as b:
                note(b, tf.get_variable("w", [], initializer=ones).name)
        with tf.variable_scope("a", reuse=True) as scope:
            note(scope, tf.get_variable("v").name)
            with tf.variable_scope("b") as inner:
                note(inner, tf.get_variable("w").name)
        for options in ({}, {"reuse": True}, {"auxiliary_name_scope": False}):
            with tf.variable_scope(a, **options) as scope:
                note(scope)
                with tf.name_scope(scope.original_name_scope):
                    note(scope)
        for _ in range(3):
            with tf.variable_scope(None, default_name="layer") as scope:
                note(scope, tf.get_variable("x", [1], initializer=ones).name)
        with tf.variable_scope("layer") as scope:
            note(scope)
        for _ in range(2):
            with tf.variable_scope("outer"):
                for _ in range(2):
                    with tf.variable_scope(None, "inner") as scope:
                        note(scope)
                with tf.variable_scope(a) as scope:
                    note(scope)
                    with tf.variable_scope(None, "inner") as scope:
                        note(scope)
                with tf.variable_scope(None, "inner") as scope:
                    note(scope)
        root = tf.get_variable_scope()
        note(root)
        with tf.variable_scope(root) as scope:
            note(scope, tf.get_variable("r", [1], initializer=ones).name)
        with tf.variable_scope("") as scope:
            note(scope, tf.get_variable("e", [1], initializer=ones).name)
        with tf.variable_scope("x/y") as scope:
            note(scope, tf.get_variable("e", [1], initializer=ones).name)
        with tf.name_scope("ns"):
            note(tf.get_variable_scope(), tf.get_variable("n", [1], initializer=ones).name)
            with tf.variable_scope("vs") as scope:
                note(scope)
            with tf.variable_scope("vs", auxiliary_name_scope=False) as scope:
                note(scope)
        with tf.variable_scope("vs", auxiliary_name_scope=False) as scope:
            note(scope)
        for opened in (tf.variable_scope("twice"), tf.variable_scope(None, "twice")):
            for _ in range(2):
                with opened as scope:
                    note(scope)
        return {"seen": seen, "variables": [v.name for v in tf.global_variables()]}

    compare(program)


def test_ops_that_get_variable_makes():
    def program(tf):
        with tf.variable_scope("a"):
            tf.get_variable("v", [2, 3])
            tf.get_variable("w", initializer=tf.constant([1.0, 2.0]))
            tf.get_variable("n", [2], tf.int32)
        return {"ops": [(op.name, op.type) for op in tf.get_default_graph().get_operations()]}

    compare(program)


def test_errors():
    def program(tf):
        with tf.variable_scope("a"):
            tf.get_variable("v", [2], initializer=tf.zeros_initializer())

        def reusing(*args, **kwargs):
            with tf.variable_scope("a", reuse=True):
                tf.get_variable(*args, **kwargs)

        def opening(*args, **kwargs):
            with tf.variable_scope(*args, **kwargs):
                pass

        def again():
            with tf.variable_scope("a"):
                tf.get_variable("v", [2])

        return {
            "exists": caught(again),
            "missing": caught(lambda: reusing("nope", [2])),
            "shape": caught(lambda: reusing("v", [3])),
            "dtype": caught(lambda: reusing("v", [2], tf.float64)),
            "both": caught(lambda: tf.get_variable("c", [2], initializer=[1.0, 2.0])),
            "types": caught(lambda: tf.get_variable("c", dtype=tf.float64, initializer=[1.0, 2.0])),
            "no shape": caught(lambda: tf.get_variable("c")),
            "no initializer": caught(lambda: tf.get_variable("c", [1], tf.complex64)),
            "getter": caught(lambda: tf.get_variable("c", [1], custom_getter=3)),
            "no name": caught(lambda: opening(None)),
            "no string": caught(lambda: opening(3)),
            "reuse without name": caught(lambda: opening(None, "x", reuse=True)),
            "reuse": caught(lambda: opening("x", reuse="x")),
            "auxiliary": caught(lambda: opening("x", auxiliary_name_scope=1)),
        }

    compare(program)


def test_defaults_of_scopes_and_custom_getters():
    def program(tf):
        def suffix(ending):
            return lambda getter, name, *args, **kwargs: getter(name + ending, *args, **kwargs)

        found = []
        with tf.variable_scope("c", custom_getter=suffix("_outer")):
            with tf.variable_scope("d", custom_getter=suffix("_inner")):
                found.append(tf.get_variable("v", [1]).name)
        options = {
            "initializer": tf.ones_initializer(),
            "dtype": tf.float64,
            "regularizer": lambda v: tf.reduce_sum(v * v),
            "constraint": abs,
        }
        with tf.variable_scope("e", **options) as e:
            made = [tf.get_variable("v", [2])]
            with tf.variable_scope("f"):
                made += [tf.get_variable("v", [2]), tf.get_variable("w", [2], regularizer=tf.no_regularizer)]
        with tf.variable_scope(e):
            made.append(tf.get_variable("x", [2], tf.float32, constraint=None))
            made.append(tf.get_local_variable("l", [2]))
        with tf.variable_scope("g", reuse=tf.AUTO_REUSE):
            same = tf.get_variable("v", [1]) is tf.get_variable("v", [1])
        with tf.Session() as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            values = session.run(made)
            losses = session.run(tf.losses.get_regularization_losses())
        return {
            "names": found,
            "values": values,
            "losses": losses,
            "made": [(v.name, v.dtype.name, v.constraint is abs, v.trainable) for v in made],
            "same": same,
            "scope": [v.name for v in e.trainable_variables() + e.global_variables() + e.local_variables()],
        }

    compare(program)


def test_sharing_weights_trains_them_together():
    def program(tf):
        x = tf.constant(np.arange(6, dtype=np.float32).reshape(2, 3))

        def network(x):
            with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
                return tf.matmul(x, tf.get_variable("w", [3, 1]))

        loss = tf.reduce_sum(tf.square(network(x) - network(2 * x)))
        gradient = tf.gradients(loss, tf.trainable_variables())
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            return {"gradient": session.run(gradient), "count": len(tf.trainable_variables())}

    compare(program)
