"""Assertions about ranks, shapes and dtypes: at once where these are known, else when the graph runs."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import DType, as_dtype
from minitf.ops import array, math
from minitf.ops.array import no_op
from minitf.ops.checks import Assert, name_of, prefix
from minitf.ops.group import group, with_dependencies
from minitf.ops.registry import Symbol, interpreter
from minitf.ops.shape_rules import constant_value

# --- ranks -------------------------------------------------------------------------------------------


def _check_rank(
    x: Any,
    ranks: list[Any],
    wanted: str,
    holds: Callable[[int, list[int]], bool],
    condition: Callable[[Any, list[Any]], Any],
    data: Any,
    summarize: int | None,
    message: str | None,
    name: str,
) -> Any:
    """The one body of the rank assertions: static if possible, else an Assert."""
    current = interpreter()
    with current.name_scope(name):
        x = current.convert(x, None, None, "x")
        ranks = [current.convert(rank, None, None, "rank") for rank in ranks]
        for rank in ranks:
            assert_type(rank, dtypes.int32)
        known = [constant_value(rank) for rank in ranks]
        if any(value is not None and np.ndim(value) for value in known):
            raise ValueError("Rank must be a scalar.")
        if x.shape.rank is not None and not any(value is None for value in known):
            known = [int(value) for value in known]
            if not holds(x.shape.rank, known):
                shown = tuple(known) if wanted == "rank in" else known[0]
                raise ValueError(
                    f"{prefix(message)}Tensor {name_of(x)} must have {wanted} {shown}.  Received rank "
                    f"{x.shape.rank}, shape {x.shape}"
                )
            return no_op(name="static_checks_determined_all_ok")
        if data is None:
            data = [
                prefix(message), f"Tensor {name_of(x)} must have {wanted}", *ranks, "Received shape: ",
                array.shape(x),
            ]  # fmt: skip
        good = condition(array.rank(x), ranks)
        for rank, value in zip(ranks, known, strict=True):
            if value is None:
                scalar = assert_rank(rank, 0, data=["Rank must be a scalar. Received rank: ", rank])
                good = with_dependencies([scalar], good)
        return Assert(good, data, summarize=summarize)


def assert_rank(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """An op that fails unless `x` has `rank` dimensions. ValueError at once where that is known."""
    return _check_rank(
        x, [rank], "rank", lambda actual, known: actual == known[0],
        lambda actual, given: math.equal(actual, given[0]), data, summarize, message,
        name or "assert_rank",
    )  # fmt: skip


def assert_rank_at_least(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """An op that fails unless `x` has `rank` dimensions or more. ValueError at once where that is known."""
    return _check_rank(
        x, [rank], "rank at least", lambda actual, known: actual >= known[0],
        lambda actual, given: math.greater_equal(actual, given[0]), data, summarize, message,
        name or "assert_rank_at_least",
    )  # fmt: skip


def assert_rank_in(
    x: Any,
    ranks: Iterable[Any],
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """An op that fails unless `x` has one of `ranks` dimensions. ValueError at once where that is known."""

    def is_one(actual, given):
        result = math.equal(given[0], actual)
        for rank in given[1:]:
            result = math.logical_or(result, math.equal(rank, actual))
        return result

    return _check_rank(
        x, list(ranks), "rank in", lambda actual, known: actual in known, is_one, data, summarize,
        message, name or "assert_rank_in",
    )  # fmt: skip


def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Any:
    """`tensor`, if it is known to be a scalar. Raises ValueError when it is known to be none."""
    current = interpreter()
    with current.name_scope(name or "assert_scalar"):
        tensor = current.convert(tensor, None, None, "tensor")
        if tensor.shape.rank != 0:
            raise ValueError(
                f"{prefix(message)}Expected scalar shape for {name_of(tensor)}, saw shape: {tensor.shape}."
            )
        return tensor


def assert_shapes(
    shapes: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """An op that fails unless tensors have the shapes stated: pairs (tensor, sizes), or a dict of them.

    A size is a number, a letter (the same size wherever it stands), or None or '.' for any; '...' or '*' as
    the first one stands for any number of dimensions. Raises ValueError at once where sizes are known.
    """
    pairs = shapes.items() if isinstance(shapes, dict) else shapes
    current = interpreter()
    with current.name_scope(name or "assert_shapes"):
        checks: list[Any] = []
        letters: dict[Any, tuple[Any, str]] = {}
        for x, symbols in pairs:
            if symbols is None:
                continue
            x = current.convert(x, None, None, "x")
            symbols, open_ended = _symbols(x, symbols, message)
            _check_count(checks, x, len(symbols), open_ended, data, summarize, message)
            for position, symbol in enumerate(symbols):
                if symbol is None or symbol == ".":
                    continue
                axis = position - len(symbols) if open_ended else position
                size = _size_at(x, axis)
                if isinstance(symbol, int | np.integer):
                    wanted, because = int(symbol), "Specified explicitly"
                elif symbol in letters:
                    wanted, because = letters[symbol]
                else:
                    letters[symbol] = size, f"Specified by tensor {name_of(x)} dimension {axis}"
                    continue
                _check_size(checks, x, axis, size, wanted, because, data, summarize, message)
    return group(*checks)


def _symbols(x: Any, symbols: Any, message: str | None) -> tuple[list[Any], bool]:
    if not hasattr(symbols, "__iter__"):
        raise ValueError(
            f"{prefix(message)}Tensor {name_of(x)}.  Specified shape must be an iterable.  An iterable has "
            f"the attribute `__iter__` or `__getitem__`.  Received specified shape: {symbols}"
        )
    symbols = list(symbols)
    for position, symbol in enumerate(symbols):
        if symbol in (Ellipsis, "*") and position:
            raise ValueError(
                f"{prefix(message)}Tensor {name_of(x)} specified shape index {position}.  Symbol `...` or "
                "`*` for a variable number of unspecified dimensions is only allowed as the first entry"
            )
    open_ended = bool(symbols) and symbols[0] in (Ellipsis, "*")
    return symbols[open_ended:], open_ended


def _check_count(checks, x, count, open_ended, data, summarize, message):
    if open_ended and count > 1:
        checks.append(assert_rank_at_least(x, count, data, summarize, message))
    elif not open_ended and count > 1:
        checks.append(assert_rank(x, count, data, summarize, message))
    elif not open_ended:
        checks.append(assert_rank_in(x, [0, 1], data, summarize, message))


def _size_at(x: Any, axis: int) -> Any:
    """The size of a dimension: a number if known, 1 of a scalar."""
    if x.shape.rank == 0:
        return 1
    if x.shape.rank is not None and x.shape.sizes[axis] is not None:
        return x.shape.sizes[axis]
    return array.shape(x)[axis]


def _check_size(checks, x, axis, size, wanted, because, data, summarize, message):
    if isinstance(size, int) and isinstance(wanted, int):
        if size != wanted:
            raise ValueError(
                f"{prefix(message)}{because}.  Tensor {name_of(x)} dimension {axis} must have size "
                f"{wanted}.  Received size {size}, shape {x.shape}"
            )
        return
    if data is None:
        data = [
            prefix(message), because, f"Tensor {name_of(x)} dimension", axis, "must have size", wanted,
            "Received shape: ", array.shape(x),
        ]  # fmt: skip
    checks.append(Assert(math.equal(size, wanted), data, summarize=summarize))


# --- types -------------------------------------------------------------------------------------------


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Any:
    """Raises TypeError unless `tensor` has that dtype. Returns an op that does nothing."""
    tf_type = as_dtype(tf_type)
    with interpreter().name_scope(name or "assert_type"):
        tensor = interpreter().convert(tensor, None, None, "tensor")
        if tensor.dtype.base_dtype != tf_type:
            raise TypeError(
                f"{prefix(message)}{name_of(tensor)} must be of type {tf_type!r}; got {tensor.dtype!r}"
            )
        return no_op(name="statically_determined_correct_type")


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Any:
    """Raises TypeError unless `x` holds integers. Returns an op that does nothing."""
    with interpreter().name_scope(name or "assert_integer"):
        x = interpreter().convert(x, None, None, "x")
        if not x.dtype.is_integer:
            raise TypeError(
                f'{prefix(message)}Expected "x" to be integer type.  Found: {name_of(x)} of dtype {x.dtype}'
            )
        return no_op(name="statically_determined_was_integer")


def assert_proper_iterable(values: Any) -> None:
    """Raises TypeError unless `values` is a collection that is no tensor, array or string."""
    if isinstance(values, Symbol | np.ndarray | str | bytes):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}')
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}')


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> DType:
    """The one floating dtype of all `tensors` (and `dtype`); float32 if there are none.

    Raises ValueError when they differ or are not floating.
    """
    expected = None if dtype is None else as_dtype(dtype)
    first = ""
    for x in tensors or ():
        if x is None:
            continue
        if expected is None:
            expected, first = x.dtype.base_dtype, f" as {name_of(x)}"
        elif x.dtype.base_dtype != expected:
            raise ValueError(
                f"{name_of(x)}, type={x.dtype.base_dtype}, must be of the same type ({expected}){first}."
            )
    expected = expected or dtypes.float32
    if not expected.is_floating:
        raise ValueError(f"Expected floating point type, got {expected}.")
    return expected
