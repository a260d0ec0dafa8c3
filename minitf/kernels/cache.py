"""Where compiled kernels are kept between processes.

May import: the standard library; numba only inside functions.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from minitf._version import __version__

try:
    import fcntl
except ImportError:  # Windows: without the lock, a race costs a recompilation at worst
    fcntl = None

__all__ = ["cache_folder", "file_lock", "lock_cache_writes", "numba_cache"]

_folder: Path | None = None
_folder_known = False


def cache_folder() -> Path | None:
    """Where compiled kernels are kept: MINITF_CACHE_DIR, else ~/.cache/minitf, else a temporary
    folder of this user; None when none of them can be written.

    Each state of the sources has a folder of its own below it, since numba notices a change of
    the file that holds a kernel but not of the files whose functions that kernel uses.
    """
    global _folder, _folder_known
    if not _folder_known:
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        candidates = (
            os.environ.get("MINITF_CACHE_DIR"),
            os.path.join(os.path.expanduser("~"), ".cache", "minitf"),
            os.path.join(tempfile.gettempdir(), f"minitf-{user}"),
        )
        usable = (Path(base) / _sources_key() for base in candidates if base)
        _folder = next(filter(_writable, usable), None)
        _folder_known = True
    return _folder


def _sources_key() -> str:
    state = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        status = path.stat()
        state.update(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
    return f"{__version__}-{state.hexdigest()[:16]}"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owned = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
        with tempfile.TemporaryFile(dir=folder):
            return owned
    except OSError:
        return False


@contextmanager
def numba_cache() -> Iterator[None]:
    """numba's cache is in our folder for what is compiled, or enabled to be cached, within."""
    import numba

    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(cache_folder() or before)
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


def lock_cache_writes(dispatcher: Any) -> None:
    """Let one process at a time add to the cache.

    numba replaces files atomically, but two processes that add to one index at once may give
    the same file name to different code.
    """
    cache = dispatcher._cache
    save = cache.save_overload

    def save_locked(signature: Any, code: Any) -> None:
        with file_lock():
            save(signature, code)

    cache.save_overload = save_locked


@contextmanager
def file_lock() -> Iterator[None]:
    """One process at a time is within, among those that share the cache."""
    folder = cache_folder()
    if folder is None or fcntl is None:
        yield
        return
    with open(folder / "lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
