"""Layers that disturb their inputs in training."""

from typing import Any

from minitf.keras.engine.base_layer import Layer
from minitf.keras.layers.training_switch import in_training
from minitf.ops import math
from minitf.ops.array import cast, identity, shape
from minitf.ops.constants import constant
from minitf.ops.random import random_normal, random_uniform

# Klambauer et al. 2017, https://arxiv.org/abs/1706.02515
_ALPHA = 1.6732632423543772848170429916717
_SCALE = 1.0507009873554804934193349852946


class _Noise(Layer):
    """Base: what training does, inference leaves alone."""

    _setting = "rate"

    def __init__(self, value: float, seed: int | None, kwargs: dict[str, Any]) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        setattr(self, self._setting, value)
        self.seed = seed

    def _disturbed(self, inputs: Any) -> Any:
        raise NotImplementedError

    def _disturbs(self) -> bool:
        return 0 < self.rate < 1

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The inputs, disturbed in training."""
        if not self._disturbs():
            return identity(inputs)
        return in_training(training, lambda: self._disturbed(inputs), lambda: identity(inputs))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), self._setting: getattr(self, self._setting), "seed": self.seed}


class GaussianNoise(_Noise):
    """Adds normal noise of standard deviation `stddev` in training."""

    _setting = "stddev"

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(stddev, seed, kwargs)

    def _disturbs(self) -> bool:
        return True

    def _disturbed(self, inputs: Any) -> Any:
        dtype = inputs.dtype.base_dtype
        return inputs + random_normal(shape(inputs), stddev=self.stddev, dtype=dtype, seed=self.seed)


class GaussianDropout(_Noise):
    """Multiplies by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate)) in training."""

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, kwargs)

    def _disturbed(self, inputs: Any) -> Any:
        stddev = (self.rate / (1.0 - self.rate)) ** 0.5
        dtype = inputs.dtype.base_dtype
        return inputs * random_normal(shape(inputs), mean=1.0, stddev=stddev, dtype=dtype, seed=self.seed)


class AlphaDropout(_Noise):
    """In training sets a share `rate` to selu's lowest value, and keeps mean and variance."""

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, kwargs)
        self.noise_shape = noise_shape

    def _disturbed(self, inputs: Any) -> Any:
        dtype = inputs.dtype.base_dtype
        lowest = -_ALPHA * _SCALE
        slope = ((1 - self.rate) * (1 + self.rate * lowest**2)) ** -0.5
        offset = -slope * lowest * self.rate
        sizes = shape(inputs) if self.noise_shape is None else self.noise_shape
        noise = random_uniform(sizes, dtype=dtype, seed=self.seed)
        kept = cast(math.greater_equal(noise, constant(self.rate, dtype)), dtype)
        dropped = constant(lowest, dtype) * (constant(1, dtype) - kept)
        return constant(slope, dtype) * (inputs * kept + dropped) + constant(offset, dtype)
