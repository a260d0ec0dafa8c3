"""Learning rates as functions of the step (`keras.optimizers.schedules`), by the formulas of `tf.train`.

Formulas: https://www.tensorflow.org/api_docs/python/tf/keras/optimizers/schedules.
"""

from typing import Any

from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.registry import interpreter
from minitf.ops.select import where
from minitf.train import learning_rate_decay


class LearningRateSchedule:
    """Base: called with the step, gives the rate."""

    def __call__(self, step: Any) -> Any:
        """The rate at `step`."""
        raise NotImplementedError("Learning rate schedule must override __call__")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        raise NotImplementedError("Learning rate schedule must override get_config")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LearningRateSchedule":
        """A schedule made from what `get_config` returned."""
        return cls(**config)


class _Schedule(LearningRateSchedule):
    """Keeps its arguments by name."""

    _names: tuple[str, ...] = ()

    def _keep(self, **arguments: Any) -> None:
        self._names = tuple(arguments)
        self.__dict__.update(arguments)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal schedule."""
        return {name: getattr(self, name) for name in self._names}


class ExponentialDecay(_Schedule):
    """initial * decay_rate ** (step / decay_steps), the exponent floored if `staircase`."""

    def __init__(
        self, initial_learning_rate: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False,
        name: str | None = None,
    ) -> None:  # fmt: skip
        self._keep(
            initial_learning_rate=initial_learning_rate, decay_steps=decay_steps, decay_rate=decay_rate,
            staircase=staircase, name=name,
        )  # fmt: skip

    def __call__(self, step: Any) -> Any:
        """The rate at `step`."""
        return learning_rate_decay.exponential_decay(
            self.initial_learning_rate, step, self.decay_steps, self.decay_rate, self.staircase
        )


class InverseTimeDecay(_Schedule):
    """initial / (1 + decay_rate * step / decay_steps), the quotient floored if `staircase`."""

    def __init__(
        self, initial_learning_rate: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False,
        name: str | None = None,
    ) -> None:  # fmt: skip
        self._keep(
            initial_learning_rate=initial_learning_rate, decay_steps=decay_steps, decay_rate=decay_rate,
            staircase=staircase, name=name,
        )  # fmt: skip

    def __call__(self, step: Any) -> Any:
        """The rate at `step`."""
        return learning_rate_decay.inverse_time_decay(
            self.initial_learning_rate, step, self.decay_steps, self.decay_rate, self.staircase
        )


class PiecewiseConstantDecay(_Schedule):
    """values[0] up to boundaries[0], values[i] beyond boundaries[i - 1]."""

    def __init__(self, boundaries: list[Any], values: list[Any], name: str | None = None) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of length "
                f"{len(values)}."
            )
        self._keep(boundaries=boundaries, values=values, name=name)

    def __call__(self, step: Any) -> Any:
        """The rate at `step`."""
        step = interpreter().convert(step, None)
        result = interpreter().convert(self.values[0], None)
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            beyond = math.greater(step, cast(boundary, step.dtype))
            result = where(beyond, cast(value, result.dtype), result)
        return result


class PolynomialDecay(_Schedule):
    """From initial to end_learning_rate over `decay_steps`, along (1 - step / decay_steps) ** power."""

    def __init__(
        self, initial_learning_rate: Any, decay_steps: Any, end_learning_rate: Any = 0.0001, power: Any = 1.0,
        cycle: bool = False, name: str | None = None,
    ) -> None:  # fmt: skip
        self._keep(
            initial_learning_rate=initial_learning_rate, decay_steps=decay_steps,
            end_learning_rate=end_learning_rate, power=power, cycle=cycle, name=name,
        )  # fmt: skip

    def __call__(self, step: Any) -> Any:
        """The rate at `step`."""
        return learning_rate_decay.polynomial_decay(
            self.initial_learning_rate, step, self.decay_steps, self.end_learning_rate, self.power, self.cycle
        )


class CosineDecay(_Schedule):
    """Half a cosine from initial to alpha * initial (Loshchilov and Hutter 2016)."""

    def __init__(
        self, initial_learning_rate: Any, decay_steps: Any, alpha: float = 0.0, name: str | None = None
    ) -> None:
        self._keep(
            initial_learning_rate=initial_learning_rate, decay_steps=decay_steps, alpha=alpha, name=name
        )

    def __call__(self, step: Any) -> Any:
        """The rate at `step`."""
        return learning_rate_decay.cosine_decay(
            self.initial_learning_rate, step, self.decay_steps, self.alpha
        )


class CosineDecayRestarts(_Schedule):
    """`CosineDecay` that starts again, each time `t_mul` as long and from `m_mul` of the rate."""

    def __init__(
        self, initial_learning_rate: Any, first_decay_steps: Any, t_mul: float = 2.0, m_mul: float = 1.0,
        alpha: float = 0.0, name: str | None = None,
    ) -> None:  # fmt: skip
        self._keep(
            initial_learning_rate=initial_learning_rate, first_decay_steps=first_decay_steps, t_mul=t_mul,
            m_mul=m_mul, alpha=alpha, name=name,
        )  # fmt: skip

    def __call__(self, step: Any) -> Any:
        """The rate at `step`."""
        return learning_rate_decay.cosine_decay_restarts(
            self.initial_learning_rate, step, self.first_decay_steps, self.t_mul, self.m_mul, self.alpha
        )


_CLASSES = {
    cls.__name__: cls
    for cls in (
        ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay, CosineDecay,
        CosineDecayRestarts,
    )
}  # fmt: skip


def serialize(learning_rate_schedule: Any) -> Any:
    """A schedule's config."""
    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The schedule that a config stands for."""
    return deserialize_keras_object(config, _CLASSES, custom_objects, "decay")
