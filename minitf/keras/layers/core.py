"""Layers of everyday use: Dense, Activation, Dropout and those that change shapes."""

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.graph.operation import Tensor
from minitf.keras import activations, constraints, initializers, regularizers
from minitf.keras.engine import state
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.training_switch import in_training
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, identity, reshape, shape, transpose
from minitf.ops.bias import bias_add
from minitf.ops.dropout import dropout
from minitf.ops.einsum import tensordot
from minitf.ops.join import stack
from minitf.ops.linalg import matmul
from minitf.ops.reduce import reduce_any
from minitf.ops.tile import tile


class Dense(Layer):
    """activation(inputs @ kernel + bias) over the last dimension.

    Raises ValueError when `units` is not positive or the last dimension is not known.
    """

    def __init__(
        self,
        units: Any = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        units = kwargs.pop("output_dim", units)  # Keras 1
        kernel_initializer = kwargs.pop("init", kernel_initializer)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units) if not isinstance(units, int) else units
        if self.units <= 0:
            raise ValueError(
                f"Received an invalid value for `units`, expected a positive integer. Received: units={units}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Makes kernel and bias."""
        size = TensorShape(input_shape).as_list()[-1]
        if size is None:
            raise ValueError(
                "The last dimension of the inputs to a Dense layer should be defined. Found None. Full input "
                f"shape received: {input_shape}"
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.kernel = self.add_weight(
            "kernel", (size, self.units), initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                "bias", (self.units,), initializer=self.bias_initializer,
                regularizer=self.bias_regularizer, constraint=self.bias_constraint,
            )  # fmt: skip
        self.built = True

    def call(self, inputs: Any) -> Any:
        """(…, size) → (…, units)."""
        if inputs.shape.rank in (2, None):
            outputs = matmul(inputs, self.kernel)
        else:
            outputs = tensordot(inputs, self.kernel, [[inputs.shape.rank - 1], [0]])
            outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        if self.use_bias:
            outputs = bias_add(outputs, self.bias)
        return self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }


class Activation(Layer):
    """An activation function as a layer."""

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """activation(inputs)."""
        return self.activation(inputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class Dropout(Layer):
    """Sets a share `rate` of the inputs to 0 in training and scales the rest up by 1 / (1 - rate)."""

    def __init__(self, rate: Any, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        rate = kwargs.pop("p", rate)
        super().__init__(**kwargs)
        if isinstance(rate, int | float) and not 0 <= rate <= 1:
            raise ValueError(f"Invalid value {rate} received for `rate`, expected a value between 0 and 1.")
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed
        self.supports_masking = True

    def _noise_shape(self, inputs: Any) -> Any:
        if self.noise_shape is None:
            return None
        sizes = shape(inputs)
        return stack([sizes[i] if n is None else n for i, n in enumerate(self.noise_shape)])

    def call(self, inputs: Any, training: Any = None) -> Any:
        """The inputs, some dropped in training."""
        if self.rate == 0:
            return identity(inputs)
        return in_training(
            training,
            lambda: dropout(inputs, rate=self.rate, noise_shape=self._noise_shape(inputs), seed=self.seed),
            lambda: identity(inputs),
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed,
        }  # fmt: skip


class _SpatialDropout(Dropout):
    """Drops whole feature maps."""

    _rank = 1

    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.data_format = data_format or (state.image_data_format() if self._rank > 1 else "channels_last")
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                f'`data_format` must be "channels_last" or "channels_first". Received: '
                f"data_format={data_format}."
            )
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _noise_shape(self, inputs: Any) -> Any:
        sizes = shape(inputs)
        ones = [1] * self._rank
        if self.data_format == "channels_first":
            return stack([sizes[0], sizes[1], *ones])
        return stack([sizes[0], *ones, sizes[self._rank + 1]])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        config = super().get_config()
        return config if self._rank == 1 else {**config, "data_format": self.data_format}


class SpatialDropout1D(_SpatialDropout):
    """Drops whole feature maps of (batch, steps, channels)."""


class SpatialDropout2D(_SpatialDropout):
    """Drops whole feature maps of images."""

    _rank = 2


class SpatialDropout3D(_SpatialDropout):
    """Drops whole feature maps of volumes."""

    _rank = 3


class Flatten(Layer):
    """All dimensions but the batch as one."""

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format or state.image_data_format()
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """(batch, …) → (batch, product of …)."""
        rank = inputs.shape.rank
        if self.data_format == "channels_first" and rank is not None and rank > 1:
            inputs = transpose(inputs, [0, *range(2, rank), 1])
        if rank == 1:
            return expand_dims(inputs, 1)
        sizes = inputs.shape.as_list()[1:]
        if None not in sizes:
            return reshape(inputs, [-1, int(np.prod(sizes))])
        return reshape(inputs, stack([shape(inputs)[0], -1]))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """The same elements as (batch, *target_shape); one size may be -1.

    Raises ValueError when the number of elements does not fit.
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(int(n) for n in target_shape)

    def _target(self, sizes: list[Any]) -> tuple:
        if None in sizes:
            return self.target_shape
        count, known = int(np.prod(sizes)), int(np.prod([n for n in self.target_shape if n != -1]))
        message = (
            f"total size of new array must be unchanged, input_shape = {sizes}, output_shape = "
            f"{list(self.target_shape)}"
        )
        if self.target_shape.count(-1) > 1:
            raise ValueError(
                f"There must be at most one unknown dimension in output_shape. Received: "
                f"output_shape={list(self.target_shape)}."
            )
        if -1 in self.target_shape:
            if known == 0 or count % known:
                raise ValueError(message)
            return tuple(count // known if n == -1 else n for n in self.target_shape)
        if count != known:
            raise ValueError(message)
        return self.target_shape

    def call(self, inputs: Any) -> Any:
        """(batch, …) → (batch, *target_shape)."""
        target = self._target(inputs.shape.as_list()[1:])
        if -1 in target:
            return reshape(inputs, stack([shape(inputs)[0], *target]))
        return reshape(inputs, [-1, *target])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """The dimensions (counted from 1, without the batch) in the order `dims`."""

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
                f"consecutive and start from 1. Received dims={dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """Transposes."""
        return transpose(inputs, [0, *self.dims])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """(batch, features) → (batch, n, features)."""

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(n, int):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """Repeats."""
        return tile(expand_dims(inputs, 1), [1, self.n, 1])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "n": self.n}


class Masking(Layer):
    """Masks the time steps whose features all equal `mask_value`."""

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.mask_value = mask_value

    def _kept(self, inputs: Any, keepdims: bool) -> Any:
        return reduce_any(math.not_equal(inputs, cast(self.mask_value, inputs.dtype)), -1, keepdims=keepdims)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where a step counts."""
        return self._kept(inputs, False)

    def call(self, inputs: Any) -> Any:
        """The inputs, 0 where masked."""
        return inputs * cast(self._kept(inputs, True), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "mask_value": self.mask_value}


class ActivityRegularization(Layer):
    """Passes its inputs on and adds a penalty on them to the loss."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.supports_masking = True
        self.l1, self.l2 = l1, l2

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "l1": self.l1, "l2": self.l2}


class Lambda(Layer):
    """A function as a layer. `arguments` are further keywords for it."""

    def __init__(
        self,
        function: Callable,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.arguments = arguments or {}
        self._mask = mask
        self._output_shape = output_shape
        self.supports_masking = mask is not None
        code = getattr(function, "__code__", None)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        self._takes = {name for name in ("mask", "training") if name in names}

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        """function(inputs)."""
        given = {"mask": mask, "training": training}
        keywords = {name: given[name] for name in self._takes}
        result = self.function(inputs, **{**self.arguments, **keywords})
        if isinstance(self._output_shape, tuple | list) and isinstance(result, Tensor):
            result.set_shape(
                [inputs.shape.as_list()[0] if isinstance(inputs, Tensor) else None, *self._output_shape]
            )
        return result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What `mask` says: a mask, or a function of inputs and mask."""
        return self._mask(inputs, mask) if callable(self._mask) else self._mask

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer; the function as marshalled code."""
        from minitf.keras.utils.function_code import dump_function

        is_lambda = isinstance(self.function, types.LambdaType)  # any function written in Python
        return {
            **super().get_config(),
            "function": dump_function(self.function) if is_lambda else self.function.__name__,
            "function_type": "lambda" if is_lambda else "function",
            "module": self.function.__module__,
            "output_shape": None if callable(self._output_shape) else self._output_shape,
            "output_shape_type": "raw",
            "output_shape_module": None,
            "arguments": self.arguments,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Lambda":
        """A layer made from what `get_config` returned. Code in it is run: trust its source."""
        from minitf.keras.utils.function_code import load_function
        from minitf.keras.utils.generic_utils import deserialize_keras_object

        config = dict(config)
        kind = config.pop("function_type", "function")
        module = config.pop("module", None)
        for name in ("output_shape_type", "output_shape_module"):
            config.pop(name, None)
        function = config["function"]
        if kind == "lambda":
            config["function"] = load_function(function)
            config["function"].__module__ = module
        else:
            config["function"] = deserialize_keras_object(
                function, None, custom_objects, "function in Lambda layer"
            )
        return cls(**config)
