"""Regularizers: functions of a weight that give a loss to add, small when the weight is."""

from dataclasses import dataclass
from typing import Any

from minitf.ops import math
from minitf.ops.reduce import reduce_sum


@dataclass
class L1L2:
    """l1 · sum(|w|) + l2 · sum(w²)."""

    l1: float = 0.0
    l2: float = 0.0

    def __call__(self, weight: Any) -> Any:
        """The loss of a weight: a scalar of its dtype."""
        terms = []
        if self.l1:
            terms.append(self.l1 * reduce_sum(math.abs(weight)))
        if self.l2:
            terms.append(self.l2 * reduce_sum(math.square(weight)))
        if not terms:
            return 0.0 * reduce_sum(weight)
        return terms[0] if len(terms) == 1 else math.add(*terms)

    def get_config(self) -> dict[str, float]:
        """The arguments that make an equal regularizer."""
        return {"l1": self.l1, "l2": self.l2}


def l1(l: float = 0.01) -> L1L2:  # noqa: E741 - the argument's name in TensorFlow
    """A regularizer of l · sum(|w|)."""
    return L1L2(l1=l)


def l2(l: float = 0.01) -> L1L2:  # noqa: E741
    """A regularizer of l · sum(w²)."""
    return L1L2(l2=l)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """A regularizer of l1 · sum(|w|) + l2 · sum(w²)."""
    return L1L2(l1, l2)
