"""Splitting, padding, tiling, broadcasting, diagonals, grids: shapes, arguments and refusals."""

import numpy as np
import pytest

import minitf as tf
from minitf.framework.errors import InvalidArgumentError

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def run(*tensors, feed=None):
    with tf.Session() as session:
        results = [session.run(t, feed) for t in tensors]
    return results[0] if len(results) == 1 else results


# --- split -------------------------------------------------------------------------------------------


def test_split_knows_its_shapes():
    x = tf.placeholder(tf.float32, [None, 6])
    assert [p.shape.as_list() for p in tf.split(x, 3, axis=1)] == [[None, 2]] * 3
    assert [p.shape.as_list() for p in tf.split(x, [1, -1, 2], 1)] == [[None, 1], [None, 3], [None, 2]]
    assert [p.shape.as_list() for p in tf.split(x, 2)] == [[None, 6]] * 2


def test_split_as_tensorflow_0_wrote_it():
    parts = run(tf.split(1, 3, tf.constant(X)))
    assert [p.tolist() for p in parts] == [[[0], [3]], [[1], [4]], [[2], [5]]]


def test_the_gradient_of_unused_parts_is_zero():
    x = tf.placeholder(tf.float32, [2, 3])
    (grad,) = tf.gradients(tf.split(x, [1, 2], 1)[0] * 5.0, x)
    assert run(grad, feed={x: X}).tolist() == [[5, 0, 0]] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, 2, 1), "Dimension size must be evenly divisible by 2 but is 3"),
        ((X, [1, 1], 1), r"can't split axis of size 3 into pieces of size \[1,1\]"),
        ((X, [-1, -1], 1), "size_splits can only have one -1"),
        ((X, 2, 3), r"scalar input 3 must be in range \[-2, 2\)"),
        ((X, 0), "'num_split' of 'Split' Op passed 0 less than minimum 1"),
    ],
)
def test_split_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        tf.split(*arguments)


# --- pad, tile, broadcast ------------------------------------------------------------------------------


def test_pad_of_unknown_batch():
    x = tf.placeholder(tf.float32, [None, 3])
    padded = tf.pad(x, [[0, 0], [1, 2]])
    assert padded.shape.as_list() == [None, 6]
    value, grad = run(padded, tf.gradients(padded * padded, x)[0], feed={x: X})
    np.testing.assert_array_equal(value, np.pad(X, [(0, 0), (1, 2)]))
    np.testing.assert_array_equal(grad, 2 * X)


@pytest.mark.parametrize(("mode", "numpy_mode"), [("REFLECT", "reflect"), ("symmetric", "symmetric")])
def test_mirrored_borders(mode, numpy_mode):
    paddings = [[1, 1], [2, 1]]
    np.testing.assert_array_equal(run(tf.pad(X, paddings, mode)), np.pad(X, paddings, numpy_mode))


def test_pad_refuses():
    with pytest.raises(ValueError, match="Paddings must be non-negative"):
        tf.pad(X, [[0, 0], [-1, 0]])
    with pytest.raises(ValueError, match="Shape must be rank 1 but is rank 2"):
        tf.pad(X, [[0, 0]])
    with pytest.raises(ValueError, match='expected to be one of "CONSTANT", "REFLECT", or "SYMMETRIC"'):
        tf.pad(X, [[0, 0], [0, 0]], "WRAP")
    with pytest.raises(InvalidArgumentError, match="paddings must be less than the dimension size: 3, 0"):
        run(tf.pad(tf.placeholder_with_default(X, [2, 3]), [[0, 0], [3, 0]], "REFLECT"))


def test_tile():
    x = tf.placeholder(tf.float32, [None, 3])
    tiled = tf.tile(x, [2, 1])
    assert tiled.shape.as_list() == [None, 3]
    value, grad = run(tiled, tf.gradients(tiled, x)[0], feed={x: X})
    np.testing.assert_array_equal(value, np.tile(X, (2, 1)))
    assert (grad == 2).all()
    with pytest.raises(ValueError, match="Shape must be rank 2 but is rank 1"):
        tf.tile(X, [2])


def test_broadcasting_shapes():
    sizes = tf.placeholder(tf.int32, [2])
    assert run(tf.broadcast_dynamic_shape([2, 1], [3])).tolist() == [2, 3]
    assert tf.broadcast_static_shape(tf.TensorShape([2, 1]), tf.TensorShape([3])) == [2, 3]
    assert tf.broadcast_static_shape(tf.TensorShape(None), tf.TensorShape([3])).rank is None
    with pytest.raises(ValueError, match="Incompatible shapes for broadcasting"):
        tf.broadcast_static_shape(tf.TensorShape([2]), tf.TensorShape([3]))
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4"):
        tf.broadcast_to(X, [2, 4])
    with pytest.raises(InvalidArgumentError, match=r"Incompatible shapes: \[2,3\] vs. \[2,4\]"):
        run(tf.broadcast_to(X, sizes), feed={sizes: [2, 4]})


def test_broadcast_to_gradient():
    x = tf.placeholder(tf.float32, [3])
    assert run(tf.gradients(tf.broadcast_to(x, [4, 3]), x)[0], feed={x: X[0]}).tolist() == [4, 4, 4]


# --- reversing ---------------------------------------------------------------------------------------


def test_reverse_and_roll():
    np.testing.assert_array_equal(run(tf.reverse(X, [1])), X[:, ::-1])
    np.testing.assert_array_equal(run(tf.reverse(X, [])), X)
    np.testing.assert_array_equal(run(tf.roll(X, [1, -1], [0, 1])), np.roll(X, [1, -1], [0, 1]))
    with pytest.raises(ValueError, match=r"'axis'\[0\] = 2 is out of valid range \[0, 1"):
        tf.reverse(X, [2])


def test_reverse_sequence_understands_both_names():
    expected = [[0, 1, 2], [4, 3, 5]]
    assert run(tf.reverse_sequence(X, [1, 2], seq_axis=1, batch_axis=0)).tolist() == expected
    assert run(tf.reverse_sequence(X, [1, 2], seq_dim=1, batch_dim=0)).tolist() == expected
    with pytest.raises(InvalidArgumentError, match=r"seq_lengths\(1\) > input.dims\(1\)"):
        run(tf.reverse_sequence(X, [1, 4], 1, 0))


# --- blocks of images --------------------------------------------------------------------------------


def test_blocks_come_back():
    images = tf.constant(np.arange(32.0).reshape(1, 4, 4, 2))
    there = tf.space_to_depth(images, 2)
    assert there.shape.as_list() == [1, 2, 2, 8]
    batched = tf.space_to_batch(images, [[0, 0], [1, 1]], 2)
    assert batched.shape.as_list() == [4, 2, 3, 2]
    back = [tf.depth_to_space(there, 2), tf.batch_to_space(batched, [[0, 0], [1, 1]], 2)]
    for result in run(*back):
        np.testing.assert_array_equal(result, np.arange(32.0).reshape(1, 4, 4, 2))
    with pytest.raises(ValueError, match="Dimension size must be evenly divisible by 3 but is 4"):
        tf.space_to_depth(images, 3)
    with pytest.raises(ValueError, match="'block_size' passed 1 less than minimum 2"):
        tf.space_to_depth(images, 1)


def test_required_paddings():
    paddings, crops = run(*tf.required_space_to_batch_paddings([5, 6], [2, 4], [[1, 0], [0, 0]]))
    assert paddings.tolist() == [[1, 0], [0, 2]] and crops.tolist() == [[0, 0], [0, 2]]


# --- diagonals, grids --------------------------------------------------------------------------------


def test_eye():
    assert run(tf.eye(2)).tolist() == [[1, 0], [0, 1]]
    wide = tf.eye(2, 3, batch_shape=[2], dtype=tf.int32)
    assert wide.dtype == tf.int32
    np.testing.assert_array_equal(run(wide), [np.eye(2, 3)] * 2)
    n = tf.placeholder(tf.int32, [])
    np.testing.assert_array_equal(run(tf.eye(n, 2), feed={n: 3}), np.eye(3, 2))


def test_diagonals():
    assert run(tf.diag([1, 2])).tolist() == [[1, 0], [0, 2]]
    assert run(tf.matrix_diag([[1, 2]])).tolist() == [[[1, 0], [0, 2]]]
    assert run(tf.matrix_diag([1, 2], k=1)).tolist() == [[0, 1, 0], [0, 0, 2], [0, 0, 0]]
    assert run(tf.matrix_set_diag(X, [8.0, 9.0])).tolist() == [[8, 1, 2], [3, 9, 5]]
    assert run(tf.trace([[1, 2], [3, 4]])) == 5
    np.testing.assert_array_equal(run(tf.matrix_band_part(np.ones((3, 3)), 0, -1)), np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match='"UP" is not in the list of allowed values'):
        tf.matrix_diag([1], align="UP")
    with pytest.raises(ValueError, match="The number of rows is too small"):
        tf.matrix_diag([1, 2], num_rows=1)


def test_linspace():
    np.testing.assert_allclose(run(tf.linspace(0.0, 1.0, 5)), np.linspace(0, 1, 5), rtol=1e-6)
    np.testing.assert_allclose(run(tf.lin_space(1, 10, 4)), [1, 4, 7, 10])
    assert run(tf.linspace(2.0, 3.0, 1)).tolist() == [2]
    columns = run(tf.linspace([0.0, 1.0], [1.0, 3.0], 3, axis=-1))
    np.testing.assert_allclose(columns, [[0, 0.5, 1], [1, 2, 3]])


@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_meshgrid(indexing):
    ours = run(tf.meshgrid([1, 2, 3], [4, 5], [6], indexing=indexing))
    for a, b in zip(ours, np.meshgrid([1, 2, 3], [4, 5], [6], indexing=indexing), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="must be either 'xy' or 'ij', got 'zz'"):
        tf.meshgrid([1], indexing="zz")


def test_repeat():
    np.testing.assert_array_equal(run(tf.repeat(X, [1, 0, 2], axis=1)), np.repeat(X, [1, 0, 2], 1))
    assert run(tf.repeat(X, 2)).tolist() == np.repeat(X, 2).tolist()


def test_ensure_shape():
    x = tf.placeholder(tf.float32)
    known = tf.ensure_shape(x, [None, 3])
    assert known.shape.as_list() == [None, 3]
    np.testing.assert_array_equal(run(known, feed={x: X}), X)
    with pytest.raises(InvalidArgumentError, match=r"\[2,3\]"):
        run(tf.ensure_shape(x, [3, 3]), feed={x: X})


def test_bitcast():
    assert run(tf.bitcast(np.float32(1), tf.int32)) == 0x3F800000
    with pytest.raises(NotImplementedError, match="from float32 to int64: sizes must be equal"):
        tf.bitcast(1.0, tf.int64)


@pytest.mark.parametrize("axis", [0, [0, 1], None, 1])
def test_products_with_zeros_have_gradients(axis):
    x = tf.placeholder(tf.float64, [None, 3])
    value = np.array([[0.0, 2.0, 3.0], [4.0, 0.0, 5.0]])
    (grad,) = tf.gradients(tf.reduce_prod(x, axis), x)
    expected = np.zeros_like(value)
    for place in np.ndindex(value.shape):
        raised = value.copy()
        raised[place] += 1
        reduced = None if axis is None else tuple(np.atleast_1d(axis))
        expected[place] = np.sum(np.prod(raised, reduced) - np.prod(value, reduced))
    np.testing.assert_allclose(run(grad, feed={x: value}), expected)


def test_patches():
    images = np.arange(18.0).reshape(1, 3, 3, 2)
    cut = tf.extract_image_patches(images, [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], "VALID")
    assert cut.shape.as_list() == [1, 2, 2, 8]
    np.testing.assert_array_equal(run(cut)[0, 1, 1], images[0, 1:, 1:].ravel())
    with pytest.raises(NotImplementedError, match="Only support ksizes across space"):
        tf.extract_image_patches(images, [2, 1, 1, 1], [1] * 4, [1] * 4, "SAME")
    with pytest.raises(ValueError, match="Unknown padding 'FULL'"):
        tf.extract_image_patches(images, [1] * 4, [1] * 4, [1] * 4, "FULL")


@pytest.mark.parametrize("axis", [3, -4])
def test_expand_dims_at_a_place_known_late_that_does_not_exist(axis):
    place = tf.placeholder(tf.int32, [])
    expanded = tf.expand_dims(tf.zeros([2, 3]), place)
    with (
        tf.Session() as sess,
        pytest.raises(
            tf.errors.InvalidArgumentError,
            match=f"Tried to expand dim index {axis} for tensor with 2 dimensions.",
        ),
    ):
        sess.run(expanded, {place: axis})


@pytest.mark.parametrize(
    ("axis", "shape"), [(0, (1, 2, 3)), (2, (2, 3, 1)), (-1, (2, 3, 1)), (-3, (1, 2, 3))]
)
def test_expand_dims_at_a_place_known_late(axis, shape):
    place = tf.placeholder(tf.int32, [])
    with tf.Session() as sess:
        assert sess.run(tf.expand_dims(tf.zeros([2, 3]), place), {place: axis}).shape == shape
