"""The table of `python -m parity`, model by model."""

import pytest

from parity.models import MODELS
from parity.table import main, rows_of

PAIRS = [(case, dtype) for case in MODELS.values() for dtype in case.dtypes]


@pytest.mark.parametrize(("case", "dtype"), PAIRS, ids=lambda value: getattr(value, "name", value))
def test_model(case, dtype):
    failed = [row for row in rows_of(case, dtype) if not row.passed]
    assert not failed, "\n".join(f"{row.quantity}: error {row.error:.2e} > {row.tolerance}" for row in failed)


def test_main_prints_the_table_and_says_whether_all_is_well(capsys):
    assert main(["linear regression float32"]) == 0
    printed = capsys.readouterr().out
    assert "gradient of W" in printed and "ok" in printed and "0 failed" in printed


def test_main_fails_when_a_number_is_off(capsys, monkeypatch):
    from parity import measure

    monkeypatch.setitem(measure.TOLERANCES["float32"], "gradients", -1.0)
    assert main(["linear regression float32"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_main_fails_when_there_is_no_such_model(capsys):
    assert main(["no such model"]) == 1
