"""Optimizers of Keras 2 (`OptimizerV2`). The update rules are the ops of ops/training.py, as for `tf.train`."""

from typing import Any

import numpy as np

from minitf.keras import optimizer_schedules as schedules
from minitf.keras.engine.optimizer import Optimizer, _is_schedule
from minitf.keras.utils.generic_utils import deserialize_keras_object, serialize_keras_object
from minitf.ops import math, training, training_sparse
from minitf.ops.array import cast
from minitf.ops.constants import constant
from minitf.runtime.shared_variable import SharedVariable

__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop", "deserialize",
    "get", "schedules", "serialize",
]  # fmt: skip


class SGD(Optimizer):
    """Gradient descent, with (Nesterov's) momentum if `momentum` is not 0."""

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
            variable, self.get_slot(variable, "momentum"), settings["rate"], grad, settings["momentum"],
            use_nesterov=self.nesterov,
        )  # fmt: skip

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        if not self._momentum:
            return training_sparse.sparse_apply_gradient_descent(variable, settings["rate"], grad, rows)
        return training_sparse.sparse_apply_momentum(
            variable, self.get_slot(variable, "momentum"), settings["rate"], grad, settings["momentum"],
            rows, use_nesterov=self.nesterov,
        )  # fmt: skip

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
            arguments = (slot("momentum"), rate, rho, settings["momentum"], epsilon, grad)
            if self.centered:
                return training.apply_centered_rmsprop(variable, slot("mg"), slot("rms"), *arguments)
            return training.apply_rmsprop(variable, slot("rms"), *arguments)
        if not self.centered:
            return training.apply_plain_rmsprop(variable, slot("rms"), rate, rho, epsilon, grad)
        squares = _average(slot("rms"), math.square(grad), rho)
        mean = _average(slot("mg"), grad, rho)
        step = rate * grad / (math.sqrt(squares - math.square(mean)) + epsilon)
        return variable.assign_sub(step)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(), "rho": self._serialize_hyper("rho"),
            "momentum": self._serialize_hyper("momentum"), "epsilon": self.epsilon,
            "centered": self.centered,
        }  # fmt: skip


def _average(slot: Any, value: Any, keep: Any) -> Any:
    """slot = keep * slot + (1 - keep) * value; the new value."""
    return slot.assign(keep * slot.read_value() + (constant(1.0, value.dtype) - keep) * value)


class _AdamLike(Optimizer):
    """What Adam and its relatives have in common: two decay rates and their powers."""

    def __init__(
        self, name: str, learning_rate: Any, beta_1: Any, beta_2: Any, epsilon: Any, **kwargs: Any
    ) -> None:
        super().__init__(name, learning_rate, **kwargs)
        self._set_hyper("beta_1", beta_1)
        self._set_hyper("beta_2", beta_2)
        self.epsilon = 1e-7 if epsilon is None else epsilon
        self._slot_names = ("m", "v")

    def _settings(self, dtype: Any) -> dict[str, Any]:
        step = cast(self.iterations, dtype) + constant(1.0, dtype)
        beta_1, beta_2 = self._get_hyper("beta_1", dtype), self._get_hyper("beta_2", dtype)
        return {
            "rate": self._rate(dtype), "beta_1": beta_1, "beta_2": beta_2, "step": step,
            "beta_1_power": math.pow(beta_1, step), "beta_2_power": math.pow(beta_2, step),
            "epsilon": constant(self.epsilon, dtype),
        }  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(), "beta_1": self._serialize_hyper("beta_1"),
            "beta_2": self._serialize_hyper("beta_2"), "epsilon": self.epsilon,
        }  # fmt: skip


class Adam(_AdamLike):
    """Adam (Kingma and Ba 2015); with `amsgrad` the largest average of squares counts (Reddi et al. 2018)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str = "Adam",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = amsgrad
        self._slot_names = ("m", "v") + ("vhat",) * amsgrad

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        slots = [self.get_slot(variable, "m"), self.get_slot(variable, "v")]
        s = settings
        if not self.amsgrad:
            return training.apply_adam(
                variable, *slots, s["beta_1_power"], s["beta_2_power"], s["rate"], s["beta_1"], s["beta_2"],
                s["epsilon"], grad,
            )  # fmt: skip
        one = constant(1.0, grad.dtype)
        rate = s["rate"] * math.sqrt(one - s["beta_2_power"]) / (one - s["beta_1_power"])
        mean = _average(slots[0], grad, s["beta_1"])
        squares = _average(slots[1], math.square(grad), s["beta_2"])
        largest = self.get_slot(variable, "vhat")
        largest = largest.assign(math.maximum(largest.read_value(), squares))
        return variable.assign_sub(rate * mean / (math.sqrt(largest) + s["epsilon"]))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {**super().get_config(), "amsgrad": self.amsgrad}


class Adamax(_AdamLike):
    """Adam by the infinity norm (Kingma and Ba 2015, section 7)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: float = 1e-7,
        name: str = "Adamax",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        s = settings
        return training.apply_adamax(
            variable, self.get_slot(variable, "m"), self.get_slot(variable, "v"), s["beta_1_power"],
            s["rate"], s["beta_1"], s["beta_2"], s["epsilon"], grad,
        )  # fmt: skip


class Nadam(_AdamLike):
    """Adam with Nesterov's momentum, whose momentum follows a schedule (Dozat 2016)."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: Any = 0.9,
        beta_2: Any = 0.999,
        epsilon: float = 1e-7,
        name: str = "Nadam",
        **kwargs: Any,
    ) -> None:
        kwargs["decay"] = kwargs.pop("schedule_decay", 0.004)
        if _is_schedule(kwargs.get("lr", learning_rate)):
            raise ValueError("The Nadam optimizer does not support LearningRateSchedules.")
        super().__init__(name, learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self._momentum_product: SharedVariable | None = None

    def _rate(self, dtype: Any) -> Any:
        return self._get_hyper("learning_rate", dtype)  # the decay is the momentum's

    def _create_slots(self, variables: list[Any]) -> None:
        if self._momentum_product is None:
            self._momentum_product = SharedVariable(
                np.float32(1.0), trainable=False, name=f"{self._name}/momentum_cache"
            )
            self._slot_order.append(self._momentum_product)
        super()._create_slots(variables)

    def _settings(self, dtype: Any) -> dict[str, Any]:
        s = super()._settings(dtype)
        one, half = constant(1.0, dtype), constant(0.5, dtype)
        decay = constant(self._initial_decay, dtype)

        def momentum(step):
            return s["beta_1"] * (one - half * math.pow(constant(0.96, dtype), decay * step))

        s["now"], s["next"] = momentum(s["step"]), momentum(s["step"] + one)
        product = cast(self._momentum_product.read_value(), dtype) * s["now"]
        s["product"] = cast(self._momentum_product.assign(cast(product, "float32")), dtype)
        return s

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        s, one = settings, constant(1.0, grad.dtype)
        mean = _average(self.get_slot(variable, "m"), grad, s["beta_1"])
        squares = _average(self.get_slot(variable, "v"), math.square(grad), s["beta_2"])
        ahead = s["next"] * mean / (one - s["product"] * s["next"])
        step = (one - s["now"]) * grad / (one - s["product"]) + ahead
        deviation = math.sqrt(squares / (one - s["beta_2_power"])) + s["epsilon"]
        return variable.assign_sub(s["rate"] * step / deviation)


class Adagrad(Optimizer):
    """Adagrad (Duchi et al. 2011)."""

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
    from minitf.train.optimizer import Optimizer as TrainOptimizer

    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, TrainOptimizer):
        from minitf.keras.engine.train_optimizer import TFOptimizer

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
