"""Cells: one step of a recurrent layer. `RNN` (recurrent.py) runs them over sequences."""

from typing import Any

from minitf.framework import nest
from minitf.framework.shapes import TensorShape
from minitf.keras import activations, constraints, initializers, regularizers
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.state import floatx
from minitf.keras.layers.training_switch import in_training
from minitf.ops import math
from minitf.ops.array import shape
from minitf.ops.bias import bias_add
from minitf.ops.constants import ones, zeros
from minitf.ops.dropout import dropout
from minitf.ops.join import concat, stack, unstack
from minitf.ops.linalg import matmul
from minitf.ops.registry import Symbol
from minitf.ops.split import split

_OBJECTS = (("initializer", initializers), ("regularizer", regularizers), ("constraint", constraints))


def zero_states(state_size: Any, batch_size: Any, dtype: Any) -> Any:
    """Zeros (batch, *size) for each size in the structure `state_size`; the batch size may be a tensor."""
    if batch_size is None or dtype is None:
        raise ValueError(
            "batch_size and dtype cannot be None while constructing initial state. Received: "
            f"batch_size={batch_size}, dtype={dtype}"
        )

    def state(size):
        sizes = [batch_size, *TensorShape(size if isinstance(size, TensorShape | list) else [size]).as_list()]
        return zeros(stack(sizes) if isinstance(batch_size, Symbol) else sizes, dtype)

    return nest.map_structure(state, state_size)


def state_list(state_size: Any) -> list[Any]:
    """A cell's `state_size` as a list with an entry for each state."""
    return list(state_size) if isinstance(state_size, list | tuple) else [state_size]


class _Cell(Layer):
    """Base of the cells: settings that go with a kernel, a recurrent kernel and a bias, and dropout.

    `dropout` drops inputs and `recurrent_dropout` the state, in training, by masks that `RNN` draws once for
    all steps. A cell called by itself draws new ones at every call.
    """

    gates = 1
    _options: tuple[str, ...] = ()

    def __init__(self, size: int, settings: dict[str, Any], kwargs: dict[str, Any]) -> None:
        if size <= 0:
            name = "units" if "units" in settings else "filters"
            raise ValueError(
                f"Received an invalid value for argument `{name}`, expected a positive integer, got {size}."
            )
        super().__init__(**kwargs)
        for key in ("activation", "recurrent_activation"):
            if key in settings:
                setattr(self, key, activations.get(settings[key]))
        self.use_bias = settings["use_bias"]
        for prefix in ("kernel", "recurrent", "bias"):
            for kind, module in _OBJECTS:
                setattr(self, f"{prefix}_{kind}", module.get(settings[f"{prefix}_{kind}"]))
        self.dropout = min(1.0, max(0.0, settings["dropout"]))
        self.recurrent_dropout = min(1.0, max(0.0, settings["recurrent_dropout"]))
        for key in self._options:
            setattr(self, key, settings[key])
        self._masks: tuple[Any, Any] | None = None

    def _add_weight(self, name: str, sizes: tuple[int, ...], prefix: str, initializer: Any = None) -> Any:
        return self.add_weight(
            name, sizes, initializer=initializer or getattr(self, f"{prefix}_initializer"),
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
        )  # fmt: skip

    # --- dropout -------------------------------------------------------------------------------------

    def draw_masks(self, inputs: Any, states: Any, training: Any) -> tuple[Any, Any]:
        """Lists of masks for the inputs and the state of a step, None where nothing is dropped."""
        count = self.gates if getattr(self, "implementation", 1) == 1 else 1
        pairs = (inputs, self.dropout, count), (nest.flatten(states)[0], self.recurrent_dropout, self.gates)
        return tuple(_masks(like, rate, number, training) for like, rate, number in pairs)

    def _masks_for(self, inputs: Any, states: Any, training: Any) -> tuple[Any, Any]:
        return self.draw_masks(inputs, states, training) if self._masks is None else self._masks

    # --- states, config ------------------------------------------------------------------------------

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for a batch, of the size of `inputs`' if they are given."""
        if inputs is not None:
            batch_size, dtype = shape(inputs)[0], inputs.dtype
        return zero_states(self.state_size, batch_size, dtype or floatx())

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal cell."""
        config = {**super().get_config(), **self._size_config()}
        for key in ("activation", "recurrent_activation"):
            if hasattr(self, key):
                config[key] = activations.serialize(getattr(self, key))
        config["use_bias"] = self.use_bias
        for kind, module in _OBJECTS:
            for prefix in ("kernel", "recurrent", "bias"):
                config[f"{prefix}_{kind}"] = module.serialize(getattr(self, f"{prefix}_{kind}"))
        config.update(dropout=self.dropout, recurrent_dropout=self.recurrent_dropout)
        return {**config, **{key: getattr(self, key) for key in self._options}}


def _masks(like: Any, rate: float, count: int, training: Any) -> list[Any] | None:
    if rate == 0 or training is None or training is False:
        return None
    known = like.shape.as_list()
    full = ones(shape(like) if None in known else known, like.dtype)
    return [in_training(training, lambda: dropout(full, rate=rate), lambda: full) for _ in range(count)]


def _per_gate(x: Any, kernel: Any, masks: list[Any] | None, gates: int) -> Any:
    """x @ kernel, the x of each gate with its own mask if there are several."""
    if masks is None:
        return matmul(x, kernel)
    if len(masks) == 1:
        return matmul(x * masks[0], kernel)
    products = [
        matmul(x * mask, part) for mask, part in zip(masks, split(kernel, gates, axis=1), strict=True)
    ]
    return concat(products, 1)


class _DenseCell(_Cell):
    """Base of the cells whose kernels are matrices."""

    def __init__(self, settings: dict[str, Any], kwargs: dict[str, Any]) -> None:
        units = int(settings["units"])
        super().__init__(units, settings, kwargs)
        self.units = self.output_size = units
        self.state_size: Any = [units, units] if self.gates == 4 else units

    def _size_config(self) -> dict[str, Any]:
        return {"units": self.units}

    def build(self, input_shape: Any) -> None:
        """Makes kernel, recurrent_kernel and bias."""
        size = TensorShape(input_shape).as_list()[-1]
        if size is None:
            raise ValueError(
                f"The last dimension of the inputs to {self.name} should be defined. Found None. Full input "
                f"shape received: {input_shape}"
            )
        width = self.gates * self.units
        self.kernel = self._add_weight("kernel", (size, width), "kernel")
        self.recurrent_kernel = self._add_weight("recurrent_kernel", (self.units, width), "recurrent")
        self.bias = None
        if self.use_bias:
            self.bias = self._add_weight("bias", self._bias_shape(), "bias", self._bias_initializer())
        self.built = True

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _bias_initializer(self) -> Any:
        return None


def forget_bias(initializer: Any, units: int) -> Any:
    """An initializer of four gates' biases that gives the second, the forget gate's, ones.

    Recommended by Jozefowicz et al. 2015.
    """

    def initialize(shape, dtype=None, **kwargs):
        return concat(
            [
                initializer((units,), dtype=dtype),
                ones((units,), dtype),
                initializer((2 * units,), dtype=dtype),
            ],
            0,
        )

    return initialize


def _first(states: Any) -> Any:
    return states[0] if nest.is_nested(states) else states


class SimpleRNNCell(_DenseCell):
    """h' = activation(x @ kernel + h @ recurrent_kernel + bias)."""

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)

    def call(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, Any]:
        """The output (batch, units) and the new state, which is the same."""
        state = _first(states)
        dropped, state_dropped = self._masks_for(inputs, state, training)
        outputs = _per_gate(inputs, self.kernel, dropped, 1)
        if self.bias is not None:
            outputs = bias_add(outputs, self.bias)
        outputs = self.activation(outputs + _per_gate(state, self.recurrent_kernel, state_dropped, 1))
        return outputs, [outputs] if nest.is_nested(states) else outputs


def _implementation(settings: dict[str, Any], kwargs: dict[str, Any], default: int) -> dict[str, Any]:
    """The settings with `implementation`, which is 1 where states are dropped for each gate."""
    wanted = kwargs.pop("implementation", default)
    return {**settings, "implementation": 1 if settings["recurrent_dropout"] else wanted}


class LSTMCell(_DenseCell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997). Gates: input, forget, cell, output.

    `implementation` 1 or 2 differ in dropout only: 1 has a mask of its own for each gate's inputs.
    """

    gates = 4
    _options = ("unit_forget_bias", "implementation")

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True, kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(_implementation(locals(), kwargs, 2), kwargs)

    def _bias_initializer(self) -> Any:
        return forget_bias(self.bias_initializer, self.units) if self.unit_forget_bias else None

    def call(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, Any]:
        """The output (batch, units) and the new states, output and memory."""
        state, memory = states
        dropped, state_dropped = self._masks_for(inputs, state, training)
        total = _per_gate(inputs, self.kernel, dropped, 4)
        total = total + _per_gate(state, self.recurrent_kernel, state_dropped, 4)
        if self.bias is not None:
            total = bias_add(total, self.bias)
        into, forget, cell, out = split(total, 4, axis=1)
        kept = self.recurrent_activation(forget) * memory
        memory = kept + self.recurrent_activation(into) * self.activation(cell)
        outputs = self.recurrent_activation(out) * self.activation(memory)
        return outputs, [outputs, memory]


class GRUCell(_DenseCell):
    """Gated recurrent unit (Cho et al. 2014). Gates are in the order update, reset, candidate.

    With `reset_after` the reset gate follows the product with the state, as in cuDNN, and there are two
    biases, (2, 3 units); else it comes before it. `implementation` is as for `LSTMCell`.
    """

    gates = 3
    _options = ("implementation", "reset_after")

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None, bias_regularizer: Any = None,
        kernel_constraint: Any = None, recurrent_constraint: Any = None, bias_constraint: Any = None,
        dropout: float = 0.0, recurrent_dropout: float = 0.0, reset_after: bool = True, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(_implementation(locals(), kwargs, 2), kwargs)

    def _bias_shape(self) -> tuple[int, ...]:
        width = 3 * self.units
        return (2, width) if self.reset_after else (width,)

    def biases(self) -> tuple[Any, Any]:
        """The bias of the inputs and that of the state, None where there is none."""
        if self.bias is None:
            return None, None
        return tuple(unstack(self.bias.read_value())) if self.reset_after else (self.bias, None)

    def call(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, Any]:
        """The output (batch, units) and the new state, which is the same."""
        state = _first(states)
        dropped, state_dropped = self._masks_for(inputs, state, training)
        bias, recurrent_bias = self.biases()
        projected = _per_gate(inputs, self.kernel, dropped, 3)
        if bias is not None:
            projected = bias_add(projected, bias)
        of_update, of_reset, of_candidate = split(projected, 3, axis=1)
        if self.reset_after:
            product = _per_gate(state, self.recurrent_kernel, state_dropped, 3)
            if recurrent_bias is not None:
                product = bias_add(product, recurrent_bias)
            to_update, to_reset, to_candidate = split(product, 3, axis=1)
            reset = self.recurrent_activation(of_reset + to_reset)
            to_candidate = reset * to_candidate
        else:
            first, last = split(self.recurrent_kernel, [2 * self.units, self.units], axis=1)
            masks = state_dropped and state_dropped[:2]
            to_update, to_reset = split(_per_gate(state, first, masks, 2), 2, axis=1)
            reset = self.recurrent_activation(of_reset + to_reset)
            to_candidate = _per_gate(reset * state, last, state_dropped and state_dropped[2:], 1)
        update = self.recurrent_activation(of_update + to_update)
        candidate = self.activation(of_candidate + to_candidate)
        outputs = update * state + math.subtract(ones_of(update), update) * candidate
        return outputs, [outputs] if nest.is_nested(states) else outputs


def ones_of(x: Any) -> Any:
    """1 in the dtype of x."""
    return ones((), x.dtype.base_dtype)


class StackedRNNCells(Layer):
    """Cells on top of each other, as one cell. Raises ValueError for what is no cell."""

    def __init__(self, cells: list[Any], **kwargs: Any) -> None:
        for cell in cells:
            if not hasattr(cell, "call"):
                raise ValueError(
                    f"All cells must have a `call` method. Received cell without a `call` method: {cell}"
                )
            if not hasattr(cell, "state_size"):
                raise ValueError(
                    "All cells must have a `state_size` attribute. Received cell without a `state_size`: "
                    f"{cell}"
                )
        if kwargs.pop("reverse_state_order", False):
            raise NotImplementedError("StackedRNNCells: reverse_state_order=True is not supported")
        super().__init__(**kwargs)
        self.cells = list(cells)

    @property
    def state_size(self) -> tuple:
        """The state sizes of the cells."""
        return tuple(cell.state_size for cell in self.cells)

    @property
    def output_size(self) -> Any:
        """The last cell's."""
        return _output_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        """Builds each cell for the outputs of the one below."""
        sizes = TensorShape(input_shape).as_list()
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell._weight_scope = f"{self._weight_scope or self.name}/{cell.name}"
                cell.build(TensorShape(sizes))
                cell.built = True
            sizes = [sizes[0], _output_size(cell)]
        self.built = True

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> tuple:
        """Each cell's."""
        if inputs is not None:
            batch_size, dtype = shape(inputs)[0], inputs.dtype
        return tuple(
            cell.get_initial_state(batch_size=batch_size, dtype=dtype)
            if hasattr(cell, "get_initial_state")
            else zero_states(cell.state_size, batch_size, dtype)
            for cell in self.cells
        )

    def call(self, inputs: Any, states: Any, constants: Any = None, training: Any = None) -> tuple[Any, Any]:
        """The last cell's output and the new states of all."""
        nested = nest.pack_sequence_as(self.state_size, nest.flatten(states))
        new_states = []
        for cell, own in zip(self.cells, nested, strict=True):
            own = list(own) if nest.is_nested(own) else [own]
            inputs, own = call_cell(cell, inputs, own, training, constants)
            new_states.append(own)
        return inputs, nest.pack_sequence_as(self.state_size, nest.flatten(new_states))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal stack."""
        from minitf.keras.utils.generic_utils import serialize_keras_object

        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "StackedRNNCells":
        """A stack made from what `get_config` returned."""
        from minitf.keras.layers.serialization import deserialize

        config = dict(config)
        return cls([deserialize(cell, custom_objects) for cell in config.pop("cells")], **config)


def _output_size(cell: Any) -> Any:
    known = getattr(cell, "output_size", None)
    return known if known is not None else state_list(cell.state_size)[0]


def call_cell(cell: Any, inputs: Any, states: Any, training: Any, constants: Any) -> tuple[Any, list[Any]]:
    """A cell's output and new states as a list, `training` and `constants` given only if it takes them."""
    from minitf.keras.utils.generic_utils import has_arg

    keywords = {"training": training} if has_arg(cell.call, "training") else {}
    if constants is not None and has_arg(cell.call, "constants"):
        keywords["constants"] = constants
    # Our own cells need nothing of what Layer.__call__ does.
    function = cell.call if isinstance(cell, _Cell) or not callable(cell) else cell
    output, new_states = function(inputs, states, **keywords)
    return output, list(new_states) if isinstance(new_states, list | tuple) else [new_states]
