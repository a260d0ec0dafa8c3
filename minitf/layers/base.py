"""`tf.layers.Layer`: weights made once, under the layer's variable scope, and used at every call."""

import inspect
import re
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from minitf.framework.dtypes import DType, as_dtype, float32
from minitf.framework.shapes import TensorShape, as_shape
from minitf.graph.collections import GraphKeys, get_collection_ref
from minitf.graph.graph import Graph, get_default_graph
from minitf.graph.scopes import name_scope
from minitf.graph.variable_scope import VariableScope, get_variable, variable_scope
from minitf.graph.variables import Variable, global_variables
from minitf.layers.named import get_initializer, get_regularizer
from minitf.ops.array import cast, shape
from minitf.ops.registry import Symbol, interpreter

# How often each class of layers has been named, in each graph.
_names: weakref.WeakKeyDictionary[Graph, dict[str, int]] = weakref.WeakKeyDictionary()


class InputSpec(NamedTuple):
    """What a layer asks of its input: its rank, at least a rank, and sizes of some dimensions."""

    ndim: int | None = None
    min_ndim: int | None = None
    axes: dict[int, int] | None = None


class Layer:
    """Base of the layers: a subclass makes its weights in `build` and its output in `call`.

    `trainable=False` keeps its weights from optimizers. Weights and ops are named below the variable scope
    `name` (by default the class's name, made unique). `dtype` is that of the weights, by default of the
    first input. `activity_regularizer` gives a loss from the output. `_scope` (a name or VariableScope)
    and `_reuse` are how the functions of `tf.layers` share weights.
    """

    input_spec: InputSpec | None = None

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        activity_regularizer: Callable | None = None,
        _scope: Any = None,
        _reuse: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs:
            raise TypeError("Keyword argument not understood:", next(iter(kwargs)))
        self.trainable = trainable
        self.dtype: DType | None = None if dtype is None else as_dtype(dtype)
        self.activity_regularizer = get_regularizer(activity_regularizer)
        self.built = False
        self.losses: list[Any] = []
        self.updates: list[Any] = []
        self._base_name = name or _snake_case(type(self).__name__)
        self.name = name or _unique_name(self._base_name)
        self._reuse = _reuse
        self._trainable_weights: list[Variable] = []
        self._non_trainable_weights: list[Variable] = []
        self._scope: VariableScope | None = None
        if _scope:
            with variable_scope(_scope) as self._scope:
                pass

    # --- what subclasses define ---------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of that shape."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The output for `inputs`."""
        return inputs

    # --- weights, losses, updates -------------------------------------------------------------------

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that optimizers change."""
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other weights."""
        return [*([] if self.trainable else self._trainable_weights), *self._non_trainable_weights]

    @property
    def weights(self) -> list[Variable]:
        """All weights, the trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights
    variables = weights

    def count_params(self) -> int:
        """The number of weights' elements. Raises ValueError before they are made."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer {self.name}, but the layer isn't built. You can "
                "build it manually via: `layer.build(batch_input_shape)`."
            )
        return sum(weight.shape.num_elements() for weight in self.weights)

    @property
    def scope_name(self) -> str:
        """The name of the layer's variable scope. Raises ValueError before the layer is first used."""
        if self._scope is None:
            raise ValueError(
                f'No name available for layer scope because the layer "{self.name}" has not been used yet. '
                "The scope name is determined the first time the layer instance is called. You must "
                "therefore call the layer before querying `scope_name`."
            )
        return self._scope.name

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds losses to the layer's and to the collection of regularization losses.

        `inputs`, which they depend on, may be named as in TensorFlow; the graph knows them anyway.
        """
        losses = list(losses) if isinstance(losses, list | tuple) else [losses]
        self.losses += losses
        _add_new(losses, GraphKeys.REGULARIZATION_LOSSES)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Adds ops to run with a training step; a call adds them to the collection of update ops."""
        self.updates += list(updates) if isinstance(updates, list | tuple) else [updates]

    def add_weight(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Callable | None = None,
        use_resource: bool | None = None,
        partitioner: Any = None,
    ) -> Variable:
        """Makes (or finds, if the layer reuses) the weight `name`. See `tf.get_variable`."""
        self._settle_scope(None)
        known = set(global_variables())
        trainable = trainable and self.trainable
        dtype = as_dtype(dtype or self.dtype or float32)
        with self._entered() as scope:
            weight = get_variable(
                name,
                shape,
                dtype,
                get_initializer(initializer),
                trainable=trainable,
                partitioner=partitioner,
                use_resource=use_resource,
                constraint=constraint,
            )
            if regularizer is not None and weight not in known:
                with name_scope(scope.original_name_scope), name_scope(f"{name}/Regularizer"):
                    loss = get_regularizer(regularizer)(weight)
                if loss is not None:
                    self.add_loss(loss)
        (self._trainable_weights if trainable and weight.trainable else self._non_trainable_weights).append(
            weight
        )
        return weight

    add_variable = add_weight

    # --- calling it ---------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, scope: Any = None, **kwargs: Any) -> Any:
        """The output for a tensor (or a list of them). `scope` names the layer at its first call."""
        self._settle_scope(scope)
        with self._entered() as current, name_scope(current.original_name_scope):
            inputs = _converted(inputs)
            first = inputs[0] if isinstance(inputs, list) else inputs
            self._check(first)
            if not self.built:
                self.dtype = self.dtype or first.dtype.base_dtype
                shapes = [x.shape for x in inputs] if isinstance(inputs, list) else inputs.shape
                self.build(shapes)
                self.built = True
            if "scope" in inspect.signature(self.call).parameters:
                kwargs["scope"] = current
            outputs = self.call(inputs, *args, **kwargs)
            self._regularize_activity(outputs)
        _add_new(self.updates, GraphKeys.UPDATE_OPS)
        return outputs

    apply = __call__

    def _settle_scope(self, scope: Any) -> None:
        if self._scope is not None:
            return
        if self._reuse:
            opened = variable_scope(self._base_name if scope is None else scope)
        else:
            opened = variable_scope(scope, default_name=self._base_name)
        with opened as self._scope:
            pass

    def _entered(self) -> variable_scope:
        """The layer's variable scope, which only finds variables once they have been made."""
        return variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False)

    def _regularize_activity(self, outputs: Any) -> None:
        if self.activity_regularizer is None:
            return
        with name_scope("ActivityRegularizer"):
            for output in outputs if isinstance(outputs, list | tuple) else [outputs]:
                loss = self.activity_regularizer(output)
                # The mean over the batch, so that its size does not matter.
                self.add_loss(loss / cast(shape(output)[0], loss.dtype))

    def _check(self, x: Any) -> None:
        spec, rank = self.input_spec, x.shape.rank
        if spec is None or rank is None:
            return
        problem = None
        if spec.ndim is not None and rank != spec.ndim:
            problem = f"expected ndim={spec.ndim}, found ndim={rank}"
        elif spec.min_ndim is not None and rank < spec.min_ndim:
            problem = f"expected min_ndim={spec.min_ndim}, found ndim={rank}"
        if problem is not None:
            raise ValueError(
                f'Input 0 of layer "{self.name}" is incompatible with the layer: {problem}. '
                f"Full shape received: {x.shape}"
            )
        for axis, size in (spec.axes or {}).items():
            if x.shape.sizes[axis] not in (None, size):
                raise ValueError(
                    f'Input 0 of layer "{self.name}" is incompatible with the layer: expected axis {axis} of '
                    f"input shape to have value {size}, but received input with shape {x.shape}"
                )


def _snake_case(name: str) -> str:
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()


def _unique_name(base: str) -> str:
    counts = _names.setdefault(get_default_graph(), {})
    counts[base] = counts.get(base, 0) + 1
    return f"{base}_{counts[base]}"


def _converted(inputs: Any) -> Any:
    if isinstance(inputs, list | tuple) and any(isinstance(x, Symbol | Variable) for x in inputs):
        return [interpreter().convert(x, None, None, "inputs") for x in inputs]
    return interpreter().convert(inputs, None, None, "inputs")


def _add_new(items: list[Any], key: str) -> None:
    collection = get_collection_ref(key)
    collection += [item for item in items if not any(item is known for known in collection)]


def last_size(layer: Layer, input_shape: Any) -> int:
    """The (known) size of the last dimension. Raises ValueError in TensorFlow's words."""
    input_shape: TensorShape = as_shape(input_shape)
    size = input_shape.sizes[-1] if input_shape.rank else None
    if size is None:
        raise ValueError(
            f"The last dimension of the inputs to a {type(layer).__name__} layer should be defined. Found "
            f"None. Full input shape received: {input_shape}"
        )
    return size


def functional(layer_class: type[Layer], name: str) -> Callable:
    """The function `name(inputs, …the layer's arguments…, reuse=None)` of `tf.layers`.

    Layers with weights share them with `reuse=True` and the `name` of an earlier call.
    """
    declared = inspect.signature(layer_class).parameters.values()
    shares = "trainable" in inspect.signature(layer_class).parameters
    parameter = inspect.Parameter
    parameters = [parameter("inputs", parameter.POSITIONAL_OR_KEYWORD, annotation=Any)]
    parameters += [p for p in declared if p.kind is not p.VAR_KEYWORD]
    if shares:
        parameters.append(
            parameter("reuse", parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=bool | None)
        )
    signature = inspect.Signature(parameters, return_annotation=Any)

    def function(*args: Any, **kwargs: Any) -> Any:
        arguments = dict(signature.bind(*args, **kwargs).arguments)
        inputs = arguments.pop("inputs")
        if shares:
            arguments |= {"_scope": arguments.get("name"), "_reuse": arguments.pop("reuse", None)}
        return layer_class(**arguments)(inputs)

    function.__name__ = function.__qualname__ = name
    function.__module__ = layer_class.__module__
    function.__signature__ = signature
    function.__doc__ = (
        f"The output of a new {layer_class.__name__} layer for `inputs`.\n\n    {layer_class.__doc__}"
    )
    return function
