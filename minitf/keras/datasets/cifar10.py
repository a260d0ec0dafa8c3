"""CIFAR-10: 60,000 small colour images in 10 classes."""

import os
from typing import Any

import numpy as np

from minitf.keras.datasets.cifar import arranged, load_batch
from minitf.keras.utils.data_utils import get_file

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_HASH = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"

Split = tuple[np.ndarray, np.ndarray]


def load_data(cache_dir: Any = None) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): uint8 images (count, 32, 32, 3), uint8 labels (count, 1)."""
    folder = get_file("cifar-10-batches-py", origin=_ORIGIN, untar=True, file_hash=_HASH, cache_dir=cache_dir)
    batches = [load_batch(os.path.join(folder, f"data_batch_{i}")) for i in range(1, 6)]
    images = np.concatenate([x for x, _ in batches])
    labels = np.concatenate([y for _, y in batches]).astype(np.uint8)
    x_test, y_test = load_batch(os.path.join(folder, "test_batch"))
    return arranged(images, labels), arranged(x_test, np.array(y_test, np.uint8))
