"""Which mode a program is in: `tf.executing_eagerly`, `tf.enable_eager_execution`, `tf.init_scope`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minitf.eager import operators
from minitf.eager.interpreter import EAGER
from minitf.graph.graph import get_default_graph
from minitf.ops import registry

operators.install()

_default_is_eager = False


def executing_eagerly() -> bool:
    """Whether ops run at once here: not inside a graph or a traced function."""
    return registry.interpreter().eager


def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> None:
    """Makes ops run at once from now on, except inside graphs.

    Raises ValueError when graph ops exist already. `config`, `device_policy` and `execution_mode` choose
    among TensorFlow's devices and threads; here there is one of each.
    """
    global _default_is_eager
    if not _default_is_eager:
        if get_default_graph().get_operations():
            raise ValueError("tf.enable_eager_execution must be called at program startup.")
        _default_is_eager = True
        registry.set_default_interpreter(lambda: EAGER)


def disable_eager_execution() -> None:
    """Makes ops build graphs again."""
    global _default_is_eager
    _default_is_eager = False
    registry.set_default_interpreter(get_default_graph)


@contextmanager
def eager_mode() -> Iterator[None]:
    """Ops inside run at once, whatever mode the program is in."""
    stack = registry.interpreter_stack()
    stack.append(EAGER)
    try:
        yield
    finally:
        stack.pop()


@contextmanager
def init_scope() -> Iterator[None]:
    """Ops inside are lifted out of functions, branches and loops: run at once, or built outermost."""
    with registry.interpreter().lifted():
        yield
