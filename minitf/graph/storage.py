"""Where a variable's value is kept while a step plan runs."""

import sys
from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape


class Storage:
    """Keeps one variable: `.value` is its array, None until it is initialised.

    A Session has one for each of its variables; a shared variable has its own. `op` names the variable in
    errors (None for a shared one, then `name` does).
    """

    __slots__ = ("op", "name", "shape", "value", "reference")

    def __init__(self, name: str, shape: TensorShape, op: Any = None) -> None:
        self.name = name
        self.op = op
        self.shape = shape
        self.value: np.ndarray | None = None
        # What stands for the variable in eager mode.
        self.reference: Any = None

    def own(self) -> None:
        """Makes the array safe to change: a copy, if an eager tensor shows the one that is there."""
        # One reference is the attribute's, one that of the call.
        if self.value is not None and sys.getrefcount(self.value) > 2:
            self.value = self.value.copy()

    def set(self, value: np.ndarray) -> None:
        """Stores a copy of `value`, in the array that is there if the shape is the same."""
        self.own()
        if self.value is not None and self.value.shape == value.shape:
            np.copyto(self.value, value)
        else:
            self.value = np.array(value)
