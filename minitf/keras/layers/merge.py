"""Layers that join several inputs: sums, products, means, extremes, concatenation, dot products."""

from collections.abc import Callable
from typing import Any

from minitf.framework.shapes import TensorShape, broadcast_sizes
from minitf.keras.engine.base_layer import Layer
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, squeeze, transpose
from minitf.ops.constants import ones_like
from minitf.ops.join import concat
from minitf.ops.linalg import matmul
from minitf.ops.norm import l2_normalize
from minitf.ops.reduce import reduce_all


class _Merge(Layer):
    """Base: a list of at least two inputs of shapes that broadcast."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def build(self, input_shape: Any) -> None:
        """Checks the shapes."""
        if not isinstance(input_shape, list | tuple) or len(input_shape) < 1:
            raise ValueError(
                f"A merge layer should be called on a list of inputs. Received: input_shape={input_shape} "
                "(not a list of shapes)"
            )
        shapes = [TensorShape(s) for s in input_shape]
        batches = {s.as_list()[0] for s in shapes if s.rank} - {None}
        if len(batches) > 1:
            raise ValueError(
                f"Cannot merge tensors with different batch sizes. Received tensors with shapes {input_shape}"
            )
        self._check([s for s in shapes if s.rank is not None])
        self.built = True

    def _check(self, shapes: list[TensorShape]) -> None:
        known = [s[1:] for s in shapes]
        try:
            broadcast_sizes(*[TensorShape(s) for s in known])
        except ValueError:
            raise ValueError(
                f"Inputs have incompatible shapes. Received shapes {' and '.join(str(s) for s in known)}"
            ) from None

    def call(self, inputs: Any) -> Any:
        """Merges. Inputs of lower rank get dimensions of 1 after the batch."""
        if not isinstance(inputs, list | tuple):
            raise ValueError(f"A merge layer should be called on a list of inputs. Received: inputs={inputs}")
        rank = max(x.shape.rank for x in inputs)
        aligned = []
        for x in inputs:
            while x.shape.rank < rank:
                x = expand_dims(x, 1)
            aligned.append(x)
        return self._merge(aligned)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where all the inputs that have a mask count."""
        if mask is None or all(m is None for m in mask):
            return None
        result = None
        for m in mask:
            if m is not None:
                result = m if result is None else math.logical_and(result, m)
        return result


def _folding(name: str, combine: Callable, doc: str) -> type[_Merge]:
    """A merge layer that combines its inputs pair by pair."""

    def _merge(self, inputs: list[Any]) -> Any:
        result = inputs[0]
        for x in inputs[1:]:
            result = combine(result, x)
        return result

    return type(name, (_Merge,), {"_merge": _merge, "__doc__": doc, "__module__": __name__})


Add = _folding("Add", math.add, "The sum of the inputs.")
Multiply = _folding("Multiply", math.multiply, "The product of the inputs.")
Maximum = _folding("Maximum", math.maximum, "The largest of the inputs, element by element.")
Minimum = _folding("Minimum", math.minimum, "The smallest of the inputs, element by element.")


class Subtract(_Merge):
    """The first input minus the second. Raises ValueError unless there are two."""

    def _merge(self, inputs: list[Any]) -> Any:
        if len(inputs) != 2:
            raise ValueError(
                f"`Subtract` layer should be called on exactly 2 inputs. Received: inputs={inputs}"
            )
        return inputs[0] - inputs[1]


class Average(_Merge):
    """The mean of the inputs."""

    def _merge(self, inputs: list[Any]) -> Any:
        total = inputs[0]
        for x in inputs[1:]:
            total = total + x
        return total / cast(len(inputs), total.dtype)


class Concatenate(_Merge):
    """The inputs joined along `axis`. Raises ValueError when they differ along another one."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def _check(self, shapes: list[TensorShape]) -> None:
        others = []
        for s in shapes:
            sizes = s.as_list()
            sizes[self.axis] = None
            others.append(TensorShape(sizes))
        merged = others[0]
        for other in others[1:]:
            if not merged.is_compatible_with(other):
                raise ValueError(
                    "A `Concatenate` layer requires inputs with matching shapes except for the concatenation "
                    f"axis. Received: input_shape={[tuple(s.as_list()) for s in shapes]}"
                )
            merged = merged.merge_with(other)

    def call(self, inputs: Any) -> Any:
        """Concatenates."""
        return concat(list(inputs), self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The masks joined likewise; inputs without one count everywhere."""
        if mask is None or all(m is None for m in mask):
            return None
        masks = []
        for x, m in zip(inputs, mask, strict=True):
            if m is None:
                masks.append(cast(ones_like(x), "bool"))
            else:
                masks.append(expand_dims(m, -1) if m.shape.rank < x.shape.rank else m)
        return reduce_all(concat(masks, self.axis), -1)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merge):
    """Products of two inputs summed over `axes`; with `normalize`, the cosine of the angle between them."""

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axes, self.normalize = axes, normalize

    def _pair(self, ranks: list[int]) -> list[int]:
        axes = [self.axes] * 2 if isinstance(self.axes, int) else list(self.axes)
        return [a % rank for a, rank in zip(axes, ranks, strict=True)]

    def _check(self, shapes: list[TensorShape]) -> None:
        if len(shapes) != 2:
            raise ValueError(f"A `Dot` layer should be called on a list of 2 inputs. Received: {shapes}")
        first, second = self._pair([s.rank for s in shapes])
        sizes = shapes[0].as_list()[first], shapes[1].as_list()[second]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"Incompatible input shapes: axis values {sizes[0]} (at axis {first}) != {sizes[1]} (at axis "
                f"{second}). Full input shapes: {shapes[0]}, {shapes[1]}"
            )

    def call(self, inputs: Any) -> Any:
        """The dot product."""
        x, y = inputs
        first, second = self._pair([x.shape.rank, y.shape.rank])
        if self.normalize:
            x, y = l2_normalize(x, first), l2_normalize(y, second)
        return batch_dot(x, y, (first, second))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """There is none."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def batch_dot(x: Any, y: Any, axes: tuple[int, int]) -> Any:
    """For each sample, x and y multiplied and summed over one axis each; at least (batch, 1)."""
    ranks = x.shape.rank, y.shape.rank
    # (batch, …, k) by (batch, k, …), vectors as matrices of one row or column.
    left = expand_dims(x, 1) if ranks[0] == 2 else x
    right = expand_dims(y, 2) if ranks[1] == 2 else y
    first = axes[0] if ranks[0] > 2 else 2
    second = axes[1] if ranks[1] > 2 else 1
    if first != left.shape.rank - 1:
        order = [i for i in range(left.shape.rank) if i != first] + [first]
        left = transpose(left, order)
    if second != 1:
        order = [0, second, *[i for i in range(1, right.shape.rank) if i != second]]
        right = transpose(right, order)
    if left.shape.rank > 3 or right.shape.rank > 3:
        raise NotImplementedError("Dot of tensors of more than three dimensions is not supported")
    result = matmul(left, right)
    if ranks[0] == 2 and ranks[1] == 2:
        return squeeze(result, [2])
    if ranks[0] == 2:
        return squeeze(result, [1])
    return squeeze(result, [2]) if ranks[1] == 2 else result


def _function(layer: type[_Merge], doc: str) -> Callable:
    def function(inputs: Any, **kwargs: Any) -> Any:
        return layer(**kwargs)(inputs)

    function.__name__ = layer.__name__.lower()
    function.__doc__ = doc
    return function


add = _function(Add, "The `Add` layer, applied to a list of inputs.")
subtract = _function(Subtract, "The `Subtract` layer, applied to two inputs.")
multiply = _function(Multiply, "The `Multiply` layer, applied to a list of inputs.")
average = _function(Average, "The `Average` layer, applied to a list of inputs.")
maximum = _function(Maximum, "The `Maximum` layer, applied to a list of inputs.")
minimum = _function(Minimum, "The `Minimum` layer, applied to a list of inputs.")


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """The `Concatenate` layer, applied to a list of inputs."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any, normalize: bool = False, **kwargs: Any) -> Any:
    """The `Dot` layer, applied to two inputs."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
