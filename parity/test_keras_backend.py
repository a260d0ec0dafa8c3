"""Backend functions beside tf-keras's: one call, by both, on the same arrays."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from minitf import keras

_RANDOM = np.random.RandomState(2)
X = _RANDOM.normal(size=(2, 5, 6, 4)).astype("float32")
SEQUENCE, MATRIX, VECTOR = X[:, 0], X[0, 0], X[0, 0, 0]
KERNEL = _RANDOM.normal(size=(3, 2, 4, 3)).astype("float32")
VOLUME = _RANDOM.normal(size=(1, 4, 5, 6, 2)).astype("float32")
SHARES = _RANDOM.dirichlet(np.ones(4), 6).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")[[0, 3, 1, 1, 2, 0]]
CLASSES = np.array([0, 3, 1, 1, 2, 0])

MASK = np.array([[True, True, False, True, True, False], [False, True, True, False, True, True]])


def _recurrence(K, c, **options):  # noqa: N803
    def step(x, states):
        new = K.tanh(x + states[0] * 0.5 + sum(states[2:], 0.0))
        return new * 2, [new, states[1] + 1]

    inputs = np.ascontiguousarray(SEQUENCE.swapaxes(0, 1)) if "time_major" in options else SEQUENCE
    last, outputs, states = K.rnn(
        step, c(inputs), [c(np.zeros((2, 4), "f")), c(np.zeros((2, 1), "f"))], input_length=6, **options
    )
    return [last, outputs, *states]


CALLS = {
    **{
        name: (lambda K, c, name=name: getattr(K, name)(c(X)))
        for name in (
            "abs", "square", "sqrt", "exp", "round", "sign", "sin", "cos", "tanh", "sigmoid", "softplus",
            "softsign", "relu", "elu", "hard_sigmoid", "softmax", "transpose", "flatten", "batch_flatten",
            "zeros_like", "ones_like", "shape", "cumsum", "cumprod", "argmax", "argmin", "sum", "mean", "std",
            "var", "max", "min", "prod", "any", "all", "l2_normalize", "spatial_2d_padding",
        )
    },
    "reductions": lambda K, c: [
        getattr(K, name)(c(X), axis=axis, keepdims=keep)
        for name in ("sum", "mean", "std", "var", "max", "min", "prod")
        for axis in (0, -1, (1, 2), [3])
        for keep in (False, True)
    ],
    "relu_options": lambda K, c: K.relu(c(X), alpha=0.1, max_value=1.0, threshold=0.2),
    "dot": lambda K, c: [
        K.dot(c(X), c(X[0].swapaxes(1, 2))), K.dot(c(MATRIX), c(MATRIX.T)), K.dot(c(SEQUENCE), c(MATRIX.T)),
    ],
    "batch_dot": lambda K, c: [
        K.batch_dot(c(SEQUENCE), c(SEQUENCE), axes) for axes in ((1, 1), 2, (2, -1))
    ] + [
        K.batch_dot(c(X), c(X), (3, 3)), K.batch_dot(c(SEQUENCE), c(SEQUENCE[:, 0]), (2, 1)),
        K.batch_dot(c(SEQUENCE[:, 0]), c(SEQUENCE[:, 0])),
        K.batch_dot(c(SEQUENCE[:, 0]), c(SEQUENCE), (1, 2)),
        K.batch_dot(c(SEQUENCE), c(SEQUENCE.swapaxes(1, 2))),
    ],
    "joining": lambda K, c: [
        K.concatenate([c(X), c(X)]), K.concatenate([c(X), c(X)], 1), K.stack([c(X), c(X)], 2),
    ],
    "shaping": lambda K, c: [
        K.permute_dimensions(c(X), (3, 0, 2, 1)), K.reshape(c(X), (4, -1)), K.expand_dims(c(X), 2),
        K.repeat(c(MATRIX), 3), K.repeat_elements(c(X), 2, 1), K.tile(c(MATRIX), [2, 1]),
        K.reverse(c(X), [0, 2]),
        K.gather(c(X), np.array([1, 0, 0])), K.arange(2, 9, 3), K.arange(4, dtype="float32"),
        K.one_hot(CLASSES, 5), K.squeeze(c(X[:1]), 0), K.temporal_padding(c(SEQUENCE), (2, 0)),
        K.spatial_3d_padding(c(VOLUME), ((1, 0), (0, 2), (1, 1)), "channels_last"),
    ],
    "resizing": lambda K, c: [
        K.resize_images(c(X), 2, 3, "channels_last"), K.resize_images(c(X), 2, 2, "channels_first"),
        K.resize_images(c(X), 2, 2, "channels_last", "bilinear"),
        K.resize_volumes(c(VOLUME), 2, 1, 3, "channels_last"),
    ],
    "conv1d": lambda K, c: [
        K.conv1d(c(SEQUENCE), c(KERNEL[:, 0]), strides, padding, dilation_rate=rate)
        for strides, padding, rate in ((1, "same", 1), (2, "valid", 1), (1, "causal", 2))
    ],
    "conv2d": lambda K, c: [
        K.conv2d(c(X), c(KERNEL), strides, padding, dilation_rate=rate)
        for strides, padding, rate in (
            ((1, 1), "valid", (1, 1)), ((2, 1), "same", (1, 1)), ((1, 1), "same", (2, 2)),
        )
    ],
    "conv2d_transpose": lambda K, c: K.conv2d_transpose(
        c(X), c(KERNEL.swapaxes(2, 3)), (2, 10, 12, 3), (2, 2), "same"
    ),
    "conv3d": lambda K, c: K.conv3d(c(VOLUME), c(KERNEL[None, :, :, :2]), padding="same"),
    "depthwise": lambda K, c: K.depthwise_conv2d(c(X), c(KERNEL), (2, 2), "same"),
    "separable": lambda K, c: K.separable_conv2d(
        c(X), c(KERNEL[..., :2]), c(KERNEL.reshape(1, 1, -1)[..., :56].reshape(1, 1, 8, 7))
    ),
    "local": lambda K, c: K.local_conv1d(
        c(SEQUENCE), c(_RANDOM_KERNEL), (2,), (2,), "channels_last"
    ),
    "pools": lambda K, c: [
        K.pool2d(c(X), (2, 3), strides, padding, pool_mode=mode)
        for strides in ((1, 1), (2, 2)) for padding in ("same", "valid") for mode in ("max", "avg")
    ] + [K.pool3d(c(VOLUME), (2, 2, 2), (1, 2, 2), "same", pool_mode=mode) for mode in ("max", "avg")],
    "bias_add": lambda K, c: [
        K.bias_add(c(X), c(VECTOR)), K.bias_add(c(X), c(X[0, 0, :5, 0]), "channels_first"),
        K.bias_add(c(X), c(X[1])),
    ],
    "normalizations": lambda K, c: [
        *K.normalize_batch_in_training(c(X), c(VECTOR), c(VECTOR + 1), [0, 1, 2]),
        *K.normalize_batch_in_training(c(MATRIX), c(VECTOR), c(VECTOR + 1), [0]),
        K.batch_normalization(c(X), c(VECTOR), c(VECTOR**2), c(VECTOR), c(VECTOR + 1)),
    ],
    "losses": lambda K, c: [
        K.categorical_crossentropy(c(ONE_HOT), c(SHARES)),
        K.categorical_crossentropy(c(ONE_HOT), c(SHARES), from_logits=True),
        K.sparse_categorical_crossentropy(CLASSES, c(SHARES)),
        K.sparse_categorical_crossentropy(CLASSES, c(SHARES), from_logits=True),
        K.binary_crossentropy(c(ONE_HOT), c(SHARES)),
        K.binary_crossentropy(c(ONE_HOT), c(SHARES), from_logits=True),
    ],
    "limits": lambda K, c: [
        K.clip(c(X), -0.5, 0.5), K.clip(c(X), None, 0.1), K.clip(c(X), 0.1, None), K.clip(c(X), 0.5, -0.5),
        K.maximum(c(X), 0.1), K.minimum(c(X), 0.1), K.pow(c(X), 3.0), K.log(c(SHARES)),
    ],
    "comparisons": lambda K, c: [
        getattr(K, name)(c(np.round(X)), 0.0)
        for name in ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")
    ],
    "switches": lambda K, c: [
        K.switch(c(X) > 0, c(X), c(X * 2)), K.switch(c(X[:, :, 0, 0]) > 0, c(X), c(X * 2)),
        K.switch(c(VECTOR[0]) > 0, lambda: c(X), lambda: c(X * 2)),
    ],
    "folds": lambda K, c: [
        K.map_fn(lambda row: row * 2 + 1, c(X)), K.foldl(lambda a, b: a * 2 + b, c(X)),
        K.foldr(lambda a, b: a * 2 + b, c(X)),
    ],
    "rnn": lambda K, c: [
        part
        for options in (
            {}, {"go_backwards": True}, {"mask": c(MASK)}, {"mask": c(MASK), "zero_output_for_mask": True},
            {"unroll": True, "mask": c(MASK)}, {"time_major": True}, {"constants": [c(VECTOR)]},
        )
        for part in _recurrence(K, c, **options)
    ],
    "casts": lambda K, c: [
        K.cast(c(X * 3), "int32"), K.cast_to_floatx(np.arange(3)), K.eye(3), K.zeros((2, 3)),
    ],
}  # fmt: skip
_RANDOM_KERNEL = _RANDOM.normal(size=(3, 8, 2)).astype("float32")


def _flat(result):
    return result if isinstance(result, list | tuple) else [result]


@pytest.mark.parametrize("name", CALLS)
def test_call(name):
    ours = _flat(CALLS[name](keras.backend, keras.backend.constant))
    theirs = _flat(CALLS[name](tf_keras.backend, tf.constant))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if name == "shape" or hasattr(a, "op"):
            assert tuple(a.shape.as_list()) == tuple(b.shape)
        a, b = keras.backend.get_value(a), tf_keras.backend.get_value(b)
        assert a.dtype == b.dtype, name
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(b).max()))


def test_every_name_is_there():
    theirs = {name for name in dir(tf_keras.backend) if not name.startswith("_")}
    missing = theirs - set(dir(keras.backend))
    assert missing == {
        # connectionist temporal classification, and what is newer than Keras 2.4
        "ctc_batch_cost", "ctc_decode", "ctc_label_dense_to_sparse", "binary_focal_crossentropy",
        "categorical_focal_crossentropy", "experimental",
    }  # fmt: skip
