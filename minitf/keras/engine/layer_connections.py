"""What layers are connected to: the tensors and shapes of their symbolic calls."""

from typing import Any

from minitf.framework import nest
from minitf.keras.engine.node import Node


class LayerConnections:
    """Mixed into Layer."""

    _inbound_nodes: list[Node]
    _outbound_nodes: list[Node]

    def _of_nodes(self, what: str, attribute: str) -> Any:
        if not self._inbound_nodes:
            raise AttributeError(f"Layer {self.name} is not connected, no {what} to return.")
        values = [getattr(node, attribute) for node in self._inbound_nodes]
        if any(_differ(values[0], value) for value in values[1:]):
            raise AttributeError(
                f'Layer {self.name} has multiple inbound nodes, hence the notion of "layer {what}" is '
                f"ill-defined. Use `get_{what.replace(' ', '_')}_at(node_index)` instead."
            )
        return values[0]

    @property
    def input(self) -> Any:
        """The input tensor(s). Raises AttributeError before a symbolic call, or after several."""
        return self._of_nodes("input", "input_tensors")

    @property
    def output(self) -> Any:
        """The output tensor(s). Raises AttributeError before a symbolic call, or after several."""
        return self._of_nodes("output", "outputs")

    @property
    def input_shape(self) -> Any:
        """The input's shape as a tuple, a list of them for several inputs."""
        if not self._inbound_nodes and hasattr(self, "_build_input_shape"):
            return nest.map_structure(lambda s: tuple(s.as_list()), self._build_input_shape)
        return self._of_nodes("input shape", "input_shapes")

    @property
    def output_shape(self) -> Any:
        """The output's shape as a tuple, a list of them for several outputs."""
        return self._of_nodes("output shape", "output_shapes")

    def get_input_at(self, node_index: int) -> Any:
        """The input tensor(s) of the call number `node_index`."""
        return self._inbound_nodes[node_index].input_tensors

    def get_output_at(self, node_index: int) -> Any:
        """The output tensor(s) of the call number `node_index`."""
        return self._inbound_nodes[node_index].outputs

    def get_input_shape_at(self, node_index: int) -> Any:
        """The input shape(s) of the call number `node_index`."""
        return self._inbound_nodes[node_index].input_shapes

    def get_output_shape_at(self, node_index: int) -> Any:
        """The output shape(s) of the call number `node_index`."""
        return self._inbound_nodes[node_index].output_shapes


def is_size(value: Any) -> bool:
    """Whether `value` is one size of a shape."""
    return value is None or isinstance(value, int)


def _differ(a: Any, b: Any) -> bool:
    a, b = nest.flatten(a), nest.flatten(b)
    return len(a) != len(b) or any(
        x is not y and not (is_size(x) and x == y) for x, y in zip(a, b, strict=True)
    )
