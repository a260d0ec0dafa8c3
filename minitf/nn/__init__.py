"""`tf.nn`: the functions that neural networks are built of. Names only."""

from minitf.ops.activation import (
    crelu, elu, gelu, leaky_relu, relu, relu6, selu, softplus, softsign, swish, swish as silu,
)  # fmt: skip
from minitf.ops.bias import bias_add
from minitf.ops.conv import conv2d, conv2d_backprop_filter, conv2d_backprop_input, conv2d_transpose
from minitf.ops.cross_entropy import (
    log_poisson_loss, sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2, sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)  # fmt: skip
from minitf.ops.dropout import dropout
from minitf.ops.math import log_sigmoid, sigmoid, tanh
from minitf.ops.nn_misc import in_top_k, l2_loss, relu_layer, xw_plus_b, zero_fraction
from minitf.ops.pool import avg_pool, max_pool
from minitf.ops.softmax import log_softmax, softmax
