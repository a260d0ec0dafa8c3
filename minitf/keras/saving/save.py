"""Saving and loading, by the format that a path or argument names."""

import os
from typing import Any

from minitf.keras.saving import hdf5


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    include_optimizer: bool = True,
    save_format: str | None = None,
    signatures: Any = None,
    options: Any = None,
    save_traces: bool = True,
) -> None:
    """Saves a whole model as an HDF5 file in Keras 2's layout, whatever the path's ending.

    TensorFlow's SavedModel format ('tf') is not supported. An existing file is kept unless `overwrite`.
    """
    _only_hdf5(save_format, signatures, options)
    if _may_write(filepath, overwrite):
        hdf5.save_model(filepath, model, include_optimizer)


def load_model(
    filepath: Any, custom_objects: dict | None = None, compile: bool = True, options: Any = None
) -> Any:
    """A model saved by `save_model` or by Keras 2. Raises OSError when there is no such file."""
    if options is not None:
        raise NotImplementedError("load_model: options are not supported")
    if not os.path.isfile(filepath):
        raise OSError(f"No file or directory found at {filepath}")
    return hdf5.load_model(filepath, custom_objects, compile)


def save_weights(
    model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None, options: Any = None
) -> None:
    """Saves a model's weights as an HDF5 file in Keras 2's layout.

    Raises ValueError before the model is built.
    """
    _only_hdf5(save_format, None, options)
    if not model.built:
        raise ValueError(
            "Unable to save weights of a model that has not created its variables yet. Build it first by "
            "calling it or `build()`."
        )
    if _may_write(filepath, overwrite):
        hdf5.save_weights(filepath, model)


def load_weights(
    model: Any, filepath: Any, by_name: bool = False, skip_mismatch: bool = False, options: Any = None
) -> None:
    """Loads weights that were saved by `save_weights`, `save_model` or Keras 2."""
    if options is not None:
        raise NotImplementedError("load_weights: options are not supported")
    if skip_mismatch and not by_name:
        raise ValueError(
            "When calling model.load_weights, skip_mismatch can only be set to True when by_name is True."
        )
    if not model.built:
        raise ValueError(
            "Unable to load weights saved in HDF5 format into a subclassed Model which has not created its "
            "variables yet. Call the Model first, then load the weights."
        )
    if not os.path.isfile(filepath):
        raise OSError(f"No file or directory found at {filepath}")
    hdf5.load_weights(filepath, model, by_name, skip_mismatch)


def _only_hdf5(save_format: str | None, signatures: Any, options: Any) -> None:
    if save_format not in (None, "h5", "hdf5", "keras"):
        raise NotImplementedError(f"save_format={save_format!r}: models are saved as HDF5 files ('h5')")
    if signatures is not None or options is not None:
        raise NotImplementedError("signatures and options belong to TensorFlow's SavedModel format")


def _may_write(filepath: Any, overwrite: bool) -> bool:
    """Whether to go on: asks on the terminal before replacing a file that is to be kept."""
    if overwrite or not os.path.exists(filepath):
        return True
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    return answer == "y"
