"""What training keeps and shows of its logs: `History`, `BaseLogger`, `ProgbarLogger`."""

from typing import Any

from minitf.keras.callbacks.base import Callback
from minitf.keras.utils.progbar import Progbar


class History(Callback):
    """Keeps the logs of every epoch: `history[name]` is a list, `epoch` the epochs' numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Starts the list of epochs."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keeps an epoch's logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self


class BaseLogger(Callback):
    """Averages metrics over an epoch's batches, but for `stateful_metrics`."""

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts the averages."""
        self.seen = 0
        self.totals: dict[str, float] = {}

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Adds a batch."""
        logs = logs or {}
        size = logs.get("size", 1)
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0.0) + value * size

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Puts the averages into the logs."""
        for name, total in self.totals.items():
            logs[name] = total if name in self.stateful_metrics else total / self.seen


class ProgbarLogger(Callback):
    """Shows the progress bar."""

    def __init__(self, count_mode: str = "steps", stateful_metrics: Any = None) -> None:
        super().__init__()
        if count_mode not in ("samples", "steps"):
            raise ValueError(f'Unknown `count_mode`: {count_mode}. Expected values are ["samples", "steps"]')
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or ())
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._in_training = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes verbosity and numbers of epochs and steps."""
        super().set_params(params)
        self.verbose = params.get("verbose", 1)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs: Any = None) -> None:
        """Notes that bars are those of training."""
        self._in_training = True

    def on_test_begin(self, logs: Any = None) -> None:
        """A bar of its own for an evaluation, none for a validation."""
        if not self._in_training:
            self._start()

    def on_predict_begin(self, logs: Any = None) -> None:
        """Starts a bar."""
        self._start()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Starts an epoch's bar."""
        self._start()
        if self.verbose and self.epochs > 1:
            print(f"Epoch {epoch + 1}/{self.epochs}")

    def _start(self) -> None:
        self.seen = 0
        self.progbar = Progbar(
            self.target, verbose=self.verbose, unit_name="step" if self.use_steps else "sample",
        )  # fmt: skip

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar on."""
        self._advance(batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar of an evaluation on."""
        if not self._in_training:
            self._advance(batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Moves the bar on."""
        self._advance(batch, {})

    def _advance(self, batch: int, logs: Any) -> None:
        self.seen = batch + 1
        bar = self.progbar
        if self.verbose == 1:
            # The logs are means already.
            bar.stateful_metrics.update(logs)
            bar.update(self.seen, list(logs.items()), finalize=False)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Ends the line."""
        self._finish(logs)

    def on_test_end(self, logs: Any = None) -> None:
        """Ends the line of an evaluation."""
        if not self._in_training:
            self._finish(logs)

    def on_predict_end(self, logs: Any = None) -> None:
        """Ends the line."""
        self._finish({})

    def on_train_end(self, logs: Any = None) -> None:
        """Forgets that training ran."""
        self._in_training = False

    def _finish(self, logs: Any) -> None:
        if self.progbar is None or not self.verbose:
            return
        if self.progbar.target is None:
            self.target = self.progbar.target = self.seen
        logs = logs or {}
        self.progbar.stateful_metrics.update(logs)
        self.progbar.update(self.progbar.target, list(logs.items()), finalize=True)
