"""`tf.math`: arithmetic, reductions, segments, special functions. Names only."""

from minitf.ops.activation import softplus, softsign
from minitf.ops.argmax import argmax, argmin
from minitf.ops.array import invert_permutation
from minitf.ops.checks import is_non_decreasing, is_strictly_increasing
from minitf.ops.complex import angle, imag, real
from minitf.ops.confusion import confusion_matrix
from minitf.ops.count import bincount, count_nonzero
from minitf.ops.math import (
    abs, acos, acosh, add, asin, asinh, atan, atan2, atanh, ceil, conj, cos, cosh, digamma,
    div_no_nan as divide_no_nan, divide, equal, erf, erfc, erfinv, exp, expm1, floor, floordiv, floormod,
    greater, greater_equal, igamma, igammac, is_finite, is_inf, is_nan, less, less_equal, lgamma, log, log1p,
    log_sigmoid, logical_and, logical_not, logical_or, logical_xor, maximum, minimum, mod, multiply,
    multiply_no_nan, ndtri, negative, not_equal, polygamma, pow, reciprocal, rint, round, rsqrt, sigmoid,
    sign, sin, sinh, sqrt, square, squared_difference, subtract, tan, tanh, truediv, xdivy, xlog1py, xlogy,
    zeta,
)  # fmt: skip
from minitf.ops.math_n import accumulate_n, add_n
from minitf.ops.nn_misc import in_top_k, zero_fraction
from minitf.ops.norm import l2_normalize
from minitf.ops.reduce import (
    reduce_all, reduce_any, reduce_max, reduce_mean, reduce_min, reduce_prod, reduce_sum,
)  # fmt: skip
from minitf.ops.reduce_more import reduce_euclidean_norm, reduce_logsumexp, reduce_std, reduce_variance
from minitf.ops.scan import cumprod, cumsum, cumulative_logsumexp
from minitf.ops.segment import (
    segment_max, segment_mean, segment_min, segment_prod, segment_sum, unsorted_segment_max,
    unsorted_segment_mean, unsorted_segment_min, unsorted_segment_prod, unsorted_segment_sqrt_n,
    unsorted_segment_sum,
)  # fmt: skip
from minitf.ops.softmax import log_softmax, softmax
from minitf.ops.sort import top_k
from minitf.ops.special import (
    bessel_i0, bessel_i0e, bessel_i1, bessel_i1e, betainc, erfcinv, lbeta, nextafter, polyval,
    reciprocal_no_nan, scalar_mul,
)  # fmt: skip
