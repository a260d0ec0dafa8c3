"""The same TF1 program run by minitf and by TensorFlow, and what the two return compared."""

import importlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow.compat.v1 as tf1

import minitf

TOLERANCE = 1e-5


class _TensorFlow1:
    """`tensorflow.compat.v1`, with the layers that Keras 3 would refuse to give."""

    def __getattr__(self, name: str) -> Any:
        if name == "layers":
            return importlib.import_module("tf_keras.api._v1.keras.__internal__.legacy.layers")
        return getattr(tf1, name)


@contextmanager
def _as_version_1() -> Iterator[Any]:
    """TensorFlow as it was: reference variables, Dimensions in shapes, control flow without functions."""
    tf1.disable_resource_variables()
    tf1.disable_v2_tensorshape()
    tf1.disable_control_flow_v2()
    tf1.logging.set_verbosity(tf1.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`tf.layers.*` is deprecated")
            warnings.filterwarnings("ignore", "`layer.apply` is deprecated")
            yield _TensorFlow1()
    finally:
        tf1.enable_resource_variables()
        tf1.enable_v2_tensorshape()
        tf1.enable_control_flow_v2()


def _run(program: Callable[[Any], dict[str, Any]], tf: Any) -> dict[str, Any]:
    with tf.Graph().as_default():
        tf.set_random_seed(2026)
        return program(tf)


def compare(program: Callable[[Any], dict[str, Any]], tolerance: float = TOLERANCE) -> None:
    """Asserts that `program(tf)` returns the same names, texts and (within tolerance) arrays from both.

    The tolerance is relative to the largest number of an array, or to 1 if that is larger.
    """
    ours = _run(program, minitf)
    with _as_version_1() as tensorflow:
        theirs = _run(program, tensorflow)
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        _assert_same(name, ours[name], expected, tolerance)


def _assert_same(name: str, actual: Any, expected: Any, tolerance: float) -> None:
    if isinstance(expected, list | tuple):
        assert len(actual) == len(expected), f"{name}: {len(actual)} results, expected {len(expected)}"
        for i, pair in enumerate(zip(actual, expected, strict=True)):
            _assert_same(f"{name}[{i}]", *pair, tolerance)
        return
    if not isinstance(expected, np.ndarray | np.generic):
        assert actual == expected, f"{name}: {actual!r}, expected {expected!r}"
        return
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype), name
    finite = expected[np.isfinite(expected)] if expected.dtype.kind == "f" else expected
    scale = max(1.0, float(np.max(np.abs(finite), initial=0)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale, err_msg=name)


def caught(function: Callable[[], Any]) -> str:
    """The error that `function` raises, as 'ValueError: …', without its traces of where."""
    try:
        function()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).split(' Originally defined')[0]}"
    return "no error"
