"""Batch and layer normalisation."""

from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.keras import constraints, initializers, regularizers
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.training_switch import in_training
from minitf.ops.array import cast, reshape
from minitf.ops.constants import constant
from minitf.ops.norm import batch_normalization, moments
from minitf.ops.norm_fused import fused_batch_norm
from minitf.ops.registry import interpreter


class _Scaled(Layer):
    """Base: gamma and beta and their settings."""

    _weights_named = ("beta", "gamma")

    def _set(self, settings: dict[str, Any]) -> None:
        for name in self._weights_named:
            for kind, module in (
                ("initializer", initializers), ("regularizer", regularizers), ("constraint", constraints),
            ):  # fmt: skip
                key = f"{name}_{kind}"
                setattr(self, key, module.get(settings.get(key)))

    def _parameter(self, name: str, sizes: tuple[int, ...]) -> Any:
        return self.add_weight(
            name, sizes, initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"), constraint=getattr(self, f"{name}_constraint"),
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        config = super().get_config()
        for name in self._weights_named:
            config[f"{name}_initializer"] = initializers.serialize(getattr(self, f"{name}_initializer"))
            config[f"{name}_regularizer"] = regularizers.serialize(getattr(self, f"{name}_regularizer"))
            config[f"{name}_constraint"] = constraints.serialize(getattr(self, f"{name}_constraint"))
        return config


class BatchNormalization(_Scaled):
    """Normalises each channel over the batch (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167).

    In training by the batch's own mean and variance, which are averaged with `momentum` for inference. A
    layer that is not trainable works as in inference.
    """

    def __init__(
        self, axis: Any = -1, momentum: float = 0.99, epsilon: float = 1e-3, center: bool = True,
        scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros", moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
        gamma_constraint: Any = None, renorm: bool = False, virtual_batch_size: Any = None,
        fused: bool | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        for name in ("renorm_clipping", "renorm_momentum", "adjustment"):
            if kwargs.pop(name, None) not in (None, 0.99):
                raise NotImplementedError(f"BatchNormalization: {name} is not supported")
        kwargs.pop("mode", None)  # Keras 1
        super().__init__(**kwargs)
        if renorm or virtual_batch_size is not None:
            raise NotImplementedError("BatchNormalization: renorm and virtual_batch_size are not supported")
        self.axis = list(axis) if isinstance(axis, list | tuple) else [axis]
        if len(self.axis) != 1:
            raise NotImplementedError("BatchNormalization over several axes is not supported")
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale
        self._set(locals())
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes gamma, beta and the moving averages."""
        sizes = TensorShape(input_shape).as_list()
        axis = self.axis[0] % len(sizes)
        if sizes[axis] is None:
            raise ValueError(
                f"Input has undefined `axis` dimension. Received input with shape {tuple(sizes)}."
            )
        self.axis = [axis]
        self._size = sizes[axis]
        shape = (sizes[axis],)
        self.input_spec = InputSpec(ndim=len(sizes), axes={axis: sizes[axis]})
        self.gamma = self._parameter("gamma", shape) if self.scale else None
        self.beta = self._parameter("beta", shape) if self.center else None
        self.moving_mean = self.add_weight(
            "moving_mean", shape, initializer=self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            "moving_variance", shape, initializer=self.moving_variance_initializer, trainable=False
        )
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Normalises."""
        if not self.trainable:
            training = False
        return in_training(training, lambda: self._train(inputs), lambda: self._infer(inputs))

    def _is_image(self, inputs: Any) -> bool:
        return inputs.shape.rank == 4 and self.axis[0] in (1, 3)

    def _train(self, inputs: Any) -> Any:
        dtype = inputs.dtype
        if self._is_image(inputs):
            gamma = self.gamma if self.scale else constant(np.ones(self._size), dtype)
            beta = self.beta if self.center else constant(np.zeros(self._size), dtype)
            outputs, mean, variance = fused_batch_norm(
                inputs, gamma, beta, epsilon=self.epsilon,
                data_format="NHWC" if self.axis[0] == 3 else "NCHW", is_training=True,
            )  # fmt: skip
        else:
            others = [i for i in range(inputs.shape.rank) if i != self.axis[0]]
            mean, variance = moments(inputs, others)
            outputs = self._normalize(inputs, mean, variance)
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            rate = cast(1.0 - self.momentum, average.dtype)
            average.assign_sub((average.read_value() - cast(value, average.dtype)) * rate)
        return outputs

    def _infer(self, inputs: Any) -> Any:
        if self._is_image(inputs):
            dtype = inputs.dtype
            outputs, _, _ = fused_batch_norm(
                inputs, self.gamma if self.scale else constant(np.ones(self._size), dtype),
                self.beta if self.center else constant(np.zeros(self._size), dtype),
                mean=self.moving_mean, variance=self.moving_variance, epsilon=self.epsilon,
                data_format="NHWC" if self.axis[0] == 3 else "NCHW", is_training=False,
            )  # fmt: skip
            return outputs
        return self._normalize(inputs, self.moving_mean.read_value(), self.moving_variance.read_value())

    def _normalize(self, inputs: Any, mean: Any, variance: Any) -> Any:
        sizes = [1] * inputs.shape.rank
        sizes[self.axis[0]] = self._size
        last = self.axis[0] == inputs.shape.rank - 1

        def spread(value):
            if value is None:
                return None
            value = interpreter().convert(value, None)
            return value if last else reshape(value, sizes)

        return batch_normalization(
            inputs, spread(mean), spread(variance), spread(self.beta), spread(self.gamma), self.epsilon
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(), "axis": self.axis, "momentum": self.momentum, "epsilon": self.epsilon,
            "center": self.center, "scale": self.scale,
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
        }  # fmt: skip


class LayerNormalization(_Scaled):
    """Normalises each sample over `axis` (Ba et al. 2016, https://arxiv.org/abs/1607.06450)."""

    def __init__(
        self, axis: Any = -1, epsilon: float = 1e-3, center: bool = True, scale: bool = True,
        beta_initializer: Any = "zeros", gamma_initializer: Any = "ones", beta_regularizer: Any = None,
        gamma_regularizer: Any = None, beta_constraint: Any = None, gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, list | tuple) else axis
        self.epsilon, self.center, self.scale = epsilon, center, scale
        self._set(locals())
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes gamma and beta."""
        sizes = TensorShape(input_shape).as_list()
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        self._axes = [a % len(sizes) for a in axes]
        if any(not -len(sizes) <= a < len(sizes) for a in axes) or len(set(self._axes)) != len(axes):
            raise ValueError(f"Invalid value for `axis` argument. Received: axis={self.axis}")
        self.axis = list(self._axes)
        shape = tuple(sizes[a] for a in self._axes)
        self._spread = [sizes[i] if i in self._axes else 1 for i in range(len(sizes))]
        self.gamma = self._parameter("gamma", shape) if self.scale else None
        self.beta = self._parameter("beta", shape) if self.center else None
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Normalises."""
        mean, variance = moments(inputs, self._axes, keep_dims=True)
        gamma, beta = (
            None if w is None else reshape(interpreter().convert(w, None), self._spread)
            for w in (self.gamma, self.beta)
        )
        return batch_normalization(inputs, mean, variance, beta, gamma, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(), "axis": self.axis, "epsilon": self.epsilon, "center": self.center,
            "scale": self.scale,
        }  # fmt: skip
