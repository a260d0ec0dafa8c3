"""`tf.initializers`: what variables start as. Names only; the classes are in ops/initializers.py."""

from minitf.graph.variables import global_variables_initializer as global_variables
from minitf.graph.variables import local_variables_initializer as local_variables
from minitf.graph.variables import variables_initializer as variables
from minitf.ops.initializers import Constant as constant
from minitf.ops.initializers import GlorotNormal as glorot_normal
from minitf.ops.initializers import GlorotUniform as glorot_uniform
from minitf.ops.initializers import Identity as identity
from minitf.ops.initializers import Initializer, he_normal, he_uniform, lecun_normal, lecun_uniform
from minitf.ops.initializers import Ones as ones
from minitf.ops.initializers import Orthogonal as orthogonal
from minitf.ops.initializers import RandomNormal as random_normal
from minitf.ops.initializers import RandomUniform as random_uniform
from minitf.ops.initializers import TruncatedNormal as truncated_normal
from minitf.ops.initializers import UniformUnitScaling as uniform_unit_scaling
from minitf.ops.initializers import VarianceScaling as variance_scaling
from minitf.ops.initializers import Zeros as zeros

__all__ = [
    "Initializer",
    "constant",
    "global_variables",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "local_variables",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "uniform_unit_scaling",
    "variables",
    "variance_scaling",
    "zeros",
]
