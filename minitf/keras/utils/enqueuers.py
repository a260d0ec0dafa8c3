"""Batches made ready by threads while the program works on others."""

import queue
import random
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class SequenceEnqueuer:
    """Base: `start`, then iterate over `get()`, then `stop`.

    `use_multiprocessing=True` raises NotImplementedError: NumPy releases the interpreter, so threads serve.
    """

    def __init__(self, sequence: Any, use_multiprocessing: bool = False) -> None:
        if use_multiprocessing:
            raise NotImplementedError(f"{type(self).__name__}: use_multiprocessing=True is not supported")
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.workers = 0
        self.queue: queue.Queue | None = None
        self.run_thread: threading.Thread | None = None
        self.stop_signal: threading.Event | None = None

    def is_running(self) -> bool:
        """Whether `start` was called and `stop` was not."""
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def start(self, workers: int = 1, max_queue_size: int = 10) -> None:
        """Begins to make batches, in `workers` threads and at most about `max_queue_size` ahead."""
        self.workers = workers
        self.queue = queue.Queue(max_queue_size)
        self.stop_signal = threading.Event()
        self.run_thread = threading.Thread(target=self._run, daemon=True)
        self.run_thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Ends the threads and forgets batches that nobody took."""
        self.stop_signal.set()
        self.run_thread.join(timeout)
        self.queue = queue.Queue()

    def _put(self, item: Any) -> bool:
        """Waits for a place in the queue. False when told to stop."""
        while self.is_running():
            try:
                self.queue.put(item, timeout=0.05)
                return True
            except queue.Full:
                continue
        return False

    def _run(self) -> None:
        with ThreadPoolExecutor(self.workers or 1) as pool:
            for future in self._futures(pool):
                if not self._put(future):
                    future.cancel()
                    return
        self._put(None)

    def _futures(self, pool: ThreadPoolExecutor) -> Iterable[Future]:
        raise NotImplementedError

    def get(self) -> Iterator[Any]:
        """The batches in order; those that are None are left out. An error of a batch is raised here."""
        while self.is_running():
            try:
                future = self.queue.get(timeout=0.05)
            except queue.Empty:
                continue
            if future is None:
                return
            try:
                batch = future.result()
            except StopIteration:
                self.stop()
                return
            except Exception:
                self.stop()
                raise
            if batch is not None:
                yield batch


class OrderedEnqueuer(SequenceEnqueuer):
    """The batches of a `keras.utils.Sequence`, epoch after epoch without end, in order or with `shuffle`."""

    def __init__(self, sequence: Any, use_multiprocessing: bool = False, shuffle: bool = False) -> None:
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle

    def _futures(self, pool: ThreadPoolExecutor) -> Iterable[Future]:
        order = list(range(len(self.sequence)))
        while True:
            if self.shuffle:
                random.shuffle(order)
            epoch = []
            for index in order:
                epoch.append(pool.submit(self.sequence.__getitem__, index))
                yield epoch[-1]
            for future in epoch:  # the sequence may change only when nobody reads it
                future.exception()
            self.sequence.on_epoch_end()


class GeneratorEnqueuer(SequenceEnqueuer):
    """The items of a generator, until it ends. One thread draws at a time, so their order stays."""

    def __init__(self, generator: Any, use_multiprocessing: bool = False, random_seed: Any = None) -> None:
        if random_seed is not None:
            raise NotImplementedError("GeneratorEnqueuer: random_seed is not supported (it is for processes)")
        super().__init__(generator, use_multiprocessing)
        self._lock = threading.Lock()

    def _next(self) -> Any:
        with self._lock:
            return next(self.sequence)

    def _futures(self, pool: ThreadPoolExecutor) -> Iterable[Future]:
        while True:
            yield pool.submit(self._next)
