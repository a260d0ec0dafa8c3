"""One table of cases for every layer: how to make it, and what to call it on.

`test_every_layer.py` reads it to test minitf by itself, `parity/test_keras_layers.py` to compare it with
tf-keras. A case is made by a function of the module of layers, so that both can make it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

BATCH = 4


@dataclass(frozen=True)
class Case:
    """A layer and its inputs.

    `shapes` are the inputs' without the batch; `words` makes them integers below that number. `mask` masks
    the first input by a Masking layer before it. `training` says whether training has a result to compare,
    that is, one that is not random. `batch_size` is what the model is made for, any by default.
    """

    name: str
    make: Callable[[Any], Any]
    shapes: tuple[tuple[int, ...], ...]
    words: int = 0
    mask: bool = False
    training: bool = True
    batch_size: int | None = None
    tolerance: float = 1e-5

    @property
    def layer_class(self) -> str:
        """The name of the layer's class."""
        return self.name.split()[0]

    def inputs(self) -> list[np.ndarray]:
        """The same arrays at every call."""
        rng = np.random.default_rng(sum(map(ord, self.name)))
        if self.words:
            return [rng.integers(0, self.words, (BATCH, *shape)).astype("int32") for shape in self.shapes]
        arrays = [rng.normal(size=(BATCH, *shape)).astype("float32") for shape in self.shapes]
        if self.mask:
            steps = arrays[0].shape[1]
            for row, kept in enumerate([steps, steps - 2, 1, steps - 1]):
                arrays[0][row, kept:] = 0
            arrays[0][1, 0] = 0  # masks need not be at the end
        return arrays


ROWS, SERIES, IMAGES, VOLUMES = (5,), (6, 5), (7, 6, 4), (5, 6, 4, 3)
FILMS = (3, 6, 5, 2)

CASES: list[Case] = []


def _case(name: str, shapes: Any, make: Callable[[Any], Any], **options: Any) -> None:
    shapes = (shapes,) if isinstance(shapes[0], int) else tuple(shapes)
    assert name not in {case.name for case in CASES}, name
    CASES.append(Case(name, make, shapes, **options))


# --- core --------------------------------------------------------------------------------------------

_case("Dense", ROWS, lambda k: k.Dense(3))
_case("Dense relu", SERIES, lambda k: k.Dense(3, activation="relu", use_bias=False))
_case("Dense regularized", ROWS, lambda k: k.Dense(
    3, "tanh", kernel_regularizer="l2", bias_regularizer="l1", kernel_constraint="max_norm",
    bias_initializer="ones",
))  # fmt: skip
_case("Activation", ROWS, lambda k: k.Activation("softplus"))
_case("Dropout", ROWS, lambda k: k.Dropout(0.4, noise_shape=(None, 1), seed=3), training=False)
_case("SpatialDropout1D", SERIES, lambda k: k.SpatialDropout1D(0.4), training=False)
_case("SpatialDropout2D", IMAGES, lambda k: k.SpatialDropout2D(0.4), training=False)
_case("SpatialDropout3D", VOLUMES, lambda k: k.SpatialDropout3D(0.4), training=False)
_case("Flatten", IMAGES, lambda k: k.Flatten())
_case("Flatten first", IMAGES, lambda k: k.Flatten(data_format="channels_first"))
_case("Reshape", IMAGES, lambda k: k.Reshape((3, -1)))
_case("Permute", IMAGES, lambda k: k.Permute((3, 1, 2)))
_case("RepeatVector", ROWS, lambda k: k.RepeatVector(3))
_case("Masking", SERIES, lambda k: k.Masking(0.0))
_case("ActivityRegularization", ROWS, lambda k: k.ActivityRegularization(0.01, 0.02))
_case("Lambda", ROWS, lambda k: k.Lambda(_double, arguments={"offset": 0.5}))
_case("Embedding", (6,), lambda k: k.Embedding(9, 4), words=9)
_case("Embedding masked", (6,), lambda k: k.Embedding(9, 4, mask_zero=True, input_length=6), words=9)


def _double(x: Any, offset: float) -> Any:
    return x * 2.0 + offset


# --- convolutions ------------------------------------------------------------------------------------

for padding in ("valid", "same"):
    _case(f"Conv1D {padding}", SERIES, lambda k, p=padding: k.Conv1D(3, 3, 2, p, activation="relu"))
    _case(f"Conv2D {padding}", IMAGES, lambda k, p=padding: k.Conv2D(3, (3, 2), (2, 1), p, activation="tanh"))
    _case(f"Conv3D {padding}", VOLUMES, lambda k, p=padding: k.Conv3D(3, 2, 1, p))
    _case(f"Conv2DTranspose {padding}", IMAGES, lambda k, p=padding: k.Conv2DTranspose(3, (3, 2), (2, 1), p))
    _case(f"SeparableConv1D {padding}", SERIES, lambda k, p=padding: k.SeparableConv1D(3, 3, padding=p))
    _case(
        f"SeparableConv2D {padding}", IMAGES,
        lambda k, p=padding: k.SeparableConv2D(3, 3, padding=p, depth_multiplier=2),
    )  # fmt: skip
    _case(f"DepthwiseConv2D {padding}", IMAGES, lambda k, p=padding: k.DepthwiseConv2D(3, padding=p))
    for name, shape in (("1D", SERIES), ("2D", IMAGES), ("3D", VOLUMES)):
        for kind in ("MaxPooling", "AveragePooling"):
            _case(
                f"{kind}{name} {padding}", shape,
                lambda k, c=kind + name, p=padding: getattr(k, c)(2, padding=p),
            )  # fmt: skip
_case("Conv1D causal", SERIES, lambda k: k.Conv1D(3, 2, padding="causal", dilation_rate=2))
_case("Conv2D dilated", IMAGES, lambda k: k.Conv2D(3, 2, dilation_rate=(2, 1), use_bias=False))
_case("Conv2D grouped", IMAGES, lambda k: k.Conv2D(6, 3, groups=2))
_case("DepthwiseConv2D multiplied", IMAGES, lambda k: k.DepthwiseConv2D((3, 2), 2, depth_multiplier=3))
_case("Conv2DTranspose padded", IMAGES, lambda k: k.Conv2DTranspose(3, 3, 2, "same", output_padding=1))
_case("LocallyConnected1D", SERIES, lambda k: k.LocallyConnected1D(3, 3, 2))
_case("LocallyConnected2D", IMAGES, lambda k: k.LocallyConnected2D(3, (3, 2), (2, 1), activation="relu"))
for kind in ("GlobalMaxPooling", "GlobalAveragePooling"):
    for name, shape in (("1D", SERIES), ("2D", IMAGES), ("3D", VOLUMES)):
        _case(f"{kind}{name}", shape, lambda k, c=kind + name: getattr(k, c)())
_case("GlobalAveragePooling1D masked", SERIES, lambda k: k.GlobalAveragePooling1D(), mask=True)
_case("UpSampling1D", SERIES, lambda k: k.UpSampling1D(3))
_case("UpSampling2D", IMAGES, lambda k: k.UpSampling2D((2, 3)))
_case("UpSampling2D bilinear", IMAGES, lambda k: k.UpSampling2D((2, 3), interpolation="bilinear"))
_case("UpSampling3D", VOLUMES, lambda k: k.UpSampling3D(2))
_case("ZeroPadding1D", SERIES, lambda k: k.ZeroPadding1D((1, 2)))
_case("ZeroPadding2D", IMAGES, lambda k: k.ZeroPadding2D(((1, 2), (0, 3))))
_case("ZeroPadding3D", VOLUMES, lambda k: k.ZeroPadding3D(1))
_case("Cropping1D", SERIES, lambda k: k.Cropping1D((1, 2)))
_case("Cropping2D", IMAGES, lambda k: k.Cropping2D(((1, 2), (0, 3))))
_case("Cropping3D", VOLUMES, lambda k: k.Cropping3D(1))
# channels_first, where TensorFlow has it on CPUs
FIRST = {"data_format": "channels_first"}
_case("GlobalMaxPooling2D first", IMAGES, lambda k: k.GlobalMaxPooling2D(**FIRST))
_case("GlobalAveragePooling2D first", IMAGES, lambda k: k.GlobalAveragePooling2D(**FIRST, keepdims=True))
_case("ZeroPadding2D first", IMAGES, lambda k: k.ZeroPadding2D((1, 2), **FIRST))
_case("Cropping2D first", IMAGES, lambda k: k.Cropping2D((1, 1), **FIRST))
_case("UpSampling2D first", IMAGES, lambda k: k.UpSampling2D(2, **FIRST))
_case("LocallyConnected2D first", IMAGES, lambda k: k.LocallyConnected2D(3, 2, **FIRST))

# --- normalization, merging --------------------------------------------------------------------------

_case("BatchNormalization", ROWS, lambda k: k.BatchNormalization())
_case("BatchNormalization images", IMAGES, lambda k: k.BatchNormalization(momentum=0.7, epsilon=0.01),
      tolerance=1e-4)  # fmt: skip
_case("BatchNormalization plain", SERIES, lambda k: k.BatchNormalization(center=False, scale=False))
_case("BatchNormalization axis", IMAGES, lambda k: k.BatchNormalization(axis=1), tolerance=1e-4)
_case("LayerNormalization", SERIES, lambda k: k.LayerNormalization())
_case("LayerNormalization axes", IMAGES, lambda k: k.LayerNormalization(axis=[1, 3], scale=False))
for name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
    _case(name, (SERIES, SERIES, SERIES), lambda k, c=name: getattr(k, c)())
_case("Add broadcast", (SERIES, ROWS), lambda k: k.Add())
_case("Subtract", (ROWS, ROWS), lambda k: k.Subtract())
_case("Concatenate", (SERIES, (6, 2)), lambda k: k.Concatenate())
_case("Concatenate axis", (SERIES, (2, 5)), lambda k: k.Concatenate(axis=1))
_case("Dot", (SERIES, (4, 5)), lambda k: k.Dot(axes=2))
_case("Dot cosine", (ROWS, ROWS), lambda k: k.Dot(axes=1, normalize=True))

# --- activations, noise, attention -------------------------------------------------------------------

_case("LeakyReLU", SERIES, lambda k: k.LeakyReLU(0.2))
_case("PReLU", SERIES, lambda k: k.PReLU(alpha_initializer="ones", shared_axes=[1]))
_case("PReLU full", ROWS, lambda k: k.PReLU())
_case("ELU", SERIES, lambda k: k.ELU(0.7))
_case("ThresholdedReLU", SERIES, lambda k: k.ThresholdedReLU(0.4))
_case("ReLU", SERIES, lambda k: k.ReLU())
_case("ReLU options", SERIES, lambda k: k.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2))
_case("Softmax", SERIES, lambda k: k.Softmax())
_case("Softmax axes", SERIES, lambda k: k.Softmax(axis=[1, 2]))
_case("GaussianNoise", ROWS, lambda k: k.GaussianNoise(0.5), training=False)
_case("GaussianDropout", ROWS, lambda k: k.GaussianDropout(0.5), training=False)
_case("AlphaDropout", ROWS, lambda k: k.AlphaDropout(0.5), training=False)
_case("Attention", (SERIES, (4, 5)), lambda k: k.Attention(use_scale=True))
_case("Attention causal", (SERIES, SERIES, SERIES), lambda k: k.Attention(causal=True))
_case("AdditiveAttention", (SERIES, (4, 5)), lambda k: k.AdditiveAttention())

# --- recurrent ---------------------------------------------------------------------------------------

RECURRENT = {
    "SimpleRNN": {},
    "LSTM": {"recurrent_activation": "hard_sigmoid"},
    "GRU": {"reset_after": False},
}
for name, other in RECURRENT.items():

    def _make(k: Any, c: str = name, **options: Any) -> Any:
        return getattr(k, c)(4, bias_initializer="ones", **options)

    _case(name, SERIES, _make)
    _case(f"{name} sequences", SERIES, lambda k, m=_make: m(k, return_sequences=True))
    _case(f"{name} masked", SERIES, _make, mask=True)
    _case(f"{name} masked sequences", SERIES, lambda k, m=_make: m(k, return_sequences=True), mask=True)
    _case(f"{name} masked backwards", SERIES, lambda k, m=_make: m(k, go_backwards=True), mask=True)
    _case(
        f"{name} state", SERIES,
        lambda k, m=_make: m(k, return_state=True, return_sequences=True, go_backwards=True),
    )  # fmt: skip
    _case(f"{name} unrolled", SERIES, lambda k, m=_make: m(k, unroll=True), mask=True)
    _case(f"{name} other", SERIES, lambda k, m=_make, o=other: m(k, activation="relu", **o))
    _case(f"{name} other masked", SERIES, lambda k, m=_make, o=other: m(
        k, activation="relu", return_sequences=True, **o
    ), mask=True)  # fmt: skip
    _case(f"{name} no bias", SERIES, lambda k, m=_make: m(k, use_bias=False))
    _case(f"{name} time major", SERIES, lambda k, m=_make: m(k, time_major=True, return_sequences=True))
    _case(f"{name} stateful", SERIES, lambda k, m=_make: m(k, stateful=True), batch_size=BATCH)
    _case(f"{name} dropout", SERIES, lambda k, m=_make: m(k, dropout=0.3, recurrent_dropout=0.2),
          training=False)  # fmt: skip
    _case(f"{name} long", (50, 3), lambda k, m=_make, o=other: m(k, **o), mask=True)
    _case(f"{name} regularized", SERIES, lambda k, m=_make: m(
        k, kernel_regularizer="l2", recurrent_regularizer="l1", activity_regularizer="l2",
        recurrent_constraint="max_norm",
    ))  # fmt: skip
    states = ((4,), (4,)) if name == "LSTM" else ((4,),)
    _case(f"{name} given state", (SERIES, *states), lambda k, m=_make: m(k, return_sequences=True))
    _case(f"RNN {name}", SERIES, lambda k, c=name: k.RNN(getattr(k, c + "Cell")(4), return_sequences=True))
    for mode in ("concat", "sum", "ave", "mul"):
        _case(f"Bidirectional {name} {mode}", SERIES, lambda k, m=_make, mode=mode: k.Bidirectional(
            m(k, return_sequences=mode == "concat"), merge_mode=mode
        ), mask=mode in ("concat", "sum"))  # fmt: skip
_case("RNN stacked", SERIES, lambda k: k.RNN([k.LSTMCell(4), k.GRUCell(3), k.SimpleRNNCell(2)]), mask=True)
_case("RNN stack", SERIES, lambda k: k.RNN(k.StackedRNNCells([k.LSTMCell(4), k.LSTMCell(3)])))
_case("Bidirectional two", SERIES, lambda k: k.Bidirectional(k.GRU(3), merge_mode=None))
_case("Bidirectional states", SERIES, lambda k: k.Bidirectional(
    k.LSTM(3, return_state=True, return_sequences=True)
))  # fmt: skip
_case("Bidirectional given states", (SERIES, (3,), (3,), (3,), (3,)), lambda k: k.Bidirectional(
    k.LSTM(3, return_sequences=True)
))  # fmt: skip
_case("Bidirectional unlike", SERIES, lambda k: k.Bidirectional(
    k.LSTM(3), backward_layer=k.GRU(4, go_backwards=True)
))  # fmt: skip
_case("ConvLSTM2D", FILMS, lambda k: k.ConvLSTM2D(3, 3, padding="same"))
_case("ConvLSTM2D options", FILMS, lambda k: k.ConvLSTM2D(
    2, (2, 3), strides=(2, 1), return_sequences=True, return_state=True, recurrent_activation="sigmoid"
))  # fmt: skip
_case("ConvLSTM2D stateful", FILMS, lambda k: k.ConvLSTM2D(2, 2, stateful=True), batch_size=BATCH)

# --- wrappers ----------------------------------------------------------------------------------------

_case("TimeDistributed", SERIES, lambda k: k.TimeDistributed(k.Dense(3, activation="tanh")))
_case("TimeDistributed masked", SERIES, lambda k: k.TimeDistributed(k.Dense(3)), mask=True)
_case("TimeDistributed images", (3, *IMAGES), lambda k: k.TimeDistributed(k.Conv2D(2, 3)))
_case("TimeDistributed normalized", SERIES, lambda k: k.TimeDistributed(k.BatchNormalization()))
_case("TimeDistributed recurrent", (3, *SERIES), lambda k: k.TimeDistributed(k.LSTM(3)))
