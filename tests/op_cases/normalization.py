"""Batch and local response normalization, dropout's kernel, the L2 loss."""

import numpy as np

from tests.op_cases import case

SINGLE = ("float16", "float32")


def vectors(draw, channels, count, low=0.5, high=2):
    return [draw.array((channels,), low, high, "float32", special=False) for _ in range(count)]


def images(draw, data_format):
    """Enough values of each channel that their variance is no matter of rounding."""
    batch, rows, columns, channels = 2, draw.integer(2, 4), draw.integer(2, 4), draw.integer(1, 4)
    shape = (batch, channels, rows, columns) if data_format == "NCHW" else (batch, rows, columns, channels)
    return draw.array(shape, special=False), channels


BATCH_NORM = {
    "tolerance": {"float16": 1e-2, "float32": 1e-4},
    "reason": "sums of squares in float32, taken in another order",
}


def _fused_batch_norm(tf, x, scale, offset, mean, variance, **attrs):
    """On CPUs, TensorFlow leaves the last output unset, in inference the last three."""
    outputs = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=scale, offset=offset, mean=mean, variance=variance, **attrs
    )
    reserves = outputs[3:5] if attrs["is_training"] else [mean, variance]
    return [*outputs[:3], *reserves, tf.constant(0.0)]


@case(
    "FusedBatchNormV3", dtypes=SINGLE, reference=_fused_batch_norm, **BATCH_NORM,
    no_gradient=("mean", "variance"),
)  # fmt: skip
def fused_batch_norm(draw):
    x, channels = images(draw, "NHWC")
    scale, offset, mean, variance = vectors(draw, channels, 4)
    training = draw.boolean() or draw.smooth
    factor = draw.one_of(1.0, 0.25) if training else 1.0
    if training and factor == 1:
        mean = variance = np.zeros(0, np.float32)
    return {
        "x": x, "scale": scale, "offset": offset, "mean": mean, "variance": variance,
        "epsilon": 0.001, "exponential_avg_factor": factor, "is_training": training,
    }  # fmt: skip


def _fused_batch_norm_grad(
    tf, y_backprop, x, scale, reserve_space_1, reserve_space_2, reserve_space_3, **attrs
):
    """TensorFlow's last two outputs are empty."""
    return tf.raw_ops.FusedBatchNormGradV3(
        y_backprop=y_backprop, x=x, scale=scale, reserve_space_1=reserve_space_1,
        reserve_space_2=reserve_space_2, reserve_space_3=reserve_space_3, **attrs,
    )[:3]  # fmt: skip


# A second one TensorFlow works out with the batch's mean held fixed.
@case(
    "FusedBatchNormGradV3", dtypes=SINGLE, reference=_fused_batch_norm_grad, orders=1, **BATCH_NORM,
    no_gradient=("reserve_space_1", "reserve_space_2", "reserve_space_3"),
)  # fmt: skip
def fused_batch_norm_grad(draw):
    x, channels = images(draw, "NHWC")
    wide = x.astype(np.float32).reshape(-1, channels)
    return {
        "y_backprop": draw.array(x.shape, special=False),
        "x": x,
        "scale": vectors(draw, channels, 1)[0],
        "reserve_space_1": wide.mean(0),
        "reserve_space_2": wide.var(0),
        "reserve_space_3": np.zeros((), np.float32),
        "epsilon": 0.001,
        "is_training": draw.boolean(),
    }


@case(
    "LRN", dtypes=SINGLE, tolerance={"float16": 1e-2},
    reason="TensorFlow works in float16 here",
)  # fmt: skip
def lrn(draw):
    return {"input": draw.array(draw.shape(4, 4, min_size=1), special=False), **_response(draw)}


def _response(draw):
    return {
        "depth_radius": draw.integer(1, 3),
        "bias": draw.one_of(1.0, 2.0),
        "alpha": draw.one_of(1.0, 0.1),
        "beta": draw.one_of(0.5, 0.75),
    }


@case(
    "LRNGrad", dtypes=SINGLE, reference_gradient=False, tolerance={"float16": 2e-2},
    reason="TensorFlow works in float16 here",
)  # fmt: skip
def lrn_grad(draw):
    from minitf.kernels.lrn import local_response_normalization

    image = draw.array(draw.shape(4, 4, min_size=1), special=False)
    attrs = _response(draw)
    return {
        "input_grads": draw.array(image.shape, special=False),
        "input_image": image,
        "output_image": local_response_normalization(image, **attrs),
        **attrs,
    }


def _dropout(tf, x, noise, rate, scale):
    return tf.where(noise >= rate, x * scale, tf.zeros_like(x))


@case("Dropout", reference=_dropout, no_gradient=("noise", "rate"))
def dropout(draw):
    shape = draw.shape()
    noise = tuple(draw.one_of(size, 1) for size in shape)
    rate = 0.25
    return {
        "x": draw.array(shape),
        # Far enough from the rate for differences.
        "noise": draw.array(noise, 0.3, 0.9, special=False) * draw.array(noise, 0, 1, "bool"),
        "rate": np.array(rate, draw.dtype),
        "scale": np.array(1 / (1 - rate), draw.dtype),
    }


@case(
    "L2Loss", tolerance={"float16": 1e-2, "float32": 1e-4},
    reason="TensorFlow adds in the order it likes, float16 in float16",
)  # fmt: skip
def l2_loss(draw):
    return {"t": draw.array(special=False)}
