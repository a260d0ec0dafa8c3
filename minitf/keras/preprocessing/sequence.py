"""Sequences: padded to one length, cut out of time series, paired as skip-grams."""

import json
import random
from typing import Any

import numpy as np

from minitf.keras.utils.data_utils import Sequence


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences as one array (count, `maxlen`, …), by default as long as the longest.

    Shorter ones are padded with `value` and longer ones cut, both at the beginning ('pre') or end ('post').

    Raises ValueError for other modes, for items that are no sequences or whose elements differ in shape, and
    for a string `value` with a `dtype` that has no place for it.

    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2)
    array([[0, 1],
           [3, 4]], dtype=int32)
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for item in sequences:
        if not hasattr(item, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {item}")
    if maxlen is None:
        maxlen = max(len(item) for item in sequences)
    is_text = np.issubdtype(dtype, np.str_)
    if isinstance(value, str) and dtype is not object and dtype != "object" and not is_text:
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\n"
            "You should set `dtype=object` for variable length strings."
        )
    element = next((np.asarray(item).shape[1:] for item in sequences if len(item)), ())
    result = np.full((len(sequences), maxlen, *element), value, dtype=dtype)
    for i, item in enumerate(sequences):
        if not len(item):
            continue
        if truncating not in _KEPT:
            raise ValueError(f'Truncating type "{truncating}" not understood')
        kept = np.asarray(_KEPT[truncating](item, maxlen), dtype=dtype)
        if kept.shape[1:] != element:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {i} is different from expected "
                f"shape {element}"
            )
        if padding == "post":
            result[i, : len(kept)] = kept
        elif padding == "pre":
            result[i, maxlen - len(kept) :] = kept
        else:
            raise ValueError(f'Padding type "{padding}" not understood')
    return result


_KEPT = {
    "pre": lambda item, length: item[len(item) - length :] if len(item) > length else item,
    "post": lambda item, length: item[:length],
}


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The probability of sampling the word of each rank, for `skipgrams`: frequent words less often.

    min(1, sqrt(f / s) / (f / s)) of Mikolov et al. 2013, with Zipf's law for the frequencies f.
    """
    euler_gamma = 0.577
    rank = np.arange(size)
    rank[0] = 1
    inverse_frequency = rank * (np.log(rank) + euler_gamma) + 0.5 - 1.0 / (12.0 * rank)
    f = sampling_factor * inverse_frequency
    return np.minimum(1.0, f / np.sqrt(f))


def skipgrams(
    sequence: Any,
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs of words and whether they occur together: (couples, labels).

    Each word is paired with those at most `window_size` away (label 1), and `negative_samples` times as often
    with random words (label 0). Word 0 stands for no word. `sampling_table` has each word's probability of
    being taken at all. With `categorical`, labels are [0, 1] and [1, 0]. Python's generator does the draws.
    """
    positive, negative = ([0, 1], [1, 0]) if categorical else (1, 0)
    couples = []
    for i, word in enumerate(sequence):
        if not word or sampling_table is not None and sampling_table[word] < random.random():
            continue
        for j in range(max(0, i - window_size), min(len(sequence), i + window_size + 1)):
            if j != i and sequence[j]:
                couples.append([word, sequence[j]])
    labels: list[Any] = [positive] * len(couples)
    if negative_samples > 0:
        count = int(len(labels) * negative_samples)
        words = [word for word, _ in couples]
        random.shuffle(words)
        couples += [
            [words[i % len(words)], random.randint(1, int(vocabulary_size - 1))] for i in range(count)
        ]
        labels += [negative] * count
    if shuffle:
        if seed is None:
            seed = random.randint(0, int(10e6))
        for items in (couples, labels):
            random.seed(seed)
            random.shuffle(items)
    return couples, labels


class TimeseriesGenerator(Sequence):
    """Batches of windows of a time series, each with the target that follows it.

    A sample is data[row - `length` : row : `sampling_rate`], its target targets[row]; rows are `stride` apart
    from `start_index` + `length` to `end_index` (or drawn at random with `shuffle`). `reverse` turns samples
    around.

    Raises ValueError when data and targets differ in length or no sample fits.
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        if len(data) != len(targets):
            raise ValueError(
                f"Data and targets have to be of same length. Data length is {len(data)} while target length "
                f"is {len(targets)}"
            )
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is disallowed, as no "
                "part of the sequence would be left to be used as current step."
            )

    def __len__(self) -> int:
        """The number of batches."""
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The batch number `index`: samples and targets."""
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            step = self.batch_size * self.stride
            first = self.start_index + step * index
            rows = np.arange(first, min(first + step, self.end_index + 1), self.stride)
        samples = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        targets = np.array([self.targets[row] for row in rows])
        return (samples[:, ::-1, ...] if self.reverse else samples), targets

    def get_config(self) -> dict[str, Any]:
        """The settings; data and targets as JSON. Raises TypeError when they cannot be written so."""
        return {
            "data": _as_json("Data", self.data), "targets": _as_json("Targets", self.targets),
            "length": self.length, "sampling_rate": self.sampling_rate, "stride": self.stride,
            "start_index": self.start_index, "end_index": self.end_index, "shuffle": self.shuffle,
            "reverse": self.reverse, "batch_size": self.batch_size,
        }  # fmt: skip

    def to_json(self, **kwargs: Any) -> str:
        """The settings as JSON; keywords are those of `json.dumps`. See `timeseries_generator_from_json`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _as_json(what: str, data: Any) -> str:
    try:
        return json.dumps(data.tolist() if isinstance(data, np.ndarray) else data)
    except TypeError:
        raise TypeError(f"{what} not JSON Serializable:", data) from None


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """The generator that `to_json` described."""
    config = json.loads(json_string)["config"]
    config["data"] = json.loads(config["data"])
    config["targets"] = json.loads(config["targets"])
    config["start_index"] -= config["length"]  # get_config gives the first row that has a window before it
    return TimeseriesGenerator(**config)
