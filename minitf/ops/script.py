"""Python functions as ops: `tf.py_func` and `tf.numpy_function`."""

import itertools
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitf.framework import errors
from minitf.framework.dtypes import SHORT_NAMES, as_dtype
from minitf.framework.shapes import UNKNOWN
from minitf.ops.registry import Mixed, Spec, not_differentiable, op

_numbers = itertools.count()

# What an exception of the function becomes; any other one is an UnknownError.
_ERROR_CLASSES = (
    ((ValueError, TypeError), errors.InvalidArgumentError),
    ((StopIteration,), errors.OutOfRangeError),
    ((MemoryError,), errors.ResourceExhaustedError),
    ((NotImplementedError,), errors.UnimplementedError),
)


def _declared(inputs, *, func, token, Tout):
    return [Spec(dtype, UNKNOWN) for dtype in Tout]


def _call(inputs, *, func, token, Tout):
    """Calls `func` with copies of the inputs (scalars as NumPy scalars) and checks what it returns."""
    # Copies, because the step plan will reuse the memory.
    arguments = [np.array(value)[()] for value in inputs]
    try:
        with np.errstate(all="warn"):
            returned = func(*arguments)
    except Exception as error:
        raise _as_op_error(error) from error
    values = _as_list(returned)
    if len(values) != len(Tout):
        raise ValueError(f"{token} returns {len(values)} values, but expects to see {len(Tout)} values.")
    results = []
    for position, (value, dtype) in enumerate(zip(values, Tout, strict=True)):
        array = _as_array(value)
        got = as_dtype(array.dtype)
        if got != dtype:
            raise ValueError(
                f"{position}-th value returned by {token} is {SHORT_NAMES[got.name]}, but expects "
                f"{SHORT_NAMES[dtype.name]}"
            )
        results.append(array)
    return tuple(results)


def _as_op_error(error: Exception) -> errors.OpError:
    kind = next((kind for causes, kind in _ERROR_CLASSES if isinstance(error, causes)), errors.UnknownError)
    lines = "".join(traceback.format_tb(error.__traceback__))
    message = f"{type(error).__name__}: {error}\nTraceback (most recent call last):\n\n{lines}"
    return kind(None, None, message)


def _as_list(returned: Any) -> list[Any]:
    if returned is None:
        return []
    return list(returned) if isinstance(returned, list | tuple) else [returned]


def _as_array(value: Any) -> np.ndarray:
    """An array of the function's own memory, or a copy of it that nobody else can change."""
    array = np.array(value, order="C")
    if array.dtype.kind in "SU":
        encoded = np.empty(array.shape, object)
        encoded[...] = np.array(value, object)
        array = encoded
    if array.dtype.kind == "O":
        flat = [item.encode() if isinstance(item, str) else item for item in array.ravel()]
        array = np.array([*flat, None], object)[:-1].reshape(array.shape)
    return array


def _declare(name: str, stateful: bool) -> Callable:
    @op(name, shape=_declared, stateful=stateful)
    def kernel(inputs: [Mixed], *, func, token, Tout) -> [Mixed]:
        return _call(inputs, func=func, token=token, Tout=Tout)

    not_differentiable(kernel)
    return kernel


_py_func = _declare("PyFunc", stateful=True)
_py_func_stateless = _declare("PyFuncStateless", stateful=False)


def py_func(
    func: Callable, inp: Sequence[Any], Tout: Any, stateful: bool = True, name: str | None = None
) -> Any:
    """Calls the Python function `func` with NumPy arrays, the values of `inp`, when the graph runs.

    Scalars come as NumPy scalars, strings as bytes. `func` must return arrays of the dtypes `Tout` (a dtype,
    or a list of them; the result is then a list of tensors). Their shapes are not known before. With
    `stateful=False`, equal calls may be made once. There is no gradient.

    An exception in `func` becomes an error of the class that TensorFlow makes of it: InvalidArgumentError
    for ValueError and TypeError, OutOfRangeError for StopIteration, UnimplementedError for
    NotImplementedError, ResourceExhaustedError for MemoryError, else UnknownError. A wrong number or dtype
    of results is an InvalidArgumentError.
    """
    if not callable(func):
        raise ValueError(f"Expected func to be callable. Received func={func} of type {type(func)}.")
    several = isinstance(Tout, list | tuple)
    wanted = tuple(as_dtype(dtype) for dtype in (Tout if several else [Tout]))
    kernel = _py_func if stateful else _py_func_stateless
    results = kernel(list(inp), func=func, token=f"pyfunc_{next(_numbers)}", Tout=wanted, name=name)
    return results if several else results[0]


def numpy_function(
    func: Callable, inp: Sequence[Any], Tout: Any, stateful: bool = True, name: str | None = None
) -> Any:
    """Calls a Python function on NumPy arrays when the graph runs. See `tf.py_func`."""
    return py_func(func, inp, Tout, stateful, name)
