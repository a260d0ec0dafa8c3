"""Activation functions of Keras, by name or function."""

from typing import Any

from minitf.keras.utils.generic_utils import deserialize_keras_object
from minitf.ops import activation as ops
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.clip import clip_by_value
from minitf.ops.registry import interpreter
from minitf.ops.softmax import log_softmax as _log_softmax
from minitf.ops.softmax import softmax as _softmax


def _tensor(x: Any) -> Any:
    return interpreter().convert(x, None)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """max(x, 0); with `alpha`, alpha * (x - threshold) below the threshold; cut off at `max_value`."""
    x = _tensor(x)
    if alpha == 0.0 and threshold == 0.0:
        if max_value is None:
            return ops.relu(x)
        if max_value == 6:
            return ops.relu6(x)
    dtype = x.dtype.base_dtype
    if threshold != 0.0:
        above = x * cast(math.greater(x, cast(threshold, dtype)), dtype)
        below = ops.relu(cast(threshold, dtype) - x)
    else:
        above, below = ops.relu(x), ops.relu(-x)
    if max_value is not None:
        above = clip_by_value(above, cast(0.0, dtype), cast(max_value, dtype))
    return above - cast(alpha, dtype) * below if alpha != 0.0 else above


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) over its sum along `axis`. Raises ValueError for vectors."""
    x = _tensor(x)
    if x.shape.rank is not None and x.shape.rank <= 1:
        raise ValueError(f"Cannot apply softmax to a tensor that is 1D. Received input: {x}")
    return _keep_logits(_softmax(x, axis=axis), x)


def _keep_logits(y: Any, x: Any) -> Any:
    """Leaves the input on the output, for losses that are exact with it."""
    if not interpreter().eager:
        y._keras_logits = x
    return y


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of `softmax`."""
    return _log_softmax(_tensor(x), axis=axis)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x above 0, alpha * (exp(x) - 1) below."""
    x = _tensor(x)
    if alpha == 1.0:
        return ops.elu(x)
    return ops.relu(x) - cast(alpha, x.dtype) * ops.relu(-ops.elu(x))


def selu(x: Any) -> Any:
    """Scaled ELU (Klambauer et al. 2017)."""
    return ops.selu(_tensor(x))


def softplus(x: Any) -> Any:
    """log(exp(x) + 1)."""
    return ops.softplus(_tensor(x))


def softsign(x: Any) -> Any:
    """x / (|x| + 1)."""
    return ops.softsign(_tensor(x))


def swish(x: Any) -> Any:
    """x * sigmoid(x)."""
    x = _tensor(x)
    return x * math.sigmoid(x)


silu = swish


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution function at x (Hendrycks and Gimpel 2016)."""
    x = _tensor(x)
    dtype = x.dtype.base_dtype
    half, one = cast(0.5, dtype), cast(1.0, dtype)
    if approximate:
        inner = cast(0.7978845608028654, dtype) * (x + cast(0.044715, dtype) * math.pow(x, cast(3.0, dtype)))
        return half * x * (one + math.tanh(inner))
    return half * x * (one + math.erf(x / cast(1.4142135623730951, dtype)))


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return math.tanh(_tensor(x))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    x = _tensor(x)
    return _keep_logits(math.sigmoid(x), x)


def exponential(x: Any) -> Any:
    """exp(x)."""
    return math.exp(_tensor(x))


def hard_sigmoid(x: Any) -> Any:
    """0.2 * x + 0.5, between 0 and 1."""
    x = _tensor(x)
    dtype = x.dtype.base_dtype
    return clip_by_value(cast(0.2, dtype) * x + cast(0.5, dtype), cast(0.0, dtype), cast(1.0, dtype))


def linear(x: Any) -> Any:
    """x."""
    return x


def mish(x: Any) -> Any:
    """x * tanh(softplus(x)) (Misra 2019)."""
    x = _tensor(x)
    return x * math.tanh(ops.softplus(x))


_FUNCTIONS = {
    f.__name__: f
    for f in (
        relu, softmax, log_softmax, elu, selu, softplus, softsign, swish, gelu, tanh, sigmoid, exponential,
        hard_sigmoid, linear, mish,
    )
} | {"silu": swish}  # fmt: skip
# tf.nn's functions, as a saved model names them.
_NAMES_OF_OPS = {"softmax_v2": "softmax"}


def serialize(activation: Any) -> Any:
    """An activation's name (or config)."""
    name = getattr(activation, "__name__", None)
    if name is not None:
        return _NAMES_OF_OPS.get(name, name)
    from minitf.keras.utils.generic_utils import serialize_keras_object

    return serialize_keras_object(activation)


def deserialize(name: Any, custom_objects: dict | None = None) -> Any:
    """The activation function of that name. Raises ValueError for an unknown one."""
    return deserialize_keras_object(name, _FUNCTIONS, custom_objects, "activation function")


def get(identifier: Any) -> Any:
    """An activation function from a name, config or function; None is `linear`."""
    if identifier is None:
        return linear
    if isinstance(identifier, str | dict):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise TypeError(f"Could not interpret activation function identifier: {identifier}")
