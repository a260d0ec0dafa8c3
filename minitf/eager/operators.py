"""Arithmetic between eager tensors of one dtype, and with Python numbers, by a shorter way than other ops."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.eager.interpreter import EAGER
from minitf.eager.tensor import EagerTensor
from minitf.ops import math
from minitf.ops.operators import TensorOperators
from minitf.ops.registry import interpreter

_SHORT = {
    "add": math.add,
    "sub": math.subtract,
    "mul": math.multiply,
    "truediv": math.real_divide,
    "lt": math.less,
    "le": math.less_equal,
    "gt": math.greater,
    "ge": math.greater_equal,
}


def _short(method: str, reverse: bool = False) -> Callable:
    definition = _SHORT[method].definition
    general = getattr(TensorOperators, f"__{'r' if reverse else ''}{method}__")
    floats_only = method == "truediv"

    def operator(self: EagerTensor, other: Any) -> Any:
        dtype = self.dtype
        kind = type(other)
        if kind is float or kind is int:
            if dtype.is_floating and interpreter().eager:
                other = EagerTensor(np.array(other, dtype.numpy_dtype), dtype)
                return EAGER.run(definition, (other, self) if reverse else (self, other), {})
        elif kind is EagerTensor and other.dtype is dtype and interpreter().eager:
            if not floats_only or dtype.is_floating:
                return EAGER.run(definition, (other, self) if reverse else (self, other), {})
        return general(self, other)

    return operator


def install() -> None:
    """Gives EagerTensor these operators."""
    for method in _SHORT:
        setattr(EagerTensor, f"__{method}__", _short(method))
        if hasattr(TensorOperators, f"__r{method}__"):
            setattr(EagerTensor, f"__r{method}__", _short(method, reverse=True))
