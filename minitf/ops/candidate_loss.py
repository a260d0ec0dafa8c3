"""Losses that compare the true class with a few sampled ones instead of all: NCE and sampled softmax."""

from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.ops import math
from minitf.ops.array import cast, reshape, shape, stop_gradient
from minitf.ops.candidate_sampling import compute_accidental_hits, log_uniform_candidate_sampler
from minitf.ops.constants import ones_like, zeros_like
from minitf.ops.cross_entropy import sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits_v2
from minitf.ops.embedding import embedding_lookup
from minitf.ops.join import concat
from minitf.ops.linalg import matmul
from minitf.ops.reduce import reduce_sum
from minitf.ops.registry import interpreter
from minitf.ops.scatter import scatter_nd


def _logits_and_labels(
    weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
    remove_accidental_hits, partition_strategy, name, seed=None,
):  # fmt: skip
    """Logits and labels (N, num_true + num_sampled) of the true classes, then of the sampled ones.

    From each logit goes the log of how often its class is expected among the sampled: what is left
    estimates the full softmax (Jean et al. 2015, section 3; Gutmann and Hyvärinen 2010 for NCE).
    """
    current = interpreter()
    with current.name_scope(name):
        labels = cast(current.convert(labels, None, dtypes.int64, "labels"), dtypes.int64)
        inputs = current.convert(inputs, None, dtypes.float32, "inputs")
        kind = inputs.dtype.base_dtype
        flat_labels = reshape(labels, [-1])
        if sampled_values is None:
            sampled_values = log_uniform_candidate_sampler(
                true_classes=labels, num_true=num_true, num_sampled=num_sampled,
                unique=True, range_max=num_classes, seed=seed,
            )  # fmt: skip
        sampled, true_expected, sampled_expected = (stop_gradient(value) for value in sampled_values)
        sampled = cast(sampled, dtypes.int64)

        # One look-up for both, so that their gradients come in one piece.
        ids = concat([flat_labels, sampled], 0)
        rows = cast(embedding_lookup(weights, ids, partition_strategy=partition_strategy), kind)
        offsets = cast(embedding_lookup(biases, ids, partition_strategy=partition_strategy), kind)
        count = shape(flat_labels)[0]
        true_rows, sampled_rows = rows[:count], rows[count:]
        true_offsets, sampled_offsets = offsets[:count], offsets[count:]

        width = rows.shape.sizes[-1] if rows.shape.rank else None
        width = shape(rows)[1] if width is None else width
        products = inputs[:, None] * reshape(true_rows, [-1, num_true, width])
        true_logits = reduce_sum(products, 2) + reshape(true_offsets, [-1, num_true])
        sampled_logits = matmul(inputs, sampled_rows, transpose_b=True) + sampled_offsets
        if remove_accidental_hits:
            sampled_logits += _hits(labels, sampled, num_true, shape(sampled_logits), kind)
        true_logits -= math.log(cast(true_expected, kind))
        sampled_logits -= math.log(cast(sampled_expected, kind))

        logits = concat([true_logits, sampled_logits], 1)
        share = ones_like(true_logits) / np.array(num_true, kind.numpy_dtype)
        return logits, concat([share, zeros_like(sampled_logits)], 1)


def _hits(labels, sampled, num_true, sizes, kind):
    """Minus the largest number where a sampled class is a true one, else 0."""
    rows, places, penalties = compute_accidental_hits(labels, sampled, num_true=num_true)
    indices = concat([reshape(cast(rows, dtypes.int64), [-1, 1]), reshape(places, [-1, 1])], 1)
    # A class that is true twice in a row is hit twice.
    lowest = np.array(kind.min, kind.numpy_dtype)
    return math.maximum(scatter_nd(indices, cast(penalties, kind), cast(sizes, dtypes.int64)), lowest)


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    partition_strategy: str = "mod",
    name: str = "nce_loss",
) -> Any:
    """Noise-contrastive estimation: tells each true class from sampled noise by logistic regression.

    Args:
      weights: class embeddings (num_classes, D), or a list of tensors that hold them in shards.
      biases: (num_classes,).
      labels: the true classes (N, num_true), integers.
      inputs: (N, D).
      num_sampled: how many classes to sample for the batch.
      num_classes: how many there are.
      num_true: how many true classes each example has.
      sampled_values: what a candidate sampler returned; by default
        `tf.nn.log_uniform_candidate_sampler` is asked.
      remove_accidental_hits: whether sampled classes that are true ones are ruled out.
      partition_strategy: how shards hold the classes, "mod" or "div": see `tf.nn.embedding_lookup`.

    Returns:
      (N,), the loss of each example.
    """
    logits, targets = _logits_and_labels(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
        remove_accidental_hits, partition_strategy, name,
    )  # fmt: skip
    losses = sigmoid_cross_entropy_with_logits(labels=targets, logits=logits, name="sampled_losses")
    return reduce_sum(losses, 1)


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    partition_strategy: str = "mod",
    name: str = "sampled_softmax_loss",
    seed: int | None = None,
) -> Any:
    """The softmax cross-entropy over the true and some sampled classes, for training with many classes.

    Arguments are those of `nce_loss`; `seed` is the sampler's. Returns (N,), the loss of each example.
    """
    logits, targets = _logits_and_labels(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
        remove_accidental_hits, partition_strategy, name, seed,
    )  # fmt: skip
    targets = stop_gradient(targets, name="labels_stop_gradient")
    return softmax_cross_entropy_with_logits_v2(labels=targets, logits=logits)
