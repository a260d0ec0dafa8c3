"""Activations, dropout, normalization and the small functions of tf.nn."""

import numpy as np
import pytest

import minitf as tf
from tests.ops.test_nn_convolution import image, numbers, run


def test_activations_from_their_definitions():
    x = numbers(3, 4) * 4
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    for function, expected in (
        (tf.nn.relu, np.maximum(x, 0)),
        (tf.nn.relu6, np.clip(x, 0, 6)),
        (tf.nn.leaky_relu, np.where(x > 0, x, np.float64(np.float32(0.2)) * x)),
        (tf.nn.elu, np.where(x > 0, x, np.expm1(x))),
        (tf.nn.selu, scale * np.where(x > 0, x, alpha * np.expm1(x))),
        (tf.nn.softplus, np.log1p(np.exp(x))),
        (tf.nn.softsign, x / (1 + np.abs(x))),
        (tf.nn.swish, x / (1 + np.exp(-x))),
        (tf.nn.crelu, np.maximum(np.concatenate([x, -x], -1), 0)),
        (tf.nn.sigmoid, 1 / (1 + np.exp(-x))),
        (tf.nn.tanh, np.tanh(x)),
    ):
        np.testing.assert_allclose(
            run(function, x), expected, rtol=1e-12, atol=1e-14, err_msg=function.__name__
        )


def test_gelu_and_its_approximation():
    x = numbers(50)
    exact, near = run(lambda x: [tf.nn.gelu(x), tf.nn.gelu(x, approximate=True)], x)
    np.testing.assert_allclose(near, exact, atol=2e-3)
    np.testing.assert_allclose(run(lambda x: tf.nn.gelu(x), np.array([-9.0, 0, 9])), [0, 0, 9], atol=1e-15)
    with tf.Graph().as_default(), pytest.raises(ValueError, match="must be a floating point tensor"):
        tf.nn.gelu(image(2, dtype=tf.int32))


def test_activations_far_out():
    x = np.array([-np.inf, -800.0, 800.0, np.inf, np.nan])
    np.testing.assert_array_equal(run(tf.nn.softplus, x), [0, 0, 800, np.inf, np.nan])
    np.testing.assert_array_equal(run(tf.nn.elu, x), [-1, -1, 800, np.inf, np.nan])
    np.testing.assert_array_equal(run(tf.nn.relu, x), [0, 0, 800, np.inf, np.nan])
    np.testing.assert_array_equal(run(tf.nn.relu6, x), [0, 0, 6, 6, np.nan])


def test_integers_can_be_rectified_but_not_exponentiated():
    np.testing.assert_array_equal(run(tf.nn.relu, np.array([-2, 3])), [0, 3])
    with (
        tf.Graph().as_default(),
        pytest.raises(TypeError, match="DataType int32 not in list of allowed values"),
    ):
        tf.nn.elu(image(2, dtype=tf.int32))


def test_third_derivatives_through_elu():
    x = np.array([-0.7, 0.4])
    thrice = run(lambda x: tf.gradients(tf.gradients(tf.gradients(tf.nn.elu(x), [x])[0], [x])[0], [x])[0], x)
    np.testing.assert_allclose(thrice, [np.exp(-0.7), 0])


# --- dropout -----------------------------------------------------------------------------------------


def test_dropout_keeps_the_mean_and_its_gradient_the_choice():
    x = np.ones((200, 100), np.float32)
    y, grad = run(lambda x: [(y := tf.nn.dropout(x, keep_prob=0.8, seed=1)), tf.gradients(y, [x])[0]], x)
    assert set(np.unique(y)) == {0, np.float32(1.25)}
    assert y.mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(y, grad)


def test_dropout_drops_nan_too():
    y = run(lambda x: tf.nn.dropout(x, rate=0.5, seed=1), np.full(1000, np.nan, np.float32))
    assert 400 < np.count_nonzero(y == 0) < 600


def test_noise_shape_ties_choices_together():
    x = np.ones((20, 5, 7), np.float32)
    y = run(lambda x: tf.nn.dropout(x, 0.5, noise_shape=[None, 1, 7], seed=1), x)
    np.testing.assert_array_equal(y, np.repeat(y[:, :1], 5, 1))
    assert 0 < y[:, 0].mean() < 2


def test_dropout_at_a_fed_rate():
    with tf.Graph().as_default(), tf.Session() as session:
        keep = tf.placeholder(tf.float32, [])
        y = tf.nn.dropout(tf.ones([1000]), keep, seed=1)
        assert session.run(y, {keep: 1.0}).sum() == 1000
        half = session.run(y, {keep: 0.5})
        assert set(half) == {0.0, 2.0}
        (to_keep,) = tf.gradients(y, [keep])
        kept, grad = session.run([y, to_keep], {keep: 0.5})
        # d (x / keep) / d keep = -x / keep ** 2 for each kept x.
        assert grad == pytest.approx(-4 * np.count_nonzero(kept))


def test_keeping_all_adds_no_op():
    with tf.Graph().as_default() as graph:
        x = image(2, 3)
        assert tf.nn.dropout(x, keep_prob=1.0) is x
        assert tf.nn.dropout(x, rate=0) is x
        assert len(graph.get_operations()) == 1


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: tf.nn.dropout(x, keep_prob=0.0), "must be a scalar tensor or a float in the range [0, 1)"),
        (lambda x: tf.nn.dropout(x, rate=2.0), "Received: rate=2.0"),
        (lambda x: tf.nn.dropout(x), "`rate` must be provided. Received: rate=None"),
        (lambda x: tf.nn.dropout(x, 0.5, rate=0.5), "Cannot specify both 'keep_prob' and 'rate'."),
        (
            lambda x: tf.nn.dropout(tf.cast(x, tf.int32), 0.5),
            "`x.dtype` must be a floating point tensor as `x` will be scaled.",
        ),
        (lambda x: tf.nn.dropout(x, 0.5, noise_shape=[5, 3]), "Dimensions must be equal, but are 2 and 5"),
    ],
)
def test_errors_of_dropout(build, message):
    with tf.Graph().as_default(), pytest.raises(ValueError) as error:
        build(image(2, 3))
    assert message in str(error.value)


# --- normalization -----------------------------------------------------------------------------------


def test_moments_and_batch_normalization():
    x = numbers(3, 4, 5)
    mean, variance, kept = run(
        lambda x: [*tf.nn.moments(x, [0, 1]), tf.nn.moments(x, [0, 1], keep_dims=True)[0]],
        x,
    )
    np.testing.assert_allclose(mean, x.mean((0, 1)))
    np.testing.assert_allclose(variance, x.var((0, 1)))
    assert kept.shape == (1, 1, 5)
    y = run(lambda x: tf.nn.batch_normalization(x, *tf.nn.moments(x, [0, 1]), 2.0, 3.0, 1e-3), x)
    np.testing.assert_allclose(y, 3 * (x - mean) / np.sqrt(variance + 1e-3) + 2)


def test_moments_of_half_precision_do_not_overflow():
    x = np.full(4096, 1000, np.float16)
    mean, variance = run(lambda x: tf.nn.moments(x, [0]), x)
    assert (mean, variance) == (1000, 0)
    assert mean.dtype == variance.dtype == np.float16


def test_statistics_can_be_gathered_in_parts():
    x = numbers(8, 3) + 5

    def together(x):
        parts = [
            tf.nn.sufficient_statistics(part, [0], shift=tf.constant(5.0, tf.float64))
            for part in (x[:3], x[3:])
        ]
        (a, b, c, shift), (d, e, f, _) = parts
        return tf.nn.normalize_moments(a + d, b + e, c + f, shift)

    mean, variance = run(together, x)
    np.testing.assert_allclose(mean, x.mean(0))
    np.testing.assert_allclose(variance, x.var(0))


def test_weighted_moments():
    x, w = numbers(4, 3), np.array([[1.0], [0], [2], [3]])
    mean, variance = run(lambda x, w: tf.nn.weighted_moments(x, [0], w), x, w)
    expected = (w * x).sum(0) / 6
    np.testing.assert_allclose(mean, expected)
    np.testing.assert_allclose(variance, (w * (x - expected) ** 2).sum(0) / 6)


def batch_norm(x, scale, offset, **options):
    return tf.nn.fused_batch_norm(x, scale, offset, **options)


def test_fused_batch_norm_in_training_and_inference():
    x = (numbers(4, 3, 3, 2) * 2 + 7).astype(np.float32)
    scale, offset = np.array([1.5, -2], np.float32), np.array([0.5, 3], np.float32)
    y, mean, variance = run(batch_norm, x, scale, offset)
    flat = x.reshape(-1, 2).astype(np.float64)
    np.testing.assert_allclose(mean, flat.mean(0), rtol=1e-6)
    np.testing.assert_allclose(variance, flat.var(0, ddof=1), rtol=1e-5)
    expected = scale * (x - flat.mean(0)) / np.sqrt(flat.var(0) + 1e-3) + offset
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    given = [flat.mean(0).astype(np.float32), flat.var(0).astype(np.float32)]
    z, *same = run(
        lambda x, s, o, m, v: batch_norm(x, s, o, mean=m, variance=v, is_training=False),
        x,
        scale,
        offset,
        *given,
    )
    np.testing.assert_allclose(z, expected, rtol=1e-4, atol=1e-5)
    for a, b in zip(same, given, strict=True):
        np.testing.assert_array_equal(a, b)


def test_running_statistics_are_blended():
    x, ones = numbers(4, 3, 3, 2).astype(np.float32), np.ones(2, np.float32)
    _, mean, variance = run(
        lambda x, o: batch_norm(x, o, o, mean=o, variance=o, exponential_avg_factor=0.25), x, ones
    )
    flat = x.reshape(-1, 2)
    np.testing.assert_allclose(mean, 0.75 + 0.25 * flat.mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, 0.75 + 0.25 * flat.var(0, ddof=1), rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_fused_batch_norm_has_the_derivatives_of_its_formula(training):
    x, scale, offset = (
        a.astype(np.float32) for a in (numbers(2, 3, 2, 2), numbers(2, seed=1), numbers(2, seed=2))
    )
    given = np.array([0.3, -0.2], np.float32), np.array([0.5, 1.5], np.float32)

    def formula(x, s, o):
        mean, variance = tf.nn.moments(x, [0, 1, 2]) if training else given
        if training:  # tf.nn.moments holds the mean fixed within the variance, which shows from the third on
            mean = tf.reduce_mean(x, [0, 1, 2])
            variance = tf.reduce_mean(tf.square(x - mean), [0, 1, 2])
        return tf.nn.batch_normalization(x, mean, variance, o, s, 1e-3)

    def fused(x, s, o):
        mean, variance = (None, None) if training else given
        return batch_norm(x, s, o, mean=mean, variance=variance, is_training=training)[0]

    def three_orders(function):
        def build(*inputs):
            found, value = [], tf.reduce_sum(tf.sin(function(*inputs)))
            for _ in range(3):
                grads = tf.gradients(value, list(inputs), unconnected_gradients="zero")
                found += grads
                value = tf.add_n([tf.reduce_sum(tf.sin(grad)) for grad in grads])
            return found

        return build

    for a, b in zip(*[run(three_orders(f), x, scale, offset) for f in (fused, formula)], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3 * np.abs(b).max())


def test_errors_of_fused_batch_norm():
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Dimensions must be equal, but are 4 and 3"):
            batch_norm(image(2, 3, 3, 4), image(3), image(4))
        with pytest.raises(ValueError, match="Both `mean` and `variance` must be a 1D tensor"):
            batch_norm(image(2, 3, 3, 4), image(4), image(4), is_training=False)
        with pytest.raises(TypeError, match="DataType float64 not in list of allowed values"):
            batch_norm(image(2, 3, 3, 4, dtype=tf.float64), image(4), image(4))


def test_local_response_normalization():
    x = numbers(2, 2, 2, 5).astype(np.float32)
    y = run(lambda x: tf.nn.lrn(x, 1, 2.0, 0.5, 0.75), x)
    squares = np.pad(x**2, ((0, 0), (0, 0), (0, 0), (1, 1)))
    sums = squares[..., :-2] + squares[..., 1:-1] + squares[..., 2:]
    np.testing.assert_allclose(y, x / (2 + 0.5 * sums) ** 0.75, rtol=1e-5)
    with tf.Graph().as_default(), pytest.raises(LookupError, match="LRNGrad"):
        inputs = image(2, 2, 2, 5)
        tf.gradients(tf.gradients(tf.nn.lrn(inputs), inputs), inputs)
    with tf.Graph().as_default(), pytest.raises(ValueError, match="Shape must be rank 4 but is rank 2"):
        tf.nn.lrn(image(2, 3))


@pytest.mark.parametrize("axis", [None, 0, [0, 1]])
def test_l2_normalize(axis):
    x = numbers(3, 4)
    expected = x / np.sqrt(
        (x**2).sum(axis if axis is None or np.isscalar(axis) else tuple(axis), keepdims=True)
    )
    np.testing.assert_allclose(run(lambda x: tf.nn.l2_normalize(x, axis), x), expected)
    np.testing.assert_array_equal(
        run(lambda x: tf.nn.l2_normalize(x, dim=0), np.zeros((2, 2))), np.zeros((2, 2))
    )


# --- the rest ----------------------------------------------------------------------------------------


def test_bias_add_and_its_errors():
    x, b = numbers(2, 3, 4, 5), numbers(3)
    np.testing.assert_array_equal(
        run(lambda x, b: tf.nn.bias_add(x, b, data_format="NCHW"), x, b), x + b[:, None, None]
    )
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4"):
            tf.nn.bias_add(image(2, 3), image(4))
        with pytest.raises(ValueError, match="Shape must be at least rank 2 but is rank 1"):
            tf.nn.bias_add(image(3), image(3))
        with pytest.raises(ValueError, match="`data_format` must be of the form `N...C` or `NC...`"):
            tf.nn.bias_add(image(2, 3), image(3), data_format="foo")
    with tf.Graph().as_default():
        assert tf.nn.bias_add(image(2, 3), image(3)).name == "BiasAdd:0"


def test_dense_layers_in_one_call():
    x, w, b = numbers(2, 3), numbers(3, 4), numbers(4)
    np.testing.assert_allclose(run(tf.nn.xw_plus_b, x, w, b), x @ w + b)
    np.testing.assert_allclose(run(tf.nn.relu_layer, x, w, b), np.maximum(x @ w + b, 0))


def test_l2_loss_of_many_values_is_accurate():
    x = numbers(3_000_001).astype(np.float32)
    expected = np.sum(x.astype(np.float64) ** 2) / 2
    loss, grad = run(lambda x: [tf.nn.l2_loss(x), tf.gradients(tf.nn.l2_loss(x), [x])[0]], x)
    assert loss == pytest.approx(expected, rel=1e-6)
    np.testing.assert_array_equal(grad, x)


def test_share_of_zeros():
    assert run(tf.nn.zero_fraction, np.array([[0, 1, 0], [0, 2, 3]])) == np.float32(0.5)
    assert np.isnan(run(tf.nn.zero_fraction, np.zeros(0)))


def test_in_top_k_counts_ties_in_and_doubts_out():
    predictions = np.array([[1, 2, 2], [3, 2, 1], [1, np.nan, 3], [1, 2, 3]], np.float32)
    found = run(lambda p, t: tf.nn.in_top_k(p, t, 1), predictions, np.array([1, 2, 2, 5]))
    np.testing.assert_array_equal(found, [True, False, False, False])


def test_softmax_along_another_axis_keeps_its_name():
    result = tf.nn.softmax(tf.constant([[0.0, 1.0], [0.0, 1.0]]), axis=0, name="share")
    assert result.name == "share:0"
    with tf.Session() as session:
        assert session.run("share:0").tolist() == [[0.5, 0.5], [0.5, 0.5]]
