"""The exponential function of float32, written so that compilers turn loops over it into vector code.

exp(x) = 2^n exp(r) with n = round(x / log 2) and r = x - n log 2, and a polynomial for exp(r) on
|r| <= log(2) / 2 (coefficients of Cephes' expf, Moshier 1989). The error is below 1.5 units in the last
place.

May import: NumPy and `threads`.
"""

import numpy as np

from minitf.kernels.threads import jit

__all__ = ["exp", "expm1"]

_LOWEST = np.float32(-104)  # below, exp is 0
_HIGHEST = np.float32(89)  # above, it is infinite
_LOG2_E = np.float32(1.44269504088896341)
# log 2 in two parts, of which n times the first is exact.
_LOG_2_HIGH = np.float32(0.693359375)
_LOG_2_LOW = np.float32(-2.12194440e-4)
# Added and subtracted again, it rounds to an integer.
_ROUND = np.float32(12582912)
_P5 = np.float32(1.9875691500e-4)
_P4 = np.float32(1.3981999507e-3)
_P3 = np.float32(8.3334519073e-3)
_P2 = np.float32(4.1665795894e-2)
_P1 = np.float32(1.6666665459e-1)
_P0 = np.float32(5.0000001201e-1)
_ONE = np.float32(1)


@jit
def _parts(x):
    """exp(r) - 1 and n."""
    x = min(max(x, _LOWEST), _HIGHEST)
    n = (x * _LOG2_E + _ROUND) - _ROUND
    r = x - n * _LOG_2_HIGH - n * _LOG_2_LOW
    p = ((((_P5 * r + _P4) * r + _P3) * r + _P2) * r + _P1) * r + _P0
    return p * r * r + r, np.int32(n)


@jit
def _power_of_two(n):
    return np.int32((n + np.int32(127)) << np.int32(23)).view(np.float32)


@jit
def exp(x):
    """exp(x) of a float32; NaN stays NaN."""
    less_one, n = _parts(x)
    half = n >> np.int32(1)  # 2^n alone may not be a normal number
    y = (less_one + _ONE) * _power_of_two(half) * _power_of_two(n - half)
    return y if x == x else x


@jit
def expm1(x):
    """exp(x) - 1 of a float32 that is not above 88, exact near 0; NaN stays NaN."""
    less_one, n = _parts(max(x, np.float32(-80)))
    scale = _power_of_two(n)
    y = less_one * scale + (scale - _ONE)
    return y if x == x else x
