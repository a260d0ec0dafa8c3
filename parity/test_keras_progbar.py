"""The progress bar beside tf-keras's, byte for byte, under one clock."""

import random
import time

import numpy as np
import pytest
import tf_keras

from minitf import keras
from parity.keras_pairs import compile_both, pair


class _Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = _Clock()
    monkeypatch.setattr(time, "time", clock)
    return clock


def _written(module, clock, capsys, seed, target, verbose, pace, **options):
    draw = random.Random(seed)
    clock.now = 1_000_000.0
    capsys.readouterr()
    bar = module.utils.Progbar(target, verbose=verbose, **options)
    current = 0
    while current < (target or 37):
        current = min(current + draw.choice((1, 1, 1, 2, 5)), target or 37)
        clock.now += draw.expovariate(1 / pace)
        values = [("loss", 10 ** draw.uniform(-6, 3)), ("acc", draw.random()), ("gain", draw.gauss(0, 1e-3))]
        bar.update(current, values[: draw.choice((0, 2, 3))])
    if target is None:
        bar.target = current
        bar.update(current, [("loss", 0.5)], finalize=True)
    return capsys.readouterr().out


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("pace", [1e-5, 0.004, 0.2, 3.0, 90.0])
@pytest.mark.parametrize("target", [1, 9, 10, 313, 1875, None])
@pytest.mark.parametrize("verbose", [1, 2])
def test_progbar(clock, capsys, seed, pace, target, verbose):
    options = (
        {"stateful_metrics": ["acc"]} if seed % 2 else {"width": 20, "interval": 0.5, "unit_name": "sample"}
    )
    ours, theirs = (
        _written(module, clock, capsys, seed, target, verbose, pace, **options)
        for module in (keras, tf_keras)
    )
    assert ours == theirs


def test_add(clock, capsys):
    texts = []
    for module in (keras, tf_keras):
        bar = module.utils.Progbar(5)
        for _ in range(5):
            clock.now += 1
            bar.add(1, [("x", 2)])
        clock.now = 1_000_000.0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def _build(k):
    return k.Sequential([k.layers.Dense(4, input_shape=(3,), activation="relu"), k.layers.Dense(1)])


X = np.random.RandomState(0).rand(70, 3).astype("float32")
Y = X.sum(1, keepdims=True)


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("validation", [False, True])
def test_fit_writes_the_same(clock, capsys, verbose, epochs, validation):
    models = pair(_build)
    compile_both(models, "sgd", loss="mse", metrics=["mae"])
    texts = []
    for model in models:
        capsys.readouterr()
        data = {"validation_data": (X[:20], Y[:20])} if validation else {}
        model.fit(X, Y, epochs=epochs, verbose=verbose, shuffle=False, **data)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_evaluate_and_predict_write_the_same(clock, capsys, verbose):
    models = pair(_build)
    compile_both(models, "sgd", loss="mse", metrics=["mae"])
    texts = []
    for model in models:
        capsys.readouterr()
        model.evaluate(X, Y, verbose=verbose)
        model.predict(X, verbose=verbose)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_a_generator_of_unknown_length_writes_the_same(clock, capsys):
    models = pair(_build)
    compile_both(models, "sgd", loss="mse")
    texts = []
    for model in models:
        capsys.readouterr()
        model.fit(((X[i : i + 10], Y[i : i + 10]) for i in range(0, 70, 10)), verbose=1)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_callbacks_write_the_same(clock, capsys):
    models = pair(_build)
    compile_both(models, "sgd", loss="mse")
    texts = []
    for module, model in zip((keras, tf_keras), models, strict=True):
        capsys.readouterr()
        used = [
            # (Keras 2.4 restores the best weights when it stops, tf-keras when training has ended.)
            module.callbacks.EarlyStopping("loss", min_delta=10, patience=3, verbose=1),
            module.callbacks.ReduceLROnPlateau(
                "loss", min_delta=10, patience=1, verbose=1, factor=0.5, cooldown=1
            ),
            module.callbacks.LearningRateScheduler(lambda epoch, rate: rate, verbose=1),
        ]
        history = model.fit(X, Y, epochs=8, verbose=2, shuffle=False, callbacks=used)
        texts.append((capsys.readouterr().out, history.epoch, sorted(history.history)))
    assert texts[0] == texts[1]
