"""Adam and its relatives: optimizers that divide a moving average of gradients by one of their squares."""

from typing import Any

import numpy as np

from minitf.keras.engine.optimizer import Optimizer, is_schedule, moving_average
from minitf.ops import math, training
from minitf.ops.array import cast
from minitf.ops.constants import constant
from minitf.ops.gather import gather
from minitf.ops.group import group
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.registry import interpreter
from minitf.ops.scatter import scatter_sub, scatter_update
from minitf.runtime.shared_variable import SharedVariable


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
        mean = moving_average(slots[0], grad, s["beta_1"])
        squares = moving_average(slots[1], math.square(grad), s["beta_2"])
        largest = self.get_slot(variable, "vhat")
        largest = largest.assign(math.maximum(largest.read_value(), squares))
        return variable.assign_sub(rate * mean / (math.sqrt(largest) + s["epsilon"]))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        return {**super().get_config(), "amsgrad": self.amsgrad}


class Adamax(_AdamLike):
    """Adam by the infinity norm (Kingma and Ba 2015, section 7)."""

    _by_rows = True

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

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        s, one = settings, constant(1.0, grad.dtype)
        m, v = self.get_slot(variable, "m"), self.get_slot(variable, "v")
        mean = gather(m, rows) * s["beta_1"] + grad * (one - s["beta_1"])
        largest = math.maximum(gather(v, rows) * s["beta_2"], math.abs(grad))
        step = s["rate"] / (one - s["beta_1_power"]) * (mean / (largest + s["epsilon"]))
        return group(
            scatter_update(m, rows, mean), scatter_update(v, rows, largest), scatter_sub(variable, rows, step)
        )


class Nadam(_AdamLike):
    """Adam with Nesterov's momentum, whose momentum follows a schedule (Dozat 2016)."""

    _by_rows = True

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
        if is_schedule(kwargs.get("lr", learning_rate)):
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
        mean, squares = self._averages(grad, variable, settings)
        return variable.assign_sub(self._change(grad, mean, squares, settings))

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        whole = interpreter().convert(IndexedSlices(grad, rows, variable.shape.as_list()), None)
        averages = self._averages(whole, variable, settings)
        mean, squares = (gather(average, rows) for average in averages)
        return scatter_sub(variable, rows, self._change(grad, mean, squares, settings))

    def _averages(self, grad: Any, variable: Any, settings: dict[str, Any]) -> tuple[Any, Any]:
        mean = moving_average(self.get_slot(variable, "m"), grad, settings["beta_1"])
        return mean, moving_average(self.get_slot(variable, "v"), math.square(grad), settings["beta_2"])

    @staticmethod
    def _change(grad: Any, mean: Any, squares: Any, settings: dict[str, Any]) -> Any:
        s, one = settings, constant(1.0, grad.dtype)
        ahead = s["next"] * mean / (one - s["product"] * s["next"])
        step = (one - s["now"]) * grad / (one - s["product"]) + ahead
        deviation = math.sqrt(squares / (one - s["beta_2_power"])) + s["epsilon"]
        return s["rate"] * step / deviation
