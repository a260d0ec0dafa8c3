"""Print and PrintV2: what they write, where, and how often. The texts are TensorFlow 2.21's."""

import sys

import numpy as np
import pytest

import minitf as tf


def printed(capsys, build, runs=1):
    with tf.Graph().as_default(), tf.Session() as session:
        op = build()
        for _ in range(runs):
            session.run(op)
    return capsys.readouterr()


@pytest.mark.parametrize(
    ("inputs", "options", "text"),
    [
        (lambda: [tf.range(8) + 1], {}, "[1 2 3 ... 6 7 8]\n"),
        (
            lambda: ["x:", tf.constant([[1.0, 2.0], [3.0, 4.0]]), 3, "b", [1, "a"], {"k": 2}],
            {},
            "x: [[1 2]\n [3 4]] 3 b [1, 'a'] {'k': 2}\n",
        ),
        (
            lambda: [tf.reshape(tf.range(24), [2, 3, 4])],
            {"summarize": 1},
            "[[[0 ... 3]\n  ...\n  [8 ... 11]]\n\n [[12 ... 15]\n  ...\n  [20 ... 23]]]\n",
        ),
        (lambda: [tf.range(4)], {"summarize": -1, "end": "!"}, "[0 1 2 3]!"),
        (lambda: [tf.constant("hello")], {}, "hello\n"),
        (lambda: ["a", tf.constant(b"x\ny")], {}, 'a "x\\ny"\n'),
        (lambda: [tf.constant(["a", 'b"'])], {}, '["a" "b\\""]\n'),
        (lambda: [tf.constant([True, False]), tf.constant(1.5)], {"sep": ", "}, "[1 0], 1.5\n"),
        (
            lambda: [tf.constant([1 / 3, 1e-10]), tf.constant(1 / 3, tf.float64)],
            {},
            "[0.333333343 1e-10] 0.33333333333333331\n",
        ),
        (lambda: [{"a": tf.constant(1), "b": (tf.constant(2.0), "z")}], {}, "{'a': 1, 'b': (2, 'z')}\n"),
        (lambda: [tf.zeros([0, 3]), tf.zeros([2, 0])], {}, "[] [\n ...]\n"),
        (lambda: ["{}", tf.constant(1)], {}, "{} 1\n"),
        (lambda: [], {}, "\n"),
    ],
)  # fmt: skip
def test_print_formats(capsys, inputs, options, text):
    out = printed(capsys, lambda: tf.print(*inputs(), output_stream=sys.stdout, **options))
    assert (out.out, out.err) == (text, "")


def test_print_goes_to_standard_error_or_a_file(capsys, tmp_path):
    assert printed(capsys, lambda: tf.print("a", tf.constant(1))).err == "a 1\n"
    path = tmp_path / "log"
    printed(capsys, lambda: tf.print(tf.constant(1), output_stream=f"file://{path}"), runs=2)
    assert path.read_text() == "1\n1\n"


def test_print_runs_as_a_control_dependency(capsys):
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(3.0)
        with tf.control_dependencies([tf.print(x, output_stream=sys.stdout)]):
            y = x * 2
        assert session.run(y) == 6
    assert capsys.readouterr().out == "3\n"


def test_print_refuses_other_streams_and_options():
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="Unsupported output stream"):
            tf.print(1, output_stream="nowhere")
        with pytest.raises(ValueError, match=r"Unrecognized keyword arguments for tf.print: \{'colour'"):
            tf.print(1, colour="red")


def test_the_old_print_passes_its_input_on(capsys):
    def build():
        data = [tf.constant([1, 2, 3, 4, 5]), tf.constant("m"), tf.constant([[1, 2], [3, 4]])]
        return tf.Print(tf.constant([1.0, 2.0]), data, message="msg: ")

    assert printed(capsys, build).err == "msg: [1 2 3...][m][[1 2][3...]...]\n"


def test_the_old_print_counts_per_session(capsys):
    with tf.Graph().as_default() as graph:
        x = tf.Print(tf.constant(1.0), [tf.constant(2)], first_n=2, summarize=1)
        for _ in range(2):
            with tf.Session(graph=graph) as session:
                assert [session.run(x) for _ in range(4)] == [1] * 4
    assert capsys.readouterr().err == "[2]\n" * 4


def test_gradient_passes_the_old_print():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(3.0)
        assert session.run(tf.gradients(tf.Print(x * x, [], first_n=0), x)) == [6]


def test_string_format_counts_placeholders():
    from minitf.ops.print import _string_format

    with tf.Graph().as_default(), tf.Session() as session:
        text = _string_format([np.ones(2)], template="no place", placeholder="%")
        with pytest.raises(tf.errors.InvalidArgumentError, match="must match: 0 vs. 1"):
            session.run(text)
