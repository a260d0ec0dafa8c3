"""`tf.train.Saver`: a session's variables to disk and back."""

import os
import time
from typing import Any

import numpy as np

from minitf.framework import errors
from minitf.graph.variables import Variable, global_variables
from minitf.train.checkpoint_files import (
    CheckpointReader,
    checkpoint_exists,
    get_checkpoint_mtimes,
    remove_checkpoint,
    update_checkpoint_state,
    write_checkpoint,
)


class Saver:
    """Saves and restores variables.

    `var_list` is a list of variables or a dict of names to variables (default: all global variables, or those
    there are at the first use with `defer_build`). The newest `max_to_keep` checkpoints are kept (None or 0:
    all), and one every `keep_checkpoint_every_n_hours` for good. `reshape` lets a variable be restored from a
    value of another shape with as many elements. `name`, `restore_sequentially` and `write_version` concern
    the ops and files of TensorFlow's own format: there are none here.

    Raises ValueError when there is nothing to save, TypeError for things that are no variables.
    """

    def __init__(
        self,
        var_list: Any = None,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        saver_def: Any = None,
        builder: Any = None,
        defer_build: bool = False,
        allow_empty: bool = False,
        write_version: int = 2,
        pad_step_number: bool = False,
        save_relative_paths: bool = False,
        filename: str | None = None,
    ) -> None:
        if saver_def is not None or builder is not None:
            raise NotImplementedError("Saver: saver_def and builder are not supported")
        if sharded or filename is not None:
            raise NotImplementedError("Saver: sharded and filename are not supported")
        if defer_build and var_list:
            raise ValueError(
                "If `var_list` is provided then build cannot be deferred. Either set defer_build=False or "
                "var_list=None."
            )
        self._given = var_list
        self._reshape = reshape
        self._max_to_keep = max_to_keep
        self._keep_hours = keep_checkpoint_every_n_hours
        self._allow_empty = allow_empty
        self._pad_step_number = pad_step_number
        self._relative = save_relative_paths
        self._last: list[tuple[str, float]] = []
        self._keep_from = time.time() + keep_checkpoint_every_n_hours * 3600
        self._variables: dict[str, Variable] | None = None
        if not defer_build:
            self.build()

    def build(self) -> None:
        """Settles which variables are saved."""
        given = global_variables() if self._given is None else self._given
        if not given and not self._allow_empty:
            raise ValueError("No variables to save")
        named = given.items() if isinstance(given, dict) else [(_name(v), v) for v in given]
        self._variables = {}
        for name, variable in named:
            if not isinstance(variable, Variable):
                raise TypeError(f"Variable to save is not a Variable: {variable}")
            if name in self._variables and self._variables[name] is not variable:
                raise ValueError(f"At least two variables have the same name: {name}")
            self._variables[name] = variable

    def _built(self) -> dict[str, Variable]:
        if self._variables is None:
            self.build()
        return self._variables

    def save(
        self,
        sess: Any,
        save_path: str,
        global_step: Any = None,
        latest_filename: str | None = None,
        meta_graph_suffix: str = "meta",
        write_meta_graph: bool = True,
        write_state: bool = True,
        strip_default_attrs: bool = False,
        save_debug_info: bool = False,
    ) -> str | None:
        """Writes a checkpoint and returns its prefix: `save_path`, with `-global_step` if that is given.

        The file `latest_filename` ("checkpoint") beside it then names the checkpoints that are kept. The
        graph itself is not written, so the arguments about the meta graph have nothing to act on.

        Raises ValueError when the directory does not exist, FailedPreconditionError for an unset variable;
        then nothing has been written.
        """
        variables = self._built()
        latest_filename = latest_filename or "checkpoint"
        if os.path.split(latest_filename)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        prefix = os.fspath(save_path)
        if global_step is not None:
            step = _step(sess, global_step)
            prefix = f"{prefix}-{step:08d}" if self._pad_step_number else f"{prefix}-{step}"
            if os.path.basename(save_path) == latest_filename:
                raise ValueError(f"'latest_filename' collides with 'save_path': '{latest_filename}'")
        elif os.path.basename(prefix) == latest_filename:
            raise ValueError(
                f"'latest_filename' collides with 'save_path': '{latest_filename}' and '{save_path}'"
            )
        directory = os.path.dirname(prefix)
        if directory and not os.path.isdir(directory):
            raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.")
        if not variables:
            return None
        values = sess.run(variables)
        write_checkpoint(prefix, {name: np.asarray(value) for name, value in values.items()})
        if write_state:
            self._record(prefix, directory, latest_filename)
        return prefix

    def _record(self, prefix: str, directory: str, latest_filename: str) -> None:
        self._last = [entry for entry in self._last if entry[0] != prefix]
        self._last.append((prefix, time.time()))
        if self._max_to_keep and len(self._last) > self._max_to_keep:
            oldest, written = self._last.pop(0)
            if written > self._keep_from:
                self._keep_from += self._keep_hours * 3600  # this one stays for good
            else:
                remove_checkpoint(oldest)
        if not self._relative:
            # Relative to where the program runs, as TensorFlow writes them.
            directory = directory or "."
        update_checkpoint_state(
            directory, prefix, [path for path, _ in self._last], latest_filename,
            [stamp for _, stamp in self._last],
        )  # fmt: skip

    def restore(self, sess: Any, save_path: str) -> None:
        """Sets the variables to a checkpoint's values. They need not be initialised before.

        Raises ValueError when there is no such checkpoint, NotFoundError when it lacks a variable,
        InvalidArgumentError when a shape or dtype differs; then no variable has been changed.
        """
        variables = self._built()
        if not variables:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        save_path = os.fspath(save_path)
        if not checkpoint_exists(save_path):
            raise ValueError(f"The passed save_path is not a valid checkpoint: {save_path}")
        reader = CheckpointReader(save_path)
        values = {name: self._value(reader, name, v) for name, v in variables.items()}
        for name, variable in variables.items():
            sess.set_variable(variable, values[name])

    def _value(self, reader: CheckpointReader, name: str, variable: Variable) -> np.ndarray:
        value = reader.get_tensor(name)
        dtype = variable.dtype.base_dtype
        if dtype != value.dtype:
            raise errors.InvalidArgumentError(
                None, variable.op, f"Tensor name '{name}' has dtype {value.dtype} in the checkpoint, but "
                f"the variable has {dtype.name}",
            )  # fmt: skip
        if self._reshape and variable.shape.num_elements() == value.size:
            value = value.reshape(variable.shape.as_list())
        if not variable.shape.is_compatible_with(value.shape):
            found = ",".join(map(str, value.shape))
            raise errors.InvalidArgumentError(
                None, variable.op, "Assign requires shapes of both tensors to match. lhs shape= "
                f"{variable.shape.brackets()} rhs shape= [{found}]",
            )  # fmt: skip
        return value

    @property
    def last_checkpoints(self) -> list[str]:
        """Prefixes of the checkpoints that are kept, oldest first."""
        return [path for path, _ in self._last]

    def set_last_checkpoints(self, last_checkpoints: list[str]) -> None:
        """Says which checkpoints there are already, oldest first."""
        self._last = [(path, np.inf) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time: list[tuple[str, float]]) -> None:
        """As `set_last_checkpoints`, with the times when they were written."""
        self._last = list(last_checkpoints_with_time)

    def recover_last_checkpoints(self, checkpoint_paths: list[str]) -> None:
        """Takes up the checkpoints of an earlier run, those that still exist."""
        there = [path for path in checkpoint_paths if checkpoint_exists(path)]
        self._last = list(zip(there, get_checkpoint_mtimes(there), strict=True))


def _name(variable: Any) -> str:
    if not isinstance(variable, Variable):
        raise TypeError(f"Variable to save is not a Variable: {variable}")
    return variable.op.name


def _step(sess: Any, global_step: Any) -> int:
    if isinstance(global_step, int | np.integer):
        return int(global_step)
    return int(sess.run(global_step))
