"""The weights of layers: making them, finding them in attributes, which are trained, their values."""

from typing import Any

import numpy as np

from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape
from minitf.graph.graph import Graph
from minitf.keras import initializers, regularizers
from minitf.keras.engine import state
from minitf.ops.registry import interpreter
from minitf.runtime.shared_variable import SharedVariable, trainable_collections


class LayerWeights:
    """Mixed into Layer."""

    def add_weight(
        self,
        name: Any = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        **kwargs: Any,
    ) -> SharedVariable:
        """Makes a weight, named `layer/name`, glorot-uniform (zeros for integers) by default.

        `use_resource`, `synchronization` and `aggregation` are about distribution and change nothing here.
        """
        if isinstance(name, list | tuple):  # Keras 1: add_weight(shape, …, name=…)
            name, shape = shape if isinstance(shape, str) else None, name
        dtype = as_dtype(dtype or self._dtype or state.floatx())
        if initializer is None:
            initializer = "glorot_uniform" if dtype.is_floating else "zeros"
        initializer = initializers.get(initializer)
        sizes = TensorShape(() if shape is None else shape).as_list()
        if None in sizes:
            raise ValueError(f"Weight {name!r} of layer {self.name} has an unknown size: {tuple(sizes)}")
        trainable = True if trainable is None else trainable
        graph = interpreter()
        drawn = isinstance(graph, Graph) and not in_step(graph)
        variable = SharedVariable(
            lambda: initializer(tuple(sizes), dtype=dtype),
            trainable=trainable,
            name=f"{self._weight_scope or self.name}/{name or 'variable'}",
            dtype=dtype,
            constraint=_constraint(constraint),
            collections=trainable_collections(trainable) if drawn else None,
        )
        (self._own_trainable if trainable else self._own_non_trainable).append(variable)
        regularizer = regularizers.get(regularizer)
        if regularizer is not None:
            self._regularized.append((variable, regularizer))
        return variable

    add_variable = add_weight

    def __setattr__(self, name: str, value: Any) -> None:
        """Keeps track of layers and variables among the attributes."""
        if name != "_tracked" and not name.startswith("_inbound") and not name.startswith("_own"):
            tracked = self.__dict__.setdefault("_tracked", {})
            tracked.pop(name, None)
            if _trackable(value):
                tracked[name] = value
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._tracked.pop(name, None)
        object.__delattr__(self, name)

    def _sublayers(self) -> list[Any]:
        """The layers directly below this one."""
        found: dict[int, Any] = {}
        for value in self._tracked.values():
            for item in _items(value):
                if isinstance(item, LayerWeights):
                    found[id(item)] = item
        return list(found.values())

    def _tracked_variables(self) -> list[SharedVariable]:
        own = {id(v) for v in self._own_trainable + self._own_non_trainable}
        found: dict[int, SharedVariable] = {}
        for value in self._tracked.values():
            for item in _items(value):
                if isinstance(item, SharedVariable) and id(item) not in own:
                    found[id(item)] = item
        return list(found.values())

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        for layer in self._sublayers():
            layer.trainable = value

    @property
    def trainable_weights(self) -> list[SharedVariable]:
        """The weights that training changes."""
        if not self.trainable:
            return []
        own = self._own_trainable + [v for v in self._tracked_variables() if v.trainable]
        return _unique(own + [w for layer in self._sublayers() for w in layer.trainable_weights])

    @property
    def non_trainable_weights(self) -> list[SharedVariable]:
        """The weights that training leaves alone or updates by other means, e.g. moving averages."""
        tracked = self._tracked_variables()
        if self.trainable:
            own = self._own_non_trainable + [v for v in tracked if not v.trainable]
            return _unique(own + [w for layer in self._sublayers() for w in layer.non_trainable_weights])
        own = self._own_trainable + self._own_non_trainable + tracked
        return _unique(own + [w for layer in self._sublayers() for w in layer.weights])

    @property
    def weights(self) -> list[SharedVariable]:
        """All weights, the trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights' values, in the order of `weights`."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Sets the weights, given in the order of `weights`.

        Raises ValueError when their number or shapes don't match; then none has been changed.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a weight list of length '
                f"{len(weights)}, but the layer was expecting {len(own)} weights. "
                f"Provided weights: {str(weights)[:50]}..."
            )
        arrays = [np.asarray(w) for w in weights]
        for variable, array in zip(own, arrays, strict=True):
            if not variable.shape.is_compatible_with(array.shape):
                raise ValueError(
                    f"Layer {self.name} weight shape {variable.shape} is not compatible with provided "
                    f"weight shape {array.shape}."
                )
        for variable, array in zip(own, arrays, strict=True):
            variable.load(array)

    def count_params(self) -> int:
        """The number of numbers in the weights. Raises ValueError before the layer is built."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer {self.name}, but the layer isn't built. You can "
                "build it manually via: `layer.build(batch_input_shape)`."
            )
        return int(sum(int(np.prod(w.shape.as_list(), dtype=np.int64)) for w in self.weights))


def _constraint(value: Any) -> Any:
    from minitf.keras import constraints

    return constraints.get(value)


def in_step(current: Any) -> bool:
    """Whether calls now are part of a training step's graph, which keeps no history."""
    return getattr(current, "is_step", False) or getattr(current, "building_function", False)


def _trackable(value: Any) -> bool:
    return any(isinstance(item, LayerWeights | SharedVariable) for item in _items(value))


def _items(value: Any) -> Any:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _items(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _items(item)
    else:
        yield value


def _unique(variables: list[SharedVariable]) -> list[SharedVariable]:
    return list({id(v): v for v in variables}.values())
