"""Normalization: moments of tensors, and batch, local response and L2 normalization by them.

Batch normalization as a single op is in norm_fused.py.
"""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.kernels import lrn as kernels
from minitf.ops import math
from minitf.ops.array import cast, identity, shape, squeeze, stop_gradient
from minitf.ops.constants import zeros_like
from minitf.ops.reduce import _one_of, reduce_mean, reduce_prod, reduce_sum
from minitf.ops.registry import Types, gradient, interpreter, op
from minitf.ops.shape_rules import merge, require_rank

# --- moments -----------------------------------------------------------------------------------------


def _keep(keepdims: bool | None, keep_dims: bool | None) -> bool:
    return bool(_one_of("keepdims", keepdims, "keep_dims", keep_dims))


def moments(
    x: Any,
    axes: Any,
    shift: Any = None,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Any, Any]:
    """Mean and variance (over N, not N - 1) of `x` over dimensions `axes`.

    float16 is worked out in float32. `shift` has had no effect since TensorFlow 1.3, and has none here.
    """
    keep = _keep(keepdims, keep_dims)
    current = interpreter()
    with current.name_scope(name or "moments"):
        x = current.convert(x, None, dtypes.float32, "x")
        half = x.dtype.base_dtype == dtypes.float16
        y = cast(x, dtypes.float32) if half else x
        mean = reduce_mean(y, axes, keepdims=True, name="mean")
        spread = math.squared_difference(y, stop_gradient(mean))
        variance = reduce_mean(spread, axes, keepdims=True, name="variance")
        if not keep:
            mean, variance = squeeze(mean, axes), squeeze(variance, axes)
        if half:
            mean, variance = cast(mean, dtypes.float16), cast(variance, dtypes.float16)
        return mean, variance


def weighted_moments(
    x: Any,
    axes: Any,
    frequency_weights: Any,
    name: str | None = None,
    keep_dims: bool | None = None,
    keepdims: bool | None = None,
) -> tuple[Any, Any]:
    """Mean and variance of `x` over `axes`, each value counted `frequency_weights` times.

    The weights broadcast with `x`. Where all weights are 0, so are both results.
    """
    keep = _keep(keepdims, keep_dims)
    current = interpreter()
    with current.name_scope(name or "weighted_moments"):
        x = current.convert(x, None, dtypes.float32, "x")
        half = x.dtype.base_dtype == dtypes.float16
        x = cast(x, dtypes.float32) if half else x
        weights = current.convert(frequency_weights, None, x.dtype.base_dtype, "frequency_weights")
        weights = cast(weights, x.dtype)
        total = reduce_sum(weights * x, axes, keepdims=True, name="weighted_input_sum")
        weight = reduce_sum(weights + zeros_like(x), axes, keepdims=True, name="sum_of_weights")
        mean = math.div_no_nan(total, weight)
        spread = weights * math.squared_difference(x, mean)
        variance = math.div_no_nan(reduce_sum(spread, axes, keepdims=True, name="weighted_distsq"), weight)
        if not keep:
            mean, variance = squeeze(mean, axes), squeeze(variance, axes)
        if half:
            mean, variance = cast(mean, dtypes.float16), cast(variance, dtypes.float16)
        return mean, variance


def sufficient_statistics(
    x: Any,
    axes: Any,
    shift: Any = None,
    keep_dims: bool | None = None,
    name: str | None = None,
    keepdims: bool | None = None,
) -> tuple[Any, Any, Any, Any]:
    """What mean and variance of `x` over `axes` can be had from, batch by batch.

    Returns the number of values, the sums of x - shift and of (x - shift) ** 2, and `shift` (or None):
    see `normalize_moments`.
    """
    from minitf.ops.gather import gather

    keep = _keep(keepdims, keep_dims)
    axes = sorted(set(axes))
    current = interpreter()
    with current.name_scope(name or "sufficient_statistics"):
        x = current.convert(x, None, dtypes.float32, "x")
        kind = x.dtype.base_dtype
        sizes = [None] if x.shape.rank is None else [x.shape.sizes[axis] for axis in axes]
        if None not in sizes:
            counts = identity(np.array(np.prod(sizes, dtype=np.int64), kind.numpy_dtype), name="Const")
        else:
            from minitf.ops.array import rank

            places = [axis if axis >= 0 else axis + rank(x) for axis in axes]
            counts = reduce_prod(gather(cast(shape(x), kind), places), name="count")
        if shift is None:
            first, second = x, math.square(x)
        else:
            shift = current.convert(shift, None, kind, "shift")
            first, second = x - shift, math.squared_difference(x, shift)
        first = reduce_sum(first, axes, keepdims=keep, name="mean_ss")
        second = reduce_sum(second, axes, keepdims=keep, name="var_ss")
        return counts, first, second, shift


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Any, Any]:
    """Mean and variance from what `sufficient_statistics` returns, perhaps summed over batches."""
    with interpreter().name_scope(name or "normalize"):
        divisor = math.reciprocal(counts, name="divisor")
        shifted = math.multiply(mean_ss, divisor, name="mean" if shift is None else "shifted_mean")
        mean = shifted if shift is None else math.add(shifted, shift, name="mean")
        variance = math.subtract(math.multiply(variance_ss, divisor), math.square(shifted), name="variance")
        return mean, variance


# --- normalization by them ---------------------------------------------------------------------------


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: float,
    name: str | None = None,
) -> Any:
    """scale * (x - mean) / sqrt(variance + variance_epsilon) + offset.

    All broadcast; `offset` and `scale` may be None. See Ioffe and Szegedy (2015).
    """
    current = interpreter()
    with current.name_scope(name or "batchnorm"):
        x = current.convert(x, None, dtypes.float32, "x")
        inverse = math.rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse = inverse * scale
        scaled_mean = mean * inverse
        shift = -scaled_mean if offset is None else offset - scaled_mean
        return x * cast(inverse, x.dtype) + cast(shift, x.dtype)


def batch_norm_with_global_normalization(
    t: Any = None,
    m: Any = None,
    v: Any = None,
    beta: Any = None,
    gamma: Any = None,
    variance_epsilon: float | None = None,
    scale_after_normalization: bool | None = None,
    name: str | None = None,
    input: Any = None,
    mean: Any = None,
    variance: Any = None,
) -> Any:
    """`batch_normalization` under its oldest name; `gamma` counts if `scale_after_normalization`."""
    t = _one_of("input", input, "t", t)
    m = _one_of("mean", mean, "m", m)
    v = _one_of("variance", variance, "v", v)
    scale = gamma if scale_after_normalization else None
    return batch_normalization(t, m, v, beta, scale, variance_epsilon, name)


def l2_normalize(
    x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None
) -> Any:
    """`x` over its length: x / sqrt(max(sum(x ** 2), epsilon)), the sum over `axis` (old name: `dim`).

    `axis` is one dimension or several, None for all.
    """
    axis = _one_of("axis", axis, "dim", dim)
    current = interpreter()
    with current.name_scope(name or "l2_normalize") as scope:
        x = current.convert(x, None, dtypes.float32, "x")
        size = math.abs(x) if x.dtype.is_complex else x
        total = reduce_sum(math.square(size), axis, keepdims=True)
        smallest = np.array(epsilon, total.dtype.base_dtype.numpy_dtype)
        inverse = math.rsqrt(math.maximum(total, smallest))
        return math.multiply(x, cast(inverse, x.dtype), name=scope)


# --- local response normalization --------------------------------------------------------------------

_Half = Types("HalfOrSingle", (dtypes.float16, dtypes.float32))


def _image_shape(first, *_rest, **_attrs):
    return merge(require_rank(first, 4), *[x.shape for x in _rest])


@op("LRN", shape=_image_shape)
def _lrn(input: _Half, *, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5, out=None) -> _Half:
    """Images over a power of the squares of their neighbouring channels."""
    return kernels.local_response_normalization(input, depth_radius, bias, alpha, beta, out)


@op("LRNGrad", shape=_image_shape)
def _lrn_grad(
    input_grads: _Half,
    input_image: _Half,
    output_image: _Half,
    *,
    depth_radius=5,
    bias=1.0,
    alpha=1.0,
    beta=0.5,
    out=None,
) -> _Half:
    """The gradient of LRN with respect to its input."""
    return kernels.local_response_normalization_grad(
        input_grads, input_image, output_image, depth_radius, bias, alpha, beta, out
    )


@gradient(_lrn)
def _lrn_gradient(op, grad):
    return _lrn_grad(grad, op.inputs[0], op.outputs[0], **op.attrs)


@gradient(_lrn_grad)
def _lrn_grad_gradient(op, grad):
    raise LookupError(f"No gradient defined for operation '{op.name}' (op type: LRNGrad)")


def local_response_normalization(
    input: Any,
    depth_radius: int = 5,
    bias: float = 1.0,
    alpha: float = 1.0,
    beta: float = 0.5,
    name: str | None = None,
) -> Any:
    """Images (N, H, W, C) over (bias + alpha * sum of squares of the channels around) ** beta.

    The sum runs over `depth_radius` channels on either side (Krizhevsky et al. 2012, section 3.3); float16
    or float32. As in TensorFlow, its gradient has no gradient.
    """
    numbers = {"bias": float(bias), "alpha": float(alpha), "beta": float(beta)}
    return _lrn(input, depth_radius=int(depth_radius), name=name, **numbers)
