"""Every declared op, applied eagerly: it returns what a graph gives, and a tape gives its gradient."""

import numpy as np
import pytest

import minitf as tf
from minitf.eager.context import eager_mode
from minitf.eager.tape import GradientTape
from minitf.eager.variable import Variable
from minitf.ops import registry
from tests.op_cases import cases
from tests.op_cases.compare import assert_close
from tests.op_cases.fuzz import fuzz
from tests.op_cases.run import Graphed, as_array, flat

CASES = cases()


def applied(case, inputs, attrs):
    """The op's outputs as eager tensors, its inputs by name, and its variables."""
    tensors, variables = {}, []
    for declared, value in zip(case.definition.inputs, inputs, strict=True):
        if declared.kind is not None:
            variables.append(Variable(value))
            tensors[declared.name] = variables[-1]
        elif declared.is_list:
            tensors[declared.name] = [tf.constant(v) for v in value]
        else:
            tensors[declared.name] = tf.constant(value)
    return tensors, variables, lambda: _listed(registry.apply(case.definition, list(tensors.values()), attrs))


def _listed(result):
    if result is None:
        return []
    return result if isinstance(result, list) else [result]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_eager_gives_what_a_graph_gives(case):
    if case.definition.kernel is None:
        pytest.skip("has no kernel")

    @fuzz(case, case.dtypes)
    def check(draw, inputs, attrs):
        graphed, values = Graphed(case, inputs, attrs).run()
        with eager_mode():
            _, variables, call = applied(case, inputs, dict(attrs))
            outputs = call()
            again = call() if not variables and case.definition.state is None else outputs
        for i, (output, repeated, expected) in enumerate(zip(outputs, again, graphed, strict=True)):
            for got in (output, repeated):
                assert got.dtype.numpy_dtype == expected.dtype and tuple(got.shape) == expected.shape
                if case.values and case.definition.state is None:
                    assert_close(
                        as_array(got.numpy()), expected, case.tolerance_of(expected.dtype), what=f"output {i}"
                    )
        for variable, expected in zip(variables, values, strict=True):
            assert_close(
                as_array(variable.numpy()), expected, case.tolerance_of(expected.dtype), what="the variable"
            )


@pytest.mark.parametrize("case", [c for c in CASES if c.differentiable_inputs], ids=lambda case: case.id)
def test_a_tape_gives_what_tf_gradients_gives(case):
    whole = case.reference_gradient or case.orders  # not of some outputs only
    if "float64" not in case.dtypes or not case.values or case.definition.stateful or not whole:
        pytest.skip("nothing to compare")

    @fuzz(case, ("float64",), smooth=True)
    def check(draw, inputs, attrs):
        graphed = Graphed(case, inputs, attrs)
        names = case.differentiable_inputs
        with graphed.graph.as_default(), tf.Session() as session:
            xs = [t for t in flat([graphed.by_name[name] for name in names]) if t.dtype.is_floating]
            ys = [t for t in graphed.outputs if t is not None and t.dtype.is_floating]
            if not xs or not ys:
                return
            grads = tf.gradients(ys, xs, unconnected_gradients="zero")
            expected = session.run([tf.convert_to_tensor(grad) for grad in grads], graphed.feeds)
        with eager_mode():
            tensors, _, call = applied(case, inputs, dict(attrs))
            sources = [t for t in flat([tensors[name] for name in names]) if t.dtype.is_floating]
            with GradientTape() as tape:
                tape.watch(sources)
                outputs = [t for t in call() if t.dtype.is_floating]
            found = tape.gradient(outputs, sources, unconnected_gradients="zero")
            found = [tf.convert_to_tensor(grad).numpy() for grad in found]
        for grad, want in zip(found, expected, strict=True):
            assert_close(np.asarray(grad), want, case.gradient_tolerance_of(want.dtype), what="gradient")
