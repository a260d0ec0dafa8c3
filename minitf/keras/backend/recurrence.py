"""`K.rnn`: a function applied along the steps of sequences."""

from collections.abc import Callable
from typing import Any

from minitf.framework import nest
from minitf.keras.backend.values import tensor
from minitf.keras.layers.recurrent_loops import loop
from minitf.ops.array import transpose
from minitf.ops.reverse import reverse


def rnn(
    step_function: Callable,
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Any = None,
    unroll: bool = False,
    input_length: int | None = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
) -> tuple[Any, Any, list[Any]]:
    """(last output, outputs, last states) of `step_function(inputs, states)` along sequences.

    `inputs` (samples, steps, …), or a nested structure of such, are (steps, samples, …) if `time_major`; so
    are the outputs. `step_function` gets one step of them, and the states followed by the `constants`; it
    returns an output and new states. Where `mask` (samples, steps) is False the states stay, and the output
    is the one before, or 0 with `zero_output_for_mask`. `go_backwards` begins at the last step.

    `unroll` draws the steps one by one; their number must be known then, else ValueError is raised.
    `input_length` is of no consequence.
    """
    inputs = nest.map_structure(tensor, inputs)
    if not time_major:
        inputs = nest.map_structure(_swapped, inputs)
    if unroll and nest.flatten(inputs)[0].shape.as_list()[0] is None:
        raise ValueError("Unrolling requires a fixed number of timesteps.")
    if mask is not None:
        mask = tensor(mask)
        if mask.shape.rank == 3:
            mask = mask[:, :, 0]
        mask = mask if time_major else _swapped(mask)
    if go_backwards:
        inputs = nest.map_structure(lambda x: reverse(x, [0]), inputs)
        mask = None if mask is None else reverse(mask, [0])
    constants = list(constants or ())

    def step(x: Any, states: Any) -> tuple[Any, list[Any]]:
        output, new_states = step_function(x, [*states, *constants])
        return output, list(new_states)

    outputs, last, states = loop(
        step, None, inputs, [tensor(s) for s in initial_states], mask, None,
        unroll=unroll, zeroed=zero_output_for_mask, sequences=True,
    )  # fmt: skip
    return last, outputs if time_major else nest.map_structure(_swapped, outputs), states


def _swapped(x: Any) -> Any:
    """The first two dimensions exchanged."""
    return transpose(x, [1, 0, *range(2, x.shape.rank)])
