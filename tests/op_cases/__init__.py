"""One table of cases for every op: what to feed it, and what TensorFlow calls it.

`tests/ops/test_every_op.py` reads it to test minitf by itself, `parity/test_ops.py` to compare it with real
TensorFlow. Nothing here imports TensorFlow: a reference is a function that is handed the module.

A case is a function that draws a sample; its keys are the op's inputs and attributes:

    @case("Softplus")
    def softplus(draw):
        return {"features": draw.array()}

    @case("SumLike", reference=lambda tf, value, like: ...)
    def sum_like(draw): ...

`draw.dtype` is the dtype under test: all that the op's first input allows are tried in turn, or those given
as `dtypes=`. When `draw.smooth` is set the sample is for gradients: the values must lie where the op is
differentiable (`draw.array` keeps them apart from each other and from 0).
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import minitf.ops
from minitf.framework.dtypes import DType
from minitf.ops.registry import REGISTRY, OpDefinition
from tests.op_cases.draw import ALL, Draw

# Relative to the output's scale (to each element, for elementwise ops).
TOLERANCES = {
    "float16": 2e-3, "float32": 1e-5, "float64": 1e-10, "complex64": 1e-5, "complex128": 1e-10,
}  # fmt: skip
GRADIENT_TOLERANCES = {
    "float32": 1e-4, "float64": 1e-10, "complex64": 1e-4, "complex128": 1e-10,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """How to test one op.

    `sample(draw)` returns its inputs and attributes. `reference(tf, **sample)` computes the same with
    TensorFlow from tensors (None: `tf.raw_ops` has the op under the same name and argument names).
    `no_gradient` names inputs that have none, `orders` says how often the op can be differentiated, and
    `reference_gradient=False` that TensorFlow has no gradient to compare with.
    Tolerances are per dtype name; whoever sets one gives a `reason`. `dynamic` marks ops whose output shape
    depends on values. `values=False` compares shapes and dtypes only (say why in `reason`).
    """

    op: str
    sample: Callable[[Draw], dict[str, Any]]
    dtypes: tuple[str, ...]
    reference: Callable | None = None
    tolerance: dict[str, float] | None = None
    gradient_tolerance: dict[str, float] | None = None
    numeric_tolerance: float = 1e-6
    reason: str = ""
    no_gradient: tuple[str, ...] = ()
    orders: int = 2
    reference_gradient: bool = True
    dynamic: bool = False
    values: bool = True
    elementwise: bool | None = None
    examples: int = 6

    @property
    def definition(self) -> OpDefinition:
        """The op's declaration."""
        return REGISTRY[self.op]

    @property
    def id(self) -> str:
        """How test reports name the case."""
        return self.op if self.sample.__name__ == "<lambda>" else f"{self.op}-{self.sample.__name__}"

    def tolerance_of(self, dtype: Any) -> float:
        """How far outputs of `dtype` may be off."""
        return {**TOLERANCES, **(self.tolerance or {})}.get(np.dtype(dtype).name, 0.0)

    def gradient_tolerance_of(self, dtype: Any) -> float:
        """How far gradients of `dtype` may be off TensorFlow's."""
        return {**GRADIENT_TOLERANCES, **(self.gradient_tolerance or {})}[np.dtype(dtype).name]

    def split(self, sample: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """A sample as the op's inputs (lists for list inputs) and attributes (defaults included)."""
        names = [declared.name for declared in self.definition.inputs]
        inputs = []
        for declared in self.definition.inputs:
            value = sample[declared.name]
            inputs.append([np.asarray(v) for v in value] if declared.is_list else np.asarray(value))
        given = {name: value for name, value in sample.items() if name not in names}
        unknown = given.keys() - self.definition.attrs.keys()
        assert not unknown, f"{self.op} has no attribute {sorted(unknown)}"
        attrs = {**self.definition.attrs, **given}
        missing = [name for name, value in attrs.items() if value is inspect.Parameter.empty]
        assert not missing, f"the sample for {self.op} lacks {missing}"
        return inputs, attrs

    @property
    def differentiable_inputs(self) -> tuple[str, ...]:
        """Names of the inputs of which gradients are checked."""
        if self.definition.gradient is None:
            return ()
        return tuple(
            declared.name
            for declared in self.definition.inputs
            if any(t.is_floating for t in declared.types.allowed) and declared.name not in self.no_gradient
        )


_CASES: list[Case] = []
_EXEMPT: dict[str, str] = {}


def case(*ops: str, dtypes: tuple[str, ...] | None = None, **options: Any) -> Callable:
    """Declares cases for `ops`; decorates the function that draws their samples. See `Case`."""
    assert options.get("reason") or not {"tolerance", "gradient_tolerance", "values"} & options.keys(), (
        f"the case of {ops} departs from the defaults without giving a reason"
    )

    def declare(sample: Callable[[Draw], dict[str, Any]]) -> Callable:
        for op in ops:
            _CASES.append(Case(op, sample, tuple(dtypes or _dtypes_of(op)), **options))
        return sample

    return declare


def exempt(*ops: str, test: str) -> None:
    """Says that `ops` cannot be fuzzed one by one, and which file tests them instead."""
    _EXEMPT.update(dict.fromkeys(ops, test))


def _dtypes_of(op: str) -> tuple[str, ...]:
    import_every_op()
    if op not in REGISTRY or not REGISTRY[op].inputs:
        return ("float32",)
    allowed: tuple[DType, ...] = REGISTRY[op].inputs[0].types.allowed
    return tuple(t.name for t in allowed if t.name in ALL)


def import_every_op() -> None:
    """Imports all of minitf/ops, so that no op stays unseen because nothing imports it yet."""
    for module in pkgutil.iter_modules(minitf.ops.__path__):
        importlib.import_module(f"minitf.ops.{module.name}")


def cases() -> list[Case]:
    """All cases, of all files in this folder."""
    import_every_op()
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return list(_CASES)


def exemptions() -> dict[str, str]:
    """Ops that are tested elsewhere: name → test file."""
    cases()
    return dict(_EXEMPT)
