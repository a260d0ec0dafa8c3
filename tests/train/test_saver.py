"""Checkpoints: whole or not there, and nothing changed when one does not fit."""

import os

import numpy as np
import pytest

import minitf as tf


@pytest.fixture
def session():
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable([1.0, 2.0], name="w")
        tf.Variable(np.arange(6).reshape(2, 3), name="n")
        session.run(tf.global_variables_initializer())
        yield session


def _values(session):
    return session.run({v.op.name: v for v in tf.global_variables()})


def test_values_come_back_without_initialising(session, tmp_path):
    saver = tf.train.Saver()
    path = saver.save(session, str(tmp_path / "model"), global_step=7)
    assert path == str(tmp_path / "model-7")
    with tf.Session() as other:
        saver.restore(other, path)
        restored = _values(other)
    np.testing.assert_array_equal(restored["w"], [1, 2])
    np.testing.assert_array_equal(restored["n"], np.arange(6).reshape(2, 3))
    assert restored["n"].dtype == np.int64


def test_the_directory_says_which_checkpoint_is_the_latest(session, tmp_path):
    saver = tf.train.Saver(max_to_keep=2)
    paths = [saver.save(session, str(tmp_path / "model"), global_step=i) for i in range(4)]
    assert tf.train.latest_checkpoint(str(tmp_path)) == paths[-1]
    state = tf.train.get_checkpoint_state(str(tmp_path))
    assert state.model_checkpoint_path == paths[-1]
    assert state.all_model_checkpoint_paths == saver.last_checkpoints == paths[2:]
    assert [tf.train.checkpoint_exists(path) for path in paths] == [False, False, True, True]
    assert tf.train.latest_checkpoint(str(tmp_path / "elsewhere")) is None


def test_a_dict_names_what_is_saved(session, tmp_path):
    w, _ = tf.global_variables()
    path = tf.train.Saver({"weights": w}).save(session, str(tmp_path / "model"))
    assert tf.train.list_variables(path) == [("weights", [2])]
    np.testing.assert_array_equal(tf.train.load_variable(path, "weights"), [1, 2])


def test_an_uninitialised_variable_leaves_no_file(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.Variable(1.0, name="unset")
        with pytest.raises(tf.errors.FailedPreconditionError, match="uninitialized value unset"):
            tf.train.Saver().save(session, str(tmp_path / "model"))
    assert os.listdir(tmp_path) == []


def test_a_failed_write_keeps_the_old_checkpoint(session, tmp_path, monkeypatch):
    saver = tf.train.Saver()
    path = saver.save(session, str(tmp_path / "model"))
    session.run(tf.global_variables()[0].assign([9.0, 9.0]))
    before = sorted(os.listdir(tmp_path))

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        saver.save(session, path)
    assert sorted(os.listdir(tmp_path)) == before
    saver.restore(session, path)
    np.testing.assert_array_equal(_values(session)["w"], [1, 2])


@pytest.mark.parametrize(
    ("variable", "error", "message"),
    [
        (lambda: tf.Variable([1.0, 2.0, 3.0], name="w"), tf.errors.InvalidArgumentError,
         r"Assign requires shapes of both tensors to match. lhs shape= \[3\] rhs shape= \[2\]"),
        (lambda: tf.Variable([1, 2], name="w"), tf.errors.InvalidArgumentError, "dtype float32"),
        (lambda: tf.Variable([1.0, 2.0], name="v"), tf.errors.NotFoundError, "Key v not found in checkpoint"),
    ],
    ids=["shape", "dtype", "name"],
)  # fmt: skip
def test_a_checkpoint_that_does_not_fit_changes_nothing(session, tmp_path, variable, error, message):
    path = tf.train.Saver().save(session, str(tmp_path / "model"))
    with tf.Graph().as_default(), tf.Session() as other:
        n = tf.Variable(np.zeros((2, 3), np.int64), name="n")
        variable()
        other.run(tf.global_variables_initializer())
        with pytest.raises(error, match=message):
            tf.train.Saver().restore(other, path)
        np.testing.assert_array_equal(other.run(n), np.zeros((2, 3)))


def test_damage_is_noticed(session, tmp_path):
    saver = tf.train.Saver()
    path = saver.save(session, str(tmp_path / "model"))
    data = tmp_path / "model.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[3] ^= 0xFF
    data.write_bytes(content)
    with pytest.raises(tf.errors.DataLossError, match="Checksum does not match"):
        saver.restore(session, path)
    (tmp_path / "model.index").write_text("{")
    with pytest.raises(tf.errors.DataLossError, match="no index"):
        saver.restore(session, path)


def test_what_cannot_be_saved_or_restored_is_said(session, tmp_path):
    saver = tf.train.Saver()
    with pytest.raises(ValueError, match="Parent directory of .* doesn't exist"):
        saver.save(session, str(tmp_path / "no" / "model"))
    with pytest.raises(ValueError, match="not a valid checkpoint"):
        saver.restore(session, str(tmp_path / "none"))
    with pytest.raises(ValueError, match="Can't load save_path when it is None"):
        saver.restore(session, None)
    with pytest.raises(TypeError, match="not a Variable"):
        tf.train.Saver([tf.constant(1.0)])
    with tf.Graph().as_default(), pytest.raises(ValueError, match="No variables to save"):
        tf.train.Saver()
