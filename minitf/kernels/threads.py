"""Threads and compilation: what every fast kernel needs before it can be fast.

A kernel is a plain Python function marked with one of two decorators::

    @jit
    def _axpy(a, x, y, start, stop):          # a serial helper, callable from other kernels
        for i in range(start, stop):
            y[i] += a * x[i]

    @parallel_jit
    def _axpy_all(a, x, y, parts):            # prange runs its iterations on all threads
        for part in prange(parts):
            start, stop = chunk(x.size, parts, part)
            _axpy(a, x, y, start, stop)

    _axpy_all(a, x, y, num_threads())

Nothing is compiled, and numba is not imported, before the first call. Compiled code is kept on
disk (see `cache`), so that only the first call on a machine waits for the compiler. Kernels
take the number of parts as an argument and cut their work into that many fixed chunks: results
depend on that number alone, never on which thread came first.

Threading layer. numba offers three. Measured per parallel call on two cores: `workqueue` 70 us
and not safe to enter from two Python threads, `omp` 1.7 us and safe, `tbb` safe but usually not
installed. So `omp` is chosen where numba has it (unless NUMBA_THREADING_LAYER says otherwise),
and `workqueue`, where nothing else exists, is entered under a lock. GNU OpenMP does not survive
a fork: in a forked child the kernels run serially.

May import: `cache` and NumPy; numba only inside functions.
"""

from __future__ import annotations

import importlib
import os
import threading
import types
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from minitf.kernels.cache import cache_folder, file_lock, lock_cache_writes, numba_cache

__all__ = [
    "chunk",
    "compile_callback",
    "copy",
    "flat",
    "intrinsic",
    "jit",
    "num_threads",
    "parallel_jit",
    "prange",
    "result",
    "scratch",
    "set_num_threads",
    "team_started",
]


# Number of threads ---------------------------------------------------------------------------


def _default_num_threads() -> int:
    requested = os.environ.get("MINITF_NUM_THREADS", "")
    if requested:
        if not requested.isdigit() or int(requested) < 1:
            raise ValueError(f"MINITF_NUM_THREADS must be a positive integer, got {requested!r}")
        return int(requested)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_num_threads = _default_num_threads()


def num_threads() -> int:
    """The number of parts that kernels cut their work into."""
    return _num_threads


def set_num_threads(count: int | None) -> None:
    """Set the number of threads; None or 0 means the default (MINITF_NUM_THREADS, else cores).

    With 1, no other thread is ever started.

    Raises:
      ValueError: `count` is negative.
    """
    global _num_threads
    if count is not None and count < 0:
        raise ValueError(f"the number of threads must be at least 1, got {count}")
    _num_threads = count or _default_num_threads()


# Scratch memory ------------------------------------------------------------------------------

_local = threading.local()


def scratch(name: str, size: int, dtype: Any) -> np.ndarray:
    """A flat uninitialised array of at least `size` items, kept for the next call.

    It belongs to the calling Python thread, so that two sessions may run at once, and to `name`,
    so that a kernel may hold several. It starts on a 64-byte boundary and only ever grows.
    """
    buffers = _local.__dict__
    key = name, np.dtype(dtype)
    buffer = buffers.get(key)
    if buffer is None or buffer.size < size:
        itemsize = key[1].itemsize
        raw = np.empty(size * itemsize + 64, np.uint8)
        start = -raw.ctypes.data % 64
        buffer = buffers[key] = raw[start : start + size * itemsize].view(dtype)
    return buffer


def flat(array: np.ndarray) -> np.ndarray:
    """The array as compiled kernels take all arrays: flat, contiguous and writable.

    It is a view if it can be, else a copy; one form only, because each needs its own compilation.
    """
    if array.flags.c_contiguous and array.flags.writeable:
        return array.reshape(-1)
    return array.flatten()


def result(shape: tuple[int, ...], dtype: Any, out: np.ndarray | None) -> np.ndarray:
    """The array a kernel writes its result to: `out`, or a new one.

    Raises:
      ValueError: `out` has another shape or dtype, or is not C-contiguous.
    """
    if out is None:
        return np.empty(shape, dtype)
    if out.shape != shape or out.dtype != dtype or not out.flags.c_contiguous:
        raise ValueError(
            f"out must be a C-contiguous {np.dtype(dtype)} array of shape {shape}, got "
            f"{out.dtype} {out.shape}"
        )
    return out


# Compiling -----------------------------------------------------------------------------------


def prange(*args: int) -> range:
    """`range`, whose iterations run on all threads inside a function marked `parallel_jit`."""
    return range(*args)


class _Compiled:
    """A Python function that becomes machine code on its first call."""

    def __init__(self, function: Callable, options: dict[str, Any]) -> None:
        self.function = function
        self.options = options
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__
        self._dispatcher: Callable | None = None

    def __call__(self, *args: Any) -> Any:
        return (self._dispatcher or self.resolve())(*args)

    def resolve(self) -> Callable:
        """The numba function, made on first need."""
        with _compile_lock:
            if self._dispatcher is None:
                self._dispatcher = _numba_function(self.function, False, self.options)
        return self._dispatcher


class _ParallelCompiled(_Compiled):
    """As `_Compiled`, with `prange` loops spread over the threads."""

    _parallel: Callable | None = None

    def __call__(self, *args: Any) -> Any:
        if _num_threads == 1 or _team_lost:
            return super().__call__(*args)
        parallel = self._parallel or self._make_parallel()
        with _team_guard:
            return parallel(*args)

    def _make_parallel(self) -> Callable:
        global _team_started
        with _compile_lock:
            if self._parallel is None:
                _choose_threading_layer()
                self._parallel = _numba_function(self.function, True, self.options)
                _team_started = True
        return self._parallel


class _Intrinsic:
    """A numba intrinsic (hand-written LLVM code), made on first need."""

    def __init__(self, make: Callable[[], Callable]) -> None:
        self._make = make
        self._made: Callable | None = None

    def resolve(self) -> Callable:
        """The numba intrinsic."""
        if self._made is None:
            self._made = self._make()
        return self._made


def jit(function: Callable | None = None, **options: Any) -> Any:
    """Compile `function` on its first call. Usable bare or with numba's options.

    The function may use other functions so marked, NumPy, and constants of its module. It runs
    without the GIL. Floating-point semantics are strict except that a*b+c may be fused; pass for
    example `fastmath={"reassoc", "contract"}` to let sums be reordered.
    """
    if function is None:
        return lambda function: _Compiled(function, options)
    return _Compiled(function, options)


def parallel_jit(function: Callable | None = None, **options: Any) -> Any:
    """As `jit`, and the iterations of `prange` run on all threads."""
    if function is None:
        return lambda function: _ParallelCompiled(function, options)
    return _ParallelCompiled(function, options)


def intrinsic(make: Callable[[], Callable]) -> Any:
    """Mark a function that returns a numba intrinsic; kernels call the mark as a function."""
    return _Intrinsic(make)


@jit
def chunk(size, parts, part):
    """The half-open range of part `part` of `size` items cut into `parts` nearly equal parts."""
    return size * part // parts, size * (part + 1) // parts


@jit
def copy(target, source):
    """Copy one flat array to another of the same size.

    numba compiles `target[:] = source` too, but takes a second longer over its error messages.
    """
    for i in range(target.size):
        target[i] = source[i]


_compile_lock = threading.RLock()


def _numba_function(function: Callable, parallel: bool, options: dict[str, Any]) -> Callable:
    import numba

    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}} | options
    dispatcher = numba.njit(parallel=parallel, **options)(_numba_source(function, parallel))
    with numba_cache():
        if cache_folder() is not None:
            dispatcher.enable_caching()
            lock_cache_writes(dispatcher)
    return dispatcher


def compile_callback(function: Callable, signature: Any) -> int:
    """Compile a function of C types and return its address, which stays valid.

    `signature` is numba's. Kernels that take the address as an argument share one machine code,
    and can be cached, which those that refer to a compiled function's address cannot.
    """
    import numba

    with _compile_lock, numba_cache(), file_lock():
        cached = cache_folder() is not None
        callback = numba.cfunc(signature, cache=cached)(_numba_source(function, False))
    _callbacks.append(callback)
    return callback.address


_callbacks: list[Any] = []


def _numba_source(function: Callable, parallel: bool) -> Callable:
    """The function with the names it uses bound to what numba knows."""
    import numba

    used = _names_used(function.__code__)
    namespace = {
        name: numba.prange if value is prange and parallel else _resolved(value)
        for name, value in function.__globals__.items()
        if name in used
    }
    source = types.FunctionType(function.__code__, namespace, function.__name__, function.__defaults__)
    # Serial and parallel code of one function are cached under different names.
    source.__qualname__ = function.__qualname__ + ("_parallel" if parallel else "")
    source.__module__ = function.__module__
    return source


def _names_used(code: types.CodeType) -> set[str]:
    inner = (_names_used(part) for part in code.co_consts if isinstance(part, types.CodeType))
    return set(code.co_names).union(*inner)


def _resolved(value: Any) -> Any:
    if value is prange:
        return range
    return value.resolve() if isinstance(value, _Compiled | _Intrinsic) else value


# The team of threads -------------------------------------------------------------------------

SPINS = "20000"
"""How long a thread of GNU OpenMP waits awake, some 300 us: longer than what lies between the kernels
of one step, since a thread that fell asleep costs 20 us to wake (6 % of an MLP step, measured). By
default it is milliseconds: then, with another process on one of the cores, each parallel call lasts
as long as that process's turn, 8 ms measured for kernels of 0.3 ms.
"""

_team_guard: Any = nullcontext()
_team_started = False
_team_lost = False


def team_started() -> bool:
    """Whether threads of ours are running."""
    return _team_started


def _choose_threading_layer() -> None:
    """Prefer OpenMP; guard the one layer that is not safe to enter from several threads."""
    global _team_guard
    import numba

    if _team_started:
        return
    if numba.config.THREADING_LAYER == "default":
        numba.config.THREADING_LAYER = next(filter(_loads, ("omp", "tbb", "workqueue")))
    if numba.config.THREADING_LAYER == "workqueue":
        _team_guard = threading.Lock()


def _loads(layer: str) -> bool:
    """Whether numba has a threading layer; loads it."""
    # GNU OpenMP reads its settings when it is loaded.
    own = {"GOMP_SPINCOUNT": SPINS} if "OMP_WAIT_POLICY" not in os.environ else {}
    own = {name: value for name, value in own.items() if name not in os.environ}
    os.environ.update(own)
    try:
        importlib.import_module(f"numba.np.ufunc.{layer if layer == 'workqueue' else layer + 'pool'}")
    except ImportError:
        return False
    finally:
        for name in own:
            del os.environ[name]
    return True


def _after_fork() -> None:
    global _team_lost
    _team_lost = _team_started


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
