"""Data types: TensorFlow's names over NumPy's types.

A `DType` compares equal to anything that names the same type (`tf.float32 == np.float32 == "float32"`).
Variables of the TF1 face have *reference* dtypes (`float32_ref`), as TensorFlow's have.
"""

from typing import Any

import numpy as np


class DType:
    """The type of a tensor's elements, e.g. `tf.float32`."""

    def __init__(self, name: str, numpy_type: Any, number: int, is_ref: bool = False) -> None:
        self.name = name
        self.as_numpy_dtype = numpy_type
        self.as_datatype_enum = number
        self._is_ref = is_ref
        self.numpy_dtype = np.dtype(numpy_type)

    @property
    def base_dtype(self) -> "DType":
        """This type without its reference flag."""
        return _BY_NAME[self.name[:-4]] if self._is_ref else self

    @property
    def _as_ref(self) -> "DType":
        return self if self._is_ref else _BY_NAME[self.name + "_ref"]

    @property
    def real_dtype(self) -> "DType":
        """The type of the real part: float32 for complex64, else the type itself."""
        return {"complex64": float32, "complex128": float64}.get(self.base_dtype.name, self.base_dtype)

    @property
    def is_floating(self) -> bool:
        """Whether this is float16, float32 or float64."""
        return self.numpy_dtype.kind == "f"

    @property
    def is_integer(self) -> bool:
        """Whether this is a signed or unsigned integer type."""
        return self.numpy_dtype.kind in "iu"

    @property
    def is_complex(self) -> bool:
        """Whether this is a complex type."""
        return self.numpy_dtype.kind == "c"

    @property
    def is_bool(self) -> bool:
        """Whether this is bool."""
        return self.numpy_dtype.kind == "b"

    @property
    def is_unsigned(self) -> bool:
        """Whether this is an unsigned integer type."""
        return self.numpy_dtype.kind == "u"

    @property
    def is_numpy_compatible(self) -> bool:
        """Whether NumPy arrays of this type exist."""
        return self.base_dtype not in (resource, variant)

    @property
    def size(self) -> int:
        """Bytes of one element (1 for string, as in TensorFlow)."""
        return 1 if self.base_dtype == string else self.numpy_dtype.itemsize

    @property
    def min(self) -> Any:
        """The smallest finite value. Raises TypeError for types without one."""
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The largest finite value. Raises TypeError for types without one."""
        return self._limit("max")

    def _limit(self, which: str) -> Any:
        if self.is_bool:
            return which == "max"
        if self.is_floating:
            return getattr(np.finfo(self.as_numpy_dtype), which)
        if self.is_integer:
            return getattr(np.iinfo(self.as_numpy_dtype), which)
        raise TypeError(f"Cannot find {which}imum value of {self.name}.")

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor of type `other` may stand where this type is asked for."""
        other = as_dtype(other)
        return self.base_dtype == other.base_dtype

    def __eq__(self, other: Any) -> bool:
        if other is self:
            return True
        if other is None or isinstance(other, DType):
            return isinstance(other, DType) and other.name == self.name
        try:
            return as_dtype(other).name == self.name
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"tf.{self.name}" if not self._is_ref else f"<dtype: {self.name!r}>"

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __reduce__(self) -> tuple:
        return as_dtype, (self.name,)

    def __int__(self) -> int:
        return self.as_datatype_enum


# name, NumPy type, number in TensorFlow's DataType enum, the short form in node descriptions
_TABLE = [
    ("float32", np.float32, 1, "DT_FLOAT"),
    ("float64", np.float64, 2, "DT_DOUBLE"),
    ("int32", np.int32, 3, "DT_INT32"),
    ("uint8", np.uint8, 4, "DT_UINT8"),
    ("int16", np.int16, 5, "DT_INT16"),
    ("int8", np.int8, 6, "DT_INT8"),
    ("string", np.object_, 7, "DT_STRING"),
    ("complex64", np.complex64, 8, "DT_COMPLEX64"),
    ("int64", np.int64, 9, "DT_INT64"),
    ("bool", np.bool_, 10, "DT_BOOL"),
    ("uint16", np.uint16, 17, "DT_UINT16"),
    ("complex128", np.complex128, 18, "DT_COMPLEX128"),
    ("float16", np.float16, 19, "DT_HALF"),
    ("resource", np.object_, 20, "DT_RESOURCE"),
    ("variant", np.object_, 21, "DT_VARIANT"),
    ("uint32", np.uint32, 22, "DT_UINT32"),
    ("uint64", np.uint64, 23, "DT_UINT64"),
]
_BY_NAME: dict[str, DType] = {}
for _name, _numpy_type, _number, _ in _TABLE:
    _BY_NAME[_name] = DType(_name, _numpy_type, _number)
    _BY_NAME[_name + "_ref"] = DType(_name + "_ref", _numpy_type, _number + 100, is_ref=True)

ENUM_NAMES = {name: enum for name, _, _, enum in _TABLE}
# The name TensorFlow uses in run-time messages ("with dtype float and shape [2]").
SHORT_NAMES = {name: name for name, *_ in _TABLE} | {
    "float32": "float", "float64": "double", "float16": "half"
}  # fmt: skip

float16, float32, float64 = (_BY_NAME[n] for n in ("float16", "float32", "float64"))
int8, int16, int32, int64 = (_BY_NAME[n] for n in ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = (_BY_NAME[n] for n in ("uint8", "uint16", "uint32", "uint64"))
complex64, complex128 = _BY_NAME["complex64"], _BY_NAME["complex128"]
bool = _BY_NAME["bool"]
string, resource, variant = _BY_NAME["string"], _BY_NAME["resource"], _BY_NAME["variant"]
half, double = float16, float64

_BY_NUMBER = {dtype.as_datatype_enum: dtype for dtype in _BY_NAME.values()}
_ALIASES = {"half": float16, "float": float32, "double": float64, "str": string}
_BY_PYTHON_TYPE = {float: float32, int: int64, type(True): bool, str: string, bytes: string}  # noqa: UP003


def as_dtype(type_value: Any) -> DType:
    """The `DType` that `type_value` names.

    Accepts a DType, a NumPy dtype or scalar type, a Python type, a name, or TensorFlow's enum number.
    Raises TypeError for anything else.
    """
    if isinstance(type_value, DType):
        return type_value
    if isinstance(type_value, str) and type_value in _BY_NAME:
        return _BY_NAME[type_value]
    if isinstance(type_value, str) and type_value in _ALIASES:
        return _ALIASES[type_value]
    if type(type_value) is int and type_value in _BY_NUMBER:
        return _BY_NUMBER[type_value]
    if isinstance(type_value, type) and type_value in _BY_PYTHON_TYPE:
        return _BY_PYTHON_TYPE[type_value]
    try:
        numpy_dtype = np.dtype(type_value)
    except TypeError:
        numpy_dtype = None
    if numpy_dtype is not None and type_value is not None:
        if numpy_dtype.kind in "SUO":
            return string
        if numpy_dtype.name in _BY_NAME:
            return _BY_NAME[numpy_dtype.name]
    raise TypeError(f"Cannot convert value {type_value!r} to a TensorFlow DType.")
