"""The base of Keras 2's optimizers: hyperparameters as variables, slots, clipping, schedules, config."""

from typing import Any

import numpy as np

from minitf.eager.tape import GradientTape
from minitf.framework import dtypes
from minitf.graph.gradients import gradients
from minitf.keras import optimizer_schedules as schedules
from minitf.ops import clip
from minitf.ops.array import cast, shape
from minitf.ops.constants import constant
from minitf.ops.group import group
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.registry import interpreter
from minitf.ops.segment import unsorted_segment_sum
from minitf.ops.unique import unique
from minitf.runtime.shared_variable import SharedVariable


class Optimizer:
    """Base of all. `lr` is the old name of `learning_rate`; `decay` divides the rate by 1 + decay * steps.

    `clipnorm` limits each gradient's norm, `clipvalue` each of its values, `global_clipnorm` the norm of all.

    Raises TypeError for unknown keywords, ValueError for negative ones.
    """

    _slot_names: tuple[str, ...] = ()

    def __init__(self, name: str, learning_rate: Any = 0.01, **kwargs: Any) -> None:
        self._name = name
        if "lr" in kwargs:
            learning_rate = kwargs.pop("lr")
        decay = kwargs.pop("decay", 0.0)
        self.clipnorm = kwargs.pop("clipnorm", None)
        self.clipvalue = kwargs.pop("clipvalue", None)
        self.global_clipnorm = kwargs.pop("global_clipnorm", None)
        for key in list(kwargs):
            raise TypeError(f"Unexpected keyword argument passed to optimizer: {key}")
        for key in ("clipnorm", "clipvalue", "global_clipnorm"):
            if getattr(self, key) is not None and getattr(self, key) < 0:
                raise ValueError(f"Expected {key} >= 0, received: {getattr(self, key)}")
        if decay < 0:
            raise ValueError(f"decay cannot be less than 0. Received: decay={decay}.")
        self._initial_decay = decay
        self._hyper: dict[str, Any] = {}
        self._slots: dict[tuple[int, str], SharedVariable] = {}
        self._slot_order: list[SharedVariable] = []
        self._iterations: SharedVariable | None = None
        self._pending_weights: list[np.ndarray] | None = None
        self._set_hyper("learning_rate", learning_rate)
        self._set_hyper("decay", float(decay))

    # --- hyperparameters -----------------------------------------------------------------------------

    def _set_hyper(self, name: str, value: Any) -> None:
        known = self._hyper.get(name)
        if isinstance(known, SharedVariable) and not is_schedule(value):
            known.load(np.float32(_plain(value)))
            return
        if not callable(value) and not isinstance(value, SharedVariable) and not hasattr(value, "op"):
            value = SharedVariable(np.float32(value), trainable=False, name=f"{self._name}/{name}")
        self._hyper[name] = value

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        """A hyperparameter as a tensor of the current graph (or the schedule itself without `dtype`)."""
        value = self._hyper[name]
        if dtype is None:
            return value
        if is_schedule(value):
            value = value(cast(self.iterations, dtypes.float32))
        elif callable(value):
            value = value()
        return cast(interpreter().convert(value, None), dtype)

    def __getattribute__(self, name: str) -> Any:
        """Hyperparameters are attributes; `lr` is learning_rate."""
        hyper = object.__getattribute__(self, "__dict__").get("_hyper", {})
        key = "learning_rate" if name == "lr" else name
        if key in hyper:
            return hyper[key]
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Setting a hyperparameter's attribute sets its variable."""
        key = "learning_rate" if name == "lr" else name
        if key in self.__dict__.get("_hyper", {}):
            self._set_hyper(key, value)
        else:
            object.__setattr__(self, name, value)

    @property
    def iterations(self) -> SharedVariable:
        """The number of steps done, int64."""
        if self._iterations is None:
            self._iterations = SharedVariable(np.int64(0), trainable=False, name=f"{self._name}/iter")
        return self._iterations

    @iterations.setter
    def iterations(self, variable: SharedVariable) -> None:
        if self._iterations is not None:
            raise RuntimeError(
                "Cannot set `iterations` to a new Variable after the Optimizer weights have been created."
            )
        self._iterations = variable

    def _rate(self, dtype: Any) -> Any:
        """This step's learning rate."""
        rate = self._get_hyper("learning_rate", dtype)
        if self._initial_decay > 0.0:
            decay = self._get_hyper("decay", dtype)
            rate = rate / (constant(1.0, dtype) + decay * cast(self.iterations, dtype))
        return rate

    # --- one step ------------------------------------------------------------------------------------

    def minimize(
        self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None, tape: Any = None
    ) -> Any:
        """Changes `var_list` so that `loss` (a tensor, or a function that makes one) falls.

        In a graph the result is an op; in eager mode the step is done at once.
        """
        pairs = self._compute_gradients(loss, var_list, grad_loss, tape)
        return self.apply_gradients(pairs, name=name)

    def _compute_gradients(self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None) -> list:
        if callable(loss) and not hasattr(loss, "dtype"):
            with GradientTape() as tape:
                variables = var_list() if callable(var_list) else var_list
                if not callable(var_list):
                    tape.watch(variables)
                value = loss()
            variables = var_list() if callable(var_list) else var_list
            grads = tape.gradient(value, list(variables), grad_loss)
        else:
            variables = var_list() if callable(var_list) else var_list
            if tape is not None:
                grads = tape.gradient(loss, list(variables), grad_loss)
            else:
                grads = gradients(loss, list(variables), grad_loss)
        return list(zip(grads, variables, strict=True))

    def get_gradients(self, loss: Any, params: list[Any]) -> list[Any]:
        """The gradients, clipped as this optimizer says. Raises ValueError if there is none for one."""
        grads = gradients(loss, list(params))
        for grad, param in zip(grads, params, strict=True):
            if grad is None:
                raise ValueError(
                    f"Variable {param} has `None` for gradient. Please make sure that all of your ops have a "
                    "gradient defined (i.e. are differentiable)."
                )
        return self._clipped(grads)

    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        """The ops of one step."""
        return [self.apply_gradients(zip(self.get_gradients(loss, params), params, strict=True))]

    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, **kwargs: Any) -> Any:
        """Changes the variables by the given gradients. Raises ValueError when there is none at all."""
        kwargs.pop("experimental_aggregate_gradients", None)
        if kwargs:
            raise TypeError(f"apply_gradients() got unexpected keyword arguments {sorted(kwargs)}")
        pairs = list(grads_and_vars)
        used = [(g, v) for g, v in pairs if g is not None]
        if not used:
            raise ValueError(f"No gradients provided for any variable: {[v.name for _, v in pairs]}.")
        if len(used) < len(pairs):
            import warnings

            missing = [v.name for g, v in pairs if g is None]
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If you're using "
                "`model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=2,
            )
        variables = [v for _, v in used]
        self._create_all_weights(variables)
        grads = self._clipped([g for g, _ in used])
        current = interpreter()
        with current.name_scope(name or self._name):
            settings: dict[Any, Any] = {}
            updates = []
            for grad, variable in zip(grads, variables, strict=True):
                dtype = variable.dtype.base_dtype
                if dtype not in settings:
                    settings[dtype] = self._settings(dtype)
                updates.append(self._update(grad, variable, settings[dtype]))
            with current.control_dependencies([u for u in updates if u is not None]):
                step = self.iterations.assign_add(1)
            return group(*[u for u in [*updates, step] if u is not None])

    def _clipped(self, grads: list[Any]) -> list[Any]:
        if self.clipvalue is not None:
            limit = self.clipvalue
            grads = [clip.clip_by_value(g, cast(-limit, g.dtype), cast(limit, g.dtype)) for g in grads]
        if self.clipnorm is not None:
            grads = [clip.clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm is not None:
            grads, _ = clip.clip_by_global_norm(grads, self.global_clipnorm)
        return grads

    def _update(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        if isinstance(grad, IndexedSlices):
            update = self._sparse_update(grad, variable, settings)
        else:
            update = self._dense(grad, variable, settings)
        if getattr(variable, "constraint", None) is None:
            return update
        current = interpreter()
        with current.control_dependencies([update] if update is not None else []):
            return variable.assign(variable.constraint(variable.read_value()))

    def _sparse_update(self, grad: IndexedSlices, variable: Any, settings: dict[str, Any]) -> Any:
        if not self._by_rows:
            return self._dense(interpreter().convert(grad, None), variable, settings)
        rows, positions = unique(grad.indices)
        values = unsorted_segment_sum(grad.values, positions, shape(rows)[0])
        return self._rows(values, variable, settings, rows)

    # --- for subclasses ------------------------------------------------------------------------------

    # Whether a sparse gradient changes its rows only; else it is made dense (the averages of all rows decay).
    _by_rows = False
    # Whether slots are made variable by variable, not all of one name first: the order of `weights`.
    _slots_by_variable = False

    def _settings(self, dtype: Any) -> dict[str, Any]:
        """This step's hyperparameters as tensors."""
        return {"rate": self._rate(dtype)}

    def _dense(self, grad: Any, variable: Any, settings: dict[str, Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no update rule")

    def _rows(self, grad: Any, variable: Any, settings: dict[str, Any], rows: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no update rule for rows")

    def _slot_initial(self, name: str, variable: Any) -> np.ndarray:
        return np.zeros(variable.shape.as_list(), variable.dtype.base_dtype.numpy_dtype)

    # --- slots and state -----------------------------------------------------------------------------

    def add_slot(self, var: Any, slot_name: str, initializer: Any = "zeros") -> SharedVariable:
        """The slot of a variable, made if need be."""
        key = (id(var), slot_name)
        if key not in self._slots:
            slot = SharedVariable(
                self._slot_initial(slot_name, var),
                trainable=False,
                name=f"{self._name}/{var.name.removesuffix(':0')}/{slot_name}",
            )
            self._slots[key] = slot
            self._slot_order.append(slot)
        return self._slots[key]

    def get_slot(self, var: Any, slot_name: str) -> SharedVariable:
        """The slot of a variable. Raises KeyError when there is none."""
        return self._slots[id(var), slot_name]

    def get_slot_names(self) -> list[str]:
        """The names of this optimizer's slots."""
        return list(self._slot_names)

    def _create_slots(self, variables: list[Any]) -> None:
        pairs = [(name, variable) for name in self._slot_names for variable in variables]
        if self._slots_by_variable:
            pairs = [(name, variable) for variable in variables for name in self._slot_names]
        for name, variable in pairs:
            self.add_slot(variable, name)

    def _create_all_weights(self, variables: list[Any]) -> None:
        _ = self.iterations
        self._create_slots(variables)
        if self._pending_weights is not None:
            pending, self._pending_weights = self._pending_weights, None
            self.set_weights(pending)

    @property
    def weights(self) -> list[SharedVariable]:
        """The step count and the slots, in the order they were made."""
        return [self.iterations, *self._slot_order]

    variables = weights

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Sets the step count and slots. Before the first step they are kept until the slots exist.

        Raises ValueError when their number does not match.
        """
        own = self.weights
        if len(own) == 1 and len(weights) > 1:
            self._pending_weights = list(weights)
            return
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on optimizer {self._name} with a weight list of length "
                f"{len(weights)}, but the optimizer was expecting {len(own)} weights."
            )
        for variable, value in zip(own, weights, strict=True):
            variable.load(np.asarray(value, variable.dtype.numpy_dtype))

    # --- config --------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal optimizer."""
        config: dict[str, Any] = {"name": self._name}
        for key in ("clipnorm", "clipvalue", "global_clipnorm"):
            if getattr(self, key) is not None:
                config[key] = getattr(self, key)
        config["learning_rate"] = self._serialize_hyper("learning_rate")
        config["decay"] = self._initial_decay
        return config

    def _serialize_hyper(self, name: str) -> Any:
        value = self._hyper[name]
        if is_schedule(value):
            return schedules.serialize(value)
        return float(_plain(value))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Optimizer":
        """An optimizer made from what `get_config` returned. Keys of other Keras versions are ignored."""
        config = {key: value for key, value in config.items() if key not in _IGNORED_CONFIG}
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = schedules.deserialize(config["learning_rate"], custom_objects)
        return cls(**config)


# What newer versions of Keras write into configs, and what is at its neutral value there.
_IGNORED_CONFIG = {
    "weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency", "jit_compile",
    "is_legacy_optimizer", "loss_scale_factor", "gradient_accumulation_steps",
}  # fmt: skip


def is_schedule(value: Any) -> bool:
    """Whether a learning rate is a schedule."""
    return isinstance(value, schedules.LearningRateSchedule)


def _plain(value: Any) -> Any:
    value = value() if callable(value) and not hasattr(value, "numpy") else value
    return value.numpy() if hasattr(value, "numpy") else value


def moving_average(slot: Any, value: Any, keep: Any) -> Any:
    """slot = keep * slot + (1 - keep) * value; the new value."""
    return slot.assign(keep * slot.read_value() + (constant(1.0, value.dtype) - keep) * value)
