"""Checkpoints on disk: writing, reading and finding them.

A checkpoint `prefix` is two files. `prefix.data-00000-of-00001` holds the arrays' bytes end to end;
`prefix.index` is JSON that gives each tensor's dtype, shape, place and CRC-32. Both are written under other
names and renamed when complete, the index last, so that a checkpoint is either whole or not there.
"""

import json
import os
import zlib
from typing import Any

import numpy as np

from minitf.framework import errors
from minitf.framework.dtypes import as_dtype

_FORMAT = "minitf checkpoint 1"
_DATA, _INDEX = ".data-00000-of-00001", ".index"


def write_checkpoint(prefix: str, tensors: dict[str, np.ndarray]) -> None:
    """Writes `tensors` as the checkpoint `prefix`, atomically.

    Raises NotImplementedError for strings, OSError when the disk does.
    """
    entries, offset = {}, 0
    temporary = {ending: f"{prefix}{ending}.tmp{os.getpid()}" for ending in (_DATA, _INDEX)}
    try:
        with open(temporary[_DATA], "wb") as data:
            for name, array in sorted(tensors.items()):
                if array.dtype.kind == "O":
                    raise NotImplementedError(f"Saver: variable {name!r} holds strings")
                content = np.ascontiguousarray(array).tobytes()
                entries[name] = {
                    "dtype": as_dtype(array.dtype).name,
                    "shape": list(array.shape),
                    "offset": offset,
                    "size": len(content),
                    "crc32": zlib.crc32(content),
                }
                data.write(content)
                offset += len(content)
            _flush(data)
        with open(temporary[_INDEX], "w", encoding="utf-8") as index:
            json.dump({"format": _FORMAT, "tensors": entries}, index)
            _flush(index)
        for ending in (_DATA, _INDEX):
            os.replace(temporary[ending], prefix + ending)
    finally:
        for path in temporary.values():
            if os.path.exists(path):
                os.remove(path)


def _flush(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


class CheckpointReader:
    """Reads a checkpoint. Raises NotFoundError when there is none, DataLossError when it is damaged."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        if not checkpoint_exists(prefix):
            raise errors.NotFoundError(
                None, None, f"Unsuccessful TensorSliceReader constructor: Failed to find any matching "
                f"files for {prefix}",
            )  # fmt: skip
        try:
            with open(prefix + _INDEX, encoding="utf-8") as index:
                content = json.load(index)
            if content["format"] != _FORMAT:
                raise KeyError(content["format"])
            self._entries: dict[str, dict[str, Any]] = content["tensors"]
        except (ValueError, KeyError, TypeError) as error:
            raise errors.DataLossError(
                None, None, f"{prefix}{_INDEX} is no index of a minitf checkpoint ({error})"
            ) from None

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The tensors' names and shapes."""
        return {name: list(entry["shape"]) for name, entry in self._entries.items()}

    def get_variable_to_dtype_map(self) -> dict[str, Any]:
        """The tensors' names and dtypes."""
        return {name: as_dtype(entry["dtype"]) for name, entry in self._entries.items()}

    def has_tensor(self, name: str) -> bool:
        """Whether the checkpoint has a tensor of that name."""
        return name in self._entries

    def get_tensor(self, name: str) -> np.ndarray:
        """A tensor's value. Raises NotFoundError when there is none of that name."""
        if name not in self._entries:
            raise errors.NotFoundError(None, None, f"Key {name} not found in checkpoint")
        entry = self._entries[name]
        with open(self._prefix + _DATA, "rb") as data:
            data.seek(entry["offset"])
            content = data.read(entry["size"])
        if len(content) != entry["size"] or zlib.crc32(content) != entry["crc32"]:
            raise errors.DataLossError(
                None, None, f"Checksum does not match: {name} in {self._prefix}{_DATA} is damaged"
            )
        array = np.frombuffer(content, as_dtype(entry["dtype"]).numpy_dtype)
        return array.reshape(entry["shape"]).copy()


def checkpoint_exists(checkpoint_prefix: str) -> bool:
    """Whether there is a checkpoint of that prefix."""
    return os.path.exists(f"{checkpoint_prefix}{_INDEX}")


def remove_checkpoint(
    checkpoint_prefix: str, checkpoint_format_version: int = 2, meta_graph_suffix: str = "meta"
) -> None:
    """Deletes a checkpoint's files, those that are there. There is one format, whatever its version."""
    for ending in (_INDEX, _DATA, f".{meta_graph_suffix}"):
        if os.path.exists(f"{checkpoint_prefix}{ending}"):
            os.remove(f"{checkpoint_prefix}{ending}")


def list_variables(ckpt_dir_or_file: str) -> list[tuple[str, list[int]]]:
    """Names and shapes in a checkpoint, or in the latest one of a directory."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def load_variable(ckpt_dir_or_file: str, name: str) -> np.ndarray:
    """A tensor of a checkpoint, or of the latest one of a directory."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def load_checkpoint(ckpt_dir_or_file: str) -> CheckpointReader:
    """A reader of a checkpoint, or of the latest one of a directory. Raises ValueError without one."""
    prefix = ckpt_dir_or_file
    if os.path.isdir(prefix):
        prefix = latest_checkpoint(prefix)
        if prefix is None:
            raise ValueError(
                f"Couldn't find 'checkpoint' file or checkpoints in directory {ckpt_dir_or_file}"
            )
    return CheckpointReader(prefix)


class CheckpointState:
    """What the text file `checkpoint` of a directory says: the latest checkpoint and all that are kept."""

    def __init__(
        self,
        model_checkpoint_path: str = "",
        all_model_checkpoint_paths: list[str] | None = None,
        all_model_checkpoint_timestamps: list[float] | None = None,
        last_preserved_timestamp: float = 0.0,
    ) -> None:
        self.model_checkpoint_path = model_checkpoint_path
        self.all_model_checkpoint_paths = list(all_model_checkpoint_paths or [])
        self.all_model_checkpoint_timestamps = list(all_model_checkpoint_timestamps or [])
        self.last_preserved_timestamp = last_preserved_timestamp

    def __str__(self) -> str:
        lines = [f'model_checkpoint_path: "{self.model_checkpoint_path}"']
        lines += [f'all_model_checkpoint_paths: "{path}"' for path in self.all_model_checkpoint_paths]
        lines += [
            f"all_model_checkpoint_timestamps: {stamp!r}" for stamp in self.all_model_checkpoint_timestamps
        ]
        if self.last_preserved_timestamp:
            lines.append(f"last_preserved_timestamp: {self.last_preserved_timestamp!r}")
        return "\n".join(lines) + "\n"


def generate_checkpoint_state_proto(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: list[str] | None = None,
    all_model_checkpoint_timestamps: list[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> CheckpointState:
    """A CheckpointState whose paths are relative to `save_dir` where they lie in it."""

    def relative(path: str) -> str:
        if os.path.isabs(path) or not save_dir:
            return path
        return os.path.relpath(path, save_dir)

    paths = list(all_model_checkpoint_paths or [])
    if not paths or paths[-1] != model_checkpoint_path:
        paths.append(model_checkpoint_path)
    return CheckpointState(
        relative(model_checkpoint_path),
        [relative(path) for path in paths],
        all_model_checkpoint_timestamps,
        last_preserved_timestamp or 0.0,
    )


def update_checkpoint_state(
    save_dir: str,
    model_checkpoint_path: str,
    all_model_checkpoint_paths: list[str] | None = None,
    latest_filename: str | None = None,
    all_model_checkpoint_timestamps: list[float] | None = None,
    last_preserved_timestamp: float | None = None,
) -> None:
    """Writes the file `checkpoint` of a directory, atomically."""
    state = generate_checkpoint_state_proto(
        save_dir, model_checkpoint_path, all_model_checkpoint_paths, all_model_checkpoint_timestamps,
        last_preserved_timestamp,
    )  # fmt: skip
    path = os.path.join(save_dir, latest_filename or "checkpoint")
    temporary = f"{path}.tmp{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(str(state))
    os.replace(temporary, path)


def get_checkpoint_state(checkpoint_dir: str, latest_filename: str | None = None) -> CheckpointState | None:
    """What the file `checkpoint` of a directory says, its paths made usable from here; None without one."""
    path = os.path.join(checkpoint_dir, latest_filename or "checkpoint")
    if not os.path.exists(path):
        return None
    state = CheckpointState()
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, _, value = line.strip().partition(": ")
            if key == "model_checkpoint_path":
                state.model_checkpoint_path = _absolute(checkpoint_dir, value)
            elif key == "all_model_checkpoint_paths":
                state.all_model_checkpoint_paths.append(_absolute(checkpoint_dir, value))
            elif key == "all_model_checkpoint_timestamps":
                state.all_model_checkpoint_timestamps.append(float(value))
            elif key == "last_preserved_timestamp":
                state.last_preserved_timestamp = float(value)
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {checkpoint_dir}")
    return state


def _absolute(directory: str, value: str) -> str:
    path = value.strip('"')
    return path if os.path.isabs(path) else os.path.join(directory, path)


def latest_checkpoint(checkpoint_dir: str, latest_filename: str | None = None) -> str | None:
    """The prefix of the latest checkpoint in a directory, or None."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not checkpoint_exists(state.model_checkpoint_path):
        return None
    return state.model_checkpoint_path


def get_checkpoint_mtimes(checkpoint_prefixes: list[str]) -> list[float]:
    """When each of the checkpoints that exist was written, in seconds since 1970."""
    return [os.path.getmtime(p + _INDEX) for p in checkpoint_prefixes if checkpoint_exists(p)]
