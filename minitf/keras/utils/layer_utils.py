"""The table of `model.summary()`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import nest
from minitf.graph.operation import Tensor


def count_params(weights: Any) -> int:
    """The number of numbers in `weights`, each counted once."""
    unique = {id(w): w for w in weights}.values()
    return int(sum(np.prod(w.shape.as_list(), dtype=np.int64) for w in unique))


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Callable | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> None:
    """Prints a model's layers, as Keras 2.4 does.

    `positions` are the columns' ends, as shares of the line. Models that are no plain stack of layers get a
    fourth column, what each layer is connected to.
    """
    write = print if print_fn is None else print_fn
    stack = _is_stack(model)
    line_length = line_length or (65 if stack else 98)
    positions = list(positions or ([0.45, 0.85, 1.0] if stack else [0.33, 0.55, 0.67, 1.0]))
    headings = ["Layer (type)", "Output Shape", "Param #"] + ([] if stack else ["Connected to"])
    if positions[-1] <= 1:
        positions = [int(line_length * p) for p in positions]
    if show_trainable:
        positions = [*positions[:-1], positions[-1], positions[-1] + 11]
        line_length += 11
        headings.append("Trainable")
    write(f'Model: "{model.name}"')
    write("_" * line_length)
    write(_row(headings, positions))
    write("=" * line_length)
    relevant = {id(node) for node in getattr(model, "_nodes", ())}
    for i, layer in enumerate(model.layers):
        _write_layer(layer, stack, positions, write, relevant, show_trainable, expand_nested, "")
        write(("=" if i == len(model.layers) - 1 else "_") * line_length)
    trainable, fixed = count_params(model.trainable_weights), count_params(model.non_trainable_weights)
    write(f"Total params: {trainable + fixed:,}")
    write(f"Trainable params: {trainable:,}")
    write(f"Non-trainable params: {fixed:,}")
    write("_" * line_length)


def _row(fields: list[Any], positions: list[int]) -> str:
    line = ""
    for field, end in zip(fields, positions, strict=False):
        if line:
            line = line[:-1] + " "
        line += str(field)
        line = line[:end]
        line += " " * (end - len(line))
    return line


def _is_stack(model: Any) -> bool:
    """Whether the table needs no column of connections: a chain of layers, each called once."""
    from minitf.keras.engine.sequential import Sequential

    if isinstance(model, Sequential) or not getattr(model, "_is_graph_network", False):
        return True
    by_layer: dict[int, int] = {}
    for node in model._nodes:
        by_layer[id(node.layer)] = by_layer.get(id(node.layer), 0) + 1
        if len(node.flat_inputs) > 1:
            return False
    if any(count > 1 for count in by_layer.values()):
        return False
    used: dict[int, int] = {}
    for node in model._nodes:
        for tensor in node.flat_inputs:
            used[id(tensor)] = used.get(id(tensor), 0) + 1
    return all(count == 1 for count in used.values()) and len(model.inputs) == 1


def _write_layer(layer, stack, positions, write, relevant, show_trainable, expand, indent) -> None:
    try:
        shape = layer.output_shape
    except AttributeError:
        shape = "multiple"
    params = layer.count_params() if layer.built or not layer.weights else "0 (unused)"
    fields = [f"{indent}{layer.name} ({_class_name(layer)})", shape, params]
    connections = [] if stack else _connections(layer, relevant)
    if not stack:
        fields.append(connections[0] if connections else "")
    if show_trainable:
        fields.append("Y" if layer.trainable else "N")
    write(_row(fields, positions))
    for other in connections[1:]:
        write(_row(["", "", "", other], positions))
    if expand and hasattr(layer, "layers"):
        for inner in layer.layers:
            _write_layer(inner, stack, positions, write, relevant, show_trainable, expand, indent + "|  ")


def _class_name(layer: Any) -> str:
    from minitf.keras.saving.model_config import class_name

    return class_name(layer) if hasattr(layer, "_is_graph_network") else type(layer).__name__


def _connections(layer: Any, relevant: set[int]) -> list[str]:
    found = []
    for node in layer._inbound_nodes:
        if relevant and id(node) not in relevant:
            continue
        for tensor in nest.flatten(node.flat_inputs):
            if isinstance(tensor, Tensor) and hasattr(tensor, "_keras_history"):
                source, node_index, tensor_index = tensor._keras_history
                found.append(f"{source.name}[{node_index}][{tensor_index}]")
    return found


def get_source_inputs(tensor: Any, layer: Any = None, node_index: int | None = None) -> Any:
    """The `Input` tensors that a tensor of a model is computed from, each once.

    `layer` and `node_index` name the call that made it, where that is not the one recorded with the tensor.
    A tensor that belongs to no model is returned as it is.
    """
    if not hasattr(tensor, "_keras_history"):
        return tensor
    if layer is None or node_index is None:
        layer, node_index, _ = tensor._keras_history
    sources: dict[int, Any] = {}
    seen = set()
    pending = [layer._inbound_nodes[node_index]]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if not node.flat_inputs:
            sources.update((id(source), source) for source in nest.flatten(node.outputs))
        for given in reversed(node.flat_inputs):
            history = given._keras_history
            pending.append(history.layer._inbound_nodes[history.node_index])
    return list(sources.values())
