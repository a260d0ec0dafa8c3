"""`tf.sparse`: tensors given by their elements that are not zero. Names only."""

from minitf.ops.segment_sparse import (
    sparse_segment_mean as segment_mean, sparse_segment_sqrt_n as segment_sqrt_n,
    sparse_segment_sum as segment_sum,
)  # fmt: skip
from minitf.ops.sparse import (
    from_dense, sparse_placeholder as placeholder, sparse_tensor_dense_matmul as matmul,
    sparse_tensor_dense_matmul as sparse_dense_matmul, sparse_tensor_to_dense as to_dense,
)  # fmt: skip
from minitf.ops.sparse_more import (
    sparse_expand_dims as expand_dims, sparse_eye as eye, sparse_fill_empty_rows as fill_empty_rows,
    sparse_mask as mask, sparse_maximum as maximum, sparse_minimum as minimum, sparse_slice as slice,
    sparse_softmax as softmax, sparse_split as split, sparse_to_indicator as to_indicator,
)  # fmt: skip
from minitf.ops.sparse_rearrange import (
    sparse_concat as concat, sparse_reorder as reorder, sparse_reshape as reshape, sparse_retain as retain,
    sparse_transpose as transpose,
)  # fmt: skip
from minitf.ops.sparse_sums import (
    sparse_add as add, sparse_reduce_max as reduce_max, sparse_reduce_sum as reduce_sum,
)  # fmt: skip
from minitf.ops.sparse_tensor import SparseTensor
