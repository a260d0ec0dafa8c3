"""Assertions about values: `tf.Assert` and the `tf.assert_…` family.

What is known while the graph is built is checked at once. Assertions about shapes and dtypes are in
checks_of_shape.py.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import errors
from minitf.ops import array, math
from minitf.ops.array import no_op
from minitf.ops.reduce import reduce_all
from minitf.ops.registry import Bool, Mixed, Symbol, interpreter, not_differentiable, op
from minitf.ops.shape_rules import constant_value
from minitf.ops.summarize import summarize_value


@op("Assert", stateful=True)
def _assert(condition: Bool, data: [Mixed], *, summarize=3) -> None:
    if not condition.all():
        shown = " ".join(f"[{summarize_value(value, summarize)}]" for value in data)
        raise ValueError(f"assertion failed: {shown}")


not_differentiable(_assert)


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> Any:
    """An op that fails with InvalidArgumentError, showing `data`, when the bool `condition` is false.

    Of each tensor in the list `data`, `summarize` (3) elements are shown. Run it beside what depends on the
    condition: `with tf.control_dependencies([tf.Assert(…)])`.
    """
    if not isinstance(data, list | tuple) or not data:
        raise ValueError("Attr 'T' of 'Assert' Op passed list of length 0 less than minimum 1.")
    with interpreter().name_scope(name or "Assert"):
        return _assert(condition, list(data), summarize=3 if summarize is None else summarize)


def name_of(x: Any) -> str:
    """What messages call a tensor: its name, or of one without a name its shape and dtype."""
    return getattr(x, "name", None) or f"shape={x.shape} dtype={x.dtype.name}"


def prefix(message: str | None) -> str:
    """A caller's message as it stands before another."""
    return f"{message}.  " if message else ""


def _raise_now(data: list[Any]) -> None:
    """Raises what a failed assertion would raise, before anything runs."""
    lines = []
    for item in data:
        value = constant_value(item) if isinstance(item, Symbol) else None
        lines.append(str(item if value is None else value))
    raise errors.InvalidArgumentError(None, None, "\n".join(lines))


# --- two tensors -------------------------------------------------------------------------------------


def _compare(
    x: Any, y: Any, data: Any, summarize: int | None, message: str | None, name: str, sign: str
) -> Any:
    current = interpreter()
    with current.name_scope(name):
        x = current.convert(x, None, None, "x")
        y = current.convert(y, None, None, "y")
        if data is None:
            data = [
                f"Condition x {sign} y did not hold element-wise:",
                f"x ({name_of(x)}) = ", x, f"y ({name_of(y)}) = ", y,
            ]  # fmt: skip
        if message is not None:
            data = [message, *data]
        operator = _COMPARISONS[sign]
        condition = reduce_all(operator(x, y))
        values = constant_value(x), constant_value(y)
        if not any(value is None for value in values) and not operator.definition.kernel(*values).all():
            _raise_now(data)
        return Assert(condition, data, summarize=summarize)


_COMPARISONS = {
    "==": math.equal, "!=": math.not_equal, "<": math.less, "<=": math.less_equal, ">": math.greater,
    ">=": math.greater_equal,
}  # fmt: skip


def _binary(name: str, sign: str) -> Callable:
    default_name = name

    def function(
        x: Any,
        y: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Any:
        return _compare(x, y, data, summarize, message, name or default_name, sign)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"An op that fails unless x {sign} y for all elements; x and y broadcast." + _ARGUMENTS
    return function


_ARGUMENTS = """

    The error (InvalidArgumentError, at once where the values are known) shows `data`, or the operands, with
    `summarize` (3) elements of each tensor, behind `message`.
    """

assert_none_equal = _binary("assert_none_equal", "!=")
assert_less = _binary("assert_less", "<")
assert_less_equal = _binary("assert_less_equal", "<=")
assert_greater = _binary("assert_greater", ">")
assert_greater_equal = _binary("assert_greater_equal", ">=")
_assert_equal = _binary("assert_equal", "==")


def assert_equal(
    x: Any,
    y: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """An op that fails unless x == y for all elements; x and y broadcast.

    The error (InvalidArgumentError, at once where the values are known) shows `data`, or the operands, with
    `summarize` (3) elements of each tensor, behind `message`.
    """
    # The scope is entered anew below, so that names are TensorFlow's.
    with interpreter().name_scope(name or "assert_equal"):
        if x is y:
            return no_op()
    return _assert_equal(x, y, data, summarize, message, name)


def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """An op that fails unless |x - y| < atol + rtol |y| for all elements; both default to 10 epsilon."""
    current = interpreter()
    with current.name_scope(name or "assert_near"):
        x = current.convert(x, None, None, "x")
        y = current.convert(y, x.dtype.base_dtype, None, "y")
        dtype = x.dtype.real_dtype
        epsilon = np.finfo(dtype.numpy_dtype).eps
        rtol = current.convert(10 * epsilon if rtol is None else rtol, dtype, None, "rtol")
        atol = current.convert(10 * epsilon if atol is None else atol, dtype, None, "atol")
        if data is None:
            data = [
                prefix(message), f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}",
                f"x ({name_of(x)}) = ", x, f"y ({name_of(y)}) = ", y,
            ]  # fmt: skip
        near = math.less(math.abs(x - y), atol + rtol * math.abs(y))
        return Assert(reduce_all(near), data, summarize=summarize)


# --- one tensor and zero -----------------------------------------------------------------------------


def _with_zero(name: str, sign: str) -> Callable:
    default_name = name

    def function(
        x: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Any:
        current = interpreter()
        with current.name_scope(name or default_name):
            x = current.convert(x, None, None, "x")
            if data is None:
                data = [
                    prefix(message), f"Condition x {sign} 0 did not hold element-wise:",
                    f"x ({name_of(x)}) = ", x,
                ]  # fmt: skip
            zero = current.convert(0, x.dtype.base_dtype)
            # TensorFlow asks `0 < x`, not `x > 0`, and its nodes are named for that.
            if sign.startswith(">"):
                flipped = assert_less if sign == ">" else assert_less_equal
                return flipped(zero, x, data=data, summarize=summarize)
            compare = assert_less if sign == "<" else assert_less_equal
            return compare(x, zero, data=data, summarize=summarize)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"An op that fails unless x {sign} 0 for all elements." + _ARGUMENTS
    return function


assert_negative = _with_zero("assert_negative", "<")
assert_positive = _with_zero("assert_positive", ">")
assert_non_negative = _with_zero("assert_non_negative", ">=")
assert_non_positive = _with_zero("assert_non_positive", "<=")


# --- order -------------------------------------------------------------------------------------------


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether `tensor` is a tensor of numbers."""
    return isinstance(tensor, Symbol) and tensor.dtype.numpy_dtype.kind in "fiuc"


def _monotonic(x: Any, compare: Callable, name: str) -> Any:
    with interpreter().name_scope(name):
        x = interpreter().convert(x, None, None, "x")
        if not is_numeric_tensor(x):
            raise TypeError(f"Expected x to be numeric, instead found: {x}")
        x = array.reshape(x, [-1])
        return reduce_all(compare(x[1:], x[:-1]))


def is_non_decreasing(x: Any, name: str | None = None) -> Any:
    """Whether no element, in row-major order, is less than the one before it: a bool scalar."""
    return _monotonic(x, math.greater_equal, name or "is_non_decreasing")


def is_strictly_increasing(x: Any, name: str | None = None) -> Any:
    """Whether every element, in row-major order, is greater than the one before it: a bool scalar."""
    return _monotonic(x, math.greater, name or "is_strictly_increasing")
