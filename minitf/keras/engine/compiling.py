"""`Model.compile`, and what is known of a model's losses and metrics."""

from typing import Any

from minitf.keras.engine.compile_utils import Losses, Metrics
from minitf.keras.engine.logs import RunningLogs


class Compiling:
    """Mixed into Model."""

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: int | None = None,
        sample_weight_mode: Any = None,
        **kwargs: Any,
    ) -> None:
        """Says how the model is trained.

        `optimizer`, `loss` and `metrics` are objects, functions or names; losses and metrics may be lists or
        dicts with one entry per output. `steps_per_execution` changes nothing in the result.

        Raises ValueError for unknown names.
        """
        from minitf.keras import optimizers

        for name in ("train_step", "test_step", "predict_step"):
            if hasattr(type(self), name):
                raise NotImplementedError(
                    f"{type(self).__name__}.{name}: steps of one's own are not supported"
                )
        for name in ("target_tensors", "distribute"):
            if kwargs.pop(name, None) is not None:
                raise NotImplementedError(f"Model.compile: {name} is not supported")
        if run_eagerly:
            raise NotImplementedError("Model.compile: run_eagerly=True is not supported")
        if sample_weight_mode not in (None, "temporal"):
            raise ValueError(f"Unknown sample_weight_mode: {sample_weight_mode}")
        kwargs.pop("jit_compile", None)
        if kwargs:
            raise TypeError(f"Invalid keyword argument(s) in `compile()`: {sorted(kwargs)}")
        optimizer = optimizers.get(optimizer)
        arguments = {
            "loss": loss, "metrics": metrics, "loss_weights": loss_weights,
            "weighted_metrics": weighted_metrics,
        }  # fmt: skip
        if self.output_names:  # wrong names are found at once
            Losses(loss, loss_weights, self.output_names)
            Metrics(metrics, weighted_metrics, self.output_names)
        elif isinstance(loss, str):
            Losses(loss, None, ["output_1"])
        self.optimizer, self.loss = optimizer, loss
        self._compile_arguments = arguments
        self._losses_of_outputs: Losses | None = None
        self._metrics_of_outputs: Metrics | None = None
        self._compiled = True
        self._logs = RunningLogs()
        self._forget_steps()

    def _require_compiled(self) -> None:
        if not self._compiled:
            raise RuntimeError(
                "You must compile your model before training/testing. Use `model.compile(optimizer, loss)`."
            )

    @property
    def metrics(self) -> list[Any]:
        """Means of losses, the outputs' metrics (both known after the first batch), and those of layers."""
        own = self._metrics_of_outputs.all if self._compiled and self._metrics_of_outputs else []
        return [*self._logs.losses.values(), *own, *self.__dict__.get("_extra_metrics", {}).values()]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, 'loss' first. Known after the first batch."""
        return [metric.name for metric in self.metrics]

    @property
    def run_eagerly(self) -> bool:
        """Whether Python runs for every batch: never."""
        return False
