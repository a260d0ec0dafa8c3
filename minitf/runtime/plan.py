"""From a graph to a step: prune to what is fetched, specialise to the fed shapes, fold, merge, simplify.

`simplify` returns straight-line `Node`s over `Value`s. Their order is settled in schedule.py, their memory in
memory.py, and emit.py turns them into one Python function.
"""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitf.framework import dtypes, errors
from minitf.framework.dtypes import SHORT_NAMES, DType, as_dtype
from minitf.framework.shapes import SCALAR, TensorShape
from minitf.graph.operation import Operation, Tensor
from minitf.ops.registry import Handle, OpDefinition, Ref, Slot

# Results up to this size are worked out while planning.
_LARGEST_FOLDED = 1 << 22
_INTERNED_BYTES = 64


class Value:
    """A tensor of the plan: its dtype, what is known of its shape, its constant value if it has one.

    `root` is the value whose memory this one may share (itself, unless an op made it as a view), `slot` the
    variable storage it may show, and `element` what is known of the items if it is a loop's stack of them.
    """

    __slots__ = ("dtype", "shape", "constant", "producer", "root", "slot", "fed", "element")

    def __init__(self, dtype: DType, shape: TensorShape, constant: Any = None, producer: Any = None):
        self.dtype = dtype
        self.shape = shape
        self.constant = constant
        self.producer = producer
        self.root: Value = self
        self.slot: Any = None
        self.fed = False
        self.element: Value | None = None


@dataclass(eq=False)
class Node:
    """One call of the step: an op applied to values."""

    op: Operation
    definition: OpDefinition
    inputs: list[Value]
    attrs: dict[str, Any]
    session: Any
    outputs: list[Value] = field(default_factory=list)
    after: list["Node"] = field(default_factory=list)  # control dependencies
    position: int = 0
    # What fusion.py let this node's kernel do last: add a bias, apply a function.
    bias: Value | None = None
    activation: str | None = None
    # Of a control-flow op: what becomes of its function graphs (see ops/control_steps.py).
    steps: Any = None

    def grouped(self, values: list[Any]) -> list[Any]:
        """One item per input of the op, regrouped as it declares them."""
        return self.op.grouped(values)

    @property
    def reads(self) -> list[Value]:
        """The inputs that are read, not only changed in place."""
        return [value for value, kind in zip(self.inputs, self._kinds, strict=True) if kind is None]

    def needs(self, used: set[int]) -> list[Value]:
        """The inputs that are read when only the outputs at the positions `used` are wanted."""
        if self.steps is None:
            return self.reads
        return [self.inputs[position] for position in self.steps.needed(used)]

    def value(self, dtype: DType, shape: TensorShape) -> Value:
        """A new value, for an output."""
        return Value(dtype.base_dtype, shape)

    @property
    def must_run(self) -> bool:
        """Whether it runs even if nothing uses its outputs."""
        if self.steps is not None:
            return self.steps.effects
        return self.definition.stateful and not self.definition.is_variable

    @property
    def _kinds(self) -> list[type | None]:
        kinds = self.op.per_input([declared.kind for declared in self.definition.inputs])
        return kinds + [None] * (len(self.inputs) - len(kinds))

    @property
    def writes(self) -> list[Any]:
        """The variable storages that this node changes."""
        changing = [value.slot for value, kind in zip(self.inputs, self._kinds) if kind in (Ref, Slot)]
        return changing + [slot for slot in self.touched if slot not in changing]

    @functools.cached_property
    def touched(self) -> list[Any]:
        """Storages that a control-flow op's branches may change."""
        variables = self.definition.variables_written
        return [self.session.storage(op) for op in variables(self.op)] if variables else []


class Simplifier:
    """Translates the ops that some fetches need into Nodes, in an order that respects every edge."""

    def __init__(self, session: Any, feeds: dict[Tensor, Value]) -> None:
        self.session = session
        self.values: dict[Tensor, Value] = dict(feeds)
        self.nodes: list[Node] = []
        self._anchors: dict[Operation, list[Node]] = {}
        self._merged: dict[Any, Node] = {}
        self._constants: dict[Any, Value] = {}

    def run(self, fetches: Iterable[Tensor | Operation]) -> list[Node]:
        """The nodes needed for `fetches`; `values` then maps every tensor on the way."""
        fetches = list(fetches)
        self.translate(fetches)
        needed = alive(self.nodes, [self.values[t] for t in fetches if isinstance(t, Tensor)])
        for node, (used, values) in needed.items():
            if node.steps is not None:
                node.steps.settle(used)
                node.inputs = [
                    v if v in values or kind is Handle else _unneeded(v)
                    for v, kind in zip(node.inputs, node._kinds, strict=True)
                ]
        kept = [node for node in self.nodes if node in needed]
        for node in kept:
            node.after = [other for other in node.after if other in needed]
        return kept

    def translate(self, fetches: Iterable[Tensor | Operation]) -> None:
        """Makes the nodes for `fetches`, without dropping any."""
        for op in _needed(fetches, self.values):
            self._translate(op)

    def _translate(self, op: Operation) -> None:
        if op.outputs and all(t in self.values for t in op.outputs):
            return  # all of it is fed
        after = [node for control in op.control_inputs for node in self._anchors.get(control, ())]
        definition = op.definition
        if definition.name == "Placeholder":
            raise _unfed(op)
        if definition.name == "Const":
            self._set(op, [self._constant(op.attrs["value"])], after)
            return
        if definition.name == "NoOp":
            self._anchors[op] = after
            return
        inputs = self._inputs(op)
        node = Node(op, definition, inputs, op.attrs, self.session, after=after)
        if definition.is_variable:
            self._read(node)
            return
        reads_anew = bool(after) and inputs and inputs[0].slot is not None
        if definition.passes_through and reads_anew and inputs[0].dtype._is_ref:
            self._read_again(op, inputs[0], after)
            return
        if definition.passes_through and not reads_anew and definition.passes_through(node):
            passed = inputs[: len(op.outputs)]
            self._set(op, passed, after + [v.producer for v in passed if v.producer])
            return
        node.outputs = self._infer(node)
        if self._fold(node):
            return
        merged = None if after else self._same_node(node)
        if merged is not None:
            self._set(op, merged.outputs, [merged])
            return
        self._link(node)
        self._add(node)

    def _inputs(self, op: Operation) -> list[Value]:
        """The op's input values; one of which only the known shape matters becomes a weightless constant."""
        inputs = [self.values[t] for t in op.inputs]
        if not op.definition.shape_only:
            return inputs
        flat = op.per_input([d.name in op.definition.shape_only for d in op.definition.inputs])
        return [
            self._stand_in(value) if flag and value.shape.is_fully_defined() else value
            for flag, value in zip(flat, inputs, strict=True)
        ]

    def _stand_in(self, value: Value) -> Value:
        key = (value.dtype, value.shape)
        if key not in self._constants:
            zero = np.zeros((), value.dtype.base_dtype.numpy_dtype)
            array = np.broadcast_to(zero, value.shape.sizes)
            self._constants[key] = Value(value.dtype.base_dtype, value.shape, array)
        return self._constants[key]

    def _set(self, op: Operation, values: list[Value], anchors: list[Node]) -> None:
        for tensor, value in zip(op.outputs, values, strict=True):
            self.values.setdefault(tensor, value)
        self._anchors[op] = anchors

    def _add(self, node: Node) -> None:
        for value in node.outputs:
            value.producer = node
        self.nodes.append(node)
        self._set(node.op, node.outputs, [node])

    def _read(self, node: Node) -> None:
        (tensor,) = node.op.outputs
        value = Value(tensor.dtype, tensor.shape)
        value.slot = self.session.storage(node.op)
        node.outputs = [value]
        self._add(node)

    def _read_again(self, op: Operation, reference: Value, after: list[Node]) -> None:
        """An op that passes a variable on reads it when its control dependencies have run."""
        variable = op
        while not variable.definition.is_variable:
            variable = variable.inputs[0].op
        if reference.producer is not None and not reference.producer.definition.is_variable:
            after = [*after, reference.producer]  # what has just been assigned
        value = Value(reference.dtype.base_dtype, reference.shape)
        value.slot = reference.slot
        value.producer = Node(variable, variable.definition, [], {}, self.session, [value], after)
        self.nodes.append(value.producer)
        self._set(op, [value], [value.producer])

    def _infer(self, node: Node) -> list[Value]:
        if node.definition.steps is not None:
            node.steps = node.definition.steps(node)
            return node.steps.outputs
        try:
            specs = node.definition.infer(node.grouped(node.inputs), node.attrs)
        except ValueError as error:
            raise errors.InvalidArgumentError(node.op.node_def, node.op, _misfit(node, error)) from None
        values = []
        for spec, tensor in zip(specs, node.op.outputs, strict=True):
            shape = spec.shape
            if not shape.is_fully_defined() and shape.is_compatible_with(tensor.shape):
                shape = shape.merge_with(tensor.shape)
            values.append(Value(spec.dtype, shape))
        if node.definition.refine is not None:
            node.definition.refine(node, values)
        return values

    def _link(self, node: Node) -> None:
        """Notes which outputs may share memory with inputs, and which show a variable."""
        if node.definition.alias and node.outputs:
            source = node.inputs[0]
            for value in node.outputs:
                value.root, value.slot = source.root, source.slot
        for position in node.definition.mutates:
            for value in node.outputs:
                if value.dtype._is_ref:
                    value.slot = node.inputs[position].slot

    def _fold(self, node: Node) -> bool:
        definition = node.definition
        if definition.name in ("Shape", "Size", "Rank"):
            result = _static_shape(node)
            if result is None:
                return False
        else:
            if definition.stateful or definition.kernel is None or node.after:
                return False
            if any(value.dtype == dtypes.variant for value in node.outputs):
                return False
            if any(value.constant is None for value in node.inputs):
                return False
            if not definition.alias and sum(_bytes(v) for v in node.outputs) > _LARGEST_FOLDED:
                return False
            values = node.grouped([value.constant for value in node.inputs])
            try:
                with np.errstate(all="ignore"):
                    result = definition.kernel(*values, **node.attrs)
            except (ValueError, IndexError, ArithmeticError) as error:
                raise errors.InvalidArgumentError(node.op.node_def, node.op, str(error)) from error
        results = result if isinstance(definition.outputs, list | tuple) else (result,)
        constants = [
            self._constant(np.asarray(r, dtype=v.dtype.base_dtype.numpy_dtype))
            for r, v in zip(results, node.outputs, strict=True)
        ]
        self._set(node.op, constants, node.after)
        return True

    def _constant(self, array: np.ndarray) -> Value:
        key = None
        if array.nbytes <= _INTERNED_BYTES and array.dtype != object:
            key = (array.dtype.str, array.shape, array.tobytes())
            if key in self._constants:
                return self._constants[key]
        value = Value(as_dtype(array.dtype), TensorShape(array.shape), array)
        if key is not None:
            self._constants[key] = value
        return value

    def _same_node(self, node: Node) -> Node | None:
        """An earlier node that does the same, or None; remembers this one."""
        if node.definition.stateful:
            return None
        try:
            key = (node.definition.name, *map(id, node.inputs), tuple(node.attrs.items()))
            earlier = self._merged.setdefault(key, node)
        except TypeError:  # an attribute that cannot be hashed
            return None
        return None if earlier is node else earlier


def alive(nodes: list[Node], wanted: Iterable[Value]) -> dict[Node, tuple[set[int], set[Value]]]:
    """The nodes that must run for `wanted`: which of their outputs are used, which inputs they then need."""
    needed, result = set(wanted), {}
    for node in reversed(nodes):
        used = {i for i, value in enumerate(node.outputs) if value in needed}
        if used or node.must_run:
            values = set(node.needs(used))
            result[node] = used, values
            needed |= values
    return result


def _unneeded(value: Value) -> Value:
    """Stands in for an input that the node turned out not to need."""
    dtype = value.dtype.base_dtype
    return Value(dtype, SCALAR, np.zeros((), dtype.numpy_dtype))


def _needed(fetches: Iterable[Any], fed: dict[Tensor, Any]) -> list[Operation]:
    """The ops that must run, each after those it needs."""
    order: list[Operation] = []
    state: dict[Operation, bool] = {}  # False: being visited, True: done
    pending = [t.op if isinstance(t, Tensor) else t for t in fetches if t not in fed]
    pending.reverse()
    while pending:
        op = pending[-1]
        if op not in state:
            state[op] = False
            before = [t.op for t in op.inputs if t not in fed] + op.control_inputs
            pending.extend(reversed([other for other in before if other not in state]))
        else:
            pending.pop()
            if not state[op]:
                state[op] = True
                order.append(op)
    return order


def _unfed(op: Operation) -> errors.InvalidArgumentError:
    (tensor,) = op.outputs
    shape = "" if tensor.shape.rank is None else f" and shape {tensor.shape.brackets()}"
    return errors.InvalidArgumentError(
        op.node_def,
        op,
        f"You must feed a value for placeholder tensor '{op.name}' with dtype "
        f"{SHORT_NAMES[tensor.dtype.base_dtype.name]}{shape}",
    )


def _misfit(node: Node, error: Exception) -> str:
    """How TensorFlow puts it when shapes turn out not to fit in a run: not as when the graph is built."""
    words = node.definition.bad_shapes
    return (words and words(*node.grouped(node.inputs), **node.attrs)) or str(error)


def _bytes(value: Value) -> float:
    count = value.shape.num_elements()
    return float("inf") if count is None else count * value.dtype.numpy_dtype.itemsize


def _static_shape(node: Node) -> np.ndarray | None:
    shape = node.inputs[0].shape
    if node.definition.name == "Rank":
        return None if shape.rank is None else np.array(shape.rank, np.int32)
    if not shape.is_fully_defined():
        return None
    dtype = node.attrs["out_type"].numpy_dtype
    return np.array(shape.sizes if node.definition.name == "Shape" else shape.num_elements(), dtype)
