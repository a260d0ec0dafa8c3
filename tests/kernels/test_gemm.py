"""Matrix products: the compiled ones against NumPy's, over shapes, layouts and epilogues."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitf.kernels import gemm
from minitf.kernels.gemm import matmul

SIZES = st.one_of(st.integers(1, 20), st.sampled_from([64, 65, 97, 130, 200]))
BATCHES = st.sampled_from(
    [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((1,), (4,)), ((2, 1), (1, 3)), ((), (2,))]
)


@pytest.fixture(autouse=True, scope="module")
def compiled():
    before, gemm.SMALL = gemm.SMALL, 0
    yield
    gemm.SMALL = before


def expected(a, b, transpose_a, transpose_b, bias=None, activation=None):
    product = np.matmul(a.swapaxes(-1, -2) if transpose_a else a, b.swapaxes(-1, -2) if transpose_b else b)
    if bias is not None:
        product = product + bias
    if activation in ("relu", "relu6"):
        product = np.maximum(product, 0)
    if activation == "relu6":
        product = np.minimum(product, 6)
    return product


def matrices(seed, batch_a, batch_b, rows, terms, columns, transpose_a, transpose_b, dtype):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((*batch_a, *((terms, rows) if transpose_a else (rows, terms))))
    b = rng.standard_normal((*batch_b, *((columns, terms) if transpose_b else (terms, columns))))
    return a.astype(dtype), b.astype(dtype), rng.standard_normal(columns).astype(dtype)


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 1000), BATCHES, SIZES, SIZES, SIZES, st.booleans(), st.booleans(),
    st.sampled_from(["float32", "float64"]), st.booleans(), st.sampled_from([None, "relu", "relu6"]),
)  # fmt: skip
def test_products(seed, batches, rows, terms, columns, ta, tb, dtype, biased, activation):
    a, b, bias = matrices(seed, *batches, rows, terms, columns, ta, tb, dtype)
    bias = bias if biased else None
    product = matmul(a, b, ta, tb, bias=bias, activation=activation)
    reference = expected(a, b, ta, tb, bias, activation)
    assert product.dtype == dtype and product.shape == reference.shape
    tolerance = np.finfo(dtype).eps * 4 * terms
    np.testing.assert_allclose(product, reference, rtol=0, atol=tolerance * 3)


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
def test_sums_longer_than_a_block_of_terms(ta, tb):
    a, b, bias = matrices(1, (), (), 100, 2500, 150, ta, tb, "float64")
    np.testing.assert_allclose(
        matmul(a, b, ta, tb, bias=bias), expected(a, b, ta, tb, bias), rtol=1e-10, atol=1e-10
    )


@pytest.mark.parametrize("dtype", ["int32", "int64", "float16", "uint8", "complex64"])
def test_other_dtypes_are_numpys(dtype):
    a = np.arange(12).reshape(3, 4).astype(dtype)
    product = matmul(a, a, transpose_b=True, activation=None)
    assert product.dtype == dtype
    np.testing.assert_array_equal(product, a @ a.T)


def test_views_and_read_only_arrays():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((40, 60))[::2, ::3]
    b = rng.standard_normal((20, 30))
    b.flags.writeable = False
    np.testing.assert_allclose(matmul(a, b), a @ b, rtol=1e-12)


def test_the_result_goes_to_out():
    a = np.ones((8, 8), np.float32)
    out = np.full((8, 8), np.nan, np.float32)
    assert matmul(a, a, out=out) is out
    np.testing.assert_array_equal(out, 8)


def test_activations_pass_nan_on():
    a = np.full((8, 8), np.nan, np.float32)
    assert np.isnan(matmul(a, a, activation="relu")).all()
    assert np.isnan(matmul(a, a, activation="relu6")).all()


@pytest.mark.parametrize("shape_a, shape_b", [((0, 5), (5, 3)), ((2, 0), (0, 3)), ((4, 5), (5, 0))])
def test_empty_products(shape_a, shape_b):
    product = matmul(np.ones(shape_a, "f"), np.ones(shape_b, "f"))
    assert product.shape == (shape_a[0], shape_b[1]) and (product == 0).all()


def test_the_same_product_has_the_same_bits():
    a, b, _ = matrices(3, (), (), 130, 700, 130, True, False, "float32")
    first = matmul(a, b, True)
    assert all((matmul(a, b, True) == first).all() for _ in range(5))


def test_errors():
    a = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"cannot multiply float32 \(2, 3\) and float32 \(2, 3\)"):
        matmul(a, a)
    with pytest.raises(ValueError, match="cannot multiply float32 .* and float64"):
        matmul(a, np.ones((3, 2)))
    with pytest.raises(ValueError, match="activation must be one of .*relu6.*got 'gelu'"):
        matmul(a, a, transpose_b=True, activation="gelu")
