"""`CallbackList`: several callbacks called as one."""

from collections.abc import Callable
from typing import Any

from minitf.keras.callbacks.base import Callback
from minitf.keras.callbacks.progress import History, ProgbarLogger

_EVENTS = (
    "on_epoch_begin", "on_epoch_end", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin",
    "on_test_batch_end", "on_predict_batch_begin", "on_predict_batch_end", "on_train_begin",
    "on_train_end", "on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end",
)  # fmt: skip


class CallbackList:
    """Several callbacks called as one; only those that listen to an event cost anything when it happens."""

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        if isinstance(callbacks, CallbackList):
            callbacks = callbacks.callbacks
        if callbacks is None:
            callbacks = []
        self.callbacks = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger(count_mode="steps"))
        if add_history:
            history = next((c for c in self.callbacks if isinstance(c, History)), None)
            if history is None:
                history = History()
                self.callbacks.append(history)
            model.history = history
        self._listeners = {
            event: [getattr(c, event) for c in self.callbacks if _listens(c, event)] for event in _EVENTS
        }
        for callback in self.callbacks:
            callback.set_params(params)
            if model is not None:
                callback.set_model(model)

    def first_epoch(self, given: int) -> int:
        """The epoch to begin with: `given`, unless a callback restored a later state."""
        return max([given, *[getattr(c, "first_epoch", None) or given for c in self.callbacks]])

    def append(self, callback: Callback) -> None:
        """Adds a callback."""
        self.callbacks.append(callback)
        for event in _EVENTS:
            if _listens(callback, event):
                self._listeners[event].append(getattr(callback, event))


def _event(name: str) -> Callable:
    def method(self, *args: Any) -> None:
        listeners = self._listeners[name]
        if not listeners:
            return
        if len(args) < 2 and ("epoch" in name or "batch" in name) or not args:
            args = (*args, {})
        for listener in listeners:
            listener(*args)

    method.__name__ = name
    method.__doc__ = f"Calls `{name}` of those that have it."
    return method


for _name in _EVENTS:
    setattr(CallbackList, _name, _event(_name))

_OLD_NAMES = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}


def _listens(callback: Any, event: str) -> bool:
    """Whether a callback does anything at an event."""
    names = [event] + ([_OLD_NAMES[event]] if event in _OLD_NAMES else [])
    for name in names:
        method = getattr(callback, name, None)
        if method is not None and getattr(type(callback), name, None) is not getattr(Callback, name, None):
            return True
        if name in getattr(callback, "__dict__", {}):
            return True
    return False
