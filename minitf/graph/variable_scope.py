"""`tf.variable_scope` and `tf.get_variable`: variables shared by name.

A variable scope prefixes the names of the variables made by `get_variable` inside it and carries defaults for
their making. Opening one also opens a name scope for ops; the two can part ways (a name scope is made unique,
an explicitly named variable scope never is). The variables themselves are kept by variable_store.py.
"""

import functools
import inspect
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from typing import Any

from minitf.framework.dtypes import as_dtype, float32
from minitf.graph.collections import GraphKeys
from minitf.graph.graph import Graph, get_default_graph
from minitf.graph.operation import Tensor
from minitf.graph.variable_store import AUTO_REUSE, VariableStore
from minitf.graph.variables import Variable


def no_regularizer(_: Any) -> None:
    """A regularizer that adds no loss; it overrides the scope's."""
    return None


class VariableScope:
    """The defaults that `tf.get_variable` takes inside a `tf.variable_scope`.

    `reuse` is True (only existing variables), False (only new ones) or `tf.AUTO_REUSE` (either).
    `name_scope` is the name scope that was opened with it (`original_name_scope`).
    """

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Callable | None = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Callable | None = None,
        name_scope: str = "",
        dtype: Any = float32,
        use_resource: bool | None = None,
        constraint: Callable | None = None,
    ) -> None:
        if partitioner is not None:
            raise NotImplementedError("VariableScope: partitioner is not supported")
        self._reuse = reuse
        self.name = name
        self.original_name_scope = name_scope
        self.initializer = initializer
        self.regularizer = regularizer
        self.caching_device = caching_device
        self.partitioner = partitioner
        self.custom_getter = custom_getter
        self.dtype = dtype
        self.use_resource = use_resource
        self.constraint = constraint

    @property
    def reuse(self) -> Any:
        """Whether variables are reused: True, False, None or `tf.AUTO_REUSE`."""
        return self._reuse

    def reuse_variables(self) -> None:
        """From now on, only existing variables are found in this scope."""
        self._reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Sets the default initializer."""
        self.initializer = initializer

    def set_regularizer(self, regularizer: Callable | None) -> None:
        """Sets the default regularizer."""
        self.regularizer = regularizer

    def set_dtype(self, dtype: Any) -> None:
        """Sets the default dtype."""
        self.dtype = dtype

    def set_use_resource(self, use_resource: bool | None) -> None:
        """Sets which of TensorFlow's implementations is asked for; here there is one."""
        self.use_resource = use_resource

    def set_caching_device(self, caching_device: Any) -> None:
        """Sets the default caching device; here there is one device."""
        self.caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        """Raises NotImplementedError unless None: variables are not split here."""
        if partitioner is not None:
            raise NotImplementedError("VariableScope.set_partitioner: partitioner is not supported")

    def set_custom_getter(self, custom_getter: Callable | None) -> None:
        """Sets the default custom getter."""
        self.custom_getter = custom_getter

    def get_collection(self, name: Any) -> list[Any]:
        """The items of a collection whose name lies in this scope."""
        return get_default_graph().get_collection(name, self.name + "/" if self.name else "")

    def trainable_variables(self) -> list[Variable]:
        """The trainable variables of this scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Variable]:
        """The global variables of this scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Variable]:
        """The local variables of this scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(
        self,
        var_store: VariableStore,
        name: str,
        dtype: Any = None,
        initializer: Any = None,
        custom_getter: Callable | None = None,
        constraint: Callable | None = None,
        **arguments: Any,
    ) -> Variable:
        """Finds or makes the variable `name` of this scope. See `tf.get_variable`."""
        graph = get_default_graph()
        for key in ("regularizer", "caching_device", "reuse", "use_resource"):
            if arguments.get(key) is None:
                arguments[key] = getattr(self, key)
        custom_getter = self.custom_getter if custom_getter is None else custom_getter
        arguments |= {
            "name": f"{self.name}/{name}" if self.name else name,
            "initializer": self.initializer if initializer is None else initializer,
            "constraint": self.constraint if constraint is None else constraint,
            "dtype": self.dtype if dtype is None else dtype,
        }
        # The variable's name follows from the variable scope alone.
        with graph.name_scope(None):
            if dtype is not None and initializer is not None and not callable(initializer):
                _check_initializer_dtype(graph, initializer, as_dtype(dtype))
            if custom_getter is None:
                return var_store.get(**arguments)
            if not callable(custom_getter):
                raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
            if not _takes(custom_getter, "constraint"):
                del arguments["constraint"]
            return custom_getter(var_store.get, **arguments)


def _check_initializer_dtype(graph: Graph, initializer: Any, dtype: Any) -> None:
    found = graph.convert(initializer, None, None, "Const").dtype.base_dtype
    if found != dtype.base_dtype:
        raise ValueError(f"Initializer type '{found}' and explicit dtype '{dtype}' don't match.")


def _takes(function: Callable, argument: str) -> bool:
    parameters = inspect.signature(function).parameters
    return argument in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _store(graph: Graph | None = None) -> VariableStore:
    graph = graph or get_default_graph()
    if graph.variable_store is None:
        graph.variable_store = VariableStore(VariableScope(False))
    return graph.variable_store


def get_variable_scope() -> VariableScope:
    """The current variable scope."""
    return _store().scopes.current


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Callable | None = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Callable | None = None,
    constraint: Callable | None = None,
    synchronization: Any = None,
    aggregation: Any = None,
) -> Variable:
    """The variable `name` of the current variable scope: an existing one, or a new one, as its `reuse` says.

    `initializer` is a value (then without `shape`), a function `(shape, dtype)`, or a function without
    arguments; the default is the scope's, else Glorot's uniform for floating types and zeros for others.
    `dtype` is float32 by default. What `regularizer(variable)` returns for a new variable is added to the
    collection of regularization losses. `custom_getter(getter, name, …)` stands between the call and the
    making. `constraint` is kept for optimizers to apply after an update.

    Raises ValueError when the variable exists (or does not) against `reuse`, when it exists with another
    shape or dtype, or when the shape of a new one is not fully known; NotImplementedError for `partitioner`.
    """
    return get_variable_scope().get_variable(
        _store(),
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )


def get_local_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Callable | None = None,
    trainable: bool = False,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Callable | None = None,
    constraint: Callable | None = None,
    synchronization: Any = None,
    aggregation: Any = None,
) -> Variable:
    """As `tf.get_variable`, but the variable is local (not saved) and never trainable."""
    return get_variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=False,
        collections=[*(collections or ()), GraphKeys.LOCAL_VARIABLES],
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )


class variable_scope:  # noqa: N801 - TensorFlow's name
    """`with tf.variable_scope("layer1") as scope:` — variables made inside are named `layer1/…`.

    `name_or_scope` is a name below the current scope, or a VariableScope to enter again wherever that is.
    None takes `default_name`, made unique. The other arguments are defaults for `get_variable` inside;
    those not given are inherited from the surrounding (or the re-entered) scope, `constraint` apart, as in
    TensorFlow. `reuse` stays on in all scopes below. With `auxiliary_name_scope=False` ops keep the current
    name scope.

    Raises TypeError without any name, ValueError for `reuse` without a name.
    """

    def __init__(
        self,
        name_or_scope: str | VariableScope | None,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Callable | None = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Callable | None = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Callable | None = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if default_name is None and name_or_scope is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if not (name_or_scope is None or isinstance(name_or_scope, str | VariableScope)):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        if reuse not in (True, False, None, AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None.")
        if reuse and name_or_scope is None:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(
                "The auxiliary_name_scope must be `True` or `False`, while get "
                f"{auxiliary_name_scope}"
            )  # fmt: skip
        if partitioner is not None:
            raise NotImplementedError("tf.variable_scope: partitioner is not supported")
        self._name_or_scope = name_or_scope
        self._default_name = default_name
        self._graph = next((v.graph for v in values or () if isinstance(v, Tensor | Variable)), None)
        self._reuse = reuse or None  # False asks for nothing: reuse is always inherited
        self._constraint = constraint
        self._custom_getter = custom_getter
        self._auxiliary_name_scope = auxiliary_name_scope
        self._overrides = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "dtype": dtype,
            "use_resource": use_resource,
        }
        self._name = name_or_scope if isinstance(name_or_scope, str) else None
        self._original_name_scope: str | None = None
        self._entered: list[ExitStack] = []

    def __enter__(self) -> VariableScope:
        with ExitStack() as stack:
            if self._graph is not None:
                stack.enter_context(self._graph.as_default())
            opened = stack.enter_context(self._name_scope())
            if self._original_name_scope is None:
                self._original_name_scope = opened
            scopes = _store().scopes
            # A default name is settled when the scope is first entered.
            if self._name is None and not self._reenters:
                self._name = scopes.unique_name(self._default_name)
            result = stack.enter_context(_opened(scopes, self._scope_within(scopes.current), self._reenters))
            self._entered.append(stack.pop_all())
        return result

    def __exit__(self, *exception: Any) -> None:
        self._entered.pop().__exit__(*exception)

    @property
    def _reenters(self) -> bool:
        return isinstance(self._name_or_scope, VariableScope)

    @contextmanager
    def _name_scope(self) -> Any:
        graph = get_default_graph()
        if not self._auxiliary_name_scope:
            name = graph.get_name_scope()
            name = name + "/" if name else None
        elif self._name_or_scope is None:
            name = self._default_name
        else:
            name = self._name_or_scope.name.split("/")[-1] if self._reenters else self._name_or_scope
            if not name:  # the root scope brings no name scope
                yield ""
                return
        with graph.name_scope(name) as scope:
            yield scope

    def _scope_within(self, current: VariableScope) -> VariableScope:
        base = self._name_or_scope if self._reenters else current
        if self._reenters:
            name, name_scope = base.name, base.original_name_scope
        else:
            name = f"{current.name}/{self._name}" if current.name else self._name
            name_scope = self._original_name_scope
        settings = {k: getattr(base, k) if v is None else v for k, v in self._overrides.items()}
        return VariableScope(
            self._reuse or base.reuse,
            name=name,
            name_scope=name_scope,
            custom_getter=_compose(self._custom_getter, base.custom_getter),
            constraint=self._constraint,
            **settings,
        )


def _compose(getter: Callable | None, outer: Callable | None) -> Callable | None:
    """The inner scope's custom getter, whose `getter` is the outer scope's."""
    if getter is None or outer is None:
        return getter or outer

    def composed(true_getter: Callable, *args: Any, **kwargs: Any) -> Any:
        return getter(functools.partial(outer, true_getter), *args, **kwargs)

    return composed


@contextmanager
def _opened(scopes: Any, scope: VariableScope, reentered: bool) -> Any:
    outer = scopes.current
    scopes.open(scope.name)
    counts = dict(scopes.counts)
    scopes.current = scope
    try:
        yield scope
    finally:
        if scopes.current is not scope:
            raise RuntimeError("Improper nesting of variable_scope.")
        if reentered:
            scopes.counts = counts
        else:
            scopes.forget_below(scope.name)
        scopes.current = outer


@contextmanager
def variable_op_scope(
    values: Any,
    name_or_scope: str | VariableScope | None,
    default_name: str | None = None,
    initializer: Any = None,
    regularizer: Callable | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Callable | None = None,
    reuse: Any = None,
    dtype: Any = None,
    use_resource: bool | None = None,
    constraint: Callable | None = None,
) -> Any:
    """The old form of `tf.variable_scope`, with `values` first."""
    with variable_scope(
        name_or_scope, default_name, values, initializer, regularizer, caching_device, partitioner,
        custom_getter, reuse, dtype, use_resource, constraint,
    ) as scope:  # fmt: skip
        yield scope
