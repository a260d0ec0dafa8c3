"""Strings: formats, conversions, splitting, and what is refused."""

import numpy as np
import pytest

import minitf as tf
from minitf.framework.errors import InvalidArgumentError


def run(tensor, feed=None):
    with tf.Session() as session:
        return session.run(tensor, feed)


@pytest.mark.parametrize(
    ("value", "options", "expected"),
    [
        (3.14159, {"precision": 2}, b"3.14"), (1.5, {"width": 10, "fill": "0"}, b"001.500000"),
        (-5, {"width": 6, "fill": "0"}, b"-00005"), (-5, {"width": 6, "fill": "-"}, b"-5    "),
        (1e-5, {"shortest": True}, b"1e-05"), (1234.5, {"scientific": True, "precision": 1}, b"1.2e+03"),
        (True, {}, b"true"), ("abc", {"width": 6}, b"   abc"),
        (np.complex64(1 + 2j), {"precision": 1}, b"(1.0,2.0)"),
        (float("nan"), {}, b"nan"), (np.int64(7), {}, b"7"),
    ],
)  # fmt: skip
def test_as_string(value, options, expected):
    assert run(tf.as_string(value, **options)) == expected


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        (1, {"precision": 2}, "precision not supported for datatype int32"),
        (1, {"scientific": True}, "scientific and shortest format not supported for datatype int32"),
        (1.0, {"scientific": True, "shortest": True}, "Cannot select both scientific and shortest notation"),
        (1.0, {"width": 3, "fill": "x"}, 'Fill argument not supported: "x"'),
    ],
)
def test_as_string_refuses(value, options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        run(tf.as_string(value, **options))


def test_string_to_number():
    assert run(tf.string_to_number(["1.5", " -2e3 ", "inf"])).tolist() == [1.5, -2000, np.inf]
    assert run(tf.string_to_number("17", tf.int64)) == 17
    for wrong, out_type in (
        ("x", tf.float32),
        ("1.5", tf.int32),
        ("99999999999", tf.int32),
        ("1_0", tf.float32),
    ):
        with pytest.raises(InvalidArgumentError, match=f"could not correctly convert string: {wrong}"):
            run(tf.string_to_number([wrong], out_type))
    with pytest.raises(TypeError, match="DataType uint8 not in list of allowed values"):
        tf.string_to_number("1", tf.uint8)


def test_decode_raw():
    assert run(tf.decode_raw(["ab", "cd"], tf.uint8)).tolist() == [[97, 98], [99, 100]]
    assert run(tf.decode_raw([b"\x00\x01"], tf.int16, little_endian=False)).tolist() == [[1]]
    with pytest.raises(InvalidArgumentError, match="element 1 has size 3 != 2"):
        run(tf.decode_raw(["abc", "ab"], tf.uint8))
    with pytest.raises(InvalidArgumentError, match="has length 3 that is not a multiple of 2"):
        run(tf.decode_raw(["abc"], tf.int16))


def test_join():
    assert run(tf.string_join(["a", ["b", "c"]], "-")).tolist() == [b"a-b", b"a-c"]
    assert run(tf.reduce_join([["a", "b"], ["c", "d"]])) == b"abcd"
    assert run(tf.reduce_join([["a", "b"], ["c", "d"]], [0, 1])) == b"acbd"
    assert run(tf.reduce_join([["a", "b"], ["c", "d"]], 0, separator="+")).tolist() == [b"a+c", b"b+d"]
    with pytest.raises(ValueError, match="Dimension 0 in both shapes must be equal, but are 2 and 1"):
        tf.string_join([["a", "b"], ["c"]])


def test_split():
    parts = run(tf.string_split(["a b", "", "c"]))
    assert parts.values.tolist() == [b"a", b"b", b"c"] and parts.dense_shape.tolist() == [3, 2]
    assert parts.indices.tolist() == [[0, 0], [0, 1], [2, 0]]
    assert run(tf.string_split(["a,;b"], ",;", skip_empty=False)).values.tolist() == [b"a", b"", b"b"]
    assert run(tf.string_split(["abc"], "")).values.tolist() == [b"a", b"b", b"c"]
    assert run(tf.strings.split(["a--b--c"], "--", maxsplit=1)).values.tolist() == [b"a", b"b--c"]
    with pytest.raises(NotImplementedError, match="result_type 'RaggedTensor' is not supported"):
        tf.string_split(["a"], result_type="RaggedTensor")


def test_substr():
    assert run(tf.substr("hello", 1, 3)) == b"ell"
    assert run(tf.substr(["hello", "world"], [-2, 0], [9, 2])).tolist() == [b"lo", b"wo"]
    assert run(tf.strings.substr("été", 1, 1, unit="UTF8_CHAR")) == b"t"
    with pytest.raises(InvalidArgumentError, match="pos 9 out of range for string b'abc'"):
        run(tf.substr("abc", 9, 1))
    with pytest.raises(ValueError, match='"WORD" is not in the list of allowed values'):
        tf.substr("abc", 0, 1, unit="WORD")


def test_changes():
    assert run(tf.strings.upper("aé")) == "Aé".encode()
    assert run(tf.strings.lower("AÉ", encoding="utf-8")) == "aé".encode()
    assert run(tf.string_strip([" a \n"])).tolist() == [b"a"]
    assert run(tf.strings.length(["été"], unit="UTF8_CHAR")).tolist() == [3]
    assert run(tf.regex_replace("abab", "a(b)", r"<\1>", replace_global=False)) == b"<b>ab"
    assert run(tf.strings.regex_full_match(["ab", "abc"], "a.")).tolist() == [True, False]
    with pytest.raises(InvalidArgumentError, match=r"Invalid pattern: .*\(, error: missing \)"):
        run(tf.regex_replace("a", tf.placeholder_with_default("(", []), "b"))


def test_base64():
    encoded = run(tf.encode_base64(b"hi?>"))
    assert encoded == b"aGk_Pg" and run(tf.decode_base64(encoded)) == b"hi?>"
    with pytest.raises(InvalidArgumentError, match="Invalid character found in base64"):
        run(tf.decode_base64("!!"))


# From TensorFlow 2.21, with 2**62 buckets: one text for each branch of the hash.
HASHES = {
    b"a": 3694432073954588131, b"hello": 3786372426573024488, b"x" * 20: 3621402210320469444,
    b"y" * 40: 276292113409495006, b"z" * 100: 4609163928736578169,
}  # fmt: skip


def test_hash_buckets_are_tensorflows():
    buckets = run(tf.string_to_hash_bucket_fast(list(HASHES), 2**62))
    assert buckets.tolist() == list(HASHES.values())


def test_format():
    assert run(tf.strings.format("a {} b {}", [tf.constant([1, 2]), 3.5])) == b"a [1 2] b 3.5"
    assert run(tf.strings.format("%", tf.constant("x"), placeholder="%")) == b'"x"'
    with pytest.raises(ValueError, match="The template expects 2 tensors, but the inputs only has 1"):
        tf.strings.format("{} {}", tf.constant(1))
