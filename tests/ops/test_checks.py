"""Assert and the assertions: at once where values are known, in TensorFlow's words where not."""

import numpy as np
import pytest

import minitf as tf


def unknown(value, shape="same"):
    """A tensor whose value (and shape, if None is given) the graph does not know."""
    value = np.asarray(value)
    return tf.placeholder_with_default(tf.constant(value), value.shape if shape == "same" else shape)


def run(build):
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(build())


A = np.array([1.0, 2.0], np.float32)
B = np.array([1.0, 3.0], np.float32)

HOLDING = [
    lambda: tf.assert_equal(unknown(A), unknown(A)),
    lambda: tf.assert_equal([1, 2], [1, 2]),
    lambda: tf.assert_none_equal(unknown(A), 5.0),
    lambda: tf.assert_less(unknown(A), 3.0),
    lambda: tf.assert_less_equal(unknown(A), B),
    lambda: tf.assert_greater(unknown(A), 0.0),
    lambda: tf.assert_greater_equal(unknown(B), A),
    lambda: tf.assert_positive(unknown(A)),
    lambda: tf.assert_negative(unknown(-A)),
    lambda: tf.assert_non_negative(unknown([0, 1])),
    lambda: tf.assert_non_positive(unknown([0, -1])),
    lambda: tf.assert_near(unknown(A), unknown(B), atol=1.1),
    lambda: tf.assert_rank(unknown(A, None), 1),
    lambda: tf.assert_rank_at_least(unknown(A, None), unknown(np.int32(1))),
    lambda: tf.assert_rank_in(unknown(A, None), (0, 1)),
    lambda: tf.assert_type(A, tf.float32),
    lambda: tf.assert_integer([1]),
    lambda: tf.debugging.assert_shapes([(unknown(A, [None]), ("N",)), (unknown(B, None), ("N",))]),
    lambda: tf.debugging.assert_shapes({unknown(np.ones((2, 3))): (..., 3), unknown(A): None}),
]


@pytest.mark.parametrize("build", HOLDING)
def test_what_holds_runs(build):
    assert run(build) is None


FAILING = [
    (
        lambda: tf.assert_equal(unknown(A), unknown(B)),
        r"\[Condition x == y did not hold element-wise:\] \[x \(PlaceholderWithDefault:0\) = \] \[1 2\] \[y ",
    ),
    (lambda: tf.assert_less(unknown(A), unknown(B), message="order"), r"\[order\] \[Condition x < y"),
    (lambda: tf.assert_equal(unknown(A), 0.0, data=[unknown([7])]), r"assertion failed: \[7\]"),
    (lambda: tf.assert_equal(unknown(np.arange(6)), np.int64(-1), summarize=2), r"\[0 1\.\.\.\]"),
    (lambda: tf.assert_positive(unknown([1, -2])), r"\[Condition x > 0 did not hold element-wise:\]"),
    (lambda: tf.assert_near(unknown(A), unknown(B)), r"x and y not equal to tolerance rtol"),
    (
        lambda: tf.assert_rank(unknown(A, None), 2),
        r"Tensor PlaceholderWithDefault:0 must have rank\] \[2\] \[Received",
    ),
    (
        lambda: tf.assert_rank_in(unknown(A, None), (2, 3), message="m"),
        r"\[m\.  \] \[Tensor PlaceholderWithDefault:0 must have rank in\] \[2\] \[3\]",
    ),
    (
        lambda: tf.debugging.assert_shapes([(unknown(A, [None]), ("N",)), (unknown([1.0], None), ("N",))]),
        r"Specified by tensor PlaceholderWithDefault:0 dimension 0",
    ),
    (
        lambda: tf.Assert(unknown(False), [unknown(np.arange(24).reshape(2, 3, 4)), "why"], summarize=7),
        r"\[\[\[0 1 2 3\]\[4 5 6\.\.\.\]\]\.\.\.\] \[why\]",
    ),
]


@pytest.mark.parametrize(("build", "message"), FAILING)
def test_what_fails_when_it_runs(build, message):
    with tf.Graph().as_default(), tf.Session() as session:
        check = build()
        with pytest.raises(tf.errors.InvalidArgumentError, match=message) as caught:
            session.run(check)
    assert "test_checks.py" in str(caught.value)


@pytest.mark.parametrize(
    ("build", "kind", "message"),
    [
        (lambda: tf.assert_equal([1, 2], [1, 3]), tf.errors.InvalidArgumentError, r"\[1 3\]"),
        (
            lambda: tf.assert_greater(1.0, 2.0, message="m"),
            tf.errors.InvalidArgumentError,
            "m\nCondition x > y",
        ),
        (lambda: tf.assert_positive([-1]), tf.errors.InvalidArgumentError, "Condition x > 0 did not hold"),
        (
            lambda: tf.assert_rank(A, 2, message="m"),
            ValueError,
            r"m\.  Tensor assert_rank/x:0 must have rank 2\.  Received rank 1, shape \(2,\)",
        ),
        (lambda: tf.assert_rank_at_least(A, 2), ValueError, "must have rank at least 2"),
        (lambda: tf.assert_rank_in(A, (2, 3)), ValueError, r"must have rank in \(2, 3\)"),
        (lambda: tf.assert_rank(A, [1]), ValueError, "Rank must be a scalar."),
        (lambda: tf.assert_scalar(A), ValueError, r"Expected scalar shape for .*, saw shape: \(2,\)"),
        (lambda: tf.assert_type(A, tf.int32), TypeError, "must be of type tf.int32; got tf.float32"),
        (lambda: tf.assert_integer(A), TypeError, 'Expected "x" to be integer type.  Found: '),
        (
            lambda: tf.debugging.assert_shapes([(A, (3,))]),
            ValueError,
            r"Specified explicitly\.  Tensor .* dimension 0 must have size 3\.  Received size 2",
        ),
        (
            lambda: tf.debugging.assert_shapes([(A, ("N", ...))]),
            ValueError,
            "only allowed as the first entry",
        ),
        (lambda: tf.assert_proper_iterable("ab"), TypeError, "Found: <class 'str'>"),
        (
            lambda: tf.assert_same_float_dtype([tf.constant(1)]),
            ValueError,
            "Expected floating point type, got",
        ),
        (lambda: tf.Assert(True, []), ValueError, "list of length 0 less than minimum 1"),
    ],
)
def test_what_fails_at_once(build, kind, message):
    with tf.Graph().as_default(), pytest.raises(kind, match=message):
        build()


def test_a_failed_check_stops_what_depends_on_it_and_nothing_else():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [])
        with tf.control_dependencies([tf.assert_positive(x)]):
            guarded = tf.sqrt(x)
        free = x * 2
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(guarded, {x: -1})
        assert session.run(free, {x: -1}) == -2
        assert session.run(guarded, {x: 4}) == 2


def test_order_of_elements():
    values = run(
        lambda: [
            f(unknown(x))
            for x in ([1, 1, 2], [2, 1], [[1, 2], [3, 4]], [5], np.zeros(0))
            for f in (tf.is_non_decreasing, tf.is_strictly_increasing)
        ]
    )
    assert values == [True, False, False, False, True, True, True, True, True, True]


def test_numerics():
    bad = np.array([1, np.nan, np.inf], np.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no good : Tensor had Inf and NaN values"):
        run(lambda: tf.check_numerics(unknown(bad), "no good"))
    with pytest.raises(tf.errors.InvalidArgumentError, match="no good : Tensor had NaN values"):
        run(lambda: tf.verify_tensor_all_finite(unknown(bad[:2]), "no good"))
    assert run(lambda: tf.check_numerics(unknown(A), "fine")).tolist() == [1, 2]


def test_numerics_are_checked_in_every_run_and_in_gradients():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [])
        y = tf.check_numerics(tf.sqrt(x), "root")
        (grad,) = tf.gradients(y, x)
        assert session.run(y, {x: 4}) == 2
        with pytest.raises(tf.errors.InvalidArgumentError, match="root : Tensor had NaN"):
            session.run(y, {x: -4})
        doubled = tf.gradients(tf.check_numerics(x, "here") * np.float32(np.inf), x)[0]
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"detected in gradient\. here : Tensor had Inf"
        ):
            session.run(doubled, {x: 1})
        assert session.run(grad, {x: 4}) == 0.25


def test_all_floating_tensors_of_a_graph_are_checked():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [])
        tf.log(x, name="logarithm")
        check = tf.add_check_numerics_ops()
        session.run(check, {x: 1})
        with pytest.raises(tf.errors.InvalidArgumentError, match="logarithm:0 : Tensor had NaN values"):
            session.run(check, {x: -1})
