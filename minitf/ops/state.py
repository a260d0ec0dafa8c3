"""Variables as ops: reading and assigning. Their values live in the Session, never on a node."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import SCALAR, TensorShape
from minitf.ops import shape_rules
from minitf.ops.registry import Anything, Attr, Handle, Mixed, Numeric, Ref, Slot, not_differentiable, op


def _declared_shape(*, shape, dtype):
    return shape


@op("VariableV2", shape=_declared_shape, stateful=True, is_variable=True, default_name="Variable")
def variable(*, shape, dtype) -> Attr("dtype"):
    """A variable's storage, by reference. The step plan binds it to the Session's array."""
    raise AssertionError("a variable is read by the step plan itself")


def _stored_shape(*, storage, dtype):
    return storage.shape


@op("VarHandleOp", shape=_stored_shape, stateful=True, is_variable=True)
def shared_variable(*, storage, dtype) -> Attr("dtype"):
    """A variable whose `storage` is its own, the same in every session and in eager mode."""
    raise AssertionError("a variable is read by the step plan itself")


def _assigned(ref, value, *, validate_shape=True, use_locking=True):
    return shape_rules.merge(ref.shape, value.shape) if validate_shape else value.shape


def _other_shape(ref, value, **_attrs):
    return (
        f"Assign requires shapes of both tensors to match. lhs shape= {ref.shape.brackets()} "
        f"rhs shape= {TensorShape(value.shape).brackets()}"
    )


@op("Assign", shape=_assigned, bad_shapes=_other_shape)
def assign_kernel(ref: Slot(Anything), value: Anything, *, validate_shape=True, use_locking=True) -> Ref(
    Anything
):
    """Sets a variable (initialised or not) to `value`."""
    current = ref.value
    if current is not None and current.shape == np.shape(value):
        np.copyto(current, value)
    else:
        if validate_shape and not ref.shape.is_compatible_with(np.shape(value)):
            raise ValueError(_other_shape(ref, np.asarray(value)))
        ref.value = np.array(value)
    return ref.value


def _merged(ref, value, *, use_locking=False):
    return shape_rules.merge(ref.shape, value.shape)


@op("AssignAdd", shape=_merged)
def assign_add_kernel(ref: Ref(Numeric), value: Numeric, *, use_locking=False) -> Ref(Numeric):
    """Adds `value` to a variable in place."""
    return np.add(ref, value, ref)


@op("AssignSub", shape=_merged)
def assign_sub_kernel(ref: Ref(Numeric), value: Numeric, *, use_locking=False) -> Ref(Numeric):
    """Subtracts `value` from a variable in place."""
    return np.subtract(ref, value, ref)


@op("IsVariableInitialized", shape=lambda ref: SCALAR)
def is_variable_initialized(ref: Handle(Mixed)) -> dtypes.bool:
    """Whether a variable has a value."""
    return np.bool_(ref.value is not None)


not_differentiable(
    variable, shared_variable, assign_kernel, assign_add_kernel, assign_sub_kernel, is_variable_initialized
)


def assign(
    ref: Any,
    value: Any,
    validate_shape: bool | None = None,
    use_locking: bool | None = None,
    name: str | None = None,
) -> Any:
    """Sets a variable to `value`; the result is the variable's new value.

    Raises ValueError when the shapes differ, unless `validate_shape` is False.
    """  # fmt: skip
    checked = True if validate_shape is None else validate_shape
    if hasattr(ref, "_ref"):
        return assign_kernel(ref, value, validate_shape=checked, name=name)
    return ref.assign(value, name=name)


def assign_add(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Adds `value` to a variable; the result is its new value."""
    return assign_add_kernel(ref, value, use_locking=bool(use_locking), name=name)


def assign_sub(ref: Any, value: Any, use_locking: bool | None = None, name: str | None = None) -> Any:
    """Subtracts `value` from a variable; the result is its new value."""
    return assign_sub_kernel(ref, value, use_locking=bool(use_locking), name=name)
