"""FarmHash's 64-bit fingerprint of bytes, by which TensorFlow sorts strings into buckets.

Geoff Pike, FarmHash (2014), function farmhashna::Hash64; numbers wrap around at 64 bits.

May import: nothing.
"""

_MASK = (1 << 64) - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F


def fingerprint64(data: bytes) -> int:
    """The fingerprint, from 0 to 2**64 - 1."""
    size = len(data)
    if size <= 16:
        return _up_to_16(data, size)
    if size <= 32:
        return _up_to_32(data, size)
    if size <= 64:
        return _up_to_64(data, size)
    return _longer(data, size)


def _word(data: bytes, at: int, width: int = 8) -> int:
    return int.from_bytes(data[at : at + width], "little")


def _rotated(value: int, by: int) -> int:
    value &= _MASK
    return (value >> by | value << (64 - by)) & _MASK


def _shift_mix(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _mixed(u: int, v: int, multiplier: int) -> int:
    a = _shift_mix((u ^ v) * multiplier)
    b = _shift_mix(((v & _MASK) ^ a) * multiplier)
    return b * multiplier & _MASK


def _up_to_16(data: bytes, size: int) -> int:
    if size >= 8:
        multiplier = _K2 + size * 2
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        c = _rotated(b, 37) * multiplier + a
        d = (_rotated(a, 25) + b) * multiplier
        return _mixed(c & _MASK, d & _MASK, multiplier)
    if size >= 4:
        multiplier = _K2 + size * 2
        return _mixed(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), multiplier)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[size - 1] << 2)
        return _shift_mix(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _up_to_32(data: bytes, size: int) -> int:
    multiplier = _K2 + size * 2
    a, b = _word(data, 0) * _K1, _word(data, 8)
    c, d = _word(data, size - 8) * multiplier, _word(data, size - 16) * _K2
    return _mixed(
        (_rotated(a + b, 43) + _rotated(c, 30) + d) & _MASK,
        (a + _rotated(b + _K2, 18) + c) & _MASK,
        multiplier,
    )


def _up_to_64(data: bytes, size: int) -> int:
    multiplier = _K2 + size * 2
    a, b = _word(data, 0) * _K2, _word(data, 8)
    c, d = _word(data, size - 8) * multiplier, _word(data, size - 16) * _K2
    y = (_rotated(a + b, 43) + _rotated(c, 30) + d) & _MASK
    z = _mixed(y, (a + _rotated(b + _K2, 18) + c) & _MASK, multiplier)
    e, f = _word(data, 16) * multiplier, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * multiplier, (z + _word(data, size - 24)) * multiplier
    return _mixed(
        (_rotated(e + f, 43) + _rotated(g, 30) + h) & _MASK,
        (e + _rotated(f + a, 18) + g) & _MASK,
        multiplier,
    )


def _weak(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """A cheap hash of 32 bytes and two seeds."""
    w, x, y, z = (_word(data, at + 8 * i) for i in range(4))
    a += w
    b = _rotated(b + a + z, 21)
    c = a
    a += x + y
    b += _rotated(a, 44)
    return (a + z) & _MASK, (b + c) & _MASK


def _longer(data: bytes, size: int) -> int:
    seed = 81
    x, y = seed, (seed * _K1 + 113) & _MASK
    z = _shift_mix(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _word(data, 0)) & _MASK
    end = (size - 1) // 64 * 64
    last = size - 64
    for at in range(0, end, 64):
        x = _rotated(x + y + v[0] + _word(data, at + 8), 37) * _K1
        y = _rotated(y + v[1] + _word(data, at + 48), 42) * _K1
        x ^= w[1]
        y += v[0] + _word(data, at + 40)
        z = _rotated(z + w[0], 33) * _K1
        v = _weak(data, at, v[1] * _K1, x + w[0])
        w = _weak(data, at + 32, z + w[1], y + _word(data, at + 16))
        z, x = x & _MASK, z & _MASK
        y &= _MASK
    multiplier = _K1 + ((z & 0xFF) << 1)
    w = (w[0] + ((size - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x = _rotated(x + y + v[0] + _word(data, last + 8), 37) * multiplier
    y = _rotated(y + v[1] + _word(data, last + 48), 42) * multiplier
    x ^= w[1] * 9
    y += v[0] * 9 + _word(data, last + 40)
    z = _rotated(z + w[0], 33) * multiplier
    v = _weak(data, last, v[1] * multiplier, x + w[0])
    w = _weak(data, last + 32, z + w[1], y + _word(data, last + 16))
    z, x = x & _MASK, z & _MASK
    y &= _MASK
    return _mixed(
        (_mixed(v[0], w[0], multiplier) + _shift_mix(y) * _K0 + z) & _MASK,
        (_mixed(v[1], w[1], multiplier) + x) & _MASK,
        multiplier,
    )
