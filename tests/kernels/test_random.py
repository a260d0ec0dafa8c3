"""Distributions: TensorFlow's own numbers, from philox_golden.npz.

The file is written by parity/make_philox_golden.py; the draws here are its cases.
"""

import zlib
from pathlib import Path

import numpy as np
import pytest

from minitf.kernels import philox_compiled, random, random_fill
from minitf.kernels.philox import Stream, stateless_stream
from minitf.kernels.random import Philox
from minitf.kernels.random_categorical import _rows_per_part, multinomial

GOLDEN = np.load(Path(__file__).with_name("philox_golden.npz"))
FLOATS = ("float16", "float32", "float64")
ALPHA, RATE = [[0.1, 0.5, 1.0, 1.7, 30.0]], [[0.1, 1.0, 9.7, 30.0, 1000.0]]


def logits(rows, classes):
    values = np.sin(np.arange(rows * classes, dtype=np.float32)).reshape(rows, classes) * 2
    values[0, 0] = -np.inf
    return values


def whole(dtype):
    return np.iinfo(dtype).min, np.iinfo(dtype).max


STATEFUL = {
    **{f"uniform_{t}": lambda g, t=t: g.uniform((7, 29), t) for t in FLOATS},
    **{f"normal_{t}": lambda g, t=t: g.standard_normal((7, 29), t) for t in FLOATS},
    **{f"truncated_{t}": lambda g, t=t: g.truncated_normal((7, 29), t) for t in FLOATS},
    **{f"gamma_{t}": lambda g, t=t: g.gamma((3, 4), np.array(ALPHA, t)) for t in FLOATS},
    **{f"poisson_{t}": lambda g, t=t: g.poisson((3, 4), np.array(RATE, t)) for t in FLOATS},
    "poisson_int32": lambda g: g.poisson((3, 4), np.array(RATE, np.float32), np.int32),
    "int_int32": lambda g: g.random_uniform_int((13,), -7, 1000, np.int32),
    "int_int64": lambda g: g.random_uniform_int((13,), -7, 1000, np.int64),
    "int_whole_int32": lambda g: g.random_uniform_int((13,), *whole("int32"), np.int32),
    "int_whole_int64": lambda g: g.random_uniform_int((13,), *whole("int64"), np.int64),
    "multinomial_int32": lambda g: g.multinomial(logits(5, 10), 7, np.int32),
    "multinomial_int64": lambda g: g.multinomial(logits(5, 10), 7, np.int64),
    "shuffle_vector": lambda g: g.shuffle(np.arange(10)),
    "shuffle_matrix": lambda g: g.shuffle(np.arange(202).reshape(101, 2)),
}
LARGE = {
    "random_uniform_crc": lambda g: g.uniform((200_000,)),
    "random_standard_normal_crc": lambda g: g.standard_normal((200_000,)),
    "truncated_normal_crc": lambda g: g.truncated_normal((200_000,)),
}
STATELESS = {
    "uniform": lambda s: random.uniform(s, (9,)),
    "normal": lambda s: random.standard_normal(s, (9,), np.float64),
    "truncated": lambda s: random.truncated_normal(s, (101,)),
    "int": lambda s: random.uniform_int(s, (9,), 3, 19, np.int64),
    "int32_full": lambda s: random.uniform_full_int(s, (9,), np.int32),
    "uint64_full": lambda s: random.uniform_full_int(s, (9,), np.uint64),
    "categorical": lambda s: random.multinomial(s, logits(5, 10), 7),
    "gamma": lambda s: random.gamma(s, (4,), np.float32(ALPHA[0])),
    "poisson": lambda s: random.poisson(s, (4,), np.float32(RATE[0]), np.int32),
}
STATELESS_SEEDS = ((1, 2), (-3, 2**40 + 7))
# float64 logarithms and sines are NumPy's, which may differ from the C library's in the last place;
# powers magnify that.
ULPS = {"normal_float64": 2, "truncated_float64": 2, "gamma_float64": 4, "normal": 2}


def generator():
    return Philox(-5, 87654321987)


def check(actual, expected, ulps=0):
    assert actual.dtype == expected.dtype and actual.shape == expected.shape
    if ulps:
        np.testing.assert_array_max_ulp(actual, expected, ulps)
    else:
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("name", STATEFUL)
def test_two_runs_of_an_op(name):
    state = generator()
    for expected in GOLDEN[name]:
        check(STATEFUL[name](state), expected, ULPS.get(name, 0))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", LARGE)
def test_large_draws(name, compiled, monkeypatch):
    monkeypatch.setattr(random_fill, "_COMPILED_AFTER", 0 if compiled else np.inf)
    state = generator()
    for expected in GOLDEN[name]:
        assert zlib.crc32(LARGE[name](state)) == expected


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("name", STATELESS)
def test_stateless_ops(name, number):
    actual = STATELESS[name](stateless_stream(STATELESS_SEEDS[number]))
    check(actual, GOLDEN[f"stateless{number}_{name}"][0], ULPS.get(name, 0))


def test_multinomial_split_among_threads():
    stream, (first, _) = generator().reserve(0), GOLDEN["multinomial_split"]
    check(multinomial(stream, logits(64, 65), 1, threads=2), first)
    assert (multinomial(stream, logits(64, 65), 1, threads=1) != first).any()


def test_every_golden_entry_is_used():
    names = {*STATEFUL, *LARGE, "multinomial_split"}
    names |= {f"stateless{number}_{name}" for number in range(2) for name in STATELESS}
    others = {name for name in GOLDEN if name.split("_")[-1] in ("sampled", "true", "expected")}
    assert names | others == set(GOLDEN)


# What TensorFlow did with two threads: rows, classes, samples, rows to a thread at a time.
@pytest.mark.parametrize(
    ("rows", "classes", "samples", "part"),
    [
        (1, 10, 3, 1),
        (64, 65, 1, 11),
        (100, 65, 2, 13),
        (7, 50000, 1, 2),
        (1000, 3, 5, 125),
        (513, 100, 7, 65),
        (33, 1000, 9, 6),
        (2000, 10, 1, 250),
    ],
)
def test_rows_per_part(rows, classes, samples, part):
    cycles = int(50 * (samples * np.log2(classes) + classes))
    assert _rows_per_part(rows, cycles, 2) == part
    assert _rows_per_part(rows, cycles, 1) == rows


@pytest.mark.parametrize("counter", [0, 2**64 - 1000, 2**128 - 300_000])
@pytest.mark.parametrize("groups", [1, 511, 513, 5000])
def test_compiled_draws_are_numpys(counter, groups):
    stream = Stream(2**63 + 12345, counter)
    for name, twin in (
        ("uniform_float32", random.uniform),
        ("normal_float32", random.standard_normal),
        ("truncated_normal_float32", random.truncated_normal),
    ):
        out = np.empty((groups, 4), np.float32)
        getattr(philox_compiled, name)(stream, out)
        check(out, twin(stream, (groups, 4)))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (2, 3)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_shapes(shape, dtype):
    state = generator()
    draws = (state.uniform, state.standard_normal, state.truncated_normal)
    for draw in draws:
        result = draw(shape, dtype)
        assert result.shape == shape and result.dtype == dtype
    assert state.gamma(shape, np.ones((2, 1), dtype)).shape == (*shape, 2, 1)
    assert state.poisson(shape, np.ones((2, 1), dtype)).shape == (*shape, 2, 1)
    assert state.multinomial(np.zeros((2, 3), dtype), 0).shape == (2, 0)


def test_shuffle_of_little():
    for array in (np.array(3), np.array([3]), np.zeros((1, 4)), np.zeros((0, 4))):
        result = generator().shuffle(array)
        assert result is not array
        np.testing.assert_array_equal(result, array)


def test_truncated_normal_is_truncated():
    for dtype in FLOATS:
        drawn = generator().truncated_normal((10_001,), dtype)
        assert np.abs(drawn).max() <= 2
        assert 0.86 < drawn.astype(np.float64).std() < 0.90


def test_moments():
    state = generator()
    uniform = state.uniform((100_000,), np.float64)
    assert uniform.min() >= 0 and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.005
    normal = state.standard_normal((100_000,))
    assert abs(normal.mean()) < 0.01 and abs(normal.std() - 1) < 0.01
    assert np.allclose(state.gamma((100_000,), [0.3, 4.0]).mean(0), [0.3, 4.0], rtol=0.02)
    assert np.allclose(state.poisson((100_000,), [0.3, 40.0]).var(0), [0.3, 40.0], rtol=0.03)


def test_multinomial_draws_finite_logits_only():
    scores = np.array([[-np.inf, 0.0, np.log(3.0), np.nan]])
    drawn = generator().multinomial(scores, 10_000)
    assert abs((drawn == 2).mean() - 0.75) < 0.02
    assert set(drawn.ravel()) == {1, 2}


def test_poisson_of_an_infinite_rate():
    assert generator().poisson((1,), np.float32([np.inf])).item() == np.inf
    largest = np.iinfo(np.int32).max
    assert generator().poisson((1,), np.float32([np.inf]), np.int32).item() == largest


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda g: g.uniform((2,), np.int32),
            "uniform: dtype int32 is not one of float16, float32",
        ),
        (lambda g: g.truncated_normal((2,), bool), "truncated_normal: dtype bool is not one of"),
        (lambda g: g.random_uniform_int((2,), 0, 5, np.int8), "uniform_int: dtype int8 is not"),
    ],
)
def test_wrong_dtype(draw, message):
    with pytest.raises(TypeError, match=message):
        draw(generator())


def test_empty_range():
    with pytest.raises(ValueError, match="Need minval < maxval, got 5 >= 5"):
        generator().random_uniform_int((2,), 5, 5)
