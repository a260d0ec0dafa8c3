"""The ops behind `tf.TensorArray`: elements are written, read, stacked and concatenated as the graph runs.

The value of a TensorArray is an `Elements`. Writing makes a new version and leaves the old one valid, so that
gradients are ordinary gradients: that of a read is an array with one entry, entries add up, and that of a
write is read from them. None is the array without entries.
"""

from typing import Any

import numpy as np

from minitf.framework import dtypes, errors
from minitf.framework.shapes import SCALAR, UNKNOWN, TensorShape, as_shape
from minitf.ops.elements import Elements, Entry
from minitf.ops.registry import Anything, Attr, Mixed, Types, gradient, not_differentiable, op
from minitf.ops.shape_rules import constant_value
from minitf.ops.variants import Variant

_Position = Types("Position", (dtypes.int32,))
_Lengths = Types("Lengths", (dtypes.int64,))


def _variant(*_inputs: Any, **_attrs: Any) -> TensorShape:
    return SCALAR


@op("TensorArrayV3", shape=_variant, default_name="TensorArray")
def new_array(size: _Position, *, dtype, element_shape) -> dtypes.variant:
    """An array of `size` elements that are not written yet."""
    return Elements([None] * int(size))


def _check_index(index: int, size: int, verb: str, growing: bool) -> None:
    if index < 0 or (index >= size and not growing):
        words = "array is not resizeable and size is" if verb == "write to" else "array size is"
        raise errors.OutOfRangeError(None, None, f"Tried to {verb} index {index} but {words}: {size}")


def _check_once(items: list[Any], index: int) -> None:
    if index < len(items) and items[index] is not None:
        raise ValueError(
            f"Could not write to TensorArray index {index} because it has already been written to."
        )


def _element_written(node, values):
    values[0].element = node.value(node.inputs[2].dtype, node.inputs[2].shape)


@op("TensorArrayWriteV3", shape=_variant, default_name="TensorArrayWrite", refine=_element_written)
def write(array: Variant, index: _Position, value: Mixed, *, dynamic, once) -> dtypes.variant:
    """The array with `value` at `index`; with `once`, nothing may have been written there."""
    index = int(index)
    _check_index(index, len(array.items), "write to", dynamic)
    if once:
        _check_once(array.items, index)
    return array.written(index, np.array(value))


def _element_shape(array, index, *, dtype, element_shape):
    return element_shape


def _element_read(node, values):
    element = node.inputs[0].element
    if element is not None and element.shape.is_compatible_with(values[0].shape):
        values[0].shape = values[0].shape.merge_with(element.shape)


@op("TensorArrayReadV3", shape=_element_shape, refine=_element_read)
def read(array: Variant, index: _Position, *, dtype, element_shape) -> Attr("dtype"):
    """The element at `index`."""
    index, items = int(index), array.items
    _check_index(index, len(items), "read from", False)
    return _present(items[index], index, dtype, element_shape)


def _present(item: Any, index: int, dtype: Any, element_shape: TensorShape) -> np.ndarray:
    if item is not None:
        return item
    if not element_shape.is_fully_defined():
        raise ValueError(
            f"Could not read from TensorArray index {index}.  Furthermore, the element shape is not fully "
            f"defined: {element_shape.brackets()}. It is possible you are working with a resizeable "
            "TensorArray and stop_gradients is not allowing the gradients to be written.  If you set the "
            "full element_shape property on the forward TensorArray, the proper all-zeros tensor will be "
            "returned instead of incurring this error."
        )
    return np.zeros(element_shape.sizes, dtype.numpy_dtype)


def _gathered(array, indices, *, dtype, element_shape):
    return TensorShape([indices.shape.sizes[0] if indices.shape.rank == 1 else None]).concatenate(
        element_shape
    )


def _elements_gathered(node, values):
    element = node.inputs[0].element
    if element is not None:
        shape = TensorShape(values[0].shape.sizes[:1] if values[0].shape.rank else [None])
        shape = shape.concatenate(element.shape)
        if shape.is_compatible_with(values[0].shape):
            values[0].shape = values[0].shape.merge_with(shape)


@op("TensorArrayGatherV3", shape=_gathered, refine=_elements_gathered)
def gather(array: Variant, indices: _Position, *, dtype, element_shape) -> Attr("dtype"):
    """The elements at `indices`, stacked."""
    items = array.items
    found = []
    for index in indices.tolist():
        _check_index(index, len(items), "read from", False)
        found.append(_present(items[index], index, dtype, element_shape))
    if not found:
        if not element_shape.is_fully_defined():
            raise ValueError(
                f"TensorArray has size zero, but element shape {element_shape.brackets()} is not fully "
                "defined. Currently only static shapes are supported when packing zero-size TensorArrays."
            )
        return np.zeros((0, *element_shape.sizes), dtype.numpy_dtype)
    shapes = {item.shape for item in found}
    if len(shapes) > 1:
        first = found[0].shape
        position = next(i for i, item in enumerate(found) if item.shape != first)
        raise ValueError(
            f"TensorArray has inconsistent shapes.  Index 0 has shape: {list(first)} but index {position} "
            f"has shape: {list(found[position].shape)}"
        )
    return np.stack(found)


def _rows_written(node, values):
    value = node.inputs[2]
    values[0].element = node.value(value.dtype, value.shape[1:])


@op("TensorArrayScatterV3", shape=_variant, refine=_rows_written)
def scatter(array: Variant, indices: _Position, value: Mixed, *, dynamic, once) -> dtypes.variant:
    """The array with the rows of `value` at `indices`."""
    if len(indices) != len(value):
        raise ValueError(
            f"Expected len(indices) == values.shape[0], but saw: {len(indices)} vs. {len(value)}"
        )
    rows = np.array(value)
    for index, row in zip(indices.tolist(), rows):
        _check_index(index, len(array.items), "write to", dynamic)
        if once:
            _check_once(array.items, index)
        array = array.written(index, row)
    return array


def _concatenated(array, *, dtype, element_shape):
    rest = UNKNOWN if element_shape.rank is None else TensorShape([None, *element_shape.sizes[1:]])
    return [rest, TensorShape([None])]


@op("TensorArrayConcatV3", shape=_concatenated)
def concat(array: Variant, *, dtype, element_shape) -> (Attr("dtype"), dtypes.int64):
    """The elements joined along their first dimension, and their lengths."""
    items = [_present(item, i, dtype, element_shape) for i, item in enumerate(array.items)]
    for i, item in enumerate(items):
        if not item.ndim:
            raise ValueError(f"Concat saw a scalar shape at index {i} but requires at least vectors.")
        if item.shape[1:] != items[0].shape[1:]:
            raise ValueError(
                "TensorArray has inconsistent shapes.  Index 0 has (excepting dimension 0) shape: "
                f"{list(items[0].shape[1:])} but index {i} has (excepting dimension 0) shape: "
                f"{list(item.shape[1:])}"
            )
    lengths = np.array([len(item) for item in items], np.int64)
    if not items:
        return np.zeros((0, *(element_shape.sizes or (0,))[1:]), dtype.numpy_dtype), lengths
    return np.concatenate(items), lengths


@op("TensorArraySplitV3", shape=_variant)
def split(array: Variant, value: Mixed, lengths: _Lengths, *, dynamic) -> dtypes.variant:
    """The array with pieces of `value`, of the given lengths, as its elements."""
    size = len(array.items)
    if size != len(lengths) and not (dynamic and size < len(lengths)):
        raise ValueError(
            f"TensorArray's size is not equal to the size of lengths ({size} vs. {len(lengths)}), and the "
            "TensorArray is not marked as dynamically resizeable"
        )
    return pieces.definition.kernel(value, lengths)


@op("TensorArraySizeV3", shape=_variant)
def size(array: Variant) -> dtypes.int32:
    """The number of elements."""
    return np.array(len(array.items), np.int32)


not_differentiable(new_array, size)

# --- what gradients are made of: zeros stand where nothing was written ----------------------------------


@op("TensorArrayEntry", shape=_variant)
def entry(index: _Position, value: Mixed) -> dtypes.variant:
    """The array that has `value` at `index` and nothing else."""
    return Entry(int(index), np.array(value))


def _like_last(*inputs, **_attrs):
    return inputs[-1].shape


@op("TensorArrayReadLike", shape=_like_last, shape_only=("like",))
def read_like(array: Variant, index: _Position, like: Anything) -> Anything:
    """The element at `index`, or zeros like `like`."""
    index, items = int(index), [] if array is None else array.items
    item = items[index] if index < len(items) else None
    return np.zeros(like.shape, like.dtype) if item is None else item


@op("TensorArrayWithout", shape=_variant)
def without(array: Variant, indices: _Position) -> dtypes.variant:
    """The array with nothing at `indices`."""
    for index in [] if array is None else np.ravel(indices).tolist():
        if index < len(array.items):
            array = array.written(index, None)
    return array


@op("TensorArrayEntries", shape=_variant)
def entries(indices: _Position, value: Mixed) -> dtypes.variant:
    """The array with the rows of `value` at `indices`; what stands at the same index adds up."""
    result, rows = Elements([]), np.array(value)
    for index, row in zip(indices.tolist(), rows):
        result = result + Entry(index, row)
    return result


@op("TensorArrayGatherLike", shape=_like_last, shape_only=("like",))
def gather_like(array: Variant, indices: _Position, like: Anything) -> Anything:
    """The elements at `indices`, stacked, with zeros where nothing was written. `like` has the shape."""
    result, items = np.zeros(like.shape, like.dtype), [] if array is None else array.items
    for row, index in enumerate(indices.tolist()):
        if index < len(items) and items[index] is not None:
            result[row] = items[index]
    return result


@op("TensorArrayPieces", shape=_variant)
def pieces(value: Mixed, lengths: _Lengths) -> dtypes.variant:
    """`value` cut along its first dimension into an array of elements of these lengths."""
    if int(lengths.sum()) != len(value):
        raise ValueError(
            f"Expected sum of lengths to be equal to values.shape[0], but sum of lengths is "
            f"{int(lengths.sum())} and value's shape is: {list(value.shape)}"
        )
    return Elements(np.split(np.array(value), np.cumsum(lengths)[:-1]) if len(lengths) else [])


@op("TensorArrayConcatLike", shape=_like_last, shape_only=("like",))
def concat_like(array: Variant, lengths: _Lengths, like: Anything) -> Anything:
    """The elements joined, with zeros where nothing was written. `like` has the shape."""
    result, items, start = np.zeros(like.shape, like.dtype), [] if array is None else array.items, 0
    for i, length in enumerate(lengths.tolist()):
        if i < len(items) and items[i] is not None:
            result[start : start + length] = items[i]
        start += length
    return result


@gradient(write)
def _write_gradient(op, grad):
    _, index, value = op.inputs
    rest = grad if op.attrs["once"] else without(grad, index)
    return [rest, None, read_like(grad, index, value)]


@gradient(read)
def _read_gradient(op, grad):
    return [entry(op.inputs[1], grad), None]


@gradient(read_like)
def _read_like_gradient(op, grad):
    return [entry(op.inputs[1], grad), None, None]


@gradient(entry)
def _entry_gradient(op, grad):
    return [None, read_like(grad, *op.inputs)]


@gradient(without)
def _without_gradient(op, grad):
    return [without(grad, op.inputs[1]), None]


@gradient(scatter)
def _scatter_gradient(op, grad):
    _, indices, value = op.inputs
    rest = grad if op.attrs["once"] else without(grad, indices)
    return [rest, None, gather_like(grad, indices, value)]


@gradient(gather)
def _gather_gradient(op, grad):
    return [entries(op.inputs[1], grad), None]


@gradient(gather_like)
def _gather_like_gradient(op, grad):
    return [entries(op.inputs[1], grad), None, None]


@gradient(entries)
def _entries_gradient(op, grad):
    return [None, gather_like(grad, *op.inputs)]


@gradient(concat)
def _concat_gradient(op, grad, _):
    return [pieces(grad, op.outputs[1])]


@gradient(split)
def _split_gradient(op, grad):
    _, value, lengths = op.inputs
    return [None, concat_like(grad, lengths, value), None]


@gradient(pieces)
def _pieces_gradient(op, grad):
    value, lengths = op.inputs
    return [concat_like(grad, lengths, value), None]


@gradient(concat_like)
def _concat_like_gradient(op, grad):
    return [pieces(grad, op.inputs[1]), None, None]


def known_size(size: Any) -> int | None:
    """The value of a size that is known when the graph is built."""
    value = constant_value(size)
    return None if value is None else int(value)


def shape_of(element_shape: Any) -> TensorShape:
    """An `element_shape` argument as a TensorShape."""
    return UNKNOWN if element_shape is None else as_shape(element_shape)
