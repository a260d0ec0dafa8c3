"""Optimizers of Keras 2 (`OptimizerV2`). Their update rules are the ops of `tf.train`, in ops/training.py."""

from typing import Any

import numpy as np

from minitf.keras import optimizer_schedules as schedules
from minitf.keras.engine.optimizer import Optimizer, moving_average
from minitf.keras.optimizer_adam import Adam, Adamax, Nadam
from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object
from minitf.ops import math, training, training_sparse
from minitf.ops.constants import constant

__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop", "deserialize",
    "get", "schedules", "serialize",
]  # fmt: skip


class SGD(Optimizer):
    """Gradient descent, with (Nesterov's) momentum if `momentum` is not 0."""

    _by_rows = True

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: Any = 0.0,
        nesterov: bool = False,
        name: str = "SGD",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, learning_rate, **kwargs)
        if isinstance(momentum, int | float) and not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be between [0, 1]. Received: momentum={momentum}.")
        self._momentum = not isinstance(momentum, int | float) or momentum > 0
        self._set_hyper("momentum", momentum)
        self.nesterov = nesterov
        self._slot_names = ("momentum",) if self._momentum else ()

    def _settings(self, dtype: Any) -> dict[str, Any]:
        settings = super()._settings(dtype)
        if self._momentum:
            settings["momentum"] = self._get_hyper("momentum", dtype)
        return settings

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        if not self._momentum:
            return training.apply_gradient_descent(variable, settings["rate"], grad)
        return training.apply_momentum(
            *self._with_momentum(grad, variable, settings), use_nesterov=self.nesterov
        )

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        if not self._momentum:
            return training_sparse.sparse_apply_gradient_descent(variable, settings["rate"], grad, rows)
        return training_sparse.sparse_apply_momentum(
            *self._with_momentum(grad, variable, settings), rows, use_nesterov=self.nesterov
        )

    def _with_momentum(self, grad: Any, variable: Any, settings: dict[str, Any]) -> list[Any]:
        """Keras keeps past steps, rates included, where `tf.train` keeps gradients; so its rate is -1."""
        slot, step = self.get_slot(variable, "momentum"), -settings["rate"] * grad
        return [variable, slot, constant(-1.0, grad.dtype), step, settings["momentum"]]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(), "momentum": self._serialize_hyper("momentum"), "nesterov": self.nesterov,
        }  # fmt: skip


class RMSprop(Optimizer):
    """RMSProp (Tieleman and Hinton 2012); epsilon is outside the root, as in Keras."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        name: str = "RMSprop",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, learning_rate, **kwargs)
        self._set_hyper("rho", rho)
        self._momentum = not isinstance(momentum, int | float) or momentum > 0
        if isinstance(momentum, int | float) and not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be between [0, 1]. Received: momentum={momentum}.")
        self._set_hyper("momentum", momentum)
        self.epsilon = 1e-7 if epsilon is None else epsilon
        self.centered = centered
        self._slot_names = ("rms",) + ("momentum",) * self._momentum + ("mg",) * centered
        self._by_rows = self._momentum

    def _settings(self, dtype: Any) -> dict[str, Any]:
        return {
            "rate": self._rate(dtype), "rho": self._get_hyper("rho", dtype),
            "momentum": self._get_hyper("momentum", dtype), "epsilon": constant(self.epsilon, dtype),
        }  # fmt: skip

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        def slot(name):
            return self.get_slot(variable, name)

        rate, rho, epsilon = settings["rate"], settings["rho"], settings["epsilon"]
        if self._momentum:
            rule = training.apply_centered_rmsprop if self.centered else training.apply_rmsprop
            return rule(*self._with_momentum(grad, variable, settings))
        if not self.centered:
            return training.apply_plain_rmsprop(variable, slot("rms"), rate, rho, epsilon, grad)
        squares = moving_average(slot("rms"), math.square(grad), rho)
        mean = moving_average(slot("mg"), grad, rho)
        step = rate * grad / (math.sqrt(squares - math.square(mean)) + epsilon)
        return variable.assign_sub(step)

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        sparse = training_sparse
        rule = sparse.sparse_apply_centered_rmsprop if self.centered else sparse.sparse_apply_rmsprop
        return rule(*self._with_momentum(grad, variable, settings), rows)

    def _with_momentum(self, grad: Any, variable: Any, settings: dict[str, Any]) -> list[Any]:
        names = ("mg",) * self.centered + ("rms", "momentum")
        hypers = (settings[key] for key in ("rate", "rho", "momentum", "epsilon"))
        return [variable, *(self.get_slot(variable, name) for name in names), *hypers, grad]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(), "rho": self._serialize_hyper("rho"),
            "momentum": self._serialize_hyper("momentum"), "epsilon": self.epsilon,
            "centered": self.centered,
        }  # fmt: skip


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011)."""

    _by_rows = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        name: str = "Adagrad",
        **kwargs: Any,
    ) -> None:
        if initial_accumulator_value < 0.0:
            raise ValueError(f"initial_accumulator_value must be non-negative: {initial_accumulator_value}")
        super().__init__(name, learning_rate, **kwargs)
        self._initial_accumulator_value = initial_accumulator_value
        self.epsilon = 1e-7 if epsilon is None else epsilon
        self._slot_names = ("accumulator",)

    def _slot_initial(self, name: str, variable: Any) -> np.ndarray:
        return super()._slot_initial(name, variable) + self._initial_accumulator_value

    def _settings(self, dtype: Any) -> dict[str, Any]:
        return {"rate": self._rate(dtype), "epsilon": constant(self.epsilon, dtype)}

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        slot = self.get_slot(variable, "accumulator")
        return training.apply_adagrad_v2(variable, slot, settings["rate"], settings["epsilon"], grad)

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        slot = self.get_slot(variable, "accumulator")
        return training_sparse.sparse_apply_adagrad_v2(
            variable, slot, settings["rate"], settings["epsilon"], grad, rows
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(), "initial_accumulator_value": self._initial_accumulator_value,
            "epsilon": self.epsilon,
        }  # fmt: skip


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012)."""

    _by_rows = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: Any = 0.95,
        epsilon: float = 1e-7,
        name: str = "Adadelta",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, learning_rate, **kwargs)
        self._set_hyper("rho", rho)
        self.epsilon = 1e-7 if epsilon is None else epsilon
        self._slot_names = ("accum_grad", "accum_var")

    def _settings(self, dtype: Any) -> dict[str, Any]:
        return {
            "rate": self._rate(dtype), "rho": self._get_hyper("rho", dtype),
            "epsilon": constant(self.epsilon, dtype),
        }  # fmt: skip

    def _arguments(self, variable: Any, settings: dict[str, Any]) -> list[Any]:
        slots = [self.get_slot(variable, name) for name in self._slot_names]
        return [variable, *slots, settings["rate"], settings["rho"], settings["epsilon"]]

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        return training.apply_adadelta(*self._arguments(variable, settings), grad)

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        return training_sparse.sparse_apply_adadelta(*self._arguments(variable, settings), grad, rows)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {**super().get_config(), "rho": self._serialize_hyper("rho"), "epsilon": self.epsilon}


class Ftrl(Optimizer):
    """FTRL-proximal (McMahan et al. 2013)."""

    _by_rows = True
    _slots_by_variable = True

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        name: str = "Ftrl",
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if learning_rate_power > 0:
            raise ValueError(
                f"`learning_rate_power` needs to be negative or zero. Received: {learning_rate_power}."
            )
        super().__init__(name, learning_rate, **kwargs)
        self._arguments = {
            "learning_rate_power": learning_rate_power,
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "beta": beta,
        }
        self._slot_names = ("accumulator", "linear")

    def _slot_initial(self, name: str, variable: Any) -> np.ndarray:
        start = self._arguments["initial_accumulator_value"] if name == "accumulator" else 0.0
        return super()._slot_initial(name, variable) + start

    def _terms(self, variable: Any, settings: dict[str, Any]) -> list[Any]:
        dtype, rate = variable.dtype.base_dtype, settings["rate"]
        given = {name: constant(value, dtype) for name, value in self._arguments.items()}
        l2 = given["l2_regularization_strength"]
        if self._arguments["beta"]:
            l2 = l2 + given["beta"] / (constant(2.0, dtype) * rate)
        return [
            rate, given["l1_regularization_strength"], l2,
            given["l2_shrinkage_regularization_strength"], given["learning_rate_power"],
        ]  # fmt: skip

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        slots = [self.get_slot(variable, name) for name in self._slot_names]
        return training.apply_ftrl(variable, *slots, grad, *self._terms(variable, settings))

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        slots = [self.get_slot(variable, name) for name in self._slot_names]
        return training_sparse.sparse_apply_ftrl(
            variable, *slots, grad, *self._terms(variable, settings), rows
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {**super().get_config(), **self._arguments}


_CLASSES = {cls.__name__.lower(): cls for cls in (SGD, RMSprop, Adam, Adamax, Nadam, Adagrad, Adadelta, Ftrl)}


def serialize(optimizer: Any) -> Any:
    """An optimizer's config."""
    return serialize_keras_object(optimizer)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The optimizer that a config stands for. Raises ValueError for an unknown class."""
    if isinstance(config, dict) and isinstance(config.get("class_name"), str):
        name = config["class_name"].rpartition(">")[2].lower()
        if name in _CLASSES:
            config = {"class_name": name, "config": config["config"]}
    return deserialize_keras_object(config, _CLASSES, custom_objects, "optimizer")


def get(identifier: Any) -> Any:
    """An optimizer from a name, config, class or object (one of `tf.train` too).

    Raises ValueError for anything else.
    """
    from minitf.keras.engine.train_optimizer import TFOptimizer
    from minitf.train.optimizer import Optimizer as TrainOptimizer

    if isinstance(identifier, Optimizer | TFOptimizer):
        return identifier
    if isinstance(identifier, TrainOptimizer):
        return TFOptimizer(identifier)
    if isinstance(identifier, str):
        return deserialize({"class_name": identifier, "config": {}})
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    raise ValueError(f"Could not interpret optimizer identifier: {identifier}")


sgd, rmsprop, adam, adamax, nadam, adagrad, adadelta = (
    SGD, RMSprop, Adam, Adamax, Nadam, Adagrad, Adadelta,
)  # fmt: skip
