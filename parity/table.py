"""The table that `python -m parity` prints."""

import time
import warnings
from collections.abc import Iterator

import tensorflow

import minitf
from parity.measure import Row, compare, run
from parity.models import MODELS, ModelCase

_LINE = "{:<38} {:<44} {:>10} {:>10}  {}"


def rows_of(case: ModelCase, dtype: str) -> list[Row]:
    """Runs a model with both engines and compares."""
    ours = run(minitf, case, dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # tf-keras calls tf.layers deprecated
        theirs = run(tensorflow.compat.v1, case, dtype)
    return compare(case, dtype, ours, theirs)


def _chosen(words: list[str]) -> Iterator[tuple[ModelCase, str]]:
    for case in MODELS.values():
        for dtype in case.dtypes:
            if not words or any(word.lower() in f"{case.name} {dtype}".lower() for word in words):
                yield case, dtype


def main(words: list[str]) -> int:
    """Prints the table for models whose names contain one of `words`; returns the exit status."""
    started, rows = time.perf_counter(), []
    print(f"minitf {minitf.__version__} beside TensorFlow {tensorflow.__version__}\n")
    print(_LINE.format("model", "quantity", "error", "tolerance", "verdict"))
    for case, dtype in _chosen(words):
        for row in rows_of(case, dtype):
            verdict = "ok" if row.passed else "FAILED"
            print(_LINE.format(row.model, row.quantity, f"{row.error:.2e}", f"{row.tolerance:.0e}", verdict))
            rows.append(row)
    failed = [row for row in rows if not row.passed]
    seconds = time.perf_counter() - started
    print(f"\n{len(rows)} quantities compared in {seconds:.0f} s, {len(failed)} failed")
    if not rows:
        print("no model has such a name")
    return 1 if failed or not rows else 0
