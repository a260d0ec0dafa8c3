"""Passing tensors on, casting them, and changing their shape."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import UNKNOWN, TensorShape, unknown_shape
from minitf.ops import constants, shape_rules
from minitf.ops.registry import Anything, Attr, Index, gradient, interpreter, not_differentiable, op
from minitf.ops.shape_rules import constant_value, normalize_axis, same_as_input, shape_from


def _always(node):
    return True


@op("Identity", shape=same_as_input, alias=True, passes_through=_always, takes_slices=True)
def identity(input: Anything) -> Anything:
    """The same tensor, as an op of its own."""
    return input


@op("StopGradient", shape=same_as_input, alias=True, passes_through=_always)
def stop_gradient(input: Anything) -> Anything:
    """The same tensor, through which no gradient flows."""
    return input


@op("PreventGradient", shape=same_as_input, alias=True, passes_through=_always)
def prevent_gradient(input: Anything, *, message="") -> Anything:
    """The same tensor, whose gradient is an error (LookupError with `message`)."""
    return input


@gradient(identity, constants.placeholder_with_default_kernel)
def _identity(op, grad):
    return grad


@gradient(prevent_gradient)
def _prevent_gradient(op, grad):
    raise LookupError(f"Gradient explicitly disabled. Reason: {op.attrs['message']}")


@op("NoOp", stateful=True)
def no_op() -> None:
    """Does nothing; control dependencies hang on it."""


def _cast_is_void(node):
    return node.inputs[0].dtype.base_dtype == node.attrs["DstT"]


@op("Cast", shape=same_as_input, passes_through=_cast_is_void)
def _cast(x: Anything, *, DstT, out=None) -> Attr("DstT"):
    target = DstT.numpy_dtype
    if x.dtype.kind == "c" and target.kind in "fiu":
        x = x.real
    if out is None:
        return x.astype(target)
    np.copyto(out, x, casting="unsafe")
    return out


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """`x` with its elements converted to `dtype` (floats are cut to integers towards zero)."""
    dtype = as_dtype(dtype).base_dtype
    values = getattr(x, "values", None)
    if values is not None and hasattr(x, "indices"):
        return type(x)(**{**x.fields(), "values": cast(values, dtype)})
    x = interpreter().convert(x, None, None, "x")
    if x.dtype.base_dtype == dtype:
        return x
    return _cast(x, DstT=dtype, name=name)


@gradient(_cast)
def _cast_gradient(op, grad):
    source = op.inputs[0].dtype.base_dtype
    if not (source.is_floating or source.is_complex):
        return None
    return cast(grad, source)


def _caster(target, name):
    def convert(x, name=name):
        return cast(x, target, name=name)

    convert.__name__ = name
    convert.__doc__ = f"`x` as {target.name}. See `tf.cast`."
    return convert


to_float = _caster(dtypes.float32, "ToFloat")
to_double = _caster(dtypes.float64, "ToDouble")
to_int32 = _caster(dtypes.int32, "ToInt32")
to_int64 = _caster(dtypes.int64, "ToInt64")


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Any:
    """`value` cast to `dtype`, clipped to what that type can hold."""
    from minitf.ops import math

    dtype = as_dtype(dtype)
    with interpreter().name_scope(name or "saturate_cast"):
        value = interpreter().convert(value, None, None, "value")
        source = value.dtype.numpy_dtype.type
        if value.dtype.min < dtype.min:
            value = math.maximum(value, source(dtype.min))
        if value.dtype.max > dtype.max:
            value = math.minimum(value, source(dtype.max))
        return cast(value, dtype)


@op("Bitcast", shape=same_as_input, alias=True)
def _bitcast(input: Anything, *, type) -> Attr("type"):
    return input.view(type.numpy_dtype)


def _rank_vector(input, **_attrs):
    return TensorShape([input.shape.rank])


@op("Shape", shape=_rank_vector)
def _shape(input: Anything, *, out_type=dtypes.int32) -> Attr("out_type"):
    return np.array(np.shape(input), out_type.numpy_dtype)


@op("Size", shape=shape_rules.scalar)
def _size(input: Anything, *, out_type=dtypes.int32) -> Attr("out_type"):
    return np.array(np.size(input), out_type.numpy_dtype)


@op("Rank", shape=shape_rules.scalar)
def _rank(input: Anything) -> dtypes.int32:
    return np.array(np.ndim(input), np.int32)


def _shape_query(query, static):
    """The query's answer as a constant where it is known now, as TensorFlow optimises it."""

    def function(input, name=None, out_type=dtypes.int32, optimize=True):
        input = interpreter().convert(input, None, None, "input")
        out_type = as_dtype(out_type)
        known = static(input.shape)
        name = name or query.definition.default_name
        if known is not None:
            return interpreter().constant(np.array(known, out_type.numpy_dtype), name)
        if query is _rank:
            return query(input, name=name)
        return query(input, out_type=out_type, name=name)

    return function


shape = _shape_query(_shape, lambda s: s.sizes if s.is_fully_defined() else None)
shape.__doc__ = "The shape of a tensor, as an integer vector known when it runs."
size = _shape_query(_size, lambda s: s.num_elements())
size.__doc__ = "The number of elements of a tensor."
rank = _shape_query(_rank, lambda s: s.rank)
rank.__doc__ = "The number of dimensions of a tensor."


def shape_n(input: list[Any], out_type: Any = dtypes.int32, name: str | None = None) -> list[Any]:
    """The shapes of several tensors."""
    return [shape(x, out_type=out_type, name=name) for x in input]


def _reshaped(tensor, shape, **_attrs):
    target = shape_from(shape)
    value = constant_value(shape)
    count = tensor.shape.num_elements()
    if target.rank is None:
        return UNKNOWN
    if value is not None:
        if (np.asarray(value) == -1).sum() > 1:
            raise ValueError("Only one input size may be -1")
        known = int(np.prod([s for s in target.sizes if s is not None], dtype=np.int64))
        if None not in target.sizes:
            if count is not None and count != known:
                raise ValueError(
                    f"Cannot reshape a tensor with {count} elements to shape {target.brackets()} "
                    f"({known} elements)"
                )
        elif count is not None:
            if known == 0 or count % known:
                raise ValueError(f"Dimension size must be evenly divisible by {known} but is {count}")
            return TensorShape([count // known if s is None else s for s in target.sizes])
    return target


def _wrong_count(count: int, sizes: Any) -> str:
    known = int(np.prod([s for s in sizes if s != -1], dtype=np.int64))
    wanted = f"requires a multiple of {known}" if -1 in sizes else f"has {known}"
    return f"Input to reshape is a tensor with {count} values, but the requested shape {wanted}"


def _unfit(tensor, shape, **_attrs):
    sizes = constant_value(shape)
    known = sizes is not None and tensor.shape.is_fully_defined()
    return _wrong_count(tensor.shape.num_elements(), list(sizes)) if known else None


@op("Reshape", shape=_reshaped, alias=True, bad_shapes=_unfit)
def _reshape(tensor: Anything, shape: Index) -> Anything:
    sizes = tuple(shape)
    try:
        return tensor.reshape(sizes)
    except ValueError:
        raise ValueError(_wrong_count(tensor.size, sizes)) from None


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """The same elements in another shape; one size may be -1 and follows from the rest."""
    return _reshape(tensor, _as_int32(shape), name=name)


def _as_int32(value: Any) -> Any:
    """An empty list or shape would else become float32."""
    scalar = isinstance(value, TensorShape) and value.rank == 0
    empty = isinstance(value, list | tuple) and not value
    return np.zeros(0, np.int32) if scalar or empty else value


def _expanded(input, axis, **_attrs):
    value = constant_value(axis)
    if input.shape.rank is None:
        return UNKNOWN
    if value is None:
        return unknown_shape(input.shape.rank + 1)
    sizes, axis = list(input.shape.sizes), int(np.ravel(value)[0])
    if not -len(sizes) - 1 <= axis <= len(sizes):
        raise ValueError(f"dim {axis} not in the interval [{-len(sizes) - 1}, {len(sizes)}].")
    sizes.insert(axis + len(sizes) + 1 if axis < 0 else axis, 1)
    return TensorShape(sizes)


@op("ExpandDims", shape=_expanded, alias=True)
def _expand_dims(input: Anything, axis: Index) -> Anything:
    place = given = int(axis.reshape(-1)[0])
    if place < 0:
        place += input.ndim + 1
    if not 0 <= place <= input.ndim:
        raise ValueError(f"Tried to expand dim index {given} for tensor with {input.ndim} dimensions.")
    return input.reshape((*input.shape[:place], 1, *input.shape[place:]))


def expand_dims(input: Any, axis: Any = None, name: str | None = None, dim: Any = None) -> Any:
    """`input` with a dimension of size 1 inserted at `axis` (`dim` is the old name of `axis`)."""
    axis = dim if axis is None else axis
    if axis is None:
        raise ValueError("Must specify an axis argument to tf.expand_dims()")
    return _expand_dims(input, axis, name=name)


def _squeezed(input, *, axis):
    if input.shape.rank is None:
        return UNKNOWN
    sizes = input.shape.sizes
    if not axis:
        return UNKNOWN if None in sizes else TensorShape([s for s in sizes if s != 1])
    dropped = {normalize_axis(a, len(sizes)) for a in axis}
    for position in sorted(dropped):
        if sizes[position] not in (None, 1):
            raise ValueError(
                f"Can not squeeze dim[{position}], expected a dimension of 1, got {sizes[position]}"
            )
    return TensorShape([s for i, s in enumerate(sizes) if i not in dropped])


@op("Squeeze", shape=_squeezed, alias=True)
def _squeeze(input: Anything, *, axis=()) -> Anything:
    return np.squeeze(input, tuple(axis) or None)


def squeeze(input: Any, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Any:
    """`input` without its dimensions of size 1, or without those of `axis` (an int or several)."""
    axis = squeeze_dims if axis is None else axis
    axis = () if axis is None else tuple(int(a) for a in np.atleast_1d(axis))
    return _squeeze(input, axis=axis, name=name)


@gradient(_reshape, _expand_dims, _squeeze)
def _reshape_gradient(op, grad):
    from minitf.ops.like import reshape_like

    return [reshape_like(grad, op.inputs[0])] + [None] * (len(op.inputs) - 1)


def _transposed(x, perm, **_attrs):
    value = constant_value(perm)
    if x.shape.rank is None:
        return unknown_shape(perm.shape.sizes[0] if perm.shape.rank == 1 else None)
    if perm.shape.rank == 1 and perm.shape.sizes[0] not in (None, x.shape.rank):
        raise ValueError(f"Dimension must be {x.shape.rank} but is {perm.shape.sizes[0]}")
    if value is None:
        return unknown_shape(x.shape.rank)
    for axis in value:
        if not -x.shape.rank <= axis < x.shape.rank:
            raise ValueError(f"perm dim {axis} is out of range of input rank {x.shape.rank}")
    return TensorShape([x.shape.sizes[axis] for axis in value])


@op("Transpose", shape=_transposed, alias=True)
def _transpose(x: Anything, perm: Index) -> Anything:
    if sorted(perm) != list(range(x.ndim)):
        raise ValueError(f"perm {list(perm)} is no permutation of the {x.ndim} dimensions")
    return x.transpose(perm)


def transpose(a: Any, perm: Any = None, name: str = "transpose", conjugate: bool = False) -> Any:
    """`a` with its dimensions in the order `perm` (reversed by default), conjugated if asked for."""
    from minitf.ops import math

    with interpreter().name_scope(name) as scope:
        a = interpreter().convert(a, None, None, "a")
        if perm is None:
            if a.shape.rank is not None:
                perm = np.arange(a.shape.rank - 1, -1, -1, dtype=np.int32)
            else:
                perm = math.subtract(math.subtract(rank(a), 1), constants.range(0, rank(a), 1))
        result = _transpose(a, _as_int32(perm), name=scope)
        return math.conj(result) if conjugate else result


@gradient(_transpose)
def _transpose_gradient(op, grad):
    return [_transpose(grad, invert_permutation(op.inputs[1])), None]


@op("InvertPermutation", shape=same_as_input)
def invert_permutation(x: Index) -> Index:
    """The permutation that undoes `x`."""
    if sorted(x) != list(np.arange(len(x))):
        raise ValueError(f"{list(x)} is no permutation")
    return np.argsort(x).astype(x.dtype)


def matrix_transpose(a: Any, name: str | None = None, conjugate: bool = False) -> Any:
    """`a` with its last two dimensions swapped."""
    from minitf.ops import math

    a = interpreter().convert(a, None, None, "a")
    count = shape_rules.require_rank_at_least(a, 2).rank
    if count is None:
        raise ValueError("tf.matrix_transpose needs a tensor of known rank")
    order = [*range(count - 2), count - 1, count - 2]
    result = _transpose(a, np.array(order, np.int32), name=name or "matrix_transpose")
    return math.conj(result) if conjugate else result


not_differentiable(stop_gradient, no_op, _bitcast, _shape, _size, _rank, invert_permutation)
