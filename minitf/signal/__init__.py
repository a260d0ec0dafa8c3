"""`tf.signal`: Fourier transforms. Names only; see ops/spectral.py."""

# ruff: noqa: F401

from minitf.ops.spectral import (
    fft,
    fft2d,
    fft3d,
    ifft,
    ifft2d,
    ifft3d,
    irfft,
    irfft2d,
    irfft3d,
    rfft,
    rfft2d,
    rfft3d,
)
