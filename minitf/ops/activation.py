"""Activation functions of neural networks, elementwise."""

import math as pymath
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.kernels import activation as kernels
from minitf.ops import math
from minitf.ops.constants import zeros_like
from minitf.ops.registry import Floating, Real, elementwise, gradient, interpreter, op
from minitf.ops.select import where
from minitf.ops.shape_rules import merge, same_as_input

relu = elementwise("Relu", kernels.relu, features=Real, doc="max(features, 0).")
relu6 = elementwise("Relu6", kernels.relu6, features=Real, doc="min(max(features, 0), 6).")
elu = elementwise("Elu", kernels.elu, features=Floating, doc="x where x > 0, else exp(x) - 1.")
selu = elementwise(
    "Selu", kernels.selu, features=Floating, doc="Scaled ELU: 1.0507 x, or 1.7581 (exp(x) - 1) below 0."
)
softplus = elementwise("Softplus", kernels.softplus, features=Floating, doc="log(exp(features) + 1).")
softsign = elementwise("Softsign", kernels.softsign, features=Floating, doc="x / (|x| + 1).")


def _one_shape(gradients, other, **_attrs):
    return merge(gradients.shape, other.shape)


def _backward(name: str, kernel: Any, second: str, doc: str, types: Any = Floating) -> Any:
    return elementwise(name, kernel, doc=doc, shape=_one_shape, **{"gradients": types, second: types})


_relu_grad = _backward(
    "ReluGrad", kernels.relu_grad, "features", "Gradients where features > 0, else 0.", Real
)
_relu6_grad = _backward(
    "Relu6Grad", kernels.relu6_grad, "features", "Gradients where 0 < features < 6, else 0.", Real
)
_elu_grad = _backward("EluGrad", kernels.elu_grad, "outputs", "Gradients through Elu, from its outputs.")
_selu_grad = _backward("SeluGrad", kernels.selu_grad, "outputs", "Gradients through Selu, from its outputs.")
_softplus_grad = _backward(
    "SoftplusGrad", kernels.softplus_grad, "features", "Gradients times sigmoid(features)."
)
_softsign_grad = _backward(
    "SoftsignGrad", kernels.softsign_grad, "features", "Gradients over (1 + |features|) squared."
)


def _prepare_leaky(node):
    alpha = node.attrs["alpha"]
    return lambda features, out=None: kernels.leaky_relu(features, alpha, out)


@op("LeakyRelu", shape=same_as_input, elementwise=True, prepare=_prepare_leaky)
def _leaky_relu(features: Floating, *, alpha=0.2, out=None) -> Floating:
    """Features where they are above 0, else alpha times them."""
    return kernels.leaky_relu(features, alpha, out)


def _prepare_leaky_grad(node):
    alpha = node.attrs["alpha"]
    return lambda gradients, features, out=None: kernels.leaky_relu_grad(gradients, features, alpha, out)


@op("LeakyReluGrad", shape=_one_shape, elementwise=True, prepare=_prepare_leaky_grad)
def _leaky_relu_grad(gradients: Floating, features: Floating, *, alpha=0.2, out=None) -> Floating:
    """Gradients where features > 0, else alpha times them."""
    return kernels.leaky_relu_grad(gradients, features, alpha, out)


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Any:
    """Features where they are above 0, else `alpha` times them (a number or a scalar tensor)."""
    current = interpreter()
    with current.name_scope(name or "LeakyRelu") as scope:
        features = current.convert(features, None, None, "features")
        if features.dtype.is_integer:
            from minitf.ops.array import cast

            features = cast(features, dtypes.float32)
        if isinstance(alpha, int | float | np.number):
            return _leaky_relu(features, alpha=float(alpha), name=scope)
        return math.maximum(alpha * features, features, name=scope)


def crelu(features: Any, name: str | None = None, axis: int = -1) -> Any:
    """relu of features and of their negatives, side by side along `axis`, which doubles in size."""
    from minitf.ops.join import concat

    with interpreter().name_scope(name or "CRelu") as scope:
        features = interpreter().convert(features, None, None, "features")
        return relu(concat([features, -features], axis, name=scope))


def swish(features: Any, beta: Any = 1.0) -> Any:
    """features * sigmoid(beta * features)."""
    current = interpreter()
    features = current.convert(features, None, None, "features")
    beta = current.convert(beta, features.dtype.base_dtype, None, "beta")
    return features * math.sigmoid(beta * features)


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
    """x times the chance that a standard normal number is below x (Hendrycks and Gimpel, 2016).

    With `approximate`, by their formula with tanh.
    """
    current = interpreter()
    with current.name_scope(name or "Gelu"):
        features = current.convert(features, None, dtypes.float32, "features")
        if not features.dtype.is_floating:
            raise ValueError(f"`features.dtype` must be a floating point tensor. Received: {features.dtype}")
        number = features.dtype.base_dtype.numpy_dtype.type
        if approximate:
            cubed = math.pow(features, number(3))
            inner = number(pymath.sqrt(2 / pymath.pi)) * (features + number(0.044715) * cubed)
            return number(0.5) * features * (number(1) + math.tanh(inner))
        return number(0.5) * features * math.erfc(-features * number(pymath.sqrt(0.5)))


# --- gradients ---------------------------------------------------------------------------------------


@gradient(relu)
def _relu_gradient(op, grad):
    return _relu_grad(grad, op.outputs[0])


@gradient(relu6)
def _relu6_gradient(op, grad):
    return _relu6_grad(grad, op.outputs[0])


@gradient(_relu_grad)
def _relu_grad_gradient(op, grad):
    return [_relu_grad(grad, op.inputs[1]), zeros_like(op.inputs[1])]


@gradient(_relu6_grad)
def _relu6_grad_gradient(op, grad):
    return [_relu6_grad(grad, op.inputs[1]), zeros_like(op.inputs[1])]


@gradient(_leaky_relu)
def _leaky_relu_gradient(op, grad):
    return _leaky_relu_grad(grad, op.inputs[0], alpha=op.attrs["alpha"])


@gradient(_leaky_relu_grad)
def _leaky_relu_grad_gradient(op, grad):
    features = op.inputs[1]
    return [_leaky_relu_grad(grad, features, alpha=op.attrs["alpha"]), zeros_like(features)]


@gradient(elu)
def _elu_gradient(op, grad):
    return _elu_grad(grad, op.outputs[0])


@gradient(selu)
def _selu_gradient(op, grad):
    return _selu_grad(grad, op.outputs[0])


@gradient(_elu_grad)
def _elu_grad_gradient(op, grad):
    return _through_outputs(op, grad, _elu_grad)


@gradient(_selu_grad)
def _selu_grad_gradient(op, grad):
    return _through_outputs(op, grad, _selu_grad)


def _through_outputs(op, grad, backward):
    """Both slopes grow with the outputs below 0, one to one, and are constant above."""
    gradients, outputs = op.inputs
    below = math.less(outputs, _number(0, outputs))
    return [backward(grad, outputs), where(below, grad * gradients, zeros_like(outputs))]


@gradient(softplus)
def _softplus_gradient(op, grad):
    return _softplus_grad(grad, op.inputs[0])


@gradient(_softplus_grad)
def _softplus_grad_gradient(op, grad):
    gradients, x = op.inputs
    curvature = math.exp(-x) + _number(2, x) + math.exp(x)
    return [_softplus_grad(grad, x), math.real_divide(grad * gradients, curvature)]


@gradient(softsign)
def _softsign_gradient(op, grad):
    return _softsign_grad(grad, op.inputs[0])


@gradient(_softsign_grad)
def _softsign_grad_gradient(op, grad):
    gradients, x = op.inputs
    scale = math.abs(x) + _number(1, x)
    slope = math.real_divide(_number(-2, x) * math.sign(x), scale * math.square(scale))
    return [_softsign_grad(grad, x), grad * gradients * slope]


def _number(value: float, like: Any) -> np.ndarray:
    return np.asarray(value, like.dtype.base_dtype.numpy_dtype)
