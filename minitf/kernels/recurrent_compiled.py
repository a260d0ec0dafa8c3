"""The compiled twins of recurrent.py, for float32.

Samples do not meet within a sequence, so each thread takes some of them from the first step to the last,
and no thread waits for another. The recurrent kernel is packed into columns for the register tiles once; a
step is then a product of the thread's rows and a pass over them.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.exponential import exp, expm1
from minitf.kernels.microkernel import multiply_tiles, pack_columns, tile_columns, tiles_address
from minitf.kernels.threads import chunk, flat, jit, num_threads, parallel_jit, prange, scratch

__all__ = ["gru", "gru_grad", "lstm", "lstm_grad", "simple_rnn", "simple_rnn_grad"]

Array = np.ndarray

BAND_ROWS = 96
"""Rows multiplied at a time, as in gemm.py."""

BLOCK_TERMS = 1024
"""Terms summed at a time, as in gemm.py."""


def _packed(kernel: Array, transposed: bool) -> tuple:
    """What `_multiply` needs to multiply by the kernel, or by its transpose."""
    rows, columns = kernel.shape
    steps = (1, columns) if transposed else (columns, 1)
    terms, columns = (columns, rows) if transposed else (rows, columns)
    width = min(tile_columns(kernel.itemsize), columns)
    blocks = -(-columns // width)
    packed = scratch("recurrent kernel", blocks * terms * width, kernel.dtype)
    pack_columns(flat(kernel), 0, terms, steps[0], columns, steps[1], width, packed, 0, terms * width)
    rows = np.arange(BAND_ROWS)
    shape = tiles_address(kernel.dtype), terms, columns, width
    return packed, rows * terms, rows * columns, np.zeros(1, np.int64), shape


def _buffer(name: str, size: int) -> Array:
    return scratch(f"recurrent {name}", size, np.float32)[:size]


def _parts(batch: int) -> int:
    return min(num_threads(), batch)


@jit
def _multiply(a, a0, c, c0, rows, add, matrix):
    """c = a @ kernel, or c += it: `rows` rows from a[a0] and c[c0] on."""
    packed, row_a, row_c, here, shape = matrix
    tiles, terms, columns, width = shape
    for first in range(0, rows, BAND_ROWS):
        for term in range(0, terms, BLOCK_TERMS):
            for column in range(0, columns, width):
                multiply_tiles(
                    tiles, a, a0 + first * terms + term, packed, column * terms + term * width,
                    c, c0 + first * columns + column, row_a, row_c, 0, min(BAND_ROWS, rows - first),
                    here, here, 0, 1, min(BLOCK_TERMS, terms - term), 1, width,
                    min(width, columns - column), int(add or term > 0),
                )  # fmt: skip


@jit
def _copy(target, t0, source, s0, size):
    for i in range(size):
        target[t0 + i] = source[s0 + i]


@jit
def _add(target, t0, source, s0, size):
    for i in range(size):
        target[t0 + i] += source[s0 + i]


@jit
def _clear(target, t0, size):
    for i in range(size):
        target[t0 + i] = 0


@jit
def _sigmoids(line):
    for j in range(line.size):
        line[j] = np.float32(1) / (np.float32(1) + exp(-line[j]))


@jit
def _tanh(x):
    t = expm1(np.float32(-2) * abs(x))
    y = -t / (t + np.float32(2))
    return -y if x < 0 else y


@jit
def _tanhs(line):
    for j in range(line.size):
        line[j] = _tanh(line[j])


@jit
def _is_lost(mask, index):
    """Whether a step of a sample is masked; with an empty mask none is."""
    return mask.size > 0 and not mask[index]


# --- simple ------------------------------------------------------------------------------------------


def simple_rnn(x: Array, recurrent: Array, h0: Array, mask: Array, h: Array) -> None:
    """Fills h. See recurrent.py."""
    batch, units = h0.shape
    arrays = flat(x), flat(h0), flat(mask), h.reshape(-1)
    _simple_rnn(*arrays, *_packed(recurrent, False), (len(x), batch, units), _parts(batch))


@parallel_jit
def _simple_rnn(x, h0, mask, h, packed, row_a, row_c, here, shape, sizes, parts):
    for part in prange(parts):
        _simple_rnn_part(x, h0, mask, h, (packed, row_a, row_c, here, shape), sizes, parts, np.int64(part))


@jit
def _simple_rnn_part(x, h0, mask, h, matrix, sizes, parts, part):
    steps, batch, units = sizes
    first, stop = chunk(batch, parts, part)
    rows = stop - first
    for t in range(steps):
        at, before = (t * batch + first) * units, ((t - 1) * batch + first) * units
        _copy(h, at, x, at, rows * units)
        if t:
            _multiply(h, before, h, at, rows, True, matrix)
        else:
            _multiply(h0, first * units, h, at, rows, True, matrix)
        _tanhs(h[at : at + rows * units])
        for row in range(rows):
            if _is_lost(mask, t * batch + first + row):
                if t:
                    _copy(h, at + row * units, h, before + row * units, units)
                else:
                    _copy(h, at + row * units, h0, (first + row) * units, units)


def simple_rnn_grad(recurrent: Array, mask: Array, h: Array, d_h: Array, slope: Array, dx: Array) -> None:
    """Fills dx, and turns the last state's slope into the first's."""
    steps, batch, units = h.shape
    arrays = flat(mask), flat(h), flat(d_h), slope.reshape(-1), dx.reshape(-1)
    product = _buffer("product", batch * units)
    _simple_rnn_grad(*arrays, product, *_packed(recurrent, True), (steps, batch, units), _parts(batch))


@parallel_jit
def _simple_rnn_grad(mask, h, d_h, slope, dx, product, packed, row_a, row_c, here, shape, sizes, parts):
    for part in prange(parts):
        _simple_rnn_grad_part(
            mask,
            h,
            d_h,
            slope,
            dx,
            product,
            (packed, row_a, row_c, here, shape),
            sizes,
            parts,
            np.int64(part),
        )


@jit
def _simple_rnn_grad_part(mask, h, d_h, slope, dx, product, matrix, sizes, parts, part):
    steps, batch, units = sizes
    first, stop = chunk(batch, parts, part)
    rows, origin = stop - first, first * units
    for back in range(steps):
        t = steps - 1 - back
        at = (t * batch + first) * units
        if d_h.size:
            _add(slope, origin, d_h, at, rows * units)
        for i in range(rows * units):
            dx[at + i] = slope[origin + i] * (np.float32(1) - h[at + i] * h[at + i])
        for row in range(rows):
            if _is_lost(mask, t * batch + first + row):
                _clear(dx, at + row * units, units)
        _multiply(dx, at, product, origin, rows, False, matrix)
        for row in range(rows):
            if not _is_lost(mask, t * batch + first + row):
                _copy(slope, origin + row * units, product, origin + row * units, units)


# --- LSTM --------------------------------------------------------------------------------------------


def lstm(
    x: Array, recurrent: Array, h0: Array, c0: Array, mask: Array, h: Array, c: Array, gates: Array
) -> None:
    """Fills h, c and the gates. See recurrent.py."""
    batch, units = h0.shape
    arrays = flat(x), flat(h0), flat(c0), flat(mask), h.reshape(-1), c.reshape(-1), gates.reshape(-1)
    _lstm(*arrays, *_packed(recurrent, False), (len(x), batch, units), _parts(batch))


@parallel_jit
def _lstm(x, h0, c0, mask, h, c, gates, packed, row_a, row_c, here, shape, sizes, parts):
    for part in prange(parts):
        _lstm_part(
            x, h0, c0, mask, h, c, gates, (packed, row_a, row_c, here, shape), sizes, parts, np.int64(part)
        )


@jit
def _lstm_part(x, h0, c0, mask, h, c, gates, matrix, sizes, parts, part):
    steps, batch, units = sizes
    first, stop = chunk(batch, parts, part)
    rows = stop - first
    for t in range(steps):
        wide, at = (t * batch + first) * 4 * units, (t * batch + first) * units
        _copy(gates, wide, x, wide, rows * 4 * units)
        states, memories, before = (h, c, at - batch * units) if t else (h0, c0, first * units)
        _multiply(states, before, gates, wide, rows, True, matrix)
        for row in range(rows):
            own, last, gate = at + row * units, before + row * units, wide + row * 4 * units
            if _is_lost(mask, t * batch + first + row):
                _copy(h, own, states, last, units)
                _copy(c, own, memories, last, units)
                continue
            _lstm_row(
                memories[last : last + units], gates[gate : gate + 4 * units],
                c[own : own + units], h[own : own + units],
            )  # fmt: skip


@jit
def _lstm_row(c_before, gates, c, h):
    units = h.size
    _sigmoids(gates[: 2 * units])
    _tanhs(gates[2 * units : 3 * units])
    _sigmoids(gates[3 * units :])
    i, f = gates[:units], gates[units : 2 * units]
    g, o = gates[2 * units : 3 * units], gates[3 * units :]
    for j in range(units):
        c[j] = f[j] * c_before[j] + i[j] * g[j]
    for j in range(units):
        h[j] = o[j] * _tanh(c[j])


def lstm_grad(
    recurrent: Array, c0: Array, mask: Array, c: Array, gates: Array, d_h: Array, slope_h: Array,
    slope_c: Array, dx: Array,
) -> None:  # fmt: skip
    """Fills dx, and turns the last states' slopes into the first's."""
    steps, batch, units = c.shape
    arrays = flat(c0), flat(mask), flat(c), flat(gates), flat(d_h)
    slopes = slope_h.reshape(-1), slope_c.reshape(-1), dx.reshape(-1), _buffer("product", batch * units)
    _lstm_grad(*arrays, *slopes, *_packed(recurrent, True), (steps, batch, units), _parts(batch))


@parallel_jit
def _lstm_grad(
    c0, mask, c, gates, d_h, slope_h, slope_c, dx, product, packed, row_a, row_c, here, shape, sizes, parts
):
    for part in prange(parts):
        _lstm_grad_part(
            c0,
            mask,
            c,
            gates,
            d_h,
            slope_h,
            slope_c,
            dx,
            product,
            (packed, row_a, row_c, here, shape),
            sizes,
            parts,
            np.int64(part),
        )


@jit
def _lstm_grad_part(c0, mask, c, gates, d_h, slope_h, slope_c, dx, product, matrix, sizes, parts, part):
    steps, batch, units = sizes
    first, stop = chunk(batch, parts, part)
    rows, origin = stop - first, first * units
    for back in range(steps):
        t = steps - 1 - back
        wide, at = (t * batch + first) * 4 * units, (t * batch + first) * units
        memories, before = (c, at - batch * units) if t else (c0, first * units)
        if d_h.size:
            _add(slope_h, origin, d_h, at, rows * units)
        for row in range(rows):
            own, gate, slope = at + row * units, wide + row * 4 * units, origin + row * units
            if _is_lost(mask, t * batch + first + row):
                _clear(dx, gate, 4 * units)
                continue
            _lstm_grad_row(
                gates[gate : gate + 4 * units], c[own : own + units],
                memories[before + row * units : before + (row + 1) * units],
                slope_h[slope : slope + units], slope_c[slope : slope + units],
                dx[gate : gate + 4 * units],
            )  # fmt: skip
        _multiply(dx, wide, product, origin, rows, False, matrix)
        for row in range(rows):
            if not _is_lost(mask, t * batch + first + row):
                _copy(slope_h, origin + row * units, product, origin + row * units, units)


@jit
def _lstm_grad_row(gates, c, c_before, slope_h, slope_c, dx):
    units, one = c.size, np.float32(1)
    i, f = gates[:units], gates[units : 2 * units]
    g, o = gates[2 * units : 3 * units], gates[3 * units :]
    di, df = dx[:units], dx[units : 2 * units]
    dg, do = dx[2 * units : 3 * units], dx[3 * units :]
    for j in range(units):
        tanh_c = _tanh(c[j])
        slope_c[j] += slope_h[j] * o[j] * (one - tanh_c * tanh_c)
        do[j] = slope_h[j] * tanh_c * o[j] * (one - o[j])
    for j in range(units):
        di[j] = slope_c[j] * g[j] * i[j] * (one - i[j])
        dg[j] = slope_c[j] * i[j] * (one - g[j] * g[j])
    for j in range(units):
        df[j] = slope_c[j] * c_before[j] * f[j] * (one - f[j])
    for j in range(units):
        slope_c[j] *= f[j]


# --- GRU ---------------------------------------------------------------------------------------------


def gru(x: Array, recurrent: Array, bias: Array, h0: Array, mask: Array, h: Array, gates: Array) -> None:
    """Fills h and the gates. See recurrent.py."""
    batch, units = h0.shape
    arrays = flat(x), flat(bias), flat(h0), flat(mask), h.reshape(-1), gates.reshape(-1)
    product = _buffer("product", batch * 3 * units)
    _gru(*arrays, product, *_packed(recurrent, False), (len(x), batch, units), _parts(batch))


@parallel_jit
def _gru(x, bias, h0, mask, h, gates, product, packed, row_a, row_c, here, shape, sizes, parts):
    for part in prange(parts):
        _gru_part(
            x,
            bias,
            h0,
            mask,
            h,
            gates,
            product,
            (packed, row_a, row_c, here, shape),
            sizes,
            parts,
            np.int64(part),
        )


@jit
def _gru_part(x, bias, h0, mask, h, gates, product, matrix, sizes, parts, part):
    steps, batch, units = sizes
    width = 3 * units
    first, stop = chunk(batch, parts, part)
    rows = stop - first
    for t in range(steps):
        at = (t * batch + first) * units
        states, before = (h, at - batch * units) if t else (h0, first * units)
        _multiply(states, before, product, first * width, rows, False, matrix)
        for row in range(rows):
            own, last, at_x = at + row * units, before + row * units, 3 * (at + row * units)
            if _is_lost(mask, t * batch + first + row):
                _copy(h, own, states, last, units)
                continue
            _gru_row(
                x[at_x : at_x + width], product[(first + row) * width : (first + row + 1) * width], bias,
                states[last : last + units], gates[4 * own : 4 * (own + units)], h[own : own + units],
            )  # fmt: skip


@jit
def _gru_row(x, product, bias, before, gates, h):
    units = h.size
    z, r = gates[:units], gates[units : 2 * units]
    g, recurrent_g = gates[2 * units : 3 * units], gates[3 * units :]
    for j in range(2 * units):
        gates[j] = x[j] + product[j] + bias[j]
    _sigmoids(gates[: 2 * units])
    for j in range(units):
        recurrent_g[j] = product[2 * units + j] + bias[2 * units + j]
    for j in range(units):
        g[j] = x[2 * units + j] + r[j] * recurrent_g[j]
    _tanhs(g)
    for j in range(units):
        h[j] = z[j] * before[j] + (np.float32(1) - z[j]) * g[j]


def gru_grad(
    recurrent: Array, h0: Array, mask: Array, h: Array, gates: Array, d_h: Array, slope: Array, dx: Array,
    d_product: Array,
) -> None:  # fmt: skip
    """Fills dx and the products' slopes, and turns the last state's slope into the first's."""
    steps, batch, units = h.shape
    arrays = flat(h0), flat(mask), flat(h), flat(gates), flat(d_h), slope.reshape(-1)
    slopes = dx.reshape(-1), d_product.reshape(-1)
    _gru_grad(*arrays, *slopes, *_packed(recurrent, True), (steps, batch, units), _parts(batch))


@parallel_jit
def _gru_grad(h0, mask, h, gates, d_h, slope, dx, d_product, packed, row_a, row_c, here, shape, sizes, parts):
    for part in prange(parts):
        _gru_grad_part(
            h0,
            mask,
            h,
            gates,
            d_h,
            slope,
            dx,
            d_product,
            (packed, row_a, row_c, here, shape),
            sizes,
            parts,
            np.int64(part),
        )


@jit
def _gru_grad_part(h0, mask, h, gates, d_h, slope, dx, d_product, matrix, sizes, parts, part):
    steps, batch, units = sizes
    width = 3 * units
    first, stop = chunk(batch, parts, part)
    rows, origin = stop - first, first * units
    for back in range(steps):
        t = steps - 1 - back
        at = (t * batch + first) * units
        states, before = (h, at - batch * units) if t else (h0, first * units)
        if d_h.size:
            _add(slope, origin, d_h, at, rows * units)
        for row in range(rows):
            own, at_x = at + row * units, 3 * (at + row * units)
            if _is_lost(mask, t * batch + first + row):
                _clear(dx, at_x, width)
                _clear(d_product, at_x, width)
                continue
            _gru_grad_row(
                gates[4 * own : 4 * (own + units)],
                states[before + row * units : before + (row + 1) * units],
                slope[origin + row * units : origin + (row + 1) * units],
                dx[at_x : at_x + width], d_product[at_x : at_x + width],
            )  # fmt: skip
        # What is left of the slope reaches the state before past the product.
        _multiply(d_product, 3 * at, slope, origin, rows, True, matrix)


@jit
def _gru_grad_row(gates, before, slope, dx, d_product):
    units, one = slope.size, np.float32(1)
    z, r = gates[:units], gates[units : 2 * units]
    g, recurrent_g = gates[2 * units : 3 * units], gates[3 * units :]
    dz, dr, dg = dx[:units], dx[units : 2 * units], dx[2 * units :]
    for j in range(units):
        dz[j] = slope[j] * (before[j] - g[j]) * z[j] * (one - z[j])
    for j in range(units):
        dg[j] = slope[j] * (one - z[j]) * (one - g[j] * g[j])
    for j in range(units):
        dr[j] = dg[j] * recurrent_g[j] * r[j] * (one - r[j])
    for j in range(2 * units):
        d_product[j] = dx[j]
    for j in range(units):
        d_product[2 * units + j] = dg[j] * r[j]
    for j in range(units):
        slope[j] *= z[j]
