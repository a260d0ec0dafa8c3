"""Activations, initializers and regularizers that layers take by name."""

from collections.abc import Callable
from typing import Any

from minitf import regularizers
from minitf.ops import activation, initializers, math, softmax


def _linear(x: Any) -> Any:
    return x


def _hard_sigmoid(x: Any) -> Any:
    return math.maximum(math.minimum(0.2 * x + 0.5, 1.0), 0.0)


ACTIVATIONS: dict[str, Callable] = {
    "elu": activation.elu,
    "exponential": math.exp,
    "hard_sigmoid": _hard_sigmoid,
    "linear": _linear,
    "relu": activation.relu,
    "selu": activation.selu,
    "sigmoid": math.sigmoid,
    "softmax": softmax.softmax,
    "softplus": activation.softplus,
    "softsign": activation.softsign,
    "tanh": math.tanh,
}

INITIALIZERS: dict[str, Callable] = {
    "glorot_normal": initializers.glorot_normal_initializer,
    "glorot_uniform": initializers.glorot_uniform_initializer,
    "he_normal": initializers.he_normal,
    "he_uniform": initializers.he_uniform,
    "identity": initializers.identity_initializer,
    "lecun_normal": initializers.lecun_normal,
    "lecun_uniform": initializers.lecun_uniform,
    "ones": initializers.ones_initializer,
    "orthogonal": initializers.orthogonal_initializer,
    "zeros": initializers.zeros_initializer,
}

REGULARIZERS: dict[str, Callable] = {
    "l1": regularizers.l1,
    "l1_l2": regularizers.l1_l2,
    "l2": regularizers.l2,
}


def _look_up(kind: str, table: dict[str, Callable], name: str) -> Callable:
    if name not in table:
        raise ValueError(f"Unknown {kind}: {name!r}. Known by name are {', '.join(table)}.")
    return table[name]


def get_activation(activation: Any) -> Callable | None:
    """A function of tensors, given itself or by name; None for none. Raises ValueError for other names."""
    return (
        _look_up("activation function", ACTIVATIONS, activation)
        if isinstance(activation, str)
        else activation
    )


def get_initializer(initializer: Any) -> Any:
    """An initializer, given itself or by name. Raises ValueError for other names."""
    return (
        _look_up("initializer", INITIALIZERS, initializer)() if isinstance(initializer, str) else initializer
    )


def get_regularizer(regularizer: Any) -> Callable | None:
    """A regularizer, given itself or by name. Raises ValueError for other names."""
    return (
        _look_up("regularizer", REGULARIZERS, regularizer)() if isinstance(regularizer, str) else regularizer
    )
