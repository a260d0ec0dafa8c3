"""Dense, Dropout and Flatten."""

import math
from collections.abc import Callable
from typing import Any

from minitf.layers.base import InputSpec, Layer, functional, last_size
from minitf.layers.named import get_activation
from minitf.layers.training import choose
from minitf.ops.array import identity, reshape, shape, transpose
from minitf.ops.bias import bias_add
from minitf.ops.dropout import dropout as drop
from minitf.ops.einsum import tensordot
from minitf.ops.initializers import zeros_initializer
from minitf.ops.linalg import matmul


class Dense(Layer):
    """activation(inputs · kernel + bias): (…, n) becomes (…, units).

    `kernel` is (n, units), `bias` (units,). A kernel without initializer starts as its scope says, else as
    Glorot's uniform. Activations, initializers and regularizers may be given by name.

    Raises ValueError when n is not known, TypeError when the dtype is not floating.
    """

    input_spec = InputSpec(min_ndim=2)

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = zeros_initializer(),  # noqa: B008 - it holds no state
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Callable | None = None,
        bias_constraint: Callable | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units)
        if self.units <= 0:
            raise ValueError(
                f"Received an invalid value for `units`, expected a positive integer. Received: units={units}"
            )
        self.activation = get_activation(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint

    def build(self, input_shape: Any) -> None:
        """Makes `kernel` and `bias` for inputs of that shape."""
        if self.dtype is not None and not (self.dtype.is_floating or self.dtype.is_complex):
            raise TypeError(
                "A Dense layer can only be built with a floating-point dtype. "
                f"Received: dtype={self.dtype}"
            )  # fmt: skip
        size = last_size(self, input_shape)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.kernel = self.add_weight(
            "kernel",
            [size, self.units],
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                [self.units],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The output for `inputs` (…, n)."""
        rank = inputs.shape.rank
        if rank == 2:
            outputs = matmul(inputs, self.kernel)
        else:
            outputs = tensordot(inputs, self.kernel, [[rank - 1], [0]])
        if self.bias is not None:
            outputs = bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)


dense = functional(Dense, "dense")


class Dropout(Layer):
    """Drops inputs with chance `rate` while training, and scales the others by 1 / (1 - rate).

    `noise_shape` is that of the independent choices (1: dropped together along that dimension; None in it:
    the input's size). Raises ValueError for a rate outside [0, 1].
    """

    def __init__(
        self,
        rate: float = 0.5,
        noise_shape: Any = None,
        seed: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if isinstance(rate, int | float) and not 0 <= rate <= 1:
            raise ValueError(f"Invalid value {rate} received for `rate`, expected a value between 0 and 1.")
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Any, training: Any = False) -> Any:
        """`inputs`, some of them dropped if `training` (a bool, or a bool tensor known when it runs)."""
        return choose(
            training,
            lambda: drop(inputs, noise_shape=self.noise_shape, seed=self.seed, rate=self.rate),
            lambda: identity(inputs),
        )


def dropout(
    inputs: Any,
    rate: float = 0.5,
    noise_shape: Any = None,
    seed: int | None = None,
    training: Any = False,
    name: str | None = None,
) -> Any:
    """`inputs`, of which some are dropped if `training`. See `Dropout`."""
    return Dropout(rate, noise_shape, seed, name)(inputs, training=training)


class Flatten(Layer):
    """All dimensions but the first made one: (batch, a, b, …) becomes (batch, a · b · …).

    With `data_format="channels_first"` the channels (dimension 1) are moved to the end before.
    """

    input_spec = InputSpec(min_ndim=1)

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format

    def call(self, inputs: Any) -> Any:
        """The flattened `inputs`."""
        rank = inputs.shape.rank
        if self.data_format == "channels_first" and rank is not None and rank > 1:
            inputs = transpose(inputs, [0, *range(2, rank), 1])
        sizes = inputs.shape.sizes
        if sizes is not None and None not in sizes[1:]:
            target = [-1 if sizes[0] is None else sizes[0], math.prod(sizes[1:])]
        elif sizes is not None and sizes[0] is not None:
            target = [sizes[0], -1]
        else:
            target = [shape(inputs)[0], -1]
        return reshape(inputs, target)


def flatten(inputs: Any, name: str | None = None, data_format: str = "channels_last") -> Any:
    """All dimensions of `inputs` but the first made one. See `Flatten`."""
    return Flatten(name=name, data_format=data_format)(inputs)
