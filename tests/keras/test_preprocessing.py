"""Sequences and texts made ready for models."""

import json
import random

import numpy as np
import pytest

from minitf.keras.preprocessing import sequence, text


def test_pad_sequences():
    lists = [[1], [2, 3], [4, 5, 6]]
    np.testing.assert_array_equal(sequence.pad_sequences(lists), [[0, 0, 1], [0, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(
        sequence.pad_sequences(lists, value=-1), [[-1, -1, 1], [-1, 2, 3], [4, 5, 6]]
    )
    np.testing.assert_array_equal(
        sequence.pad_sequences(lists, padding="post"), [[1, 0, 0], [2, 3, 0], [4, 5, 6]]
    )
    np.testing.assert_array_equal(sequence.pad_sequences(lists, 2), [[0, 1], [2, 3], [5, 6]])
    np.testing.assert_array_equal(
        sequence.pad_sequences(lists, 2, truncating="post"), [[0, 1], [2, 3], [4, 5]]
    )
    assert sequence.pad_sequences(lists).dtype == np.int32
    assert sequence.pad_sequences(lists, dtype="float64").dtype == np.float64


def test_pad_sequences_of_vectors_and_words():
    vectors = [np.ones((2, 3)), np.zeros((0, 3)), np.full((1, 3), 2)]
    padded = sequence.pad_sequences(vectors, dtype="float32")
    assert padded.shape == (3, 2, 3) and padded[2].tolist() == [[0, 0, 0], [2, 2, 2]]
    words = sequence.pad_sequences([["a"], ["b", "c"]], dtype=object, value="?")
    assert words.tolist() == [["?", "a"], ["b", "c"]]
    assert sequence.pad_sequences([[], []]).shape == (2, 0)


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        (5, {}, "`sequences` must be iterable."),
        ([[1], 2], {}, "`sequences` must be a list of iterables. Found non-iterable: 2"),
        ([[1]], {"padding": "mid"}, 'Padding type "mid" not understood'),
        ([[1]], {"truncating": "mid"}, 'Truncating type "mid" not understood'),
        ([[1]], {"value": "x"}, "`dtype` int32 is not compatible with `value`'s type: <class 'str'>"),
        (
            [[[1, 2]], [[1]]],
            {},
            r"Shape of sample \(1,\) of sequence at position 1 is different from expected shape",
        ),
    ],
)
def test_pad_sequences_refuses(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        sequence.pad_sequences(arguments, **options)


def test_sampling_table_follows_zipf():
    table = sequence.make_sampling_table(1000, 1e-3)
    assert table.shape == (1000,) and np.all(np.diff(table[1:]) >= 0) and table[-1] == 1
    assert table[10] == pytest.approx(np.sqrt(1e-3 * (10 * (np.log(10) + 0.577) + 0.5 - 1 / 120)))


def test_skipgrams():
    couples, labels = sequence.skipgrams([1, 2, 0, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    assert couples == [[1, 2], [2, 1]] and labels == [1, 1]
    random.seed(0)
    couples, labels = sequence.skipgrams(np.arange(5), 5, window_size=2, categorical=True, seed=3)
    true = {(int(a), int(b)) for (a, b), label in zip(couples, labels, strict=True) if label == [0, 1]}
    assert true == {(a, b) for a in range(1, 5) for b in range(1, 5) if a != b and abs(a - b) <= 2}
    assert labels.count([1, 0]) == labels.count([0, 1]) == 10
    assert sequence.skipgrams([1, 2, 3], 4, sampling_table=[0.0] * 4, negative_samples=0) == ([], [])


def test_timeseries_generator():
    data = np.arange(50).reshape(50, 1)
    generator = sequence.TimeseriesGenerator(data, data, length=10, sampling_rate=2, batch_size=2)
    assert len(generator) == 20
    x, y = generator[0]
    assert x[:, :, 0].tolist() == [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]] and y.tolist() == [[10], [11]]
    turned = sequence.TimeseriesGenerator(data, data, 3, stride=5, start_index=2, end_index=20, reverse=True)
    x, y = turned[0]
    assert x[:, :, 0].tolist() == [[4, 3, 2], [9, 8, 7], [14, 13, 12], [19, 18, 17]]
    assert y.ravel().tolist() == [5, 10, 15, 20]
    shuffled = sequence.TimeseriesGenerator(data, data, 3, shuffle=True, batch_size=4)
    x, y = shuffled[0]
    np.testing.assert_array_equal(x[:, -1] + 1, y)
    copy = sequence.timeseries_generator_from_json(turned.to_json())
    np.testing.assert_array_equal(copy[0][0], turned[0][0])


def test_timeseries_generator_refuses():
    with pytest.raises(
        ValueError, match="have to be of same length. Data length is 5 while target length is 4"
    ):
        sequence.TimeseriesGenerator([1] * 5, [1] * 4, 2)
    with pytest.raises(ValueError, match="`start_index\\+length=6 > end_index=4` is disallowed"):
        sequence.TimeseriesGenerator([1] * 5, [1] * 5, 6)


def test_words_of_a_text():
    assert text.text_to_word_sequence("Hello, World! it's\tme") == ["hello", "world", "it's", "me"]
    assert text.text_to_word_sequence("A-b C", filters="", lower=False, split="-") == ["A", "b C"]


def test_hashes_of_words():
    numbers = text.hashing_trick("a b a c", 5, "md5")
    assert numbers[0] == numbers[2] and all(1 <= n < 5 for n in numbers)
    assert numbers[0] == int("0cc175b9c0f1b6a831c399e269772661", 16) % 4 + 1
    assert text.one_hot("x y", 10) == [hash("x") % 9 + 1, hash("y") % 9 + 1]
    assert text.hashing_trick("ab", 9, len, analyzer=list) == [2, 2]


TEXTS = ["The cat sat on the mat.", "The dog ate my homework; the cat ate the dog?"]


def test_tokenizer():
    tokenizer = text.Tokenizer(num_words=4)
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index == {
        "the": 1, "cat": 2, "dog": 3, "ate": 4, "sat": 5, "on": 6, "mat": 7, "my": 8, "homework": 9,
    }  # fmt: skip
    assert tokenizer.word_counts["the"] == 5 and tokenizer.document_count == 2
    assert tokenizer.index_docs[1] == 2 and tokenizer.word_docs["ate"] == 1
    sequences = tokenizer.texts_to_sequences(["The cat ate a fish", ["dog", "THE"]])
    assert sequences == [[1, 2], [3, 1]]
    assert tokenizer.sequences_to_texts(sequences) == ["the cat", "dog the"]


def test_tokenizer_with_a_token_for_unknown_words():
    tokenizer = text.Tokenizer(num_words=4, oov_token="<oov>")
    tokenizer.fit_on_texts(TEXTS)
    assert tokenizer.word_index["<oov>"] == 1 and tokenizer.word_index["the"] == 2
    assert tokenizer.texts_to_sequences(["the cat ate a fish"]) == [[2, 3, 1, 1, 1]]
    assert tokenizer.sequences_to_texts([[2, 8, 99]]) == ["the <oov> <oov>"]


def test_tokenizer_of_characters_and_of_an_analyzer():
    tokenizer = text.Tokenizer(char_level=True)
    tokenizer.fit_on_texts(["abA"])
    assert tokenizer.word_index == {"a": 1, "b": 2}
    tokenizer = text.Tokenizer(analyzer=lambda t: t.split("+"))
    tokenizer.fit_on_texts(["x+y", "y+z"])
    assert tokenizer.word_index == {"y": 1, "x": 2, "z": 3}


def test_matrices():
    tokenizer = text.Tokenizer()
    tokenizer.fit_on_texts(["a b a", "b c"])
    matrix = {m: tokenizer.texts_to_matrix(["a a c", ""], m) for m in ("binary", "count", "freq", "tfidf")}
    assert matrix["binary"].tolist() == [[0, 1, 0, 1], [0, 0, 0, 0]]
    assert matrix["count"].tolist() == [[0, 2, 0, 1], [0, 0, 0, 0]]
    np.testing.assert_allclose(matrix["freq"][0], [0, 2 / 3, 0, 1 / 3])
    np.testing.assert_allclose(matrix["tfidf"][0, 1], (1 + np.log(2)) * np.log(1 + 2 / 2))
    with pytest.raises(ValueError, match="Unknown vectorization mode:.*'other'"):
        tokenizer.texts_to_matrix(["a"], "other")
    with pytest.raises(ValueError, match="Specify a dimension"):
        text.Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match="Fit the Tokenizer on some data before using tfidf mode"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")
    counted = text.Tokenizer(num_words=3)
    counted.fit_on_sequences([[1, 2], [2]])
    assert counted.sequences_to_matrix([[1, 2, 9]], "count").tolist() == [[0, 1, 1]]


def test_a_tokenizer_survives_json():
    tokenizer = text.Tokenizer(num_words=5, oov_token="?")
    tokenizer.fit_on_texts(TEXTS)
    copy = text.tokenizer_from_json(tokenizer.to_json())
    assert copy.get_config() == tokenizer.get_config()
    assert copy.texts_to_sequences(TEXTS) == tokenizer.texts_to_sequences(TEXTS)
    assert json.loads(tokenizer.to_json(indent=1))["class_name"] == "Tokenizer"


def test_old_and_unknown_arguments():
    with pytest.warns(DeprecationWarning, match="`nb_words` argument in `Tokenizer` has been renamed"):
        assert text.Tokenizer(nb_words=3).num_words == 3
    with pytest.raises(TypeError, match="Unrecognized keyword arguments: {'words': 3}"):
        text.Tokenizer(words=3)
