"""`TFOptimizer`: an optimizer of `tf.train` in a Keras model."""

from typing import Any

import numpy as np

from minitf.ops.group import group
from minitf.ops.registry import interpreter
from minitf.runtime.shared_variable import SharedVariable


class TFOptimizer:
    """Wraps an optimizer of `tf.train`. Its slots live in the compiled step, so they are not saved."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer
        self.iterations = SharedVariable(np.int64(0), trainable=False, name="iterations")

    def minimize(self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None) -> Any:
        """The op of one step."""
        step = self.optimizer.minimize(loss, var_list=list(var_list), grad_loss=grad_loss, name=name)
        with interpreter().control_dependencies([step]):
            return group(step, self.iterations.assign_add(1))

    @property
    def weights(self) -> list[Any]:
        """Nothing that could be saved."""
        return []

    def get_config(self) -> dict[str, Any]:
        """Raises NotImplementedError: optimizers of `tf.train` have no config."""
        raise NotImplementedError("Optimizers of tf.train have no config; use one of tf.keras.optimizers.")
