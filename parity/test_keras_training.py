"""fit, evaluate, predict beside tf-keras: every way to give data, what is reported, and what is printed."""

import contextlib
import io
import re

import numpy as np
import pytest
import tf_keras

from minitf import keras
from parity.keras_pairs import compile_both, pair, same, same_history

rng = np.random.default_rng(15)
X = rng.normal(size=(50, 4)).astype(np.float32)
Y = rng.integers(0, 3, 50)
SOFT = np.eye(3, dtype=np.float32)[Y]
WEIGHTS = rng.uniform(size=50).astype(np.float32)


def _net(keras):
    return keras.Sequential(
        [
            keras.layers.Dense(6, activation="tanh", input_shape=(4,)),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


@pytest.fixture
def models():
    made = pair(_net)
    compile_both(made, "adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


FITS = {
    "plain": {},
    "batch size": {"batch_size": 7, "epochs": 3},
    "validation split": {"validation_split": 0.2, "epochs": 2},
    "validation data": {"validation_data": (X[:20], Y[:20]), "epochs": 2},
    "weighted validation": {"validation_data": (X[:20], Y[:20], WEIGHTS[:20]), "epochs": 2},
    "validation steps": {"validation_data": (X, Y), "validation_steps": 1, "validation_batch_size": 8},
    "validation frequency": {"validation_data": (X[:20], Y[:20]), "epochs": 4, "validation_freq": 2},
    "validation epochs": {"validation_data": (X[:20], Y[:20]), "epochs": 4, "validation_freq": [1, 4]},
    "class weight": {"class_weight": {0: 1.0, 1: 3.0, 2: 0.5}, "epochs": 2},
    "sample weight": {"sample_weight": WEIGHTS, "epochs": 2},
    "initial epoch": {"initial_epoch": 2, "epochs": 5},
    "steps per epoch": {"steps_per_epoch": 2, "epochs": 2, "batch_size": 8},
}


@pytest.mark.parametrize("name", FITS)
def test_fit_on_arrays(models, name):
    given = {"verbose": 0, "shuffle": False, **FITS[name]}
    ours, theirs = models
    same_history(ours.fit(X, Y, **given), theirs.fit(X, Y, **given))
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, 1e-4, 1e-5)


def _pairs(weights=False, single=False):
    while True:
        for i in range(0, 50, 10):
            x, y = X[i : i + 10], Y[i : i + 10]
            yield (x, y, WEIGHTS[i : i + 10]) if weights else (x, y)


def _sequence(keras):
    class Batches(keras.utils.Sequence):
        def __len__(self):
            return 5

        def __getitem__(self, i):
            return X[10 * i : 10 * i + 10], Y[10 * i : 10 * i + 10]

    return Batches()


@pytest.mark.parametrize("weights", [False, True])
def test_fit_on_generators(models, weights):
    ours, theirs = models
    given = {"epochs": 3, "steps_per_epoch": 4, "verbose": 0, "validation_steps": 2}
    mine = ours.fit(_pairs(weights), validation_data=_sequence(keras), **given)
    same_history(mine, theirs.fit(_pairs(weights), validation_data=_sequence(tf_keras), **given))
    same(ours.evaluate(_pairs(), steps=3, verbose=0), theirs.evaluate(_pairs(), steps=3, verbose=0))
    given = {"steps": 3, "verbose": 0}
    same(ours.predict((x for x, _ in _pairs()), **given), theirs.predict((x for x, _ in _pairs()), **given))
    mine = ours.fit_generator(_pairs(), steps_per_epoch=2, epochs=2, verbose=0)
    same_history(mine, theirs.fit(_pairs(), steps_per_epoch=2, epochs=2, verbose=0))


def test_fit_on_sequences(models):
    ours, theirs = models
    mine = ours.fit(_sequence(keras), epochs=2, verbose=0, shuffle=False, validation_data=_sequence(keras))
    theirs_ = _sequence(tf_keras)
    same_history(mine, theirs.fit(theirs_, epochs=2, verbose=0, shuffle=False, validation_data=theirs_))
    same(ours.evaluate(_sequence(keras), verbose=0), theirs.evaluate(theirs_, verbose=0))
    same(ours.predict(_sequence(keras)), theirs.predict(theirs_, verbose=0))


def test_lists_and_integers(models):
    """Nested lists, integer images and a list that wraps an array, as in `predict([[image]])`."""
    ours, theirs = models
    same(ours.predict([[X[0]]]), theirs.predict(np.array([X[0]]), verbose=0))
    same(ours.predict(X.tolist()), theirs.predict(X, verbose=0))
    whole = (X * 10).astype(np.int64)
    same(ours.predict(whole), theirs.predict(whole, verbose=0))
    same(ours.predict(X.astype(np.float64)), theirs.predict(X.astype(np.float64), verbose=0))
    same(ours.predict(X[:1]), theirs.predict(X[:1], verbose=0))


def test_what_single_batches_return(models):
    ours, theirs = models
    assert ours.metrics_names == theirs.metrics_names == []
    for call in ("train_on_batch", "test_on_batch"):
        mine, other = getattr(ours, call)(X, Y), getattr(theirs, call)(X, Y)
        assert [type(v) for v in mine] == [type(v) for v in other]
        same(mine, other)
        same(getattr(ours, call)(X, Y, return_dict=True), getattr(theirs, call)(X, Y, return_dict=True))
        same(
            getattr(ours, call)(X, Y, sample_weight=WEIGHTS),
            getattr(theirs, call)(X, Y, sample_weight=WEIGHTS),
        )
    given = {"class_weight": {0: 1.0, 1: 2.0, 2: 3.0}}
    same(ours.train_on_batch(X, Y, **given), theirs.train_on_batch(X, Y, **given))
    assert ours.metrics_names == theirs.metrics_names == ["loss", "accuracy"]
    mine, other = ours.predict_on_batch(X), theirs.predict_on_batch(X)
    assert type(mine) is type(other) is np.ndarray
    same(mine, other)
    compile_both(models, "sgd", loss="sparse_categorical_crossentropy")
    for call in ("train_on_batch", "test_on_batch", "evaluate"):
        given = {"verbose": 0} if call == "evaluate" else {}
        mine, other = getattr(ours, call)(X, Y, **given), getattr(theirs, call)(X, Y, **given)
        assert type(mine) is type(other) is float
        same(mine, other)


NAMED = [
    (["accuracy"], "sparse_categorical_crossentropy", Y),
    (["acc"], "sparse_categorical_crossentropy", Y),
    (["acc"], "categorical_crossentropy", SOFT),
    (["accuracy", "mse", "mae"], "categorical_crossentropy", SOFT),
    (["crossentropy", "ce"], "categorical_crossentropy", SOFT),
    (["categorical_accuracy", "MSE", "cosine_similarity"], "mse", SOFT),
    (["binary_accuracy", "AUC"], "binary_crossentropy", SOFT),
    ("accuracy", "sparse_categorical_crossentropy", Y),
]


@pytest.mark.parametrize(("metrics", "loss", "targets"), NAMED, ids=str)
def test_names_of_metrics(models, metrics, loss, targets):
    compile_both(models, "sgd", loss=loss, metrics=metrics)
    ours, theirs = models
    given = {"verbose": 0, "shuffle": False, "validation_data": (X[:20], targets[:20])}
    same_history(ours.fit(X, targets, **given), theirs.fit(X, targets, **given))
    assert ours.metrics_names == theirs.metrics_names


@pytest.mark.parametrize("weighted", [[], ["mae"]])
def test_weighted_metrics(models, weighted):
    compile_both(models, "sgd", loss="categorical_crossentropy", metrics=["mse"], weighted_metrics=weighted)
    ours, theirs = models
    given = {"verbose": 0, "shuffle": False, "sample_weight": WEIGHTS, "epochs": 2}
    same_history(ours.fit(X, SOFT, **given), theirs.fit(X, SOFT, **given))


def test_one_output_column():
    def build(keras):
        return keras.Sequential([keras.layers.Dense(1, activation="sigmoid", input_shape=(4,))])

    models = ours, theirs = pair(build)
    compile_both(models, "rmsprop", loss="binary_crossentropy", metrics=["acc"])
    bits = (Y > 0).astype(np.int64)
    given = {"verbose": 0, "shuffle": False, "epochs": 3, "validation_split": 0.3}
    mine, other = ours.fit(X, bits, **given), theirs.fit(X, bits, **given)
    same_history(mine, other)
    assert "val_acc" in mine.history
    same(ours.evaluate(X, bits[:, None], verbose=0), theirs.evaluate(X, bits[:, None], verbose=0))


def _printed(function):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        function()
    return out.getvalue()


def _without_times(text):
    """Finished lines, with the durations of steps taken out."""
    seen = re.sub(r"[^\n]*[\r\x08]", "", text)
    return re.sub(
        r" - (ETA: )?\d+(s|ms|us)( \d+(s|ms|us)/\w+)?", " - T", re.sub(r" - \d+(s|ms|us)/\w+", " - T", seen)
    )


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize("validation", [False, True])
def test_what_is_printed(models, verbose, validation):
    given = {"verbose": verbose, "shuffle": False, "epochs": 2}
    if validation:
        given["validation_data"] = (X[:20], Y[:20])
    texts = [_printed(lambda m=model: m.fit(X, Y, **given)) for model in models]
    assert _without_times(texts[0]) == _without_times(texts[1])
    if verbose == 2 and not validation:  # as tf-keras since 2.2: no bar, a line an epoch
        assert texts[0].startswith("Epoch 1/2\n2/2 - ")
    texts = [_printed(lambda m=model: m.evaluate(X, Y, verbose=verbose)) for model in models]
    assert _without_times(texts[0]) == _without_times(texts[1])


@pytest.mark.parametrize("given", [{}, {"validation_data": (X[:20], Y[:20])}, {"batch_size": 1}], ids=str)
def test_the_progress_bar_byte_for_byte(models, given, monkeypatch):
    """Under a clock that batches move on, a bit more each."""
    now = [1e9]
    monkeypatch.setattr("time.time", lambda: now[0])
    texts = []
    for model, module in zip(models, (keras, tf_keras), strict=True):

        class Tick(module.callbacks.Callback):
            def on_train_batch_begin(self, batch, logs=None):
                now[0] += 0.02 + 0.003 * batch

        now[0] = 1e9
        fit = {"shuffle": False, "epochs": 2, "batch_size": 8, "callbacks": [Tick()], "verbose": 1, **given}
        texts.append(_printed(lambda m=model, f=fit: m.fit(X, Y, **f)))
    assert texts[0] == texts[1]


class Recorder:
    """Notes every event of a callback with its arguments."""

    def __new__(cls, keras):
        events = []

        class Recording(keras.callbacks.Callback):
            pass

        def note(name):
            def method(self, *args):
                *numbers, logs = args if len(args) else (None,)
                events.append((name, numbers, sorted(logs) if logs else []))

            return method

        for phase in ("train", "test", "predict"):
            for when in ("begin", "end"):
                setattr(Recording, f"on_{phase}_{when}", note(f"on_{phase}_{when}"))
                setattr(Recording, f"on_{phase}_batch_{when}", note(f"on_{phase}_batch_{when}"))
        for when in ("begin", "end"):
            setattr(Recording, f"on_epoch_{when}", note(f"on_epoch_{when}"))
        recording = Recording()
        recording.events = events
        return recording


def test_the_events_of_callbacks(models):
    seen = []
    for model, module in zip(models, (keras, tf_keras), strict=True):
        recorder = Recorder(module)
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[recorder], validation_data=(X, Y))
        model.evaluate(X, Y, verbose=0, callbacks=[recorder])
        model.predict(X, verbose=0, callbacks=[recorder])
        seen.append(recorder.events)
    assert seen[0] == seen[1]


@pytest.mark.parametrize("event", ["on_epoch_end", "on_train_batch_end"])
def test_stopping_from_a_callback(models, event):
    histories = []
    for model, module in zip(models, (keras, tf_keras), strict=True):

        def stop(self, number, logs=None):
            if number == 1:
                self.model.stop_training = True

        stopper = type("Stopper", (module.callbacks.Callback,), {event: stop})()
        histories.append(
            model.fit(X, Y, epochs=4, batch_size=10, verbose=0, shuffle=False, callbacks=[stopper])
        )
    same_history(*histories)


WRONG = {
    "fit before compile":
        lambda m, k: k.Sequential([k.layers.Dense(1, input_shape=(4,))]).fit(X, Y, verbose=0),
    "sample counts": lambda m, k: m.fit(X, Y[:20], verbose=0),
    "weights of another shape": lambda m, k: m.layers[0].set_weights([np.zeros((3, 6)), np.zeros(6)]),
    "too few weights": lambda m, k: m.set_weights([np.zeros((4, 6))]),
    "input of another size": lambda m, k: m.predict(np.zeros((2, 5), np.float32), verbose=0),
    "a layer's rank": lambda m, k: k.layers.Conv2D(2, 3)(k.Input((4, 4))),
    "a layer's channels": lambda m, k: k.layers.Dense(2, input_shape=(3,)).build((None, None)),
    "unknown layer name": lambda m, k: m.get_layer("nothing"),
    "layer index": lambda m, k: m.get_layer(index=9),
    "one more input": lambda m, k: m.fit([X, X], Y, verbose=0),
    "y beside a generator": lambda m, k: m.fit(_pairs(), Y, steps_per_epoch=1, verbose=0),
    "weight beside a generator":
        lambda m, k: m.fit(_pairs(), sample_weight=WEIGHTS, steps_per_epoch=1, verbose=0),
    "validation split of a generator":
        lambda m, k: m.fit(_pairs(), validation_split=0.2, steps_per_epoch=1, verbose=0),
    "nothing to validate": lambda m, k: m.fit(X[:1], Y[:1], validation_split=0.5, verbose=0),
    "class weights with gaps": lambda m, k: m.fit(X, Y, class_weight={0: 1.0, 2: 1.0}, verbose=0),
    "no input shape": lambda m, k: k.Sequential([k.layers.Dense(1)]).summary(),
    "two layers of a name":
        lambda m, k: k.Sequential([k.layers.Dense(1, name="a"), k.layers.Dense(1, name="a")]),
    "no layer": lambda m, k: k.Sequential().add("dense"),
    "nothing to pop": lambda m, k: k.Sequential().pop(),
    "disconnected": lambda m, k: k.Model(k.Input((2,)), k.layers.Dense(1)(k.Input((2,)))),
    "unknown loss": lambda m, k: (m.compile("sgd", "msee"), m.fit(X, Y, verbose=0)),
    "unknown optimizer": lambda m, k: m.compile("adamm", "mse"),
    "unknown activation": lambda m, k: k.layers.Dense(1, activation="relu7"),
    "unknown keyword": lambda m, k: k.layers.Dense(1, size=3),
    "unconnected output": lambda m, k: k.layers.Dense(1).output,
    "unbuilt count": lambda m, k: k.layers.Dense(1).count_params(),
    "no gradient":
        lambda m, k: (m.compile("sgd", "mse"), setattr(m, "trainable", False), m.fit(X, SOFT, verbose=0)),
    "targets of another shape": lambda m, k: (
        m.compile("sgd", "categorical_crossentropy"), m.fit(X, np.zeros((50, 4), np.float32), verbose=0)
    ),
}  # fmt: skip


def _error(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    return None


def _words(text):
    return set(re.findall(r"[A-Za-z]{4,}", text))


@pytest.mark.parametrize("name", WRONG)
def test_errors(models, name):
    """The same class, and most of tf-keras's words where it explains itself."""
    before = models[0].get_weights()
    mine, other = (_error(WRONG[name], m, k) for m, k in zip(models, (keras, tf_keras), strict=True))
    assert type(mine).__name__ == type(other).__name__, (mine, other)
    if other is not None and "in user code" not in str(other):
        words = _words(str(other))
        assert len(words & _words(str(mine))) >= 0.5 * len(words), f"{mine}\n---\n{other}"
    for old, new in zip(before, models[0].get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
