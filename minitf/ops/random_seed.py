"""Which two seeds a random op uses: TensorFlow's rule over the graph's seed and the op's own."""

from typing import Any

from minitf.ops.registry import interpreter

# The graph's seed where only the op has one.
DEFAULT_GRAPH_SEED = 87654321
_LARGEST_INT32 = 2**31 - 1


def get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """The pair of seeds that a random op made now with `op_seed` uses; (None, None) for random ones.

    With a graph seed (`tf.set_random_seed`), ops without a seed of their own are numbered in the order they
    are made. Only what is left of 2**31 - 1 counts of each seed.
    """
    current = interpreter()
    if current.seed is None:
        if op_seed is None:
            return None, None
        seeds = DEFAULT_GRAPH_SEED, op_seed % _LARGEST_INT32
    else:
        if op_seed is None:
            op_seed = current.next_op_seed()
        seeds = current.seed % _LARGEST_INT32, op_seed % _LARGEST_INT32
    # The kernels would take two zeros as a wish for random seeds.
    return seeds if seeds != (0, 0) else (0, _LARGEST_INT32)


def seed_attrs(op_seed: int | None) -> dict[str, int]:
    """The attributes `seed` and `seed2` of a random op made now."""
    seed, seed2 = get_seed(op_seed)
    return {"seed": seed or 0, "seed2": seed2 or 0}


def set_random_seed(seed: Any) -> None:
    """Sets the seed of the default graph, so that its random ops draw the same numbers in every run."""
    interpreter().seed = seed
