"""Matrices: solvers, decompositions, functions."""

import numpy as np

from minitf.framework.dtypes import as_dtype
from tests.op_cases import case
from tests.op_cases.draw import COMPLEX, NUMERIC

REAL = ("float32", "float64")
MATRIX = REAL + COMPLEX
LOOSE = {"float32": 1e-4, "complex64": 1e-4}
LAPACK = "LAPACK and Eigen round differently, and the error grows with the condition number"
SIGNS = "the signs of vectors are not determined: LAPACK and Eigen choose differently"


def batch(draw):
    return draw.shape(max_rank=1, min_size=1)


def invertible(draw, lead=None, size=None):
    """Matrices with a heavy diagonal."""
    size = draw.integer(1, 4) if size is None else size
    lead = batch(draw) if lead is None else lead
    noise = draw.array((*lead, size, size), -1, 1, special=False)
    return (noise + 2 * np.eye(size)).astype(draw.dtype)


def positive_definite(draw):
    x = invertible(draw)
    return x @ np.conj(np.swapaxes(x, -1, -2))


def rectangular(draw, tall=None):
    """Matrices whose singular values are far from each other and from 0."""
    rows, columns = draw.integer(1, 4), draw.integer(1, 4)
    if tall is not None and (rows >= columns) != tall:
        rows, columns = columns, rows
    noise = draw.array((*batch(draw), rows, columns), -0.3, 0.3, special=False)
    values = np.zeros((rows, columns))
    np.fill_diagonal(values, 1 + 1.5 * np.arange(min(rows, columns)))
    return (noise + values).astype(draw.dtype)


@case("MatrixInverse", tolerance=LOOSE, reason=LAPACK)
def inverse(draw):
    return {"input": invertible(draw), "adjoint": draw.boolean()}


@case("LogMatrixDeterminant", tolerance=LOOSE, reason=LAPACK)
@case("MatrixDeterminant", dtypes=REAL, tolerance=LOOSE, reason=LAPACK)
def determinant(draw):
    return {"input": invertible(draw)}


# TensorFlow forgets to conjugate the determinant in the gradient; tests/ops/test_matrix.py checks ours.
@case("MatrixDeterminant", dtypes=COMPLEX, tolerance=LOOSE, reason=LAPACK, no_gradient=("input",))
def complex_determinant(draw):
    return {"input": invertible(draw)}


@case("MatrixSolve", tolerance=LOOSE, reason=LAPACK)
def solve(draw):
    matrix = invertible(draw)
    rhs = draw.array((*matrix.shape[:-1], draw.integer(0 if not draw.smooth else 1, 3)), special=False)
    return {"matrix": matrix, "rhs": rhs, "adjoint": draw.boolean()}


@case("MatrixTriangularSolve", tolerance=LOOSE, reason=LAPACK)
def triangular_solve(draw):
    size = draw.integer(1, 4)
    batches = draw.broadcastable(2, max_rank=2)
    rhs = draw.array((*batches[1], size, draw.integer(1, 3)), special=False)
    return {
        "matrix": invertible(draw, batches[0], size), "rhs": rhs, "lower": draw.boolean(),
        "adjoint": draw.boolean(),
    }  # fmt: skip


def _least_squares(tf, matrix, rhs, l2_regularizer):
    return tf.raw_ops.MatrixSolveLs(matrix=matrix, rhs=rhs, l2_regularizer=l2_regularizer, fast=False)


@case(
    "MatrixSolveLs", dtypes=MATRIX, reference=_least_squares, no_gradient=("matrix", "rhs", "l2_regularizer"),
    tolerance=LOOSE, reason=LAPACK,
)  # fmt: skip
def least_squares(draw):
    matrix = rectangular(draw)
    rhs = draw.array((*matrix.shape[:-1], draw.integer(1, 3)), special=False)
    return {"matrix": matrix, "rhs": rhs, "l2_regularizer": np.float64(0)}


@case("Cross", dtypes=tuple(t for t in NUMERIC if not t.startswith("complex")))
def cross(draw):
    shape = (*draw.shape(max_rank=2), 3)
    return {"a": draw.array(shape, special=False), "b": draw.array(shape, special=False)}


# Its gradient is that for Hermitian changes, which tests/ops/test_matrix.py makes; here they are any.
@case("Cholesky", tolerance=LOOSE, reason=LAPACK, numeric_tolerance=np.inf)
def cholesky(draw):
    return {"input": positive_definite(draw)}


@case("Qr", tolerance=LOOSE, reason=LAPACK)
def qr(draw):
    return {"input": rectangular(draw), "full_matrices": False}


@case("Qr", tolerance=LOOSE, reason=LAPACK, no_gradient=("input",))
def qr_full(draw):
    return {"input": rectangular(draw), "full_matrices": True}


def _values_only(op):
    """The raw op without its vectors, for which TensorFlow promises shape (0,) and gives any."""

    def reference(tf, input, **attrs):
        attrs = {k: tf.as_dtype(v.name) if k == "Tout" else v for k, v in attrs.items()}
        values, *vectors = getattr(tf.raw_ops, op)(input=input, **attrs)
        return [values, *[tf.zeros([0], v.dtype) for v in vectors]]

    return reference


@case("Svd", tolerance=LOOSE, reason=LAPACK, reference=_values_only("Svd"))
def singular_values(draw):
    return {"input": rectangular(draw), "compute_uv": False}


@case("Svd", values=False, reason=SIGNS, no_gradient=("input",))
def svd(draw):
    return {"input": rectangular(draw), "compute_uv": True, "full_matrices": draw.boolean()}


@case("SelfAdjointEigV2", tolerance=LOOSE, reason=LAPACK, reference=_values_only("SelfAdjointEigV2"))
def self_adjoint_eigenvalues(draw):
    x = rectangular(draw, tall=True)
    x = np.conj(np.swapaxes(x, -1, -2)) @ x
    return {"input": x, "compute_v": False}


@case("SelfAdjointEigV2", values=False, reason=SIGNS, no_gradient=("input",))
def self_adjoint_eig(draw):
    return {"input": positive_definite(draw), "compute_v": True}


@case("Eig", values=False, reason="the order of eigenvalues is not determined", no_gradient=("input",))
def eig(draw):
    tout = "complex64" if draw.dtype.name in ("float32", "complex64") else "complex128"
    return {"input": invertible(draw), "compute_v": True, "Tout": as_dtype(tout)}


@case("Lu", tolerance=LOOSE, reason=LAPACK, no_gradient=("input",))
def lu(draw):
    return {"input": invertible(draw), "output_idx_type": as_dtype(draw.one_of("int32", "int64"))}


@case(
    "MatrixExponential", reference=lambda tf, input: tf.linalg.expm(input), tolerance=LOOSE,
    reason="SciPy and TensorFlow choose other Padé approximants",
    gradient_tolerance={"float64": 1e-8, "complex128": 1e-8},
)  # fmt: skip
def exponential(draw):
    return {"input": invertible(draw)}


@case("MatrixSquareRoot", dtypes=REAL, tolerance=LOOSE, reason=LAPACK)
def square_root(draw):
    return {"input": positive_definite(draw)}


# As of the determinant, TensorFlow's gradient lacks a conjugation.
@case("MatrixSquareRoot", dtypes=COMPLEX, tolerance=LOOSE, reason=LAPACK, no_gradient=("input",))
def complex_square_root(draw):
    return {"input": positive_definite(draw)}


@case("MatrixLogarithm", tolerance=LOOSE, reason=LAPACK)
def logarithm(draw):
    return {"input": positive_definite(draw)}
