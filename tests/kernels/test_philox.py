"""The generator itself: known answers, and that all faster forms agree with the definition."""

import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitf.kernels import libm
from minitf.kernels.philox import MASK64, StatefulStream, Stream, block, stateless_stream

KEYS = st.integers(0, 2**64 - 1)
COUNTERS = st.integers(0, 2**128 - 1)


# From kat_vectors of Random123, the reference implementation: philox4x32, 10 rounds.
@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ("00000000" * 4, "00000000" * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff" * 4, "ffffffff" * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            "03707344 13198a2e 85a308d3 243f6a88",
            "299f31d0 a4093822",
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers(counter, key, words):
    counter, key = (int(text.replace(" ", ""), 16) for text in (counter, key))
    assert block(key, counter) == tuple(int(word, 16) for word in words.split())


@given(KEYS, COUNTERS, st.sampled_from([1, 128, 256]), st.sampled_from([0, 1, 9, 23]))
def test_blocks_are_the_definitions(key, counter, stride, count):
    blocks = Stream(key, counter).blocks(count, stride)
    assert blocks.dtype == np.uint32 and blocks.shape == (count, 4)
    expected = [block(key, counter + number * stride) for number in range(count)]
    assert [tuple(row) for row in blocks.tolist()] == expected


@pytest.mark.parametrize("counter", [2**64 - 5, 2**128 - 5, 2**32 - 5])
def test_counter_carries(counter):
    blocks = Stream(7, counter).blocks(11)
    assert [tuple(row) for row in blocks.tolist()] == [block(7, counter + i) for i in range(11)]
    assert np.array_equal(blocks[5:], Stream(7, counter).skip(5).blocks(6))
    assert np.array_equal(blocks[[8, 2, 2]], Stream(7, counter).blocks_at(np.array([8, 2, 2])))


def test_blocks_longer_than_a_chunk():
    stream = Stream(3, 2**64 - 9000)
    blocks = stream.blocks(20_000)
    for number in (0, 8191, 8192, 8999, 9000, 16384, 19_999):
        assert tuple(blocks[number].tolist()) == block(3, stream.counter + number)


def test_words_are_the_blocks_in_order():
    stream = Stream(11, 5)
    assert list(islice(stream.words(first_batch=1), 1000)) == stream.blocks(250).ravel().tolist()


def test_seeds_become_key_and_upper_counter():
    generator = StatefulStream(-5, -7)
    first, second = generator.reserve(256), generator.reserve(1)
    assert first.key == second.key == -5 & MASK64
    assert first.counter == (-7 & MASK64) << 64
    assert second.counter == first.counter + 256


def test_no_seeds_mean_entropy():
    streams = [StatefulStream().reserve(1) for _ in range(2)]
    assert streams[0].key != streams[1].key
    assert streams[0].counter != streams[1].counter
    assert StatefulStream(0, 2**31 - 1).reserve(1).key == 0


def test_stateless_seeds_are_scrambled():
    keys = {stateless_stream(seed).key for seed in [(0, 0), (0, 1), (1, 0), (-1, 0)]}
    assert len(keys) == 4
    assert stateless_stream((1, 2)).counter & MASK64 == 0


def test_log_is_within_an_ulp():
    x = np.random.default_rng(0).random(100_000, np.float32)
    x = np.concatenate((x[x > 0], np.float32([1e-7, 1.0, 0.5, 2**-23])))
    np.testing.assert_array_max_ulp(libm.log(x), np.log(x.astype(np.float64)).astype(np.float32))


def test_sin_cos_are_within_an_ulp():
    x = np.random.default_rng(0).random(100_000, np.float32) * np.float32(2 * np.pi)
    x = np.concatenate((x, np.float32([0.0, np.pi / 2, np.pi, 2 * np.pi, -1.0, 100.0])))
    for result, exact in zip(libm.sin_cos(x), (np.sin, np.cos)):
        np.testing.assert_array_max_ulp(result, exact(x.astype(np.float64)).astype(np.float32))


def test_small_draws_need_no_compiler():
    code = (
        "import sys; from minitf.kernels.random import Philox; g = Philox(1, 2)\n"
        "g.uniform((99, 99)); g.truncated_normal((3,)); g.shuffle(__import__('numpy').arange(9))\n"
        "assert 'numba' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
