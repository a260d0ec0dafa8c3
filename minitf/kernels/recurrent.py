"""Whole sequences through recurrent layers: simple ones, LSTM and GRU.

All arrays are time-major: (steps, batch, …). The inputs come projected, x_t W + b, by one large product; what
is left of a step is one product with the state and a pass over the rows. `mask` (steps, batch) says which
steps count: the others keep the state; an empty mask lets all count.

The loops here are NumPy's; large float32 sequences go to their twins in recurrent_compiled.py.

May import: NumPy and the kernels below this one.
"""

from __future__ import annotations

import numpy as np

from minitf.kernels import recurrent_compiled as compiled
from minitf.kernels.gemm import matmul
from minitf.kernels.threads import result

__all__ = ["gru", "gru_grad", "lstm", "lstm_grad", "simple_rnn", "simple_rnn_grad"]

Array = np.ndarray

SMALL = 1024
"""States of fewer numbers (batch times units) are left to NumPy."""


def _compiled_for(state: Array) -> bool:
    return state.size >= SMALL and state.dtype == np.float32


def _outputs(out: tuple | None, *shapes: tuple[int, ...], dtype: np.dtype) -> list[Array]:
    return [result(shape, dtype, o) for shape, o in zip(shapes, out or [None] * len(shapes), strict=True)]


def _previous(states: Array, first: Array, step: int) -> Array:
    return states[step - 1] if step else first


def _last(states: Array, first: Array, target: Array) -> None:
    np.copyto(target, states[-1] if len(states) else first)


def _start(slope: Array, target: Array) -> None:
    """The last state's slope, zeros if it is empty, in `target`, which will become the first state's."""
    if slope.size:
        np.copyto(target, slope)
    else:
        target.fill(0)


def _lost(mask: Array, step: int) -> Array | None:
    """(batch, 1): which samples are masked; None if none can be."""
    return ~mask[step][:, None] if mask.size else None


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
        before, after = states[:-1].reshape(-1, units), slopes[1:].reshape(-1, width)
        target += matmul(before, after, transpose_a=True)


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
    h, last = _outputs(out, x.shape, h0.shape, dtype=x.dtype)
    run = compiled.simple_rnn if _compiled_for(h0) else _simple_rnn
    run(x, recurrent, h0, mask, h)
    _last(h, h0, last)
    return [h, last]


def _simple_rnn(x: Array, recurrent: Array, h0: Array, mask: Array, h: Array) -> None:
    for t in range(len(x)):
        before, lost = _previous(h, h0, t), _lost(mask, t)
        h[t] = np.tanh(x[t] + matmul(before, recurrent))
        if lost is not None:
            np.copyto(h[t], before, where=lost)


def simple_rnn_grad(
    recurrent: Array, h0: Array, mask: Array, h: Array, d_h: Array, d_last: Array, out: tuple | None = None
) -> list[Array]:
    """The slopes of `simple_rnn`'s x, recurrent and h0; `d_h` and `d_last` may be empty."""
    dx, d_recurrent, d_h0 = _outputs(out, h.shape, recurrent.shape, h0.shape, dtype=h.dtype)
    _start(d_last, d_h0)
    run = compiled.simple_rnn_grad if _compiled_for(h0) else _simple_rnn_grad
    run(recurrent, mask, h, d_h, d_h0, dx)
    _recurrent_slope(h, h0, dx, d_recurrent)
    return [dx, d_recurrent, d_h0]


def _simple_rnn_grad(recurrent: Array, mask: Array, h: Array, d_h: Array, slope: Array, dx: Array) -> None:
    for t in reversed(range(len(h))):
        if d_h.size:
            slope += d_h[t]
        lost = _lost(mask, t)
        dx[t] = slope * (1 - h[t] * h[t])
        if lost is None:
            matmul(dx[t], recurrent, transpose_b=True, out=slope)
        else:
            dx[t] *= ~lost
            np.copyto(slope, matmul(dx[t], recurrent, transpose_b=True), where=~lost)


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
      h and c (steps, batch, units), the gates after their activations (as x; undefined where masked), the
      last h, the last c.
    """
    states = (len(x), *h0.shape)
    h, c, gates, last_h, last_c = _outputs(out, states, states, x.shape, h0.shape, c0.shape, dtype=x.dtype)
    run = compiled.lstm if _compiled_for(h0) else _lstm
    run(x, recurrent, h0, c0, mask, h, c, gates)
    _last(h, h0, last_h)
    _last(c, c0, last_c)
    return [h, c, gates, last_h, last_c]


def _lstm(
    x: Array, recurrent: Array, h0: Array, c0: Array, mask: Array, h: Array, c: Array, gates: Array
) -> None:
    for t in range(len(x)):
        h_before, c_before, lost = _previous(h, h0, t), _previous(c, c0, t), _lost(mask, t)
        np.add(x[t], matmul(h_before, recurrent), out=gates[t])
        i, f, g, o = np.split(gates[t], 4, axis=1)
        for gate in (i, f, o):
            gate[...] = _sigmoid(gate)
        np.tanh(g, out=g)
        c[t] = f * c_before + i * g
        h[t] = o * np.tanh(c[t])
        if lost is not None:
            np.copyto(h[t], h_before, where=lost)
            np.copyto(c[t], c_before, where=lost)


def lstm_grad(
    recurrent: Array, h0: Array, c0: Array, mask: Array, h: Array, c: Array, gates: Array,
    d_h: Array, d_last_h: Array, d_last_c: Array, out: tuple | None = None,
) -> list[Array]:  # fmt: skip
    """The slopes of `lstm`'s x, recurrent, h0 and c0; `d_h`, `d_last_h` and `d_last_c` may be empty."""
    shapes = gates.shape, recurrent.shape, h0.shape, c0.shape
    dx, d_recurrent, d_h0, d_c0 = _outputs(out, *shapes, dtype=gates.dtype)
    _start(d_last_h, d_h0)
    _start(d_last_c, d_c0)
    run = compiled.lstm_grad if _compiled_for(h0) else _lstm_grad
    run(recurrent, c0, mask, c, gates, d_h, d_h0, d_c0, dx)
    _recurrent_slope(h, h0, dx, d_recurrent)
    return [dx, d_recurrent, d_h0, d_c0]


def _lstm_grad(
    recurrent: Array, c0: Array, mask: Array, c: Array, gates: Array, d_h: Array, slope_h: Array,
    slope_c: Array, dx: Array,
) -> None:  # fmt: skip
    for t in reversed(range(len(c))):
        if d_h.size:
            slope_h += d_h[t]
        i, f, g, o = np.split(gates[t], 4, axis=1)
        di, df, dg, do = np.split(dx[t], 4, axis=1)
        lost, tanh_c = _lost(mask, t), np.tanh(c[t])
        slope = slope_c + slope_h * o * (1 - tanh_c * tanh_c)
        di[...] = slope * g * i * (1 - i)
        df[...] = slope * _previous(c, c0, t) * f * (1 - f)
        dg[...] = slope * i * (1 - g * g)
        do[...] = slope_h * tanh_c * o * (1 - o)
        if lost is not None:
            np.copyto(dx[t], 0, where=lost)
        where = True if lost is None else ~lost
        np.copyto(slope_c, slope * f, where=where)
        np.copyto(slope_h, matmul(dx[t], recurrent, transpose_b=True), where=where)


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
      h (steps, batch, units), the gates s(…), s(…), tanh(…) and g' side by side (undefined where masked), and
      the last h.
    """
    steps, (batch, units) = len(x), h0.shape
    shapes = (steps, batch, units), (steps, batch, 4 * units), h0.shape
    h, gates, last = _outputs(out, *shapes, dtype=x.dtype)
    run = compiled.gru if _compiled_for(h0) else _gru
    run(x, recurrent, bias, h0, mask, h, gates)
    _last(h, h0, last)
    return [h, gates, last]


def _gru(x: Array, recurrent: Array, bias: Array, h0: Array, mask: Array, h: Array, gates: Array) -> None:
    units = h0.shape[1]
    for t in range(len(x)):
        before, lost = _previous(h, h0, t), _lost(mask, t)
        z, r, g, recurrent_g = np.split(gates[t], 4, axis=1)
        product = matmul(before, recurrent) + bias
        z[...] = _sigmoid(x[t, :, :units] + product[:, :units])
        r[...] = _sigmoid(x[t, :, units : 2 * units] + product[:, units : 2 * units])
        recurrent_g[...] = product[:, 2 * units :]
        g[...] = np.tanh(x[t, :, 2 * units :] + r * recurrent_g)
        h[t] = z * before + (1 - z) * g
        if lost is not None:
            np.copyto(h[t], before, where=lost)


def gru_grad(
    recurrent: Array, h0: Array, mask: Array, h: Array, gates: Array, d_h: Array, d_last: Array,
    out: tuple | None = None,
) -> list[Array]:  # fmt: skip
    """The slopes of `gru`'s x, recurrent, bias and h0; `d_h` and `d_last` may be empty."""
    steps, batch, units = h.shape
    shapes = (steps, batch, 3 * units), recurrent.shape, (3 * units,), h0.shape
    dx, d_recurrent, d_bias, d_h0 = _outputs(out, *shapes, dtype=h.dtype)
    _start(d_last, d_h0)
    d_product = np.empty_like(dx)
    run = compiled.gru_grad if _compiled_for(h0) else _gru_grad
    run(recurrent, h0, mask, h, gates, d_h, d_h0, dx, d_product)
    _recurrent_slope(h, h0, d_product, d_recurrent)
    # As a product, which runs on all threads.
    ones = np.ones((1, steps * batch), h.dtype)
    matmul(ones, d_product.reshape(-1, 3 * units), out=d_bias.reshape(1, -1))
    return [dx, d_recurrent, d_bias, d_h0]


def _gru_grad(
    recurrent: Array, h0: Array, mask: Array, h: Array, gates: Array, d_h: Array, slope: Array, dx: Array,
    d_product: Array,
) -> None:  # fmt: skip
    units = h0.shape[1]
    for t in reversed(range(len(h))):
        if d_h.size:
            slope += d_h[t]
        z, r, g, recurrent_g = np.split(gates[t], 4, axis=1)
        dz, dr, dg = np.split(dx[t], 3, axis=1)
        lost = _lost(mask, t)
        dz[...] = slope * (_previous(h, h0, t) - g) * z * (1 - z)
        dg[...] = slope * (1 - z) * (1 - g * g)
        dr[...] = dg * recurrent_g * r * (1 - r)
        d_product[t, :, : 2 * units] = dx[t, :, : 2 * units]
        np.multiply(dg, r, out=d_product[t, :, 2 * units :])
        if lost is not None:
            np.copyto(dx[t], 0, where=lost)
            np.copyto(d_product[t], 0, where=lost)
        # Past the product the slope reaches the state before by z.
        np.copyto(slope, slope * z, where=True if lost is None else ~lost)
        slope += matmul(d_product[t], recurrent, transpose_b=True)
