"""Slices: `x[key]`, `tf.slice` and `tf.strided_slice`."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, Dimension, TensorShape, unknown_shape
from minitf.ops.registry import Anything, Index, Mixed, Symbol, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value

_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
_NO_SLICE = ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def _key(begin, end, strides, masks: dict[str, int]) -> tuple:
    """The NumPy index that a strided slice's arguments mean."""
    key = []
    for i, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        bit = 1 << i
        if masks["ellipsis_mask"] & bit:
            key.append(Ellipsis)
        elif masks["new_axis_mask"] & bit:
            key.append(None)
        elif masks["shrink_axis_mask"] & bit:
            key.append(int(first))
        else:
            key.append(
                slice(
                    None if masks["begin_mask"] & bit else int(first),
                    None if masks["end_mask"] & bit else int(last),
                    int(step),
                )
            )
    return tuple(key)


def _sliced_shape(input, begin, end, strides, **masks):
    values = [constant_value(v) for v in (begin, end, strides)]
    if input.shape.rank is None:
        return UNKNOWN
    if values[2] is not None and not np.all(values[2]):
        raise ValueError(f"strides[{np.argmin(np.abs(values[2]))}] must be non-zero")
    if any(v is None for v in values):
        return _partly_known(input, begin, values[2], masks)
    key = _key(*values, masks)
    consumed = sum(k is not None and k is not Ellipsis for k in key)
    _check_count(input, consumed)
    sizes, axis = [], 0
    for position, item in enumerate(key):
        if item is None:
            sizes.append(1)
        elif item is Ellipsis:
            skipped = input.shape.rank - consumed
            sizes.extend(input.shape.sizes[axis : axis + skipped])
            axis += skipped
        else:
            size = input.shape.sizes[axis]
            if isinstance(item, int):
                if size is not None and not -size <= item < size:
                    raise ValueError(f"slice index {item} of dimension {position} out of bounds.")
            else:
                sizes.append(_slice_size(item, size))
            axis += 1
    return TensorShape([*sizes, *input.shape.sizes[axis:]])


def _check_count(input, consumed):
    rank = input.shape.rank
    if consumed > rank:
        raise ValueError(f"Index out of range using input dim {rank}; input has only {rank} dims")


def _slice_size(item: slice, size: int | None) -> int | None:
    if size is not None:
        return len(range(*item.indices(size)))
    everything = item.start in (None, 0) and item.stop is None and item.step == 1
    same_side = item.start is not None and item.stop is not None and item.start >= 0 and item.stop >= 0
    if not everything and same_side and item.start >= item.stop and item.step > 0:
        return 0
    return None


def _partly_known(input, begin, strides, masks):
    """When bounds are not known: whole dimensions keep their size, and the number of dimensions is known."""
    if begin.shape.rank != 1 or begin.shape.sizes[0] is None:
        return UNKNOWN
    whole = masks["begin_mask"] & masks["end_mask"]
    kinds = [
        next((name for name in _NO_SLICE if masks[name] >> i & 1), whole >> i & 1)
        for i in range(begin.shape.sizes[0])
    ]
    skipped = input.shape.rank - sum(kind not in ("ellipsis_mask", "new_axis_mask") for kind in kinds)
    _check_count(input, input.shape.rank - skipped)
    sizes, rest = [], list(input.shape.sizes)
    for i, kind in enumerate(kinds):
        if kind == "new_axis_mask":
            sizes.append(1)
        elif kind == "ellipsis_mask":
            sizes += rest[:skipped]
            del rest[:skipped]
        else:
            size = rest.pop(0)
            if kind != "shrink_axis_mask":
                known = kind and strides is not None
                sizes.append(_slice_size(slice(None, None, int(strides[i])), size) if known else None)
    return TensorShape(sizes + rest)


def _prepare_slice(node):
    values = [v.constant for v in node.inputs[1:4]]
    if any(v is None for v in values) or node.inputs[0].dtype.numpy_dtype.kind == "O":
        return None
    key = _key(*values, node.attrs)
    return lambda input, begin, end, strides: input[key]


@op(
    "StridedSlice",
    shape=_sliced_shape,
    alias=True,
    prepare=_prepare_slice,
    default_name="strided_slice",
)
def _strided_slice(
    input: Anything,
    begin: Index,
    end: Index,
    strides: Index,
    *,
    begin_mask=0,
    end_mask=0,
    ellipsis_mask=0,
    new_axis_mask=0,
    shrink_axis_mask=0,
) -> Anything:
    masks = dict(
        zip(
            _MASKS,
            (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask),
            strict=True,
        )
    )
    key = _key(begin, end, strides, masks)
    try:
        return np.asarray(input[key], input.dtype)  # one string would else be bytes
    except IndexError:
        raise ValueError(_outside(key, input.shape)) from None


def _outside(key: tuple, sizes: tuple[int, ...]) -> str:
    """Which index of `key` is beyond its dimension, in TensorFlow's words."""
    axis = 0
    for position, item in enumerate(key):
        if item is Ellipsis:
            axis = len(sizes) - sum(k is not None for k in key[position + 1 :])
        elif item is not None:
            if isinstance(item, int) and not -sizes[axis] <= item < sizes[axis]:
                return f"slice index {item} of dimension {position} out of bounds."
            axis += 1
    return f"too many indices: {len(key)} for {len(sizes)} dimensions"


def _like_first(like, *_rest, **_attrs):
    return like.shape


@op("StridedSliceGrad", shape_only=("like",), shape=_like_first)
def _strided_slice_grad(
    like: Mixed,
    begin: Index,
    end: Index,
    strides: Index,
    grad: Anything,
    *,
    begin_mask=0,
    end_mask=0,
    ellipsis_mask=0,
    new_axis_mask=0,
    shrink_axis_mask=0,
    out=None,
) -> Anything:
    masks = dict(
        zip(
            _MASKS,
            (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask),
            strict=True,
        )
    )
    if out is None:
        out = np.zeros(like.shape, grad.dtype)
    else:
        out.fill(0)
    out[_key(begin, end, strides, masks)] = grad
    return out


@gradient(_strided_slice)
def _strided_slice_gradient(op, grad):
    input, *key = op.inputs
    return [_strided_slice_grad(input, *key, grad, **op.attrs), None, None, None]


@gradient(_strided_slice_grad)
def _strided_slice_grad_gradient(op, grad):
    return [None, None, None, None, _strided_slice(grad, *op.inputs[1:4], **op.attrs)]


def slice_by_key(tensor: Any, key: Any, name: str | None = None) -> Any:
    """`tensor[key]`: integers, slices, Ellipsis, tf.newaxis and scalar integer tensors, or a bool mask."""
    if isinstance(key, Symbol) and key.dtype.base_dtype == dtypes.bool or _is_mask(key):
        from minitf.ops.gather import boolean_mask

        return boolean_mask(tensor, key)
    key = key if isinstance(key, tuple | list) else (key,)
    begin, end, strides = [], [], []
    masks = dict.fromkeys(_MASKS, 0)
    for i, item in enumerate(key):
        bit = 1 << i
        if item is None:
            masks["new_axis_mask"] |= bit
            entry = (0, 0, 1)
        elif item is Ellipsis:
            masks["ellipsis_mask"] |= bit
            entry = (0, 0, 1)
        elif isinstance(item, slice):
            entry = (item.start, item.stop, item.step)
            for mask, bound in (("begin_mask", item.start), ("end_mask", item.stop)):
                if bound is None:
                    masks[mask] |= bit
            entry = tuple(d if v is None else _bound(v) for v, d in zip(entry, (0, 0, 1), strict=True))
        else:
            position = _bound(item)
            masks["shrink_axis_mask"] |= bit
            # x[-1] ends at 0, which the shrink mask makes irrelevant.
            entry = (position, position + 1, 1)
        for values, value in zip((begin, end, strides), entry, strict=True):
            values.append(value)
    current = interpreter()
    with current.name_scope(name or "strided_slice"):
        arguments = [_vector(v, n) for v, n in ((begin, "stack"), (end, "stack_1"), (strides, "stack_2"))]
        return _strided_slice(tensor, *arguments, name=current.get_name_scope() + "/", **masks)


def _is_mask(key: Any) -> bool:
    return isinstance(key, np.ndarray) and key.dtype == bool


def _bound(value: Any) -> Any:
    if isinstance(value, Dimension):
        value = value.value
    if isinstance(value, Symbol) or hasattr(value, "_as_tensor"):
        return value
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        if not (isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu"):
            raise TypeError(
                "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar "
                f"tf.int32/tf.int64 tensors are valid indices, got {value!r}"
            )
    return int(value)


def _vector(values: list[Any], name: str) -> Any:
    from minitf.ops.join import stack

    if all(isinstance(v, int) for v in values):
        return interpreter().constant(np.array(values, np.int32), name)
    dtype = next(v.dtype.base_dtype for v in values if not isinstance(v, int))
    return stack([np.array(v, dtype.numpy_dtype) if isinstance(v, int) else v for v in values], name=name)


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Any:
    """The part of a tensor that `input_[begin:end:strides]` would give; the masks are bit sets of axes."""
    if var is not None:
        raise NotImplementedError("tf.strided_slice: `var` (sliced assignment) is not supported")
    if strides is None:
        strides = np.ones(len(begin), np.int32)
    return _strided_slice(
        input_, begin, end, strides, begin_mask=begin_mask, end_mask=end_mask,
        ellipsis_mask=ellipsis_mask, new_axis_mask=new_axis_mask, shrink_axis_mask=shrink_axis_mask,
        name=name,
    )  # fmt: skip


def _boxed_shape(input, begin, size):
    first, count = constant_value(begin), constant_value(size)
    if input.shape.rank is None:
        return UNKNOWN
    if count is None:
        return unknown_shape(input.shape.rank)
    if len(count) != input.shape.rank:
        raise ValueError(f"Shape must be rank {len(count)} but is rank {input.shape.rank}")
    sizes = []
    for axis, wanted in enumerate(count):
        whole = input.shape.sizes[axis]
        start = None if first is None else int(first[axis])
        if wanted != -1:
            sizes.append(int(wanted))
            if whole is not None and start is not None and start + wanted > whole:
                raise ValueError(f"Expected size[{axis}] in [0, {whole - start}], but got {wanted}")
        else:
            sizes.append(None if whole is None or start is None else whole - start)
    return TensorShape(sizes)


@op("Slice", shape=_boxed_shape, alias=True)
def _slice(input: Anything, begin: Index, size: Index) -> Anything:
    for axis, (first, count) in enumerate(zip(begin, size, strict=True)):
        room = input.shape[axis] - first
        if not 0 <= first <= input.shape[axis] or count > room or count < -1:
            raise ValueError(f"Expected size[{axis}] in [0, {room}], but got {count}")
    return input[
        tuple(
            slice(first, None if count == -1 else first + count)
            for first, count in zip(begin, size, strict=True)
        )
    ]


@op("SliceGrad", shape_only=("like",), shape=_like_first)
def _slice_grad(like: Mixed, begin: Index, grad: Anything, *, out=None) -> Anything:
    if out is None:
        out = np.zeros(like.shape, grad.dtype)
    else:
        out.fill(0)
    out[tuple(slice(b, b + n) for b, n in zip(begin, grad.shape, strict=True))] = grad
    return out


@gradient(_slice)
def _slice_gradient(op, grad):
    return [_slice_grad(op.inputs[0], op.inputs[1], grad), None, None]


@gradient(_slice_grad)
def _slice_grad_gradient(op, grad):
    from minitf.ops.array import shape

    return [
        None,
        None,
        _slice(grad, op.inputs[1], shape(op.inputs[2], out_type=op.inputs[1].dtype)),
    ]


def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Any:
    """The box of a tensor that starts at `begin` and has `size` (-1: up to the end)."""
    return _slice(input_, begin, size, name=name)
