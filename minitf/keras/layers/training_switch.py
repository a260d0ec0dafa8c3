"""One of two results, by whether the model is being trained."""

from collections.abc import Callable
from typing import Any

from minitf.ops import math
from minitf.ops.registry import Symbol
from minitf.ops.shape_rules import constant_value


def in_training(training: Any, then: Callable, otherwise: Callable) -> Any:
    """then() when `training` is true, else otherwise(); a tensor decides when it runs."""
    if isinstance(training, Symbol):
        known = constant_value(training)
        if known is None:
            from minitf.ops.array import cast
            from minitf.ops.control import cond

            flag = (
                training
                if training.dtype.base_dtype.is_bool
                else math.not_equal(training, cast(0, training.dtype))
            )
            return cond(flag, then, otherwise)
        training = bool(known)
    return then() if training else otherwise()
