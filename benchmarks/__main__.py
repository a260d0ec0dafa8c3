"""`python -m benchmarks`: runs every workload under minitf and TensorFlow in turn and compares."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import measure, report
from benchmarks.workloads import WORKLOADS, Workload

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"


def figure(workload: Workload, engine: str, seconds: float) -> float | None:
    """Runs the workload in a new process; returns its figure, or None and shows why it failed."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        if workload.cold:
            environment["MINITF_CACHE_DIR"] = empty
        worker = [sys.executable, "-m", "benchmarks.worker", workload.name, engine, str(seconds)]
        done = subprocess.run(
            [*worker, str(time.time())],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        print(f"{workload.title}, {engine}, failed:\n{done.stderr}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def compare(workloads: list[Workload], rounds: int, seconds: float) -> list[report.Row]:
    """Runs all in rounds, so that what else the machine does falls on both engines alike.

    A first round is run and not counted: files get into the page cache, kernels get compiled.
    """
    figures = {workload: {engine: [] for engine in measure.ENGINES} for workload in workloads}
    for count in range(rounds + 1):
        for workload in workloads:
            if count == 0 and (workload.cold or workload.fixed):
                continue
            if count > 1 and workload.fixed:
                continue
            if sys.stderr.isatty():
                print(f"\rround {count}/{rounds}: {workload.title:60s}", end="", file=sys.stderr)
            for engine in measure.ENGINES[:: 1 if count % 2 else -1]:
                value = figure(workload, engine, seconds if count else 0.2)
                if count and value is not None:
                    figures[workload][engine].append(value)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return [report.Row(w.name, w.title, w.unit, **figures[w]) for w in workloads]


def main() -> int:
    """Returns 1 if any workload failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, help="how often each is run (5; quick: 1)")
    parser.add_argument("--only", metavar="NAME", nargs="+", choices=WORKLOADS, help="some of them")
    parser.add_argument("--quick", action="store_true", help="one short round: a rough look")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for the files; a full run without it renews benchmarks/results and README.md, "
        "others write none",
    )
    parser.add_argument("--list", action="store_true", help="list the workloads' names")
    options = parser.parse_args()
    if options.list:
        print("\n".join(f"{w.name:20s} {w.title}" for w in WORKLOADS.values()))
        return 0

    workloads = [WORKLOADS[name] for name in options.only or WORKLOADS]
    rounds = options.rounds or (1 if options.quick else 5)
    machine = {"load": round(os.getloadavg()[0], 1), **measure.machine()}
    rows = compare(workloads, rounds, 0.3 if options.quick else 2.0)
    print(f"{report.table(rows)}\n\n{report.conditions(machine, rounds)}")
    out = options.out or (None if options.only or options.quick else RESULTS)
    if out:
        report.save(rows, machine, rounds, out)
        print(f"saved {out}/benchmarks.json, .md and .png")
    if out == RESULTS:
        report.insert(report.markdown(rows, machine, rounds), ROOT / "README.md")
    return int(any(row.ratio is None for row in rows))


if __name__ == "__main__":
    sys.exit(main())
