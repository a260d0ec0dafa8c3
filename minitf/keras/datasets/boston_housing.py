"""Boston housing: 506 districts with 13 features each, and the median price of their houses."""

from typing import Any

import numpy as np

from minitf.keras.datasets.files import ORIGIN, read_npz
from minitf.keras.datasets.word_sequences import shuffled
from minitf.keras.utils.data_utils import get_file

_HASH = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"

Split = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113, cache_dir: Any = None
) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): float64 (count, 13) and (count,), in thousands of dollars.

    `test_split`, the share for testing, must be at least 0 and below 1, else ValueError is raised.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be at least 0 and below 1. Received: test_split={test_split}.")
    path = get_file(path, origin=ORIGIN + "boston_housing.npz", file_hash=_HASH, cache_dir=cache_dir)
    data = read_npz(path)
    x, y = shuffled([data["x"], data["y"]], np.random.RandomState(seed))
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
