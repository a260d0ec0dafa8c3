"""`Input`: where a functional model begins."""

from typing import Any

from minitf.framework import dtypes
from minitf.framework.shapes import TensorShape
from minitf.keras.engine import state
from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.node import History, Node
from minitf.ops.constants import placeholder


class InputLayer(Layer):
    """A placeholder as a layer. Use `Input` to make one and get its tensor."""

    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        input_tensor: Any = None,
        sparse: bool = False,
        name: str | None = None,
        ragged: bool = False,
        batch_input_shape: Any = None,
        batch_shape: Any = None,
        trainable: bool = True,
        optional: bool = False,
    ) -> None:
        if sparse or ragged:
            raise NotImplementedError("Input: sparse and ragged inputs are not supported")
        batch_input_shape = batch_shape if batch_input_shape is None else batch_input_shape
        if name is None:
            name = state.unique_object_name("input", zero_based=False)
        if batch_input_shape is None:
            if input_shape is not None:
                batch_input_shape = (batch_size, *TensorShape(input_shape).as_list())
            elif input_tensor is not None:
                batch_input_shape = tuple(input_tensor.shape.as_list())
            else:
                raise ValueError(
                    "An Input layer should be passed either a `batch_input_shape` or an `input_shape`."
                )
        if dtype is None:
            dtype = input_tensor.dtype.base_dtype if input_tensor is not None else state.floatx()
        super().__init__(name=name, dtype=dtypes.as_dtype(dtype), batch_input_shape=batch_input_shape)
        self.built = True
        self.is_placeholder = input_tensor is None
        if input_tensor is None:
            with state.get_graph().as_default():
                input_tensor = placeholder(self._dtype, batch_input_shape, name=self.name)
        Node(self, (), {}, input_tensor)
        input_tensor._keras_history = History(self, 0, 0)

    @property
    def input_shape(self) -> list[tuple]:
        """A list of the one shape, as Keras has it for this layer alone."""
        return [self._batch_input_shape]

    output_shape = input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            "batch_input_shape": self._batch_input_shape, "dtype": self.dtype, "sparse": False,
            "ragged": False, "name": self.name,
        }  # fmt: skip


def Input(  # noqa: N802 - Keras's name
    shape: Any = None,
    batch_size: int | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool = False,
    tensor: Any = None,
    ragged: bool = False,
    batch_shape: Any = None,
    **kwargs: Any,
) -> Any:
    """A symbolic tensor for a functional model to begin with.

    `shape` is without the batch dimension, `batch_shape` with it. `tensor` wraps an existing tensor.
    Raises ValueError when no shape is given.
    """
    batch_shape = kwargs.pop("batch_input_shape", batch_shape)
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {list(kwargs)}")
    if shape is not None and batch_shape is not None:
        raise ValueError(
            "Only provide the `shape` OR `batch_shape` argument to Input, not both at the same time."
        )
    if shape is None and batch_shape is None and tensor is None:
        raise ValueError(
            "Please provide to Input a `shape` or a `batch_shape` or a `tensor` or a `type_spec` argument. "
            "Note that `shape` does not include the batch dimension."
        )
    layer = InputLayer(
        input_shape=shape, batch_size=batch_size, name=name, dtype=dtype, sparse=sparse,
        input_tensor=tensor, ragged=ragged, batch_input_shape=batch_shape,
    )  # fmt: skip
    return layer._inbound_nodes[0].outputs
