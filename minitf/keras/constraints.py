"""What weights must satisfy after each step."""

from typing import Any

from minitf.keras.engine import state
from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.clip import clip_by_value
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import interpreter


class Constraint:
    """Base: a function from weights to the weights that they become."""

    def __call__(self, w: Any) -> Any:
        """The constrained weights."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Constraint":
        """A constraint made from what `get_config` returned."""
        return cls(**config)


def _norms(w: Any, axis: Any) -> Any:
    return math.sqrt(reduce_sum(math.square(w), axis, keepdims=True))


class MaxNorm(Constraint):
    """Each unit's incoming weights (along `axis`) have a norm of at most `max_value`."""

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        """The constrained weights."""
        w = interpreter().convert(w, None)
        norms = _norms(w, self.axis)
        wanted = clip_by_value(norms, cast(0.0, w.dtype), cast(self.max_value, w.dtype))
        return w * (wanted / (cast(state.epsilon(), w.dtype) + norms))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """No weight is negative."""

    def __call__(self, w: Any) -> Any:
        """The constrained weights."""
        w = interpreter().convert(w, None)
        return w * cast(math.greater_equal(w, cast(0.0, w.dtype)), w.dtype)


class UnitNorm(Constraint):
    """Each unit's incoming weights (along `axis`) have norm 1."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The constrained weights."""
        w = interpreter().convert(w, None)
        return w / (cast(state.epsilon(), w.dtype) + _norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Norms between `min_value` and `max_value`, approached at `rate` (1: at once)."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        """The constrained weights."""
        w = interpreter().convert(w, None)
        norms = _norms(w, self.axis)
        rate, rest = cast(self.rate, w.dtype), cast(1 - self.rate, w.dtype)
        inside = clip_by_value(norms, cast(self.min_value, w.dtype), cast(self.max_value, w.dtype))
        wanted = rate * inside + rest * norms
        return w * (wanted / (cast(state.epsilon(), w.dtype) + norms))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {
            "min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis,
        }  # fmt: skip


max_norm = maxnorm = MaxNorm
non_neg = nonneg = NonNeg
unit_norm = unitnorm = UnitNorm
min_max_norm = MinMaxNorm
_CLASSES = {
    "Constraint": Constraint, "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm,
    "MinMaxNorm": MinMaxNorm, "max_norm": MaxNorm, "maxnorm": MaxNorm, "non_neg": NonNeg,
    "nonneg": NonNeg, "unit_norm": UnitNorm, "unitnorm": UnitNorm, "min_max_norm": MinMaxNorm,
}  # fmt: skip


def serialize(constraint: Any) -> Any:
    """A constraint's config."""
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The constraint that a config or name stands for."""
    return deserialize_keras_object(config, _CLASSES, custom_objects, "constraint")


def get(identifier: Any) -> Any:
    """A constraint from a name, config, object or function; None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, str | dict):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret constraint identifier: {identifier}")
