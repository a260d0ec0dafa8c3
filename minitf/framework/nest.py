"""Nested structures: lists, tuples, namedtuples and mappings of leaves, flattened and put together again.

Mappings are flattened in the order of their sorted keys. With `expand_composites`, values made of several
tensors (IndexedSlices: anything with `fields()`) count as structures too.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def is_nested(value: Any) -> bool:
    """Whether `value` is a list, tuple or mapping."""
    return isinstance(value, list | tuple | Mapping)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """The leaves, in order. A leaf alone gives a list of one."""
    return list(_leaves(structure, expand_composites))


def _leaves(structure: Any, expand: bool) -> Iterator[Any]:
    parts = _parts(structure, expand)
    if parts is None:
        yield structure
    else:
        for part in parts:
            yield from _leaves(part, expand)


def _parts(structure: Any, expand: bool) -> list[Any] | None:
    """The values directly inside, or None for a leaf."""
    if isinstance(structure, Mapping):
        return [structure[key] for key in _sorted_keys(structure)]
    if isinstance(structure, list | tuple):
        return list(structure)
    if expand and hasattr(structure, "fields"):
        return [value for value in structure.fields().values() if value is not None]
    return None


def _sorted_keys(mapping: Mapping) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError("nest only supports dicts with sortable keys.") from None


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """`flat_sequence` in the form of `structure`. Raises ValueError when the number of leaves differs."""
    flat = list(flat_sequence)
    count = len(flatten(structure, expand_composites))
    if count != len(flat):
        raise ValueError(
            f"Could not pack sequence. Structure had {count} atoms, but flat_sequence had {len(flat)} "
            f"items.  Structure: {structure}, flat_sequence: {flat}."
        )
    return _packed(structure, iter(flat), expand_composites)


def _packed(structure: Any, flat: Iterator[Any], expand: bool) -> Any:
    parts = _parts(structure, expand)
    if parts is None:
        return next(flat)
    return _like(structure, [_packed(part, flat, expand) for part in parts])


def _like(structure: Any, parts: list[Any]) -> Any:
    """A structure of the same type that holds `parts`."""
    if isinstance(structure, Mapping):
        values = dict(zip(_sorted_keys(structure), parts, strict=True))
        return type(structure)((key, values[key]) for key in structure)
    if hasattr(structure, "_fields"):
        return type(structure)(*parts)
    if isinstance(structure, list | tuple):
        return type(structure)(parts)
    values = iter(parts)
    fields = structure.fields()
    return type(structure)(**{k: None if v is None else next(values) for k, v in fields.items()})


def map_structure(function: Callable, *structures: Any, expand_composites: bool = False) -> Any:
    """`function` applied to the corresponding leaves, in the form of the first structure.

    Raises ValueError or TypeError when the structures differ.
    """
    for other in structures[1:]:
        assert_same_structure(structures[0], other, expand_composites=expand_composites)
    flat = [flatten(structure, expand_composites) for structure in structures]
    results = [function(*leaves) for leaves in zip(*flat, strict=True)]
    return pack_sequence_as(structures[0], results, expand_composites)


def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Raises ValueError when the structures nest differently, TypeError when their types differ."""
    try:
        _assert_same(nest1, nest2, check_types, expand_composites)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"The two structures don't have the same nested structure.\n\nFirst structure: {_show(nest1)}"
            f"\n\nSecond structure: {_show(nest2)}\n\nMore Specifically: {error}"
        ) from None


def _show(structure: Any) -> str:
    return f"type={type(structure).__name__} str={structure}"


def _assert_same(first: Any, second: Any, check_types: bool, expand: bool) -> None:
    parts, others = _parts(first, expand), _parts(second, expand)
    if (parts is None) != (others is None):
        nested, leaf = (first, second) if others is None else (second, first)
        raise ValueError(
            f'Substructure "{_show(nested)}" is a sequence, while substructure "{_show(leaf)}" is not'
        )
    if parts is None:
        return
    if check_types and type(first) is not type(second) and not _alike(first, second):
        raise TypeError(
            f"The two namedtuples or sequences don't have the same type. First structure has type "
            f"{type(first).__name__}, while second structure has type {type(second).__name__}"
        )
    if isinstance(first, Mapping) and set(first) != set(second):
        raise ValueError(
            f"The two dictionaries don't have the same set of keys. First structure has keys {list(first)}, "
            f"while second structure has keys {list(second)}"
        )
    if len(parts) != len(others):
        raise ValueError(
            f"The two structures don't have the same number of elements. First structure: {_show(first)}. "
            f"Second structure: {_show(second)}"
        )
    for part, other in zip(parts, others, strict=True):
        _assert_same(part, other, check_types, expand)


def _alike(first: Any, second: Any) -> bool:
    """Whether two types may stand for each other: any two mappings, or equally named namedtuples."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return True
    fields = getattr(first, "_fields", None)
    return (
        fields is not None
        and fields == getattr(second, "_fields", None)
        and (type(first).__name__ == type(second).__name__)
    )
