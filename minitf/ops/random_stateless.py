"""Random tensors that depend on nothing but a seed tensor of two integers: `tf.random.stateless_…`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape
from minitf.kernels import random as kernels
from minitf.kernels.philox import Stream
from minitf.ops import math
from minitf.ops.random import (
    _Rate,
    _samples_shape,
    checked_logits,
    class_dtype,
    cropped,
    drawn_shape,
    gamma_gradient,
    gamma_parameters,
    scaled_gamma,
    shape_tensor,
    sizes_of,
)
from minitf.ops.registry import (
    Anything,
    Attr,
    Floating,
    Index,
    Real,
    Types,
    gradient,
    interpreter,
    not_differentiable,
    op,
)
from minitf.ops.shape_rules import require_rank, same_as_input, shape_from

_Seed = Types("Seed", (dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64), shared=False)
_Int = Types("StatelessInt", (dtypes.int32, dtypes.int64))


def _stream(seed: np.ndarray) -> Stream:
    if seed.shape != (2,):
        raise ValueError(f"seed must have shape [2], not [{','.join(map(str, seed.shape))}]")
    return kernels.stateless_stream((int(seed[0]), int(seed[1])))


def _check_seed(seed: Any) -> None:
    size = require_rank(seed, 1).sizes[0]
    if size not in (None, 2):
        raise ValueError(f"Dimension must be 2 but is {size}")


def _seeded_shape(shape, seed, *_parameters, **_attrs):
    _check_seed(seed)
    return drawn_shape(shape)


def _fills(name: str, draw: Callable) -> Callable:
    """Declares the op whose kernel is `draw(stream, shape, dtype, out)`."""

    @op(name, shape=_seeded_shape)
    def kernel(shape: Index, seed: _Seed, *, dtype=dtypes.float32, out=None) -> Attr("dtype"):
        return draw(_stream(seed), sizes_of(shape), dtype.numpy_dtype, out)

    return kernel


_uniform = _fills("StatelessRandomUniform", kernels.uniform)
_normal = _fills("StatelessRandomNormal", kernels.standard_normal)
_truncated_normal = _fills("StatelessTruncatedNormal", kernels.truncated_normal)


@op("StatelessRandomUniformInt", shape=_seeded_shape)
def _uniform_int(shape: Index, seed: _Seed, minval: _Int, maxval: _Int) -> _Int:
    sizes = sizes_of(shape)
    if 0 in sizes:
        return np.empty(sizes, minval.dtype)
    return kernels.uniform_int(_stream(seed), sizes, int(minval), int(maxval), minval.dtype)


@op("StatelessRandomUniformFullInt", shape=_seeded_shape)
def _uniform_full_int(shape: Index, seed: _Seed, *, dtype=dtypes.uint64) -> Attr("dtype"):
    return kernels.uniform_full_int(_stream(seed), sizes_of(shape), dtype.numpy_dtype)


def _stateless_samples_shape(logits, num_samples, seed, **_attrs):
    _check_seed(seed)
    return _samples_shape(logits, num_samples)


@op("StatelessMultinomial", shape=_stateless_samples_shape)
def _multinomial(logits: Real, num_samples: dtypes.int32, seed: _Seed, *, output_dtype=dtypes.int64) -> Attr(
    "output_dtype"
):
    logits = checked_logits(logits, num_samples)
    return kernels.multinomial(_stream(seed), logits, int(num_samples), output_dtype.numpy_dtype)


def _samples(shape: np.ndarray, parameter: np.ndarray) -> tuple[int, ...]:
    """How many samples are drawn for each entry: `shape` without the parameter's own sizes at its end."""
    sizes = sizes_of(shape)
    count = len(sizes) - parameter.ndim
    if count < 0 or np.broadcast_shapes(sizes, parameter.shape) != sizes:
        raise ValueError(
            f"Shape passed in must end with broadcasted shape: {list(sizes)} vs. {list(parameter.shape)}"
        )
    return sizes[:count]


def _whole_shape(shape, seed, parameter, **_attrs):
    _check_seed(seed)
    require_rank(shape, 1)
    return shape_from(shape)


@op("StatelessRandomGammaV2", shape=_whole_shape)
def _gamma(shape: Index, seed: _Seed, alpha: Floating) -> Floating:
    return kernels.gamma(_stream(seed), _samples(shape, alpha), alpha)


@gradient(_gamma)
def _gamma_gradient(op, grad):
    return [None, None, gamma_gradient(op.outputs[0], op.inputs[2], grad)]


@op("StatelessRandomPoisson", shape=_whole_shape)
def _poisson(shape: Index, seed: _Seed, lam: _Rate, *, dtype) -> Attr("dtype"):
    return kernels.poisson(_stream(seed), _samples(shape, lam), lam, dtype.numpy_dtype)


def _key_and_counter(seed):
    _check_seed(seed)
    return [TensorShape([1]), TensorShape([2])]


@op("StatelessRandomGetKeyCounter", shape=_key_and_counter)
def _get_key_counter(seed: _Seed) -> (dtypes.uint64, dtypes.uint64):
    """The Philox key and first counter that a seed stands for."""
    stream = _stream(seed)
    halves = stream.counter & (1 << 64) - 1, stream.counter >> 64
    return np.array([stream.key], np.uint64), np.array(halves, np.uint64)


_PHILOX = 1  # TensorFlow's number for the algorithm


@op("StatelessShuffle", shape=same_as_input)
def _shuffle(value: Anything, key: dtypes.uint64, counter: dtypes.uint64, alg: dtypes.int32) -> Anything:
    if alg != _PHILOX:
        raise ValueError(f"Unsupported algorithm id: {int(alg)}")
    if value.ndim == 0 or value.size == 0:
        return value.copy()
    stream = Stream(int(key[0]), int(counter[0]) | int(counter[1]) << 64)
    return value[kernels.permutation(stream, len(value))]


not_differentiable(
    _uniform, _normal, _truncated_normal, _uniform_int, _uniform_full_int, _multinomial, _poisson,
    _get_key_counter, _shuffle,
)  # fmt: skip


# --- TensorFlow's functions --------------------------------------------------------------------------

_INTEGERS = (dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64)
_UNIFORM_DTYPES = (*Floating.allowed, *_INTEGERS)
_PHILOX_NAMES = ("auto_select", "philox")


def _check_algorithm(alg: Any) -> None:
    if alg not in (*_PHILOX_NAMES, _PHILOX):
        raise NotImplementedError(f"alg={alg!r}: minitf draws with Philox only")


def stateless_random_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
    alg: str = "auto_select",
) -> Any:
    """Numbers drawn uniformly from [minval, maxval); the same for the same `seed` of two integers.

    Integers between no bounds (both None) cover the whole dtype. Raises ValueError for other dtypes, for
    one bound alone, and for unsigned integers with bounds.
    """
    _check_algorithm(alg)
    dtype = as_dtype(dtype)
    if dtype not in _UNIFORM_DTYPES:
        raise ValueError(
            f"Argument `dtype` got invalid value {dtype}. Accepted dtypes are {_UNIFORM_DTYPES}."
        )
    if dtype.is_integer:
        if (minval is None) != (maxval is None):
            raise ValueError(
                f"For integer `dtype` argument {dtype}, argument `minval` and `maxval` must be both None or "
                f"not None. Got `minval`={minval} and `maxval`={maxval}."
            )
        if minval is not None and dtype.is_unsigned:
            raise ValueError(
                f"Argument `dtype` got invalid value {dtype} when argument `minval` is not None. Please "
                "don't use unsigned integers in this case."
            )
    elif maxval is None:
        maxval = 1
    current = interpreter()
    with current.name_scope(name or "stateless_random_uniform") as scope:
        shape = shape_tensor(shape)
        if minval is None:
            return _uniform_full_int(shape, seed, dtype=dtype, name=scope)
        minval = current.convert(minval, dtype, None, "min")
        maxval = current.convert(maxval, dtype, None, "max")
        if dtype.is_integer:
            return _uniform_int(shape, seed, minval, maxval, name=scope)
        drawn = _uniform(shape, seed, dtype=dtype)
        return math.add(drawn * (maxval - minval), minval, name=scope)


def _public_normal(draw: Callable, default_name: str, doc: str) -> Callable:
    def function(
        shape: Any,
        seed: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = dtypes.float32,
        name: str | None = None,
        alg: str = "auto_select",
    ) -> Any:
        _check_algorithm(alg)
        dtype, current = as_dtype(dtype), interpreter()
        with current.name_scope(name or default_name) as scope:
            shape = shape_tensor(shape)
            mean = current.convert(mean, dtype, None, "mean")
            stddev = current.convert(stddev, dtype, None, "stddev")
            return math.add(draw(shape, seed, dtype=dtype) * stddev, mean, name=scope)

    function.__name__ = function.__qualname__ = default_name
    function.__doc__ = doc
    return function


stateless_random_normal = _public_normal(
    _normal,
    "stateless_random_normal",
    "Numbers from the normal distribution; the same for the same `seed` of two integers.",
)
stateless_truncated_normal = _public_normal(
    _truncated_normal,
    "stateless_truncated_normal",
    "As `stateless_random_normal`, numbers further than two deviations from the mean drawn anew.",
)


def stateless_random_gamma(
    shape: Any,
    seed: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Any:
    """Draws from gamma distributions of shapes `alpha` and rates `beta`; `shape` is that of the result."""
    with interpreter().name_scope(name or "stateless_random_gamma"):
        shape = shape_tensor(shape)
        alpha, beta = gamma_parameters(alpha, beta, as_dtype(dtype))
        return scaled_gamma(_gamma(shape, seed, alpha), beta)


def stateless_random_poisson(
    shape: Any, seed: Any, lam: Any, dtype: Any = dtypes.int32, name: str | None = None
) -> Any:
    """Draws from Poisson distributions of means `lam`; `shape` is that of the result."""
    with interpreter().name_scope(name or "stateless_random_poisson"):
        lam = interpreter().convert(lam, None, None, "lam")
        return _poisson(shape_tensor(shape), seed, lam, dtype=as_dtype(dtype))


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None
) -> Any:
    """Class numbers, (batch, num_samples), of probabilities softmax(logits); logits are (batch, classes)."""
    return _categorical(logits, num_samples, seed, dtype, name or "stateless_categorical")


def stateless_multinomial(
    logits: Any, num_samples: Any, seed: Any, output_dtype: Any = dtypes.int64, name: str | None = None
) -> Any:
    """As `stateless_categorical`, under its old name."""
    return _categorical(logits, num_samples, seed, output_dtype, name or "stateless_multinomial")


def _categorical(logits, num_samples, seed, dtype, name):
    with interpreter().name_scope(name):
        logits = interpreter().convert(logits, None, None, "logits")
        return _multinomial(logits, num_samples, seed, output_dtype=class_dtype(dtype))


def stateless_shuffle(value: Any, seed: Any, alg: str = "auto_select", name: str | None = None) -> Any:
    """`value` with its parts along the first dimension in the order that `seed` says."""
    _check_algorithm(alg)
    with interpreter().name_scope(name or "stateless_shuffle"):
        key, counter = _get_key_counter(seed)
        return _shuffle(value, key, counter, _PHILOX)


def stateless_random_crop(value: Any, size: Any, seed: Any, name: str | None = None) -> Any:
    """A box of `size` from the place of `value` that `seed` says. Fails at run time when it does not fit."""
    return cropped(value, size, lambda shape, **bounds: stateless_random_uniform(shape, seed, **bounds), name)


def split(seed: Any, num: int = 2, alg: str = "auto_select") -> Any:
    """`num` new seeds, (num, 2), made of one."""
    seed = interpreter().convert(seed, None, None, "seed")
    dtype = seed.dtype.base_dtype
    return stateless_random_uniform([num, 2], seed, None, None, dtype=dtype, alg=alg)


def fold_in(seed: Any, data: Any, alg: str = "auto_select") -> Any:
    """A new seed made of a seed and an integer."""
    from minitf.ops.join import stack

    data = interpreter().convert(data, None, None, "data")
    first = stateless_random_uniform([], seed, None, None, dtype=data.dtype.base_dtype, alg=alg)
    return stack([first, data])
