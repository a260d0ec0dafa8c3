"""Variables, placeholders and their values: making, reading, setting and computing them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import nest
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape
from minitf.graph import default_session
from minitf.graph import gradients as graph_gradients
from minitf.graph.variables import Variable
from minitf.keras.engine import state
from minitf.keras.utils.layer_utils import count_params as count_of_weights
from minitf.ops import array, constants, random
from minitf.ops.arrays import to_array
from minitf.ops.group import group
from minitf.ops.registry import Symbol, interpreter
from minitf.ops.sparse_tensor import SparseTensor
from minitf.runtime.session import Session
from minitf.runtime.shared_variable import SharedVariable, trainable_collections

_session: Session | None = None


def backend() -> str:
    """'tensorflow': the API that the backend speaks."""
    return "tensorflow"


def dtype_or_default(dtype: Any) -> Any:
    """`dtype`, or the default float type."""
    return as_dtype(state.floatx() if dtype is None else dtype)


def tensor(x: Any) -> Any:
    """`x` as a tensor."""
    return interpreter().convert(x, None)


# --- sessions ----------------------------------------------------------------------------------------


def get_session(op_input_list: Any = ()) -> Session:
    """The default session if one is entered, else one that Keras keeps for the current graph."""
    global _session
    default = default_session.get_default_session()
    if default is not None:
        return default
    graph = state.get_graph()
    if _session is None or _session.graph is not graph:
        _session = Session(graph=graph)
    return _session


def set_session(session: Session) -> None:
    """Makes `session` the one that `get_session` returns."""
    global _session
    _session = session


def clear_session() -> None:
    """Forgets the graph, the session and the automatic names, so that models start anew."""
    global _session
    _session = None
    state.clear_session()


def _session_of(graph: Any) -> Session:
    session = get_session()
    return session if session.graph is graph else Session(graph=graph)


# --- making ------------------------------------------------------------------------------------------


def variable(
    value: Any, dtype: Any = None, name: str | None = None, constraint: Callable | None = None
) -> Any:
    """A variable that holds `value`, of the default float type unless `dtype` says otherwise."""
    if hasattr(value, "tocoo"):
        raise NotImplementedError("K.variable: sparse matrices are not supported")
    dtype = dtype_or_default(dtype)
    current = interpreter()
    if current.eager:
        from minitf.eager.variable import Variable as EagerVariable

        return EagerVariable(value, dtype=dtype, name=name, constraint=constraint)
    collections = None if getattr(current, "is_step", False) else trainable_collections(True)
    return SharedVariable(value, dtype=dtype, name=name, constraint=constraint, collections=collections)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """A constant tensor, of the default float type unless `dtype` says otherwise."""
    return constants.constant(value, dtype=dtype_or_default(dtype), shape=shape, name=name or "Const")


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
    ragged: bool = False,
) -> Any:
    """A tensor to be fed. `ndim` stands for a shape of so many unknown sizes."""
    if sparse or ragged:
        raise NotImplementedError("K.placeholder: sparse and ragged placeholders are not supported")
    if not shape and ndim:
        shape = (None,) * ndim
    with state.get_graph().as_default():
        return constants.placeholder(dtype_or_default(dtype), shape=shape, name=name)


def _filled(fill: Callable) -> Callable:
    def function(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
        value = fill(shape, dtype_or_default(dtype), name)
        known = (
            isinstance(shape, int) or not isinstance(shape, Symbol) and TensorShape(shape).is_fully_defined()
        )
        return variable(value, dtype=dtype, name=name) if known else value

    return function


zeros = _filled(lambda shape, dtype, name: constants.zeros(shape, dtype, name))
zeros.__doc__ = "A variable of zeros (a tensor, where a size of `shape` is not known)."
ones = _filled(lambda shape, dtype, name: constants.ones(shape, dtype, name))
ones.__doc__ = "A variable of ones (a tensor, where a size of `shape` is not known)."


def eye(size: Any, dtype: Any = None, name: str | None = None) -> Any:
    """A variable that holds an identity matrix; `size` is an int or (rows, columns)."""
    rows, columns = (size, size) if isinstance(size, int) else size
    dtype = dtype_or_default(dtype)
    return variable(np.eye(rows, columns, dtype=dtype.numpy_dtype), dtype, name)


def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Zeros in the shape of `x`."""
    return constants.zeros_like(x, dtype=dtype, name=name)


def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Ones in the shape of `x`."""
    return constants.ones_like(x, dtype=dtype, name=name)


def random_uniform_variable(
    shape: Any, low: float, high: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Any:
    """A variable of numbers drawn uniformly from [low, high)."""
    dtype, seed = dtype_or_default(dtype), np.random.randint(10e8) if seed is None else seed
    return variable(lambda: random.random_uniform(shape, low, high, dtype, seed), dtype, name)


def random_normal_variable(
    shape: Any, mean: float, scale: float, dtype: Any = None, name: str | None = None, seed: int | None = None
) -> Any:
    """A variable of numbers from the normal distribution with deviation `scale`."""
    dtype, seed = dtype_or_default(dtype), np.random.randint(10e8) if seed is None else seed
    return variable(lambda: random.random_normal(shape, mean, scale, dtype, seed), dtype, name)


# --- what they are -----------------------------------------------------------------------------------


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` was made by a layer or is an Input. Raises ValueError unless it is a tensor."""
    if not isinstance(x, Symbol | Variable | SparseTensor):
        raise ValueError(
            f"Unexpectedly found an instance of type `{type(x)}`. Expected a symbolic tensor instance."
        )
    return hasattr(x, "_keras_history")


def is_sparse(tensor: Any) -> bool:
    """Whether it is a SparseTensor."""
    return isinstance(tensor, SparseTensor)


def int_shape(x: Any) -> tuple | None:
    """The static shape as a tuple of ints and None; None for unknown rank."""
    shape = x.shape
    if isinstance(shape, tuple):
        return shape
    return None if shape.rank is None else tuple(shape.as_list())


def ndim(x: Any) -> int | None:
    """The number of dimensions."""
    shape = int_shape(x)
    return None if shape is None else len(shape)


def dtype(x: Any) -> str:
    """The dtype's name."""
    return as_dtype(x.dtype).base_dtype.name


def shape(x: Any) -> Any:
    """The shape as an int32 tensor."""
    return array.shape(x)


def count_params(x: Any) -> int:
    """The number of elements, of known shape."""
    return count_of_weights([x])


# --- values ------------------------------------------------------------------------------------------


def eval(x: Any) -> Any:
    """The value of a tensor or variable as an array."""
    if isinstance(x, SharedVariable) or hasattr(x, "numpy"):
        return x.numpy()
    x = tensor(x)
    return x.numpy() if hasattr(x, "numpy") else _session_of(x.graph).run(x)


def get_value(x: Any) -> Any:
    """The value of a variable as an array; what is no tensor is returned as it is."""
    return eval(x) if isinstance(x, Symbol | Variable) else x


def batch_get_value(tensors: Any) -> list[Any]:
    """The values of several variables."""
    return [get_value(x) for x in tensors]


def set_value(x: Any, value: Any) -> None:
    """Sets a variable. Raises ValueError for a value of another shape."""
    value = to_array(value, x.dtype.base_dtype)
    if isinstance(x, SharedVariable):
        x.load(value)
    else:
        x.load(value, get_session())


def batch_set_value(tuples: Any) -> None:
    """Sets several variables, given as pairs of variable and value."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Any, new_x: Any) -> Any:
    """An op that sets `x` to `new_x`."""
    return x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """An op that adds to `x`."""
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """An op that takes away from `x`."""
    return x.assign_sub(decrement)


def moving_average_update(x: Any, value: Any, momentum: float) -> Any:
    """An op that sets `x` to x * momentum + value * (1 - momentum)."""
    current, dtype = tensor(x), x.dtype.base_dtype
    value = array.cast(interpreter().convert(value, None), dtype)
    return x.assign_sub((current - value) * array.cast(1 - momentum, dtype))


# --- functions ---------------------------------------------------------------------------------------


class Function:
    """What `K.function` returns: called with a list of values, it runs the graph."""

    def __init__(self, inputs: list[Any], outputs: Any, updates: Any) -> None:
        self.inputs, self._structure = inputs, outputs
        self.outputs = [tensor(x) if isinstance(x, Variable) else x for x in nest.flatten(outputs)]
        assignments = [p if not isinstance(p, tuple) else update(*p) for p in updates or ()]
        self._updates = group(*assignments) if assignments else None
        graphs = [x.graph for x in (*self.outputs, *inputs) if isinstance(x, Symbol)]
        self._graph = graphs[0] if graphs else state.get_graph()
        self._session: Session | None = None

    def __call__(self, inputs: Any) -> Any:
        """The outputs' values for the inputs' values."""
        values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        if len(values) != len(self.inputs):
            raise ValueError(f"The function takes {len(self.inputs)} inputs, but {len(values)} were given.")
        session = get_session()
        if session.graph is not self._graph:
            self._session = session = self._session or Session(graph=self._graph)
        results, _ = session.run(
            [self.outputs, self._updates or []], dict(zip(self.inputs, values, strict=True))
        )
        return (
            nest.pack_sequence_as(self._structure, results) if nest.is_nested(self._structure) else results[0]
        )


def function(
    inputs: Any, outputs: Any, updates: Any = None, name: str | None = None, **kwargs: Any
) -> Function:
    """A Python function of the values of the tensors `inputs`, which returns the values of `outputs`.

    `updates` are ops (or pairs of variable and new value) that are run with it. `name` is of no consequence.

    Raises TypeError when `inputs` or `updates` is no list, ValueError for unknown keywords.
    """
    if kwargs:
        raise ValueError(
            f'Invalid argument "{next(iter(kwargs))}" passed to K.function with TensorFlow backend'
        )
    if not isinstance(inputs, list | tuple):
        raise TypeError("`inputs` should be a list or tuple.")
    if updates is not None and not isinstance(updates, list | tuple):
        raise TypeError("`updates` should be a list or tuple.")
    with state.get_graph().as_default():
        return Function(list(inputs), outputs, updates)


def gradients(loss: Any, variables: Any) -> list[Any]:
    """The derivatives of `loss` by each of `variables`."""
    with loss.graph.as_default():
        return graph_gradients.gradients(loss, variables)


def stop_gradient(variables: Any) -> Any:
    """The same values, which gradients do not flow through. A list gives a list."""
    if isinstance(variables, list | tuple):
        return [array.stop_gradient(tensor(x)) for x in variables]
    return array.stop_gradient(tensor(variables))


def name_scope(name: str) -> Any:
    """A context manager: names of ops made inside begin with `name`/."""
    return interpreter().name_scope(name)


def manual_variable_initialization(value: bool) -> None:
    """Whether the program initialises variables: not supported, since they always have values."""
    if value:
        raise NotImplementedError("K.manual_variable_initialization(True): variables always have values")
