"""Callbacks that watch one value: `EarlyStopping`, `ModelCheckpoint`, `ReduceLROnPlateau`."""

import os
import warnings
from typing import Any

import numpy as np

from minitf.keras.callbacks.base import Callback


class _Monitoring(Callback):
    """Base of those that watch one value: which way is better, and by how much."""

    _name = ""

    def _watch(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        self.monitor = monitor
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{self._name} mode {mode} is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        if mode == "auto":
            rises = (
                monitor.endswith(("acc", "accuracy", "auc"))
                or "acc" in monitor
                or monitor.startswith("fmeasure")
            )
            mode = "max" if rises else "min"
        self.mode = mode
        self.monitor_op = np.greater if mode == "max" else np.less
        self.min_delta = abs(min_delta) * (1 if mode == "max" else -1)

    def _worst(self) -> float:
        return -np.inf if self.mode == "max" else np.inf

    def _monitored(self, logs: Any) -> Any:
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{self._name} conditioned on metric `{self.monitor}` which is not available. Available "
                f"metrics are: {','.join(logs or {})}",
                stacklevel=3,
            )
        return value


class EarlyStopping(_Monitoring):
    """Stops training when `monitor` has not become better by `min_delta` for `patience` epochs.

    With `baseline`, it must beat that too. `restore_best_weights` goes back to the best epoch's weights.
    """

    _name = "Early stopping"

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__()
        self._watch(monitor, mode, min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self._worst()
        self.best_weights: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Starts anew, so that the object can be used again."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self._worst()
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compares the epoch with the best one."""
        current = self._monitored(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights = self.model.get_weights()
        self.wait += 1
        if self.monitor_op(current - self.min_delta, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.monitor_op(current - self.min_delta, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if self.restore_best_weights and self.best_weights is not None:
                if self.verbose > 0:
                    print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
                self.model.set_weights(self.best_weights)

    def on_train_end(self, logs: Any = None) -> None:
        """Says where it stopped."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")

    def get_monitor_value(self, logs: Any) -> Any:
        """The watched value, or None with a warning."""
        return self._monitored(logs)


class ModelCheckpoint(_Monitoring):
    """Saves the model (or its weights) after every epoch or every so many batches.

    `filepath` may name `{epoch}` and logs (`{val_loss:.2f}`). With `save_best_only`, only when `monitor` is
    the best so far. `period` is the old way to say every how many epochs.
    """

    _name = "Can save best model only with"

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        options: Any = None,
        initial_value_threshold: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self._watch(monitor, mode)
        self.period = kwargs.pop("period", 1)
        if kwargs:
            raise TypeError(f"Invalid keyword arguments: {tuple(kwargs)}")
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer values"
            )
        self.filepath = os.fspath(filepath)
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.save_freq = save_freq
        self.best = self._worst() if initial_value_threshold is None else initial_value_threshold
        self._epochs_since_save = 0
        self._batches_since_save = 0
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Saves every `save_freq` batches, if that is a number."""
        if self.save_freq == "epoch":
            return
        self._batches_since_save += 1
        if self._batches_since_save >= self.save_freq:
            self._batches_since_save = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Saves after an epoch."""
        self._epochs_since_save += 1
        if self.save_freq == "epoch" and self._epochs_since_save >= self.period:
            self._epochs_since_save = 0
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        logs = logs or {}
        where = {} if batch is None else {"batch": batch + 1}
        try:
            path = self.filepath.format(epoch=epoch + 1, **where, **logs)
        except KeyError as error:
            raise KeyError(
                f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}'
            ) from None
        if self.save_best_only:
            current = self._monitored(logs)
            if current is None:
                return
            if not self.monitor_op(current, self.best):
                if self.verbose > 0:
                    print(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
                return
            if self.verbose > 0:
                print(
                    f"\nEpoch {epoch + 1}: {self.monitor} improved from {self.best:.5f} to {current:.5f}, "
                    f"saving model to {path}"
                )
            self.best = current
        elif self.verbose > 0:
            print(f"\nEpoch {epoch + 1}: saving model to {path}")
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)


class ReduceLROnPlateau(_Monitoring):
    """Multiplies the learning rate by `factor` when `monitor` has not become better for `patience` epochs."""

    _name = "Learning rate reduction is"

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        min_delta = kwargs.pop("epsilon", min_delta)
        if kwargs:
            raise TypeError(f"Invalid keyword arguments: {tuple(kwargs)}")
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Got {factor}")
        self._watch(monitor, mode, min_delta)
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self._reset()

    def _reset(self) -> None:
        self.best = self._worst()
        self.cooldown_counter = self.wait = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Starts anew."""
        self._reset()

    def in_cooldown(self) -> bool:
        """Whether the rate was lowered a short time ago."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Lowers the rate if it is time to."""
        if logs is not None:
            logs["lr"] = float(self.model.optimizer.lr.numpy())
        current = self._monitored(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.monitor_op(current - self.min_delta, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            old = float(self.model.optimizer.lr.numpy())
            if self.wait >= self.patience and old > np.float32(self.min_lr):
                new = max(old * self.factor, self.min_lr)
                self.model.optimizer.lr = new
                if self.verbose > 0:
                    print(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
                self.cooldown_counter, self.wait = self.cooldown, 0
