"""What Keras keeps per process: the graph that models are drawn in, names given out, the learning phase."""

import re
from collections import defaultdict
from contextlib import contextmanager
from typing import Any

from minitf.framework import dtypes
from minitf.graph.graph import Graph, get_default_graph
from minitf.ops.constants import constant, placeholder_with_default
from minitf.ops.registry import interpreter

_keras_graph: Graph | None = None
_names: dict[Any, dict[str, int]] = {}
_learning_phase: int | None = None


def get_graph() -> Graph:
    """The graph that symbolic models are drawn in: the default graph, or in eager mode one of Keras's own."""
    global _keras_graph
    current = interpreter()
    if isinstance(current, Graph):
        return current
    if _keras_graph is None:
        _keras_graph = Graph()
    return _keras_graph


def model_graph() -> Graph:
    """The graph that models are drawn in, also while a step's graph is the current one."""
    return getattr(interpreter(), "model_graph", None) or get_graph()


def clear_session() -> None:
    """Forgets the graph and starts the automatic names (`dense`, `dense_1`, …) anew."""
    global _keras_graph, _learning_phase
    from minitf.graph import graph as graphs

    _keras_graph = None
    _learning_phase = None
    _names.clear()
    if isinstance(interpreter(), Graph) and get_default_graph() is graphs._default_graph:
        graphs.reset_default_graph()


def unique_object_name(prefix: str, zero_based: bool = True, avoid: Any = ()) -> str:
    """`prefix`, then `prefix_1`, `prefix_2`, … within one graph; from `prefix_1` on if not `zero_based`."""
    counts = _names.setdefault(get_graph(), defaultdict(int))
    while True:
        number = counts[prefix] + (0 if zero_based else 1)
        counts[prefix] += 1
        name = f"{prefix}_{number}" if number else prefix
        if name not in avoid:
            return name


def get_uid(prefix: str = "") -> int:
    """A number, from 1 on, that has not been given out for `prefix` in this graph."""
    counts = _names.setdefault(get_graph(), defaultdict(int))
    counts[prefix] += 1
    return counts[prefix]


def reset_uids() -> None:
    """Starts the automatic names anew."""
    _names.clear()


def to_snake_case(name: str) -> str:
    """A class name as automatic layer names have it: MaxPooling2D → max_pooling2d."""
    intermediate = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    insecure = re.sub("([a-z])([A-Z])", r"\1_\2", intermediate).lower()
    return "private" + insecure if insecure[0] == "_" else insecure


def set_learning_phase(value: int) -> None:
    """Fixes the learning phase: 1 for training, 0 for inference. Raises ValueError for anything else."""
    global _learning_phase
    if value not in (0, 1):
        raise ValueError("Expected learning phase to be 0 or 1.")
    _learning_phase = int(value)


def learning_phase() -> Any:
    """1 or 0 if fixed or known from the running call, else a bool tensor (False unless it is fed)."""
    from minitf.keras.engine.calls import current_training

    training = current_training()
    if training is not None:
        return training
    if _learning_phase is not None:
        return _learning_phase
    graph = get_graph()
    known = getattr(graph, "keras_learning_phase", None)
    if known is None:
        with graph.as_default(), graph.name_scope(None), graph.control_dependencies(None):
            known = placeholder_with_default(constant(False), [], name="keras_learning_phase")
        graph.keras_learning_phase = known
    return known


@contextmanager
def learning_phase_scope(value: int) -> Any:
    """Fixes the learning phase within the block."""
    global _learning_phase
    outer = _learning_phase
    set_learning_phase(value)
    try:
        yield
    finally:
        _learning_phase = outer


_settings = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def floatx() -> str:
    """The default float type's name, 'float32'."""
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Sets the default float type. Raises ValueError unless it is float16, float32 or float64."""
    if value not in ("float16", "float32", "float64"):
        raise ValueError(f"Unknown `floatx` value: {value}. Expected one of float16, float32, float64")
    _settings["floatx"] = str(value)


def epsilon() -> float:
    """The fuzz factor that keeps logarithms and quotients finite, 1e-7."""
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Sets the fuzz factor."""
    _settings["epsilon"] = value


def image_data_format() -> str:
    """'channels_last' or 'channels_first'."""
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    """Sets the default image format. Raises ValueError for an unknown one."""
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"Unknown `data_format`: {data_format}. Expected 'channels_first' or 'channels_last'"
        )
    _settings["image_data_format"] = str(data_format)


def default_dtype() -> dtypes.DType:
    """The default float type."""
    return dtypes.as_dtype(_settings["floatx"])
