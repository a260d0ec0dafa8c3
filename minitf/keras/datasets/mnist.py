"""MNIST: 70,000 images of handwritten digits."""

from typing import Any

import numpy as np

from minitf.keras.datasets.files import ORIGIN, read_npz
from minitf.keras.utils.data_utils import get_file

_HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"

Split = tuple[np.ndarray, np.ndarray]


def load_data(path: str = "mnist.npz", cache_dir: Any = None) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): uint8 images (count, 28, 28), uint8 digits (count,)."""
    path = get_file(path, origin=ORIGIN + "mnist.npz", file_hash=_HASH, cache_dir=cache_dir)
    data = read_npz(path)
    return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
