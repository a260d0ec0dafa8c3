"""What goes with `tf.gradients`: its options, and gradients that users register under names of their own."""

import enum
from collections.abc import Callable

from minitf.ops.autodiff import NAMED_GRADIENTS
from minitf.ops.registry import REGISTRY, not_differentiable


class UnconnectedGradients(enum.Enum):
    """What `tf.gradients` returns for an x on which no y depends: None or zeros."""

    NONE = "none"
    ZERO = "zero"


class AggregationMethod:
    """How TensorFlow adds up gradients. Here the sum is one op, whichever is asked for."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def no_gradient(op_type: str) -> None:
    """Says that ops of type `op_type` have no gradient: they end a gradient's way silently.

    Raises TypeError when `op_type` is no string, ValueError when there is no such op or it has a gradient.
    """
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    if op_type not in REGISTRY or REGISTRY[op_type].gradient is not None:
        raise ValueError(f"{op_type!r} is no op without a gradient")
    not_differentiable(op_type)


NoGradient = NotDifferentiable = no_gradient


class RegisterGradient:
    """Decorates a function `f(op, *output_gradients)` to be the gradient named `op_type`.

    `Graph.gradient_override_map` gives it to ops. The function returns one gradient per input of the op (a
    single one may stand alone; None where there is none). Raises TypeError when `op_type` is no string and
    KeyError when an op has a gradient of that name already.
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: Callable) -> Callable:
        """Registers `f` and returns it."""
        known = REGISTRY.get(self._op_type)
        if self._op_type in NAMED_GRADIENTS or known is not None and known.gradient is not None:
            raise KeyError(f"Registering two gradient with name '{self._op_type}'!")
        NAMED_GRADIENTS[self._op_type] = f
        return f
