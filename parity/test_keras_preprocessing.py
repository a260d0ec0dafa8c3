"""Sequences, texts and arrays made ready, beside tf-keras."""

import random

import numpy as np
import pytest
import tf_keras

from minitf import keras

BOTH = (keras, tf_keras)
TEXTS = ["The cat sat on the mat!", "a dog, the CAT & a bird -- it's 5", "", "bird bird bird\tdog"]


def _lists(seed):
    draw = random.Random(seed)
    return [[draw.randrange(50) for _ in range(draw.randrange(9))] for _ in range(6)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("maxlen", [None, 1, 4, 12])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_pad_sequences(seed, maxlen, padding, truncating):
    ours, theirs = (
        k.preprocessing.sequence.pad_sequences(
            _lists(seed), maxlen, padding=padding, truncating=truncating, value=-1
        )
        for k in BOTH
    )
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    "options", [{}, {"categorical": True}, {"negative_samples": 0}, {"window_size": 1, "shuffle": False}]
)
def test_skipgrams(options):
    results = []
    for k in BOTH:
        random.seed(4)
        table = k.preprocessing.sequence.make_sampling_table(20, 0.05)
        results.append(k.preprocessing.sequence.skipgrams(range(20), 20, sampling_table=table, **options))
    assert results[0] == results[1] and results[0][0]


@pytest.mark.parametrize(
    "options",
    [
        {}, {"num_words": 4}, {"oov_token": "?"}, {"num_words": 4, "oov_token": "?"}, {"char_level": True},
        {"lower": False, "filters": "-&"}, {"split": "a"}, {"oov_token": "cat"},
    ],
)  # fmt: skip
def test_tokenizer(options):
    ours, theirs = (k.preprocessing.text.Tokenizer(**options) for k in BOTH)
    fresh = ["the bird sat", "unknown words, dog", ["cat", "a"]]
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(TEXTS)
    assert ours.get_config() == theirs.get_config()
    assert ours.texts_to_sequences(fresh) == theirs.texts_to_sequences(fresh)
    numbers = [[1, 2, 9, 99], [], [3]]
    assert ours.sequences_to_texts(numbers) == theirs.sequences_to_texts(numbers)
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_array_equal(ours.texts_to_matrix(fresh, mode), theirs.texts_to_matrix(fresh, mode))
    assert ours.to_json() == theirs.to_json()


def test_words_and_hashes():
    for text in TEXTS:
        ours, theirs = (k.preprocessing.text for k in BOTH)
        assert ours.text_to_word_sequence(text) == theirs.text_to_word_sequence(text)
        assert ours.one_hot(text, 12) == theirs.one_hot(text, 12)
        assert ours.hashing_trick(text, 12, "md5") == theirs.hashing_trick(text, 12, "md5")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"sampling_rate": 2},
        {"stride": 3, "start_index": 2, "end_index": 25},
        {"reverse": True, "batch_size": 5},
    ],
)
def test_timeseries_generator(options):
    data = np.arange(60).reshape(30, 2)
    ours, theirs = (
        k.preprocessing.sequence.TimeseriesGenerator(data, data[:, 0], 6, **options) for k in BOTH
    )
    assert len(ours) == len(theirs) and ours.to_json() == theirs.to_json()
    for i in range(len(ours)):
        for a, b in zip(ours[i], theirs[i], strict=True):
            np.testing.assert_array_equal(a, b)


def test_arrays():
    for y in ([[0], [3], [1]], [1, 2, 0], np.array([[1, 0], [2, 2]]), 2):
        for options in ({}, {"num_classes": 5}, {"dtype": "int16"}):
            ours, theirs = (k.utils.to_categorical(y, **options) for k in BOTH)
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
    x = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, -2.0]])
    for axis, order in ((-1, 2), (0, 1), (1, np.inf)):
        ours, theirs = (k.utils.normalize(x, axis, order) for k in BOTH)
        np.testing.assert_array_equal(ours, theirs)


def test_a_seed_gives_the_same_first_weights():
    weights = []
    for k in BOTH:
        k.utils.set_random_seed(3)
        model = k.Sequential(
            [k.layers.Dense(5, input_shape=(4,)), k.layers.Dense(2, kernel_initializer="random_normal")]
        )
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
