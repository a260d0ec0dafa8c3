"""What an op is, and how a call of one is carried out.

An op is declared once, by decorating its kernel:

    @op("Softplus", shape=same_as_input)
    def softplus(features: Floating, *, out=None) -> Floating:
        '''log(exp(features) + 1).'''
        return kernels.softplus(features, out)

    @gradient(softplus)
    def _(op, grad):
        return grad * sigmoid(op.inputs[0])

The kernel's signature is the op's: positional parameters are its tensor inputs, keyword-only ones its
attributes, and the annotations say which dtypes they may have. `out` marks a kernel that can write its result
into a given array (one array, or a tuple of them); the step plan then gives it a preallocated one.

The decorated name becomes the public function: it converts its arguments to tensors and asks the current
*interpreter* (the default graph, or eager mode) to apply the op. Interpreters register themselves here; ops
know nothing about them.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from minitf.framework import dtypes
from minitf.framework.dtypes import DType
from minitf.framework.shapes import TensorShape


class Types:
    """A set of dtypes. Inputs annotated with the same Types must have the same dtype.

    With `shared=False` each input may have a dtype of its own.
    """

    def __init__(self, name: str, allowed: Iterable[DType], shared: bool = True) -> None:
        self.name = name
        self.allowed = tuple(allowed)
        self.shared = shared

    def __repr__(self) -> str:
        return self.name

    def another(self, name: str) -> "Types":
        """The same set of dtypes, free to differ from this one in one call."""
        return Types(name, self.allowed, self.shared)


@dataclass(frozen=True)
class Ref:
    """Marks an input that the kernel updates in place: it gets the variable's own array."""

    types: Types


@dataclass(frozen=True)
class Slot:
    """Marks an input whose kernel gets the variable's storage (`.value` is its array, or None)."""

    types: Types


@dataclass(frozen=True)
class Handle:
    """Marks an input that says which variable is meant: the kernel gets its storage to look at."""

    types: Types


@dataclass(frozen=True)
class Attr:
    """Marks an output whose dtype is the value of the attribute of that name."""

    name: str


_FLOATS = (dtypes.float16, dtypes.float32, dtypes.float64)
_COMPLEX = (dtypes.complex64, dtypes.complex128)
_SIGNED = (dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64)
_UNSIGNED = (dtypes.uint8, dtypes.uint16, dtypes.uint32, dtypes.uint64)
_ALL = (*_FLOATS, *_SIGNED, *_UNSIGNED, *_COMPLEX, dtypes.bool, dtypes.string)

Floating = Types("Floating", _FLOATS)
FloatingOrComplex = Types("FloatingOrComplex", _FLOATS + _COMPLEX)
Real = Types("Real", _FLOATS + _SIGNED + _UNSIGNED)
Numeric = Types("Numeric", _FLOATS + _SIGNED + _UNSIGNED + _COMPLEX)
Integer = Types("Integer", _SIGNED + _UNSIGNED)
Index = Types("Index", (dtypes.int32, dtypes.int64))
Bool = Types("Bool", (dtypes.bool,))
String = Types("String", (dtypes.string,))
Complex = Types("Complex", _COMPLEX)
Anything = Types("Anything", (*_ALL, dtypes.resource, dtypes.variant))
Mixed = Types("Mixed", (*_ALL, dtypes.resource, dtypes.variant), shared=False)


class Spec(NamedTuple):
    """What is known of a tensor before it exists."""

    dtype: DType
    shape: TensorShape


class Input(NamedTuple):
    """One declared input of an op."""

    name: str
    types: Types
    is_list: bool
    kind: type | None  # Ref, Slot, Handle or None


@dataclass(eq=False)
class OpDefinition:
    """All there is to know about an op. See the module's docstring."""

    name: str
    kernel: Callable
    inputs: tuple[Input, ...]
    attrs: dict[str, Any]
    outputs: Any
    shape: Callable | None
    default_name: str
    # Never folded, merged or left out when a control edge asks for it.
    stateful: bool = False
    # The output is a variable's storage, which the step plan binds.
    is_variable: bool = False
    # Makes the per-Session state (a random generator, a queue) that the kernel gets as its first argument.
    state: Callable | None = None
    # The result at each index depends on the inputs there only, so it may overwrite an input.
    elementwise: bool = False
    # The output may share memory with the first input.
    alias: bool = False
    # Names of inputs of which the kernel reads the shape (and dtype) only.
    shape_only: tuple[str, ...] = ()
    # bad_shapes(*inputs, **attrs): TensorFlow's words for shapes that turn out not to fit when the op runs.
    bad_shapes: Callable | None = None
    # passes_through(node): whether the output is just the first input; the step plan then drops the op.
    passes_through: Callable | None = None
    # The step plan's chance to specialise: prepare(node, session) -> a function of the input arrays.
    prepare: Callable | None = None
    # What `prepare` returns also takes bias= (a vector along the last dimension) and activation= (a name).
    epilogue: bool = False
    # Of a control-flow op: variables_written(op) -> the variables that its branches may change, and
    # steps(node) -> what becomes of its function graphs in one step (see ops/control_steps.py).
    variables_written: Callable | None = None
    steps: Callable | None = None
    # refine(node, outputs): adds to what the step plan knows of its outputs, beyond the shape rule.
    refine: Callable | None = None
    accepts_out: bool = False
    gradient: Callable | None = None
    differentiable: bool = True
    # Whether the gradient function takes an IndexedSlices as it is.
    takes_slices: bool = False
    # Whether the gradient function takes None for an output without a gradient (else it gets zeros).
    takes_none: bool = False
    parameters: dict[str, inspect.Parameter] = field(default_factory=dict)

    @property
    def mutates(self) -> tuple[int, ...]:
        """Positions of the inputs that the kernel changes."""
        return tuple(i for i, arg in enumerate(self.inputs) if arg.kind in (Ref, Slot))

    def infer(self, inputs: list[Any], attrs: dict[str, Any]) -> list[Spec]:
        """Output dtypes and shapes, from (nested) inputs that have `.dtype` and `.shape`."""
        if self.outputs is None:
            return []
        shapes = self.shape(*inputs, **attrs)
        if not isinstance(shapes, list | tuple) or isinstance(shapes, Spec):
            shapes = [shapes]
        if all(isinstance(shape, Spec) for shape in shapes) and not isinstance(self.outputs, tuple):
            return list(shapes)
        if isinstance(self.outputs, list):
            annotations = self.outputs * len(shapes)
        else:
            annotations = self.outputs if isinstance(self.outputs, tuple) else (self.outputs,)
        bound = self._bound_types(inputs)
        return [
            Spec(_resolve(annotation, bound, attrs), TensorShape(shape))
            for annotation, shape in zip(annotations, shapes, strict=True)
        ]

    def _bound_types(self, inputs: list[Any]) -> dict[Types, DType]:
        bound = {}
        for declared, given in zip(self.inputs, inputs, strict=True):
            first = given[0] if declared.is_list and given else given
            if hasattr(first, "dtype"):
                bound.setdefault(declared.types, first.dtype.base_dtype)
        return bound


def _resolve(annotation: Any, bound: dict, attrs: dict) -> DType:
    if isinstance(annotation, DType):
        return annotation
    if isinstance(annotation, Attr):
        return dtypes.as_dtype(attrs[annotation.name])
    if isinstance(annotation, Ref | Slot):
        return bound[annotation.types]._as_ref
    return bound[annotation]


REGISTRY: dict[str, OpDefinition] = {}


def op(name: str, shape: Callable | None = None, default_name: str | None = None, **traits: Any):
    """Declares an op; decorates its kernel. See the module's docstring and `OpDefinition`.

    `shape(*inputs, **attrs)` returns the output's shape, or a list of them.
    """

    def declare(kernel: Callable) -> Callable:
        signature = inspect.signature(kernel)
        inputs, attrs = [], {}
        for parameter in signature.parameters.values():
            if parameter.name == "out" or (traits.get("state") and parameter.name == "state"):
                continue
            if parameter.kind is parameter.KEYWORD_ONLY:
                attrs[parameter.name] = parameter.default
            else:
                inputs.append(_declared_input(parameter.name, parameter.annotation))
        outputs = signature.return_annotation
        definition = _register(
            name,
            kernel,
            tuple(inputs),
            attrs,
            outputs if outputs is not signature.empty else None,
            shape,
            default_name,
            accepts_out="out" in signature.parameters,
            **traits,
        )
        return _public_function(definition, kernel.__name__, kernel.__doc__, kernel.__module__)

    return declare


def elementwise(
    name: str,
    ufunc: Any,
    /,
    result: Any = None,
    default_name: str | None = None,
    doc: str = "",
    shape: Callable | None = None,
    **inputs: Types,
) -> Callable:
    """Declares an op whose kernel is a NumPy ufunc (or a function like one).

    Its inputs broadcast, unless another `shape` rule is given.
    """
    from minitf.ops.shape_rules import broadcast, incompatible

    outputs = result or next(iter(inputs.values()))
    declared = tuple(Input(arg, types, False, None) for arg, types in inputs.items())
    definition = _register(
        name,
        ufunc,
        declared,
        {},
        outputs,
        shape or broadcast,
        default_name,
        elementwise=True,
        accepts_out=True,
        bad_shapes=incompatible,
    )
    module = inspect.currentframe().f_back.f_globals["__name__"]
    return _public_function(definition, (default_name or name).lower(), doc, module)


def _register(name, kernel, inputs, attrs, outputs, shape, default_name, **traits) -> OpDefinition:
    if name in REGISTRY:
        raise ValueError(f"op {name} is declared twice")
    traits.setdefault("stateful", traits.get("state") is not None or any(i.kind for i in inputs))
    definition = OpDefinition(name, kernel, inputs, attrs, outputs, shape, default_name or name, **traits)
    REGISTRY[name] = definition
    return definition


def _declared_input(name: str, annotation: Any) -> Input:
    is_list = isinstance(annotation, list)
    annotation = annotation[0] if is_list else annotation
    kind = type(annotation) if isinstance(annotation, Ref | Slot | Handle) else None
    types = annotation.types if kind else annotation
    if isinstance(types, DType):
        types = Types(types.name, (types,))
    if not isinstance(types, Types):
        raise TypeError(f"input {name!r} has no dtypes annotated")
    return Input(name, types, is_list, kind)


def _public_function(definition: OpDefinition, name: str, doc: str | None, module: str) -> Callable:
    order = [declared.name for declared in definition.inputs]

    def function(*args, name=None, **kwargs):
        if len(args) > len(order):  # op(x, y, "name")
            *args, name = args
        inputs = list(args) + [_take(definition, kwargs, arg) for arg in order[len(args) :]]
        return apply(definition, inputs, kwargs, name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    function.__module__ = module
    function.definition = definition
    parameter = inspect.Parameter
    function.__signature__ = inspect.Signature(
        [parameter(arg, parameter.POSITIONAL_OR_KEYWORD) for arg in order]
        + [parameter("name", parameter.POSITIONAL_OR_KEYWORD, default=None)]
        + [
            parameter(attr, parameter.KEYWORD_ONLY, default=default)
            for attr, default in definition.attrs.items()
        ]
    )
    return function


def _take(definition, kwargs, arg):
    if arg not in kwargs:
        raise TypeError(f"{definition.name}() missing required argument: {arg!r}")
    return kwargs.pop(arg)


def definition_of(target: Any) -> OpDefinition:
    """The definition of an op given by its public function or its name. Raises KeyError."""
    return REGISTRY[target] if isinstance(target, str) else target.definition


def gradient(*targets: Any) -> Callable:
    """Declares the gradient of the given ops (functions or names).

    The decorated `f(op, *output_gradients)` returns one gradient per flat input (a single one may stand
    alone; None where there is none), built of ops. `op` has `.inputs`, `.outputs` and `.attrs`.
    """

    def declare(function: Callable) -> Callable:
        for target in targets:
            definition_of(target).gradient = function
        return function

    return declare


def not_differentiable(*targets: Any) -> None:
    """Says that the given ops have no gradient: they end a gradient's way silently."""
    for target in targets:
        definition_of(target).differentiable = False


class Symbol:
    """Base of everything that ops accept as a tensor: `.dtype` and `.shape`, graph or eager."""

    __slots__ = ()


class DTypeMismatch(TypeError):
    """Two inputs of an op that must have the same dtype do not. `position` is the second one's."""

    def __init__(self, message: str, position: int, expected: DType, got: DType) -> None:
        super().__init__(message)
        self.position = position
        self.expected = expected
        self.got = got


class _Interpreters(threading.local):
    def __init__(self) -> None:
        self.stack: list[Any] = []


_interpreters = _Interpreters()
_default_interpreter: Callable[[], Any] | None = None


def set_default_interpreter(factory: Callable[[], Any]) -> None:
    """Says who applies ops when no interpreter has been entered: `factory()` returns it."""
    global _default_interpreter
    _default_interpreter = factory


def interpreter() -> Any:
    """The interpreter that applies ops now: the innermost entered one, else the default."""
    stack = _interpreters.stack
    return stack[-1] if stack else _default_interpreter()


def interpreter_stack() -> list[Any]:
    """This thread's entered interpreters, innermost last."""
    return _interpreters.stack


def apply(definition: OpDefinition, inputs: list[Any], attrs: dict[str, Any], name: str | None = None):
    """Applies an op: converts `inputs` to tensors and lets the current interpreter do the rest.

    Returns a tensor, a list of tensors, or for an op without outputs what the interpreter stands for it
    (a graph's Operation, None in eager mode).
    """
    current = interpreter()
    if current.eager:
        return current.run(definition, inputs, attrs, name)
    attrs = complete_attrs(definition, attrs)
    with current.op_scope(name or definition.default_name) as scope:
        return current.apply(definition, convert_inputs(definition, inputs, current), attrs, scope)


def complete_attrs(definition: OpDefinition, attrs: dict[str, Any]) -> dict[str, Any]:
    """`attrs` with the op's defaults. Raises TypeError for unknown or missing ones."""
    if attrs.keys() - definition.attrs.keys():
        unknown = ", ".join(sorted(attrs.keys() - definition.attrs.keys()))
        raise TypeError(f"{definition.name}() got an unexpected keyword argument {unknown!r}")
    attrs = {**definition.attrs, **attrs}
    for attr, value in attrs.items():
        if value is inspect.Parameter.empty:
            raise TypeError(f"{definition.name}() missing required argument: {attr!r}")
    return attrs


def convert_inputs(definition: OpDefinition, values: list[Any], current: Any) -> list[Any]:
    """What was passed to an op as the interpreter's tensors (list inputs as lists).

    Raises TypeError for values that are no tensors, or of dtypes that the op cannot take.
    """
    bound: dict[Types, tuple[DType, str]] = {}
    tensors = []
    for declared, value in zip(definition.inputs, values, strict=True):
        if not declared.is_list:
            tensors.append(_convert(definition, declared, value, bound, current))
            continue
        if isinstance(value, Symbol) or not isinstance(value, list | tuple):
            raise TypeError(
                f"Expected list for {declared.name!r} argument to {definition.name!r} Op, not {value}."
            )
        # A tensor among the items decides the dtype for the Python values beside it.
        for item in value:
            if declared.types.shared and isinstance(item, Symbol) and declared.types not in bound:
                bound[declared.types] = (item.dtype.base_dtype, declared.name)
        tensors.append([_convert(definition, declared, v, bound, current) for v in value])
    return tensors


def _convert(definition, declared, value, bound, current):
    types = declared.types
    if declared.kind is not None:
        tensor = current.as_reference(value)
        if tensor is None:
            raise TypeError(
                f"Input {declared.name!r} of {definition.name!r} Op requires a variable, got {value!r}"
            )
    elif types in bound:
        dtype, first = bound[types]
        tensor = value if isinstance(value, Symbol) else _convert_as(value, dtype, declared, current)
        if tensor is None:
            guess = current.convert(value, None, None, declared.name)
            raise _mismatch(definition, declared, guess.dtype, dtype, first)
        if tensor.dtype.base_dtype != dtype:
            raise _mismatch(definition, declared, tensor.dtype, dtype, first)
        return current.convert(tensor, None, None, declared.name)
    else:
        preferred = types.allowed[0] if len(types.allowed) == 1 else None
        if not hasattr(value, "dtype"):  # arrays keep theirs
            preferred = preferred or _DEFAULTS.get(types.name)
        tensor = current.convert(value, None, preferred, declared.name)
    dtype = tensor.dtype.base_dtype
    if dtype not in types.allowed:
        allowed = ", ".join(t.name for t in types.allowed)
        raise TypeError(
            f"Value passed to parameter {declared.name!r} has DataType {dtype.name} not in list of "
            f"allowed values: {allowed}"
        )
    if types.shared:
        bound[types] = (dtype, declared.name)
    return tensor


# Python numbers become this type where the op allows several.
_DEFAULTS = {"Floating": dtypes.float32, "FloatingOrComplex": dtypes.float32}


def _convert_as(value, dtype, declared, current):
    try:
        return current.convert(value, dtype, None, declared.name)
    except (TypeError, ValueError):
        return None


def _mismatch(definition, declared, got, expected, first):
    message = (
        f"Input {declared.name!r} of {definition.name!r} Op has type {got.base_dtype.name} that does "
        f"not match type {expected.name} of argument {first!r}."
    )
    return DTypeMismatch(message, definition.inputs.index(declared), expected, got.base_dtype)


def with_name(function: Callable) -> Callable:
    """Lets a function built of ops take `name`: its ops land in that name scope (default: its own name)."""

    @functools.wraps(function)
    def scoped(*args, name=None, **kwargs):
        with interpreter().name_scope(name or function.__name__):
            return function(*args, **kwargs)

    return scoped


def name_scope(name: str | None, default_name: str | None = None):
    """A context in which new ops are named `name/…` (or `default_name/…` when name is None)."""
    return interpreter().name_scope(name if name is not None else default_name)
