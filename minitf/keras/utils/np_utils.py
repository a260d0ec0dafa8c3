"""`to_categorical`, `normalize`: helpers on arrays."""

import random
from typing import Any

import numpy as np

from minitf.keras import initializers
from minitf.ops import random_seed


def to_categorical(y: Any, num_classes: int | None = None, dtype: Any = "float32") -> np.ndarray:
    """Class numbers as rows of zeros with a one at the class.

    `y` holds integers from 0 to `num_classes` - 1 (by default, its largest one). The result has the shape of
    `y` (without a last dimension of 1) and one dimension more, `num_classes` long.

    Raises IndexError for a class number out of range.

    >>> to_categorical([0, 2], num_classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    y = np.array(y, dtype="int")
    shape = y.shape
    if shape and shape[-1] == 1 and len(shape) > 1:
        shape = shape[:-1]
    flat = y.reshape(-1)
    if not num_classes:
        num_classes = int(np.max(flat)) + 1
    categorical = np.zeros((len(flat), num_classes), dtype=dtype)
    categorical[np.arange(len(flat)), flat] = 1
    return categorical.reshape((*shape, num_classes))


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """`x` divided by its norms (of `order`) along `axis`; where a norm is 0, `x` itself."""
    norms = np.atleast_1d(np.linalg.norm(x, order, axis))
    norms[norms == 0] = 1
    return x / np.expand_dims(norms, axis)


def set_random_seed(seed: int) -> None:
    """Seeds Python's, NumPy's, minitf's and the initializers' generators.

    Raises ValueError unless `seed` is an int.
    """
    if not isinstance(seed, int):
        raise ValueError(
            f"Expected `seed` argument to be an integer. Received: seed={seed} (of type {type(seed)})"
        )
    random.seed(seed)
    np.random.seed(seed)
    random_seed.set_random_seed(seed)
    initializers.set_seed(seed)
