"""Linear algebra on the last two dimensions: solvers, decompositions, functions of matrices.

Everything takes float32, float64, complex64 or complex128 and keeps the dtype, unless it says otherwise.

May import: numpy; scipy.linalg on first need.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np


def inverse(x: np.ndarray, adjoint: bool = False) -> np.ndarray:
    """The inverse of (…, n, n) matrices, or of their conjugate transposes.

    Raises:
      ValueError: a matrix is singular.
    """
    try:
        result = np.linalg.inv(x)
    except np.linalg.LinAlgError:
        raise ValueError("Input is not invertible.") from None
    return np.ascontiguousarray(_adjoint(result)) if adjoint else result


def solve(a: np.ndarray, b: np.ndarray, adjoint: bool = False) -> np.ndarray:
    """x of a x = b, or of a^H x = b: a is (…, n, n), b and x are (…, n, k).

    Raises:
      ValueError: a matrix is singular.
    """
    if b.size == 0:
        return np.empty(b.shape, b.dtype)
    try:
        return np.linalg.solve(_adjoint(a) if adjoint else a, b)
    except np.linalg.LinAlgError:
        raise ValueError("Input matrix is not invertible.") from None


def triangular_solve(a: np.ndarray, b: np.ndarray, lower: bool = True, adjoint: bool = False) -> np.ndarray:
    """x of a x = b, or of a^H x = b, of which only one triangle of `a` is read; batches broadcast.

    A zero on the diagonal makes infinities, as the division by it does.
    """
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = np.empty((*batch, *b.shape[-2:]), b.dtype)
    if out.size == 0:
        return out
    from scipy.linalg import get_blas_funcs

    a = np.broadcast_to(a, (*batch, *a.shape[-2:])).reshape(-1, *a.shape[-2:])
    b = np.broadcast_to(b, out.shape).reshape(-1, *b.shape[-2:])
    trsm = get_blas_funcs("trsm", (a, b))
    # BLAS counts columns first: to it a row-major matrix is its transpose, and a x = b is x^T a^T = b^T.
    for x, left, right in zip(out.reshape(b.shape), a, b, strict=True):
        x[...] = trsm(1.0, left.T, right.T, side=1, lower=not lower, trans_a=2 if adjoint else 0).T
    return out


def least_squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest x that makes |a x - b| least: a is (…, m, n), b (…, m, k), x (…, n, k)."""
    batch = a.shape[:-2]
    out = np.empty((*batch, a.shape[-1], b.shape[-1]), a.dtype)
    for index in np.ndindex(*batch):
        out[index] = np.linalg.lstsq(a[index], b[index], rcond=None)[0]
    return out


def log_determinant(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each determinant the sign (or unit complex number) and the logarithm of the absolute value.

    Both have the dtype of `x`.
    """
    sign, logarithm = np.linalg.slogdet(x)
    return np.asarray(sign), np.asarray(logarithm).astype(x.dtype)


def cholesky(x: np.ndarray) -> np.ndarray:
    """The lower triangular l of x = l l^H, of which only the lower triangle of `x` is read.

    It is NaN where there is none.
    """
    try:
        return np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        pass
    out = np.full(x.shape, np.nan, x.dtype)
    for index in np.ndindex(*x.shape[:-2]):
        try:
            out[index] = np.linalg.cholesky(x[index])
        except np.linalg.LinAlgError:
            continue
    return out


def qr(x: np.ndarray, full_matrices: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """q with orthonormal columns and r upper triangular, x = q r.

    For (…, m, n) and p = min(m, n): (…, m, p) and (…, p, n), with full matrices (…, m, m) and (…, m, n).
    """
    q, r = np.linalg.qr(x, "complete" if full_matrices else "reduced")
    return q, r


def svd(
    x: np.ndarray, compute_uv: bool = True, full_matrices: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular values s in falling order, u and v of x = u diag(s) v^H.

    u and v are empty, of shape (0,), without `compute_uv`. All have the dtype of `x`.
    """
    if not compute_uv:
        return np.linalg.svd(x, compute_uv=False).astype(x.dtype), np.empty(0, x.dtype), np.empty(0, x.dtype)
    u, s, v_adjoint = np.linalg.svd(x, full_matrices)
    return s.astype(x.dtype), u, np.ascontiguousarray(_adjoint(v_adjoint))


def self_adjoint_eig(x: np.ndarray, compute_v: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues in rising order, and unit eigenvectors in columns, of Hermitian matrices.

    Only the lower triangle is read. Both have the dtype of `x`; without `compute_v` the vectors are empty.
    """
    if not compute_v:
        return np.linalg.eigvalsh(x).astype(x.dtype), np.empty(0, x.dtype)
    values, vectors = np.linalg.eigh(x)
    return values.astype(x.dtype), vectors


def eig(x: np.ndarray, compute_v: bool, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, and unit eigenvectors in columns, of square matrices: of the complex `dtype`."""
    if not compute_v:
        return np.linalg.eigvals(x).astype(dtype), np.empty(0, dtype)
    values, vectors = np.linalg.eig(x)
    return values.astype(dtype), vectors.astype(dtype)


def lu(x: np.ndarray, index_dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Both factors of x[p] = l u in one matrix (the ones on l's diagonal left out), and the row order p.

    Raises:
      ValueError: a matrix is singular.
    """
    from scipy.linalg import get_lapack_funcs

    factors = np.empty_like(x)
    order = np.empty(x.shape[:-1], index_dtype)
    (getrf,) = get_lapack_funcs(("getrf",), (x,))
    for index in np.ndindex(*x.shape[:-2]):
        if x.shape[-1] == 0:
            continue
        factors[index], pivots, info = getrf(x[index])
        if info > 0:
            raise ValueError("Input is not invertible.")
        rows = np.arange(x.shape[-2])
        for row, other in enumerate(pivots):
            rows[[row, other]] = rows[[other, row]]
        order[index] = rows
    return factors, order


def _each(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """SciPy's function of one matrix, applied to each of a batch, in double precision.

    Complex results of real matrices become NaN.
    """

    def function(x: np.ndarray) -> np.ndarray:
        import scipy.linalg

        apply = getattr(scipy.linalg, name)
        out = np.empty_like(x)
        if x.size == 0:
            return out
        wide = x.astype(np.result_type(x, np.float64))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # about accuracy
            for index in np.ndindex(*x.shape[:-2]):
                result = apply(wide[index])
                mismatch = result.dtype.kind == "c" and x.dtype.kind == "f"
                out[index] = np.nan if mismatch else result
        return out

    function.__name__ = name
    function.__doc__ = f"scipy.linalg.{name} of each matrix."
    return function


exponential, square_root, logarithm = _each("expm"), _each("sqrtm"), _each("logm")


def _adjoint(x: np.ndarray) -> np.ndarray:
    return np.conj(x).swapaxes(-1, -2)
