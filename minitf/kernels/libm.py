"""log, sin and cos of float32 to the last bit of the GNU C library, which TensorFlow calls.

NumPy's own float32 functions differ from it in the last place or two. Each function here is a short
polynomial in float64 that is rounded once at the end. The constants are those of ARM's Optimized
Routines (MIT licence), which glibc has used for these three functions since version 2.28.

May import: numpy.
"""

from __future__ import annotations

import numpy as np

_hex = float.fromhex

# log: x = 2^k z with z near 1; one of 16 intervals gives c near z, and log(x) = k log(2) + log(c) +
# log1p(z / c - 1).
LOG_INTERVAL_START = 0x3F330000
LOG_TWO = _hex("0x1.62e42fefa39efp-1")
LOG_POLYNOMIAL = tuple(map(_hex, ("-0x1.00ea348b88334p-2", "0x1.5575b0be00b6ap-2", "-0x1.ffffef20a4123p-2")))
LOG_TABLE = np.array(
    [
        [_hex(inverse), _hex(logarithm)]
        for inverse, logarithm in (
            ("0x1.661ec79f8f3bep+0", "-0x1.57bf7808caadep-2"),
            ("0x1.571ed4aaf883dp+0", "-0x1.2bef0a7c06ddbp-2"),
            ("0x1.49539f0f010bp+0", "-0x1.01eae7f513a67p-2"),
            ("0x1.3c995b0b80385p+0", "-0x1.b31d8a68224e9p-3"),
            ("0x1.30d190c8864a5p+0", "-0x1.6574f0ac07758p-3"),
            ("0x1.25e227b0b8eap+0", "-0x1.1aa2bc79c81p-3"),
            ("0x1.1bb4a4a1a343fp+0", "-0x1.a4e76ce8c0e5ep-4"),
            ("0x1.12358f08ae5bap+0", "-0x1.1973c5a611cccp-4"),
            ("0x1.0953f419900a7p+0", "-0x1.252f438e10c1ep-5"),
            ("0x1p+0", "0x0p+0"),
            ("0x1.e608cfd9a47acp-1", "0x1.aa5aa5df25984p-5"),
            ("0x1.ca4b31f026aap-1", "0x1.c5e53aa362eb4p-4"),
            ("0x1.b2036576afce6p-1", "0x1.526e57720db08p-3"),
            ("0x1.9c2d163a1aa2dp-1", "0x1.bc2860d22477p-3"),
            ("0x1.886e6037841edp-1", "0x1.1058bc8a07ee1p-2"),
            ("0x1.767dcf5534862p-1", "0x1.4043057b6ee09p-2"),
        )
    ]
)

# sin and cos: x = n pi / 2 + r with |r| <= pi / 4, then an odd or an even polynomial of r.
HALF_PI = _hex("0x1.921FB54442D18p0")
QUADRANTS_24 = _hex("0x1.45F306DC9C883p+23")  # 2 / pi, scaled by 2^24 to be rounded as an integer
SIN_POLYNOMIAL = tuple(map(_hex, ("-0x1.555545995a603p-3", "0x1.1107605230bc4p-7", "-0x1.994eb3774cf24p-13")))
COS_POLYNOMIAL = tuple(
    map(
        _hex,
        (
            "-0x1.ffffffd0c621cp-2",
            "0x1.55553e1068f19p-5",
            "-0x1.6c087e89a359dp-10",
            "0x1.99343027bf8c3p-16",
        ),
    )
)


def log(x: np.ndarray) -> np.ndarray:
    """Natural logarithm of float32 `x`, which must be positive, finite and normal."""
    bits = x.view(np.int32)
    offset = bits - np.int32(LOG_INTERVAL_START)
    inverse, logarithm = LOG_TABLE.T
    interval = (offset >> 19) & 15
    exponent = offset >> 23
    mantissa = (bits - (exponent << 23)).view(np.float32).astype(np.float64)
    r = mantissa * inverse[interval] - 1.0
    a, b, c = LOG_POLYNOMIAL
    square = r * r
    start = logarithm[interval] + exponent * LOG_TWO
    polynomial = a * square + (b * r + c)
    return (polynomial * square + (start + r)).astype(np.float32)


def sin_cos(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine of float32 `x`, which must lie in [-120, 120]."""
    wide = x.astype(np.float64)
    quadrant = ((wide * QUADRANTS_24).astype(np.int32) + np.int32(0x800000)) >> 24
    r = wide - quadrant * HALF_PI
    square = r * r
    s1, s2, s3 = SIN_POLYNOMIAL
    cube = r * square
    sine = (r + cube * s1) + (cube * square) * (s2 + square * s3)
    c1, c2, c3, c4 = COS_POLYNOMIAL
    fourth = square * square
    cosine = ((1.0 + square * c1) + fourth * c2) + (fourth * square) * (c3 + square * c4)
    swapped = (quadrant & 1).astype(bool)
    sine, cosine = np.where(swapped, cosine, sine), np.where(swapped, sine, cosine)
    np.negative(sine, out=sine, where=(quadrant & 2).astype(bool))
    np.negative(cosine, out=cosine, where=((quadrant + 1) & 2).astype(bool))
    return sine.astype(np.float32), cosine.astype(np.float32)
