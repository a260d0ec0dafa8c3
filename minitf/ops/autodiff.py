"""The reverse sweep: one loop over recorded ops, for `tf.gradients` and `GradientTape` alike.

A recorded op has `.definition`, `.inputs`, `.outputs` and `.attrs`; graph Operations and tape entries both
do. See Griewank and Walther, Evaluating Derivatives (2008), chapter 3, for the method.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

from minitf.ops.constants import zeros_like
from minitf.ops.indexed_slices import IndexedSlices, concatenated
from minitf.ops.math_n import add_n
from minitf.ops.registry import REGISTRY, interpreter
from minitf.ops.variants import add_variants, is_variant

# Gradients that users registered under a name of their own (`tf.RegisterGradient`).
NAMED_GRADIENTS: dict[str, Callable] = {}


def sweep(
    ops: Iterable[Any],
    gradients: dict[int, list[Any]],
    wanted: Callable[[Any], bool],
    scope: Callable[[Any], Any] = lambda op: nullcontext(),
    keep: frozenset[int] = frozenset(),
) -> dict[int, list[Any]]:
    """Carries gradients from outputs back to inputs, through `ops` (each after those that use it).

    `gradients` maps id(tensor) to the gradients known so far and is extended in place; `wanted(tensor)`
    says which inputs need one. Tensors whose ids are in `keep` are not consumed when passed. Raises
    LookupError for an op that has no gradient.
    """
    for op in ops:
        grads = [
            total(gradients, t, consume=id(t) not in keep) if id(t) in gradients else None for t in op.outputs
        ]
        if all(g is None for g in grads) or not any(wanted(t) for t in op.inputs):
            continue
        definition = op.definition
        derivative = _derivative(op)
        if derivative is None:
            if not definition.differentiable:
                continue
            raise LookupError(
                f"No gradient defined for operation '{getattr(op, 'name', definition.name)}' "
                f"(op type: {definition.name})"
            )
        with scope(op):
            if len(grads) > 1 and not definition.takes_none:
                grads = [
                    zeros_like(t) if g is None and _differentiable(t) else g
                    for g, t in zip(grads, op.outputs, strict=True)
                ]
            if not definition.takes_slices:
                grads = [as_dense(g) for g in grads]
            results = derivative(op, *grads)
        if not isinstance(results, list | tuple):
            results = [results]
        for tensor, grad in zip(op.inputs, results, strict=True):
            if grad is not None and wanted(tensor):
                gradients.setdefault(id(tensor), []).append(grad)
    return gradients


def _derivative(op: Any) -> Callable | None:
    """The gradient function of `op`: its type's, or the one that `gradient_override_map` named for it."""
    name = getattr(op, "gradient_override", None) or op.definition.name
    if name in NAMED_GRADIENTS:
        return NAMED_GRADIENTS[name]
    if name == op.definition.name:
        return op.definition.gradient
    if name in REGISTRY:
        return REGISTRY[name].gradient
    raise LookupError(f"gradient registry has no entry for: {name}")


def total(gradients: dict[int, list[Any]], tensor: Any, consume: bool = False) -> Any:
    """The sum of a tensor's gradients, or None."""
    parts = gradients.get(id(tensor))
    if not parts:
        return None
    if len(parts) == 1:
        result = parts[0]
    elif all(isinstance(part, IndexedSlices) for part in parts):
        result = concatenated(parts)
    elif is_variant(parts[0]):
        result = add_variants(parts)
    else:
        result = add_n([as_dense(part) for part in parts])
    if consume:
        del gradients[id(tensor)]
    else:
        gradients[id(tensor)] = [result]
    return result


def as_dense(grad: Any) -> Any:
    """An IndexedSlices as a dense tensor; anything else as it is."""
    return interpreter().convert(grad, None) if isinstance(grad, IndexedSlices) else grad


def _differentiable(tensor: Any) -> bool:
    dtype = tensor.dtype.base_dtype
    return dtype.is_floating or dtype.is_complex
