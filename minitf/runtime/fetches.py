"""What `Session.run` may be asked for: nested structures of tensors, ops, variables and names."""

from collections.abc import Callable, Mapping
from typing import Any

from minitf.graph.operation import Operation, Tensor


def flatten(graph: Any, fetches: Any) -> tuple[list[Tensor | Operation], Callable[[Any], Any]]:
    """The tensors and ops in `fetches`, and a function that puts an iterator of results in their places.

    Raises TypeError or ValueError in TensorFlow's words for what cannot be fetched.
    """
    if isinstance(fetches, list | tuple):
        parts = [flatten(graph, item) for item in fetches]
        return _joined(parts), _sequence_builder(fetches, [build for _, build in parts])
    if isinstance(fetches, Mapping):
        parts = [flatten(graph, item) for item in fetches.values()]
        builders, keys, kind = [build for _, build in parts], list(fetches), type(fetches)

        def build_mapping(results):
            return kind((key, build(results)) for key, build in zip(keys, builders, strict=True))

        return _joined(parts), build_mapping
    if hasattr(fetches, "fields"):  # IndexedSlices, SparseTensor: a value with the same fields
        return _flatten_composite(graph, fetches)
    return [_element(graph, fetches)], next


def _joined(parts):
    return [element for elements, _ in parts for element in elements]


def _sequence_builder(fetches, builders):
    kind = type(fetches)
    if hasattr(kind, "_fields"):  # a namedtuple
        return lambda results: kind(*[build(results) for build in builders])
    return lambda results: kind([build(results) for build in builders])


def _flatten_composite(graph, composite):
    fields = composite.fields()
    parts = {k: flatten(graph, v) for k, v in fields.items() if v is not None}
    kind = getattr(composite, "value_type", type(composite))

    def build(results):
        return kind(**{k: parts[k][1](results) if k in parts else None for k in fields})

    return _joined(list(parts.values())), build


def _element(graph: Any, fetch: Any) -> Tensor | Operation:
    if fetch is None:
        raise TypeError(f'Argument `fetch` = {fetch} has invalid type "NoneType". Cannot be None')
    try:
        return graph.as_graph_element(fetch)
    except TypeError as error:
        raise TypeError(
            f'Argument `fetch` = {fetch} has invalid type "{type(fetch).__name__}" must be a string or '
            f"Tensor. ({error})"
        ) from None
    except (ValueError, KeyError) as error:
        raise ValueError(f"Argument `fetch` = {fetch} cannot be interpreted as a Tensor. ({error})") from None
