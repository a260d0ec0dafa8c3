"""Choosing among several functions: `tf.case` and `tf.switch_case`, as conditionals within conditionals."""

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from minitf.framework import dtypes
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.checks import Assert
from minitf.ops.control import cond
from minitf.ops.join import stack
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Symbol, interpreter


def case(
    pred_fn_pairs: Any,
    default: Callable | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """The result of the function beside the first predicate that is true, else `default()`.

    `pred_fn_pairs` is a list of (bool scalar tensor, function) or a dict of these (tried in the order of the
    predicates' names). With `exclusive`, at most one predicate may be true; without `default`, one must be:
    else InvalidArgumentError is raised when it runs. For `strict` and the functions see `tf.cond`.

    Raises TypeError for pairs of another form.
    """
    predicates, actions = _checked_pairs(pred_fn_pairs, exclusive)
    with interpreter().name_scope(name):
        if default is None:
            default = _last_action(predicates, actions)
            predicates, actions = predicates[:-1], actions[:-1]
        choice = default
        for predicate, action in reversed(list(zip(predicates, actions, strict=True))):
            choice = functools.partial(cond, predicate, true_fn=action, false_fn=choice, strict=strict)
        if not exclusive:
            return choice()
        with interpreter().control_dependencies([_at_most(1, predicates, "Input error: exclusive=True")]):
            return choice()


def _checked_pairs(pairs: Any, exclusive: bool) -> tuple[list[Any], list[Callable]]:
    if not isinstance(pairs, list | tuple | dict):
        raise TypeError(f"'pred_fn_pairs' must be a list, tuple, or dict. Received: {type(pairs)}")
    if isinstance(pairs, dict):
        ordered = isinstance(pairs, OrderedDict)
        eager = interpreter().eager
        if eager and not ordered and not exclusive:
            raise ValueError(
                "Unordered dictionaries are not supported for the 'pred_fn_pairs' argument when "
                "`exclusive=False` and eager mode is enabled."
            )
        pairs = list(pairs.items())
        if not ordered and not eager:
            pairs.sort(key=lambda pair: pair[0].name)
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Each entry in 'pred_fn_pairs' must be a 2-tuple. Received {pair}.")
        predicate, function = pair
        if not isinstance(predicate, Symbol):
            raise TypeError(f"pred must be a Tensor, got: {predicate}")
        if predicate.dtype.base_dtype != dtypes.bool:
            raise TypeError(f"pred must be Tensor of type bool: {predicate.name}")
        if not callable(function):
            raise TypeError(f"fn for pred {predicate.name} must be callable.")
    return [predicate for predicate, _ in pairs], [function for _, function in pairs]


def _last_action(predicates: list[Any], actions: list[Callable]) -> Callable:
    """The default when there is none: the last action, whose predicate must then be true."""

    def action():
        message = "Input error: None of conditions evaluated as True:"
        with interpreter().control_dependencies([Assert(predicates[-1], [message, stack(predicates)])]):
            return actions[-1]()

    return action


def _at_most(count: int, predicates: list[Any], message: str) -> Any:
    stacked = stack(predicates, name="preds_c")
    true = reduce_sum(cast(stacked, dtypes.int32), name="num_true_conds")
    text = f"More than {count} condition(s) evaluated as True but exclusive = True. Conditions:"
    return Assert(math.less_equal(true, count), [message, text, stacked])


def switch_case(
    branch_index: Any, branch_fns: Any, default: Callable | None = None, name: str = "switch_case"
) -> Any:
    """The result of the function of number `branch_index`, else of `default` (the last one, if None).

    `branch_fns` is a list of functions, a list of (int, function), or a dict of these. Raises TypeError for
    other forms, ValueError when the numbers are not 0, 1, 2, …
    """
    index = interpreter().convert(branch_index, None, None, "branch_index")
    if not index.dtype.is_integer:
        raise TypeError(f"'branch_index' must be an integer Tensor, got {index.dtype}")
    functions = _checked_branches(branch_fns, default)
    with interpreter().name_scope(name):
        return _choose(index, functions, 0)


def _checked_branches(branches: Any, default: Callable | None) -> list[Callable]:
    if not branches:
        raise ValueError("Must provide at least one item in 'branch_fns'")
    if not isinstance(branches, list | tuple | dict):
        raise TypeError("'branch_fns' must be a list, tuple, or dict")
    branches = list(branches.items() if isinstance(branches, dict) else branches)
    if all(callable(function) for function in branches):
        branches = list(enumerate(branches))
    for pair in branches:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"Each entry in 'branch_fns' must be a 2-tuple. Received {pair}.")
        key, function = pair
        if not isinstance(key, int):
            raise TypeError(f"key must be a Python `int`, got {type(key)}")
        if not callable(function):
            raise TypeError(f"fn for key {key} must be callable.")
    keys = sorted(key for key, _ in branches)
    if keys != list(range(len(keys))):
        raise ValueError(
            f"branch indices (keys) must form contiguous range of [0 to {len(keys)}) but found "
            f"{{{','.join(map(str, keys))}}}"
        )
    functions = [function for _, function in sorted(branches, key=lambda pair: pair[0])]
    return functions if default is None else [*functions, default]


def _choose(index: Any, functions: list[Callable], first: int) -> Any:
    """Of the functions numbered from `first` on; numbers beside them mean the last."""
    if len(functions) == 1:
        return functions[0]()
    rest = functools.partial(_choose, index, functions[1:], first + 1)
    return cond(math.equal(index, index.dtype.as_numpy_dtype(first)), functions[0], rest, strict=True)
