"""`SparseTensor`: a tensor given by the places and values of its elements that are not zero."""

from typing import Any, NamedTuple

from minitf.framework import dtypes
from minitf.framework.dtypes import DType
from minitf.framework.shapes import TensorShape
from minitf.ops.registry import interpreter
from minitf.ops.shape_rules import shape_from


class SparseTensorValue(NamedTuple):
    """What a SparseTensor is when it has run: three arrays."""

    indices: Any
    values: Any
    dense_shape: Any


class SparseTensor:
    """A tensor of shape `dense_shape` (rank,) with `values` (n,) at `indices` (n, rank), zeros elsewhere.

    Indices and shape are int64. The order of the values should be that of rows (see `tf.sparse_reorder`).
    Raises ValueError when the three parts do not fit together.
    """

    value_type = SparseTensorValue

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        current = interpreter()
        with current.name_scope("SparseTensor"):
            indices = current.convert(indices, dtypes.int64, None, "indices")
            values = current.convert(values, None, None, "values")
            dense_shape = current.convert(dense_shape, dtypes.int64, None, "dense_shape")
        known = indices.shape.with_rank(2)
        values.shape.with_rank(1)
        known.merge_with([values.shape.with_rank(1).sizes[0], dense_shape.shape.with_rank(1).sizes[0]])
        self._indices, self._values, self._dense_shape = indices, values, dense_shape

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> "SparseTensor":
        """A SparseTensor from a SparseTensorValue (or from another)."""
        if not isinstance(sparse_tensor_value, SparseTensor | SparseTensorValue):
            raise TypeError(
                f"Argument sparse_tensor_value={sparse_tensor_value} is neither a SparseTensor nor "
                "SparseTensorValue."
            )
        return cls(*sparse_parts(sparse_tensor_value))

    @property
    def indices(self) -> Any:
        """The places (n, rank), int64."""
        return self._indices

    @property
    def values(self) -> Any:
        """The values (n,)."""
        return self._values

    @property
    def dense_shape(self) -> Any:
        """The shape (rank,) of the whole, int64."""
        return self._dense_shape

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._values.dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of the whole's shape."""
        return shape_from(self._dense_shape)

    def get_shape(self) -> TensorShape:
        """What is known of the whole's shape (the TF1 spelling)."""
        return self.shape

    @property
    def op(self) -> Any:
        """The op that makes the values."""
        return self._values.op

    @property
    def graph(self) -> Any:
        """The Graph that it belongs to."""
        return self._indices.graph

    def fields(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"indices": self._indices, "values": self._values, "dense_shape": self._dense_shape}

    def eval(self, feed_dict: dict | None = None, session: Any = None) -> SparseTensorValue:
        """Its value in `session` or the default one."""
        parts = (self._indices, self._values, self._dense_shape)
        return SparseTensorValue(*(part.eval(feed_dict, session) for part in parts))

    def __repr__(self) -> str:
        return (
            f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"
        )


def sparse_parts(value: Any) -> tuple[Any, Any, Any]:
    """Indices, values and shape of a SparseTensor or SparseTensorValue."""
    return value.indices, value.values, value.dense_shape


def as_sparse(value: Any, name: str) -> SparseTensor:
    """`value` as a SparseTensor. Raises TypeError for anything but one or its value."""
    if isinstance(value, SparseTensorValue):
        return SparseTensor(*value)
    if not isinstance(value, SparseTensor):
        raise TypeError(f"Input must be a SparseTensor, got {type(value)} for {name!r}.")
    return value


def convert_to_tensor_or_sparse_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`value` as a tensor, or as a SparseTensor if it is one or a SparseTensorValue.

    Raises RuntimeError when a sparse one has another dtype than `dtype`, else as `tf.convert_to_tensor`.
    """
    dtype = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(value, SparseTensorValue):
        value = SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        return interpreter().convert(value, dtype, None, name or "Const")
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise RuntimeError(f"Sparse dtype mismatch. Requested: {dtype.name},  Actual: {value.dtype.name}")
    return value
