"""Ops that only order other ops: `tf.group`, `tf.tuple`, `tf.with_dependencies`."""

from typing import Any

from minitf.ops.array import identity, no_op
from minitf.ops.registry import interpreter


def group(*inputs: Any, name: str | None = None) -> Any:
    """An op that has run when all `inputs` (tensors, ops, variables, or lists of them) have."""
    current = interpreter()
    with current.control_dependencies(list(_flat(inputs))):
        return no_op(name=name or "group_deps")


def _flat(items: Any) -> Any:
    for item in items:
        if isinstance(item, list | tuple):
            yield from _flat(item)
        elif item is not None:
            yield item


def tuple_(tensors: Any, name: str | None = None, control_inputs: Any = None) -> list[Any]:
    """Copies of `tensors` that are ready only when all of them (and `control_inputs`) are. Nones stay."""
    current = interpreter()
    with current.name_scope(name or "tuple"):
        gate = group(*tensors, *(control_inputs or ()))
        with current.control_dependencies([gate]):
            return [None if t is None else identity(t, name="control_dependency") for t in tensors]


def with_dependencies(dependencies: Any, output_tensor: Any, name: str | None = None) -> Any:
    """`output_tensor`, ready only after `dependencies` have run."""
    current = interpreter()
    with current.name_scope(name or "control_dependency") as scope:
        with current.control_dependencies(dependencies):
            return identity(output_tensor, name=scope)
