"""Activation functions with settings or weights of their own, as layers."""

from typing import Any

from minitf.framework.shapes import TensorShape
from minitf.keras import activations, constraints, initializers, regularizers
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.ops import math
from minitf.ops.activation import leaky_relu, relu
from minitf.ops.array import cast
from minitf.ops.constants import constant
from minitf.ops.reduce_more import reduce_logsumexp
from minitf.ops.select import where_v2


class _Elementwise(Layer):
    """Base: one setting, a number."""

    _setting = "alpha"

    def __init__(self, value: Any, kwargs: dict[str, Any]) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        setattr(self, self._setting, float(value))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), self._setting: getattr(self, self._setting)}


class LeakyReLU(_Elementwise):
    """x where it is positive, else alpha * x. Raises ValueError when alpha is None."""

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        if alpha is None:
            raise ValueError(
                f"The alpha value of a Leaky ReLU layer cannot be None, Expecting a float. Received: {alpha}"
            )
        super().__init__(alpha, kwargs)

    def call(self, inputs: Any) -> Any:
        """Element by element."""
        return leaky_relu(inputs, alpha=self.alpha)


class ELU(_Elementwise):
    """x where it is positive, else alpha * (exp(x) - 1). Raises ValueError when alpha is None."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        if alpha is None:
            raise ValueError(f"Alpha of an ELU layer cannot be None, expecting a float. Received: {alpha}")
        super().__init__(alpha, kwargs)

    def call(self, inputs: Any) -> Any:
        """Element by element."""
        return activations.elu(inputs, self.alpha)


class ThresholdedReLU(_Elementwise):
    """x where it is above theta, else 0. Raises ValueError when theta is None or negative."""

    _setting = "theta"

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        if theta is None:
            raise ValueError(
                f"Theta of a Thresholded ReLU layer cannot be None, expecting a float. Received: {theta}"
            )
        if theta < 0:
            raise ValueError(f"The theta value of a Thresholded ReLU layer should be >=0. Received: {theta}")
        super().__init__(theta, kwargs)

    def call(self, inputs: Any) -> Any:
        """Element by element."""
        return inputs * cast(math.greater(inputs, cast(self.theta, inputs.dtype)), inputs.dtype)


class ReLU(Layer):
    """x where it is at least `threshold`, at most `max_value`; below, negative_slope * (x - threshold).

    Raises ValueError for negative settings.
    """

    def __init__(
        self, max_value: Any = None, negative_slope: Any = 0.0, threshold: Any = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        given = {"max_value": max_value, "negative_slope": negative_slope, "threshold": threshold}
        for name, value in given.items():
            if value is None and name != "max_value" or value is not None and value < 0.0:
                raise ValueError(f"{name} of a ReLU layer cannot be a negative value. Received: {value}")
        self.supports_masking = True
        self.max_value = None if max_value is None else float(max_value)
        self.negative_slope, self.threshold = float(negative_slope), float(threshold)

    def call(self, inputs: Any) -> Any:
        """Element by element."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(), "max_value": self.max_value, "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }  # fmt: skip


class Softmax(Layer):
    """exp(x) over its sum along `axis` (one or several); where a mask is False the result is 0."""

    def __init__(self, axis: Any = -1, robust_masking: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = list(axis) if isinstance(axis, tuple) else axis
        self.robust_masking = robust_masking

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The shares along the axis."""
        if mask is not None:
            lowest = constant(-65504.0 if inputs.dtype.name == "float16" else -1e9, inputs.dtype.base_dtype)
            if self.robust_masking:
                inputs = where_v2(cast(mask, "bool"), inputs, lowest)
            else:
                inputs = inputs + (constant(1, inputs.dtype.base_dtype) - cast(mask, inputs.dtype)) * lowest
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        if len(axes) > 1:
            return math.exp(inputs - reduce_logsumexp(inputs, axis=axes, keepdims=True))
        return activations.softmax(inputs, axes[0])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        config = {**super().get_config(), "axis": self.axis}
        return {**config, "robust_masking": True} if self.robust_masking else config


class PReLU(Layer):
    """x where it is positive, else alpha * x with a learned alpha for each feature (He et al. 2015).

    Along `shared_axes` (the batch is axis 0) one alpha serves for all.
    """

    def __init__(
        self, alpha_initializer: Any = "zeros", alpha_regularizer: Any = None, alpha_constraint: Any = None,
        shared_axes: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if isinstance(shared_axes, int):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)

    def build(self, input_shape: Any) -> None:
        """Makes alpha."""
        sizes = TensorShape(input_shape).as_list()
        shared = self.shared_axes or []
        self.alpha = self.add_weight(
            "alpha", tuple(1 if i in shared else n for i, n in enumerate(sizes) if i),
            initializer=self.alpha_initializer, regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )  # fmt: skip
        axes = {i: n for i, n in enumerate(sizes) if i and i not in shared} if shared else {}
        self.input_spec = InputSpec(ndim=len(sizes), axes=axes)
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Element by element."""
        return relu(inputs) - self.alpha * relu(-inputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
