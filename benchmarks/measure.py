"""How things are measured: steps, memory, installed size, and the machine itself."""

import importlib.metadata as metadata
import os
import platform
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ENGINES = ("minitf", "tensorflow")


def time_steps(step: Callable[[], object], seconds: float, warm: int = 5, least: int = 10) -> float:
    """Returns the median time of one call of `step`, in seconds.

    Calls it for a quarter of `seconds` unmeasured (at least `warm` times: caches fill, kernels compile),
    then times each call for `seconds` (at least `least` calls).
    """
    _repeat(step, seconds / 4, warm)
    return statistics.median(_repeat(step, seconds, least))


def _repeat(step: Callable[[], object], seconds: float, least: int) -> list[float]:
    times = []
    clock = time.perf_counter
    end = clock() + seconds
    while len(times) < least or clock() < end:
        start = clock()
        step()
        times.append(clock() - start)
    return times


def peak_memory() -> int:
    """Returns the most memory this process has had resident, in bytes."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
    except OSError:  # not Linux: ru_maxrss, in bytes on macOS and KiB elsewhere
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def installed_size(package: str) -> int:
    """Returns the bytes that `package` and all it requires take up where they are installed."""
    return sum(_distribution_size(name) for name in _closure(package))


def _closure(package: str) -> set[str]:
    """Returns the names of `package` and of everything it requires here, without extras."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found, waiting = set(), [package]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found


def _distribution_size(name: str) -> int:
    """Returns the bytes of the installed files of one distribution."""
    distribution = metadata.distribution(name)
    if name == "minitf":  # its files may be listed nowhere: an editable install points to them
        import minitf

        folder = Path(minitf.__file__).parent
        files = (path for path in folder.rglob("*") if path.is_file())
    else:
        files = (Path(file.locate()) for file in distribution.files or ())
    return sum(path.stat().st_size for path in files if path.exists())


def machine() -> dict[str, object]:
    """Returns what the figures depend on: processor, cores, sgemm peak, versions, date."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in (*ENGINES, "numpy", "numba", "scipy")},
        "sgemm GFLOP/s": round(sgemm_peak() / 1e9),
        "date": time.strftime("%Y-%m-%d"),
    }


def _processor() -> str:
    try:
        return re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        return platform.processor() or platform.machine()


def sgemm_peak(size: int = 1536, rounds: int = 20) -> float:
    """Returns the fastest float32 matrix product that NumPy's BLAS does, in operations a second."""
    import numpy as np

    left, right = np.random.default_rng(0).random((2, size, size), np.float32)
    out = np.empty_like(left)
    return 2 * size**3 / min(_repeat(lambda: np.matmul(left, right, out), 0, rounds))
