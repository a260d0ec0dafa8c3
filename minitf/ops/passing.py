"""Tensors passed on with a promise: of their shape, of their bits; and what counts as a tensor."""

from typing import Any

import numpy as np

from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape, as_shape
from minitf.ops.array import _bitcast
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.registry import Anything, Index, Symbol, gradient, interpreter, not_differentiable, op
from minitf.ops.shape_rules import require_rank


def _merged(input, *, shape):
    if not input.shape.is_compatible_with(shape):
        raise ValueError(f"Incompatible shapes: {input.shape.brackets()} vs. {shape.brackets()}")
    return input.shape.merge_with(shape)


def _shape_is_known(node):
    known = node.inputs[0].shape
    return known.is_fully_defined() and known.is_compatible_with(node.attrs["shape"])


@op("EnsureShape", shape=_merged, alias=True, passes_through=_shape_is_known)
def _ensure_shape(input: Anything, *, shape) -> Anything:
    if not shape.is_compatible_with(input.shape):
        raise ValueError(
            f"Shape of tensor {TensorShape(input.shape).brackets()} is not compatible with expected shape "
            f"{shape.brackets()}."
        )
    return input


@gradient(_ensure_shape)
def _ensure_shape_gradient(op, grad):
    return grad


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Any:
    """`x`, known to have `shape` from here on. Raises InvalidArgumentError when it runs with another."""
    return _ensure_shape(x, shape=as_shape(shape), name=name)


def bitcast(input: Any, type: Any, name: str | None = None) -> Any:
    """The bits of `input` read as numbers of another `type` of the same size.

    Raises NotImplementedError for types of different sizes.
    """
    input, type = interpreter().convert(input, None, None, "input"), as_dtype(type)
    if input.dtype.size != type.size:
        raise NotImplementedError(
            f"tf.bitcast from {input.dtype.base_dtype.name} to {type.name}: sizes must be equal"
        )  # fmt: skip
    return _bitcast(input, type=type, name=name)


not_differentiable(_bitcast)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor, variable, SparseTensor or IndexedSlices."""
    from minitf.ops.sparse import SparseTensor

    return isinstance(x, Symbol | SparseTensor | IndexedSlices) or hasattr(x, "_as_tensor")


def _unravelled(indices, dims):
    return TensorShape([require_rank(dims, 1).sizes[0]]).concatenate(indices.shape)


@op("UnravelIndex", shape=_unravelled)
def _unravel_index(indices: Index, dims: Index) -> Index:
    size = int(np.prod(dims, dtype=np.int64))
    if indices.size and (indices.min() < 0 or indices.max() >= size):
        raise ValueError("index is out of bound as with dims")
    places = np.unravel_index(indices, tuple(dims))
    return np.array(places, indices.dtype).reshape(len(dims), *indices.shape)


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Any:
    """The places in an array of shape `dims` that flat `indices` name, one row per dimension.

    Raises InvalidArgumentError when an index is out of range.
    """
    return _unravel_index(indices, dims, name=name)
