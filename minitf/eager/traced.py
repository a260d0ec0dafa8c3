"""The graph of a traced function: takes eager tensors from outside, and keeps the order of side effects."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minitf.eager.interpreter import EAGER, EagerInterpreter
from minitf.eager.tensor import EagerTensor
from minitf.graph.function_graph import FunctionGraph
from minitf.graph.graph import Graph
from minitf.graph.operation import Tensor
from minitf.ops import registry


class TracedGraph(FunctionGraph):
    """A function graph in eager mode. `captured_tensors` maps what is inside to the eager tensors it is."""

    ordered = True

    def __init__(self) -> None:
        super().__init__(Graph())
        self.captured_tensors: dict[Tensor, EagerTensor] = {}
        self._by_tensor: dict[int, Tensor] = {}
        self._own_seeds = 0

    @property
    def seed(self) -> int | None:
        """Eager mode's seed."""
        return EAGER.seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        EAGER.seed = seed

    @property
    def make_variable(self) -> Any:
        """As in eager mode."""
        return EAGER.make_variable

    def next_op_seed(self) -> int:
        """The seed of the next random op of this function that has none of its own: 0, 1, 2, …"""
        self._own_seeds += 1
        return self._own_seeds - 1

    def capture(self, value: Any) -> Tensor:
        """As `FunctionGraph.capture`; an eager tensor becomes one more input, or a constant."""
        if not isinstance(value, EagerTensor):
            return super().capture(value)
        if id(value) not in self._by_tensor:
            if value.dtype.is_floating or value.dtype.is_complex or not value.dtype.is_numpy_compatible:
                inside = self.add_input(value.dtype, value.shape, "captured")
                self.inputs.pop()
            else:
                with self._plain_names():
                    inside = self.constant(value._array, "captured")
            self._by_tensor[id(value)] = inside
            self.captured_tensors[inside] = value
        return self._by_tensor[id(value)]

    @property
    def placeholders(self) -> dict[Tensor, EagerTensor]:
        """The inputs that stand for eager tensors, with these."""
        return {t: value for t, value in self.captured_tensors.items() if t.op.type == "Placeholder"}

    @contextmanager
    def lifted(self) -> Iterator[EagerInterpreter]:
        """Leaves the function: what runs inside runs at once."""
        stack = registry.interpreter_stack()
        stack.append(EAGER)
        try:
            yield EAGER
        finally:
            stack.pop()
