"""TF2's `tf.Variable`: a variable that holds its value, in eager mode and in traced functions."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minitf.eager.tensor import TensorReference, shown
from minitf.framework.shapes import PlainTensorShape
from minitf.ops import state
from minitf.ops.arrays import to_array
from minitf.ops.registry import Symbol, interpreter
from minitf.runtime.shared_variable import SharedVariable


class Variable(SharedVariable):
    """A tensor that can be changed in place.

    `initial_value` is a tensor, something that becomes one, or a function without arguments that makes one.
    Gradient tapes watch trainable ones (by default, those are all). `shape` may leave sizes open.
    `caching_device`, `synchronization` and `aggregation` place values on several devices; here there is one.

    Raises ValueError when there is no initial value.
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: str | None = None,
        constraint: Callable | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        if variable_def is not None or import_scope is not None:
            raise NotImplementedError("tf.Variable: variable_def and import_scope are not supported")
        if initial_value is None:
            raise ValueError(
                "The `initial_value` arg to `tf.Variable` must be specified except when you are not "
                "providing a `variable_def`. You provided neither."
            )
        current = interpreter()
        if isinstance(initial_value, Symbol) and current.building_function:
            raise ValueError(
                "Tensor-typed variable initializers must either be wrapped in an init_scope or callable "
                "(e.g., `tf.Variable(lambda : tf.truncated_normal([10, 40]))`) when building functions."
            )
        scope = current.get_name_scope()
        super().__init__(
            initial_value,
            trainable=True if trainable is None else trainable,
            name=f"{scope}/{name or 'Variable'}" if scope else name,
            dtype=dtype,
            constraint=constraint,
            shape=PlainTensorShape(None) if shape is None and not validate_shape else shape,
        )

    @property
    def shape(self) -> PlainTensorShape:
        """The shape."""
        return PlainTensorShape(self._storage.shape)

    def numpy(self) -> Any:
        """A copy of the value."""
        return np.array(self._storage.value)[()]

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Sets the variable to `value`, and returns it. Raises ValueError for another shape."""
        current = interpreter()
        value = current.convert(value, self.dtype, None, "value")
        if not self._storage.shape.is_compatible_with(value.shape):
            raise ValueError(
                f"Cannot assign value to variable ' {self.name}': Shape mismatch.The variable shape "
                f"{self.shape}, and the assigned value shape {value.shape} are incompatible."
            )
        return self._changed(state.assign_kernel(self, value, name=name), read_value)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Adds `delta`, and returns the variable."""
        return self._changed(state.assign_add_kernel(self, delta, name=name), read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtracts `delta`, and returns the variable."""
        return self._changed(state.assign_sub_kernel(self, delta, name=name), read_value)

    def _changed(self, result: Any, read_value: bool) -> Any:
        if interpreter().eager:
            return self if read_value else None
        return result if read_value else result.op

    def ref(self) -> TensorReference:
        """Something to use as a key: equal for the same variable only."""
        return TensorReference(self)

    experimental_ref = ref

    def __hash__(self) -> int:
        raise TypeError(
            f"Variable is unhashable. Instead, use variable.ref() as the key. (Variable: {self!r})"
        )

    def __eq__(self, other: Any) -> Any:
        return self._as_tensor() == other

    def __ne__(self, other: Any) -> Any:
        return self._as_tensor() != other

    def __iadd__(self, other: Any) -> Any:
        raise RuntimeError(
            "`variable += value` with `tf.Variable`s is not supported. Use `variable.assign_add(value)` to "
            "modify the variable, or `out = variable + value` if you need to get a new output Tensor."
        )

    def __bool__(self) -> bool:
        return bool(self._as_tensor())

    def __int__(self) -> int:
        return int(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __len__(self) -> int:
        return len(self._as_tensor())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._as_tensor())

    def __format__(self, spec: str) -> str:
        return format(self.numpy(), spec) if spec else str(self)

    def __deepcopy__(self, memo: dict) -> "Variable":
        return Variable(
            to_array(self.numpy()), self.trainable, name=self._name, dtype=self.dtype,
            constraint=self.constraint, shape=self.shape,
        )  # fmt: skip

    def __repr__(self) -> str:
        text = shown(self._storage.value)
        text = ("\n" if "\n" in text else "") + text
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}, numpy={text}>"
