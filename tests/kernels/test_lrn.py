"""Local response normalization: against the formula channel by channel, and by differences."""

import numpy as np
import pytest

from minitf.kernels import lrn
from minitf.kernels.lrn import local_response_normalization, local_response_normalization_grad

BOTH = pytest.mark.parametrize("small", [1, 10**12], ids=["compiled", "numpy"])
SETTINGS = pytest.mark.parametrize(
    "settings",
    [(5, 1.0, 1.0, 0.5), (2, 2.0, 0.3, 0.75), (1, 1.5, 0.2, 1.0), (40, 1.0, 1e-3, 0.6), (0, 1.0, 1.0, 0.5)],
)


def by_channels(x, radius, bias, alpha, beta):
    y = np.empty_like(x)
    for c in range(x.shape[-1]):
        window = x[..., max(0, c - radius) : c + radius + 1]
        y[..., c] = x[..., c] / (bias + alpha * (window**2).sum(-1)) ** beta
    return y


@BOTH
@SETTINGS
@pytest.mark.parametrize("channels", [1, 3, 17])
def test_the_formula(monkeypatch, small, settings, channels):
    monkeypatch.setattr(lrn, "SMALL", small)
    x = np.random.default_rng(0).standard_normal((2, 3, 4, channels))
    y = local_response_normalization(x, *settings)
    np.testing.assert_allclose(y, by_channels(x, *settings), rtol=1e-12)


@BOTH
@SETTINGS
def test_the_gradient_is_the_slope(monkeypatch, small, settings):
    monkeypatch.setattr(lrn, "SMALL", small)
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 2, 3, 9))
    y = local_response_normalization(x, *settings)
    dx = local_response_normalization_grad(dy, x, y, *settings)
    step = 1e-6
    for at in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[at] += step
        behind[at] -= step
        slope = (by_channels(ahead, *settings) - by_channels(behind, *settings)) / (2 * step)
        assert dx[at] == pytest.approx((slope * dy).sum(), abs=1e-7)


@BOTH
def test_single_and_half_precision(monkeypatch, small):
    monkeypatch.setattr(lrn, "SMALL", small)
    x = np.random.default_rng(0).standard_normal((2, 3, 3, 8))
    wanted = by_channels(x, 2, 1.0, 0.5, 0.75)
    for dtype, tolerance in (("float32", 1e-6), ("float16", 2e-3)):
        out = np.empty(x.shape, dtype)
        assert local_response_normalization(x.astype(dtype), 2, 1.0, 0.5, 0.75, out=out) is out
        np.testing.assert_allclose(out, wanted, rtol=tolerance, atol=tolerance)
        slopes = local_response_normalization_grad(out, x.astype(dtype), out, 2, 1.0, 0.5, 0.75)
        assert slopes.dtype == dtype
