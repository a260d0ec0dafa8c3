"""Reuters: 11,228 newswires as word numbers, in 46 topics."""

from typing import Any

import numpy as np

from minitf.keras.datasets import word_sequences as words
from minitf.keras.datasets.files import ORIGIN, read_npz
from minitf.keras.utils.data_utils import get_file

_HASH = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
_INDEX_HASH = "4d44cc38712099c9e383dc6e5f11a921"

Split = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    cache_dir: Any = None,
    **kwargs: Any,
) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): lists of word numbers in arrays of objects, topics 0 to 45.

    `test_split` is the share of the wires that are for testing. The other arguments are those of
    `imdb.load_data`.
    """
    num_words = words.renamed_num_words(num_words, kwargs)
    path = get_file(path, origin=ORIGIN + "reuters.npz", file_hash=_HASH, cache_dir=cache_dir)
    data = read_npz(path)
    x, y = words.shuffled([data["x"], data["y"]], np.random.RandomState(seed))
    x = words.numbered(x, start_char, index_from)
    if maxlen:
        x, y = words.shorter_than(maxlen, x, y)
    x, y = words.limited(x, num_words, skip_top, oov_char), np.array(y)
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Each word's number, before `index_from` is added."""
    return words.word_index(path, "reuters_word_index.json", _INDEX_HASH)
