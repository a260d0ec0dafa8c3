"""Uniform and normal arrays, as TensorFlow's CPU kernels fill them from a Philox stream.

Each block of four 32-bit words becomes a fixed group of outputs: two of a 64-bit type, four of any
other. The truncated normal needs more words where it rejects, so that its groups lie further apart.
The `*_from_blocks` functions are the rules by which a block becomes numbers.

Draws of more than a few thousand float32 numbers are left to `philox_compiled`, with the same bits,
once so many have been drawn that a compiler pays.

May import: numpy, its neighbours philox and libm, and philox_compiled on first need.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import ModuleType

import numpy as np
from numpy.typing import DTypeLike

from minitf.kernels import libm
from minitf.kernels.philox import Stream

RESERVED_PER_OUTPUT = 256  # blocks a kernel reserves for one output, whatever it then uses
TRUNCATION = 2.0  # standard deviations
SMALLEST_UNIFORM = 1.0e-7  # Box–Muller takes no smaller one into its logarithm
_CHUNK = 8192  # blocks at a time, so that every pass over them stays in the cache

Shape = tuple[int, ...]
Transform = Callable[[np.ndarray], np.ndarray]


# One draw of at least so many float32 numbers is compiled, once that many were drawn without.
_COMPILED_FROM = 4096
_COMPILED_AFTER = 4_000_000
_drawn = 0


def uniform(
    stream: Stream, shape: Shape, dtype: DTypeLike = np.float32, out: np.ndarray | None = None
) -> np.ndarray:
    """Uniform on [0, 1): float16, float32 or float64 of the given shape, written to `out` if given."""
    transform = _of_dtype("uniform", _UNIFORM, dtype)
    groups, compiled = _groups_of(shape, dtype, out)
    if compiled:
        compiled.uniform_float32(stream, groups)
    else:
        _fill(stream, groups, transform)
    return _shaped(groups, shape, out)


def uniform_int(
    stream: Stream, shape: Shape, minval: int, maxval: int, dtype: DTypeLike = np.int32
) -> np.ndarray:
    """Uniform integers on [minval, maxval): int32, int64, uint32 or uint64 of the given shape.

    As in TensorFlow, the remainder of a random word by the width, hence slightly biased.

    Raises:
      ValueError: `minval` is not below `maxval`.
    """
    words = _of_dtype("uniform_int", _WORDS, dtype)
    if minval >= maxval:
        raise ValueError(f"Need minval < maxval, got {minval} >= {maxval}")
    unsigned = _unsigned(dtype)
    width = np.array(int(maxval) - int(minval), unsigned)
    lowest = np.array([minval], dtype).view(unsigned)
    out, _ = _groups_of(shape, unsigned)
    _fill(stream, out, lambda blocks: words(blocks) % width + lowest)
    return _shaped(out.view(dtype), shape)


def uniform_full_int(stream: Stream, shape: Shape, dtype: DTypeLike = np.int32) -> np.ndarray:
    """Uniform on all values of int32, int64, uint32 or uint64, in the given shape."""
    words = _of_dtype("uniform_full_int", _WORDS, dtype)
    out, _ = _groups_of(shape, _unsigned(dtype))
    _fill(stream, out, words)
    return _shaped(out.view(dtype), shape)


def standard_normal(
    stream: Stream, shape: Shape, dtype: DTypeLike = np.float32, out: np.ndarray | None = None
) -> np.ndarray:
    """Normal with mean 0 and deviation 1: float16, float32 or float64; written to `out` if given."""
    transform = _of_dtype("standard_normal", _NORMAL, dtype)
    groups, compiled = _groups_of(shape, dtype, out)
    if compiled:
        compiled.normal_float32(stream, groups)
    else:
        _fill(stream, groups, transform)
    return _shaped(groups, shape, out)


def truncated_normal(
    stream: Stream, shape: Shape, dtype: DTypeLike = np.float32, out: np.ndarray | None = None
) -> np.ndarray:
    """Standard normal, redrawn until within two deviations: float16, float32 or float64.

    Written to `out` if given.
    """
    transform = _of_dtype("truncated_normal", _NORMAL, dtype)
    groups, compiled = _groups_of(shape, dtype, out)
    if compiled:
        compiled.truncated_normal_float32(stream, groups)
        return _shaped(groups, shape, out)
    stride = groups.shape[1] * RESERVED_PER_OUTPUT // 4
    for start in range(0, len(groups), _CHUNK):
        stop = min(start + _CHUNK, len(groups))
        region = stream.skip(start * stride)
        normals = transform(region.blocks(stop - start, stride))
        _redraw_outliers(normals, region, stride, transform)
        groups[start:stop] = normals
    return _shaped(groups, shape, out)


def _redraw_outliers(normals: np.ndarray, region: Stream, stride: int, transform: Transform) -> None:
    """In each row that has an outlier, keep the inliers and append those of the row's next blocks.

    Args:
      normals: (n, group), made of block number `row * stride` of `region`; changed in place.
      region: the stream the rows were drawn from.
      stride: blocks between the rows' beginnings.
      transform: makes `group` normals of a block.
    """
    group = normals.shape[1]
    rows = np.flatnonzero((np.abs(normals) >= TRUNCATION).any(axis=1))
    candidates = normals[rows]
    filled = np.zeros(rows.size, np.intp)
    step = 0
    while rows.size:
        for column in candidates.T:
            taken = np.flatnonzero((np.abs(column) < TRUNCATION) & (filled < group))
            normals[rows[taken], filled[taken]] = column[taken]
            filled[taken] += 1
        unfinished = filled < group
        rows, filled = rows[unfinished], filled[unfinished]
        step += 1
        candidates = transform(region.blocks_at(rows * stride + step))


def _unsigned(dtype: DTypeLike) -> np.dtype:
    return np.dtype(f"u{np.dtype(dtype).itemsize}")


def _groups_of(
    shape: Shape, dtype: DTypeLike, out: np.ndarray | None = None
) -> tuple[np.ndarray, ModuleType | None]:
    """Room for the outputs, shape (groups, group), and the compiled draws if they shall fill it.

    The room is `out` itself where whole groups fit into it exactly.
    """
    global _drawn
    dtype = np.dtype(dtype)
    group = 2 if dtype.itemsize == 8 else 4
    if out is not None and out.size % group == 0 and out.flags.c_contiguous:
        groups = out.reshape(-1, group)
    else:
        groups = np.empty((-(-math.prod(shape) // group), group), dtype)
    if dtype != np.float32 or groups.size < _COMPILED_FROM:
        return groups, None
    _drawn += groups.size
    if _drawn < _COMPILED_AFTER:
        return groups, None
    from minitf.kernels import philox_compiled

    return groups, philox_compiled


def _shaped(groups: np.ndarray, shape: Shape, out: np.ndarray | None = None) -> np.ndarray:
    if out is None:
        return groups.reshape(-1)[: math.prod(shape)].reshape(shape)
    if not np.may_share_memory(groups, out):
        np.copyto(out, _shaped(groups, shape))
    return out


def _fill(stream: Stream, out: np.ndarray, transform: Transform) -> None:
    """Make each block of the stream into one row of `out`."""
    for start in range(0, len(out), _CHUNK):
        stop = min(start + _CHUNK, len(out))
        out[start:stop] = transform(stream.skip(start).blocks(stop - start))


def _of_dtype(name: str, table: dict[np.dtype, Transform], dtype: DTypeLike) -> Transform:
    try:
        return table[np.dtype(dtype)]
    except KeyError:
        known = ", ".join(str(key) for key in table)
        raise TypeError(f"{name}: dtype {np.dtype(dtype)} is not one of {known}") from None


def uniform_float16_from_blocks(blocks: np.ndarray) -> np.ndarray:
    """The low 10 bits of each word as the fraction of a number in [1, 2), less 1."""
    bits = (blocks & 0x3FF).astype(np.uint16) | np.uint16(15 << 10)
    return bits.view(np.float16) - np.float16(1)


def uniform_float32_from_blocks(blocks: np.ndarray) -> np.ndarray:
    """The low 23 bits of each word as the fraction of a number in [1, 2), less 1."""
    bits = blocks & 0x7FFFFF
    bits |= 127 << 23
    return bits.view(np.float32) - np.float32(1)


def uniform_float64_from_blocks(blocks: np.ndarray) -> np.ndarray:
    """20 bits of an even word over the odd word after it, as a fraction: two from a block."""
    bits = (blocks[:, 0::2] & 0xFFFFF).astype(np.uint64) << 32
    bits |= blocks[:, 1::2]
    bits |= 1023 << 52
    return bits.view(np.float64) - 1.0


def normal_float32_from_blocks(blocks: np.ndarray) -> np.ndarray:
    """Box–Muller on pairs of words: four from a block."""
    uniforms = uniform_float32_from_blocks(blocks)
    radius = np.maximum(uniforms[:, 0::2], np.float32(SMALLEST_UNIFORM))
    radius = np.sqrt(np.float32(-2) * libm.log(radius))
    angle = (2 * math.pi * uniforms[:, 1::2].astype(np.float64)).astype(np.float32)
    return _polar_pairs(radius, *libm.sin_cos(angle))


def normal_float64_from_blocks(blocks: np.ndarray) -> np.ndarray:
    """Box–Muller on pairs of float64 uniforms: two from a block."""
    uniforms = uniform_float64_from_blocks(blocks)
    radius = np.sqrt(-2.0 * np.log(np.maximum(uniforms[:, 0:1], SMALLEST_UNIFORM)))
    angle = 2 * math.pi * uniforms[:, 1:2]
    return _polar_pairs(radius, np.sin(angle), np.cos(angle))


def _polar_pairs(radius: np.ndarray, sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    normals = np.empty((len(radius), 2 * radius.shape[1]), radius.dtype)
    np.multiply(sine, radius, out=normals[:, 0::2])
    np.multiply(cosine, radius, out=normals[:, 1::2])
    return normals


def words32_from_blocks(blocks: np.ndarray) -> np.ndarray:
    """The four words themselves."""
    return blocks


def words64_from_blocks(blocks: np.ndarray) -> np.ndarray:
    """Two 64-bit words from a block, the lower half first."""
    return blocks[:, 0::2] | blocks[:, 1::2].astype(np.uint64) << 32


_UNIFORM: dict[np.dtype, Transform] = {
    np.dtype(np.float16): uniform_float16_from_blocks,
    np.dtype(np.float32): uniform_float32_from_blocks,
    np.dtype(np.float64): uniform_float64_from_blocks,
}
_NORMAL: dict[np.dtype, Transform] = {
    np.dtype(np.float16): normal_float32_from_blocks,
    np.dtype(np.float32): normal_float32_from_blocks,
    np.dtype(np.float64): normal_float64_from_blocks,
}
_WORDS: dict[np.dtype, Transform] = {
    np.dtype(np.int32): words32_from_blocks,
    np.dtype(np.uint32): words32_from_blocks,
    np.dtype(np.int64): words64_from_blocks,
    np.dtype(np.uint64): words64_from_blocks,
}
