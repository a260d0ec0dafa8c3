"""Models to JSON and back."""

import json
from typing import Any

import numpy as np

from minitf.framework.dtypes import DType
from minitf.framework.shapes import Dimension, TensorShape
from minitf.keras.layers.serialization import deserialize

# What files say made them: the version whose layout they follow.
KERAS_VERSION = "2.4.0"


def json_default(value: Any) -> Any:
    """Values of configs that JSON does not know. Raises TypeError for others."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, TensorShape):
        return value.as_list()
    if isinstance(value, Dimension):
        return value.value
    if isinstance(value, DType):
        return value.name
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if callable(value):
        return value.__name__
    if isinstance(value, bytes):
        return value.decode("utf-8")
    raise TypeError(f"Not JSON Serializable: {value!r}")


def class_name(model: Any) -> str:
    """The class name under which a model's config is kept."""
    from minitf.keras.engine.sequential import Sequential

    if isinstance(model, Sequential):
        return "Sequential"
    return "Functional" if model._is_graph_network else type(model).__name__


def model_to_json(model: Any, **kwargs: Any) -> str:
    """A model's class, config and Keras version as JSON."""
    described = {
        "class_name": class_name(model),
        "config": model.get_config(),
        "keras_version": KERAS_VERSION,
        "backend": "tensorflow",
    }
    return json.dumps(described, default=json_default, **kwargs)


def model_from_config(config: Any, custom_objects: dict | None = None) -> Any:
    """A model from a dict with `class_name` and `config`. Raises TypeError for a list."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    return deserialize(config, custom_objects=custom_objects)


def model_from_json(json_string: str, custom_objects: dict | None = None) -> Any:
    """A model, uninitialised and uncompiled, from what `to_json` returned."""
    return model_from_config(json.loads(json_string), custom_objects)
