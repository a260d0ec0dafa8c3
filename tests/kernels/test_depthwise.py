"""Depthwise convolutions, as ordinary convolutions with diagonal filters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitf.kernels import conv, depthwise
from minitf.kernels.depthwise import (
    depthwise_conv2d,
    depthwise_conv2d_backprop_filter,
    depthwise_conv2d_backprop_input,
)

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
SIDES = st.tuples(st.integers(0, 3), st.integers(0, 3))


def dense(w):
    """The filters of the ordinary convolution that does the same."""
    rows, columns, channels, multiplier = w.shape
    filters = np.zeros((rows, columns, channels, channels, multiplier), w.dtype)
    for c in range(channels):
        filters[:, :, c, c] = w[:, :, c]
    return filters.reshape(rows, columns, channels, channels * multiplier)


def diagonal(dense_w, w_shape):
    rows, columns, channels, multiplier = w_shape
    split = dense_w.reshape(rows, columns, channels, channels, multiplier)
    return np.stack([split[:, :, c, c] for c in range(channels)], axis=2)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([1, 2, 9]),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([1, 2, 3, 16, 65]),
    st.sampled_from([1, 1, 2, 3]),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(PAIRS | st.just((1, 1)), st.tuples(SIDES, SIDES), PAIRS),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from([1, 10**12]),
)
def test_against_the_ordinary_convolution(batch, size, channels, multiplier, window, how, dtype, small):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *size, channels)).astype(dtype)
    w = rng.standard_normal((*window, channels, multiplier)).astype(dtype)
    before, depthwise.SMALL = depthwise.SMALL, small
    try:
        y = depthwise_conv2d(x, w, *how)
        dy = rng.standard_normal(y.shape).astype(dtype)
        dx = depthwise_conv2d_backprop_input(x.shape, w, dy, *how)
        dw = depthwise_conv2d_backprop_filter(x, w.shape, dy, *how)
    finally:
        depthwise.SMALL = before
    wanted = conv._conv2d_numpy(x, dense(w), *how)
    assert y.dtype == dtype and y.shape == wanted.shape
    close = {"rtol": 0, "atol": 1e-3 if dtype == "float32" else 1e-11}
    np.testing.assert_allclose(y, wanted, **close)
    np.testing.assert_allclose(dx, conv._backprop_input_numpy(x.shape, dense(w), dy, *how), **close)
    wanted = conv._backprop_filter_numpy(x, dense(w).shape, dy, *how)
    np.testing.assert_allclose(dw, diagonal(wanted, w.shape), **close)


def test_half_precision():
    x, w = np.ones((1, 3, 3, 2), np.float16), np.ones((2, 2, 2, 3), np.float16)
    y = depthwise_conv2d(x, w)
    assert y.dtype == np.float16 and y.shape == (1, 2, 2, 6) and (y == 4).all()


def test_errors():
    x, w = np.ones((1, 5, 5, 3), "f"), np.ones((3, 3, 4, 1), "f")
    with pytest.raises(ValueError, match=r"\(1, 5, 5, 3\) .* do not fit depthwise filters \(3, 3, 4, 1\)"):
        depthwise_conv2d(x, w)
    with pytest.raises(ValueError, match="dtypes differ: float32 and float64"):
        depthwise_conv2d(x, np.ones((3, 3, 3, 1)))
    with pytest.raises(ValueError, match=r"gradient has shape .* give \(1, 3, 3, 4\)"):
        depthwise_conv2d_backprop_input((1, 5, 5, 4), w, np.ones((1, 5, 5, 4), "f"))
