"""CIFAR-100: 60,000 small colour images in 100 classes, or 20 coarser ones."""

import os
from typing import Any

import numpy as np

from minitf.keras.datasets.cifar import arranged, load_batch
from minitf.keras.utils.data_utils import get_file

_ORIGIN = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
_HASH = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"

Split = tuple[np.ndarray, np.ndarray]


def load_data(label_mode: str = "fine", cache_dir: Any = None) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): uint8 images (count, 32, 32, 3), int64 labels (count, 1).

    `label_mode` is 'fine' (100 classes) or 'coarse' (20); anything else raises ValueError.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.'
        )
    folder = get_file("cifar-100-python", origin=_ORIGIN, untar=True, file_hash=_HASH, cache_dir=cache_dir)
    train, test = (
        load_batch(os.path.join(folder, name), label_mode + "_labels") for name in ("train", "test")
    )
    return arranged(*train), arranged(*test)
