"""Complex numbers: made of two real tensors, and taken apart again."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.ops import math, shape_rules
from minitf.ops.array import cast
from minitf.ops.constants import zeros_like
from minitf.ops.math_grad import unbroadcast
from minitf.ops.registry import Attr, Complex, Types, gradient, interpreter, op
from minitf.ops.shape_rules import same_as_input

_Part = Types("Part", (dtypes.float32, dtypes.float64))


@op("Complex", shape=shape_rules.broadcast)
def _complex(real: _Part, imag: _Part, *, Tout=dtypes.complex64, out=None) -> Attr("Tout"):
    if out is None:
        out = np.empty(np.broadcast_shapes(real.shape, imag.shape), Tout.numpy_dtype)
    out.real, out.imag = real, imag
    return out


@op("Real", shape=same_as_input, alias=True)
def _real(input: Complex, *, Tout=dtypes.float32) -> Attr("Tout"):
    return input.real


@op("Imag", shape=same_as_input, alias=True)
def _imag(input: Complex, *, Tout=dtypes.float32) -> Attr("Tout"):
    return input.imag


@op("Angle", shape=same_as_input)
def _angle(input: Complex, *, Tout=dtypes.float32) -> Attr("Tout"):
    return np.angle(input)


_COMPLEX_OF = {dtypes.float32: dtypes.complex64, dtypes.float64: dtypes.complex128}


def complex(real: Any, imag: Any, name: str | None = None) -> Any:
    """real + i imag: complex64 of float32 parts, complex128 of float64 ones.

    Raises TypeError for parts of other or different dtypes.
    """
    current = interpreter()
    with current.name_scope(name or "Complex") as scope:
        real = current.convert(real, None, None, "real")
        imag = current.convert(imag, None, None, "imag")
        given = real.dtype.base_dtype, imag.dtype.base_dtype
        if given[0] != given[1] or given[0] not in _COMPLEX_OF:
            raise TypeError(
                f"The `real` and `imag` components have incorrect types: {given[0].name} {given[1].name}. "
                "They must be consistent, and one of [tf.float32, tf.float64]"
            )
        return _complex(real, imag, Tout=_COMPLEX_OF[given[0]], name=scope)


def _part(kernel: Any, of_real: Any, doc: str) -> Any:
    def function(input: Any, name: str | None = None) -> Any:
        current = interpreter()
        with current.name_scope(name or kernel.definition.name) as scope:
            input = current.convert(input, None, None, "input")
            if input.dtype.is_complex:
                return kernel(input, Tout=input.dtype.real_dtype, name=scope)
            return of_real(input)

    function.__name__ = function.__qualname__ = kernel.definition.name.lower()
    function.__doc__ = doc
    return function


def _angle_of_real(x: Any) -> Any:
    from minitf.ops.select import where

    pi = math.multiply(math.add(zeros_like(x), np.array(1, x.dtype.numpy_dtype)), np.pi)
    return where(math.less(x, 0), pi, zeros_like(x))


real = _part(_real, lambda x: x, "The real part; of a real tensor, itself.")
imag = _part(_imag, zeros_like, "The imaginary part; of a real tensor, zeros.")
angle = _part(_angle, _angle_of_real, "The angle of each number, from -pi to pi; 0 or pi of real ones.")


def to_complex(x: Any, name: str | None = None) -> Any:
    """A real tensor as complex numbers of the same precision; a complex one as it is."""
    x = interpreter().convert(x, None, None, "x")
    return x if x.dtype.is_complex else cast(x, _COMPLEX_OF[x.dtype.base_dtype], name=name)


def to_complex64(x: Any, name: str = "ToComplex64") -> Any:
    """`x` as complex64. See `tf.cast`."""
    return cast(x, dtypes.complex64, name=name)


def to_complex128(x: Any, name: str = "ToComplex128") -> Any:
    """`x` as complex128. See `tf.cast`."""
    return cast(x, dtypes.complex128, name=name)


@gradient(_complex)
def _complex_gradient(op, grad):
    return [unbroadcast(part, x) for part, x in zip((real(grad), imag(grad)), op.inputs, strict=True)]


@gradient(_real)
def _real_gradient(op, grad):
    return complex(grad, zeros_like(grad))


@gradient(_imag)
def _imag_gradient(op, grad):
    return complex(zeros_like(grad), grad)


@gradient(_angle)
def _angle_gradient(op, grad):
    x = op.inputs[0]
    return -to_complex(grad) * math.reciprocal(complex(imag(x), real(x)))
