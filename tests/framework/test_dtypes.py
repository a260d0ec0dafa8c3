"""Dtypes: what names the same type, what a type knows of itself."""

import pickle

import numpy as np
import pytest

import minitf as tf
from minitf.framework import dtypes

NAMES = [
    "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "bool", "complex64", "complex128",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_one_type_by_all_its_names(name):
    dtype = tf.as_dtype(name)
    assert dtype is tf.as_dtype(np.dtype(name)) is tf.as_dtype(np.dtype(name).type) is getattr(tf, name)
    assert dtype == name and dtype == np.dtype(name) and dtype == np.dtype(name).type
    assert dtype.name == name and dtype.as_numpy_dtype is np.dtype(name).type
    assert dtype.size == np.dtype(name).itemsize
    assert pickle.loads(pickle.dumps(dtype)) is dtype
    assert tf.as_dtype(dtype.as_datatype_enum) is dtype
    assert hash(dtype) == hash(tf.as_dtype(name)) and dtype != tf.string and dtype != None  # noqa: E711


@pytest.mark.parametrize(
    ("given", "expected"),
    [(float, "float32"), (int, "int64"), (bool, "bool"), (str, "string"), ("half", "float16"),
     ("double", "float64"), ("float", "float32"), (np.str_, "string"),
     (object, "string"), (1, "float32"), (7, "string")],
)  # fmt: skip
def test_other_names(given, expected):
    assert tf.as_dtype(given).name == expected


@pytest.mark.parametrize("given", ["nonsense", None, [], 999, np.datetime64])
def test_what_names_no_dtype(given):
    with pytest.raises(TypeError, match="Cannot convert"):
        tf.as_dtype(given)


def test_kinds_and_limits():
    assert tf.float32.is_floating and not tf.float32.is_integer
    assert tf.uint8.is_integer and tf.uint8.is_unsigned and not tf.int8.is_unsigned
    assert tf.complex64.is_complex and tf.complex64.real_dtype == tf.float32
    assert tf.bool.is_bool and tf.string.is_numpy_compatible and not tf.resource.is_numpy_compatible
    assert (tf.uint8.min, tf.uint8.max) == (0, 255) and tf.float16.max == 65504
    assert (tf.bool.min, tf.bool.max) == (False, True)
    with pytest.raises(TypeError, match="Cannot find minimum value of string"):
        tf.string.min  # noqa: B018


def test_printing_and_references():
    assert repr(tf.float32) == "tf.float32" and str(tf.float32) == "<dtype: 'float32'>"
    reference = tf.float32._as_ref
    assert reference.name == "float32_ref" and reference.base_dtype is tf.float32
    assert reference != tf.float32 and reference.is_compatible_with(tf.float32)
    assert int(reference) == 101 == reference.as_datatype_enum
    assert dtypes.as_dtype("float32_ref") is reference
