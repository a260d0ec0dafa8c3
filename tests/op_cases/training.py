"""Optimizer steps: the variable and its slots are inputs that the op changes in place."""

import numpy as np

from tests.op_cases import case

_FLOATS = ("float32", "float64")


def _scalars(draw, **values):
    return {name: np.asarray(value, draw.dtype) for name, value in values.items()}


def _arrays(draw, *names, positive=()):
    shape = draw.shape()
    arrays = {name: draw.array(shape, special=False) for name in names}
    return {n: np.abs(a) + a.dtype.type(0.1) if n in positive else a for n, a in arrays.items()}


@case("ApplyGradientDescent", dtypes=_FLOATS)
def gradient_descent(draw):
    return {**_arrays(draw, "var", "delta"), **_scalars(draw, alpha=0.1)}


@case("ApplyProximalGradientDescent", dtypes=_FLOATS)
def proximal_gradient_descent(draw):
    return {**_arrays(draw, "var", "delta"), **_scalars(draw, alpha=0.1, l1=0.2, l2=0.3)}


@case("ApplyMomentum", dtypes=_FLOATS)
def momentum(draw):
    scalars = _scalars(draw, lr=0.1, momentum=0.9)
    return {**_arrays(draw, "var", "accum", "grad"), **scalars, "use_nesterov": draw.boolean()}


@case("ApplyAdagrad", dtypes=_FLOATS)
def adagrad(draw):
    return {**_arrays(draw, "var", "accum", "grad", positive=["accum"]), **_scalars(draw, lr=0.1)}


@case("ApplyAdagradV2", dtypes=_FLOATS)
def adagrad_v2(draw):
    arrays = _arrays(draw, "var", "accum", "grad", positive=["accum"])
    return {**arrays, **_scalars(draw, lr=0.1, epsilon=1e-7)}


@case("ApplyProximalAdagrad", dtypes=_FLOATS)
def proximal_adagrad(draw):
    arrays = _arrays(draw, "var", "accum", "grad", positive=["accum"])
    return {**arrays, **_scalars(draw, lr=0.1, l1=0.2, l2=0.3)}


@case("ApplyAdagradDA", dtypes=_FLOATS)
def adagrad_da(draw):
    names = ("var", "gradient_accumulator", "gradient_squared_accumulator", "grad")
    arrays = _arrays(draw, *names, positive=["gradient_squared_accumulator"])
    scalars = _scalars(draw, lr=0.1, l1=draw.one_of(0.0, 0.2), l2=0.3)
    return {**arrays, **scalars, "global_step": np.int64(draw.one_of(1, 7))}


@case("ApplyAdadelta", dtypes=_FLOATS)
def adadelta(draw):
    names = ("var", "accum", "accum_update", "grad")
    arrays = _arrays(draw, *names, positive=["accum", "accum_update"])
    return {**arrays, **_scalars(draw, lr=0.1, rho=0.9, epsilon=1e-6)}


@case("ApplyAdam", dtypes=_FLOATS)
def adam(draw):
    arrays = _arrays(draw, "var", "m", "v", "grad", positive=["v"])
    scalars = _scalars(draw, beta1_power=0.81, beta2_power=0.99, lr=0.1, beta1=0.9, beta2=0.999, epsilon=1e-8)
    return {**arrays, **scalars, "use_nesterov": draw.boolean()}


@case("ApplyAdaMax", dtypes=_FLOATS)
def adamax(draw):
    arrays = _arrays(draw, "var", "m", "v", "grad", positive=["v"])
    return {**arrays, **_scalars(draw, beta1_power=0.81, lr=0.1, beta1=0.9, beta2=0.999, epsilon=1e-8)}


@case("ApplyRMSProp", dtypes=_FLOATS)
def rmsprop(draw):
    arrays = _arrays(draw, "var", "ms", "mom", "grad", positive=["ms"])
    return {**arrays, **_scalars(draw, lr=0.1, rho=0.9, momentum=0.5, epsilon=1e-10)}


def _plain_rmsprop(tf, var, ms, lr, rho, epsilon, grad):
    ms = rho * ms + (1 - rho) * grad * grad
    return var - lr * grad / (tf.sqrt(ms) + epsilon)


@case("ApplyPlainRMSProp", dtypes=_FLOATS, reference=_plain_rmsprop)
def plain_rmsprop(draw):
    arrays = _arrays(draw, "var", "ms", "grad", positive=["ms"])
    return {**arrays, **_scalars(draw, lr=0.1, rho=0.9, epsilon=1e-7)}


@case("ApplyCenteredRMSProp", dtypes=_FLOATS)
def centered_rmsprop(draw):
    arrays = _arrays(draw, "var", "mg", "ms", "mom", "grad", positive=["ms"])
    arrays["ms"] = arrays["ms"] + arrays["mg"] ** 2  # a variance, so never below zero
    return {**arrays, **_scalars(draw, lr=0.1, rho=0.9, momentum=0.5, epsilon=1e-3)}


@case("ApplyFtrlV2", dtypes=_FLOATS)
def ftrl(draw):
    arrays = _arrays(draw, "var", "accum", "linear", "grad", positive=["accum"])
    return {**arrays, **_scalars(draw, lr=0.1, l1=0.2, l2=0.3, l2_shrinkage=0.1, lr_power=-0.5)}


# --- the same on a few rows --------------------------------------------------------------------------

_ROWS = (4, 2, 3)


def _rows(draw, dense, gradient="grad"):
    """A sample of the dense case, cut down: slots of several rows, a gradient and indices for some."""
    sample = {}
    for name, value in dense(_Fixed(draw)).items():
        sample[name] = value
    count = draw.integer(0, _ROWS[0])
    sample[gradient] = sample[gradient][:count]
    sample["indices"] = np.array(draw.permutation(_ROWS[0])[:count], draw.index_dtype())
    return sample


class _Fixed:
    """A Draw whose shapes are all `_ROWS`."""

    def __init__(self, draw):
        self._draw = draw

    def shape(self):
        return _ROWS

    def __getattr__(self, name):
        return getattr(self._draw, name)


def _scatter_sub(tf, var, alpha, delta, indices, **_attrs):
    return tf.tensor_scatter_nd_sub(var, indices[:, None], alpha * delta)


@case("SparseApplyGradientDescent", dtypes=_FLOATS, reference=_scatter_sub)
def sparse_gradient_descent(draw):
    return _rows(draw, gradient_descent, "delta")


_SPARSE = {
    "SparseApplyMomentum": momentum,
    "SparseApplyAdagrad": adagrad,
    "SparseApplyAdagradV2": adagrad_v2,
    "SparseApplyProximalAdagrad": proximal_adagrad,
    "SparseApplyAdagradDA": adagrad_da,
    "SparseApplyAdadelta": adadelta,
    "SparseApplyRMSProp": rmsprop,
    "SparseApplyCenteredRMSProp": centered_rmsprop,
    "SparseApplyFtrlV2": ftrl,
}
for _op, _dense in _SPARSE.items():
    case(_op, dtypes=_FLOATS)(lambda draw, dense=_dense: _rows(draw, dense))


def _sparse_proximal(tf, var, alpha, l1, l2, delta, indices, **_attrs):
    """TensorFlow calls the argument `grad`; and a raw op would need a variable."""
    rows = tf.gather(var, indices) - alpha * delta
    rows = tf.sign(rows) * tf.maximum(tf.abs(rows) - alpha * l1, 0) / (1 + alpha * l2)
    return tf.tensor_scatter_nd_update(var, indices[:, None], rows)


@case("SparseApplyProximalGradientDescent", dtypes=_FLOATS, reference=_sparse_proximal)
def sparse_proximal_gradient_descent(draw):
    return _rows(draw, proximal_gradient_descent, "delta")
