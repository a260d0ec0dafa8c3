"""Layers around layers: TimeDistributed and Bidirectional."""

from typing import Any

from minitf.framework import nest
from minitf.framework.shapes import TensorShape
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.utils.generic_utils import has_arg, serialize_keras_object
from minitf.ops.array import reshape, shape
from minitf.ops.constants import constant
from minitf.ops.join import concat, stack
from minitf.ops.reduce import reduce_any
from minitf.ops.reverse import reverse


class Wrapper(Layer):
    """Base of layers that contain one, `layer`."""

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Please initialize `{type(self).__name__}` layer with a `tf.keras.layers.Layer` instance. "
                f"Received: {layer}"
            )
        self.layer = layer
        super().__init__(**kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Wrapper":
        """A layer made from what `get_config` returned."""
        from minitf.keras.layers.serialization import deserialize

        config = dict(config)
        return cls(deserialize(config.pop("layer"), custom_objects), **config)


def _reshaped(tensor: Any, first: list[Any], kept: int) -> Any:
    """`tensor` with the sizes `first` in place of those before its dimension number `kept`."""
    known, running = tensor.shape.as_list()[kept:], None
    if None in known:
        running = shape(tensor)
        known = [running[kept + i] if n is None else n for i, n in enumerate(known)]
    target = [*first, *known]
    return reshape(tensor, target if all(isinstance(n, int) for n in target) else stack(target))


class TimeDistributed(Wrapper):
    """A layer or model applied to each step of (batch, steps, …): one call on all steps of all samples.

    Raises ValueError for inputs of fewer than three dimensions.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        if getattr(layer, "stateful", False):
            raise NotImplementedError("TimeDistributed: stateful layers are not supported")
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Builds the layer for one step."""
        shapes = nest.flatten(input_shape)
        if any(TensorShape(s).rank < 3 for s in shapes):
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape ` with at least 3 dimensions, "
                f"received: {input_shape}"
            )
        self.input_spec = nest.map_structure(
            lambda s: InputSpec(shape=(None, None, *TensorShape(s).as_list()[2:])), input_shape
        )
        if not self.layer.built:
            # Keras names the weights after the wrapper.
            self.layer._weight_scope = self._weight_scope or self.name
        self.built = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The layer's outputs (batch, steps, …)."""
        keywords = {}
        if has_arg(self.layer.call, "training"):
            keywords["training"] = training
        if mask is not None and has_arg(self.layer.call, "mask"):
            keywords["mask"] = nest.map_structure(
                lambda m: None if m is None else _reshaped(m, [-1], 2), mask
            )
        first = nest.flatten(inputs)[0]
        batch, steps = first.shape.as_list()[:2]
        if steps is None:
            running = shape(first)
            leading = [running[0] if batch is None else batch, running[1]]
        else:
            leading = [-1 if batch is None else batch, steps]
        outputs = self.layer(nest.map_structure(lambda x: _reshaped(x, [-1], 2), inputs), **keywords)

        def spread(y):
            result = _reshaped(y, leading, 1)
            result.set_shape([batch, steps, *y.shape.as_list()[1:]])
            return result

        return nest.map_structure(spread, outputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The layer's own mask of each step; without one, steps of which anything counts."""
        first = nest.flatten(inputs)[0]
        inner = None if mask is None else nest.map_structure(lambda m: _reshaped(m, [-1], 2), mask)
        steps = first.shape.as_list()[1]
        flat = nest.map_structure(lambda x: _reshaped(x, [-1], 2), inputs)
        has_mask = self.layer.supports_masking or type(self.layer).compute_mask is not Layer.compute_mask
        found = self.layer.compute_mask(flat, inner) if has_mask else None
        if found is not None:
            return nest.map_structure(
                lambda m: _reshaped(m, [-1, shape(first)[1] if steps is None else steps], 1), found
            )
        if mask is not None:
            for _ in range(mask.shape.rank - 2):
                mask = reduce_any(mask, -1)
        return mask


_MERGE_MODES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(Wrapper):
    """A recurrent layer and its copy that starts at the end, their outputs merged.

    `merge_mode` is 'concat', 'sum', 'mul', 'ave' or None (both outputs as a list). `backward_layer` replaces
    the copy. The first states, like those returned, are the forward layer's, then the backward layer's.

    Raises ValueError for unknown modes, and for layers that do not go together.
    """

    def __init__(
        self, layer: Layer, merge_mode: str | None = "concat", weights: Any = None,
        backward_layer: Layer | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        if backward_layer is not None and not isinstance(backward_layer, Layer):
            raise ValueError(
                f"`backward_layer` need to be a `tf.keras.layers.Layer` instance. Received: {backward_layer}"
            )
        if merge_mode not in _MERGE_MODES:
            raise ValueError(
                f"Invalid merge mode. Received: {merge_mode}. Merge mode should be one of "
                '{"sum", "mul", "ave", "concat", None}'
            )
        self._num_constants = kwargs.pop("num_constants", None) or 0
        kwargs.setdefault("trainable", getattr(layer, "trainable", True))
        super().__init__(layer, **kwargs)
        self._tracked.pop("layer")  # its copies are what is run
        self.forward_layer = _copy(layer, False)
        self._backward_config = None if backward_layer is None else serialize_keras_object(backward_layer)
        self.backward_layer = _copy(layer, True) if backward_layer is None else backward_layer
        self.forward_layer._name = "forward_" + self.forward_layer.name
        self.backward_layer._name = "backward_" + self.backward_layer.name
        self._check_layers()
        for side in (self.forward_layer, self.backward_layer):
            side.zero_output_for_mask = side.return_sequences
        self.merge_mode = merge_mode
        if weights:
            half = len(weights) // 2
            self.forward_layer._initial_weights = weights[:half]
            self.backward_layer._initial_weights = weights[half:]
        self.stateful, self.return_state = layer.stateful, layer.return_state
        self.return_sequences = layer.return_sequences
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "Forward layer and backward layer should have different `go_backwards` value."
                f"forward_layer.go_backwards = {forward.go_backwards},"
                f"backward_layer.go_backwards = {backward.go_backwards}"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            values = getattr(forward, name), getattr(backward, name)
            if values[0] != values[1]:
                raise ValueError(
                    "Forward layer and backward layer are expected to have the same value for attribute "
                    f'"{name}", got "{values[0]}" for forward layer and "{values[1]}" for backward layer'
                )

    def build(self, input_shape: Any) -> None:
        """Builds both layers."""
        for side in (self.forward_layer, self.backward_layer):
            side._weight_scope = f"{self._weight_scope or self.name}/{side.name}"
            if not side.built:
                side.build(input_shape)
                side.built = True
            if side._initial_weights is not None:
                side.set_weights(side._initial_weights)
                side._initial_weights = None
        self.built = True

    def __call__(
        self, inputs: Any, initial_state: Any = None, constants: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Applies the layers; `initial_state` and `constants` are lists of tensors.

        A list of inputs is the sequence, then the first states, then the constants. Raises ValueError for an
        odd number of states.
        """
        states, constants = list(initial_state or []), list(constants or [])
        if constants:
            self._num_constants = len(constants)
            for side in (self.forward_layer, self.backward_layer):
                side._num_constants = len(constants)
        given = inputs if isinstance(inputs, list) else [inputs]
        full = [*given, *states, *constants]
        count = len(full) - 1 - self._num_constants
        if count % 2:
            raise ValueError(
                "When passing `initial_state` to a Bidirectional RNN, the state should be a list containing "
                f"the states of the underlying RNNs. Received: {full[1 : 1 + count]}"
            )
        if len(full) == 1:
            return super().__call__(full[0], *args, **kwargs)
        own, self.input_spec = self.input_spec, None
        try:
            return super().__call__(full, *args, **kwargs)
        finally:
            self.input_spec = own

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The merged outputs, and the last states of both layers if they return them."""
        keywords = {}
        for name, value in (("training", training), ("mask", mask)):
            if has_arg(self.forward_layer.call, name):
                keywords[name] = value
        ahead, back = self._inputs_of_each(inputs)
        y, y_back = self.forward_layer(ahead, **keywords), self.backward_layer(back, **keywords)
        states = []
        if self.return_state:
            states = [*y[1:], *y_back[1:]]
            y, y_back = y[0], y_back[0]
        if self.return_sequences:
            y_back = reverse(y_back, [0 if getattr(self.forward_layer, "time_major", False) else 1])
        merged = self._merged(y, y_back)
        if not self.return_state:
            return merged
        return [*merged, *states] if self.merge_mode is None else [merged, *states]

    def _inputs_of_each(self, inputs: Any) -> tuple[Any, Any]:
        if not isinstance(inputs, list):
            return inputs, inputs
        end = len(inputs) - self._num_constants
        middle = 1 + (end - 1) // 2
        constants = inputs[end:]
        return [inputs[0], *inputs[1:middle], *constants], [inputs[0], *inputs[middle:end], *constants]

    def _merged(self, y: Any, y_back: Any) -> Any:
        if self.merge_mode is None:
            return [y, y_back]
        if self.merge_mode == "concat":
            return concat([y, y_back], -1)
        if self.merge_mode == "mul":
            return y * y_back
        return y + y_back if self.merge_mode == "sum" else (y + y_back) / constant(2, y.dtype.base_dtype)

    def reset_states(self, states: Any = None) -> None:
        """Sets the states of stateful layers to zeros, or to the given arrays.

        Raises AttributeError when the layers are not stateful.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        if states is not None and not isinstance(states, list | tuple):
            raise ValueError(
                f"Unrecognized value for `states`. Expected `states` to be list or tuple. Received: {states}"
            )
        half = 0 if states is None else len(states) // 2
        self.forward_layer.reset_states(None if states is None else states[:half])
        self.backward_layer.reset_states(None if states is None else states[half:])

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The sequences' own mask; last outputs and states have none."""
        mask = nest.flatten(mask)[0] if mask is not None and self.return_sequences else None
        masks = [mask, mask] if self.merge_mode is None else mask
        if not self.return_state:
            return masks
        none = [None] * (2 * len(self.forward_layer.states))
        return [*masks, *none] if self.merge_mode is None else [masks, *none]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        if self._num_constants:
            config["num_constants"] = self._num_constants
        if self._backward_config is not None:
            config["backward_layer"] = self._backward_config
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Bidirectional":
        """A layer made from what `get_config` returned."""
        from minitf.keras.layers.serialization import deserialize

        config = dict(config)
        if config.get("backward_layer") is not None:
            config["backward_layer"] = deserialize(config["backward_layer"], custom_objects)
        return super().from_config(config, custom_objects)


def _copy(layer: Any, turned: bool) -> Any:
    """A layer of the same config, going the other way if `turned`."""
    config = layer.get_config()
    if turned:
        config["go_backwards"] = not config["go_backwards"]
    if not has_arg(type(layer).from_config, "custom_objects"):
        return type(layer).from_config(config)
    cell = getattr(layer, "cell", None)
    cells = [cell, *getattr(cell, "cells", [])] if cell is not None else []
    return type(layer).from_config(config, custom_objects={type(c).__name__: type(c) for c in cells})
