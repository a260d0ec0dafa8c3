"""Adding rows: the compiled loop gives what NumPy gives, bit for bit."""

import numpy as np
import pytest

from minitf.kernels import rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ids_dtype", [np.int32, np.int64])
@pytest.mark.parametrize(("count", "width"), [(30_000, 1), (400, 64), (2_000, 13)])
def test_compiled_and_numpy_agree(dtype, ids_dtype, count, width):
    rng = np.random.default_rng(0)
    ids = rng.integers(-2, 52, count).astype(ids_dtype)  # some outside [0, 50)
    values = rng.normal(size=(count, width)).astype(dtype)
    target = rng.normal(size=(50, width)).astype(dtype)
    expected = target.copy()
    rows._add_rows_numpy(expected, ids, values)
    assert values.size >= rows.SMALL
    rows.add_rows(target, ids, values)
    np.testing.assert_array_equal(target, expected)


def test_rows_that_are_no_plain_arrays():
    target = np.zeros((3, 2), np.float32)
    values = np.broadcast_to(np.float32([[1, 2]]), (20_000, 2))
    rows.add_rows(target, np.full(20_000, 1, np.int32), values)
    assert target.tolist() == [[0, 0], [20_000, 40_000], [0, 0]]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8])
def test_first_outside(dtype):
    assert rows.first_outside(np.array([0, 2, 1], dtype), 3) is None
    assert rows.first_outside(np.array([[0, 3], [5, 1]], dtype), 3) == 1
    assert rows.first_outside(np.zeros(0, dtype), 0) is None
    if np.dtype(dtype).kind == "i":
        assert rows.first_outside(np.array([1, -1], dtype), 3) == 1
