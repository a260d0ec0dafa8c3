"""Fashion-MNIST: 70,000 images of clothes in 10 classes (Xiao et al. 2017)."""

import os
from typing import Any

import numpy as np

from minitf.keras.datasets.files import ORIGIN, read_idx
from minitf.keras.utils.data_utils import get_file

Split = tuple[np.ndarray, np.ndarray]


def load_data(cache_dir: Any = None) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): uint8 images (count, 28, 28), uint8 classes (count,)."""
    subdir = os.path.join("datasets", "fashion-mnist")
    labels_train, images_train, labels_test, images_test = (
        read_idx(get_file(name, origin=ORIGIN + name, cache_subdir=subdir, cache_dir=cache_dir))
        for name in (
            "train-labels-idx1-ubyte.gz",
            "train-images-idx3-ubyte.gz",
            "t10k-labels-idx1-ubyte.gz",
            "t10k-images-idx3-ubyte.gz",
        )
    )
    return (images_train, labels_train), (images_test, labels_test)
