"""Carries out a sample of tests/op_cases with real TensorFlow: eagerly, or in a graph to change variables."""

import inspect
from typing import Any

import numpy as np
import tensorflow as tf

from minitf.framework.dtypes import DType
from minitf.framework.shapes import TensorShape
from tests.op_cases import Case
from tests.op_cases.run import as_array, flat


def no_kernel(error: Exception) -> bool:
    """Whether TensorFlow raised `error` because it lacks a kernel for these dtypes."""
    if isinstance(error, tf.errors.NotFoundError | tf.errors.UnimplementedError | TypeError):
        return True
    return "not in the list of allowed values" in str(error)


def run(
    case: Case, inputs: list[Any], attrs: dict[str, Any]
) -> tuple[list[np.ndarray], list[np.ndarray] | None]:
    """TensorFlow's outputs for a sample, and the values of its variables afterwards.

    A case's own reference computes outputs only; then there are no variables (None).
    """
    if case.reference is None and any(declared.kind for declared in case.definition.inputs):
        return _run_graph(case, inputs, attrs)
    tensors = [[_tensor(v) for v in x] if isinstance(x, list) else _tensor(x) for x in inputs]
    return [as_array(t.numpy()) for t in call(case, tensors, attrs)], None if case.reference else []


def call(case: Case, tensors: list[Any], attrs: dict[str, Any]) -> list[Any]:
    """The op applied to tensors: the case's own reference, or the raw op of that name."""
    names = [declared.name for declared in case.definition.inputs]
    arguments = {**dict(zip(names, tensors, strict=True))}
    if case.reference is not None:
        result = case.reference(tf, **arguments, **attrs)
    else:
        raw = getattr(tf.raw_ops, case.op)
        known = inspect.signature(raw).parameters
        given = {name: _plain(value) for name, value in attrs.items() if name in known}
        result = raw(**arguments, **given)
    outputs = flat([list(result) if isinstance(result, list | tuple) else result])
    return [t for t in outputs if not isinstance(t, tf.Operation | type(None))]


def _plain(value: Any) -> Any:
    """An attribute as TensorFlow takes it."""
    if isinstance(value, DType):
        return tf.as_dtype(value.name)
    if isinstance(value, TensorShape):
        return tf.TensorShape(value.sizes)
    return list(value) if isinstance(value, tuple) else value


def _tensor(value: np.ndarray) -> Any:
    return tf.constant(value, tf.string if value.dtype == object else value.dtype)


def _run_graph(case: Case, inputs: list[Any], attrs: dict[str, Any]) -> tuple[list, list]:
    with tf.Graph().as_default():
        variables, tensors = [], []
        for declared, value in zip(case.definition.inputs, inputs, strict=True):
            if declared.kind is None:
                tensors.append([_tensor(v) for v in value] if declared.is_list else _tensor(value))
                continue
            variable = tf.compat.v1.Variable(_tensor(value), use_resource=False)
            variables.append(variable)
            tensors.append(variable._ref())
        outputs = call(case, tensors, attrs)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            results = session.run(outputs)
            return [as_array(r) for r in results], [as_array(v) for v in session.run(variables)]


def gradients(
    case: Case, inputs: list[Any], attrs: dict[str, Any], wanted: list[int], weights: "Weights", orders: int
) -> list[list[np.ndarray]]:
    """For each order, the gradients of a weighted sum (of the outputs, then of the last gradients).

    `wanted` are positions among the flat inputs. Shorter when TensorFlow has no gradient of that order.
    """
    with tf.GradientTape(persistent=True) as outer, tf.GradientTape(persistent=True) as inner:
        tensors = [[_tensor(v) for v in x] if isinstance(x, list) else _tensor(x) for x in inputs]
        sources = [flat(tensors)[i] for i in wanted]
        for tape in (outer, inner):
            tape.watch(sources)
        value = weighted_sum(call(case, tensors, attrs), weights)
        if value is None:
            return []
        try:
            found = [_dense(inner, value, sources)]
        except LookupError:
            return []
        if orders == 1:
            return [[g.numpy() for g in found[0]]]
        value = weighted_sum(found[0], weights)
    try:
        found.append(_dense(outer, value, sources))
    except LookupError:
        pass
    return [[g.numpy() for g in order] for order in found]


def _dense(tape: Any, value: Any, sources: list[Any]) -> list[Any]:
    grads = tape.gradient(value, sources, unconnected_gradients="zero")
    return [tf.convert_to_tensor(g) for g in grads]


def weighted_sum(tensors: list[Any], weights: "Weights") -> Any:
    """The floating tensors' elements times weights, as one scalar (None if there are none)."""
    parts = [
        tf.reduce_sum(t * tf.constant(weights(t.shape, t.dtype.as_numpy_dtype)))
        for t in tensors
        if t.dtype.is_floating or t.dtype.is_complex
    ]
    return tf.add_n(parts) if parts else None


class Weights:
    """Numbers that depend on the shape alone, so that both engines weigh alike."""

    def __call__(self, shape: Any, dtype: Any) -> np.ndarray:
        """An array of that shape with values of either sign."""
        sizes = tuple(int(size) for size in shape)
        count = int(np.prod(sizes))
        return (np.cos(np.arange(1, count + 1) * 1.7) + 0.3).reshape(sizes).astype(dtype)
