"""Graphs of functions: the branches of `tf.cond`, the bodies of loops, traced functions, and their gradients.

A function graph may use tensors of the graphs around it. Such a tensor is *captured*: inside stands a Capture
node, and the op that owns the function graph takes the outer tensor as one more input. Variables are not
captured but meant directly, whatever graph reads or assigns them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minitf.framework.dtypes import DType
from minitf.framework.shapes import as_shape
from minitf.graph import gradients
from minitf.graph.graph import Graph
from minitf.graph.operation import Operation, Tensor
from minitf.ops.registry import REGISTRY, Handle, OpDefinition


class FunctionGraph(Graph):
    """A graph inside another one (`outer`), with inputs and outputs.

    Names, collections, seeds and `get_variable`'s variables are those of the outermost graph.
    """

    building_function = True
    # Whether side effects happen in the order of the calls that make them, as in traced functions.
    ordered = False

    def __init__(self, outer: Graph) -> None:
        super().__init__()
        self.outer = outer
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        # Outer tensor → the tensor that stands for it here.
        self.captures: dict[Tensor, Tensor] = {}
        # References of the variables used here or in function graphs inside (an ordered set).
        self.variables: dict[Tensor, None] = {}
        # Outer ops that ops here must wait for.
        self.control_captures: list[Operation] = []
        self.ordered = self.ordered or outer.ordered
        # Ops that run whatever is fetched, if `ordered`.
        self.must_run: list[Operation] = []
        self._last_write: dict[Operation, Operation] = {}
        self._reads_since: dict[Operation, list[Operation]] = {}
        self._last_effect: list[Operation] = []
        self._scope = outer._scope
        self._collections = outer._collections
        self._device_stack = outer._device_stack

    @property
    def make_variable(self) -> Any:
        """As in the graph around this one."""
        return self.outer.make_variable

    # --- what is shared with the outer graph ----------------------------------------------------------

    @property
    def seed(self) -> int | None:
        """The outermost graph's seed."""
        return self.outer.seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        self.outer.seed = seed

    @property
    def variable_store(self) -> Any:
        """The outermost graph's `get_variable` variables."""
        return self.outer.variable_store

    @variable_store.setter
    def variable_store(self, store: Any) -> None:
        self.outer.variable_store = store

    def next_id(self) -> int:
        """A number for a new op, larger than that of every op of any graph around it."""
        self._next_id = self.outer.next_id()
        return self._next_id

    def next_op_seed(self) -> int:
        """The outermost graph's next op seed."""
        return self.outer.next_op_seed()

    def reference_to(self, variable: Any, storage: Any, dtype: DType, name: str) -> Tensor:
        """The tensor that stands for a variable that has its own storage, in the outermost graph."""
        return self.capture(self.outer.reference_to(variable, storage, dtype, name))

    # --- inputs and captures ----------------------------------------------------------------------------

    def add_input(self, dtype: DType, shape: Any = None, name: str = "input") -> Tensor:
        """A new argument of the function."""
        attrs = {"dtype": dtype.base_dtype, "shape": as_shape(shape)}
        tensor = self._free_standing(REGISTRY["Placeholder"], [], attrs, name)
        self.inputs.append(tensor)
        return tensor

    def capture(self, value: Any) -> Tensor:
        """What stands here for a tensor of a graph around this one.

        Raises ValueError for tensors of other graphs, and of functions that have been left.
        """
        if not isinstance(value, Tensor):
            value = self.outer.capture(value)
        if value.op.definition.is_variable:
            self.variables[value] = None
            if isinstance(self.outer, FunctionGraph):
                self.outer.capture(value)
            return value
        if value not in self.captures:
            outer = value if value.graph is self.outer else self.outer.capture(value)
            if outer not in self.captures:
                self.captures[outer] = self._free_standing(REGISTRY["Capture"], [outer], {}, value.op.name)
            self.captures[value] = self.captures[outer]
        return self.captures[value]

    @property
    def captured(self) -> list[Tensor]:
        """The outer graph's tensors that are captured, each once."""
        return [tensor.op.inputs[0] for tensor in self.captured_inputs]

    @property
    def captured_inputs(self) -> list[Tensor]:
        """What stands here for `captured`."""
        return list(dict.fromkeys(self.captures.values()))

    def _free_standing(self, definition: OpDefinition, inputs: list, attrs: dict, name: str) -> Tensor:
        """A node that no scope or control dependency applies to."""
        with self.control_dependencies(None), self._plain_names():
            return self.apply(definition, inputs, attrs, self._unique_absolute(name))

    def _own(self, tensor: Tensor) -> Tensor:
        if tensor.graph is self:
            return tensor
        if (
            not tensor.op.definition.is_variable
        ):  # assigned outside: the same variable, once that has happened
            self._await(tensor.op)
            return self._own(tensor.op.inputs[0])
        return self.capture(tensor)

    def _await(self, op: Operation) -> None:
        if op not in self.control_captures:
            self.control_captures.append(op)
        if op.graph is not self.outer:
            self.outer._await(op)

    @contextmanager
    def control_dependencies(self, control_inputs: Any) -> Iterator[None]:
        """As `Graph.control_dependencies`; for ops of graphs around this one, the whole function waits."""
        inner = None
        if control_inputs is not None:
            inner = []
            for item in control_inputs:
                item = getattr(item, "_as_graph_element", lambda item=item: item)()
                op = item.op if isinstance(item, Tensor) else item
                if isinstance(op, Operation) and op.graph is not self and op.graph in self._around():
                    self._await(op)
                else:
                    inner.append(item)
        with super().control_dependencies(inner):
            yield

    def _around(self) -> list[Graph]:
        graphs, graph = [], self
        while isinstance(graph, FunctionGraph):
            graph = graph.outer
            graphs.append(graph)
        return graphs

    @contextmanager
    def lifted(self) -> Iterator[Graph]:
        """Makes the outermost graph the default one, in the same name scope: variables are made there."""
        outermost = self._around()[-1]
        with outermost.as_default(), outermost.control_dependencies(None):
            with outermost.name_scope(self._scope or None):
                yield outermost

    # --- the order of side effects ----------------------------------------------------------------------

    def apply(self, definition: OpDefinition, inputs: list[Any], attrs: dict[str, Any], name: str) -> Any:
        """As `Graph.apply`; the op waits for the side effects before it, if this graph is `ordered`."""
        result = super().apply(definition, inputs, attrs, name)
        if self.ordered:
            self._order(self._operations[name])
        return result

    def _order(self, op: Operation) -> None:
        written = _variables_changed(op)
        for variable in {_variable(t) for t in op.inputs if t.dtype._is_ref} - set(written):
            self._wait(op, variable)
            self._reads_since.setdefault(variable, []).append(op)
        for variable in written:
            self._wait(op, variable)
            for reading in self._reads_since.pop(variable, ()):
                op._add_control_input(reading)
            self._last_write[variable] = op
        if _has_effects(op):
            for earlier in self._last_effect:
                op._add_control_input(earlier)
            self._last_effect = [op]
        if written or _has_effects(op):
            self.must_run.append(op)

    def _wait(self, op: Operation, variable: Operation) -> None:
        if variable in self._last_write:
            op._add_control_input(self._last_write[variable])

    # --- what the op that owns this graph must know -------------------------------------------------------

    def variables_written(self) -> list[Operation]:
        """The variables that ops in here change."""
        return list(dict.fromkeys(v for op in self._operations.values() for v in _variables_changed(op)))

    def ancestors(self, tensors: list[Tensor]) -> set[Tensor]:
        """`tensors` and all tensors of this graph, or variables, that they depend on."""
        found, pending = set(), list(tensors)
        while pending:
            tensor = pending.pop()
            if tensor not in found:
                found.add(tensor)
                if tensor.graph is self and tensor.op.type != "Capture":
                    pending.extend(tensor.op.inputs)
        return found


class GradientGraph(FunctionGraph):
    """A function graph that holds the derivative of another one, `forward`.

    It may use the tensors inside `forward`: constants and captured tensors are had anew; for every other,
    `resolve(self, tensor)` is asked, which makes the forward op hand it out.
    """

    def __init__(
        self,
        outer: Graph,
        forward: FunctionGraph,
        resolve: Callable[["GradientGraph", Tensor], Tensor],
    ) -> None:
        super().__init__(outer)
        self.forward = forward
        self._resolve = resolve
        self._resolved: dict[Tensor, Tensor] = {}

    def capture(self, value: Any) -> Tensor:
        """As `FunctionGraph.capture`, for tensors of `forward` too."""
        if not isinstance(value, Tensor) or value.graph is not self.forward:
            return super().capture(value)
        if value not in self._resolved:
            self._resolved[value] = self._from_forward(value)
        return self._resolved[value]

    def _from_forward(self, value: Tensor) -> Tensor:
        op = value.op
        if op.type == "Capture":
            return super().capture(op.inputs[0])
        if op.type == "Const":
            return self._free_standing(op.definition, [], op.attrs, op.name)
        if _is_view(op):  # made anew from what it shows
            inputs = op.grouped([self.capture(tensor) for tensor in op.inputs])
            return self._free_standing(op.definition, inputs, op.attrs, op.name)
        return self._resolve(self, value)

    def backpropagate(self, ys: list[Tensor], grad_ys: list[Tensor], sources: list[Tensor]) -> list[Any]:
        """Gradients of `ys` with respect to `sources`, tensors of `forward` all; None where there is none."""
        with self.as_default():
            found = gradients.backpropagate(self, ys, grad_ys, sources, within=self.forward)
            return [None if grad is None else self.convert(grad, None) for grad in found]


def _variables_changed(op: Operation) -> list[Operation]:
    """The variables that an op changes, or that function graphs inside it do."""
    definition = op.definition
    inside = definition.variables_written(op) if definition.variables_written is not None else []
    return [*inside, *[_variable(op.inputs[position]) for position in definition.mutates]]


def _has_effects(op: Operation) -> bool:
    """Whether an op does something besides computing its outputs and changing variables."""
    definition = op.definition
    if definition.steps is not None:
        return any(isinstance(graph, FunctionGraph) and graph.must_run for graph in op.attrs.values())
    silent = definition.is_variable or definition.state is not None or definition.mutates
    looks = any(arg.kind is Handle for arg in definition.inputs)
    return definition.stateful and not (silent or looks or definition.name in _SILENT)


_SILENT = ("NoOp", "Placeholder", "EmptyVariant")


def _is_view(op: Operation) -> bool:
    """Whether the op's result is memory of a tensor that does not change."""
    changes = op.definition.stateful or any(tensor.dtype._is_ref for tensor in op.inputs)
    return op.definition.alias and len(op.outputs) == 1 and not op.control_inputs and not changes


def _variable(reference: Tensor) -> Operation:
    """The op of the variable that a reference (perhaps the result of an assignment) refers to."""
    while not reference.op.definition.is_variable:
        reference = reference.op.inputs[0]
    return reference.op
