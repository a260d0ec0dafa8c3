"""The benchmarks' arithmetic and reports, and every workload once under minitf alone."""

import json
import subprocess
import sys
import time

import pytest

from benchmarks import __main__ as command
from benchmarks import measure, report
from benchmarks.workloads import WORKLOADS, Run, Workload

MACHINE = {
    "processor": "Abacus",
    "cores": 2,
    "python": "3.11.7",
    "versions": {"minitf": "0.1.0", "tensorflow": "2.21.0"},
    "sgemm GFLOP/s": 190,
    "date": "2026-01-02",
    "load": 0.1,
}
FASTER = report.Row("mlp", "MLP step", "s", [0.003, 0.001, 0.002], [0.004, 0.005, 0.003])
LARGER = report.Row("memory", "Peak memory", "B", [3e9], [2e9])
FAILED = report.Row("counter", "Counter", "s", [], [0.0001])


def test_ratio_is_of_medians():
    assert FASTER.ratio == pytest.approx(0.5)
    assert LARGER.ratio == pytest.approx(1.5)
    assert FAILED.ratio is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (2.345, "s", "2.35 s"),
        (0.0123, "s", "12.3 ms"),
        (0.000131, "s", "131 µs"),
        (5e-8, "s", "0.05 µs"),
        (428.4e6, "B", "428 MB"),
        (2.14e9, "B", "2.14 GB"),
    ],
)
def test_quantity_picks_the_unit(value, unit, text):
    assert report.quantity(value, unit) == text


def test_terminal_table():
    assert report.table([FASTER, FAILED]).splitlines() == [
        "workload   minitf  TensorFlow  ratio",
        "MLP step  2.00 ms     4.00 ms    0.5",
        "Counter    failed      100 µs      –",
    ]


def test_markdown_has_spread_and_conditions():
    lines = report.markdown([FASTER, LARGER, FAILED], MACHINE, rounds=3).splitlines()
    assert lines[2:5] == [
        "| MLP step | 2.00 ms (1.00 ms – 3.00 ms) | 4.00 ms (3.00 ms – 5.00 ms) | 0.5 |",
        "| Peak memory | 3.00 GB | 2.00 GB | 1.5 |",
        "| Counter | failed | 100 µs | – |",
    ]
    assert lines[-1] == (
        "Abacus, 2 cores, sgemm peak 190 GFLOP/s; Python 3.11.7, minitf 0.1.0, tensorflow 2.21.0; "
        "2026-01-02, the machine's load before it 0.1; "
        "median of 3 interleaved rounds, each in a process of its own."
    )


def test_insert_replaces_what_stands_between_the_marks(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("above\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nbelow\n", encoding="utf-8")
    for _ in range(2):
        report.insert("| 38 µs |\n", path)
    assert path.read_text(encoding="utf-8") == (
        "above\n<!-- benchmarks -->\n| 38 µs |\n<!-- /benchmarks -->\nbelow\n"
    )


def test_the_readme_shows_the_recorded_figures():
    recorded = (command.RESULTS / "benchmarks.md").read_text(encoding="utf-8")
    assert f"<!-- benchmarks -->\n{recorded}<!-- /benchmarks -->\n" in (command.ROOT / "README.md").read_text(
        encoding="utf-8"
    )


def test_save_keeps_every_figure(tmp_path):
    report.save([FASTER, LARGER, FAILED], MACHINE, 3, tmp_path / "results")
    content = json.loads((tmp_path / "results/benchmarks.json").read_text(encoding="utf-8"))
    assert content["rounds"] == 3
    assert content["machine"] == MACHINE
    assert content["workloads"][0]["minitf"] == FASTER.minitf
    assert content["workloads"][0]["ratio"] == pytest.approx(0.5)
    assert content["workloads"][2]["ratio"] is None
    assert (tmp_path / "results/benchmarks.md").stat().st_size
    assert (tmp_path / "results/benchmarks.png").read_bytes().startswith(b"\x89PNG")


def test_rounds_alternate_and_the_first_is_not_counted(monkeypatch):
    calls = []

    def figure(workload, engine, seconds):
        calls.append((workload.name, engine))
        return float(len(calls))

    monkeypatch.setattr(command, "figure", figure)
    step = Workload("step", "Step", "s", run=None)
    cold = Workload("cold", "Cold", "s", run=None, cold=True)
    size = Workload("size", "Size", "B", run=None, fixed=True)
    rows = command.compare([step, cold, size], rounds=2, seconds=1.0)

    forth, back = ["minitf", "tensorflow"], ["tensorflow", "minitf"]
    expected = [("step", engine) for engine in back]  # round 0: nothing cold, nothing fixed
    expected += [(name, engine) for name in ("step", "cold", "size") for engine in forth]
    expected += [(name, engine) for name in ("step", "cold") for engine in back]
    assert calls == expected
    assert [(row.minitf, row.tensorflow) for row in rows] == [
        ([3.0, 10.0], [4.0, 9.0]),
        ([5.0, 12.0], [6.0, 11.0]),
        ([7.0], [8.0]),
    ]


def test_a_failing_engine_is_reported_not_hidden(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "counter", "--quick"])
    monkeypatch.setattr(measure, "machine", lambda: MACHINE)
    monkeypatch.setattr(command, "figure", lambda *run: None if "minitf" in run else 1.0)
    assert command.main() == 1
    assert "failed" in capsys.readouterr().out


def test_time_steps_is_the_median_of_enough_calls():
    calls = []

    def step():
        calls.append(None)
        time.sleep(0.05 if len(calls) == 12 else 0.001)  # one outlier among the timed calls

    assert 0.001 <= measure.time_steps(step, 0.0) < 0.02
    assert len(calls) == 15  # 5 unmeasured, 10 timed


def test_installed_size_counts_dependencies():
    assert measure.installed_size("minitf") > measure.installed_size("numpy") > 10e6


def test_peak_memory_sees_an_allocation():
    before = measure.peak_memory()
    assert before > 5e6
    block = bytearray(b"x") * (before + 50_000_000)
    assert measure.peak_memory() > len(block)


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_every_workload_runs_under_minitf(workload):
    import minitf as tf

    with tf.Graph().as_default():
        figure = workload.run(Run("minitf", 0.0, time.time()))
    assert figure > 0


def test_worker_prints_its_figure_last():
    worker = [sys.executable, "-m", "benchmarks.worker", "counter", "minitf", "0", "0"]
    printed = subprocess.run(worker, cwd=command.ROOT, capture_output=True, text=True, check=True).stdout
    assert 0 < json.loads(printed.splitlines()[-1]) < 1
