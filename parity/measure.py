"""Runs a model of parity/models.py with one engine, and compares two such runs."""

from typing import Any, NamedTuple

import numpy as np

from parity.models import ModelCase
from tests.op_cases.compare import largest_error

# Relative to the largest value of the quantity, per precision.
TOLERANCES = {
    "float32": {"outputs": 1e-5, "losses": 1e-4, "gradients": 1e-4, "training": 1e-4},
    "float64": {"outputs": 1e-10, "losses": 1e-10, "gradients": 1e-10, "training": 1e-10},
}


class Run(NamedTuple):
    """What a model computed: quantities by name."""

    parameters: dict[str, tuple[int, ...]]
    outputs: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]
    losses: np.ndarray
    variables: dict[str, np.ndarray]


class Row(NamedTuple):
    """One line of the table."""

    model: str
    quantity: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance (NaN never is)."""
        return self.error <= self.tolerance


def run(tf: Any, case: ModelCase, dtype: str) -> Run:
    """Builds, initialises, looks at outputs and gradients, and trains `case.steps` steps."""
    rng = np.random.default_rng(7)
    with tf.Graph().as_default():
        model = case.build(tf, dtype)
        trainable = tf.trainable_variables()
        grads = [tf.convert_to_tensor(g) for g in tf.gradients(model.loss, trainable)]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for variable in trainable:
                shape = [int(size) for size in variable.shape]
                variable.load(rng.normal(0, case.scale, shape).astype(dtype), session)
            feed = _feed(model, case.batch(rng))
            outputs = session.run({**model.outputs, "loss": model.loss}, feed)
            gradients = session.run({v.op.name: g for v, g in zip(trainable, grads, strict=True)}, feed)
            losses = []
            for _ in range(case.steps):
                losses.append(session.run([model.loss, model.train], feed)[0])
                feed = _feed(model, case.batch(rng))
            variables = session.run({v.op.name: v for v in tf.global_variables()})
    shapes = {v.op.name: tuple(int(size) for size in v.shape) for v in trainable}
    return Run(shapes, outputs, gradients, np.array(losses), variables)


def _feed(model: Any, batch: dict[str, np.ndarray]) -> dict[Any, np.ndarray]:
    return {
        placeholder: batch[name].astype(placeholder.dtype.as_numpy_dtype)
        for name, placeholder in model.feeds.items()
    }


def compare(case: ModelCase, dtype: str, ours: Run, theirs: Run) -> list[Row]:
    """The table's rows for a model: names and counts must be equal, numbers close."""
    label = f"{case.name} ({dtype})"
    differences = _differences(ours.parameters, theirs.parameters)
    names = _differences(set(ours.variables), set(theirs.variables))
    rows = [
        Row(label, f"{_count(theirs.parameters)} parameters", differences, 0),
        Row(label, "variable names", names, 0),
    ]

    def add(title, kind, actual, expected):
        rows.append(Row(label, title, _error(actual, expected), _tolerance(case, kind, expected)))

    for name, expected in theirs.outputs.items():
        kind = "losses" if name == "loss" else "outputs"
        add(f"output {name}", kind, ours.outputs.get(name), expected)
    for name, expected in theirs.gradients.items():
        add(f"gradient of {name}", "gradients", ours.gradients.get(name), expected)
    for name, expected in theirs.variables.items():
        add(f"trained {name}", "training", ours.variables.get(name), expected)
    add(f"losses of {case.steps} steps", "losses", ours.losses, theirs.losses)
    return rows


def _tolerance(case: ModelCase, kind: str, expected: np.ndarray) -> float:
    """By the quantity's own precision: Adam's powers, for one, are float32 always."""
    precision = np.asarray(expected).dtype.name
    return case.tolerances.get(kind, TOLERANCES.get(precision, {}).get(kind, 0.0))


def _count(parameters: dict[str, tuple[int, ...]]) -> int:
    return sum(int(np.prod(shape)) for shape in parameters.values())


def _differences(ours: Any, theirs: Any) -> float:
    pairs = (set(x.items()) if isinstance(x, dict) else x for x in (ours, theirs))
    return float(len(set.symmetric_difference(*pairs)))


def _error(ours: Any, theirs: Any) -> float:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return float("inf")
    if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return float("inf")
    return largest_error(ours, theirs)
