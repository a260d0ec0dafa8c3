"""Random numbers as TensorFlow's CPU kernels draw them.

`Philox` is the state of one stateful op: each call reserves the part of the op's stream that
TensorFlow's kernel reserves, and draws from it. A stateless op draws from
`stateless_stream(seed)` with the functions, which are gathered here.

Numbers agree with TensorFlow's bit for bit, except where the float64 logarithms and sines of NumPy
and the C library differ in the last place.

May import: numpy, and its neighbours philox and random_*.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minitf.kernels.philox import StatefulStream, Stream, stateless_stream
from minitf.kernels.random_categorical import multinomial
from minitf.kernels.random_fill import (
    RESERVED_PER_OUTPUT,
    Shape,
    standard_normal,
    truncated_normal,
    uniform,
    uniform_full_int,
    uniform_int,
)
from minitf.kernels.random_rejection import gamma, poisson

__all__ = [
    "Philox",
    "gamma",
    "multinomial",
    "permutation",
    "poisson",
    "standard_normal",
    "stateless_stream",
    "truncated_normal",
    "uniform",
    "uniform_full_int",
    "uniform_int",
]


def permutation(stream: Stream, size: int) -> np.ndarray:
    """A random order of `size` things (Fisher–Yates, from the front): intp, shape (size,)."""
    order = list(range(size))
    if size > 1:
        words = stream.blocks(-(-(size - 1) // 4)).reshape(-1)[: size - 1]
        partner = np.arange(size - 1) + words % np.arange(size, 1, -1, dtype=np.uint32)
        for here, there in enumerate(partner.tolist()):
            order[here], order[there] = order[there], order[here]
    return np.array(order, np.intp)


class Philox(StatefulStream):
    """The generator of one stateful random op: `seed`, `seed2`, and how far it has got.

    Each method runs the op once: it reserves what TensorFlow's kernel reserves, so that the
    second call gives the numbers of TensorFlow's second run. See the functions of the same names
    for arguments and results.
    """

    __slots__ = ()

    def _outputs(self, count: int) -> Stream:
        return self.reserve(count * RESERVED_PER_OUTPUT)

    def uniform(
        self, shape: Shape, dtype: DTypeLike = np.float32, out: np.ndarray | None = None
    ) -> np.ndarray:
        """RandomUniform."""
        return uniform(self._outputs(math.prod(shape)), shape, dtype, out)

    def random_uniform_int(
        self, shape: Shape, minval: int, maxval: int, dtype: DTypeLike = np.int32
    ) -> np.ndarray:
        """RandomUniformInt."""
        return uniform_int(self._outputs(math.prod(shape)), shape, minval, maxval, dtype)

    def standard_normal(
        self, shape: Shape, dtype: DTypeLike = np.float32, out: np.ndarray | None = None
    ) -> np.ndarray:
        """RandomStandardNormal."""
        return standard_normal(self._outputs(math.prod(shape)), shape, dtype, out)

    def truncated_normal(
        self, shape: Shape, dtype: DTypeLike = np.float32, out: np.ndarray | None = None
    ) -> np.ndarray:
        """TruncatedNormal."""
        return truncated_normal(self._outputs(math.prod(shape)), shape, dtype, out)

    def gamma(self, shape: Shape, alpha: ArrayLike, dtype: DTypeLike | None = None) -> np.ndarray:
        """RandomGamma."""
        return gamma(self._outputs(math.prod(shape) * np.size(alpha)), shape, alpha, dtype)

    def poisson(self, shape: Shape, rate: ArrayLike, dtype: DTypeLike | None = None) -> np.ndarray:
        """RandomPoisson, RandomPoissonV2."""
        return poisson(self._outputs(math.prod(shape) * np.size(rate)), shape, rate, dtype)

    def multinomial(self, logits: np.ndarray, num_samples: int, dtype: DTypeLike = np.int64) -> np.ndarray:
        """Multinomial."""
        padded = (num_samples + 3) // 4 * 4
        stream = self._outputs(len(logits) * padded * 2 if num_samples else 0)
        return multinomial(stream, logits, num_samples, dtype)

    def shuffle(self, array: np.ndarray) -> np.ndarray:
        """RandomShuffle: a copy of `array`, shuffled along its first dimension."""
        if array.size <= 1 or len(array) <= 1:
            return array.copy()
        stream = self.reserve((len(array) + 2) // 4)
        return array[permutation(stream, len(array))]
