"""Steps within steps: the function graphs of control-flow ops, planned for the step that they are part of."""

from typing import Any

import numpy as np

from minitf.framework import errors
from minitf.framework.shapes import TensorShape
from minitf.graph.operation import Operation, Tensor
from minitf.runtime.compile import Fed, Plan, compile_plan
from minitf.runtime.plan import Simplifier, Value, alive


class InnerGraph:
    """A function graph as one step uses it.

    It is simplified with what is known of its arguments, which tells the shapes of its results and which
    arguments each of them needs. Where that fails (a branch that cannot work, and may never be taken), the
    graph's own shapes hold and every argument is needed.
    """

    def __init__(
        self,
        session: Any,
        always: list[Operation],
        fetches: list[Tensor],
        arguments: list[Tensor],
        values: list[Value],
    ) -> None:
        self._session = session
        self._always = always
        self._arguments = arguments
        self._values = [_argument(tensor, value) for tensor, value in zip(arguments, values)]
        self._simplifier = Simplifier(session, dict(zip(arguments, self._values)))
        self.failed = False
        try:
            self._simplifier.translate([*fetches, *always])
        except errors.OpError:
            self.failed = True

    def value(self, tensor: Tensor) -> Value:
        """What is known of a fetched tensor."""
        if self.failed:
            return Value(tensor.dtype.base_dtype, tensor.shape)
        return self._simplifier.values[tensor]

    def needed(self, fetches: list[Tensor]) -> set[int]:
        """Positions of the arguments that computing `fetches` (and what has effects) takes."""
        if self.failed:
            return set(range(len(self._arguments)))
        wanted = [self._simplifier.values[tensor] for tensor in fetches]
        found = set(wanted)
        for _, values in alive(self._simplifier.nodes, wanted).values():
            found |= values
        return {i for i, value in enumerate(self._values) if value in found}

    @property
    def effects(self) -> bool:
        """Whether it does more than compute its results."""
        return self.failed or any(node.must_run for node in self._simplifier.nodes)

    def step(self, fetches: list[Tensor]) -> "InnerStep":
        """The function that computes `fetches` from all arguments. More results may follow them."""
        needed = self.needed(fetches)
        return InnerStep(self._session, [*fetches, *self._always], self._arguments, self._values, needed)


class InnerStep:
    """Computes a function's results from arrays. Plans are made when first needed, one for each shape."""

    def __init__(
        self,
        session: Any,
        fetches: list[Tensor | Operation],
        arguments: list[Tensor],
        values: list[Value],
        needed: set[int] | None = None,
    ) -> None:
        self._session = session
        self._fetches = fetches
        self._arguments = arguments
        self._values = values
        # Arguments of which the shape is known only when they are given. (Where one is not needed, anything
        # may be given.)
        self._open = [
            i
            for i, value in enumerate(values)
            if not value.shape.is_fully_defined() and (needed is None or i in needed)
        ]
        self._plans: dict[tuple, Plan] = {}

    @property
    def fixed(self) -> bool:
        """Whether the arguments always have the same shapes."""
        return not self._open

    def plan(self, arrays: Any) -> Plan:
        """The plan for arguments of these shapes."""
        shapes = tuple([np.shape(arrays[i]) for i in self._open])
        if shapes not in self._plans:
            known = dict(zip(self._open, shapes))
            feeds = [
                Fed(tensor, value.dtype, TensorShape(known.get(i, value.shape)), value.constant)
                for i, (tensor, value) in enumerate(zip(self._arguments, self._values))
            ]
            self._plans[shapes] = compile_plan(self._session, self._fetches, feeds, raw=True)
        return self._plans[shapes]

    def __call__(self, *arrays: Any) -> tuple[Any, ...]:
        """The results. They share no memory with the arguments."""
        plan = self.plan(arrays)
        try:
            return plan.step(*arrays)
        except Exception as error:
            named = plan.named(error)
            if named is error:
                raise
            raise named from error


def _argument(tensor: Tensor, value: Value) -> Value:
    """The same knowledge, and what is known of the tensor inside."""
    shape = value.shape
    if not shape.is_fully_defined() and shape.is_compatible_with(tensor.shape):
        shape = shape.merge_with(tensor.shape)
    inside = Value(value.dtype.base_dtype, shape, value.constant)
    inside.element = value.element
    inside.fed = True
    return inside
