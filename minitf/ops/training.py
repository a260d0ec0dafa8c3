"""Optimizer steps as ops: each changes a variable and its slots in place and returns the variable.

`Apply…` takes a dense gradient; `ScatterUpdateRule` and its kin for sparse ones are in training_sparse.py.
"""

import numpy as np

from minitf.kernels import update
from minitf.ops.registry import Index, Numeric, Ref, not_differentiable, op
from minitf.ops.shape_rules import merge

Variable = Ref(Numeric)


def _same(var, *others, **_attrs):
    """Slots and gradient have the variable's shape; scalars are scalars."""
    return merge(var.shape, *[x.shape for x in others if x.shape.rank != 0])


@op("ApplyGradientDescent", shape=_same)
def apply_gradient_descent(var: Variable, alpha: Numeric, delta: Numeric, *, use_locking=False) -> Variable:
    """var -= alpha * delta."""
    return update.gradient_descent(var, alpha, delta)


@op("ApplyProximalGradientDescent", shape=_same)
def apply_proximal_gradient_descent(
    var: Variable, alpha: Numeric, l1: Numeric, l2: Numeric, delta: Numeric, *, use_locking=False
) -> Variable:
    """A gradient step, then shrinkage by l1 and l2."""
    update.proximal_gradient_descent(var, alpha, l1, l2, delta)
    return var


@op("ApplyMomentum", shape=_same)
def apply_momentum(
    var: Variable,
    accum: Variable,
    lr: Numeric,
    grad: Numeric,
    momentum: Numeric,
    *,
    use_locking=False,
    use_nesterov=False,
) -> Variable:
    """A step with (Nesterov's) momentum."""
    rule = update.nesterov if use_nesterov else update.momentum
    return rule(var, accum, lr, grad, momentum)


@op("ApplyAdagrad", shape=_same)
def apply_adagrad(
    var: Variable, accum: Variable, lr: Numeric, grad: Numeric, *, use_locking=False
) -> Variable:
    """A step of Adagrad."""
    return update.adagrad(var, accum, lr, grad)


@op("ApplyAdagradV2", shape=_same)
def apply_adagrad_v2(
    var: Variable, accum: Variable, lr: Numeric, epsilon: Numeric, grad: Numeric, *, use_locking=False
) -> Variable:
    """A step of Adagrad, epsilon added to the root."""
    return update.adagrad_v2(var, accum, lr, epsilon, grad)


@op("ApplyProximalAdagrad", shape=_same)
def apply_proximal_adagrad(
    var: Variable,
    accum: Variable,
    lr: Numeric,
    l1: Numeric,
    l2: Numeric,
    grad: Numeric,
    *,
    use_locking=False,
) -> Variable:
    """A step of Adagrad, then shrinkage by l1 and l2."""
    update.proximal_adagrad(var, accum, lr, l1, l2, grad)
    return var


@op("ApplyAdagradDA", shape=lambda var, *rest, **attrs: _same(var, *rest[:3]))
def apply_adagrad_da(
    var: Variable,
    gradient_accumulator: Variable,
    gradient_squared_accumulator: Variable,
    grad: Numeric,
    lr: Numeric,
    l1: Numeric,
    l2: Numeric,
    global_step: Index,
    *,
    use_locking=False,
) -> Variable:
    """A step of Adagrad by dual averaging."""
    update.adagrad_da(var, gradient_accumulator, gradient_squared_accumulator, grad, lr, l1, l2, global_step)
    return var


@op("ApplyAdadelta", shape=_same)
def apply_adadelta(
    var: Variable,
    accum: Variable,
    accum_update: Variable,
    lr: Numeric,
    rho: Numeric,
    epsilon: Numeric,
    grad: Numeric,
    *,
    use_locking=False,
) -> Variable:
    """A step of Adadelta."""
    return update.adadelta(var, accum, accum_update, lr, rho, epsilon, grad)


@op("ApplyAdam", shape=_same)
def apply_adam(
    var: Variable,
    m: Variable,
    v: Variable,
    beta1_power: Numeric,
    beta2_power: Numeric,
    lr: Numeric,
    beta1: Numeric,
    beta2: Numeric,
    epsilon: Numeric,
    grad: Numeric,
    *,
    use_locking=False,
    use_nesterov=False,
) -> Variable:
    """A step of Adam; the powers are beta ** t of this step."""
    one = beta1_power.dtype.type(1)
    # As scalars, which NumPy is quicker with than with arrays of one number.
    alpha = lr[()] * np.sqrt(one - beta2_power[()]) / (one - beta1_power[()])
    rule = update.nadam if use_nesterov else update.adam
    return rule(var, m, v, alpha, beta1, beta2, epsilon, grad)


@op("ApplyAdaMax", shape=_same)
def apply_adamax(
    var: Variable,
    m: Variable,
    v: Variable,
    beta1_power: Numeric,
    lr: Numeric,
    beta1: Numeric,
    beta2: Numeric,
    epsilon: Numeric,
    grad: Numeric,
    *,
    use_locking=False,
) -> Variable:
    """A step of Adamax."""
    return update.adamax(var, m, v, lr / (1 - beta1_power), beta1, beta2, epsilon, grad)


@op("ApplyRMSProp", shape=_same)
def apply_rmsprop(
    var: Variable,
    ms: Variable,
    mom: Variable,
    lr: Numeric,
    rho: Numeric,
    momentum: Numeric,
    epsilon: Numeric,
    grad: Numeric,
    *,
    use_locking=False,
) -> Variable:
    """A step of RMSProp."""
    return update.rmsprop(var, ms, mom, lr, rho, momentum, epsilon, grad)


@op("ApplyPlainRMSProp", shape=_same)
def apply_plain_rmsprop(
    var: Variable, ms: Variable, lr: Numeric, rho: Numeric, epsilon: Numeric, grad: Numeric
) -> Variable:
    """A step of RMSProp without momentum, epsilon added to the root (Keras's rule)."""
    return update.plain_rmsprop(var, ms, lr, rho, epsilon, grad)


@op("ApplyCenteredRMSProp", shape=_same)
def apply_centered_rmsprop(
    var: Variable,
    mg: Variable,
    ms: Variable,
    mom: Variable,
    lr: Numeric,
    rho: Numeric,
    momentum: Numeric,
    epsilon: Numeric,
    grad: Numeric,
    *,
    use_locking=False,
) -> Variable:
    """A step of centred RMSProp."""
    return update.centered_rmsprop(var, mg, ms, mom, lr, rho, momentum, epsilon, grad)


@op("ApplyFtrlV2", shape=_same)
def apply_ftrl(
    var: Variable,
    accum: Variable,
    linear: Variable,
    grad: Numeric,
    lr: Numeric,
    l1: Numeric,
    l2: Numeric,
    l2_shrinkage: Numeric,
    lr_power: Numeric,
    *,
    use_locking=False,
    multiply_linear_by_lr=False,
) -> Variable:
    """A step of FTRL-proximal."""
    if multiply_linear_by_lr:
        raise NotImplementedError("ApplyFtrlV2: multiply_linear_by_lr=True is not supported")
    return update.ftrl(var, accum, linear, grad, lr, l1, l2, l2_shrinkage, lr_power)


not_differentiable(
    apply_gradient_descent,
    apply_proximal_gradient_descent,
    apply_momentum,
    apply_adagrad,
    apply_adagrad_v2,
    apply_proximal_adagrad,
    apply_adagrad_da,
    apply_adadelta,
    apply_adam,
    apply_adamax,
    apply_rmsprop,
    apply_plain_rmsprop,
    apply_centered_rmsprop,
    apply_ftrl,
)
