"""Optimizer steps for gradients that touch a few rows only (IndexedSlices).

Each is made from its dense twin: the rows are taken out, updated, and put back.
"""

import inspect
from collections.abc import Callable

import numpy as np

from minitf.ops import training
from minitf.ops.registry import Index, not_differentiable, op

_Rows = Index.another("Rows")


def _sparse_version(dense: Callable) -> Callable:
    """The op `Sparse<dense op>`: the same inputs, and last the (distinct) row numbers, int (n,)."""
    definition = dense.definition
    changed = definition.mutates

    def kernel(*inputs, **attrs):
        *inputs, indices = inputs
        count = len(inputs[0])
        outside = np.flatnonzero((indices < 0) | (indices >= count))
        if outside.size:
            raise ValueError(f"Index {indices[outside[0]]} at offset {outside[0]} in indices is out of range")
        rows = [x[indices] if i in changed else x for i, x in enumerate(inputs)]
        definition.kernel(*rows, **attrs)
        for i in changed:
            inputs[i][indices] = rows[i]
        return inputs[0]

    signature = inspect.signature(definition.kernel)
    parameters = list(signature.parameters.values())
    position = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
    parameters.insert(
        position, inspect.Parameter("indices", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=_Rows)
    )
    kernel.__signature__ = signature.replace(parameters=parameters)
    kernel.__name__ = "sparse_" + dense.__name__
    kernel.__doc__ = f"`{dense.__name__}` on the rows `indices` only."
    function = op("Sparse" + definition.name, shape=lambda var, *_rest, **_attrs: var.shape)(kernel)
    not_differentiable(function)
    return function


sparse_apply_gradient_descent = _sparse_version(training.apply_gradient_descent)
sparse_apply_proximal_gradient_descent = _sparse_version(training.apply_proximal_gradient_descent)
sparse_apply_momentum = _sparse_version(training.apply_momentum)
sparse_apply_adagrad = _sparse_version(training.apply_adagrad)
sparse_apply_adagrad_v2 = _sparse_version(training.apply_adagrad_v2)
sparse_apply_proximal_adagrad = _sparse_version(training.apply_proximal_adagrad)
sparse_apply_adagrad_da = _sparse_version(training.apply_adagrad_da)
sparse_apply_adadelta = _sparse_version(training.apply_adadelta)
sparse_apply_rmsprop = _sparse_version(training.apply_rmsprop)
sparse_apply_centered_rmsprop = _sparse_version(training.apply_centered_rmsprop)
sparse_apply_ftrl = _sparse_version(training.apply_ftrl)
