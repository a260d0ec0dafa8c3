"""Batch normalization."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import as_shape
from minitf.graph.scopes import name_scope
from minitf.graph.variables import Variable
from minitf.layers.base import InputSpec, Layer
from minitf.layers.training import choose, known
from minitf.ops.array import cast, reshape
from minitf.ops.initializers import ones_initializer, zeros_initializer
from minitf.ops.norm import batch_normalization as normalize
from minitf.ops.norm import moments
from minitf.ops.norm_fused import fused_batch_norm
from minitf.ops.registry import interpreter

_ZEROS, _ONES = zeros_initializer(), ones_initializer()
_FUSED_FORMATS = {1: "NCHW", 3: "NHWC"}


class BatchNormalization(Layer):
    """(inputs - mean) / sqrt(variance + epsilon) · gamma + beta, for each index along `axis`.

    While training, mean and variance are the batch's, and the layer's `updates` move `moving_mean` and
    `moving_variance` towards them, by 1 - `momentum` each time; run these ops (the collection
    `tf.GraphKeys.UPDATE_OPS`) with the training step. In use, the moving ones are taken. `scale` and `center`
    say whether there are a `gamma` and a `beta`. `axis` is one dimension or several.

    `fused` asks for one op that does it all, for images with channels at 1 or 3 (default: where it can be);
    its moving variance is the unbiased one, as in TensorFlow. `renorm`, `virtual_batch_size` and
    `adjustment` are not supported (NotImplementedError).
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = _ZEROS,
        gamma_initializer: Any = _ONES,
        moving_mean_initializer: Any = _ZEROS,
        moving_variance_initializer: Any = _ONES,
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Callable | None = None,
        gamma_constraint: Callable | None = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Callable | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, **kwargs)
        given = {"renorm": renorm, "virtual_batch_size": virtual_batch_size, "adjustment": adjustment}
        for argument, value in given.items():
            if value:
                raise NotImplementedError(f"BatchNormalization: {argument} is not supported")
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint
        self.fused = fused

    def build(self, input_shape: Any) -> None:
        """Makes gamma, beta and the moving moments for inputs of that shape."""
        input_shape = as_shape(input_shape)
        rank = input_shape.rank
        if rank is None:
            raise ValueError("Input has undefined rank.")
        axes = self.axis if isinstance(self.axis, list | tuple) else [self.axis]
        self._axes = [axis + rank if axis < 0 else axis for axis in axes]
        if any(not 0 <= axis < rank for axis in self._axes):
            raise ValueError(
                "Invalid value for `axis` argument. Expected 0 <= axis < inputs.rank (with "
                f"inputs.rank={rank}). Received: axis={tuple(axes)}"
            )
        if len(set(self._axes)) < len(self._axes):
            raise ValueError(f"Duplicate axis: {tuple(axes)}")
        sizes = [input_shape.sizes[axis] for axis in self._axes]
        if None in sizes:
            raise ValueError(
                f"Input has undefined `axis` dimension. Received input with shape {input_shape}."
            )
        self.input_spec = InputSpec(ndim=rank, axes=dict(zip(self._axes, sizes, strict=True)))
        self._fuses = self._can_fuse(rank)
        # One size per channel; of several axes, those of the input with 1 elsewhere.
        whole = [input_shape.sizes[axis] if axis in self._axes else 1 for axis in range(rank)]
        self._parameter_shape = whole if len(self._axes) > 1 else sizes
        self._broadcast_shape = None if len(self._axes) > 1 or self._axes == [rank - 1] else whole
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self._parameter(
                "gamma", self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint
            )
        if self.center:
            self.beta = self._parameter(
                "beta", self.beta_initializer, self.beta_regularizer, self.beta_constraint
            )
        self.moving_mean = self._parameter("moving_mean", self.moving_mean_initializer, trainable=False)
        self.moving_variance = self._parameter(
            "moving_variance", self.moving_variance_initializer, trainable=False
        )
        self.built = True

    def _can_fuse(self, rank: int) -> bool:
        images = rank == 4 and len(self._axes) == 1 and self._axes[0] in _FUSED_FORMATS
        possible = images and self.dtype != dtypes.float64
        if self.fused and not possible:
            raise ValueError(
                "Passing `fused=True` is only supported when the input is 4D and `axis` is 1 or 3. "
                f"Received: axis={self.axis}, input rank {rank}"
            )
        return possible if self.fused is None else self.fused

    def _parameter(
        self,
        name: str,
        initializer: Any,
        regularizer: Any = None,
        constraint: Callable | None = None,
        trainable: bool = True,
    ) -> Variable:
        # The moments of half-precision inputs are float32.
        dtype = dtypes.float32 if self.dtype in (None, dtypes.float16) else self.dtype
        return self.add_weight(
            name, self._parameter_shape, dtype, initializer, regularizer, trainable, constraint
        )

    def call(self, inputs: Any, training: Any = False) -> Any:
        """The normalized `inputs`: by the batch's moments if `training` (a bool, or a bool tensor)."""
        return (self._fused if self._fuses else self._by_steps)(inputs, training)

    def _fused(self, inputs: Any, training: Any) -> Any:
        size = self._parameter_shape
        options = {"epsilon": self.epsilon, "data_format": _FUSED_FORMATS[self._axes[0]]}
        scale = np.ones(size, self._moment_type) if self.gamma is None else self.gamma
        offset = np.zeros(size, self._moment_type) if self.beta is None else self.beta
        moving = {"mean": self.moving_mean, "variance": self.moving_variance}
        outputs, mean, variance = choose(
            training,
            lambda: list(fused_batch_norm(inputs, scale, offset, is_training=True, **options)),
            lambda: list(fused_batch_norm(inputs, scale, offset, is_training=False, **moving, **options)),
        )
        self._update(mean, variance, training)
        return outputs

    def _by_steps(self, inputs: Any, training: Any) -> Any:
        axes = [axis for axis in range(inputs.shape.rank) if axis not in self._axes]
        several = len(self._axes) > 1
        mean, variance = choose(
            training,
            lambda: list(moments(cast(inputs, self._moment_type), axes, keep_dims=several)),
            lambda: [self.moving_mean.value(), self.moving_variance.value()],
        )
        self._update(mean, variance, training)
        parameters = (mean, variance, self.beta, self.gamma)
        return normalize(inputs, *[self._broadcast(x, inputs.dtype) for x in parameters], self.epsilon)

    @property
    def _moment_type(self) -> Any:
        return self.moving_mean.dtype.base_dtype.numpy_dtype

    def _broadcast(self, parameter: Any, dtype: Any) -> Any:
        if parameter is None:
            return None
        parameter = cast(parameter, dtype)
        return parameter if self._broadcast_shape is None else reshape(parameter, self._broadcast_shape)

    def _update(self, mean: Any, variance: Any, training: Any) -> None:
        if known(training) is False:
            return
        # In use nothing moves: a momentum of 1.
        momentum = choose(training, lambda: self.momentum, lambda: 1.0)
        moved = [(self.moving_mean, mean), (self.moving_variance, variance)]
        self.add_update([_moved(variable, value, momentum).op for variable, value in moved])


def _moved(variable: Variable, value: Any, momentum: Any) -> Any:
    """The op that moves `variable` towards `value` by 1 - momentum."""
    with name_scope("AssignMovingAvg") as scope:
        dtype = variable.dtype.base_dtype
        decay = cast(interpreter().convert(1.0 - momentum, None, None, "decay"), dtype)
        change = (variable - cast(value, dtype)) * decay
        return variable.assign_sub(change, name=scope)


def batch_normalization(
    inputs: Any,
    axis: Any = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Any = _ZEROS,
    gamma_initializer: Any = _ONES,
    moving_mean_initializer: Any = _ZEROS,
    moving_variance_initializer: Any = _ONES,
    beta_regularizer: Any = None,
    gamma_regularizer: Any = None,
    beta_constraint: Callable | None = None,
    gamma_constraint: Callable | None = None,
    training: Any = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: bool | None = None,
    renorm: bool = False,
    renorm_clipping: Any = None,
    renorm_momentum: float = 0.99,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    adjustment: Callable | None = None,
) -> Any:
    """`inputs` normalized over all dimensions but `axis`. See `BatchNormalization`.

    With `training`, run the ops in the collection `tf.GraphKeys.UPDATE_OPS` with the training step.
    """
    layer = BatchNormalization(
        axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer,
        moving_mean_initializer, moving_variance_initializer, beta_regularizer, gamma_regularizer,
        beta_constraint, gamma_constraint, renorm, renorm_clipping, renorm_momentum, fused, trainable,
        virtual_batch_size, adjustment, name, _scope=name, _reuse=reuse,
    )  # fmt: skip
    return layer(inputs, training=training)
