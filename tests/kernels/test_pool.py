"""Pooling: the compiled kernels against their NumPy specification, and that against loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitf.kernels import pool
from minitf.kernels.pool import (
    argmax_dtype,
    avg_pool,
    avg_pool_grad,
    max_pool,
    max_pool_gather,
    max_pool_grad,
)

LOWEST = np.finfo("float32").min


@st.composite
def cases(draw):
    ksize = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    strides = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)) | st.just(ksize))
    padding = tuple(
        draw(st.tuples(st.integers(0, window - 1), st.integers(0, window - 1))) for window in ksize
    )
    shape = (
        draw(st.sampled_from([1, 2, 3, 9])),
        draw(st.integers(1, 12)),
        draw(st.integers(1, 12)),
        draw(st.sampled_from([1, 2, 3, 16, 65])),
    )
    dtype = draw(st.sampled_from(["float32", "float64"]))
    return draw(st.integers(0, 1000)), shape, dtype, (ksize, strides, padding)


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr(pool, "SMALL", 1)


def windows(shape, how):
    """Each window, with its cells inside the image as (number, row, column)."""
    (k_rows, k_columns), strides, padding = how
    rows, columns = ((shape[1 + i] + sum(padding[i]) - how[0][i]) // strides[i] + 1 for i in (0, 1))
    for i, j in np.ndindex(max(rows, 0), max(columns, 0)):
        top, left = i * strides[0] - padding[0][0], j * strides[1] - padding[1][0]
        yield (
            (i, j),
            [
                (k * k_columns + m, top + k, left + m)
                for k in range(k_rows)
                for m in range(k_columns)
                if 0 <= top + k < shape[1] and 0 <= left + m < shape[2]
            ],
        )


@settings(max_examples=80, deadline=None)
@given(cases())
def test_the_specification_is_the_definition(case):
    seed, shape, dtype, how = case
    x = np.random.default_rng(seed).integers(-3, 4, shape).astype(dtype)
    y, places = pool._max_pool_numpy(x, *how)
    means = pool._avg_pool_numpy(x, *how)
    slopes = np.random.default_rng(seed).standard_normal(y.shape)
    from_max, from_mean = np.zeros(shape), np.zeros(shape)
    for (i, j), cells in windows(shape, how):
        for n, c in np.ndindex(shape[0], shape[3]):
            values = [x[n, row, column, c] for _, row, column in cells]
            number, row, column = cells[int(np.argmax(values))]
            assert y[n, i, j, c] == max(values) and places[n, i, j, c] == number
            assert means[n, i, j, c] == pytest.approx(np.mean(values), rel=1e-6)
            from_max[n, row, column, c] += slopes[n, i, j, c]
            for _, row, column in cells:
                from_mean[n, row, column, c] += slopes[n, i, j, c] / len(cells)
    np.testing.assert_allclose(max_pool_grad(places, slopes, shape, *how), from_max, atol=1e-12)
    np.testing.assert_allclose(avg_pool_grad(slopes, shape, *how), from_mean, atol=1e-12)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_compiled_kernels_follow_the_specification(case):
    seed, shape, dtype, how = case
    rng = np.random.default_rng(seed)
    x = rng.integers(-3, 4, shape).astype(dtype)
    x[rng.random(shape) < 0.1] = np.nan
    before, pool.SMALL = pool.SMALL, 1
    try:
        y, places = max_pool(x, *how)
        dy = rng.standard_normal(y.shape).astype(dtype)
        dx = max_pool_grad(places, dy, shape, *how)
        finite = rng.standard_normal(shape).astype(dtype)
        means, spread = avg_pool(finite, *how), avg_pool_grad(dy, shape, *how)
    finally:
        pool.SMALL = before
    wanted, wanted_places = pool._max_pool_numpy(x, *how)
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(places, wanted_places)
    close = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(dx, pool._max_pool_grad_numpy(places, dy, shape, *how), **close)
    np.testing.assert_allclose(means, pool._avg_pool_numpy(finite, *how), **close)
    np.testing.assert_allclose(spread, pool._avg_pool_grad_numpy(dy, shape, *how), **close)


@pytest.mark.parametrize(
    "window, maximum, place",
    [
        ([2, 2, 1, 2], 2, 0),
        ([np.nan, 1, 2, 0], 2, 0),
        ([1, np.nan, 2, 0], 2, 2),
        ([2, 1, 0, np.nan], 2, 0),
        ([np.nan] * 4, LOWEST, 0),
        ([-np.inf] * 4, LOWEST, 0),
    ],
)
@pytest.mark.parametrize("small", [1, 10**12], ids=["compiled", "numpy"])
def test_ties_and_nan_are_tensorflows(monkeypatch, small, window, maximum, place):
    monkeypatch.setattr(pool, "SMALL", small)
    x = np.repeat(np.array(window, "float32").reshape(1, 2, 2, 1), 20, axis=3)
    y, places = max_pool(x, (2, 2), (2, 2))
    assert (y == np.float32(maximum)).all() and (places == place).all()


def test_gather_is_the_transpose_of_the_gradient(compiled):
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((2, 2, 9, 8, 5))
    how = (3, 2), (2, 2), ((1, 1), (0, 1))
    y, places = max_pool(x, *how)
    dy = rng.standard_normal(y.shape)
    gathered = max_pool_gather(places, z, *how)
    np.testing.assert_allclose(
        (gathered * dy).sum(), (z * max_pool_grad(places, dy, x.shape, *how)).sum(), rtol=1e-12
    )
    np.testing.assert_array_equal(max_pool_gather(places, x, *how), y)


@pytest.mark.parametrize("ksize, dtype", [((16, 16), "u1"), ((17, 16), "u2"), ((257, 256), "u4")])
def test_places_take_as_few_bytes_as_the_window_allows(ksize, dtype):
    assert argmax_dtype(ksize) == np.dtype(dtype)


def test_windows_of_more_than_256_cells(compiled):
    x = np.random.default_rng(0).standard_normal((2, 20, 40, 3)).astype("float32")
    y, places = max_pool(x, (20, 20), (20, 20))
    assert places.dtype == np.uint16 and places.max() > 255
    np.testing.assert_array_equal(y[:, 0, 1], x[:, :, 20:].max(axis=(1, 2)))
    dx = max_pool_grad(places, np.ones_like(y), x.shape, (20, 20), (20, 20))
    np.testing.assert_array_equal(dx[:, :, :20] > 0, x[:, :, :20] == y[:, :, :1])


@pytest.mark.parametrize("dtype", ["int32", "uint8", "float16"])
def test_other_dtypes(dtype):
    x = np.arange(32).reshape(1, 4, 4, 2).astype(dtype)
    y, places = max_pool(x, (2, 2), (2, 2))
    assert y.dtype == dtype and (places == 3).all()
    np.testing.assert_array_equal(y, x[:, 1::2, 1::2])
    if dtype == "float16":
        assert avg_pool(x, (2, 2), (2, 2)).dtype == dtype


def test_results_go_to_out(compiled):
    x = np.random.default_rng(0).standard_normal((2, 5, 5, 3))
    y, places = np.empty((2, 2, 2, 3)), np.empty((2, 2, 2, 3), np.uint8)
    made = max_pool(x, (2, 2), (2, 2), out=y, argmax=places)
    assert made[0] is y and made[1] is places
    dx = np.full(x.shape, np.nan)
    assert max_pool_grad(places, np.ones_like(y), x.shape, (2, 2), (2, 2), out=dx) is dx
    assert dx.sum() == y.size and (dx[:, 4] == 0).all() and (dx[:, :, 4] == 0).all()


def test_too_much_padding_is_refused():
    x = np.ones((1, 4, 4, 1), "float32")
    with pytest.raises(ValueError, match=r"padding .* must be smaller than the window size \(2, 2\)"):
        max_pool(x, (2, 2), (2, 2), ((2, 0), (0, 0)))
