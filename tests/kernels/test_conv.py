"""Convolutions: the compiled ones against their NumPy specification, and that against loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitf.kernels import conv
from minitf.kernels.conv import conv2d, conv2d_backprop_filter, conv2d_backprop_input

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
PADDING = st.tuples(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), st.tuples(st.integers(0, 4), st.integers(0, 4))
)
CASES = st.fixed_dictionaries(
    {
        "batch": st.sampled_from([1, 2, 3, 33]),
        "size": st.tuples(st.integers(1, 16), st.integers(1, 16)),
        "window": st.tuples(st.integers(1, 5), st.integers(1, 5)),
        "channels": st.sampled_from([1, 2, 3, 16, 70]),
        "filters": st.sampled_from([1, 3, 16, 20, 64, 65]),
        "strides": PAIRS,
        "dilations": PAIRS,
        "padding": PADDING | st.just(((0, 0), (0, 0))),
        "dtype": st.sampled_from(["float32", "float64"]),
    }
)


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr(conv, "SMALL", 1)


def arrays(case, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((case["batch"], *case["size"], case["channels"]))
    w = rng.standard_normal((*case["window"], case["channels"], case["filters"]))
    return x.astype(case["dtype"]), w.astype(case["dtype"])


def by_loops(x, w, strides, padding, dilations):
    """The definition, one value at a time."""
    (top, bottom), (left, right) = padding
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    shape = conv.output_shape(x.shape, w.shape, strides, padding, dilations)
    y = np.zeros(shape)
    for n, i, j, o in np.ndindex(*shape):
        for k, m in np.ndindex(*w.shape[:2]):
            row, column = i * strides[0] + k * dilations[0], j * strides[1] + m * dilations[1]
            y[n, i, j, o] += padded[n, row, column] @ w[k, m, :, o]
    return y


@pytest.mark.parametrize(
    "strides, padding, dilations",
    [
        ((1, 1), ((0, 0), (0, 0)), (1, 1)),
        ((2, 1), ((1, 0), (0, 2)), (1, 1)),
        ((1, 3), ((2, 2), (3, 1)), (2, 1)),
        ((2, 2), ((0, 1), (0, 1)), (1, 2)),
    ],
)
def test_the_specification_is_the_definition(strides, padding, dilations):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 7, 6, 3)), rng.standard_normal((3, 2, 3, 4))
    y = conv2d(x, w, strides, padding, dilations)
    np.testing.assert_allclose(y, by_loops(x, w, strides, padding, dilations), rtol=1e-12)
    # The gradients are the transposes of a linear map: <conv(x, w), dy> = <x, dx> = <w, dw>.
    dy = rng.standard_normal(y.shape)
    dx = conv2d_backprop_input(x.shape, w, dy, strides, padding, dilations)
    dw = conv2d_backprop_filter(x, w.shape, dy, strides, padding, dilations)
    np.testing.assert_allclose([(x * dx).sum(), (w * dw).sum()], (y * dy).sum(), rtol=1e-12)


@settings(max_examples=150, deadline=None)
@given(CASES)
def test_compiled_kernels_follow_the_specification(case):
    x, w = arrays(case)
    how = case["strides"], case["padding"], case["dilations"]
    before, conv.SMALL = conv.SMALL, 1
    try:
        y = conv2d(x, w, *how)
        dy = np.random.default_rng(1).standard_normal(y.shape).astype(case["dtype"])
        dx = conv2d_backprop_input(x.shape, w, dy, *how)
        dw = conv2d_backprop_filter(x, w.shape, dy, *how)
    finally:
        conv.SMALL = before
    eps = np.finfo(case["dtype"]).eps
    terms = w[..., 0].size
    for made, wanted, length in (
        (y, conv._conv2d_numpy(x, w, *how), terms),
        (dx, conv._backprop_input_numpy(x.shape, w, dy, *how), w[:, :, 0].size),
        (dw, conv._backprop_filter_numpy(x, w.shape, dy, *how), max(y[..., 0].size, 1)),
    ):
        assert made.dtype == case["dtype"] and made.shape == wanted.shape
        np.testing.assert_allclose(made, wanted, rtol=0, atol=20 * eps * max(length, 10))


@pytest.mark.parametrize("channels, filters", [(512, 128), (600, 70)])
def test_sums_longer_than_a_block_of_terms(compiled, channels, filters):
    case = {"batch": 2, "size": (6, 5), "window": (3, 3), "channels": channels, "filters": filters}
    x, w = arrays(case | {"dtype": "float64"})
    padding = (1, 1), (1, 1)
    y = conv2d(x, w, padding=padding)
    np.testing.assert_allclose(y, conv._conv2d_numpy(x, w, (1, 1), padding, (1, 1)), atol=1e-10)
    np.testing.assert_allclose(
        conv2d_backprop_input(x.shape, w, y, padding=padding),
        conv._backprop_input_numpy(x.shape, w, y, (1, 1), padding, (1, 1)),
        rtol=1e-9,
        atol=1e-8,
    )


def test_bands_of_a_large_image(compiled):
    case = {"batch": 1, "size": (90, 70), "window": (3, 3), "channels": 4, "filters": 8}
    x, w = arrays(case | {"dtype": "float64"})
    how = (2, 1), ((1, 2), (0, 1)), (1, 2)
    y = conv2d(x, w, *how)
    np.testing.assert_allclose(y, conv._conv2d_numpy(x, w, *how), atol=1e-12)
    np.testing.assert_allclose(
        conv2d_backprop_filter(x, w.shape, y, *how),
        conv._backprop_filter_numpy(x, w.shape, y, *how),
        rtol=1e-10,
        atol=1e-10,
    )


@pytest.mark.parametrize("activation", [None, "relu", "relu6"])
@pytest.mark.parametrize("small", [1, 10**12], ids=["compiled", "numpy"])
def test_bias_and_activation(monkeypatch, small, activation):
    monkeypatch.setattr(conv, "SMALL", small)
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 6, 6, 5)), rng.standard_normal((3, 3, 5, 7))
    bias = rng.standard_normal(7) * 5
    wanted = by_loops(x, w, (1, 1), ((0, 0), (0, 0)), (1, 1)) + bias
    wanted = wanted if activation is None else np.maximum(wanted, 0)
    wanted = np.minimum(wanted, 6) if activation == "relu6" else wanted
    out = np.full(wanted.shape, np.nan)
    assert conv2d(x, w, out=out, bias=bias, activation=activation) is out
    np.testing.assert_allclose(out, wanted, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "int32"])
def test_other_dtypes(dtype):
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-4, 5, shape).astype(dtype) for shape in ((2, 5, 5, 3), (2, 2, 3, 4)))
    y = conv2d(x, w)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, by_loops(x, w, (1, 1), ((0, 0), (0, 0)), (1, 1)))
    assert conv2d_backprop_input(x.shape, w, y).dtype == dtype
    assert conv2d_backprop_filter(x, w.shape, y).dtype == dtype


@pytest.mark.parametrize("shape", [(0, 8, 8, 3), (2, 2, 2, 3)], ids=["no images", "no windows"])
def test_empty_results(compiled, shape):
    x, w = np.ones(shape, "f"), np.ones((3, 3, 3, 4), "f")
    y = conv2d(x, w)
    assert y.size == 0 and y.shape[3] == 4
    assert (conv2d_backprop_input(shape, w, y) == 0).all()
    assert (conv2d_backprop_filter(x, w.shape, y) == 0).all()


def test_filter_gradients_have_the_same_bits_each_time(compiled):
    case = {"batch": 16, "size": (13, 13), "window": (3, 3), "channels": 8, "filters": 8}
    x, w = arrays(case | {"dtype": "float32"})
    dy = conv2d(x, w)
    first = conv2d_backprop_filter(x, w.shape, dy)
    assert all((conv2d_backprop_filter(x, w.shape, dy) == first).all() for _ in range(5))


def test_views_and_read_only_arrays(compiled):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 12, 12, 6))[::2, ::2, :, ::3]
    w = rng.standard_normal((3, 3, 2, 4))
    w.flags.writeable = False
    np.testing.assert_allclose(conv2d(x, w), by_loops(x, w, (1, 1), ((0, 0), (0, 0)), (1, 1)), atol=1e-12)


def test_errors():
    x, w = np.ones((1, 5, 5, 3), "f"), np.ones((3, 3, 4, 8), "f")
    with pytest.raises(ValueError, match=r"images \(1, 5, 5, 3\) .* do not fit filters \(3, 3, 4, 8\)"):
        conv2d(x, w)
    with pytest.raises(ValueError, match="dtypes differ: float32 and float64"):
        conv2d(x, np.ones((3, 3, 3, 8)))
    with pytest.raises(ValueError, match=r"gradient has shape .* give \(1, 3, 3, 8\)"):
        conv2d_backprop_input((1, 5, 5, 4), w, np.ones((1, 5, 5, 8), "f"))
    with pytest.raises(ValueError, match=r"bias must be of shape \(8,\) .* got float32 \(3,\)"):
        conv2d(np.ones((1, 5, 5, 4), "f"), w, bias=np.ones(3, "f"))
    with pytest.raises(ValueError, match="activation must be one of"):
        conv2d(np.ones((1, 5, 5, 4), "f"), w, activation="swish")
