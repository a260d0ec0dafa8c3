"""Learning rates that follow the global step, as tensors.

Formulas: https://www.tensorflow.org/api_docs/python/tf/compat/v1/train (…_decay).
"""

import math as pymath
from typing import Any

from minitf.framework import dtypes
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.constants import constant
from minitf.ops.registry import interpreter, name_scope
from minitf.ops.select import where


def _setup(learning_rate: Any, global_step: Any, *settings: Any) -> list[Any]:
    """The rate as a tensor, and the step and settings as tensors of its dtype."""
    if global_step is None:
        raise ValueError("global_step is required for learning rate decay.")
    convert = interpreter().convert
    rate = convert(learning_rate, None, None, "learning_rate")
    dtype = rate.dtype.base_dtype
    step = cast(convert(global_step, None, None, "global_step"), dtype)
    return [rate, step, *[cast(convert(s, None), dtype) for s in settings]]


def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """learning_rate * decay_rate ** (global_step / decay_steps), the exponent floored if `staircase`."""
    with name_scope(name, "ExponentialDecay") as scope:
        rate, step, steps, factor = _setup(learning_rate, global_step, decay_steps, decay_rate)
        exponent = math.truediv(step, steps)
        if staircase:
            exponent = math.floor(exponent)
        return math.multiply(rate, math.pow(factor, exponent), name=scope)


def piecewise_constant(x: Any, boundaries: list[Any], values: list[Any], name: str | None = None) -> Any:
    """values[0] up to boundaries[0], values[i] beyond boundaries[i - 1].

    Raises ValueError when boundaries are not one fewer than values, or dtypes cannot be compared.
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    with name_scope(name, "PiecewiseConstant"):
        convert = interpreter().convert
        x = convert(x, None)
        edges = [convert(b, None, x.dtype.base_dtype) for b in boundaries]
        for i, edge in enumerate(edges):
            if edge.dtype.base_dtype == x.dtype.base_dtype:
                continue
            if edge.dtype.base_dtype != dtypes.int32 or x.dtype.base_dtype != dtypes.int64:
                raise ValueError(f"Boundaries ({edge.dtype}) must have the same dtype as x ({x.dtype}).")
            edges[i] = cast(edge, x.dtype.base_dtype)
        result = convert(values[0], None)
        for edge, value in zip(edges, values[1:], strict=True):
            value = convert(value, None)
            if value.dtype.base_dtype != result.dtype.base_dtype:
                raise ValueError(
                    f"Values must have elements all with the same dtype ({value.dtype} vs {result.dtype})."
                )
            result = where(math.greater(x, edge), value, result)
        return result


def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Any:
    """From learning_rate to end_learning_rate over `decay_steps`, along (1 - step/decay_steps) ** power.

    With `cycle`, decay_steps grows to its next multiple above the step.
    """
    with name_scope(name, "PolynomialDecay") as scope:
        rate, step, steps, end, power = _setup(
            learning_rate, global_step, decay_steps, end_learning_rate, power
        )
        if cycle:
            one = constant(1.0, rate.dtype)
            times = where(math.equal(step, constant(0.0, rate.dtype)), one, math.ceil(step / steps))
            steps = steps * times
        else:
            step = math.minimum(step, steps)
        left = math.subtract(constant(1.0, rate.dtype), math.truediv(step, steps))
        return math.add(math.multiply(rate - end, math.pow(left, power)), end, name=scope)


def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """learning_rate * exp(-decay_rate * global_step / decay_steps), the quotient floored if `staircase`."""
    with name_scope(name, "ExponentialTimeDecay") as scope:
        rate, step, steps, factor = _setup(learning_rate, global_step, decay_steps, decay_rate)
        exponent = math.truediv(step, steps)
        if staircase:
            exponent = math.floor(exponent)
        return math.multiply(rate, math.exp(-factor * exponent), name=scope)


def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Any:
    """learning_rate / (1 + decay_rate * global_step / decay_steps), the quotient floored if `staircase`."""
    with name_scope(name, "InverseTimeDecay") as scope:
        rate, step, steps, factor = _setup(learning_rate, global_step, decay_steps, decay_rate)
        quotient = math.truediv(step, steps)
        if staircase:
            quotient = math.floor(quotient)
        return math.truediv(rate, constant(1.0, rate.dtype) + factor * quotient, name=scope)


def _half_cosine(fraction: Any) -> Any:
    dtype = fraction.dtype
    return constant(0.5, dtype) * (constant(1.0, dtype) + math.cos(constant(pymath.pi, dtype) * fraction))


def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: float = 0.0, name: str | None = None
) -> Any:
    """Half a cosine from learning_rate to alpha * learning_rate (https://arxiv.org/abs/1608.03983)."""
    with name_scope(name, "CosineDecay"):
        rate, step, steps = _setup(learning_rate, global_step, decay_steps)
        fraction = math.truediv(math.minimum(step, steps), steps)
        dtype = rate.dtype
        decayed = constant(1.0 - alpha, dtype) * _half_cosine(fraction) + constant(alpha, dtype)
        return math.multiply(rate, decayed)


def cosine_decay_restarts(
    learning_rate: Any,
    global_step: Any,
    first_decay_steps: Any,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
    name: str | None = None,
) -> Any:
    """`cosine_decay` that starts again, each time `t_mul` as long and from `m_mul` of the rate (SGDR)."""
    with name_scope(name, "SGDRDecay") as scope:
        rate, step, first, t, m, alpha = _setup(
            learning_rate, global_step, first_decay_steps, t_mul, m_mul, alpha
        )
        dtype = rate.dtype
        one = constant(1.0, dtype)
        completed = math.truediv(step, first)
        if t_mul == 1.0:
            restarts = math.floor(completed)
            fraction = completed - restarts
        else:
            restarts = math.floor(math.log(one - completed * (one - t)) / math.log(t))
            passed = (one - math.pow(t, restarts)) / (one - t)
            fraction = (completed - passed) / math.pow(t, restarts)
        decayed = (one - alpha) * math.pow(m, restarts) * _half_cosine(fraction) + alpha
        return math.multiply(rate, decayed, name=scope)


def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Any:
    """A linear decay times a cosine (https://arxiv.org/abs/1709.07417)."""
    with name_scope(name, "LinearCosineDecay") as scope:
        rate, step, steps, periods, alpha, beta = _setup(
            learning_rate, global_step, decay_steps, num_periods, alpha, beta
        )
        step = math.minimum(step, steps)
        fraction = math.truediv(step, steps)
        linear = constant(1.0, rate.dtype) - fraction
        cosine = _half_cosine(constant(2.0, rate.dtype) * periods * fraction)
        return math.multiply(rate, (alpha + linear) * cosine + beta, name=scope)


def noisy_linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    initial_variance: float = 1.0,
    variance_decay: float = 0.55,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Any:
    """`linear_cosine_decay` with noise of falling variance added to the linear part."""
    from minitf.ops.random import random_normal

    with name_scope(name, "NoisyLinearCosineDecay") as scope:
        rate, step, steps, variance, falling, periods, alpha, beta = _setup(
            learning_rate, global_step, decay_steps, initial_variance, variance_decay, num_periods,
            alpha, beta,
        )  # fmt: skip
        one = constant(1.0, rate.dtype)
        step = math.minimum(step, steps)
        deviation = math.sqrt(variance / math.pow(one + step, falling))
        noise = random_normal(step.shape, dtype=rate.dtype) * deviation
        fraction = math.truediv(step, steps)
        cosine = _half_cosine(constant(2.0, rate.dtype) * periods * fraction)
        return math.multiply(rate, (alpha + (one - fraction) + noise) * cosine + beta, name=scope)
