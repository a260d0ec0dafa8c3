"""Functional models: from tensors back to the calls that made them, and the calls again on other tensors."""

from typing import Any

from minitf.framework import nest
from minitf.graph.graph import Graph
from minitf.graph.operation import Tensor
from minitf.keras.engine import calls
from minitf.keras.engine.base_layer import Layer, get_mask
from minitf.keras.engine.input_layer import InputLayer
from minitf.keras.engine.node import Node
from minitf.ops.registry import interpreter


def layers_between(inputs: list[Tensor], outputs: list[Tensor]) -> tuple[list[Node], list[Layer]]:
    """The calls that lead from `inputs` to `outputs`, each after those it needs, and their layers.

    Layers are in Keras's order: by their distance from the outputs, farthest first. Raises ValueError when
    the outputs depend on something else than the inputs.
    """
    nodes: list[Node] = []
    state: dict[int, bool] = {}
    given = {id(t) for t in inputs}
    pending: list[Any] = [(t, False) for t in reversed(outputs)]
    while pending:
        item, done = pending.pop()
        node = item if isinstance(item, Node) else _node_of(item)
        if node is None:  # an op between layers: go on to what it takes
            if id(item) not in given and id(item) not in state:
                state[id(item)] = True
                _check_source(item, inputs)
                pending.extend((t, False) for t in reversed(item.op.inputs))
            continue
        if done:
            if not state[id(node)]:
                state[id(node)] = True
                nodes.append(node)
            continue
        if id(node) in state:
            continue
        state[id(node)] = False
        pending.append((node, True))
        is_input = all(id(t) in given for t in nest.flatten(node.outputs))
        if not is_input:
            if isinstance(node.layer, InputLayer):
                raise _disconnected(node.outputs, node.layer)
            pending.extend((t, False) for t in reversed(node.flat_inputs))
    for tensor in inputs:
        node = _node_of(tensor)
        if node is not None and node not in nodes:
            nodes.insert(0, node)
    return nodes, _ordered_layers(nodes, outputs)


def _node_of(tensor: Any) -> Node | None:
    history = getattr(tensor, "_keras_history", None)
    return None if history is None else history.layer._inbound_nodes[history.node_index]


def _check_source(tensor: Tensor, inputs: list[Tensor]) -> None:
    if tensor.op.type == "Placeholder":
        raise _disconnected(tensor, tensor.op)


def _disconnected(tensor: Any, source: Any) -> ValueError:
    return ValueError(
        f'Graph disconnected: cannot obtain value for tensor {tensor} at layer "{source.name}". The '
        "following previous layers were accessed without issue: []"
    )


def _ordered_layers(nodes: list[Node], outputs: list[Tensor]) -> list[Layer]:
    """Layers by falling depth (the longest way to an output); those of one depth as they were met."""
    depth: dict[int, int] = {}
    makers = {id(t): node for node in nodes for t in nest.flatten(node.outputs) if isinstance(t, Tensor)}
    for node in reversed(nodes):
        own = depth.setdefault(id(node), 0)
        for source in _sources(node.flat_inputs, makers):
            depth[id(source)] = max(depth.get(id(source), 0), own + 1)
    layer_depth: dict[int, int] = {}
    order: dict[int, tuple[int, Layer]] = {}
    for position, node in enumerate(nodes):
        key = id(node.layer)
        layer_depth[key] = max(layer_depth.get(key, 0), depth[id(node)])
        order.setdefault(key, (position, node.layer))
    inputs_first = {id(n.layer): i for i, n in enumerate(nodes) if isinstance(n.layer, InputLayer)}
    deepest = max(layer_depth.values(), default=0)

    def rank(item):
        position, layer = item
        key = id(layer)
        level = deepest if key in inputs_first and layer_depth[key] == deepest else layer_depth[key]
        return -level, position

    return [layer for _, layer in sorted(order.values(), key=rank)]


def _sources(tensors: list[Tensor], makers: dict[int, Node]) -> list[Node]:
    """The nodes that made `tensors`, looking through ops that are no layers."""
    found, seen, pending = [], set(), list(tensors)
    while pending:
        t = pending.pop()
        if id(t) in seen:
            continue
        seen.add(id(t))
        if id(t) in makers:
            found.append(makers[id(t)])
        else:
            pending.extend(t.op.inputs)
    return found


class Network(Layer):
    """The graph of layers between input and output tensors, itself a layer."""

    def _init_graph(self, inputs: Any, outputs: Any) -> None:
        """Takes up the calls between `inputs` and `outputs`, nested structures of symbolic tensors."""
        self._nested_inputs, self._nested_outputs = inputs, outputs
        self.inputs: list[Tensor] = nest.flatten(inputs)
        self.outputs: list[Tensor] = nest.flatten(outputs)
        for tensor in [*self.inputs, *self.outputs]:
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "Found unexpected instance while processing input tensors for keras functional model. "
                    "Expecting KerasTensor which is from tf.keras.Input() or output from keras layer call(). "
                    f"Got: {tensor}"
                )
        if len({id(t) for t in self.inputs}) != len(self.inputs):
            raise ValueError(
                f"The list of inputs passed to the model contains the same input multiple times. All inputs "
                f"should only appear once. Received inputs={self.inputs}"
            )
        self._nodes, self._layers = layers_between(self.inputs, self.outputs)
        names = [layer.name for layer in self._layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f'The name "{name}" is used {names.count(name)} times in the model. All layer names '
                    "should be unique."
                )
        self._input_layers = [t._keras_history.layer for t in self.inputs if hasattr(t, "_keras_history")]
        self.input_names = [
            t._keras_history.layer.name if hasattr(t, "_keras_history") else t.op.name for t in self.inputs
        ]
        self.output_names = _output_names(self.outputs)
        self._is_graph_network = True
        self.built = True

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model."""
        return self._layers if getattr(self, "_is_graph_network", False) else self._sublayers()

    def _sublayers(self) -> list[Layer]:
        if getattr(self, "_is_graph_network", False):
            known = {id(layer) for layer in self._layers}
            return self._layers + [x for x in super()._sublayers() if id(x) not in known]
        return super()._sublayers()

    @property
    def weights(self) -> list[Any]:
        """All weights, layer by layer."""
        own = self._own_trainable + self._own_non_trainable + self._tracked_variables()
        found = [w for layer in self._sublayers() for w in layer.weights] + own
        return list({id(w): w for w in found}.values())

    variables = weights

    @property
    def input(self) -> Any:
        """The input tensor(s)."""
        if not getattr(self, "_is_graph_network", False):
            return super().input
        return self.inputs[0] if len(self.inputs) == 1 else self._nested_inputs

    @property
    def output(self) -> Any:
        """The output tensor(s)."""
        if not getattr(self, "_is_graph_network", False):
            return super().output
        return self.outputs[0] if not nest.is_nested(self._nested_outputs) else self._nested_outputs

    @property
    def input_shape(self) -> Any:
        """The shape(s) of the input(s)."""
        if not getattr(self, "_is_graph_network", False):
            return super().input_shape
        return nest.map_structure(lambda t: tuple(t.shape.as_list()), self.input)

    @property
    def output_shape(self) -> Any:
        """The shape(s) of the output(s)."""
        if not getattr(self, "_is_graph_network", False):
            return super().output_shape
        return nest.map_structure(lambda t: tuple(t.shape.as_list()), self.output)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """The layers' calls again, on other inputs."""
        if not getattr(self, "_is_graph_network", False):
            raise NotImplementedError(
                "Unimplemented `tf.keras.Model.call()`: if you intend to create a `Model` with the "
                "Functional API, please provide `inputs` and `outputs` arguments. Otherwise, subclass "
                "`Model` with an overridden `call()` method."
            )
        given = self._flat_inputs(inputs)
        if mask is not None:
            for tensor, m in zip(given, nest.flatten(mask), strict=False):
                if m is not None and get_mask(tensor) is None:
                    tensor._keras_mask = m
        with calls.replay_scope():
            return self._replay(given, training)

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        if isinstance(inputs, dict) and not isinstance(self._nested_inputs, dict):
            missing = [name for name in self.input_names if name not in inputs]
            if missing:
                raise ValueError(
                    f"Missing data for input {missing[0]!r}. You passed a data dictionary with "
                    f"keys {list(inputs)}. Expected the following keys: {self.input_names}"
                )
            return [inputs[name] for name in self.input_names]
        flat = nest.flatten(inputs)
        if len(flat) != len(self.inputs):
            raise ValueError(
                f'Layer "{self.name}" expects {len(self.inputs)} input(s), but it received {len(flat)} input '
                f"tensors. Inputs received: {inputs}"
            )
        return [_fitted(given, own) for given, own in zip(flat, self.inputs, strict=True)]

    def _replay(self, given: list[Any], training: Any) -> Any:
        known = {id(own): value for own, value in zip(self.inputs, given, strict=True)}
        current = interpreter()
        # Tensors of this model that closures hold find their counterparts here: see step.py.
        counterparts = getattr(current, "counterparts", None)
        for node in self._nodes:
            outputs = nest.flatten(node.outputs)
            if not isinstance(node.layer, InputLayer) and not all(id(t) in known for t in outputs):
                args, kwargs = nest.map_structure(
                    lambda t: reapply(t, known) if isinstance(t, Tensor) else t, (node.args, node.kwargs)
                )
                results = nest.flatten(node.layer(*args, **kwargs))
                known.update((id(t), r) for t, r in zip(outputs, results, strict=True))
            if counterparts is not None:
                counterparts.update((id(t), known[id(t)]) for t in outputs if id(t) in known)
        results = [reapply(t, known) for t in self.outputs]
        return _packed_like(self._nested_outputs, results)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks of the outputs, as the last call left them."""
        return None

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place in `layers`. Raises ValueError when there is none."""
        if index is not None and name is not None:
            raise ValueError("Provide only a layer name or a layer index.")
        if index is not None:
            if len(self.layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} "
                    "layers."
                )
            return self.layers[index]
        if name is None:
            raise ValueError("Provide either a layer name or layer index.")
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}."
        )


def _packed_like(structure: Any, flat: list[Any]) -> Any:
    return nest.pack_sequence_as(structure, flat) if nest.is_nested(structure) else flat[0]


def _fitted(given: Any, own: Tensor) -> Any:
    """A feed cast to the input's dtype, with the last dimension of 1 that Keras adds to vectors."""
    from minitf.ops.array import cast, expand_dims

    if given.dtype.base_dtype != own.dtype.base_dtype:
        given = cast(given, own.dtype.base_dtype)
    ranks = given.shape.rank, own.shape.rank
    if None not in ranks and ranks[0] == ranks[1] - 1 and own.shape.sizes[-1] == 1:
        given = expand_dims(given, -1)
    return given


def _output_names(outputs: list[Tensor]) -> list[str]:
    names = []
    for tensor in outputs:
        history = getattr(tensor, "_keras_history", None)
        name = history.layer.name if history is not None else tensor.op.name
        count = 1
        unique = name
        while unique in names:
            unique = f"{name}_{count}"
            count += 1
        names.append(unique)
    return names


def reapply(tensor: Tensor, known: dict[int, Any]) -> Any:
    """`tensor` as the current interpreter makes it from the `known` counterparts of tensors (by id).

    Ops on the way are applied again; whatever they need that is neither known nor made of known tensors
    (constants, variables) comes along.
    """
    pending = [tensor]
    while pending:
        t = pending[-1]
        if id(t) in known:
            pending.pop()
            continue
        missing = [x for x in t.op.inputs if id(x) not in known]
        if missing:
            pending.extend(missing)
            continue
        pending.pop()
        _reapply_op(t, known)
    return known[id(tensor)]


def _reapply_op(tensor: Tensor, known: dict[int, Any]) -> None:
    op, current = tensor.op, interpreter()
    if tensor.dtype._is_ref and isinstance(current, Graph):
        known[id(tensor)] = tensor if tensor.graph is current else _reference(tensor, current)
        return
    if op.type == "Placeholder":
        raise ValueError(f"Graph disconnected: tensor {tensor} is no input of the model")
    if op.type == "PlaceholderWithDefault" and op.name.endswith("keras_learning_phase"):
        training = calls.current_training()
        known[id(tensor)] = current.convert(bool(training), None)
        return
    inputs = op.grouped([known[id(t)] for t in op.inputs])
    with current.op_scope(op.name.rsplit("/", 1)[-1]) as scope:
        results = current.apply(op.definition, inputs, dict(op.attrs), scope)
    for t, result in zip(op.outputs, results if isinstance(results, list) else [results], strict=True):
        known[id(t)] = result


def _reference(tensor: Tensor, current: Graph) -> Tensor:
    """A shared variable's reference in the current graph."""
    from minitf.ops import state

    storage = tensor.op.attrs.get("storage")
    if storage is None:
        raise ValueError(f"{tensor} is a variable of another graph's sessions")
    if storage not in current.shared_references:
        current.shared_references[storage] = state.shared_variable(
            storage=storage, dtype=tensor.dtype, name=storage.name
        )
    return current.shared_references[storage]
