"""Philox 4x32-10: the counter-based generator behind every random number, as TensorFlow keys it.

A block of four 32-bit words is a pure function of a 64-bit key and a 128-bit counter (Salmon et
al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011). A stream is thus a key and the counter of
its first block; any part of it can be computed first. What TensorFlow adds is the layout: which
bits of its seeds go where, and how many blocks a kernel reserves each time it runs.

May import: numpy.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

MASK32 = 0xFFFFFFFF
MASK64 = (1 << 64) - 1
MASK128 = (1 << 128) - 1

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_INCREMENTS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10

# TensorFlow scrambles the seed pair of a stateless op with one block under this fixed key.
STATELESS_KEY = 0x3EC8F720 | 0x02461E29 << 32

_EVEN_MULTIPLIERS = np.array(MULTIPLIERS, np.uint64)[:, None]
_CHUNK = 8192  # blocks; the working set of one chunk then stays in a 2 MiB cache

_FEW = 8  # blocks, which plain integers make faster than arrays


def block(key: int, counter: int) -> tuple[int, int, int, int]:
    """The four words of one block: the definition, of which all else is a faster form."""
    word0, word1, word2, word3 = (counter >> shift & MASK32 for shift in (0, 32, 64, 96))
    key0, key1 = key & MASK32, key >> 32
    for _ in range(ROUNDS):
        product0, product1 = word0 * MULTIPLIERS[0], word2 * MULTIPLIERS[1]
        word0, word1 = (product1 >> 32) ^ word1 ^ key0, product1 & MASK32
        word2, word3 = (product0 >> 32) ^ word3 ^ key1, product0 & MASK32
        key0, key1 = key0 + KEY_INCREMENTS[0] & MASK32, key1 + KEY_INCREMENTS[1] & MASK32
    return word0, word1, word2, word3


class Stream:
    """A position in one Philox sequence.

    Args:
      key: 64 bits.
      counter: 128 bits, the number of the stream's first block.
    """

    __slots__ = ("counter", "key")

    def __init__(self, key: int, counter: int = 0):
        self.key = key & MASK64
        self.counter = counter & MASK128

    def skip(self, blocks: int) -> Stream:
        """The stream that starts `blocks` blocks further on."""
        return Stream(self.key, self.counter + blocks)

    def blocks(self, count: int, stride: int = 1) -> np.ndarray:
        """The blocks 0, stride, 2 * stride, … of the stream: uint32, shape (count, 4)."""
        if count <= _FEW:
            return np.array(
                [block(self.key, self.counter + i * stride) for i in range(count)], np.uint32
            ).reshape(count, 4)
        low, high = self.counter & MASK64, self.counter >> 64
        out = np.empty((count, 4), np.uint32)
        round_keys = _round_keys(self.key)
        for start in range(0, count, _CHUNK):
            stop = min(start + _CHUNK, count)
            index = np.arange(start, stop, dtype=np.uint64)
            index *= np.uint64(stride)
            _fill(out[start:stop], round_keys, low, high, index)
        return out

    def blocks_at(self, index: np.ndarray) -> np.ndarray:
        """The blocks whose numbers `index` (uint64, shape (n,)) holds: uint32, shape (n, 4)."""
        out = np.empty((index.size, 4), np.uint32)
        low, high = self.counter & MASK64, self.counter >> 64
        _fill(out, _round_keys(self.key), low, high, index.astype(np.uint64))
        return out

    def words(self, first_batch: int = 16) -> Iterator[int]:
        """The stream's 32-bit words one by one, drawn in batches that double in size."""
        position, batch = 0, first_batch
        while True:
            yield from self.skip(position).blocks(batch).ravel().tolist()
            position += batch
            batch = min(2 * batch, _CHUNK)


class StatefulStream:
    """The generator of one stateful op: each run of the op reserves the next part of a stream.

    Args:
      seed, seed2: 64-bit integers, usually the graph's seed and the op's. The first is the key,
        the second the upper half of the counter. Both zero asks for entropy of the system.
    """

    __slots__ = ("_lock", "_next")

    def __init__(self, seed: int = 0, seed2: int = 0):
        if seed == 0 and seed2 == 0:
            seed, seed2 = secrets.randbits(64), secrets.randbits(64)
        self._next = Stream(seed, (seed2 & MASK64) << 64)
        self._lock = threading.Lock()

    def reserve(self, blocks: int) -> Stream:
        """The stream from here on; the next reservation starts `blocks` blocks later."""
        with self._lock:
            stream = self._next
            self._next = stream.skip(blocks)
        return stream


def stateless_stream(seed: tuple[int, int]) -> Stream:
    """The stream of a stateless op with this seed pair (two 64-bit integers, scrambled)."""
    counter = (int(seed[0]) & MASK64) | (int(seed[1]) & MASK64) << 64
    word0, word1, word2, word3 = block(STATELESS_KEY, counter)
    return Stream(word0 | word1 << 32, word2 << 64 | word3 << 96)


@lru_cache(maxsize=1024)
def _round_keys(key: int) -> np.ndarray:
    """The two key words of every round: uint64, shape (10, 2, 1)."""
    words = np.array([[key & MASK32], [key >> 32]], np.uint64)
    steps = np.arange(ROUNDS, dtype=np.uint64)[:, None, None]
    return words + steps * np.array(KEY_INCREMENTS, np.uint64)[:, None] & np.uint64(MASK32)


def _fill(out: np.ndarray, round_keys: np.ndarray, low: int, high: int, index: np.ndarray) -> None:
    """Write the blocks (high, low) + index to `out`, uint32 of shape (len(index), 4).

    The four words of all blocks are held as two uint64 arrays of shape (2, n): words 0 and 2, which
    are multiplied in a round, and words 1 and 3, which are mixed into the products' upper halves.
    """
    counter = index + np.uint64(low)
    even = np.empty((2, index.size), np.uint64)
    odd = np.empty_like(even)
    product = np.empty_like(even)
    np.bitwise_and(counter, MASK32, out=even[0])
    np.right_shift(counter, 32, out=odd[0])
    carried = counter < np.uint64(low)
    if carried.any():
        upper = np.where(carried, np.uint64((high + 1) & MASK64), np.uint64(high))
        np.bitwise_and(upper, MASK32, out=even[1])
        np.right_shift(upper, 32, out=odd[1])
    else:
        even[1] = high & MASK32
        odd[1] = high >> 32
    for round_key in round_keys:
        np.multiply(even, _EVEN_MULTIPLIERS, out=product)
        np.right_shift(product, 32, out=even)
        np.bitwise_xor(odd, even[::-1], out=odd)
        np.bitwise_xor(odd, round_key, out=odd)
        np.bitwise_and(product[::-1], MASK32, out=even)
        even, odd = odd, even
    out[:, 0::2] = even.T
    out[:, 1::2] = odd.T
