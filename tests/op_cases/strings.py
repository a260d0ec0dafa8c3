"""Strings."""

import numpy as np

from minitf.framework.dtypes import as_dtype
from tests.op_cases import case
from tests.op_cases.draw import COMPLEX, FLOATS, INTEGERS

STRING = ("object",)


def array(values, shape=None):
    result = np.empty(len(values), object)
    result[:] = values
    return result if shape is None else result.reshape(shape)


def words(draw, shape, *choices):
    """Strings of a shape, drawn from those given or from a few of all kinds."""
    choices = choices or (b"", b"a", b"minitf Graph", " été ".encode(), b"a,b;;c", b"\x00z", b"A--b--C  d")
    count = int(np.prod(shape))
    return array([draw.one_of(*choices) for _ in range(count)], shape)


@case("AsString", dtypes=(*FLOATS[1:], *INTEGERS, *COMPLEX, "bool", "object"))
def as_string(draw):
    floating = draw.dtype.kind in "fc"
    form = draw.one_of("", "scientific", "shortest") if floating else ""
    width = draw.one_of(-1, 3, 12)
    attrs = {"precision": draw.one_of(-1, 0, 3) if floating else -1, "width": width}
    attrs |= {"scientific": form == "scientific", "shortest": form == "shortest"}
    fill = draw.one_of("", "0", "-", "+", " ") if draw.dtype.kind in "if" and width > 0 else ""
    return {"input": draw.array(special=False), **attrs, "fill": fill}


@case("StringToNumber", dtypes=STRING)
def string_to_number(draw):
    out_type = draw.one_of("float32", "float64", "int32", "int64")
    choices = [b"1", b" -17 ", b"+3"]
    if out_type.startswith("float"):
        choices += [b"1.5", b"-2e3", b"inf", b"nan", b".5"]
    return {"string_tensor": words(draw, draw.shape(), *choices), "out_type": as_dtype(out_type)}


@case("DecodeRaw", dtypes=STRING, dynamic=True)
def decode_raw(draw):
    out_type = draw.one_of("uint8", "int16", "int32", "float32", "float64", "bool")
    size = np.dtype(out_type).itemsize * draw.integer(1, 2)
    shape = draw.shape(min_size=1)
    values = [bytes(draw.integer(0, 1) for _ in range(size)) for _ in range(int(np.prod(shape)))]
    attrs = {"out_type": as_dtype(out_type), "little_endian": draw.boolean()}
    return {"bytes": array(values, shape), **attrs}


@case("StringJoin", dtypes=STRING)
def string_join(draw):
    shape = draw.shape()
    inputs = [words(draw, shape if draw.boolean() else ()) for _ in range(draw.integer(1, 3))]
    return {"inputs": inputs, "separator": draw.one_of("", "-", ", ")}


@case("ReduceJoin", dtypes=STRING)
def reduce_join(draw):
    x = words(draw, draw.shape(min_rank=1, min_size=1))
    axes = [axis for axis in draw.permutation(x.ndim) if draw.boolean()]
    signed = [axis - x.ndim if draw.boolean() else axis for axis in axes]
    attrs = {"keep_dims": draw.boolean(), "separator": draw.one_of("", "/")}
    return {"inputs": x, "reduction_indices": np.array(signed, np.int32), **attrs}


@case("Substr", dtypes=STRING)
def substr(draw):
    shape, index = draw.shape(max_rank=2), draw.index_dtype()
    text = words(draw, shape, b"minitf", "été!".encode(), b"four")
    each = shape if draw.boolean() else ()
    pos, length = draw.indices(each, 4, index) - draw.integer(0, 3), draw.indices(each, 6, index)
    return {"input": text, "pos": pos.astype(index), "len": length, "unit": draw.one_of("BYTE", "UTF8_CHAR")}


@case("StringLength", dtypes=STRING)
def string_length(draw):
    return {"input": words(draw, draw.shape()), "unit": draw.one_of("BYTE", "UTF8_CHAR")}


@case("StringLower", "StringUpper", dtypes=STRING)
def change_case(draw):
    # TensorFlow's UTF-8 ends at a zero byte.
    texts = words(draw, draw.shape(), b"", b"a", b"minitf Graph", "Été".encode())
    return {"input": texts, "encoding": draw.one_of("", "utf-8")}


@case("StringStrip", dtypes=STRING)
def strip(draw):
    return {"input": words(draw, draw.shape())}


def _scalar(text):
    return array([text], ())


@case("RegexReplace", dtypes=STRING)
def regex_replace(draw):
    pattern, rewrite = draw.one_of((b"[a-c]", b"<>"), (b"(a)(.)", rb"\2\1"), (b"b+", rb"[\0]"), (b"^a", b""))
    return {
        "input": words(draw, draw.shape()), "pattern": _scalar(pattern), "rewrite": _scalar(rewrite),
        "replace_global": draw.boolean(),
    }  # fmt: skip


@case("RegexFullMatch", dtypes=STRING)
def regex_full_match(draw):
    return {"input": words(draw, draw.shape()), "pattern": _scalar(draw.one_of(b"a.*", b"[a-z ]+", b""))}


@case("EncodeBase64", dtypes=STRING)
def encode_base64(draw):
    return {"input": words(draw, draw.shape()), "pad": draw.boolean()}


@case("DecodeBase64", dtypes=STRING)
def decode_base64(draw):
    return {"input": words(draw, draw.shape(), b"", b"YQ", b"YQ==", b"bWluaXRm", b"_-8")}


@case("StringSplitV2", dtypes=STRING, dynamic=True)
def string_split_v2(draw):
    return {
        "input": words(draw, draw.shape(1, 1)), "sep": _scalar(draw.one_of(b"", b"--", b",")),
        "maxsplit": draw.one_of(-1, 1),
    }  # fmt: skip


@case("StringSplit", dtypes=STRING, dynamic=True)
def string_split(draw):
    delimiter = _scalar(draw.one_of(b"", b" ", b",;", b"-"))
    return {"input": words(draw, draw.shape(1, 1)), "delimiter": delimiter, "skip_empty": draw.boolean()}


@case("StringToHashBucketFast", dtypes=STRING)
def hash_bucket(draw):
    texts = [bytes(draw.integer(97, 99) for _ in range(draw.integer(0, 150))) for _ in range(3)]
    return {"input": array(texts), "num_buckets": draw.one_of(1, 10, 2**62)}


@case("EnsureShape", dtypes=("float32", "float64", "int32", "object"))
def ensure_shape(draw):
    from minitf.framework.shapes import TensorShape

    x = draw.array()
    known = TensorShape([None if draw.boolean() else size for size in x.shape])
    return {"input": x, "shape": known if draw.boolean() else TensorShape(None)}


@case("UnravelIndex", dtypes=("int32", "int64"))
def unravel_index(draw):
    shape = draw.shape(min_rank=1, min_size=1)
    indices = draw.indices(draw.shape(max_rank=1, min_size=1), int(np.prod(shape)), draw.dtype)
    return {"indices": indices, "dims": np.array(shape, draw.dtype)}
