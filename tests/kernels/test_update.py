"""Optimizer steps: compiled loops beside their NumPy lines, and what decays to nothing."""

import numpy as np
import pytest

from minitf.kernels import update

SIZE = 3 * update.LARGE + 5

# Rule → (number of slots, scalars by name, where the gradient stands among all arguments).
RULES = {
    "gradient_descent": (0, [0.1], 2),
    "momentum": (1, [0.1, 0.9], 3),
    "nesterov": (1, [0.1, 0.9], 3),
    "adagrad": (1, [0.1], 3),
    "adadelta": (2, [1.0, 0.95, 1e-6], 6),
    "adam": (2, [0.01, 0.9, 0.999, 1e-7], 7),
    "adamax": (2, [0.01, 0.9, 0.999, 1e-7], 7),
    "nadam": (2, [0.01, 0.9, 0.999, 1e-7], 7),
    "rmsprop": (2, [0.01, 0.9, 0.5, 1e-7], 7),
    "plain_rmsprop": (1, [0.01, 0.9, 1e-7], 5),
}


def arguments(name, dtype, size=SIZE, gradient=None, scalars=None):
    slots, plain, place = RULES[name]
    random = np.random.default_rng(0)
    given = [random.random(size).astype(dtype) for _ in range(slots + 1)]
    given += [np.dtype(dtype).type(s) for s in (plain if scalars is None else scalars)]
    if gradient is None:
        gradient = random.standard_normal(size)
    given.insert(place, np.broadcast_to(gradient, size).astype(dtype))
    return given


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", RULES)
def test_compiled_loops_do_what_the_numpy_lines_say(name, dtype):
    rule = getattr(update, name)
    fast, slow = arguments(name, dtype), arguments(name, dtype)
    for _ in range(3):
        rule(*fast)
        rule.plain(*slow)
    for left, right in zip(fast, slow, strict=True):
        np.testing.assert_allclose(left, right, rtol=100 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ["momentum", "adam", "rmsprop", "plain_rmsprop"])
def test_averages_of_no_gradient_end_as_zero_not_as_denormal_numbers(name):
    given = arguments(name, np.float32, gradient=0.0)
    slots = given[1 : 1 + RULES[name][0]]
    for slot in slots:
        slot[:] = np.finfo(np.float32).tiny
    getattr(update, name)(*given)
    for slot in slots:
        np.testing.assert_array_equal(slot, 0)


@pytest.mark.parametrize("name", ["momentum", "adam", "rmsprop", "plain_rmsprop"])
def test_what_is_not_a_number_stays(name):
    given = arguments(name, np.float32, gradient=np.nan)
    getattr(update, name)(*given)
    assert np.isnan(given[0]).all()


@pytest.mark.parametrize("name", ["adam", "nadam", "adamax"])
def test_a_mean_that_remembers_nothing_is_the_gradient(name):
    given = arguments(name, np.float32, scalars=[0.01, 0.0, 0.999, 1e-7])
    getattr(update, name)(*given)
    np.testing.assert_allclose(given[1], given[RULES[name][2]], atol=1e-6)


def test_adam_without_epsilon():
    given = arguments("adam", np.float32, scalars=[0.01, 0.9, 0.999, 0.0])
    update.adam(*given)
    assert np.isfinite(given[0]).all()
