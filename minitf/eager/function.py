"""`tf.function`: Python functions traced into graphs, once for each kind of arguments, and run from there."""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.eager.interpreter import EAGER, record, recording
from minitf.eager.tensor import EagerTensor
from minitf.eager.traced import TracedGraph
from minitf.framework import nest
from minitf.framework.dtypes import DType, as_dtype
from minitf.framework.shapes import PlainTensorShape, TensorShape
from minitf.graph.function_graph import FunctionGraph, GradientGraph
from minitf.graph.graph import Graph
from minitf.graph.operation import Operation, Tensor
from minitf.ops.constants import zeros_like
from minitf.ops.control_ops import common_shape
from minitf.ops.registry import interpreter
from minitf.runtime.inner import InnerStep
from minitf.runtime.plan import Value
from minitf.runtime.session import Session


class TensorSpec:
    """What is known of a tensor that a function takes: shape, dtype, and perhaps a name."""

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape = PlainTensorShape(shape)
        self.dtype = as_dtype(dtype)
        self.name = name

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor (or spec) fits."""
        return self.dtype == other.dtype.base_dtype and self.shape.is_compatible_with(other.shape)

    def __eq__(self, other: Any) -> bool:
        same = isinstance(other, TensorSpec) and self.shape == other.shape
        return same and self.dtype == other.dtype and self.name == other.name

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype!r}, name={self.name!r})"


class _CallDefinition:
    """What a tape notes of a call of a traced function: how its gradient is computed."""

    takes_slices = False
    takes_none = True
    differentiable = True
    name = "PartitionedCall"

    def __init__(self, gradient: Callable) -> None:
        self.gradient = gradient


class ConcreteFunction:
    """A traced function: a graph with typed inputs, run by a step plan.

    Calling it with tensors (or the variables' and captured tensors' owners unseen) returns what the Python
    function returned, with tensors in place of the graph's.
    """

    def __init__(self, name: str, graph: FunctionGraph, inputs: list[Tensor], result: Any) -> None:
        self.name = name
        self.graph = graph
        self._inputs = inputs
        self._structure = result
        leaves = nest.flatten(result, expand_composites=True)
        self._places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
        self.outputs = [leaves[i] for i in self._places]
        self._leaves = leaves
        self._captured: dict[Tensor, EagerTensor] = (
            graph.placeholders if isinstance(graph, TracedGraph) else {}
        )
        self._session = Session(graph=graph.outer)
        self._lock = threading.RLock()
        self._plain: _Runner | None = None
        self._differentiable: dict[bool, _Differentiable] = {}

    @property
    def inputs(self) -> list[Tensor]:
        """The graph's inputs, then those for captured tensors."""
        return [*self._inputs, *self._captured]

    @property
    def captured_inputs(self) -> list[Any]:
        """The eager tensors that the function uses beside its arguments."""
        return list(self._captured.values())

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables that the function uses."""
        return tuple(reference.op.cache["variable"] for reference in self.graph.variables)

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """Those of them that are trainable."""
        return tuple(variable for variable in self.variables if variable.trainable)

    def call_flat(self, tensors: list[Any]) -> Any:
        """The result for the tensors among the arguments."""
        arguments = [*tensors, *self.captured_inputs]
        if recording.watchers:
            outputs = self._recorded(arguments)
        else:
            if self._plain is None:
                self._plain = _Runner(
                    self._session, self.outputs, self.inputs, self.graph.must_run, self._lock
                )
            outputs = self._plain(arguments)
        leaves = list(self._leaves)
        for place, output in zip(self._places, outputs, strict=True):
            leaves[place] = output
        return nest.pack_sequence_as(self._structure, leaves, expand_composites=True)

    def _recorded(self, arguments: list[Any]) -> list[Any]:
        of_any_order = len(recording.watchers) > 1 or recording.watchers[0].may_record_gradients
        if of_any_order not in self._differentiable:
            self._differentiable[of_any_order] = _Differentiable(self, of_any_order)
        return self._differentiable[of_any_order](arguments)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result for arguments like those it was traced for."""
        given = [*nest.flatten(args), *[kwargs[key] for key in sorted(kwargs)]]
        tensors = [EAGER.convert(leaf, t.dtype) for leaf, t in zip(given, self._inputs, strict=True)]
        return self.call_flat(tensors)


class _Runner:
    """Runs part of a traced graph on eager tensors."""

    def __init__(
        self,
        session: Session,
        outputs: list[Tensor],
        inputs: list[Tensor],
        effects: list[Operation],
        lock: Any,
    ) -> None:
        self._dtypes = [tensor.dtype.base_dtype for tensor in outputs]
        values = [Value(tensor.dtype.base_dtype, TensorShape(tensor.shape)) for tensor in inputs]
        self._step = InnerStep(session, [*outputs, *effects], inputs, values)
        self._lock = lock

    def __call__(self, arguments: list[Any]) -> list[EagerTensor]:
        arrays = [tensor._array for tensor in arguments]
        # Intermediates lie in memory of the plan's own, so one thread at a time may run it.
        with self._lock, np.errstate(all="ignore"):
            results = self._step(*arrays)
        return [EagerTensor(array, dtype) for array, dtype in zip(results, self._dtypes)]


class _Differentiable:
    """A traced function that also hands out what its gradient needs, and that gradient.

    With `of_any_order`, what it hands out counts as results that have gradients themselves.
    """

    def __init__(self, function: ConcreteFunction, of_any_order: bool) -> None:
        self._function = function
        self._references = list(function.graph.variables)
        self._gradients: dict[tuple[int, ...], _Gradient] = {}
        self._results = list(function.outputs)
        while True:
            gradient = _Gradient(function, [t for t in self._results if _flows(t)])
            known = {*function.inputs, *self._results}
            more = [tensor for tensor in gradient.saved if tensor not in known]
            self._results += more
            if not (more and of_any_order):
                break
        self._differentiable = len(self._results) if of_any_order else len(function.outputs)
        self._forward = _Runner(
            function._session, self._results, function.inputs, function.graph.must_run, function._lock
        )

    def __call__(self, arguments: list[Any]) -> list[Any]:
        """The results; the call is recorded."""
        function = self._function
        results = self._forward(arguments)
        values = dict(zip([*function.inputs, *self._results], [*arguments, *results], strict=True))
        references = [EAGER.as_reference(r.op.cache["variable"]) for r in self._references]
        inputs = [*arguments, *references]

        def gradient(entry, *grads):
            # Zeros for missing ones, so that no other saved tensors are needed than those foreseen.
            grads = [zeros_like(t) if g is None and _is_float(t) else g for g, t in zip(grads, recorded)]
            given = tuple(i for i, grad in enumerate(grads) if grad is not None)
            if given not in self._gradients:
                self._gradients[given] = _Gradient(function, [self._results[i] for i in given])
            backward = self._gradients[given]
            found = backward.function.call_flat(
                [grads[i] for i in given] + [values[t] for t in backward.saved]
            )
            by_position = dict(zip(backward.found, found, strict=True))
            return [by_position.get(i) for i in range(len(inputs))]

        recorded = results[: self._differentiable]
        record(_CallDefinition(gradient), inputs, recorded, {})
        return results[: len(function.outputs)]


class _Gradient:
    """The function from gradients of some `outputs` to those of a traced function's inputs and variables.

    `saved` are the tensors inside the traced function that it takes beside the gradients; `found` are the
    positions of the inputs and variables that have a gradient.
    """

    def __init__(self, function: ConcreteFunction, outputs: list[Tensor]) -> None:
        self.saved: list[Tensor] = []
        backward = GradientGraph(Graph(), function.graph, self._resolve)
        backward.ordered = True
        grads = [backward.add_input(tensor.dtype, tensor.shape, "grad") for tensor in outputs]
        sources = [*function.inputs, *function.graph.variables]
        found = backward.backpropagate(outputs, grads, sources)
        self.found = [i for i, grad in enumerate(found) if grad is not None]
        self.function = ConcreteFunction(
            f"__backward_{function.name}", backward, list(backward.inputs), [found[i] for i in self.found]
        )

    def _resolve(self, graph: GradientGraph, tensor: Tensor) -> Tensor:
        self.saved.append(tensor)
        return graph.add_input(tensor.dtype, tensor.shape, "saved")


def _is_float(tensor: Any) -> bool:
    return tensor.dtype.is_floating or tensor.dtype.is_complex


def _flows(tensor: Tensor) -> bool:
    return _is_float(tensor) or tensor.dtype.name == "variant"


class Function:
    """What `tf.function` makes: calls trace the Python function when they must, and run the plan."""

    def __init__(
        self, python_function: Callable, input_signature: Any = None, reduce_retracing: bool = False
    ) -> None:
        self.python_function = python_function
        self._input_signature = None if input_signature is None else tuple(input_signature)
        self._reduce_retracing = reduce_retracing
        self._functions: dict[Any, ConcreteFunction] = {}
        self._traced: dict[Any, ConcreteFunction] = {}
        self._general: dict[Any, list[Any]] = {}
        self._signature = inspect.signature(python_function)
        parameters = self._signature.parameters.values()
        plain = all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
        # Called with that many arguments, by position, there is nothing to sort out.
        self._plain_count = len(parameters) if plain else -1
        functools.update_wrapper(self, python_function)

    @property
    def input_signature(self) -> Any:
        """The TensorSpecs of the arguments, if they were given."""
        return self._input_signature

    def experimental_get_tracing_count(self) -> int:
        """How often the function has been traced."""
        return len(self._traced)

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        bound = instance.__dict__.setdefault("_traced_methods", {}) if hasattr(instance, "__dict__") else {}
        name = self.python_function.__name__
        if name not in bound:
            method = self.python_function.__get__(instance, owner)
            bound[name] = Function(method, self._input_signature, self._reduce_retracing)
        return bound[name]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result. In a graph or another traced function, it becomes part of that."""
        if not interpreter().eager:
            return self.python_function(*args, **kwargs)
        concrete, tensors = self._concrete(args, kwargs)
        return concrete.call_flat(tensors)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """The traced function for arguments like these: tensors, TensorSpecs or Python values."""
        if self._input_signature is not None and not args and not kwargs:
            args = self._input_signature
        return self._concrete(args, kwargs)[0]

    def _concrete(self, args: tuple, kwargs: dict) -> tuple[ConcreteFunction, list[Any]]:
        if kwargs or len(args) != self._plain_count:
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            args, kwargs = bound.args, bound.kwargs
        if self._input_signature is not None:
            args = self._matched(args)
        structure = (args, kwargs)
        leaves = [_as_argument(leaf) for leaf in nest.flatten(structure)]
        key = (_shape_of(structure), *[_key_of(leaf) for leaf in leaves])
        concrete = self._functions.get(key)
        if concrete is None:
            concrete = self._functions[key] = self._for_specs(structure, leaves)
        return concrete, [leaf for leaf in leaves if isinstance(leaf, EagerTensor)]

    def _for_specs(self, structure: Any, leaves: list[Any]) -> ConcreteFunction:
        """The traced function for arguments of a new kind; it may serve for several kinds."""
        specs = [_spec_of(leaf) for leaf in leaves]
        if self._input_signature is not None:
            given = iter(nest.flatten(self._input_signature))
            specs = [next(given) if isinstance(spec, TensorSpec) else spec for spec in specs]
        if self._reduce_retracing:
            specs = self._generalized(structure, specs)
        key = (_shape_of(structure), *specs)
        if key not in self._traced:
            self._traced[key] = self._trace(structure, leaves, specs)
        return self._traced[key]

    def _generalized(self, structure: Any, specs: list[Any]) -> list[Any]:
        """`specs` with sizes left open where earlier calls had others."""
        kinds = tuple(spec.dtype if isinstance(spec, TensorSpec) else spec for spec in specs)
        key = (_shape_of(structure), kinds)
        known = self._general.get(key, specs)
        self._general[key] = [
            TensorSpec(common_shape(old.shape, new.shape), new.dtype) if isinstance(new, TensorSpec) else new
            for old, new in zip(known, specs, strict=True)
        ]
        return self._general[key]

    def _matched(self, args: tuple) -> tuple:
        """The arguments with tensors of the dtypes that the input signature asks for."""
        if len(args) < len(self._input_signature):
            raise TypeError(
                f"{self.__name__} takes {len(self._input_signature)} arguments by its input_signature"
            )
        matched = [_cast_to(spec, arg) for spec, arg in zip(self._input_signature, args)]
        return (*matched, *args[len(matched) :])

    def _trace(self, structure: Any, leaves: list[Any], specs: list[Any]) -> ConcreteFunction:
        graph = TracedGraph()
        inputs, inside = [], []
        for leaf, spec in zip(leaves, specs, strict=True):
            if isinstance(spec, TensorSpec):
                inputs.append(graph.add_input(spec.dtype, spec.shape, spec.name or "argument"))
                inside.append(inputs[-1])
            else:
                inside.append(leaf)
        args, kwargs = nest.pack_sequence_as(structure, inside)
        with graph.as_default():
            result = self.python_function(*args, **kwargs)
            result = nest.map_structure(lambda leaf: _as_result(graph, leaf), result)
        return ConcreteFunction(self.__name__, graph, inputs, result)


def _cast_to(spec: Any, value: Any) -> Any:
    """`value` as a tensor that fits `spec` (or a nested structure of them). Raises TypeError if none does."""
    if isinstance(spec, dict):
        return {key: _cast_to(spec[key], value[key]) for key in spec}
    if isinstance(spec, list | tuple):
        return type(spec)(_cast_to(a, b) for a, b in zip(spec, value, strict=True))
    if not isinstance(spec, TensorSpec) or isinstance(value, TensorSpec):
        return value
    tensor = EAGER.convert(value, None if isinstance(value, EagerTensor) else spec.dtype)
    if not spec.is_compatible_with(tensor):
        given = TensorSpec(tensor.shape, tensor.dtype)
        raise TypeError(f"Binding inputs to tf.function failed due to `Can not cast {given!r} to {spec!r}`.")
    return tensor


def _as_argument(leaf: Any) -> Any:
    """NumPy arrays become tensors; everything else stays."""
    return EAGER.convert(leaf, None) if isinstance(leaf, np.ndarray | np.generic) else leaf


def _spec_of(leaf: Any) -> Any:
    """What a function is traced for: a TensorSpec, or the key of a Python value."""
    if isinstance(leaf, TensorSpec):
        return leaf
    return TensorSpec(leaf.shape, leaf.dtype) if isinstance(leaf, EagerTensor) else _key_of(leaf)


def _key_of(leaf: Any) -> Any:
    """What of an argument decides whether the function is traced anew."""
    if isinstance(leaf, EagerTensor):
        return leaf.dtype.name, getattr(leaf._array, "shape", None)
    if isinstance(leaf, TensorSpec):
        return leaf
    if isinstance(leaf, bool | int | float | str | bytes | complex | type(None) | DType):
        return (type(leaf), leaf)
    return _Same(leaf)


class _Same:
    """A Python object as part of a key: only the same one is equal. It is kept as long as the key."""

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Same) and other.thing is self.thing


def _shape_of(structure: Any) -> Any:
    """A hashable description of how a structure nests."""
    if isinstance(structure, dict):
        return (dict, tuple((key, _shape_of(structure[key])) for key in sorted(structure)))
    if isinstance(structure, list | tuple):
        return (type(structure), tuple(_shape_of(item) for item in structure))
    return None


def _as_result(graph: TracedGraph, leaf: Any) -> Any:
    """What a traced function returned: tensors of its graph; None and operations are None."""
    if leaf is None or isinstance(leaf, Operation):
        return None
    if hasattr(leaf, "flow"):
        return leaf
    return graph.convert(leaf, None)


def function(
    func: Callable | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Decorates a function: it is traced into a graph, once for each kind of arguments, and run from there.

    Tensors (and NumPy arrays) count by shape and dtype, Python values by equality, other objects by identity;
    `input_signature`, a sequence of TensorSpecs, settles one kind for all calls. With `reduce_retracing`
    (`experimental_relax_shapes`), sizes that differ between calls are left open. Python code runs while
    tracing only; `if` and `while` over tensors need `tf.cond` and `tf.while_loop`, whatever `autograph` says.
    `jit_compile` and the other arguments choose among TensorFlow's compilers; the result is the same.
    """
    if func is None:
        return lambda f: function(f, input_signature, reduce_retracing=reduce_retracing)
    return Function(func, input_signature, reduce_retracing or bool(experimental_relax_shapes))
