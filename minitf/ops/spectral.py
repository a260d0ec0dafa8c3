"""Fourier transforms over the last one, two or three dimensions."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.ops import array, math
from minitf.ops.array import cast
from minitf.ops.registry import Attr, Complex, Types, gradient, interpreter, not_differentiable, op
from minitf.ops.shape_rules import constant_value, require_rank_at_least

_Real = Types("RealSignal", (dtypes.float32, dtypes.float64))
_COMPLEX_OF = {dtypes.float32: dtypes.complex64, dtypes.float64: dtypes.complex128}


def _suffix(rank: int) -> str:
    return "" if rank == 1 else f"{rank}D"


def _axes(rank: int) -> tuple[int, ...]:
    return tuple(range(-rank, 0))


# --- complex to complex ------------------------------------------------------------------------------


def _transform(rank: int, inverse: bool) -> Any:
    """Declares FFT, IFFT2D, …"""
    function = np.fft.ifftn if inverse else np.fft.fftn

    @op(
        f"{'I' * inverse}FFT{_suffix(rank)}",
        shape=lambda input: require_rank_at_least(input, rank),
        default_name=f"{'I' * inverse}FFT{_suffix(rank)}",
    )
    def kernel(input: Complex) -> Complex:
        if input.size == 0:
            return input.copy()
        return function(input, axes=_axes(rank)).astype(input.dtype, copy=False)

    kernel.__doc__ = (
        f"The {'inverse ' * inverse}discrete Fourier transform over the last {rank} dimension(s)."
    )
    return kernel


fft, fft2d, fft3d = (_transform(rank, inverse=False) for rank in (1, 2, 3))
ifft, ifft2d, ifft3d = (_transform(rank, inverse=True) for rank in (1, 2, 3))


def _size_of_transform(x: Any, rank: int, dtype: Any) -> Any:
    """How many numbers one transform takes, as a scalar of `dtype`."""
    sizes = x.shape.sizes[-rank:] if x.shape.rank is not None else (None,)
    if None not in sizes:
        return np.array(np.prod(sizes), dtype.numpy_dtype)
    from minitf.ops.reduce import reduce_prod

    return cast(reduce_prod(array.shape(x)[-rank:]), dtype)


for _rank, _forward, _backward in ((1, fft, ifft), (2, fft2d, ifft2d), (3, fft3d, ifft3d)):

    @gradient(_forward)
    def _forward_gradient(op, grad, rank=_rank, inverse=_backward):
        return inverse(grad) * _size_of_transform(grad, rank, grad.dtype)

    @gradient(_backward)
    def _backward_gradient(op, grad, rank=_rank, transform=_forward):
        return math.real_divide(transform(grad), _size_of_transform(grad, rank, grad.dtype))


# --- real to complex and back ------------------------------------------------------------------------


def _real_shape(rank: int, halved: bool) -> Any:
    def rule(input, fft_length, **_attrs):
        shape = require_rank_at_least(input, rank)
        if shape.rank is None:
            return UNKNOWN
        length = constant_value(fft_length)
        if length is None:
            return shape[:-rank].concatenate([None] * rank)
        if length.shape != (rank,):
            raise ValueError(f"Dimension must be {rank} but is {length.size}")
        sizes = [int(size) for size in length]
        if halved:
            sizes[-1] = sizes[-1] // 2 + 1
        return shape[:-rank].concatenate(TensorShape(sizes))

    return rule


def _checked(input: np.ndarray, needed: list[int]) -> None:
    for axis, (size, least) in enumerate(zip(input.shape[-len(needed) :], needed, strict=True)):
        if size < least:
            raise ValueError(
                f"Input dimension {input.ndim - len(needed) + axis} must have length of at least {least} "
                f"but got: {size}"
            )


def _real_transforms(rank: int) -> tuple[Any, Any]:
    """Declares RFFT and IRFFT of a rank."""

    @op(f"RFFT{_suffix(rank)}", shape=_real_shape(rank, halved=True))
    def forward(input: _Real, fft_length: dtypes.int32, *, Tcomplex=dtypes.complex64) -> Attr("Tcomplex"):
        length = fft_length.tolist()
        _checked(input, length)
        return np.fft.rfftn(input, length, _axes(rank))

    @op(f"IRFFT{_suffix(rank)}", shape=_real_shape(rank, halved=False))
    def backward(input: Complex, fft_length: dtypes.int32, *, Treal=dtypes.float32) -> Attr("Treal"):
        length = fft_length.tolist()
        _checked(input, [*length[:-1], length[-1] // 2 + 1])
        return np.fft.irfftn(input, length, _axes(rank))

    return forward, backward


@op("RealSpectrumWeights", shape=lambda fft_length, dtype: TensorShape([None]))
def _weights(fft_length: dtypes.int32, *, dtype) -> Attr("dtype"):
    """How many bins of a whole spectrum each bin of a half spectrum stands for: 1, 2, …, 2 (, 1)."""
    weights = np.full(fft_length[-1] // 2 + 1, 2, dtype.numpy_dtype)
    weights[0] = 1
    if fft_length[-1] % 2 == 0:
        weights[-1] = 1
    return weights


not_differentiable(_weights)


def _length_product(fft_length: Any, dtype: Any) -> Any:
    from minitf.ops.reduce import reduce_prod

    return cast(reduce_prod(fft_length), dtype)


def _declare_real_gradients(forward: Any, backward: Any) -> None:
    @gradient(forward)
    def _forward_gradient(op, grad):
        length, x = op.inputs[1], op.inputs[0]
        halved = math.real_divide(grad, _weights(length, dtype=grad.dtype))
        back = backward(halved, length, Treal=x.dtype.base_dtype)
        return [back * _length_product(length, x.dtype.base_dtype), None]

    @gradient(backward)
    def _backward_gradient(op, grad):
        length, dtype = op.inputs[1], op.inputs[0].dtype.base_dtype
        spectrum = forward(grad, length, Tcomplex=dtype)
        doubled = spectrum * _weights(length, dtype=dtype)
        return [math.real_divide(doubled, _length_product(length, dtype)), None]


_REAL = {rank: _real_transforms(rank) for rank in (1, 2, 3)}
for _pair in _REAL.values():
    _declare_real_gradients(*_pair)


def _public_real(rank: int) -> tuple[Any, Any]:
    forward, backward = _REAL[rank]

    def rfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
        current = interpreter()
        with current.name_scope(name or forward.definition.name.lower()):
            input_tensor = current.convert(input_tensor, None, dtypes.float32, "input")
            length = _length(input_tensor, fft_length, rank, halved=False)
            fitted = _fitted(input_tensor, length, rank, halved=False)
            return forward(fitted, length, Tcomplex=_COMPLEX_OF[input_tensor.dtype.base_dtype])

    def irfft(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Any:
        current = interpreter()
        with current.name_scope(name or backward.definition.name.lower()):
            input_tensor = current.convert(input_tensor, None, dtypes.complex64, "input")
            length = _length(input_tensor, fft_length, rank, halved=True)
            fitted = _fitted(input_tensor, length, rank, halved=True)
            return backward(fitted, length, Treal=input_tensor.dtype.real_dtype)

    what = f"over the last {rank} dimension(s); the last one of the spectrum holds n // 2 + 1 bins."
    rfft.__doc__ = f"The Fourier transform of real numbers {what}\n\n    `fft_length` pads or cuts the input."
    irfft.__doc__ = f"The inverse of `rfft` {what}\n\n    `fft_length` says how long the signal is."
    return rfft, irfft


def _length(x: Any, fft_length: Any, rank: int, halved: bool) -> Any:
    """The transform's length as an int32 vector, from the input's shape unless it is given."""
    if fft_length is not None:
        return interpreter().convert(fft_length, dtypes.int32, None, "fft_length")
    sizes = x.shape.sizes[-rank:] if x.shape.rank is not None else (None,)
    if None not in sizes:
        last = max(2 * (sizes[-1] - 1), 0) if halved else sizes[-1]
        return interpreter().convert([*sizes[:-1], last], dtypes.int32, None, "fft_length")
    length = array.shape(x)[-rank:]
    if not halved:
        return length
    from minitf.ops.join import concat

    return concat([length[:-1], math.maximum(2 * (length[-1:] - 1), 0)], 0)


def _fitted(x: Any, fft_length: Any, rank: int, halved: bool) -> Any:
    """`x` with zeros after it where it is shorter than the transform, cut where it is longer."""
    length = constant_value(fft_length)
    if length is None or x.shape.rank is None or None in x.shape.sizes[-rank:]:
        return x
    needed = length.tolist()
    if halved:
        needed[-1] = needed[-1] // 2 + 1
    sizes = x.shape.sizes[-rank:]
    if any(size > n for n, size in zip(needed, sizes, strict=True)):
        x = x[(Ellipsis, *[slice(n) for n in needed])]
    missing = [max(n - size, 0) for n, size in zip(needed, sizes, strict=True)]
    if not any(missing):
        return x
    from minitf.ops.pad import pad

    return pad(x, [[0, 0]] * (x.shape.rank - rank) + [[0, n] for n in missing])


(rfft, irfft), (rfft2d, irfft2d), (rfft3d, irfft3d) = (_public_real(rank) for rank in (1, 2, 3))
