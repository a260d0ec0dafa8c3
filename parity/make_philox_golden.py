"""Write tests/kernels/philox_golden.npz: random numbers that TensorFlow drew.

    python -m parity.make_philox_golden

Every entry holds what two runs of one seeded op gave (stateless ops: one run). Where the whole
would be too large, the entry ends in `_crc` and holds the CRC-32 of its bytes. The seeds are named
in tests/kernels/test_random.py and test_candidates.py, which draw the same numbers with minitf.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent.parent / "tests" / "kernels" / "philox_golden.npz"

SEEDS = {"seed": -5, "seed2": 87654321987}
STATELESS_SEEDS = ((1, 2), (-3, 2**40 + 7))
THREADS = 2  # TensorFlow splits large multinomial batches among them
FLOATS = ("float16", "float32", "float64")
LARGE = 200_000

ALPHA = (0.1, 0.5, 1.0, 1.7, 30.0)
RATE = (0.1, 1.0, 9.7, 30.0, 1000.0)
TRUE_CLASSES = ((1, 5), (3, 3), (9, 0))
UNIGRAMS = (1.5, 2.0, 0.3, 7.0, 0.01, 3.0, 3.0, 1.0, 1.0, 20.0, 0.7, 0.9)


def logits(rows: int, classes: int) -> np.ndarray:
    """Logits that need no file: float32, shape (rows, classes); the first is minus infinity."""
    values = np.sin(np.arange(rows * classes, dtype=np.float32)).reshape(rows, classes) * 2
    values[0, 0] = -np.inf
    return values


def _stateful(tf) -> dict:
    from tensorflow.python.ops import gen_random_ops as ops

    cases = {}
    for dtype in FLOATS:
        cases[f"uniform_{dtype}"] = ops.random_uniform([7, 29], dtype, **SEEDS)
        cases[f"normal_{dtype}"] = ops.random_standard_normal([7, 29], dtype, **SEEDS)
        cases[f"truncated_{dtype}"] = ops.truncated_normal([7, 29], dtype, **SEEDS)
        alpha, rate = np.array([ALPHA], dtype), np.array([RATE], dtype)
        cases[f"gamma_{dtype}"] = ops.random_gamma([3, 4], alpha, **SEEDS)
        cases[f"poisson_{dtype}"] = ops.random_poisson_v2([3, 4], rate, dtype=dtype, **SEEDS)
    rate = np.array([RATE], np.float32)
    cases["poisson_int32"] = ops.random_poisson_v2([3, 4], rate, dtype="int32", **SEEDS)
    for dtype in ("int32", "int64"):
        low, high, whole = np.dtype(dtype).type(-7), np.dtype(dtype).type(1000), np.iinfo(dtype)
        cases[f"int_{dtype}"] = ops.random_uniform_int([13], low, high, **SEEDS)
        low, high = np.dtype(dtype).type(whole.min), np.dtype(dtype).type(whole.max)
        cases[f"int_whole_{dtype}"] = ops.random_uniform_int([13], low, high, **SEEDS)
        cases[f"multinomial_{dtype}"] = ops.multinomial(logits(5, 10), 7, output_dtype=dtype, **SEEDS)
    cases["multinomial_split"] = ops.multinomial(logits(64, 65), 1, **SEEDS)
    cases["shuffle_vector"] = ops.random_shuffle(np.arange(10), **SEEDS)
    cases["shuffle_matrix"] = ops.random_shuffle(np.arange(202).reshape(101, 2), **SEEDS)
    for name in ("random_uniform", "random_standard_normal", "truncated_normal"):
        cases[f"{name}_crc"] = getattr(ops, name)([LARGE], "float32", **SEEDS)
    return cases


def _stateless(tf) -> dict:
    random, cases = tf.random, {}
    for number, seed in enumerate(STATELESS_SEEDS):
        seed = np.array(seed, np.int64)
        draws = {
            "uniform": random.stateless_uniform([9], seed),
            "normal": random.stateless_normal([9], seed, dtype="float64"),
            "truncated": random.stateless_truncated_normal([101], seed),
            "int": random.stateless_uniform([9], seed, 3, 19, "int64"),
            "int32_full": random.stateless_uniform([9], seed, None, None, "int32"),
            "uint64_full": random.stateless_uniform([9], seed, None, None, "uint64"),
            "categorical": random.stateless_categorical(logits(5, 10), 7, seed),
            "gamma": random.stateless_gamma([4, len(ALPHA)], seed, np.float32(ALPHA)),
            "poisson": random.stateless_poisson([4, len(RATE)], seed, np.float32(RATE), "int32"),
        }
        cases |= {f"stateless{number}_{name}": draw for name, draw in draws.items()}
    return cases


def _candidates(tf) -> dict:
    from tensorflow.python.ops import gen_candidate_sampling_ops as ops

    samplers = {
        "uniform": (ops.uniform_candidate_sampler, {"range_max": 1000}),
        "uniform32": (ops.uniform_candidate_sampler, {"range_max": 32}),
        "log_uniform": (ops.log_uniform_candidate_sampler, {"range_max": 50000}),
        "learned_unigram": (ops.learned_unigram_candidate_sampler, {"range_max": 40}),
        "fixed_unigram": (
            ops.fixed_unigram_candidate_sampler,
            {"range_max": 14, "unigrams": UNIGRAMS, "distortion": 0.75, "num_reserved_ids": 2},
        ),
        "fixed_unigram_shard": (
            ops.fixed_unigram_candidate_sampler,
            {"range_max": 21, "unigrams": UNIGRAMS * 5, "num_reserved_ids": 4}
            | {"num_shards": 3, "shard": 1},
        ),
    }
    cases = {}
    for name, (sampler, options) in samplers.items():
        for unique in (False, True):
            drawn = sampler(np.array(TRUE_CLASSES), 2, 11, unique, **options, **SEEDS)
            for part, value in zip(("sampled", "true", "expected"), drawn, strict=True):
                cases[f"{name}_{'unique' if unique else 'repeated'}_{part}"] = value
    return cases


def main() -> None:
    """Draw everything and write the file."""
    import tensorflow as tf

    tf1 = tf.compat.v1
    tf1.disable_v2_behavior()
    golden = {}
    config = tf1.ConfigProto(intra_op_parallelism_threads=THREADS)
    for make, runs in ((_stateful, 2), (_stateless, 1), (_candidates, 2)):
        with tf1.Graph().as_default(), tf1.Session(config=config) as session:
            cases = make(tf)
            for name, values in zip(
                cases, zip(*(session.run(list(cases.values())) for _ in range(runs))), strict=True
            ):
                if name.endswith("_crc"):
                    golden[name] = np.array([zlib.crc32(value) for value in values], np.uint32)
                else:
                    golden[name] = np.stack(values)
    np.savez_compressed(GOLDEN, **golden)
    print(f"{GOLDEN}: {len(golden)} entries, {GOLDEN.stat().st_size} bytes")


if __name__ == "__main__":
    main()
