"""Medians and ratios of the figures, and how they are shown. Knows nothing of engines' code."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "B": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")),
}


@dataclass(frozen=True)
class Row:
    """One workload's figures: one a round for each engine, empty where the engine failed."""

    name: str
    title: str
    unit: str  # "s" or "B"
    minitf: Sequence[float]
    tensorflow: Sequence[float]

    @property
    def ratio(self) -> float | None:
        """minitf's median over TensorFlow's: below 1, minitf needs less. None if one failed."""
        if not (self.minitf and self.tensorflow):
            return None
        return statistics.median(self.minitf) / statistics.median(self.tensorflow)


def quantity(value: float, unit: str) -> str:
    """Returns the value with three digits and a fitting unit: 0.0123, "s" -> "12.3 ms"."""
    scale, name = next((s for s in SCALES[unit] if value >= s[0]), SCALES[unit][-1])
    number = value / scale
    return f"{number:.{0 if number >= 100 else 1 if number >= 10 else 2}f} {name}"


def median(figures: Sequence[float], unit: str) -> str:
    """Returns the median as text, "failed" if there are no figures."""
    return quantity(statistics.median(figures), unit) if figures else "failed"


def spread(figures: Sequence[float], unit: str) -> str:
    """Returns the median, and the least and the greatest figure where there are several."""
    text = median(figures, unit)
    if len(figures) < 2:
        return text
    return f"{text} ({quantity(min(figures), unit)} – {quantity(max(figures), unit)})"


def ratio(row: Row) -> str:
    """Returns the ratio as text, a dash if there is none."""
    return "–" if row.ratio is None else f"{row.ratio:.3g}"


def conditions(machine: Mapping[str, object], rounds: int) -> str:
    """Returns one sentence that says what the figures depend on."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, sgemm peak "
        f"{machine['sgemm GFLOP/s']} GFLOP/s; Python {machine['python']}, {versions}; "
        f"{machine['date']}, the machine's load before it {machine['load']}; "
        f"median of {rounds} interleaved rounds, each in a process of its own."
    )


def table(rows: Sequence[Row]) -> str:
    """Returns the terminal's table."""
    lines = [("workload", "minitf", "TensorFlow", "ratio")]
    for row in rows:
        figures = (median(row.minitf, row.unit), median(row.tensorflow, row.unit))
        lines.append((row.title, *figures, ratio(row)))
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(line[1:], widths[1:])])
        for line in lines
    )


def markdown(rows: Sequence[Row], machine: Mapping[str, object], rounds: int) -> str:
    """Returns the table with least and greatest figures, and the conditions below it."""
    lines = ["| workload | minitf | TensorFlow | ratio |", "| --- | ---: | ---: | ---: |"]
    for row in rows:
        figures = (spread(row.minitf, row.unit), spread(row.tensorflow, row.unit))
        lines.append(f"| {' | '.join((row.title, *figures, ratio(row)))} |")
    return "\n".join([*lines, "", conditions(machine, rounds), ""])


def insert(text: str, path: Path) -> None:
    """Puts `text` between the lines <!-- benchmarks --> and <!-- /benchmarks --> of the file."""
    start, end = "<!-- benchmarks -->\n", "<!-- /benchmarks -->\n"
    before, rest = path.read_text(encoding="utf-8").split(start)
    after = rest.split(end)[1]
    path.write_text(f"{before}{start}{text}{end}{after}", encoding="utf-8")


def save(rows: Sequence[Row], machine: Mapping[str, object], rounds: int, folder: Path) -> None:
    """Writes benchmarks.json (every figure), benchmarks.md and benchmarks.png into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "machine": machine,
        "rounds": rounds,
        "workloads": [{**vars(row), "ratio": row.ratio} for row in rows],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (folder / "benchmarks.json").write_text(text, encoding="utf-8")
    (folder / "benchmarks.md").write_text(markdown(rows, machine, rounds), encoding="utf-8")
    chart(rows, machine, folder / "benchmarks.png")


def chart(rows: Sequence[Row], machine: Mapping[str, object], path: Path) -> None:
    """Draws each ratio as a bar on a logarithmic axis, with both medians on the right."""
    from matplotlib.figure import Figure

    rows = [row for row in rows if row.ratio is not None][::-1]
    figure = Figure(figsize=(11, 1.4 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    colors = ["tab:green" if row.ratio <= 1 else "tab:red" for row in rows]
    axes.barh(range(len(rows)), [row.ratio - 1 for row in rows], left=1, color=colors)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(rows)), [row.title for row in rows])
    beside = axes.twinx()
    beside.set_ylim(axes.get_ylim())
    beside.set_yticks(
        range(len(rows)),
        [f"{ratio(r)}  ({median(r.minitf, r.unit)} : {median(r.tensorflow, r.unit)})" for r in rows],
    )
    axes.set_xlabel("minitf : TensorFlow — left of 1, minitf needs less")
    axes.set_title(f"{machine['processor']}, {machine['cores']} cores", fontsize=9)
    figure.savefig(path, dpi=80)
