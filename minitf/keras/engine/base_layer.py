"""`Layer`: weights, and a function of tensors that uses them."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import nest
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import PlainTensorShape, TensorShape
from minitf.graph.graph import Graph
from minitf.graph.operation import Tensor
from minitf.keras import regularizers
from minitf.keras.engine import calls, state
from minitf.keras.engine.layer_connections import LayerConnections, is_size
from minitf.keras.engine.layer_weights import LayerWeights, in_step
from minitf.keras.engine.node import History, Node
from minitf.ops.array import cast
from minitf.ops.registry import Symbol, interpreter
from minitf.runtime.shared_variable import SharedVariable

_KEYWORDS = {
    "input_dim", "input_shape", "batch_input_shape", "batch_size", "weights", "activity_regularizer",
    "autocast", "input_dtype", "implementation",
}  # fmt: skip


class Layer(LayerWeights, LayerConnections):
    """Base of all layers. A subclass makes weights in `build(input_shape)` and computes in `call(inputs)`.

    `input_shape` (without the batch) or `batch_input_shape` says what a Sequential model starts with. `call`
    may take `training` (bool) and `mask`; they are filled in from the surrounding call where they are not
    given. Attributes that are layers or variables are tracked.

    Raises TypeError for keywords that no layer knows.
    """

    def __init__(
        self, trainable: bool = True, name: str | None = None, dtype: Any = None, dynamic: bool = False,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        unknown = kwargs.keys() - _KEYWORDS
        if unknown:
            raise TypeError("Keyword argument not understood:", sorted(unknown)[0])
        self.__dict__.setdefault("_tracked", {})
        self._trainable = trainable
        self._name = name or state.unique_object_name(state.to_snake_case(type(self).__name__))
        if not isinstance(self._name, str):
            raise TypeError(f"Expected `name` argument to be a string, but got: {name}")
        self._dtype = as_dtype(dtype or state.floatx()).name if dtype is not False else None
        self.dynamic = dynamic
        self.built = False
        self.stateful = False
        self.supports_masking = getattr(self, "supports_masking", False)
        self.input_spec: Any = None
        self._own_trainable: list[SharedVariable] = []
        self._own_non_trainable: list[SharedVariable] = []
        self._regularized: list[tuple[SharedVariable, Callable]] = []
        self._added_losses: list[Any] = []  # tensors, or functions that make one
        self._call_losses: list[Tensor] = []
        self._added_metrics: list[Any] = []
        self._updates: list[Any] = []
        self._inbound_nodes: list[Node] = []
        self._outbound_nodes: list[Node] = []
        self._activity_regularizer = regularizers.get(kwargs.pop("activity_regularizer", None))
        self._initial_weights = kwargs.get("weights")
        self._batch_input_shape = _given_shape(kwargs)
        self._weight_scope: str | None = None  # weights' names begin with it, by default with the layer's
        self._call_parameters = inspect.signature(self.call).parameters

    # --- to be overridden ----------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of `input_shape` (batch included). Called once, before `call`."""
        self.built = True

    def call(self, inputs: Any) -> Any:
        """The layer's function. Further arguments are the subclass's."""
        return inputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The outputs' mask. Raises TypeError for a mask that the layer cannot handle."""
        if not self.supports_masking:
            if mask is not None and any(m is not None for m in nest.flatten(mask)):
                raise TypeError(
                    f"Layer {self.name} does not support masking, but was passed an input_mask: {mask}"
                )
            return None
        return mask

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer: `Layer.from_config(layer.get_config())`."""
        config: dict[str, Any] = {"name": self.name, "trainable": self.trainable}
        if self._batch_input_shape is not None:
            config["batch_input_shape"] = self._batch_input_shape
        config["dtype"] = self._dtype
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Layer":
        """A layer made from what `get_config` returned."""
        return cls(**config)

    # --- calling -------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Builds the layer if need be and applies it to tensors, arrays or nested structures of them."""
        tensors = [t for t in nest.flatten((inputs, args, kwargs)) if isinstance(t, Tensor)]
        if tensors and interpreter() is not tensors[0].graph and not in_step(interpreter()):
            with tensors[0].graph.as_default():
                return self._call(inputs, args, kwargs)
        return self._call(inputs, args, kwargs)

    def _call(self, inputs: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        inputs = nest.map_structure(self._as_tensor, inputs)
        self._check_input(inputs)
        current = interpreter()
        training = self._training_argument(args, kwargs)
        self._fill_mask(inputs, args, kwargs)
        with calls.call_scope(self, training), current.name_scope(self._name_scope()):
            if not self.built:
                self._build(inputs)
            outputs = self.call(self._cast_inputs(inputs), *args, **kwargs)
            if self._activity_regularizer is not None:
                self._regularize_activity(outputs)
        self._set_mask(inputs, outputs, kwargs)
        if isinstance(current, Graph) and not in_step(current) and not calls.in_replay():
            outputs = self._record(inputs, args, kwargs, outputs)
        return outputs

    def _as_tensor(self, value: Any) -> Any:
        if isinstance(value, Symbol) or hasattr(value, "fields") or value is None:
            return value
        if isinstance(value, np.ndarray) and value.dtype == np.float64:
            value = value.astype(self._dtype or state.floatx())
        return interpreter().convert(value, None)

    def _cast_inputs(self, inputs: Any) -> Any:
        """Floating inputs in the layer's own dtype, as `autocast` does."""
        if self._dtype is None or not as_dtype(self._dtype).is_floating:
            return inputs
        wanted = as_dtype(self._dtype)

        def convert(t):
            floating = isinstance(t, Symbol) and t.dtype.base_dtype.is_floating
            return cast(t, wanted) if floating and t.dtype.base_dtype != wanted else t

        return nest.map_structure(convert, inputs)

    def _name_scope(self) -> str:
        return self.name

    def _training_argument(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Settles `training`: as given, else the surrounding call's, else the learning phase."""
        if "training" not in self._call_parameters:
            return kwargs.get("training")
        position = list(self._call_parameters).index("training")
        if position - 1 < len(args):
            return args[position - 1]
        if kwargs.get("training") is None:
            default = self._call_parameters["training"].default
            if default not in (None, inspect.Parameter.empty) and calls.current_training() is None:
                kwargs["training"] = default
            else:
                kwargs["training"] = state.learning_phase()
        return kwargs["training"]

    def _build(self, inputs: Any) -> None:
        shapes = nest.map_structure(_plain_shape, inputs)
        if self._dtype is None:
            self._dtype = nest.flatten(inputs)[0].dtype.base_dtype.name
        self.build(shapes)
        self._build_input_shape = shapes
        self.built = True
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def _check_input(self, inputs: Any) -> None:
        if self.input_spec is not None:
            from minitf.keras.engine.input_spec import assert_input_compatibility

            assert_input_compatibility(self.input_spec, inputs, self.name)

    def _fill_mask(self, inputs: Any, args: tuple, kwargs: dict[str, Any]) -> None:
        if "mask" not in self._call_parameters or kwargs.get("mask") is not None:
            return
        if list(self._call_parameters).index("mask") - 1 < len(args):
            return
        masks = nest.map_structure(get_mask, inputs)
        if any(mask is not None for mask in nest.flatten(masks)):
            kwargs["mask"] = masks

    def _set_mask(self, inputs: Any, outputs: Any, kwargs: dict[str, Any]) -> None:
        if not self.supports_masking and type(self).compute_mask is Layer.compute_mask:
            return  # the mask ends here
        mask = kwargs.get("mask")
        if mask is None:
            mask = nest.map_structure(get_mask, inputs)
            if all(m is None for m in nest.flatten(mask)):
                mask = None
        flat = nest.flatten(outputs)
        if all(get_mask(t) is not None for t in flat if isinstance(t, Symbol)):
            return
        result = self.compute_mask(inputs, mask)
        if result is None:
            return
        for t, m in zip(flat, nest.flatten(result), strict=False):
            if isinstance(t, Symbol):
                t._keras_mask = m

    def _record(self, inputs: Any, args: tuple, kwargs: dict[str, Any], outputs: Any) -> Any:
        """Notes this call as a node, from which functional models are put together."""
        from minitf.ops.array import identity

        # A layer that hands its input on gets an output tensor of its own.
        given = {id(t) for t in nest.flatten((inputs, args, kwargs)) if isinstance(t, Tensor)}
        taken = {id(t) for t in nest.flatten(outputs) if hasattr(t, "_keras_history")}

        def own(t):
            if not isinstance(t, Tensor) or id(t) not in given | taken:
                return t
            copy = identity(t)
            if get_mask(t) is not None:
                copy._keras_mask = get_mask(t)
            return copy

        outputs = nest.map_structure(own, outputs)
        node = Node(self, (inputs, *args), kwargs, outputs)
        for i, tensor in enumerate(nest.flatten(outputs)):
            if isinstance(tensor, Tensor):
                tensor._keras_history = History(self, len(self._inbound_nodes) - 1, i)
        self._last_node = node
        return outputs

    # --- losses, metrics, updates --------------------------------------------------------------------

    def add_loss(self, losses: Any, inputs: Any = None, **kwargs: Any) -> None:
        """Adds to the loss that training minimises: tensors, or functions without arguments that make one."""
        for loss in nest.flatten(losses):
            if calls.in_call() and not callable(loss):
                self._call_losses.append(loss)
            else:
                self._added_losses.append(loss)

    def add_metric(self, value: Any, aggregation: str | None = None, name: str | None = None) -> None:
        """Reports `value` (a tensor) during training under `name`, averaged over batches."""
        if aggregation not in (None, "mean"):
            raise ValueError(
                "We currently support only `mean` sample-wise metric aggregation. You provided "
                f"aggregation={aggregation}"
            )
        if name is None and aggregation is None and not hasattr(value, "_metric_obj"):
            raise ValueError(
                "Please provide a name for your metric like `self.add_metric(tf.reduce_sum(inputs), "
                "name='mean_activation')`"
            )
        self._added_metrics.append((value, name or aggregation, calls.in_call()))

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Has an op run with every training step."""
        self._updates.extend(nest.flatten(updates))

    def _regularize_activity(self, outputs: Any) -> None:
        from minitf.ops.array import shape
        from minitf.ops.math import truediv

        for tensor in nest.flatten(outputs):
            batch = cast(shape(tensor)[0], tensor.dtype)
            self._call_losses.append(truediv(self._activity_regularizer(tensor), batch))

    @property
    def losses(self) -> list[Any]:
        """Loss tensors of the current graph: regularisation of weights, and what calls added."""
        own = [_loss_of(variable, function) for variable, function in self._regularized]
        own += [loss() if callable(loss) else loss for loss in self._added_losses]
        current = interpreter()
        own += [t for t in self._call_losses if not isinstance(t, Tensor) or t.graph is current]
        return own + [loss for layer in self._sublayers() for loss in layer.losses]

    @property
    def updates(self) -> list[Any]:
        """Ops that run with every training step."""
        return self._updates + [u for layer in self._sublayers() for u in layer.updates]

    def _flatten_layers(self) -> list["Layer"]:
        """This layer and all below it."""
        return [self] + [found for layer in self._sublayers() for found in layer._flatten_layers()]

    @property
    def name(self) -> str:
        """The layer's name."""
        return self._name

    @property
    def dtype(self) -> str | None:
        """The dtype's name."""
        return self._dtype

    @property
    def activity_regularizer(self) -> Any:
        """The regulariser of outputs, or None."""
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, value: Any) -> None:
        self._activity_regularizer = value

    @property
    def inbound_nodes(self) -> list[Node]:
        """One node for each symbolic call of this layer."""
        return self._inbound_nodes

    @property
    def outbound_nodes(self) -> list[Node]:
        """Nodes of layers that take this one's outputs."""
        return self._outbound_nodes

    def compute_output_shape(self, input_shape: Any) -> TensorShape:
        """The output's shape for inputs of `input_shape`, found by calling the layer in a scratch graph."""
        from minitf.ops.constants import placeholder

        with Graph().as_default():
            is_single = not (isinstance(input_shape, list) and input_shape and not is_size(input_shape[0]))
            shapes = [input_shape] if is_single else input_shape
            inputs = [placeholder(self._dtype or state.floatx(), TensorShape(s)) for s in shapes]
            nodes = len(self._inbound_nodes)
            outputs = self(inputs[0] if is_single else inputs)
            del self._inbound_nodes[nodes:]
            return nest.map_structure(_plain_shape, outputs)


def _given_shape(kwargs: dict[str, Any]) -> tuple | None:
    """The batch input shape that a layer's keywords say."""
    if "batch_input_shape" in kwargs:
        return tuple(TensorShape(kwargs["batch_input_shape"]).as_list())
    shape = kwargs.get("input_shape")
    if shape is None and kwargs.get("input_dim") is not None:
        shape = (kwargs["input_dim"],)
    if shape is None:
        return None
    shape = (shape,) if isinstance(shape, int) else tuple(TensorShape(shape).as_list())
    return (kwargs.get("batch_size"), *shape)


def _loss_of(variable: SharedVariable, function: Callable) -> Any:
    with interpreter().name_scope(variable._name + "/Regularizer"):
        return function(variable)


def _plain_shape(tensor: Any) -> PlainTensorShape:
    return PlainTensorShape(tensor.shape)


def get_mask(tensor: Any) -> Any:
    """The mask that a layer attached to `tensor`, or None."""
    return getattr(tensor, "_keras_mask", None)
