"""`tf.linalg`: linear algebra. Names only; see ops/matrix.py, decompositions.py and matrix_functions.py."""

# ruff: noqa: F401

from minitf.ops.array import matrix_transpose as transpose
from minitf.ops.decompositions import cholesky, eig, eigvals, lu, qr, svd
from minitf.ops.decompositions import self_adjoint_eig as eigh
from minitf.ops.decompositions import self_adjoint_eigvals as eigvalsh
from minitf.ops.array import matrix_transpose
from minitf.ops.clip import global_norm
from minitf.ops.diag import diag as tensor_diag
from minitf.ops.diag import diag_part as tensor_diag_part
from minitf.ops.diag import eye, trace
from minitf.ops.diag import matrix_band_part as band_part
from minitf.ops.diag import matrix_diag as diag
from minitf.ops.diag import matrix_diag_part as diag_part
from minitf.ops.diag import matrix_set_diag as set_diag
from minitf.ops.einsum import einsum, tensordot
from minitf.ops.linalg import matmul
from minitf.ops.matrix import adjoint, cholesky_solve, cross, logdet, slogdet
from minitf.ops.matrix import matrix_determinant as det
from minitf.ops.matrix import matrix_inverse as inv
from minitf.ops.matrix import matrix_solve as solve
from minitf.ops.matrix import matrix_solve_ls as lstsq
from minitf.ops.matrix import matrix_triangular_solve as triangular_solve
from minitf.ops.matrix_functions import matrix_exponential as expm
from minitf.ops.matrix_functions import matrix_logarithm as logm
from minitf.ops.matrix_functions import matrix_square_root as sqrtm
from minitf.ops.matrix_functions import norm
from minitf.ops.norm import l2_normalize
