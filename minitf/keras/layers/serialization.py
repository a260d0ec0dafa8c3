"""Layers to configs and back."""

from typing import Any

from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object


def serialize(layer: Any) -> dict[str, Any]:
    """A layer's class name and config."""
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The layer (or model) that a config stands for. Raises ValueError for an unknown class."""
    return deserialize_keras_object(config, known_layers(), custom_objects, "layer")


def known_layers() -> dict[str, Any]:
    """All layer classes by name, models too."""
    from minitf.keras import layers, models
    from minitf.keras.engine.base_layer import Layer

    found = {
        name: value
        for name, value in vars(layers).items()
        if isinstance(value, type) and issubclass(value, Layer)
    }
    return {**found, "Sequential": models.Sequential, "Model": models.Model, "Functional": models.Model}
