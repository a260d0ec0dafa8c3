"""What load_data makes of a file, beside tf-keras."""

import importlib

import numpy as np
import pytest

from minitf import keras


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Functions that load a data set from the same file, given its name and arrays."""

    def load(name, arrays, **options):
        path = tmp_path / f"{name}.npz"
        np.savez(path, **arrays)
        results = []
        for module in (
            getattr(keras.datasets, name),
            importlib.import_module(f"tf_keras.src.datasets.{name}"),
        ):
            monkeypatch.setattr(module, "get_file", lambda *args, **kwargs: str(path))
            results.append(module.load_data(**options))
        return results

    return load


def _same(ours, theirs):
    for a, b in zip((*ours[0], *ours[1]), (*theirs[0], *theirs[1]), strict=True):
        b = np.asarray(b, dtype=a.dtype)
        assert a.shape == b.shape
        if a.dtype == object:
            assert [list(row) for row in a] == [list(row) for row in b]
        else:
            np.testing.assert_array_equal(a, b)


def _texts(count, seed):
    random = np.random.RandomState(seed)
    texts = np.empty(count, object)
    texts[:] = [random.randint(1, 40, random.randint(3, 12)).tolist() for _ in range(count)]
    return texts, random.randint(0, 5, count)


OPTIONS = [
    {},
    {"num_words": 20},
    {"num_words": 20, "skip_top": 5, "oov_char": None},
    {"maxlen": 9, "seed": 3},
]
# tf-keras's imdb cannot do these: it adds arrays of texts up, as numbers.
WITHOUT_START = [
    {"start_char": None, "index_from": 0},
    {"start_char": None, "index_from": None, "oov_char": 0},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_imdb(both, options):
    (x_train, y_train), (x_test, y_test) = _texts(30, 0), _texts(20, 1)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    _same(*both("imdb", arrays, **options))


@pytest.mark.parametrize("options", [*OPTIONS, *WITHOUT_START, {"test_split": 0.5}])
def test_reuters(both, options):
    x, y = _texts(31, 2)
    _same(*both("reuters", {"x": x, "y": y}, **options))


@pytest.mark.parametrize("options", [{}, {"test_split": 0.33, "seed": 1}])
def test_boston_housing(both, options):
    random = np.random.RandomState(0)
    _same(*both("boston_housing", {"x": random.rand(50, 13), "y": random.rand(50)}, **options))
