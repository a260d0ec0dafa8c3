"""Shape rules shared by many ops, and what is known of a tensor's *value* when the graph is built.

A rule gets the op's inputs (things with `.dtype` and `.shape`) and attributes, and returns TensorShapes. It
raises ValueError in TensorFlow's words when the shapes cannot work; the graph adds the op's name and line.
"""

from typing import Any

import numpy as np

from minitf.framework.shapes import SCALAR, UNKNOWN, TensorShape, broadcast_sizes, unknown_shape

# Values larger than this are not worked out while the graph is built.
_LARGEST_CONSTANT = 4096


def same_as_input(first: Any, *_rest: Any, **_attrs: Any) -> TensorShape:
    """The first input's shape."""
    return first.shape


def broadcast(*inputs: Any, **_attrs: Any) -> TensorShape:
    """The shape that all inputs broadcast to."""
    return broadcast_sizes(*[x.shape for x in inputs])


def incompatible(*inputs: Any, **_attrs: Any) -> str:
    """What TensorFlow says when shapes turn out not to broadcast while a step runs."""
    return "Incompatible shapes: " + " vs. ".join(x.shape.brackets() for x in inputs)


def scalar(*_inputs: Any, **_attrs: Any) -> TensorShape:
    """Always a scalar."""
    return SCALAR


def unknown(*_inputs: Any, **_attrs: Any) -> TensorShape:
    """Nothing is known before the op runs."""
    return UNKNOWN


def vector_of_unknown_length(*_inputs: Any, **_attrs: Any) -> TensorShape:
    """One dimension, its size known only when the op runs."""
    return unknown_shape(1)


def require_rank(x: Any, rank: int) -> TensorShape:
    """`x.shape` as a shape of that rank. Raises ValueError in TensorFlow's words."""
    if x.shape.rank not in (None, rank):
        raise ValueError(f"Shape must be rank {rank} but is rank {x.shape.rank}")
    return x.shape if x.shape.rank is not None else unknown_shape(rank)


def require_rank_at_least(x: Any, rank: int) -> TensorShape:
    """`x.shape`, if it can have at least that rank. Raises ValueError in TensorFlow's words."""
    if x.shape.rank is not None and x.shape.rank < rank:
        raise ValueError(f"Shape must be at least rank {rank} but is rank {x.shape.rank}")
    return x.shape


def merge(*shapes: TensorShape) -> TensorShape:
    """The one shape known from all. Raises ValueError in TensorFlow's words when they differ."""
    result = shapes[0]
    for shape in shapes[1:]:
        if result.rank is not None and shape.rank is not None:
            if result.rank != shape.rank:
                raise ValueError(
                    f"Shapes must be equal rank, but are {result.rank} and {shape.rank}. "
                    f"Shapes are {result.brackets()} and {shape.brackets()}."
                )
            for axis, (a, b) in enumerate(zip(result.sizes, shape.sizes, strict=True)):
                if a is not None and b is not None and a != b:
                    raise ValueError(
                        f"Dimension {axis} in both shapes must be equal, but are {a} and {b}. "
                        f"Shapes are {result.brackets()} and {shape.brackets()}."
                    )
        result = result.merge_with(shape)
    return result


def merge_sizes(a: int | None, b: int | None) -> int | None:
    """The one size known from two. Raises ValueError in TensorFlow's words when they differ."""
    if a is not None and b is not None and a != b:
        raise ValueError(f"Dimensions must be equal, but are {a} and {b}")
    return b if a is None else a


def normalize_axis(axis: int, rank: int) -> int:
    """`axis` counted from the front. Raises ValueError in TensorFlow's words when out of range."""
    if not -rank <= axis < rank:
        raise ValueError(f"axis = {axis} not in [{-rank}, {rank})")
    return axis + rank if axis < 0 else axis


def constant_value(x: Any) -> np.ndarray | None:
    """The value of a tensor if it is known before anything runs, else None.

    Works on anything with a `.constant` of its own (eager tensors, plan values) and on graph tensors, whose
    small constant subgraphs are evaluated here.
    """
    if isinstance(x, np.ndarray | np.generic):
        return np.asarray(x)
    known = getattr(x, "constant", None)
    if known is not None:
        return known
    node = getattr(x, "op", None)
    if node is None or not hasattr(node, "definition"):
        return None
    if "constant_value" not in node.cache:
        node.cache["constant_value"] = _evaluate(node)
    values = node.cache["constant_value"]
    return None if values is None else values[x.value_index]


def _evaluate(node: Any) -> tuple[np.ndarray, ...] | None:
    definition = node.definition
    if definition.name in ("Shape", "Size", "Rank"):
        return _evaluate_shape(node)
    if definition.stateful or definition.kernel is None or definition.name in _NOT_EVALUATED:
        return None
    if not all(t.shape.is_fully_defined() and t.dtype.is_numpy_compatible for t in node.outputs):
        return None
    if sum(t.shape.num_elements() for t in node.outputs) > _LARGEST_CONSTANT:
        return None
    values = [constant_value(t) for t in node.inputs]
    if any(value is None for value in values):
        return None
    try:
        with np.errstate(all="ignore"):
            result = definition.kernel(*node.grouped(values), **node.attrs)
    except (ValueError, TypeError, IndexError, ArithmeticError):
        return None  # The same error is reported, with its place, when the op runs.
    results = result if isinstance(result, tuple | list) else (result,)
    return tuple(
        np.asarray(value, dtype=t.dtype.base_dtype.numpy_dtype)
        for value, t in zip(results, node.outputs, strict=True)
    )


# A default may be fed over; a placeholder has no value.
_NOT_EVALUATED = {"Placeholder", "PlaceholderWithDefault", "NoOp"}


def _evaluate_shape(node: Any) -> tuple[np.ndarray] | None:
    shape = node.inputs[0].shape
    dtype = node.outputs[0].dtype.numpy_dtype
    if node.type == "Rank":
        return None if shape.rank is None else (np.array(shape.rank, dtype),)
    if not shape.is_fully_defined():
        return None
    value = shape.sizes if node.type == "Shape" else shape.num_elements()
    return (np.array(value, dtype),)


def shape_from(x: Any) -> TensorShape:
    """The shape that the integer vector `x` describes, as far as it is known before anything runs.

    -1 stands for an unknown size. `tf.stack([tf.shape(x)[0], 10])` gives (?, 10).
    """
    value = constant_value(x)
    if value is not None:
        return TensorShape([None if size < 0 else int(size) for size in np.atleast_1d(value)])
    node = getattr(x, "op", None)
    handler = _PARTIAL.get(node.type) if node is not None else None
    known = handler(node) if handler else None
    if known is not None:
        return known
    return unknown_shape(x.shape.sizes[0]) if x.shape.rank == 1 else UNKNOWN


def _partial_shape(node):
    return node.inputs[0].shape


def _partial_pack(node):
    return TensorShape([_partial_scalar(t) for t in node.inputs]) if node.attrs["axis"] == 0 else None


def _partial_concat(node):
    result = SCALAR
    for t in node.inputs[:-1]:
        result = result.concatenate(shape_from(t))
    return result


def _partial_slice(node):
    """Of x[begin:end:stride] over a partly known vector, e.g. tf.shape(x)[1:]."""
    value, key = shape_from(node.inputs[0]), [constant_value(t) for t in node.inputs[1:]]
    attrs = node.attrs
    if value.rank is None or any(k is None or len(k) != 1 for k in key):
        return None
    if attrs["shrink_axis_mask"] or attrs["ellipsis_mask"] or attrs["new_axis_mask"]:
        return None
    begin, end, stride = (int(k[0]) for k in key)
    return value[
        slice(
            None if attrs["begin_mask"] & 1 else begin,
            None if attrs["end_mask"] & 1 else end,
            stride,
        )
    ]


def _partial_scalar(x: Any) -> int | None:
    value = constant_value(x)
    if value is not None:
        return None if value < 0 else int(value)
    node = getattr(x, "op", None)
    if node is None or node.type != "StridedSlice" or node.attrs["shrink_axis_mask"] != 1:
        return None
    source, begin = shape_from(node.inputs[0]), constant_value(node.inputs[1])
    if source.rank is None or begin is None or not -source.rank <= begin[0] < source.rank:
        return None
    return source.sizes[int(begin[0])]


_PARTIAL = {
    "Shape": _partial_shape,
    "Pack": _partial_pack,
    "ConcatV2": _partial_concat,
    "StridedSlice": _partial_slice,
    "Cast": lambda node: shape_from(node.inputs[0]),
    "Identity": lambda node: shape_from(node.inputs[0]),
    "Capture": lambda node: shape_from(node.inputs[0]),
}
