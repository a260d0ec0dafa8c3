"""`keras.models`: Model and Sequential, and making them again from configs, files and other models."""

from collections.abc import Callable
from typing import Any

from minitf.framework import nest
from minitf.keras.engine.input_layer import Input, InputLayer
from minitf.keras.engine.network import reapply
from minitf.keras.engine.sequential import Sequential
from minitf.keras.engine.training import Model
from minitf.keras.saving.model_config import model_from_config, model_from_json
from minitf.keras.saving.save import load_model, save_model

__all__ = [
    "Model", "Sequential", "clone_model", "load_model", "model_from_config", "model_from_json", "save_model",
]  # fmt: skip


def clone_model(model: Any, input_tensors: Any = None, clone_function: Callable | None = None) -> Any:
    """A model with the same layers and new weights. `clone_function` makes each layer's copy.

    With `input_tensors` the copy begins with these. Raises ValueError for subclassed models.
    """
    copy = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))
    if isinstance(model, Sequential):
        layers = [copy(layer) for layer in model.layers]
        if input_tensors is not None:
            (tensor,) = nest.flatten(input_tensors)
            return Sequential([tensor._keras_history.layer, *layers], name=model.name)
        if model._is_graph_network:
            first = model.inputs[0]
            layers.insert(0, Input(batch_shape=first.shape.as_list(), dtype=first.dtype.base_dtype,
                                   name=model._stack[0].name)._keras_history.layer)  # fmt: skip
        return Sequential(layers, name=model.name)
    if not model._is_graph_network:
        raise ValueError(
            "Expected `model` argument to be a functional `Model` instance, but got a subclassed model: "
            f"{model}"
        )
    if input_tensors is None:
        inputs = [
            Input(batch_shape=t.shape.as_list(), dtype=t.dtype.base_dtype, name=name)
            for t, name in zip(model.inputs, model.input_names, strict=True)
        ]
    else:
        inputs = nest.flatten(input_tensors)
    known = {id(old): new for old, new in zip(model.inputs, inputs, strict=True)}
    copies: dict[int, Any] = {}
    for node in model._nodes:
        if isinstance(node.layer, InputLayer):
            continue
        layer = copies.setdefault(id(node.layer), None) or copy(node.layer)
        copies[id(node.layer)] = layer
        args, kwargs = nest.map_structure(
            lambda t: reapply(t, known) if hasattr(t, "op") else t, (node.args, node.kwargs)
        )
        results = nest.flatten(layer(*args, **kwargs))
        known.update((id(t), r) for t, r in zip(nest.flatten(node.outputs), results, strict=True))
    outputs = [reapply(t, known) for t in model.outputs]
    structure = model._nested_outputs
    return Model(
        inputs[0] if len(inputs) == 1 else inputs,
        nest.pack_sequence_as(structure, outputs) if nest.is_nested(structure) else outputs[0],
        name=model.name,
    )
