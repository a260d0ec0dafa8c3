"""Data sets from tiny caches: what load_data makes of the files, and what it says when they are not there."""

import gzip
import hashlib
import io
import json
import pickle
import struct
import tarfile
import urllib.error

import numpy as np
import pytest

from minitf import keras
from minitf.keras.datasets import files


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty KERAS_HOME, and no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def unreachable(request, *args, **kwargs):
        raise urllib.error.URLError("no network in tests")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    folder = tmp_path / "datasets"
    folder.mkdir()
    return folder


def _trust(monkeypatch, module, path, name="_HASH"):
    algorithm = hashlib.md5 if len(getattr(module, name)) == 32 else hashlib.sha256
    monkeypatch.setattr(module, name, algorithm(path.read_bytes()).hexdigest())


def _idx(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes())


def test_mnist(cache, monkeypatch):
    arrays = {
        "x_train": np.arange(2 * 784, dtype=np.uint8).reshape(2, 28, 28), "y_train": np.uint8([3, 1]),
        "x_test": np.full((1, 28, 28), 7, np.uint8), "y_test": np.uint8([9]),
    }  # fmt: skip
    np.savez(cache / "mnist.npz", **arrays)
    _trust(monkeypatch, keras.datasets.mnist, cache / "mnist.npz")
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    for name, value in zip(
        ("x_train", "y_train", "x_test", "y_test"), (x_train, y_train, x_test, y_test), strict=True
    ):
        np.testing.assert_array_equal(value, arrays[name])
        assert value.dtype == np.uint8


def _write_fashion(cache):
    folder = cache / "fashion-mnist"
    folder.mkdir()
    random = np.random.RandomState(0)
    data = {}
    for part, count in (("train", 3), ("t10k", 2)):
        data[part] = (
            random.randint(0, 256, (count, 28, 28)).astype(np.uint8),
            np.arange(count, dtype=np.uint8),
        )
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(_idx(data[part][0]))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(_idx(data[part][1]))
    return folder, data


def test_fashion_mnist_has_no_hash_to_match(cache):
    _, data = _write_fashion(cache)
    train, test = keras.datasets.fashion_mnist.load_data()
    for got, expected in zip((*train, *test), (*data["train"], *data["t10k"]), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_a_damaged_file_is_named(cache):
    folder, _ = _write_fashion(cache)
    path = folder / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    for damaged in (whole[:-300], whole[:5], b"not gzip at all"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="Incomplete or corrupted file detected: .*train-images-idx3"):
            keras.datasets.fashion_mnist.load_data()
    path.write_bytes(gzip.compress(b"something else entirely"))
    with pytest.raises(ValueError, match="is no IDX file of bytes"):
        keras.datasets.fashion_mnist.load_data()


def _write_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def _cifar(count, start, **labels):
    images = (np.arange(count * 3072) + start).astype(np.uint8).reshape(count, 3072)
    return images, pickle.dumps({b"data": images, **{k.encode(): v for k, v in labels.items()}}, protocol=2)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_cifar10(cache, monkeypatch, data_format):
    members, images = {}, []
    for i in range(1, 6):
        x, text = _cifar(2, i, labels=[i, i + 1])
        members[f"cifar-10-batches-py/data_batch_{i}"] = text
        images.append(x)
    test_images, members["cifar-10-batches-py/test_batch"] = _cifar(1, 99, labels=[7])
    archive = cache / "cifar-10-batches-py.tar.gz"
    _write_tar(archive, members)
    _trust(monkeypatch, keras.datasets.cifar10, archive)
    monkeypatch.setitem(
        keras.backend.set_image_data_format.__globals__["_settings"], "image_data_format", data_format
    )
    (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
    expected = np.concatenate(images).reshape(10, 3, 32, 32)
    if data_format == "channels_last":
        expected, x_test = expected.transpose(0, 2, 3, 1), x_test.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(x_train, expected)
    np.testing.assert_array_equal(x_test.reshape(1, -1), test_images)
    np.testing.assert_array_equal(y_train.ravel(), [1, 2, 2, 3, 3, 4, 4, 5, 5, 6])
    assert y_train.shape == (10, 1) and y_train.dtype == y_test.dtype == np.uint8
    archive.unlink()  # what was unpacked is enough
    np.testing.assert_array_equal(keras.datasets.cifar10.load_data()[0][0], x_train)


def test_cifar100(cache, monkeypatch):
    members = {}
    for name, count in (("train", 3), ("test", 2)):
        _, members[f"cifar-100-python/{name}"] = _cifar(
            count, 5, fine_labels=list(range(count)), coarse_labels=[9] * count
        )
    archive = cache / "cifar-100-python.tar.gz"
    _write_tar(archive, members)
    _trust(monkeypatch, keras.datasets.cifar100, archive)
    (x_train, y_train), (x_test, y_test) = keras.datasets.cifar100.load_data()
    assert x_train.shape == (3, 32, 32, 3) and x_test.shape == (2, 32, 32, 3)
    np.testing.assert_array_equal(y_train, [[0], [1], [2]])
    np.testing.assert_array_equal(keras.datasets.cifar100.load_data("coarse")[1][1], [[9], [9]])
    with pytest.raises(ValueError, match='must be one of `"fine"`, `"coarse"`. Received: label_mode=rough'):
        keras.datasets.cifar100.load_data("rough")


def _objects(lists):
    array = np.empty(len(lists), object)
    array[:] = lists
    return array


@pytest.fixture
def imdb(cache, monkeypatch):
    np.savez(
        cache / "imdb.npz",
        x_train=_objects([[1, 2, 3], [4, 5], [6]]), y_train=np.array([0, 1, 0]),
        x_test=_objects([[7, 1], [2]]), y_test=np.array([1, 0]),
    )  # fmt: skip
    _trust(monkeypatch, keras.datasets.imdb, cache / "imdb.npz")
    return keras.datasets.imdb


def test_imdb(imdb):
    (x_train, y_train), (x_test, y_test) = imdb.load_data()
    order = np.arange(3)
    np.random.RandomState(113).shuffle(order)
    original = [[1, 2, 3], [4, 5], [6]]
    # Without num_words the largest number is the limit, so it becomes the unknown word, as in Keras.
    expected = [[1, *[w + 3 if w + 3 < 10 else 2 for w in original[i]]] for i in order]
    assert x_train.dtype == object and list(x_train) == expected
    assert y_train.tolist() == [[0, 1, 0][i] for i in order]
    assert sorted(map(tuple, x_test)) == [(1, 2, 4), (1, 5)]
    assert len(y_test) == 2


def test_imdb_leaves_words_out(imdb):
    (x_train, _), _ = imdb.load_data(num_words=6, skip_top=5, start_char=None, oov_char=None, index_from=0)
    assert sorted(x_train) == [[], [], [5]]
    (x_train, _), _ = imdb.load_data(num_words=6, start_char=None, oov_char=0, index_from=0)
    assert sorted(x_train) == [[0], [1, 2, 3], [4, 5]]
    (x_train, y_train), _ = imdb.load_data(maxlen=4)  # counted with the start
    assert sorted(map(len, x_train)) == [2, 3] and len(y_train) == 2
    with pytest.raises(ValueError, match="shorter than maxlen=1, no sequence was kept. Increase maxlen."):
        imdb.load_data(maxlen=1)


def test_imdb_understands_nb_words_alone(imdb):
    with pytest.warns(DeprecationWarning, match="`nb_words` argument in `load_data` has been renamed"):
        (x_train, _), _ = imdb.load_data(nb_words=5)
    assert max(max(x) for x in x_train) < 5
    with pytest.raises(TypeError, match="Unrecognized keyword arguments: {'words': 5}"):
        imdb.load_data(words=5)


def test_reuters(cache, monkeypatch):
    np.savez(cache / "reuters.npz", x=_objects([[i, i + 1] for i in range(1, 11)]), y=np.arange(10))
    _trust(monkeypatch, keras.datasets.reuters, cache / "reuters.npz")
    (x_train, y_train), (x_test, y_test) = keras.datasets.reuters.load_data(num_words=100)
    assert (len(x_train), len(x_test)) == (8, 2)
    for x, y in zip([*x_train, *x_test], [*y_train, *y_test], strict=True):
        assert x == [1, y + 4, y + 5]
    (x_train, _), (x_test, _) = keras.datasets.reuters.load_data(test_split=0.5)
    assert (len(x_train), len(x_test)) == (5, 5)


@pytest.mark.parametrize("name", ["imdb", "reuters"])
def test_word_index(cache, monkeypatch, name):
    path = cache / f"{name}_word_index.json"
    path.write_text(json.dumps({"the": 1, "café": 2}))
    module = getattr(keras.datasets, name)
    _trust(monkeypatch, module, path, "_INDEX_HASH")
    assert module.get_word_index() == {"the": 1, "café": 2}


def test_boston_housing(cache, monkeypatch):
    x, y = np.random.RandomState(0).rand(10, 13), np.arange(10.0)
    np.savez(cache / "boston_housing.npz", x=x, y=y)
    _trust(monkeypatch, keras.datasets.boston_housing, cache / "boston_housing.npz")
    (x_train, y_train), (x_test, y_test) = keras.datasets.boston_housing.load_data()
    assert x_train.shape == (8, 13) and y_test.shape == (2,)
    np.testing.assert_array_equal(
        np.concatenate([x_train, x_test]), x[np.concatenate([y_train, y_test]).astype(int)]
    )
    with pytest.raises(
        ValueError, match="`test_split` must be at least 0 and below 1. Received: test_split=1"
    ):
        keras.datasets.boston_housing.load_data(test_split=1)


def test_without_network_the_error_says_what_to_put_where(cache, capsys):
    with pytest.raises(
        OSError, match="URL fetch failure on .*/mnist.npz: None -- no network in tests"
    ) as raised:
        keras.datasets.mnist.load_data()
    assert f"put that file at {cache / 'mnist.npz'} (its hash must be 731c5ac602752760" in str(raised.value)
    assert "Downloading data from https://storage.googleapis.com/" in capsys.readouterr().out
    assert list(cache.iterdir()) == []


def test_a_file_of_another_hash_is_kept_when_it_cannot_be_replaced(cache, capsys):
    (cache / "mnist.npz").write_bytes(b"my own")
    with pytest.raises(OSError, match="URL fetch failure"):
        keras.datasets.mnist.load_data()
    assert (cache / "mnist.npz").read_bytes() == b"my own"
    assert "A local file was found, but it seems to be incomplete or outdated" in capsys.readouterr().out


class _Evil:
    def __reduce__(self):
        return print, ("code ran",)


def test_pickles_run_no_code(tmp_path, capsys):
    with pytest.raises(pickle.UnpicklingError, match="builtins.print has no place in a file of data"):
        files.read_pickle(io.BytesIO(pickle.dumps({"data": _Evil()})))
    np.savez(tmp_path / "evil.npz", x=_objects([_Evil()]))
    with pytest.raises(pickle.UnpicklingError, match="builtins.print"):
        files.read_npz(tmp_path / "evil.npz")
    assert capsys.readouterr().out == ""


def test_npz_files_are_read_as_numpy_reads_them(tmp_path):
    arrays = {
        "c": np.arange(6.0).reshape(2, 3), "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "scalar": np.array(5, ">i4"), "empty": np.zeros((0, 2)), "objects": _objects([[1], "a", None]),
    }  # fmt: skip
    np.savez(tmp_path / "a.npz", **arrays)
    for name, value in files.read_npz(tmp_path / "a.npz").items():
        np.testing.assert_array_equal(value, arrays[name])
        assert value.dtype == arrays[name].dtype
