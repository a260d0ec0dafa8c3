"""Diagonals of tensors and matrices: made, read, set; bands, identity matrices, traces."""

from functools import lru_cache
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.framework.dtypes import as_dtype
from minitf.framework.shapes import UNKNOWN
from minitf.ops import shape_rules
from minitf.ops.constants import ones, zeros, zeros_like
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import Anything, Index, Numeric, Types, gradient, interpreter, op
from minitf.ops.shape_rules import constant_value

_Int = Types("Int", (dtypes.int32,))

# --- tensors: (…) on the diagonal of (…, …) ------------------------------------------------------------


def _doubled_shape(diagonal):
    shape_rules.require_rank_at_least(diagonal, 1)
    return diagonal.shape.concatenate(diagonal.shape)


@op("Diag", shape=_doubled_shape)
def _diag(diagonal: Numeric) -> Numeric:
    return np.diag(diagonal.reshape(-1)).reshape(diagonal.shape * 2)


def _halved_shape(input):
    rank = input.shape.rank
    if rank is None:
        return UNKNOWN
    if rank % 2 or rank == 0:
        raise ValueError(f"Input must have even and non-zero rank, input rank is {rank}")
    return shape_rules.merge(input.shape[: rank // 2], input.shape[rank // 2 :])


@op("DiagPart", shape=_halved_shape)
def _diag_part(input: Numeric) -> Numeric:
    half = input.shape[: input.ndim // 2]
    if half != input.shape[input.ndim // 2 :]:
        raise ValueError(
            f"Invalid shape {list(input.shape)}: dimensions {0} and {input.ndim // 2} do not match."
        )
    size = int(np.prod(half, dtype=np.int64))
    return np.diagonal(input.reshape(size, size)).reshape(half).copy()


@gradient(_diag)
def _diag_gradient(op, grad):
    return _diag_part(grad)


@gradient(_diag_part)
def _diag_part_gradient(op, grad):
    return _diag(grad)


def diag(diagonal: Any, name: str | None = None) -> Any:
    """The tensor of shape diagonal.shape * 2 that has `diagonal` on its diagonal, zeros elsewhere."""
    return _diag(diagonal, name=name)


def diag_part(input: Any, name: str | None = None) -> Any:
    """The diagonal of a tensor whose shape is some shape twice over."""
    return _diag_part(input, name=name)


# --- bands of matrices: diagonals k = (lower, upper), 0 the main one, positive ones above it ------------

_ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def _bounds(k: np.ndarray) -> tuple[int, int]:
    k = np.ravel(k)
    if k.size not in (1, 2):
        raise ValueError(f"diag_index must have only one or two elements, received {k.size} elements.")
    lower, upper = int(k[0]), int(k[-1])
    if lower > upper:
        raise ValueError(f"lower_diag_index must not be larger than upper_diag_index {lower} > {upper}")
    return lower, upper


def _longest(rows: int, columns: int, lower: int, upper: int) -> int:
    """The length of the longest diagonal of the band."""
    return min(rows + min(upper, 0), columns - max(lower, 0))


@lru_cache(maxsize=64)
def _band(rows: int, columns: int, lower: int, upper: int, align: str) -> tuple[np.ndarray, ...]:
    """Of each element of the band: its diagonal (from the top), its place there, its row, its column.

    Shorter diagonals are filled up at one end: `align` says to which side those above and below the main one
    go.
    """
    above, below = align.split("_")
    longest = _longest(rows, columns, lower, upper)
    parts = []
    for number, d in enumerate(range(upper, lower - 1, -1)):
        length = min(rows + min(d, 0), columns - max(d, 0))
        at_left = (d >= 0 and above == "LEFT") or (d <= 0 and below == "LEFT")
        steps = np.arange(length)
        parts.append((np.full(length, number), steps + (0 if at_left else longest - length),
                      steps - min(d, 0), steps + max(d, 0)))  # fmt: skip
    return tuple(np.concatenate(column) for column in zip(*parts))


def _check_band(rows, columns, lower, upper):
    for name, value in (("lower", lower), ("upper", upper)):
        if not (-rows < value < columns or value == 0):
            raise ValueError(
                f"{name}_diag_index is out of bound: {value} must be between {-rows} and {columns}"
            )


def _as_band(diagonal, lower, upper):
    """The diagonal with a dimension for its number."""
    return diagonal[..., None, :] if lower == upper else diagonal


def _matrix_sizes(longest, lower, upper, rows, columns):
    least = (longest - min(upper, 0), longest + max(lower, 0))
    if rows == -1 and columns == -1:
        rows = columns = max(least)
    elif rows == -1:
        rows = least[0]
    elif columns == -1:
        columns = least[1]
    if rows < least[0]:
        raise ValueError(f"The number of rows is too small: {rows} < {least[0]}")
    if columns < least[1]:
        raise ValueError(f"The number of columns is too small: {columns} < {least[1]}")
    if rows != least[0] and columns != least[1]:
        raise ValueError(
            "The number of rows or columns is not consistent with the specified d_lower, d_upper, and "
            "diagonal."
        )
    return rows, columns


def _matrix_shape(diagonal, k, num_rows, num_cols, padding_value, *, align="RIGHT_LEFT"):
    shape_rules.require_rank_at_least(diagonal, 1)
    given = [constant_value(x) for x in (k, num_rows, num_cols)]
    if diagonal.shape.rank is None or given[0] is None:
        return UNKNOWN
    lower, upper = _bounds(given[0])
    if lower < upper:
        shape_rules.require_rank_at_least(diagonal, 2)
        count = diagonal.shape.sizes[-2]
        if count not in (None, upper - lower + 1):
            raise ValueError(
                "The number of rows of `diagonal` doesn't match the number of diagonals implied from "
                f"`d_lower` and `d_upper`.\nnum_diags = {upper - lower + 1}, d_lower = {lower}, "
                f"d_upper = {upper}"
            )
    lead = diagonal.shape[: -1 if lower == upper else -2]
    longest = diagonal.shape.sizes[-1]
    if longest is None or given[1] is None or given[2] is None:
        return lead.concatenate([None, None])
    return lead.concatenate(_matrix_sizes(longest, lower, upper, int(given[1]), int(given[2])))


@op("MatrixDiagV3", shape=_matrix_shape, default_name="diag")
def _matrix_diag(
    diagonal: Anything,
    k: _Int,
    num_rows: _Int,
    num_cols: _Int,
    padding_value: Anything,
    *,
    align="RIGHT_LEFT",
    out=None,
) -> Anything:
    lower, upper = _bounds(k)
    rows, columns = _matrix_sizes(diagonal.shape[-1], lower, upper, int(num_rows), int(num_cols))
    bands = _as_band(diagonal, lower, upper)
    if out is None:
        out = np.empty((*bands.shape[:-2], rows, columns), diagonal.dtype)
    out.fill(padding_value[()])
    number, place, row, column = _band(rows, columns, lower, upper, align)
    out[..., row, column] = bands[..., number, place]
    return out


def _part_shape(input, k, padding_value=None, *, align="RIGHT_LEFT"):
    shape_rules.require_rank_at_least(input, 2)
    bounds = constant_value(k)
    if input.shape.rank is None or bounds is None:
        return UNKNOWN
    lower, upper = _bounds(bounds)
    rows, columns = input.shape.sizes[-2:]
    lead = input.shape[:-2]
    if lower < upper:
        lead = lead.concatenate([upper - lower + 1])
    if rows is None or columns is None:
        return lead.concatenate([None])
    _check_band(rows, columns, lower, upper)
    return lead.concatenate([_longest(rows, columns, lower, upper)])


@op("MatrixDiagPartV3", shape=_part_shape, default_name="diag_part")
def _matrix_diag_part(
    input: Anything, k: _Int, padding_value: Anything, *, align="RIGHT_LEFT", out=None
) -> Anything:
    lower, upper = _bounds(k)
    rows, columns = input.shape[-2:]
    _check_band(rows, columns, lower, upper)
    sizes = (upper - lower + 1,) if lower < upper else ()
    sizes = (*input.shape[:-2], *sizes, _longest(rows, columns, lower, upper))
    if out is None:
        out = np.empty(sizes, input.dtype)
    out.fill(padding_value[()])
    number, place, row, column = _band(rows, columns, lower, upper, align)
    _as_band(out, lower, upper)[..., number, place] = input[..., row, column]
    return out


def _set_shape(input, diagonal, k, *, align="RIGHT_LEFT"):
    shape_rules.require_rank_at_least(input, 2)
    shape_rules.require_rank_at_least(diagonal, 1)
    if input.shape.is_fully_defined():
        expected = _part_shape(input, k)
        if not expected.is_compatible_with(diagonal.shape):
            raise ValueError(
                f"diagonal must have shape {expected.brackets()}, got {diagonal.shape.brackets()}"
            )
    return input.shape


@op("MatrixSetDiagV3", shape=_set_shape, default_name="set_diag")
def _matrix_set_diag(
    input: Anything, diagonal: Anything, k: _Int, *, align="RIGHT_LEFT", out=None
) -> Anything:
    lower, upper = _bounds(k)
    rows, columns = input.shape[-2:]
    _check_band(rows, columns, lower, upper)
    if out is None:
        out = input.copy()
    else:
        np.copyto(out, input)
    number, place, row, column = _band(rows, columns, lower, upper, align)
    out[..., row, column] = _as_band(diagonal, lower, upper)[..., number, place]
    return out


def _zero(x):
    return np.zeros((), x.dtype.base_dtype.numpy_dtype)


@gradient(_matrix_diag)
def _matrix_diag_gradient(op, grad):
    part = _matrix_diag_part(grad, op.inputs[1], _zero(grad), align=op.attrs["align"])
    return [part, None, None, None, None]


@gradient(_matrix_diag_part)
def _matrix_diag_part_gradient(op, grad):
    input, k, _ = op.inputs
    return [_matrix_set_diag(zeros_like(input), grad, k, align=op.attrs["align"]), None, None]


@gradient(_matrix_set_diag)
def _matrix_set_diag_gradient(op, grad):
    _, diagonal, k = op.inputs
    align = op.attrs["align"]
    around = _matrix_set_diag(grad, zeros_like(diagonal), k, align=align)
    return [around, _matrix_diag_part(grad, k, _zero(grad), align=align), None]


def _checked(align: str) -> str:
    if align not in _ALIGNMENTS:
        raise ValueError(f"Value for attr 'align' of \"{align}\" is not in the list of allowed values: "
                         + ", ".join(f'"{a}"' for a in _ALIGNMENTS))  # fmt: skip
    return align


def _padding(value: Any, dtype: Any) -> Any:
    return interpreter().convert(bool(value) if dtype.is_bool else value, dtype.base_dtype, None, "padding")


def matrix_diag(
    diagonal: Any,
    name: str = "diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Any:
    """Matrices with the given diagonals, `padding_value` elsewhere.

    `diagonal` is (…, n) for one diagonal `k`, (…, diagonals, n) for those from k[0] to k[1], the uppermost
    first; `align` says at which end the shorter ones above and below the main one are filled up. The matrices
    are as small as they can be unless `num_rows` and `num_cols` say more.
    """
    diagonal = interpreter().convert(diagonal, None, None, "diagonal")
    padding_value = _padding(padding_value, diagonal.dtype)
    return _matrix_diag(diagonal, k, num_rows, num_cols, padding_value, align=_checked(align), name=name)


def matrix_diag_part(
    input: Any, name: str = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Any:
    """The diagonals `k` of matrices, as `matrix_diag` takes them; short ones filled with `padding_value`."""
    input = interpreter().convert(input, None, None, "input")
    padding_value = _padding(padding_value, input.dtype)
    return _matrix_diag_part(input, k, padding_value, align=_checked(align), name=name)


def matrix_set_diag(
    input: Any, diagonal: Any, name: str = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT"
) -> Any:
    """Matrices `input` with their diagonals `k` replaced by `diagonal`."""
    return _matrix_set_diag(input, diagonal, k, align=_checked(align), name=name)


# --- triangles and identities ------------------------------------------------------------------------


def _at_least_matrix(input, *_rest, **_attrs):
    return shape_rules.require_rank_at_least(input, 2)


@op("MatrixBandPart", shape=_at_least_matrix)
def _band_part(input: Anything, num_lower: Index, num_upper: Index, *, out=None) -> Anything:
    rows, columns = input.shape[-2:]
    lower, upper = int(num_lower), int(num_upper)
    if lower > rows or upper > columns:
        name, value, most = ("num_lower", lower, rows) if lower > rows else ("num_upper", upper, columns)
        what = "rows" if lower > rows else "columns"
        raise ValueError(
            f"{name} must be negative or less or equal to number of {what} ({most}) got: {value}"
        )
    offset = np.arange(columns) - np.arange(rows)[:, None]
    kept = (lower < 0) | (offset >= -lower)
    kept = kept & ((upper < 0) | (offset <= upper))
    if out is None:
        out = np.empty_like(input)
    np.copyto(out, input)
    out[..., ~np.broadcast_to(kept, (rows, columns))] = b"" if input.dtype == object else 0
    return out


@gradient(_band_part)
def _band_part_gradient(op, grad):
    return [_band_part(grad, op.inputs[1], op.inputs[2]), None, None]


def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Any:
    """Matrices with zeros beyond `num_lower` diagonals below and `num_upper` above the main one (-1: all)."""
    return _band_part(input, num_lower, num_upper, name=name)


def trace(x: Any, name: str | None = None) -> Any:
    """The sums of the main diagonals of matrices (…, m, n): shape (…)."""
    with interpreter().name_scope(name or "Trace") as scope:
        x = interpreter().convert(x, None, None, "x")
        return reduce_sum(matrix_diag_part(x), [-1], name=scope)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Any:
    """Identity matrices (batch_shape…, num_rows, num_columns): ones on the main diagonal, else zeros."""
    from minitf.ops import math
    from minitf.ops.join import concat

    dtype = as_dtype(dtype)
    with interpreter().name_scope(name or "eye"):
        columns = num_rows if num_columns is None else num_columns
        batch = () if batch_shape is None else batch_shape
        if all(isinstance(n, int | np.integer) for n in (num_rows, columns)) and isinstance(
            batch, list | tuple
        ):
            longest = [*batch, min(num_rows, columns)]
            whole = [*batch, num_rows, columns]
        else:
            lead = interpreter().convert(
                batch if len(batch) else np.zeros(0, np.int32), dtypes.int32, None, "shape"
            )
            rows, columns = (interpreter().convert(n, dtypes.int32, None, "n") for n in (num_rows, columns))
            longest = concat([lead, [math.minimum(rows, columns)]], 0)
            whole = concat([lead, [rows, columns]], 0)
        if num_columns is None:
            return matrix_diag(ones(longest, dtype))
        return matrix_set_diag(zeros(whole, dtype), ones(longest, dtype))
