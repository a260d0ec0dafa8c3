"""Where a variable's value is kept while a step plan runs."""

from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape


class Storage:
    """Keeps one variable: `.value` is its array, None until it is initialised.

    A Session has one for each of its variables; a shared variable has its own. `op` names the variable in
    errors (None for a shared one, then `name` does).
    """

    __slots__ = ("op", "name", "shape", "value")

    def __init__(self, name: str, shape: TensorShape, op: Any = None) -> None:
        self.name = name
        self.op = op
        self.shape = shape
        self.value: np.ndarray | None = None

    def set(self, value: np.ndarray) -> None:
        """Stores a copy of `value`, in the array that is there if the shape is the same."""
        if self.value is not None and self.value.shape == value.shape:
            np.copyto(self.value, value)
        else:
            self.value = np.array(value)
