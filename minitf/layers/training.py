"""Behaving otherwise in training than in use, as a Python bool or a tensor says."""

from collections.abc import Callable
from typing import Any

from minitf.ops.control import cond
from minitf.ops.registry import Symbol
from minitf.ops.shape_rules import constant_value


def known(training: Any) -> bool | None:
    """`training` if its value is known now, else None."""
    if not isinstance(training, Symbol) and not hasattr(training, "_as_tensor"):
        return bool(training)
    value = constant_value(training)
    return None if value is None else bool(value)


def choose(training: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """`then()` if `training`, else `otherwise()`: at once if that is known, else when it runs."""
    now = known(training)
    if now is None:
        return cond(training, then, otherwise)
    return then() if now else otherwise()
