"""`keras.backend`: the functions that Keras's layers are written in, usually imported as K. Names only."""

from minitf.keras.backend.arithmetic import (
    abs, all, any, argmax, argmin, cast, cast_to_floatx, clip, cos, cumprod, cumsum, equal, exp, greater,
    greater_equal, less, less_equal, log, logsumexp, max, maximum, mean, min, minimum, not_equal, pow, prod,
    round, sigmoid, sign, sin, softplus, softsign, sqrt, square, std, sum, tanh, var,
)  # fmt: skip
from minitf.keras.backend.draws import (
    random_bernoulli, random_binomial, random_normal, random_uniform, truncated_normal,
)  # fmt: skip
from minitf.keras.backend.neural import (
    batch_normalization, bias_add, binary_crossentropy, categorical_crossentropy, conv1d, conv2d,
    conv2d_transpose, conv3d, depthwise_conv2d, dropout, elu, hard_sigmoid, in_top_k, l2_normalize,
    local_conv1d, local_conv2d, normalize_batch_in_training, pool2d, pool3d, relu, separable_conv2d, softmax,
    sparse_categorical_crossentropy,
)  # fmt: skip
from minitf.keras.backend.phases import in_test_phase, in_train_phase, print_tensor, switch
from minitf.keras.backend.recurrence import rnn
from minitf.keras.backend.shaping import (
    arange, batch_dot, batch_flatten, concatenate, dot, expand_dims, flatten, foldl, foldr, gather, map_fn,
    one_hot, permute_dimensions, repeat, repeat_elements, reshape, resize_images, resize_volumes, reverse,
    spatial_2d_padding, spatial_3d_padding, squeeze, stack, temporal_padding, tile, to_dense, transpose,
)  # fmt: skip
from minitf.keras.backend.values import (
    backend, batch_get_value, batch_set_value, clear_session, constant, count_params, dtype, eval, eye,
    function, get_session, get_value, gradients, int_shape, is_keras_tensor, is_sparse,
    manual_variable_initialization, moving_average_update, name_scope, ndim, ones, ones_like, placeholder,
    random_normal_variable, random_uniform_variable, set_session, set_value, shape, stop_gradient, update,
    update_add, update_sub, variable, zeros, zeros_like,
)  # fmt: skip
from minitf.keras.engine.state import (
    epsilon, floatx, get_graph, get_uid, image_data_format, learning_phase, learning_phase_scope, reset_uids,
    set_epsilon, set_floatx, set_image_data_format, set_learning_phase,
)  # fmt: skip
from minitf.keras.backend.old_names import image_dim_ordering, set_image_dim_ordering
