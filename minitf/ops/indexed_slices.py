"""`IndexedSlices`: a gradient that is non-zero in a few rows only, as gathering makes it."""

from typing import Any, NamedTuple

from minitf.framework.dtypes import DType
from minitf.framework.shapes import UNKNOWN, TensorShape
from minitf.ops.shape_rules import shape_from


class IndexedSlicesValue(NamedTuple):
    """What an IndexedSlices is when it has run: arrays."""

    values: Any
    indices: Any
    dense_shape: Any


class IndexedSlices:
    """Rows `values` (n, …) that stand at `indices` (n,) of a tensor of shape `dense_shape`.

    An index may occur several times; the rows then add up.
    """

    value_type = IndexedSlicesValue

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self.values = values
        self.indices = indices
        self.dense_shape = dense_shape

    @property
    def dtype(self) -> DType:
        """The rows' dtype."""
        return self.values.dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of the dense shape."""
        return UNKNOWN if self.dense_shape is None else shape_from(self.dense_shape)

    @property
    def name(self) -> str:
        """The name of `values`."""
        return self.values.name

    @property
    def op(self) -> Any:
        """The op that makes `values`."""
        return self.values.op

    @property
    def graph(self) -> Any:
        """The graph of `values`."""
        return self.values.graph

    def fields(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "values": self.values, "indices": self.indices, "dense_shape": self.dense_shape,
        }  # fmt: skip

    def __neg__(self) -> "IndexedSlices":
        return IndexedSlices(-self.values, self.indices, self.dense_shape)

    def _as_tensor(self) -> Any:
        """The dense tensor. Raises ValueError when the dense shape is not known."""
        from minitf.ops.segment import unsorted_segment_sum

        if self.dense_shape is None:
            raise ValueError(
                f"Tensor conversion requested for IndexedSlices without dense_shape: {self.values.name}"
            )
        rows = self.dense_shape[0]
        return unsorted_segment_sum(self.values, self.indices, rows)

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self.indices}, values={self.values}, dense_shape={self.dense_shape})"


def concatenated(slices: list[IndexedSlices]) -> IndexedSlices:
    """The sum of several IndexedSlices, as one with all their rows."""
    from minitf.ops.join import concat

    return IndexedSlices(
        concat([s.values for s in slices], 0),
        concat([s.indices for s in slices], 0),
        slices[0].dense_shape,
    )
