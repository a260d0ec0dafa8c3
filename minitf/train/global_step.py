"""The global step: the variable that counts training steps."""

from typing import Any

from minitf.framework import dtypes
from minitf.graph.collections import GraphKeys
from minitf.graph.graph import Graph, get_default_graph
from minitf.graph.variables import Variable
from minitf.ops.constants import zeros


def global_step(sess: Any, global_step_tensor: Variable) -> int:
    """The value of the global step in `sess`, as a Python int."""
    return int(sess.run(global_step_tensor))


def get_global_step(graph: Graph | None = None) -> Variable | None:
    """The graph's global step, or None. Raises TypeError when it is no integer scalar."""
    graph = get_default_graph() if graph is None else graph
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) == 1:
        step = found[0]
    elif not found:
        named = [v for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES) if v.name == "global_step:0"]
        if not named:
            return None
        (step,) = named
    else:
        raise ValueError("Multiple tensors in global_step collection.")
    assert_global_step(step)
    return step


def create_global_step(graph: Graph | None = None) -> Variable:
    """Makes the graph's global step: an int64 variable, 0 at first. Raises ValueError if there is one."""
    graph = get_default_graph() if graph is None else graph
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), graph.name_scope(None):
        return Variable(
            lambda: zeros([], dtypes.int64),
            trainable=False,
            name="global_step",
            dtype=dtypes.int64,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


def get_or_create_global_step(graph: Graph | None = None) -> Variable:
    """The graph's global step, made if there is none."""
    graph = get_default_graph() if graph is None else graph
    step = get_global_step(graph)
    return create_global_step(graph) if step is None else step


def assert_global_step(global_step_tensor: Any) -> None:
    """Raises TypeError unless this is an integer scalar that can be a global step."""
    if not hasattr(global_step_tensor, "dtype") or not hasattr(global_step_tensor, "shape"):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {type(global_step_tensor)}.')
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    if global_step_tensor.shape.rank not in (0, None):
        raise TypeError(f'Existing "global_step" is not scalar: {global_step_tensor.shape}')
