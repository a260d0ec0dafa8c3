"""keras.backend against NumPy."""

import numpy as np
import pytest

import minitf as tf
from minitf import keras
from minitf.keras import backend as K  # noqa: N812 - everybody calls it so

RANDOM = np.random.RandomState(0)
A = RANDOM.rand(2, 3, 4).astype("float32") - 0.4


def _values(result):
    return K.eval(result)


UNARY = {
    "abs": np.abs, "square": np.square, "exp": np.exp, "round": np.round, "sign": np.sign, "sin": np.sin,
    "cos": np.cos, "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)), "softsign": lambda x: x / (1 + np.abs(x)),
    "sqrt": lambda x: np.sqrt(np.maximum(x, 0)), "relu": lambda x: np.maximum(x, 0),
    "hard_sigmoid": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "transpose": np.transpose, "flatten": np.ravel, "batch_flatten": lambda x: x.reshape(2, 12),
    "zeros_like": np.zeros_like, "ones_like": np.ones_like, "shape": lambda x: np.array(x.shape),
    "cumsum": lambda x: np.cumsum(x, 0), "cumprod": lambda x: np.cumprod(x, 0),
    "argmax": lambda x: np.argmax(x, -1), "argmin": lambda x: np.argmin(x, -1), "stop_gradient": lambda x: x,
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    np.testing.assert_allclose(_values(getattr(K, name)(K.constant(A))), UNARY[name](A), rtol=2e-6, atol=1e-7)


def test_log():
    np.testing.assert_allclose(_values(K.log(K.constant(A + 1))), np.log(A + 1), rtol=1e-5)


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean", "std", "var", "logsumexp"])
@pytest.mark.parametrize("axis", [None, 1, (0, 2), -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions(name, axis, keepdims):
    expected = {"logsumexp": lambda x, **options: np.log(np.exp(x).sum(**options))}.get(
        name, getattr(np, name, None)
    )
    np.testing.assert_allclose(
        _values(getattr(K, name)(K.constant(A), axis=axis, keepdims=keepdims)),
        expected(A, axis=axis, keepdims=keepdims),
        rtol=1e-5,
    )


def test_reductions_of_bools():
    flags = K.constant([[True, False], [True, True]], "bool")
    assert _values(K.mean(flags)) == 0.75 and K.dtype(K.mean(flags)) == "float32"
    assert _values(K.all(flags, axis=1)).tolist() == [False, True]
    assert _values(K.any(K.constant([[0.0, 0.0], [0.0, 2.0]]), axis=1)).tolist() == [False, True]


@pytest.mark.parametrize("name", ["equal", "not_equal", "greater", "greater_equal", "less", "less_equal"])
def test_comparisons(name):
    x = K.constant([1.0, 2.0, 3.0])
    assert _values(getattr(K, name)(x, 2.0)).tolist() == getattr(np, name)(np.array([1.0, 2, 3]), 2).tolist()


def test_limits():
    x = K.constant([-2.0, 0.5, 3.0])
    assert _values(K.clip(x, 0, 1)).tolist() == [0, 0.5, 1]
    assert _values(K.clip(x, 1, 0)).tolist() == [1, 1, 1]
    assert _values(K.clip(x, None, 1)).tolist() == [-2, 0.5, 1]
    assert _values(K.maximum(x, 0.0)).tolist() == [0, 0.5, 3]
    assert _values(K.minimum(x, 0.0)).tolist() == [-2, 0, 0]
    assert _values(K.pow(x, 2)).tolist() == [4, 0.25, 9]


def test_products():
    b = RANDOM.rand(5, 4, 6).astype("float32")
    np.testing.assert_allclose(_values(K.dot(K.constant(A), K.constant(b))), np.dot(A, b), rtol=1e-5)
    np.testing.assert_allclose(_values(K.dot(K.constant(A[0]), K.constant(b[0]))), A[0] @ b[0], rtol=1e-5)


@pytest.mark.parametrize(
    "shapes, axes, equation",
    [
        (((2, 3, 4), (2, 4, 5)), None, "bij,bjk->bik"),
        (((2, 3, 4), (2, 4)), None, "bij,bj->bi"),
        (((2, 3, 4), (2, 5, 4)), 2, "bij,bkj->bik"),
        (((2, 4), (2, 4)), 1, "bj,bj->b"),
        (((2, 4), (2, 4, 3)), (1, 1), "bj,bjk->bk"),
        (((2, 3, 4, 5), (2, 6, 4)), (2, -1), "bijk,blj->bikl"),
    ],
)
@pytest.mark.parametrize("batch", [2, None])
def test_batch_dot(shapes, axes, equation, batch):
    x, y = (RANDOM.rand(*shape).astype("float32") for shape in shapes)
    inputs = [K.placeholder((batch, *shape[1:])) for shape in shapes]
    output = K.batch_dot(*inputs, axes=axes)
    expected = np.einsum(equation, x, y)
    expected = expected[:, None] if expected.ndim == 1 else expected
    assert K.int_shape(output) == (batch, *expected.shape[1:])
    np.testing.assert_allclose(K.function(inputs, [output])([x, y])[0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    "shapes, axes, message",
    [
        (((2,), (2, 3)), None, "Cannot do batch_dot on inputs with rank < 2. Received inputs with shapes"),
        (((2, 3), (4, 3)), None, "with different batch sizes"),
        (((2, 3), (2, 4)), 1, r"with axes=\[1, 1\]. x.shape\[1\] != y.shape\[1\] \(3 != 4\)"),
        (((2, 3), (2, 3)), 0, "Cannot perform batch_dot over axis 0"),
        (((2, 3), (2, 3)), ([1], [1]), "Multiple target dimensions are not supported"),
    ],
)
def test_batch_dot_refuses(shapes, axes, message):
    with pytest.raises(ValueError, match=message):
        K.batch_dot(*[K.placeholder(shape) for shape in shapes], axes=axes)


SHAPING = {
    "permute": (lambda x: K.permute_dimensions(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1)),
    "reshape": (lambda x: K.reshape(x, (-1, 6)), lambda x: x.reshape(-1, 6)),
    "expand_dims": (lambda x: K.expand_dims(x, 1), lambda x: x[:, None]),
    "squeeze": (lambda x: K.squeeze(x[:, :1], 1), lambda x: x[:, 0]),
    "concatenate": (lambda x: K.concatenate([x, x], -1), lambda x: np.concatenate([x, x], -1)),
    "stack": (lambda x: K.stack([x, x], 1), lambda x: np.stack([x, x], 1)),
    "repeat": (lambda x: K.repeat(x[0], 2), lambda x: np.repeat(x[0][:, None], 2, 1)),
    "repeat_elements": (lambda x: K.repeat_elements(x, 3, 1), lambda x: np.repeat(x, 3, 1)),
    "tile": (lambda x: K.tile(x, [1, 2, 1]), lambda x: np.tile(x, [1, 2, 1])),
    "reverse": (lambda x: K.reverse(x, 1), lambda x: x[:, ::-1]),
    "gather": (lambda x: K.gather(x, [1, 0, 1]), lambda x: x[[1, 0, 1]]),
    "cast": (lambda x: K.cast(x * 9, "int32"), lambda x: (x * 9).astype("int32")),
    "temporal_padding": (
        lambda x: K.temporal_padding(x, (2, 1)), lambda x: np.pad(x, [(0, 0), (2, 1), (0, 0)]),
    ),
    "l2_normalize": (
        lambda x: K.l2_normalize(x, -1), lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True),
    ),
    "map_fn": (lambda x: K.map_fn(lambda row: row * 2, x), lambda x: x * 2),
    "foldl": (lambda x: K.foldl(lambda a, b: a * 2 + b, x), lambda x: x[0] * 2 + x[1]),
    "foldr": (lambda x: K.foldr(lambda a, b: a * 2 + b, x), lambda x: x[1] * 2 + x[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPING)
def test_shaping(name):
    function, expected = SHAPING[name]
    np.testing.assert_allclose(_values(function(K.constant(A))), expected(A), rtol=1e-6)


def test_making():
    assert _values(K.arange(2, 8, 3)).tolist() == [2, 5] and K.dtype(K.arange(3)) == "int32"
    assert _values(K.arange(-3)).tolist() == []
    assert _values(K.one_hot(K.constant([2, 0], "int32"), 3)).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert _values(K.eye(2)).tolist() == [[1, 0], [0, 1]]
    assert _values(K.zeros((2, 1))).tolist() == [[0], [0]] and _values(K.ones(2, "int32")).tolist() == [1, 1]
    assert K.int_shape(K.placeholder(ndim=3)) == (None, None, None)
    assert K.dtype(K.variable([1, 2])) == "float32" and K.dtype(K.constant(3)) == "float32"
    assert K.ndim(K.variable(A)) == 3 and K.count_params(K.zeros((2, 5))) == 10
    assert K.int_shape(K.random_normal_variable((2, 3), 0, 1)) == (2, 3)
    assert 4 <= _values(K.random_uniform_variable((1,), 4, 5))[0] < 5


def test_images():
    x = RANDOM.rand(1, 2, 3, 2).astype("float32")
    np.testing.assert_array_equal(
        _values(K.resize_images(x, 2, 3, "channels_last")), x.repeat(2, 1).repeat(3, 2)
    )
    first = _values(K.resize_images(x, 2, 2, "channels_first"))
    np.testing.assert_array_equal(first, x.repeat(2, 2).repeat(2, 3))
    smooth = _values(
        K.resize_images(np.array([0, 1], "f").reshape(1, 1, 2, 1), 1, 2, "channels_last", "bilinear")
    )
    np.testing.assert_allclose(smooth.ravel(), [0, 0.25, 0.75, 1])
    volume = x[:, None]
    np.testing.assert_array_equal(
        _values(K.resize_volumes(volume, 2, 1, 2, "channels_last")), volume.repeat(2, 1).repeat(2, 3)
    )
    assert _values(K.spatial_2d_padding(x, ((1, 0), (0, 2)))).shape == (1, 3, 5, 2)
    assert _values(K.spatial_2d_padding(x, data_format="channels_first")).shape == (1, 2, 5, 4)
    assert _values(K.spatial_3d_padding(volume)).shape == (1, 3, 4, 5, 2)
    with pytest.raises(ValueError, match='interpolation should be one of "nearest" or "bilinear"'):
        K.resize_images(x, 2, 2, "channels_last", "cubic")


def _convolved(x, kernel):
    rows, columns = x.shape[1] - kernel.shape[0] + 1, x.shape[2] - kernel.shape[1] + 1
    result = np.zeros((len(x), rows, columns, kernel.shape[-1]))
    for r in range(rows):
        for c in range(columns):
            window = x[:, r : r + kernel.shape[0], c : c + kernel.shape[1]]
            result[:, r, c] = np.tensordot(window, kernel, 3)
    return result


def test_convolutions():
    x, kernel = RANDOM.rand(2, 5, 6, 3).astype("float32"), RANDOM.rand(3, 2, 3, 4).astype("float32")
    expected = _convolved(x, kernel)
    np.testing.assert_allclose(_values(K.conv2d(x, kernel)), expected, rtol=1e-5)
    np.testing.assert_allclose(_values(K.conv2d(x, kernel, (2, 2))), expected[:, ::2, ::2], rtol=1e-5)
    assert _values(K.conv2d(x, kernel, padding="same", dilation_rate=(2, 2))).shape == (2, 5, 6, 4)
    np.testing.assert_allclose(
        _values(K.conv1d(x[:, :, 0], kernel[:, 0], padding="causal"))[:, 2:],
        _convolved(x[:, :, :1], kernel[:, :1])[:, :, 0],
        rtol=1e-5,
    )
    pixel = RANDOM.rand(1, 1, 6, 2).astype("float32")
    depth = RANDOM.rand(3, 2, 3, 2).astype("float32")
    depthwise = _values(K.depthwise_conv2d(x, depth))
    np.testing.assert_allclose(depthwise[..., 2:4], _convolved(x[..., 1:2], depth[:, :, 1:2]), rtol=1e-5)
    np.testing.assert_allclose(
        _values(K.separable_conv2d(x, depth, pixel)), depthwise @ pixel[0, 0], rtol=1e-5
    )
    back = _values(K.conv2d_transpose(expected.astype("float32"), kernel, (None, 5, 6, 3)))
    assert back.shape == x.shape and np.vdot(back, x) == pytest.approx(np.vdot(expected, expected), rel=1e-5)
    volume = _values(K.conv3d(x[:, None], kernel[None]))
    np.testing.assert_allclose(volume[:, 0], expected, rtol=1e-5)


def test_convolutions_without_shared_weights():
    x = RANDOM.rand(2, 5, 3).astype("float32")
    kernel = RANDOM.rand(2, 6, 4).astype("float32")
    expected = np.stack([x[:, 2 * i : 2 * i + 2].reshape(2, 6) @ kernel[i] for i in range(2)], 1)
    np.testing.assert_allclose(_values(K.local_conv1d(x, kernel, (2,), (2,))), expected, rtol=1e-5)
    images, kernel = x[:, :4, :, None], RANDOM.rand(6, 4, 1).astype("float32")
    output = _values(K.local_conv2d(images, kernel, (2, 2), (1, 1), (3, 2)))
    assert output.shape == (2, 3, 2, 1)
    np.testing.assert_allclose(
        output[:, 1, 1, 0], images[:, 1:3, 1:3, 0].reshape(2, 4) @ kernel[3, :, 0], rtol=1e-5
    )


def test_pools():
    x = RANDOM.rand(1, 4, 4, 2).astype("float32")
    blocks = x.reshape(1, 2, 2, 2, 2, 2)
    np.testing.assert_array_equal(_values(K.pool2d(x, (2, 2), (2, 2))), blocks.max((2, 4)))
    np.testing.assert_allclose(
        _values(K.pool2d(x, (2, 2), (2, 2), pool_mode="avg")), blocks.mean((2, 4)), rtol=1e-6
    )
    np.testing.assert_array_equal(
        _values(K.pool3d(x[:, None], (1, 2, 2), (1, 2, 2)))[:, 0], blocks.max((2, 4))
    )
    with pytest.raises(ValueError, match="Invalid pooling mode: sum"):
        K.pool2d(x, (2, 2), pool_mode="sum")
    with pytest.raises(ValueError, match="`pool_size` must be a tuple of 2 integers"):
        K.pool2d(x, (2,))
    with pytest.raises(ValueError, match="Invalid padding: full"):
        K.pool2d(x, (2, 2), padding="full")


def test_biases_and_normalizations():
    x = RANDOM.rand(2, 3, 4, 5).astype("float32")
    bias = np.arange(5, dtype="float32")
    np.testing.assert_allclose(_values(K.bias_add(x, bias)), x + bias)
    np.testing.assert_allclose(
        _values(K.bias_add(x, bias[:3], "channels_first")), x + bias[:3].reshape(1, 3, 1, 1)
    )
    whole = RANDOM.rand(3, 4, 5).astype("float32")
    np.testing.assert_allclose(_values(K.bias_add(x, whole)), x + whole)
    with pytest.raises(ValueError, match="Unexpected bias dimensions 2, expect to be 1 or 3 dimensions"):
        K.bias_add(x, whole[0])
    normed, mean, variance = map(_values, K.normalize_batch_in_training(x, bias + 1, bias, [0, 1, 2]))
    np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance, x.var((0, 1, 2), ddof=1), rtol=1e-5)
    expected = (x - mean) / np.sqrt(x.var((0, 1, 2)) + 1e-3) * (bias + 1) + bias
    np.testing.assert_allclose(normed, expected, rtol=1e-4, atol=1e-6)
    rows = x[0, 0]
    normed, mean, variance = map(_values, K.normalize_batch_in_training(rows, None, None, [0]))
    np.testing.assert_allclose(variance, rows.var(0), rtol=1e-5)
    np.testing.assert_allclose(normed, (rows - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-6)
    other = _values(K.batch_normalization(x, bias[:3], bias[:3] + 1, None, None, axis=1))
    wide = bias[:3].reshape(1, 3, 1, 1)
    np.testing.assert_allclose(other, (x - wide) / np.sqrt(wide + 1.001), rtol=1e-5, atol=1e-6)


def test_losses():
    target, output = np.array([[0, 1.0, 0]], "f"), np.array([[0.2, 0.5, 0.3]], "f")
    np.testing.assert_allclose(_values(K.categorical_crossentropy(target, output)), [-np.log(0.5)], rtol=1e-6)
    np.testing.assert_allclose(
        _values(K.sparse_categorical_crossentropy(np.array([1]), output)), [-np.log(0.5)], rtol=1e-6
    )
    each = -(target * np.log(output) + (1 - target) * np.log(1 - output))
    np.testing.assert_allclose(_values(K.binary_crossentropy(target, output)), each, rtol=1e-5)
    logits = np.log(output / (1 - output))
    np.testing.assert_allclose(
        _values(K.binary_crossentropy(target, logits, from_logits=True)), each, rtol=1e-5
    )
    assert _values(K.in_top_k(output, np.array([1, ]), 1)).tolist() == [True]  # fmt: skip


def test_random_tensors():
    assert _values(K.random_normal((1000,), 5, 0.1)).mean() == pytest.approx(5, abs=0.02)
    assert np.abs(_values(K.truncated_normal((1000,)))).max() <= 2
    uniform = _values(K.random_uniform((1000,), 2, 3))
    assert uniform.min() >= 2 and uniform.max() < 3
    ones = _values(K.random_bernoulli((1000,), 0.3))
    assert set(ones) == {0, 1} and ones.mean() == pytest.approx(0.3, abs=0.06)
    dropped = _values(K.dropout(K.ones((1000,)), 0.5))
    assert set(dropped) == {0, 2}
    np.random.seed(3)
    first = _values(K.random_normal((3,)))
    np.random.seed(3)
    np.testing.assert_array_equal(first, _values(K.random_normal((3,))))


def test_switch():
    x = K.placeholder(())
    chosen = K.function([x], [K.switch(x > 0, lambda: x * 2, lambda: -x)])
    assert chosen([3.0]) == [6] and chosen([-1.0]) == [1]
    rows = K.switch(K.constant([1, 0]), K.constant([[1.0, 2], [3, 4]]), K.zeros((2, 2)))
    assert _values(rows).tolist() == [[1, 2], [0, 0]]
    with pytest.raises(ValueError, match=r"Rank of `condition` should be less .* ndim\(condition\)=2"):
        K.switch(K.ones((2, 2)), K.ones(2), K.ones(2))


def test_phases():
    x = K.constant(1.0)
    assert _values(K.in_train_phase(x, x + 1, training=True)) == 1
    assert _values(K.in_test_phase(x, lambda: x + 1, training=True)) == 2
    either = K.function([K.learning_phase()], [K.in_train_phase(x, x + 1)])
    assert either([1]) == [1] and either([0]) == [2]
    K.set_learning_phase(1)
    try:
        assert K.learning_phase() == 1 and _values(K.in_train_phase(x, x + 1)) == 1
        with K.learning_phase_scope(0):
            assert _values(K.in_train_phase(x, x + 1)) == 2
    finally:
        K.clear_session()
    with pytest.raises(ValueError, match="Expected learning phase to be 0 or 1"):
        K.set_learning_phase(2)


def test_a_model_in_two_phases():
    model = keras.Sequential([keras.layers.Dropout(0.5, input_shape=(100,))])
    run = K.function([model.input, K.learning_phase()], [model.output])
    x = np.ones((1, 100), "float32")
    np.testing.assert_array_equal(run([x, 0])[0], x)
    assert set(run([x, 1])[0].ravel()) == {0, 2}


def test_functions():
    x, y, total = K.placeholder((None, 2)), K.placeholder(()), K.variable(0.0)
    add = K.function([x, y], [x + y, K.sum(x)], updates=[(total, total + y)])
    a, b = add([[[1, 2]], 3])
    assert a.tolist() == [[4, 5]] and b == 3 and K.get_value(total) == 3
    add([np.ones((5, 2)), 4])
    assert K.get_value(total) == 7
    single = K.function([x], x * 2)([[[1, 2]]])
    assert single.tolist() == [[2, 4]]
    count = K.function([], [total], updates=[K.update_sub(total, 1.0)])
    count([])
    assert K.get_value(total) == 6
    with pytest.raises(ValueError, match="The function takes 2 inputs, but 1 were given"):
        add([1])
    with pytest.raises(TypeError, match="`inputs` should be a list or tuple"):
        K.function(x, [x])
    with pytest.raises(TypeError, match="`updates` should be a list or tuple"):
        K.function([x], [x], updates=total)
    with pytest.raises(ValueError, match='Invalid argument "mode" passed to K.function'):
        K.function([x], [x], mode="fast")


def test_gradients():
    x, w = K.placeholder((2,)), K.variable([3.0, 4.0])
    by_input, by_weight = K.gradients(K.sum(x * K.square(w)), [x, w])
    a, b = K.function([x], [by_input, by_weight])([[1, 2]])
    assert a.tolist() == [9, 16] and b.tolist() == [6, 16]
    assert K.gradients(K.sum(K.stop_gradient(w) * x), [w]) == [None]
    assert len(K.stop_gradient([x, w])) == 2


def test_variables():
    x = K.variable([1.0, 2.0])
    K.set_value(x, [3, 4])
    assert K.get_value(x).tolist() == [3, 4] and K.eval(x).tolist() == [3, 4]
    y = K.variable(1)
    K.batch_set_value([(x, [5, 6]), (y, 7)])
    assert [v.tolist() for v in K.batch_get_value([x, y])] == [[5, 6], 7]
    K.get_session().run([K.update(y, 1.0), K.update_add(x, [1.0, 1.0])])
    assert K.get_value(y) == 1 and K.get_value(x).tolist() == [6, 7]
    K.get_session().run(K.moving_average_update(x, K.constant([0.0, 0.0]), 0.5))
    assert K.get_value(x).tolist() == [3, 3.5]
    assert K.get_value(5) == 5
    with pytest.raises(ValueError, match="Shape mismatch"):
        K.set_value(x, [1, 2, 3])


def test_variables_of_sessions():
    x = tf.Variable([1.0, 2.0])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert K.get_session() is session
        assert K.eval(K.sum(x)) == 3
        K.set_value(x, [5, 5])
        assert K.get_value(x).tolist() == [5, 5]
    own = tf.Session()
    K.set_session(own)
    assert K.get_session() is own
    own.run(tf.global_variables_initializer())
    assert K.eval(x).tolist() == [1, 2]
    K.clear_session()
    assert K.get_session() is not own and K.get_session() is K.get_session()


def test_settings(monkeypatch):
    monkeypatch.setattr("minitf.keras.engine.state._settings", dict(keras.engine.state._settings))
    assert (K.floatx(), K.epsilon(), K.image_data_format(), K.backend()) == (
        "float32", 1e-7, "channels_last", "tensorflow",
    )  # fmt: skip
    K.set_floatx("float64")
    K.set_epsilon(1e-4)
    assert K.dtype(K.variable(1)) == "float64" and K.epsilon() == 1e-4
    assert K.cast_to_floatx([1, 2]).dtype == np.float64
    K.set_image_dim_ordering("th")
    assert K.image_data_format() == "channels_first" and K.image_dim_ordering() == "th"
    K.set_image_data_format("channels_last")
    assert K.image_dim_ordering() == "tf"
    for set_it, value, message in (
        (K.set_floatx, "int8", "Unknown `floatx` value: int8"),
        (K.set_image_data_format, "last", "Unknown `data_format`: last"),
        (K.set_image_dim_ordering, "mx", "Unknown dim_ordering: mx"),
    ):
        with pytest.raises(ValueError, match=message):
            set_it(value)


def test_names():
    K.clear_session()
    assert [K.get_uid("dense"), K.get_uid("dense"), K.get_uid("conv")] == [1, 2, 1]
    K.reset_uids()
    assert K.get_uid("dense") == 1
    with K.name_scope("block"):
        assert K.square(K.placeholder((2,), name="p")).name == "block/Square:0"


def test_what_is_a_keras_tensor():
    made = keras.Input((2,))
    assert K.is_keras_tensor(made) and not K.is_keras_tensor(K.placeholder((2,)))
    assert not K.is_sparse(made) and K.to_dense(made) is made
    with pytest.raises(ValueError, match="Unexpectedly found an instance of type `<class 'int'>`"):
        K.is_keras_tensor(5)


def test_print_tensor(capsys):
    x = K.print_tensor(K.constant([1.0, 2.0]), "x =")
    assert capsys.readouterr().out == ""
    assert _values(x).tolist() == [1, 2]
    assert capsys.readouterr().out == "x = [1 2]\n"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: K.placeholder((2,), sparse=True), "K.placeholder: sparse and ragged"),
        (lambda: K.manual_variable_initialization(True), "variables always have values"),
        (lambda: K.conv2d_transpose(0, 0, (1,), dilation_rate=(2, 2)), "K.conv2d_transpose: dilation_rate"),
    ],
)
def test_what_is_not_supported(call, message):
    with pytest.raises(NotImplementedError, match=message):
        call()
