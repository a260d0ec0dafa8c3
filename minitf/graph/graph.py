"""`Graph`: names, scopes, collections, and the interpreter that turns op calls into nodes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import DType
from minitf.graph.operation import GraphDef, Operation, Tensor, _caller, describe
from minitf.ops import registry
from minitf.ops.arrays import to_array
from minitf.ops.registry import OpDefinition, Symbol

_VALID_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")
_VALID_SCOPE = re.compile(r"^[A-Za-z0-9_.\\/>-]*$")


class Graph:
    """A dataflow graph. New ops land in the default graph; `with graph.as_default()` makes it this one."""

    eager = False
    ordered = False  # see FunctionGraph
    # What `tf.Variable(…)` makes instead of a variable of this graph.
    make_variable: Any = None
    # Inside a traced function, a branch or a loop's body.
    building_function = False
    seed: int | None = None
    variable_store: Any = None  # get_variable's variables and scopes: graph/variable_scope.py

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}
        self._names_in_use: dict[str, int] = {}
        self._collections: dict[Any, list[Any]] = {}
        self.shared_references: dict[Any, Tensor] = {}  # by storage: runtime/shared_variable.py
        self._scope = ""
        self._argument_scope: str | None = None
        self._control_stack: list[list[Operation]] = []
        self._gradient_overrides: dict[str, str] = {}
        self._device_stack: list[Any] = []
        self._finalized = False
        self._next_id = 0
        self._op_seeds = 0

    # --- what ops ask of an interpreter -------------------------------------------------------------

    @contextmanager
    def op_scope(self, name: str) -> Iterator[str]:
        """Settles the new op's name; constants made for its arguments are named below it."""
        unique = name[:-1] if name.endswith("/") else self.unique_name(name)
        outer, self._argument_scope = self._argument_scope, unique
        try:
            yield unique
        finally:
            self._argument_scope = outer

    def convert(
        self, value: Any, dtype: DType | None, preferred: DType | None = None, name: str = "Const"
    ) -> Tensor:
        """`value` as a tensor of this graph.

        Raises ValueError for a tensor of another dtype or graph, TypeError or ValueError for values that
        are no tensors of `dtype`. `preferred` is tried first and given up silently.
        """
        if not isinstance(value, Symbol) and hasattr(value, "_as_tensor"):
            value = value._as_tensor()
        if isinstance(value, Symbol):
            if dtype is not None and value.dtype.base_dtype != dtype.base_dtype:
                raise ValueError(
                    f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype "
                    f"{value.dtype.base_dtype.name}: {value!r}"
                )
            return value if getattr(value, "graph", None) is self else self.capture(value)
        if isinstance(value, list | tuple) and _holds_symbol(value):
            return self._pack(value, dtype or _dtype_within(value) or preferred, name)
        if dtype is None and preferred is not None:
            try:
                return self.constant(to_array(value, preferred), name)
            except (TypeError, ValueError):
                dtype = None
        return self.constant(to_array(value, dtype), name)

    def constant(self, array: np.ndarray, name: str = "Const") -> Tensor:
        """A Const node holding `array`."""
        array = array if array.flags.owndata and not array.flags.writeable else array.copy()
        array.flags.writeable = False
        if self._argument_scope is not None:
            name = self._unique_absolute(f"{self._argument_scope}/{name}")
        elif name.endswith("/"):
            name = name[:-1]
        else:
            name = self.unique_name(name)
        definition = registry.REGISTRY["Const"]
        attrs = {"value": array, "dtype": dtypes.as_dtype(array.dtype)}
        outer, self._argument_scope = self._argument_scope, None
        try:
            return self.apply(definition, [], attrs, name)
        finally:
            self._argument_scope = outer

    def apply(self, definition: OpDefinition, inputs: list[Any], attrs: dict[str, Any], name: str) -> Any:
        """Adds a node. Returns its tensor, list of tensors, or the Operation if it has no output."""
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")
        if name in self._operations:
            raise ValueError(f"Duplicate node name in graph: '{name}'")
        try:
            specs = definition.infer(inputs, attrs)
        except ValueError as error:
            raise ValueError(
                f"{error} for {describe(definition, name, inputs)} Defined at {_caller()}."
            ) from None
        control = [op for ops in self._control_stack for op in ops]
        node = Operation(self, definition, name, inputs, attrs, control, self._device())
        node.gradient_override = self._gradient_overrides.get(definition.name)
        node.outputs = [Tensor(node, i, spec.dtype, spec.shape) for i, spec in enumerate(specs)]
        self._operations[name] = node
        if not node.outputs:
            return node
        return node.outputs if isinstance(definition.outputs, list | tuple) else node.outputs[0]

    def as_reference(self, value: Any) -> Tensor | None:
        """The reference tensor of a variable (or `value` itself if it is one), else None."""
        reference = getattr(value, "_ref", None)
        if reference is not None:
            return self._own(reference())
        if isinstance(value, Tensor) and value.dtype._is_ref:
            return self._own(value)
        return None

    def _own(self, tensor: Tensor) -> Tensor:
        return tensor if tensor.graph is self else self.capture(tensor)

    def capture(self, value: Any) -> Tensor:
        """What a tensor from elsewhere becomes here: an error, but for function graphs."""
        if not isinstance(value, Tensor):
            raise TypeError(f"{value!r} is no graph tensor, and the default graph is not eager.")
        if value.graph.building_function:
            raise ValueError(
                f"{value!r} is out of scope and cannot be used here: it is defined in a branch, a loop's "
                "body or another function. Use return values, explicit Python locals or TensorFlow "
                "collections to access it."
            )
        raise ValueError(f"{value} must be from the same graph as {self} (its graph is {value.graph}).")

    def _pack(self, items: Any, dtype: DType | None, name: str) -> Tensor:
        from minitf.ops.join import stack

        converted = [self.convert(item, dtype, None, str(i)) for i, item in enumerate(items)]
        with self._plain_names():
            return stack(converted, name="packed")

    @contextmanager
    def _plain_names(self) -> Iterator[None]:
        outer, self._argument_scope = self._argument_scope, None
        try:
            yield
        finally:
            self._argument_scope = outer

    # --- names ---------------------------------------------------------------------------------------

    def next_id(self) -> int:
        """A number for a new op; ops made later have larger ones."""
        self._next_id += 1
        return self._next_id

    def next_op_seed(self) -> int:
        """The seed of the next random op that has none of its own: 0, 1, 2, …"""
        self._op_seeds += 1
        return self._op_seeds - 1

    def share_seeds(self, outer: Any) -> None:
        """Random ops made here take the seeds that they would get in `outer`, a graph or eager mode."""
        self.seed, self.next_op_seed = outer.seed, outer.next_op_seed

    @property
    def _last_id(self) -> int:
        return self._next_id

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` below the current scope, made unique the way TensorFlow does: `x`, `x_1`, `x_2`."""
        if not name or not _VALID_NAME.match(name) and not self._scope:
            raise ValueError(
                f"`{name}` is not a valid node name. Accepted names conform to Regex /{_VALID_NAME}/"
            )
        return self._unique_absolute(self._scope + name, mark_as_used)

    def _unique_absolute(self, name: str, mark_as_used: bool = True) -> str:
        key = name.lower()
        count = self._names_in_use.get(key, 0)
        if mark_as_used:
            self._names_in_use[key] = count + 1
        if count == 0:
            return name
        base = name
        while name.lower() in self._names_in_use:
            name = f"{base}_{count}"
            count += 1
        if mark_as_used:
            self._names_in_use[key] = count
            self._names_in_use[name.lower()] = 1
        return name

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Ops made inside are named `scope/…`. None or '' leaves all scopes; 'x/' re-enters scope x."""
        if name and not (_VALID_SCOPE if self._scope else _VALID_NAME).match(name):
            if self._scope:
                raise ValueError(
                    f"'{name}' is not a valid scope name. A scope name has to match the following pattern: "
                    f"{_VALID_SCOPE.pattern}"
                )
            raise ValueError(
                f"'{name}' is not a valid root scope name. A root scope name has to match the following "
                f"pattern: {_VALID_NAME.pattern}"
            )
        outer = self._scope
        if not name:
            self._scope = ""
        elif name.endswith("/"):
            self._scope = name
        else:
            self._scope = self.unique_name(name) + "/"
        try:
            with self._plain_names():
                yield self._scope
        finally:
            self._scope = outer

    def get_name_scope(self) -> str:
        """The current name scope, without the closing slash."""
        return self._scope.rstrip("/")

    # --- what is in it -------------------------------------------------------------------------------

    def get_operations(self) -> list[Operation]:
        """All ops, in the order they were made."""
        return list(self._operations.values())

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> GraphDef:
        """The description of all ops, in the order they were made.

        Raises NotImplementedError for `from_version` and `add_shapes`.
        """
        if from_version is not None or add_shapes:
            raise NotImplementedError("Graph.as_graph_def: from_version and add_shapes are not supported")
        return GraphDef([op.node_def for op in self.get_operations()])

    def get_operation_by_name(self, name: str) -> Operation:
        """The op of that name. Raises KeyError when there is none."""
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        if name not in self._operations:
            if ":" in name:
                raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a Operation.")
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
        return self._operations[name]

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor named 'op:index'. Raises KeyError when there is none, ValueError for other forms."""
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        op_name, colon, index = name.rpartition(":")
        if not colon or not index.isdigit():
            if name in self._operations:
                raise ValueError(
                    f"The name {name!r} refers to an Operation, not a Tensor. Tensor names must be of "
                    'the form "<op_name>:<output_index>".'
                )
            raise ValueError(
                f"The name {name!r} looks like an (invalid) Operation name, not a Tensor. Tensor names "
                'must be of the form "<op_name>:<output_index>".'
            )
        if op_name not in self._operations:
            raise KeyError(
                f"The name {name!r} refers to a Tensor which does not exist. The operation, "
                f"{op_name!r}, does not exist in the graph."
            )
        op = self._operations[op_name]
        if int(index) >= len(op.outputs):
            raise KeyError(
                f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, "
                f"exists but only has {len(op.outputs)} outputs."
            )
        return op.outputs[int(index)]

    def as_graph_element(
        self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True
    ) -> Tensor | Operation:
        """The Tensor or Operation that `obj` (one, a variable, or a name) stands for in this graph.

        Raises ValueError for elements of other graphs, KeyError for unknown names, TypeError otherwise.
        """
        wanted = " or ".join(["Tensor"] * allow_tensor + ["Operation"] * allow_operation)
        if isinstance(obj, str):
            if allow_tensor and (":" in obj or not allow_operation):
                return self.get_tensor_by_name(obj)
            if allow_operation:
                return self.get_operation_by_name(obj)
        if hasattr(obj, "_as_graph_element"):
            obj = obj._as_graph_element()
        if isinstance(obj, Tensor) and allow_tensor or isinstance(obj, Operation) and allow_operation:
            if obj.graph is not self:
                kind = "Tensor" if isinstance(obj, Tensor) else "Operation"
                if obj.graph.building_function:
                    op = obj.op if isinstance(obj, Tensor) else obj
                    raise ValueError(
                        f"Operation {op.name!r} has been marked as not fetchable. Typically this happens "
                        "when it is defined in another function or code block. Use return values, explicit "
                        "Python locals or TensorFlow collections to access it."
                    )
                raise ValueError(f"{kind} {obj} is not an element of this graph.")
            return obj
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")

    def is_feedable(self, tensor: Any) -> bool:
        """Whether `tensor` may be fed: any may."""
        return True

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        """Whether it may be fetched: any may."""
        return True

    # --- finalizing, collections, contexts -----------------------------------------------------------

    def finalize(self) -> None:
        """Makes the graph read-only."""
        self._finalized = True

    @property
    def finalized(self) -> bool:
        """Whether the graph is read-only."""
        return self._finalized

    @property
    def version(self) -> int:
        """Grows with every op."""
        return self._next_id

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Appends `value` to the collection."""
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")
        self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Appends `value` to each of the collections (a name or several)."""
        for name in (names,) if isinstance(names, str) else dict.fromkeys(names):
            self.add_to_collection(name, value)

    def get_collection_ref(self, name: Any) -> list[Any]:
        """The collection itself: changing the list changes the graph."""
        return self._collections.setdefault(name, [])

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """A copy of the collection; with `scope`, only items whose name matches that regular expression."""
        items = list(self._collections.get(name, []))
        if scope is None:
            return items
        pattern = re.compile(scope)
        return [item for item in items if hasattr(item, "name") and pattern.match(item.name)]

    def get_all_collection_keys(self) -> list[Any]:
        """Names of the collections in use."""
        return [key for key in self._collections if isinstance(key, str)]

    def clear_collection(self, name: Any) -> None:
        """Empties a collection."""
        self._collections.pop(name, None)

    def reference_to(self, variable: Any, storage: Any, dtype: DType, name: str) -> Tensor:
        """The tensor that stands here for a variable that has its own storage."""
        if storage not in self.shared_references:
            from minitf.ops.state import shared_variable

            with self.control_dependencies(None), self.name_scope(None), self.as_default():
                reference = shared_variable(storage=storage, dtype=dtype._as_ref, name=name)
            reference.op.cache["variable"] = variable
            self.shared_references[storage] = reference
        return self.shared_references[storage]

    def function_graph(self) -> Any:
        """A new graph for a function that may use this graph's tensors (a `FunctionGraph`)."""
        from minitf.graph.function_graph import FunctionGraph

        return FunctionGraph(self)

    def gradient_graph(self, forward: Any, resolve: Any) -> Any:
        """A new graph for the derivative of the function graph `forward` (a `GradientGraph`)."""
        from minitf.graph.function_graph import GradientGraph

        return GradientGraph(self, forward, resolve)

    @contextmanager
    def watching_variables(self) -> Iterator[Any]:
        """Yields a function of (inputs, outputs): the variables that the outputs depend on otherwise."""
        from minitf.graph.gradients import variables_between

        yield variables_between

    @contextmanager
    def lifted(self) -> Iterator["Graph"]:
        """Makes the outermost graph the default one: variables live there. Control dependencies end."""
        with self.control_dependencies(None):
            yield self

    @contextmanager
    def as_default(self) -> Iterator["Graph"]:
        """Makes this the graph that new ops land in, within the `with` block and this thread."""
        stack = registry.interpreter_stack()
        stack.append(self)
        try:
            yield self
        finally:
            if not stack or stack[-1] is not self:
                raise AssertionError("Nesting violated for default stack of Graph objects")
            stack.pop()

    @contextmanager
    def control_dependencies(self, control_inputs: Any) -> Iterator[None]:
        """Ops made inside run after all `control_inputs`. None forgets the outer ones."""
        outer = self._control_stack
        if control_inputs is None:
            self._control_stack = []
        else:
            ops = []
            for item in control_inputs:
                element = self.as_graph_element(getattr(item, "values", item) if _is_slices(item) else item)
                ops.append(element.op if isinstance(element, Tensor) else element)
            self._control_stack = [*outer, ops]
        try:
            yield
        finally:
            self._control_stack = outer

    @contextmanager
    def gradient_override_map(self, op_type_map: dict[str, str]) -> Iterator[None]:
        """Ops made inside, of a type among the keys, get the gradient registered under the value.

        See `tf.RegisterGradient`. Raises TypeError when the map holds anything but strings.
        """
        if not all(isinstance(x, str) for item in op_type_map.items() for x in item):
            raise TypeError(f"op_type_map must map strings to strings, got {op_type_map!r}")
        outer = self._gradient_overrides
        self._gradient_overrides = {**outer, **op_type_map}
        try:
            yield
        finally:
            self._gradient_overrides = outer

    @contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Notes a device on the ops made inside. There is one device, the CPU; the name is kept."""
        outer = self._device_stack
        self._device_stack = [] if device_name_or_function is None else [*outer, device_name_or_function]
        try:
            yield
        finally:
            self._device_stack = outer

    def _device(self) -> str:
        if not self._device_stack:
            return ""
        device = self._device_stack[-1]
        return _device_name(device) if isinstance(device, str) else ""

    @contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Accepted for its meaning on several devices; here every op is on the one CPU."""
        yield


def _device_name(device: str) -> str:
    """The full form of a short name: '/device:CPU:0' for '/cpu:0'."""
    return re.sub(r"/(cpu|gpu):", lambda found: f"/device:{found[1].upper()}:", device, flags=re.IGNORECASE)


def _is_slices(value: Any) -> bool:
    return hasattr(value, "dense_shape") and hasattr(value, "indices")


def _holds_symbol(value: Any) -> bool:
    return any(
        isinstance(item, Symbol)
        or hasattr(item, "_as_tensor")
        or isinstance(item, list | tuple)
        and _holds_symbol(item)
        for item in value
    )


def _dtype_within(value: Any) -> DType | None:
    for item in value:
        if isinstance(item, Symbol) or hasattr(item, "_as_tensor"):
            return item.dtype.base_dtype
        if isinstance(item, list | tuple):
            found = _dtype_within(item)
            if found is not None:
                return found
    return None


_default_graph = Graph()


def get_default_graph() -> Graph:
    """The graph that new ops land in."""
    for entered in reversed(registry.interpreter_stack()):
        if isinstance(entered, Graph):
            return entered
    return _default_graph


def reset_default_graph() -> None:
    """Puts a new, empty graph in the place of the global default one.

    Raises AssertionError inside a `with graph.as_default()` block.
    """
    global _default_graph
    if any(isinstance(entered, Graph) for entered in registry.interpreter_stack()):
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, "
            "exit the nesting and create a new graph."
        )
    _default_graph = Graph()


registry.set_default_interpreter(get_default_graph)
