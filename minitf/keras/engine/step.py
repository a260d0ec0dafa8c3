"""The graph that one step of training, evaluation or prediction is drawn in, and its running."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.graph.graph import Graph
from minitf.graph.operation import Operation, Tensor
from minitf.keras.engine import state
from minitf.keras.engine.network import reapply
from minitf.ops.registry import interpreter
from minitf.runtime.compile import Fed, compile_plan
from minitf.runtime.session import Session


class StepGraph(Graph):
    """A graph in which a model's layers are called once more, for one kind of step.

    Functions written for the model's own graph (loss functions that use a layer's output, say) may hold
    tensors of it. They become the tensors of this graph that correspond to them.

    Ops that change variables are noted in `side_effects`, and happen in the order in which the program named
    them: what reads or changes a variable waits for the last change before it.
    """

    is_step = True

    def __init__(self) -> None:
        super().__init__()
        self.share_seeds(interpreter())
        self.counterparts: dict[int, Any] = {}
        self._alive: list[Any] = []  # ids are keys above, so the tensors must not be freed
        self.side_effects: list[Operation] = []
        self._last_change: dict[Any, Operation] = {}
        self._initializers: dict[Operation, Operation] = {}
        self.model_graph = state.get_graph()
        self.session = Session(graph=self)

    def apply(self, definition: Any, inputs: list[Any], attrs: dict[str, Any], name: str) -> Any:
        """Adds a node, after the last change of each variable that it refers to."""
        result = super().apply(definition, inputs, attrs, name)
        node = self._operations[name]
        mutates = definition.mutates
        if mutates and self._initialises(node):
            return result
        for i, tensor in enumerate(node.inputs):
            if not tensor.dtype._is_ref:
                continue
            variable = tensor.op
            if variable in self._last_change:
                node._add_control_input(self._last_change[variable])
            if i in mutates:
                self._last_change[variable] = node
        if mutates or not node.outputs and definition.stateful and definition.name != "NoOp":
            self.side_effects.append(node)
        return result

    def _initialises(self, node: Operation) -> bool:
        """Whether `node` is the first assignment to a variable of this graph alone."""
        variable = node.inputs[0].op
        if variable.attrs.get("storage") is not None or variable in self._initializers:
            return False
        self._initializers[variable] = node
        return True

    def initialize(self) -> None:
        """Initialises the variables of this graph alone: slots of `tf.train`'s optimizers."""
        self.session.run(list(self._initializers.values()))

    def runner(self, feeds: list[Tensor], fetches: list[Tensor]) -> Callable[[list[np.ndarray]], tuple]:
        """A function that takes the feeds' values, does all side effects and returns the fetches' values."""
        wanted, count = [*fetches, *self.side_effects], len(fetches)
        plans: dict[tuple, Any] = {}

        def run(arrays):
            shapes = tuple([a.shape for a in arrays])
            plan = plans.get(shapes)
            if plan is None:
                fed = [Fed(t, t.dtype, TensorShape(s)) for t, s in zip(feeds, shapes, strict=True)]
                plan = plans[shapes] = compile_plan(self.session, wanted, fed)
            return plan(*arrays)[:count]

        return run

    def capture(self, value: Any) -> Tensor:
        """The counterpart here of a tensor of the model's graph."""
        if hasattr(value, "numpy"):  # an eager tensor is a constant here
            return self.constant(value.numpy())
        if not isinstance(value, Tensor):
            return super().capture(value)
        self._alive.append(value)
        with self._plain_names():
            return reapply(value, self.counterparts)

    def watch(self, tensors: list[Tensor]) -> None:
        """Keeps tensors whose ids `counterparts` has alive."""
        self._alive.extend(tensors)
