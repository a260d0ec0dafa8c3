"""Candidate samplers: the classes that sampled softmax and noise-contrastive losses compare with.

A sampler says how one class is drawn and how probable each class is; `sample_candidates` draws a
batch with it, as the kernels behind `tf.nn.log_uniform_candidate_sampler` and its like do.

May import: numpy, and its neighbour philox.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from minitf.kernels.philox import MASK32, MASK64, StatefulStream

_WORDS_PER_CANDIDATE = 2048  # what a kernel reserves, whatever it then uses
_INT32_MAX = (1 << 31) - 1


class Sampler(ABC):
    """A distribution over the classes `range(range_max)`."""

    def __init__(self, range_max: int):
        self.range_max = range_max

    @abstractmethod
    def sample(self, words: Iterator[int]) -> int:
        """Draw one class, taking 32-bit random words as needed."""

    @abstractmethod
    def probability(self, classes: np.ndarray) -> np.ndarray:
        """The probability of each class: float32, shaped as `classes`."""

    def update(self, classes: np.ndarray) -> None:  # noqa: B027 (most samplers learn nothing)
        """Learn from the true classes of a batch."""


class Candidates(NamedTuple):
    """What a candidate sampler returns.

    Attributes:
      sampled: int64, shape (num_sampled,).
      true_expected_count: float32, shape (batch, num_true): how often each true class is expected
        among the sampled ones.
      sampled_expected_count: float32, shape (num_sampled,): the same of the sampled classes.
    """

    sampled: np.ndarray
    true_expected_count: np.ndarray
    sampled_expected_count: np.ndarray


def sample_candidates(
    sampler: Sampler,
    generator: StatefulStream,
    true_classes: np.ndarray,
    num_sampled: int,
    unique: bool,
) -> Candidates:
    """Draw `num_sampled` classes, and say how often each would be expected.

    Args:
      sampler: the distribution to draw from; it is then shown the true classes.
      generator: the state of the op; advanced.
      true_classes: int64, shape (batch, num_true).
      num_sampled: how many to draw.
      unique: whether a class is drawn at most once, repeats being rejected.

    Raises:
      ValueError: there are fewer classes than should be drawn uniquely, or a true class is none.
    """
    if unique and num_sampled > sampler.range_max:
        raise ValueError("Sampler's range is too small.")
    outside = true_classes[(true_classes < 0) | (true_classes >= sampler.range_max)]
    if outside.size:
        raise ValueError(f"`true_candidate` out of range [0, {sampler.range_max}), received {outside[0]}")
    stream = generator.reserve(_WORDS_PER_CANDIDATE * num_sampled // 4)
    words = stream.words(first_batch=max(1, num_sampled // 2))
    tries = num_sampled
    if unique:
        picked: dict[int, None] = {}
        tries = 0
        while len(picked) < num_sampled:
            picked[sampler.sample(words)] = None
            tries += 1
        sampled = np.fromiter(picked, np.int64, num_sampled)
    else:
        sampled = np.fromiter((sampler.sample(words) for _ in range(num_sampled)), np.int64, num_sampled)
    result = Candidates(
        sampled,
        _expected_count(sampler.probability(true_classes), num_sampled, tries),
        _expected_count(sampler.probability(sampled), num_sampled, tries),
    )
    sampler.update(true_classes)
    return result


def all_candidates(true_classes: np.ndarray, num_sampled: int) -> Candidates:
    """Every class of `range(num_sampled)` once; no draw at all.

    Raises:
      ValueError: a true class is not one of them.
    """
    outside = true_classes[(true_classes < 0) | (true_classes >= num_sampled)]
    if outside.size:
        raise ValueError(f"`true_candidate` out of range [0, {num_sampled}), received {outside[0]}")
    return Candidates(
        np.arange(num_sampled, dtype=np.int64),
        np.ones(true_classes.shape, np.float32),
        np.ones(num_sampled, np.float32),
    )


def accidental_hits(
    true_classes: np.ndarray, sampled: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a sampled class is a true one: `tf.nn.compute_accidental_hits`.

    Args:
      true_classes: int64, shape (batch, num_true).
      sampled: int64, shape (num_sampled,).

    Returns:
      For each hit, in order of `true_classes`: its row of `true_classes` (int32), its place in
      `sampled` (int64), and the weight -float32 max, which as a logit rules it out.
    """
    place = {chosen: position for position, chosen in enumerate(sampled.tolist())}
    hits = [
        (row, place[chosen])
        for row, classes in enumerate(true_classes.tolist())
        for chosen in classes
        if chosen in place
    ]
    rows, places = np.array(hits, np.int64).reshape(-1, 2).T
    weights = np.full(len(hits), -np.finfo(np.float32).max, np.float32)
    return rows.astype(np.int32), places.copy(), weights


def _expected_count(probability: np.ndarray, num_sampled: int, tries: int) -> np.ndarray:
    """How often a class is drawn: p n, or if unique 1 - (1 - p)^tries, in float32 throughout."""
    if tries == num_sampled:
        return probability * np.float32(num_sampled)
    logarithm = np.log1p(-probability.astype(np.float64)).astype(np.float32)
    exponent = (np.float32(tries) * logarithm).astype(np.float64)
    return -np.expm1(exponent).astype(np.float32)


class UniformSampler(Sampler):
    """Every class alike: `tf.nn.uniform_candidate_sampler`."""

    def sample(self, words: Iterator[int]) -> int:
        """Draw one class."""
        return _below(self.range_max, lambda: next(words) | next(words) << 32, MASK64)

    def probability(self, classes: np.ndarray) -> np.ndarray:
        """1 / range_max."""
        return np.full(classes.shape, 1.0 / self.range_max, np.float32)


class LogUniformSampler(Sampler):
    """Zipf's law: class k with (log(k + 2) - log(k + 1)) / log(range_max + 1).

    The default of `nce_loss` and `sampled_softmax_loss`, for classes sorted by falling frequency.
    """

    def __init__(self, range_max: int):
        super().__init__(range_max)
        self._log_range = math.log1p(range_max)

    def sample(self, words: Iterator[int]) -> int:
        """Draw one class."""
        fraction = (next(words) & 0xFFFFF) << 32 | next(words)
        value = int(math.exp(math.ldexp(fraction, -52) * self._log_range)) - 1
        return value % self.range_max

    def probability(self, classes: np.ndarray) -> np.ndarray:
        """The law above."""
        odds = np.log((classes + 2.0) / (classes + 1.0))
        return (odds / self._log_range).astype(np.float32)


class UnigramSampler(Sampler):
    """Each class as often as it was seen, plus one: `tf.nn.learned_unigram_candidate_sampler`."""

    def __init__(self, range_max: int):
        super().__init__(range_max)
        self._counts = np.ones(range_max, np.int64)
        self._cumulative = np.cumsum(self._counts)

    def sample(self, words: Iterator[int]) -> int:
        """Draw one class."""
        position = _below(int(self._cumulative[-1]), lambda: next(words), MASK32)
        return int(np.searchsorted(self._cumulative, position, side="right"))

    def probability(self, classes: np.ndarray) -> np.ndarray:
        """The share of what was seen."""
        return self._counts[classes].astype(np.float32) / np.float32(self._cumulative[-1])

    def update(self, classes: np.ndarray) -> None:
        """Count each of `classes` once more."""
        room = _INT32_MAX - int(self._cumulative[-1])
        np.add.at(self._counts, classes.reshape(-1)[:room], 1)
        self._cumulative = np.cumsum(self._counts)


class FixedUnigramSampler(Sampler):
    """Given weights to the power `distortion`: `tf.nn.fixed_unigram_candidate_sampler`.

    Args:
      range_max: the number of classes of this shard.
      unigrams: the weight of each class that is not reserved.
      distortion: 1 keeps the weights, 0 makes them equal.
      num_reserved_ids: classes before the first weighted one, which are never drawn.
      num_shards, shard: keep every num_shards-th class only, beginning with number `shard`.

    Raises:
      ValueError: the weights are not `range_max` in number.
    """

    def __init__(
        self,
        range_max: int,
        unigrams: Sequence[float],
        distortion: float = 1.0,
        num_reserved_ids: int = 0,
        num_shards: int = 1,
        shard: int = 0,
    ):
        reserved = [0.0] * sum(word % num_shards == shard for word in range(num_reserved_ids))
        first = len(reserved)
        kept = [weight for word, weight in enumerate(unigrams, first) if word % num_shards == shard]
        powers = np.asarray(kept, np.float32).astype(np.float64) ** float(np.float32(distortion))
        self._weights = np.concatenate((reserved, powers)).astype(np.float32)
        if self._weights.size != range_max:
            raise ValueError(f"range is {range_max} must be equal to weights size  {self._weights.size}")
        super().__init__(range_max)
        self._total = np.cumsum(self._weights, dtype=np.float32)[-1]
        self._threshold, self._alias = _alias_table(self._weights)

    def sample(self, words: Iterator[int]) -> int:
        """Draw one class: a bucket, then one of the two classes that share it (alias method)."""
        fraction = math.ldexp(next(words) & 0x7FFFFF, -23)
        bucket = _below(self.range_max, lambda: next(words), MASK32)
        return bucket if fraction < self._threshold[bucket] else self._alias[bucket]

    def probability(self, classes: np.ndarray) -> np.ndarray:
        """The share of the total weight."""
        return self._weights[classes] / self._total


def _alias_table(weights: np.ndarray) -> tuple[list[float], list[int]]:
    """Split `weights` among as many buckets of two classes each (Walker's alias method, by Vose).

    Returns:
      Of each bucket, the share that belongs to the class of its number, and the other class.
    """
    wide = weights.astype(np.float64)
    share = ((weights * np.float32(weights.size)).astype(np.float64) / np.cumsum(wide)[-1]).tolist()
    alias = list(range(weights.size))
    low = [number for number, part in enumerate(share) if part < 1.0]
    high = [number for number, part in enumerate(share) if part >= 1.0]
    while low and high:
        needy, rich = low.pop(), high.pop()
        alias[needy] = rich
        share[rich] -= 1.0 - share[needy]
        (low if share[rich] < 1.0 else high).append(rich)
    threshold = np.asarray(share, np.float32)
    threshold[low + high] = 1.0
    return threshold.tolist(), alias


def _below(limit: int, draw, mask: int) -> int:
    """An unbiased integer below `limit` from words of `mask`'s width, by rejection."""
    if limit & (limit - 1) == 0:
        return draw() & (limit - 1)
    rejected = mask % limit + 1
    word = draw()
    while word < rejected:
        word = draw()
    return word % limit
