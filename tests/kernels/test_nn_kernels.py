"""The compiled forms of activations, biases, softmax, dropout and normalization against their NumPy twins.

Arrays of float32 large enough are compiled, the same numbers in float64 (or few of them) are not.
"""

import numpy as np
import pytest

from minitf.kernels import activation, bias, dropout, lanes, normalize, softmax, threads
from minitf.kernels.exponential import exp, expm1

SHAPE = (40, 1003)  # more than any threshold, and no multiple of a vector
UNARY = ["relu", "relu6", "elu", "selu"]
BACKWARD = ["relu_grad", "relu6_grad"]


@pytest.fixture(params=[1, 2, 3], autouse=True)
def number_of_threads(request):
    threads.set_num_threads(request.param)
    yield
    threads.set_num_threads(None)


def numbers(*shape, seed=0, scale=4):
    values = (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)
    return values


def special(*shape, seed=0):
    values = numbers(*shape, seed=seed)
    values.reshape(-1)[:6] = [np.nan, np.inf, -np.inf, 0, -0.0, 6]
    return values


def agree(actual, expected, tolerance=2e-6):
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", UNARY)
def test_activations(name):
    function, x = getattr(activation, name), special(*SHAPE)
    with np.errstate(all="ignore"):
        expected = function(x.astype(np.float64))
    agree(function(x), expected)
    out = np.full_like(x, 7)
    assert function(x, out) is out
    agree(out, expected)
    agree(function(x, x), expected)  # in place


@pytest.mark.parametrize("name", BACKWARD)
def test_slopes_of_activations(name):
    function, slopes, features = getattr(activation, name), special(*SHAPE, seed=1), special(*SHAPE)
    with np.errstate(all="ignore"):
        expected = function(slopes.astype(np.float64), features.astype(np.float64))
    agree(function(slopes, features), expected)
    agree(function(slopes.copy(), features, target := np.empty_like(slopes)), expected)
    assert target.shape == slopes.shape
    first, second = slopes.copy(), features.copy()
    agree(function(first, features, first), expected)
    agree(function(slopes, second, second), expected)


def test_leaky_relu_wherever_the_result_goes():
    x, slopes = special(*SHAPE), numbers(*SHAPE, seed=1)
    wide = x.astype(np.float64)
    expected = activation.leaky_relu(wide, 0.3)
    agree(activation.leaky_relu(x, 0.3), expected)
    agree(activation.leaky_relu(x.copy(), 0.3, x.copy()), expected)
    agree(activation.leaky_relu(again := x.copy(), 0.3, again), expected)
    expected = activation.leaky_relu_grad(slopes.astype(np.float64), wide, 0.3)
    agree(activation.leaky_relu_grad(slopes, x, 0.3), expected)
    agree(activation.leaky_relu_grad(first := slopes.copy(), x, 0.3, first), expected)
    agree(activation.leaky_relu_grad(slopes, second := x.copy(), 0.3, second), expected)


def test_exponentials_to_the_last_place():
    @threads.jit
    def fill(x, y, z):
        for i in range(x.size):
            y[i] = exp(x[i])
            z[i] = expm1(x[i])

    x = np.concatenate(
        [np.linspace(-103, 88.7, 100_001), np.geomspace(1e-30, 1, 1000), -np.geomspace(1e-30, 1, 1000)]
    )
    x = x.astype(np.float32)
    y, z = np.empty_like(x), np.empty_like(x)
    fill(x, y, z)
    exact = np.exp(x.astype(np.float64))
    with np.errstate(all="ignore"):
        assert np.max(np.abs(y - exact) / np.spacing(exact.astype(np.float32))) < 1.5
    below = x < 80
    exact = np.expm1(x[below].astype(np.float64))
    assert np.max(np.abs(z[below] - exact) / np.spacing(np.abs(exact).astype(np.float32))) < 2
    ends = np.array([-np.inf, np.inf, np.nan, -200, 200], np.float32)
    fill(ends, y[:5], z[:5])
    np.testing.assert_array_equal(y[:5], [0, np.inf, np.nan, 0, np.inf])


@pytest.mark.parametrize("shape", [(60, 10), (9, 64), (300, 129), (3, 9001)])
def test_softmax(shape):
    x = numbers(*shape)
    wide = x.astype(np.float64)
    for function in (softmax.softmax, softmax.log_softmax):
        agree(function(x), function(wide), 4e-6)
        out = np.empty_like(x)
        assert function(x, out) is out
        agree(out, function(wide), 4e-6)
    x[0, 0], x[1, 1], x[2, 2] = np.nan, np.inf, -np.inf
    for function in (softmax.softmax, softmax.log_softmax):
        with np.errstate(all="ignore"):
            agree(function(x), function(x.astype(np.float64)), 4e-6)


@pytest.mark.parametrize("shape", [(60, 10), (9, 64), (300, 129)])
def test_cross_entropies(shape):
    x = numbers(*shape)
    labels = np.abs(numbers(*shape, seed=1))
    labels /= labels.sum(1, keepdims=True)
    classes = np.random.default_rng(2).integers(0, shape[1], shape[0]).astype(np.int32)
    wide = x.astype(np.float64)
    for actual, expected in (
        (softmax.cross_entropy(x, labels), softmax.cross_entropy(wide, labels.astype(np.float64))),
        (softmax.sparse_cross_entropy(x, classes), softmax.sparse_cross_entropy(wide, classes)),
    ):
        for a, b in zip(actual, expected, strict=True):
            agree(a, b, 5e-6)
    out = np.empty(shape[0], np.float32), np.empty_like(x)
    assert softmax.cross_entropy(x, labels, out) is out or softmax.cross_entropy(x, labels, out)[0] is out[0]
    with pytest.raises(ValueError, match="Received a label value of 999"):
        softmax.sparse_cross_entropy(x, np.full(shape[0], 999))


@pytest.mark.parametrize("channels", [1, 3, 64, 1500])
def test_biases(channels):
    x, b = numbers(30, 60, channels)[:, : 60000 // channels + 1], numbers(channels, seed=1)
    x = np.ascontiguousarray(np.broadcast_to(x, (30, *x.shape[1:])))
    agree(bias.bias_add(x, b), x + b)
    agree(bias.bias_add(again := x.copy(), b, again), x + b)
    sums = x.astype(np.float64).sum((0, 1))
    np.testing.assert_allclose(bias.bias_add_grad(x), sums, rtol=1e-4, atol=1e-2)


def test_dropout():
    x, noise = special(*SHAPE), np.random.default_rng(1).random(SHAPE).astype(np.float32)
    rate, scale = np.float32(0.3), np.float32(1 / 0.7)
    y = dropout.dropout(x, noise, rate, scale)
    np.testing.assert_array_equal(y, np.where(noise < rate, 0, x * scale))


@pytest.mark.parametrize("shape", [(7, 6, 5, 211), (8, 40, 50, 3), (101, 997), (50_021, 1)])
def test_batch_normalization(shape):
    x, dy = numbers(*shape, scale=2) + 10, numbers(*shape, seed=1)
    scale, offset = numbers(shape[-1], seed=2), numbers(shape[-1], seed=3)
    wide, wide_dy = x.astype(np.float64), dy.astype(np.float64)
    mean, variance = normalize.moments(x)
    expected_mean, expected_variance = normalize.moments(wide)
    np.testing.assert_allclose(mean, expected_mean, rtol=1e-6)
    np.testing.assert_allclose(variance, expected_variance, rtol=1e-4)
    r = 1 / np.sqrt(variance + np.float32(1e-3))
    out = np.empty_like(x)
    assert normalize.apply(x, scale, offset, mean, r, out) is out
    agree(out, scale * (wide - mean) * r + offset, 2e-5)
    for function in (normalize.train_grad, normalize.apply_grad):
        results = function(dy, x, scale, mean, r)
        vectors = [v.astype(np.float64) for v in (scale, mean, r)]
        for a, b in zip(results, function(wide_dy, wide, *vectors), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-4 * np.abs(b).max())


def test_lanes_divide_the_rows():
    for rows, channels in ((21632, 64), (7, 3), (1, 1), (0, 5), (997, 4), (12, 2000)):
        count = lanes.lanes(rows, channels)
        assert count >= 1
        assert rows % count == 0
        assert count == 1 or count * channels <= lanes.WIDEST
