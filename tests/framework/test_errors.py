"""Error classes: codes, attributes, what they print."""

import pytest

import minitf as tf


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("CancelledError", 1), ("UnknownError", 2), ("InvalidArgumentError", 3), ("DeadlineExceededError", 4),
        ("NotFoundError", 5), ("AlreadyExistsError", 6), ("PermissionDeniedError", 7),
        ("ResourceExhaustedError", 8), ("FailedPreconditionError", 9), ("AbortedError", 10),
        ("OutOfRangeError", 11), ("UnimplementedError", 12), ("InternalError", 13), ("UnavailableError", 14),
        ("DataLossError", 15), ("UnauthenticatedError", 16),
    ],
)  # fmt: skip
def test_codes(name, code):
    error = getattr(tf.errors, name)(None, None, "what went wrong")
    assert isinstance(error, tf.errors.OpError)
    assert error.error_code == code and error.message == "what went wrong" and error.op is None
    assert str(error) == "what went wrong"


def test_errors_of_an_op_name_it_and_its_line():
    op = tf.constant(1.0, name="culprit").op
    error = tf.errors.InvalidArgumentError(op.node_def, op, "bad value")
    assert str(error).startswith("bad value") and "{{node culprit}}" in str(error)
    assert "test_errors.py:" in str(error) and error.node_def.name == "culprit"
