"""Sessions: what may be fetched and fed, in which form, and how they fail and go on."""

import collections
import threading

import numpy as np
import pytest

import minitf as tf

# --- fetching ----------------------------------------------------------------------------------------


def test_fetches_keep_their_structure():
    a, b = tf.constant(1.0, name="a"), tf.constant([2, 3], name="b")
    pair = collections.namedtuple("Pair", "first second")
    with tf.Session() as session:
        assert session.run(a) == 1.0
        assert session.run([a]) == [1.0]
        nested = session.run({"x": [a, (b, a)], "y": pair(a, {"z": b}), "none": a.op})
        assert nested["x"][0] == 1.0 and isinstance(nested["x"][1], tuple)
        assert nested["x"][1][0].tolist() == [2, 3]
        assert isinstance(nested["y"], pair) and nested["y"].second["z"].tolist() == [2, 3]
        assert nested["none"] is None
        ordered = collections.OrderedDict([("p", a), ("q", b)])
        assert list(session.run(ordered)) == ["p", "q"]
        assert session.run([]) == [] and session.run({}) == {} and session.run(()) == ()


def test_fetching_by_name_and_by_variable():
    v = tf.Variable([1.0, 2.0], name="v")
    total = tf.reduce_sum(v)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run("Sum:0") == 3.0
        assert session.run(total.op) is None
        assert session.run("Sum") is None
        assert session.run("v:0").tolist() == [1.0, 2.0]
        assert session.run(v).tolist() == [1.0, 2.0]


def test_scalars_come_as_numpy_scalars_and_the_same_fetch_twice_as_two_arrays():
    x = tf.placeholder(tf.float32, [2])
    y = x * 2.0
    with tf.Session() as session:
        scalar = session.run(tf.reduce_sum(y), {x: [1, 2]})
        assert isinstance(scalar, np.float32)
        first, second = session.run([y, y], {x: [1, 2]})
        assert not np.may_share_memory(first, second)
        first += 1
        assert second.tolist() == [2.0, 4.0]


def test_results_are_the_callers_own():
    x = tf.placeholder(tf.float32, [3])
    v = tf.Variable(np.ones(3, np.float32))
    constant = tf.constant([1.0, 2.0, 3.0])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        fed = np.zeros(3, np.float32)
        results = session.run([x, tf.identity(x), v, constant, x[1:], tf.reshape(v, [3, 1])], {x: fed})
        for result in results:
            result += 5
        assert fed.tolist() == [0, 0, 0]
        assert session.run(v).tolist() == [1, 1, 1]
        assert session.run(constant).tolist() == [1, 2, 3]


def test_fetched_variables_show_what_the_run_made_of_them():
    """As TensorFlow does in practice: the fetch is read when the step ends, computed values before."""
    v = tf.Variable([1.0])
    doubled, update = v * 2.0, v.assign_add([1.0])
    with tf.Session() as session:
        session.run(v.initializer)
        value, before, after = session.run([v, doubled, update])
        assert (value.tolist(), before.tolist(), after.tolist()) == ([2.0], [2.0], [2.0])


@pytest.mark.parametrize(
    ("fetch", "error", "words"),
    [
        (
            "nope",
            ValueError,
            "cannot be interpreted as a Tensor.*'nope' refers to an Operation not in the graph",
        ),
        ("nope:0", ValueError, "The operation, 'nope', does not exist in the graph"),
        ("a:1", ValueError, "exists but only has 1 outputs"),
        (3, TypeError, 'has invalid type "int" must be a string or Tensor'),
        (None, TypeError, 'has invalid type "NoneType"'),
        ([["a:0"], [object()]], TypeError, 'has invalid type "object"'),
    ],
)
def test_what_cannot_be_fetched(fetch, error, words):
    tf.constant(1.0, name="a")
    with tf.Session() as session:
        with pytest.raises(error, match=words):
            session.run(fetch)
        assert session.run("a:0") == 1.0


def test_fetching_from_another_graph():
    with tf.Graph().as_default():
        foreign = tf.constant(1.0)
    tf.constant(1.0)
    with pytest.raises(ValueError, match="is not an element of this graph"):
        tf.Session().run(foreign)


def test_an_empty_graph_says_so():
    with pytest.raises(RuntimeError, match="The Session graph is empty. Add operations to the graph"):
        tf.Session().run("x:0")


# --- feeding -----------------------------------------------------------------------------------------


def test_any_tensor_may_be_fed():
    x = tf.placeholder(tf.float32, [2], name="x")
    middle = x * 2.0
    end = middle + 1.0
    v = tf.Variable([5.0, 5.0])
    with tf.Session() as session:
        assert session.run(end, {middle: [10, 20]}).tolist() == [11, 21], "x is not needed then"
        assert session.run(end, {"x:0": [1, 2]}).tolist() == [3, 5]
        assert session.run(v + 1.0, {v: [0, 0]}).tolist() == [1, 1], "nor is the variable"
        assert session.run(tf.constant([1.0]) * 2.0, {x: [0, 0]}).tolist() == [2.0]
        assert session.run(x, {x: [1, 2]}).tolist() == [1, 2]


def test_feeds_are_cast_to_the_tensors_dtype():
    x = tf.placeholder(tf.float32, [2])
    n = tf.placeholder(tf.int32, [])
    with tf.Session() as session:
        for value in ([1, 2], (1.0, 2), np.array([1, 2]), np.array([1, 2], np.float64)):
            result = session.run(x, {x: value})
            assert result.dtype == np.float32 and result.tolist() == [1, 2]
        assert session.run(n + 1, {n: np.int64(4)}) == 5


def test_strings_are_constants_and_feeds():
    x = tf.placeholder(tf.string, [None])
    with tf.Session() as session:
        assert session.run(tf.constant("é")) == "é".encode()
        assert session.run(tf.identity(x), {x: ["a", b"b", "ü"]}).tolist() == [b"a", b"b", "ü".encode()]
        assert session.run(tf.constant(["a", "b"])).tolist() == [b"a", b"b"]


def test_placeholder_with_default():
    x = tf.placeholder_with_default([1.0, 2.0], [None])
    with tf.Session() as session:
        assert session.run(x * 2.0).tolist() == [2.0, 4.0]
        assert session.run(x * 2.0, {x: [3.0]}).tolist() == [6.0]


@pytest.mark.parametrize("shape", [(None, 2), (3, 2), None])
def test_feeds_of_any_fitting_shape(shape):
    x = tf.placeholder(tf.float32, shape)
    total = tf.reduce_sum(x)
    with tf.Session() as session:
        assert session.run(total, {x: np.ones((3, 2))}) == 6
        if shape != (3, 2):
            assert session.run(total, {x: np.ones((5, 2))}) == 10


@pytest.mark.parametrize(
    ("feed", "error", "words"),
    [
        (
            {"x:0": np.ones((2, 3))},
            ValueError,
            r"Cannot feed value of shape \(2, 3\) for Tensor x:0, which has",
        ),
        ({"x:0": 1.0}, ValueError, r"Cannot feed value of shape \(\) for Tensor x:0"),
        ({"x:0": [["a", "b"]]}, ValueError, "could not convert string to float"),
        ({"x:0": [[1.0], [1.0, 2.0]]}, ValueError, "inhomogeneous shape"),
        ({"n:0": 2**40}, TypeError, "is not compatible with Tensor type"),
        ({"nope:0": 1.0}, TypeError, "Cannot interpret feed_dict key as Tensor.*'nope', does not exist"),
        (
            {3: 1.0},
            TypeError,
            "Cannot interpret feed_dict key as Tensor: Can not convert a int into a Tensor",
        ),
    ],
)
def test_what_cannot_be_fed(feed, error, words):
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    n = tf.placeholder_with_default(1, [], name="n")
    y = tf.reduce_sum(x) + tf.cast(n, tf.float32)
    with tf.Session() as session:
        with pytest.raises(error, match=words):
            session.run(y, feed)
        assert session.run(y, {x: [[1, 2]]}) == 4


def test_tensors_and_ops_cannot_be_fed_as_values_or_keys():
    x = tf.placeholder(tf.float32, [])
    with tf.Session() as session:
        with pytest.raises(TypeError, match="The value of a feed cannot be a tf.Tensor object"):
            session.run(x, {x: tf.constant(1.0)})
        with pytest.raises(TypeError, match="Can not convert a Operation into a Tensor"):
            session.run(x, {x.op: 1.0})
        with tf.Graph().as_default():
            foreign = tf.placeholder(tf.float32)
        with pytest.raises(TypeError, match="is not an element of this graph"):
            session.run(x, {foreign: 1.0})


# --- failing, and going on ---------------------------------------------------------------------------


def line_of(error):
    """The line that the message says the op was made at."""
    assert "Defined at" in str(error) and "test_session.py:" in str(error)
    return int(str(error).rsplit("test_session.py:", 1)[1].split(".")[0])


def here():
    import sys

    return sys._getframe(1).f_lineno


def test_uninitialized_variables():
    v = tf.Variable(1.0, name="weight")
    w = tf.Variable(2.0, name="other")
    with tf.Session() as session:
        for fetch in (v, v + 1.0, v.assign_add(1.0), tf.reduce_sum(v * w)):
            with pytest.raises(tf.errors.FailedPreconditionError) as caught:
                session.run(fetch)
            assert "Attempting to use uninitialized value weight" in str(caught.value)
            assert caught.value.op is v.op
        session.run(tf.global_variables_initializer())
        assert session.run(v + w) == 3.0


def test_unfed_placeholders():
    # Of the op Placeholder, for tests/op_cases/constants.py.
    x = tf.placeholder(tf.float32, [None, 2], name="pixels"); line = here()  # fmt: skip # noqa: E702
    y = tf.reduce_sum(x)
    with tf.Session() as session:
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            session.run(y)
        message = str(caught.value)
        assert (
            "You must feed a value for placeholder tensor 'pixels' with dtype float and shape [?,2]"
            in message
        )
        assert line_of(caught.value) == line
        assert caught.value.op is x.op
        assert session.run(y, {x: [[1, 2]]}) == 3


def failing_steps():
    """(op that fails, feeds, error, words) — each beside an update that would otherwise happen first."""
    x = tf.placeholder(tf.float32, name="x")
    y = tf.placeholder(tf.float32, name="y")
    n = tf.placeholder(tf.int32, name="n")
    two, three, matrix = np.ones(2), np.ones(3), np.ones((2, 3))
    return [
        (tf.add(x, y, name="bad"), {x: two, y: three}, r"Incompatible shapes: \[2\] vs. \[3\]"),
        (tf.matmul(x, y, name="bad"), {x: matrix, y: matrix}, r"In\[0\]: \[2,3\], In\[1\]: \[2,3\]"),
        (tf.matmul(x, y, name="bad"), {x: two, y: matrix}, r"In\[0\] ndims must be >= 2: 1"),
        (tf.reshape(x, [4], name="bad"), {x: matrix}, "with 6 values, but the requested shape has 4"),
        (tf.reshape(x, [-1, 4], name="bad"), {x: matrix}, "requires a multiple of 4"),
        (tf.floordiv(1, n, name="bad"), {n: 0}, "Integer division by zero"),
        (tf.gather(x, n, name="bad"), {x: two, n: 7}, r"indices = 7 is not in \[0, 2\)"),
        (tf.reduce_sum(x, 2, name="bad"), {x: matrix}, "Invalid reduction dimension"),
        (tf.identity(x[5], name="bad"), {x: two}, "slice index 5 of dimension 0 out of bounds"),
        (tf.concat([x, y], 0, name="bad"), {x: two, y: matrix}, "rank"),
        (tf.unstack(x, 3, name="bad")[0], {x: two}, "must be 3|must equal 3"),
    ]


@pytest.mark.parametrize("which", range(11))
def test_failing_steps_name_op_and_line_and_leave_the_session_usable(which):
    v = tf.Variable([1.0, 2.0])
    fetch, feeds, words = failing_steps()[which]
    with tf.Session() as session:
        session.run(v.initializer)
        with pytest.raises(tf.errors.InvalidArgumentError, match=words) as caught:
            session.run(fetch, feeds)
        error = caught.value
        assert error.op is not None and f"{{{{node {error.op.name}}}}}" in str(error)
        assert line_of(error)
        assert error.error_code == tf.errors.InvalidArgumentError.error_code == 3
        assert session.run(v).tolist() == [1.0, 2.0]
        assert session.run(v.assign_add([1.0, 1.0])).tolist() == [2.0, 3.0]


def test_variables_stay_as_they_were_when_a_step_fails():
    """An update that depends on the failing value, and one that does not."""
    x = tf.placeholder(tf.float32)
    v, w = tf.Variable([1.0, 2.0]), tf.Variable(5.0)
    wrong = v + x
    train = tf.group(v.assign_sub(wrong), w.assign_add(1.0))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(train, {x: [1.0, 2.0, 3.0]})
        assert session.run(v).tolist() == [1.0, 2.0]
        assert session.run(w) == 5.0


def test_assigning_another_shape():
    v = tf.Variable([1.0, 2.0], name="v")
    x = tf.placeholder(tf.float32)
    with pytest.raises(ValueError, match="Dimension 0 in both shapes must be equal, but are 2 and 3"):
        v.assign([1.0, 2.0, 3.0])
    change = v.assign(x)
    with tf.Session() as session:
        session.run(v.initializer)
        with pytest.raises(
            tf.errors.InvalidArgumentError,
            match=r"Assign requires shapes of both tensors to match. lhs shape= \[2\] rhs shape= \[3\]",
        ):
            session.run(change, {x: [1.0, 2.0, 3.0]})
        assert session.run(v).tolist() == [1.0, 2.0]
        assert session.run(change, {x: [7.0, 8.0]}).tolist() == [7.0, 8.0]


def test_initializing_twice_starts_again():
    v = tf.Variable(1.0)
    with tf.Session() as session:
        session.run(v.initializer)
        session.run(v.assign_add(5.0))
        session.run(v.initializer)
        assert session.run(v) == 1.0


def test_a_nan_learning_rate_spreads_and_raises_nothing():
    v = tf.Variable(1.0)
    train = tf.train.GradientDescentOptimizer(float("nan")).minimize(tf.square(v))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        assert np.isnan(session.run(v))


def test_closed_sessions():
    x = tf.constant(1.0)
    session = tf.Session()
    assert session.run(x) == 1.0
    session.close()
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        session.run(x)
    with tf.Session() as inner:
        pass
    with pytest.raises(RuntimeError, match="closed Session"):
        inner.run(x)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"graph": 3}, TypeError, 'Argument `graph` must be a tf.Graph, but got "int"'),
        ({"config": "x"}, TypeError, 'Argument `config` must be a tf.ConfigProto, but got "str"'),
        ({"target": "grpc://x"}, NotImplementedError, "target"),
    ],
)
def test_bad_arguments_of_a_session(arguments, error, words):
    with pytest.raises(error, match=words):
        tf.Session(**arguments)


# --- sessions, graphs, threads -----------------------------------------------------------------------


def test_two_sessions_on_one_graph_hold_different_values():
    v = tf.Variable(1.0)
    more = v.assign_add(1.0)
    first, second = tf.Session(), tf.Session()
    for session in (first, second):
        session.run(v.initializer)
    assert [first.run(more) for _ in range(3)] == [2.0, 3.0, 4.0]
    assert second.run(v) == 1.0 and first.run(v) == 4.0


def test_a_session_may_be_given_its_graph():
    graph = tf.Graph()
    with graph.as_default():
        x = tf.constant(7.0)
    session = tf.Session(graph=graph)
    assert session.graph is graph
    assert session.run(x) == 7.0
    with session.as_default():
        assert x.eval() == 7.0
        assert tf.get_default_session() is session
    assert session.run(x) == 7.0, "as_default does not close"


def test_a_session_as_context_makes_its_graph_the_default():
    graph = tf.Graph()
    with tf.Session(graph=graph) as session:
        x = tf.constant(2.0)
        assert x.graph is graph and tf.get_default_session() is session
        assert x.eval() == 2.0
        tf.no_op().run()
    assert tf.get_default_session() is None


def test_ops_added_after_a_run_are_run():
    x = tf.placeholder(tf.float32, [])
    with tf.Session() as session:
        assert session.run(x + 1.0, {x: 1}) == 2
        assert session.run(x + 2.0, {x: 1}) == 3


def test_interactive_session():
    session = tf.InteractiveSession()
    v = tf.Variable(3.0)
    v.initializer.run()
    assert v.eval() == 3.0 and (v * 2.0).eval() == 6.0
    session.close()
    assert tf.get_default_session() is None


def test_config_as_scripts_pass_it():
    config = tf.ConfigProto(allow_soft_placement=True, log_device_placement=False)
    config.gpu_options.allow_growth = True
    config.gpu_options.per_process_gpu_memory_fraction = 0.3
    with tf.Session(config=config) as session:
        assert session.run(tf.constant(1.0)) == 1.0
    with tf.Session(config=tf.ConfigProto(gpu_options=tf.GPUOptions(allow_growth=True))) as session:
        assert session.run(tf.constant(1.0)) == 1.0
    with pytest.raises(ValueError, match="ConfigProto has no 'nonsense' field"):
        tf.ConfigProto(nonsense=1)


def test_make_callable():
    x, y = tf.placeholder(tf.float32, [2], name="x"), tf.placeholder(tf.float32, [])
    with tf.Session() as session:
        step = session.make_callable([x * y, tf.reduce_sum(x)], feed_list=["x:0", y])
        scaled, total = step([1, 2], 3)
        assert scaled.tolist() == [3, 6] and total == 3
        with pytest.raises(ValueError, match="requires 2 feeds, but got 1"):
            step([1, 2])
        with pytest.raises(TypeError, match="`feed_list` must be a list or tuple"):
            session.make_callable(x, feed_list=x)
        assert session.make_callable(tf.constant(1.0))() == 1.0


def test_threads_may_share_a_session():
    x = tf.placeholder(tf.float64, [200])
    y = tf.reduce_sum(tf.square(x * 2.0 + 1.0) * tf.tanh(x))
    v = tf.Variable(0.0, dtype=tf.float64)
    count = v.assign_add(1.0)
    wrong = []
    with tf.Session() as session:
        session.run(v.initializer)

        def work(seed):
            rng = np.random.default_rng(seed)
            for _ in range(50):
                value = rng.uniform(-1, 1, 200)
                expected = np.sum((value * 2 + 1) ** 2 * np.tanh(value))
                result, _ = session.run([y, count], {x: value})
                if not np.isclose(result, expected, 1e-12):
                    wrong.append((result, expected))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert session.run(v) == 200.0
