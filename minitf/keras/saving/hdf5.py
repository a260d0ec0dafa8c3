"""Weights and whole models in HDF5 files, in Keras 2's layout (extra `h5`).

A file of weights has an attribute `layer_names` and a group for each layer, whose attribute `weight_names`
names its datasets in order. A whole model has these under `model_weights`, its config and compile arguments
as JSON in attributes, and the optimizer's state under `optimizer_weights`.
"""

import json
import os
from typing import Any

import numpy as np

from minitf.keras.saving.model_config import KERAS_VERSION, class_name, json_default, model_from_config

# HDF5 keeps attributes in the object's header, which has room for 64 KiB.
_ATTRIBUTE_LIMIT = 64512


def require_h5py() -> Any:
    """The package h5py. Raises ImportError that says how to install it."""
    try:
        import h5py
    except ImportError:
        raise ImportError("HDF5 files need the package h5py: pip install 'minitf[h5]'") from None
    return h5py


class _Replacing:
    """Opens a new HDF5 file under another name and puts it in place when all was well."""

    def __init__(self, path: Any) -> None:
        self.path = os.fspath(path)
        self.temporary = f"{self.path}.tmp{os.getpid()}"

    def __enter__(self) -> Any:
        self.file = require_h5py().File(self.temporary, "w")
        return self.file

    def __exit__(self, kind: Any, *details: Any) -> None:
        self.file.close()
        if kind is None:
            os.replace(self.temporary, self.path)
        else:
            os.remove(self.temporary)


def _write_names(group: Any, name: str, values: list[str]) -> None:
    encoded = [v.encode("utf-8") for v in values]
    if not encoded:
        group.attrs[name] = np.zeros(0, "S1")
        return
    array = np.array(encoded)
    if array.nbytes <= _ATTRIBUTE_LIMIT:
        group.attrs[name] = array
        return
    parts = 1
    while any(part.nbytes > _ATTRIBUTE_LIMIT for part in np.array_split(array, parts)):
        parts += 1
    for i, part in enumerate(np.array_split(array, parts)):
        group.attrs[f"{name}{i}"] = part


def _read_names(group: Any, name: str) -> list[str]:
    if name in group.attrs:
        values = list(group.attrs[name])
    else:
        values, i = [], 0
        while f"{name}{i}" in group.attrs:
            values += list(group.attrs[f"{name}{i}"])
            i += 1
    return [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in values]


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _layer_weights(layer: Any) -> list[Any]:
    """A layer's weights in the order of Keras 2's files: trainable ones first, whatever the flags say now."""
    flags = [(x, x._trainable) for x in layer._flatten_layers()]
    try:
        for x, _ in flags:
            x._trainable = True
        return layer.trainable_weights + layer.non_trainable_weights
    finally:
        for x, flag in flags:
            x._trainable = flag


def _write_dataset(group: Any, name: str, value: np.ndarray) -> None:
    group.create_dataset(name, data=value)


def write_weights(group: Any, model: Any) -> None:
    """Writes the weights of a model's layers into an HDF5 group."""
    layers = model.layers
    _write_names(group, "layer_names", [layer.name for layer in layers])
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = KERAS_VERSION.encode()
    for layer in sorted(layers, key=lambda x: x.name):
        own = group.create_group(layer.name)
        weights = _layer_weights(layer)
        names = _distinct([w.name for w in weights])
        _write_names(own, "weight_names", names)
        for name, weight in zip(names, weights, strict=True):
            _write_dataset(own, name, weight.numpy())


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        result.append(name if not count else f"{name.removesuffix(':0')}_{count}:0")
    return result


def save_weights(path: Any, model: Any) -> None:
    """Writes a file of weights, atomically."""
    with _Replacing(path) as file:
        write_weights(file, model)


def load_weights(path: Any, model: Any, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """Reads weights from a file of weights or of a whole model.

    Raises ValueError when layers or shapes don't match; then no weight has been changed.
    """
    with require_h5py().File(os.fspath(path), "r") as file:
        group = file["model_weights"] if "layer_names" not in file.attrs and "model_weights" in file else file
        pairs = _by_name(group, model, skip_mismatch) if by_name else _in_order(group, model)
    for weight, value in pairs:
        weight.load(value)


def _saved(group: Any, name: str) -> list[np.ndarray]:
    own = group[name]
    return [np.asarray(own[weight]) for weight in _read_names(own, "weight_names")]


def _in_order(group: Any, model: Any) -> list[tuple[Any, np.ndarray]]:
    layers = [layer for layer in model.layers if _layer_weights(layer)]
    names = [name for name in _read_names(group, "layer_names") if _read_names(group[name], "weight_names")]
    if len(names) != len(layers):
        raise ValueError(
            f"Layer count mismatch when loading weights from file. Model expected {len(layers)} layers, "
            f"found {len(names)} saved layers."
        )
    pairs = []
    for i, (name, layer) in enumerate(zip(names, layers, strict=True)):
        values, weights = _saved(group, name), _layer_weights(layer)
        if len(values) != len(weights):
            raise ValueError(
                f"Weight count mismatch for layer #{i} (named {layer.name} in the current model, {name} in "
                f"the save file). Layer expects {len(weights)} weight(s). Received {len(values)} saved "
                "weight(s)"
            )
        pairs += _matched(layer, name, weights, values)
    return pairs


def _by_name(group: Any, model: Any, skip_mismatch: bool) -> list[tuple[Any, np.ndarray]]:
    saved = set(_read_names(group, "layer_names"))
    pairs = []
    for layer in model.layers:
        if layer.name not in saved:
            continue
        values, weights = _saved(group, layer.name), _layer_weights(layer)
        try:
            if len(values) != len(weights):
                raise ValueError(
                    f"Weight count mismatch for layer (named {layer.name}). Layer expects {len(weights)} "
                    f"weight(s). Received {len(values)} saved weight(s)"
                )
            pairs += _matched(layer, layer.name, weights, values)
        except ValueError:
            if not skip_mismatch:
                raise
    return pairs


def _matched(layer, saved_name, weights, values) -> list[tuple[Any, np.ndarray]]:
    for weight, value in zip(weights, values, strict=True):
        if not weight.shape.is_compatible_with(value.shape):
            raise ValueError(
                f"Shape mismatch in layer {layer.name} (named {saved_name} in the save file) for weight "
                f"{weight.name}. Weight expects shape {weight.shape}. Received saved weight with shape "
                f"{value.shape}"
            )
    return list(zip(weights, values, strict=True))


def save_model(path: Any, model: Any, include_optimizer: bool = True) -> None:
    """Writes a whole model, atomically. Raises NotImplementedError for models without a config."""
    config = json.dumps({"class_name": class_name(model), "config": model.get_config()}, default=json_default)
    with _Replacing(path) as file:
        file.attrs["keras_version"] = KERAS_VERSION
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = config
        write_weights(file.create_group("model_weights"), model)
        if include_optimizer and model._compiled and model.optimizer is not None:
            file.attrs["training_config"] = json.dumps(training_config(model), default=json_default)
            _write_optimizer(file, model.optimizer)


def training_config(model: Any) -> dict[str, Any]:
    """What `compile` was given, as plain values."""
    from minitf.keras import optimizers

    given = model._compile_arguments
    return {
        "loss": _plain(given["loss"]),
        "metrics": _plain(given["metrics"]),
        "weighted_metrics": _plain(given["weighted_metrics"]),
        "loss_weights": given["loss_weights"],
        "optimizer_config": optimizers.serialize(model.optimizer),
    }


def _plain(value: Any) -> Any:
    """Losses and metrics as names and configs."""
    from minitf.keras.utils.generic_utils import serialize_keras_object

    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, str):
        return value
    return serialize_keras_object(value)


def _write_optimizer(file: Any, optimizer: Any) -> None:
    weights = getattr(optimizer, "weights", None)
    if not weights:
        return
    group = file.create_group("optimizer_weights")
    names = _distinct([w.name for w in weights])
    _write_names(group, "weight_names", names)
    for name, weight in zip(names, weights, strict=True):
        _write_dataset(group, name, weight.numpy())


def load_model(path: Any, custom_objects: dict | None = None, compile: bool = True) -> Any:
    """Reads a whole model: architecture, weights, and if it was compiled its optimizer with its state.

    Raises ValueError when the file has no architecture in it.
    """
    with require_h5py().File(os.fspath(path), "r") as file:
        config = file.attrs.get("model_config")
        if config is None:
            raise ValueError(f"No model config found in the file at {path}.")
        model = model_from_config(json.loads(_text(config)), custom_objects)
        training = file.attrs.get("training_config")
        state = None
        if "optimizer_weights" in file:
            group = file["optimizer_weights"]
            state = [np.asarray(group[name]) for name in _read_names(group, "weight_names")]
        for weight, value in _in_order(file["model_weights"], model):
            weight.load(value)
    if not compile or training is None:
        return model
    compile_from_config(model, json.loads(_text(training)), custom_objects)
    if state is not None and hasattr(model.optimizer, "set_weights"):
        model.optimizer._create_all_weights(model.trainable_weights)
        try:
            model.optimizer.set_weights(state)
        except ValueError:
            import warnings

            warnings.warn(
                "Error in loading the saved optimizer state. As a result, your model is starting with a "
                "freshly initialized optimizer.",
                stacklevel=2,
            )
    return model


def compile_from_config(model: Any, config: dict[str, Any], custom_objects: dict | None = None) -> None:
    """Compiles a model as `training_config` says."""
    from minitf.keras import losses, metrics, optimizers

    def objects(value: Any, module: Any) -> Any:
        if isinstance(value, list):
            return [objects(item, module) for item in value]
        if isinstance(value, dict) and "class_name" in value:
            return module.deserialize(value, custom_objects)
        if isinstance(value, dict):
            return {key: objects(item, module) for key, item in value.items()}
        if isinstance(value, str) and custom_objects and value in custom_objects:
            return custom_objects[value]
        return value

    model.compile(
        optimizer=optimizers.deserialize(config["optimizer_config"], custom_objects),
        loss=objects(config.get("loss"), losses),
        metrics=objects(config.get("metrics"), metrics),
        weighted_metrics=objects(config.get("weighted_metrics"), metrics),
        loss_weights=config.get("loss_weights"),
    )
