"""Strings as tensors' elements: joined, cut, changed, searched, split. See also strings_convert.py."""

import re
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape, unknown_shape
from minitf.ops import shape_rules
from minitf.ops.print import _string_format
from minitf.ops.reduce import _axes, _every_axis, _one_of
from minitf.ops.registry import REGISTRY, Index, String, Types, interpreter, op
from minitf.ops.reverse import reverse
from minitf.ops.shape_rules import broadcast, same_as_input
from minitf.ops.strings_convert import map_elements

# --- joining and cutting -----------------------------------------------------------------------------


def _joined_shape(inputs, *, separator=""):
    known = [x.shape for x in inputs if x.shape.rank != 0]
    return shape_rules.merge(*known) if known else inputs[0].shape


@op("StringJoin", shape=_joined_shape)
def _string_join(inputs: [String], *, separator="") -> dtypes.string:
    glue = separator.encode() if isinstance(separator, str) else separator
    sizes = {x.shape for x in inputs if x.ndim}
    if len(sizes) > 1:
        raise ValueError(
            "Input shapes do not match: " + " vs. ".join(str(list(s)) for s in sorted(sizes))
        )  # fmt: skip
    return map_elements(lambda *parts: glue.join(parts), *inputs)


def string_join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    """The strings of several tensors (scalars repeat) joined element by element, `separator` between them."""
    return _string_join(list(inputs), separator=separator, name=name)


def _reduced_shape(inputs, reduction_indices, *, keep_dims=False, separator=""):
    from minitf.ops.reduce import _reduced_shape as rule

    return rule(inputs, reduction_indices, keep_dims=keep_dims)


@op("ReduceJoin", shape=_reduced_shape)
def _reduce_join(
    inputs: String, reduction_indices: Types("Axes", (dtypes.int32,)), *, keep_dims=False, separator=""
) -> dtypes.string:
    axes = _axes(reduction_indices, inputs.ndim)
    others = [axis for axis in range(inputs.ndim) if axis not in axes]
    kept = [inputs.shape[axis] for axis in others]
    # The axis named first is gone through first.
    rows = inputs.transpose(*others, *axes[::-1]).reshape(int(np.prod(kept, dtype=np.int64)), -1)
    joined = np.empty(len(rows), object)
    joined[:] = [separator.encode().join(row) for row in rows]
    if keep_dims:
        kept = [1 if axis in axes else size for axis, size in enumerate(inputs.shape)]
    return joined.reshape(kept)


def reduce_join(
    inputs: Any,
    axis: Any = None,
    keep_dims: bool | None = None,
    separator: str = "",
    name: str | None = None,
    reduction_indices: Any = None,
    keepdims: bool | None = None,
) -> Any:
    """The strings of a tensor joined over dimensions, in the order in which `axis` names them.

    Without `axis` over all of them, from the last to the first: in the order of the elements.
    """
    axis = _one_of("axis", axis, "reduction_indices", reduction_indices)
    keep = bool(_one_of("keepdims", keepdims, "keep_dims", keep_dims))
    with interpreter().name_scope(name or "ReduceJoin"):
        inputs = interpreter().convert(inputs, None, None, "inputs")
        if axis is None:
            axis = reverse(_every_axis(inputs), [0])
        return _reduce_join(inputs, axis, keep_dims=keep, separator=separator)


def _check_unit(unit):
    if unit not in ("BYTE", "UTF8_CHAR"):
        raise ValueError(f'Value for attr \'unit\' of "{unit}" is not in the list of allowed values: '
                         '"BYTE", "UTF8_CHAR"')  # fmt: skip


@op("Substr", shape=broadcast)
def _substr(input: String, pos: Index, len: Index, *, unit="BYTE") -> dtypes.string:
    def cut(text, start, length):
        whole = text.decode("utf-8", "surrogateescape") if unit == "UTF8_CHAR" else text
        size = whole.__len__()
        if not -size <= start <= size:
            raise ValueError(f"pos {start} out of range for string {text!r}")
        start = start + size if start < 0 else start
        part = whole[start : start + length if length >= 0 else None]
        return part.encode("utf-8", "surrogateescape") if unit == "UTF8_CHAR" else part

    return map_elements(cut, input, pos, len)


def substr(input: Any, pos: Any, len: Any, name: str | None = None, unit: str = "BYTE") -> Any:
    """The part of each string from `pos` (negative: from the end), at most `len` long; all three broadcast.

    Counted in bytes, or characters with unit 'UTF8_CHAR'. Raises InvalidArgumentError for a position outside.
    """
    _check_unit(unit)
    return _substr(input, pos, len, unit=unit, name=name)


@op("StringLength", shape=same_as_input)
def _string_length(input: String, *, unit="BYTE") -> dtypes.int32:
    count = (lambda text: len(text.decode("utf-8", "replace"))) if unit == "UTF8_CHAR" else len
    return map_elements(count, input, dtype=np.int32)


def string_length(input: Any, name: str | None = None, unit: str = "BYTE") -> Any:
    """How many bytes, or characters with unit 'UTF8_CHAR', each string has."""
    _check_unit(unit)
    return _string_length(input, unit=unit, name=name)


# --- changing ----------------------------------------------------------------------------------------


def _case_op(name: str, change: Any) -> Any:
    @op(name, shape=same_as_input)
    def kernel(input: String, *, encoding="") -> dtypes.string:
        if encoding == "utf-8":
            return map_elements(lambda text: change(text.decode()).encode(), input)
        return map_elements(change, input)

    return kernel


_lower = _case_op("StringLower", lambda text: text.lower())
_upper = _case_op("StringUpper", lambda text: text.upper())


def _case_function(kernel: Any, doc: str) -> Any:
    def function(input: Any, encoding: str = "", name: str | None = None) -> Any:
        if encoding not in ("", "utf-8"):
            raise ValueError(f"only utf-8 or '' (no encoding) is supported, received {encoding}")
        return kernel(input, encoding=encoding, name=name)

    function.__doc__ = doc
    return function


string_lower = _case_function(_lower, "Small letters: of ASCII, or of all with encoding 'utf-8'.")
string_upper = _case_function(_upper, "Capital letters: of ASCII, or of all with encoding 'utf-8'.")


@op("StringStrip", shape=same_as_input)
def string_strip(input: String) -> dtypes.string:
    """Each string without white space at its ends."""
    return map_elements(bytes.strip, input)


def _python_pattern(pattern: bytes) -> re.Pattern:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"Invalid pattern: {pattern.decode(errors='replace')}, error: {error}") from None


@op("RegexReplace", shape=same_as_input)
def _regex_replace(input: String, pattern: String, rewrite: String, *, replace_global=True) -> dtypes.string:
    compiled = _python_pattern(pattern[()])
    # RE2 writes \\0 for the whole match.
    target = re.sub(rb"\\(\d)", rb"\\g<\1>", rewrite[()])
    return map_elements(lambda text: compiled.sub(target, text, 0 if replace_global else 1), input)


def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Any:
    r"""Matches of `pattern` replaced by `rewrite`, in which \1 … \9 are the groups and \0 is the whole match.

    Patterns are Python's; RE2's, which TensorFlow takes, agree with these in all common syntax.
    """
    return _regex_replace(input, pattern, rewrite, replace_global=bool(replace_global), name=name)


@op("RegexFullMatch", shape=same_as_input)
def regex_full_match(input: String, pattern: String) -> dtypes.bool:
    """Whether all of each string matches the pattern."""
    compiled = _python_pattern(pattern[()])
    return map_elements(lambda text: compiled.fullmatch(text) is not None, input, dtype=bool)


def string_format(
    template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None
) -> Any:
    """`template` with each `placeholder` replaced by one of `inputs` (a tensor or several), as it prints.

    `summarize`: how many elements of each dimension are shown at its ends (-1: all). Raises ValueError when
    there are not as many placeholders as inputs.
    """
    inputs = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    if template.count(placeholder) != len(inputs):
        raise ValueError(
            f"The template expects {template.count(placeholder)} tensors, but the inputs only has "
            f"{len(inputs)}. Please ensure the number of placeholders in template matches inputs length."
        )
    return _string_format(
        inputs, template=template, placeholder=placeholder, summarize=summarize, name=name
    )  # fmt: skip


# --- splitting ---------------------------------------------------------------------------------------


def _split_shapes(input, sep, *_rest, **_attrs):
    shape_rules.require_rank(input, 1)
    return [TensorShape([None, 2]), unknown_shape(1), TensorShape([2])]


def _ragged(parts: list[list[bytes]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lists of strings as the indices, values and shape of a sparse matrix."""
    indices = [(i, j) for i, row in enumerate(parts) for j in range(len(row))]
    values = np.empty(len(indices), object)
    values[:] = [text for row in parts for text in row]
    longest = max(map(len, parts), default=0)
    return (
        np.array(indices, np.int64).reshape(-1, 2),
        values,
        np.array([len(parts), longest], np.int64),
    )


@op("StringSplitV2", shape=_split_shapes)
def _string_split_v2(input: String, sep: String, *, maxsplit=-1) -> (
    dtypes.int64, dtypes.string, dtypes.int64,
):  # fmt: skip
    glue = sep[()] or None  # none: at runs of white space
    return _ragged([text.split(glue, maxsplit) for text in input])


@op("StringSplit", shape=_split_shapes)
def _string_split(input: String, delimiter: String, *, skip_empty=True) -> (
    dtypes.int64, dtypes.string, dtypes.int64,
):  # fmt: skip
    marks = delimiter[()]

    def cut(text):
        if not text:
            return []
        if not marks:
            return [text[i : i + 1] for i in range(len(text))]
        parts = re.split(b"[" + re.escape(marks) + b"]", text)
        return [part for part in parts if part] if skip_empty else parts

    return _ragged([cut(text) for text in input])


def string_split(
    source: Any,
    sep: Any = None,
    skip_empty: bool = True,
    delimiter: Any = None,
    result_type: str = "SparseTensor",
    name: str | None = None,
) -> Any:
    """A vector of strings split at each of the characters `sep` (' '): a SparseTensor (strings, most parts).

    Empty parts are left out if `skip_empty`; an empty `sep` splits into bytes. `delimiter` is its old name.
    Raises NotImplementedError for `result_type` 'RaggedTensor'.
    """
    from minitf.ops.sparse_tensor import SparseTensor

    _check_result_type(result_type)
    sep = _one_of("sep", sep, "delimiter", delimiter)
    current = interpreter()
    with current.name_scope(name or "StringSplit"):
        source = current.convert(source, dtypes.string, None, "source")
        parts = _string_split(source, " " if sep is None else sep, skip_empty=bool(skip_empty))
        return SparseTensor(*parts)


def strings_split(
    input: Any = None,
    sep: Any = None,
    maxsplit: int = -1,
    result_type: str = "SparseTensor",
    source: Any = None,
    name: str | None = None,
) -> Any:
    """A vector of strings split at the string `sep` (runs of white space), at most `maxsplit` times each.

    As a SparseTensor (strings, most parts). `source` is the old name of `input`.
    """
    from minitf.ops.sparse_tensor import SparseTensor

    _check_result_type(result_type)
    source = _one_of("input", input, "source", source)
    current = interpreter()
    with current.name_scope(name or "StringSplit"):
        source = current.convert(source, dtypes.string, None, "input")
        if source.shape.rank == 0:
            from minitf.ops.array import expand_dims

            source = expand_dims(source, 0)
        return SparseTensor(*_string_split_v2(source, "" if sep is None else sep, maxsplit=maxsplit))


def _check_result_type(result_type):
    if result_type != "SparseTensor":
        raise NotImplementedError(f"result_type {result_type!r} is not supported, only 'SparseTensor'")


for _definition in [d for d in REGISTRY.values() if d.kernel.__module__ == __name__]:
    _definition.differentiable = False
