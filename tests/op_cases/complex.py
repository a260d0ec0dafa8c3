"""Complex numbers and Fourier transforms."""

import numpy as np

from minitf.framework.dtypes import as_dtype
from tests.op_cases import case
from tests.op_cases.draw import COMPLEX

REAL = ("float32", "float64")
FFT = {
    "tolerance": {"complex64": 3e-5, "float32": 3e-5},
    "reason": "the algorithms round differently, in float32",
}


def other(draw):
    """The complex dtype of the same precision, or the real one."""
    twins = {"float32": "complex64", "float64": "complex128", "complex64": "float32", "complex128": "float64"}
    return as_dtype(twins[draw.dtype.name])


@case("Complex", dtypes=REAL, elementwise=True)
def made(draw):
    shapes = draw.broadcastable(2)
    return {"real": draw.array(shapes[0]), "imag": draw.array(shapes[1]), "Tout": other(draw)}


@case("Real", "Imag", "Angle", dtypes=COMPLEX, elementwise=True)
def taken_apart(draw):
    return {"input": draw.array(), "Tout": other(draw)}


for _rank, _suffix in ((1, ""), (2, "2D"), (3, "3D")):

    @case(f"FFT{_suffix}", f"IFFT{_suffix}", dtypes=COMPLEX, **FFT)
    def transform(draw, rank=_rank):
        return {"input": draw.array(draw.shape(rank, 3, min_size=1))}

    # TensorFlow differentiates neither transform of real numbers in three dimensions.
    @case(f"RFFT{_suffix}", dtypes=REAL, reference_gradient=_rank < 3, **FFT)
    def forward(draw, rank=_rank):
        x = draw.array(draw.shape(rank, 3, min_size=1), special=False)
        return {"input": x, "fft_length": np.array(x.shape[-rank:], np.int32), "Tcomplex": other(draw)}

    @case(f"IRFFT{_suffix}", dtypes=COMPLEX, **FFT)
    def backward(draw, rank=_rank):
        x = draw.array(draw.shape(rank, 3, min_size=1))
        last = max(2 * (x.shape[-1] - 1) + draw.integer(0, 1), 1)
        length = np.array([*x.shape[-rank:-1], last], np.int32)
        return {"input": x, "fft_length": length, "Treal": other(draw)}


def _weights(tf, fft_length, dtype):
    n = int(fft_length[-1])
    return tf.constant([1 if k == 0 or 2 * k == n else 2 for k in range(n // 2 + 1)], dtype.name)


@case("RealSpectrumWeights", reference=_weights, dtypes=("float32",), dynamic=True)
def weights(draw):
    return {"fft_length": np.array([draw.integer(1, 9)], np.int32), "dtype": as_dtype(draw.one_of(*REAL))}
