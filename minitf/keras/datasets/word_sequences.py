"""What IMDB and Reuters have in common: texts as lists of word numbers, 1 the most frequent word."""

import json
import warnings
from typing import Any

import numpy as np

from minitf.keras.datasets.files import ORIGIN
from minitf.keras.utils.data_utils import get_file


def renamed_num_words(num_words: int | None, others: dict[str, Any]) -> int | None:
    """Understands `nb_words`, the old name. Raises TypeError for any other keyword."""
    if "nb_words" in others:
        warnings.warn(
            "The `nb_words` argument in `load_data` has been renamed `num_words`.",
            DeprecationWarning,
            stacklevel=3,
        )
        num_words = others.pop("nb_words")
    if others:
        raise TypeError(f"Unrecognized keyword arguments: {others}.")
    return num_words


def shuffled(arrays: list[np.ndarray], generator: np.random.RandomState) -> list[np.ndarray]:
    """The arrays, all in the same new order."""
    order = np.arange(len(arrays[0]))
    generator.shuffle(order)
    return [array[order] for array in arrays]


def numbered(sequences: Any, start_char: int | None, index_from: int | None) -> list[list[int]]:
    """Word numbers raised by `index_from`, each text begun with `start_char`."""
    begin = [] if start_char is None else [start_char]
    offset = index_from or 0
    if start_char is not None and index_from is None:
        raise TypeError("`index_from` must be an integer where `start_char` is one.")
    return [begin + [word + offset for word in sequence] for sequence in sequences]


def shorter_than(maxlen: int, sequences: list, labels: Any) -> tuple[list, list]:
    """The texts with fewer than `maxlen` words, and their labels."""
    kept = [(s, label) for s, label in zip(sequences, labels, strict=True) if len(s) < maxlen]
    return [s for s, _ in kept], [label for _, label in kept]


def limited(sequences: list, num_words: int | None, skip_top: int, oov_char: int | None) -> np.ndarray:
    """Words from `skip_top` up to `num_words`; others become `oov_char`, or vanish if that is None."""
    if not num_words:
        num_words = max(max(sequence) for sequence in sequences)
    if oov_char is None:
        kept = [[w for w in s if skip_top <= w < num_words] for s in sequences]
    else:
        kept = [[w if skip_top <= w < num_words else oov_char for w in s] for s in sequences]
    result = np.empty(len(kept), dtype=object)
    result[:] = kept
    return result


def word_index(path: str, origin_name: str, file_hash: str) -> dict[str, int]:
    """The number of each word, as a JSON file of the cache has it."""
    with open(get_file(path, origin=ORIGIN + origin_name, file_hash=file_hash), encoding="utf8") as file:
        return json.load(file)
