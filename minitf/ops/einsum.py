"""`tf.einsum` and `tf.tensordot`: products of tensors, summed over what they share."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from minitf.framework.shapes import SCALAR, UNKNOWN, TensorShape, broadcast_sizes
from minitf.kernels import einsum as kernels
from minitf.ops import array, constants, math
from minitf.ops.like import sum_like
from minitf.ops.linalg import matmul
from minitf.ops.registry import Numeric, gradient, interpreter, op
from minitf.ops.shape_rules import merge_sizes


def _split(equation: str) -> tuple[list[str], str]:
    """The inputs' and the output's subscripts. Raises ValueError in TensorFlow's words."""
    sides = equation.split("->")
    if len(sides) != 2:
        raise ValueError(f"Expecting exactly one '->' in einsum equation: {equation}")
    inputs = sides[0].split(",")
    if len(inputs) > 2:
        raise ValueError(f"Expecting 1 or 2 input subscripts in equation '{equation}' but got: {len(inputs)}")
    for subscripts in inputs:
        dots = subscripts.count(".")
        if dots not in (0, 3):
            raise ValueError(
                f"Expected at most one ellipsis (...), but found {dots} periods (.) in the input "
                f"subscript: {subscripts}"
            )
    for label in sides[1].replace("...", ""):
        if label not in sides[0]:
            raise ValueError(
                f"Einsum output subscripts for equation '{equation}' has label '{label}' which is not "
                "present in the input subscripts"
            )
    return inputs, sides[1]


def _einsum_shape(inputs, *, equation):
    sides, output = _split(equation)
    if len(sides) != len(inputs):
        raise ValueError(f"Expected {len(sides)} inputs for equation {equation} but got: {len(inputs)}")
    sizes: dict[str, int | None] = {}
    ellipses = []
    for subscripts, x in zip(sides, inputs, strict=True):
        ellipsis = _collect(subscripts, x.shape, sizes)
        if "..." in subscripts:
            ellipses.append(ellipsis)
    middle = broadcast_sizes(*ellipses) if ellipses else SCALAR
    if "..." not in output:
        if middle.rank not in (None, 0):
            raise ValueError(f"Shape must be at most rank 0 but is rank {middle.rank}")
        middle = SCALAR
    before, _, after = output.partition("...")
    first, last = (TensorShape([sizes[label] for label in part]) for part in (before, after))
    return first.concatenate(middle).concatenate(last)


def _collect(subscripts: str, shape: TensorShape, sizes: dict[str, int | None]) -> TensorShape:
    """Merges an input's sizes into `sizes`, by label; returns what its ellipsis stands for."""
    before, dots, after = subscripts.partition("...")
    letters = len(before) + len(after)
    if shape.rank is None:
        for label in before + after:
            sizes.setdefault(label, None)
        return UNKNOWN
    if not dots and shape.rank != letters:
        raise ValueError(f"Shape must be rank {letters} but is rank {shape.rank}")
    if shape.rank < letters:
        raise ValueError(f"Shape must be at least rank {letters} but is rank {shape.rank}")
    end = shape.rank - len(after)
    for label, size in zip(before + after, shape.sizes[: len(before)] + shape.sizes[end:], strict=True):
        sizes[label] = merge_sizes(sizes.get(label), size)
    return shape[len(before) : end]


@op("Einsum", shape=_einsum_shape)
def _einsum(inputs: [Numeric], *, equation, out=None) -> Numeric:
    return kernels.einsum(equation, inputs, out)


_EQUATION = re.compile(r"^[A-Za-z.,]*(->[A-Za-z.]*)?$")


def einsum(equation: str, *inputs: Any, **options: Any) -> Any:
    """The sum of products of tensors by Einstein's notation, e.g. "bij,bjk->bik".

    An ellipsis stands for further, broadcasting dimensions; a label repeated within one input takes the
    diagonal. Without "->" the output has the labels that occur once, in alphabetical order.

    Options are `name`, and `optimize`, which says in which order more than two inputs are multiplied:
    "greedy" (default) or "optimal". Raises ValueError for malformed equations and shapes that don't fit.
    """
    name, optimize = options.pop("name", None), options.pop("optimize", "greedy")
    if options:
        raise TypeError(f"Invalid keyword arguments for einsum: {', '.join(sorted(options))}.")
    if optimize not in _STRATEGIES:
        raise ValueError(f"optimize={optimize!r} is none of {', '.join(_STRATEGIES)}")
    subscripts, output = _resolve(equation, len(inputs))
    current = interpreter()
    with current.name_scope(name or "einsum"):
        tensors = _converted(inputs)
        for first, second in _pairs(subscripts, output, tensors, optimize):
            y, right = tensors.pop(second), subscripts.pop(second)
            x, left = tensors.pop(first), subscripts.pop(first)
            product = _between(left + right, set(output).union(*subscripts)) if tensors else output
            tensors.append(_einsum([x, y], equation=f"{left},{right}->{product}"))
            subscripts.append(product)
        if len(inputs) > 1:
            return tensors[0]
        return _einsum(tensors, equation=f"{subscripts[0]}->{output}")


def _converted(inputs: Any) -> list[Any]:
    """The operands as tensors, Python values taking the dtype of the first tensor."""
    current = interpreter()
    tensors = [current.convert(x, None, None, "inputs") if hasattr(x, "dtype") else x for x in inputs]
    known = next((x.dtype.base_dtype for x in tensors if hasattr(x, "dtype")), None)
    return [x if hasattr(x, "dtype") else current.convert(x, known, None, "inputs") for x in tensors]


def _resolve(equation: str, count: int) -> tuple[list[str], str]:
    """Input and output subscripts without spaces, the output's worked out where it is left to be."""
    if not isinstance(equation, str):
        raise TypeError(f"einsum takes the equation as a string first, got {equation!r}")
    plain = equation.replace(" ", "")
    malformed = not _EQUATION.match(plain) or "." in plain.replace("...", "")
    if malformed:
        raise ValueError(f"Subscripts have incorrect format: {plain}")
    sides, arrow, output = plain.partition("->")
    inputs = sides.split(",")
    if len(inputs) != count:
        raise ValueError(f'Got {count} inputs for equation "{plain}", expecting {len(inputs)}')
    if not arrow:
        letters = sides.replace(",", "").replace(".", "")
        output = "".join(sorted(label for label in set(letters) if letters.count(label) == 1))
    labels = output.replace("...", "")
    if len(set(labels)) < len(labels):
        raise ValueError(f"Output subscripts contain a label appearing more than once: {plain}")
    for label in labels:
        if label not in sides:
            raise ValueError(
                f"Output subscripts contain the label {label} not present in the input subscripts."
            )
    return inputs, output


# What numpy.einsum_path calls TensorFlow's strategies.
_STRATEGIES = {
    "greedy": "greedy", "optimal": "optimal", "auto": "optimal", "branch-2": "optimal",
    "branch-all": "optimal",
}  # fmt: skip


def _pairs(
    subscripts: list[str], output: str, tensors: list[Any], optimize: str
) -> Iterator[tuple[int, int]]:
    """Which two of the remaining tensors to multiply, step by step; each product is put at the end."""
    count = len(tensors)
    if count < 3 or any(x.shape.rank is None for x in tensors):
        groups = [tuple(range(count))]
    else:
        stand_ins = _stand_ins(subscripts, tensors)
        equation = f"{','.join(subscripts)}->{output}"
        groups = np.einsum_path(equation, *stand_ins, optimize=_STRATEGIES[optimize])[0][1:]
    for group in groups:
        group = sorted(group)
        while len(group) > 1:
            first, second, *rest = group
            yield first, second
            count -= 1
            group = [i - (i > first) - (i > second) for i in rest] + [count - 1]


def _stand_ins(subscripts: list[str], tensors: list[Any]) -> list[np.ndarray]:
    """Weightless arrays of the tensors' shapes; for a size that is unknown any above 1 will do."""
    sizes: dict[str, int | None] = {}
    ellipses = [_collect(s, x.shape, sizes).sizes for s, x in zip(subscripts, tensors, strict=True)]
    arrays = []
    for labels, ellipsis in zip(subscripts, ellipses, strict=True):
        before, _, after = labels.partition("...")
        shape = [sizes[s] or 2 for s in before] + [s or 1 for s in ellipsis] + [sizes[s] or 2 for s in after]
        arrays.append(np.broadcast_to(np.float32(0), shape))
    return arrays


def _between(subscripts: str, needed_later: set[str]) -> str:
    """The subscripts of a product that is multiplied on: what is needed later of its operands' labels."""
    labels = dict.fromkeys(subscripts.replace("...", ""))
    return ("..." if "..." in subscripts else "") + "".join(s for s in labels if s in needed_later)


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Any:
    """The product of `a` and `b` summed over pairs of axes.

    `axes` is a number n (the last n axes of `a` with the first n of `b`), or two lists of axes of equal
    length, one of each tensor. The result has the other axes of `a`, then those of `b`.
    """
    current = interpreter()
    with current.name_scope(name or "Tensordot") as scope:
        a = current.convert(a, None, None, "a")
        b = current.convert(b, None, a.dtype.base_dtype, "b")
        if a.shape.rank is None or b.shape.rank is None:
            raise NotImplementedError("tf.tensordot: tensors of unknown rank are not supported")
        a_axes, b_axes = _dot_axes(a, b, axes)
        a_free = [axis for axis in range(a.shape.rank) if axis not in a_axes]
        b_free = [axis for axis in range(b.shape.rank) if axis not in b_axes]
        rows = _as_matrix(a, a_free, a_axes)
        columns = _as_matrix(b, b_axes, b_free)
        product = matmul(rows, columns)
        sizes = [a.shape.sizes[i] for i in a_free] + [b.shape.sizes[i] for i in b_free]
        if product.shape.is_fully_defined() and product.shape.sizes == tuple(sizes):
            return product
        return array.reshape(product, _sizes_at(a, a_free, b, b_free), name=scope)


def _dot_axes(a: Any, b: Any, axes: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, int | np.integer):
        if axes < 0:
            raise ValueError(f"`axes` must be at least 0. Received: {axes}.")
        if axes > a.shape.rank:
            raise ValueError(
                f"`axes` must not be larger than the number of dimensions of tensor {a}. Received {axes}, "
                f"vs tensor dimensions {a.shape.rank}."
            )
        return list(range(a.shape.rank - axes, a.shape.rank)), list(range(axes))
    if len(axes) != 2:
        raise ValueError(f"`axes` must be an integer or have length 2. Received {axes}.")
    pairs = [
        [int(axis) % x.shape.rank for axis in np.atleast_1d(chosen)]
        for x, chosen in zip((a, b), axes, strict=True)
    ]
    if len(pairs[0]) != len(pairs[1]):
        raise ValueError(
            f"Different number of contraction axes `a` and `b`, {len(pairs[0])} != {len(pairs[1])}."
        )
    return pairs[0], pairs[1]


def _as_matrix(x: Any, rows: list[int], columns: list[int]) -> Any:
    """`x` with the axes `rows` made one, then the axes `columns` made another."""
    order = rows + columns
    if order != list(range(len(order))):
        x = array.transpose(x, order)
    sizes = [x.shape.sizes[: len(rows)], x.shape.sizes[len(rows) :]]
    counts = [None if None in part else int(np.prod(part, dtype=np.int64)) for part in sizes]
    if None not in counts:
        return x if x.shape.sizes == tuple(counts) else array.reshape(x, counts)
    if counts[0] is None and counts[1] is None or 0 in counts:
        from minitf.ops.reduce import reduce_prod

        shape = array.shape(x)
        return array.reshape(x, [reduce_prod(shape[: len(rows)]), reduce_prod(shape[len(rows) :])])
    return array.reshape(x, [-1 if count is None else count for count in counts])


def _sizes_at(*tensors_and_axes: Any) -> Any:
    """The sizes of chosen axes of tensors, as a vector: a list where all are known."""
    from minitf.ops.join import stack

    pairs = list(zip(tensors_and_axes[::2], tensors_and_axes[1::2], strict=True))
    sizes = [x.shape.sizes[axis] for x, axes in pairs for axis in axes]
    if None not in sizes:
        return np.array(sizes, np.int32)
    return stack(
        [
            array.shape(x)[axis] if x.shape.sizes[axis] is None else x.shape.sizes[axis]
            for x, axes in pairs
            for axis in axes
        ]
    )


# --- gradients ---------------------------------------------------------------------------------------


@gradient(_einsum)
def _einsum_gradient(op, grad):
    sides, output = _split(op.attrs["equation"])
    if len(op.inputs) == 1:
        return _toward(grad, output, op.inputs[0], sides[0])
    x, y = op.inputs
    return [
        _toward(grad, output, x, sides[0], math.conj(y), sides[1]),
        _toward(grad, output, y, sides[1], math.conj(x), sides[0]),
    ]


def _toward(grad: Any, output: str, x: Any, subscripts: str, other: Any = None, others: str = "") -> Any:
    """The gradient of `x`: the output's times the other operand, on the diagonal, repeated, or summed."""
    known = set(output + others)
    kept = "".join(label for label in dict.fromkeys(subscripts.replace("...", "")) if label in known)
    missing = [label for label in dict.fromkeys(subscripts.replace("...", "")) if label not in known]
    dots = "..." if "..." in output else ""
    target = subscripts if dots in subscripts else dots + subscripts
    if other is not None:
        middle = dots + kept if missing else target
        grad = _einsum([grad, other], equation=f"{output},{others}->{middle}")
        output = middle
    if missing:
        sizes = _sizes_of(x, subscripts, missing)
        repeated = constants.fill(sizes, np.ones((), grad.dtype.base_dtype.numpy_dtype))
        grad = _einsum([grad, repeated], equation=f"{output},{''.join(missing)}->{target}")
    elif output != target:
        grad = _einsum([grad], equation=f"{output}->{target}")
    return _unbroadcast(grad, x, target.find("...")) if dots else grad


def _sizes_of(x: Any, subscripts: str, labels: list[str]) -> Any:
    """The sizes of the dimensions of `x` with those labels, as a vector."""
    from minitf.ops.join import stack

    before, _, after = subscripts.partition("...")
    axes = [before.index(s) if s in before else after.index(s) - len(after) for s in labels]
    if x.shape.rank is not None:
        return _sizes_at(x, axes)
    shape = array.shape(x)
    return stack([shape[axis] for axis in axes])


def _unbroadcast(grad: Any, x: Any, start: int) -> Any:
    """`grad` summed over the dimensions, from `start` on, that an ellipsis gained by broadcasting."""
    from minitf.ops.reduce import reduce_sum

    if grad.shape.is_fully_defined() and grad.shape == x.shape:
        return grad
    if grad.shape.rank is None or x.shape.rank is None:
        lead = constants.range(start, array.rank(grad) - array.rank(x) + start)
        return sum_like(reduce_sum(grad, lead), x)
    lead = list(range(start, start + grad.shape.rank - x.shape.rank))
    return sum_like(reduce_sum(grad, lead) if lead else grad, x)
