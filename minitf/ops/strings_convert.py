"""Strings from and to numbers, bytes, base64 and hash buckets."""

import base64
import binascii
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import UNKNOWN
from minitf.kernels.fingerprint import fingerprint64
from minitf.ops.reduce import _one_of
from minitf.ops.registry import REGISTRY, Attr, Real, String, Types, op
from minitf.ops.shape_rules import same_as_input

_Printable = Types(
    "Printable", (*Real.allowed, dtypes.complex64, dtypes.complex128, dtypes.bool, dtypes.string)
)


def map_elements(function: Any, *arrays: np.ndarray, dtype: Any = object) -> np.ndarray:
    """`function` of each element (of arrays that broadcast)."""
    arrays = np.broadcast_arrays(*arrays)
    result = np.empty(arrays[0].shape, dtype)
    result.flat = [function(*items) for items in zip(*(array.flat for array in arrays))]
    return result


def _printer(input, precision, scientific, shortest, width, fill):
    """A function that prints one element, as C's printf does."""
    if scientific and shortest:
        raise ValueError("Cannot select both scientific and shortest notation")
    if len(fill) > 1:
        raise ValueError(f'Fill string must be one or fewer characters, got "{fill}"')
    flags = fill if fill in ("0", "-", "+", " ", "") else None
    if flags is None:
        raise ValueError(f'Fill argument not supported: "{fill}"')
    kind = input.dtype.kind
    spec = f"%{flags}{width if width > -1 else ''}"
    if kind in "iu":
        return lambda x: (spec + "d") % int(x)
    if kind in "fc":
        letter = "e" if scientific else "g" if shortest else "f"
        spec += (f".{precision}" if precision > -1 else "") + letter
        return (lambda x: f"({spec % x.real},{spec % x.imag})") if kind == "c" else lambda x: spec % float(x)
    if kind == "b":
        return lambda x: "true" if x else "false"
    return lambda x: x.rjust(width) if fill != "-" else x.ljust(width)


@op("AsString", shape=same_as_input)
def _as_string(
    input: _Printable, *, precision=-1, scientific=False, shortest=False, width=-1, fill=""
) -> dtypes.string:
    name = as_dtype(input.dtype).name
    if precision > -1 and input.dtype.kind not in "fc":
        raise ValueError(f"precision not supported for datatype {name}")
    if (scientific or shortest) and input.dtype.kind not in "fc":
        raise ValueError(f"scientific and shortest format not supported for datatype {name}")
    printer = _printer(input, precision, scientific, shortest, width, fill)
    return map_elements(lambda x: printer(x) if isinstance(x, bytes) else printer(x).encode(), input)


def as_string(
    input: Any,
    precision: int = -1,
    scientific: bool = False,
    shortest: bool = False,
    width: int = -1,
    fill: str = "",
    name: str | None = None,
) -> Any:
    """Numbers printed as strings, like C's printf.

    `precision`: digits after the point (6). `scientific`: as 1.5e+00; `shortest`: whichever is shorter.
    `width`: at least so many characters, filled up on the left with spaces or `fill` ('0'; '-': on the
    right).
    """
    return _as_string(
        input,
        precision=precision,
        scientific=scientific,
        shortest=shortest,
        width=width,
        fill=fill,
        name=name,
    )


_PARSED = (dtypes.float32, dtypes.float64, dtypes.int32, dtypes.int64)


@op("StringToNumber", shape=same_as_input)
def _string_to_number(string_tensor: String, *, out_type=dtypes.float32) -> Attr("out_type"):
    parse = float if out_type.is_floating else int

    def convert(text):
        value = _parsed(text, parse)
        if value is None or (parse is int and not out_type.min <= value <= out_type.max):
            raise ValueError(
                f"StringToNumberOp could not correctly convert string: {text.decode(errors='replace')}"
            )
        return value

    return map_elements(convert, string_tensor, dtype=out_type.numpy_dtype)


def _parsed(text, parse):
    if b"_" in text:  # Python allows these between digits
        return None
    try:
        if parse is float and b"x" in text.lower():
            return float.fromhex(text.decode())
        return parse(text)
    except ValueError:
        return None


def string_to_number(
    string_tensor: Any = None, out_type: Any = dtypes.float32, name: str | None = None, input: Any = None
) -> Any:
    """Strings read as numbers of `out_type` (float32, float64, int32, int64). `input`: the newer name.

    Raises InvalidArgumentError for a string that is no number.
    """
    out_type = as_dtype(out_type)
    if out_type not in _PARSED:
        allowed = ", ".join(t.name for t in _PARSED)
        raise TypeError(
            f"Value passed to parameter 'out_type' has DataType {out_type.name} not in list of allowed "
            f"values: {allowed}"
        )
    return _string_to_number(
        _one_of("input", string_tensor, "string_tensor", input), out_type=out_type, name=name
    )


def _decoded_shape(bytes, *, out_type, little_endian=True):
    return UNKNOWN if bytes.shape.rank is None else bytes.shape.concatenate([None])


@op("DecodeRaw", shape=_decoded_shape)
def _decode_raw(bytes: String, *, out_type, little_endian=True) -> Attr("out_type"):
    length, dtype = len(bytes.flat[0]) if bytes.size else 0, np.dtype(out_type.numpy_dtype)
    for i, item in enumerate(bytes.flat):
        if len(item) != length:
            raise ValueError(
                "DecodeRaw requires input strings to all be the same size, but element "
                f"{i} has size {length} != {len(item)}"
            )
    if length % dtype.itemsize:
        raise ValueError(
            f"Input to DecodeRaw has length {length} that is not a multiple of {dtype.itemsize}, the size of "
            f"{out_type.name}"
        )
    read = dtype.newbyteorder("<" if little_endian else ">")
    flat = np.frombuffer(b"".join(bytes.flat), read).astype(dtype)
    return flat.reshape(*bytes.shape, length // dtype.itemsize)


def decode_raw(
    input_bytes: Any = None,
    out_type: Any = None,
    little_endian: bool = True,
    name: str | None = None,
    bytes: Any = None,
) -> Any:
    """The bytes of strings, all of one length, as numbers along a new last dimension.

    `bytes` is the old name of `input_bytes`. Raises InvalidArgumentError for lengths that do not fit.
    """
    data = _one_of("input_bytes", input_bytes, "bytes", bytes)
    if data is None or out_type is None:
        raise ValueError("tf.decode_raw needs input_bytes and out_type")
    return _decode_raw(data, out_type=as_dtype(out_type), little_endian=bool(little_endian), name=name)


@op("EncodeBase64", shape=same_as_input)
def _encode_base64(input: String, *, pad=False) -> dtypes.string:
    def encode(text):
        result = base64.urlsafe_b64encode(text)
        return result if pad else result.rstrip(b"=")

    return map_elements(encode, input)


def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Any:
    """Strings in web-safe base64, filled up with '=' if `pad`."""
    return _encode_base64(input, pad=bool(pad), name=name)


@op("DecodeBase64", shape=same_as_input)
def decode_base64(input: String) -> dtypes.string:
    """Strings from web-safe base64, with or without '=' at the end."""

    def decode(text):
        try:
            return base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)
        except binascii.Error:
            raise ValueError("Invalid character found in base64.") from None

    return map_elements(decode, input)


@op("StringToHashBucketFast", shape=same_as_input)
def _hash_bucket_fast(input: String, *, num_buckets) -> dtypes.int64:
    return map_elements(lambda text: fingerprint64(text) % num_buckets, input, dtype=np.int64)


def string_to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Any:
    """A bucket from 0 to num_buckets - 1 for each string, by TensorFlow's hash (FarmHash Fingerprint64)."""
    return _hash_bucket_fast(input, num_buckets=int(num_buckets), name=name)


for _definition in [d for d in REGISTRY.values() if d.kernel.__module__ == __name__]:
    _definition.differentiable = False
