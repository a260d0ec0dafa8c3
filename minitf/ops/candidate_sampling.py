"""Candidate samplers: the negative classes of `nce_loss` and `sampled_softmax_loss`.

Each returns (sampled, true_expected_count, sampled_expected_count); see kernels/candidates.py.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape
from minitf.kernels import candidates
from minitf.kernels.random import Philox
from minitf.ops.random_seed import seed_attrs
from minitf.ops.registry import not_differentiable, op
from minitf.ops.shape_rules import merge_sizes, require_rank

_OUTPUTS = (dtypes.int64, dtypes.float32, dtypes.float32)


def _sampled_shapes(true_classes, *, num_true, num_sampled, **_attrs):
    batch, columns = require_rank(true_classes, 2).sizes
    merge_sizes(columns, num_true)
    return [TensorShape([num_sampled]), TensorShape([batch, num_true]), TensorShape([num_sampled])]


def _checked(true_classes: np.ndarray, num_true: int) -> np.ndarray:
    if true_classes.ndim != 2:
        raise ValueError("true_classes must be a matrix")
    if true_classes.shape[1] != num_true:
        raise ValueError(
            f"true_classes must have num_true columns, expected: {true_classes.shape[1]} was: {num_true}"
        )
    return true_classes


def _sampler_op(name: str, sampler: type[candidates.Sampler]) -> Any:
    """Declares the op that draws from `sampler(range_max)`."""

    def state(op):
        return Philox(op.attrs["seed"], op.attrs["seed2"]), sampler(op.attrs["range_max"])

    @op(name, shape=_sampled_shapes, state=state)
    def kernel(
        state, true_classes: dtypes.int64, *, num_true, num_sampled, unique, range_max, seed=0, seed2=0
    ) -> _OUTPUTS:
        generator, distribution = state
        return candidates.sample_candidates(
            distribution, generator, _checked(true_classes, num_true), num_sampled, unique
        )

    return kernel


_uniform = _sampler_op("UniformCandidateSampler", candidates.UniformSampler)
_log_uniform = _sampler_op("LogUniformCandidateSampler", candidates.LogUniformSampler)
_learned_unigram = _sampler_op("LearnedUnigramCandidateSampler", candidates.UnigramSampler)


def _fixed_unigram_state(op):
    attrs = op.attrs
    weights = _weights_of(attrs["vocab_file"]) if attrs["vocab_file"] else attrs["unigrams"]
    details = (attrs[n] for n in ("distortion", "num_reserved_ids", "num_shards", "shard"))
    sampler = candidates.FixedUnigramSampler(attrs["range_max"], weights, *details)
    return Philox(attrs["seed"], attrs["seed2"]), sampler


def _weights_of(vocab_file: str) -> list[float]:
    """The last column of each line of a comma-separated file."""
    with open(vocab_file, encoding="utf-8") as lines:
        return [float(line.rsplit(",", 1)[-1]) for line in lines if line.strip()]


@op("FixedUnigramCandidateSampler", shape=_sampled_shapes, state=_fixed_unigram_state)
def _fixed_unigram(
    state,
    true_classes: dtypes.int64,
    *,
    num_true,
    num_sampled,
    unique,
    range_max,
    vocab_file="",
    distortion=1.0,
    num_reserved_ids=0,
    num_shards=1,
    shard=0,
    unigrams=(),
    seed=0,
    seed2=0,
) -> _OUTPUTS:
    generator, distribution = state
    return candidates.sample_candidates(
        distribution, generator, _checked(true_classes, num_true), num_sampled, unique
    )


@op("AllCandidateSampler", shape=_sampled_shapes, stateful=True)
def _all(true_classes: dtypes.int64, *, num_true, num_sampled, unique, seed=0, seed2=0) -> _OUTPUTS:
    return candidates.all_candidates(_checked(true_classes, num_true), num_sampled)


def _hit_shapes(true_classes, sampled_candidates, *, num_true, **_attrs):
    merge_sizes(require_rank(true_classes, 2).sizes[1], num_true)
    require_rank(sampled_candidates, 1)
    return [TensorShape([None])] * 3


@op("ComputeAccidentalHits", shape=_hit_shapes)
def _accidental_hits(
    true_classes: dtypes.int64, sampled_candidates: dtypes.int64, *, num_true, seed=0, seed2=0
) -> (dtypes.int32, dtypes.int64, dtypes.float32):
    return candidates.accidental_hits(_checked(true_classes, num_true), sampled_candidates)


not_differentiable(_uniform, _log_uniform, _learned_unigram, _fixed_unigram, _all, _accidental_hits)


def _public(kernel: Any, name: str, doc: str) -> Any:
    def function(
        true_classes: Any,
        num_true: int,
        num_sampled: int,
        unique: bool,
        range_max: int,
        seed: int | None = None,
        name: str | None = None,
    ) -> Any:
        return kernel(
            true_classes,
            num_true=num_true,
            num_sampled=num_sampled,
            unique=unique,
            range_max=range_max,
            name=name,
            **seed_attrs(seed),
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc + _ARGUMENTS
    return function


_ARGUMENTS = """

    `true_classes` is int64, (batch, num_true). With `unique`, no class is drawn twice. Returns the sampled
    classes, int64 (num_sampled,), and how often each true class (batch, num_true) and each sampled one is
    expected among them, float32.
    """

uniform_candidate_sampler = _public(
    _uniform, "uniform_candidate_sampler", "Draws classes from range(range_max), all alike."
)
log_uniform_candidate_sampler = _public(
    _log_uniform,
    "log_uniform_candidate_sampler",
    "Draws classes from range(range_max) by Zipf's law, for classes sorted by falling frequency.",
)
learned_unigram_candidate_sampler = _public(
    _learned_unigram,
    "learned_unigram_candidate_sampler",
    "Draws classes from range(range_max) as often as they have been true classes so far.",
)


def fixed_unigram_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    range_max: int,
    vocab_file: str = "",
    distortion: float = 1.0,
    num_reserved_ids: int = 0,
    num_shards: int = 1,
    shard: int = 0,
    unigrams: Sequence[float] = (),
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Draws classes with given weights to the power `distortion`.

    The weights are `unigrams`, or the last column of `vocab_file`; the first `num_reserved_ids` classes have
    none. With shards, only every `num_shards`-th class from `shard` on is drawn. Arguments and results are
    else those of `tf.nn.uniform_candidate_sampler`.

    Raises ValueError unless exactly one of `vocab_file` and `unigrams` is given.
    """
    if bool(vocab_file) == bool(len(unigrams)):
        raise ValueError("Must provide either vocab_file or unigrams, and not both.")
    return _fixed_unigram(
        true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        range_max=range_max,
        vocab_file=vocab_file,
        distortion=distortion,
        num_reserved_ids=num_reserved_ids,
        num_shards=num_shards,
        shard=shard,
        unigrams=tuple(unigrams),
        name=name,
        **seed_attrs(seed),
    )


def all_candidate_sampler(
    true_classes: Any,
    num_true: int,
    num_sampled: int,
    unique: bool,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Every class of range(num_sampled) once, for tests. Results as of the other samplers."""
    return _all(
        true_classes,
        num_true=num_true,
        num_sampled=num_sampled,
        unique=unique,
        name=name,
        **seed_attrs(seed),
    )


def compute_accidental_hits(
    true_classes: Any,
    sampled_candidates: Any,
    num_true: int,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Where a sampled class is a true one: of each hit its row, its place in the sample, and a weight.

    `true_classes` is int64, (batch, num_true); `sampled_candidates` int64, (num_sampled,). The weights are
    the lowest float32, which rules a class out when added to its logit.
    """
    return _accidental_hits(
        true_classes, sampled_candidates, num_true=num_true, name=name, **seed_attrs(seed)
    )
