"""The variables that `tf.get_variable` has made in a graph, by full name: found again, or made."""

import copy
import enum
import inspect
import threading
from collections.abc import Callable
from typing import Any

from minitf.framework.dtypes import DType, as_dtype
from minitf.framework.shapes import TensorShape, as_shape
from minitf.graph.collections import GraphKeys
from minitf.graph.graph import Graph
from minitf.graph.variables import Variable
from minitf.ops.initializers import glorot_uniform_initializer, zeros_initializer


class _ReuseMode(enum.Enum):
    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE


class ScopeState(threading.local):
    """Where one thread is among a graph's variable scopes.

    `current` is the innermost one. `counts` says how often each full name was opened, from which
    `default_name`s are made unique.
    """

    def __init__(self, root: Any) -> None:
        # Each thread begins at a root scope of its own.
        self.current = copy.copy(root)
        self.counts: dict[str, int] = {}

    def unique_name(self, prefix: str) -> str:
        """`prefix`, `prefix_1`, …: the first that is not open or opened in the current scope."""
        full = f"{self.current.name}/{prefix}" if self.current.name else prefix
        if not self.counts.get(full):
            return prefix
        index = 1
        while self.counts.get(f"{full}_{index}"):
            index += 1
        return f"{prefix}_{index}"

    def open(self, name: str) -> None:
        """Counts a scope as opened."""
        self.counts[name] = self.counts.get(name, 0) + 1

    def forget_below(self, name: str) -> None:
        """Lets names below a closed scope be used afresh."""
        for key in self.counts:
            if key.startswith(name + "/"):
                self.counts[key] = 0


class VariableStore:
    """A graph's `get_variable` variables and its variable scopes."""

    def __init__(self, root: Any) -> None:
        self.variables: dict[str, Variable] = {}
        self.scopes = ScopeState(root)

    def get(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Callable | None = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        constraint: Callable | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
    ) -> Variable:
        """The variable of that full name: an existing one if `reuse` lets it, else a new one.

        This is the `getter` that custom getters are given. Raises ValueError as `tf.get_variable` does.
        """
        if partitioner is not None:
            raise NotImplementedError(f"get_variable({name!r}): partitioner is not supported")
        from_value = initializer is not None and not callable(initializer)
        if from_value and shape is not None:
            raise ValueError("If initializer is a constant, do not specify shape.")
        dtype = as_dtype(dtype or "float32").base_dtype
        shape = None if shape is None else as_shape(shape)
        if name in self.variables:
            return self._shared(name, shape, dtype, reuse)
        if reuse is True:
            raise ValueError(
                f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean "
                "to set reuse=tf.AUTO_REUSE in VarScope?"
            )
        initial_value, declared = _initial(name, shape, dtype, initializer)
        variable = Variable(
            initial_value,
            trainable=trainable,
            collections=collections,
            validate_shape=validate_shape,
            caching_device=caching_device,
            name=name,
            dtype=declared,
            constraint=constraint,
            use_resource=use_resource,
            synchronization=synchronization,
            aggregation=aggregation,
            shape=shape,
        )
        self.variables[name] = variable
        if regularizer is not None:
            _regularize(variable, name, regularizer)
        return variable

    def _shared(self, name: str, shape: TensorShape | None, dtype: DType, reuse: Any) -> Variable:
        found = self.variables[name]
        if reuse is False:
            raise ValueError(
                f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or "
                f"reuse=tf.AUTO_REUSE in VarScope? Originally defined at:\n\n  {found.op.defined_at}\n"
            )
        if shape is not None and not shape.is_compatible_with(found.shape):
            raise ValueError(
                f"Trying to share variable {name}, but specified shape {shape} and found shape {found.shape}."
            )
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(
                f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype "
                f"{found.dtype.name}."
            )
        return found


def _initial(
    name: str, shape: TensorShape | None, dtype: DType, initializer: Any
) -> tuple[Any, DType | None]:
    """What the variable starts as (a value, or a function that makes it), and its dtype if settled."""
    if initializer is None:
        if shape is None:
            raise ValueError(
                f"Variable {name} did not get an initializer, so its `shape` argument must be specified."
            )
        initializer = _default_initializer(name, dtype)
    if not callable(initializer):
        return initializer, None
    if inspect.isclass(initializer):
        initializer = initializer()
    parameters = inspect.signature(initializer).parameters
    if shape is not None and shape.is_fully_defined():
        further = {"partition_info": None} if "partition_info" in parameters else {}
        return lambda: initializer(shape.as_list(), dtype=dtype, **further), dtype
    if all(
        p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()
    ):
        return initializer, None
    raise ValueError(
        f"Shape of a new variable ({name}) must be fully defined, but instead was {as_shape(shape)}."
    )


def _default_initializer(name: str, dtype: DType) -> Any:
    if dtype.is_floating:
        return glorot_uniform_initializer()
    if dtype.is_integer or dtype.is_bool or dtype.name == "string":
        return zeros_initializer()
    raise ValueError(f"An initializer for variable {name} of {dtype} is required")


def _regularize(variable: Variable, name: str, regularizer: Callable) -> None:
    graph: Graph = variable.graph
    with graph.control_dependencies(None), graph.name_scope(name + "/Regularizer/"):
        loss = regularizer(variable)
    if loss is not None:
        graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
