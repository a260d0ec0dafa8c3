"""`Progbar`: Keras 2's progress line, byte for byte."""

import sys
import time
from typing import Any

import numpy as np


class Progbar:
    """Shows how far a loop is and the means of some values.

    `target` is the number of steps (None if unknown). `verbose` is 0 (nothing), 1 (a bar, redrawn at most
    once per `interval` seconds) or 2 (one line at the end). Values named in `stateful_metrics` are shown as
    they are, others averaged over the steps.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self._values: dict[str, list[Any]] = {}  # name → [sum, number of steps]
        self._seen = 0
        self._drawn_width = 0
        self._start = time.time()
        self._last_draw = 0.0
        self._first_step_at: float | None = None
        self._epoch_start = self._start

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Says that `current` steps are done; `values` are pairs of name and value of the last step."""
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        steps = max(current - self._seen, 1)
        for name, value in values or ():
            if name in self.stateful_metrics:
                self._values[name] = [value, 1]
            else:
                known = self._values.setdefault(name, [0.0, 0])
                known[0] += value * steps
                known[1] += steps
        self._seen = current
        now = time.time()
        if self.verbose == 1:
            if now - self._last_draw < self.interval and not finalize:
                return
            self._draw(current, now, finalize)
        elif self.verbose == 2 and finalize:
            self._write_line(current, now)
        self._last_draw = now

    def add(self, n: int, values: Any = None) -> None:
        """Says that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _draw(self, current: int, now: float, finalize: bool) -> None:
        back = "\b" * self._drawn_width + "\r"
        bar = self._bar(current)
        duration = self._step_duration(current, now)
        if self.target is None or finalize:
            info = f" - {now - self._start:.0f}s" + _duration(duration, self.unit_name)
        else:
            info = f" - ETA: {_remaining(duration * (self.target - current))}"
        info += self._means(lambda mean: abs(mean) > 1e-3)
        width = len(bar) + len(info)
        padding = " " * max(self._drawn_width - width, 0)
        self._drawn_width = width
        _write(back + bar + info + padding + ("\n" if finalize else ""))

    def _bar(self, current: int) -> str:
        if self.target is None:
            return f"{current:7d}/Unknown"
        digits = len(str(self.target))
        filled = int(self.width * current / self.target)
        head = ""
        if filled:
            head = "=" * (filled - 1) + (">" if current < self.target else "=")
        return f"{current:{digits}d}/{self.target} [{head}{'.' * (self.width - filled)}]"

    def _write_line(self, current: int, now: float) -> None:
        digits = len(str(self.target))
        line = f"{current:{digits}d}/{self.target} - {now - self._start:.0f}s"
        line += self._means(lambda mean: mean > 1e-3)
        if current == self.target:
            epoch = now - self._epoch_start
            line += f" -{_duration(epoch, 'epoch')} -{_duration(epoch / self.target, self.unit_name)}"
            self._epoch_start = now
        _write(line + "\n")

    def _means(self, fixed: Any) -> str:
        text = ""
        for name, (total, steps) in self._values.items():
            mean = float(np.mean(total / max(1, steps)))
            text += f" - {name}: {mean:.4f}" if fixed(mean) else f" - {name}: {mean:.4e}"
        return text

    def _step_duration(self, current: int, now: float) -> float:
        """Seconds per step, without the first one (which compiles) as soon as there are more."""
        if not current:
            return 0.0
        if self._first_step_at is not None and current > 1:
            duration = (now - self._first_step_at) / (current - 1)
        else:
            duration = (now - self._start) / current
        if current == 1:
            self._first_step_at = now
        return duration

    def _update_stateful(self, names: Any) -> None:
        self.stateful_metrics = self.stateful_metrics.union(names)


def _duration(seconds: float, unit: str) -> str:
    if seconds >= 1 or seconds == 0:
        return f" {seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f" {seconds * 1e3:.0f}ms/{unit}"
    return f" {seconds * 1e6:.0f}us/{unit}"


def _remaining(seconds: float) -> str:
    whole = int(seconds)
    if seconds > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    if seconds > 60:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole}s"


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
