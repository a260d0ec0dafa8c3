"""`SharedVariable`: a variable that holds its value itself, in graphs, function graphs and eager mode alike.

It is initialised when it is made. Keras's weights and TF2's variables are such; `tf.Variable` of the TF1 face
lives in sessions instead.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework.dtypes import DType, as_dtype
from minitf.framework.shapes import TensorShape, as_shape
from minitf.graph.collections import GraphKeys
from minitf.graph.graph import Graph, get_default_graph
from minitf.graph.operation import Operation, Tensor
from minitf.graph.storage import Storage
from minitf.graph.variables import Variable
from minitf.ops import state
from minitf.ops.array import identity
from minitf.ops.arrays import to_array
from minitf.ops.registry import interpreter
from minitf.runtime.session import Session


class SharedVariable(Variable):
    """A variable with a value of its own.

    `initial_value` is an array, something that becomes one, or a function without arguments that makes a
    tensor. `shape` may leave sizes open. In a graph it stands for a reference to the value it holds at the
    time of each run; no initialiser need be run (running one sets the initial value again).
    """

    def __init__(
        self,
        initial_value: Any,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        constraint: Callable | None = None,
        shape: Any = None,
        collections: Any = None,
    ) -> None:
        self._name = name or "Variable"
        self._initial = initial_value
        self._dtype_wanted = None if dtype is None else as_dtype(dtype).base_dtype
        value = self._initial_array()
        self._dtype = as_dtype(value.dtype)
        known = TensorShape(value.shape) if shape is None else as_shape(shape)
        known.assert_is_compatible_with(value.shape)
        self._storage = Storage(self._name, known)
        self._storage.value = np.array(value)
        self.trainable = trainable
        self.constraint = constraint
        if collections is not None:
            get_default_graph().add_to_collections(collections, self)

    def _initial_array(self) -> np.ndarray:
        initial = self._initial
        if callable(initial) and not isinstance(initial, Tensor | Variable):
            with interpreter().lifted() as outer:
                if outer.eager:
                    return outer.convert(initial(), self._dtype_wanted).numpy()
            # In a graph of its own, so that nothing is left behind in the caller's.
            with Graph().as_default() as scratch:
                scratch.share_seeds(outer)
                value = scratch.convert(initial(), self._dtype_wanted)
                return np.asarray(Session(graph=scratch).run(value))
        if isinstance(initial, Tensor):
            return np.asarray(Session(graph=initial.graph).run(initial))
        if hasattr(initial, "numpy"):
            initial = initial.numpy()
        return to_array(initial, self._dtype_wanted)

    @property
    def name(self) -> str:
        """`variable_name:0`."""
        return self._name + ":0"

    @property
    def op(self) -> Operation:
        """The op that stands for the variable in the default graph."""
        return self._ref().op

    @property
    def graph(self) -> Graph:
        """The default graph: the variable belongs to none."""
        return get_default_graph()

    @property
    def device(self) -> str:
        """There is one device."""
        return "/job:localhost/replica:0/task:0/device:CPU:0"

    @property
    def dtype(self) -> DType:
        """The dtype."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return self._storage.shape

    def get_shape(self) -> TensorShape:
        """The shape (the TF1 spelling)."""
        return self._storage.shape

    def set_shape(self, shape: Any) -> None:
        """Adds to what is known of the shape."""
        self._storage.shape = self._storage.shape.merge_with(shape)

    @property
    def initializer(self) -> Operation:
        """An op of the default graph that sets the variable to its initial value again."""
        cache = self._ref().op.cache
        if "initializer" not in cache:
            initial = self._initial() if callable(self._initial) else self._initial_array()
            cache["initializer"] = state.assign_kernel(self, initial).op
        return cache["initializer"]

    @property
    def initial_value(self) -> Any:
        """What the variable was made with."""
        return self._initial

    def initialized_value(self) -> Tensor:
        """A tensor that reads the variable: it always has a value."""
        return self.read_value()

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        return self._storage.value.copy()

    def value(self) -> Tensor:
        """A tensor that reads the variable."""
        return self._as_tensor()

    def read_value(self) -> Tensor:
        """A new reading of the variable, which the current control dependencies apply to."""
        return identity(self._ref(), name="ReadVariableOp")

    def eval(self, session: Any = None) -> np.ndarray:
        """The value; `session` makes no difference."""
        return self.numpy()

    def load(self, value: Any, session: Any = None) -> None:
        """Sets the value, adding nothing to a graph; `session` makes no difference.

        Raises ValueError for another shape.
        """
        array = to_array(value, self._dtype)
        if not self.shape.is_compatible_with(array.shape):
            raise ValueError(
                f"Cannot assign value to variable '{self.name}': Shape mismatch. The variable shape "
                f"{self.shape}, and the assigned value shape {array.shape} are incompatible."
            )
        self._storage.set(array)

    def _ref(self) -> Tensor:
        return interpreter().reference_to(self, self._storage, self._dtype, self._name)

    def _as_tensor(self) -> Tensor:
        return self.read_value()

    def _as_graph_element(self) -> Tensor:
        return self._ref()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self._storage.value, dtype=dtype)

    def __deepcopy__(self, memo: dict) -> "SharedVariable":
        return SharedVariable(
            self.numpy(), self.trainable, self._name, self._dtype, self.constraint, self.shape
        )

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self._dtype.name}>"


def trainable_collections(trainable: bool) -> list[str]:
    """The collections that a weight of a layer made in graph mode belongs to."""
    return [GraphKeys.GLOBAL_VARIABLES] + [GraphKeys.TRAINABLE_VARIABLES] * trainable
