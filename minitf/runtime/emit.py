"""A scheduled, allocated step as one straight-line Python function.

Every line calls one kernel with arrays that are bound by name: no dictionary, no shape check, no loop. The
source can be read at `Plan.source`, and the line on which an error comes up says which op it was.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitf.framework import dtypes, errors
from minitf.ops.registry import Handle, Ref, Slot
from minitf.runtime.plan import Node, Value

# Ufuncs of which NumPy deprecates passing `out` by position.
_OUT_BY_NAME = (np.maximum, np.minimum)


class Emitter:
    """Writes the function's source and collects the objects that it names."""

    def __init__(self, buffers: dict[Value, np.ndarray], copied: set[Value]) -> None:
        self.namespace: dict[str, Any] = {}
        self.lines: list[str] = []
        self.line_ops: list[Any] = []
        self._names: dict[Value, str] = {}
        self._arrays: dict[Value, np.ndarray] = dict(buffers)  # what is known before the step runs
        self._bound: dict[int, str] = {}
        self._keep: list[Any] = []
        self._copied = copied
        self._checked: set[int] = set()
        self._arguments: list[str] = []

    def argument(self, value: Value) -> None:
        """Makes `value` the function's next argument."""
        name = f"x{len(self._arguments)}"
        self._arguments.append(name)
        self._names[value] = name

    def own(self, slots: list[Any]) -> None:
        """Lets the step change these variables although tensors outside it may show them."""
        for slot in dict.fromkeys(slots):
            if slot.op is None:  # a session's own variables are shown by nothing else
                self._line(f"{self.bind(slot, 's')}.own()", None)

    def bind(self, thing: Any, prefix: str) -> str:
        """The name under which the function finds `thing`."""
        if id(thing) not in self._bound:
            self._bound[id(thing)] = name = f"{prefix}{len(self.namespace)}"
            self.namespace[name] = thing
        return self._bound[id(thing)]

    def name(self, value: Value) -> str:
        """The expression for a value."""
        if value in self._names:
            return self._names[value]
        known = self._array(value)
        if known is None:
            raise KeyError(value)
        return self.bind(known, "c" if value.constant is not None else "b")

    def _array(self, value: Value) -> np.ndarray | None:
        return value.constant if value.constant is not None else self._arrays.get(value)

    def node(self, node: Node) -> None:
        """Emits one node."""
        if node.definition.is_variable:
            return self._read(node)
        if node.definition.alias and not node.definition.stateful and self._view(node):
            return None
        arguments = [self._argument(node, i, v) for i, v in enumerate(node.grouped(node.inputs))]
        if node.definition.state is not None:
            arguments.insert(0, self.bind(node.session.state_of(node.op), "state"))
        if node.bias is not None:
            arguments.append(f"bias={self.name(node.bias)}")
        outputs = [self._arrays.get(value) for value in node.outputs]
        function = self.bind(_callable(node), "f")
        many = isinstance(node.definition.outputs, list | tuple)
        if outputs and all(array is not None for array in outputs):
            names = [self.bind(array, "b") for array in outputs]
            out = f"({', '.join(names)},)" if many else names[0]
            positional = node.definition.elementwise and node.definition.kernel not in _OUT_BY_NAME
            arguments.append(out if positional else f"out={out}")
            return self._line(f"{function}({', '.join(arguments)})", node)
        call = f"{function}({', '.join(arguments)})"
        if not outputs:
            return self._line(call, node)
        targets = [self._local(value) for value in node.outputs]
        self._line(f"{', '.join(targets)}{',' if many else ''} = {call}", node)
        return self._copy(node)

    def _local(self, value: Value) -> str:
        name = f"v{len(self._names)}"
        self._names[value] = name
        self._arrays.pop(value, None)
        return name

    def _view(self, node: Node) -> bool:
        """Takes a view of memory known now, once and for all, if what says which part of it is constant."""
        arrays = [self._array(value) for value in node.inputs]
        if any(array is None for array in arrays) or len(node.outputs) != 1:
            return False
        if any(value.constant is None for value in node.inputs[1:]):
            return False
        (value,) = node.outputs
        with _as_failure_of(node):
            result = np.asarray(_callable(node)(*node.grouped(arrays)))
        if not np.may_share_memory(result, arrays[0]) or value in self._copied:
            return False
        self._arrays[value] = result
        return True

    def _read(self, node: Node) -> None:
        (value,) = node.outputs
        slot = self.bind(value.slot, "s")
        self._line(f"{self._local(value)} = {slot}.value", node)
        self._check(value, self._names[value], node)
        self._copy(node)

    def _check(self, value: Value, expression: str, node: Node) -> None:
        if id(value.slot) not in self._checked:
            self._line(f"if {expression} is None: unset({self.bind(value.slot, 's')})", node)
            self.namespace["unset"] = _unset
            if not any(id(value.slot) == id(s) for s in node.writes):
                self._checked.add(id(value.slot))

    def _copy(self, node: Node) -> None:
        for value in node.outputs:
            if value in self._copied:
                self.namespace["copy"] = np.array
                self._line(f"{self._names[value]} = copy({self._names[value]})", node)

    def _argument(self, node: Node, position: int, value: Any) -> str:
        kind = node.definition.inputs[position].kind
        if isinstance(value, list):
            items = [self.bind(v.slot, "s") if kind is Handle else self.name(v) for v in value]
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        if kind in (Slot, Handle):
            return self.bind(value.slot, "s")
        if kind is Ref:
            expression = f"{self.bind(value.slot, 's')}.value"
            self._check(value, expression, node)
            return expression
        return self.name(value)

    def _line(self, text: str, node: Node | None) -> None:
        self.lines.append(text)
        self.line_ops.append(node.op if node else None)

    def finish(self, fetches: list[Value | None], raw: bool) -> tuple[Callable, str]:
        """The compiled function and its source. It returns a tuple, None for fetched ops."""
        self.namespace.update(copy=np.array, scalar=_scalar)
        given: set[str] = set()
        results = ", ".join(self._result(value, raw, given) for value in fetches)
        self._line(f"return ({results}{',' if fetches else ''})", None)
        header = f"def step({', '.join(self._arguments)}):\n    "
        source = header + "\n    ".join(self.lines) + "\n"
        code = compile(source, "<minitf step>", "exec")
        exec(code, self.namespace)
        return self.namespace.pop("step"), source

    def _result(self, value: Value | None, raw: bool, given: set[str]) -> str:
        if value is None:
            return "None"
        name = self.name(value)
        if value.shape.rank == 0 and not raw:
            return f"{name}[()]"
        owned = value in self._names and value.root in self._names and value.slot is None
        owned = owned and not value.root.fed and value.root.constant is None and name not in given
        given.add(name)
        if value.dtype == dtypes.variant:
            return name
        if raw:
            return name if owned else f"copy({name})"
        if value.shape.rank is None:
            return f"scalar({name})" if owned else f"scalar(copy({name}))"
        return name if owned else f"copy({name})"


def _callable(node: Node) -> Callable:
    """The node's kernel with its attributes, or what the op prepares for these inputs."""
    definition = node.definition
    with _as_failure_of(node):
        prepared = definition.prepare(node) if definition.prepare else None
    if prepared is not None:
        return functools.partial(prepared, activation=node.activation) if node.activation else prepared
    return functools.partial(definition.kernel, **node.attrs) if node.attrs else definition.kernel


@contextmanager
def _as_failure_of(node: Node) -> Iterator[None]:
    """Turns what a kernel raises while the step is planned into what it would raise while it runs."""
    try:
        yield
    except (ValueError, IndexError, ArithmeticError) as error:
        raise errors.InvalidArgumentError(node.op.node_def, node.op, str(error)) from error


def _scalar(array: Any) -> Any:
    return array if np.ndim(array) else array[()]


def _unset(slot: Any) -> None:
    node_def = slot.op.node_def if slot.op is not None else None
    raise errors.FailedPreconditionError(
        node_def, slot.op, f"Attempting to use uninitialized value {slot.name}"
    )
