"""`RNN`, which runs a cell over sequences, and SimpleRNN, LSTM and GRU."""

from typing import Any

import numpy as np

from minitf.framework import nest
from minitf.framework.shapes import TensorShape
from minitf.keras.engine import state
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.recurrent_cells import (
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    StackedRNNCells,
    call_cell,
    state_list,
    zero_states,
)
from minitf.keras.layers.recurrent_loops import fused_sequence, loop
from minitf.ops.array import cast, shape, transpose
from minitf.ops.reverse import reverse
from minitf.runtime.shared_variable import SharedVariable

_NO_BATCH_SIZE = (
    "If a RNN is stateful, it needs to know its batch size. Specify the batch size of your input tensors: \n"
    "- If using a Sequential model, specify the batch size by passing a `batch_input_shape` argument to your "
    "first layer.\n- If using the functional API, specify the batch size by passing a `batch_shape` argument "
    "to your Input layer."
)
_UNKNOWN_STEPS = (
    "Cannot unroll a RNN if the time dimension is undefined. \n- If using a Sequential model, specify the "
    "time dimension by passing an `input_shape` or `batch_input_shape` argument to your first layer. If your "
    "first layer is an Embedding, you can also use the `input_length` argument.\n- If using the functional "
    "API, specify the time dimension by passing a `shape` or `batch_shape` argument to your Input layer."
)


class RNN(Layer):
    """A cell over the steps of (batch, steps, …), or (steps, batch, …) if `time_major`.

    A cell has `call(inputs, states)`, which returns an output and new states, and `state_size`. A list of
    cells is stacked. The output is the last one, or all with `return_sequences`; `return_state` adds the last
    states. `go_backwards` starts at the end. A `stateful` layer goes on where the last batch ended, until
    `reset_states`. `unroll` draws the steps one by one, which can be differentiated more than once. Where a
    mask is False, the state stays and the output is the one before, or 0 with `zero_output_for_mask`.

    Raises ValueError for what is no cell.
    """

    def __init__(
        self, cell: Any, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False, time_major: bool = False,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        cell = StackedRNNCells(cell) if isinstance(cell, list | tuple) else cell
        if not hasattr(cell, "call"):
            raise ValueError(
                "Argument `cell` or `cells`should have a `call` method. The RNN was passed:"
                f"cell={cell} of type {type(cell)}"
            )
        if not hasattr(cell, "state_size"):
            raise ValueError(
                "The RNN cell should have a `state_size` attribute (single integer or list of integers, one "
                f"integer per RNN state). Received: cell={cell}"
            )
        self.zero_output_for_mask = kwargs.pop("zero_output_for_mask", False)
        self._num_constants = kwargs.pop("num_constants", None) or 0
        if "input_shape" not in kwargs and ("input_dim" in kwargs or "input_length" in kwargs):
            kwargs["input_shape"] = kwargs.pop("input_length", None), kwargs.pop("input_dim", None)
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.stateful, self.unroll = go_backwards, stateful, unroll
        self.time_major = time_major
        self.supports_masking = True
        self._set_states(None)

    # --- states --------------------------------------------------------------------------------------

    @property
    def states(self) -> list[Any]:
        """The variables that a stateful layer keeps, None for each before it is built and for others."""
        return [None] * len(state_list(self.cell.state_size)) if self._states is None else self._states

    @states.setter
    def states(self, value: Any) -> None:
        self._set_states(value)

    def _set_states(self, value: Any) -> None:
        object.__setattr__(self, "_states", value)  # no weights

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """The cell's first states for a batch of `inputs`."""
        first = nest.flatten(inputs)[0]
        axis = 1 if self.time_major else 0
        size = first.shape.as_list()[axis]
        if size is None:
            size = shape(first)[axis]
        return self._cell_states(size, first.dtype.base_dtype)

    def _cell_states(self, batch_size: Any, dtype: Any) -> list[Any]:
        make = getattr(self.cell, "get_initial_state", None)
        if make is None:
            return state_list(zero_states(self.cell.state_size, batch_size, dtype))
        return state_list(make(inputs=None, batch_size=batch_size, dtype=dtype))

    def reset_states(self, states: Any = None) -> None:
        """Sets the states of a stateful layer to zeros, or to the given arrays.

        Raises AttributeError for a layer that is not stateful, ValueError when the batch size is not known or
        the arrays do not fit.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        shapes = self._state_shapes()
        if self._states is None:
            dtype = self._dtype or state.floatx()
            made = [
                SharedVariable(np.zeros(sizes, dtype), trainable=False, name=f"{self.name}/state")
                for sizes in shapes
            ]
            self._set_states(nest.pack_sequence_as(state_list(self.cell.state_size), made))
        flat = nest.flatten(self._states)
        values = [np.zeros(sizes) for sizes in shapes] if states is None else nest.flatten(states)
        if len(values) != len(flat):
            raise ValueError(
                f"Layer {self.name} expects {len(flat)} states, but it received {len(values)} state values. "
                f"States received: {states}"
            )
        for i, (value, variable) in enumerate(zip(values, flat, strict=True)):
            if np.shape(value) != tuple(variable.shape.as_list()):
                raise ValueError(
                    f"State {i} is incompatible with layer {self.name}: expected "
                    f"shape={tuple(variable.shape.as_list())} but found shape={np.shape(value)}"
                )
        for value, variable in zip(values, flat, strict=True):
            variable.load(np.asarray(value))

    def _state_shapes(self) -> list[tuple[int, ...]]:
        """The shape of each state of a stateful layer."""
        spec = None if self.input_spec is None else nest.flatten(self.input_spec)[0].shape
        batch_size = None if spec is None else spec[1 if self.time_major else 0]
        if not batch_size:
            raise ValueError(_NO_BATCH_SIZE)
        sizes = nest.flatten(state_list(self.cell.state_size))
        return [(batch_size, *_sizes(size)) for size in sizes]

    # --- building ------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Builds the cell for the inputs of one step."""
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        specs = self._map_shapes(self._spec, input_shape)
        self.input_spec = [InputSpec(shape=s.as_list()) for s in nest.flatten(specs)]
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell._weight_scope = self._cell_scope()
            self.cell.build(self._map_shapes(self._step_shape, input_shape))
            self.cell.built = True
        if self.stateful:
            self.reset_states()
        self.built = True

    def _cell_scope(self) -> str:
        """What the names of the cell's weights begin with."""
        return f"{self._weight_scope or self.name}/{self.cell.name}"

    def _map_shapes(self, function: Any, shapes: Any) -> Any:
        if isinstance(shapes, tuple) and shapes and not isinstance(shapes[0], int | None):
            return tuple(self._map_shapes(function, s) for s in shapes)
        if isinstance(shapes, dict):
            return {key: self._map_shapes(function, s) for key, s in shapes.items()}
        return function(TensorShape(shapes).as_list())

    def _spec(self, sizes: list[Any]) -> TensorShape:
        batch, steps = (1, 0) if self.time_major else (0, 1)
        sizes = [None if i == steps or i == batch and not self.stateful else n for i, n in enumerate(sizes)]
        return TensorShape(sizes)

    def _step_shape(self, sizes: list[Any]) -> TensorShape:
        return TensorShape([sizes[1 if self.time_major else 0], *sizes[2:]])

    # --- calling -------------------------------------------------------------------------------------

    def __call__(
        self, inputs: Any, initial_state: Any = None, constants: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Applies the layer; `initial_state` and `constants` are tensors or lists of them.

        A list of inputs is the sequence, then the first states, then the constants.
        """
        extra = _as_list(initial_state) + _as_list(constants)
        if constants is not None:
            self._num_constants = len(_as_list(constants))
        if not extra:
            return self._with_specs(inputs, args, kwargs)
        return self._with_specs([inputs, *extra], args, kwargs)

    def _with_specs(self, inputs: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """A call whose input spec also covers the states among the inputs."""
        if not isinstance(inputs, list) or len(inputs) == 1:
            return super().__call__(inputs[0] if isinstance(inputs, list) else inputs, *args, **kwargs)
        first = nest.flatten(self.input_spec) if self.input_spec is not None else [None]
        first += [None] * (len(nest.flatten(inputs[0])) - len(first))
        own = self.input_spec
        self.input_spec = first + [None] * len(nest.flatten(inputs[1:]))
        was_built = self.built
        try:
            return super().__call__(inputs, *args, **kwargs)
        finally:
            if was_built or not self.built:
                self.input_spec = own

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None,
        constants: Any = None,
    ) -> Any:  # fmt: skip
        """The last output or all of them, and the last states if asked for."""
        inputs, states, constants = self._parted(inputs, initial_state, constants)
        is_zero = states is None and not self.stateful
        states = self._first_states(inputs, states)
        mask = None if mask is None else nest.flatten(mask)[0]
        inputs = nest.map_structure(self._time_first, inputs)
        steps = nest.flatten(inputs)[0].shape.as_list()[0]
        if self.unroll and steps is None:
            raise ValueError(_UNKNOWN_STEPS)
        mask = mask if mask is None or self.time_major else transpose(mask, [1, 0])
        if self.go_backwards:
            inputs = nest.map_structure(lambda x: reverse(x, [0]), inputs)
            mask = None if mask is None else reverse(mask, [0])
        zeroed = self.zero_output_for_mask and self.return_sequences
        fused = None
        if not self.unroll and not constants and (mask is None or is_zero or zeroed):
            fused = fused_sequence(self.cell, inputs, states, mask, training, zeroed)
        outputs, last, states = fused or loop(
            lambda x, s: call_cell(self.cell, x, s, training, constants),
            self.cell, inputs, states, mask, training, unroll=self.unroll, zeroed=zeroed,
            sequences=self.return_sequences,
        )  # fmt: skip
        if self.stateful:
            for variable, value in zip(nest.flatten(self.states), nest.flatten(states), strict=True):
                variable.assign(cast(value, variable.dtype.base_dtype))
        output = nest.map_structure(self._time_first, outputs) if self.return_sequences else last
        return [*_as_list(output), *states] if self.return_state else output

    def _time_first(self, x: Any) -> Any:
        """Steps and batch exchanged, unless the layer is time-major."""
        return x if self.time_major else transpose(x, [1, 0, *range(2, x.shape.rank)])

    def _parted(self, inputs: Any, initial_state: Any, constants: Any) -> tuple[Any, Any, Any]:
        if isinstance(inputs, list):
            count = self._num_constants
            states = inputs[1 : len(inputs) - count]
            constants = inputs[len(inputs) - count :] if count else constants
            initial_state = states or initial_state
            inputs = inputs[0]
        states = None if initial_state is None else _as_list(initial_state)
        if states is not None and len(states) != len(self.states):
            raise ValueError(
                f"Layer has {len(self.states)} states but was passed {len(states)} initial states. Received: "
                f"initial_state={states}"
            )
        if states is not None:
            self._check_states(states)
        return inputs, states, constants

    def _check_states(self, states: list[Any]) -> None:
        shapes = [tensor.shape for tensor in nest.flatten(states)]
        sizes = nest.flatten(state_list(self.cell.state_size))
        for given, size in zip(shapes, sizes, strict=True):
            if not given.is_compatible_with(TensorShape([None, *_sizes(size)])):
                raise ValueError(
                    "An `initial_state` was passed that is not compatible with `cell.state_size`. Received "
                    f"`state_spec`={shapes}; however `cell.state_size` is {sizes}"
                )

    def _first_states(self, inputs: Any, given: Any) -> list[Any]:
        if not self.stateful:
            return self.get_initial_state(inputs) if given is None else given
        kept = nest.map_structure(lambda v: v.read_value(), self.states)
        if given is None:
            return kept
        # As in Keras, what the layer remembers goes before what it is given, unless it is all zeros.
        from minitf.ops import math
        from minitf.ops.control import cond
        from minitf.ops.reduce import reduce_any

        remembers = [reduce_any(math.not_equal(v, cast(0, v.dtype))) for v in nest.flatten(kept)]
        remembered = remembers[0]
        for other in remembers[1:]:
            remembered = math.logical_or(remembered, other)
        return cond(remembered, lambda: kept, lambda: given, strict=True)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The sequences' own mask; the last output and the states have none."""
        mask = nest.flatten(mask)[0] if mask is not None else None
        output_mask = mask if self.return_sequences else None
        return [output_mask, *[None] * len(self.states)] if self.return_state else output_mask

    # --- config --------------------------------------------------------------------------------------

    def _loop_config(self) -> dict[str, Any]:
        config = {
            "return_sequences": self.return_sequences, "return_state": self.return_state,
            "go_backwards": self.go_backwards, "stateful": self.stateful, "unroll": self.unroll,
            "time_major": self.time_major,
        }  # fmt: skip
        if self._num_constants:
            config["num_constants"] = self._num_constants
        if self.zero_output_for_mask:
            config["zero_output_for_mask"] = self.zero_output_for_mask
        return config

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        from minitf.keras.utils.generic_utils import serialize_keras_object

        return {
            **super().get_config(), **self._loop_config(), "cell": serialize_keras_object(self.cell),
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "RNN":
        """A layer made from what `get_config` returned."""
        from minitf.keras.layers.serialization import deserialize

        config = dict(config)
        return cls(deserialize(config.pop("cell"), custom_objects), **config)


def _sizes(size: Any) -> list[Any]:
    """The size of a state, an int or a shape, without the batch."""
    return [size] if isinstance(size, int) else TensorShape(size).as_list()


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


_LOOP_ARGUMENTS = (
    "return_sequences", "return_state", "go_backwards", "stateful", "unroll", "time_major",
    "activity_regularizer",
)  # fmt: skip


class _WithCell(RNN):
    """Base of the layers that are named after their cell and take its arguments."""

    _cell: type

    def __init__(self, settings: dict[str, Any], kwargs: dict[str, Any]) -> None:
        ours = {"self", "kwargs", "__class__", *_LOOP_ARGUMENTS}
        arguments = {key: value for key, value in settings.items() if key not in ours}
        if "implementation" in kwargs:
            implementation = kwargs.pop("implementation")
            if self._cell is not SimpleRNNCell:  # there it has been without effect since Keras 2
                arguments["implementation"] = implementation
        cell = self._cell(**arguments, dtype=kwargs.get("dtype"), trainable=kwargs.get("trainable", True))
        super().__init__(cell, **{key: settings[key] for key in _LOOP_ARGUMENTS}, **kwargs)
        self.input_spec = [InputSpec(ndim=3)]

    def __getattr__(self, name: str) -> Any:
        """The cell's settings are the layer's, too: units, activation, kernel_initializer, …"""
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_") or name not in type(self)._settings_of(cell):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(cell, name)

    @staticmethod
    def _settings_of(cell: Any) -> set[str]:
        return cell.get_config().keys() - {"name", "trainable", "dtype"}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        from minitf.keras import regularizers

        cell = self.cell.get_config()
        own = Layer.get_config(self)
        settings = {key: value for key, value in cell.items() if key not in Layer.get_config(self.cell)}
        regularizer = regularizers.serialize(self.activity_regularizer)
        return {**own, **self._loop_config(), **settings, "activity_regularizer": regularizer}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RNN":
        """A layer made from what `get_config` returned."""
        return cls(**config)


class SimpleRNN(_WithCell):
    """`SimpleRNNCell` over sequences (batch, steps, features)."""

    _cell = SimpleRNNCell

    def __init__(
        self, units: int, activation: Any = "tanh", use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, unroll: bool = False, time_major: bool = False,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)


class LSTM(_WithCell):
    """`LSTMCell` over sequences (batch, steps, features)."""

    _cell = LSTMCell

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True, kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
        bias_regularizer: Any = None, activity_regularizer: Any = None, kernel_constraint: Any = None,
        recurrent_constraint: Any = None, bias_constraint: Any = None, dropout: float = 0.0,
        recurrent_dropout: float = 0.0, return_sequences: bool = False, return_state: bool = False,
        go_backwards: bool = False, stateful: bool = False, time_major: bool = False, unroll: bool = False,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)


class GRU(_WithCell):
    """`GRUCell` over sequences (batch, steps, features)."""

    _cell = GRUCell

    def __init__(
        self, units: int, activation: Any = "tanh", recurrent_activation: Any = "sigmoid",
        use_bias: bool = True, kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal", bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None, recurrent_regularizer: Any = None, bias_regularizer: Any = None,
        activity_regularizer: Any = None, kernel_constraint: Any = None, recurrent_constraint: Any = None,
        bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0,
        return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
        stateful: bool = False, unroll: bool = False, time_major: bool = False, reset_after: bool = True,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(locals(), kwargs)
