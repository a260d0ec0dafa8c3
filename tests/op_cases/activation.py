"""Activation functions and biases."""

from tests.op_cases import case
from tests.op_cases.draw import FLOATS


def features(draw, **options):
    return {"features": draw.array(**options)}


@case("Relu")
def relu(draw):
    return features(draw)


@case("Relu6")
def relu6(draw):
    return features(draw, low=-7, high=9 if not draw.smooth else 5.9)


@case("LeakyRelu")
def leaky_relu(draw):
    return {**features(draw), "alpha": draw.one_of(0.2, 0.01, 1.5)}


@case(
    "Elu", "Selu", tolerance={"float16": 1e-2},
    reason="TensorFlow takes exp(x) - 1 in float16, ours is exact near 0",
)  # fmt: skip
def exponential_units(draw):
    return features(draw)


@case("Softplus")
def softplus(draw):
    return features(draw, low=-20, high=20)


@case("Softsign")
def softsign(draw):
    return features(draw, low=-20, high=20)


def two(draw, first="gradients", second="features", **options):
    shape = draw.shape()
    return {first: draw.array(shape, special=False), second: draw.array(shape, special=False, **options)}


@case("ReluGrad")
def relu_grad(draw):
    return two(draw)


@case("Relu6Grad")
def relu6_grad(draw):
    return two(draw, low=-5, high=8 if not draw.smooth else 5.9)


@case("LeakyReluGrad")
def leaky_relu_grad(draw):
    return {**two(draw), "alpha": draw.one_of(0.2, 0.01, 1.5)}


@case("EluGrad")
def elu_grad(draw):
    return two(draw, second="outputs", low=-0.95, high=3)


@case("SeluGrad")
def selu_grad(draw):
    return two(draw, second="outputs", low=-1.7, high=3)


@case("SoftplusGrad")
def softplus_grad(draw):
    return two(draw, low=-10, high=10)


@case("SoftsignGrad", reference_gradient=False)
def softsign_grad(draw):
    return two(draw)


@case("BiasAdd", dtypes=FLOATS)
def bias_add(draw):
    first = draw.boolean()
    shape = draw.shape(4, 4) if first else draw.shape(2, 4)
    return {
        "value": draw.array(shape),
        "bias": draw.array((shape[1 if first else -1],)),
        "data_format": "NCHW" if first else "NHWC",
    }


@case(
    "BiasAddGrad", dtypes=FLOATS, tolerance={"float16": 1e-2},
    reason="TensorFlow adds float16 in float16 here and there",
)  # fmt: skip
def bias_add_grad(draw):
    first = draw.boolean()
    return {
        "out_backprop": draw.array(draw.shape(4, 4) if first else draw.shape(2, 4), special=False),
        "data_format": "NCHW" if first else "NHWC",
    }
