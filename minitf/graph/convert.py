"""`tf.convert_to_tensor`."""

from typing import Any

from minitf.framework.dtypes import as_dtype
from minitf.ops.registry import interpreter


def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    dtype_hint: Any = None,
) -> Any:
    """`value` as a tensor: a tensor, variable, NumPy array, Python number, or list of these.

    `dtype` is required of the result; `preferred_dtype` (`dtype_hint`) is tried first and given up silently.
    Raises TypeError or ValueError when `value` does not fit.
    """  # fmt: skip
    dtype = None if dtype is None else as_dtype(dtype)
    hint = preferred_dtype if dtype_hint is None else dtype_hint
    hint = None if hint is None else as_dtype(hint)
    return interpreter().convert(value, dtype, hint, name or "Const")
