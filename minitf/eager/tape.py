"""`tf.GradientTape`: records what runs, and carries gradients back through it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitf.eager.interpreter import EAGER, Entry, recording
from minitf.eager.tensor import EagerTensor, Reference
from minitf.framework import nest
from minitf.graph.gradients import gradients, variables_read
from minitf.graph.operation import Tensor
from minitf.ops import autodiff
from minitf.ops.array import reshape
from minitf.ops.constants import ones_like, zeros_like
from minitf.ops.join import stack
from minitf.ops.registry import interpreter


class GradientTape:
    """Within `with tf.GradientTape() as tape:`, ops on watched tensors are recorded for `tape.gradient`.

    Trainable variables are watched as they are read, unless `watch_accessed_variables` is False; tensors when
    `tape.watch` says so. A tape gives one gradient, a `persistent` one any number. Tapes may be nested: a
    gradient taken inside an outer tape is recorded by that one.

    In a graph or traced function, it is another way to write `tf.gradients`.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watches_variables = watch_accessed_variables
        self.reset()
        self._recording = False
        self._used = False

    def _forget(self) -> None:
        self._entries: list[Entry] = []
        # By id, what is watched or depends on that; holding the tensors keeps the ids theirs.
        self._watched: dict[int, Any] = {}

    def __enter__(self) -> "GradientTape":
        if self._recording:
            raise ValueError(
                "Tape is still recording, This can happen if you try to re-enter an already-active tape."
            )
        self._start()
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._recording:
            self._stop()

    def _start(self) -> None:
        if not interpreter().eager:
            self._since = interpreter().version
        recording.watchers.append(self)
        self._recording = True

    def _stop(self) -> None:
        recording.watchers.remove(self)
        self._recording = False

    # --- recording ----------------------------------------------------------------------------------------

    def note(self, definition: Any, inputs: list[Any], outputs: list[Any], attrs: dict[str, Any]) -> None:
        """Records an op, if it depends on what is watched and a gradient can flow through it."""
        watched = self._watched
        depends = False
        for tensor in inputs:
            if id(tensor) in watched:
                depends = True
            elif isinstance(tensor, Reference) and self._watches_variables and tensor.owner.trainable:
                self._watch_variable(tensor)
                depends = True
        if depends and (definition.gradient is not None or definition.differentiable):
            self._entries.append(Entry(definition, inputs, outputs, attrs))
            for tensor in outputs:
                watched[id(tensor)] = tensor

    def _watch_variable(self, reference: Reference) -> None:
        self._watched[id(reference)] = reference
        self._variables[id(reference)] = reference.owner

    def watch(self, tensor: Any) -> None:
        """Watches tensors or variables (or a nested structure of these): gradients with respect to them."""
        for leaf in nest.flatten(tensor, expand_composites=True):
            if isinstance(leaf, Tensor):
                continue  # of a graph, which keeps all that tapes would record
            if not isinstance(leaf, EagerTensor) and not hasattr(leaf, "_ref"):
                raise ValueError(
                    f"Passed in object {leaf} of type '{type(leaf).__name__}', not tf.Tensor or tf.Variable "
                    "or ExtensionType."
                )
            source = _source(leaf)
            if isinstance(source, Reference):
                self._watch_variable(source)
            else:
                self._watched[id(source)] = source

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables that have been watched, in the order of their first use."""
        if not interpreter().eager:
            return tuple(v for v in variables_read(interpreter(), self._since) if v.trainable)
        return tuple(self._variables.values())

    @property
    def may_record_gradients(self) -> bool:
        """Whether gradients may be taken while it records."""
        return self._persistent

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """What runs inside is not recorded."""
        if not self._recording:
            raise ValueError("Tape is not recording.")
        self._stop()
        try:
            yield
        finally:
            self._start()

    def reset(self) -> None:
        """Forgets everything that was recorded and watched."""
        self._forget()
        self._variables: dict[int, Any] = {}

    # --- gradients ----------------------------------------------------------------------------------------

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = "none",
    ) -> Any:
        """Derivatives of the sum of `target` with respect to each of `sources`, in their structure.

        `output_gradients` weighs the target's tensors. A source that the target does not depend on gets None,
        or zeros with `unconnected_gradients='zero'`. Raises RuntimeError when a tape that is not persistent
        is asked twice, LookupError when an op on the way has no gradient.
        """
        self._check_unused()
        if self._recording and not self._persistent:
            self._stop()
        targets = nest.flatten(target)
        weights = None if output_gradients is None else nest.flatten(output_gradients)
        flat = nest.flatten(sources)
        if interpreter().eager:
            targets = [EAGER.convert(leaf, None) for leaf in targets]
            flat = [_source(leaf) for leaf in flat]
            found = self._gradients(targets, flat, weights)
            if getattr(unconnected_gradients, "value", unconnected_gradients) == "zero":
                found = [zeros_like(source) if grad is None else grad for grad, source in zip(found, flat)]
        else:
            found = gradients(targets, flat, weights, unconnected_gradients=unconnected_gradients)
        if not self._persistent:
            self._used = True
            self._forget()
        return nest.pack_sequence_as(sources, found)

    def _check_unused(self) -> None:
        if self._used and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or "
                "jacobians)"
            )

    def _gradients(self, targets: list[Any], sources: list[Any], weights: list[Any] | None) -> list[Any]:
        grads: dict[int, list[Any]] = {}
        for i, target in enumerate(targets):
            if not (target.dtype.is_floating or target.dtype.is_complex):
                continue
            weight = None if weights is None else weights[i]
            weight = ones_like(target) if weight is None else EAGER.convert(weight, target.dtype)
            grads.setdefault(id(target), []).append(weight)
        reached = {id(source) for source in sources if id(source) in self._watched}
        order = []
        for entry in self._entries:
            if any(id(tensor) in reached for tensor in entry.inputs):
                reached.update(id(tensor) for tensor in entry.outputs)
                order.append(entry)
        order.reverse()
        autodiff.sweep(
            order,
            grads,
            wanted=lambda tensor: id(tensor) in reached and _flows(tensor),
            keep=frozenset(id(source) for source in sources),
        )
        known = [source if id(source) in reached and _flows(source) else None for source in sources]
        return [None if source is None else autodiff.total(grads, source) for source in known]

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Derivatives of each element of `target` by each element of `sources`: shape target + source.

        It goes back once for each element; `parallel_iterations` and `experimental_use_pfor` tune how
        TensorFlow does that, and change nothing here.
        """
        self._check_unused()
        target = EAGER.convert(target, None)
        count = int(np.prod(target.shape.sizes, dtype=np.int64))
        flat = [_source(leaf) for leaf in nest.flatten(sources)]
        rows: list[list[Any]] = []
        for i in range(count):
            weight = np.zeros(count, target.dtype.numpy_dtype)
            weight[i] = 1
            with self._paused():
                rows.append(self._gradients([target], flat, [weight.reshape(target.shape.sizes)]))
        results = []
        zero = getattr(unconnected_gradients, "value", unconnected_gradients) == "zero"
        for k, source in enumerate(flat):
            column = [row[k] for row in rows]
            if all(grad is None for grad in column):
                shape = [*target.shape.sizes, *source.shape.sizes]
                results.append(EAGER.constant(np.zeros(shape, source.dtype.numpy_dtype)) if zero else None)
                continue
            column = [zeros_like(source) if grad is None else EAGER.convert(grad, None) for grad in column]
            results.append(reshape(stack(column), [*target.shape.sizes, *source.shape.sizes]))
        if not self._persistent:
            self._used = True
            self._forget()
        return nest.pack_sequence_as(sources, results)

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """A tape that is not persistent does not record its own gradients."""
        if self._recording and not self._persistent:
            with self.stop_recording():
                yield
        else:
            yield

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """For each row of `target`, its derivatives by the same row of `source`: (batch, target, source).

        Raises ValueError when the two have different numbers of rows.
        """
        target = EAGER.convert(target, None)
        sizes, inputs = target.shape.sizes, _source(source).shape.sizes
        if not sizes or not inputs or sizes[0] != inputs[0]:
            raise ValueError(
                "Need first dimension of target shape and source shape to be the same. Found target shape "
                f"{target.shape}, source shape {_source(source).shape}"
            )
        whole = self.jacobian(target, source, unconnected_gradients)
        if whole is None:
            return None
        rows = [whole[(i, *[slice(None)] * (len(sizes) - 1), i)] for i in range(sizes[0])]
        return stack(rows)


def _source(leaf: Any) -> Any:
    """What stands for a source on the tape: a variable's reference, or the tensor."""
    if isinstance(leaf, EagerTensor):
        return leaf
    reference = EAGER.as_reference(leaf)
    if reference is None:
        raise TypeError(f"Target and sources of a gradient must be eager tensors or variables, got {leaf!r}")
    return reference


def _flows(tensor: Any) -> bool:
    dtype = tensor.dtype.base_dtype
    return dtype.is_floating or dtype.is_complex or dtype.name in ("variant", "resource")


def is_recording() -> bool:
    """Whether a tape is recording in this thread."""
    return interpreter().eager and any(isinstance(w, GradientTape) for w in recording.watchers)
