"""Functions of TensorFlow that scripts name and minitf cannot serve: they say so when called."""

from typing import Any, NoReturn


def import_graph_def(
    graph_def: Any,
    input_map: Any = None,
    return_elements: Any = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> NoReturn:
    """Raises NotImplementedError: graphs are built by running the code that makes them."""
    raise NotImplementedError("tf.import_graph_def is not supported: build the graph by calling its code")


def fixed_size_partitioner(num_shards: int, axis: int = 0) -> NoReturn:
    """Raises NotImplementedError: variables are kept whole."""
    raise NotImplementedError("tf.fixed_size_partitioner is not supported: variables are kept whole")


def variable_axis_size_partitioner(
    max_shard_bytes: int, axis: int = 0, bytes_per_string_element: int = 16, max_shards: int | None = None
) -> NoReturn:
    """Raises NotImplementedError: variables are kept whole."""
    raise NotImplementedError("tf.variable_axis_size_partitioner is not supported: variables are kept whole")


def min_max_variable_partitioner(
    max_partitions: int = 1, axis: int = 0, min_slice_size: int = 262144, bytes_per_string_element: int = 16
) -> NoReturn:
    """Raises NotImplementedError: variables are kept whole."""
    raise NotImplementedError("tf.min_max_variable_partitioner is not supported: variables are kept whole")
