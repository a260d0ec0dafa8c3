"""Nodes and edges of a graph: `Operation` and the `Tensor`s that it makes."""

import os
import sys
import textwrap
from typing import Any, NamedTuple

from minitf.framework.dtypes import ENUM_NAMES, DType
from minitf.framework.shapes import TensorShape, as_shape
from minitf.graph import default_session
from minitf.ops import shape_rules
from minitf.ops.operators import TensorOperators
from minitf.ops.registry import OpDefinition, Symbol

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


class NodeDef(NamedTuple):
    """The plain description of an Operation (TensorFlow's NodeDef, without protobuf)."""

    name: str
    op: str
    input: list[str]
    device: str
    attr: dict[str, Any]

    def __str__(self) -> str:
        lines = [f'name: "{self.name}"', f'op: "{self.op}"']
        lines += [f'input: "{name}"' for name in self.input]
        lines += [f'device: "{self.device}"'] if self.device else []
        lines += [f'attr {{\n  key: "{k}"\n  value {{ {v} }}\n}}' for k, v in self.attr.items()]
        return "\n".join(lines) + "\n"


class GraphDef(NamedTuple):
    """The plain description of a Graph (TensorFlow's GraphDef, without protobuf)."""

    node: list[NodeDef]

    def __str__(self) -> str:
        blocks = (textwrap.indent(str(node), "  ") for node in self.node)
        return "".join(f"node {{\n{block}}}\n" for block in blocks)


class Operation:
    """A node: one op applied to tensors. Made by calling ops, not directly."""

    def __init__(
        self,
        graph: Any,
        definition: OpDefinition,
        name: str,
        inputs: list[Any],
        attrs: dict[str, Any],
        control_inputs: list["Operation"],
        device: str = "",
    ) -> None:
        self.graph = graph
        self.definition = definition
        self.name = name
        # Inputs lie flat; a list input's length stands in `lengths` (None for a single tensor).
        self.lengths = [len(x) if isinstance(x, list) else None for x in inputs]
        self.inputs = [t for x in inputs for t in (x if isinstance(x, list) else [x])]
        self.attrs = attrs
        self.control_inputs = list(dict.fromkeys(control_inputs))
        self.device = device
        self.gradient_override: str | None = None
        self.defined_at = _caller()
        self.id = graph.next_id()
        self.cache: dict[str, Any] = {}
        self.outputs: list[Tensor] = []

    @property
    def type(self) -> str:
        """The op's name, e.g. 'MatMul'."""
        return self.definition.name

    @property
    def node_def(self) -> NodeDef:
        """This node's description."""
        inputs = [t.name if t.value_index else t.op.name for t in self.inputs]
        inputs += ["^" + op.name for op in self.control_inputs]
        return NodeDef(self.name, self.type, inputs, self.device, dict(self.attrs))

    @property
    def op_def(self) -> OpDefinition:
        """The op's declaration."""
        return self.definition

    @property
    def traceback(self) -> list[str]:
        """Where the op was made: 'file:line' of the caller's own code."""
        return [self.defined_at]

    def grouped(self, values: list[Any]) -> list[Any]:
        """One value per flat input, regrouped as the op declares its inputs (list inputs as lists)."""
        if all(length is None for length in self.lengths):
            return list(values)
        values, result = iter(values), []
        for length in self.lengths:
            if length is None:
                result.append(next(values))
            else:
                result.append([next(values) for _ in range(length)])
        return result

    def per_input(self, items: list[Any]) -> list[Any]:
        """One item per declared input, repeated for each tensor of a list input."""
        return [
            item
            for item, length in zip(items, self.lengths, strict=True)
            for _ in range(1 if length is None else length)
        ]

    def get_attr(self, name: str) -> Any:
        """An attribute's value. Raises ValueError when the op has none of that name."""
        if name == "T" and self.inputs:
            return self.inputs[0].dtype.base_dtype
        if name not in self.attrs:
            raise ValueError(f"Operation {self.name!r} has no attr named {name!r}.")
        return self.attrs[name]

    def values(self) -> tuple["Tensor", ...]:
        """The outputs, as a tuple."""
        return tuple(self.outputs)

    def run(self, feed_dict: dict | None = None, session: Any = None) -> None:
        """Runs this op in `session` or the default one."""
        default_session.require(session, self.graph, "run operation", "run").run(self, feed_dict)

    def _add_control_input(self, op: "Operation") -> None:
        if op not in self.control_inputs:
            self.control_inputs.append(op)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"

    def __str__(self) -> str:
        return str(self.node_def)


class Tensor(TensorOperators, Symbol):
    """One output of an Operation. Has a value only while a Session runs (see `eval`)."""

    __slots__ = ("op", "value_index", "dtype", "_shape", "__weakref__", "__dict__")

    def __init__(self, op: Operation, value_index: int, dtype: DType, shape: TensorShape) -> None:
        self.op = op
        self.value_index = value_index
        self.dtype = dtype
        self._shape = shape

    @property
    def name(self) -> str:
        """`op_name:output_index`."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def graph(self) -> Any:
        """The Graph that this tensor belongs to."""
        return self.op.graph

    @property
    def device(self) -> str:
        """The device string its op was made under."""
        return self.op.device

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """What is known of the shape (the TF1 spelling)."""
        return self._shape

    def set_shape(self, shape: Any) -> None:
        """Adds to what is known of the shape. Raises ValueError when `shape` contradicts it."""
        self._shape = shape_rules.merge(self._shape, as_shape(shape))

    def consumers(self) -> list[Operation]:
        """The ops that take this tensor."""
        return [op for op in self.graph.get_operations() if any(t is self for t in op.inputs)]

    def eval(self, feed_dict: dict | None = None, session: Any = None) -> Any:
        """Runs the graph for this tensor's value, in `session` or the default one."""
        session = default_session.require(session, self.graph, "evaluate tensor", "eval")
        return session.run(self, feed_dict)

    def __eq__(self, other: Any) -> bool:
        return self is other

    def __ne__(self, other: Any) -> bool:
        return self is not other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        shape = "" if self.shape.rank is None else f" shape={self.shape},"
        return f'Tensor("{self.name}",{shape} dtype={self.dtype.name})'


def describe(definition: OpDefinition, name: str, inputs: list[Any]) -> str:
    """How messages name a node: `'MatMul' (op: 'MatMul') with input shapes: [2,3], [4,5].`"""
    flat = [t for x in inputs for t in (x if isinstance(x, list) else [x])]
    shapes = ", ".join(t.shape.brackets() for t in flat)
    return f"'{name}' (op: '{definition.name}') with input shapes: {shapes}."


def dtype_enum(dtype: DType) -> str:
    """TensorFlow's enum name, e.g. DT_FLOAT."""
    return ENUM_NAMES[dtype.base_dtype.name]


def _caller() -> str:
    """'file:line' of the innermost frame outside this package."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "<unknown>"
