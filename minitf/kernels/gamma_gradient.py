"""How a gamma variate moves with its shape parameter: what makes random gamma draws differentiable.

With the uniform number behind a sample x held fixed, dx/da = -(dP(a, x)/da) / p(x; a), where P is the
distribution function and p the density (Figurnov, Mohamed and Mnih, "Implicit Reparameterization Gradients",
2018).

May import: numpy; scipy.special on first need.
"""

from __future__ import annotations

import numpy as np

# How many standard deviations of the terms' weights around their peak are added up.
_WIDTH = 12.0


def gamma_sample_gradient(alpha: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """dx/da of samples x of shape parameters a: float32 or float64; the arguments broadcast.

    P(a, x) is the sum over n of w_n = x^(a + n) e^-x / gamma(a + n + 1), and so dP/da the sum of
    w_n (log x - digamma(a + n + 1)); the weights peak where a + n is near x.
    """
    from scipy.special import digamma, gammaln

    dtype = np.result_type(alpha, sample)
    a, x = np.broadcast_arrays(np.asarray(alpha, np.float64), np.asarray(sample, np.float64))
    if x.size == 0:
        return np.empty(x.shape, dtype)
    with np.errstate(all="ignore"):
        log_x, width = np.log(x), _WIDTH * np.sqrt(x) + 30
        first = np.maximum(np.floor(x - a - width), 0)
        count = int(np.nanmax(np.minimum(x - a, x) + width - first, initial=0)) + 60
        place = a + first + 1
        # Over the density x^(a - 1) e^-x / gamma(a), which the first weight is made of too.
        weight = np.exp((first + 1) * log_x + gammaln(a) - gammaln(place))
        slope = log_x - digamma(place)
        total = np.zeros_like(x)
        for _ in range(count):
            total += weight * slope
            slope = slope - 1 / place
            weight = weight * x / place
            place = place + 1
    return -total.astype(dtype)
