"""`tf.Variable` of the TF1 face: a VariableV2 op, its initialiser and a read."""

from collections.abc import Callable
from typing import Any

from minitf.framework.dtypes import DType, as_dtype
from minitf.framework.shapes import TensorShape, as_shape
from minitf.graph import default_session
from minitf.graph.collections import GraphKeys
from minitf.graph.graph import Graph, get_default_graph
from minitf.graph.initial_values import guarded
from minitf.graph.operation import Operation, Tensor
from minitf.ops import state
from minitf.ops.array import identity
from minitf.ops.operators import TensorOperators
from minitf.ops.registry import interpreter


class _ByMode(type):
    """Where variables hold their values themselves (in eager mode), `tf.Variable(…)` makes such a one."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Variable:
            make = interpreter().make_variable
            if make is not None:
                return make(*args, **kwargs)
        return super().__call__(*args, **kwargs)


class Variable(TensorOperators, metaclass=_ByMode):
    """A tensor that keeps its value between runs of a session.

    `initial_value` is a tensor, something that becomes one, or a function without arguments that makes one
    (then `dtype` says of which type). The variable is unset until its `initializer` has run. Trainable ones
    are added to the collection that optimizers read; all are added to `collections` (global variables, if
    None). With `validate_shape=False` the shape may change by assignment. `use_resource` and
    `caching_device` choose among TensorFlow's implementations; here there is one.

    Raises ValueError when the initial value is missing or its shape is not fully known.
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Callable | None = None,
        use_resource: bool | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        if variable_def is not None or import_scope is not None:
            raise NotImplementedError("tf.Variable: variable_def and import_scope are not supported")
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        self.trainable = True if trainable is None else trainable
        self.constraint = constraint
        self._scatter_save_info = None
        dtype = None if dtype is None else as_dtype(dtype).base_dtype
        # Variables made inside branches, loops and control dependencies belong to the graph itself, and are
        # initialised without waiting for anything.
        with get_default_graph().lifted() as graph:
            self._graph = graph
            with graph.name_scope(name or "Variable") as scope:
                self._initial_value = self._make_initial(graph, initial_value, dtype)
                known = self._initial_value.shape
                if validate_shape and not known.is_fully_defined():
                    raise ValueError(f"initial_value must have a shape specified: {self._initial_value}")
                if expected_shape is not None and not known.is_compatible_with(expected_shape):
                    raise ValueError(f"Shapes {known} and {as_shape(expected_shape)} are incompatible")
                declared = as_shape(shape) if shape is not None else known
                if not validate_shape:
                    declared = TensorShape(None)
                self._variable = state.variable(
                    shape=declared, dtype=self._initial_value.dtype.base_dtype._as_ref, name=scope
                )
                self._variable.op.cache["variable"] = self
                self._guarded_value = guarded(self._initial_value)
                self._initializer = state.assign_kernel(
                    self._variable,
                    self._guarded_value,
                    validate_shape=validate_shape,
                    name="Assign",
                ).op
                self._snapshot = identity(self._variable, name="read")
        self._register(graph, collections)

    def _make_initial(self, graph: Graph, initial_value: Any, dtype: DType | None) -> Tensor:
        if callable(initial_value) and not isinstance(initial_value, Tensor | Variable):
            with graph.name_scope("Initializer"):
                initial_value = initial_value()
        if isinstance(initial_value, Tensor) and initial_value.graph.building_function:
            raise ValueError(
                f"Initializer for variable {graph.get_name_scope()}/ is from inside a control-flow "
                "construct, such as a loop or conditional. When creating a variable inside a loop or "
                "conditional, use a lambda as the initializer."
            )
        return graph.convert(initial_value, dtype, None, "initial_value")

    def _register(self, graph: Graph, collections: Any) -> None:
        if collections is None:
            collections = [GraphKeys.GLOBAL_VARIABLES]
        if not isinstance(collections, list | tuple | set):
            raise ValueError(
                f"collections argument to Variable constructor must be a list, tuple, or set. Got "
                f"{collections} of type {type(collections)}"
            )
        if self.trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections = [*collections, GraphKeys.TRAINABLE_VARIABLES]
        graph.add_to_collections(collections, self)

    @property
    def name(self) -> str:
        """`variable_name:0`."""
        return self._variable.name

    @property
    def op(self) -> Operation:
        """The op that is the variable's storage."""
        return self._variable.op

    @property
    def graph(self) -> Graph:
        """The Graph that this variable belongs to."""
        return self._graph

    @property
    def device(self) -> str:
        """The device string it was made under."""
        return self.op.device

    @property
    def dtype(self) -> DType:
        """The dtype, a reference one (`float32_ref`)."""
        return self._variable.dtype

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return self._variable.shape

    def get_shape(self) -> TensorShape:
        """The shape (the TF1 spelling)."""
        return self._variable.shape

    def set_shape(self, shape: Any) -> None:
        """Adds to what is known of the shape."""
        self._variable.set_shape(shape)
        self._snapshot.set_shape(shape)

    @property
    def initializer(self) -> Operation:
        """The op that sets the variable to its initial value."""
        return self._initializer

    @property
    def initial_value(self) -> Tensor:
        """The tensor that the variable is initialised with."""
        return self._initial_value

    def value(self) -> Tensor:
        """The tensor that reads the variable."""
        return self._snapshot

    def read_value(self) -> Tensor:
        """A new reading of the variable, which the current control dependencies apply to."""
        return identity(self._variable, name="read")

    def initialized_value(self) -> Tensor:
        """The variable's value, or its initial value while it is not initialised."""
        from minitf.ops.control import cond

        return cond(
            state.is_variable_initialized(self._variable),
            self.read_value,
            lambda: self._guarded_value,
        )

    def eval(self, session: Any = None) -> Any:
        """The value in `session` or the default one."""
        session = default_session.require(session, self.graph, "evaluate tensor", "eval")
        return session.run(self._snapshot)

    def load(self, value: Any, session: Any = None) -> None:
        """Sets the value in `session` or the default one, adding nothing to the graph."""
        session = default_session.require(session, self.graph, "load a variable", "load")
        session.run(self._initializer, {self._initializer.inputs[1]: value})

    def assign(
        self,
        value: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ):
        """An op that sets the variable to `value`; its result is the new value."""
        assigned = state.assign_kernel(self, value, use_locking=use_locking, name=name)
        return assigned if read_value else assigned.op

    def assign_add(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ):
        """An op that adds `delta` to the variable; its result is the new value."""
        assigned = state.assign_add_kernel(self, delta, use_locking=use_locking, name=name)
        return assigned if read_value else assigned.op

    def assign_sub(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ):
        """An op that subtracts `delta` from the variable; its result is the new value."""
        assigned = state.assign_sub_kernel(self, delta, use_locking=use_locking, name=name)
        return assigned if read_value else assigned.op

    def count_up_to(self, limit: int) -> Tensor:
        """An op that adds one and returns the old value; at `limit` it raises OutOfRangeError."""
        return state.count_up_to(self, limit=limit)

    def _ref(self) -> Tensor:
        return self._variable

    def _as_tensor(self) -> Tensor:
        return self._snapshot

    def _as_graph_element(self) -> Tensor:
        return self._variable

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: Any) -> bool:
        return self is other

    def __iter__(self) -> Any:
        raise TypeError("'Variable' object is not iterable.")

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}>"


def _variables(key: str, doc: str) -> Callable:
    def collect(scope: str | None = None) -> list[Variable]:
        return get_default_graph().get_collection(key, scope)

    collect.__doc__ = doc + " `scope` is a regular expression that their names must start with."
    return collect


global_variables = _variables(GraphKeys.GLOBAL_VARIABLES, "All variables that are not local.")
local_variables = _variables(GraphKeys.LOCAL_VARIABLES, "Variables that are not saved, e.g. counters.")
trainable_variables = _variables(GraphKeys.TRAINABLE_VARIABLES, "Variables that optimizers train.")
model_variables = _variables(GraphKeys.MODEL_VARIABLES, "Variables that layers registered.")
moving_average_variables = _variables(
    GraphKeys.MOVING_AVERAGE_VARIABLES, "Variables that have moving averages."
)


def all_variables() -> list[Variable]:
    """All variables that are not local (the old name of `tf.global_variables`)."""
    return global_variables()


def variables_initializer(var_list: Any, name: str = "init") -> Operation:
    """An op that initialises the given variables."""
    from minitf.ops.group import group

    return group(*[v.initializer for v in var_list], name=name)


def global_variables_initializer() -> Operation:
    """An op that initialises all global variables."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """An op that initialises all local variables."""
    return variables_initializer(local_variables())


initialize_all_variables = global_variables_initializer
initialize_local_variables = local_variables_initializer
initialize_variables = variables_initializer


def report_uninitialized_variables(
    var_list: Any = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """The names (string vector) of those variables that are not initialised."""
    from minitf.ops.array import reshape
    from minitf.ops.constants import constant
    from minitf.ops.gather import boolean_mask
    from minitf.ops.join import stack
    from minitf.ops.math import logical_not

    variables = global_variables() + local_variables() if var_list is None else var_list
    graph = get_default_graph()
    with graph.name_scope(name):
        if not variables:
            return constant([], dtype="string")
        set_ = stack([state.is_variable_initialized(v) for v in variables])
        names = constant([v.op.name for v in variables])
        return boolean_mask(reshape(names, [-1]), logical_not(set_))


def is_variable_initialized(variable: Variable) -> Tensor:
    """Whether the variable has a value."""
    return state.is_variable_initialized(variable)


def assert_variables_initialized(var_list: Any = None) -> Tensor | None:
    """An op that raises FailedPreconditionError while one of the variables is unset."""
    from minitf.ops.array import rank
    from minitf.ops.join import stack

    variables = global_variables() + local_variables() if var_list is None else var_list
    return stack([rank(identity(v._ref())) for v in variables]) if variables else None
