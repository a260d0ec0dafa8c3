"""What every kernel stands on: lazy compilation, the cache, the number of threads, scratch."""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from minitf.kernels import threads
from minitf.kernels.threads import chunk, jit, num_threads, parallel_jit, prange

SCALE = 3.0


@jit
def _scaled(value):
    return value * SCALE


@parallel_jit
def _scale_all(x, parts):
    for part in prange(parts):
        first, stop = chunk(x.size, parts, np.int64(part))
        for i in range(first, stop):
            x[i] = _scaled(x[i])


def run(source: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_kernels_imports_no_compiler():
    source = """
        import sys
        import minitf.kernels.conv, minitf.kernels.depthwise, minitf.kernels.gemm
        import minitf.kernels.lrn, minitf.kernels.pool
        print([name for name in ("numba", "llvmlite", "scipy") if name in sys.modules])
    """
    assert run(source) == "[]"


def test_small_arrays_do_not_wait_for_the_compiler():
    source = """
        import sys
        import numpy as np
        from minitf.kernels import conv, depthwise, gemm, lrn, pool
        x, w = np.ones((1, 6, 6, 2), "f"), np.ones((3, 3, 2, 4), "f")
        y = conv.conv2d(x, w)
        conv.conv2d_backprop_input(x.shape, w, y)
        conv.conv2d_backprop_filter(x, w.shape, y)
        depthwise.depthwise_conv2d(x, w)
        gemm.matmul(y[0, 0], y[0, 0], transpose_b=True)
        lrn.local_response_normalization(x)
        pool.max_pool(x, (2, 2), (2, 2))
        pool.avg_pool(x, (2, 2), (2, 2))
        print("numba" in sys.modules)
    """
    assert run(source) == "False"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_kernel_uses_helpers_constants_and_any_number_of_parts(count):
    x = np.arange(10.0)
    _scale_all(x, count)
    np.testing.assert_array_equal(x, 3 * np.arange(10.0))


@pytest.mark.parametrize("size, parts", [(0, 1), (0, 3), (7, 3), (2, 5), (12, 4)])
def test_chunks_cover_everything_once_and_differ_by_at_most_one(size, parts):
    chunks = [chunk(size, parts, part) for part in range(parts)]
    assert [i for first, stop in chunks for i in range(first, stop)] == list(range(size))
    lengths = [stop - first for first, stop in chunks]
    assert max(lengths) - min(lengths) <= 1


def test_kernels_may_be_entered_from_several_python_threads():
    arrays = [np.full(5000, float(i)) for i in range(8)]

    def work(array):
        for _ in range(20):
            _scale_all(array, 2)
            array /= 3

    workers = [threading.Thread(target=work, args=(array,)) for array in arrays]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for i, array in enumerate(arrays):
        np.testing.assert_allclose(array, i)


@pytest.fixture
def default_threads():
    yield
    threads.set_num_threads(None)


def test_the_number_of_threads_can_be_set_and_reset(default_threads):
    default = num_threads()
    threads.set_num_threads(7)
    assert num_threads() == 7
    threads.set_num_threads(0)
    assert num_threads() == default
    with pytest.raises(ValueError, match="number of threads must be at least 1, got -1"):
        threads.set_num_threads(-1)


def test_the_environment_gives_the_number_of_threads():
    source = "from minitf.kernels.threads import num_threads; print(num_threads())"
    assert run(source, MINITF_NUM_THREADS="3") == "3"
    refused = subprocess.run(
        [sys.executable, "-c", source],
        env=os.environ | {"MINITF_NUM_THREADS": "many"},
        capture_output=True,
        text=True,
    )
    assert "MINITF_NUM_THREADS must be a positive integer, got 'many'" in refused.stderr


def test_with_one_thread_no_team_of_threads_is_loaded():
    source = """
        import sys
        import numpy as np
        from minitf.kernels import pool
        pool.avg_pool(np.ones((8, 40, 40, 16), "f"), (2, 2), (2, 2))
        layers = ("omppool", "tbbpool", "workqueue")
        print("numba" in sys.modules, [x for x in layers if f"numba.np.ufunc.{x}" in sys.modules])
    """
    assert run(source, MINITF_NUM_THREADS="1") == "True []"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_runs_kernels_serially():
    source = """
        import os
        import numpy as np
        from minitf.kernels import pool
        x = np.ones((8, 40, 40, 16), "f")
        pool.avg_pool(x, (2, 2), (2, 2))
        child = os.fork()
        if child == 0:
            os._exit(int(pool.avg_pool(x, (2, 2), (2, 2)).mean()))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run(source, MINITF_NUM_THREADS="2") == "1"


def test_compiled_code_is_kept_where_asked_and_found_again(tmp_path):
    source = """
        import numpy as np
        from minitf.kernels import cache, gemm
        from numba.core import event
        a = np.ones((100, 100), "f")
        with event.install_recorder("numba:compile") as compiled:
            gemm.matmul(a, a)
        print(len(compiled.buffer), cache.cache_folder())
    """
    first = run(source, MINITF_CACHE_DIR=str(tmp_path)).split()
    second = run(source, MINITF_CACHE_DIR=str(tmp_path)).split()
    assert int(first[0]) > 0 and second[0] == "0"
    assert first[1] == second[1] and first[1].startswith(str(tmp_path))


def test_the_cache_falls_back_to_a_folder_that_can_be_written(tmp_path):
    file = tmp_path / "no-folder"
    file.write_text("")
    source = "from minitf.kernels.cache import cache_folder; print(cache_folder())"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    found = run(source, MINITF_CACHE_DIR=str(file), HOME=str(file), TMPDIR=str(temporary))
    assert found.startswith(str(temporary))


def test_the_blas_is_held_to_one_thread_and_let_go():
    source = """
        import numpy as np
        from threadpoolctl import threadpool_info
        from minitf.kernels import pool
        from minitf.kernels.blas import blas_on_one_thread
        count = lambda: [x["num_threads"] for x in threadpool_info() if "numpy.libs" in x["filepath"]]
        before = count()
        with blas_on_one_thread():
            idle = count()
        pool.avg_pool(np.ones((8, 40, 40, 16), "f"), (2, 2), (2, 2))
        with blas_on_one_thread(), blas_on_one_thread():
            held = count()
        print(idle == before, set(held) <= {1}, count() == before)
    """
    assert run(source, MINITF_NUM_THREADS="2") == "True True True"


def test_scratch_is_kept_grows_is_aligned_and_belongs_to_the_thread():
    first = threads.scratch("test", 10, np.float32)
    assert first.size >= 10 and first.dtype == np.float32 and first.ctypes.data % 64 == 0
    assert threads.scratch("test", 5, np.float32) is first
    assert threads.scratch("test", 1000, np.float32).size >= 1000
    assert threads.scratch("other", 10, np.float32) is not first
    elsewhere = []
    worker = threading.Thread(target=lambda: elsewhere.append(threads.scratch("test", 5, np.float32)))
    worker.start()
    worker.join()
    assert not np.shares_memory(elsewhere[0], threads.scratch("test", 5, np.float32))


def test_flat_copies_only_what_kernels_cannot_take():
    x = np.arange(6.0).reshape(2, 3)
    assert np.shares_memory(threads.flat(x), x)
    assert threads.flat(x.T).tolist() == [0, 3, 1, 4, 2, 5]
    x.flags.writeable = False
    assert threads.flat(x).flags.writeable


@pytest.mark.parametrize(
    "out",
    [np.empty((2, 4)), np.empty((2, 3), "f"), np.empty((3, 2)).T],
    ids=["shape", "dtype", "order"],
)
def test_an_unfit_out_is_refused(out):
    with pytest.raises(ValueError, match=r"out must be a C-contiguous float64 array of shape \(2, 3\)"):
        threads.result((2, 3), np.float64, out)
