"""TensorArray and its ops: EmptyVariant, AddVariants, ZerosLikeVariant, those named TensorArray….

The gradients' own ops (TensorArrayEntry, TensorArrayReadLike, TensorArrayWithout, TensorArrayEntries,
TensorArrayGatherLike, TensorArrayPieces, TensorArrayConcatLike) come up in derivatives of the others:
TensorArrayV3, TensorArrayWriteV3, TensorArrayReadV3, TensorArrayGatherV3, TensorArrayScatterV3,
TensorArrayConcatV3, TensorArraySplitV3 and TensorArraySizeV3.
"""

import numpy as np
import pytest

import minitf as tf
from minitf.ops.elements import Elements, Entry


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def run(fetches, feed=None):
    with tf.Session() as session:
        return session.run(fetches, feed)


def test_elements_keep_their_older_versions():
    first = Elements([None] * 3)
    second = first.written(0, "a")
    third = second.written(4, "b")
    assert third.items == ["a", None, None, None, "b"]
    assert second.items == ["a", None, None] and first.items == [None, None, None]
    other = second.written(1, "c")
    assert other.items == ["a", "c", None] and third.items == ["a", None, None, None, "b"]


def test_elements_and_entries_add_up():
    total = Elements([1.0, None]) + Entry(1, 2.0) + Entry(0, 3.0) + Entry(3, 4.0)
    assert total.items == [4.0, 2.0, None, 4.0]
    assert (Entry(1, 2.0) + Entry(1, 3.0)).items == [None, 5.0]
    assert (Elements([1.0]) + Elements([2.0, 3.0])).items == [3.0, 3.0]


def test_every_way_of_writing_and_reading():
    x = tf.placeholder(tf.float32, [3, 2])
    fed = np.arange(6, dtype=np.float32).reshape(3, 2)
    array = tf.TensorArray(tf.float32, 3).unstack(x)
    results = [array.read(1), array.stack(), array.gather([2, 0]), array.concat(), array.size()]
    read, stacked, gathered, joined, size = run(results, {x: fed})
    assert read.tolist() == [2, 3] and np.array_equal(stacked, fed) and gathered.tolist() == [[4, 5], [0, 1]]
    assert joined.tolist() == [0, 1, 2, 3, 4, 5] and size == 3
    scattered = tf.TensorArray(tf.float32, 3).scatter([2, 0, 1], x).stack()
    assert np.array_equal(run(scattered, {x: fed})[[2, 0, 1]], fed)
    split = tf.TensorArray(tf.float32, 2, infer_shape=False).split(x, [1, 2])
    assert [a.shape for a in run([split.read(0), split.read(1)], {x: fed})] == [(1, 2), (2, 2)]


def test_shapes_known_from_what_is_written():
    array = tf.TensorArray(tf.float32, 4)
    assert array.element_shape.rank is None
    written = array.write(0, tf.zeros([2, 3]))
    assert written.element_shape.as_list() == [2, 3] and written.read(0).shape.as_list() == [2, 3]
    assert written.stack().shape.as_list() == [4, 2, 3]
    with pytest.raises(ValueError, match=r"Inconsistent shapes: saw \(3,\) but expected \(2, 3\)"):
        written.write(1, tf.zeros([3]))


@pytest.mark.parametrize(
    ("read", "error", "message"),
    [
        (lambda a: a.read(5), tf.errors.OutOfRangeError, "Tried to read from index 5 but array size is: 3"),
        (
            lambda a: a.write(3, 1.0).size() + tf.cast(a.write(3, 1.0).read(0), tf.int32),
            tf.errors.OutOfRangeError, "Tried to write to index 3 but array is not resizeable and size is: 3",
        ),
        (
            lambda a: a.write(0, 1.0).write(0, 2.0).read(0), tf.errors.InvalidArgumentError,
            "Could not write to TensorArray index 0 because it has already been written to.",
        ),
        (
            lambda a: a.read(0), tf.errors.InvalidArgumentError,
            "Could not read from TensorArray index 0.  Furthermore, the element shape is not fully defined",
        ),
    ],
)  # fmt: skip
def test_errors_when_running(read, error, message):
    with pytest.raises(error) as caught:
        run(read(tf.TensorArray(tf.float32, 3)))
    assert message in caught.value.message


def test_errors_when_building():
    with pytest.raises(ValueError, match="Argument `size` must be provided if handle is not provided."):
        tf.TensorArray(tf.float32)
    with pytest.raises(
        ValueError, match="Input value has dtype int32, but the TensorArray has dtype float32"
    ):
        tf.TensorArray(tf.float32, 1).write(0, tf.constant(1))


def test_zeros_stand_for_elements_of_known_shape_that_were_not_written():
    array = tf.TensorArray(tf.float32, 3, element_shape=[2]).write(1, [1.0, 2.0])
    assert run(array.stack()).tolist() == [[0, 0], [1, 2], [0, 0]]


def test_an_array_that_grows():
    array = tf.TensorArray(tf.int32, 0, dynamic_size=True)
    for i in range(3):
        array = array.write(i, i * 10)
    assert run([array.stack(), array.size()])[0].tolist() == [0, 10, 20]


def test_second_derivatives_through_arrays():
    x = tf.placeholder(tf.float64, [4])

    def value():
        array = tf.TensorArray(tf.float64, 4, clear_after_read=False).unstack(x)
        products = tf.TensorArray(tf.float64, 3)
        _, products = tf.while_loop(
            lambda i, _: i < 3,
            lambda i, t: (i + 1, t.write(i, array.read(i) * array.read(i + 1) ** 2)),
            [0, products],
        )
        pieces = tf.TensorArray(tf.float64, 2, infer_shape=False).split(products.stack(), [1, 2])
        return tf.reduce_sum(pieces.concat() ** 2) + tf.reduce_sum(products.gather([0, 0, 2]) ** 3)

    y = value()
    p = x[:3] * x[1:] ** 2
    expected = tf.reduce_sum(p**2) + 2 * p[0] ** 3 + p[2] ** 3
    fed = {x: [0.5, 1.5, -0.7, 1.1]}
    (grad,), (plain,) = tf.gradients(y, x), tf.gradients(expected, x)
    weights = np.array([1.0, 2.0, -1.0, 0.5])
    second, plain_second = (tf.gradients(tf.reduce_sum(g * weights), x)[0] for g in (grad, plain))
    got = run([y, grad, second, expected, plain, plain_second], fed)
    for ours, theirs in zip(got[:3], got[3:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_writes_in_a_loop_take_linear_time():
    n = 3000
    x = tf.placeholder(tf.float32, [n])
    inputs = tf.TensorArray(tf.float32, n).unstack(x)
    _, outputs = tf.while_loop(
        lambda i, _: i < n,
        lambda i, t: (i + 1, t.write(i, inputs.read(i) * 2)),
        [0, tf.TensorArray(tf.float32, n)],
    )
    y = outputs.stack()
    value, grad = run([y, *tf.gradients(y * y, x)], {x: np.arange(n)})
    assert np.array_equal(value, 2.0 * np.arange(n)) and np.array_equal(grad, 8.0 * np.arange(n))
