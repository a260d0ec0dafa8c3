"""Random numbers: TensorFlow's own, for the seeds of the sample."""

import numpy as np

from minitf.framework.dtypes import as_dtype
from tests.op_cases import case
from tests.op_cases.draw import FLOATS

SEEDS = (1, 87654321, 2**31 - 2)
# Box-Muller of float64: NumPy's logarithms and sines against the C library's.
LAST_PLACE = {"float64": 1e-14, "float32": 1e-6, "float16": 0.0}


def once(name):
    """The raw op, run once in a graph of its own: eagerly, TensorFlow would keep its generator."""

    def reference(tf, **arguments):
        arguments = {k: tf.as_dtype(v.name) if k.endswith("dtype") else v for k, v in arguments.items()}
        with tf.Graph().as_default():
            given = {k: tf.constant(v.numpy()) if hasattr(v, "numpy") else v for k, v in arguments.items()}
            result = getattr(tf.raw_ops, name)(**given)
            with tf.compat.v1.Session() as session:
                values = session.run(list(result) if isinstance(result, tuple) else [result])
        return [tf.constant(value) for value in values]

    return reference


def seeds(draw):
    return {"seed": draw.one_of(*SEEDS), "seed2": draw.one_of(0, *SEEDS)}


def seed_pair(draw):
    return draw.array((2,), -1000, 1000, dtype=draw.one_of("int32", "int64"))


def shape(draw, **bounds):
    return draw.index(draw.shape(**bounds))


for _name in ("RandomUniform", "RandomStandardNormal", "TruncatedNormal"):

    @case(
        _name, dtypes=FLOATS, reference=once(_name), tolerance=LAST_PLACE,
        reason="float64 normals differ in the last place, as log and sin of the C library do",
    )  # fmt: skip
    def filled(draw):
        return {"shape": shape(draw), "dtype": as_dtype(draw.dtype), **seeds(draw)}


@case("RandomUniformInt", dtypes=("int32", "int64"), reference=once("RandomUniformInt"))
def uniform_int(draw):
    low = draw.integer(-5, 5)
    high = low + draw.integer(1, 100)
    bounds = {"minval": draw.dtype.type(low), "maxval": draw.dtype.type(high)}
    return {"shape": shape(draw), **bounds, **seeds(draw)}


@case("RandomShuffle", reference=once("RandomShuffle"))
def shuffle(draw):
    return {"value": draw.array(draw.shape(min_rank=1)), **seeds(draw)}


@case("Multinomial", dtypes=FLOATS, reference=once("Multinomial"))
def multinomial(draw):
    logits = draw.array(draw.shape(2, 2, min_size=1), special=False)
    output = as_dtype(draw.one_of("int32", "int64"))
    return {
        "logits": logits,
        "num_samples": np.int32(draw.integer(0, 9)),
        "output_dtype": output,
        **seeds(draw),
    }


@case(
    "RandomGamma", dtypes=FLOATS, reference=once("RandomGamma"), no_gradient=("alpha",),
    tolerance={"float64": 1e-13}, reason="float64 logarithms differ in the last place",
)  # fmt: skip
def gamma(draw):
    return {
        "shape": shape(draw, max_rank=2),
        "alpha": draw.array(low=0.2, high=5, special=False),
        **seeds(draw),
    }


@case(
    "RandomGammaGrad", dtypes=("float32", "float64"), tolerance={"float32": 1e-4, "float64": 1e-9},
    reason="TensorFlow adds the series up in another order, in float32 if the samples are",
)  # fmt: skip
def gamma_grad(draw):
    shapes = draw.broadcastable(2)
    return {
        "alpha": draw.array(shapes[0], 0.2, 20, special=False),
        "sample": draw.array(shapes[1], 0.2, 20, special=False),
    }


@case("RandomPoissonV2", dtypes=(*FLOATS, "int32", "int64"), reference=once("RandomPoissonV2"))
def poisson(draw):
    rate = draw.array(low=0, high=30, special=False)
    output = as_dtype(draw.one_of(*FLOATS, "int32", "int64"))
    return {"shape": shape(draw, max_rank=2), "rate": rate, "dtype": output, **seeds(draw)}


# --- with a seed tensor ------------------------------------------------------------------------------


@case(
    "StatelessRandomUniform", "StatelessRandomNormal", "StatelessTruncatedNormal", dtypes=FLOATS,
    tolerance=LAST_PLACE,
    reason="float64 normals differ in the last place, as log and sin of the C library do",
)  # fmt: skip
def stateless(draw):
    return {"shape": shape(draw), "seed": seed_pair(draw), "dtype": as_dtype(draw.dtype)}


@case("StatelessRandomUniformInt", dtypes=("int32", "int64"))
def stateless_int(draw):
    low = draw.integer(-5, 5)
    high = low + draw.integer(1, 100)
    bounds = {"minval": draw.dtype.type(low), "maxval": draw.dtype.type(high)}
    return {"shape": shape(draw), "seed": seed_pair(draw), **bounds}


@case("StatelessRandomUniformFullInt", dtypes=("int32", "int64", "uint32", "uint64"))
def stateless_full_int(draw):
    return {"shape": shape(draw), "seed": seed_pair(draw), "dtype": as_dtype(draw.dtype)}


@case("StatelessMultinomial", dtypes=FLOATS)
def stateless_multinomial(draw):
    logits = draw.array(draw.shape(2, 2, min_size=1), special=False)
    output = as_dtype(draw.one_of("int32", "int64"))
    return {
        "logits": logits, "num_samples": np.int32(draw.integer(0, 9)), "seed": seed_pair(draw),
        "output_dtype": output,
    }  # fmt: skip


@case(
    "StatelessRandomGammaV2", dtypes=FLOATS, no_gradient=("alpha",),
    tolerance={"float64": 1e-13}, reason="float64 logarithms differ in the last place",
)  # fmt: skip
def stateless_gamma(draw):
    alpha = draw.array(draw.shape(max_rank=2), low=0.2, high=5, special=False)
    return {
        "shape": draw.index((*draw.shape(max_rank=2), *alpha.shape)),
        "seed": seed_pair(draw),
        "alpha": alpha,
    }


@case("StatelessRandomPoisson", dtypes=("float32", "float64"))
def stateless_poisson(draw):
    lam = draw.array(draw.shape(max_rank=2), low=0, high=30, special=False)
    output = as_dtype(draw.one_of(*FLOATS, "int32", "int64"))
    shape = draw.index((*draw.shape(max_rank=2), *lam.shape))
    return {"shape": shape, "seed": seed_pair(draw), "lam": lam, "dtype": output}


@case("StatelessRandomGetKeyCounter", dtypes=("int32", "int64"))
def key_counter(draw):
    return {"seed": draw.array((2,), -1000, 1000)}


@case("StatelessShuffle")
def stateless_shuffle(draw):
    words = draw.array((3,), 0, 2**62, dtype="uint64")
    return {
        "value": draw.array(draw.shape(min_rank=1)),
        "key": words[:1],
        "counter": words[1:],
        "alg": np.int32(1),
    }


# --- candidate samplers ------------------------------------------------------------------------------

_ULP = {"tolerance": {"float32": 3e-7}, "reason": "log1p and expm1 of float32 differ in the last place"}


def candidates(draw, **options):
    unique = draw.boolean()
    true_classes = draw.indices((draw.integer(1, 4), draw.integer(1, 3)), 12, "int64")
    return {
        "true_classes": true_classes,
        "num_true": true_classes.shape[1],
        "num_sampled": draw.integer(1, 9),
        "unique": unique,
        **options,
        **seeds(draw),
    }


for _name in ("UniformCandidateSampler", "LogUniformCandidateSampler", "LearnedUnigramCandidateSampler"):

    @case(_name, dtypes=("int64",), reference=once(_name), **_ULP)
    def sampler(draw):
        return candidates(draw, range_max=12)


@case(
    "FixedUnigramCandidateSampler", dtypes=("int64",), reference=once("FixedUnigramCandidateSampler"), **_ULP
)
def fixed_unigram(draw):
    return candidates(
        draw, range_max=12, unigrams=list(range(1, 13)), distortion=draw.one_of(1.0, 0.75, 0.0),
        vocab_file="",
        num_reserved_ids=0, num_shards=1, shard=0,
    )  # fmt: skip


@case("AllCandidateSampler", dtypes=("int64",), reference=once("AllCandidateSampler"))
def all_classes(draw):
    return {**candidates(draw), "num_sampled": 12}


@case("ComputeAccidentalHits", dtypes=("int64",), dynamic=True)
def accidental_hits(draw):
    true_classes = draw.indices((draw.integer(1, 4), draw.integer(1, 3)), 12, "int64")
    sampled = draw.array((12,), dtype="int64")
    sampled[:] = draw.permutation(12)
    return {
        "true_classes": true_classes, "sampled_candidates": sampled[: draw.integer(1, 9)],
        "num_true": true_classes.shape[1],
    }  # fmt: skip
