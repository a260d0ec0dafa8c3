"""Optimizer steps: each updates a parameter and its slots in place, in one pass over memory.

Every rule stands twice: as a few NumPy lines, which say what it does and serve small arrays and float16, and
as a compiled loop over all threads for large ones. Scalars come as NumPy scalars or 0-d arrays.

The loops run over slices from 0 on and keep what they need twice in names, else they are not vectorised. They
set what decays to zero when it gets denormal, as TensorFlow's threads do: the averages of a weight that gets
no gradient any more would be denormal for ever, and made of exceptions that take the processor three times as
long.

May import: NumPy and threads.
"""

from collections.abc import Callable

import numpy as np

from minitf.kernels.threads import chunk, flat, jit, num_threads, parallel_jit, prange

Array = np.ndarray

# Below this many elements NumPy's calls cost less than starting threads.
LARGE = 8192


def _update(compiled: Callable) -> Callable:
    """Makes a rule run `compiled` for large arrays of a dtype that it is compiled for."""

    def choose(plain: Callable) -> Callable:
        def rule(var: Array, *arguments: Array) -> Array:
            if var.size < LARGE or var.dtype.itemsize < 4 or not var.flags.c_contiguous:
                plain(var, *arguments)
                return var
            kind = var.dtype.type
            arguments = [flat(x) if x.ndim else kind(x) for x in arguments]
            compiled(flat(var), *arguments, num_threads())
            return var

        rule.__name__, rule.__doc__, rule.plain = plain.__name__, plain.__doc__, plain
        return rule

    return choose


@jit
def _flushed(value, tiny):
    """0 for a denormal number."""
    return value - value if abs(value) < tiny else value


@jit
def _gradient_descent_part(var, alpha, delta):
    for i in range(var.size):
        var[i] -= alpha * delta[i]


@parallel_jit
def _gradient_descent(var, alpha, delta, parts):
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        _gradient_descent_part(var[start:stop], alpha, delta[start:stop])


@_update(_gradient_descent)
def gradient_descent(var, alpha, delta):
    """var -= alpha * delta."""
    np.subtract(var, np.multiply(alpha, delta), var)


@jit
def _momentum_part(var, accum, lr, grad, momentum):
    tiny = np.finfo(var.dtype).tiny
    for i in range(var.size):
        moved = _flushed(accum[i] * momentum + grad[i], tiny)
        accum[i] = moved
        var[i] -= lr * moved


@parallel_jit
def _momentum(var, accum, lr, grad, momentum, parts):
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        _momentum_part(var[start:stop], accum[start:stop], lr, grad[start:stop], momentum)


@_update(_momentum)
def momentum(var, accum, lr, grad, momentum):
    """Gradient descent with momentum (Polyak 1964)."""
    np.add(accum * momentum, grad, accum)
    np.subtract(var, lr * accum, var)


@parallel_jit
def _nesterov(var, accum, lr, grad, momentum, parts):
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        for i in range(start, stop):
            accum[i] = accum[i] * momentum + grad[i]
            var[i] -= grad[i] * lr + accum[i] * momentum * lr


@_update(_nesterov)
def nesterov(var, accum, lr, grad, momentum):
    """Nesterov's momentum (Sutskever et al. 2013, http://proceedings.mlr.press/v28/sutskever13.html)."""
    np.add(accum * momentum, grad, accum)
    np.subtract(var, grad * lr + accum * momentum * lr, var)


@parallel_jit
def _adagrad(var, accum, lr, grad, parts):
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        for i in range(start, stop):
            accum[i] += grad[i] * grad[i]
            var[i] -= grad[i] * lr / np.sqrt(accum[i])


@_update(_adagrad)
def adagrad(var, accum, lr, grad):
    """Adagrad (Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html)."""
    np.add(accum, grad * grad, accum)
    np.subtract(var, grad * lr / np.sqrt(accum), var)


@parallel_jit
def _adagrad_v2(var, accum, lr, epsilon, grad, parts):
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        for i in range(start, stop):
            accum[i] += grad[i] * grad[i]
            var[i] -= grad[i] * lr / (np.sqrt(accum[i]) + epsilon)


@_update(_adagrad_v2)
def adagrad_v2(var, accum, lr, epsilon, grad):
    """Adagrad with an epsilon beside the root, as Keras has it."""
    np.add(accum, grad * grad, accum)
    np.subtract(var, grad * lr / (np.sqrt(accum) + epsilon), var)


@parallel_jit
def _adadelta(var, accum, accum_update, lr, rho, epsilon, grad, parts):
    one = var.dtype.type(1)
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        for i in range(start, stop):
            accum[i] = accum[i] * rho + grad[i] * grad[i] * (one - rho)
            update = np.sqrt(accum_update[i] + epsilon) / np.sqrt(accum[i] + epsilon) * grad[i]
            var[i] -= update * lr
            accum_update[i] = accum_update[i] * rho + update * update * (one - rho)


@_update(_adadelta)
def adadelta(var, accum, accum_update, lr, rho, epsilon, grad):
    """Adadelta (Zeiler 2012, https://arxiv.org/abs/1212.5701)."""
    np.add(accum * rho, grad * grad * (1 - rho), accum)
    update = np.sqrt(accum_update + epsilon) / np.sqrt(accum + epsilon) * grad
    np.subtract(var, update * lr, var)
    np.add(accum_update * rho, update * update * (1 - rho), accum_update)


@jit
def _adam_part(var, m, v, alpha, beta1, beta2, epsilon, grad):
    one, tiny = var.dtype.type(1), np.finfo(var.dtype).tiny
    fresh, fresh_square = one - beta1, one - beta2
    for i in range(var.size):
        g = grad[i]
        mean = _flushed(m[i] + (g - m[i]) * fresh, tiny)
        square = _flushed(v[i] + (g * g - v[i]) * fresh_square, tiny)
        m[i] = mean
        v[i] = square
        var[i] -= mean * alpha / (np.sqrt(square) + epsilon)


@parallel_jit
def _adam(var, m, v, alpha, beta1, beta2, epsilon, grad, parts):
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        _adam_part(
            var[start:stop], m[start:stop], v[start:stop], alpha, beta1, beta2, epsilon, grad[start:stop]
        )


@_update(_adam)
def adam(var, m, v, alpha, beta1, beta2, epsilon, grad):
    """Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980); alpha has the bias correction in it."""
    np.add(m, (grad - m) * (1 - beta1), m)
    np.add(v, (grad * grad - v) * (1 - beta2), v)
    np.subtract(var, m * alpha / (np.sqrt(v) + epsilon), var)


@parallel_jit
def _nadam(var, m, v, alpha, beta1, beta2, epsilon, grad, parts):
    one = var.dtype.type(1)
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        for i in range(start, stop):
            m[i] += (grad[i] - m[i]) * (one - beta1)
            v[i] += (grad[i] * grad[i] - v[i]) * (one - beta2)
            step = grad[i] * (one - beta1) + beta1 * m[i]
            var[i] -= step * alpha / (np.sqrt(v[i]) + epsilon)


@_update(_nadam)
def nadam(var, m, v, alpha, beta1, beta2, epsilon, grad):
    """Adam with Nesterov's momentum (Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ)."""
    np.add(m, (grad - m) * (1 - beta1), m)
    np.add(v, (grad * grad - v) * (1 - beta2), v)
    step = grad * (1 - beta1) + beta1 * m
    np.subtract(var, step * alpha / (np.sqrt(v) + epsilon), var)


@parallel_jit
def _adamax(var, m, v, alpha, beta1, beta2, epsilon, grad, parts):
    one = var.dtype.type(1)
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        for i in range(start, stop):
            m[i] += (grad[i] - m[i]) * (one - beta1)
            v[i] = max(beta2 * v[i], abs(grad[i]))
            var[i] -= alpha * m[i] / (v[i] + epsilon)


@_update(_adamax)
def adamax(var, m, v, alpha, beta1, beta2, epsilon, grad):
    """Adamax (Kingma and Ba 2015, section 7.1); alpha is lr / (1 - beta1 ** t)."""
    np.add(m, (grad - m) * (1 - beta1), m)
    np.maximum(beta2 * v, np.abs(grad), out=v)
    np.subtract(var, alpha * m / (v + epsilon), var)


@jit
def _rmsprop_part(var, ms, mom, lr, rho, momentum, epsilon, grad):
    one, tiny = var.dtype.type(1), np.finfo(var.dtype).tiny
    for i in range(var.size):
        g = grad[i]
        square = _flushed(ms[i] + (g * g - ms[i]) * (one - rho), tiny)
        moved = _flushed(mom[i] * momentum + g * lr / np.sqrt(square + epsilon), tiny)
        ms[i] = square
        mom[i] = moved
        var[i] -= moved


@parallel_jit
def _rmsprop(var, ms, mom, lr, rho, momentum, epsilon, grad, parts):
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        _rmsprop_part(
            var[start:stop], ms[start:stop], mom[start:stop], lr, rho, momentum, epsilon, grad[start:stop]
        )


@_update(_rmsprop)
def rmsprop(var, ms, mom, lr, rho, momentum, epsilon, grad):
    """RMSProp (Tieleman and Hinton 2012, lecture 6.5 of Neural Networks for Machine Learning)."""
    np.add(ms, (grad * grad - ms) * (1 - rho), ms)
    np.add(mom * momentum, grad * lr / np.sqrt(ms + epsilon), mom)
    np.subtract(var, mom, var)


@jit
def _plain_rmsprop_part(var, ms, lr, rho, epsilon, grad):
    one, tiny = var.dtype.type(1), np.finfo(var.dtype).tiny
    for i in range(var.size):
        g = grad[i]
        square = _flushed(ms[i] * rho + g * g * (one - rho), tiny)
        ms[i] = square
        var[i] -= g * lr / (np.sqrt(square) + epsilon)


@parallel_jit
def _plain_rmsprop(var, ms, lr, rho, epsilon, grad, parts):
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        _plain_rmsprop_part(var[start:stop], ms[start:stop], lr, rho, epsilon, grad[start:stop])


@_update(_plain_rmsprop)
def plain_rmsprop(var, ms, lr, rho, epsilon, grad):
    """RMSProp without momentum and with epsilon beside the root, as Keras has it."""
    np.add(ms * rho, grad * grad * (1 - rho), ms)
    np.subtract(var, grad * lr / (np.sqrt(ms) + epsilon), var)


@parallel_jit
def _centered_rmsprop(var, mg, ms, mom, lr, rho, momentum, epsilon, grad, parts):
    one = var.dtype.type(1)
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        for i in range(start, stop):
            ms[i] += (grad[i] * grad[i] - ms[i]) * (one - rho)
            mg[i] += (grad[i] - mg[i]) * (one - rho)
            mom[i] = mom[i] * momentum + grad[i] * lr / np.sqrt(ms[i] - mg[i] * mg[i] + epsilon)
            var[i] -= mom[i]


@_update(_centered_rmsprop)
def centered_rmsprop(var, mg, ms, mom, lr, rho, momentum, epsilon, grad):
    """RMSProp by the variance of the gradient (Graves 2013, https://arxiv.org/abs/1308.0850)."""
    np.add(ms, (grad * grad - ms) * (1 - rho), ms)
    np.add(mg, (grad - mg) * (1 - rho), mg)
    np.add(mom * momentum, grad * lr / np.sqrt(ms - mg * mg + epsilon), mom)
    np.subtract(var, mom, var)


@parallel_jit
def _ftrl(var, accum, linear, grad, lr, l1, l2, l2_shrinkage, lr_power, parts):
    zero = lr - lr
    for part in prange(parts):
        start, stop = chunk(var.size, parts, part)
        for i in range(start, stop):
            total = accum[i] + grad[i] * grad[i]
            new, old = total**-lr_power, accum[i] ** -lr_power
            shrunk = grad[i] + (l2_shrinkage + l2_shrinkage) * var[i]
            linear[i] += shrunk - (new - old) / lr * var[i]
            slack = min(max(linear[i], -l1), l1) - linear[i]
            var[i] = slack / (new / lr + l2 + l2) if abs(linear[i]) > l1 else zero
            accum[i] = total


@_update(_ftrl)
def ftrl(var, accum, linear, grad, lr, l1, l2, l2_shrinkage, lr_power):
    """FTRL-proximal (McMahan et al. 2013, https://research.google/pubs/pub41159/)."""
    total = accum + grad * grad
    new, old = total**-lr_power, accum**-lr_power
    shrunk = grad + 2 * l2_shrinkage * var
    np.add(linear, shrunk - (new - old) / lr * var, linear)
    slack = np.clip(linear, -l1, l1) - linear
    var[...] = np.where(np.abs(linear) > l1, slack / (new / lr + 2 * l2), 0)
    accum[...] = total


def proximal_gradient_descent(var, alpha, l1, l2, delta):
    """A gradient step followed by the proximal operator of l1 |x| + l2/2 x^2."""
    _shrink(var, var - alpha * delta, alpha, l1, l2)


def proximal_adagrad(var, accum, lr, l1, l2, grad):
    """As `proximal_gradient_descent`, with Adagrad's rates."""
    np.add(accum, grad * grad, accum)
    rate = lr / np.sqrt(accum)
    _shrink(var, var - grad * rate, rate, l1, l2)


def _shrink(var, target, rate, l1, l2):
    if np.any(l1 > 0):
        target = np.sign(target) * np.maximum(np.abs(target) - rate * l1, 0)
    var[...] = target / (1 + l2 * rate)


def adagrad_da(var, accum, squares, grad, lr, l1, l2, global_step):
    """Adagrad by dual averaging (Duchi et al. 2011, equation 10)."""
    np.add(accum, grad, accum)
    np.add(squares, grad * grad, squares)
    step = np.asarray(global_step, var.dtype)
    numerator = -lr * np.sign(accum) * np.maximum(np.abs(accum) - l1 * step, 0)
    if not np.any(l1 > 0):
        numerator = -lr * accum
    var[...] = numerator / (l2 * step * lr + np.sqrt(squares))
