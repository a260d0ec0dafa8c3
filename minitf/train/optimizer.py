"""`Optimizer`: gradients, slots, and the op that applies one step. The rules are in optimizers.py."""

from typing import Any

from minitf.framework.dtypes import DType
from minitf.graph.collections import GraphKeys
from minitf.graph.gradients import gradients
from minitf.graph.graph import get_default_graph
from minitf.graph.operation import Operation, Tensor
from minitf.graph.variables import Variable, trainable_variables
from minitf.ops.array import cast
from minitf.ops.constants import zeros
from minitf.ops.group import group
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.registry import interpreter, name_scope
from minitf.ops.segment import unsorted_segment_sum


class Optimizer:
    """Base of all optimizers.

    A subclass says which slots it keeps (`_create_slots`), turns its settings into tensors (`_prepare`) and
    applies one gradient (`_apply_dense`, `_apply_sparse`).
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    def __init__(self, use_locking: bool, name: str) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots: dict[str, dict[Variable, Variable]] = {}
        self._non_slots: dict[Any, Variable] = {}

    def get_name(self) -> str:
        """The optimizer's name."""
        return self._name

    def minimize(
        self,
        loss: Tensor,
        global_step: Variable | None = None,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Tensor | None = None,
    ) -> Operation:
        """An op that changes `var_list` (default: all trainable variables) so that `loss` falls.

        It adds one to `global_step` if there is one. `grad_loss` weighs the loss's elements.
        `gate_gradients`, `aggregation_method` and `colocate_gradients_with_ops` tune TensorFlow's scheduling;
        a step plan computes all gradients before it changes a variable in any case.

        Raises ValueError when no variable has a gradient.
        """
        pairs = self.compute_gradients(
            loss, var_list, gate_gradients, aggregation_method, colocate_gradients_with_ops, grad_loss
        )
        variables = [v for g, v in pairs if g is not None]
        if not variables:
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support "
                f"gradients, between variables {[str(v) for _, v in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss: Tensor,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Tensor | None = None,
    ) -> list[tuple[Any, Variable]]:
        """Pairs of gradient (None if the loss does not depend on it) and variable; see `minimize`."""
        if gate_gradients not in (self.GATE_NONE, self.GATE_OP, self.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, "
                f"Optimizer.GATE_GRAPH. Not {gate_gradients}"
            )
        if callable(loss) and not isinstance(loss, Tensor):
            raise NotImplementedError("Optimizer.minimize: a callable loss needs eager execution")
        if not loss.dtype.base_dtype.is_floating:
            raise ValueError(f"Invalid type {loss.dtype!r} for {loss.name}, expected: floating types.")
        if var_list is None:
            var_list = trainable_variables()
        var_list = list(var_list) if isinstance(var_list, list | tuple) else [var_list]
        for variable in var_list:
            if not isinstance(variable, Variable):
                raise TypeError(f"Argument is not a variable: {variable}")
        if not var_list:
            raise ValueError("No variables to optimize.")
        grads = gradients(loss, var_list, grad_loss)
        return list(zip(grads, var_list, strict=True))

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Variable | None = None, name: str | None = None
    ) -> Operation:
        """An op that changes the variables by the given gradients; see `minimize`.

        Raises ValueError when there is no gradient at all.
        """
        pairs = list(grads_and_vars)
        if not pairs:
            raise ValueError("No variables provided.")
        for grad, variable in pairs:
            if not isinstance(variable, Variable):
                raise TypeError(f"Variable must be a tf.Variable: {variable}")
            if grad is not None and not isinstance(grad, Tensor | IndexedSlices):
                raise TypeError(f"Gradient must be a Tensor, IndexedSlices, or None: {grad}")
        used = [(g, v) for g, v in pairs if g is not None]
        if not used:
            raise ValueError(f"No gradients provided for any variable: {[str(v) for _, v in pairs]}.")
        graph = get_default_graph()
        with graph.control_dependencies(None):
            self._create_slots([v for _, v in used])
        with name_scope(name, self._name) as scope:
            self._prepare()
            updates = [self._update(grad, variable) for grad, variable in used]
            if global_step is None:
                step = self._finish(updates, scope)
            else:
                with graph.control_dependencies([self._finish(updates, "update")]):
                    step = global_step.assign_add(1, name=scope).op
        if step not in graph.get_collection_ref(GraphKeys.TRAIN_OP):
            graph.add_to_collection(GraphKeys.TRAIN_OP, step)
        return step

    def _update(self, grad: Any, variable: Variable) -> Operation:
        with name_scope("update_" + variable.op.name):
            if isinstance(grad, IndexedSlices):
                if variable.constraint is not None:
                    raise RuntimeError("Cannot use a constraint function on a sparse variable.")
                update = self._apply_sparse(grad, variable)
            else:
                update = self._apply_dense(grad, variable)
            operation = update if isinstance(update, Operation) else update.op
            if variable.constraint is None:
                return operation
            with interpreter().control_dependencies([operation]):
                return variable.assign(variable.constraint(variable.read_value())).op

    # --- slots ---------------------------------------------------------------------------------------

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """The slot `name` that was made for `var`, or None."""
        return self._slots.get(name, {}).get(var)

    def get_slot_names(self) -> list[str]:
        """The names of this optimizer's slots."""
        return sorted(self._slots)

    def variables(self) -> list[Variable]:
        """All slots and other state, sorted by name."""
        state = [*self._non_slots.values(), *(v for named in self._slots.values() for v in named.values())]
        return sorted(state, key=lambda v: v.name)

    def _slot(self, var: Variable, initial: Any, name: str, op_name: str | None = None) -> Variable:
        """The slot `name` of `var`, made if need be; `initial` is a function that makes its first value."""
        named = self._slots.setdefault(name, {})
        if var not in named:
            with name_scope(None):  # slots are named after their variable, wherever they are made
                named[var] = Variable(
                    initial, trainable=False, name=f"{var.op.name}/{op_name or self._name}",
                    dtype=var.dtype.base_dtype,
                )  # fmt: skip
        return named[var]

    def _zeros_slot(self, var: Variable, name: str, op_name: str | None = None) -> Variable:
        return self._slot(var, lambda: zeros(var.shape, var.dtype.base_dtype), name, op_name)

    def _non_slot(self, initial_value: float, name: str, dtype: DType) -> Variable:
        """State that belongs to no variable in particular, one for each graph."""
        key = (name, get_default_graph())
        if key not in self._non_slots:
            self._non_slots[key] = Variable(initial_value, name=name, trainable=False, dtype=dtype)
        return self._non_slots[key]

    def _get_non_slot(self, name: str) -> Variable:
        return self._non_slots[name, get_default_graph()]

    # --- for subclasses ------------------------------------------------------------------------------

    def _create_slots(self, var_list: list[Variable]) -> None:
        """Makes the slots; called once for every `apply_gradients`. None are needed by default."""

    def _prepare(self) -> None:
        """Turns settings into tensors; called once for every `apply_gradients`."""

    def _apply_dense(self, grad: Tensor, var: Variable) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no rule for dense gradients")

    def _apply_sparse(self, grad: IndexedSlices, var: Variable) -> Any:
        """Sums the rows that occur several times and applies `_apply_rows`."""
        from minitf.ops.unique import unique

        rows, positions = unique(grad.indices)
        return self._apply_rows(unsorted_segment_sum(grad.values, positions, _count(rows)), var, rows)

    def _apply_rows(self, grad: Tensor, var: Variable, indices: Tensor) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no rule for sparse gradients")

    def _finish(self, update_ops: list[Operation], name: str) -> Operation:
        return group(*update_ops, name=name)

    @staticmethod
    def _tensor(value: Any, name: str) -> Tensor:
        value = value() if callable(value) and not isinstance(value, Tensor | Variable) else value
        return interpreter().convert(value, None, None, name)

    @staticmethod
    def _like(var: Variable, *settings: Tensor) -> list[Tensor]:
        """Settings cast to the variable's dtype."""
        return [cast(setting, var.dtype.base_dtype) for setting in settings]


def _count(rows: Tensor) -> Tensor:
    from minitf.ops.array import shape

    return shape(rows)[0]
