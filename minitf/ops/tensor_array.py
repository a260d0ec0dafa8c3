"""`tf.TensorArray`: tensors written one by one, in a loop, and stacked at the end."""

from typing import Any

from minitf.framework import dtypes
from minitf.framework.dtypes import DType, as_dtype
from minitf.framework.shapes import TensorShape
from minitf.ops import tensor_array_ops as ops
from minitf.ops.array import cast, identity
from minitf.ops.array import shape as shape_of
from minitf.ops.constants import range as range_
from minitf.ops.registry import interpreter
from minitf.ops.shape_rules import constant_value


class TensorArray:
    """An array of tensors of one dtype; `size` elements, or more as they are written with `dynamic_size`.

    Every write returns a new TensorArray, to be used from then on. In a graph, each element may be written
    once. With `infer_shape`, all elements must have one shape, that of the first (or `element_shape`).
    Elements are kept as long as something may read them; so reading twice is allowed whatever
    `clear_after_read` says.
    `tensor_array_name` and `colocate_with_first_write_call` name and place TensorFlow's resource; here there
    is none. Instead of a `size`, `flow` may be given: the tensor that another TensorArray's value is.

    Raises ValueError when neither `size` nor `flow` is given, or both.
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        if handle is not None and flow is None:
            raise ValueError("flow must not be None if handle is not None.")
        if flow is None and size is None:
            raise ValueError("Argument `size` must be provided if handle is not provided.")
        if flow is not None and size is not None:
            raise ValueError("Cannot provide both a `handle` and `size` arguments at the same time.")
        self._dtype = as_dtype(dtype).base_dtype
        self._dynamic = bool(dynamic_size)
        self._size = size
        self._infer_shape = infer_shape
        # Shared by all versions, so that a shape seen in a loop's body is known after the loop.
        self._shape = [ops.shape_of(element_shape)]
        self._flow = flow
        if flow is None:
            self._flow = ops.new_array(
                size, dtype=self._dtype, element_shape=self._shape[0], name=name or "TensorArray"
            )

    @property
    def flow(self) -> Any:
        """The tensor that is this array's value."""
        return self._flow

    @property
    def handle(self) -> Any:
        """The same as `flow`: there is no resource behind it."""
        return self._flow

    @property
    def dtype(self) -> DType:
        """The elements' dtype."""
        return self._dtype

    @property
    def dynamic_size(self) -> bool:
        """Whether writing may make it longer."""
        return self._dynamic

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the elements' shape."""
        return self._shape[0]

    def with_flow(self, flow: Any) -> "TensorArray":
        """A version of this array whose value is `flow`."""
        array = object.__new__(TensorArray)
        array.__dict__.update(self.__dict__)
        array._flow = flow
        return array

    def identity(self) -> "TensorArray":
        """The same array, as a new tensor."""
        return self.with_flow(identity(self._flow))

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> None:
        """Not supported: gradients need no array of their own here."""
        raise NotImplementedError("TensorArray.grad: use tf.gradients")

    def _check_shape(self, shape: TensorShape) -> None:
        if not shape.is_compatible_with(self.element_shape):
            raise ValueError(f"Inconsistent shapes: saw {shape} but expected {self.element_shape} ")
        if self._infer_shape:
            self._shape[0] = self.element_shape.merge_with(shape)

    def _value(self, value: Any) -> Any:
        value = interpreter().convert(value, None, self._dtype, "value")
        if value.dtype.base_dtype != self._dtype:
            raise ValueError(
                f"Input value has dtype {value.dtype.base_dtype.name}, but the TensorArray has dtype "
                f"{self._dtype.name}."
            )
        return value

    @property
    def _rules(self) -> dict[str, bool]:
        return {"dynamic": self._dynamic, "once": not interpreter().eager}

    @property
    def _spec(self) -> dict[str, Any]:
        return {"dtype": self._dtype, "element_shape": self.element_shape}

    def read(self, index: Any, name: str | None = None) -> Any:
        """The element at `index`."""
        return ops.read(self._flow, index, name=name or "TensorArrayReadV3", **self._spec)

    def write(self, index: Any, value: Any, name: str | None = None) -> "TensorArray":
        """The array with `value` at `index`."""
        with interpreter().name_scope(name or "TensorArrayWrite"):
            value = self._value(value)
            self._check_shape(value.shape)
            flow = ops.write(self._flow, index, value, name="TensorArrayWriteV3", **self._rules)
            return self.with_flow(flow)

    def stack(self, name: str | None = None) -> Any:
        """All elements, stacked along a new first dimension."""
        with interpreter().name_scope(name or "TensorArrayStack"):
            value = self.gather(range_(0, self.size()))
            if value.shape.rank is not None and not self._dynamic and self._size is not None:
                value.set_shape([ops.known_size(self._size)] + list(value.shape.sizes[1:]))
            return value

    def gather(self, indices: Any, name: str | None = None) -> Any:
        """The elements at `indices`, stacked."""
        return ops.gather(self._flow, indices, name=name or "TensorArrayGatherV3", **self._spec)

    def concat(self, name: str | None = None) -> Any:
        """The elements joined along their first dimension."""
        return ops.concat(self._flow, name=name or "TensorArrayConcatV3", **self._spec)[0]

    def unstack(self, value: Any, name: str | None = None) -> "TensorArray":
        """The array whose elements are the rows of `value`."""
        with interpreter().name_scope(name or "TensorArrayUnstack"):
            value = self._value(value)
            return self.scatter(range_(0, shape_of(value)[0]), value)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> "TensorArray":
        """The array with the rows of `value` at `indices`."""
        with interpreter().name_scope(name or "TensorArrayScatter"):
            value = self._value(value)
            self._check_shape(value.shape[1:])
            flow = ops.scatter(self._flow, indices, value, name="TensorArrayScatterV3", **self._rules)
            return self.with_flow(flow)

    def split(self, value: Any, lengths: Any, name: str | None = None) -> "TensorArray":
        """The array whose elements are pieces of `value`, of the given lengths along its first dimension."""
        with interpreter().name_scope(name or "TensorArraySplit"):
            value = self._value(value)
            lengths = cast(lengths, dtypes.int64)
            known = constant_value(lengths)
            if known is not None and known.size and (known == known.flat[0]).all() and value.shape.rank:
                self._check_shape(TensorShape([int(known.flat[0])]).concatenate(value.shape[1:]))
            flow = ops.split(self._flow, value, lengths, dynamic=self._dynamic, name="TensorArraySplitV3")
            return self.with_flow(flow)

    def size(self, name: str | None = None) -> Any:
        """The number of elements."""
        if not self._dynamic and self._size is not None:
            return interpreter().convert(self._size, dtypes.int32, None, name or "size")
        return ops.size(self._flow, name=name or "TensorArraySizeV3")

    def close(self, name: str | None = None) -> Any:
        """An op that does nothing: elements are freed when nothing needs them."""
        from minitf.ops.array import no_op

        return no_op(name=name or "TensorArrayClose")
