"""Random tensors: uniform, normal, gamma, Poisson and categorical draws, shuffles and crops.

Each op has a generator of its own in each Session, seeded by the rule in random_seed.py, and draws
TensorFlow's own numbers. Draws that depend on a seed tensor instead are in random_stateless.py.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import DType, as_dtype
from minitf.framework.shapes import TensorShape
from minitf.kernels.gamma_gradient import gamma_sample_gradient
from minitf.kernels.random import Philox
from minitf.ops import array, math, shape_rules, slicing
from minitf.ops.constants import zeros_like
from minitf.ops.group import with_dependencies
from minitf.ops.like import sum_like
from minitf.ops.random_seed import seed_attrs
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
from minitf.ops.shape_rules import constant_value, require_rank, same_as_input, shape_from

_UniformInt = Types("UniformInt", (dtypes.int32, dtypes.int64))
_Rate = Types("Rate", (*Floating.allowed, dtypes.int32, dtypes.int64))
_UNIFORM_DTYPES = (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)


def _generator(op: Any) -> Philox:
    return Philox(op.attrs["seed"], op.attrs["seed2"])


def sizes_of(shape: np.ndarray) -> tuple[int, ...]:
    """The value of a `shape` input as a tuple. Raises ValueError in TensorFlow's words."""
    if np.ndim(shape) != 1:
        brackets = "[" + ",".join(map(str, np.shape(shape))) + "]"
        raise ValueError(f"shape must be a vector of {{int32,int64}}, got shape {brackets}")
    sizes = tuple(shape.tolist())
    for size in sizes:
        if size < 0:
            raise ValueError(f"Dimension {size} must be >= 0")
    return sizes


def drawn_shape(shape: Any, *_inputs: Any, **_attrs: Any) -> TensorShape:
    """The shape rule of ops whose first input is the wanted shape."""
    require_rank(shape, 1)
    return shape_from(shape)


def _filled_shape(shape, *, dtype, **_attrs):
    if dtype not in Floating.allowed:
        raise TypeError(
            f"Value for attr 'dtype' of {dtype.name} is not in the list of "
            "allowed values: half, float, double"
        )
    return drawn_shape(shape)


def _fills(name: str, draw: Callable) -> Callable:
    """Declares the op whose kernel is the Philox method `draw(state, shape, dtype, out)`."""

    def prepare(node):
        shape = node.inputs[0].constant
        if shape is None:
            return None
        sizes, dtype = sizes_of(shape), node.attrs["dtype"].numpy_dtype
        return lambda state, shape, out=None: draw(state, sizes, dtype, out)

    @op(name, shape=_filled_shape, state=_generator, prepare=prepare)
    def kernel(state, shape: Index, *, dtype, seed=0, seed2=0, out=None) -> Attr("dtype"):
        return draw(state, sizes_of(shape), dtype.numpy_dtype, out)

    return kernel


_uniform = _fills("RandomUniform", Philox.uniform)
_standard_normal = _fills("RandomStandardNormal", Philox.standard_normal)
_truncated_normal = _fills("TruncatedNormal", Philox.truncated_normal)


@op("RandomUniformInt", shape=drawn_shape, state=_generator)
def _uniform_int(
    state, shape: Index, minval: _UniformInt, maxval: _UniformInt, *, seed=0, seed2=0
) -> _UniformInt:
    sizes = sizes_of(shape)
    if 0 in sizes:
        return np.empty(sizes, minval.dtype)
    return state.random_uniform_int(sizes, int(minval), int(maxval), minval.dtype)


@op("RandomShuffle", shape=same_as_input, state=_generator)
def _shuffle(state, value: Anything, *, seed=0, seed2=0) -> Anything:
    return state.shuffle(value)


def _samples_shape(logits, num_samples, **_attrs):
    batch = require_rank(logits, 2).sizes[0]
    require_rank(num_samples, 0)
    count = constant_value(num_samples)
    if count is not None and count < 0:
        raise ValueError(f"Dimension size, given by scalar input 1, must be non-negative but is {int(count)}")
    return TensorShape([batch, None if count is None else int(count)])


def checked_logits(logits: np.ndarray, num_samples: np.ndarray) -> np.ndarray:
    """The logits as floating numbers. Raises ValueError, in TensorFlow's words, for what is no batch."""
    if logits.ndim != 2:
        raise ValueError(f"logits should be a matrix, got shape {list(logits.shape)}")
    if np.ndim(num_samples):
        raise ValueError(f"num_samples should be a scalar, got shape {list(np.shape(num_samples))}")
    if num_samples < 0:
        raise ValueError(f"num_samples should be nonnegative, got {int(num_samples)}")
    if logits.shape[1] == 0 and len(logits):
        raise ValueError("num_classes should be positive, got 0")
    return logits if logits.dtype.kind == "f" else logits.astype(np.float64)


@op("Multinomial", shape=_samples_shape, state=_generator)
def _multinomial(
    state, logits: Real, num_samples: dtypes.int32, *, seed=0, seed2=0, output_dtype=dtypes.int64
) -> Attr("output_dtype"):
    logits = checked_logits(logits, num_samples)
    return state.multinomial(logits, int(num_samples), output_dtype.numpy_dtype)


def samples_of_each(shape: Any, parameter: Any, **_attrs: Any) -> TensorShape:
    """The shape rule of draws of `shape` for each entry of `parameter`."""
    return drawn_shape(shape).concatenate(parameter.shape)


@op("RandomGamma", shape=samples_of_each, state=_generator)
def _gamma(state, shape: Index, alpha: Floating, *, seed=0, seed2=0) -> Floating:
    return state.gamma(sizes_of(shape), alpha)


_Precise = Types("Precise", (dtypes.float32, dtypes.float64))


@op("RandomGammaGrad", shape=shape_rules.broadcast)
def _gamma_grad(alpha: _Precise, sample: _Precise) -> _Precise:
    """How samples of rate 1 move with their shape parameter."""
    return gamma_sample_gradient(alpha, sample)


def gamma_gradient(sample: Any, alpha: Any, grad: Any) -> Any:
    """The gradient of `alpha`, of which `sample` was drawn and `grad` is the sample's gradient."""
    return sum_like(grad * _gamma_grad(alpha, sample), alpha)


@gradient(_gamma)
def _gamma_gradient(op, grad):
    return [None, gamma_gradient(op.outputs[0], op.inputs[1], grad)]


@op("RandomPoissonV2", shape=samples_of_each, state=_generator)
def _poisson(state, shape: Index, rate: _Rate, *, seed=0, seed2=0, dtype=dtypes.int64) -> Attr("dtype"):
    return state.poisson(sizes_of(shape), rate, dtype.numpy_dtype)


not_differentiable(
    _uniform, _standard_normal, _truncated_normal, _uniform_int, _shuffle, _multinomial, _poisson, _gamma_grad
)


# --- TensorFlow's functions --------------------------------------------------------------------------


def shape_tensor(shape: Any) -> Any:
    """A `shape` argument as an integer tensor named "shape"; [] is an int32 vector."""
    empty = isinstance(shape, list | tuple) and not shape
    return interpreter().convert(shape, dtypes.int32 if empty else None, dtypes.int32, "shape")


def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Numbers drawn uniformly from [minval, maxval), floating or integer.

    `maxval` is 1 unless given; integers need it. Raises ValueError when they lack it and for other dtypes.
    """
    dtype = as_dtype(dtype)
    if dtype not in _UNIFORM_DTYPES:
        raise ValueError(
            f"Argument `dtype` got invalid value {dtype}. Accepted dtypes are {_UNIFORM_DTYPES}."
        )
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {dtype!r}")
        maxval = 1
    current = interpreter()
    with current.name_scope(name or "random_uniform") as scope:
        shape = shape_tensor(shape)
        from_zero = isinstance(minval, int) and minval == 0
        to_one = isinstance(maxval, int) and maxval == 1
        if not (from_zero and to_one) or dtype.is_integer:
            minval = current.convert(minval, dtype, None, "min")
            maxval = current.convert(maxval, dtype, None, "max")
        seeds = seed_attrs(seed)
        if dtype.is_integer:
            return _uniform_int(shape, minval, maxval, name=scope, **seeds)
        drawn = _uniform(shape, dtype=dtype, **seeds)
        if from_zero:
            return drawn if to_one else math.multiply(drawn, maxval)
        return math.add(drawn * (maxval - minval), minval, name=scope)


def _normal(draw: Callable, default_name: str, doc: str) -> Callable:
    def function(
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = dtypes.float32,
        seed: int | None = None,
        name: str | None = None,
    ) -> Any:
        dtype, current = as_dtype(dtype), interpreter()
        with current.name_scope(name or default_name) as scope:
            shape = shape_tensor(shape)
            mean = current.convert(mean, dtype, None, "mean")
            stddev = current.convert(stddev, dtype, None, "stddev")
            drawn = draw(shape, dtype=dtype, **seed_attrs(seed))
            return math.add(drawn * stddev, mean, name=scope)

    function.__name__ = function.__qualname__ = default_name
    function.__doc__ = doc
    return function


random_normal = _normal(
    _standard_normal,
    "random_normal",
    "Numbers from the normal distribution. `mean` and `stddev` broadcast to `shape`.",
)
truncated_normal = _normal(
    _truncated_normal,
    "truncated_normal",
    "Numbers from the normal distribution, those further than two deviations from the mean drawn anew.",
)


def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Any:
    """`value` with its parts along the first dimension in a random order."""
    return _shuffle(value, name=name, **seed_attrs(seed))


def cropped(value: Any, size: Any, draw: Callable[..., Any], name: str | None) -> Any:
    """A box of `size` at a random place of `value`; `draw(shape, dtype=, maxval=)` draws the place."""
    from minitf.ops.checks import Assert
    from minitf.ops.reduce import reduce_all

    current = interpreter()
    with current.name_scope(name or "random_crop") as scope:
        value = current.convert(value, None, None, "value")
        size = current.convert(size, dtypes.int32, None, "size")
        shape = array.shape(value)
        check = Assert(
            reduce_all(math.greater_equal(shape, size)),
            ["Need value.shape >= size, got ", shape, size],
            summarize=1000,
        )
        shape = with_dependencies([check], shape)
        limit = shape - size + 1
        offset = draw(array.shape(shape), dtype=dtypes.int32, maxval=dtypes.int32.max) % limit
        return slicing.slice_(value, offset, size, name=scope)


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Any:
    """A box of `size` from a random place of `value`. Fails at run time when it does not fit."""
    return cropped(value, size, lambda shape, **bounds: random_uniform(shape, seed=seed, **bounds), name)


def class_dtype(dtype: Any) -> DType:
    """The dtype of drawn class numbers: int64 unless given. Raises ValueError for any but int32, int64."""
    dtype = as_dtype(dtype) if dtype else dtypes.int64
    if dtype not in (dtypes.int32, dtypes.int64):
        raise ValueError(
            f"Argument `dtype` got invalid value {dtype}. Accepted dtypes are {(dtypes.int32, dtypes.int64)}."
        )
    return dtype


def multinomial(
    logits: Any,
    num_samples: Any,
    seed: int | None = None,
    name: str | None = None,
    output_dtype: Any = None,
) -> Any:
    """Class numbers, (batch, num_samples), of probabilities softmax(logits); logits are (batch, classes)."""
    return _categorical(logits, num_samples, output_dtype, seed, name or "multinomial")


def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Any:
    """Class numbers, (batch, num_samples), of probabilities softmax(logits); logits are (batch, classes)."""
    return _categorical(logits, num_samples, dtype, seed, name or "categorical")


def _categorical(logits, num_samples, dtype, seed, name):
    with interpreter().name_scope(name):
        logits = interpreter().convert(logits, None, None, "logits")
        return _multinomial(logits, num_samples, output_dtype=class_dtype(dtype), **seed_attrs(seed))


def gamma_parameters(alpha: Any, beta: Any, dtype: DType) -> tuple[Any, Any]:
    """`alpha` broadcast against `beta`, and `beta` (1 if None)."""
    current = interpreter()
    alpha = current.convert(alpha, dtype, None, "alpha")
    beta = current.convert(1 if beta is None else beta, dtype, None, "beta")
    return (alpha if beta.shape.rank == 0 else math.add(alpha, zeros_like(beta))), beta


def scaled_gamma(drawn: Any, beta: Any) -> Any:
    """Draws of rate 1 brought to rate `beta`, and kept above zero."""
    tiny = np.array(np.finfo(drawn.dtype.numpy_dtype).tiny, drawn.dtype.numpy_dtype)
    return math.maximum(tiny, drawn / beta)


def random_gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Draws from gamma distributions: of each pair of shape `alpha` and rate `beta`, `shape` samples.

    The result has shape `shape + broadcast(alpha, beta).shape`. Its gradient reaches alpha and beta.
    """
    current = interpreter()
    with current.name_scope(name or "random_gamma"):
        shape = current.convert(shape, dtypes.int32, None, "shape")
        alpha, beta = gamma_parameters(alpha, beta, as_dtype(dtype))
        return scaled_gamma(_gamma(shape, alpha, **seed_attrs(seed)), beta)


def random_poisson_v2(
    shape: Any, lam: Any, dtype: Any = dtypes.float32, seed: int | None = None, name: str | None = None
) -> Any:
    """Draws from Poisson distributions: `shape` samples of each mean in `lam`: `shape + lam.shape`."""
    current = interpreter()
    with current.name_scope(name or "random_poisson"):
        shape = current.convert(shape, dtypes.int32, None, "shape")
        lam = current.convert(lam, None, None, "rate")
        return _poisson(shape, lam, dtype=as_dtype(dtype), **seed_attrs(seed))


def random_poisson(
    lam: Any, shape: Any, dtype: Any = dtypes.float32, seed: int | None = None, name: str | None = None
) -> Any:
    """Draws from Poisson distributions: `shape` samples of each mean in `lam`: `shape + lam.shape`."""
    return random_poisson_v2(shape, lam, dtype, seed, name)
