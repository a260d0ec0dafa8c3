"""Scopes of the default graph, as functions: names, devices, control dependencies."""

from contextlib import contextmanager
from typing import Any

from minitf.ops.registry import interpreter


class name_scope:  # noqa: N801 - TensorFlow's name
    """`with tf.name_scope("layer1") as scope:` — ops made inside are named `layer1/…`.

    With `name=None`, `default_name` is taken. A name that ends with '/' re-enters that scope. `values` are
    only checked for being of one graph, which ops do themselves.
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Any = None) -> None:
        if name is None and default_name is None and values is not None:
            raise ValueError("At least one of name (None) and default_name (None) must be provided.")
        self._name = default_name if name is None else name

    def __enter__(self) -> str:
        self._context = interpreter().name_scope(self._name)
        return self._context.__enter__()

    def __exit__(self, *exception: Any) -> None:
        self._context.__exit__(*exception)


def control_dependencies(control_inputs: Any) -> Any:
    """`with tf.control_dependencies([op]):` — ops made inside run after those given."""
    return interpreter().control_dependencies(control_inputs)


def device(device_name_or_function: Any) -> Any:
    """`with tf.device("/cpu:0"):` — notes the device on ops made inside; they all run on the one CPU."""
    return interpreter().device(device_name_or_function)


def colocate_with(op: Any, ignore_existing: bool = False) -> Any:
    """Accepted for its meaning on several devices; here every op is on the one CPU."""
    return interpreter().colocate_with(op, ignore_existing)


@contextmanager
def container(container_name: str) -> Any:
    """Accepted for its meaning on servers: values here live in their Session."""
    yield container_name
