"""Gradients of If and While: an If over the branches' gradients, a While back through the iterations.

What a gradient needs of the inside of a branch or body, the forward op is made to hand out: its `saved` list
grows, and so do its outputs. Steps that don't use these outputs don't compute them.
"""

from typing import Any

from minitf.framework import dtypes
from minitf.framework.shapes import SCALAR
from minitf.ops.constants import zeros_like
from minitf.ops.control_ops import if_kernel, saved_shape, while_kernel
from minitf.ops.like import reshape_like
from minitf.ops.math import add
from minitf.ops.registry import gradient, interpreter
from minitf.ops.variants import add_variants, empty_variant, is_variant, zeros_like_variant


def _flows(tensor: Any) -> bool:
    """Whether gradients flow to and from the tensor."""
    dtype = tensor.dtype.base_dtype
    return dtype.is_floating or dtype.is_complex or dtype == dtypes.variant


def zero(tensor: Any) -> Any:
    """The gradient that says nothing."""
    return empty_variant() if is_variant(tensor) else zeros_like(tensor)


def _handed_out(op: Any, tensor: Any, dtype: Any, shape: Any) -> Any:
    """The output of `op` (If or While) that hands out `tensor` of the function graph inside it."""
    saved = op.attrs["saved"]
    if tensor not in saved:
        saved.append(tensor)
        op.outputs.append(type(op.outputs[0])(op, len(op.outputs), dtype.base_dtype, shape))
    return op.outputs[len(op.outputs) - len(saved) + saved.index(tensor)]


@gradient(if_kernel)
def _if_gradient(op, *grads):
    current = interpreter()
    branches = [op.attrs["then_branch"], op.attrs["else_branch"]]
    captured = {tensor: None for branch in branches for tensor in branch.captured}
    sources = [t for t in {**captured, **_references(op)} if _flows(t)]
    derivatives = [_branch_gradient(current, op, branch, grads, sources) for branch in branches]
    then_graph, else_graph = derivatives
    results = if_kernel(
        op.inputs[0],
        then_graph.captured,
        else_graph.captured,
        list({**then_graph.variables, **else_graph.variables}),
        then_branch=then_graph,
        else_branch=else_graph,
        saved=[],
        name="If",
    )
    by_source = dict(zip(sources, results, strict=True))
    # A tensor that both branches use stands twice among the inputs, and gets its gradient once.
    return [by_source.pop(tensor, None) for tensor in op.inputs]


def _references(op: Any) -> dict[Any, None]:
    count = op.lengths[-1]
    return dict.fromkeys(op.inputs[len(op.inputs) - count :])


def _branch_gradient(current: Any, op: Any, branch: Any, grads: tuple, sources: list[Any]) -> Any:
    def resolve(graph, tensor):
        inside = graph.capture(_handed_out(op, tensor, tensor.dtype, saved_shape(tensor)))
        inside.set_shape(tensor.shape)
        return inside

    graph = current.gradient_graph(branch, resolve)
    saved = op.attrs["saved"]
    outputs = [*branch.outputs, *saved[: len(grads) - len(branch.outputs)]]
    ys = [(y, grad) for y, grad in zip(outputs, grads) if grad is not None and y.graph is branch]
    inside = [branch.captures.get(source, source) for source in sources]
    with graph.as_default():
        found = graph.backpropagate([y for y, _ in ys], [grad for _, grad in ys], inside)
        graph.outputs = [
            _zeros(source) if grad is None else _like(grad, source)
            for grad, source in zip(found, sources, strict=True)
        ]
    return graph


def _zeros(source: Any) -> Any:
    """Zeros of the shape of `source`, whatever that is when it runs."""
    return zeros_like_variant(source) if is_variant(source) else zeros_like(source)


def _like(grad: Any, source: Any) -> Any:
    """`grad`, which is known to have the shape of `source`, also where nothing tells."""
    if is_variant(grad) or grad.shape.is_fully_defined():
        return grad
    return reshape_like(grad, source)


@gradient(while_kernel)
def _while_gradient(op, _, *grads):
    backward = _Backward(interpreter(), op, grads)
    with backward.graph.as_default():
        backward.build()
    return backward.results()


class _Backward:
    """The loop that carries gradients back through the iterations of a While.

    Its loop variables are the gradients of the forward loop's variables, and the sums, over the iterations,
    of the gradients of what the body captured. What the body computed comes from stacks.
    """

    def __init__(self, current: Any, op: Any, grads: tuple) -> None:
        self._op = op
        self._current = current
        self._body = op.attrs["body"]
        self._count = op.lengths[1]
        self._grads = grads[: self._count]
        self._items: list[Any] = []
        self._stacks: list[Any] = []
        # Tensors inside the body that were handed out, with the stacks of their gradients.
        self._saved = [
            (tensor, grad)
            for tensor, grad in zip(op.attrs["saved"], grads[self._count :])
            if grad is not None
        ]
        self._live = self._reached()
        self.graph = current.gradient_graph(self._body, self._from_stack)

    def _reached(self) -> list[int]:
        """Positions of the loop variables that get a gradient, in the last iteration or an earlier one."""
        body, count = self._body, self._count
        live = {i for i, grad in enumerate(self._grads) if grad is not None}
        while True:
            ys = [body.outputs[i] for i in live] + [tensor for tensor, _ in self._saved]
            ancestors = body.ancestors(ys)
            more = {i for i in range(count) if body.inputs[i] in ancestors and _flows(body.inputs[i])}
            if more <= live:
                return sorted(live)
            live |= more

    def _item(self, graph: Any, like: Any, stack: Any) -> Any:
        item = graph.add_input(like.dtype, like.shape, "item")
        self._items.append(item)
        self._stacks.append(stack)
        return item

    def _from_stack(self, graph: Any, tensor: Any) -> Any:
        return self._item(graph, tensor, _handed_out(self._op, tensor, dtypes.variant, SCALAR))

    def build(self) -> None:
        """Fills the body of the backward loop."""
        body, graph = self._body, self.graph
        loop_vars = [body.inputs[i] for i in self._live]
        incoming = [graph.add_input(tensor.dtype, tensor.shape, "grad") for tensor in loop_vars]
        ys = [body.outputs[i] for i in self._live] + [tensor for tensor, _ in self._saved]
        grad_ys = incoming + [self._item(graph, tensor, stack) for tensor, stack in self._saved]
        items = body.inputs[self._count :]
        outside = [t for t in {**dict.fromkeys(body.captured), **_references(self._op)} if _flows(t)]
        sources = [*loop_vars, *items, *[body.captures.get(tensor, tensor) for tensor in outside]]
        found = graph.backpropagate(ys, grad_ys, sources)
        outgoing = [
            zero(tensor) if grad is None else _like(grad, tensor) for grad, tensor in zip(found, loop_vars)
        ]
        self._item_grads = found[len(loop_vars) : len(loop_vars) + len(items)]
        self._summed = {}
        for tensor, grad in zip(outside, found[len(loop_vars) + len(items) :], strict=True):
            if grad is not None:
                total = graph.add_input(tensor.dtype, tensor.shape, "sum")
                self._summed[tensor] = total
                outgoing.append(_sum(total, grad))
        graph.inputs = [*incoming, *self._summed.values(), *self._items]
        graph.outputs = outgoing

    def results(self) -> list[Any]:
        """Adds the backward loop to the graph. Returns the gradients of the forward loop's inputs."""
        op, graph = self._op, self.graph
        initial = [zero(op.outputs[1 + i]) if self._grads[i] is None else self._grads[i] for i in self._live]
        initial += [zero(tensor) for tensor in self._summed]
        pushed = [grad for grad in self._item_grads if grad is not None]
        _, *results = while_kernel(
            op.outputs[0],
            initial,
            self._stacks,
            [],
            graph.captured,
            list(graph.variables),
            cond=None,
            body=graph,
            saved=list(dict.fromkeys(pushed)),
            name="While",
        )
        by_loop_var = dict(zip(self._live, results))
        by_source = dict(zip(self._summed, results[len(self._live) :]))
        stacks = dict(zip(dict.fromkeys(pushed), results[len(initial) :]))
        grads = [None, *[by_loop_var.get(i) for i in range(self._count)]]
        grads += [None if grad is None else stacks[grad] for grad in self._item_grads]
        grads += [None] * op.lengths[3]
        # A tensor may stand several times among the inputs; it gets its gradient once.
        grads += [by_source.pop(tensor, None) for tensor in op.inputs[len(grads) :]]
        return grads


def _sum(total: Any, grad: Any) -> Any:
    return add_variants([total, grad]) if is_variant(total) else add(total, grad)
