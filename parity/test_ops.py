"""Every declared op beside TensorFlow's: outputs for all dtypes, gradients of first and second order.

The samples are those of tests/op_cases. A dtype for which TensorFlow has no kernel is passed over, but each
op must have been compared in at least one.
"""

import numpy as np
import pytest

import minitf as tf
from parity import reference
from parity.reference import Weights, no_kernel
from tests.op_cases import cases
from tests.op_cases.compare import assert_close
from tests.op_cases.fuzz import fuzz
from tests.op_cases.run import Graphed, flat

CASES = cases()
GRADIENT_DTYPES = ("float32", "float64", "complex128")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_outputs(case):
    compared = set()

    @fuzz(case, case.dtypes)
    def check(draw, inputs, attrs):
        try:
            expected, variables = reference.run(case, inputs, attrs)
        except Exception as error:
            if draw.dtype.name == "float32" or not no_kernel(error):
                raise
            return
        compared.add(draw.dtype.name)
        actual, others = Graphed(case, inputs, attrs).run()
        assert len(actual) == len(expected)
        pairs = list(zip(actual, expected, strict=True))
        if variables is not None:
            pairs += zip(others, variables, strict=True)
        for a, b in pairs:
            if case.values:
                assert_close(a, b, case.tolerance_of(b.dtype), _elementwise(case))
            else:
                assert (a.shape, a.dtype) == (b.shape, b.dtype)

    assert compared, f"TensorFlow has no kernel for any of {case.dtypes}"


def _elementwise(case):
    return case.definition.elementwise if case.elementwise is None else case.elementwise


DIFFERENTIABLE = [
    case
    for case in CASES
    if case.differentiable_inputs and case.reference_gradient and set(GRADIENT_DTYPES) & set(case.dtypes)
]


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=lambda case: case.id)
def test_gradients(case):
    dtypes = [dtype for dtype in GRADIENT_DTYPES if dtype in case.dtypes]
    weights, compared = Weights(), set()

    @fuzz(case, dtypes, smooth=True, examples=max(3, case.examples // 2))
    def check(draw, inputs, attrs):
        graphed = Graphed(case, inputs, attrs)
        sources = [t for name in case.differentiable_inputs for t in flat([graphed.by_name[name]])]
        sources = [t for t in sources if t.dtype.is_floating or t.dtype.is_complex]
        order = flat(list(graphed.by_name.values()))
        wanted = [next(i for i, t in enumerate(order) if t is source) for source in sources]
        try:
            expected = reference.gradients(case, inputs, attrs, wanted, weights, case.orders)
        except Exception as error:
            if not no_kernel(error):
                raise
            return
        compared.update([draw.dtype.name] * bool(expected))
        actual = _gradients(graphed, sources, weights, len(expected))
        tolerance = case.gradient_tolerance_of(draw.dtype)
        for degree, (ours, theirs) in enumerate(zip(actual, expected, strict=True), 1):
            scale = max([1.0, *[float(np.max(np.abs(g), initial=0)) for g in theirs]])
            for source, a, b in zip(sources, ours, theirs, strict=True):
                what = f"gradient of order {degree} for {source.op.name}"
                assert_close(a / scale, b / scale, tolerance, what=what)

    assert compared, "TensorFlow has no such gradient: say so with reference_gradient=False"


def _gradients(graphed, sources, weights, orders):
    """As `reference.gradients`, with minitf."""
    tensors, result = graphed.outputs, []
    with graphed.graph.as_default(), tf.Session() as session:
        values = session.run(graphed.outputs, graphed.feeds)
        for _ in range(orders):
            pairs = [(t, v) for t, v in zip(tensors, values, strict=True) if _continuous(t)]
            parts = [tf.reduce_sum(t * weights(np.shape(v), t.dtype.as_numpy_dtype)) for t, v in pairs]
            value = tf.add_n(parts)  # of complex numbers, perhaps: then grad_ys must be given
            grads = tf.gradients(value, sources, tf.ones_like(value), unconnected_gradients="zero")
            tensors = [tf.convert_to_tensor(g) for g in grads]
            values = session.run(tensors, graphed.feeds)
            result.append(values)
    return result


def _continuous(tensor):
    return tensor.dtype.is_floating or tensor.dtype.is_complex
