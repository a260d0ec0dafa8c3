"""Every declared op, held against its own declaration, with samples from tests/op_cases.

What its kernel returns is what its dtype and shape rules promise, also where sizes are unknown; a kernel
neither changes its inputs nor hands out their memory; writing into a given array gives the same; a graph
gives what the kernel gives; and gradients of first and second order agree with finite differences.
"""

from pathlib import Path

import numpy as np
import pytest

import minitf as tf
from minitf.ops.registry import REGISTRY
from tests.op_cases import cases, exemptions, import_every_op
from tests.op_cases.compare import assert_close
from tests.op_cases.fuzz import fuzz
from tests.op_cases.run import Graphed, Known, arguments, flat, outputs_of, run_kernel

CASES = cases()
ROOT = Path(__file__).resolve().parents[2]


by_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def test_every_op_has_a_case():
    import_every_op()
    exempt = exemptions()
    missing = sorted(set(REGISTRY) - {case.op for case in CASES} - set(exempt))
    assert not missing, f"ops without a case in tests/op_cases/: {missing}"
    unknown = sorted(({case.op for case in CASES} | set(exempt)) - set(REGISTRY))
    assert not unknown, f"cases of ops that do not exist: {unknown}"
    for op, test in exempt.items():
        assert op in (ROOT / test).read_text(), f"{test} was to test {op} but does not name it"


def test_every_op_is_differentiable_or_says_that_it_is_not():
    import_every_op()
    silent = [
        name
        for name, definition in REGISTRY.items()
        if definition.gradient is None and definition.differentiable and _takes_and_gives_floats(definition)
    ]
    assert not silent, f"ops with neither gradient(...) nor not_differentiable(...): {sorted(silent)}"


def _takes_and_gives_floats(definition):
    takes = any(t.is_floating for arg in definition.inputs for t in arg.types.allowed)
    return takes and definition.outputs is not None and not definition.stateful


@by_case
def test_kernel_keeps_what_the_declaration_promises(case):
    definition = case.definition
    if definition.kernel is None or definition.state is not None:
        pytest.skip("runs in a session only")

    @fuzz(case, case.dtypes)
    def check(draw, inputs, attrs):
        given = arguments(case, inputs)
        with np.errstate(all="ignore"):
            raw = definition.kernel(*given, **attrs)
        if definition.outputs is None:
            return
        results = outputs_of(definition, raw)
        _check_inputs(case, inputs, given, results)
        _check_specs(case, inputs, attrs, results)
        if definition.accepts_out:
            _check_out(case, inputs, attrs, results)


def _check_inputs(case, inputs, given, results):
    for declared, before, after in zip(case.definition.inputs, inputs, given, strict=True):
        if declared.kind is not None:
            continue
        for old, new in zip(flat([before]), flat([after]), strict=True):
            assert_close(new, old, what=f"input {declared.name} after the kernel")
            shared = any(np.may_share_memory(new, result) for result in results)
            assert case.definition.alias or not shared, f"the result shares memory with {declared.name}"


def _check_specs(case, inputs, attrs, results):
    known = [[Known(v, True) for v in x] if isinstance(x, list) else Known(x, True) for x in inputs]
    for spec, result in zip(case.definition.infer(known, attrs), results, strict=True):
        assert spec.dtype.base_dtype == result.dtype, f"promised {spec.dtype}, got {result.dtype}"
        if case.dynamic:
            assert spec.shape.is_compatible_with(result.shape), f"{spec.shape} became {result.shape}"
        else:
            assert spec.shape.sizes == result.shape, f"promised {spec.shape}, got {result.shape}"


def _check_out(case, inputs, attrs, results):
    definition = case.definition
    out = [np.full(r.shape, 77, r.dtype) if r.dtype != object else np.empty(r.shape, object) for r in results]
    many = isinstance(definition.outputs, list | tuple)
    run_kernel(case, inputs, attrs, out=tuple(out) if many else out[0])
    for written, result in zip(out, results, strict=True):
        tolerance = case.tolerance_of(result.dtype)
        assert_close(written, result, tolerance, definition.elementwise, "out=")


@by_case
def test_graph_gives_what_the_kernel_gives(case):
    definition = case.definition

    @fuzz(case, case.dtypes, examples=max(2, case.examples // 2))
    def check(draw, inputs, attrs):
        forgetful, known = Graphed(case, inputs, attrs, draw), Graphed(case, inputs, attrs)
        expected, variables = known.run()
        actual, others = forgetful.run()
        if definition.kernel is not None and definition.state is None and definition.outputs is not None:
            kernels = outputs_of(definition, run_kernel(case, inputs, attrs))
            _all_close(case, expected, kernels, "graph with known shapes")
        _all_close(case, actual, expected, "graph with unknown shapes")
        _all_close(case, others, variables, "variables")
        for graphed in (forgetful, known):
            for tensor, result in zip(graphed.outputs, expected, strict=False):
                assert tensor.dtype.base_dtype == result.dtype
                assert tensor.shape.is_compatible_with(result.shape), f"{tensor} became {result.shape}"


def _all_close(case, actual, expected, what):
    for a, b in zip(actual, expected, strict=True):
        if case.values:
            assert_close(a, b, case.tolerance_of(b.dtype), case.definition.elementwise, what)
        else:
            assert (a.shape, a.dtype) == (b.shape, b.dtype), what


@pytest.mark.parametrize("case", [c for c in CASES if c.differentiable_inputs], ids=lambda case: case.id)
def test_gradients_agree_with_finite_differences(case):
    if "float64" not in case.dtypes:
        pytest.skip("no float64 kernel to take differences of")

    @fuzz(case, ("float64",), smooth=True)
    def check(draw, inputs, attrs):
        graphed = Graphed(case, inputs, attrs)
        rng = np.random.default_rng(1)
        with graphed.graph.as_default(), tf.Session() as session:
            xs = _sources(case, graphed)
            if not xs:
                return
            value = _weighted(rng, session, graphed.feeds, graphed.outputs)
            for order in range(1, case.orders + 1):
                if value is None:
                    return
                grads = tf.gradients(value, xs, unconnected_gradients="zero")
                grads = [tf.convert_to_tensor(g) for g in grads]
                _agree_with_differences(case, rng, session, graphed.feeds, value, xs, grads, order)
                value = _weighted(rng, session, graphed.feeds, grads)


def _sources(case, graphed):
    tensors = flat([graphed.by_name[name] for name in case.differentiable_inputs])
    return [t for t in tensors if t.dtype.is_floating]


def _weighted(rng, session, feeds, tensors):
    """A scalar: the tensors' elements times fixed random weights."""
    tensors = [t for t in tensors if t is not None and t.dtype.is_floating]
    parts = []
    for tensor, result in zip(tensors, session.run(tensors, feeds), strict=True):
        weights = rng.uniform(0.5, 1.5, np.shape(result)) * rng.choice([-1, 1], np.shape(result))
        parts.append(tf.reduce_sum(tensor * tf.constant(weights)))
    return tf.add_n(parts) if parts else None


def _agree_with_differences(case, rng, session, feeds, value, xs, grads, order):
    """Along random directions, the slope of `value` is the gradient's component."""
    analytic = session.run(grads, feeds)
    for x, grad in zip(xs, analytic, strict=True):
        assert grad.shape == feeds[x].shape, f"gradient of shape {grad.shape} for {feeds[x].shape}"
    step = 1e-5
    for _ in range(2):
        directions = [rng.uniform(-1, 1, feeds[x].shape) for x in xs]
        ends = []
        for sign in (1, -1):
            moved = {x: feeds[x] + sign * step * d for x, d in zip(xs, directions, strict=True)}
            ends.append(float(session.run(value, {**feeds, **moved})))
        numeric = (ends[0] - ends[1]) / (2 * step)
        expected = sum(float(np.sum(g * d)) for g, d in zip(analytic, directions, strict=True))
        scale = max(1.0, abs(expected), *[float(np.max(np.abs(g), initial=0)) for g in analytic])
        scale = max(scale, *[abs(end) * 1e-4 for end in ends])
        error = abs(numeric - expected) / scale
        assert error <= case.numeric_tolerance, (
            f"order {order}: slope {numeric}, gradient says {expected} (error {error:.3g})"
        )
