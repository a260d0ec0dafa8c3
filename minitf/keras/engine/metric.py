"""`Metric`: state that batches add to, and a result computed from it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.keras.engine import state
from minitf.keras.engine.base_layer import Layer
from minitf.keras.losses import broadcast_weights, squeezed
from minitf.ops import math
from minitf.ops.array import cast, size
from minitf.ops.constants import constant
from minitf.ops.group import group
from minitf.ops.reduce import reduce_mean, reduce_sum
from minitf.ops.registry import interpreter
from minitf.runtime.shared_variable import SharedVariable


class Metric(Layer):
    """Base of metrics: `update_state(…)` takes a batch into account, `result()` gives the value so far.

    Called, it does both. State is made with `add_weight(name, initializer="zeros")`.
    """

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype or state.floatx(), **kwargs)
        self.stateful = True
        self.built = True

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def result(self) -> Any:
        """The value so far, a scalar tensor."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account and returns the value so far."""
        update = self.update_state(*args, **kwargs)
        with interpreter().control_dependencies([] if update is None else [update]):
            result = self.result()
        if not isinstance(result, dict):
            try:
                result._metric_obj = self
            except AttributeError:
                pass  # eager tensors take no attributes
        return result

    def call(self, *args: Any) -> Any:
        """As `__call__`."""
        return self.__call__(*args)

    def reset_state(self) -> None:
        """Sets the state back to zeros."""
        for variable in self._metric_variables():
            variable.load(np.zeros(variable.shape.as_list(), variable.dtype.numpy_dtype))

    def reset_states(self) -> None:
        """The old name of `reset_state`."""
        self.reset_state()

    def _metric_variables(self) -> list[SharedVariable]:
        return self.weights

    def add_weight(  # noqa: D417
        self, name: str, shape: Any = (), aggregation: Any = None, synchronization: Any = None,
        initializer: Any = "zeros", dtype: Any = None,
    ) -> SharedVariable:  # fmt: skip
        """Makes a piece of state, zeros by default."""
        from minitf.keras import initializers

        dtype = dtypes.as_dtype(dtype or self._dtype)
        initializer = initializers.get(initializer)
        variable = SharedVariable(
            lambda: initializer(tuple(shape), dtype=dtype), trainable=False, name=name, dtype=dtype
        )
        self._own_non_trainable.append(variable)
        return variable

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}


class Reduce(Metric):
    """A sum, or a mean over the values ('sum_over_batch_size') or over their weights ('weighted_mean')."""

    def __init__(self, reduction: str, name: str, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.reduction = reduction
        self.total = self.add_weight("total")
        if reduction != "sum":
            self.count = self.add_weight("count")

    def update_state(self, values: Any, sample_weight: Any = None) -> Any:
        """Adds values, weighted."""
        values = cast(interpreter().convert(values, None), self._dtype)
        if sample_weight is not None:
            sample_weight = cast(interpreter().convert(sample_weight, None), self._dtype)
            values = _reduced_like(
                values, sample_weight, reduce_sum if self.reduction == "sum" else reduce_mean
            )
            weighted = broadcast_weights(values, sample_weight)
        else:
            weighted = values
        updates = [self.total.assign_add(reduce_sum(weighted))]
        if self.reduction != "sum":
            if self.reduction == "sum_over_batch_size" or sample_weight is None:
                count = cast(size(values), self._dtype)
            else:
                ones = values * constant(0.0, values.dtype) + constant(1.0, values.dtype)
                count = reduce_sum(broadcast_weights(ones, sample_weight))
            updates.append(self.count.assign_add(count))
        return group(*[u for u in updates if u is not None])

    def result(self) -> Any:
        """The sum or mean so far."""
        if self.reduction == "sum":
            return self.total.read_value()
        return math.div_no_nan(self.total.read_value(), self.count.read_value())


def _reduced_like(values: Any, weight: Any, reduce: Callable) -> Any:
    """Values reduced over the dimensions that the weights lack, as Keras does."""
    ranks = values.shape.rank, weight.shape.rank
    if None in ranks or not 0 < ranks[1] < ranks[0]:
        return values
    if ranks[0] == ranks[1] + 1 and values.shape.sizes[-1] == 1:
        return values
    return reduce(values, list(range(ranks[1], ranks[0])))


class Sum(Reduce):
    """The sum of values."""

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__("sum", name, dtype)


class Mean(Reduce):
    """The (weighted) mean of values."""

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__("weighted_mean", name, dtype)


class MeanTensor(Metric):
    """The (weighted) mean of tensors of one shape, element by element.

    Raises ValueError for a tensor of another shape than the first.
    """

    def __init__(self, name: str = "mean_tensor", dtype: Any = None, shape: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._shape: tuple[int, ...] | None = None
        if shape is not None:
            self._make(tuple(shape))

    def _make(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self.total = self.add_weight("total", shape=shape)
        self.count = self.add_weight("count", shape=shape)

    def update_state(self, values: Any, sample_weight: Any = None) -> Any:
        """Adds a tensor, weighted."""
        values = cast(interpreter().convert(values, None), self._dtype)
        if self._shape is None:
            self._make(tuple(values.shape.as_list()))
        elif not values.shape.is_compatible_with(self._shape):
            raise ValueError(
                "MeanTensor input values must always have the same shape. Expected shape (set during the "
                f"first call): {self._shape}. Got: {values.shape}."
            )
        ones = values * constant(0.0, values.dtype) + constant(1.0, values.dtype)
        if sample_weight is not None:
            sample_weight = cast(interpreter().convert(sample_weight, None), self._dtype)
            values, ones = (broadcast_weights(t, sample_weight) for t in (values, ones))
        updates = [self.total.assign_add(values), self.count.assign_add(ones)]
        return group(*[u for u in updates if u is not None])

    def result(self) -> Any:
        """The means so far. Raises ValueError before the first tensor."""
        if self._shape is None:
            raise ValueError(
                "MeanTensor does not have any value yet. Please call the MeanTensor instance or use "
                "`.update_state(value)` before retrieving the result."
            )
        return math.div_no_nan(self.total.read_value(), self.count.read_value())

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "shape": self._shape}


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions."""

    def __init__(self, fn: Any, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name or fn.__name__, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Adds the function's values."""
        y_true, y_pred = squeezed(y_true, y_pred)
        return super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal metric."""
        from minitf.keras.utils.generic_utils import get_registered_name

        own = {} if type(self) is not MeanMetricWrapper else {"fn": get_registered_name(self._fn)}
        return {**super().get_config(), **own, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "MeanMetricWrapper":
        """A metric made from what `get_config` returned."""
        from minitf.keras import metrics

        config = dict(config)
        fn = config.pop("fn", None)
        if cls is MeanMetricWrapper:
            return cls(metrics.get(fn), **config)
        return cls(**config)
