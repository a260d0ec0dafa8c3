"""`BackupAndRestore`: training that goes on where it was interrupted."""

import os
import tempfile
from typing import Any

import numpy as np

from minitf.keras.callbacks.base import Callback

_FILE = "training_state.npz"


class BackupAndRestore(Callback):
    """Saves the state of training into the folder `backup_dir` after every epoch.

    When `fit` finds a state there, it goes on after the epoch that was saved last: with its weights and the
    optimizer's. The backup is deleted at the end of training unless `delete_checkpoint` is False.
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
    ) -> None:
        super().__init__()
        if save_freq != "epoch":
            raise NotImplementedError("BackupAndRestore: save_freq must be 'epoch'")
        if save_before_preemption:
            raise NotImplementedError("BackupAndRestore: save_before_preemption is not supported")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq, self.delete_checkpoint = save_freq, delete_checkpoint
        self.first_epoch: int | None = None
        """The epoch that `fit` shall begin with, where it found a backup."""

    @property
    def _path(self) -> str:
        return os.path.join(self.backup_dir, _FILE)

    def on_train_begin(self, logs: Any = None) -> None:
        """Restores what an interrupted training left."""
        self.first_epoch = None
        if not os.path.exists(self._path):
            return
        with np.load(self._path, allow_pickle=False) as state:
            weights, optimizer_weights = (
                [state[f"{kind}_{i}"] for i in range(int(state[f"{kind}_count"]))]
                for kind in ("model", "optimizer")
            )
            self.first_epoch = int(state["epoch"]) + 1
            hyperparameters = {name: state[f"hyper_{name}"] for name in self._hyperparameters()}
        self.model.set_weights(weights)
        self.model.optimizer.set_weights(optimizer_weights)
        for name, value in hyperparameters.items():
            setattr(self.model.optimizer, name, value)

    def _hyperparameters(self) -> dict[str, np.ndarray]:
        """The learning rate and the like, where they are numbers and not schedules."""
        hyper = self.model.optimizer._hyper
        return {name: value.numpy() for name, value in hyper.items() if hasattr(value, "numpy")}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Saves; the file is complete or not there at all."""
        arrays: dict[str, Any] = {"epoch": epoch}
        for kind, owner in (("model", self.model), ("optimizer", self.model.optimizer)):
            values = owner.get_weights()
            arrays[f"{kind}_count"] = len(values)
            arrays.update({f"{kind}_{i}": value for i, value in enumerate(values)})
        arrays.update({f"hyper_{name}": value for name, value in self._hyperparameters().items()})
        os.makedirs(self.backup_dir, exist_ok=True)
        handle, partial = tempfile.mkstemp(suffix=".part", dir=self.backup_dir)
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)
            os.replace(partial, self._path)
        finally:
            if os.path.exists(partial):
                os.remove(partial)

    def on_train_end(self, logs: Any = None) -> None:
        """Deletes the backup."""
        if self.delete_checkpoint and os.path.exists(self._path):
            os.remove(self._path)
