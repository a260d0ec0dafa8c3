"""Linear algebra: what the table of op cases cannot ask (vectors' signs, gradients of symmetric inputs)."""

import numpy as np
import pytest

import minitf as tf

RNG = np.random.default_rng(0)


def run(build, *arrays):
    """`build` of placeholders, fed with arrays."""
    with tf.Graph().as_default(), tf.Session() as session:
        feeds = {tf.placeholder(a.dtype, a.shape): a for a in map(np.asarray, arrays)}
        return session.run(build(*feeds), feeds)


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def matrix(*shape, dtype=np.float64):
    x = RNG.normal(size=shape)
    return (x + 1j * RNG.normal(size=shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


both = pytest.mark.parametrize("dtype", [np.float64, np.complex128])


@both
@pytest.mark.parametrize("shape", [(2, 4, 3), (3, 4), (3, 3)])
@pytest.mark.parametrize("full", [False, True])
def test_svd_multiplies_back(shape, full, dtype):
    x = matrix(*shape, dtype=dtype)
    s, u, v = run(lambda x: tf.svd(x, full_matrices=full), x)
    inner = min(shape[-2:])
    assert s.dtype == np.float64 and (np.diff(s) <= 0).all()
    assert u.shape[-1] == (shape[-2] if full else inner) and v.shape[-1] == (shape[-1] if full else inner)
    np.testing.assert_allclose((u[..., :inner] * s[..., None, :]) @ adjoint(v[..., :inner]), x, atol=1e-12)
    np.testing.assert_allclose(
        adjoint(u) @ u, np.broadcast_to(np.eye(u.shape[-1]), u.shape[:-2] + (u.shape[-1],) * 2), atol=1e-12
    )


@both
def test_self_adjoint_eig_reads_the_lower_triangle(dtype):
    x = matrix(2, 4, 4, dtype=dtype)
    x = x + adjoint(x)
    garbage = np.tril(x) + np.triu(matrix(2, 4, 4, dtype=dtype), 1)
    values, vectors = run(tf.self_adjoint_eig, garbage)
    np.testing.assert_allclose((vectors * values[..., None, :]) @ adjoint(vectors), x, atol=1e-12)
    np.testing.assert_allclose(run(tf.self_adjoint_eigvals, garbage), values, atol=1e-12)


def test_eig_of_a_rotation_is_complex():
    values, vectors = run(tf.linalg.eig, np.array([[0.0, -1.0], [1.0, 0.0]]))
    assert values.dtype == np.complex128
    np.testing.assert_allclose(sorted(values.imag), [-1, 1])
    np.testing.assert_allclose(
        vectors @ np.diag(values) @ np.linalg.inv(vectors), [[0, -1], [1, 0]], atol=1e-12
    )


def test_lu_multiplies_back():
    x = matrix(2, 4, 4)
    factors, order = run(tf.linalg.lu, x)
    lower, upper = np.tril(factors, -1) + np.eye(4), np.triu(factors)
    np.testing.assert_allclose(
        lower @ upper, np.take_along_axis(x, order[..., None].astype(int), 1), atol=1e-12
    )
    assert order.dtype == np.int32


@both
@pytest.mark.parametrize(
    "function",
    [
        tf.linalg.det,
        tf.linalg.sqrtm,
        lambda x: (
            tf.svd(x)[1] * tf.cast(tf.svd(x)[0][..., None, :], x.dtype) ** 2 @ tf.linalg.adjoint(tf.svd(x)[1])
        ),
        lambda x: tf.matmul(*tf.qr(x[:, :2])),
        lambda x: tf.cholesky(x @ tf.linalg.adjoint(x)),
        lambda x: _power(*tf.self_adjoint_eig(x @ tf.linalg.adjoint(x))),
        lambda x: tf.matrix_solve_ls(x[:, :2], x, 0.5 if not x.dtype.is_complex else 0.0),
        lambda x: tf.matrix_solve_ls(x[:2], x[:2]),
    ],
    ids=["det", "sqrtm", "svd", "qr", "cholesky", "eigh", "tall least squares", "wide least squares"],
)
def test_gradients_by_differences(function, dtype):
    """Gradients through functions that do not depend on the signs of vectors."""
    x = matrix(3, 3, dtype=dtype) * 0.3 + np.diag([1.0, 2.0, 3.5])
    with tf.Graph().as_default(), tf.Session() as session:
        placeholder = tf.placeholder(x.dtype, x.shape)
        y = function(placeholder)
        weights = matrix(*y.shape.as_list(), dtype=dtype)
        total = tf.real(tf.reduce_sum(tf.conj(tf.constant(weights)) * y))
        (grad,) = tf.gradients(total, placeholder)
        slope = session.run(grad, {placeholder: x})
        direction = matrix(3, 3, dtype=dtype)
        ends = [session.run(total, {placeholder: x + step * direction}) for step in (1e-6, -1e-6)]
    numeric = (ends[0] - ends[1]) / 2e-6
    assert numeric == pytest.approx(np.sum(np.conj(slope) * direction).real, rel=1e-6, abs=1e-6)


def _power(values, vectors):
    return (vectors * (values**3)[None, :]) @ tf.linalg.adjoint(vectors)


def test_gram_of_a_failed_cholesky_is_nan_and_the_rest_is_kept():
    good, bad = np.array([[4.0, 0.0], [0.0, 9.0]]), np.array([[1.0, 2.0], [2.0, 1.0]])
    result = run(tf.cholesky, np.stack([good, bad]))
    assert result[0].tolist() == [[2, 0], [0, 3]]
    assert np.isnan(result[1]).all()


def test_triangular_solve_broadcasts_and_divides_by_zero():
    lower = np.array([[2.0, 99.0], [1.0, 3.0]])
    result = run(tf.matrix_triangular_solve, lower, np.ones((4, 2, 1)))
    np.testing.assert_allclose(result, np.broadcast_to([[0.5], [1 / 6]], (4, 2, 1)))
    assert np.isinf(run(tf.matrix_triangular_solve, np.zeros((1, 1)), np.ones((1, 1))))


@pytest.mark.parametrize(
    ("function", "arrays", "message"),
    [
        (tf.matrix_inverse, [np.ones((2, 2))], "Input is not invertible."),
        (tf.matrix_solve, [np.ones((2, 2)), np.ones((2, 1))], "Input matrix is not invertible."),
        (tf.linalg.lu, [np.ones((2, 2))], "Input is not invertible."),
    ],
)
def test_singular_matrices(function, arrays, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        run(function, *arrays)


def test_shapes_that_do_not_fit():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float64, [2, 3])
        with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 3 for 'MatrixInverse'"):
            tf.matrix_inverse(x)
        with pytest.raises(ValueError, match="Shape must be at least rank 2 but is rank 1"):
            tf.matrix_inverse(x[0])
        with pytest.raises(ValueError, match="Dimension 0 in both shapes must be equal, but are 2 and 1"):
            tf.matrix_solve(tf.zeros([2, 3, 3]), tf.zeros([1, 3, 1]))
        with pytest.raises(ValueError, match="Dimension must be 3 but is 2"):
            tf.cross([1.0, 2.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("ord", "axis", "expected"),
    [
        ("euclidean", None, np.sqrt(30)), (1, None, 10), (np.inf, None, 4), (3, None, 100 ** (1 / 3)),
        (2, 1, [np.sqrt(5), 5]), (1, -2, [4, 6]), ("fro", (0, 1), np.sqrt(30)), (1, (0, 1), 6),
        (np.inf, (0, 1), 7), (2, [-2, -1], np.linalg.norm([[1, -2], [3, 4]], 2)),
    ],
)  # fmt: skip
def test_norms(ord, axis, expected):
    x = np.array([[1.0, -2.0], [3.0, 4.0]])
    np.testing.assert_allclose(run(lambda x: tf.norm(x, ord, axis), x), expected, rtol=1e-7)
    kept = run(lambda x: tf.norm(x, ord, axis, keepdims=True), x)
    assert kept.ndim == 2 and np.allclose(kept.squeeze(), expected)


@pytest.mark.parametrize(
    ("ord", "axis", "message"),
    [
        ("fro", 1, "must be a supported vector norm, got fro"),
        (3, (0, 1), "must be a supported matrix norm"),
        (-1, None, "must be a supported vector norm, got -1"),
        (2, (0, 0), "unique integers, got"),
    ],
)
def test_norms_that_do_not_exist(ord, axis, message):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=message):
        tf.norm(tf.ones([2, 2]), ord, axis)


def test_least_squares_without_full_rank():
    a, b = np.ones((3, 2)), np.array([[1.0], [2.0], [3.0]])
    np.testing.assert_allclose(run(lambda a, b: tf.matrix_solve_ls(a, b, fast=False), a, b), [[1], [1]])
    with tf.Graph().as_default():
        x = tf.constant(a)
        y = tf.matrix_solve_ls(x, b, fast=False)
        with pytest.raises(ValueError, match="Gradient not defined for fast=False"):
            tf.gradients(y, x)
