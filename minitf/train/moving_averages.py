"""Moving averages of variables and tensors."""

from collections.abc import Callable
from typing import Any

from minitf.framework import dtypes
from minitf.graph.collections import GraphKeys
from minitf.graph.graph import get_default_graph
from minitf.graph.operation import Operation
from minitf.graph.variables import Variable, moving_average_variables, trainable_variables
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.constants import constant, zeros
from minitf.ops.group import group
from minitf.ops.registry import interpreter, name_scope


def assign_moving_average(
    variable: Variable, value: Any, decay: Any, zero_debias: bool = True, name: str | None = None
) -> Any:
    """variable -= (1 - decay) * (variable - value); the result is the new value.

    With `zero_debias`, the average is corrected for starting at zero (https://arxiv.org/abs/1412.6980,
    section 3), with two more variables: the biased average and the count of updates.
    """
    with name_scope(name, "AssignMovingAvg") as scope:
        dtype = variable.dtype.base_dtype
        keep = cast(interpreter().convert(decay, None, None, "decay"), dtype)
        rate = constant(1.0, dtype) - keep
        if not zero_debias:
            return variable.assign_sub((variable.value() - value) * rate, name=scope)
        biased, local_step = _debias_variables(variable)
        new_biased = biased.assign_sub((biased.value() - value) * rate)
        new_step = local_step.assign_add(1.0)
        unbiased = new_biased / (constant(1.0, dtype) - math.pow(constant(1.0, dtype) - rate, new_step))
        return variable.assign(unbiased, name=scope)


def _debias_variables(variable: Variable) -> tuple[Variable, Variable]:
    name, dtype = variable.op.name, variable.dtype.base_dtype
    graph = get_default_graph()
    with graph.control_dependencies(None), graph.name_scope(None):
        biased = Variable(
            lambda: zeros(variable.shape, dtype), name=f"{name}/biased", trainable=False, dtype=dtype
        )
        step = Variable(lambda: zeros([], dtype), name=f"{name}/local_step", trainable=False, dtype=dtype)
    return biased, step


def weighted_moving_average(
    value: Any,
    decay: Any,
    weight: Any,
    truediv: bool = True,
    collections: Any = None,
    name: str | None = None,
) -> Any:
    """The moving average of value * weight over that of weight (rounded down unless `truediv`)."""
    with name_scope(name, "WeightedMovingAvg") as scope:
        value = interpreter().convert(value, None, None, "value")
        dtype = value.dtype.base_dtype
        averages = [
            Variable(
                lambda: zeros(value.shape, dtype),
                name=part,
                trainable=False,
                dtype=dtype,
                collections=collections or [GraphKeys.GLOBAL_VARIABLES],
            )
            for part in ("value", "weight")
        ]
        numerator = assign_moving_average(averages[0], value * weight, decay, zero_debias=False)
        denominator = assign_moving_average(averages[1], weight, decay, zero_debias=False)
        divide = math.truediv if truediv else math.div
        return divide(numerator, denominator, name=scope)


class ExponentialMovingAverage:
    """Keeps shadow variables: shadow = decay * shadow + (1 - decay) * variable.

    With `num_updates`, the decay is min(decay, (1 + num_updates) / (10 + num_updates)). Shadows of variables
    start at the variable's initial value, those of tensors at zero (`zero_debias` corrects for that).
    """

    def __init__(
        self,
        decay: Any,
        num_updates: Any = None,
        zero_debias: bool = False,
        name: str = "ExponentialMovingAverage",
    ) -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Variable] = {}

    @property
    def name(self) -> str:
        """The name that shadow variables end with."""
        return self._name

    def apply(self, var_list: Any = None) -> Operation:
        """An op that updates the shadows of `var_list` (default: the trainable variables).

        Raises TypeError for types that are not floating, ValueError for one that has a shadow already.
        """
        var_list = trainable_variables() if var_list is None else var_list
        graph = get_default_graph()
        for var in var_list:
            if var.dtype.base_dtype not in (dtypes.float16, dtypes.float32, dtypes.float64):
                raise TypeError(f"The variables must be half, float, or double: {var.name}")
            if var not in self._averages:
                self._averages[var] = self._shadow(graph, var)
        with graph.name_scope(self._name) as scope:
            decay = interpreter().convert(self._decay, dtypes.float32, None, "decay")
            if self._num_updates is not None:
                updates = cast(self._num_updates, dtypes.float32)
                one, ten = constant(1.0), constant(10.0)
                decay = math.minimum(decay, (one + updates) / (ten + updates))
            steps = [
                assign_moving_average(
                    self._averages[var],
                    # Read here: control dependencies on a training step must hold.
                    var.read_value() if isinstance(var, Variable) else var,
                    decay,
                    zero_debias=self._zero_debias and not isinstance(var, Variable),
                )
                for var in var_list
            ]
            return group(*steps, name=scope)

    def _shadow(self, graph: Any, var: Any) -> Variable:
        dtype = var.dtype.base_dtype
        initial: Callable
        if isinstance(var, Variable):
            initial = var.initialized_value
        else:

            def initial():
                return zeros(var.shape, dtype)

        with graph.control_dependencies(None), graph.name_scope(None):
            shadow = Variable(
                initial,
                name=f"{var.op.name}/{self._name}",
                trainable=False,
                dtype=dtype,
            )
        if isinstance(var, Variable):
            graph.add_to_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, var)
        return shadow

    def average(self, var: Any) -> Variable | None:
        """The shadow variable of `var`, or None."""
        return self._averages.get(var)

    def average_name(self, var: Any) -> str:
        """The name of the shadow variable of `var`, whether it exists already or not."""
        shadow = self._averages.get(var)
        if shadow is not None:
            return shadow.op.name
        return get_default_graph().unique_name(f"{var.op.name}/{self._name}", mark_as_used=False)

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Variable]:
        """Names to restore from: a shadow's name for each averaged variable, its own for the rest."""
        averaged = moving_avg_variables
        if averaged is None:
            averaged = trainable_variables() + moving_average_variables()
        result = {self.average_name(v): v for v in dict.fromkeys(averaged)}
        shadows = set(result)
        for v in dict.fromkeys(get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES)):
            if v not in averaged and v.op.name not in shadows:
                result[v.op.name] = v
        return result
