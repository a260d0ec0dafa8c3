"""Tensors made from Python values, shapes and feeds: constants, fills, ranges, placeholders."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import TensorShape, as_shape, unknown_shape
from minitf.ops.arrays import to_array
from minitf.ops.registry import (
    Anything,
    Attr,
    Index,
    Mixed,
    Real,
    gradient,
    interpreter,
    not_differentiable,
    op,
)
from minitf.ops.shape_rules import constant_value, same_as_input, shape_from


def _value_shape(*, value, dtype):
    return TensorShape(np.shape(value))


@op("Const", shape=_value_shape)
def const(*, value, dtype) -> Attr("dtype"):
    """A constant."""
    return value


def constant(
    value: Any,
    dtype: Any = None,
    shape: Any = None,
    name: str = "Const",
    verify_shape: bool = False,
) -> Any:
    """A tensor that always holds `value`.

    With `shape`, fewer values than the shape holds are filled up with the last one. `verify_shape` raises
    TypeError unless `value` has that shape already. Raises TypeError when `value` does not fit `dtype`.
    """
    dtype = None if dtype is None else as_dtype(dtype)
    array = to_array(value, dtype)
    if shape is not None:
        array = _filled(array, as_shape(shape), verify_shape)
    return interpreter().constant(array, name)


def _filled(array: np.ndarray, shape: TensorShape, verify: bool) -> np.ndarray:
    sizes, count = tuple(shape.as_list()), shape.num_elements()
    if verify and sizes != array.shape:
        raise TypeError(f"Expected Tensor's shape: {sizes}, but got {array.shape}.")
    if array.size > count:
        raise ValueError(f"Too many elements provided. Takes at most {count}, but got {array.size}.")
    flat = np.empty(count, array.dtype)
    flat[: array.size] = array.ravel()
    flat[array.size :] = array.ravel()[-1] if array.size else 0
    return flat.reshape(sizes)


def _attr_shape(*, dtype, shape):
    return shape


@op("Placeholder", shape=_attr_shape, stateful=True)
def _placeholder(*, dtype, shape) -> Attr("dtype"):
    raise ValueError("You must feed a value for placeholder tensor")


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Any:
    """A tensor that must be fed: `sess.run(…, feed_dict={x: values})`. Unknown sizes are None."""
    return _placeholder(dtype=as_dtype(dtype), shape=as_shape(shape), name=name)


def _default_shape(default, *, shape):
    if not default.shape.is_compatible_with(shape):
        raise ValueError(f"Shapes {default.shape} and {shape} are incompatible")
    return shape


@op("PlaceholderWithDefault", shape=_default_shape, alias=True)
def placeholder_with_default_kernel(input: Anything, *, shape) -> Anything:
    """`input`, unless it is fed."""
    return input


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> Any:
    """A tensor that yields `input` unless it is fed."""
    return placeholder_with_default_kernel(input, shape=as_shape(shape), name=name)


def _shape_of_dims(dims, value=None, **_attrs):
    return shape_from(dims)


@op("Fill", shape=_shape_of_dims)
def fill(dims: Index, value: Mixed, *, out=None) -> Mixed:
    """A tensor of shape `dims` filled with the scalar `value`."""
    if out is None:
        return np.full(tuple(dims), value, np.asarray(value).dtype)
    out.fill(value)
    return out


def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """A tensor of zeros (False, or empty strings)."""
    return _filled_with(0, shape, as_dtype(dtype).base_dtype, name or "zeros")


def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Any:
    """A tensor of ones (or True)."""
    return _filled_with(1, shape, as_dtype(dtype).base_dtype, name or "ones")


# Constants up to this many elements are stored whole; larger ones are filled when they run.
_LARGEST_STORED = 1000


def _filled_with(value, shape, dtype, name):
    value = np.asarray(b"" if dtype == dtypes.string else value, dtype.numpy_dtype)
    known = _known_sizes(shape)
    if known is not None and int(np.prod(known, dtype=np.int64)) <= _LARGEST_STORED:
        return interpreter().constant(np.full(known, value, dtype.numpy_dtype), name)
    with interpreter().name_scope(name) as scope:
        shape = interpreter().convert(shape, None, dtypes.int32, "shape")
        return fill(shape, constant(value), name=scope)


def _known_sizes(shape: Any) -> tuple[int, ...] | None:
    try:
        array = to_array(shape, dtypes.int32 if np.size(shape) == 0 else None)
    except (TypeError, ValueError, NotImplementedError):
        return None
    return tuple(int(size) for size in np.atleast_1d(array)) if array.dtype.kind in "iu" else None


@op("ZerosLike", shape_only=("x",), shape=same_as_input)
def _zeros_like(x: Anything, *, out=None) -> Anything:
    if x.dtype == object:
        return np.full(x.shape, b"", object)
    if out is None:
        return np.zeros_like(x)
    out.fill(0)
    return out


@op("OnesLike", shape_only=("x",), shape=same_as_input)
def _ones_like(x: Anything, *, out=None) -> Anything:
    if out is None:
        return np.ones_like(x)
    out.fill(1)
    return out


def zeros_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Any:
    """Zeros of `tensor`'s shape, and of its dtype unless another is given."""
    return _like(tensor, dtype, name, zeros, _zeros_like, "zeros_like")


def ones_like(tensor: Any, dtype: Any = None, name: str | None = None, optimize: bool = True) -> Any:
    """Ones of `tensor`'s shape, and of its dtype unless another is given."""
    return _like(tensor, dtype, name, ones, _ones_like, "ones_like")


def _like(tensor, dtype, name, filled, like, default_name):
    tensor = interpreter().convert(tensor, None, None, "tensor")
    dtype = tensor.dtype.base_dtype if dtype is None else as_dtype(dtype)
    if tensor.shape.is_fully_defined() and tensor.dtype != dtypes.variant:
        return filled(tensor.shape, dtype, name=name or default_name)
    if dtype != tensor.dtype.base_dtype:
        from minitf.ops.array import cast

        tensor = cast(tensor, dtype)
    return like(tensor, name=name or default_name)


@gradient(fill)
def _fill_gradient(op, grad):
    from minitf.ops.reduce import reduce_sum

    return [None, reduce_sum(grad)]


def _range_shape(start, limit, delta):
    values = [constant_value(v) for v in (start, limit, delta)]
    if any(v is None for v in values):
        return unknown_shape(1)
    if values[2] == 0:
        raise ValueError("Requires delta != 0")
    return TensorShape([len(np.arange(*values))])


@op("Range", shape=_range_shape)
def _range(start: Real, limit: Real, delta: Real) -> Real:
    if delta == 0:
        raise ValueError("Requires delta != 0")
    return np.arange(start, limit, delta, dtype=np.asarray(start).dtype)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range") -> Any:
    """Numbers from `start` (0 if only one bound is given) up to `limit`, by `delta`."""
    if limit is None:
        start, limit = 0, start
    from minitf.ops.array import cast

    current = interpreter()
    with current.name_scope(name) as scope:
        dtype = None if dtype is None else as_dtype(dtype)
        start, limit, delta = (
            current.convert(v, dtype if not hasattr(v, "dtype") else None, None, n)
            for v, n in ((start, "start"), (limit, "limit"), (delta, "delta"))
        )
        if dtype is None:
            order = [dtypes.int32, dtypes.int64, dtypes.float16, dtypes.float32, dtypes.float64]
            dtype = max((v.dtype.base_dtype for v in (start, limit, delta)), key=order.index)
        return _range(cast(start, dtype), cast(limit, dtype), cast(delta, dtype), name=scope)


not_differentiable(const, _placeholder, _zeros_like, _ones_like, _range)
