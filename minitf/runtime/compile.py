"""Makes a `Plan`: simplify → order → allocate → emit. The way into the rest of this folder."""

import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minitf.framework import errors
from minitf.framework.dtypes import DType
from minitf.framework.shapes import TensorShape
from minitf.graph.operation import Operation, Tensor
from minitf.runtime import fusion, memory, schedule
from minitf.runtime.emit import Emitter
from minitf.runtime.plan import Simplifier, Value


class Fed(NamedTuple):
    """A tensor that is fed, with the dtype and shape that it will have, and the value if that is known."""

    tensor: Tensor
    dtype: DType
    shape: TensorShape
    constant: Any = None


class Plan:
    """A compiled step. Calling it with one array per feed returns a tuple, one item per fetch."""

    def __init__(self, step: Callable, source: str, line_ops: list[Any], ops: list[Operation]) -> None:
        self.step = step
        self._line_ops = line_ops
        # Intermediates lie in memory of the plan's own, so one thread at a time may run it.
        self._lock = threading.Lock()
        self.source = source
        self.ops = ops

    def __call__(self, *feeds: np.ndarray) -> tuple[Any, ...]:
        """Runs the step. Raises the `tf.errors` class that fits when an op fails, with its name and line."""
        with self._lock:
            try:
                with np.errstate(all="ignore"):
                    return self.step(*feeds)
            except Exception as error:
                named = self.named(error)
                if named is error:
                    raise
                raise named from error

    def named(self, error: Exception) -> Exception:
        """The `tf.errors` error, with name and line of the op, for what was raised in the step."""
        if isinstance(error, errors.OpError):
            if error.op is None:
                error.op = self._failed(error)
        elif isinstance(error, ValueError | IndexError | ArithmeticError):
            op = self._failed(error)
            if op is not None:
                return errors.InvalidArgumentError(op.node_def, op, str(error))
        return error

    def _failed(self, error: BaseException) -> Operation | None:
        """The op whose line of the step raised `error`."""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code is self.step.__code__:
                return self._line_ops[trace.tb_lineno - 2]
            trace = trace.tb_next
        return None


def compile_plan(
    session: Any, fetches: list[Tensor | Operation], feeds: list[Fed], raw: bool = False
) -> Plan:
    """Plans a step of `session` that computes `fetches` when `feeds` are given.

    With `raw`, results are arrays always; else scalars come as NumPy scalars. Raises InvalidArgumentError
    when a placeholder is not fed or shapes don't fit.
    """
    values = {fed.tensor: Value(fed.dtype, fed.shape, fed.constant) for fed in feeds}
    for value in values.values():
        value.fed = True
    simplifier = Simplifier(session, values)
    nodes = simplifier.run(fetches)
    fetched = [simplifier.values[t] if isinstance(t, Tensor) else None for t in fetches]
    results = {value for value in fetched if value is not None}
    nodes = fusion.fuse(schedule.order(nodes), results)
    emitter = Emitter(memory.allocate(nodes, results), schedule.overtaken(nodes, results if raw else set()))
    for fed in feeds:
        emitter.argument(values[fed.tensor])
    emitter.own([slot for node in nodes for slot in node.writes])
    for node in nodes:
        emitter.node(node)
    step, source = emitter.finish(fetched, raw)
    if os.environ.get("MINITF_SHOW_PLANS"):
        print(source)
    return Plan(step, source, emitter.line_ops, [node.op for node in nodes])
