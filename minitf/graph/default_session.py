"""The stack of default sessions (`with sess:`), kept below the runtime so that tensors can `eval`."""

import threading
from typing import Any


class _Sessions(threading.local):
    def __init__(self) -> None:
        self.stack: list[Any] = []


_sessions = _Sessions()


def stack() -> list[Any]:
    """This thread's entered sessions, innermost last."""
    return _sessions.stack


def get_default_session() -> Any:
    """The innermost entered session of this thread, or None."""
    return _sessions.stack[-1] if _sessions.stack else None


def require(session: Any, graph: Any, what: str, method: str) -> Any:
    """`session`, else the default one. Raises ValueError when there is none or its graph is another."""
    given = session is not None
    session = session if given else get_default_session()
    if session is None:
        raise ValueError(
            f"Cannot {what} using `{method}()`: No default session is registered. Use "
            "`with sess.as_default()` or pass an explicit session to "
            f"`{method}(session=sess)`"
        )
    if session.graph is not graph:
        raise ValueError(
            f"Cannot use the {'given' if given else 'default'} session to {what}: the tensor's graph is "
            "different from the session's graph. Pass an explicit session to "
            f"`{method}(session=sess)`."
        )
    return session
