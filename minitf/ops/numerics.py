"""Looking for NaN and infinities in tensors."""

from typing import Any

import numpy as np

from minitf.ops.group import group, with_dependencies
from minitf.ops.registry import Floating, gradient, interpreter, op
from minitf.ops.shape_rules import same_as_input


@op("CheckNumerics", shape=same_as_input, alias=True, stateful=True)
def _check_numerics(tensor: Floating, *, message) -> Floating:
    if not np.isfinite(tensor).all():
        found = [name for name, test in (("Inf", np.isinf), ("NaN", np.isnan)) if test(tensor).any()]
        raise ValueError(f"{message} : Tensor had {' and '.join(found)} values")
    return tensor


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Any:
    """`tensor`, if all of it is finite; else fails with InvalidArgumentError and `message`."""
    return _check_numerics(tensor, message=message, name=name)


@gradient(_check_numerics)
def _check_numerics_gradient(op, grad):
    message = op.attrs["message"]
    return check_numerics(
        grad, f"Not a number (NaN) or infinity (Inf) values detected in gradient. {message}"
    )


def verify_tensor_all_finite(
    t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None, message: str | None = None
) -> Any:
    """`t` (or `x`), if all of it is finite; else fails with InvalidArgumentError and `msg` (`message`)."""
    x, message = (t if x is None else x), (msg if message is None else message)
    current = interpreter()
    with current.name_scope(name or "VerifyFinite"):
        x = current.convert(x, None, None, "x")
        return with_dependencies([check_numerics(x, message)], x)


def add_check_numerics_ops() -> Any:
    """An op that fails when any floating tensor made so far in the default graph is not finite."""
    current = interpreter()
    if current.eager:
        raise RuntimeError("add_check_numerics_ops() is not compatible with eager execution.")
    checks: list[Any] = []
    for operation in current.get_operations():
        for output in operation.outputs:
            if output.dtype.base_dtype in Floating.allowed:
                with current.control_dependencies(checks[-1:]):
                    checks.append(check_numerics(output, output.name))
    return group(*checks)
