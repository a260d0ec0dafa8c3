"""Choosing between two values: by a condition, by training or not. Printing."""

import sys
from collections.abc import Callable
from typing import Any

from minitf.framework import dtypes
from minitf.keras.backend.values import ndim, tensor
from minitf.keras.engine import state
from minitf.keras.layers.training_switch import in_training
from minitf.ops.array import cast, expand_dims, identity
from minitf.ops.control import cond
from minitf.ops.print import print_v2
from minitf.ops.registry import interpreter
from minitf.ops.select import where_v2


def _deferred(expression: Any) -> Callable:
    return expression if callable(expression) else lambda: tensor(expression)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One of two tensors (or of what two functions return): as a whole, or element by element.

    `condition` is a scalar, or a tensor whose dimensions are the first ones of the expressions'.

    Raises ValueError when it has more dimensions than they have.
    """
    condition = cast(tensor(condition), dtypes.bool)
    if not ndim(condition):
        return cond(condition, _deferred(then_expression), _deferred(else_expression))
    then, otherwise = (_deferred(expression)() for expression in (then_expression, else_expression))
    if ndim(condition) > ndim(then):
        raise ValueError(
            "Rank of `condition` should be less than or equal to rank of `then_expression` and "
            f"`else_expression`. ndim(condition)={ndim(condition)}, ndim(then_expression)={ndim(then)}"
        )
    for _ in range(ndim(then) - ndim(condition)):
        condition = expand_dims(condition, -1)
    return where_v2(condition, then, otherwise)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """x (or what it returns) while training, else alt. `training` is by default the learning phase."""
    training = state.learning_phase() if training is None else training
    return in_training(training, *(e if callable(e) else (lambda e=e: e) for e in (x, alt)))


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """alt (or what it returns) while training, else x."""
    return in_train_phase(alt, x, training)


def print_tensor(x: Any, message: str = "", summarize: int = 3) -> Any:
    """x, printed on the standard output with a message before it whenever it is computed."""
    printed = print_v2(message, x, output_stream=sys.stdout, summarize=summarize)
    if interpreter().eager:
        return x
    with interpreter().control_dependencies([printed]):
        return identity(x)
