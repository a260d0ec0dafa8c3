"""The update rules of `tf.train`: one class each, over the ops of ops/training.py."""

from typing import Any

from minitf.framework import dtypes
from minitf.graph.operation import Operation, Tensor
from minitf.graph.variables import Variable
from minitf.ops import training, training_sparse
from minitf.ops.array import identity
from minitf.ops.constants import constant, ones
from minitf.ops.group import group
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.registry import interpreter
from minitf.train.optimizer import Optimizer


class GradientDescentOptimizer(Optimizer):
    """var -= learning_rate * gradient."""

    def __init__(self, learning_rate: Any, use_locking: bool = False, name: str = "GradientDescent"):
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._tensor(self._learning_rate, "learning_rate")

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        return training.apply_gradient_descent(
            var, *self._like(var, self._learning_rate_tensor), grad, use_locking=self._use_locking
        )

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        return training_sparse.sparse_apply_gradient_descent(
            var, *self._like(var, self._learning_rate_tensor), grad, indices
        )


class ProximalGradientDescentOptimizer(GradientDescentOptimizer):
    """Gradient descent with l1 and l2 regularisation by the proximal operator.

    See Duchi and Singer 2009, https://jmlr.org/papers/v10/duchi09a.html.
    """

    def __init__(
        self,
        learning_rate: Any,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalGradientDescent",
    ):
        super().__init__(learning_rate, use_locking, name)
        self._strengths = l1_regularization_strength, l2_regularization_strength

    def _prepare(self) -> None:
        super()._prepare()
        self._l1 = self._tensor(self._strengths[0], "l1_regularization_strength")
        self._l2 = self._tensor(self._strengths[1], "l2_regularization_strength")

    def _settings(self, var: Variable) -> list[Tensor]:
        return self._like(var, self._learning_rate_tensor, self._l1, self._l2)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        return training.apply_proximal_gradient_descent(var, *self._settings(var), grad)

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        return training_sparse.sparse_apply_proximal_gradient_descent(
            var, *self._settings(var), grad, indices
        )


class MomentumOptimizer(Optimizer):
    """Gradient descent with momentum, Nesterov's if `use_nesterov`."""

    def __init__(
        self,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "Momentum",
        use_nesterov: bool = False,
    ):
        super().__init__(use_locking, name)
        self._learning_rate, self._momentum = learning_rate, momentum
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list: list[Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "momentum")

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._tensor(self._learning_rate, "learning_rate")
        self._momentum_tensor = self._tensor(self._momentum, "momentum")

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        rate, momentum = self._like(var, self._learning_rate_tensor, self._momentum_tensor)
        return training.apply_momentum(
            var, self.get_slot(var, "momentum"), rate, grad, momentum, use_nesterov=self._use_nesterov
        )

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        rate, momentum = self._like(var, self._learning_rate_tensor, self._momentum_tensor)
        return training_sparse.sparse_apply_momentum(
            var, self.get_slot(var, "momentum"), rate, grad, momentum, indices,
            use_nesterov=self._use_nesterov,
        )  # fmt: skip


class AdagradOptimizer(Optimizer):
    """Adagrad (Duchi et al. 2011): each weight's rate falls with the gradients that it has had."""

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        use_locking: bool = False,
        name: str = "Adagrad",
    ):
        if initial_accumulator_value <= 0.0:
            raise ValueError(f"initial_accumulator_value must be positive: {initial_accumulator_value}")
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._initial = initial_accumulator_value

    def _create_slots(self, var_list: list[Variable]) -> None:
        for var in var_list:
            self._slot(
                var, lambda var=var: constant(self._initial, var.dtype.base_dtype, var.shape), "accumulator"
            )

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._tensor(self._learning_rate, "learning_rate")

    def _settings(self, var: Variable) -> list[Tensor]:
        return self._like(var, self._learning_rate_tensor)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        slot = self.get_slot(var, "accumulator")
        return training.apply_adagrad(var, slot, *self._settings(var), grad)

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        slot = self.get_slot(var, "accumulator")
        return training_sparse.sparse_apply_adagrad(var, slot, *self._settings(var), grad, indices)


class ProximalAdagradOptimizer(AdagradOptimizer):
    """Adagrad with l1 and l2 regularisation by the proximal operator."""

    def __init__(
        self,
        learning_rate: Any,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "ProximalAdagrad",
    ):
        super().__init__(learning_rate, initial_accumulator_value, use_locking, name)
        self._strengths = l1_regularization_strength, l2_regularization_strength

    def _prepare(self) -> None:
        super()._prepare()
        self._l1 = self._tensor(self._strengths[0], "l1_regularization_strength")
        self._l2 = self._tensor(self._strengths[1], "l2_regularization_strength")

    def _settings(self, var: Variable) -> list[Tensor]:
        return self._like(var, self._learning_rate_tensor, self._l1, self._l2)

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        slot = self.get_slot(var, "accumulator")
        return training.apply_proximal_adagrad(var, slot, *self._settings(var), grad)

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        slot = self.get_slot(var, "accumulator")
        return training_sparse.sparse_apply_proximal_adagrad(var, slot, *self._settings(var), grad, indices)


class AdagradDAOptimizer(Optimizer):
    """Adagrad by dual averaging, for sparse linear models; `global_step` counts the steps from 1."""

    def __init__(
        self,
        learning_rate: Any,
        global_step: Any,
        initial_gradient_squared_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "AdagradDA",
    ):
        if initial_gradient_squared_accumulator_value <= 0.0:
            raise ValueError("initial_gradient_squared_accumulator_value must be positive")
        super().__init__(use_locking, name)
        self._learning_rate = learning_rate
        self._step = global_step
        self._initial = initial_gradient_squared_accumulator_value
        self._strengths = l1_regularization_strength, l2_regularization_strength

    def _create_slots(self, var_list: list[Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "gradient_accumulator", f"{self._name}/gradient_accumulator")
            self._slot(
                var,
                lambda var=var: constant(self._initial, var.dtype.base_dtype, var.shape),
                "gradient_squared_accumulator",
                f"{self._name}/gradient_squared_accumulator",
            )

    def _prepare(self) -> None:
        self._learning_rate_tensor = self._tensor(self._learning_rate, "learning_rate")
        with interpreter().control_dependencies([]):
            self._step_tensor = identity(self._step) + constant(1, self._step.dtype.base_dtype)

    def _arguments(self, var: Variable) -> list[Any]:
        slots = [self.get_slot(var, n) for n in ("gradient_accumulator", "gradient_squared_accumulator")]
        dtype = var.dtype.base_dtype
        l1, l2 = (constant(strength, dtype) for strength in self._strengths)
        return [*slots, *self._like(var, self._learning_rate_tensor), l1, l2, self._step_tensor]

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        accumulator, squares, *settings = self._arguments(var)
        return training.apply_adagrad_da(var, accumulator, squares, grad, *settings)

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        accumulator, squares, *settings = self._arguments(var)
        return training_sparse.sparse_apply_adagrad_da(var, accumulator, squares, grad, *settings, indices)


class AdadeltaOptimizer(Optimizer):
    """Adadelta (Zeiler 2012): rates from running averages of gradients and of updates."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-8,
        use_locking: bool = False,
        name: str = "Adadelta",
    ):
        super().__init__(use_locking, name)
        self._settings = learning_rate, rho, epsilon

    def _create_slots(self, var_list: list[Variable]) -> None:
        for var in var_list:
            self._zeros_slot(var, "accum")
            self._zeros_slot(var, "accum_update")

    def _prepare(self) -> None:
        names = ("lr", "rho", "epsilon")
        self._tensors = [self._tensor(v, n) for v, n in zip(self._settings, names, strict=True)]

    def _arguments(self, var: Variable) -> list[Any]:
        slots = [self.get_slot(var, "accum"), self.get_slot(var, "accum_update")]
        return [var, *slots, *self._like(var, *self._tensors)]

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        return training.apply_adadelta(*self._arguments(var), grad)

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        return training_sparse.sparse_apply_adadelta(*self._arguments(var), grad, indices)


class AdamOptimizer(Optimizer):
    """Adam (Kingma and Ba 2015): steps from running averages of the gradient and of its square.

    As in TensorFlow, epsilon is the "epsilon hat" of the paper's last remark in section 2.1.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "Adam",
    ):
        super().__init__(use_locking, name)
        self._settings = learning_rate, beta1, beta2, epsilon

    def _create_slots(self, var_list: list[Variable]) -> None:
        for name, beta in (("beta1_power", self._settings[1]), ("beta2_power", self._settings[2])):
            # float32 as in TensorFlow, whatever the variables are.
            self._non_slot(beta() if callable(beta) else beta, name, dtypes.float32)
        for var in var_list:
            self._zeros_slot(var, "m")
            self._zeros_slot(var, "v")

    def _prepare(self) -> None:
        names = ("learning_rate", "beta1", "beta2", "epsilon")
        self._tensors = [self._tensor(v, n) for v, n in zip(self._settings, names, strict=True)]

    def _get_beta_accumulators(self) -> tuple[Variable, Variable]:
        return self._get_non_slot("beta1_power"), self._get_non_slot("beta2_power")

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        powers = self._like(var, *(power.value() for power in self._get_beta_accumulators()))
        slots = [self.get_slot(var, "m"), self.get_slot(var, "v")]
        return training.apply_adam(var, *slots, *powers, *self._like(var, *self._tensors), grad)

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Any:
        # TensorFlow lets the averages of untouched rows decay too: what the dense rule does.
        return self._apply_dense(interpreter().convert(grad, None), var)

    def _finish(self, update_ops: list[Operation], name: str) -> Operation:
        with interpreter().control_dependencies(update_ops):
            powers = [
                power.assign(power * beta).op
                for power, beta in zip(self._get_beta_accumulators(), self._tensors[1:3], strict=True)
            ]
        return group(*update_ops, *powers, name=name)


class RMSPropOptimizer(Optimizer):
    """RMSProp (Tieleman and Hinton 2012), by the variance of the gradient if `centered`."""

    def __init__(
        self,
        learning_rate: Any,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        name: str = "RMSProp",
    ):
        super().__init__(use_locking, name)
        self._settings = learning_rate, decay, momentum, epsilon
        self._centered = centered

    def _create_slots(self, var_list: list[Variable]) -> None:
        for var in var_list:
            self._slot(var, lambda var=var: ones(var.shape, var.dtype.base_dtype), "rms")
            if self._centered:
                self._zeros_slot(var, "mg")
            self._zeros_slot(var, "momentum")

    def _prepare(self) -> None:
        names = ("learning_rate", "decay", "momentum", "epsilon")
        self._tensors = [self._tensor(v, n) for v, n in zip(self._settings, names, strict=True)]

    def _arguments(self, var: Variable) -> list[Any]:
        names = ["mg"] * self._centered + ["rms", "momentum"]
        slots = [self.get_slot(var, name) for name in names]
        return [var, *slots, *self._like(var, *self._tensors)]

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        rule = training.apply_centered_rmsprop if self._centered else training.apply_rmsprop
        return rule(*self._arguments(var), grad)

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        rules = training_sparse
        rule = rules.sparse_apply_centered_rmsprop if self._centered else rules.sparse_apply_rmsprop
        return rule(*self._arguments(var), grad, indices)


class FtrlOptimizer(Optimizer):
    """FTRL-proximal (McMahan et al. 2013), with the l2 shrinkage of TensorFlow's own documentation."""

    def __init__(
        self,
        learning_rate: Any,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        use_locking: bool = False,
        name: str = "Ftrl",
        accum_name: str | None = None,
        linear_name: str | None = None,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float | None = None,
    ):
        super().__init__(use_locking, name)
        for value, argument in (
            (initial_accumulator_value, "initial_accumulator_value"),
            (l1_regularization_strength, "l1_regularization_strength"),
            (l2_regularization_strength, "l2_regularization_strength"),
            (l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength"),
        ):
            if value < 0.0:
                raise ValueError(f"{argument} {value} needs to be positive or zero")
        if learning_rate_power > 0.0:
            raise ValueError(f"learning_rate_power {learning_rate_power} needs to be negative or zero")
        self._initial = initial_accumulator_value
        self._settings = {
            "learning_rate": learning_rate,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "learning_rate_power": learning_rate_power,
        }
        self._beta = beta or 0.0
        self._slot_names = accum_name, linear_name

    def _create_slots(self, var_list: list[Variable]) -> None:
        for var in var_list:
            dtype = var.dtype.base_dtype
            self._slot(
                var, lambda var=var, d=dtype: constant(self._initial, d, var.shape), "accum",
                self._slot_names[0],
            )  # fmt: skip
            self._zeros_slot(var, "linear", self._slot_names[1])

    def _prepare(self) -> None:
        rate, l1, l2, shrinkage, power = (self._tensor(v, name) for name, v in self._settings.items())
        if self._beta:  # it adds a constant to the rate's denominator, which is the same as more l2
            l2 = l2 + self._beta / (2.0 * rate)
        self._tensors = [rate, l1, l2, shrinkage, power]

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        slots = [self.get_slot(var, "accum"), self.get_slot(var, "linear")]
        return training.apply_ftrl(var, *slots, grad, *self._like(var, *self._tensors))

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        slots = [self.get_slot(var, "accum"), self.get_slot(var, "linear")]
        return training_sparse.sparse_apply_ftrl(var, *slots, grad, *self._like(var, *self._tensors), indices)
