"""Objects to configs and back: the registry of custom objects, names to things."""

import inspect
from collections.abc import Callable
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import numpy as np

_custom_objects: dict[str, Any] = {}
_registered_names: dict[Any, str] = {}


def get_custom_objects() -> dict[str, Any]:
    """The global dict of custom objects by name; changing it changes what can be deserialised."""
    return _custom_objects


@contextmanager
def custom_object_scope(*custom_objects: dict[str, Any]) -> Any:
    """Makes custom objects known by name within the block."""
    outer = dict(_custom_objects)
    for objects in custom_objects:
        _custom_objects.update(objects)
    try:
        yield
    finally:
        _custom_objects.clear()
        _custom_objects.update(outer)


CustomObjectScope = custom_object_scope


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable:
    """Decorates a class or function so that it is found by name (`package>name`) when a model is loaded."""

    def decorator(target: Any) -> Any:
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ValueError("Cannot register a class that does not have a get_config() method.")
        full = f"{package}>{name or target.__name__}"
        _custom_objects[full] = target
        _registered_names[target] = full
        return target

    return decorator


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function is registered, else its own."""
    return _registered_names.get(obj, obj.__name__)


def get_registered_object(
    name: str, custom_objects: dict | None = None, module_objects: dict | None = None
) -> Any:
    """The class or function of that name, or None."""
    for objects in (_custom_objects, custom_objects, module_objects):
        if objects and name in objects:
            return objects[name]
    return None


def serialize_keras_object(instance: Any) -> Any:
    """An object as `{"class_name", "config"}`, a function as its name, None as None.

    Raises ValueError for anything else.
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {
            "class_name": get_registered_name(type(instance)),
            "config": {key: _plain(value) for key, value in instance.get_config().items()},
        }
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(f"Cannot serialize {instance}: it has neither get_config() nor a name.")


def _plain(value: Any) -> Any:
    """NumPy scalars and nested objects as plain Python."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str | int | float | bool | type(None) | list | tuple | dict):
        return value
    if hasattr(value, "get_config") and not inspect.isclass(value):
        return serialize_keras_object(value)
    return value


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict | None = None,
    custom_objects: dict | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that a config or name stands for. Objects and functions are returned as they are.

    Raises ValueError for unknown names, naming those that are like it.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        return _from_config(identifier, module_objects, custom_objects, printable_module_name)
    if isinstance(identifier, str):
        found = get_registered_object(identifier, custom_objects, module_objects)
        if found is None:
            raise _unknown(printable_module_name, identifier, module_objects)
        return found() if inspect.isclass(found) else found
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret serialized {printable_module_name}: {identifier}")


def _from_config(config: dict, module_objects, custom_objects, printable_module_name) -> Any:
    if "class_name" not in config or "config" not in config:
        raise ValueError(f"Improper config format: {config}")
    name = config["class_name"]
    found = get_registered_object(name, custom_objects, module_objects)
    if found is None and ">" in name:  # written by another registration of the same class
        found = get_registered_object(name.rpartition(">")[2], custom_objects, module_objects)
    if found is None:
        raise _unknown(printable_module_name, name, module_objects)
    arguments = config["config"]
    if not hasattr(found, "from_config"):
        return found(**arguments) if inspect.isclass(found) else found
    if "custom_objects" in inspect.signature(found.from_config).parameters:
        return found.from_config(arguments, custom_objects={**_custom_objects, **(custom_objects or {})})
    with custom_object_scope(custom_objects or {}):
        return found.from_config(arguments)


def _unknown(kind: str, name: str, module_objects: dict | None) -> ValueError:
    message = (
        f"Unknown {kind}: {name!r}. Please ensure you are using a `keras.utils.custom_object_scope` and that "
        "this object is included in the scope."
    )
    names = [n for n in module_objects or {} if isinstance(n, str)]
    near = get_close_matches(name, names, 3, 0.5)
    return ValueError(message + (f" Did you mean {' or '.join(map(repr, near))}?" if near else ""))


def has_arg(function: Callable, name: str, accept_all: bool = False) -> bool:
    """Whether a function takes the keyword `name` (or, with `accept_all`, any keyword)."""
    parameters = inspect.signature(function).parameters
    if accept_all and any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return True
    return name in parameters and parameters[name].kind is not parameters[name].VAR_KEYWORD
