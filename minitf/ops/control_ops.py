"""The ops that hold function graphs: If and While. `tf.cond` and `tf.while_loop` in control.py make them."""

from typing import Any

from minitf.framework import dtypes
from minitf.framework.shapes import SCALAR, UNKNOWN, TensorShape
from minitf.ops.control_steps import IfSteps, WhileSteps
from minitf.ops.registry import Bool, Handle, Index, Mixed, Spec, gradient, op
from minitf.ops.shape_rules import require_rank, same_as_input
from minitf.ops.variants import is_variant


@op("Capture", shape=same_as_input, alias=True)
def capture(input: Mixed) -> Mixed:
    """Inside a function graph, what stands for `input`, a tensor of the graph around it."""
    return input


@gradient(capture)
def _capture(op, grad):
    return grad


def _written(*names: str) -> Any:
    def variables(op):
        return list(dict.fromkeys(v for name in names for v in op.attrs[name].variables_written()))

    return variables


def common_shape(first: TensorShape, second: TensorShape) -> TensorShape:
    """What holds for tensors of either shape."""
    if first.rank is None or first.rank != second.rank:
        return UNKNOWN
    return TensorShape([a if a == b else None for a, b in zip(first.sizes, second.sizes, strict=True)])


def _branch_results(
    pred, then_captures, else_captures, variables, *, then_branch, else_branch, saved
) -> list[Spec]:
    require_rank(pred, 0)
    pairs = zip(then_branch.outputs, else_branch.outputs, strict=True)
    results = [Spec(a.dtype.base_dtype, common_shape(a.shape, b.shape)) for a, b in pairs]
    return results + [Spec(tensor.dtype.base_dtype, saved_shape(tensor)) for tensor in saved]


def saved_shape(tensor: Any) -> TensorShape:
    """What is known of the output of an If that hands out a tensor of one of its branches."""
    return SCALAR if is_variant(tensor) else UNKNOWN


@op(
    "If",
    shape=_branch_results,
    stateful=True,
    steps=IfSteps,
    prepare=lambda node: node.steps.function(),
    variables_written=_written("then_branch", "else_branch"),
    takes_none=True,
    default_name="cond",
)
def if_kernel(
    pred: Bool,
    then_captures: [Mixed],
    else_captures: [Mixed],
    variables: [Handle(Mixed)],
    *,
    then_branch,
    else_branch,
    saved,
) -> [Mixed]:
    """The outputs of one of two function graphs.

    After them come the tensors inside the branches that gradients have asked for (`saved`); those of the
    branch that was not taken are scalar zeros.
    """
    raise AssertionError("branches are planned with the step that they are part of")


def _loop_results(
    limit, loop_vars, stacks, cond_captures, body_captures, variables, *, cond, body, saved
) -> list[Spec]:
    require_rank(limit, 0)
    results = [Spec(dtypes.int32, SCALAR)]
    results += [Spec(t.dtype.base_dtype, t.shape) for t in body.inputs[: len(loop_vars)]]
    return results + [Spec(dtypes.variant, SCALAR)] * len(saved)


@op(
    "While",
    shape=_loop_results,
    stateful=True,
    steps=WhileSteps,
    prepare=lambda node: node.steps.function(),
    variables_written=lambda op: _written(*["cond"] * (op.attrs["cond"] is not None), "body")(op),
    takes_none=True,
    default_name="while",
)
def while_kernel(
    limit: Index,
    loop_vars: [Mixed],
    stacks: [Mixed],
    cond_captures: [Mixed],
    body_captures: [Mixed],
    variables: [Handle(Mixed)],
    *,
    cond,
    body,
    saved,
) -> [Mixed]:
    """Runs the function graph `body` on the loop variables while `cond` (always, if None) holds.

    At most `limit` times, if that is not -1. The body's inputs are the loop variables, and then one item
    popped from each of the `stacks`. Outputs: how often the body ran, the loop variables, and for each of the
    tensors `saved` inside the body a stack of its values, the last on top.
    """
    raise AssertionError("loops are planned with the step that they are part of")
