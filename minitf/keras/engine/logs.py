"""What training reports after each batch: means of the losses, and the metrics as they stand."""

from typing import Any

import numpy as np


class LossMean:
    """The mean of a loss over the samples of several batches."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset_state()

    def reset_state(self) -> None:
        """Begins anew."""
        self._total, self._count = 0.0, 0

    reset_states = reset_state

    def add(self, value: float, count: int) -> float:
        """Takes the mean of a batch of `count` samples into account, and returns the mean so far."""
        self._total += value * count
        self._count += count
        return self._total / self._count

    def result(self) -> float:
        """The mean so far, 0.0 before the first batch."""
        return self._total / self._count if self._count else 0.0


class RunningLogs:
    """The logs of an epoch so far."""

    def __init__(self) -> None:
        self.losses: dict[str, LossMean] = {}
        self.last: dict[str, Any] = {}

    def add(self, step: Any, results: list[Any], count: int) -> dict[str, Any]:
        """Takes a step's results into account and returns the logs: Python floats, arrays as they are."""
        logs: dict[str, Any] = {}
        for i, (name, value) in enumerate(zip(step.log_names, results, strict=True)):
            if i < step.losses:
                mean = self.losses.get(name)
                if mean is None:
                    mean = self.losses[name] = LossMean(name)
                logs[name] = mean.add(float(value), count)
            else:
                logs[name] = value if np.ndim(value) else float(value)
        self.last = logs
        return logs
