"""TensorShape and Dimension: arithmetic with unknown sizes, merging, broadcasting."""

import pickle

import pytest

import minitf as tf
from minitf.framework.shapes import broadcast_sizes


def test_dimensions_behave_as_their_numbers():
    four, unknown = tf.Dimension(4), tf.Dimension(None)
    assert four == 4 and four.value == 4 and int(four) == 4 and list(range(four)) == [0, 1, 2, 3]
    assert four + 1 == 5 and 1 + four == 5 and four - 1 == 3 and 10 - four == 6
    assert four * 2 == 8 and four // 3 == 1 and four % 3 == 1 and 9 // four == 2
    assert (four + unknown).value is None and (2 * unknown).value is None
    assert (unknown == 4) is None and (unknown < 4) is None and four < 5 and four >= 4
    assert str(four) == "4" and str(unknown) == "?" and repr(unknown) == "Dimension(None)"
    assert unknown.is_compatible_with(7) and unknown.merge_with(7) == 7
    with pytest.raises(ValueError, match="Dimensions 4 and 5 are not compatible"):
        four.merge_with(5)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [(-2, ValueError, "Dimension -2 must be >= 0"), (1.5, TypeError, "must be integer or None"),
     ([], TypeError, "must be integer or None")],
)  # fmt: skip
def test_what_is_no_dimension(value, error, words):
    with pytest.raises(error, match=words):
        tf.Dimension(value)


def test_shapes_from_what_scripts_pass():
    assert tf.TensorShape([None, 3]).as_list() == [None, 3]
    assert tf.TensorShape((2, tf.Dimension(3))).as_list() == [2, 3]
    assert tf.TensorShape(5).as_list() == [5]
    assert tf.TensorShape([-1, 3]).as_list() == [None, 3]
    assert tf.TensorShape(tf.TensorShape([1])).as_list() == [1]
    assert tf.TensorShape([]).ndims == 0 and tf.TensorShape(None).ndims is None
    assert tf.TensorShape([2, 3]) == [2, 3] == tf.TensorShape((2, 3))


def test_known_shapes():
    shape = tf.TensorShape([2, None, 4])
    assert len(shape) == 3 and shape.rank == shape.ndims == 3
    assert shape[0] == 2 and shape[1].value is None and shape[-1] == 4
    assert shape[1:].as_list() == [None, 4]
    assert [d.value for d in shape] == [2, None, 4] == [d.value for d in shape.dims]
    assert not shape.is_fully_defined() and shape.num_elements() is None
    assert tf.TensorShape([2, 3]).num_elements() == 6 and tf.TensorShape([]).num_elements() == 1
    assert shape.concatenate([5]).as_list() == [2, None, 4, 5] == (shape + [5]).as_list()
    assert (
        str(shape) == "(2, ?, 4)" and str(tf.TensorShape([3])) == "(3,)" and str(tf.TensorShape([])) == "()"
    )
    assert repr(shape) == "TensorShape([Dimension(2), Dimension(None), Dimension(4)])"
    assert pickle.loads(pickle.dumps(shape)) == shape


def test_unknown_ranks():
    shape = tf.TensorShape(None)
    assert not shape and str(shape) == "<unknown>" and repr(shape) == "TensorShape(None)"
    assert shape.is_compatible_with([1, 2]) and shape.merge_with([1, 2]).as_list() == [1, 2]
    assert shape[0].value is None and shape[1:].rank is None
    assert shape.concatenate([1]).rank is None
    with pytest.raises(ValueError, match=r"as_list\(\) is not defined on an unknown TensorShape"):
        shape.as_list()
    with pytest.raises(ValueError, match="Cannot take the length of shape with unknown rank"):
        len(shape)
    with pytest.raises(ValueError, match="Cannot iterate over a shape with unknown rank"):
        list(shape)


def test_merging_and_checking():
    shape = tf.TensorShape([None, 3])
    assert shape.merge_with([2, None]).as_list() == [2, 3]
    assert shape.is_compatible_with([5, 3]) and not shape.is_compatible_with([5, 4])
    assert not shape.is_compatible_with([3])
    with pytest.raises(ValueError, match="are not compatible|incompatible"):
        shape.merge_with([2, 4])
    with pytest.raises(ValueError, match="incompatible"):
        shape.assert_is_compatible_with([1])
    with pytest.raises(ValueError):
        shape.assert_has_rank(3)
    assert shape.with_rank(2) == shape
    assert tf.TensorShape(None).with_rank(2).as_list() == [None, None]


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([[2, 3], [3]], [2, 3]),
        ([[2, 1], [1, 4]], [2, 4]),
        ([[], [5]], [5]),
        ([[None, 3], [1, 3]], [None, 3]),
        ([[None], [4]], [4]),
        ([[None], [1]], [None]),
        ([[None], [None]], [None]),
        ([[0, 3], [1, 3]], [0, 3]),
        ([[1], [0]], [0]),
        ([[2, 3], [3], [4, 1, 1]], [4, 2, 3]),
    ],
)
def test_broadcasting(shapes, expected):
    assert broadcast_sizes(*[tf.TensorShape(s) for s in shapes]).as_list() == expected


def test_broadcasting_that_cannot_be():
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 3"):
        broadcast_sizes(tf.TensorShape([2]), tf.TensorShape([3]))
    assert broadcast_sizes(tf.TensorShape(None), tf.TensorShape([3])).rank is None
