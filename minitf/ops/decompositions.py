"""Decompositions of matrices, in batches over the dimensions before the last two.

Gradients: Murray, "Differentiation of the Cholesky decomposition" (2016); Walter and Lehmann, "Algorithmic
differentiation of linear algebra functions" (2010), for QR; Giles, "An extended collection of matrix
derivative results" (2008), for the rest; all in the form that TensorFlow has them.
"""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.kernels import matrix as kernels
from minitf.ops import math
from minitf.ops.array import cast, expand_dims
from minitf.ops.constants import zeros_like
from minitf.ops.diag import matrix_band_part, matrix_diag, matrix_diag_part, matrix_set_diag
from minitf.ops.join import concat
from minitf.ops.linalg import matmul
from minitf.ops.matrix import MatrixType, _matrix_solve, _triangular_solve, adjoint, square_shape
from minitf.ops.registry import Attr, gradient, op
from minitf.ops.shape_rules import require_rank_at_least


def _half(x: Any) -> Any:
    return np.array(0.5, x.dtype.base_dtype.numpy_dtype) * x


# --- Cholesky ----------------------------------------------------------------------------------------


@op("Cholesky", shape=square_shape)
def cholesky(input: MatrixType) -> MatrixType:
    """The lower triangular l of input = l l^H, for Hermitian positive definite matrices.

    Only the lower triangle of `input` is read. The result is NaN where there is none.
    """
    return kernels.cholesky(input)


@gradient(cholesky)
def _cholesky_gradient(op, grad):
    factor = op.outputs[0]
    middle = matmul(factor, grad, adjoint_a=True)
    middle = matrix_set_diag(middle, _half(matrix_diag_part(middle)))
    middle = matrix_band_part(middle, -1, 0)
    # l^-H middle l^-1
    half = _triangular_solve(factor, middle, adjoint=True)
    whole = adjoint(_triangular_solve(factor, adjoint(half), adjoint=True))
    return _half(whole + adjoint(whole))


# --- QR ----------------------------------------------------------------------------------------------


def _qr_shapes(input, *, full_matrices=False):
    shape = require_rank_at_least(input, 2)
    if shape.rank is None:
        return [UNKNOWN, UNKNOWN]
    rows, columns = shape.sizes[-2:]
    inner = rows if full_matrices else _least(rows, columns)
    return [shape[:-2].concatenate([rows, inner]), shape[:-2].concatenate([inner, columns])]


def _least(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else min(a, b)


@op("Qr", shape=_qr_shapes)
def _qr(input: MatrixType, *, full_matrices=False) -> (MatrixType, MatrixType):
    return kernels.qr(input, full_matrices)


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Any:
    """q with orthonormal columns and r upper triangular, of input = q r.

    Of (…, m, n) with p = min(m, n), they are (…, m, p) and (…, p, n); with `full_matrices`, (…, m, m) and
    (…, m, n).
    """
    return _qr(input, full_matrices=full_matrices, name=name)


@gradient(_qr)
def _qr_gradient(op, dq, dr):
    q, r = op.outputs
    if r.shape.rank is None or None in r.shape.sizes[-2:]:
        raise NotImplementedError(f"QrGrad not implemented with dynamic shapes. Received r.shape: {r.shape}")
    (rows, columns), inner = (q.shape.sizes[-2], r.shape.sizes[-1]), r.shape.sizes[-2]
    if inner > columns and rows == inner:
        raise NotImplementedError(
            "QrGrad not implemented when nrows > ncols and full_matrices is true. Received r.shape="
            f"{r.shape} with nrows={inner} and ncols={columns}."
        )
    if rows >= columns:
        return _deep_qr_gradient(q, r, dq, dr)
    # Of a wide matrix [x y], r is [u v] with x = q u and y = q v.
    y = op.inputs[0][..., rows:]
    u, du, dv = r[..., :rows], dr[..., :rows], dr[..., rows:]
    dx = _deep_qr_gradient(q, u, dq + matmul(y, dv, adjoint_b=True), du)
    return concat([dx, matmul(q, dv)], -1)


def _deep_qr_gradient(q, r, dq, dr):
    def over_r(x):
        """x r^-H"""
        return adjoint(_triangular_solve(r, adjoint(x), lower=False))

    qdq, rdr = matmul(q, dq, adjoint_a=True), matmul(r, dr, adjoint_b=True)
    lower = matrix_band_part((qdq - adjoint(qdq)) + (rdr - adjoint(rdr)), -1, 0)
    result = matmul(q, dr + over_r(lower)) + over_r(dq - matmul(q, qdq))
    if not q.dtype.is_complex:
        return result
    from minitf.ops.complex import real, to_complex

    diagonal = matrix_diag_part(rdr - adjoint(qdq))
    correction = matrix_diag(diagonal - to_complex(real(diagonal)))
    return result + over_r(matmul(q, adjoint(correction)))


# --- singular values ---------------------------------------------------------------------------------


def _svd_shapes(input, *, compute_uv=True, full_matrices=False):
    shape = require_rank_at_least(input, 2)
    nothing = TensorShape([0])
    if shape.rank is None:
        return [UNKNOWN, UNKNOWN, UNKNOWN] if compute_uv else [UNKNOWN, nothing, nothing]
    rows, columns = shape.sizes[-2:]
    inner, batch = _least(rows, columns), shape[:-2]
    if not compute_uv:
        return [batch.concatenate([inner]), nothing, nothing]
    return [
        batch.concatenate([inner]),
        batch.concatenate([rows, rows if full_matrices else inner]),
        batch.concatenate([columns, columns if full_matrices else inner]),
    ]


@op("Svd", shape=_svd_shapes)
def _svd(input: MatrixType, *, compute_uv=True, full_matrices=False) -> (MatrixType, MatrixType, MatrixType):
    return kernels.svd(input, compute_uv, full_matrices)


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Singular values s in falling order, u and v of tensor = u diag(s) v^H; s alone without `compute_uv`.

    Of (…, m, n) with p = min(m, n), they are (…, p), (…, m, p) and (…, n, p); with `full_matrices`, u is
    (…, m, m) and v (…, n, n). s is real. Signs of vectors are not determined and may not be TensorFlow's.
    """
    from minitf.ops.complex import real

    s, u, v = _svd(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (real(s), u, v) if compute_uv else real(s)


def _safe_reciprocal(x: Any) -> Any:
    """1 / x, and 0 for 0."""
    return x * math.reciprocal(x * x + np.array(1e-20, x.dtype.base_dtype.numpy_dtype))


def _gaps(x: Any) -> Any:
    """1 / (x_j - x_i) at row i, column j, and 0 on the diagonal."""
    return matrix_set_diag(_safe_reciprocal(expand_dims(x, -2) - expand_dims(x, -1)), zeros_like(x))


@gradient(_svd)
def _svd_gradient(op, grad_s, grad_u, grad_v):
    x = op.inputs[0]
    on_diagonal = matrix_diag(cast(grad_s, x.dtype))
    if not op.attrs["compute_uv"]:
        _, u, v = _svd(x)
        return matmul(u, matmul(on_diagonal, v, adjoint_b=True))
    rows, columns = x.shape.sizes[-2:] if x.shape.rank is not None else (None, None)
    if rows is None or columns is None:
        raise NotImplementedError(
            "SVD gradient has not been implemented for input with unknown inner matrix shape."
        )
    full = op.attrs["full_matrices"]
    if full and abs(rows - columns) > 1:
        raise NotImplementedError(
            "svd gradient is not implemented for abs(m - n) > 1 when full_matrices is True. Received: "
            f"m={rows} and n={columns} from op input={x} with shape={x.shape}."
        )
    s, u, v = op.outputs
    if rows <= columns:
        return _wide_svd_gradient(on_diagonal, s, u, v, grad_u, grad_v, full)
    return adjoint(_wide_svd_gradient(on_diagonal, s, v, u, grad_v, grad_u, full))


def _wide_svd_gradient(on_diagonal, s, u, v, grad_u, grad_v, full):
    rows, columns = u.shape.sizes[-2], v.shape.sizes[-2]
    v1, grad_v1 = v[..., :rows], grad_v[..., :rows]
    values = matrix_diag(s)
    gaps = _gaps(math.square(s))
    vgv = matmul(v1, grad_v1, adjoint_a=True)
    rotated_u = gaps * matmul(u, grad_u, adjoint_a=True)
    rotated_v = gaps * vgv
    middle = (
        on_diagonal
        + matmul(rotated_u + adjoint(rotated_u), values)
        + matmul(values, rotated_v + adjoint(rotated_v))
    )
    result = matmul(u, matmul(middle, v1, adjoint_b=True))
    inverse = matrix_diag(_safe_reciprocal(s))
    if rows != columns:
        outside = adjoint(grad_v1)
        outside = outside - matmul(matmul(outside, v1), v1, adjoint_b=True)
        if full:
            v2, grad_v2 = v[..., rows:columns], grad_v[..., rows:columns]
            outside = outside - matmul(matmul(v1, grad_v2, adjoint_a=True), v2, adjoint_b=True)
        result = result + matmul(matmul(u, inverse), outside)
    if not u.dtype.is_complex:
        return result
    turned = matrix_diag(matrix_diag_part(vgv))
    phases = matmul(inverse, adjoint(turned) - turned)
    return result + _half(matmul(u, matmul(phases, v1, adjoint_b=True)))


# --- eigenvalues -------------------------------------------------------------------------------------


def _eig_shapes(input, *, compute_v=True, **_attrs):
    shape = square_shape(input)
    vectors = shape if compute_v else TensorShape([0])
    return [shape[:-1] if shape.rank is not None else UNKNOWN, vectors]


@op("SelfAdjointEigV2", shape=_eig_shapes)
def _self_adjoint_eig(input: MatrixType, *, compute_v=True) -> (MatrixType, MatrixType):
    return kernels.self_adjoint_eig(input, compute_v)


def self_adjoint_eig(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues in rising order and unit eigenvectors (in columns) of Hermitian matrices.

    Only the lower triangle is read. Signs of vectors are not determined and may not be TensorFlow's.
    """
    values, vectors = _self_adjoint_eig(tensor, compute_v=True, name=name)
    return values, vectors


def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues in rising order of Hermitian matrices, of which only the lower triangle is read."""
    return _self_adjoint_eig(tensor, compute_v=False, name=name)[0]


@gradient(_self_adjoint_eig)
def _self_adjoint_eig_gradient(op, grad_values, grad_vectors):
    middle = matrix_diag(grad_values)
    if op.attrs["compute_v"]:
        values, vectors = op.outputs
        middle = middle + _gaps(values) * matmul(vectors, grad_vectors, adjoint_a=True)
    else:
        _, vectors = _self_adjoint_eig(op.inputs[0])
    result = matmul(vectors, matmul(middle, vectors, adjoint_b=True))
    # The upper triangle has not been read.
    result = matrix_band_part(result + adjoint(result), -1, 0)
    return matrix_set_diag(result, _half(matrix_diag_part(result)))


@op("Eig", shape=_eig_shapes)
def _eig(input: MatrixType, *, compute_v=True, Tout=dtypes.complex64) -> (Attr("Tout"), Attr("Tout")):
    return kernels.eig(input, compute_v, Tout.numpy_dtype)


_COMPLEX_OF = {dtypes.float32: dtypes.complex64, dtypes.float64: dtypes.complex128}


def eig(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues and unit eigenvectors (in columns) of square matrices, complex, in no certain order."""
    dtype = tensor.dtype.base_dtype
    values, vectors = _eig(tensor, Tout=_COMPLEX_OF.get(dtype, dtype), compute_v=True, name=name)
    return values, vectors


def eigvals(tensor: Any, name: str | None = None) -> Any:
    """Eigenvalues of square matrices, complex, in no certain order."""
    dtype = tensor.dtype.base_dtype
    return _eig(tensor, Tout=_COMPLEX_OF.get(dtype, dtype), compute_v=False, name=name)[0]


@gradient(_eig)
def _eig_gradient(op, grad_values, grad_vectors):
    from minitf.ops.complex import real, to_complex

    middle = matrix_diag(grad_values)
    if op.attrs["compute_v"]:
        values, vectors = op.outputs
        flipped = adjoint(vectors)
        product = matmul(flipped, grad_vectors)
        along = matrix_diag(to_complex(real(matrix_diag_part(product))))
        turned = product - matmul(matmul(flipped, vectors), along)
        middle = middle + math.conj(_gaps(values)) * turned
    else:
        _, vectors = _eig(op.inputs[0], Tout=op.attrs["Tout"])
        flipped = adjoint(vectors)
    result = _matrix_solve(flipped, matmul(middle, flipped))
    return cast(result, op.inputs[0].dtype)


# --- LU ----------------------------------------------------------------------------------------------


def _lu_shapes(input, *, output_idx_type=dtypes.int32):
    shape = square_shape(input)
    return [shape, shape[:-1] if shape.rank is not None else UNKNOWN]


@op("Lu", shape=_lu_shapes)
def _lu(input: MatrixType, *, output_idx_type=dtypes.int32) -> (MatrixType, Attr("output_idx_type")):
    return kernels.lu(input, output_idx_type.numpy_dtype)


def lu(input: Any, output_idx_type: Any = dtypes.int32, name: str | None = None) -> Any:
    """Both triangular factors of input[p] = l u in one matrix (l has ones on its diagonal), and p.

    Fails with InvalidArgumentError for a singular matrix. There is no gradient, as in TensorFlow.
    """
    return _lu(input, output_idx_type=dtypes.as_dtype(output_idx_type), name=name)


@gradient(_lu)
def _lu_gradient(op, *grads):
    raise LookupError(f"No gradient defined for operation '{op.name}' (op type: Lu)")
