"""`Model`: compile, fit, evaluate, predict. One compiled step plan runs per batch."""

import warnings
from typing import Any

import numpy as np

from minitf.framework import nest
from minitf.framework.shapes import PlainTensorShape
from minitf.keras.engine import calls, state
from minitf.keras.engine.compiling import Compiling
from minitf.keras.engine.data_adapter import (
    ArrayBatches,
    Batch,
    Batches,
    arrays_of,
    as_batches,
    count_samples,
    split_validation,
)
from minitf.keras.engine.description import Description
from minitf.keras.engine.logs import RunningLogs
from minitf.keras.engine.model_step import ModelStep, signature
from minitf.keras.engine.network import Network
from minitf.keras.engine.old_names import OldNames
from minitf.keras.engine.step import StepGraph
from minitf.ops.constants import placeholder


class Model(Compiling, OldNames, Description, Network):
    """A model: layers with training and inference.

    `Model(inputs, outputs)` joins symbolic tensors; a subclass defines `__init__` and `call` instead.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        inputs = kwargs.pop("inputs", kwargs.pop("input", None))
        outputs = kwargs.pop("outputs", kwargs.pop("output", None))
        args = list(args)
        if inputs is None and args:
            inputs = args.pop(0)
        if outputs is None and args:
            outputs = args.pop(0)
        if args and "name" not in kwargs:
            kwargs["name"] = args.pop(0)
        functional = inputs is not None and outputs is not None
        if functional and not kwargs.get("name"):
            kwargs["name"] = state.unique_object_name("model")
        super().__init__(**kwargs)
        self.inputs: Any = None
        self.outputs: Any = None
        self.input_names: list[str] = []
        self.output_names: list[str] = []
        self._is_graph_network = False
        self.optimizer: Any = None
        self.history: Any = None
        self.stop_training = False
        self._compiled = False
        self._compile_arguments: dict[str, Any] = {}
        self._logs = RunningLogs()
        self._steps: dict[Any, ModelStep] = {}
        if functional:
            self._init_graph(inputs, outputs)

    def _forget_steps(self) -> None:
        """Drops the compiled steps, after something changed that they contain."""
        self._steps = {}

    # --- steps ---------------------------------------------------------------------------------------

    def _step(self, mode: str, batch: Batch) -> ModelStep:
        """The compiled step of this kind for batches like `batch`."""
        key = mode, signature(batch)
        step = self._steps.get(key)
        if step is None:
            step = self._steps[key] = ModelStep(self, mode, batch)
        return step

    def reset_metrics(self) -> None:
        """Sets the metrics back to their beginnings."""
        for metric in self.metrics:
            metric.reset_state()

    def reset_states(self) -> None:
        """Sets the states of stateful layers back to zero."""
        for layer in self.layers:
            if hasattr(layer, "reset_states") and getattr(layer, "stateful", False):
                layer.reset_states()

    # --- fit -----------------------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: dict | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Trains for `epochs` epochs and returns the History.

        `x` and `y` are arrays, lists or dicts of them; or `x` is a generator, a `keras.utils.Sequence` or a
        dataset that gives (inputs, targets) or (inputs, targets, sample_weights). `epochs` is the number of
        the last epoch, counted from `initial_epoch`. Batches are made one by one as they are needed, whatever
        `max_queue_size`, `workers` and `use_multiprocessing` say (`keras.utils.OrderedEnqueuer` makes them
        ahead).

        Raises RuntimeError before `compile`, ValueError for data that does not fit the model.
        """
        from minitf.keras.callbacks import CallbackList

        epochs = kwargs.pop("nb_epoch", epochs)
        if kwargs:
            raise TypeError(f"fit() got unexpected keyword arguments {sorted(kwargs)}")
        self._require_compiled()
        if validation_split:
            if validation_data is not None:
                validation_split = 0.0
            else:
                (x, y, sample_weight), validation_data = split_validation(
                    x, y, sample_weight, validation_split
                )
        batches = as_batches(
            x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight, passes=epochs
        )
        if validation_data is not None:
            validation_data = _validation_parts(validation_data)
        self._check_targets(batches.peek())
        self._step("train", batches.peek())
        verbose = _verbosity(verbose)
        callbacks = CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            model=self,
            verbose=verbose,
            epochs=epochs,
            steps=batches.steps,
        )
        self.stop_training = False
        validation = None
        logs: dict[str, Any] = {}
        callbacks.on_train_begin()
        for epoch in range(callbacks.first_epoch(initial_epoch), epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            logs = self._train_epoch(batches, callbacks)
            batches.end_epoch()
            if validation_data is not None and _validates(epoch, validation_freq):
                if validation is None:
                    validation = as_batches(
                        *validation_data,
                        validation_batch_size or batch_size,
                        validation_steps,
                    )
                results = self._evaluate(validation, callbacks)
                logs.update({f"val_{name}": value for name, value in results.items()})
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training or getattr(batches, "exhausted", False):
                break
        callbacks.on_train_end(logs)
        return self.history

    def _train_epoch(self, batches: Batches, callbacks: Any) -> dict[str, Any]:
        step, number = None, -1
        for number, batch in enumerate(batches.epoch()):
            callbacks.on_train_batch_begin(number)
            if step is None or not batches.uniform:
                step = self._step("train", batch)
            logs = self._logs.add(step, step(batch), count_samples(batch))
            callbacks.on_train_batch_end(number, logs)
            if self.stop_training:
                break
        if number < 0:
            raise ValueError(
                "Unexpected result of `train_function` (Empty Logs). Please use `Model.compile(..., "
                "run_eagerly=True)`, or `tf.config.run_functions_eagerly(True)` for more information of "
                "where went wrong, or file a issue/bug to `tf.keras`."
            )
        expected = batches.steps
        if expected is not None and number + 1 < expected and not self.stop_training:
            warnings.warn(
                "Your input ran out of data; interrupting training. Make sure that your dataset or generator "
                f"can generate at least `steps_per_epoch * epochs` batches (in this case, {expected} batches "
                "an epoch).",
                stacklevel=3,
            )
            self.stop_training = True
        return dict(self._logs.last)

    def _evaluate(self, batches: Batches, callbacks: Any) -> dict[str, Any]:
        self.reset_metrics()
        batches.restart()
        callbacks.on_test_begin()
        step, logs = None, {}
        for number, batch in enumerate(batches.epoch()):
            callbacks.on_test_batch_begin(number)
            if step is None or not batches.uniform:
                step = self._step("test", batch)
            logs = self._logs.add(step, step(batch), count_samples(batch))
            callbacks.on_test_batch_end(number, logs)
        batches.end_epoch()
        callbacks.on_test_end(logs)
        return dict(logs)

    def _check_targets(self, batch: Batch) -> None:
        if self._is_graph_network and batch.x is not None:
            given = len(nest.flatten(batch.x))
            if given != len(self.inputs) and not isinstance(batch.x, dict):
                raise ValueError(
                    f'Layer "{self.name}" expects {len(self.inputs)} input(s), but it received {given} input '
                    f"tensors."
                )

    # --- evaluate, predict ---------------------------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The loss and metrics on data, as a number, a list, or with `return_dict` a dict."""
        from minitf.keras.callbacks import CallbackList

        if kwargs:
            raise TypeError(f"evaluate() got unexpected keyword arguments {sorted(kwargs)}")
        self._require_compiled()
        batches = as_batches(x, y, sample_weight, batch_size, steps)
        self._check_targets(batches.peek())
        verbose = _verbosity(verbose)
        callbacks = CallbackList(
            callbacks, add_history=False, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1,
            steps=batches.steps,
        )  # fmt: skip
        logs = self._evaluate(batches, callbacks)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """The outputs for inputs, as an array, or as a structure of arrays for several outputs."""
        from minitf.keras.callbacks import CallbackList

        batches = as_batches(x, batch_size=batch_size, steps=steps)
        verbose = _verbosity(verbose, default=0)
        quiet = verbose == 0 and not callbacks
        listeners = CallbackList(
            callbacks, add_history=False, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1,
            steps=batches.steps,
        )  # fmt: skip
        outputs: list[Any] = []
        listeners.on_predict_begin()
        step = None
        for number, batch in enumerate(batches.epoch()):
            if not quiet:
                listeners.on_predict_batch_begin(number)
            batch = Batch(batch.x)
            if step is None or not batches.uniform:
                step = self._step("predict", batch)
            outputs.append(step(batch))
            if not quiet:
                listeners.on_predict_batch_end(number, {"outputs": step.packed(outputs[-1])})
        listeners.on_predict_end()
        if step is None:
            raise ValueError("Expect x to be a non-empty array or dataset.")
        return step.packed([np.concatenate(parts) for parts in zip(*outputs, strict=True)])

    # --- single batches ------------------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict | None = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """One step of training on one batch. Returns its loss and metrics."""
        return self._on_batch("train", x, y, sample_weight, class_weight, reset_metrics, return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """The loss and metrics on one batch."""
        return self._on_batch("test", x, y, sample_weight, None, reset_metrics, return_dict)

    def _on_batch(self, mode, x, y, sample_weight, class_weight, reset_metrics, return_dict):
        self._require_compiled()
        whole = ArrayBatches(x, y, sample_weight, 2**62, 1, False, class_weight)
        if reset_metrics:
            self.reset_metrics()
        step = self._step(mode, whole.data)
        logs = self._logs.add(step, step(whole.data), whole.samples)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        batch = Batch(arrays_of(x))
        step = self._step("predict", batch)
        return step.packed(step(batch))

    def _build(self, inputs: Any) -> None:
        """A model's weights are made by its layers when called, unless a subclass has its own `build`."""
        if type(self).build not in _BUILDERS:
            super()._build(inputs)
            return
        self._build_input_shape = nest.map_structure(lambda t: PlainTensorShape(t.shape), inputs)
        self.built = True

    def build(self, input_shape: Any) -> None:
        """Builds a subclassed model for inputs of `input_shape` (batch included) by calling it."""
        if self._is_graph_network:
            return
        with StepGraph().as_default(), calls.training_scope(False):
            is_many = isinstance(input_shape, list) and not isinstance(input_shape[0], int | type(None))
            shapes = input_shape if is_many else [input_shape]
            inputs = [placeholder(state.floatx(), PlainTensorShape(s)) for s in shapes]
            self(inputs if is_many else inputs[0])
        self.built = True


# `build` methods that only call the model.
_BUILDERS = {Model.build}


def _validation_parts(data: Any) -> tuple[Any, Any, Any]:
    if isinstance(data, tuple | list) and not hasattr(data, "on_epoch_end"):
        if not 2 <= len(data) <= 3:
            raise ValueError(
                "When passing a `validation_data` argument, it must contain either 2 items (x_val, y_val), "
                f"or 3 items (x_val, y_val, val_sample_weights). However we received `validation_data={data}`"
            )
        return (*data, None)[:3]
    return data, None, None


def _validates(epoch: int, frequency: Any) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return (epoch + 1) in frequency


def _verbosity(verbose: Any, default: int = 1) -> int:
    return default if verbose == "auto" else int(verbose)
