"""Where batches come from: arrays, generators, Sequences, datasets. Each gives (x, y, sample_weight) in turn.

x, y and weights of a batch are nested structures of NumPy arrays (None where there is nothing).
"""

import itertools
import math as pymath
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minitf.framework import nest
from minitf.keras.engine import state


class Batch(NamedTuple):
    """What one step gets."""

    x: Any
    y: Any = None
    sample_weight: Any = None


def as_batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: Any = False,
    class_weight: dict | None = None,
    passes: int = 1,
) -> "Batches":
    """The right source for what `fit`, `evaluate` or `predict` was given.

    Where an epoch has a given number of `steps`, arrays are gone through up to `passes` times in all.
    """
    if _is_sequence(x):
        _refuse(y, sample_weight, "`keras.utils.Sequence`")
        return SequenceBatches(x, steps, bool(shuffle), class_weight)
    if _is_iterable_of_batches(x):
        _refuse(y, sample_weight, "a dataset, generator or iterator")
        return IteratorBatches(x, steps, class_weight)
    return ArrayBatches(x, y, sample_weight, batch_size, steps, shuffle, class_weight, passes)


def _is_sequence(x: Any) -> bool:
    return hasattr(x, "__getitem__") and hasattr(x, "__len__") and hasattr(x, "on_epoch_end")


def _is_iterable_of_batches(x: Any) -> bool:
    if isinstance(x, np.ndarray | list | tuple | dict) or hasattr(x, "dtype") or x is None:
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__") and not hasattr(x, "__array__")


def _refuse(y: Any, sample_weight: Any, what: str) -> None:
    if y is not None:
        raise ValueError(f"`y` argument is not supported when using {what} as input.")
    if sample_weight is not None:
        raise ValueError(f"`sample_weight` argument is not supported when using {what} as input.")


class Batches:
    """Base: `steps` is the number of batches of an epoch (None: not known yet)."""

    steps: int | None = None
    uniform = False  # whether all batches have the same structure, dtypes and shapes of samples

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch."""
        raise NotImplementedError

    def peek(self) -> Batch:
        """A batch like those to come, for shapes and dtypes."""
        raise NotImplementedError

    def end_epoch(self) -> None:
        """Called when an epoch is over."""

    def restart(self) -> None:
        """Called before each validation: those that can begin anew."""


def plain_array(value: Any) -> np.ndarray:
    """An array as layers take it: nested lists are joined, float64 becomes the default float type."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    elif type(value).__module__.startswith("pandas"):
        value = value.to_numpy()
    array = np.asarray(value)
    if array.dtype == np.float64:
        array = array.astype(state.floatx())
    return array


def arrays_of(data: Any) -> Any:
    """`data` with arrays as leaves. A list is several inputs if its items are arrays, else one array."""
    if data is None or isinstance(data, np.ndarray) or hasattr(data, "dtype"):
        return None if data is None else plain_array(data)
    if isinstance(data, dict):
        return {key: plain_array(value) for key, value in data.items()}
    if isinstance(data, list | tuple) and data and all(_is_array_like(item) for item in data):
        return [plain_array(item) for item in data]
    return plain_array(data)


def _is_array_like(item: Any) -> bool:
    """Arrays, or a list of arrays that is itself one input (`predict([[image]])`)."""
    if isinstance(item, np.ndarray) or hasattr(item, "numpy") or type(item).__module__.startswith("pandas"):
        return np.ndim(item) > 0
    return isinstance(item, list | tuple) and bool(item) and isinstance(item[0], np.ndarray)


class ArrayBatches(Batches):
    """Batches cut out of arrays, shuffled by NumPy's global generator."""

    uniform = True

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        steps: int | None,
        shuffle: Any,
        class_weight: dict | None = None,
        passes: int = 1,
    ) -> None:
        x, y = arrays_of(x), arrays_of(y)
        weight = arrays_of(sample_weight)
        if class_weight is not None:
            weight = _class_weights(y, weight, class_weight)
        self.data = Batch(x, y, weight)
        counts = {len(a) for a in nest.flatten(tuple(self.data)) if a is not None}
        if len(counts) > 1:
            sizes = [
                f"{label} sizes: {', '.join(str(len(a)) for a in nest.flatten(part))}"
                for label, part in zip("x y sample_weight".split(), self.data, strict=True)
                if part is not None
            ]
            raise ValueError(
                "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.\n  "
                + "\n  ".join(sizes)
            )
        self.samples = counts.pop() if counts else 0
        if batch_size is None:
            batch_size = pymath.ceil(self.samples / steps) if steps else 32
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.steps = pymath.ceil(self.samples / self.batch_size) if steps is None else steps
        self._is_given = steps is not None
        self._passes = passes
        self.restart()

    def peek(self) -> Batch:
        """The first batch."""
        return self._cut(np.arange(min(self.batch_size, self.samples)))

    def restart(self) -> None:
        """Begins with the first pass again."""
        self._stream = itertools.chain.from_iterable(self._pass() for _ in range(self._passes))

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch: a pass, or where steps are given so many that follow the last epoch's."""
        return itertools.islice(self._stream, self.steps) if self._is_given else self._pass()

    def _pass(self) -> Iterator[Batch]:
        order = self._order()
        for start in range(0, self.samples, self.batch_size):
            if order is None:
                yield self._slice(start, min(start + self.batch_size, self.samples))
            else:
                yield self._cut(order[start : start + self.batch_size])

    def _order(self) -> np.ndarray | None:
        if not self.shuffle:
            return None
        if self.shuffle == "batch":
            starts = np.random.permutation(np.arange(0, self.samples, self.batch_size))
            parts = [np.arange(s, min(s + self.batch_size, self.samples)) for s in starts]
            return np.concatenate(parts) if parts else np.zeros(0, int)
        return np.random.permutation(self.samples)

    def _cut(self, index: np.ndarray) -> Batch:
        return self._mapped(lambda a: a.take(index, 0))

    def _slice(self, start: int, stop: int) -> Batch:
        return self._mapped(lambda a: a[start:stop])

    def _mapped(self, cut: Callable) -> Batch:
        return Batch(*[
            cut(part) if type(part) is np.ndarray
            else None if part is None
            else nest.map_structure(lambda a: None if a is None else cut(a), part)
            for part in self.data
        ])  # fmt: skip


def _class_weights(y: Any, weight: Any, class_weight: dict) -> np.ndarray:
    if isinstance(y, list | dict):
        raise ValueError("`class_weight` is only supported for Models with a single output.")
    if y is None:
        raise ValueError("`class_weight` needs targets")
    expected = set(range(max(class_weight) + 1)) if class_weight else set()
    if set(class_weight) != expected:
        raise ValueError(
            f"Expected `class_weight` to be a dict with keys from 0 to one less than the number of classes, "
            f"found {class_weight}"
        )
    classes = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y)).astype(np.int64)
    table = np.array([class_weight[i] for i in range(len(class_weight))], state.floatx())
    chosen = table[classes]
    return chosen if weight is None else chosen * weight


def count_samples(batch: Batch) -> int:
    """The number of samples of a batch."""
    for part in batch:
        if type(part) is np.ndarray:
            return len(part)
        for array in [] if part is None else nest.flatten(part):
            if array is not None:
                return len(array)
    return 1


def unpack(item: Any, class_weight: dict | None = None) -> Batch:
    """A generator's item as a Batch. Raises ValueError unless it is x, (x,), (x, y) or (x, y, weight)."""
    if not isinstance(item, tuple):
        item = (item,)
    if not 1 <= len(item) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, "
            f"found: {item}"
        )
    x, y, weight = (*item, None, None)[:3]
    x, y, weight = arrays_of(x), arrays_of(y), arrays_of(weight)
    if class_weight is not None:
        weight = _class_weights(y, weight, class_weight)
    return Batch(x, y, weight)


class SequenceBatches(Batches):
    """The batches of a `keras.utils.Sequence`, whole batches shuffled."""

    def __init__(self, sequence: Any, steps: int | None, shuffle: bool, class_weight: dict | None) -> None:
        self._sequence = sequence
        self._shuffle = shuffle
        self._class_weight = class_weight
        self._given_steps = steps
        self.steps = len(sequence) if steps is None else steps

    def peek(self) -> Batch:
        """The first batch."""
        return unpack(self._sequence[0], self._class_weight)

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch."""
        count = len(self._sequence)
        given = 0
        while given < self.steps:
            order = np.random.permutation(count) if self._shuffle else range(count)
            for index in order:
                if given == self.steps:
                    return
                given += 1
                yield unpack(self._sequence[int(index)], self._class_weight)

    def end_epoch(self) -> None:
        """Lets the Sequence change its order."""
        self._sequence.on_epoch_end()
        if self._given_steps is None:
            self.steps = len(self._sequence)


class IteratorBatches(Batches):
    """The batches of a generator, an iterator, or an iterable such as a dataset."""

    def __init__(self, source: Any, steps: int | None, class_weight: dict | None) -> None:
        self._source = source
        self._is_iterator = hasattr(source, "__next__")
        self._iterator = iter(source)
        self._class_weight = class_weight
        self._first: list[Batch] = []
        self._bounded = steps is not None
        self.steps = steps

    def peek(self) -> Batch:
        """The first batch, which stays to be given."""
        if not self._first:
            try:
                self._first.append(self._next())
            except StopIteration:
                raise ValueError("Expect x to be a non-empty array or dataset.") from None
        return self._first[0]

    def _next(self) -> Batch:
        return unpack(next(self._iterator), self._class_weight)

    def epoch(self) -> Iterator[Batch]:
        """The batches of one epoch: `steps` of them, or all there are."""
        given = 0
        while self.steps is None or not self._bounded or given < self.steps:
            if self._first:
                batch = self._first.pop()
            else:
                try:
                    batch = self._next()
                except StopIteration:
                    break
            given += 1
            yield batch
        if not self._bounded:
            self.steps = given
            if not self._is_iterator:
                self._iterator = iter(self._source)

    @property
    def exhausted(self) -> bool:
        """Whether a generator cannot give another epoch."""
        return self._is_iterator and not self._bounded


def split_validation(x: Any, y: Any, sample_weight: Any, fraction: float) -> tuple[tuple, tuple]:
    """The samples for training and the last `fraction` of them, for validation, before any shuffling.

    Raises ValueError for data that cannot be split or a split that leaves nothing.
    """
    if not all(a is None or isinstance(a, np.ndarray) or np.ndim(a) for a in nest.flatten((x, y))):
        found = [type(a) for a in nest.flatten((x, y)) if a is not None]
        raise ValueError(
            "`validation_split` is only supported for Tensors or NumPy arrays, found following types in the "
            f"input: {found}"
        )
    if not 0 <= fraction < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1, received: {fraction}.")
    data = [arrays_of(part) for part in (x, y, sample_weight)]
    counts = [len(a) for a in nest.flatten(data) if a is not None]
    boundary = int(pymath.floor(counts[0] * (1.0 - fraction)))
    if boundary in (0, counts[0]):
        raise ValueError(
            f"Training data contains {counts[0]} samples, which is not sufficient to split it into a "
            f"validation and training set as specified by `validation_split={fraction}`. Either provide more "
            "data, or a different value for the `validation_split` argument."
        )

    def part(cut: Callable) -> tuple:
        return tuple(nest.map_structure(lambda a: None if a is None else cut(a), d) for d in data)

    return part(lambda a: a[:boundary]), part(lambda a: a[boundary:])
