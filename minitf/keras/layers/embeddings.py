"""Vectors for the numbers of words."""

from typing import Any

from minitf.keras import constraints, initializers, regularizers
from minitf.keras.engine.base_layer import Layer
from minitf.ops import math
from minitf.ops.array import cast
from minitf.ops.embedding import embedding_lookup


class Embedding(Layer):
    """(batch, …) integers below `input_dim` → (batch, …, output_dim) rows of a table.

    `mask_zero` makes 0 a padding that later layers skip. `input_length` fixes the length of sequences.
    Raises ValueError when dimensions are not positive.
    """

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None, activity_regularizer: Any = None,
        embeddings_constraint: Any = None, mask_zero: bool = False, input_length: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        dropout = kwargs.pop("dropout", 0)  # Keras 1
        if dropout:
            raise NotImplementedError("Embedding: dropout is not supported; use a Dropout layer")
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            length = input_length if isinstance(input_length, list | tuple) else (input_length,)
            kwargs["input_shape"] = tuple(length)
        if input_dim <= 0 or output_dim <= 0:
            raise ValueError(
                "Both `input_dim` and `output_dim` should be positive, Received input_dim = "
                f"{input_dim} and output_dim = {output_dim}"
            )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.input_dim, self.output_dim = int(input_dim), int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero, self.input_length = mask_zero, input_length
        self.supports_masking = mask_zero

    def build(self, input_shape: Any = None) -> None:
        """Makes the table."""
        self.embeddings = self.add_weight(
            "embeddings", (self.input_dim, self.output_dim), initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer, constraint=self.embeddings_constraint,
        )  # fmt: skip
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """True where the input is not 0, if `mask_zero`."""
        return math.not_equal(inputs, cast(0, inputs.dtype)) if self.mask_zero else None

    def call(self, inputs: Any) -> Any:
        """Looks the rows up."""
        if not inputs.dtype.base_dtype.is_integer:
            inputs = cast(inputs, "int32")
        return embedding_lookup(self.embeddings, inputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            **super().get_config(), "input_dim": self.input_dim, "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero, "input_length": self.input_length,
        }  # fmt: skip
