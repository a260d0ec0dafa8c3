"""`tf.gradients`: symbolic derivatives, graph in, graph out."""

from typing import Any

from minitf.graph.graph import get_default_graph
from minitf.graph.operation import Operation, Tensor
from minitf.ops import autodiff
from minitf.ops.constants import ones_like
from minitf.ops.registry import interpreter


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = "none",
) -> list[Any]:
    """Derivatives of the sum of `ys` with respect to each of `xs`.

    `grad_ys` weighs the ys (default: ones). Gradients do not flow through `stop_gradients`. An x on which
    no y depends gets None, or zeros with `unconnected_gradients='zero'`. A gradient that is non-zero in a
    few rows only is an IndexedSlices. `colocate_gradients_with_ops`, `gate_gradients` and
    `aggregation_method` tune TensorFlow's placement and memory; here they change nothing in the result.

    Raises LookupError when an op on the way has no gradient, TypeError for complex ys without grad_ys.
    """
    graph = get_default_graph()
    ys, xs = _listed(ys), _listed(xs)
    stops = _listed(stop_gradients) if stop_gradients is not None else []
    with graph.name_scope(name):
        ys = [graph.convert(y, None, None, "y") for y in ys]
        sources = [_source(graph, x) for x in xs]
        stops = [_source(graph, x) for x in stops]
        grad_ys = _initial(graph, ys, grad_ys)
        found = backpropagate(graph, ys, grad_ys, sources, stops)
        unconnected = getattr(unconnected_gradients, "value", unconnected_gradients)
        if unconnected == "zero":
            found = [
                _zeros(source) if grad is None else grad for grad, source in zip(found, sources, strict=True)
            ]
    return found


def _zeros(source):
    from minitf.ops.constants import zeros_like

    return zeros_like(source)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _source(graph: Any, x: Any) -> Tensor:
    """The tensor that stands for x: a variable's reference, so that every reading of it counts."""
    if isinstance(x, Tensor) and graph.building_function:
        return x  # perhaps one of a graph around this one
    return graph.as_reference(x) if hasattr(x, "_ref") else graph.convert(x, None, None, "x")


def _initial(graph: Any, ys: list[Tensor], grad_ys: Any) -> list[Tensor]:
    given = [None] * len(ys) if grad_ys is None else _listed(grad_ys)
    if len(given) != len(ys):
        raise ValueError(f"Length mismatch. Passed {len(given)} grad_ys for {len(ys)} ys")
    result = []
    for i, (y, grad) in enumerate(zip(ys, given, strict=True)):
        dtype = y.dtype.base_dtype
        if grad is None and dtype.is_complex:
            raise TypeError(f"Gradients of complex tensors must set grad_ys (y.dtype = {y.dtype!r})")
        if grad is None:
            result.append(ones_like(y, name=f"grad_ys_{i}"))
        else:
            result.append(graph.convert(grad, dtype, None, f"grad_ys_{i}"))
            if not y.shape.is_compatible_with(result[-1].shape):
                raise ValueError(
                    f"Incompatible shapes between op input and calculated input gradient: y {y.name} has "
                    f"shape {y.shape}, its grad_ys has {result[-1].shape}"
                )
    return result


def backpropagate(
    graph: Any,
    ys: list[Tensor],
    grad_ys: list[Any],
    sources: list[Tensor],
    stops: list[Tensor] | tuple = (),
    within: Any = None,
) -> list[Any]:
    """Gradients of `ys`, weighed by `grad_ys`, with respect to `sources` (None where there is none).

    New ops land in `graph`. With `within`, only the ways through that function graph count.
    """
    blocked = {id(t) for t in stops}
    reached = _descendants(ys, sources, blocked, within)
    order = _between(ys, reached - blocked, within)
    grads: dict[int, list[Any]] = {}
    for y, grad in zip(ys, grad_ys, strict=True):
        if _flows(y):
            grads.setdefault(id(y), []).append(grad)
    autodiff.sweep(
        order,
        grads,
        wanted=lambda t: id(t) in reached and _flows(t),
        scope=lambda op: graph.name_scope(op.name.rsplit("/", 1)[-1] + "_grad"),
        keep=frozenset(id(t) for t in sources) | blocked,
    )
    return [autodiff.total(grads, source) for source in sources]


def _flows(tensor: Tensor) -> bool:
    dtype = tensor.dtype.base_dtype
    return dtype.is_floating or dtype.is_complex or dtype.name in ("variant", "resource")


def _inputs(op: Operation, within: Any) -> list[Tensor]:
    return op.inputs if within is None or op.graph is within and op.type != "Capture" else []


def _descendants(ys, sources, blocked, within) -> set[int]:
    """Ids of the tensors that depend on a source (sources included), among the ancestors of the ys.

    What is blocked counts as a constant, unless it is a source itself.
    """
    # Function graphs may meet variables of graphs that count their ops anew, so ids alone are no keys.
    ancestors: set[Operation] = set()
    pending = [y.op for y in ys]
    while pending:
        op = pending.pop()
        if op not in ancestors:
            ancestors.add(op)
            pending.extend(t.op for t in _inputs(op, within))
    reached = {id(t) for t in sources}
    for op in sorted(ancestors, key=lambda op: op.id):  # ids grow along the edges
        if any(id(t) in reached for t in _inputs(op, within)):
            reached.update(id(t) for t in op.outputs if id(t) not in blocked)
    return reached


def _between(ys, reached, within) -> list[Operation]:
    """Ops on the ways from the sources to the ys, last first, by way of the tensors `reached`."""
    found: set[Operation] = set()
    pending = [y.op for y in ys if id(y) in reached]
    while pending:
        op = pending.pop()
        if op not in found:
            found.add(op)
            pending.extend(t.op for t in _inputs(op, within) if id(t) in reached)
    return sorted(found, key=lambda op: op.id, reverse=True)


def hessians(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
) -> list[Tensor]:
    """The second derivatives of sum(ys) with respect to each x, of shape x.shape + x.shape."""
    from minitf.ops.array import reshape
    from minitf.ops.constants import zeros
    from minitf.ops.join import stack

    xs = _listed(xs)
    with interpreter().name_scope(name):
        results = []
        for x, grad in zip(xs, gradients(ys, xs), strict=True):
            x = interpreter().convert(x, None, None, "x")
            count = x.shape.num_elements()
            if count is None:
                raise ValueError("tf.hessians needs xs of fully known shape")
            flat = reshape(grad, [-1])
            rows = []
            for i in range(count):
                (row,) = gradients(flat[i], [x])
                rows.append(zeros(x.shape, x.dtype) if row is None else interpreter().convert(row, None))
            results.append(
                reshape(stack(rows), x.shape.concatenate(x.shape))
                if rows
                else zeros(x.shape.concatenate(x.shape), x.dtype)
            )
    return results


def variables_between(inputs: list[Tensor], outputs: list[Tensor]) -> list[Any]:
    """The variables that `outputs` depend on, other than through `inputs`, by name."""
    found: dict[str, Any] = {}
    seen = {id(tensor) for tensor in inputs}
    pending = [tensor for tensor in outputs if id(tensor) not in seen]
    while pending:
        tensor = pending.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        variable = tensor.op.cache.get("variable")
        if variable is not None:
            found[variable.name] = variable
        pending.extend(tensor.op.inputs)
    return [found[name] for name in sorted(found)]


def variables_read(graph: Any, since: int) -> list[Any]:
    """The variables that ops made after number `since` read, in that order."""
    found: dict[int, Any] = {}
    for op in graph.get_operations():
        if op.id > since:
            for tensor in op.inputs:
                variable = tensor.op.cache.get("variable")
                if variable is not None:
                    found[id(variable)] = variable
    return list(found.values())
