"""Inverses, determinants and solvers of matrices, in batches over the dimensions before the last two.

Decompositions are in decompositions.py, functions of matrices in matrix_functions.py.
"""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape, broadcast_sizes
from minitf.kernels import matrix as kernels
from minitf.ops import array, math
from minitf.ops.array import cast
from minitf.ops.constants import constant
from minitf.ops.diag import eye, matrix_band_part, matrix_diag_part
from minitf.ops.like import sum_like
from minitf.ops.linalg import matmul
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Numeric, Types, gradient, interpreter, op
from minitf.ops.shape_rules import merge, merge_sizes, require_rank_at_least

# Matrices of other types are neither solved nor decomposed.
MatrixType = Types("MatrixType", (dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128))


def square_shape(x: Any, *_inputs: Any, **_attrs: Any) -> TensorShape:
    """The first input's shape, which must be that of square matrices."""
    shape = require_rank_at_least(x, 2)
    if shape.rank is None:
        return UNKNOWN
    size = merge_sizes(*shape.sizes[-2:])
    return shape[:-2].concatenate([size, size])


def adjoint(matrix: Any, name: str | None = None) -> Any:
    """The conjugate transposes of matrices."""
    return array.matrix_transpose(matrix, name=name or "adjoint", conjugate=True)


# --- inverse and determinant -------------------------------------------------------------------------


@op("MatrixInverse", shape=square_shape)
def _matrix_inverse(input: MatrixType, *, adjoint=False) -> MatrixType:
    return kernels.inverse(input, adjoint)


def matrix_inverse(input: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """The inverse of square matrices, or of their conjugate transposes.

    Fails with InvalidArgumentError for a singular one.
    """
    return _matrix_inverse(input, adjoint=adjoint, name=name)


@gradient(_matrix_inverse)
def _matrix_inverse_gradient(op, grad):
    inverse, flipped = op.outputs[0], op.attrs["adjoint"]
    inner = matmul(grad, inverse, adjoint_a=flipped, adjoint_b=not flipped)
    return -matmul(inverse, inner, adjoint_a=not flipped)


def _batch_of_square(input, **_attrs):
    return square_shape(input)[:-2]


@op("MatrixDeterminant", shape=_batch_of_square)
def matrix_determinant(input: MatrixType) -> MatrixType:
    """The determinants of square matrices."""
    return np.asarray(np.linalg.det(input))


@gradient(matrix_determinant)
def _determinant_gradient(op, grad):
    return _on_matrices(grad * math.conj(op.outputs[0])) * _matrix_inverse(op.inputs[0], adjoint=True)


def _on_matrices(x: Any) -> Any:
    """One number per matrix, made to broadcast over the matrices."""
    return array.expand_dims(array.expand_dims(x, -1), -1)


@op("LogMatrixDeterminant", shape=lambda input: [_batch_of_square(input)] * 2)
def slogdet(input: MatrixType) -> (MatrixType, MatrixType):
    """The sign (or unit complex number) of determinants, and the logarithm of their absolute values."""
    return kernels.log_determinant(input)


@gradient(slogdet)
def _log_determinant_gradient(op, _, grad):
    return _on_matrices(grad) * _matrix_inverse(op.inputs[0], adjoint=True)


def logdet(matrix: Any, name: str | None = None) -> Any:
    """The logarithm of the determinants of Hermitian positive definite matrices."""
    from minitf.ops.complex import real
    from minitf.ops.decompositions import cholesky

    with interpreter().name_scope(name or "logdet"):
        diagonal = real(matrix_diag_part(cholesky(matrix)))
        return constant(2.0, diagonal.dtype) * reduce_sum(math.log(diagonal), axis=[-1])


# --- solvers -----------------------------------------------------------------------------------------


def _solution_shape(matrix, rhs, **_attrs):
    left, right = square_shape(matrix), require_rank_at_least(rhs, 2)
    if left.rank is None or right.rank is None:
        return UNKNOWN
    batch = merge(left[:-2], right[:-2])
    return batch.concatenate([merge_sizes(left.sizes[-1], right.sizes[-2]), right.sizes[-1]])


@op("MatrixSolve", shape=_solution_shape)
def _matrix_solve(matrix: MatrixType, rhs: MatrixType, *, adjoint=False) -> MatrixType:
    return kernels.solve(matrix, rhs, adjoint)


def matrix_solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    """x of matrix x = rhs, or of matrix^H x = rhs: (…, n, n) and (…, n, k) give (…, n, k).

    Fails with InvalidArgumentError for a singular matrix.
    """
    return _matrix_solve(matrix, rhs, adjoint=adjoint, name=name)


@gradient(_matrix_solve)
def _matrix_solve_gradient(op, grad):
    matrix, solution, flipped = op.inputs[0], op.outputs[0], op.attrs["adjoint"]
    to_rhs = _matrix_solve(matrix, grad, adjoint=not flipped)
    return [_to_matrix(to_rhs, solution, flipped), to_rhs]


def _to_matrix(to_rhs: Any, solution: Any, flipped: bool) -> Any:
    pair = (solution, to_rhs) if flipped else (to_rhs, solution)
    return -matmul(*pair, adjoint_b=True)


def _triangular_shape(matrix, rhs, **_attrs):
    left, right = square_shape(matrix), require_rank_at_least(rhs, 2)
    if left.rank is None or right.rank is None:
        return UNKNOWN
    batch = broadcast_sizes(left[:-2], right[:-2])
    return batch.concatenate([merge_sizes(left.sizes[-1], right.sizes[-2]), right.sizes[-1]])


@op("MatrixTriangularSolve", shape=_triangular_shape)
def _triangular_solve(matrix: MatrixType, rhs: MatrixType, *, lower=True, adjoint=False) -> MatrixType:
    return kernels.triangular_solve(matrix, rhs, lower, adjoint)


def matrix_triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Any:
    """x of matrix x = rhs, or of matrix^H x = rhs, for a triangular matrix; batches broadcast.

    Only the lower triangle (upper, unless `lower`) is read. A zero on the diagonal makes infinities.
    """
    with interpreter().name_scope(name or "triangular_solve"):
        return _triangular_solve(matrix, rhs, lower=lower, adjoint=adjoint)


@gradient(_triangular_solve)
def _triangular_solve_gradient(op, grad):
    (matrix, rhs), solution = op.inputs, op.outputs[0]
    lower, flipped = op.attrs["lower"], op.attrs["adjoint"]
    to_rhs = _triangular_solve(matrix, grad, lower=lower, adjoint=not flipped)
    to_matrix = matrix_band_part(_to_matrix(to_rhs, solution, flipped), *((-1, 0) if lower else (0, -1)))
    return [sum_like(to_matrix, matrix), sum_like(to_rhs, rhs)]


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Any:
    """x of chol chol^H x = rhs, `chol` lower triangular as `tf.cholesky` makes it."""
    with interpreter().name_scope(name or "cholesky_solve"):
        half = _triangular_solve(chol, rhs, adjoint=False, lower=True)
        return _triangular_solve(chol, half, adjoint=True, lower=True)


def _least_squares_shape(matrix, rhs, l2_regularizer):
    left, right = require_rank_at_least(matrix, 2), require_rank_at_least(rhs, 2)
    if left.rank is None or right.rank is None:
        return UNKNOWN
    merge_sizes(left.sizes[-2], right.sizes[-2])
    return merge(left[:-2], right[:-2]).concatenate([left.sizes[-1], right.sizes[-1]])


@op("MatrixSolveLs", shape=_least_squares_shape)
def _least_squares(matrix: MatrixType, rhs: MatrixType, l2_regularizer: dtypes.float64) -> MatrixType:
    """By a complete orthogonal decomposition; the regularizer is not used, as in TensorFlow."""
    return kernels.least_squares(matrix, rhs)


@gradient(_least_squares)
def _least_squares_gradient(op, grad):
    raise ValueError("Gradient not defined for fast=False")


def matrix_solve_ls(
    matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True, name: str | None = None
) -> Any:
    """The x that makes |matrix x - rhs|² + l2_regularizer |x|² least: (…, m, n) and (…, m, k) give (…, n, k).

    The shortest such x if there are many. `fast` solves the normal equations; without it, an orthogonal
    decomposition is used, which copes with deficient rank, takes no regularizer and has no gradient.
    """
    current = interpreter()
    matrix = current.convert(matrix, None, None, "matrix")
    if matrix.dtype.base_dtype == dtypes.complex128 and l2_regularizer != 0:
        raise NotImplementedError(
            "matrix_solve_ls is currently disabled for complex128 and l2_regularizer != 0 due to poor "
            "accuracy."
        )
    if not fast:
        return _least_squares(matrix, rhs, l2_regularizer, name=name)
    with current.name_scope(name or "matrix_solve_ls"):
        rows, columns = matrix.shape.sizes[-2:] if matrix.shape.rank is not None else (None, None)
        if rows is None or columns is None:
            from minitf.ops.control import cond

            shape = array.shape(matrix)[-2:]
            return cond(
                math.greater_equal(shape[-2], shape[-1]),
                lambda: _normal_equations(matrix, rhs, l2_regularizer, tall=True),
                lambda: _normal_equations(matrix, rhs, l2_regularizer, tall=False),
            )
        return _normal_equations(matrix, rhs, l2_regularizer, tall=rows >= columns)


def _normal_equations(matrix: Any, rhs: Any, l2_regularizer: float, tall: bool) -> Any:
    from minitf.ops.decompositions import cholesky

    gramian = matmul(matrix, matrix, adjoint_a=tall, adjoint_b=not tall)
    if l2_regularizer != 0:
        identity = eye(array.shape(gramian)[-1], dtype=matrix.dtype)
        gramian = gramian + cast(l2_regularizer, matrix.dtype) * identity
    factor = cholesky(gramian)
    if tall:
        return cholesky_solve(factor, matmul(matrix, rhs, adjoint_a=True))
    return matmul(matrix, cholesky_solve(factor, rhs), adjoint_a=True)


def batch_matmul(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: str | None = None) -> Any:
    """As `tf.matmul` with `adjoint_a` and `adjoint_b`: its name before TensorFlow 1.0."""
    return matmul(x, y, adjoint_a=adj_x, adjoint_b=adj_y, name=name)


# --- cross product -----------------------------------------------------------------------------------


def _cross_shape(a, b):
    shape = merge(a.shape, b.shape)
    if shape.rank is not None:
        require_rank_at_least(a, 1)
        if shape.sizes[-1] not in (None, 3):
            raise ValueError(f"Dimension must be 3 but is {shape.sizes[-1]}")
    return shape


@op("Cross", shape=_cross_shape)
def cross(a: Numeric, b: Numeric) -> Numeric:
    """The cross products of three-element vectors in the last dimension."""
    return np.cross(a, b)


@gradient(cross)
def _cross_gradient(op, grad):
    a, b = op.inputs
    return [cross(b, grad), cross(grad, a)]
