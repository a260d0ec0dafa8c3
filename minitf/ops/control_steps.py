"""What the step plan makes of an If or While: the results that are needed, their shapes, what to run.

A stack is a chain of pairs `(rest, item)`, None when empty: pushing and popping are one Python operation, and
nothing is ever changed in place.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape
from minitf.ops.variants import copied


class Positions:
    """Where the items of an op's list inputs stand among its flat inputs."""

    def __init__(self, node: Any) -> None:
        self._ranges, start = {}, 0
        for declared, length in zip(node.definition.inputs, node.op.lengths, strict=True):
            end = start + (1 if length is None else length)
            self._ranges[declared.name] = range(start, end)
            start = end

    def __getitem__(self, name: str) -> range:
        return self._ranges[name]


class _Steps:
    """What If and While have in common."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._at = Positions(node)
        self._used: set[int] = set()
        self.outputs: list[Any] = []

    def settle(self, used: set[int]) -> None:
        """Says which outputs the step uses, before `function` is called."""
        self._used = used

    def _values(self, name: str) -> list[Any]:
        return [self._node.inputs[i] for i in self._at[name]]

    def _guarded(self, function: Callable, names: tuple[str, ...]) -> Callable:
        """`function`, which takes copies of what shows a variable that it changes."""
        touched = self._node.touched
        shown = [
            (group, i)
            for group, name in enumerate(names)
            for i, value in enumerate(self._values(name))
            if value.slot is not None and value.slot in touched
        ]
        if not shown:
            return function

        def with_copies(*groups: Any) -> Any:
            groups = [list(group) if isinstance(group, tuple) else group for group in groups]
            for group, i in shown:
                groups[group][i] = np.array(groups[group][i])
            return function(*groups)

        return with_copies


class IfSteps(_Steps):
    """The two branches of an If in one step."""

    def __init__(self, node: Any) -> None:
        super().__init__(node)
        attrs = node.attrs
        self._known = node.inputs[0].constant
        self._saved = list(attrs["saved"])
        self._branches = []
        for branch, name in ((attrs["then_branch"], "then"), (attrs["else_branch"], "else")):
            saved = [tensor for tensor in self._saved if tensor.graph is branch]
            captured = self._values(f"{name}_captures")
            inner = node.session.inner(branch, [*branch.outputs, *saved], branch.captured_inputs, captured)
            self._branches.append((branch, self._at[f"{name}_captures"], inner))
        self.effects = any(inner.effects for _, _, inner in self._possible())
        self.outputs = self._shapes()

    def _possible(self) -> list[Any]:
        """The branches that may be taken: one, when the condition is known already."""
        if self._known is None:
            return self._branches
        return [self._branches[0 if self._known else 1]]

    def _shapes(self) -> list[Any]:
        from minitf.ops.control_ops import common_shape, saved_shape

        results = []
        for i, tensor in enumerate(self._branches[0][0].outputs):
            values = [inner.value(branch.outputs[i]) for branch, _, inner in self._possible()]
            result = self._node.value(tensor.dtype, common_shape(values[0].shape, values[-1].shape))
            result.element = _common_element(values[0].element, values[-1].element)
            results.append(result)
        return results + [self._node.value(tensor.dtype, saved_shape(tensor)) for tensor in self._saved]

    def _fetched(self, branch: Any, used: set[int]) -> tuple[list[Any], list[int]]:
        """What the branch computes for the outputs `used`, and which outputs these are."""
        tensors = [*branch.outputs, *self._saved]
        positions = [i for i in sorted(used) if tensors[i].graph is branch or i < len(branch.outputs)]
        return [tensors[i] for i in positions], positions

    def needed(self, used: set[int]) -> set[int]:
        """Positions of the inputs that are needed for the outputs at the positions `used`."""
        result = {0}
        for branch, at, inner in self._possible():
            fetches, _ = self._fetched(branch, used)
            result |= {at[i] for i in inner.needed(fetches)}
        return result

    def function(self) -> Callable:
        """The function that takes the op's inputs and returns its outputs (None for unused ones)."""
        then_step, else_step = (self._step(*branch) for branch in self._branches)

        def run(pred: Any, then_captures: tuple, else_captures: tuple, variables: Any) -> Any:
            return then_step(*then_captures) if pred else else_step(*else_captures)

        return self._guarded(run, ("pred", "then_captures", "else_captures"))

    def _step(self, branch: Any, at: range, inner: Any) -> Callable:
        fetches, positions = self._fetched(branch, self._used)
        step = inner.step(fetches)
        count = len(self.outputs)
        if positions == list(range(count)) and not branch.must_run:
            return step
        # A gradient takes zeros of no shape for what the other branch would have saved.
        blank: list[Any] = [None] * count
        for i, tensor in enumerate(self._saved, len(branch.outputs)):
            if tensor.graph is not branch and tensor.dtype != dtypes.variant:
                blank[i] = np.zeros((), tensor.dtype.numpy_dtype)

        def run(*captures: Any) -> list[Any]:
            results = blank.copy()
            for position, result in zip(positions, step(*captures)):
                results[position] = result
            return results

        return run


class WhileSteps(_Steps):
    """The condition and the body of a While in one step."""

    def __init__(self, node: Any) -> None:
        super().__init__(node)
        attrs = node.attrs
        self._cond, self._body = attrs["cond"], attrs["body"]
        self._count = len(self._at["loop_vars"])
        self._saved = list(attrs["saved"])
        # Loop variables that the body hands on as they are.
        self._fixed = [a is b for a, b in zip(self._body.inputs[: self._count], self._body.outputs)]
        self._plan_inner()
        self.effects = self._inner.effects or (self._test is not None and self._test.effects)
        self.outputs = [self._node.value(dtypes.int32, TensorShape([]))]
        for value in self._loop_values:
            self.outputs.append(self._node.value(value.dtype, value.shape))
            self.outputs[-1].element = value.element
        for tensor in self._saved:
            stack = self._node.value(dtypes.variant, TensorShape([]))
            stack.element = self._inner.value(tensor)
            self.outputs.append(stack)

    def _plan_inner(self) -> None:
        """Finds the loop variables' shapes that hold in every iteration, and plans with these."""
        from minitf.ops.control_ops import common_shape

        initial, placeholders = self._values("loop_vars"), self._body.inputs[: self._count]
        known = [(value.shape, value.element) for value in initial]
        for attempt in range(4):
            if attempt == 3:
                known = [(tensor.shape, None) for tensor in placeholders]
            self._loop_values = []
            for value, (shape, element), fixed in zip(initial, known, self._fixed):
                if not fixed:
                    value = self._node.value(value.dtype, shape)
                    value.element = element
                self._loop_values.append(value)
            self._inner = self._node.session.inner(
                self._body,
                [*self._body.outputs, *self._saved],
                [*self._body.inputs, *self._body.captured_inputs],
                [*self._loop_values, *self._items(), *self._values("body_captures")],
            )
            after = [self._inner.value(tensor) for tensor in self._body.outputs]
            together = [
                before
                if fixed
                else (common_shape(before[0], value.shape), _common_element(before[1], value.element))
                for before, value, fixed in zip(known, after, self._fixed)
            ]
            if all(a[0] == b[0] and _same_element(a[1], b[1]) for a, b in zip(together, known)):
                break
            known = together
        self._test = None
        if self._cond is not None:
            self._test = self._node.session.inner(
                self._cond,
                self._cond.outputs,
                [*self._cond.inputs, *self._cond.captured_inputs],
                [*self._loop_values, *self._values("cond_captures")],
            )

    def _items(self) -> list[Any]:
        """What is known of the items popped from the stacks."""
        items = []
        for tensor, stack in zip(self._body.inputs[self._count :], self._values("stacks")):
            known = stack.element
            shape = tensor.shape if known is None else known.shape
            item = self._node.value(tensor.dtype, shape)
            item.element = known.element if known is not None else None
            items.append(item)
        return items

    def needed(self, used: set[int]) -> set[int]:
        """Positions of the inputs that are needed for the outputs at the positions `used`."""
        live, popped, captures, tested = self._liveness(used)
        result = set(self._at["limit"])
        result |= {self._at["loop_vars"][i] for i in live}
        result |= {self._at["stacks"][i] for i in popped}
        result |= {self._at["body_captures"][i] for i in captures}
        return result | {self._at["cond_captures"][i] for i in tested}

    def _liveness(self, used: set[int]) -> tuple[list[int], list[int], list[int], list[int]]:
        """The loop variables, stacks and captures that matter when those outputs are used."""
        count, stacks = self._count, len(self._at["stacks"])
        live = {i - 1 for i in used if 1 <= i <= count}
        saved = [tensor for i, tensor in enumerate(self._saved, 1 + count) if i in used]
        tested = set()
        if self._test is not None:
            arguments = self._test.needed(self._cond.outputs)
            live |= {i for i in arguments if i < count}
            tested = {i - count for i in arguments if i >= count}
        while True:
            needed = self._inner.needed([self._body.outputs[i] for i in live] + saved)
            more = {i for i in needed if i < count}
            if more <= live:
                break
            live |= more
        popped = [i - count for i in sorted(needed) if count <= i < count + stacks]
        captures = [i - count - stacks for i in sorted(needed) if i >= count + stacks]
        return sorted(live), popped, captures, sorted(tested)

    def function(self) -> Callable:
        """The function that takes the op's inputs and returns its outputs (None for unused ones)."""
        live, popped, _, _ = self._liveness(self._used)
        moving = [i for i in live if not self._fixed[i]]
        given = {tensor: i for i, tensor in enumerate(self._body.inputs)}
        saved = [(i, t) for i, t in enumerate(self._saved, 1 + self._count) if i in self._used]
        computed = [tensor for _, tensor in saved if tensor not in given]
        loop = _Loop(
            test=self._test.step(self._cond.outputs) if self._test is not None else None,
            body=self._inner.step([self._body.outputs[i] for i in moving] + computed),
            moving=moving,
            popped=popped,
            pushed=[
                (True, given[t]) if t in given else (False, len(moving) + computed.index(t)) for _, t in saved
            ],
        )
        count = len(self.outputs)
        places = [1 + i for i in moving]
        stack_places = [i for i, _ in saved]
        handed_on = [1 + i for i in live if self._fixed[i] and 1 + i in self._used]

        def run(
            limit: Any,
            loop_vars: tuple,
            stacks: tuple,
            cond_captures: tuple,
            body_captures: tuple,
            variables: Any,
        ) -> list[Any]:
            done, state, pushed = loop(int(limit), loop_vars, stacks, cond_captures, body_captures)
            results: list[Any] = [None] * count
            results[0] = np.int32(done)
            for place, value in zip(places, state):
                results[place] = value
            for place, stack in zip(stack_places, pushed):
                results[place] = stack
            for place in handed_on:
                results[place] = copied(loop_vars[place - 1])
            return results

        names = ("limit", "loop_vars", "stacks", "cond_captures", "body_captures")
        return self._guarded(run, names)


class _Loop:
    """The loop itself.

    `moving` are the positions of the loop variables that the body changes, `popped` those of the stacks that
    it takes items from. For each stack that it makes, `pushed` says whether the items are arguments of the
    body, else results, and which.
    """

    def __init__(
        self,
        test: Any,
        body: Any,
        moving: list[int],
        popped: list[int],
        pushed: list[tuple[bool, int]],
    ) -> None:
        self._test = test
        self._body = body
        self._moving = moving
        self._popped = popped
        self._pushed = pushed
        self._kept = [i for is_argument, i in pushed if is_argument]

    def __call__(
        self, limit: int, loop_vars: tuple, stacks: tuple, cond_captures: tuple, body_captures: tuple
    ) -> tuple[int, Any, list[Any]]:
        """How often the body ran, the moving loop variables, and the stacks."""
        arguments = [*loop_vars, *stacks, *body_captures]
        for i in self._kept:  # the step's memory is used again while stacks live on
            if i < len(loop_vars):
                arguments[i] = copied(arguments[i])
        tested = [*loop_vars, *cond_captures]
        moving = self._moving
        state: Any = tuple([arguments[i] for i in moving])
        remaining = [stacks[i] for i in self._popped]
        places = [len(loop_vars) + i for i in self._popped]
        pushed: list[Any] = [None] * len(self._pushed)
        test, body = self._runners(tested, arguments)
        done = 0
        try:
            while done != limit:
                for i, value in zip(moving, state):
                    tested[i] = arguments[i] = value
                if test is not None and not test(*tested)[0]:
                    break
                for k, place in enumerate(places):
                    remaining[k], arguments[place] = remaining[k]
                results = body(*arguments)
                for k, (is_argument, i) in enumerate(self._pushed):
                    pushed[k] = (pushed[k], arguments[i] if is_argument else results[i])
                state = results
                done += 1
        except Exception as error:
            named = self._named(error)
            if named is error:
                raise
            raise named from error
        if done == 0:
            state = [copied(value) for value in state]
        return done, state, pushed

    def _runners(self, tested: list[Any], arguments: list[Any]) -> tuple[Any, Any]:
        """The two steps as plain functions, where shapes cannot change."""
        test, body = self._test, self._body
        if test is not None and test.fixed:
            test = test.plan(tested).step
        return test, body.plan(arguments).step if body.fixed else body

    def _named(self, error: Exception) -> Exception:
        """The error with the name and line of the op that failed, if one of the fixed plans raised it."""
        for step in (self._body, self._test):
            if step is not None and step.fixed:
                named = step.plan(()).named(error)
                if named is not error:
                    return named
        return error


def _common_element(first: Any, second: Any) -> Any:
    """What is known of the items that either has: all that the other knows, if one is still empty."""
    from minitf.ops.control_ops import common_shape

    if first is None or second is None:
        return second if first is None else first
    common = type(first)(first.dtype, common_shape(first.shape, second.shape))
    common.element = _common_element(first.element, second.element)
    return common


def _same_element(first: Any, second: Any) -> bool:
    if first is None or second is None:
        return first is second
    return first.shape == second.shape and _same_element(first.element, second.element)
