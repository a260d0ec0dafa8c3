"""summary() beside tf-keras: the same rows, in the layout of 2020 (tf-keras has since changed the rules)."""

import re

import pytest
import tf_keras

from minitf import keras


def _cnn(k):
    return k.Sequential(
        [
            k.layers.Conv2D(64, (3, 3), activation="relu", input_shape=(28, 28, 1)),
            k.layers.MaxPooling2D(2, 2),
            k.layers.BatchNormalization(),
            k.layers.Flatten(),
            k.layers.Dense(10, activation="softmax"),
        ]
    )


def _branches(k):
    a, b = k.Input((6,)), k.Input((4,), name="b")
    shared = k.layers.Dense(5)
    left = shared(k.layers.Dense(4)(a))
    joined = k.layers.concatenate([left, shared(b)])
    return k.Model([a, b], [k.layers.Dense(3)(joined), k.layers.add([left, left])])


def _nested(k):
    inner = k.Sequential([k.layers.Dense(5, input_shape=(6,)), k.layers.Dense(6)])
    x = k.Input((6,))
    y = inner(x)
    z = inner(k.layers.Dense(6)(y))
    return k.Model(x, k.layers.Dense(3)(k.layers.average([y, z])))


def _residual(k):
    x = k.Input((8, 8, 3))
    y = k.layers.Conv2D(4, 3, padding="same")(x)
    for _ in range(2):
        y = k.layers.add([y, k.layers.Conv2D(4, 3, padding="same")(k.layers.Activation("relu")(y))])
    return k.Model(x, k.layers.Dense(2)(k.layers.GlobalAveragePooling2D()(y)))


def _rows(model, **options):
    """Names, classes, shapes, parameters and connections of the layers, and the totals."""
    lines = []
    model.summary(print_fn=lines.append, line_length=150, positions=[0.3, 0.6, 0.7, 1.0], **options)
    text = "\n".join(lines)
    rows = []
    for line in text.splitlines():
        found = re.match(r" ?([\w/]+) \((\w+)\) +(\S.*?) {2,}(\d+)(.*)", line)
        if found:
            name, kind, shape, count, connected = found.groups()
            rows.append([name, kind, shape, int(count), re.findall(r"\w+\[\d+\]\[\d+\]", connected)])
        elif rows and re.search(r"\w+\[\d+\]\[\d+\]", line):
            rows[-1][4] += re.findall(r"\w+\[\d+\]\[\d+\]", line)
    totals = re.findall(r"(Total|Trainable|Non-trainable) params: (\d+)", text.replace(",", ""))
    return lines[0].splitlines()[0], rows, totals


@pytest.mark.parametrize("build", [_cnn, _branches, _nested, _residual])
def test_rows(build):
    keras.backend.clear_session()
    tf_keras.backend.clear_session()
    mine, theirs = _rows(build(keras)), _rows(build(tf_keras))
    assert mine == theirs
    assert len(mine[1]) >= 4
