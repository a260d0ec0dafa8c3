import inspect

import numpy as np
import pytest

import minitf as tf
from minitf import regularizers

ROWS = np.float32([[1, 2, 3], [4, 5, 6]])


def run(*fetches, feeds=None, session=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(list(fetches), feeds)


def ones():
    return tf.ones_initializer()


def test_dense_is_a_product_plus_bias():
    y = tf.layers.dense(ROWS, 2, kernel_initializer=ones(), bias_initializer=tf.constant_initializer([1, 2]))
    assert run(y)[0].tolist() == [[7, 8], [16, 17]]
    assert [v.name for v in tf.trainable_variables()] == ["dense/kernel:0", "dense/bias:0"]
    assert y.name == "dense/BiasAdd:0"


def test_dense_over_more_dimensions_of_unknown_size():
    x = tf.placeholder(tf.float32, [None, None, 3])
    y = tf.layers.dense(x, 2, kernel_initializer=ones())
    assert y.shape.as_list() == [None, None, 2]
    assert run(y, feeds={x: ROWS[None]})[0].tolist() == [[[6, 6], [15, 15]]]


def test_a_layer_keeps_its_weights_and_its_name():
    layer = tf.layers.Dense(2, name="shared")
    assert (layer.built, layer.weights) == (False, [])
    first, second = layer(ROWS), layer.apply(2 * ROWS)
    assert (first.name, second.name) == ("shared/BiasAdd:0", "shared/BiasAdd_1:0")
    assert layer.weights == layer.variables == tf.global_variables() == [layer.kernel, layer.bias]
    assert layer.count_params() == 8
    a, b = run(first, second)
    np.testing.assert_allclose(b, 2 * a, rtol=1e-6)


def test_functions_share_by_name():
    first = tf.layers.dense(ROWS, 2, name="d")
    second = tf.layers.dense(ROWS, 2, name="d", reuse=True)
    with tf.variable_scope("", reuse=tf.AUTO_REUSE):
        third = tf.layers.dense(ROWS, 2, name="d")
    assert len(tf.global_variables()) == 2
    a, b, c = run(first, second, third)
    assert (a == b).all() and (a == c).all()
    with pytest.raises(ValueError, match="Variable d/kernel already exists, disallowed"):
        tf.layers.dense(ROWS, 2, name="d")
    with pytest.raises(ValueError, match=r"Trying to share variable d/kernel, but specified shape \(3, 5\)"):
        tf.layers.dense(ROWS, 5, name="d", reuse=True)


def test_unnamed_layers_get_names_of_their_own():
    names = [tf.layers.dense(ROWS, 1).name for _ in range(3)]
    assert names == ["dense/BiasAdd:0", "dense_1/BiasAdd:0", "dense_2/BiasAdd:0"]
    assert [tf.layers.Dense(1).name, tf.layers.Conv2DTranspose(1, 1).name] == [
        "dense_4",
        "conv2d_transpose_1",
    ]


def test_an_unnamed_kernel_starts_as_its_scope_says():
    with tf.variable_scope("a", initializer=tf.constant_initializer(3.0)):
        layer = tf.layers.Dense(1)
        layer(ROWS)
    kernel, bias = run(*layer.weights)
    assert (kernel.tolist(), bias.tolist()) == ([[3], [3], [3]], [0])


def test_trainable_and_dtype():
    layer = tf.layers.Dense(1, trainable=False, dtype=tf.float64)
    layer(ROWS.astype(np.float64))
    assert tf.trainable_variables() == layer.trainable_weights == []
    assert layer.non_trainable_weights == layer.weights == tf.global_variables()
    assert layer.kernel.dtype.base_dtype == tf.float64
    inferred = tf.layers.Dense(1)
    inferred(tf.zeros([1, 2], tf.float16))
    assert inferred.kernel.dtype.base_dtype == inferred.dtype == tf.float16


def test_regularizers_add_losses_once():
    options = {
        "kernel_initializer": ones(),
        "kernel_regularizer": "l2",
        "bias_regularizer": regularizers.l1_l2(0.5, 0.25),
        "bias_initializer": tf.constant_initializer(-2.0),
        "activity_regularizer": lambda y: tf.reduce_sum(y),
        "name": "d",
    }
    layer = tf.layers.Dense(1, **options)
    layer(ROWS)
    layer(ROWS)
    tf.layers.dense(ROWS, 1, reuse=True, **{k: v for k, v in options.items() if k != "activity_regularizer"})
    losses = tf.losses.get_regularization_losses()
    assert losses == layer.losses
    assert losses[0].name.startswith("d/kernel/Regularizer/")
    # kernel, bias, and twice the mean over the batch of the outputs 4 and 13
    np.testing.assert_allclose(run(*losses), [0.03, 0.5 * 2 + 0.25 * 4, 8.5, 8.5], rtol=1e-6)


def test_a_constraint_goes_to_the_variable():
    layer = tf.layers.Dense(1, kernel_constraint=abs)
    layer(ROWS)
    assert (layer.kernel.constraint, layer.bias.constraint) == (abs, None)


def test_activations_by_name():
    outputs = [
        tf.layers.dense(-ROWS, 1, name, kernel_initializer=ones()) for name in ("relu", "linear", None)
    ]
    assert [y[0].item() for y in run(*outputs)] == [0, -6, -6]
    (y,) = run(tf.layers.dense([[0.0, 5.0, -5.0]], 3, "hard_sigmoid", kernel_initializer="identity"))
    np.testing.assert_allclose(y, [[0.5, 1, 0]])
    for call, message in (
        (lambda: tf.layers.Dense(1, "nope"), "Unknown activation function: 'nope'. Known by name are elu,"),
        (lambda: tf.layers.dense(ROWS, 1, kernel_initializer="nope"), "Unknown initializer: 'nope'"),
        (lambda: tf.layers.dense(ROWS, 1, kernel_regularizer="nope"), "Unknown regularizer: 'nope'"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_convolution_and_pooling():
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    sums = tf.layers.conv2d(image, 1, 2, strides=2, kernel_initializer=ones())
    largest = tf.layers.max_pooling2d(image, 2, 2)
    means = tf.layers.average_pooling2d(image, (2, 4), 2)
    same = tf.layers.conv2d(image, 3, 3, padding="same")
    assert [x.name for x in (sums, largest)] == ["conv2d/BiasAdd:0", "max_pooling2d/MaxPool:0"]
    assert same.shape == [1, 4, 4, 3]
    a, b, c = run(sums, largest, means)
    assert a.ravel().tolist() == [10, 18, 42, 50]
    assert b.ravel().tolist() == [5, 7, 13, 15]
    assert c.ravel().tolist() == [3.5, 11.5]


def test_one_and_three_dimensions_of_space():
    line, block = np.float32([[[1], [2], [3], [4]]]), np.ones((1, 3, 3, 3, 2), np.float32)
    outputs = [
        tf.layers.conv1d(line, 1, 2, kernel_initializer=ones()),
        tf.layers.max_pooling1d(line, 2, 2),
        tf.layers.average_pooling1d(line, 2, 2),
        tf.layers.conv3d(block, 1, 2, kernel_initializer=ones()),
        tf.layers.max_pooling3d(block, 3, 1),
        tf.layers.average_pooling3d(block, 3, 1),
        tf.layers.separable_conv1d(line, 1, 2, depthwise_initializer=ones(), pointwise_initializer=ones()),
    ]
    results = [x.ravel().tolist() for x in run(*outputs)]
    assert results == [[3, 5, 7], [2, 4], [1.5, 3.5], [16] * 8, [1, 1], [1, 1], [3, 5, 7]]


@pytest.mark.parametrize(("padding", "size"), [("same", 8), ("valid", 9)])
def test_transposed_convolution_enlarges(padding, size):
    x = tf.placeholder(tf.float32, [None, 4, None, 1])
    y = tf.layers.conv2d_transpose(x, 2, 3, strides=2, padding=padding)
    assert y.shape.as_list() == [None, size, None, 2]
    assert run(y, feeds={x: np.ones((1, 4, 4, 1))})[0].shape == (1, size, size, 2)
    assert tf.global_variables()[0].shape == [3, 3, 2, 1]


def test_separable_kernels():
    tf.layers.separable_conv2d(tf.zeros([1, 5, 5, 3]), 4, 2, depth_multiplier=2)
    assert [(v.name, v.shape.as_list()) for v in tf.global_variables()] == [
        ("separable_conv2d/depthwise_kernel:0", [2, 2, 3, 2]),
        ("separable_conv2d/pointwise_kernel:0", [1, 1, 6, 4]),
        ("separable_conv2d/bias:0", [4]),
    ]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [([None], [None, 1]), ([None, 3], [None, 3]), ([2, None, 4], [2, None]), ([None, 3, 4], [None, 12])],
)
def test_flatten(shape, expected):
    assert tf.layers.flatten(tf.placeholder(tf.float32, shape)).shape.as_list() == expected


def test_dropout_drops_only_in_training():
    x, training = tf.ones([100]), tf.placeholder_with_default(False, [])
    fixed = [tf.layers.dropout(x, 0.25, seed=1), tf.layers.dropout(x, 0.25, seed=1, training=True)]
    chosen = tf.layers.dropout(x, 0.25, seed=1, training=training)
    kept, dropped, at_rest = run(*fixed, chosen)
    assert (kept == 1).all() and (at_rest == 1).all()
    assert set(np.unique(dropped)) == {0, np.float32(1 / 0.75)}
    (in_training,) = run(chosen, feeds={training: True})
    assert 10 < (in_training == 0).sum() < 40


def test_batch_normalization_in_training_and_in_use():
    x, training = tf.placeholder(tf.float32, [None, 2]), tf.placeholder_with_default(False, [])
    layer = tf.layers.BatchNormalization(momentum=0.5, epsilon=0.0)
    y = layer(x, training=training)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    assert updates == layer.updates
    assert layer.trainable_weights == tf.trainable_variables() == [layer.gamma, layer.beta]
    assert layer.non_trainable_weights == [layer.moving_mean, layer.moving_variance]
    batch = np.float32([[0, 10], [4, 30]])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(y, {x: batch}).tolist() == batch.tolist()
        assert session.run(y, {x: batch, training: True}).tolist() == [[-1, -1], [1, 1]]
        session.run(updates, {x: batch})
        assert session.run(layer.moving_mean).tolist() == [0, 0]
        session.run(updates, {x: batch, training: True})
        assert session.run(layer.moving_mean).tolist() == [1, 10]
        assert session.run(layer.moving_variance).tolist() == [2.5, 50.5]


def test_batch_normalization_in_use_has_no_updates():
    tf.layers.batch_normalization(ROWS)
    assert tf.get_collection(tf.GraphKeys.UPDATE_OPS) == []


def test_batch_normalization_of_images_is_one_op_and_moves_to_the_unbiased_variance():
    images = np.float32([1, 2, 3, 6]).reshape(2, 1, 2, 1)
    y = tf.layers.batch_normalization(images, training=True, momentum=0.0)
    assert y.op.type == "FusedBatchNormV3"
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
        mean, variance = session.run(tf.global_variables()[2:])
    assert (mean.item(), variance.item()) == (3, pytest.approx(14 / 3))


def test_batch_normalization_without_scale_and_center_over_two_axes():
    layer = tf.layers.BatchNormalization([1, 2], center=False, scale=False)
    y = layer(np.arange(12, dtype=np.float32).reshape(2, 2, 3), training=True)
    assert [v.shape.as_list() for v in layer.weights] == [[1, 2, 3]] * 2
    np.testing.assert_allclose(run(y)[0], [-np.ones((2, 3)), np.ones((2, 3))], rtol=1e-3)


def test_a_subclass_of_layer():
    class Scale(tf.layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight("factor", [input_shape[-1].value], initializer="ones")
            self.count = self.add_weight("count", [], tf.int32, trainable=False)
            super().build(input_shape)

        def call(self, inputs, twice=False):
            return inputs * self.factor * (2 if twice else 1)

    layer = Scale(name="scale")
    plain, doubled = layer(ROWS), layer(ROWS, twice=True)
    assert [v.name for v in layer.weights] == ["scale/factor:0", "scale/count:0"]
    assert plain.name == "scale/mul_1:0"
    a, b = run(plain, doubled)
    assert (a == ROWS).all() and (b == 2 * ROWS).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: tf.layers.dense(ROWS, 0),
            ValueError,
            "invalid value for `units`, expected a positive integer",
        ),
        (lambda: tf.layers.Dense(1, foo=1), TypeError, "Keyword argument not understood"),
        (lambda: tf.layers.dense(ROWS[0], 1), ValueError, "expected min_ndim=2, found ndim=1"),
        (
            lambda: tf.layers.dense(tf.placeholder(tf.float32, [None, None]), 1),
            ValueError,
            r"The last dimension of the inputs to a Dense layer should be defined. Found None.*\(\?, \?\)",
        ),
        (lambda: tf.layers.dense([[1]], 1), TypeError, "can only be built with a floating-point dtype"),
        (lambda: tf.layers.conv2d(ROWS, 1, 1), ValueError, "expected ndim=4, found ndim=2"),
        (lambda: tf.layers.Conv2D(1, [1, 2, 3]), ValueError, "`kernel_size` argument must be a tuple of 2"),
        (lambda: tf.layers.Conv2D(0, 1), ValueError, "Expected a strictly positive value"),
        (lambda: tf.layers.Conv2D(1, 1, padding="full"), ValueError, "`padding` argument must be one of"),
        (
            lambda: tf.layers.Conv2D(1, 1, data_format="x"),
            ValueError,
            "`data_format` argument must be one of",
        ),
        (
            lambda: tf.layers.Conv2D(1, 1, strides=2, dilation_rate=2),
            ValueError,
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`",
        ),
        (
            lambda: tf.layers.conv2d(tf.placeholder(tf.float32, [None, 4, 4, None]), 1, 1),
            ValueError,
            "The channel dimension of the inputs should be defined",
        ),
        (lambda: tf.layers.Dropout(1.5), ValueError, "Invalid value 1.5 received for `rate`"),
        (lambda: tf.layers.batch_normalization(ROWS, 5), ValueError, "Invalid value for `axis` argument"),
        (lambda: tf.layers.batch_normalization(ROWS, [1, -1]), ValueError, "Duplicate axis"),
        (
            lambda: tf.layers.batch_normalization(ROWS, fused=True),
            ValueError,
            "Passing `fused=True` is only supported when the input is 4D",
        ),
        (lambda: tf.layers.BatchNormalization(renorm=True), NotImplementedError, "renorm is not supported"),
        (
            lambda: tf.layers.BatchNormalization(virtual_batch_size=2),
            NotImplementedError,
            "virtual_batch_size is not supported",
        ),
        (lambda: tf.layers.Dense(1).scope_name, ValueError, "has not been used yet"),
        (lambda: tf.layers.Dense(1).count_params(), ValueError, "isn't built"),
        (lambda: tf.layers.dense(ROWS), TypeError, "missing a required argument: 'units'"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_built_layer_holds_its_input_to_its_size():
    layer = tf.layers.Dense(1)
    layer(ROWS)
    with pytest.raises(
        ValueError, match=r"expected axis -1 of input shape to have value 3, .* shape \(2, 2\)"
    ):
        layer(ROWS[:, :2])


def test_functions_have_the_layers_signature():
    parameters = list(inspect.signature(tf.layers.conv2d).parameters)
    assert parameters[:4] == ["inputs", "filters", "kernel_size", "strides"]
    assert parameters[-3:] == ["trainable", "name", "reuse"]
    assert list(inspect.signature(tf.layers.max_pooling2d).parameters)[-1] == "name"
    assert tf.layers.dense.__doc__.startswith("The output of a new Dense layer")


def test_a_small_network_learns():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(32, 6, 6, 1)).astype(np.float32)
    labels = (images.mean((1, 2, 3)) > 0).astype(np.int32)
    x = tf.placeholder(tf.float32, [None, 6, 6, 1])
    hidden = tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu)
    hidden = tf.layers.batch_normalization(hidden, training=True)
    hidden = tf.layers.flatten(tf.layers.max_pooling2d(hidden, 2, 2))
    loss = tf.losses.sparse_softmax_cross_entropy(labels, tf.layers.dense(hidden, 2))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        step = tf.train.AdamOptimizer(0.05).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        losses = [session.run([loss, step], {x: images})[0] for _ in range(60)]
    assert losses[-1] < 0.1 < losses[0]
