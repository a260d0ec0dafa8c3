"""Keras's names in TensorFlow's own namespaces, looked up when they are first asked for.

`import minitf` must stay quick, so `tf.keras` and `tf.optimizers` are imported on first use; and `tf.losses`,
`tf.metrics` and `tf.initializers` answer for Keras's names beside their own (`tf.losses.MeanSquaredError`).
"""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

_LAZY = {"keras": "minitf.keras", "optimizers": "minitf.keras.optimizers"}


def importer(package: str) -> Callable[[str], Any]:
    """The `__getattr__` of the package: it imports Keras's modules when they are first asked for."""

    def __getattr__(name: str) -> Any:
        if name in _LAZY:
            return import_module(_LAZY[name])
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__


def lend(namespace: ModuleType, keras_module: str) -> None:
    """Lets a namespace answer for the public names of a Keras module that it has not itself."""

    def __getattr__(name: str) -> Any:
        if not name.startswith("_"):
            found = getattr(import_module(keras_module), name, None)
            if found is not None and not isinstance(found, ModuleType):
                return found
        raise AttributeError(f"module {namespace.__name__!r} has no attribute {name!r}")

    namespace.__getattr__ = __getattr__
