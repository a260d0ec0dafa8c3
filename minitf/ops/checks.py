"""Assertions: `tf.Assert` and the `tf.assert_…` family, which check at once what is known at once."""

from typing import Any

from minitf.ops.registry import Bool, Mixed, interpreter, not_differentiable, op
from minitf.ops.summarize import summarize_value


@op("Assert", stateful=True)
def _assert(condition: Bool, data: [Mixed], *, summarize=3) -> None:
    if not condition.all():
        shown = " ".join(f"[{summarize_value(array, summarize)}]" for array in data)
        raise ValueError(f"assertion failed: {shown}")


not_differentiable(_assert)


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> Any:
    """An op that fails with InvalidArgumentError, showing `data`, when the bool `condition` is false.

    Of each tensor in the list `data`, `summarize` (3) elements are shown. Run it beside what depends on the
    condition: `with tf.control_dependencies([tf.Assert(…)])`.
    """
    if not isinstance(data, list | tuple) or not data:
        raise ValueError("Attr 'T' of 'Assert' Op passed list of length 0 less than minimum 1.")
    with interpreter().name_scope(name or "Assert"):
        return _assert(condition, list(data), summarize=3 if summarize is None else summarize)
