"""A model of Keras built twice, by minitf and by tf-keras, with the same weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tf_keras

from minitf import keras


def legacy(optimizer: Any) -> Any:
    """tf-keras's optimizer of Keras 2.4 for a name or (name, options)."""
    name, options = optimizer if isinstance(optimizer, tuple) else (optimizer, {})
    classes = {c.lower(): c for c in dir(tf_keras.optimizers.legacy)}
    return getattr(tf_keras.optimizers.legacy, classes[name.lower()])(**options)


def own(optimizer: Any) -> Any:
    """minitf's optimizer for a name or (name, options)."""
    name, options = optimizer if isinstance(optimizer, tuple) else (optimizer, {})
    return keras.optimizers.deserialize({"class_name": name, "config": options})


def pair(build: Callable[[Any], Any], shape: tuple | None = None, drawn: bool = False) -> tuple[Any, Any]:
    """`build(keras)` for both with the same weights: those that minitf has `drawn`, or larger ones.

    `shape` builds deferred models.
    """
    tf_keras.backend.clear_session()
    ours, theirs = build(keras), build(tf_keras)
    if shape is not None:
        ours.build(shape)
        theirs.build(shape)
    if not drawn:
        random = np.random.default_rng(0)
        start = [random.normal(scale=0.2, size=w.shape.as_list()) for w in ours.weights]
        ours.set_weights(
            [abs(a) + 0.5 if "variance" in w.name else a for a, w in zip(start, ours.weights, strict=True)]
        )
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def compile_both(models: tuple[Any, Any], optimizer: Any = "sgd", **options: Any) -> None:
    """Compiles both; options may be functions of the keras module."""
    for model, module, made in zip(
        models, (keras, tf_keras), (own(optimizer), legacy(optimizer)), strict=True
    ):
        given = {key: value(module) if callable(value) else value for key, value in options.items()}
        model.compile(optimizer=made, **given)


def same(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    """Asserts equal structure, names and (within tolerance) numbers."""
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        ours, theirs = list(ours.values()), list(theirs.values())
    if isinstance(theirs, list | tuple):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            same(mine, other, tolerance)
        return
    assert np.shape(ours) == np.shape(theirs)
    np.testing.assert_allclose(ours, theirs, tolerance, tolerance)


def same_history(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    """Asserts that two `fit` calls reported the same."""
    assert ours.epoch == theirs.epoch and list(ours.history) == list(theirs.history)
    for name, values in ours.history.items():
        assert all(type(v) is type(w) for v, w in zip(values, theirs.history[name], strict=True))
        np.testing.assert_allclose(values, theirs.history[name], tolerance, tolerance, err_msg=name)
