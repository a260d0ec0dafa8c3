"""`tf.identity_n`, and `tf.custom_gradient` for functions that know their derivative better."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from minitf.framework import nest
from minitf.ops.autodiff import as_dense
from minitf.ops.control import as_operand
from minitf.ops.registry import Mixed, Spec, gradient, interpreter, op


def _results(input, **_attrs):
    return [Spec(tensor.dtype.base_dtype, tensor.shape) for tensor in input]


@op("IdentityN", shape=_results, passes_through=lambda node: True)
def identity_n_kernel(input: [Mixed], *, derivative=None) -> [Mixed]:
    """The same tensors. `derivative(*gradients)`, if given, returns their gradients."""
    return [tensor.copy() if hasattr(tensor, "copy") else tensor for tensor in input]


@gradient(identity_n_kernel)
def _identity_n(op, *grads):
    derivative = op.attrs["derivative"]
    return list(grads) if derivative is None else derivative(*grads)


def identity_n(input: Any, name: str | None = None) -> list[Any]:
    """A list of tensors like those given, as one op."""
    return identity_n_kernel(list(input), name=name)


def custom_gradient(f: Callable | None = None) -> Callable:
    """Decorates a function that returns its result and a function for its gradient.

    `f(*args)` returns `(y, grad_fn)`, and `grad_fn(*dy)` the gradients of `args` given those of the result.
    When `f` uses variables beside its arguments, `grad_fn(*dy, variables=None)` returns `(gradients, list of
    the variables' gradients)`. Raises TypeError when such a `grad_fn` doesn't take `variables`.
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*args, **kwargs):
        current = interpreter()
        if kwargs and not current.eager:
            raise ValueError(
                "The custom_gradient decorator currently supports keywords arguments only when eager "
                "execution is enabled."
            )
        args = nest.map_structure(lambda arg: current.convert(as_operand(arg), None), args)
        with current.watching_variables() as used:
            result, grad_fn = f(*args, **kwargs)
        flat_args = nest.flatten(args)
        flat_result = [current.convert(leaf, None) for leaf in nest.flatten(result)]
        variables = _checked(grad_fn, used(flat_args, flat_result))

        def derivative(*grads):
            grads = [as_dense(grad) for grad in grads[: len(flat_result)]]
            if variables:
                input_grads, variable_grads = grad_fn(*grads, variables=variables)
                if len(variable_grads) != len(variables):
                    raise ValueError("Must return gradient for each variable from @custom_gradient grad_fn.")
            else:
                input_grads, variable_grads = grad_fn(*grads), []
            return [None] * len(flat_result) + nest.flatten(input_grads) + list(variable_grads)

        references = [variable._as_tensor() for variable in variables]
        tensors = identity_n_kernel(flat_result + flat_args + references, derivative=derivative)
        return nest.pack_sequence_as(result, tensors[: len(flat_result)])

    return decorated


def _checked(grad_fn: Callable, variables: list[Any]) -> list[Any]:
    """The variables that `grad_fn` is to be told of.

    As in TensorFlow, variables of the TF1 face may be left out of account; others may not.
    """
    parameters = inspect.signature(grad_fn).parameters.values()
    if any(p.name == "variables" or p.kind is p.VAR_KEYWORD for p in parameters):
        return variables
    strict = [variable for variable in variables if not variable.dtype._is_ref]
    if strict:
        raise TypeError(
            "@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function uses "
            f"variables: {strict}"
        )
    return []
