"""Initial values that depend on other variables: all may then be initialised in one run."""

from minitf.graph.operation import Operation, Tensor
from minitf.ops.registry import Handle


def guarded(value: Tensor) -> Tensor:
    """`value`, made anew so that it takes the initialised value of each variable that it reads.

    A value that reads no variable is returned as it is. (TensorFlow does the same: one `sess.run` of
    `global_variables_initializer()` initialises `w2 = tf.Variable(w1 * 2)`.)
    """
    replaced: dict[Tensor, Tensor] = {}
    for op in _ancestors(value):
        if op.definition.is_variable:
            variable = op.cache.get("variable")
            if variable is not None:
                replaced[op.outputs[0]] = variable.initialized_value()
        elif any(tensor in replaced for tensor in op.inputs):
            _make_anew(op, replaced)
    return replaced.get(value, value)


def _ancestors(value: Tensor) -> list[Operation]:
    """The ops that `value` is computed by, in the order they were made; not past what handles variables."""
    found: dict[int, Operation] = {}
    pending = [value.op]
    while pending:
        op = pending.pop()
        if op.id not in found:
            found[op.id] = op
            if not _handles_variables(op):
                pending.extend(tensor.op for tensor in op.inputs)
    return [found[i] for i in sorted(found) if not _handles_variables(found[i])]


def _handles_variables(op: Operation) -> bool:
    """Assignments, and what looks whether a variable is initialised."""
    return bool(op.definition.mutates) or any(arg.kind is Handle for arg in op.definition.inputs)


def _make_anew(op: Operation, replaced: dict[Tensor, Tensor]) -> None:
    graph = op.graph
    inputs = op.grouped([replaced.get(tensor, tensor) for tensor in op.inputs])
    name = graph.unique_name(op.name.rsplit("/", 1)[-1])
    graph.apply(op.definition, inputs, op.attrs, name)
    replaced.update(zip(op.outputs, graph.get_operation_by_name(name).outputs, strict=True))
