"""Pooling in two and three dimensions, and its gradients.

TensorFlow's gradients of a maximum take the maximum itself, ours the place that it came from; the references
translate.
"""

import numpy as np

from minitf.framework import dtypes
from minitf.kernels import pool, volume
from tests.op_cases import case
from tests.op_cases.draw import FLOATS

HALF = {"tolerance": {"float16": 1e-2}, "reason": "TensorFlow adds float16 in float16 here and there"}


def window(draw, dimensions=2):
    """Sizes of images, and the attributes of a window that fits them."""
    images = [draw.integer(3, 6) for _ in range(dimensions)]
    cells, steps = ([draw.integer(1, 3) for _ in range(dimensions)] for _ in range(2))
    attrs = {
        "ksize": (1, *cells, 1),
        "strides": (1, *steps, 1),
        "padding": draw.one_of("SAME", "VALID"),
    }
    return (draw.integer(1, 2), *images, draw.integer(1, 3)), attrs


def geometry(shape, attrs):
    """Window, steps, padding and the result's shape, as kernels take them."""
    cells, steps = attrs["ksize"][1:-1], attrs["strides"][1:-1]
    pads, sizes = [], []
    for size, count, step in zip(shape[1:-1], cells, steps, strict=True):
        if attrs["padding"] == "SAME":
            sizes.append(-(-size // step))
            total = max((sizes[-1] - 1) * step + count - size, 0)
            pads.append((total // 2, total - total // 2))
        else:
            sizes.append((size - count) // step + 1)
            pads.append((0, 0))
    return cells, steps, tuple(pads), (shape[0], *sizes, shape[-1])


def _cells(tf, input, **attrs):
    """MaxPool's hidden output, from the places that TensorFlow gives."""
    shape = [int(size) for size in input.shape]
    (_, cells_across), (down, across), ((top, _), (left, _)), result = geometry(shape, attrs)
    _, places = tf.raw_ops.MaxPoolWithArgmax(input=input, **attrs)
    pixel = places // shape[3]
    rows, columns = np.indices(result[1:3])[:, None, :, :, None]
    row = pixel // shape[2] - rows * down + top
    column = pixel % shape[2] - columns * across + left
    return tf.cast(row * cells_across + column, tf.uint8)


def _max_pool(tf, input, argmax_type, **attrs):
    attrs = {name: list(value) if isinstance(value, tuple) else value for name, value in attrs.items()}
    output = tf.raw_ops.MaxPool(input=input, **attrs)
    plain = {name: attrs[name] for name in ("ksize", "strides", "padding")}
    return [output, _cells(tf, input, **plain)]


@case("MaxPool", dtypes=FLOATS, reference=_max_pool)
def max_pool(draw):
    shape, attrs = window(draw)
    return {"input": draw.array(shape, special=False), "argmax_type": dtypes.uint8, **attrs}


def with_maxima(draw, places_of, dimensions=2):
    """Images, the places of their maxima, the result's shape and the attributes."""
    shape, attrs = window(draw, dimensions)
    images = draw.array(shape, special=False)
    *pooling, result = geometry(shape, attrs)
    return images, places_of(images, *pooling)[1], result, attrs


def _max_pool_grad(tf, orig_input, argmax, grad, ksize, strides, padding, explicit_paddings=(), **_):
    window = {"ksize": ksize, "strides": strides, "padding": padding}
    output = tf.raw_ops.MaxPool(input=orig_input, **window)
    return tf.raw_ops.MaxPoolGrad(orig_input=orig_input, orig_output=output, grad=grad, **window)


@case("MaxPoolGrad", dtypes=FLOATS, reference=_max_pool_grad, no_gradient=("orig_input",), **HALF)
def max_pool_grad(draw):
    images, places, result, attrs = with_maxima(draw, pool.max_pool)
    return {"orig_input": images, "argmax": places, "grad": draw.array(result, special=False), **attrs}


def _max_pool_grad_grad(tf, orig_input, argmax, grad, ksize, strides, padding, **_):
    window = {"ksize": ksize, "strides": strides, "padding": padding}
    output = tf.raw_ops.MaxPool(input=orig_input, **window)
    return tf.raw_ops.MaxPoolGradGrad(orig_input=orig_input, orig_output=output, grad=grad, **window)


@case("MaxPoolGradGrad", dtypes=FLOATS, reference=_max_pool_grad_grad, no_gradient=("orig_input",))
def max_pool_grad_grad(draw):
    images, places, _, attrs = with_maxima(draw, pool.max_pool)
    return {
        "orig_input": images, "argmax": places, "grad": draw.array(images.shape, special=False), **attrs
    }  # fmt: skip


@case("MaxPoolWithArgmax", dtypes=FLOATS)
def max_pool_with_argmax(draw):
    shape, attrs = window(draw)
    return {
        "input": draw.array(shape, special=False),
        "include_batch_in_index": draw.boolean(),
        # TensorFlow's gradient takes int64 only.
        "Targmax": dtypes.int64 if draw.smooth else draw.one_of(dtypes.int32, dtypes.int64),
        **attrs,
    }


def with_flat_places(draw):
    images, attrs = window(draw)
    *_, result = geometry(images, attrs)
    size = int(np.prod(images[1:]))
    return images, draw.indices(result, size, np.int64), result, attrs


@case(
    "MaxPoolGradWithArgmax", dtypes=FLOATS, no_gradient=("input",), reference_gradient=False, **HALF
)  # fmt: skip
def max_pool_grad_with_argmax(draw):
    shape, places, result, attrs = with_flat_places(draw)
    return {
        "input": draw.array(shape, special=False), "argmax": places,
        "grad": draw.array(result, special=False), **attrs,
    }  # fmt: skip


def _max_pool_grad_grad_with_argmax(tf, input, grad, argmax, **_):
    rows = [tf.reshape(t, [t.shape[0], -1]) for t in (grad, argmax)]
    return tf.reshape(tf.gather(*rows, batch_dims=1), argmax.shape)


@case(
    "MaxPoolGradGradWithArgmax", dtypes=FLOATS, no_gradient=("input",),
    reference=_max_pool_grad_grad_with_argmax,
)  # fmt: skip
def max_pool_grad_grad_with_argmax(draw):
    shape, places, _, attrs = with_flat_places(draw)
    return {
        "input": draw.array(shape, special=False), "argmax": places,
        "grad": draw.array(shape, special=False), **attrs,
    }  # fmt: skip


@case("AvgPool", **HALF)
def avg_pool(draw):
    shape, attrs = window(draw)
    return {"value": draw.array(shape, special=False), **attrs}


@case("AvgPoolGrad", dtypes=FLOATS, **HALF)
def avg_pool_grad(draw):
    shape, attrs = window(draw)
    *_, result = geometry(shape, attrs)
    return {
        "orig_input_shape": np.array(shape, np.int32), "grad": draw.array(result, special=False), **attrs
    }  # fmt: skip


def _max_pool3d(tf, input, **attrs):
    """With the hidden output found by comparing each cell of a window with the maximum."""
    cells, steps, pads, result = geometry([int(n) for n in input.shape], attrs)
    window = {name: attrs[name] for name in ("ksize", "strides", "padding")}
    output = tf.raw_ops.MaxPool3D(input=input, **window)
    padded = np.pad(input.numpy(), ((0, 0), *pads, (0, 0)), constant_values=-np.inf)
    places = np.zeros(result, np.uint16)
    for number in reversed(range(int(np.prod(cells)))):
        offset = np.unravel_index(number, cells)
        seen = tuple(
            slice(o, o + (n - 1) * step + 1, step)
            for o, n, step in zip(offset, result[1:4], steps, strict=True)
        )
        places[padded[(slice(None), *seen)] == output.numpy()] = number
    return [output, tf.constant(places)]


@case("MaxPool3D", dtypes=FLOATS, reference=_max_pool3d)
def max_pool3d(draw):
    shape, attrs = window(draw, 3)
    return {"input": draw.array(shape, special=False), **attrs}


def _max_pool3d_grad(name):
    def reference(tf, orig_input, argmax, grad, ksize, strides, padding, **_):
        window = {"ksize": ksize, "strides": strides, "padding": padding}
        output = tf.raw_ops.MaxPool3D(input=orig_input, **window)
        return getattr(tf.raw_ops, name)(orig_input=orig_input, orig_output=output, grad=grad, **window)

    return reference


THREE = {"dtypes": FLOATS, "no_gradient": ("orig_input",)}


@case("MaxPool3DGrad", reference=_max_pool3d_grad("MaxPool3DGrad"), **THREE, **HALF)
def max_pool3d_grad(draw):
    images, places, result, attrs = with_maxima(draw, volume.max_pool3d, 3)
    return {"orig_input": images, "argmax": places, "grad": draw.array(result, special=False), **attrs}


@case("MaxPool3DGradGrad", reference=_max_pool3d_grad("MaxPool3DGradGrad"), **THREE)
def max_pool3d_grad_grad(draw):
    images, places, _, attrs = with_maxima(draw, volume.max_pool3d, 3)
    return {
        "orig_input": images, "argmax": places, "grad": draw.array(images.shape, special=False), **attrs
    }  # fmt: skip


@case("AvgPool3D", dtypes=FLOATS, **HALF)
def avg_pool3d(draw):
    shape, attrs = window(draw, 3)
    return {"input": draw.array(shape, special=False), **attrs}


@case("AvgPool3DGrad", dtypes=FLOATS, **HALF)
def avg_pool3d_grad(draw):
    shape, attrs = window(draw, 3)
    *_, result = geometry(shape, attrs)
    return {
        "orig_input_shape": np.array(shape, np.int32), "grad": draw.array(result, special=False), **attrs
    }  # fmt: skip
