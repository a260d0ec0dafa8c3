"""Convolutions: layouts, groups, paddings and transposes agree with each other; errors say what is wrong."""

import numpy as np
import pytest

import minitf as tf


def run(build, *arrays):
    """What `build(*placeholders)` gives for `arrays`, their sizes unknown when the graph is built."""
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = [tf.placeholder(a.dtype, [None] * a.ndim) for a in arrays]
        return session.run(build(*inputs), dict(zip(inputs, arrays, strict=True)))


def numbers(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def by_hand(x, w, strides=(1, 1), padding=((0, 0), (0, 0)), dilations=(1, 1)):
    """Convolution from its definition."""
    x = np.pad(x, ((0, 0), *padding, (0, 0)))
    spans = [(n - 1) * d + 1 for n, d in zip(w.shape, dilations, strict=False)]
    rows, columns = ((x.shape[i + 1] - spans[i]) // strides[i] + 1 for i in (0, 1))
    y = np.zeros((len(x), rows, columns, w.shape[3]))
    for i in range(rows):
        for j in range(columns):
            top, left = i * strides[0], j * strides[1]
            seen = x[:, top : top + spans[0] : dilations[0], left : left + spans[1] : dilations[1]]
            y[:, i, j] = np.tensordot(seen, w, 3)
    return y


@pytest.mark.parametrize(
    ("padding", "pads"),
    [
        ("VALID", ((0, 0), (0, 0))),
        ([[0, 0], [1, 2], [0, 1], [0, 0]], ((1, 2), (0, 1))),
    ],
)
@pytest.mark.parametrize("strides", [1, 2, [1, 3], [1, 2, 1, 1]])
@pytest.mark.parametrize("dilations", [1, [1, 2]])
def test_conv2d_is_the_sum_over_the_window(padding, pads, strides, dilations):
    x, w = numbers(2, 7, 8, 3), numbers(2, 3, 3, 4, seed=1)
    steps = strides[1:3] if np.size(strides) == 4 else np.broadcast_to(strides, 2)
    gaps = np.broadcast_to(dilations, 2)
    y = run(lambda x, w: tf.nn.conv2d(x, w, strides, padding, dilations=dilations), x, w)
    np.testing.assert_allclose(y, by_hand(x, w, tuple(steps), pads, tuple(gaps)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("size", "window", "stride"), [(5, 2, 2), (6, 3, 2), (7, 4, 3), (4, 1, 3), (3, 5, 1)]
)
def test_same_padding_puts_the_odd_zero_last(size, window, stride):
    x, w = numbers(1, size, size, 1), numbers(window, window, 1, 1, seed=1)
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    pads = ((total // 2, total - total // 2),) * 2
    y = run(lambda x, w: tf.nn.conv2d(x, w, stride, "SAME"), x, w)
    assert y.shape == (1, -(-size // stride), -(-size // stride), 1)
    np.testing.assert_allclose(y, by_hand(x, w, (stride, stride), pads), atol=1e-12)


def gradients_of(function):
    """A function's value and its gradients under fixed weights."""

    def build(*inputs):
        y = function(*inputs)
        return [y, *tf.gradients(tf.reduce_sum(y * tf.cos(y)), list(inputs))]

    return build


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_channels_first_is_channels_last_turned(strides, padding):
    x, w = numbers(2, 6, 5, 3), numbers(3, 2, 3, 4, seed=1)
    last = run(gradients_of(lambda x, w: tf.nn.conv2d(x, w, strides, padding)), x, w)
    first = run(
        gradients_of(lambda x, w: tf.nn.conv2d(x, w, strides, padding, data_format="NCHW")),
        x.transpose(0, 3, 1, 2), w,
    )  # fmt: skip
    np.testing.assert_allclose(first[0].transpose(0, 2, 3, 1), last[0], rtol=1e-12)
    np.testing.assert_allclose(first[1].transpose(0, 2, 3, 1), last[1], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(first[2], last[2], rtol=1e-12, atol=1e-13)


def test_groups_are_convolutions_side_by_side():
    x, w = numbers(2, 5, 5, 6), numbers(3, 3, 2, 9, seed=1)
    y, to_x, to_w = run(gradients_of(lambda x, w: tf.nn.conv2d(x, w, 1, "SAME")), x, w)
    for group in range(3):
        some, outs = slice(2 * group, 2 * group + 2), slice(3 * group, 3 * group + 3)
        part = run(
            gradients_of(lambda x, w: tf.nn.conv2d(x, w, 1, "SAME")),
            x[..., some].copy(), w[..., outs].copy(),
        )  # fmt: skip
        np.testing.assert_allclose(y[..., outs], part[0], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(to_x[..., some], part[1], rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(to_w[..., outs], part[2], rtol=1e-12, atol=1e-13)


def test_dilated_gradients_agree_with_differences():
    x, w = numbers(1, 7, 6, 2), numbers(2, 3, 2, 2, seed=1)

    def total(x, w):
        return tf.reduce_sum(tf.sin(tf.nn.conv2d(x, w, 1, "SAME", dilations=[2, 2])))

    grads = run(lambda x, w: tf.gradients(total(x, w), [x, w]), x, w)
    step = 1e-6
    for position, grad in enumerate(grads):
        direction = numbers(*grad.shape, seed=2)
        ends = []
        for sign in (1, -1):
            moved = [x, w]
            moved[position] = moved[position] + sign * step * direction
            ends.append(run(total, *moved))
        assert np.sum(grad * direction) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-7)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_transposed_convolution_is_the_transpose(padding):
    x, w, y = numbers(2, 9, 8, 3), numbers(3, 2, 3, 4, seed=1), None
    y = run(lambda x, w: tf.nn.conv2d(x, w, 2, padding), x, w)
    back = numbers(*y.shape, seed=2)
    up = run(lambda v, w: tf.nn.conv2d_transpose(v, w, x.shape, 2, padding), back, w)
    assert up.shape == x.shape
    assert np.sum(up * x) == pytest.approx(np.sum(y * back), rel=1e-12)
    # The shape may be known only when it runs.
    same = run(lambda v, w, x: tf.nn.conv2d_transpose(v, w, tf.shape(x), 2, padding), back, w, x)
    np.testing.assert_array_equal(same, up)


def test_one_and_three_dimensions_are_two_with_more_or_less():
    x, w = numbers(2, 9, 3), numbers(4, 3, 2, seed=1)
    line = run(lambda x, w: tf.nn.conv1d(x, w, 2, "SAME"), x, w)
    plane = run(lambda x, w: tf.nn.conv2d(x, w, [1, 2], "SAME"), x[:, None], w[None])
    np.testing.assert_array_equal(line, plane[:, 0])
    volume = run(lambda x, w: tf.nn.conv3d(x, w, [1, 1, 1, 2, 1], "SAME"), x[:, None, None], w[None, None])
    np.testing.assert_allclose(line, volume[:, 0, 0], rtol=1e-12)
    back = run(lambda y, w: tf.nn.conv1d_transpose(y, w, [2, 9, 3], 2), line, w)
    assert np.sum(back * x) == pytest.approx(np.sum(line * line), rel=1e-12)


def test_depthwise_is_a_convolution_of_each_channel():
    x, w = numbers(2, 6, 5, 3), numbers(3, 2, 3, 2, seed=1)
    y = run(lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME", rate=[1, 2]), x, w)
    for channel in range(3):
        part = run(
            lambda x, w: tf.nn.conv2d(x, w, 1, "SAME", dilations=[1, 2]),
            x[..., channel : channel + 1].copy(), w[:, :, channel : channel + 1].copy(),
        )  # fmt: skip
        np.testing.assert_allclose(y[..., 2 * channel : 2 * channel + 2], part, rtol=1e-12, atol=1e-13)
    point = numbers(1, 1, 6, 4, seed=2)
    mixed = run(lambda x, w, p: tf.nn.separable_conv2d(x, w, p, [1, 1, 1, 1], "SAME", [1, 2]), x, w, point)
    np.testing.assert_allclose(mixed, y @ point[0, 0], rtol=1e-12, atol=1e-12)


def test_no_images_give_no_results():
    x, w = numbers(0, 5, 5, 2), numbers(3, 3, 2, 4)
    y, to_x, to_w = run(gradients_of(lambda x, w: tf.nn.conv2d(x, w, 1, "VALID")), x, w)
    assert y.shape == (0, 3, 3, 4)
    assert to_x.shape == x.shape
    np.testing.assert_array_equal(to_w, np.zeros_like(w))


def image(*shape, dtype=tf.float32):
    return tf.placeholder(dtype, shape)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(5, 5, 1, 2), 1, "VALID"),
            "Negative dimension size caused by subtracting 5 from 3 for 'Conv2D'",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 3), image(3, 3, 4, 2), 1, "SAME"),
            "Depth of input (3) is not a multiple of input depth of filter (4)",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 4), image(3, 3, 2, 3), 1, "SAME"),
            "Depth of output (3) is not a multiple of the number of groups (2)",
        ),
        (
            lambda: tf.nn.conv2d(image(3, 3, 4), image(3, 3, 4, 2), 1, "SAME"),
            "Shape must be rank 4 but is rank 3",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), 1, "same"),
            "Attr 'padding' of 'Conv2D' Op passed string 'same' not in: \"SAME\", \"VALID\", \"EXPLICIT\".",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), 1, "SAME", data_format="NHCW"),
            "Attr 'data_format' of 'Conv2D' Op passed string 'NHCW' not in: \"NHWC\", \"NCHW\".",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), [1] * 5, "SAME"),
            "strides should be of length 1, 2 or 4. Received: strides=[1, 1, 1, 1, 1] of length 5",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), [1, 0, 0, 1], "SAME"),
            "Stride must be > 0, but got 0",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), [2, 1, 1, 1], "SAME"),
            "does not yet support strides in the batch and depth dimensions",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), 1, "SAME", dilations=[1, 0, 1, 1]),
            "Dilation rate must be >= 1, but got 0",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), 1, [[1, 1]] * 4),
            "Nonzero explicit padding in the batch or depth dimensions is not supported",
        ),
        (
            lambda: tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), 1, [[1, 1]] * 3),
            "When padding is a list, it must be of size 4.",
        ),
        (
            lambda: tf.nn.depthwise_conv2d(image(1, 5, 5, 3), image(3, 3, 4, 2), [1] * 4, "SAME"),
            "Dimensions must be equal, but are 3 and 4",
        ),
        (
            lambda: tf.nn.convolution(image(1, 5, 5, 3), image(3, 3, 3, 2), "SAME", [2, 2], [2, 2]),
            "`strides > 1` not supported in conjunction with `dilations > 1`",
        ),
        (
            lambda: tf.nn.conv2d_transpose(image(1, 5, 5, 3), image(3, 3, 4, 2), [1, 10, 10, 4], 2),
            "Dimensions must be equal, but are 3 and 2",
        ),
        (
            lambda: tf.nn.conv2d_transpose(image(1, 5, 5, 3), image(3, 3, 4, 3), [1, 12, 10, 4], 2),
            "Size of out_backprop doesn't match computed",
        ),
    ],
)
def test_errors_are_tensorflows(build, message):
    with tf.Graph().as_default(), pytest.raises(ValueError) as error:
        build()
    assert message in str(error.value)


def test_a_wrong_dtype_is_named():
    with tf.Graph().as_default(), pytest.raises(TypeError) as error:
        tf.nn.conv2d(image(1, 3, 3, 1, dtype=tf.int64), image(3, 3, 1, 1), 1, "SAME")
    assert "Value passed to parameter 'input' has DataType int64 not in list of allowed values" in str(
        error.value
    )


def test_what_is_wrong_only_when_it_runs_is_said_then():
    x, w = numbers(1, 3, 3, 1), numbers(5, 5, 1, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Negative dimension size") as error:
        run(lambda x, w: tf.nn.conv2d(x, w, 1, "VALID", name="too_large"), x, w)
    assert error.value.op.name == "too_large"


def test_both_names_of_an_argument_are_one_too_many():
    with (
        tf.Graph().as_default(),
        pytest.raises(ValueError, match="Cannot specify both 'filter' and 'filters'"),
    ):
        tf.nn.conv2d(image(1, 3, 3, 1), image(3, 3, 1, 1), 1, "SAME", filters=image(3, 3, 1, 1))


def test_node_names():
    with tf.Graph().as_default():
        x, w = image(1, 8, 8, 3), image(3, 3, 3, 3)
        assert tf.nn.conv2d(x, w, 1, "SAME").name == "Conv2D:0"
        assert tf.nn.conv2d_transpose(x, w, [1, 8, 8, 3], 1).name == "conv2d_transpose:0"
        assert tf.nn.depthwise_conv2d(x, w, [1] * 4, "SAME").name == "depthwise:0"
        assert tf.nn.depthwise_conv2d_native(x, w, [1] * 4, "SAME").name == "DepthwiseConv2dNative:0"
        assert tf.nn.conv1d(x[0], w[0], 1, "SAME").name == "conv1d/Squeeze:0"
        assert tf.nn.convolution(x, w, "SAME").name == "convolution:0"
