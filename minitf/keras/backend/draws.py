"""Random tensors in Keras's names. Without a seed of their own, NumPy's generator gives them one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.keras.backend.values import dtype_or_default
from minitf.ops import math, random
from minitf.ops.array import cast


def _seed(seed: int | None) -> int:
    return np.random.randint(10_000_000) if seed is None else seed


def _normal(draw: Callable, name: str, doc: str) -> Callable:
    def function(
        shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
    ) -> Any:
        return draw(shape, mean, stddev, dtype_or_default(dtype), _seed(seed))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


random_normal = _normal(random.random_normal, "random_normal", "Numbers from the normal distribution.")
truncated_normal = _normal(
    random.truncated_normal,
    "truncated_normal",
    "Numbers from the normal distribution, none further than two deviations from the mean.",
)


def random_uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: int | None = None
) -> Any:
    """Numbers drawn uniformly from [minval, maxval)."""
    return random.random_uniform(shape, minval, maxval, dtype_or_default(dtype), _seed(seed))


def random_bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None) -> Any:
    """Ones with chance `p`, else zeros."""
    dtype = dtype_or_default(dtype)
    return cast(math.less_equal(random_uniform(shape, dtype=dtype, seed=seed), cast(p, dtype)), dtype)


random_binomial = random_bernoulli
