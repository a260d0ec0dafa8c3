"""Numbers only: ndarray in, ndarray out. numba and BLAS live here and nowhere else."""
