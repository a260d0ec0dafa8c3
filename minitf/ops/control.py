"""`tf.cond` and `tf.while_loop`: Python functions become function graphs, held by one If or While op."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import dtypes, nest
from minitf.framework.shapes import TensorShape, as_shape
from minitf.ops import control_grad
from minitf.ops.array import identity
from minitf.ops.control_ops import if_kernel, while_kernel
from minitf.ops.registry import Symbol, interpreter

__all__ = ["cond", "control_grad", "while_loop"]


def cond(
    pred: Any,
    true_fn: Callable | None = None,
    false_fn: Callable | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable | None = None,
    fn2: Callable | None = None,
) -> Any:
    """`true_fn()` if the scalar bool `pred` is true when it runs, else `false_fn()`.

    Both functions are called once, when the graph is built; only the ops of the branch taken run. They
    return tensors (operations, variables, TensorArrays) in the same nested structure; a list of one is
    unpacked unless `strict`. `fn1` and `fn2` are the old names of the functions.

    Raises TypeError for functions that are none or results of different structure types, ValueError for
    results that differ in number, structure or dtype.
    """
    true_fn = _branch(true_fn, fn1, "true_fn", "fn1")
    false_fn = _branch(false_fn, fn2, "false_fn", "fn2")
    for function, argument in ((true_fn, "true_fn"), (false_fn, "false_fn")):
        if not callable(function):
            raise TypeError(f"'{argument}' must be callable.")
    current = interpreter()
    if current.eager:
        return _unpacked((true_fn if pred else false_fn)(), strict)
    with current.name_scope(name or "cond"):
        if isinstance(pred, bool):
            raise TypeError("'pred' must not be a Python bool.")
        pred = current.convert(pred, None, dtypes.bool, "pred")
        true_graph, true_result = _traced_branch(current, true_fn, "true_fn", True)
        false_graph, false_result = _traced_branch(current, false_fn, "false_fn", False)
        true_result, false_result = _unpacked(true_result, strict), _unpacked(false_result, strict)
        _check_results(true_result, false_result, true_graph, false_graph)
        with current.control_dependencies(true_graph.control_captures + false_graph.control_captures):
            results = if_kernel(
                pred,
                true_graph.captured,
                false_graph.captured,
                list({**true_graph.variables, **false_graph.variables}),
                then_branch=true_graph,
                else_branch=false_graph,
                saved=[],
                name="If",
            )
        merged = [identity(result, name="Merge") for result in results]
        return _with_arrays(true_result, merged)


def _branch(function: Any, old: Any, argument: str, old_argument: str) -> Any:
    if old is not None:
        if function is not None:
            raise TypeError(f"cond(): '{argument}' and '{old_argument}' may not be set simultaneously.")
        return old
    if function is None:
        raise TypeError(f"cond(): '{argument}' argument required")
    return function


def _unpacked(result: Any, strict: bool) -> Any:
    single = isinstance(result, list | tuple) and len(result) == 1 and not strict
    return result[0] if single else result


def _traced_branch(current: Any, function: Callable, argument: str, taken: bool) -> tuple[Any, Any]:
    graph = current.function_graph()
    with graph.as_default():
        result = function()
        if result is None and not graph.ordered:
            raise ValueError(f"'{argument}' must have a return value.")
        graph.outputs = [_output(graph, leaf, taken) for leaf in nest.flatten(result, expand_composites=True)]
    return graph, result


def _output(graph: Any, leaf: Any, taken: bool) -> Any:
    """A branch's result as a tensor; an operation becomes the branch's truth value, ready after it."""
    if hasattr(leaf, "control_inputs"):
        with graph.control_dependencies([leaf]):
            return identity(np.bool_(taken), name="control_dependency")
    if leaf is None and graph.ordered:
        return graph.constant(np.array(taken))
    return as_tensor(leaf)


def _check_results(true_result: Any, false_result: Any, true_graph: Any, false_graph: Any) -> None:
    try:
        nest.assert_same_structure(true_result, false_result, expand_composites=True)
    except TypeError as error:
        raise TypeError(f"Incompatible return types of 'true_fn' and 'false_fn': {error}") from None
    except ValueError as error:
        raise ValueError(f"Incompatible return values of 'true_fn' and 'false_fn': {error}") from None
    if not true_graph.outputs:
        raise ValueError("'true_fn' and 'false_fn' must return at least one result.")
    for x, y in zip(true_graph.outputs, false_graph.outputs, strict=True):
        if x.dtype.base_dtype != y.dtype.base_dtype:
            raise ValueError(
                "Outputs of 'true_fn' and 'false_fn' must have the same type(s). Received "
                f"{x.dtype.base_dtype.name} from 'true_fn' and {y.dtype.base_dtype.name} from 'false_fn'."
            )


def as_tensor(leaf: Any, dtype: Any = None) -> Any:
    """A leaf of a structure as a tensor; a TensorArray as its flow."""
    if hasattr(leaf, "flow"):
        return leaf.flow
    return interpreter().convert(leaf, dtype, None, "value")


def _with_arrays(structure: Any, tensors: list[Any]) -> Any:
    """`tensors` in the form of `structure`, as TensorArrays where that has some."""
    leaves = nest.flatten(structure, expand_composites=True)
    rebuilt = [
        None if leaf is None else leaf.with_flow(tensor) if hasattr(leaf, "flow") else tensor
        for leaf, tensor in zip(leaves, tensors, strict=True)
    ]
    return nest.pack_sequence_as(structure, rebuilt, expand_composites=True)


def while_loop(
    cond: Callable,
    body: Callable,
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Runs `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` holds, and returns the last `loop_vars`.

    `loop_vars` is a nested structure of tensors and TensorArrays, which the body returns likewise, of the
    same dtypes and of shapes that satisfy `shape_invariants` (the initial shapes, if None). The body runs
    `maximum_iterations` times at most. A single loop variable is returned by itself, unless
    `return_same_structure`. With `back_prop=False` no gradient flows through the loop. `parallel_iterations`
    and `swap_memory` tune TensorFlow's scheduling; here iterations run one after the other, in memory.

    Raises TypeError when `cond` or `body` is no function, ValueError for no loop variables, and for shapes
    that change from one iteration to the next.
    """
    if not callable(cond):
        raise TypeError("'cond' must be callable.")
    if not callable(body):
        raise TypeError("'body' must be callable.")
    if parallel_iterations < 1:
        raise TypeError("'parallel_iterations' must be a positive integer.")
    if not nest.is_nested(loop_vars) or not len(loop_vars):
        raise ValueError("'loop_vars' must be provided.")
    current = interpreter()
    if current.eager:
        return _eager_loop(cond, body, loop_vars, maximum_iterations, return_same_structure)
    with current.name_scope(name or "while"):
        limit = _limit(current, maximum_iterations)
        leaves = nest.flatten(loop_vars, expand_composites=True)
        initial = [as_tensor(leaf) for leaf in leaves]
        shapes = _invariants(loop_vars, initial, shape_invariants)
        cond_graph = _loop_graph(current, initial, shapes)
        with cond_graph.as_default():
            arguments = _with_arrays(loop_vars, cond_graph.inputs)
            cond_graph.outputs = [_condition(cond_graph, cond(*_positional(arguments)))]
        body_graph = _loop_graph(current, initial, shapes)
        with body_graph.as_default():
            arguments = _with_arrays(loop_vars, body_graph.inputs)
            result = _body_result(body(*_positional(arguments)), arguments)
            outputs = nest.flatten(result, expand_composites=True)
            body_graph.outputs = [
                as_tensor(leaf, tensor.dtype.base_dtype if not isinstance(leaf, Symbol) else None)
                for leaf, tensor in zip(outputs, body_graph.inputs, strict=True)
            ]
        _check_loop(initial, body_graph)
        final = loop(current, initial, cond_graph, body_graph, limit)
        if not back_prop:
            from minitf.ops.array import stop_gradient

            final = [stop_gradient(tensor) for tensor in final]
        packed = _with_arrays(result, [identity(tensor, name="Exit") for tensor in final])
        packed = nest.pack_sequence_as(
            loop_vars if return_same_structure else result, nest.flatten(packed, True), True
        )
        return packed[0] if len(final) == 1 and not return_same_structure and len(packed) == 1 else packed


def loop(current: Any, initial: list[Any], cond: Any, body: Any, limit: Any = -1) -> list[Any]:
    """The loop variables after running the function graph `body` while the function graph `cond` holds.

    `cond` may be None: then it runs `limit` times.
    """
    graphs = [graph for graph in (cond, body) if graph is not None]
    with current.control_dependencies([op for graph in graphs for op in graph.control_captures]):
        _, *results = while_kernel(
            limit,
            initial,
            [],
            [] if cond is None else cond.captured,
            body.captured,
            list({variable: None for graph in graphs for variable in graph.variables}),
            cond=cond,
            body=body,
            saved=[],
            name="While",
        )
    return results


def _positional(arguments: Any) -> Any:
    return arguments.values() if isinstance(arguments, dict) else arguments


def _limit(current: Any, maximum_iterations: Any) -> Any:
    from minitf.ops.math import maximum

    if maximum_iterations is None:
        return current.constant(np.array(-1, np.int32), "maximum_iterations")
    limit = current.convert(maximum_iterations, None, dtypes.int32, "maximum_iterations")
    if limit.shape.rank not in (0, None):
        raise ValueError(f"'maximum_iterations' must be a scalar. Received shape: {limit.shape}")
    return maximum(limit, limit.dtype.as_numpy_dtype(0))


def _invariants(loop_vars: Any, initial: list[Any], shape_invariants: Any) -> list[TensorShape]:
    """The shape that each flat loop variable keeps. Raises ValueError when one doesn't start with it."""
    if shape_invariants is None:
        return [tensor.shape for tensor in initial]
    shapes = _flat_shapes(loop_vars, shape_invariants)
    for tensor, shape in zip(initial, shapes, strict=True):
        if not _is_at_least(tensor.shape, shape):
            raise ValueError(
                f"The shape invariant specified for {tensor.name} is not compatible with the initial shape "
                f"of the loop variable. It enters the loop with shape {tensor.shape}, but the specified "
                f"shape invariant is {shape}."
            )
    return shapes


def _flat_shapes(loop_vars: Any, invariants: Any) -> list[TensorShape]:
    if isinstance(invariants, TensorShape) or invariants is None or not nest.is_nested(loop_vars):
        shape = None if invariants is None else as_shape(getattr(invariants, "shape", invariants))
        if hasattr(loop_vars, "fields"):
            return _composite_shapes(loop_vars, shape)
        if shape is None:
            return [as_tensor(leaf).shape for leaf in nest.flatten(loop_vars, True)]
        return [shape]
    if isinstance(loop_vars, dict):
        return [s for key in sorted(loop_vars) for s in _flat_shapes(loop_vars[key], invariants[key])]
    if len(loop_vars) != len(invariants):
        raise ValueError(
            "The two structures don't have the same nested structure.\n\nFirst structure: "
            f"{loop_vars}\n\nSecond structure: {invariants}"
        )
    pairs = zip(loop_vars, invariants, strict=True)
    return [shape for part, invariant in pairs for shape in _flat_shapes(part, invariant)]


def _composite_shapes(value: Any, shape: TensorShape | None) -> list[TensorShape]:
    """Of IndexedSlices, `shape` is that of the values."""
    parts = [part for part in value.fields().values() if part is not None]
    if shape is None or shape.rank is None:
        return [part.shape if shape is None else TensorShape(None) for part in parts]
    return [shape, TensorShape([shape.sizes[0]]), TensorShape([shape.rank])][: len(parts)]


def _is_at_least(specific: TensorShape, general: TensorShape) -> bool:
    """Whether all that `general` says of a shape holds for `specific`."""
    if general.rank is None:
        return True
    if specific.rank != general.rank:
        return False
    return all(g is None or g == s for s, g in zip(specific.sizes, general.sizes, strict=True))


def _loop_graph(current: Any, initial: list[Any], shapes: list[TensorShape]) -> Any:
    graph = current.function_graph()
    for tensor, shape in zip(initial, shapes, strict=True):
        graph.add_input(tensor.dtype, shape, "loop_var")
    return graph


def _condition(graph: Any, value: Any) -> Any:
    value = graph.convert(value, None, dtypes.bool, "condition")
    if value.dtype.base_dtype != dtypes.bool:
        raise TypeError(
            f"Value passed to parameter 'input' has DataType {value.dtype.base_dtype.name} not in list of "
            "allowed values: bool"
        )
    if value.shape.rank not in (0, None):
        raise ValueError(f"Shape must be rank 0 but is rank {value.shape.rank}")
    return value


def _body_result(result: Any, arguments: Any) -> Any:
    """What the body returned, in its own types. Raises ValueError or TypeError for another structure."""
    if not nest.is_nested(result):
        result = [result]
    result = nest.map_structure(lambda leaf: as_operand(leaf), result)
    if isinstance(arguments, dict):
        nest.assert_same_structure(arguments, result, expand_composites=True)
    else:
        nest.assert_same_structure(list(arguments), list(result), expand_composites=True)
    return result


def as_operand(leaf: Any) -> Any:
    """A variable as the tensor that reads it; anything else as it is."""
    return leaf._as_tensor() if hasattr(leaf, "_ref") else leaf


def _check_loop(initial: list[Any], body: Any) -> None:
    for before, inside, after in zip(initial, body.inputs, body.outputs, strict=True):
        if inside.dtype.base_dtype != after.dtype.base_dtype:
            raise TypeError(
                f"Loop variable '{before.name}' enters the loop with dtype {before.dtype.base_dtype.name}, "
                f"but has dtype {after.dtype.base_dtype.name} after one iteration."
            )
        if not _is_at_least(after.shape, inside.shape):
            raise ValueError(
                f"Input tensor '{before.name}' enters the loop with shape {before.shape}, but has shape "
                f"{after.shape} after one iteration. To allow the shape to vary across iterations, use the "
                "`shape_invariants` argument of tf.while_loop to specify a less-specific shape."
            )


def _eager_loop(
    cond: Callable, body: Callable, loop_vars: Any, maximum_iterations: Any, same_structure: bool
) -> Any:
    done, limit = 0, None if maximum_iterations is None else int(maximum_iterations)
    single = len(loop_vars) == 1 and not same_structure
    while (limit is None or done < limit) and cond(*loop_vars):
        result = body(*loop_vars)
        result = result if nest.is_nested(result) else (result,)
        nest.assert_same_structure(list(loop_vars), list(result))
        loop_vars = result
        done += 1
    convert = interpreter().convert
    loop_vars = nest.map_structure(lambda v: v if hasattr(v, "flow") else convert(v, None), loop_vars)
    return loop_vars[0] if single else loop_vars
