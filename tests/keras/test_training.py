import numpy as np
import pytest

import minitf as tf
from minitf import keras

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 40)


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


@pytest.fixture
def model():
    made = keras.Sequential(
        [
            keras.layers.Dense(5, activation="relu", input_shape=(4,)),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    made.compile(tf.optimizers.Adam(0.05), tf.losses.sparse_categorical_crossentropy, metrics=["accuracy"])
    return made


def test_history(model):
    history = model.fit(X, Y, epochs=3, verbose=0, validation_split=0.25)
    assert history is model.history and history.epoch == [0, 1, 2]
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert all(type(v) is float for values in history.history.values() for v in values)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert history.params["epochs"] == 3 and history.params["steps"] == 1


def test_the_loss_of_an_epoch_is_the_mean_over_samples_of_batches_of_any_size(model):
    model.layers[0].trainable = model.layers[1].trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    whole = model.evaluate(X, Y, verbose=0)
    history = model.fit(X, Y, batch_size=7, verbose=0).history
    assert history["loss"][0] == pytest.approx(whole, rel=1e-5)


def test_shuffling_follows_numpys_seed(model):
    weights = model.get_weights()
    results = []
    for seed in (1, 1, 2):
        model.set_weights(weights)
        model.compile("sgd", "sparse_categorical_crossentropy")
        np.random.seed(seed)
        results.append(model.fit(X, Y, batch_size=4, epochs=2, verbose=0).history["loss"])
    assert results[0] == results[1] != results[2]


def test_the_lectures_callback_ends_training_early(model, capsys):
    class myCallback(tf.keras.callbacks.Callback):  # noqa: N801 - the lecture's name
        def on_epoch_end(self, epoch, logs={}):  # noqa: B006 - the lecture's signature
            if logs.get("loss") < 0.4:
                print("\n Loss is low so cancelling training!")
                self.model.stop_training = True

    easy = (X[:, 0] > 0).astype(int)
    history = model.fit(X, easy, epochs=500, verbose=1, callbacks=[myCallback()])
    assert len(history.epoch) < 500
    losses = history.history["loss"]
    assert losses[-1] < 0.4 <= min(losses[:-1])
    printed = capsys.readouterr().out
    assert printed.count("Loss is low so cancelling training!") == 1
    head, _, tail = printed.partition("\n Loss is low so cancelling training!\n")
    assert f"Epoch {len(losses)}/500\n" in head
    assert "2/2 [==============================]" in tail.split("\r")[-1] and tail.endswith("\n")


def test_a_generator_that_ends_early_ends_training_with_a_warning(model):
    def batches():
        for i in range(3):
            yield X[10 * i : 10 * i + 10], Y[10 * i : 10 * i + 10]

    with pytest.warns(UserWarning, match="Your input ran out of data; interrupting training"):
        history = model.fit(batches(), steps_per_epoch=2, epochs=5, verbose=0)
    assert history.epoch == [0, 1]


def test_a_generator_that_raises_leaves_the_weights_of_the_last_step(model):
    def batches():
        raise KeyError("nothing there")
        yield

    before = model.get_weights()
    with pytest.raises(KeyError, match="nothing there"):
        model.fit(batches(), steps_per_epoch=2, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_labels_out_of_range_change_nothing(model):
    before = model.get_weights()
    wrong = Y.copy()
    wrong[7] = 3
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"label value of 3 .* outside the valid range"):
        model.fit(X, wrong, verbose=0, batch_size=40)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert model.optimizer.iterations.numpy() == 0


def test_a_loss_that_is_nan_is_reported_as_such(model):
    bad = X.copy()
    bad[0, 0] = np.nan
    assert np.isnan(model.fit(bad, Y, verbose=0).history["loss"][0])


def test_steps_of_the_same_kind_are_compiled_once(model):
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    steps = dict(model._steps)
    model.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    assert model._steps == steps and len(steps) == 1
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert model._steps == {}


def test_weights_are_shared_with_the_models_they_are_used_in(model):
    features = keras.Model(model.input, model.layers[0].output)
    before = features.predict(X)
    model.fit(X, Y, verbose=0)
    assert np.abs(features.predict(X) - before).max() > 0


def test_dropout_only_drops_in_training():
    model = keras.Sequential([keras.layers.Dropout(0.5, input_shape=(4,))])
    np.testing.assert_array_equal(model.predict(X), X)
    model.compile("sgd", "mse")
    assert model.evaluate(X, X, verbose=0) == 0.0
    assert model.train_on_batch(X, X) > 0


def test_old_names(model):
    def forever():
        while True:
            yield X[:10], Y[:10]

    assert len(model.fit_generator(forever(), samples_per_epoch=20, nb_epoch=2, verbose=0).epoch) == 2
    assert len(model.evaluate_generator(forever(), steps=2)) == 2
    assert model.predict_generator((x for x, _ in forever()), steps=3).shape == (30, 3)
    np.testing.assert_array_equal(model.predict_classes(X), model.predict(X).argmax(-1))
    np.testing.assert_array_equal(model.predict_proba(X), model.predict(X))


def test_what_compile_does_not_know(model):
    with pytest.raises(ValueError, match="Unknown optimizer: 'adamm'.* Did you mean 'adam'"):
        model.compile("adamm", "mse")
    with pytest.raises(
        ValueError, match="Unknown loss function: 'binary_crossentopy'.* Did you mean 'binary_c"
    ):
        model.compile("adam", "binary_crossentopy")
    with pytest.raises(TypeError, match=r"Invalid keyword argument\(s\) in `compile\(\)`: \['matrics'\]"):
        model.compile("adam", "mse", matrics=["accuracy"])
    with pytest.raises(NotImplementedError, match="run_eagerly=True is not supported"):
        model.compile("adam", "mse", run_eagerly=True)
    model.compile("adam", "mse", metrics=["acuracy"])
    with pytest.raises(ValueError, match="Unknown metric function: 'acuracy'.* Did you mean 'accuracy'"):
        model.fit(X, np.eye(3)[Y], verbose=0)
    with pytest.raises(ValueError, match="Found unexpected loss keys .*: {'nothing'}. Expected: {'dense_1'}"):
        model.compile("adam", {"nothing": "mse"})


def test_sample_weight_and_class_weight_multiply(model):
    weights = np.linspace(0, 2, 40).astype(np.float32)
    table = {0: 1.0, 1: 3.0, 2: 0.5}
    both = model.test_on_batch(X, Y, weights * np.array([table[y] for y in Y], np.float32))
    history = model.fit(X, Y, batch_size=40, sample_weight=weights, class_weight=table, verbose=0).history
    assert history["loss"][0] == pytest.approx(both[0], rel=1e-5)


def test_mismatched_counts_are_explained(model):
    with pytest.raises(ValueError, match="Data cardinality is ambiguous.*(?s:.)*x sizes: 40\n  y sizes: 20"):
        model.fit(X, Y[:20], verbose=0)


def test_predict_joins_batches_and_keeps_structures(model):
    whole = model.predict(X, batch_size=40)
    np.testing.assert_allclose(model.predict(X, batch_size=7), whole, 1e-6)
    assert model.predict(X, batch_size=7, steps=2).shape == (14, 3)
    assert np.argmax(model.predict([[X[0]]])) == whole[0].argmax()
    with pytest.raises(ValueError, match="Expect x to be a non-empty array or dataset."):
        model.predict(X[:0])
