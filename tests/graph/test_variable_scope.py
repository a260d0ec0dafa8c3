import threading

import numpy as np
import pytest

import minitf as tf


def values(*fetches):
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        return session.run(list(fetches))


def test_variables_are_named_by_variable_scope_and_ops_by_name_scope():
    with tf.name_scope("tower"), tf.variable_scope("layer") as scope:
        v = tf.get_variable("v", [2])
        c = tf.constant(1.0, name="c")
    assert (v.name, c.name) == ("layer/v:0", "tower/layer/c:0")
    assert (scope.name, scope.original_name_scope) == ("layer", "tower/layer/")


def test_an_explicit_name_is_never_made_unique_for_variables():
    names = []
    for _ in range(2):
        with tf.variable_scope("layer", reuse=tf.AUTO_REUSE):
            names.append((tf.get_variable("v", [1]).name, tf.constant(0.0, name="c").name))
    assert names == [("layer/v:0", "layer/c:0"), ("layer/v:0", "layer_1/c:0")]


def test_a_default_name_is_made_unique():
    names = []
    for _ in range(3):
        with tf.variable_scope(None, default_name="layer") as scope:
            names.append(scope.name)
    assert names == ["layer", "layer_1", "layer_2"]


def test_a_name_is_free_again_after_its_outer_scope_is_closed():
    names = []
    for _ in range(2):
        with tf.variable_scope("outer"):
            with tf.variable_scope(None, default_name="inner") as scope:
                names.append(scope.name)
    assert names == ["outer/inner", "outer/inner"]


def test_entering_a_scope_object_from_elsewhere():
    with tf.variable_scope("a") as a:
        v = tf.get_variable("v", [1])
    with tf.variable_scope("b"), tf.variable_scope(a, reuse=True) as again:
        assert tf.get_variable("v") is v
        assert (again.name, again.original_name_scope) == ("a", "a/")
    assert tf.get_variable_scope().name == ""


def test_existing_variable_is_refused_with_the_line_that_made_it():
    tf.get_variable("v", [1])
    with pytest.raises(
        ValueError, match="Variable v already exists, disallowed. Did you mean to set"
    ) as error:
        tf.get_variable("v", [1])
    assert "reuse=True or reuse=tf.AUTO_REUSE in VarScope? Originally defined at:" in str(error.value)
    assert "test_variable_scope.py:" in str(error.value)


def test_missing_variable_is_refused_when_reusing():
    with tf.variable_scope("a", reuse=True), pytest.raises(ValueError) as error:
        tf.get_variable("v", [1])
    assert str(error.value) == (
        "Variable a/v does not exist, or was not created with tf.get_variable(). "
        "Did you mean to set reuse=tf.AUTO_REUSE in VarScope?"
    )


def test_a_variable_made_without_get_variable_is_not_found():
    tf.Variable(1.0, name="v")
    with tf.variable_scope("", reuse=True), pytest.raises(ValueError, match="was not created with"):
        tf.get_variable("v")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": [3]}, r"Trying to share variable v, but specified shape \(3,\) and found shape \(2,\)\."),
        (
            {"shape": [2], "dtype": tf.float64},
            r"Trying to share variable v, but specified dtype float64 and found dtype float32_ref\.",
        ),
    ],
)
def test_sharing_with_another_shape_or_dtype(arguments, message):
    tf.get_variable("v", [2])
    tf.get_variable_scope().reuse_variables()
    with pytest.raises(ValueError, match=message):
        tf.get_variable("v", **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"shape": [None, 3]},
            r"Shape of a new variable \(v\) must be fully defined, but instead was \(\?, 3\)\.",
        ),
        ({"initializer": tf.zeros_initializer()}, r"fully defined, but instead was <unknown>\."),
        ({}, "Variable v did not get an initializer, so its `shape` argument must be specified"),
        ({"shape": [1], "initializer": 1.0}, "If initializer is a constant, do not specify shape."),
        ({"dtype": tf.int32, "initializer": 1.0}, "Initializer type .* and explicit dtype .* don't match"),
        ({"shape": [1], "dtype": tf.complex64}, "An initializer for variable v of .* is required"),
        ({"shape": [1], "custom_getter": 3}, "Passed a custom_getter which is not callable: 3"),
    ],
)
def test_what_get_variable_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        tf.get_variable("v", **arguments)
    assert tf.global_variables() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda p: tf.get_variable("v", [4], partitioner=p),
        lambda p: tf.variable_scope("a", partitioner=p),
        lambda p: tf.get_variable_scope().set_partitioner(p),
        lambda p: tf.VariableScope(False, partitioner=p),
    ],
)
def test_partitioners_are_not_supported(call):
    with pytest.raises(NotImplementedError, match="partitioner"):
        call(lambda shape, dtype: [2])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((None,), TypeError, "If default_name is None then name_or_scope is required"),
        ((3,), TypeError, "name_or_scope must be a string or VariableScope"),
    ],
)
def test_what_a_scope_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        tf.variable_scope(*arguments)


def test_reuse_needs_a_name_and_is_a_flag():
    with pytest.raises(ValueError, match="reuse=True cannot be used without a name_or_scope"):
        tf.variable_scope(None, "x", reuse=True)
    with pytest.raises(ValueError, match="The reuse parameter must be True or False or None"):
        tf.variable_scope("x", reuse="x")
    with pytest.raises(TypeError, match="auxiliary_name_scope must be `True` or `False`"):
        tf.variable_scope("x", auxiliary_name_scope=1)


def test_initial_values_of_every_kind():
    made = [
        tf.get_variable("value", initializer=[1.0, 2.0]),
        tf.get_variable("tensor", initializer=tf.constant([3])),
        tf.get_variable("function", initializer=lambda: tf.ones([2])),
        tf.get_variable("class", [2], initializer=tf.ones_initializer),
        tf.get_variable("own", [2], initializer=lambda shape, dtype: tf.fill(shape, tf.cast(7, dtype))),
        tf.get_variable("integers", [2], tf.int32),
        tf.get_variable("partly_known", [None, 2], initializer=lambda: tf.ones([1, 2])),
    ]
    results = [v.tolist() for v in values(*made)]
    assert results == [[1, 2], [3], [1, 1], [1, 1], [7, 7], [0, 0], [[1, 1]]]
    assert [v.dtype.base_dtype for v in made[:2]] == [tf.float32, tf.int32]


def test_custom_getters_nest_and_the_inner_one_comes_first():
    calls = []

    def getter(ending):
        def get(inner, name, *args, **kwargs):
            calls.append((ending, name))
            return inner(name + ending, *args, **kwargs)

        return get

    with tf.variable_scope("a", custom_getter=getter("_outer")):
        with tf.variable_scope("b", custom_getter=getter("_inner")):
            v = tf.get_variable("v", [1])
    assert v.name == "a/b/v_inner_outer:0"
    assert calls == [("_inner", "a/b/v"), ("_outer", "a/b/v_inner")]


def test_a_custom_getter_that_knows_no_constraint_is_not_given_one():
    def get(
        getter, name, shape, dtype, initializer, regularizer, reuse, trainable, collections, caching_device,
        partitioner, validate_shape, use_resource, synchronization, aggregation,
    ):  # fmt: skip
        return getter(name, shape, trainable=False)

    assert not tf.get_variable("v", [1], custom_getter=get).trainable


def test_defaults_are_inherited_but_for_the_constraint():
    def halve(v):
        return v / 2

    with tf.variable_scope("a", initializer=tf.ones_initializer(), dtype=tf.float64, constraint=halve):
        v = tf.get_variable("v", [1])
        with tf.variable_scope("b"):
            w = tf.get_variable("w", [1])
    assert (v.constraint, w.constraint) == (halve, None)
    assert [x.dtype for x in values(v, w)] == [np.float64, np.float64]


def test_regularizers_apply_once_and_can_be_switched_off():
    with tf.variable_scope("a", regularizer=lambda v: tf.reduce_sum(v), reuse=tf.AUTO_REUSE):
        tf.get_variable("v", initializer=[1.0, 2.0])
        tf.get_variable("v", [2])
        tf.get_variable("w", [2], regularizer=tf.no_regularizer)
    losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    assert [loss.name for loss in losses] == ["a/v/Regularizer/Sum:0"]
    assert values(*losses) == [3.0]


def test_local_variables():
    v = tf.get_local_variable("v", [1], collections=["mine"], initializer=tf.ones_initializer())
    assert tf.local_variables() == tf.get_collection("mine") == [v]
    assert tf.global_variables() == tf.trainable_variables() == []
    assert values(v)[0].tolist() == [1]


def test_collections_of_a_scope():
    with tf.variable_scope("a") as a:
        v = tf.get_variable("v", [1])
        w = tf.get_variable("w", [1], trainable=False)
    tf.get_variable("ab", [1])
    assert a.global_variables() == [v, w]
    assert a.trainable_variables() == [v]
    assert a.local_variables() == []


def test_values_choose_the_graph():
    other = tf.Graph()
    with other.as_default():
        x = tf.constant(1.0)
    with tf.variable_scope("a", values=[x]):
        assert tf.get_variable("v", [1]).graph is other
    assert tf.get_default_graph() is not other


def test_each_graph_and_each_thread_has_its_own_scope():
    names = []
    with tf.variable_scope("a"):
        graph = tf.get_default_graph()

        def look():
            with graph.as_default():
                names.append(tf.get_variable_scope().name)

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        with tf.Graph().as_default():
            names.append(tf.get_variable_scope().name)
        names.append(tf.get_variable_scope().name)
    assert names == ["", "", "a"]


def test_an_error_inside_leaves_the_outer_scope_current():
    with tf.variable_scope("a"):
        with pytest.raises(KeyError), tf.variable_scope("b"):
            raise KeyError
        assert tf.get_variable_scope().name == "a"
        assert tf.constant(1.0, name="c").name == "a/c:0"


def test_the_old_form_of_variable_scope():
    with tf.variable_op_scope([tf.constant(1.0)], None, "old") as scope:
        assert scope.name == "old"


def test_templates_share_the_variables_of_their_first_call():
    def scaled(x, factor):
        return x * tf.get_variable("w", [], initializer=tf.constant_initializer(factor))

    with tf.Graph().as_default():
        template = tf.make_template("t", scaled, factor=3.0)
        first, second = template(tf.constant(1.0)), template(tf.constant(2.0))
        other = tf.make_template("t", scaled, create_scope_now_=True, factor=5.0)
        other(first)
        assert [first.op.name, second.op.name] == ["t/mul", "t_1/mul"]
        assert [v.name for v in tf.global_variables()] == ["t/w:0", "t_1/w:0"]
        assert (template.name, template.variable_scope_name) == ("t", "t")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run([first, second]) == [3.0, 6.0]
