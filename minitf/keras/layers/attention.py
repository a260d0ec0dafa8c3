"""Attention of one sequence to another (Luong et al. 2015, Bahdanau et al. 2015)."""

from typing import Any

import numpy as np

from minitf.framework.shapes import TensorShape
from minitf.keras.engine.base_layer import Layer
from minitf.keras.layers.training_switch import in_training
from minitf.ops import math
from minitf.ops.array import cast, expand_dims, identity, shape
from minitf.ops.constants import constant
from minitf.ops.constants import range as range_
from minitf.ops.dropout import dropout
from minitf.ops.linalg import matmul
from minitf.ops.reduce import reduce_sum
from minitf.ops.softmax import softmax


class _DenseAttention(Layer):
    """Base: inputs [query (batch, Tq, dim), value (batch, Tv, dim)] and perhaps a key like the value.

    `causal` keeps each step from looking at later ones. Raises ValueError for other inputs.
    """

    def __init__(self, causal: bool = False, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.causal, self.dropout = causal, dropout
        self.supports_masking = True

    def _scores(self, query: Any, key: Any) -> Any:
        raise NotImplementedError

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, return_attention_scores: bool = False
    ) -> Any:
        """(batch, Tq, dim): means of the values, weighted by softmax of the scores; and the weights."""
        self._check(inputs, mask)
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = (mask[0], mask[1]) if mask else (None, None)
        scores = self._scores(query, key)
        dtype = scores.dtype.base_dtype
        allowed = None if value_mask is None else expand_dims(cast(value_mask, "bool"), -2)
        if self.causal:
            past = self._past(scores)
            allowed = past if allowed is None else math.logical_and(allowed, past)
        if allowed is not None:
            far = constant(65504.0 if dtype.name == "float16" else 1e9, dtype)
            scores = scores - far * cast(math.logical_not(allowed), dtype)
        weights = softmax(scores)
        if self.dropout > 0:
            kept = weights
            weights = in_training(training, lambda: dropout(kept, rate=self.dropout), lambda: identity(kept))
        result = matmul(weights, value)
        if query_mask is not None:
            result = result * expand_dims(cast(query_mask, dtype), -1)
        return (result, weights) if return_attention_scores else result

    def _past(self, scores: Any) -> Any:
        """(1, Tq, Tv): which steps of the value are not later than those of the query."""
        rows, columns = scores.shape.as_list()[-2:]
        if None not in (rows, columns):
            return constant(np.tri(rows, columns, dtype=bool)[None])
        sizes = shape(scores)
        row, column = range_(sizes[1]), range_(sizes[2])
        return math.greater_equal(expand_dims(expand_dims(row, 1), 0), expand_dims(expand_dims(column, 0), 0))

    def _check(self, inputs: Any, mask: Any) -> None:
        name = type(self).__name__
        if not isinstance(inputs, list):
            raise ValueError(
                f"{name} layer must be called on a list of inputs, namely [query, value] or [query, value, "
                f"key]. Received: {inputs}."
            )
        if not 2 <= len(inputs) <= 3:
            raise ValueError(
                f"{name} layer accepts inputs list of length 2 or 3, namely [query, value] or [query, value, "
                f"key]. Received length: {len(inputs)}."
            )
        if mask and not isinstance(mask, list):
            raise ValueError(
                f"{name} layer mask must be a list, namely [query_mask, value_mask]. Received: {mask}."
            )
        if mask and not 2 <= len(mask) <= len(inputs):
            raise ValueError(
                f"{name} layer mask must be a list of length 2, namely [query_mask, value_mask]. Received "
                f"length: {len(mask)}."
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's."""
        self._check(inputs, mask)
        return mask[0] if mask else None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "causal": self.causal, "dropout": self.dropout}


class Attention(_DenseAttention):
    """Scores are dot products, times a learned scale if `use_scale`."""

    def __init__(self, use_scale: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale

    def build(self, input_shape: Any) -> None:
        """Makes the scale."""
        self.scale = self.add_weight("scale", (), initializer="ones") if self.use_scale else None
        self.built = True

    def _scores(self, query: Any, key: Any) -> Any:
        scores = matmul(query, key, transpose_b=True)
        return scores if self.scale is None else scores * self.scale

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "use_scale": self.use_scale}


class AdditiveAttention(_DenseAttention):
    """Scores are sums of tanh(query + key), weighted by a learned scale if `use_scale`."""

    def __init__(self, use_scale: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale

    def build(self, input_shape: Any) -> None:
        """Makes the scale."""
        size = TensorShape(input_shape[1]).as_list()[-1]
        self.scale = self.add_weight("scale", (size,)) if self.use_scale else None
        self.built = True

    def _scores(self, query: Any, key: Any) -> Any:
        together = math.tanh(expand_dims(query, -2) + expand_dims(key, -3))
        return reduce_sum(together if self.scale is None else self.scale * together, -1)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {**super().get_config(), "use_scale": self.use_scale}
