"""minitf: TensorFlow's API on a small engine of NumPy and numba. `import minitf as tf` is the TF1 face.

This file holds names only. What they mean is in ops/ (operations), graph/ (graphs, variables, gradients),
runtime/ (sessions and the step plan) and the packages named as TensorFlow's own namespaces.
"""

from minitf._version import TENSORFLOW_VERSION as VERSION
from minitf._version import __version__

# --- types, shapes, errors ---------------------------------------------------------------------------
from minitf.framework import dtypes, errors
from minitf.framework.dtypes import (
    DType, as_dtype, bool, complex64, complex128, double, float16, float32, float64, half, int8, int16,
    int32, int64, resource, string, uint8, uint16, uint32, uint64, variant,
)  # fmt: skip
from minitf.framework.errors import OpError
from minitf.framework.shapes import Dimension, TensorShape

# --- arithmetic, comparison, logic -------------------------------------------------------------------
from minitf.ops.math import (
    abs, acos, acosh, add, asin, asinh, atan, atan2, atanh, ceil, conj, cos, cosh, digamma, div,
    div_no_nan, divide, equal, erf, erfc, exp, expm1, floor, floor_divide as floor_div, floordiv,
    floormod, greater, greater_equal, igamma, igammac, is_finite, is_inf, is_nan, less, less_equal,
    lgamma, log, log1p, log_sigmoid, logical_and, logical_not, logical_or, logical_xor, maximum,
    minimum, mod, multiply, negative, not_equal, polygamma, pow, real_divide as realdiv, reciprocal, rint,
    round, rsqrt, sigmoid, sign, sin, sinh, sqrt, square, squared_difference, subtract, tan, tanh, truediv,
    truncatediv, truncatemod, zeta,
)  # fmt: skip
from minitf.ops import math_grad
from minitf.ops.linalg import matmul
from minitf.ops.math_n import accumulate_n, add_n
from minitf.ops.reduce import (
    reduce_all, reduce_any, reduce_max, reduce_mean, reduce_min, reduce_prod, reduce_sum,
)  # fmt: skip

# --- making and shaping tensors ----------------------------------------------------------------------
from minitf.ops.array import (
    cast, expand_dims, identity, invert_permutation, matrix_transpose, no_op, rank, reshape,
    saturate_cast, shape, shape_n, size, squeeze, stop_gradient, to_double, to_float, to_int32, to_int64,
    transpose,
)  # fmt: skip
from minitf.ops.constants import (
    constant, fill, ones, ones_like, placeholder, placeholder_with_default, range, zeros, zeros_like,
)  # fmt: skip
from minitf.ops.indexed_slices import IndexedSlices
from minitf.ops.join import concat, stack, unstack
from minitf.ops.select import where, where_v2
from minitf.ops.slicing import slice_ as slice
from minitf.ops.slicing import strided_slice
from minitf.ops.argmax import arg_max, arg_min, argmax, argmin
from minitf.ops.clip import (
    clip_by_average_norm, clip_by_global_norm, clip_by_norm, clip_by_value, global_norm,
)  # fmt: skip
from minitf.ops.count import bincount, count_nonzero, histogram_fixed_width, histogram_fixed_width_bins
from minitf.ops.diag import (
    diag, diag_part, eye, matrix_band_part, matrix_diag, matrix_diag_part, matrix_set_diag, trace,
)  # fmt: skip
from minitf.ops.gather import batch_gather, boolean_mask, gather, gather_nd
from minitf.ops.grid import linspace, linspace as lin_space, meshgrid, parallel_stack, repeat
from minitf.ops.onehot import one_hot, sequence_mask
from minitf.ops.pad import pad
from minitf.ops.patches import extract_image_patches
from minitf.ops.partition import dynamic_partition, dynamic_stitch
from minitf.ops.passing import bitcast, ensure_shape, is_tensor, unravel_index
from minitf.ops.reduce_more import reduce_logsumexp
from minitf.ops.reverse import reverse, reverse as reverse_v2, reverse_sequence, roll
from minitf.ops.scan import cumprod, cumsum
from minitf.ops.scatter import (
    batch_scatter_update, scatter_add, scatter_div, scatter_max, scatter_min, scatter_mul, scatter_nd,
    scatter_nd_add, scatter_nd_sub, scatter_nd_update, scatter_sub, scatter_update,
    tensor_scatter_nd_add, tensor_scatter_nd_add as tensor_scatter_add, tensor_scatter_nd_max,
    tensor_scatter_nd_min, tensor_scatter_nd_sub, tensor_scatter_nd_sub as tensor_scatter_sub,
    tensor_scatter_nd_update, tensor_scatter_nd_update as tensor_scatter_update,
)  # fmt: skip
from minitf.ops.segment import (
    segment_max, segment_mean, segment_min, segment_prod, segment_sum, unsorted_segment_max,
    unsorted_segment_mean, unsorted_segment_min, unsorted_segment_prod, unsorted_segment_sqrt_n,
    unsorted_segment_sum,
)  # fmt: skip
from minitf.ops.segment_sparse import sparse_segment_mean, sparse_segment_sqrt_n, sparse_segment_sum
from minitf.ops.sort import argsort, searchsorted, sort
from minitf.ops.space import (
    batch_to_space, batch_to_space_nd, depth_to_space, required_space_to_batch_paddings, space_to_batch,
    space_to_batch_nd, space_to_depth,
)  # fmt: skip
from minitf.ops.special import betainc, lbeta, scalar_mul
from minitf.ops.split import split
from minitf.ops.tile import broadcast_dynamic_shape, broadcast_static_shape, broadcast_to, tile
from minitf.ops.unique import setdiff1d, unique, unique_with_counts

# names of TensorFlow 0.x
from minitf.ops.join import stack as pack, unstack as unpack
from minitf.ops.math import multiply as mul, negative as neg, subtract as sub

# --- sparse tensors, strings -------------------------------------------------------------------------
from minitf.ops.sparse import (
    sparse_placeholder, sparse_tensor_dense_matmul, sparse_tensor_to_dense, sparse_to_dense,
)  # fmt: skip
from minitf.ops.sparse_sums import sparse_add, sparse_reduce_max, sparse_reduce_sum
from minitf.ops.sparse_rearrange import (
    sparse_concat, sparse_reorder, sparse_reshape, sparse_retain, sparse_transpose,
)  # fmt: skip
from minitf.ops.sparse_more import (
    sparse_fill_empty_rows, sparse_mask, sparse_maximum, sparse_minimum, sparse_slice, sparse_softmax,
    sparse_split, sparse_to_indicator,
)  # fmt: skip
from minitf.ops.sparse_tensor import (
    SparseTensor, SparseTensorValue, convert_to_tensor_or_sparse_tensor,
)  # fmt: skip
from minitf.ops.edit_distance import edit_distance
from minitf.ops.strings import (
    reduce_join, regex_replace, string_join, string_split, string_strip, substr,
)  # fmt: skip
from minitf.ops.strings_convert import (
    as_string, decode_base64, decode_raw, encode_base64, string_to_hash_bucket_fast, string_to_number,
)  # fmt: skip
from minitf import math, sparse, strings

newaxis = None

# --- matrices, complex numbers -----------------------------------------------------------------------
from minitf import linalg, signal
from minitf import signal as spectral
from minitf.ops.complex import angle, complex, imag, real, to_complex64, to_complex128
from minitf.ops.decompositions import cholesky, qr, self_adjoint_eig, self_adjoint_eigvals, svd
from minitf.ops.einsum import einsum, tensordot
from minitf.ops.matrix import (
    batch_matmul, cholesky_solve, cross, matrix_determinant, matrix_inverse, matrix_solve,
    matrix_solve_ls, matrix_triangular_solve,
)  # fmt: skip
from minitf.ops.matrix_functions import matrix_square_root, norm
from minitf.ops.spectral import fft, fft2d, fft3d, ifft, ifft2d, ifft3d

# --- checking and showing ----------------------------------------------------------------------------
from minitf import debugging
from minitf.ops.checks import (
    Assert, assert_equal, assert_greater, assert_greater_equal, assert_less, assert_less_equal,
    assert_near, assert_negative, assert_non_negative, assert_non_positive, assert_none_equal,
    assert_positive, is_non_decreasing, is_numeric_tensor, is_strictly_increasing,
)  # fmt: skip
from minitf.ops.checks_of_shape import (
    assert_integer, assert_proper_iterable, assert_rank, assert_rank_at_least, assert_rank_in,
    assert_same_float_dtype, assert_scalar, assert_type,
)  # fmt: skip
from minitf.ops.numerics import add_check_numerics_ops, check_numerics, verify_tensor_all_finite
from minitf.ops.print import Print
from minitf.ops.print import print_v2 as print
from minitf.ops.script import numpy_function, py_func

# --- random numbers ----------------------------------------------------------------------------------
from minitf import random
from minitf.ops.random import (
    multinomial, random_crop, random_gamma, random_normal, random_poisson, random_shuffle,
    random_uniform, truncated_normal,
)  # fmt: skip
from minitf.ops.random_seed import get_seed, set_random_seed

# --- graphs, variables, gradients --------------------------------------------------------------------
from minitf.graph.collections import (
    GraphKeys, add_to_collection, add_to_collections, get_collection, get_collection_ref,
)  # fmt: skip
from minitf.graph.convert import convert_to_tensor
from minitf.graph.default_session import get_default_session
from minitf.graph.gradient_options import (
    AggregationMethod, NoGradient, NotDifferentiable, RegisterGradient, UnconnectedGradients, no_gradient,
)  # fmt: skip
from minitf.graph.gradients import gradients, hessians
from minitf.graph.graph import Graph, get_default_graph, reset_default_graph
from minitf.graph.operation import GraphDef, NodeDef, Operation, Tensor
from minitf.graph.refused import (
    fixed_size_partitioner, import_graph_def, min_max_variable_partitioner, variable_axis_size_partitioner,
)  # fmt: skip
from minitf.graph.scopes import colocate_with, container, control_dependencies, device, name_scope
from minitf.graph.template import make_template
from minitf.graph.variables import (
    Variable, all_variables, assert_variables_initialized, global_variables,
    global_variables_initializer, initialize_all_variables, initialize_local_variables,
    initialize_variables, is_variable_initialized, local_variables, local_variables_initializer,
    model_variables, moving_average_variables, report_uninitialized_variables, trainable_variables,
    variables_initializer,
)  # fmt: skip
from minitf.graph.variable_scope import (
    VariableScope, get_local_variable, get_variable, get_variable_scope, no_regularizer,
    variable_op_scope, variable_scope,
)  # fmt: skip
from minitf.graph.variable_store import AUTO_REUSE
from minitf import initializers
from minitf.ops.initializers import (
    constant_initializer, glorot_normal_initializer, glorot_uniform_initializer,
    ones_initializer, orthogonal_initializer, random_normal_initializer, random_uniform_initializer,
    truncated_normal_initializer, uniform_unit_scaling_initializer, variance_scaling_initializer,
    zeros_initializer,
)  # fmt: skip
from minitf.ops.group import group, with_dependencies
from minitf.ops.group import tuple_ as tuple
from minitf.ops.state import assign, assign_add, assign_sub

# --- control flow ------------------------------------------------------------------------------------
from minitf.ops.case import case, switch_case
from minitf.ops.control import cond, while_loop
from minitf.ops.custom_gradient import custom_gradient, identity_n
from minitf.ops.functional import foldl, foldr, map_fn, scan
from minitf.ops.tensor_array import TensorArray

# --- eager mode --------------------------------------------------------------------------------------
from minitf.eager.context import enable_eager_execution, executing_eagerly, init_scope
from minitf.eager.function import TensorSpec, function
from minitf.eager.tape import GradientTape

# --- neural networks ---------------------------------------------------------------------------------
from minitf import nn
from minitf import layers, losses, metrics
from minitf.ops.confusion import confusion_matrix

# --- training ----------------------------------------------------------------------------------------
from minitf import train

# --- running -----------------------------------------------------------------------------------------
from minitf.runtime.config import (
    ConfigProto, GPUOptions, GraphOptions, OptimizerOptions, RunMetadata, RunOptions,
)  # fmt: skip
from minitf.runtime.session import InteractiveSession, Session

# --- Keras, imported on first use ----------------------------------------------------------------------
from minitf import _keras_names

_keras_names.lend(initializers, "minitf.keras.initializers")
_keras_names.lend(losses, "minitf.keras.losses")
_keras_names.lend(metrics, "minitf.keras.metrics")
__getattr__ = _keras_names.importer(__name__)
