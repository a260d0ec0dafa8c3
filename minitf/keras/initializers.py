"""What weights start as. With a seed, the numbers are tf-keras's own (stateless draws of [seed, 0])."""

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework.dtypes import as_dtype
from minitf.keras.engine import state
from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object
from minitf.ops import constants, random_seed
from minitf.ops import random_stateless as draws
from minitf.ops.registry import interpreter

_seeds = random.Random()
_seeded_with: int | None = None


def set_seed(seed: int) -> None:
    """Fixes the seeds that initializers without one of their own get (`keras.utils.set_random_seed`)."""
    global _seeded_with
    _seeds.seed(seed)
    _seeded_with = seed


def _new_seed() -> int:
    """A seed for an initializer: of the row that `set_seed` began, else by `tf.set_random_seed`, else any."""
    source = _seeds
    if interpreter().seed not in (None, _seeded_with):
        source = random.Random(repr(random_seed.get_seed(None)))
    return source.randint(1, 10**9)


class Initializer:
    """Base: called with a shape and dtype, gives a tensor."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of `shape` and `dtype` (default: the default float type)."""
        raise NotImplementedError("Initializer subclasses must implement the `__call__()` method.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        """An initializer made from what `get_config` returned."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})


def _dtype(dtype: Any) -> Any:
    return as_dtype(dtype or state.floatx())


class Zeros(Initializer):
    """Zeros."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of zeros."""
        return constants.zeros(shape, _dtype(dtype))


class Ones(Initializer):
    """Ones."""

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of ones."""
        return constants.ones(shape, _dtype(dtype))


class Constant(Initializer):
    """One value, or an array of the weight's shape."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor filled with the value."""
        return constants.constant(np.broadcast_to(np.asarray(self.value), tuple(shape)), _dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {"value": self.value}


class _Random(Initializer):
    """Base of those that draw numbers. The same object draws the same numbers every time."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed
        self._drawn_seed = _new_seed() if seed is None else seed

    def _pair(self) -> list[int]:
        return [self._drawn_seed, 0]


class RandomUniform(_Random):
    """Uniform between `minval` and `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.minval, self.maxval = minval, maxval

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of uniform numbers."""
        return draws.stateless_random_uniform(shape, self._pair(), self.minval, self.maxval, _dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class RandomNormal(_Random):
    """Normal with `mean` and `stddev`."""

    _draw: Callable = staticmethod(draws.stateless_random_normal)

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of normal numbers."""
        return self._draw(shape, self._pair(), self.mean, self.stddev, _dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class TruncatedNormal(RandomNormal):
    """Normal with `mean` and `stddev`, none farther than two deviations from the mean."""

    _draw = staticmethod(draws.stateless_truncated_normal)


# A truncated unit normal has this standard deviation.
_TRUNCATED_DEVIATION = 0.87962566103423978


class VarianceScaling(_Random):
    """Numbers whose variance is `scale` over the fan-in, fan-out or their mean ('fan_avg').

    `distribution` is 'truncated_normal', 'untruncated_normal' or 'uniform'.
    Raises ValueError for unknown modes and distributions and scales that are not positive.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive float. Received: {scale}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Invalid `mode` argument: {mode}. Please use one of fan_in, fan_out, fan_avg.")
        distribution = {"normal": "truncated_normal"}.get(distribution.lower(), distribution.lower())
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(f"Invalid `distribution` argument: {distribution}.")
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of random numbers."""
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, fan)
        dtype, pair = _dtype(dtype), self._pair()
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return draws.stateless_random_uniform(shape, pair, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return draws.stateless_random_normal(shape, pair, 0.0, math.sqrt(variance), dtype)
        deviation = math.sqrt(variance) / _TRUNCATED_DEVIATION
        return draws.stateless_truncated_normal(shape, pair, 0.0, deviation, dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {
            "scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed,
        }  # fmt: skip


def fans(shape: Any) -> tuple[int, int]:
    """The number of inputs and of outputs of a unit with a kernel of that shape."""
    shape = tuple(int(size) for size in shape)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _scaling(name: str, scale: float, mode: str, distribution: str, doc: str) -> type[VarianceScaling]:
    def __init__(self, seed: int | None = None) -> None:
        VarianceScaling.__init__(self, scale, mode, distribution, seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {"seed": self.seed}

    body = {"__init__": __init__, "get_config": get_config, "__doc__": doc, "__module__": __name__}
    return type(name, (VarianceScaling,), body)


GlorotUniform = _scaling(
    "GlorotUniform", 1.0, "fan_avg", "uniform", "Uniform in ±sqrt(6 / (fan_in + fan_out)) (Glorot 2010)."
)
GlorotNormal = _scaling(
    "GlorotNormal", 1.0, "fan_avg", "truncated_normal", "Normal of variance 2 / (fan_in + fan_out)."
)
LecunUniform = _scaling("LecunUniform", 1.0, "fan_in", "uniform", "Uniform in ±sqrt(3 / fan_in).")
LecunNormal = _scaling("LecunNormal", 1.0, "fan_in", "truncated_normal", "Normal of variance 1 / fan_in.")
HeUniform = _scaling("HeUniform", 2.0, "fan_in", "uniform", "Uniform in ±sqrt(6 / fan_in) (He 2015).")
HeNormal = _scaling("HeNormal", 2.0, "fan_in", "truncated_normal", "Normal of variance 2 / fan_in (He 2015).")


class Orthogonal(_Random):
    """A random matrix with orthonormal rows or columns, times `gain` (Saxe et al. 2013).

    Raises ValueError for shapes of fewer than two dimensions.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor that is orthogonal when its first dimensions are flattened."""
        from minitf.ops.array import matrix_transpose, reshape
        from minitf.ops.decompositions import qr
        from minitf.ops.diag import diag_part
        from minitf.ops.math import sign

        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. Received: "
                f"shape={shape} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        size = (max(columns, rows), min(columns, rows))
        dtype = _dtype(dtype)
        q, r = qr(draws.stateless_random_normal(size, self._pair(), dtype=dtype), full_matrices=False)
        q = q * sign(diag_part(r))
        if rows < columns:
            q = matrix_transpose(q)
        return constants.constant(self.gain, dtype) * reshape(q, shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {"gain": self.gain, "seed": self.seed}


class Identity(Initializer):
    """`gain` times the identity matrix. Raises ValueError for shapes that are no matrix."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """The matrix."""
        if len(shape) != 2:
            raise ValueError(
                f"Identity matrix initializer can only be used for 2D matrices. Received: shape={shape} of "
                f"rank {len(shape)}."
            )
        return constants.constant(self.gain * np.eye(*shape), _dtype(dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {"gain": self.gain}


zero = zeros = Zeros
one = ones = Ones
constant = Constant
uniform = random_uniform = RandomUniform
normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
he_uniform, he_normal = HeUniform, HeNormal
orthogonal, identity = Orthogonal, Identity

_CLASSES: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        Initializer, Zeros, Ones, Constant, RandomUniform, RandomNormal, TruncatedNormal, VarianceScaling,
        GlorotUniform, GlorotNormal, LecunUniform, LecunNormal, HeUniform, HeNormal, Orthogonal, Identity,
    )
}  # fmt: skip
# The names of Keras 1 and 2, and of TensorFlow's own initializers in saved models.
_CLASSES |= {
    "zero": Zeros, "zeros": Zeros, "one": Ones, "ones": Ones, "constant": Constant,
    "uniform": RandomUniform, "random_uniform": RandomUniform, "normal": RandomNormal,
    "random_normal": RandomNormal, "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling, "glorot_uniform": GlorotUniform, "glorot_normal": GlorotNormal,
    "lecun_uniform": LecunUniform, "lecun_normal": LecunNormal, "he_uniform": HeUniform,
    "he_normal": HeNormal, "orthogonal": Orthogonal, "identity": Identity, "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}  # fmt: skip


def serialize(initializer: Any) -> Any:
    """An initializer's config."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The initializer that a config or name stands for."""
    return deserialize_keras_object(config, _CLASSES, custom_objects, "initializer")


def get(identifier: Any) -> Any:
    """An initializer from a name, config, class, object or function; None stays None.

    Raises ValueError for anything else.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str | dict):
        return deserialize(identifier)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret initializer identifier: {identifier}")
