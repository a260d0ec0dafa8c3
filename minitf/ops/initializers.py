"""What variables start as: `tf.initializers`, built of ops, with TensorFlow 1's numbers for a given seed.

An initializer is called with a shape (and a dtype, which goes before its own) and returns a tensor.
"""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from minitf.framework.dtypes import DType, as_dtype, float32
from minitf.ops import array, constants, random
from minitf.ops.decompositions import qr
from minitf.ops.diag import diag_part
from minitf.ops.math import sign


class Initializer:
    """Base of all initializers. A subclass defines `__call__`, and its arguments in `get_config`."""

    dtype: Any = float32

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        """A tensor of that shape and dtype (default: the initializer's own).

        `partition_info.full_shape` is the shape of the whole that the tensor is to be a part of, if it is.
        """
        full = shape if partition_info is None else partition_info.full_shape
        return self._make(shape, as_dtype(self.dtype if dtype is None else dtype), [int(n) for n in full])

    def _make(self, shape: Any, dtype: DType, full_shape: list[int]) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer, as plain values."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        """The initializer that `get_config` describes."""
        return cls(**config)


@dataclass(eq=False)
class _Described(Initializer):
    """An initializer whose arguments are its fields."""

    def __post_init__(self) -> None:
        self.dtype = as_dtype(self.dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer, as plain values."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"dtype": self.dtype.name}


class _Floating(_Described):
    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.dtype.is_floating:
            raise ValueError(f"Argument `dtype` is expected to be floating point. Received: {self.dtype}.")


@dataclass(eq=False)
class Zeros(_Described):
    """Zeros (False, or empty strings)."""

    dtype: Any = float32

    def _make(self, shape, dtype, full_shape):
        return constants.zeros(shape, dtype)


@dataclass(eq=False)
class Ones(_Described):
    """Ones (or True)."""

    dtype: Any = float32

    def _make(self, shape, dtype, full_shape):
        return constants.ones(shape, dtype)


class Constant(Initializer):
    """The given number or array. An array with fewer elements than the shape is filled up with its last one.

    With `verify_shape`, a TypeError is raised unless the array has the asked shape. Raises TypeError when
    `value` is no number, list or array.
    """

    def __init__(self, value: Any = 0, dtype: Any = float32, verify_shape: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, list | tuple | np.ndarray)):
            raise TypeError(
                f"Invalid type for initial value={value} of type: {type(value).__name__}. Expected Python "
                "scalar, list or tuple of values, or numpy.ndarray."
            )
        self.value = value
        self.dtype = as_dtype(dtype)
        self._verify_shape = verify_shape

    def __call__(
        self, shape: Any, dtype: Any = None, partition_info: Any = None, verify_shape: bool | None = None
    ) -> Any:
        """A constant of that shape and dtype. See `Initializer`."""
        verify = self._verify_shape if verify_shape is None else verify_shape
        dtype = self.dtype if dtype is None else dtype
        return constants.constant(self.value, dtype, shape, verify_shape=verify)

    def get_config(self) -> dict[str, Any]:
        """The value and the dtype's name."""
        return {"value": self.value, "dtype": self.dtype.name}


@dataclass(eq=False)
class RandomUniform(_Described):
    """Uniform random numbers from `minval` up to (not including) `maxval`, 1 for floating types if None."""

    minval: Any = 0.0
    maxval: Any = None
    seed: int | None = None
    dtype: Any = float32

    def _make(self, shape, dtype, full_shape):
        return random.random_uniform(shape, self.minval, self.maxval, dtype, seed=self.seed)


@dataclass(eq=False)
class RandomNormal(_Floating):
    """Normally distributed random numbers."""

    mean: Any = 0.0
    stddev: Any = 1.0
    seed: int | None = None
    dtype: Any = float32

    def _make(self, shape, dtype, full_shape):
        return random.random_normal(shape, self.mean, self.stddev, dtype, seed=self.seed)


@dataclass(eq=False)
class TruncatedNormal(_Floating):
    """Normally distributed random numbers, drawn again while more than two deviations from the mean."""

    mean: Any = 0.0
    stddev: Any = 1.0
    seed: int | None = None
    dtype: Any = float32

    def _make(self, shape, dtype, full_shape):
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, seed=self.seed)


@dataclass(eq=False)
class UniformUnitScaling(_Floating):
    """Uniform in ±factor·sqrt(3 / inputs), where inputs is the product of all sizes but the last.

    The scale of a layer's input is then kept (https://arxiv.org/abs/1412.6558).
    """

    factor: float = 1.0
    seed: int | None = None
    dtype: Any = float32

    def _make(self, shape, dtype, full_shape):
        limit = math.sqrt(3 / max(float(math.prod(full_shape[:-1])), 1.0)) * self.factor
        return random.random_uniform(shape, -limit, limit, dtype, seed=self.seed)


# The deviation of a standard normal cut off at two deviations.
_TRUNCATED_DEVIATION = 0.87962566103423978

# What `scale` is divided by.
_FANS = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2.0,
}


def _uniform(shape, variance, dtype, seed):
    limit = math.sqrt(3.0 * variance)
    return random.random_uniform(shape, -limit, limit, dtype, seed=seed)


def _truncated_normal(shape, variance, dtype, seed):
    deviation = math.sqrt(variance) / _TRUNCATED_DEVIATION
    return random.truncated_normal(shape, 0.0, deviation, dtype, seed=seed)


def _untruncated_normal(shape, variance, dtype, seed):
    return random.random_normal(shape, 0.0, math.sqrt(variance), dtype, seed=seed)


_DISTRIBUTIONS = {
    "normal": _truncated_normal,
    "uniform": _uniform,
    "truncated_normal": _truncated_normal,
    "untruncated_normal": _untruncated_normal,
}


@dataclass(eq=False)
class VarianceScaling(_Floating):
    """Random numbers of variance scale / fan, so that signals keep their scale through a layer.

    `mode` says which fan: "fan_in" (inputs of a unit), "fan_out" (units that an input goes to) or "fan_avg".
    Of a shape with more than two dimensions the leading ones are a receptive field, which counts in both.
    `distribution` is "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".
    Raises ValueError for other modes and distributions, a scale that isn't positive, and other dtypes.
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: int | None = None
    dtype: Any = float32

    def __post_init__(self) -> None:
        if self.scale <= 0.0:
            raise ValueError(f"Argument `scale` must be a positive float. Received: {self.scale}")
        if self.mode not in _FANS:
            raise ValueError(f"Argument `mode` should be one of {tuple(_FANS)}. Received: {self.mode}")
        self.distribution = self.distribution.lower()
        if self.distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"Argument `distribution` should be one of {tuple(_DISTRIBUTIONS)}. "
                f"Received: {self.distribution}"
            )
        super().__post_init__()

    def _make(self, shape, dtype, full_shape):
        variance = self.scale / max(1.0, _FANS[self.mode](*_fans(full_shape)))
        return _DISTRIBUTIONS[self.distribution](shape, variance, dtype, self.seed)


def _fans(shape: list[int]) -> tuple[int, int]:
    """How many numbers go into a unit, and to how many units a number goes."""
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class GlorotUniform(VarianceScaling):
    """Uniform in ±sqrt(6 / (fan_in + fan_out)) (http://proceedings.mlr.press/v9/glorot10a.html)."""

    def __init__(self, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)

    def get_config(self) -> dict[str, Any]:
        """The seed and the dtype's name."""
        return {"seed": self.seed, "dtype": self.dtype.name}


class GlorotNormal(VarianceScaling):
    """Truncated normal of variance 2 / (fan_in + fan_out)."""

    def __init__(self, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)

    def get_config(self) -> dict[str, Any]:
        """The seed and the dtype's name."""
        return {"seed": self.seed, "dtype": self.dtype.name}


def lecun_normal(seed: int | None = None) -> Initializer:
    """Truncated normal of variance 1 / fan_in."""
    return VarianceScaling(1.0, "fan_in", "truncated_normal", seed)


def lecun_uniform(seed: int | None = None) -> Initializer:
    """Uniform in ±sqrt(3 / fan_in)."""
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


def he_normal(seed: int | None = None) -> Initializer:
    """Truncated normal of variance 2 / fan_in (https://arxiv.org/abs/1502.01852)."""
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


def he_uniform(seed: int | None = None) -> Initializer:
    """Uniform in ±sqrt(6 / fan_in)."""
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


@dataclass(eq=False)
class Orthogonal(_Floating):
    """A random matrix with orthonormal columns (rows, if there are fewer), times `gain`.

    All dimensions but the last count as rows (https://arxiv.org/abs/1312.6120). Raises ValueError for
    shapes of fewer than two dimensions.
    """

    gain: float = 1.0
    seed: int | None = None
    dtype: Any = float32

    def _make(self, shape, dtype, full_shape):
        sizes = _matrix_sizes(shape)
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        normal = random.random_normal([max(rows, columns), min(rows, columns)], dtype=dtype, seed=self.seed)
        q, r = qr(normal, full_matrices=False)
        # With the signs of r's diagonal, q is uniformly distributed.
        q = q * sign(diag_part(r))
        if rows < columns:
            q = array.matrix_transpose(q)
        return self.gain * array.reshape(q, sizes)


def _matrix_sizes(shape: Any) -> list[int]:
    if len(shape) < 2:
        raise ValueError(
            "The tensor to initialize, specified by argument `shape` must be at least two-dimensional. "
            f"Received shape={shape}"
        )
    return [int(size) for size in shape]


@dataclass(eq=False)
class Identity(_Floating):
    """The identity matrix times `gain`. Raises ValueError for shapes of other than two dimensions."""

    gain: float = 1.0
    dtype: Any = float32

    def _make(self, shape, dtype, full_shape):
        sizes = _matrix_sizes(shape)
        if len(sizes) != 2 or sizes != full_shape:
            raise ValueError(f"The identity matrix has two dimensions and no parts. Received shape={shape}")
        return constants.constant(self.gain * np.eye(*sizes), dtype)


zeros_initializer = Zeros
ones_initializer = Ones
constant_initializer = Constant
random_uniform_initializer = RandomUniform
random_normal_initializer = RandomNormal
truncated_normal_initializer = TruncatedNormal
uniform_unit_scaling_initializer = UniformUnitScaling
variance_scaling_initializer = VarianceScaling
glorot_uniform_initializer = GlorotUniform
glorot_normal_initializer = GlorotNormal
orthogonal_initializer = Orthogonal
identity_initializer = Identity
