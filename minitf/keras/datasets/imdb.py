"""IMDB: 50,000 film reviews as word numbers, and whether they are favourable (Maas et al. 2011)."""

from typing import Any

import numpy as np

from minitf.keras.datasets import word_sequences as words
from minitf.keras.datasets.files import ORIGIN, read_npz
from minitf.keras.utils.data_utils import get_file

_HASH = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
_INDEX_HASH = "bfafd718b763782e994055a2d397834f"

Split = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    cache_dir: Any = None,
    **kwargs: Any,
) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): lists of word numbers in arrays of objects, labels 0 and 1.

    Words are numbered by frequency, from `index_from` + 1 on. Only the `num_words` most frequent are kept,
    without the `skip_top` most frequent ones; others become `oov_char` (None: they vanish). Each review
    begins with `start_char` unless that is None. Reviews of `maxlen` words and more are left out.

    Raises ValueError when `maxlen` leaves none.
    """
    num_words = words.renamed_num_words(num_words, kwargs)
    path = get_file(path, origin=ORIGIN + "imdb.npz", file_hash=_HASH, cache_dir=cache_dir)
    data = read_npz(path)
    generator = np.random.RandomState(seed)
    parts = []
    for part in ("train", "test"):
        x, y = words.shuffled([data[f"x_{part}"], data[f"y_{part}"]], generator)
        x = words.numbered(x, start_char, index_from)
        if maxlen:
            x, y = words.shorter_than(maxlen, x, y)
            if not x:
                raise ValueError(
                    f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. "
                    "Increase maxlen."
                )
        parts.append((x, y))
    (x_train, y_train), (x_test, y_test) = parts
    x = words.limited(x_train + x_test, num_words, skip_top, oov_char)
    y = np.concatenate([y_train, y_test])
    count = len(x_train)
    return (x[:count], y[:count]), (x[count:], y[count:])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Each word's number, before `index_from` is added."""
    return words.word_index(path, "imdb_word_index.json", _INDEX_HASH)
