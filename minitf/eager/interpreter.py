"""The interpreter of eager mode: an op's kernel runs at once, and tapes note what happened."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from minitf.eager.tensor import EagerTensor, Reference
from minitf.framework import errors
from minitf.framework.dtypes import SHORT_NAMES, DType, as_dtype
from minitf.framework.shapes import TensorShape
from minitf.graph.operation import Tensor
from minitf.ops import registry
from minitf.ops.arrays import to_array
from minitf.ops.registry import OpDefinition, Ref, Slot, Symbol


class Recording(threading.local):
    """Who watches this thread's ops: tapes, and whoever wants to know which variables are read."""

    def __init__(self) -> None:
        self.watchers: list[Any] = []


recording = Recording()


class Known:
    """An input or output as a shape rule or `prepare` sees it."""

    __slots__ = ("dtype", "shape", "constant", "producer", "slot", "element")

    def __init__(self, dtype: DType, shape: TensorShape) -> None:
        self.dtype = dtype
        self.shape = shape
        self.constant = self.producer = self.slot = self.element = None


class Call:
    """One op with inputs of certain dtypes and shapes: what `prepare` sees, and what is kept of it."""

    __slots__ = ("definition", "inputs", "attrs", "outputs", "session", "op", "function", "dtypes", "many")

    def __init__(self, definition: OpDefinition, inputs: list[Any], attrs: dict[str, Any]) -> None:
        self.definition = definition
        self.attrs = attrs
        self.session = self.op = None
        known = [
            [Known(t.dtype, t.shape) for t in x] if isinstance(x, list) else Known(x.dtype, x.shape)
            for x in inputs
        ]
        self.inputs = [t for x in known for t in (x if isinstance(x, list) else [x])]
        specs = definition.infer(inputs, attrs)
        self.outputs = [Known(spec.dtype.base_dtype, spec.shape) for spec in specs]
        self.dtypes = [value.dtype for value in self.outputs]
        self.many = isinstance(definition.outputs, list | tuple)
        prepared = definition.prepare(self) if definition.prepare and self.outputs else None
        self.function: Callable = prepared or definition.kernel

    def grouped(self, values: list[Any]) -> list[Any]:
        """Only ops without list inputs prepare themselves."""
        return values


class Entry:
    """One op that has run, for the reverse sweep."""

    __slots__ = ("definition", "inputs", "outputs", "attrs")

    def __init__(self, definition: Any, inputs: list[Any], outputs: list[Any], attrs: dict[str, Any]) -> None:
        self.definition = definition
        self.inputs = inputs
        self.outputs = outputs
        self.attrs = attrs

    @property
    def type(self) -> str:
        """The op's name."""
        return self.definition.name


class EagerInterpreter:
    """Applies ops by running their kernels. See ops/registry.py for what an interpreter is."""

    eager = True
    building_function = False

    def __init__(self) -> None:
        self._calls: dict[Any, Call] = {}
        self._states: dict[Any, Any] = {}
        self._seed: int | None = None
        self._op_seeds = random.Random()
        self._scopes: list[str] = []
        self._scope_counts: dict[str, int] = {}

    # --- running ops --------------------------------------------------------------------------------------

    def run(
        self, definition: OpDefinition, inputs: list[Any], attrs: dict[str, Any], name: str | None = None
    ) -> Any:
        """Applies an op to what was passed to it, by the short way if the same was done before."""
        key: list[Any] = [definition, *attrs.items()] if attrs else [definition]
        arrays = []
        for tensor in inputs:
            if type(tensor) is not EagerTensor:
                break
            array = tensor._array
            arrays.append(array)
            key.append(tensor.dtype.name)
            key.append(getattr(array, "shape", None))
        else:
            try:
                call = self._calls.get(tuple(key))
            except TypeError:  # an attribute that cannot be hashed
                call = None
            if call is not None:
                return self._call(call, inputs, arrays)
        attrs = registry.complete_attrs(definition, attrs)
        try:
            tensors = registry.convert_inputs(definition, inputs, self)
        except registry.DTypeMismatch as error:
            got, expected = (SHORT_NAMES[dtype.name] for dtype in (error.got, error.expected))
            message = (
                f"cannot compute {definition.name} as input #{error.position}(zero-based) was expected to be "
                f"a {expected} tensor but is a {got} tensor"
            )
            raise _error(definition, errors.InvalidArgumentError, message) from None
        return self.apply(definition, tensors, attrs, name)

    def apply(self, definition: OpDefinition, inputs: list[Any], attrs: dict[str, Any], name: Any) -> Any:
        """Runs an op on tensors. Raises InvalidArgumentError, in TensorFlow's words, when it cannot."""
        if any(declared.kind is not None for declared in definition.inputs):
            return self._apply_to_variable(definition, inputs, attrs)
        key: list[Any] = [definition, *attrs.items()]
        for x in inputs:
            for tensor in x if isinstance(x, list) else [x]:
                key.append(tensor.dtype.name)
                key.append(getattr(tensor._array, "shape", None))
        try:
            call = self._calls.get(tuple(key))
        except TypeError:
            key, call = [], None
        if call is None:
            call = self._new_call(definition, inputs, attrs)
            if key:
                self._remember(key, call)
        arrays = [[t._array for t in x] if isinstance(x, list) else x._array for x in inputs]
        flat = [t for x in inputs for t in (x if isinstance(x, list) else [x])]
        return self._call(call, flat, arrays)

    def _new_call(self, definition: OpDefinition, inputs: list[Any], attrs: dict[str, Any]) -> Call:
        try:
            return Call(definition, inputs, attrs)
        except ValueError as error:
            words = definition.bad_shapes
            message = (words and words(*inputs, **attrs)) or str(error)
            raise _error(definition, errors.InvalidArgumentError, message) from None

    def _remember(self, key: list[Any], call: Call) -> None:
        if len(self._calls) > 100_000:
            self._calls.clear()
        definition, attrs = call.definition, call.attrs
        self._calls[tuple(key)] = call
        # The short way sees the attributes as they are passed: without the defaults, maybe.
        given = [(k, v) for k, v in attrs.items() if definition.attrs[k] is not v]
        if all(not declared.is_list for declared in definition.inputs):
            self._calls[(definition, *given, *key[1 + len(attrs) :])] = call

    def _call(self, call: Call, inputs: list[Any], arrays: list[Any]) -> Any:
        definition = call.definition
        if definition.state is not None:
            arrays = [self._state(call), *arrays]
        try:
            with np.errstate(all="ignore"):
                if call.function is definition.kernel:
                    result = call.function(*arrays, **call.attrs)
                else:
                    result = call.function(*arrays)
        except errors.OpError as error:
            raise type(error)(None, None, f"{error.message} [Op:{definition.name}]") from None
        except (ValueError, IndexError, ArithmeticError) as error:
            raise _error(definition, errors.InvalidArgumentError, str(error)) from error
        if not call.dtypes:
            return None
        results = list(result) if call.many else [result]
        outputs = [EagerTensor(array, dtype) for array, dtype in zip(results, call.dtypes)]
        if recording.watchers:
            record(definition, inputs, outputs, call.attrs)
        return outputs if call.many else outputs[0]

    def _apply_to_variable(self, definition: OpDefinition, inputs: list[Any], attrs: dict[str, Any]) -> Any:
        """Runs an op that takes variables: these are changed in place, unless a tensor shows the value."""
        try:
            specs = definition.infer(inputs, attrs)
        except ValueError as error:
            words = definition.bad_shapes
            message = (words and words(*inputs, **attrs)) or str(error)
            raise _error(definition, errors.InvalidArgumentError, message) from None
        arguments, changed = [], None
        for declared, x in zip(definition.inputs, inputs, strict=True):
            if declared.kind is None:
                arguments.append([t._array for t in x] if isinstance(x, list) else x._array)
                continue
            if declared.kind in (Ref, Slot):
                x.storage.own()
                changed = x if changed is None else changed
            if declared.kind is Ref:
                if x.storage.value is None:
                    raise errors.FailedPreconditionError(
                        None, None, f"Attempting to use uninitialized value {x.storage.name}"
                    )
                arguments.append(x.storage.value)
            else:
                arguments.append(x.storage)
        try:
            with np.errstate(all="ignore"):
                result = definition.kernel(*arguments, **attrs)
        except (ValueError, IndexError, ArithmeticError) as error:
            raise _error(definition, errors.InvalidArgumentError, str(error)) from error
        if not specs:
            return None
        many = isinstance(definition.outputs, list | tuple)
        results = list(result) if many else [result]
        outputs = [
            EagerTensor(
                changed.storage.value if spec.dtype._is_ref else np.asarray(array), spec.dtype.base_dtype
            )
            for array, spec in zip(results, specs, strict=True)
        ]
        return outputs if many else outputs[0]

    def _state(self, call: Call) -> Any:
        """A stateful kernel's state: one for all calls with the same attributes, as in TensorFlow."""
        key = (call.definition.name, *[(k, _hashable(v)) for k, v in call.attrs.items()])
        if key not in self._states:
            self._states[key] = call.definition.state(call)
        return self._states[key]

    # --- making tensors -----------------------------------------------------------------------------------

    @contextmanager
    def op_scope(self, name: str) -> Iterator[str]:
        """Ops have no names here."""
        yield name

    def convert(
        self, value: Any, dtype: DType | None, preferred: DType | None = None, name: str = "Const"
    ) -> Any:
        """`value` as an eager tensor. See `Graph.convert`."""
        if type(value) is EagerTensor and (dtype is None or dtype.base_dtype == value.dtype):
            return value
        if not isinstance(value, Symbol) and hasattr(value, "_as_tensor"):
            value = value._as_tensor()
        if isinstance(value, Symbol):
            if isinstance(value, Tensor):
                raise TypeError(
                    f"{value!r} is out of scope and cannot be used here. Use return values, explicit Python "
                    "locals or TensorFlow collections to access it."
                )
            if dtype is not None and value.dtype.base_dtype != dtype.base_dtype:
                raise ValueError(
                    f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype "
                    f"{value.dtype.base_dtype.name}: {value!r}"
                )
            return value
        if isinstance(value, list | tuple) and _holds_tensor(value):
            return self._packed(value, dtype, preferred)
        if dtype is None and preferred is not None:
            try:
                return self.constant(to_array(value, preferred))
            except (TypeError, ValueError):
                dtype = None
        return self.constant(to_array(value, dtype))

    def _packed(self, items: Any, dtype: DType | None, preferred: DType | None) -> Any:
        from minitf.ops.join import _pack

        if dtype is None:
            dtype = next((d for d in (_dtype_within(item) for item in items) if d is not None), preferred)
        return _pack([self.convert(item, dtype) for item in items])

    def constant(self, array: np.ndarray, name: str = "Const") -> EagerTensor:
        """A tensor with a copy of `array`."""
        return EagerTensor(np.array(array), as_dtype(array.dtype))

    def as_reference(self, value: Any) -> Reference | None:
        """The reference of a variable that has its own storage, else None."""
        if isinstance(value, Reference):
            return value
        reference = value._ref() if hasattr(value, "_ref") else None
        return reference if isinstance(reference, Reference) else None

    def reference_to(self, variable: Any, storage: Any, dtype: DType, name: str) -> Reference:
        """What stands for a variable with that storage."""
        if storage.reference is None:
            storage.reference = Reference(storage, dtype, variable)
        return storage.reference

    # --- scopes -------------------------------------------------------------------------------------------

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Variables made inside are named `scope/…`; ops have no names."""
        outer = self._scopes
        if not name:
            self._scopes = []
        elif name.endswith("/"):
            self._scopes = [name]
        else:
            self._scopes = [self.get_name_scope() + "/" + name + "/" if outer else name + "/"]
        try:
            yield self._scopes[-1] if self._scopes else ""
        finally:
            self._scopes = outer

    def get_name_scope(self) -> str:
        """The current name scope, without the closing slash."""
        return self._scopes[-1].rstrip("/") if self._scopes else ""

    def control_dependencies(self, control_inputs: Any) -> Any:
        """Ops run in the order they are called in, so this does nothing."""
        for item in control_inputs or ():
            if callable(item):
                item()
        return nullcontext()

    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Any:
        """There is one device."""
        return nullcontext()

    def device(self, name: Any) -> Any:
        """There is one device."""
        return nullcontext()

    @staticmethod
    def make_variable(
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
    ) -> Any:
        """What TF1's `tf.Variable(…)` makes in eager mode; it joins no collections."""
        from minitf.eager.variable import Variable

        return Variable(
            initial_value,
            trainable=trainable,
            validate_shape=validate_shape,
            caching_device=caching_device,
            name=name,
            variable_def=variable_def,
            dtype=dtype,
            import_scope=import_scope,
            constraint=constraint,
            shape=expected_shape if shape is None else shape,
        )

    @contextmanager
    def lifted(self) -> Iterator["EagerInterpreter"]:
        """Variables are made here anyway."""
        yield self

    @contextmanager
    def watching_variables(self) -> Iterator[Any]:
        """Yields a function that tells which variables have been read inside the context."""
        watcher = _VariableWatcher()
        recording.watchers.append(watcher)
        try:
            yield lambda inputs, outputs: sorted(watcher.found.values(), key=lambda v: v.name)
        finally:
            recording.watchers.remove(watcher)

    # --- seeds --------------------------------------------------------------------------------------------

    @property
    def seed(self) -> int | None:
        """The global seed. Setting it makes all random ops begin again."""
        return self._seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        self._seed = seed
        self._op_seeds = random.Random(seed)
        self._states.clear()

    def next_op_seed(self) -> int:
        """The seed of the next random op that has none of its own."""
        return self._op_seeds.randint(0, 2**31 - 1)


class _VariableWatcher:
    """Collects the variables that are read."""

    may_record_gradients = False

    def __init__(self) -> None:
        self.found: dict[int, Any] = {}

    def note(self, definition: Any, inputs: list[Any], outputs: list[Any], attrs: dict[str, Any]) -> None:
        for tensor in inputs:
            if isinstance(tensor, Reference):
                self.found[id(tensor)] = tensor.owner


def record(definition: Any, inputs: list[Any], outputs: list[Any], attrs: dict[str, Any]) -> None:
    """Tells the watchers of an op that has run."""
    for watcher in recording.watchers:
        watcher.note(definition, inputs, outputs, attrs)


def _error(definition: OpDefinition, kind: type, message: str) -> errors.OpError:
    return kind(None, None, f"{message} [Op:{definition.name}]")


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, list | tuple) else value


def _holds_tensor(value: Any) -> bool:
    return any(
        isinstance(item, Symbol)
        or hasattr(item, "_as_tensor")
        or (isinstance(item, list | tuple) and _holds_tensor(item))
        for item in value
    )


def _dtype_within(value: Any) -> DType | None:
    if isinstance(value, Symbol) or hasattr(value, "_as_tensor"):
        return value.dtype.base_dtype
    if isinstance(value, list | tuple):
        return next((d for d in (_dtype_within(item) for item in value) if d is not None), None)
    return None


EAGER = EagerInterpreter()
