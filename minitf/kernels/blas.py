"""Keeping NumPy's BLAS off the cores that our own threads need.

May import: `threads` and NumPy.
"""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minitf.kernels.threads import team_started

__all__ = ["blas_on_one_thread"]

_blas_lock = threading.Lock()
_blas_holders = 0
_blas_threads: list[int] = []


@contextmanager
def blas_on_one_thread() -> Iterator[None]:
    """NumPy's OpenBLAS runs on the calling thread alone within.

    Its threads spin for some 25 ms after each product that they share in, on the cores that ours
    need: a convolution of 1.3 ms took 8 ms between two such products. Does nothing for another
    BLAS, or before our threads have started, when the BLAS is welcome to its own.
    """
    global _blas_holders
    if not team_started():
        yield
        return
    with _blas_lock:
        if _blas_holders == 0:
            _blas_threads[:] = [get() for get, _ in _blas_functions()]
            for _, put in _blas_functions():
                put(1)
        _blas_holders += 1
    try:
        yield
    finally:
        with _blas_lock:
            _blas_holders -= 1
            if _blas_holders == 0:
                for (_, put), count in zip(_blas_functions(), _blas_threads):
                    put(count)


@functools.cache
def _blas_functions() -> list[tuple[Callable[[], int], Callable[[int], None]]]:
    """For each OpenBLAS that NumPy brought, how to get and set its number of threads."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs")
    found = []
    for path in (path for folder in folders for path in folder.glob("*openblas*")):
        library = ctypes.CDLL(str(path))
        for name in ("scipy_openblas_{}_num_threads64_", "openblas_{}_num_threads64_",
                     "scipy_openblas_{}_num_threads", "openblas_{}_num_threads"):  # fmt: skip
            if hasattr(library, name.format("set")):
                found.append((library[name.format("get")], library[name.format("set")]))
                break
    return found
