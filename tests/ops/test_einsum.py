"""`tf.einsum` and `tf.tensordot` beside NumPy's; gradients are in the table of op cases."""

import numpy as np
import pytest

import minitf as tf

RNG = np.random.default_rng(0)


def run(build, arrays, shapes=None):
    with tf.Graph().as_default(), tf.Session() as session:
        shapes = [a.shape for a in arrays] if shapes is None else shapes
        placeholders = [tf.placeholder(a.dtype, s) for a, s in zip(arrays, shapes, strict=True)]
        return session.run(build(*placeholders), dict(zip(placeholders, arrays, strict=True)))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk", [(2, 3), (3, 4)]), ("ba", [(2, 3)]), ("ii", [(3, 3)]), ("i,j,k->kji", [(2,), (3,), (4,)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)]), ("ab,ab,ab,ab->a", [(2, 3)] * 4),
        ("...ij,jk,...k->...i", [(5, 2, 3), (3, 4), (5, 4)]), (" i j , j k -> i k ", [(2, 3), (3, 4)]),
        ("Ij,jK->KI", [(2, 3), (3, 4)]), (",->", [(), ()]), ("ij,k->i", [(0, 3), (4,)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False])
def test_like_numpy(equation, shapes, known):
    arrays = [RNG.normal(size=shape) for shape in shapes]
    forgotten = None if known else [[None] * len(shape) for shape in shapes]
    result = run(lambda *x: tf.einsum(equation, *x), arrays, forgotten)
    np.testing.assert_allclose(result, np.einsum(equation.replace(" ", ""), *arrays), atol=1e-12)


def test_names_and_shapes():
    with tf.Graph().as_default():
        x, y, z = (tf.placeholder(tf.float32, s) for s in ([None, 3], [3, 4], [4, 5]))
        assert tf.einsum("ij,jk->ik", x, y).name == "einsum/Einsum:0"
        product = tf.einsum("ij,jk,kl->il", x, y, z, name="chain")
        assert product.op.name == "chain/Einsum_1" and product.shape.as_list() == [None, 5]


def test_the_cheaper_order_is_taken():
    with tf.Graph().as_default() as graph:
        tf.einsum("ij,jk,kl->il", tf.ones([100, 2]), tf.ones([2, 100]), tf.ones([100, 2]))
        first = graph.get_operation_by_name("einsum/Einsum")
        assert first.attrs["equation"] == "jk,kl->jl"


@pytest.mark.parametrize(
    ("equation", "shapes", "message"),
    [
        ("ij,jk->ik", [(2, 3), (4, 4)], "Dimensions must be equal, but are 3 and 4 for 'einsum/Einsum'"),
        ("ij,jk->ik", [(2, 3, 4), (4, 4)], "Shape must be rank 2 but is rank 3"),
        ("ij,jk->ik", [(2, 3)], 'Got 1 inputs for equation "ij,jk->ik", expecting 2'),
        ("ij,jk->iz", [(2, 3), (3, 4)], "label z not present in the input subscripts"),
        ("i->ii", [(3,)], "contain a label appearing more than once: i->ii"),
        ("i1,1k->ik", [(2, 3), (3, 4)], "Subscripts have incorrect format: i1,1k->ik"),
        ("...ij,...jk->ik", [(7, 2, 3), (3, 4)], "Shape must be at most rank 0 but is rank 1"),
        ("a...b,b...c->a...c", [(2, 5, 3), (3, 4, 4)], "Dimensions must be equal, but are 5 and 4"),
    ],
)
def test_refusals(equation, shapes, message):
    with tf.Graph().as_default():
        tensors = [tf.placeholder(tf.float32, shape) for shape in shapes]
        with pytest.raises(ValueError, match=message):
            tf.einsum(equation, *tensors)


def test_sizes_that_turn_out_not_to_fit():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Dimensions must be equal, but are 3 and 4"):
        run(lambda x, y: tf.einsum("ij,jk->ik", x, y), [np.ones((2, 3)), np.ones((4, 4))], [[None, None]] * 2)


def test_options():
    with tf.Graph().as_default():
        with pytest.raises(TypeError, match="Invalid keyword arguments for einsum: order"):
            tf.einsum("i->i", [1.0], order=1)
        with pytest.raises(ValueError, match="optimize='best' is none of greedy"):
            tf.einsum("i->i", [1.0], optimize="best")


@pytest.mark.parametrize(
    ("axes", "shapes"),
    [
        (1, [(2, 3), (3, 4)]), (2, [(2, 3, 4), (3, 4, 5)]), (0, [(2,), (3,)]), (1, [(3,), (3,)]),
        ([[0], [1]], [(3, 2), (4, 3)]), ([[0, 2], [1, 0]], [(3, 2, 4), (4, 3, 5)]),
        ([[-1], [-1]], [(2, 3), (4, 3)]), ([0, 1], [(3, 2), (4, 3)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False])
def test_tensordot_like_numpy(axes, shapes, known):
    arrays = [RNG.normal(size=shape) for shape in shapes]
    forgotten = None if known else [[None] * len(shape) for shape in shapes]
    result = run(lambda a, b: tf.tensordot(a, b, axes), arrays, forgotten)
    np.testing.assert_allclose(result, np.tensordot(*arrays, axes), atol=1e-12)


def test_tensordot_axes_that_do_not_fit():
    with tf.Graph().as_default():
        x = tf.ones([2, 3])
        with pytest.raises(ValueError, match="must not be larger than the number of dimensions"):
            tf.tensordot(x, x, 3)
        with pytest.raises(ValueError, match="Different number of contraction axes `a` and `b`, 1 != 2"):
            tf.tensordot(x, x, [[0], [0, 1]])
