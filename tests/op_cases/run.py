"""Carries out a sample with minitf: the bare kernel, and the op in a graph."""

from typing import Any

import numpy as np

import minitf as tf
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape
from minitf.ops import registry
from minitf.ops.registry import OpDefinition, Slot
from tests.op_cases import Case
from tests.op_cases.draw import Draw


class Known:
    """What a shape rule sees of a tensor whose value is known."""

    def __init__(self, value: np.ndarray, constant: bool) -> None:
        self.dtype = as_dtype(value.dtype)
        self.shape = TensorShape(value.shape)
        self.constant = value if constant else None


class Stored:
    """A variable's storage, outside a session."""

    def __init__(self, value: np.ndarray | None) -> None:
        self.value = value
        self.shape = TensorShape(None if value is None else value.shape)


def flat(values: list[Any]) -> list[Any]:
    """`values` with its lists opened."""
    return [v for value in values for v in (value if isinstance(value, list | tuple) else [value])]


def outputs_of(definition: OpDefinition, result: Any) -> list[np.ndarray]:
    """A kernel's result as a list of arrays, one per output."""
    many = isinstance(definition.outputs, list | tuple)
    return [as_array(r) for r in (result if many else [result])]


def as_array(value: Any) -> np.ndarray:
    """A result as an array; NumPy would make bytes a type of their own."""
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)


def run_kernel(case: Case, inputs: list[Any], attrs: dict[str, Any], **out: Any) -> Any:
    """What the op's kernel makes of copies of `inputs`."""
    with np.errstate(all="ignore"):
        return case.definition.kernel(*arguments(case, inputs), **attrs, **out)


def arguments(case: Case, inputs: list[Any]) -> list[Any]:
    """Copies of the inputs, variables in the form that the kernel takes them in."""
    result = []
    for declared, value in zip(case.definition.inputs, inputs, strict=True):
        copies = [v.copy() for v in value] if declared.is_list else value.copy()
        result.append(Stored(copies) if declared.kind is Slot else copies)
    return result


class Graphed:
    """The op in a graph of its own, fed with a sample's inputs.

    Without `draw`, placeholders have fully known shapes; with it, sizes and ranks are forgotten and inputs
    made constants at random. Inputs that the op changes are variables.
    """

    def __init__(self, case: Case, inputs: list[Any], attrs: dict[str, Any], draw: Draw | None = None):
        self.graph = tf.Graph()
        self.feeds: dict[Any, np.ndarray] = {}
        self.variables: list[Any] = []
        self.by_name: dict[str, Any] = {}
        self._draw = draw
        with self.graph.as_default():
            tensors = []
            for declared, value in zip(case.definition.inputs, inputs, strict=True):
                if declared.kind is not None:
                    tensors.append(self._variable(value))
                elif declared.is_list:
                    tensors.append([self._tensor(v) for v in value])
                else:
                    tensors.append(self._tensor(value))
                self.by_name[declared.name] = tensors[-1]
            result = registry.apply(case.definition, tensors, dict(attrs))
        many = isinstance(case.definition.outputs, list | tuple)
        self.outputs = list(result) if many else [result]

    def _variable(self, value: np.ndarray) -> Any:
        variable = tf.Variable(value)
        self.variables.append(variable)
        return variable

    def _tensor(self, value: np.ndarray) -> Any:
        if self._draw is not None and self._draw.integer(0, 3) == 0:
            return tf.constant(value)
        placeholder = tf.placeholder(as_dtype(value.dtype), self._forgotten(value.shape))
        self.feeds[placeholder] = value
        return placeholder

    def _forgotten(self, shape: tuple[int, ...]) -> Any:
        if self._draw is None:
            return shape
        if self._draw.integer(0, 5) == 0:
            return None
        return [None if self._draw.boolean() else size for size in shape]

    def run(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The op's outputs, and the variables' values afterwards."""
        with tf.Session(graph=self.graph) as session:
            for variable in self.variables:
                session.run(variable.initializer)
            outputs = session.run(self.outputs, self.feeds)
            values = [session.run(variable.value()) for variable in self.variables]
        return [as_array(o) for o in outputs if o is not None], [as_array(v) for v in values]
