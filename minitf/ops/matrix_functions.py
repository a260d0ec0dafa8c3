"""Functions of square matrices, and norms of tensors."""

from typing import Any

import numpy as np

from minitf.kernels import matrix as kernels
from minitf.ops import array, math
from minitf.ops.array import squeeze
from minitf.ops.constants import zeros_like
from minitf.ops.diag import eye
from minitf.ops.join import concat
from minitf.ops.matrix import MatrixType, _matrix_solve, adjoint, square_shape
from minitf.ops.reduce import _one_of, reduce_max, reduce_sum
from minitf.ops.registry import Complex, gradient, interpreter, op

# --- exponential, square root, logarithm -------------------------------------------------------------


@op("MatrixExponential", shape=square_shape)
def _exponential(input: MatrixType) -> MatrixType:
    return kernels.exponential(input)


def matrix_exponential(input: Any, name: str | None = None) -> Any:
    """e to the power of square matrices."""
    return _exponential(input, name=name or "matrix_exponential")


@gradient(_exponential)
def _exponential_gradient(op, grad):
    # The upper right block of exp([[a^H, g], [0, a^H]]) is the derivative at a^H towards g: Higham,
    # Functions of Matrices (2008), section 3.2.
    flipped = adjoint(op.inputs[0])
    upper = concat([flipped, grad], -1)
    lower = concat([zeros_like(flipped), flipped], -1)
    whole = _exponential(concat([upper, lower], -2))
    size = array.shape(flipped)[-1]
    return whole[..., :size, size:]


@op("MatrixSquareRoot", shape=square_shape)
def matrix_square_root(input: MatrixType) -> MatrixType:
    """The principal square root of square matrices; NaN where a real matrix has no real one."""
    return kernels.square_root(input)


@gradient(matrix_square_root)
def _square_root_gradient(op, grad):
    # r^H x + x r^H = grad, as one system of n² equations.
    from minitf.ops.einsum import einsum

    root = op.outputs[0]
    size = array.shape(root)[-1]
    identity = eye(size, dtype=root.dtype.base_dtype)
    system = einsum("...ij,kl->...ikjl", adjoint(root), identity)
    system = system + einsum("ij,...kl->...ikjl", identity, math.conj(root))
    batch = array.shape(root)[:-2]
    square = array.reshape(size * size, [1])
    solution = _matrix_solve(
        array.reshape(system, concat([batch, square, square], 0)),
        array.reshape(grad, concat([batch, square, [1]], 0)),
    )
    return array.reshape(solution, array.shape(root))


@op("MatrixLogarithm", shape=square_shape)
def matrix_logarithm(input: Complex) -> Complex:
    """The principal logarithm of complex square matrices. There is no gradient, as in TensorFlow."""
    return kernels.logarithm(input)


@gradient(matrix_logarithm)
def _logarithm_gradient(op, grad):
    raise LookupError(f"No gradient defined for operation '{op.name}' (op type: MatrixLogarithm)")


# --- norms -------------------------------------------------------------------------------------------

_MATRIX_NORMS = ["euclidean", "fro", 1, 2, np.inf]
_VECTOR_NORMS = ["euclidean", 1, 2, np.inf]


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    keep_dims: bool | None = None,
) -> Any:
    """The norm of a tensor, taken as one vector, of vectors (`axis` a dimension), or matrices (two).

    Norms of vectors are 'euclidean', 1, 2, np.inf or any positive number; of matrices 'euclidean' or 'fro',
    1 (columns), np.inf (rows) and 2 (the largest singular value). Raises ValueError for others.
    """
    keep = bool(_one_of("keepdims", keepdims, "keep_dims", keep_dims))
    matrices = isinstance(axis, list | tuple) and len(axis) == 2
    if matrices:
        _check_matrix_norm(axis, ord)
        axis = tuple(axis)
    else:
        if not (isinstance(axis, int) or axis is None):
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
        if ord not in _VECTOR_NORMS and (not np.isreal(ord) or ord <= 0):
            raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
        axis = None if axis is None else (axis,)
    with interpreter().name_scope(name or "norm"):
        tensor = interpreter().convert(tensor, None, None, "tensor")
        if ord == 2 and matrices:
            result = _spectral_norm(tensor, axis)
        elif ord in ("fro", "euclidean", 2):
            result = math.sqrt(reduce_sum(tensor * math.conj(tensor), axis, keepdims=True))
        else:
            result = _sum_of_powers(math.abs(tensor), ord, axis, matrices)
        return result if keep else squeeze(result, axis)


def _check_matrix_norm(axis: Any, ord: Any) -> None:
    if not (isinstance(axis[0], int) and isinstance(axis[1], int)) or axis[0] == axis[1]:
        raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
    if ord not in _MATRIX_NORMS:
        raise ValueError(f"'ord' must be a supported matrix norm in {_MATRIX_NORMS}, got {ord}")


def _sum_of_powers(magnitude: Any, ord: Any, axis: tuple[int, ...] | None, matrices: bool) -> Any:
    first = None if axis is None else axis[0]
    if ord == 1:
        result = reduce_sum(magnitude, first, keepdims=True)
        return reduce_max(result, axis[-1], keepdims=True) if matrices else result
    if ord == np.inf:
        result = reduce_sum(magnitude, axis[1], keepdims=True) if matrices else magnitude
        return reduce_max(result, first, keepdims=True)
    return math.pow(reduce_sum(math.pow(magnitude, ord), axis, keepdims=True), 1.0 / ord)


def _spectral_norm(tensor: Any, axis: tuple[int, int]) -> Any:
    """The largest singular values, with both dimensions kept."""
    from minitf.ops.decompositions import _svd

    if tensor.shape.rank is None:
        raise NotImplementedError("tf.norm: ord=2 of matrices needs a tensor of known rank")
    rank = tensor.shape.rank
    matrix = [a % rank for a in axis]
    order = [a for a in range(rank) if a not in matrix] + matrix
    values = math.abs(_svd(array.transpose(tensor, order), compute_uv=False)[0])
    largest = array.expand_dims(reduce_max(values, axis=-1, keepdims=True), -1)
    return array.transpose(largest, list(np.argsort(order)))
