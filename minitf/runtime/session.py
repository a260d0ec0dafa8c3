"""`Session`: runs a graph. Holds the variables' values and the compiled plans."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape
from minitf.graph import default_session
from minitf.graph.graph import Graph, get_default_graph
from minitf.graph.operation import GraphDef, Operation, Tensor
from minitf.graph.storage import Storage
from minitf.ops.arrays import to_array
from minitf.ops.registry import Symbol
from minitf.runtime import fetches as fetching
from minitf.runtime.compile import Fed, Plan, compile_plan
from minitf.runtime.config import ConfigProto, RunOptions, apply_threads
from minitf.runtime.inner import InnerGraph


class Session:
    """Runs ops of `graph` (the default graph if None) and holds its variables' values.

    `config` may be a ConfigProto; its thread counts are honoured. `target` must be '': there is no
    distributed runtime. Use it as a context manager to make it the default session and close it at the end.
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        if target:
            raise NotImplementedError(f"Session(target={target!r}): minitf runs in its own process only")
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f'Argument `graph` must be a tf.Graph, but got "{type(graph).__name__}"')
        if config is not None and not isinstance(config, ConfigProto):
            raise TypeError(f'Argument `config` must be a tf.ConfigProto, but got "{type(config).__name__}"')
        self._graph = get_default_graph() if graph is None else graph
        self._config = config
        self._closed = False
        self._storages: dict[Operation, Storage] = {}
        self._states: dict[Operation, Any] = {}
        self._runners: dict[Any, tuple[Plan, Callable]] = {}
        self._entered: list[Any] = []
        apply_threads(config)

    @property
    def graph(self) -> Graph:
        """The graph that this session runs."""
        return self._graph

    @property
    def graph_def(self) -> GraphDef:
        """The description of the session's graph."""
        return self._graph.as_graph_def()

    @property
    def sess_str(self) -> str:
        """The target, which is always ''."""
        return ""

    def storage(self, op: Operation) -> Storage:
        """Where the variable made by `op` is kept: in this session, unless it is a shared one."""
        shared = op.attrs.get("storage")
        if shared is not None:
            return shared
        if op not in self._storages:
            self._storages[op] = Storage(op.name, op.outputs[0].shape, op)
        return self._storages[op]

    def set_variable(self, variable: Any, value: np.ndarray) -> None:
        """Sets a variable's value without running the graph; `value` must have its dtype."""
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        self.storage(self._graph.as_graph_element(variable).op).set(value)

    def state_of(self, op: Operation) -> Any:
        """This session's state (a random generator, a queue, …) for a stateful `op`."""
        if op not in self._states:
            self._states[op] = op.definition.state(op)
        return self._states[op]

    def inner(
        self, graph: Any, fetches: list[Tensor], arguments: list[Tensor], values: list[Any]
    ) -> InnerGraph:
        """The function `graph`, computing `fetches` from `arguments`, as a step within a step.

        `values` say what is known of the arguments (dtype, shape, constant value).
        """
        return InnerGraph(self, graph.must_run, fetches, arguments, values)

    def run(
        self,
        fetches: Any,
        feed_dict: dict | None = None,
        options: Any = None,
        run_metadata: Any = None,
    ) -> Any:
        """Computes `fetches` and returns their values in the same structure.

        `fetches` is a tensor, operation, variable, IndexedSlices or name, or a nested list, tuple, namedtuple
        or dict of them; operations yield None. `feed_dict` gives values to tensors (any tensor may be fed).

        Raises RuntimeError when the session is closed, TypeError and ValueError for what cannot be fetched or
        fed, and the `tf.errors` class that TensorFlow raises when an op fails.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if options is not None or run_metadata is not None:
            RunOptions.check(options, run_metadata)
        feeds, arrays = self._feeds(feed_dict) if feed_dict else ((), ())
        key = (_key(fetches), feeds)
        try:
            runner = self._runners.get(key)
        except TypeError:  # something unhashable: let flatten say what is wrong with it
            fetching.flatten(self._graph, fetches)
            raise
        if runner is None:
            runner = self._runners[key] = self._plan(fetches, feeds)
        plan, build = runner
        results = plan(*arrays)
        return results[0] if build is next else build(iter(results))

    def _plan(self, fetches: Any, feeds: tuple) -> tuple[Plan, Callable]:
        if not self._graph.version:
            raise RuntimeError(
                "The Session graph is empty. Add operations to the graph before calling run()."
            )
        elements, build = fetching.flatten(self._graph, fetches)
        fed = [Fed(tensor, tensor.dtype.base_dtype, TensorShape(shape)) for tensor, shape in feeds]
        return compile_plan(self, elements, fed), build

    def _feeds(self, feed_dict: dict) -> tuple[tuple, list[np.ndarray]]:
        signature, arrays = [], []
        for key, value in feed_dict.items():
            if isinstance(key, Tensor) and key.op.graph is self._graph:
                tensor = key
            elif isinstance(key, tuple) or hasattr(key, "fields"):
                for part, array in _composite_feed(key, value):
                    signature.append((part, array.shape))
                    arrays.append(array)
                continue
            else:
                tensor = self._feed_key(key)
            if type(value) is not np.ndarray or value.dtype != tensor.dtype.numpy_dtype:
                value = _feed_array(tensor, value)
            sizes = tensor._shape._sizes
            if sizes is not None and not _fits(sizes, value.shape):
                raise ValueError(
                    f"Cannot feed value of shape {value.shape} for Tensor {tensor.name}, which has shape "
                    f"{tensor.shape}"
                )
            signature.append((tensor, value.shape))
            arrays.append(value)
        return tuple(signature), arrays

    def _feed_key(self, key: Any) -> Tensor:
        try:
            return self._graph.as_graph_element(key, allow_operation=False)
        except (TypeError, ValueError, KeyError) as error:
            raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error.args[0]}") from None

    def make_callable(
        self, fetches: Any, feed_list: list | None = None, accept_options: bool = False
    ) -> Callable:
        """A function that runs `fetches`, taking the values of `feed_list` as positional arguments."""
        if accept_options:
            raise NotImplementedError("make_callable: accept_options=True is not supported")
        if feed_list is not None and not isinstance(feed_list, list | tuple):
            raise TypeError("Argument `feed_list` must be a list or tuple.")
        keys = [self._feed_key(key) for key in feed_list or ()]
        fetching.flatten(self._graph, fetches)

        def call(*feeds):
            if len(feeds) != len(keys):
                raise ValueError(f"Calling the function requires {len(keys)} feeds, but got {len(feeds)}")
            return self.run(fetches, dict(zip(keys, feeds, strict=True)))

        return call

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> None:
        """Not supported: a step is planned as a whole."""
        raise NotImplementedError("Session.partial_run_setup: partial runs are not supported")

    partial_run = partial_run_setup

    def list_devices(self) -> list[str]:
        """The names of the devices: one CPU."""
        return ["/job:localhost/replica:0/task:0/device:CPU:0"]

    def as_default(self) -> Any:
        """A context manager that makes this the default session, without closing it at the end."""
        return _DefaultSession(self)

    def close(self) -> None:
        """Forgets values and plans. A closed session raises RuntimeError when it is run."""
        self._closed = True
        self._storages.clear()
        self._states.clear()
        self._runners.clear()

    def __enter__(self) -> "Session":
        graph_scope = self._graph.as_default()
        graph_scope.__enter__()
        default_session.stack().append(self)
        self._entered.append(graph_scope)
        return self

    def __exit__(self, *exception: Any) -> None:
        default_session.stack().remove(self)
        self._entered.pop().__exit__(None, None, None)
        self.close()

    @staticmethod
    def reset(target: str = "", containers: Any = None, config: Any = None) -> None:
        """Not supported: values live in their sessions, so there is nothing shared to reset."""
        raise NotImplementedError("Session.reset: sessions share no values")


class InteractiveSession(Session):
    """A Session that is the default one as soon as it exists, for shells and notebooks."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        default_session.stack().append(self)
        self._graph_scope = None
        if graph is not None:
            self._graph_scope = graph.as_default()
            self._graph_scope.__enter__()

    def close(self) -> None:
        """Closes the session and takes it off the stack of default ones."""
        super().close()
        if self in default_session.stack():
            default_session.stack().remove(self)
        if self._graph_scope is not None:
            self._graph_scope.__exit__(None, None, None)
            self._graph_scope = None


class _DefaultSession:
    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> Session:
        default_session.stack().append(self._session)
        return self._session

    def __exit__(self, *exception: Any) -> None:
        default_session.stack().remove(self._session)


def _key(fetches: Any) -> Any:
    """A hashable stand-in for a fetch structure: equal keys fetch the same things in the same places."""
    if isinstance(fetches, list | tuple):
        return (type(fetches), *[_key(item) for item in fetches])
    if isinstance(fetches, dict):
        return (type(fetches), *[(k, _key(v)) for k, v in fetches.items()])
    return fetches


def _fits(sizes: tuple, shape: tuple) -> bool:
    if sizes == shape:
        return True
    return len(sizes) == len(shape) and all(a is None or a == b for a, b in zip(sizes, shape, strict=True))


def _feed_array(tensor: Tensor, value: Any) -> np.ndarray:
    if isinstance(value, Symbol):
        raise TypeError(
            "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python "
            "scalars, strings, lists, numpy ndarrays, or TensorHandles. For reference, the tensor object "
            f"was {value} which was passed to the argument `feed_dict` with key {tensor}."
        )
    dtype = tensor.dtype.base_dtype
    if isinstance(value, int) and not isinstance(value, bool) and dtype.is_integer:
        if np.array(value).astype(dtype.numpy_dtype) != value:
            raise TypeError(
                f"Type of feed value {value} with type <class 'int'> is not compatible with Tensor type "
                f"{dtype.as_numpy_dtype}. Try explicitly setting the type of the feed tensor to a larger "
                "type (e.g. int64)."
            )
    if dtype.numpy_dtype.kind == "O":
        return to_array(value, dtype)
    # As TensorFlow does, a fed value is cast to the tensor's type (np.asarray), whatever its own.
    return np.asarray(value, dtype=dtype.numpy_dtype)


def _composite_feed(key: Any, value: Any) -> list[tuple[Tensor, np.ndarray]]:
    parts = list(key.fields().values()) if hasattr(key, "fields") else list(key)
    values = list(value.fields().values()) if hasattr(value, "fields") else list(value)
    return [
        (part, np.asarray(v, as_dtype(part.dtype).numpy_dtype))
        for part, v in zip(parts, values, strict=True)
        if part is not None
    ]
