"""Runs a check on many samples of a case. The samples are the same every time."""

import zlib
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.op_cases import Case
from tests.op_cases.draw import Draw


def fuzz(case: Case, dtypes: Iterable[str], smooth: bool = False, examples: int | None = None) -> Callable:
    """Calls the decorated `check(draw, inputs, attrs)` with samples of each dtype."""

    def run(check: Callable[[Draw, list[Any], dict[str, Any]], None]) -> None:
        for dtype in dtypes:
            _fuzz_dtype(case, dtype, smooth, examples or case.examples, check)

    return run


def _fuzz_dtype(case: Case, dtype: str, smooth: bool, examples: int, check: Callable) -> None:
    @seed(zlib.crc32(f"{case.id} {dtype}".encode()))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def one_dtype(data):
        draw = Draw(data, dtype, smooth)
        check(draw, *case.split(case.sample(draw)))

    one_dtype()
