"""Penalties on weights and activations."""

from typing import Any

from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import interpreter


class Regularizer:
    """Base: a function of a tensor that gives a scalar penalty."""

    def __call__(self, x: Any) -> Any:
        """The penalty on `x`."""
        return cast(0.0, x.dtype)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Regularizer":
        """A regulariser made from what `get_config` returned."""
        return cls(**config)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal regulariser."""
        raise NotImplementedError(f"{self} does not implement get_config()")


class L1L2(Regularizer):
    """l1 * sum |x| + l2 * sum x²."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = float(l1 or 0.0), float(l2 or 0.0)
        for value in (self.l1, self.l2):
            if not value < float("inf"):
                raise ValueError(f"Invalid regularization factor: {value}")

    def __call__(self, x: Any) -> Any:
        """The penalty on `x`."""
        x = interpreter().convert(x, None)
        total = None
        if self.l1:
            total = cast(self.l1, x.dtype) * reduce_sum(math.abs(x))
        if self.l2:
            squares = cast(self.l2, x.dtype) * reduce_sum(math.square(x))
            total = squares if total is None else total + squares
        return cast(0.0, x.dtype) if total is None else total

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal regulariser."""
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """l1 * sum |x|."""

    def __init__(self, l1: float = 0.01, **kwargs: Any) -> None:
        super().__init__(l1=kwargs.pop("l", l1))
        if kwargs:
            raise TypeError(f"Argument(s) not recognized: {kwargs}")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal regulariser."""
        return {"l1": self.l1}


class L2(L1L2):
    """l2 * sum x²."""

    def __init__(self, l2: float = 0.01, **kwargs: Any) -> None:
        super().__init__(l2=kwargs.pop("l", l2))
        if kwargs:
            raise TypeError(f"Argument(s) not recognized: {kwargs}")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal regulariser."""
        return {"l2": self.l2}


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """A regulariser of both kinds."""
    return L1L2(l1, l2)


l1, l2 = L1, L2
_CLASSES = {"Regularizer": Regularizer, "L1L2": L1L2, "L1": L1, "L2": L2, "l1": L1, "l2": L2, "l1_l2": L1L2}


def serialize(regularizer: Any) -> Any:
    """A regulariser's config."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The regulariser that a config or name stands for."""
    if config == "l1_l2":
        return L1L2(0.01, 0.01)
    return deserialize_keras_object(config, _CLASSES, custom_objects, "regularizer")


def get(identifier: Any) -> Any:
    """A regulariser from a name, config, object or function; None stays None."""
    if identifier is None:
        return None
    if isinstance(identifier, str | dict):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret regularizer identifier: {identifier}")
