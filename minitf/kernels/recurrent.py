"""Whole sequences through recurrent layers: simple ones, LSTM and GRU.

All arrays are time-major: (steps, batch, …). The inputs come projected, x_t W + b, by one large product; what
is left of a step is one product with the state and a pass over the rows. `mask` (steps, batch) says which
steps count: the others keep the state; an empty mask lets all count.

Each pass over the rows is a NumPy function, and for large float32 arrays a compiled twin beside it.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels.exponential import exp, expm1
from minitf.kernels.gemm import matmul
from minitf.kernels.threads import chunk, flat, jit, num_threads, parallel_jit, prange, result, scratch

__all__ = ["gru", "gru_grad", "lstm", "lstm_grad", "simple_rnn", "simple_rnn_grad"]

Array = np.ndarray

SMALL = 2048
"""States of fewer numbers (batch times units) are left to NumPy."""


def _compiled_for(state: Array) -> bool:
    return state.size >= SMALL and state.dtype == np.float32


def _all_count(mask: Array) -> bool:
    return mask.size == 0


def _buffer(name: str, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Scratch memory of this shape."""
    size = int(np.prod(shape))
    return scratch(f"recurrent {name}", size, dtype)[:size].reshape(shape)


def _outputs(out: tuple | None, *shapes: tuple[int, ...], dtype: np.dtype) -> list[Array]:
    return [result(shape, dtype, o) for shape, o in zip(shapes, out or [None] * len(shapes), strict=True)]


def _previous(states: Array, first: Array, step: int) -> Array:
    return states[step - 1] if step else first


def _last(states: Array, first: Array, target: Array) -> None:
    np.copyto(target, states[-1] if len(states) else first)


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _recurrent_slope(states: Array, first: Array, slopes: Array, target: Array) -> None:
    """The slope of the recurrent kernel: of each step, the state before it times the slopes after it."""
    units, width = target.shape
    if not len(states):
        target.fill(0)
        return
    matmul(first, slopes[0], transpose_a=True, out=target)
    if len(states) > 1:
        later = _buffer("kernel", (units, width), target.dtype)
        matmul(states[:-1].reshape(-1, units), slopes[1:].reshape(-1, width), transpose_a=True, out=later)
        target += later


def _start(slope: Array, like: Array, name: str) -> Array:
    """A copy of the last state's slope to work on: zeros if it is empty."""
    buffer = _buffer(name, like.shape, like.dtype)
    if slope.size:
        np.copyto(buffer, slope)
    else:
        buffer.fill(0)
    return buffer


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


# --- simple ------------------------------------------------------------------------------------------


def simple_rnn(x: Array, recurrent: Array, h0: Array, mask: Array, out: tuple | None = None) -> list[Array]:
    """h_t = tanh(x_t + h_{t-1} R).

    Args:
      x: (steps, batch, units), the projected inputs.
      recurrent: R, (units, units).
      h0: (batch, units), the first state.
      mask: (steps, batch) bool, or empty.
      out: where to put the results.

    Returns:
      The states (steps, batch, units), and the last one.
    """
    steps, batch, units = x.shape
    h, last = _outputs(out, x.shape, (batch, units), dtype=x.dtype)
    product = _buffer("product", (batch, units), x.dtype)
    for t in range(steps):
        before = _previous(h, h0, t)
        matmul(before, recurrent, out=product)
        np.add(x[t], product, out=h[t])
        if _compiled_for(h[t]):
            _tanh_all(h[t].reshape(-1), num_threads())
        else:
            np.tanh(h[t], out=h[t])
        if not _all_count(mask):
            np.copyto(h[t], before, where=~mask[t][:, None])
    _last(h, h0, last)
    return [h, last]


@parallel_jit
def _tanh_all(values, parts):
    for part in prange(parts):
        start, stop = chunk(values.size, parts, np.int64(part))
        _tanhs(values[start:stop])


def simple_rnn_grad(
    recurrent: Array, h0: Array, mask: Array, h: Array, d_h: Array, d_last: Array, out: tuple | None = None
) -> list[Array]:
    """The slopes of `simple_rnn`'s x, recurrent and h0; `d_h` and `d_last` may be empty."""
    steps, batch, units = h.shape
    dx, d_recurrent, d_h0 = _outputs(out, h.shape, recurrent.shape, h0.shape, dtype=h.dtype)
    slope = _start(d_last, h0, "slope")
    for t in reversed(range(steps)):
        if d_h.size:
            slope += d_h[t]
        np.multiply(h[t], h[t], out=dx[t])
        np.subtract(1, dx[t], out=dx[t])
        dx[t] *= slope
        if _all_count(mask):
            matmul(dx[t], recurrent, transpose_b=True, out=slope)
        else:
            kept = mask[t][:, None]
            dx[t] *= kept
            slope *= ~kept
            slope += matmul(dx[t], recurrent, transpose_b=True)
    np.copyto(d_h0, slope)
    _recurrent_slope(h, h0, dx, d_recurrent)
    return [dx, d_recurrent, d_h0]


# --- LSTM --------------------------------------------------------------------------------------------


def lstm(
    x: Array, recurrent: Array, h0: Array, c0: Array, mask: Array, out: tuple | None = None
) -> list[Array]:
    """c_t = s(f) c_{t-1} + s(i) tanh(g) and h_t = s(o) tanh(c_t), where i, f, g, o = x_t + h_{t-1} R.

    s is the sigmoid (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    Args:
      x: (steps, batch, 4 units), the projected inputs.
      recurrent: R, (units, 4 units).
      h0, c0: (batch, units), the first states.
      mask: (steps, batch) bool, or empty.
      out: where to put the results.

    Returns:
      h and c (steps, batch, units), the gates after their activations (as x), the last h, the last c.
    """
    steps, batch, width = x.shape
    units = width // 4
    states = steps, batch, units
    h, c, gates, last_h, last_c = _outputs(out, states, states, x.shape, h0.shape, c0.shape, dtype=x.dtype)
    product = _buffer("product", (batch, width), x.dtype)
    row_pass = _lstm_compiled if _compiled_for(h0) else _lstm_rows
    for t in range(steps):
        h_before, c_before = _previous(h, h0, t), _previous(c, c0, t)
        matmul(h_before, recurrent, out=product)
        row_pass(x[t], product, c_before, gates[t], c[t], h[t])
        if not _all_count(mask):
            lost = ~mask[t][:, None]
            np.copyto(h[t], h_before, where=lost)
            np.copyto(c[t], c_before, where=lost)
    _last(h, h0, last_h)
    _last(c, c0, last_c)
    return [h, c, gates, last_h, last_c]


def _lstm_rows(x: Array, product: Array, c_before: Array, gates: Array, c: Array, h: Array) -> None:
    np.add(x, product, out=gates)
    i, f, g, o = np.split(gates, 4, axis=1)
    for gate in (i, f, o):
        gate[...] = _sigmoid(gate)
    np.tanh(g, out=g)
    c[...] = f * c_before + i * g
    h[...] = o * np.tanh(c)


def _lstm_compiled(x: Array, product: Array, c_before: Array, gates: Array, c: Array, h: Array) -> None:
    arrays = (flat(x), product.reshape(-1), flat(c_before), gates.reshape(-1), c.reshape(-1), h.reshape(-1))
    _lstm_all(*arrays, h.shape[1], num_threads())


@parallel_jit
def _lstm_all(x, product, c_before, gates, c, h, units, parts):
    for part in prange(parts):
        start, stop = chunk(h.size // units, parts, np.int64(part))
        for row in range(start, stop):
            _lstm_row(
                x[4 * row * units : 4 * (row + 1) * units],
                product[4 * row * units : 4 * (row + 1) * units],
                c_before[row * units : (row + 1) * units],
                gates[4 * row * units : 4 * (row + 1) * units],
                c[row * units : (row + 1) * units],
                h[row * units : (row + 1) * units],
            )


@jit
def _lstm_row(x, product, c_before, gates, c, h):
    units = h.size
    for j in range(gates.size):
        gates[j] = x[j] + product[j]
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
    recurrent: Array, h0: Array, c0: Array, mask: Array, h: Array, c: Array, gates: Array,
    d_h: Array, d_last_h: Array, d_last_c: Array, out: tuple | None = None,
) -> list[Array]:  # fmt: skip
    """The slopes of `lstm`'s x, recurrent, h0 and c0; `d_h`, `d_last_h` and `d_last_c` may be empty."""
    steps = len(gates)
    shapes = gates.shape, recurrent.shape, h0.shape, c0.shape
    dx, d_recurrent, d_h0, d_c0 = _outputs(out, *shapes, dtype=gates.dtype)
    slope_h, slope_c = _start(d_last_h, h0, "slope"), _start(d_last_c, c0, "cell slope")
    row_pass = _lstm_grad_compiled if _compiled_for(h0) else _lstm_grad_rows
    for t in reversed(range(steps)):
        if d_h.size:
            slope_h += d_h[t]
        if not _all_count(mask):
            lost = ~mask[t][:, None]
            kept_h, kept_c = slope_h * lost, slope_c * lost
            slope_h *= ~lost
            slope_c *= ~lost
        row_pass(gates[t], c[t], _previous(c, c0, t), slope_h, slope_c, dx[t])
        matmul(dx[t], recurrent, transpose_b=True, out=slope_h)
        if not _all_count(mask):
            slope_h += kept_h
            slope_c += kept_c
    np.copyto(d_h0, slope_h)
    np.copyto(d_c0, slope_c)
    _recurrent_slope(h, h0, dx, d_recurrent)
    return [dx, d_recurrent, d_h0, d_c0]


def _lstm_grad_rows(
    gates: Array, c: Array, c_before: Array, slope_h: Array, slope_c: Array, dx: Array
) -> None:
    """Fills dx, and turns the slope of c into that of the c before."""
    i, f, g, o = np.split(gates, 4, axis=1)
    di, df, dg, do = np.split(dx, 4, axis=1)
    tanh_c = np.tanh(c)
    slope_c += slope_h * o * (1 - tanh_c * tanh_c)
    di[...] = slope_c * g * i * (1 - i)
    df[...] = slope_c * c_before * f * (1 - f)
    dg[...] = slope_c * i * (1 - g * g)
    do[...] = slope_h * tanh_c * o * (1 - o)
    slope_c *= f


def _lstm_grad_compiled(
    gates: Array, c: Array, c_before: Array, slope_h: Array, slope_c: Array, dx: Array
) -> None:
    arrays = flat(gates), flat(c), flat(c_before), slope_h.reshape(-1), slope_c.reshape(-1), dx.reshape(-1)
    _lstm_grad_all(*arrays, c.shape[1], num_threads())


@parallel_jit
def _lstm_grad_all(gates, c, c_before, slope_h, slope_c, dx, units, parts):
    for part in prange(parts):
        start, stop = chunk(c.size // units, parts, np.int64(part))
        for row in range(start, stop):
            _lstm_grad_row(
                gates[4 * row * units : 4 * (row + 1) * units],
                c[row * units : (row + 1) * units],
                c_before[row * units : (row + 1) * units],
                slope_h[row * units : (row + 1) * units],
                slope_c[row * units : (row + 1) * units],
                dx[4 * row * units : 4 * (row + 1) * units],
            )


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


def gru(
    x: Array, recurrent: Array, bias: Array, h0: Array, mask: Array, out: tuple | None = None
) -> list[Array]:
    """h_t = u h_{t-1} + (1 - u) tanh(g + s(r + r') g') with u = s(z + z'), where s is the sigmoid.

    z, r, g = x_t and z', r', g' = h_{t-1} R + b (Cho et al. 2014, resetting after the product as cuDNN does).

    Args:
      x: (steps, batch, 3 units), the projected inputs.
      recurrent: R, (units, 3 units).
      bias: b, (3 units,).
      h0: (batch, units), the first state.
      mask: (steps, batch) bool, or empty.
      out: where to put the results.

    Returns:
      h (steps, batch, units), the gates s(…), s(…), tanh(…) and g' side by side, and the last h.
    """
    steps, batch, width = x.shape
    units = width // 3
    shapes = (steps, batch, units), (steps, batch, 4 * units), h0.shape
    h, gates, last = _outputs(out, *shapes, dtype=x.dtype)
    product = _buffer("product", (batch, width), x.dtype)
    row_pass = _gru_compiled if _compiled_for(h0) else _gru_rows
    for t in range(steps):
        before = _previous(h, h0, t)
        matmul(before, recurrent, out=product, bias=bias)
        row_pass(x[t], product, before, gates[t], h[t])
        if not _all_count(mask):
            np.copyto(h[t], before, where=~mask[t][:, None])
    _last(h, h0, last)
    return [h, gates, last]


def _gru_rows(x: Array, product: Array, before: Array, gates: Array, h: Array) -> None:
    units = h.shape[1]
    z, r, g, recurrent_g = np.split(gates, 4, axis=1)
    z[...] = _sigmoid(x[:, :units] + product[:, :units])
    r[...] = _sigmoid(x[:, units : 2 * units] + product[:, units : 2 * units])
    recurrent_g[...] = product[:, 2 * units :]
    g[...] = np.tanh(x[:, 2 * units :] + r * recurrent_g)
    h[...] = z * before + (1 - z) * g


def _gru_compiled(x: Array, product: Array, before: Array, gates: Array, h: Array) -> None:
    arrays = flat(x), product.reshape(-1), flat(before), gates.reshape(-1), h.reshape(-1)
    _gru_all(*arrays, h.shape[1], num_threads())


@parallel_jit
def _gru_all(x, product, before, gates, h, units, parts):
    for part in prange(parts):
        start, stop = chunk(h.size // units, parts, np.int64(part))
        for row in range(start, stop):
            _gru_row(
                x[3 * row * units : 3 * (row + 1) * units],
                product[3 * row * units : 3 * (row + 1) * units],
                before[row * units : (row + 1) * units],
                gates[4 * row * units : 4 * (row + 1) * units],
                h[row * units : (row + 1) * units],
            )


@jit
def _gru_row(x, product, before, gates, h):
    units = h.size
    z, r = gates[:units], gates[units : 2 * units]
    g, recurrent_g = gates[2 * units : 3 * units], gates[3 * units :]
    for j in range(2 * units):
        gates[j] = x[j] + product[j]
    _sigmoids(gates[: 2 * units])
    for j in range(units):
        recurrent_g[j] = product[2 * units + j]
        g[j] = x[2 * units + j] + r[j] * product[2 * units + j]
    _tanhs(g)
    for j in range(units):
        h[j] = z[j] * before[j] + (np.float32(1) - z[j]) * g[j]


def gru_grad(
    recurrent: Array, h0: Array, mask: Array, h: Array, gates: Array, d_h: Array, d_last: Array,
    out: tuple | None = None,
) -> list[Array]:  # fmt: skip
    """The slopes of `gru`'s x, recurrent, bias and h0; `d_h` and `d_last` may be empty."""
    steps, batch, units = h.shape
    width = 3 * units
    shapes = (steps, batch, width), recurrent.shape, (width,), h0.shape
    dx, d_recurrent, d_bias, d_h0 = _outputs(out, *shapes, dtype=h.dtype)
    d_product = _buffer("products", (steps, batch, width), h.dtype)
    slope, product = _start(d_last, h0, "slope"), _buffer("product", h0.shape, h.dtype)
    row_pass = _gru_grad_compiled if _compiled_for(h0) else _gru_grad_rows
    for t in reversed(range(steps)):
        if d_h.size:
            slope += d_h[t]
        if not _all_count(mask):
            lost = ~mask[t][:, None]
            kept = slope * lost
            slope *= ~lost
        row_pass(gates[t], _previous(h, h0, t), slope, dx[t], d_product[t])
        matmul(d_product[t], recurrent, transpose_b=True, out=product)
        slope += product
        if not _all_count(mask):
            slope += kept
    np.copyto(d_h0, slope)
    _recurrent_slope(h, h0, d_product, d_recurrent)
    np.sum(d_product, axis=(0, 1), out=d_bias)
    return [dx, d_recurrent, d_bias, d_h0]


def _gru_grad_rows(gates: Array, before: Array, slope: Array, dx: Array, d_product: Array) -> None:
    """Fills dx and the product's slope; `slope` becomes what reaches the state before past the product."""
    z, r, g, recurrent_g = np.split(gates, 4, axis=1)
    dz, dr, dg = np.split(dx, 3, axis=1)
    dz[...] = slope * (before - g) * z * (1 - z)
    dg[...] = slope * (1 - z) * (1 - g * g)
    dr[...] = dg * recurrent_g * r * (1 - r)
    units = z.shape[1]
    d_product[:, : 2 * units] = dx[:, : 2 * units]
    np.multiply(dg, r, out=d_product[:, 2 * units :])
    slope *= z


def _gru_grad_compiled(gates: Array, before: Array, slope: Array, dx: Array, d_product: Array) -> None:
    arrays = flat(gates), flat(before), slope.reshape(-1), dx.reshape(-1), d_product.reshape(-1)
    _gru_grad_all(*arrays, before.shape[1], num_threads())


@parallel_jit
def _gru_grad_all(gates, before, slope, dx, d_product, units, parts):
    for part in prange(parts):
        start, stop = chunk(before.size // units, parts, np.int64(part))
        for row in range(start, stop):
            _gru_grad_row(
                gates[4 * row * units : 4 * (row + 1) * units],
                before[row * units : (row + 1) * units],
                slope[row * units : (row + 1) * units],
                dx[3 * row * units : 3 * (row + 1) * units],
                d_product[3 * row * units : 3 * (row + 1) * units],
            )


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
