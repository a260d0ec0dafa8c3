"""`Sequential`: a stack of layers."""

import copy
from typing import Any

from minitf.framework import nest
from minitf.keras.engine import state
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_layer import Input, InputLayer
from minitf.keras.engine.training import _BUILDERS, Model


class Sequential(Model):
    """Layers, each taking the one before.

    If the first layer says its input shape, the model is built at once; else at its first call or `build`.
    """

    def __init__(self, layers: Any = None, name: str | None = None) -> None:
        super().__init__(name=name or state.unique_object_name("sequential"))
        self._stack: list[Layer] = []
        self._is_graph_network = False
        if layers is not None:
            for layer in layers if isinstance(layers, list | tuple) else [layers]:
                self.add(layer)

    def add(self, layer: Any) -> None:
        """Puts a layer on top.

        Raises TypeError for what is no layer, ValueError for several outputs or a name that is taken.
        """
        history = getattr(layer, "_keras_history", None)
        if history is not None:
            layer = history.layer
        if not isinstance(layer, Layer):
            raise TypeError(
                f"The added layer must be an instance of class Layer. Received: layer={layer} of type "
                f"{type(layer)}."
            )
        if any(known.name == layer.name for known in self._stack):
            raise ValueError(
                f'All layers added to a Sequential model should have unique names. Name "{layer.name}" is '
                "already the name of a layer in this model. Update the `name` argument to pass a unique name."
            )
        if self.outputs:
            output = layer(self.outputs[0])
            if len(nest.flatten(output)) != 1:
                raise ValueError(
                    "All layers in a Sequential model should have a single output tensor. "
                    "For multi-output layers, use the functional API."
                )
            self._stack.append(layer)
            self._connect(self.inputs[0], output)
            return
        if not self._stack:
            if isinstance(layer, InputLayer):
                self._stack.append(layer)
                tensor = layer._inbound_nodes[-1].outputs
                self._connect(tensor, tensor)
                return
            shape = layer._batch_input_shape or _first_input_shape(layer)
            if shape is not None:
                tensor = Input(batch_shape=shape, dtype=layer.dtype, name=layer.name + "_input")
                output = layer(tensor)
                if len(nest.flatten(output)) != 1:
                    raise ValueError(
                        "All layers in a Sequential model should have a single output tensor. "
                        "For multi-output layers, use the functional API."
                    )
                self._stack = [tensor._keras_history.layer, layer]
                self._connect(tensor, output)
                return
        self._stack.append(layer)
        self.built = False

    def _connect(self, tensor: Any, output: Any) -> None:
        self._init_graph(tensor, output)
        self._forget_steps()

    def pop(self) -> None:
        """Takes the top layer off. Raises TypeError when there is none."""
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        layer = self._stack.pop()
        layer._inbound_nodes.clear()
        if not self._is_graph_network:
            return
        if (
            len(self._stack) == 1
            and isinstance(self._stack[0], InputLayer)
            and not isinstance(layer, InputLayer)
        ):
            self._stack, self._is_graph_network = [], False
            self.inputs = self.outputs = None
            self.built = False
            return
        self._connect(self.inputs[0], self._stack[-1]._inbound_nodes[-1].outputs)

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input layer."""
        stack = getattr(self, "_stack", [])
        return stack[1:] if stack and isinstance(stack[0], InputLayer) else stack[:]

    def _sublayers(self) -> list[Layer]:
        return self.layers

    def build(self, input_shape: Any = None) -> None:
        """Builds the layers for inputs of `input_shape` (batch included)."""
        if self._is_graph_network or input_shape is None:
            if input_shape is None and not self._is_graph_network:
                raise ValueError(
                    "Input shape must be defined when calling `build()` on a `Sequential` model."
                )
            return
        sizes = input_shape.as_list() if hasattr(input_shape, "as_list") else input_shape
        self._build_graph(tuple(sizes), None)

    def _build_graph(self, shape: tuple, dtype: Any) -> None:
        """Calls the layers one by one on an input of `shape`, which makes this a functional model."""
        if not self._stack:
            return
        tensor = Input(
            batch_shape=(None, *shape[1:]),
            dtype=dtype or self._stack[0].dtype,
            name=self._stack[0].name + "_input",
        )
        output = tensor
        for layer in self._stack:
            output = layer(output)
            if len(nest.flatten(output)) != 1:
                raise ValueError(
                    "All layers in a Sequential model should have a single output tensor. "
                    "For multi-output layers, use the functional API."
                )
        self._stack.insert(0, tensor._keras_history.layer)
        self._init_graph(tensor, output)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The layers' calls, one after the other."""
        if not self._is_graph_network and self._stack:
            shape = inputs.shape
            if shape.rank is not None:
                # Outside the graph of the running step, where models are drawn.
                with state.model_graph().as_default():
                    self._build_graph(tuple(shape.as_list()), inputs.dtype.base_dtype)
        if self._is_graph_network:
            return super().call(inputs, training, mask)
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The model's name and its layers' classes and configs."""
        from minitf.keras.utils.generic_utils import serialize_keras_object

        layers = self._stack if self._is_graph_network else self.layers
        config = {"name": self.name, "layers": [copy.deepcopy(serialize_keras_object(x)) for x in layers]}
        if not self._is_graph_network and getattr(self, "_build_input_shape", None) is not None:
            config["build_input_shape"] = self._build_input_shape
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict | None = None) -> "Sequential":
        """A model made from what `get_config` returned (a list of layer configs, in Keras 1's files)."""
        from minitf.keras.layers import deserialize

        if "name" in config:
            name, build_shape, layers = config["name"], config.get("build_input_shape"), config["layers"]
        else:
            name, build_shape, layers = None, None, config
        model = cls(name=name)
        for layer in layers:
            model.add(deserialize(layer, custom_objects=custom_objects))
        if build_shape is not None and not model._is_graph_network:
            model.build(tuple(build_shape))
        return model


_BUILDERS.add(Sequential.build)


def _first_input_shape(layer: Any) -> tuple | None:
    """The batch input shape that a model used as a first layer starts with."""
    inputs = getattr(layer, "inputs", None)
    if inputs:
        return tuple(inputs[0].shape.as_list())
    inner = getattr(layer, "layer", None)  # wrappers
    return _first_input_shape(inner) if inner is not None else None
