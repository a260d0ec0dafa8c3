"""Functions mapped and folded over the rows of tensors: `tf.map_fn`, `foldl`, `foldr`, `scan`."""

from collections.abc import Callable
from typing import Any

from minitf.framework import nest
from minitf.framework.dtypes import as_dtype
from minitf.ops.array import shape as shape_of
from minitf.ops.control import as_operand, while_loop
from minitf.ops.registry import interpreter
from minitf.ops.tensor_array import TensorArray


def map_fn(
    fn: Callable,
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """`fn` of each row of `elems` (a tensor, or a nested structure of tensors of equal length), stacked.

    `dtype` (`fn_output_signature`) is the structure of dtypes that `fn` returns, where that is not that of
    `elems`. With `infer_shape`, all results must have one shape. The other arguments are those of
    `tf.while_loop`.

    Raises TypeError when `fn` is no function, ValueError for no or scalar `elems`, and for results of another
    structure.
    """
    _check_function(fn, "The provided function {} is not callable.fn must be callable.")
    elems = nest.map_structure(as_operand, elems)
    if not nest.flatten(elems):
        raise ValueError(
            f"elems must be a Tensor or (possibly nested) sequence of Tensors. Got {elems}, which does not "
            "contain any Tensors."
        )
    signature = dtype if fn_output_signature is None else fn_output_signature
    with interpreter().name_scope(name or "map"):
        rows, count, static_count = _rows(elems)
        structure = elems if signature is None else signature
        kinds = [row.dtype for row in rows] if signature is None else nest.flatten(signature)
        results = [_result_array(kind, count, infer_shape) for kind in kinds]

        def step(i, arrays):
            value = fn(_row(elems, rows, i))
            nest.assert_same_structure(structure, value)
            values = nest.flatten(value)
            return i + 1, [array.write(i, v) for array, v in zip(arrays, values, strict=True)]

        _, results = while_loop(
            lambda i, _: i < count,
            step,
            (0, results),
            parallel_iterations=parallel_iterations or 10,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=count,
        )
        return nest.pack_sequence_as(structure, _stacked(results, static_count))


def _check_function(
    fn: Any, message: str = "{} is not callable. Please provide a callable function."
) -> None:
    if not callable(fn):
        raise TypeError(message.format(getattr(fn, "__name__", repr(fn))))


def _rows(elems: Any) -> tuple[list[TensorArray], Any, int | None]:
    """The rows of each tensor, how many there are, and how many if that is known when the graph is built."""
    tensors = [interpreter().convert(elem, None, None, "elem") for elem in nest.flatten(elems)]
    known = None
    for tensor in tensors:
        if tensor.shape.rank == 0:
            raise ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars")
        size = tensor.shape.sizes[0] if tensor.shape.rank else None
        if known is not None and size is not None and known != size:
            raise ValueError(f"Dimensions {known} and {size} are not compatible")
        known = size if known is None else known
    count = shape_of(tensors[0])[0] if known is None else known
    return [TensorArray(t.dtype, count, element_shape=t.shape[1:]).unstack(t) for t in tensors], count, known


def _row(elems: Any, rows: list[TensorArray], i: Any) -> Any:
    return nest.pack_sequence_as(elems, [row.read(i) for row in rows])


def _result_array(kind: Any, count: Any, infer_shape: bool) -> TensorArray:
    """`kind` is a dtype, or a spec that has one and a shape."""
    shape = getattr(kind, "shape", None)
    dtype = as_dtype(getattr(kind, "dtype", kind))
    return TensorArray(dtype, count, infer_shape=infer_shape, element_shape=shape)


def _stacked(arrays: list[TensorArray], count: int | None) -> list[Any]:
    results = [array.stack() for array in arrays]
    for result in results:
        if result.shape.rank is not None and not interpreter().eager:
            result.set_shape([count, *result.shape.sizes[1:]])
    return results


def foldl(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`fn(fn(initializer, elems[0]), elems[1])` and so on, to the last row.

    Without `initializer`, the first row is the start. `elems` and `initializer` may be nested structures. The
    other arguments are those of `tf.while_loop`. Raises TypeError when `fn` is no function.
    """
    loop = {"parallel_iterations": parallel_iterations, "back_prop": back_prop, "swap_memory": swap_memory}
    return _fold(fn, elems, initializer, name or "foldl", False, loop)


def foldr(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """As `tf.foldl`, from the last row to the first."""
    loop = {"parallel_iterations": parallel_iterations, "back_prop": back_prop, "swap_memory": swap_memory}
    return _fold(fn, elems, initializer, name or "foldr", True, loop)


def _fold(fn: Callable, elems: Any, initializer: Any, name: str, reverse: bool, loop: dict) -> Any:
    _check_function(fn)
    elems = nest.map_structure(as_operand, elems)
    with interpreter().name_scope(name):
        rows, count, _ = _rows(elems)
        done = 0
        if initializer is None:
            initializer = _row(elems, rows, count - 1 if reverse else 0)
            done = 1

        def step(i, total):
            row = _row(elems, rows, count - 1 - i if reverse else i)
            return [i + 1, fn(total, row)]

        _, total = while_loop(
            lambda i, _: i < count, step, [done, initializer], maximum_iterations=count, **loop
        )
        return total


def scan(
    fn: Callable,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All the totals of `tf.foldl` (of `tf.foldr`, with `reverse`), stacked.

    Raises TypeError when `fn` is no function or returns another structure than `initializer`.
    """
    _check_function(fn)
    elems = nest.map_structure(as_operand, elems)
    with interpreter().name_scope(name or "scan"):
        rows, count, static_count = _rows(elems)
        convert = interpreter().convert
        start = count - 1 if reverse else 0
        first = _row(elems, rows, start) if initializer is None else initializer
        totals = [convert(leaf, None, None, "initializer") for leaf in nest.flatten(first)]
        results = [
            TensorArray(
                total.dtype,
                count,
                infer_shape=infer_shape,
                element_shape=total.shape if infer_shape else None,
            )
            for total in totals
        ]
        if initializer is None:
            results = [array.write(start, total) for array, total in zip(results, totals, strict=True)]

        def step(i, totals, arrays):
            total = fn(nest.pack_sequence_as(first, totals), _row(elems, rows, i))
            nest.assert_same_structure(first, total)
            flat = nest.flatten(total)
            arrays = [array.write(i, value) for array, value in zip(arrays, flat, strict=True)]
            return i - 1 if reverse else i + 1, flat, arrays

        done = 1 if initializer is None else 0
        *_, results = while_loop(
            (lambda i, *_: i >= 0) if reverse else (lambda i, *_: i < count),
            step,
            (start - done if reverse else done, totals, results),
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=count,
        )
        return nest.pack_sequence_as(first, _stacked(results, static_count))
