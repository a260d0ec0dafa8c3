"""Reading the files of the data sets. Pickles in them may hold arrays and plain values, nothing else."""

import gzip
import pickle
import zipfile
import zlib
from typing import IO, Any

import numpy as np

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

_ALLOWED = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
    ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer"),
}  # fmt: skip


class _PlainUnpickler(pickle.Unpickler):
    """Reads pickles of arrays and plain values; anything else could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of data")
        return super().find_class(module, name)


def read_pickle(file: IO[bytes], encoding: str = "ASCII") -> Any:
    """A pickle's object. Raises pickle.UnpicklingError when it holds more than arrays and plain values."""
    return _PlainUnpickler(file, encoding=encoding).load()


def read_npz(path: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name, those of Python objects included."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                arrays[name.removesuffix(".npy")] = _read_npy(file)
    return arrays


def _read_npy(file: IO[bytes]) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    read_header = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
    shape, is_fortran, dtype = read_header(file)
    if dtype.hasobject:
        return np.asarray(read_pickle(file), dtype=object).reshape(shape)
    data = np.frombuffer(file.read(), dtype).copy()
    return data.reshape(shape, order="F" if is_fortran else "C")


def read_idx(path: str) -> np.ndarray:
    """The bytes of a gzipped IDX file, in its shape (http://yann.lecun.com/exdb/mnist).

    Raises ValueError for a file that is damaged or of another kind.
    """
    try:
        with gzip.open(path, "rb") as file:
            magic = file.read(4)
            if len(magic) != 4 or magic[:3] != b"\0\0\x08":
                raise ValueError(f"{path} is no IDX file of bytes.")
            shape = np.frombuffer(file.read(4 * magic[3]), ">u4")
            count = int(np.prod(shape, dtype=np.int64))
            data = file.read(count)
            if len(data) != count or file.read(1):
                raise ValueError(f"Incomplete or corrupted file detected: {path}.")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"Incomplete or corrupted file detected: {path} ({error}).") from None
    return np.frombuffer(data, np.uint8).reshape(shape.tolist())
