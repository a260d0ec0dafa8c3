"""The record of symbolic layer calls: which layer made a tensor, from what."""

from typing import Any, NamedTuple

from minitf.framework import nest
from minitf.graph.operation import Tensor


class History(NamedTuple):
    """Where a tensor comes from: the layer, the number of its call, the number of the output."""

    layer: Any
    node_index: int
    tensor_index: int


class Node:
    """One symbolic call of a layer: what went in and what came out."""

    def __init__(self, layer: Any, args: tuple, kwargs: dict[str, Any], outputs: Any) -> None:
        self.layer = layer
        self.args = args
        # `training` and masks follow from each new call's own surroundings.
        self.kwargs = {k: v for k, v in kwargs.items() if k not in ("training", "mask")}
        self.outputs = outputs
        self.flat_inputs = [t for t in nest.flatten((args, self.kwargs)) if isinstance(t, Tensor)]
        layer._inbound_nodes.append(self)
        for tensor in self.flat_inputs:
            history = getattr(tensor, "_keras_history", None)
            if history is not None:
                history.layer._outbound_nodes.append(self)

    @property
    def outbound_layer(self) -> Any:
        """The layer that was called."""
        return self.layer

    @property
    def inbound_layers(self) -> Any:
        """The layers whose outputs went in."""
        layers = [h.layer for t in self.flat_inputs if (h := getattr(t, "_keras_history", None))]
        return layers[0] if len(layers) == 1 else layers

    @property
    def input_tensors(self) -> Any:
        """What the layer was called with: a tensor or a nested structure."""
        return self.args[0] if self.args and self.args[0] is not None else self.outputs

    @property
    def output_tensors(self) -> Any:
        """What the call returned."""
        return self.outputs

    @property
    def input_shapes(self) -> Any:
        """The shapes of `input_tensors`, as tuples."""
        return nest.map_structure(_tuple, self.input_tensors)

    @property
    def output_shapes(self) -> Any:
        """The shapes of `outputs`, as tuples."""
        return nest.map_structure(_tuple, self.outputs)


def _tuple(tensor: Any) -> Any:
    return None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
