"""How TensorFlow writes tensor values in messages: `[1 2 3...]`, `[[0 1][2 3]]`, `0.333333343`."""

from collections.abc import Callable, Iterator

import numpy as np


def summarize_value(array: np.ndarray, limit: int) -> str:
    """The first `limit` elements (all, if negative), each row of a matrix in brackets of its own.

    This is the form of `tf.Assert` and `tf.Print`; `tf.print` has another.
    """
    array = np.asarray(array)
    limit = array.size if limit < 0 else min(limit, array.size)
    write = element_writer(array.dtype)
    shown = iter([write(element) for element in array.ravel()[:limit].tolist()])
    text = next(shown, "") if array.ndim == 0 else _rows(array.shape, shown, [limit])
    return text + ("..." if array.size > limit else "")


def _rows(shape: tuple[int, ...], shown: Iterator[str], left: list[int], nested: bool = False) -> str:
    """One dimension's elements; `left[0]` counts down how many may still be shown."""
    if len(shape) == 1:
        count = min(shape[0], left[0])
        left[0] -= count
        cut = "..." if nested and count < shape[0] else ""
        return " ".join(next(shown) for _ in range(count)) + cut
    rows = []
    for _ in range(shape[0]):
        if left[0] <= 0:
            break
        rows.append(f"[{_rows(shape[1:], shown, left, nested=True)}]")
    return "".join(rows)


def format_value(array: np.ndarray, limit: int) -> str:
    """The form of `tf.print`: rows on lines of their own, of each dimension both ends only.

    `limit` elements are shown at each end (all, if negative).
    """
    array = np.asarray(array)
    limit = array.size if limit < 0 else min(limit, array.size)
    if array.dtype.kind == "c":  # TensorFlow does not write these at all
        shown = " ".join("?" * limit) + ("..." if array.size > limit else "")
        return f"[{shown}]" if array.ndim else shown
    if array.dtype.kind == "b" and limit == 0:
        return ""
    write = quoted if array.dtype.kind == "O" else element_writer(array.dtype)
    return _both_ends(array, limit, write, array.ndim)


def _both_ends(array: np.ndarray, limit: int, write: Callable[[object], str], rank: int) -> str:
    if array.ndim == 0:
        return write(array.item())
    depth = rank - array.ndim
    separator = " " if array.ndim == 1 else "\n" * (array.ndim - 1) + " " * (depth + 1)
    count = len(array)
    ends = [*range(min(limit, count)), *range(max(limit, count - limit), count)]
    parts = [_both_ends(array[i, ...], limit, write, rank) for i in ends]
    if count > 2 * limit:
        # Before dots with nothing in front of them, as of rows without elements, stands a separator too.
        parts[limit:limit] = ["..."] if limit else ["", "..."]
    return f"[{separator.join(parts)}]"


def element_writer(dtype: np.dtype) -> Callable[[object], str]:
    """The function that writes one element of that dtype (given as a Python object)."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return float64_text if dtype.itemsize == 8 else float32_text
    return _WRITERS.get(dtype.kind, str)


def float32_text(value: float) -> str:
    """The shortest of 6 and 9 digits that reads back as the same float32."""
    short = f"{value:.6g}"
    return short if np.float32(float(short)) == np.float32(value) else f"{value:.9g}"


def float64_text(value: float) -> str:
    """The shortest of 15 and 17 digits that reads back as the same float64."""
    short = f"{value:.15g}"
    return short if float(short) == value else f"{value:.17g}"


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "'": "\\'", "\\": "\\\\"}


def escaped(value: bytes) -> str:
    """A byte string as C source would have it."""
    return "".join(
        _ESCAPES.get(char) or (char if " " <= char <= "~" else f"\\{ord(char):03o}")
        for char in value.decode("latin-1")
    )


def quoted(value: bytes) -> str:
    """A byte string in quotes, as C source would have it."""
    return f'"{_WRITERS["O"](value)}"'


_WRITERS: dict[str, Callable] = {
    "b": lambda value: str(int(value)),
    "c": lambda value: "?",
    "O": lambda value: escaped(value if isinstance(value, bytes) else str(value).encode()),
}
