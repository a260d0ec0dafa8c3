"""Pooling: against its definition, in both layouts, across channels, with ties, and its errors."""

import numpy as np
import pytest

import minitf as tf
from tests.ops.test_nn_convolution import gradients_of, image, numbers, run


@pytest.mark.parametrize("padding", ["SAME", "VALID", [[0, 0], [1, 0], [1, 1], [0, 0]]])
def test_max_pool_is_the_largest_in_the_window(padding):
    x = numbers(2, 7, 6, 3)
    y = run(lambda x: tf.nn.max_pool(x, [1, 3, 2, 1], [1, 2, 2, 1], padding), x)
    pads = {"VALID": ((0, 0), (0, 0)), "SAME": ((1, 1), (0, 0))}.get(
        padding if isinstance(padding, str) else ""
    )
    padded = np.pad(x, ((0, 0), *(pads or ((1, 0), (1, 1))), (0, 0)), constant_values=-np.inf)
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            seen = padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 2]
            np.testing.assert_array_equal(y[:, i, j], seen.max((1, 2)))


def test_average_leaves_padding_out():
    x = np.ones((1, 3, 3, 1))
    np.testing.assert_array_equal(run(lambda x: tf.nn.avg_pool(x, 2, 2, "SAME"), x), np.ones((1, 2, 2, 1)))


@pytest.mark.parametrize("pool", [tf.nn.max_pool, tf.nn.avg_pool])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_channels_first_is_channels_last_turned(pool, padding):
    x = numbers(2, 6, 5, 3)
    last = run(gradients_of(lambda x: pool(x, [3, 2], 2, padding)), x)
    first = run(
        gradients_of(lambda x: pool(x, [3, 2], 2, padding, data_format="NCHW")), x.transpose(0, 3, 1, 2)
    )
    for a, b in zip(first, last, strict=True):
        np.testing.assert_allclose(a.transpose(0, 2, 3, 1), b, rtol=1e-12)


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
def test_channels_can_be_pooled(data_format):
    x = numbers(2, 3, 4, 6)
    window = [1, 1, 1, 3] if data_format == "NHWC" else [1, 3, 1, 1]
    turned = x if data_format == "NHWC" else x.transpose(0, 3, 1, 2)

    def pool(x):
        return tf.nn.max_pool(x, window, window, "VALID", data_format=data_format)

    def with_second(x):
        (first,) = tf.gradients(tf.reduce_sum(pool(x) ** 3), [x])
        return [pool(x), first, tf.gradients(tf.reduce_sum(first**2), [x])[0]]

    y, first, second = run(with_second, turned)
    if data_format == "NCHW":
        y, first, second = (a.transpose(0, 2, 3, 1) for a in (y, first, second))
    groups = x.reshape(2, 3, 4, 2, 3)
    largest = groups == groups.max(-1, keepdims=True)
    np.testing.assert_array_equal(y, groups.max(-1))
    np.testing.assert_allclose(first, (largest * 3 * groups**2).reshape(x.shape), rtol=1e-12)
    np.testing.assert_allclose(second, (largest * 36 * groups**3).reshape(x.shape), rtol=1e-12)


def test_the_first_of_equal_maxima_takes_the_gradient():
    x = np.zeros((1, 4, 4, 1))
    grad = run(lambda x: tf.gradients(tf.nn.max_pool(x, 2, 2, "VALID"), [x])[0], x)
    np.testing.assert_array_equal(grad[0, ..., 0], np.kron(np.ones((2, 2)), [[1, 0], [0, 0]]))


def test_places_of_maxima():
    x = numbers(2, 4, 4, 2)
    y, places = run(lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "SAME"), x)
    for n in range(2):
        np.testing.assert_array_equal(x[n].reshape(-1)[places[n]], y[n])
    _, batch = run(lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "SAME", include_batch_in_index=True), x)
    np.testing.assert_array_equal(x.reshape(-1)[batch], y)
    assert places.dtype == np.int64
    narrow = run(lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "SAME", output_dtype=tf.int32)[1], x)
    assert narrow.dtype == np.int32


def test_large_windows_need_wider_places():
    x = numbers(1, 20, 20, 1)
    grad = run(lambda x: tf.gradients(tf.nn.max_pool(x, 20, 1, "VALID"), [x])[0], x)
    assert np.argmax(grad) == np.argmax(x)
    assert grad.sum() == 1


def test_one_dimension_and_by_name():
    x = numbers(2, 7, 3)
    for line, plane, name in (
        (tf.nn.max_pool1d, tf.nn.max_pool, "MAX"),
        (tf.nn.avg_pool1d, tf.nn.avg_pool, "AVG"),
    ):
        expected = run(lambda x, plane=plane: plane(x, [1, 3], [1, 2], "SAME"), x[:, None])[:, 0]
        np.testing.assert_array_equal(run(lambda x, line=line: line(x, 3, 2, "SAME"), x), expected)
        named = run(
            lambda x, name=name: tf.nn.pool(tf.reshape(x, [2, 7, 3]), [3], name, "SAME", strides=[2]), x
        )
        np.testing.assert_array_equal(named, expected)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: tf.nn.max_pool(image(1, 3, 3, 1), [1, 5, 5, 1], [1, 1, 1, 1], "VALID"),
            "Negative dimension size caused by subtracting 5 from 3 for 'MaxPool'",
        ),
        (lambda: tf.nn.max_pool(image(3, 3, 1), 2, 2, "SAME"), "Shape must be rank 4 but is rank 3"),
        (lambda: tf.nn.max_pool(image(1, 3, 3, 1), [1, 0, 2, 1], 1, "SAME"), "`ksize` cannot be zero."),
        (
            lambda: tf.nn.max_pool(image(1, 3, 3, 1), [1] * 5, 1, "SAME"),
            "ksize should be of length 1, 2 or 4.",
        ),
        (
            lambda: tf.nn.max_pool(image(1, 3, 3, 1), [2, 2, 2, 1], 1, "SAME"),
            "Pooling is not yet supported on the batch dimension.",
        ),
        (
            lambda: tf.nn.max_pool(image(1, 3, 3, 4), [1, 2, 1, 2], [1, 1, 1, 2], "SAME"),
            "MaxPooling supports exactly one of pooling across depth or pooling across width/height.",
        ),
        (
            lambda: tf.nn.max_pool(image(1, 3, 3, 4), [1, 1, 1, 3], [1, 1, 1, 3], "SAME"),
            "Depthwise max pooling requires the depth window to evenly divide the input depth",
        ),
        (
            lambda: tf.nn.max_pool(image(1, 3, 3, 4), [1, 1, 1, 2], [1, 1, 1, 1], "SAME"),
            "Depthwise max pooling requires the depth window to equal the depth stride",
        ),
        (
            lambda: tf.nn.max_pool(image(1, 3, 3, 4), 2, 1, [[0, 0], [3, 1], [1, 1], [0, 0]]),
            "Top padding 3 needs to be smaller than the window size 2",
        ),
        (
            lambda: tf.nn.pool(image(1, 3, 3, 4), [2, 2], "MAX", "SAME", strides=[3, 1]),
            "`strides` > `window_shape` not supported",
        ),
    ],
)
def test_errors_are_tensorflows(build, message):
    with tf.Graph().as_default(), pytest.raises(ValueError) as error:
        build()
    assert message in str(error.value)


def test_dilated_pooling_is_refused_by_name():
    with tf.Graph().as_default(), pytest.raises(NotImplementedError, match="dilation_rate"):
        tf.nn.pool(image(1, 5, 5, 1), [2, 2], "MAX", "VALID", dilation_rate=[2, 2])


@pytest.mark.parametrize("pool", [tf.nn.max_pool3d, tf.nn.avg_pool3d])
def test_volumes_with_channels_first(pool):
    x = numbers(2, 4, 5, 4, 3)
    last = run(gradients_of(lambda x: pool(x, 2, 2, "SAME")), x)
    first = run(
        gradients_of(lambda x: pool(x, 2, 2, "SAME", data_format="NCDHW")), x.transpose(0, 4, 1, 2, 3)
    )
    for a, b in zip(first, last, strict=True):
        np.testing.assert_allclose(a.transpose(0, 2, 3, 4, 1), b, rtol=1e-12)
