"""`Model`: compile, fit, evaluate, predict. One compiled step plan runs per batch."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import nest
from minitf.framework.shapes import PlainTensorShape
from minitf.graph.operation import Tensor
from minitf.keras.engine import calls, state
from minitf.keras.engine.compile_utils import Losses, Metrics, flat_or_empty
from minitf.keras.engine.data_adapter import (
    ArrayBatches,
    Batch,
    Batches,
    arrays_of,
    as_batches,
    split_validation,
)
from minitf.keras.engine.network import Network
from minitf.keras.engine.step import StepGraph
from minitf.ops import math
from minitf.ops.constants import placeholder


class Model(Network):
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
        self._loss_tracker: Any = None
        self._steps: dict[str, _Step] = {}
        self._train_counter = 0
        if functional:
            self._init_graph(inputs, outputs)

    def _forget_steps(self) -> None:
        """Drops the compiled steps, after something changed that they contain."""
        self._steps = {}

    # --- compile -------------------------------------------------------------------------------------

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
        self._forget_steps()

    def _require_compiled(self) -> None:
        if not self._compiled:
            raise RuntimeError(
                "You must compile your model before training/testing. Use `model.compile(optimizer, loss)`."
            )

    @property
    def metrics(self) -> list[Any]:
        """The metric objects: those of the outputs (known after the first batch) and those of layers."""
        own = self._metrics_of_outputs.all if self._compiled and self._metrics_of_outputs else []
        return own + [metric for _, metric in getattr(self, "_extra_metrics", {}).items()]

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` returns, 'loss' first. Known after the first batch."""
        step = self._steps.get("test") or self._steps.get("train")
        if step is None:
            return []
        return list(step.log_names)

    @property
    def run_eagerly(self) -> bool:
        """Whether Python runs for every batch: never."""
        return False

    # --- steps ---------------------------------------------------------------------------------------

    def _step(self, mode: str, batch: Batch) -> "_Step":
        """The compiled step of this kind for batches like `batch`."""
        signature = _signature(batch), tuple(w.trainable for w in self.weights), self._trainable_flags()
        step = self._steps.get(mode)
        if step is None or step.signature != signature:
            step = self._steps[mode] = _Step(self, mode, batch)
            # Building may make weights.
            flags = tuple(w.trainable for w in self.weights), self._trainable_flags()
            step.signature = (signature[0], *flags)
        return step

    def _trainable_flags(self) -> tuple[bool, ...]:
        return tuple(layer.trainable for layer in self._flatten_layers())

    def _run_step(self, mode: str, batch: Batch) -> Any:
        return self._step(mode, batch)(batch)

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
        the last epoch, counted from `initial_epoch`.

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
            x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight, self.output_names
        )
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
        logs: dict[str, Any] = {}
        callbacks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            logs = self._train_epoch(batches, callbacks)
            batches.end_epoch()
            if validation_data is not None and _validates(epoch, validation_freq):
                results = self._validate(
                    validation_data, validation_batch_size or batch_size, validation_steps, callbacks
                )
                logs.update({f"val_{name}": value for name, value in results.items()})
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training or getattr(batches, "exhausted", False):
                break
        callbacks.on_train_end(logs)
        return self.history

    def _train_epoch(self, batches: Batches, callbacks: Any) -> dict[str, Any]:
        means = _Means()
        number = -1
        for number, batch in enumerate(batches.epoch()):
            callbacks.on_train_batch_begin(number)
            logs = means.add(self._run_step("train", batch), _count(batch))
            self._train_counter += 1
            callbacks.on_train_batch_end(number, logs)
            if self.stop_training:
                break
        if number < 0:
            raise ValueError(
                "Unexpected result of `train_function` (Empty Logs). Please use `Model.compile(...,"
                " run_eagerly=True)`, or `tf.config.run_functions_eagerly(True)` for more information of where "
                "went wrong, or file a issue/bug to `tf.keras`."
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
        return means.logs

    def _validate(self, data: Any, batch_size: Any, steps: Any, callbacks: Any) -> dict[str, Any]:
        x, y, weight = _validation_parts(data)
        batches = as_batches(x, y, weight, batch_size, steps, names=self.output_names)
        return self._evaluate(batches, callbacks)

    def _evaluate(self, batches: Batches, callbacks: Any) -> dict[str, Any]:
        self.reset_metrics()
        means = _Means()
        callbacks.on_test_begin()
        for number, batch in enumerate(batches.epoch()):
            callbacks.on_test_batch_begin(number)
            logs = means.add(self._run_step("test", batch), _count(batch))
            callbacks.on_test_batch_end(number, logs)
        callbacks.on_test_end(means.logs)
        return dict(means.logs)

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
        batches = as_batches(x, y, sample_weight, batch_size, steps, names=self.output_names)
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
        for number, batch in enumerate(batches.epoch()):
            if not quiet:
                listeners.on_predict_batch_begin(number)
            outputs.append(self._run_step("predict", batch))
            if not quiet:
                listeners.on_predict_batch_end(number, {"outputs": outputs[-1]})
        listeners.on_predict_end()
        if not outputs:
            raise ValueError("Expect x to be a non-empty array or dataset.")
        if len(outputs) == 1:
            return outputs[0]
        flat = [nest.flatten(output) for output in outputs]
        joined = [np.concatenate(parts) for parts in zip(*flat, strict=True)]
        return nest.pack_sequence_as(outputs[0], joined) if nest.is_nested(outputs[0]) else joined[0]

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
        logs = self._run_step(mode, whole.data)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch."""
        return self._run_step("predict", Batch(arrays_of(x)))

    # --- the era's other names -----------------------------------------------------------------------

    def fit_generator(self, generator: Any, steps_per_epoch: int | None = None, epochs: int = 1,
                      verbose: Any = 1, callbacks: Any = None, validation_data: Any = None,
                      validation_steps: int | None = None, validation_freq: Any = 1,
                      class_weight: dict | None = None, max_queue_size: int = 10, workers: int = 1,
                      use_multiprocessing: bool = False, shuffle: bool = True, initial_epoch: int = 0,
                      **kwargs: Any) -> Any:  # fmt: skip
        """`fit` on a generator (old name). Understands Keras 1's samples_per_epoch, nb_epoch, nb_val_samples."""
        epochs = kwargs.pop("nb_epoch", epochs)
        validation_steps = kwargs.pop("nb_val_samples", validation_steps)
        samples = kwargs.pop("samples_per_epoch", None)
        if samples is not None:
            first = as_batches(generator, steps=1)
            steps_per_epoch = max(1, samples // _count(first.peek()))
        return self.fit(
            generator, steps_per_epoch=steps_per_epoch, epochs=epochs, verbose=verbose, callbacks=callbacks,
            validation_data=validation_data, validation_steps=validation_steps,
            validation_freq=validation_freq, class_weight=class_weight, shuffle=shuffle,
            initial_epoch=initial_epoch, **kwargs,
        )  # fmt: skip

    def evaluate_generator(self, generator: Any, steps: int | None = None, callbacks: Any = None,
                           max_queue_size: int = 10, workers: int = 1, use_multiprocessing: bool = False,
                           verbose: Any = 0) -> Any:  # fmt: skip
        """`evaluate` on a generator (old name)."""
        return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose)

    def predict_generator(self, generator: Any, steps: int | None = None, callbacks: Any = None,
                          max_queue_size: int = 10, workers: int = 1, use_multiprocessing: bool = False,
                          verbose: Any = 0) -> Any:  # fmt: skip
        """`predict` on a generator (old name)."""
        return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose)

    def predict_classes(self, x: Any, batch_size: int = 32, verbose: Any = 0) -> np.ndarray:
        """The most probable class of each sample (of a Sequential model, in Keras 2.0 to 2.5)."""
        probabilities = self.predict(x, batch_size=batch_size, verbose=verbose)
        if probabilities.shape[-1] > 1:
            return probabilities.argmax(axis=-1)
        return (probabilities > 0.5).astype("int32")

    def predict_proba(self, x: Any, batch_size: int = 32, verbose: Any = 0) -> np.ndarray:
        """`predict` (of a Sequential model, in Keras 2.0 to 2.5)."""
        return self.predict(x, batch_size=batch_size, verbose=verbose)

    def _build(self, inputs: Any) -> None:
        """A model's weights are made by its layers as they are called, unless a subclass has its own `build`."""
        if type(self).build not in _BUILDERS:
            super()._build(inputs)
            return
        self._build_input_shape = nest.map_structure(lambda t: PlainTensorShape(t.shape), inputs)
        self.built = True

    # --- looking at it, saving it --------------------------------------------------------------------

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

    def summary(self, line_length: int | None = None, positions: Any = None, print_fn: Callable | None = None,
                expand_nested: bool = False, show_trainable: bool = False) -> None:  # fmt: skip
        """Prints the layers, their output shapes and parameter counts.

        Raises ValueError before the model is built.
        """
        from minitf.keras.utils.layer_utils import print_summary

        if not self.built:
            raise ValueError(
                "This model has not yet been built. Build the model first by calling `build()` or by calling "
                "the model on a batch of data."
            )
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable)

    def get_config(self) -> dict[str, Any]:
        """The configs of the layers and how they are connected. Raises NotImplementedError if subclassed."""
        from minitf.keras.saving.functional import network_config

        if not self._is_graph_network:
            raise NotImplementedError(
                f"Model {type(self).__name__} is a subclassed model: override `get_config` to describe it."
            )
        return network_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "Model":
        """A model made from what `get_config` returned."""
        from minitf.keras.saving.functional import network_from_config

        if "layers" not in config:
            return cls(**config)
        return network_from_config(cls, config, custom_objects)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON: `keras.models.model_from_json` makes it again."""
        from minitf.keras.saving.model_config import model_to_json

        return model_to_json(self, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """Removed from Keras for its risk; raises RuntimeError."""
        raise RuntimeError(
            "Method `model.to_yaml()` has been removed due to security risk of arbitrary code execution. "
            "Please use `model.to_json()` instead."
        )

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True,
             save_format: str | None = None, **kwargs: Any) -> None:  # fmt: skip
        """Saves the whole model; see `keras.models.save_model`."""
        from minitf.keras.saving.save import save_model

        save_model(self, filepath, overwrite, include_optimizer, save_format, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, save_format: str | None = None) -> None:
        """Saves the weights; see `load_weights`."""
        from minitf.keras.saving.save import save_weights

        save_weights(self, filepath, overwrite, save_format)

    def load_weights(self, filepath: Any, by_name: bool = False, skip_mismatch: bool = False) -> None:
        """Loads weights, in the order of the layers or `by_name` of the layer."""
        from minitf.keras.saving.save import load_weights

        load_weights(self, filepath, by_name, skip_mismatch)


# `build` methods that only call the model.
_BUILDERS = {Model.build}


class _Step:
    """One kind of step ('train', 'test' or 'predict') of a model, drawn as a graph and run by a plan."""

    def __init__(self, model: Model, mode: str, batch: Batch) -> None:
        self.signature: Any = None
        self._model = model
        graph = self._graph = StepGraph()
        for layer in model._flatten_layers():
            layer._call_losses = []
        with graph.as_default(), calls.training_scope(mode == "train"):
            self._x = _placeholders(batch.x, "x")
            inputs = self._x
            outputs = model(inputs, **_training_keyword(model, mode))
            graph.watch([t for node in getattr(model, "_nodes", []) for t in nest.flatten(node.outputs)])
            self._outputs = outputs
            self._feeds = flat_or_empty(self._x)
            self.log_names: list[str] = []
            if mode == "predict":
                self._fetches: Any = [nest.flatten(outputs), graph.side_effects]
                return
            self._y, self._weight = _placeholders(batch.y, "y"), _placeholders(batch.sample_weight, "weight")
            self._feeds += flat_or_empty(self._y) + flat_or_empty(self._weight)
            logs = self._objective(mode, nest.flatten(outputs))
            self.log_names = list(logs)
            self._fetches = [list(logs.values()), graph.side_effects]

    def _objective(self, mode: str, outputs: list[Any]) -> dict[str, Any]:
        model, graph = self._model, self._graph
        names = model.output_names or [f"output_{i + 1}" for i in range(len(outputs))]
        if not model.output_names:
            model.output_names = names
        targets = _by_output(self._y, names, "y")
        weights = _by_output(self._weight, names, "sample_weight")
        if model._losses_of_outputs is None:
            arguments = model._compile_arguments
            model._losses_of_outputs = Losses(arguments["loss"], arguments["loss_weights"], names)
            model._metrics_of_outputs = Metrics(arguments["metrics"], arguments["weighted_metrics"], names)
        total, parts = model._losses_of_outputs(targets, outputs, weights)
        for extra in model.losses:
            extra = graph.convert(extra, None)
            total = extra if total is None else math.add(total, extra)
        if total is None:
            raise ValueError(
                "The model cannot be compiled because it has no loss to optimize."
                if mode == "train"
                else "No loss to evaluate."
            )
        if mode == "train":
            self._minimize(total)
        model._metrics_of_outputs.update(targets, outputs, weights)
        extra_metrics = self._layer_metrics()
        logs = {"loss": total}
        if len(names) > 1:
            logs.update({f"{n}_loss": p for n, p in zip(names, parts, strict=True) if p is not None})
        with graph.control_dependencies(list(graph.side_effects)):
            for metric in [*model._metrics_of_outputs.all, *extra_metrics]:
                result = metric.result()
                for name, value in (result if isinstance(result, dict) else {metric.name: result}).items():
                    logs[name] = value
        return logs

    def _minimize(self, total: Tensor) -> None:
        model = self._model
        if not model.trainable_weights:
            return
        model.optimizer.minimize(total, model.trainable_weights)
        for update in model.updates:
            if isinstance(update, Tensor) and update.graph is self._graph:
                self._graph.side_effects.append(update.op)

    def _layer_metrics(self) -> list[Any]:
        """Means of what `add_metric` was given."""
        from minitf.keras import metrics

        model = self._model
        known = model.__dict__.setdefault("_extra_metrics", {})
        for layer in model._flatten_layers():
            for value, name, by_call in layer._added_metrics:
                if by_call and getattr(value, "graph", self._graph) is not self._graph:
                    continue
                if name not in known:
                    known[name] = metrics.Mean(name=name)
                known[name].update_state(self._graph.convert(value, None))
        return list(known.values())

    def __call__(self, batch: Batch) -> Any:
        """Runs the step. Returns the logs, or for 'predict' the outputs in the model's structure."""
        values = [a for part in batch for a in flat_or_empty(part) if a is not None]
        results, _ = self._graph.session.run(self._fetches, dict(zip(self._feeds, values, strict=True)))
        if self.log_names:
            return dict(zip(self.log_names, results, strict=True))
        if nest.is_nested(self._outputs):
            return nest.pack_sequence_as(self._outputs, results)
        return results[0]


def _training_keyword(model: Model, mode: str) -> dict[str, Any]:
    return {"training": mode == "train"} if "training" in model._call_parameters else {}


def _placeholders(data: Any, name: str) -> Any:
    if data is None:
        return None
    return nest.map_structure(
        lambda a: None if a is None else placeholder(a.dtype, (None, *a.shape[1:]), name=name), data
    )


def _by_output(structure: Any, names: list[str], what: str) -> list[Any]:
    """Targets or weights, one per output (None where there is none)."""
    if structure is None:
        return [None] * len(names)
    if isinstance(structure, dict):
        unknown = [key for key in structure if key not in names]
        if unknown:
            raise ValueError(
                f"Found unexpected keys that do not correspond to any Model output: {set(unknown)}. "
                f"Expected: {set(names)}"
            )
        return [structure.get(name) for name in names]
    items = list(structure) if isinstance(structure, list | tuple) else [structure]
    if len(items) == 1 and len(names) > 1 and what == "sample_weight":
        return items * len(names)
    if len(items) != len(names):
        raise ValueError(
            f"The model has {len(names)} outputs, but {len(items)} arrays of `{what}` were given."
        )
    return items


def _signature(batch: Batch) -> Any:
    def describe(a):
        return None if a is None else (a.dtype.str, a.shape[1:])

    return tuple(
        (type(part).__name__, tuple(part) if isinstance(part, dict) else None,
         tuple(describe(a) for a in flat_or_empty(part)))
        for part in batch
    )  # fmt: skip


def _count(batch: Batch) -> int:
    for part in batch:
        for array in flat_or_empty(part):
            if array is not None:
                return len(array)
    return 1


class _Means:
    """The logs of an epoch so far: losses as means over samples, metrics as they stand."""

    def __init__(self) -> None:
        self.logs: dict[str, Any] = {}
        self._totals: dict[str, float] = {}
        self._count = 0

    def add(self, results: dict[str, Any], count: int) -> dict[str, Any]:
        """Takes a step's results into account and returns the logs."""
        self._count += count
        logs = {}
        for name, value in results.items():
            if name == "loss" or name.endswith("_loss"):
                total = self._totals.get(name, 0.0) + float(value) * count
                self._totals[name] = total
                logs[name] = total / self._count
            else:
                logs[name] = float(value) if np.ndim(value) == 0 else value
        self.logs = logs
        return logs


def _validation_parts(data: Any) -> tuple[Any, Any, Any]:
    if isinstance(data, tuple | list) and not hasattr(data, "on_epoch_end"):
        if not 2 <= len(data) <= 3:
            raise ValueError(
                "When passing a `validation_data` argument, it must contain either 2 items (x_val, y_val), or 3 "
                f"items (x_val, y_val, val_sample_weights). However we received `validation_data={data}`"
            )
        return (*data, None)[:3]
    return data, None, None


def _validates(epoch: int, frequency: Any) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return (epoch + 1) in frequency


def _verbosity(verbose: Any, default: int = 1) -> int:
    return default if verbose == "auto" else int(verbose)
