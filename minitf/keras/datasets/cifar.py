"""The files of CIFAR-10 and CIFAR-100 (Krizhevsky 2009)."""

from typing import Any

import numpy as np

from minitf.keras.datasets.files import read_pickle
from minitf.keras.engine import state


def load_batch(fpath: str, label_key: str = "labels") -> tuple[np.ndarray, list[int]]:
    """Images (count, 3, 32, 32) and labels of one file."""
    with open(fpath, "rb") as file:
        batch = read_pickle(file, encoding="bytes")
    batch = {key.decode("utf8"): value for key, value in batch.items()}
    data = batch["data"]
    return data.reshape(len(data), 3, 32, 32), batch[label_key]


def arranged(images: np.ndarray, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Images as the image data format has them, labels as a column."""
    if state.image_data_format() == "channels_last":
        images = images.transpose(0, 2, 3, 1)
    return images, np.reshape(labels, (len(labels), 1))
