"""Convolutions, depthwise and in three dimensions, and their gradients."""

import numpy as np

from tests.op_cases import case
from tests.op_cases.draw import FLOATS

HALF = {
    "tolerance": {"float16": 2e-2},
    "reason": "TensorFlow adds float16 products in float16 here and there",
}


def window(draw, dimensions=2, explicit=True, dilated=True):
    """Sizes of images and of a filter that fits them, and the attributes."""
    images = [draw.integer(3, 6) for _ in range(dimensions)]
    taps = [draw.integer(1, 3) for _ in range(dimensions)]
    step = draw.integer(1, 2)
    strides = [step if not explicit else draw.integer(1, 2) for _ in range(dimensions)]
    padding = draw.one_of("SAME", "VALID", *(["EXPLICIT"] if explicit else []))
    attrs = {"padding": padding, "strides": (1, *strides, 1)}
    if padding == "EXPLICIT":
        sides = [draw.integer(0, 2) for _ in range(2 * dimensions)]
        attrs["explicit_paddings"] = (0, 0, *sides, 0, 0)
    # TensorFlow's gradients know no dilation on CPUs, and it reads explicit padding otherwise there.
    if dilated and not draw.smooth and padding != "EXPLICIT" and step == 1 and draw.boolean():
        gaps = [2 if (t - 1) * 2 < i else 1 for t, i in zip(taps, images, strict=True)]
        attrs["dilations"] = (1, *gaps, 1)
        attrs["strides"] = (1,) * (dimensions + 2)
    return images, taps, attrs


def result_sizes(images, taps, attrs):
    sizes = []
    for i, (size, count) in enumerate(zip(images, taps, strict=True)):
        stride, gap = attrs["strides"][i + 1], attrs.get("dilations", (1,) * 5)[i + 1]
        span = (count - 1) * gap + 1
        if attrs["padding"] == "SAME":
            sizes.append(-(-size // stride))
        else:
            pads = attrs.get("explicit_paddings", (0,) * 10)[2 * i + 2 : 2 * i + 4]
            sizes.append((size + sum(pads) - span) // stride + 1)
    return sizes


def parts(draw, dimensions=2, depthwise=False, **options):
    """Images, filters, the result's gradient and the attributes."""
    images, taps, attrs = window(draw, dimensions, **options)
    batch, channels, last = draw.integer(1, 2), draw.integer(1, 3), draw.integer(1, 3)
    x, w = (batch, *images, channels), (*taps, channels, last)
    y = (batch, *result_sizes(images, taps, attrs), channels * last if depthwise else last)
    return *[draw.array(shape, special=False) for shape in (x, w, y)], attrs


@case("Conv2D", **HALF)
def conv2d(draw):
    x, w, _, attrs = parts(draw)
    return {"input": x, "filter": w, **attrs}


@case("Conv2D", dtypes=("float32",), orders=0)
def conv2d_in_groups(draw):
    x, w, _, attrs = parts(draw, dilated=False)
    groups = draw.integer(2, 3)
    return {
        "input": np.concatenate([x] * groups, 3),
        "filter": np.concatenate([w] * groups, 3),
        **attrs,
    }


@case("Conv2DBackpropInput", dtypes=FLOATS, **HALF)
def conv2d_backprop_input(draw):
    x, w, y, attrs = parts(draw, dilated=False)
    return {"input_sizes": np.array(x.shape, np.int32), "filter": w, "out_backprop": y, **attrs}


@case("Conv2DBackpropFilter", dtypes=FLOATS, **HALF)
def conv2d_backprop_filter(draw):
    x, w, y, attrs = parts(draw, dilated=False)
    return {"input": x, "filter_sizes": np.array(w.shape, np.int32), "out_backprop": y, **attrs}


def depthwise_parts(draw):
    x, w, y, attrs = parts(draw, depthwise=True, explicit=False, dilated=False)
    return x, w, y, attrs


@case("DepthwiseConv2dNative", **HALF)
def depthwise(draw):
    x, w, _, attrs = depthwise_parts(draw)
    return {"input": x, "filter": w, **attrs}


@case("DepthwiseConv2dNativeBackpropInput", dtypes=FLOATS, **HALF)
def depthwise_backprop_input(draw):
    x, w, y, attrs = depthwise_parts(draw)
    return {"input_sizes": np.array(x.shape, np.int32), "filter": w, "out_backprop": y, **attrs}


@case("DepthwiseConv2dNativeBackpropFilter", **HALF)
def depthwise_backprop_filter(draw):
    x, w, y, attrs = depthwise_parts(draw)
    return {"input": x, "filter_sizes": np.array(w.shape, np.int32), "out_backprop": y, **attrs}


@case("Conv3D", **HALF)
def conv3d(draw):
    x, w, _, attrs = parts(draw, 3, explicit=False, dilated=False)
    return {"input": x, "filter": w, **attrs}


@case("Conv3DBackpropInputV2", dtypes=FLOATS, **HALF)
def conv3d_backprop_input(draw):
    x, w, y, attrs = parts(draw, 3, explicit=False, dilated=False)
    return {"input_sizes": draw.index(x.shape), "filter": w, "out_backprop": y, **attrs}


@case("Conv3DBackpropFilterV2", **HALF)
def conv3d_backprop_filter(draw):
    x, w, y, attrs = parts(draw, 3, explicit=False, dilated=False)
    return {"input": x, "filter_sizes": np.array(w.shape, np.int32), "out_backprop": y, **attrs}
