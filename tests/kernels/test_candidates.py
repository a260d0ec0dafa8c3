"""Candidate samplers: TensorFlow's own draws, from philox_golden.npz (see test_random.py)."""

from pathlib import Path

import numpy as np
import pytest

from minitf.kernels.candidates import (
    FixedUnigramSampler,
    LogUniformSampler,
    UniformSampler,
    UnigramSampler,
    accidental_hits,
    all_candidates,
    sample_candidates,
)
from minitf.kernels.random import Philox

GOLDEN = np.load(Path(__file__).with_name("philox_golden.npz"))
TRUE_CLASSES = np.array([[1, 5], [3, 3], [9, 0]])
UNIGRAMS = [1.5, 2.0, 0.3, 7.0, 0.01, 3.0, 3.0, 1.0, 1.0, 20.0, 0.7, 0.9]
SAMPLERS = {
    "uniform": lambda: UniformSampler(1000),
    "uniform32": lambda: UniformSampler(32),
    "log_uniform": lambda: LogUniformSampler(50000),
    "learned_unigram": lambda: UnigramSampler(40),
    "fixed_unigram": lambda: FixedUnigramSampler(14, UNIGRAMS, 0.75, num_reserved_ids=2),
    "fixed_unigram_shard": lambda: FixedUnigramSampler(
        21, UNIGRAMS * 5, num_reserved_ids=4, num_shards=3, shard=1
    ),
}


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("name", SAMPLERS)
def test_two_runs_of_an_op(name, unique):
    key = f"{name}_{'unique' if unique else 'repeated'}"
    generator, sampler = Philox(-5, 87654321987), SAMPLERS[name]()
    for run in range(2):
        result = sample_candidates(sampler, generator, TRUE_CLASSES, 11, unique)
        assert result.sampled.dtype == np.int64
        np.testing.assert_array_equal(result.sampled, GOLDEN[f"{key}_sampled"][run])
        for actual, part in zip(result[1:], ("true", "expected")):
            expected = GOLDEN[f"{key}_{part}"][run]
            assert actual.dtype == np.float32 and actual.shape == expected.shape
            np.testing.assert_array_max_ulp(actual, expected, 2 if unique else 1)


@pytest.mark.parametrize("name", SAMPLERS)
def test_probabilities_sum_to_one_and_are_drawn(name):
    sampler = SAMPLERS[name]()
    probability = sampler.probability(np.arange(sampler.range_max))
    assert probability.sum() == pytest.approx(1, abs=1e-5)
    drawn = sample_candidates(sampler, Philox(1, 2), TRUE_CLASSES, 20_000, False).sampled
    frequency = np.bincount(drawn, minlength=sampler.range_max) / drawn.size
    assert np.abs(frequency - probability).max() < 0.012


def test_learned_unigram_learns():
    sampler = UnigramSampler(10)
    sampler.update(np.array([[3, 3], [3, 1]]))
    expected = np.float32([1, 2, 1, 4]) / np.float32(14)
    np.testing.assert_array_equal(sampler.probability(np.arange(4)), expected)


def test_all_candidates():
    result = all_candidates(TRUE_CLASSES, 10)
    np.testing.assert_array_equal(result.sampled, np.arange(10))
    np.testing.assert_array_equal(result.true_expected_count, np.ones((3, 2), np.float32))
    np.testing.assert_array_equal(result.sampled_expected_count, np.ones(10, np.float32))


def test_accidental_hits():
    rows, places, weights = accidental_hits(TRUE_CLASSES, np.array([7, 3, 0, 3]))
    assert (rows.dtype, places.dtype, weights.dtype) == (np.int32, np.int64, np.float32)
    np.testing.assert_array_equal(rows, [1, 1, 2])
    np.testing.assert_array_equal(places, [3, 3, 2])
    np.testing.assert_array_equal(weights, np.full(3, np.finfo(np.float32).min))
    assert [part.size for part in accidental_hits(TRUE_CLASSES, np.array([7]))] == [0, 0, 0]


def test_errors():
    generator = Philox(1, 2)
    with pytest.raises(ValueError, match="Sampler's range is too small"):
        sample_candidates(UniformSampler(10), generator, TRUE_CLASSES, 11, True)
    outside = r"`true_candidate` out of range \[0, 9\), received 9"
    with pytest.raises(ValueError, match=outside):
        sample_candidates(UniformSampler(9), generator, TRUE_CLASSES, 3, True)
    with pytest.raises(ValueError, match=outside):
        all_candidates(TRUE_CLASSES, 9)
    with pytest.raises(ValueError, match="range is 5 must be equal to weights size  12"):
        FixedUnigramSampler(5, UNIGRAMS)
