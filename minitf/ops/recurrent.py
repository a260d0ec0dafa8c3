"""Whole sequences through recurrent layers as single ops, and their gradients. See kernels/recurrent.py.

`lstm_sequence`, `gru_sequence` and `simple_rnn_sequence` take time-major projected inputs. The gradient ops
have no gradient themselves: for second order, unroll the cells instead.
"""

from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.kernels import recurrent as kernels
from minitf.ops.constants import constant
from minitf.ops.registry import Bool, Floating, gradient, op
from minitf.ops.shape_rules import merge_sizes, require_rank


def _sizes(x: Any, recurrent_kernel: Any, h0: Any, gates: int) -> tuple[Any, Any, Any]:
    """Steps, batch and units. Raises ValueError when they do not fit together."""
    steps, batch, width = require_rank(x, 3).sizes
    units, columns = require_rank(recurrent_kernel, 2).sizes
    batch = merge_sizes(batch, require_rank(h0, 2).sizes[0])
    units = merge_sizes(units, h0.shape.sizes[1] if h0.shape.rank else None)
    for size in (width, columns):
        if None not in (size, units) and size != gates * units:
            raise ValueError(f"Dimensions must be equal, but are {size} and {gates * units}")
    return steps, batch, units


def _wide(units: int | None, times: int) -> int | None:
    return None if units is None else times * units


def _simple_shapes(x, recurrent_kernel, h0, mask):
    steps, batch, units = _sizes(x, recurrent_kernel, h0, 1)
    return [TensorShape([steps, batch, units]), TensorShape([batch, units])]


@op("SimpleRNNSequence", shape=_simple_shapes, takes_none=True)
def simple_rnn_sequence(
    x: Floating, recurrent_kernel: Floating, h0: Floating, mask: Bool, *, out=None
) -> (Floating, Floating):
    """h_t = tanh(x_t + h_{t-1} R): all h (steps, batch, units) and the last."""
    return kernels.simple_rnn(x, recurrent_kernel, h0, mask, out)


def _simple_grad_shapes(recurrent_kernel, h0, mask, h, d_h, d_last):
    return [h.shape, recurrent_kernel.shape, h0.shape]


@op("SimpleRNNSequenceGrad", shape=_simple_grad_shapes)
def _simple_rnn_sequence_grad(
    recurrent_kernel: Floating, h0: Floating, mask: Bool, h: Floating, d_h: Floating, d_last: Floating,
    *, out=None,
) -> (Floating, Floating, Floating):  # fmt: skip
    """Gradients of x, recurrent_kernel and h0."""
    return kernels.simple_rnn_grad(recurrent_kernel, h0, mask, h, d_h, d_last, out)


def _given(grads: tuple, like: Any) -> list[Any]:
    """Gradients, an empty vector for None."""
    return [constant(np.zeros(0), like.dtype) if grad is None else grad for grad in grads]


@gradient(simple_rnn_sequence)
def _simple_rnn_sequence_gradient(op, *grads):
    x, recurrent_kernel, h0, mask = op.inputs
    slopes = _simple_rnn_sequence_grad(recurrent_kernel, h0, mask, op.outputs[0], *_given(grads, x))
    return [*slopes, None]


def _lstm_shapes(x, recurrent_kernel, h0, c0, mask):
    steps, batch, units = _sizes(x, recurrent_kernel, h0, 4)
    state, all_states = TensorShape([batch, units]), TensorShape([steps, batch, units])
    require_rank(c0, 2).merge_with(state)
    return [all_states, all_states, TensorShape([steps, batch, _wide(units, 4)]), state, state]


@op("LSTMSequence", shape=_lstm_shapes, takes_none=True)
def lstm_sequence(
    x: Floating, recurrent_kernel: Floating, h0: Floating, c0: Floating, mask: Bool, *, out=None
) -> (Floating, Floating, Floating, Floating, Floating):
    """All h, all c and the gates (these two for the gradient), the last h, the last c."""
    return kernels.lstm(x, recurrent_kernel, h0, c0, mask, out)


def _lstm_grad_shapes(recurrent_kernel, h0, c0, mask, h, c, gates, *_grads):
    return [gates.shape, recurrent_kernel.shape, h0.shape, c0.shape]


@op("LSTMSequenceGrad", shape=_lstm_grad_shapes)
def _lstm_sequence_grad(
    recurrent_kernel: Floating, h0: Floating, c0: Floating, mask: Bool, h: Floating, c: Floating,
    gates: Floating, d_h: Floating, d_last_h: Floating, d_last_c: Floating, *, out=None,
) -> (Floating, Floating, Floating, Floating):  # fmt: skip
    """Gradients of x, recurrent_kernel, h0 and c0."""
    return kernels.lstm_grad(recurrent_kernel, h0, c0, mask, h, c, gates, d_h, d_last_h, d_last_c, out)


@gradient(lstm_sequence)
def _lstm_sequence_gradient(op, d_h, d_c, d_gates, d_last_h, d_last_c):
    """Raises LookupError when something depends on all c or the gates, which are there for this alone."""
    if d_c is not None or d_gates is not None:
        raise LookupError("LSTMSequence has no gradient through its cell states and gates")
    x, recurrent_kernel, h0, c0, mask = op.inputs
    slopes = _lstm_sequence_grad(
        recurrent_kernel, h0, c0, mask, *op.outputs[:3], *_given((d_h, d_last_h, d_last_c), x)
    )
    return [*slopes, None]


def _gru_shapes(x, recurrent_kernel, recurrent_bias, h0, mask):
    steps, batch, units = _sizes(x, recurrent_kernel, h0, 3)
    merge_sizes(require_rank(recurrent_bias, 1).sizes[0], _wide(units, 3))
    state = TensorShape([batch, units])
    return [TensorShape([steps, batch, units]), TensorShape([steps, batch, _wide(units, 4)]), state]


@op("GRUSequence", shape=_gru_shapes, takes_none=True)
def gru_sequence(
    x: Floating, recurrent_kernel: Floating, recurrent_bias: Floating, h0: Floating, mask: Bool, *, out=None
) -> (Floating, Floating, Floating):
    """All h of a GRU that resets after the product, the gates (for the gradient), the last h."""
    return kernels.gru(x, recurrent_kernel, recurrent_bias, h0, mask, out)


def _gru_grad_shapes(recurrent_kernel, h0, mask, h, gates, d_h, d_last):
    steps, batch, units = require_rank(h, 3).sizes
    width = _wide(units, 3)
    return [TensorShape([steps, batch, width]), recurrent_kernel.shape, TensorShape([width]), h0.shape]


@op("GRUSequenceGrad", shape=_gru_grad_shapes)
def _gru_sequence_grad(
    recurrent_kernel: Floating, h0: Floating, mask: Bool, h: Floating, gates: Floating, d_h: Floating,
    d_last: Floating, *, out=None,
) -> (Floating, Floating, Floating, Floating):  # fmt: skip
    """Gradients of x, recurrent_kernel, recurrent_bias and h0."""
    return kernels.gru_grad(recurrent_kernel, h0, mask, h, gates, d_h, d_last, out)


@gradient(gru_sequence)
def _gru_sequence_gradient(op, d_h, d_gates, d_last):
    """Raises LookupError when something depends on the gates, which are there for this alone."""
    if d_gates is not None:
        raise LookupError("GRUSequence has no gradient through its gates")
    x, recurrent_kernel, _, h0, mask = op.inputs
    slopes = _gru_sequence_grad(recurrent_kernel, h0, mask, *op.outputs[:2], *_given((d_h, d_last), x))
    return [*slopes, None]


@gradient(_simple_rnn_sequence_grad, _lstm_sequence_grad, _gru_sequence_grad)
def _no_second_order(op, *grads):
    """Always raises LookupError."""
    raise LookupError(
        f"No gradient defined for operation '{op.name}' (op type: {op.type}): to differentiate a recurrent "
        "layer twice, make it with unroll=True"
    )
