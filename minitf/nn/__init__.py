"""`tf.nn`: the functions that neural networks are built of. Names only."""

from minitf.ops.activation import (
    crelu, elu, gelu, leaky_relu, relu, relu6, selu, softplus, softsign, swish, swish as silu,
)  # fmt: skip
from minitf.ops.bias import bias_add
from minitf.ops.candidate_loss import nce_loss, sampled_softmax_loss
from minitf.ops.candidate_sampling import (
    all_candidate_sampler, compute_accidental_hits, fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler, log_uniform_candidate_sampler, uniform_candidate_sampler,
)  # fmt: skip
from minitf.ops.conv import conv2d, conv2d_backprop_filter, conv2d_backprop_input, conv2d_transpose
from minitf.ops.conv_depthwise import (
    depthwise_conv2d, depthwise_conv2d_backprop_filter,
    depthwise_conv2d_backprop_filter as depthwise_conv2d_native_backprop_filter,
    depthwise_conv2d_backprop_input,
    depthwise_conv2d_backprop_input as depthwise_conv2d_native_backprop_input, depthwise_conv2d_native,
    separable_conv2d,
)  # fmt: skip
from minitf.ops.conv_more import (
    atrous_conv2d, atrous_conv2d_transpose, conv1d, conv1d_transpose, conv_transpose, convolution,
)  # fmt: skip
from minitf.ops.cross_entropy import (
    log_poisson_loss, sigmoid_cross_entropy_with_logits, softmax_cross_entropy_with_logits,
    softmax_cross_entropy_with_logits_v2, sparse_softmax_cross_entropy_with_logits,
    weighted_cross_entropy_with_logits,
)  # fmt: skip
from minitf.ops.dropout import dropout
from minitf.ops.embedding import embedding_lookup
from minitf.ops.embedding_sparse import embedding_lookup_sparse, safe_embedding_lookup_sparse
from minitf.ops.math import log_sigmoid, sigmoid, tanh
from minitf.ops.nn_misc import in_top_k, l2_loss, relu_layer, xw_plus_b, zero_fraction
from minitf.ops.norm import (
    batch_norm_with_global_normalization, batch_normalization, l2_normalize, local_response_normalization,
    local_response_normalization as lrn, moments, normalize_moments, sufficient_statistics,
    weighted_moments,
)  # fmt: skip
from minitf.ops.norm_fused import fused_batch_norm
from minitf.ops.pool import avg_pool, avg_pool as avg_pool2d, max_pool, max_pool as max_pool2d
from minitf.ops.pool_more import (
    avg_pool1d, avg_pool_v2, max_pool1d, max_pool_v2, max_pool_with_argmax, pool,
)  # fmt: skip
from minitf.ops.softmax import log_softmax, softmax
from minitf.ops.sort import top_k
from minitf.ops.space import depth_to_space, space_to_batch, space_to_depth
from minitf.ops.volume import avg_pool3d, conv3d, conv3d_transpose, max_pool3d
