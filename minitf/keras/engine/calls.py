"""What is known while layers are being called: training or not, and who calls whom."""

import threading
from contextlib import contextmanager
from typing import Any


class _Calls(threading.local):
    def __init__(self) -> None:
        self.training: list[Any] = []
        self.layers: list[Any] = []
        self.replays = 0


_calls = _Calls()


def current_training() -> Any:
    """The `training` value of the innermost call that has one, or None."""
    for value in reversed(_calls.training):
        if value is not None:
            return value
    return None


def in_call() -> bool:
    """Whether some layer's `call` is running."""
    return bool(_calls.layers)


@contextmanager
def training_scope(training: Any) -> Any:
    """Calls made inside run with this `training` value unless they are given another."""
    _calls.training.append(training)
    try:
        yield
    finally:
        _calls.training.pop()


@contextmanager
def call_scope(layer: Any, training: Any) -> Any:
    """Marks that `layer.call` runs."""
    _calls.layers.append(layer)
    try:
        with training_scope(training):
            yield
    finally:
        _calls.layers.pop()


@contextmanager
def replay_scope() -> Any:
    """Marks that a model calls its layers again: these calls are no part of how models are connected."""
    _calls.replays += 1
    try:
        yield
    finally:
        _calls.replays -= 1


def in_replay() -> bool:
    """Whether a model is calling its layers again."""
    return _calls.replays > 0
