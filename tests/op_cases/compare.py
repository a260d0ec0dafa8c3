"""How results are compared: shape, dtype, where NaN and infinities are, and the largest error."""

from typing import Any

import numpy as np

# Values below this are compared absolutely; a result of 1e-20 that should be 0 is no error.
_FLOOR = 1e-3


def largest_error(actual: np.ndarray, expected: np.ndarray, elementwise: bool = False) -> float:
    """The largest difference of finite values, relative to the output's scale (or to each element)."""
    finite = np.isfinite(expected) & np.isfinite(actual)
    if not finite.any():
        return 0.0
    wide = np.complex128 if np.asarray(expected).dtype.kind == "c" else np.float64
    a, b = np.asarray(actual)[finite].astype(wide), np.asarray(expected)[finite].astype(wide)
    size = np.abs(b) if elementwise else np.max(np.abs(b))
    return float(np.max(np.abs(a - b) / np.maximum(size, _FLOOR)))


def assert_close(
    actual: Any, expected: Any, tolerance: float = 0.0, elementwise: bool = False, what: str = "output"
) -> None:
    """Asserts equal shape and dtype, NaN and infinities in the same places, and a small error elsewhere."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    assert actual.dtype == expected.dtype, f"{what}: dtype {actual.dtype}, expected {expected.dtype}"
    if actual.dtype.kind not in "fc":
        assert np.array_equal(actual, expected), f"{what}:\n{actual}\nexpected\n{expected}"
        return
    detail = f"{what}:\n{actual!r}\nexpected\n{expected!r}"
    assert np.array_equal(np.isnan(actual), np.isnan(expected)), detail
    infinite = np.isinf(expected) | np.isinf(actual)
    assert np.array_equal(actual[infinite], expected[infinite], equal_nan=True), detail
    with np.errstate(all="ignore"):
        error = largest_error(actual, expected, elementwise)
    assert error <= tolerance, f"error {error:.3g} is more than {tolerance:.3g} in {detail}"
