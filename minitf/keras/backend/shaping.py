"""Products, shapes, padding, joining and picking, in Keras's names."""

from collections.abc import Callable
from typing import Any

from minitf.keras.backend.values import int_shape, ndim, shape, tensor
from minitf.keras.layers.convolutional import data_format_of
from minitf.keras.layers.resampling import _interpolated
from minitf.ops import array, constants, functional, grid, join
from minitf.ops import gather as gathering
from minitf.ops import reverse as reversing
from minitf.ops import tile as tiling
from minitf.ops.einsum import einsum, tensordot
from minitf.ops.linalg import matmul
from minitf.ops.onehot import one_hot as _one_hot
from minitf.ops.pad import pad
from minitf.ops.reduce import reduce_prod
from minitf.ops.sparse import sparse_tensor_dense_matmul, sparse_tensor_to_dense
from minitf.ops.sparse_tensor import SparseTensor

_LETTERS = "bcdefghijklmnopqrstuvwxyz"


def dot(x: Any, y: Any) -> Any:
    """The product of matrices; of more dimensions, over the last of x and the last but one of y."""
    if isinstance(x, SparseTensor):
        return sparse_tensor_dense_matmul(x, y)
    x, y = tensor(x), tensor(y)
    if ndim(x) > 2 or ndim(y) > 2:
        return tensordot(x, y, [[ndim(x) - 1], [ndim(y) - 2]])
    return matmul(x, y)


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """For each sample, x and y multiplied and summed over one axis each; vectors give (batch, 1).

    `axes` are the two axes, one for both, or None for the last of x and the last but one of y.

    Raises ValueError for tensors or axes that do not fit.
    """
    x, y = tensor(x), tensor(y)
    shapes = int_shape(x), int_shape(y)
    ranks = len(shapes[0]), len(shapes[1])
    given = f"Received inputs with shapes {shapes[0]} and {shapes[1]}."
    if min(ranks) < 2:
        raise ValueError(f"Cannot do batch_dot on inputs with rank < 2. {given}")
    if None not in (shapes[0][0], shapes[1][0]) and shapes[0][0] != shapes[1][0]:
        raise ValueError(f"Cannot do batch_dot on inputs with different batch sizes. {given}")
    if axes is None:
        axes = (ranks[0] - 1, max(ranks[1] - 2, 1))
    axes = (axes, axes) if isinstance(axes, int) else tuple(axes)
    if not all(isinstance(axis, int) for axis in axes):
        raise ValueError(
            f"Multiple target dimensions are not supported. Expected: None, int, (int, int), Provided: {axes}"
        )
    first, second = (axis % rank for axis, rank in zip(axes, ranks, strict=True))
    if 0 in (first, second):
        raise ValueError(
            "Cannot perform batch_dot over axis 0. If your inputs are not batched, add a dummy batch "
            "dimension to your inputs using K.expand_dims(x, 0)"
        )
    sizes = shapes[0][first], shapes[1][second]
    if None not in sizes and sizes[0] != sizes[1]:
        raise ValueError(
            f"Cannot do batch_dot on inputs with shapes {shapes[0]} and {shapes[1]} with axes={list(axes)}. "
            f"x.shape[{first}] != y.shape[{second}] ({sizes[0]} != {sizes[1]})."
        )
    x_letters = _LETTERS[1 : ranks[0]]
    y_letters = _LETTERS[ranks[0] : ranks[0] + ranks[1] - 1]
    summed = x_letters[first - 1]
    y_letters = y_letters.replace(y_letters[second - 1], summed)
    kept = (x_letters + y_letters).replace(summed, "")
    result = einsum(f"b{x_letters},b{y_letters}->b{kept}", x, y)
    return result if kept else array.expand_dims(result, 1)


def transpose(x: Any) -> Any:
    """The dimensions in reverse order."""
    return array.transpose(x)


def permute_dimensions(x: Any, pattern: Any) -> Any:
    """The dimensions in the order of `pattern`."""
    return array.transpose(x, perm=pattern)


def reshape(x: Any, shape: Any) -> Any:
    """The elements in another shape; one size may be -1."""
    return array.reshape(x, shape)


def flatten(x: Any) -> Any:
    """All elements in one dimension."""
    return array.reshape(x, [-1])


def batch_flatten(x: Any) -> Any:
    """Each sample's elements in one dimension."""
    x = tensor(x)
    sizes = int_shape(x)[1:]
    if None not in sizes:
        width = 1
        for size in sizes:
            width *= size
        return array.reshape(x, [-1, width])
    return array.reshape(x, join.stack([-1, reduce_prod(shape(x)[1:])]))


def expand_dims(x: Any, axis: int = -1) -> Any:
    """A dimension of size 1 more, at `axis`."""
    return array.expand_dims(x, axis)


def squeeze(x: Any, axis: Any) -> Any:
    """Without the dimension `axis`, whose size is 1."""
    return array.squeeze(x, [axis] if isinstance(axis, int) else axis)


def concatenate(tensors: Any, axis: int = -1) -> Any:
    """Tensors joined along a dimension."""
    tensors = [tensor(x) for x in tensors]
    if axis < 0:
        axis %= ndim(tensors[0]) or 1
    return join.concat(tensors, axis)


def stack(x: Any, axis: int = 0) -> Any:
    """Tensors joined along a new dimension."""
    return join.stack(x, axis=axis)


def repeat(x: Any, n: int) -> Any:
    """(samples, size) as (samples, n, size). Raises ValueError unless x has two dimensions."""
    x = tensor(x)
    if ndim(x) != 2:
        raise ValueError(f"K.repeat expects a tensor of two dimensions. Received one of shape {x.shape}.")
    return tiling.tile(array.expand_dims(x, 1), join.stack([1, n, 1]))


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each part along `axis` `rep` times, as `np.repeat` does."""
    return grid.repeat(tensor(x), rep, axis=axis)


def tile(x: Any, n: Any) -> Any:
    """x several times along each dimension."""
    return tiling.tile(x, [n] if isinstance(n, int) else n)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """The numbers from `start` (or 0) up to `stop`. A single negative argument gives none."""
    if stop is None and start < 0:
        start = 0
    return array.cast(constants.range(start, limit=stop, delta=step, name="arange"), dtype)


def reverse(x: Any, axes: Any) -> Any:
    """x, turned around along `axes`."""
    return reversing.reverse(x, [axes] if isinstance(axes, int) else axes)


def gather(reference: Any, indices: Any) -> Any:
    """The parts of `reference` along its first dimension that `indices` name."""
    return gathering.gather(tensor(reference), indices)


def one_hot(indices: Any, num_classes: int) -> Any:
    """Rows with a one at the index, in a new last dimension."""
    return _one_hot(indices, num_classes, axis=-1)


def to_dense(tensor: Any) -> Any:
    """A SparseTensor as a tensor; others as they are."""
    return sparse_tensor_to_dense(tensor) if isinstance(tensor, SparseTensor) else tensor


# --- images ------------------------------------------------------------------------------------------


def _padded(x: Any, padding: Any, data_format: str | None) -> Any:
    edges = [list(pair) for pair in padding]
    if data_format_of(data_format) == "channels_first":
        return pad(x, [[0, 0], [0, 0], *edges])
    return pad(x, [[0, 0], *edges, [0, 0]])


def temporal_padding(x: Any, padding: Any = (1, 1)) -> Any:
    """(samples, steps, size) with zeros before and after the steps."""
    return _padded(x, [padding], "channels_last")


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Any:
    """Images with zeros around them: ((top, bottom), (left, right))."""
    return _padded(x, padding, data_format)


def spatial_3d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Any:
    """Volumes with zeros around them."""
    return _padded(x, padding, data_format)


def _enlarged(x: Any, factors: Any, data_format: str, enlarge: Callable) -> Any:
    first = 2 if data_format_of(data_format) == "channels_first" else 1
    for axis, factor in enumerate(factors, first):
        x = enlarge(x, factor, axis)
    return x


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Any:
    """Images made larger by whole factors; `interpolation` is 'nearest' or 'bilinear'."""
    enlarge = {"nearest": repeat_elements, "bilinear": lambda x, factor, axis: _interpolated(x, axis, factor)}
    if interpolation not in enlarge:
        raise ValueError(
            'interpolation should be one of "nearest" or "bilinear". '
            f'Received: interpolation="{interpolation}".'
        )
    return _enlarged(tensor(x), (height_factor, width_factor), data_format, enlarge[interpolation])


def resize_volumes(x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str) -> Any:
    """Volumes made larger by repeating."""
    return _enlarged(tensor(x), (depth_factor, height_factor, width_factor), data_format, repeat_elements)


# --- functions over rows -----------------------------------------------------------------------------


def map_fn(fn: Callable, elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """`fn` of each row, stacked."""
    return functional.map_fn(fn, elems, name=name, dtype=dtype)


def foldl(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`fn(fn(initializer, first), second)` and so on."""
    return functional.foldl(fn, elems, initializer=initializer, name=name)


def foldr(fn: Callable, elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """`foldl` from the last row to the first."""
    return functional.foldr(fn, elems, initializer=initializer, name=name)
