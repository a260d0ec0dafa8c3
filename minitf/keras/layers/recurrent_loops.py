"""How a cell gets over a sequence: as one op where there is one for it, unrolled, or in a loop.

All sequences here are time-major.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import nest
from minitf.keras import activations
from minitf.keras.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, reshape, shape
from minitf.ops.bias import bias_add
from minitf.ops.constants import constant, zeros, zeros_like
from minitf.ops.control import while_loop
from minitf.ops.join import stack
from minitf.ops.linalg import matmul
from minitf.ops.recurrent import gru_sequence, lstm_sequence, simple_rnn_sequence
from minitf.ops.registry import interpreter
from minitf.ops.select import where_v2
from minitf.ops.tensor_array import TensorArray

UNROLLED = 40
"""Sequences of no more steps are drawn step by step: quicker to run than a loop, slower to plan."""

# --- one op ------------------------------------------------------------------------------------------


def fused_sequence(
    cell: Any, inputs: Any, states: list[Any], mask: Any, training: Any, zeroed: bool
) -> tuple[Any, Any, list[Any]] | None:
    """All outputs, the last one and the last states, by one op; None for cells that there is none for."""
    run = _SEQUENCES.get(type(cell))
    if run is None or not _is_standard(cell) or nest.is_nested(inputs):
        return None
    dropped, _ = cell.draw_masks(inputs[0], states, training) if cell.dropout else (None, None)
    if dropped is not None:
        inputs = inputs * dropped[0]
    given = constant(np.zeros((0, 0)), "bool") if mask is None else cast(mask, "bool")
    outputs, last, states = run(cell, inputs, states, given)
    if zeroed and mask is not None:
        outputs = outputs * expand_dims(cast(given, outputs.dtype), 2)
    return outputs, last, states


def _is_standard(cell: Any) -> bool:
    """Whether a cell computes just what the op does."""
    one_mask = not cell.dropout or getattr(cell, "implementation", 2) != 1
    return (
        cell.activation is activations.tanh
        and getattr(cell, "recurrent_activation", activations.sigmoid) is activations.sigmoid
        and getattr(cell, "reset_after", True)
        and not cell.recurrent_dropout
        and one_mask
    )


def _projected(inputs: Any, kernel: Any, bias: Any) -> Any:
    """inputs @ kernel + bias for all steps in one product."""
    steps, batch, size = inputs.shape.as_list()
    width = kernel.shape.as_list()[1]
    flat = matmul(reshape(inputs, [-1, size or shape(inputs)[2]]), kernel)
    if bias is not None:
        flat = bias_add(flat, bias)
    if None in (steps, batch):
        running = shape(inputs)
        result = reshape(flat, stack([running[0], running[1], width]))
        result.set_shape([steps, batch, width])
        return result
    return reshape(flat, [steps, batch, width])


def _simple(cell: Any, inputs: Any, states: list[Any], mask: Any) -> tuple[Any, Any, list[Any]]:
    projected = _projected(inputs, cell.kernel, cell.bias)
    outputs, last = simple_rnn_sequence(projected, cell.recurrent_kernel, states[0], mask)
    return outputs, last, [last]


def _lstm(cell: Any, inputs: Any, states: list[Any], mask: Any) -> tuple[Any, Any, list[Any]]:
    projected = _projected(inputs, cell.kernel, cell.bias)
    outputs, _, _, last, memory = lstm_sequence(projected, cell.recurrent_kernel, *states, mask)
    return outputs, last, [last, memory]


def _gru(cell: Any, inputs: Any, states: list[Any], mask: Any) -> tuple[Any, Any, list[Any]]:
    bias, recurrent_bias = cell.biases()
    if recurrent_bias is None:
        recurrent_bias = zeros((3 * cell.units,), inputs.dtype.base_dtype)
    projected = _projected(inputs, cell.kernel, bias)
    outputs, _, last = gru_sequence(projected, cell.recurrent_kernel, recurrent_bias, states[0], mask)
    return outputs, last, [last]


_SEQUENCES = {SimpleRNNCell: _simple, LSTMCell: _lstm, GRUCell: _gru}

# --- step by step ------------------------------------------------------------------------------------


def loop(
    step: Callable, cell: Any, inputs: Any, states: list[Any], mask: Any, training: Any, *, unroll: bool,
    zeroed: bool, sequences: bool,
) -> tuple[Any, Any, list[Any]]:  # fmt: skip
    """All outputs (None unless `sequences`), the last one and the last states.

    `step(inputs, states)` returns a step's output and new states. Where `mask` is False the states stay, and
    the output is the one before, or 0 if `zeroed`.
    """
    first = nest.map_structure(lambda x: x[0], inputs)
    masked = _owners(cell)
    _draw(masked, first, states, training)
    try:
        steps = nest.flatten(inputs)[0].shape.as_list()[0]
        short = steps is not None and (unroll or steps <= UNROLLED or interpreter().eager)
        run = _unrolled if short else _looped
        return run(_Stepper(step, zeroed), inputs, first, states, mask, sequences)
    finally:
        for owner in masked:
            owner._masks = None


def _owners(cell: Any) -> list[Any]:
    """The cells that drop something."""
    cells = cell.cells if isinstance(cell, StackedRNNCells) else [cell]
    return [c for c in cells if getattr(c, "dropout", 0) or getattr(c, "recurrent_dropout", 0)]


def _draw(cells: list[Any], first: Any, states: list[Any], training: Any) -> None:
    """Draws the dropout masks of all steps, before any loop begins."""
    for cell in cells:
        if not hasattr(cell, "draw_masks"):
            continue
        batch_like = nest.flatten(states)[0]
        inputs = first
        if nest.is_nested(first) or first.shape.rank == 2:  # cells further up have other inputs
            inputs = _zeros_of(batch_like, cell.kernel.shape.as_list()[0])
            own = _zeros_of(batch_like, cell.units)
        else:
            own = batch_like
        cell._masks = cell.draw_masks(inputs, [own], training)


def _zeros_of(batch_like: Any, size: int) -> Any:
    """Zeros (batch, size), where the batch is that of a tensor."""
    batch = batch_like.shape.as_list()[0]
    dims = [batch, size] if batch is not None else stack([shape(batch_like)[0], size])
    return zeros(dims, batch_like.dtype.base_dtype)


class _Stepper:
    """One step, with what a mask makes of it."""

    def __init__(self, step: Callable, zeroed: bool) -> None:
        self.step, self.zeroed = step, zeroed

    def __call__(self, x: Any, states: list[Any], before: Any, mask: Any) -> tuple[Any, list[Any]]:
        output, new_states = self.step(x, states)
        if mask is None:
            return output, new_states
        if before is None or self.zeroed:
            before = nest.map_structure(zeros_like, output)
        output = nest.map_structure(lambda new, old: _chosen(mask, new, old), output, before)
        flat = [
            _chosen(mask, new, old)
            for new, old in zip(nest.flatten(new_states), nest.flatten(states), strict=True)
        ]
        return output, nest.pack_sequence_as(new_states, flat)


def _chosen(mask: Any, new: Any, old: Any) -> Any:
    condition = cast(mask, "bool")
    for _ in range(new.shape.rank - 1):
        condition = expand_dims(condition, -1)
    return where_v2(condition, new, old)


def _unrolled(
    stepper: _Stepper, inputs: Any, first: Any, states: list[Any], mask: Any, sequences: bool
) -> tuple[Any, Any, list[Any]]:
    steps = nest.flatten(inputs)[0].shape.as_list()[0]
    outputs, output = [], None
    for t in range(steps):
        x = first if t == 0 else nest.map_structure(lambda x, t=t: x[t], inputs)
        output, states = stepper(x, states, output, None if mask is None else mask[t])
        outputs.append(output)
    if not sequences:
        return None, output, states
    return nest.map_structure(lambda *each: stack(list(each)), *outputs), output, states


def _looped(
    stepper: _Stepper, inputs: Any, first: Any, states: list[Any], mask: Any, sequences: bool
) -> tuple[Any, Any, list[Any]]:
    """The first step by itself, which shows what a cell returns, and the others in a loop."""
    output, states = stepper(first, states, None, None if mask is None else mask[0])
    count = shape(nest.flatten(inputs)[0])[0]
    arrays = [TensorArray(x.dtype.base_dtype, count).unstack(x) for x in nest.flatten(inputs)]
    masks = None if mask is None else TensorArray("bool", count).unstack(cast(mask, "bool"))
    written = [
        TensorArray(y.dtype.base_dtype, count, element_shape=y.shape).write(0, y)
        for y in nest.flatten(output)
        if sequences
    ]

    def body(t, output, states, written):
        x = nest.pack_sequence_as(inputs, [array.read(t) for array in arrays])
        output, states = stepper(x, states, output, None if masks is None else masks.read(t))
        if sequences:
            written = [w.write(t, y) for w, y in zip(written, nest.flatten(output), strict=True)]
        return math.add(t, 1), output, states, written

    _, output, states, written = while_loop(
        lambda t, *_: math.less(t, count), body, [constant(1, "int32"), output, states, written]
    )
    if not sequences:
        return None, output, states
    return nest.pack_sequence_as(output, [w.stack() for w in written]), output, states
