"""`tf.sparse`: tensors given by their elements that are not zero. Names only."""

from minitf.ops.segment_sparse import (
    sparse_segment_mean as segment_mean, sparse_segment_sqrt_n as segment_sqrt_n,
    sparse_segment_sum as segment_sum,
)  # fmt: skip
from minitf.ops.sparse import (
    from_dense, sparse_placeholder as placeholder, sparse_tensor_dense_matmul as matmul,
    sparse_tensor_dense_matmul as sparse_dense_matmul, sparse_tensor_to_dense as to_dense,
)  # fmt: skip
from minitf.ops.sparse_rearrange import (
    sparse_concat as concat, sparse_reorder as reorder, sparse_reshape as reshape, sparse_retain as retain,
    sparse_transpose as transpose,
)  # fmt: skip
from minitf.ops.sparse_sums import (
    sparse_add as add, sparse_reduce_max as reduce_max, sparse_reduce_sum as reduce_sum,
)  # fmt: skip
from minitf.ops.sparse_tensor import SparseTensor
