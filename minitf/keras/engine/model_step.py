"""One step of a model (training, evaluation or prediction) as a graph of its own."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from minitf.framework import nest
from minitf.graph.operation import Tensor
from minitf.keras.engine import calls
from minitf.keras.engine.compile_utils import Losses, Metrics
from minitf.keras.engine.data_adapter import Batch
from minitf.keras.engine.metric import Mean
from minitf.keras.engine.step import StepGraph
from minitf.ops import math
from minitf.ops.constants import placeholder


class ModelStep:
    """One kind of step ('train', 'test' or 'predict') of a model, drawn as a graph and run by a plan."""

    def __init__(self, model: Any, mode: str, batch: Batch) -> None:
        self._model = model
        graph = self._graph = StepGraph()
        for layer in model._flatten_layers():
            layer._call_losses = []
            layer._added_metrics = [added for added in layer._added_metrics if not added[2]]
        with graph.as_default(), calls.training_scope(mode == "train"):
            self._x = _placeholders(batch.x, "x")
            inputs = self._x
            outputs = model(inputs, **_training_keyword(model, mode))
            graph.watch([t for node in getattr(model, "_nodes", []) for t in nest.flatten(node.outputs)])
            self._outputs = outputs
            self.log_names: list[str] = []
            self.losses = 0  # so many of the logs are losses, the rest are metrics
            feeds = leaves((self._x,))
            if mode == "predict":
                self._run = graph.runner(feeds, nest.flatten(outputs))
                return
            self._y, self._weight = _placeholders(batch.y, "y"), _placeholders(batch.sample_weight, "weight")
            logs = self._objective(mode, nest.flatten(outputs))
            self.log_names = list(logs)
            self._run = graph.runner(feeds + leaves((self._y, self._weight)), list(logs.values()))
        graph.initialize()

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
        self.losses = len(logs)
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
        model = self._model
        known = model.__dict__.setdefault("_extra_metrics", {})
        for layer in model._flatten_layers():
            for value, name, _ in layer._added_metrics:
                metric = getattr(value, "_metric_obj", None)
                name = name or metric.name
                if metric is None:
                    metric = known.get(name) or Mean(name=name)
                    metric.update_state(self._graph.convert(value, None))
                known[name] = metric
        return list(known.values())

    def __call__(self, batch: Batch) -> list[Any]:
        """Runs the step. Returns the values of `log_names`, or for 'predict' the outputs, flat."""
        return self._run(leaves(batch))

    def packed(self, outputs: list[Any]) -> Any:
        """Flat outputs in the structure that the model returns."""
        return nest.pack_sequence_as(self._outputs, outputs) if nest.is_nested(self._outputs) else outputs[0]


def _training_keyword(model: Any, mode: str) -> dict[str, Any]:
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


def leaves(parts: Iterable[Any]) -> list[Any]:
    """The arrays (or tensors) of a batch's parts, which are structures of them or None."""
    found: list[Any] = []
    for part in parts:
        if type(part) is np.ndarray:
            found.append(part)
        elif part is not None:
            found.extend(leaf for leaf in nest.flatten(part) if leaf is not None)
    return found


def signature(batch: Batch) -> Any:
    """What batches that run in the same step have in common: structure, dtypes and shapes of samples."""
    return tuple(
        (part.dtype.num, part.shape[1:]) if type(part) is np.ndarray else _described(part) for part in batch
    )


def _described(structure: Any) -> Any:
    if isinstance(structure, dict):
        return tuple((key, _described(value)) for key, value in structure.items())
    if isinstance(structure, list | tuple):
        return (type(structure).__name__, *map(_described, structure))
    return None if structure is None else (structure.dtype.num, structure.shape[1:])
