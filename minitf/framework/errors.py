"""TensorFlow's error classes (`tf.errors`), each with its canonical code.

https://www.tensorflow.org/api_docs/python/tf/errors
"""

from typing import Any


class OpError(Exception):
    """An operation failed. `op` is the operation (or None), `message` says why."""

    error_code = 2

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int | None = None) -> None:
        super().__init__(node_def, op, message)
        self.node_def = node_def
        self.op = op
        self.message = message
        if error_code is not None:
            self.error_code = error_code

    def __str__(self) -> str:
        where = f"\n\t [[{{{{node {self.op.name}}}}}]]" if self.op is not None else ""
        line = getattr(self.op, "defined_at", None)
        return self.message + where + (f"\nDefined at {line}." if line else "")


def _error(name: str, code: int, meaning: str) -> type[OpError]:
    def __init__(self, node_def=None, op=None, message="", *details):
        OpError.__init__(self, node_def, op, message, code)

    body = {"__init__": __init__, "__doc__": meaning, "error_code": code, "__module__": __name__}
    return type(name, (OpError,), body)


OK = 0
CancelledError = _error("CancelledError", 1, "The operation was cancelled.")
UnknownError = _error("UnknownError", 2, "An error of no known kind.")
InvalidArgumentError = _error("InvalidArgumentError", 3, "An operation got an invalid argument.")
DeadlineExceededError = _error("DeadlineExceededError", 4, "A deadline passed.")
NotFoundError = _error("NotFoundError", 5, "A file or entity was not found.")
AlreadyExistsError = _error("AlreadyExistsError", 6, "An entity exists already.")
PermissionDeniedError = _error("PermissionDeniedError", 7, "The caller may not do this.")
ResourceExhaustedError = _error("ResourceExhaustedError", 8, "A resource ran out.")
FailedPreconditionError = _error(
    "FailedPreconditionError", 9, "The system is not in the needed state, e.g. a variable is unset."
)
AbortedError = _error("AbortedError", 10, "The operation was aborted.")
OutOfRangeError = _error("OutOfRangeError", 11, "Iteration went past the end of its input.")
UnimplementedError = _error("UnimplementedError", 12, "The operation is not implemented.")
InternalError = _error("InternalError", 13, "An invariant was broken.")
UnavailableError = _error("UnavailableError", 14, "The runtime is unavailable.")
DataLossError = _error("DataLossError", 15, "Data was lost or corrupted.")
UnauthenticatedError = _error("UnauthenticatedError", 16, "The caller is not authenticated.")


class OperatorNotAllowedInGraphError(TypeError):
    """A Python operator (bool, iteration) was used on a symbolic tensor."""
