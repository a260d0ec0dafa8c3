"""The config of a functional model: its layers, and which call takes which outputs."""

import copy
from typing import Any

from minitf.framework import nest
from minitf.graph.operation import Tensor
from minitf.keras.engine.node import Node
from minitf.keras.layers.serialization import deserialize
from minitf.keras.utils.generic_utils import serialize_keras_object


def network_config(model: Any) -> dict[str, Any]:
    """A functional model's config, in Keras 2's layout.

    Raises ValueError for models with ops between layers that are no layers: these have no config.
    """
    numbers = _node_numbers(model)
    layers = []
    for layer in model.layers:
        calls = [_call_config(node, numbers) for node in layer._inbound_nodes if id(node) in numbers]
        described = copy.deepcopy(serialize_keras_object(layer))
        described["name"] = layer.name
        described["inbound_nodes"] = [call for call in calls if call]
        layers.append(described)
    return {
        "name": model.name,
        "layers": layers,
        "input_layers": [_place(t, numbers) for t in model.inputs],
        "output_layers": [_place(t, numbers) for t in model.outputs],
    }


def _node_numbers(model: Any) -> dict[int, int]:
    """The number of each of the model's calls among the calls of its layer that belong to the model.

    Models within the model begin with 1: Keras counts their own making as a call.
    """
    relevant = {id(node) for node in model._nodes}
    numbers = {}
    for layer in model.layers:
        own = [node for node in layer._inbound_nodes if id(node) in relevant]
        first = int(_is_network(layer))
        numbers.update({id(node): first + i for i, node in enumerate(own)})
    return numbers


def _is_network(layer: Any) -> bool:
    return getattr(layer, "_is_graph_network", False)


def _place(tensor: Tensor, numbers: dict[int, int]) -> list[Any]:
    history = getattr(tensor, "_keras_history", None)
    if history is None:
        raise ValueError(f"{tensor} is not the output of a layer; wrap the op in a Lambda layer to save it.")
    node = history.layer._inbound_nodes[history.node_index]
    return [history.layer.name, numbers[id(node)], history.tensor_index]


def _call_config(node: Node, numbers: dict[int, int]) -> list[Any]:
    if not node.args:
        return []
    keywords = {
        name: _place(value, numbers) if isinstance(value, Tensor) else value
        for name, value in node.kwargs.items()
    }
    tensors = [t for t in nest.flatten(node.args) if isinstance(t, Tensor)]
    return [[*_place(t, numbers), keywords if i == 0 else {}] for i, t in enumerate(tensors)]


def network_from_config(cls: type, config: dict[str, Any], custom_objects: dict | None = None) -> Any:
    """The functional model that a config (of Keras 2 or 3) describes."""
    made: dict[str, Any] = {}
    outputs: dict[tuple[str, int], list[Any]] = {}  # (layer, call) → its output tensors
    waiting: list[tuple[Any, int, Any]] = []
    nodes = [_normalized_calls(described.get("inbound_nodes", [])) for described in config["layers"]]
    mentioned = {place[:2] for place in _places([list(call) for calls in nodes for call in calls])}
    mentioned.update(tuple(place[:2]) for place in _listed(config["output_layers"]))
    for described, calls in zip(config["layers"], nodes, strict=True):
        layer = made[described.get("name") or described["config"]["name"]] = deserialize(
            described, custom_objects
        )
        if not calls:
            for number, node in enumerate(layer._inbound_nodes):
                outputs[layer.name, number] = nest.flatten(node.outputs)
        first = int(_is_network(layer) and (layer.name, 0) not in mentioned)
        waiting.extend((layer, number, call) for number, call in enumerate(calls, first))
    while waiting:
        left = []
        for layer, number, (args, keywords) in waiting:
            if all(place[:2] in outputs for place in _places((args, keywords))):
                args, keywords = (_resolve(part, outputs) for part in (args, keywords))
                outputs[layer.name, number] = nest.flatten(layer(*args, **keywords))
            else:
                left.append((layer, number, (args, keywords)))
        if len(left) == len(waiting):
            raise ValueError(f"Layers {[layer.name for layer, *_ in left]} are not connected to the inputs")
        waiting = left

    def tensors(places: Any) -> list[Any]:
        return [outputs[name, node][index] for name, node, index in _listed(places)]

    ins, outs = tensors(config["input_layers"]), tensors(config["output_layers"])
    single = isinstance(config["output_layers"][0], str) or len(outs) == 1
    return cls(
        inputs=ins[0] if len(ins) == 1 else ins,
        outputs=outs[0] if single else outs,
        name=config.get("name"),
    )


def _listed(places: Any) -> list[Any]:
    """Places as a list, also where a single one stands for itself."""
    return [places] if places and isinstance(places[0], str) else places


class _Place(tuple):
    """(layer, call, output) of a tensor in a config."""


def _normalized_calls(nodes: list[Any]) -> list[tuple[list[Any], dict[str, Any]]]:
    """Each call as (args, kwargs) with `_Place`s for tensors."""
    calls = []
    for node in nodes:
        if isinstance(node, dict):  # Keras 3
            calls.append((_keras3(node["args"]), _keras3(node.get("kwargs", {}))))
            continue
        entries = [node] if node and isinstance(node[0], str) else node
        places = [_Place(entry[:3]) for entry in entries]
        keywords = dict(entries[0][3]) if entries and len(entries[0]) > 3 else {}
        keywords = {
            name: _Place(value) if _looks_like_place(value) else value for name, value in keywords.items()
        }
        calls.append(([places[0] if len(places) == 1 else places], keywords))
    return calls


def _looks_like_place(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)


def _keras3(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return _Place(value["config"]["keras_history"])
        return {key: _keras3(item) for key, item in value.items() if key != "mask" and key != "training"}
    if isinstance(value, list):
        return [_keras3(item) for item in value]
    return value


def _places(value: Any) -> list[_Place]:
    if isinstance(value, _Place):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [place for item in value for place in _places(item)]
    return []


def _resolve(value: Any, outputs: dict) -> Any:
    if isinstance(value, _Place):
        name, node, index = value
        return outputs[name, node][index]
    if isinstance(value, dict):
        return {key: _resolve(item, outputs) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_resolve(item, outputs) for item in value]
    return value
