"""Callbacks: when they are called, what they write, how they change training."""

import csv
import http.server
import json
import sys
import threading
import types
import urllib.parse

import numpy as np
import pytest

from minitf import keras
from minitf.keras import callbacks

X = np.random.RandomState(0).rand(12, 3).astype("float32")
Y = X.sum(1, keepdims=True)


def _model(rate=0.01, metrics=None):
    dense = [keras.layers.Dense(4, input_shape=(3,), kernel_initializer="ones"), keras.layers.Dense(1)]
    model = keras.Sequential(dense)
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=metrics)
    return model


class _Scripted(callbacks.Callback):
    """Puts values of its own into the logs, for the callbacks after it."""

    def __init__(self, **values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs.update({name: row[epoch] for name, row in self.values.items()})


def _fit(model, *used, epochs=1, **options):
    options = {"batch_size": 6, "verbose": 0, "shuffle": False, **options}
    return model.fit(X, Y, epochs=epochs, callbacks=list(used), **options)


class _Hooks(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []


for _event in (
    "train_begin", "train_end", "epoch_begin", "epoch_end", "train_batch_begin", "train_batch_end",
    "test_begin", "test_end", "test_batch_begin", "test_batch_end", "predict_begin", "predict_end",
    "predict_batch_begin", "predict_batch_end",
):  # fmt: skip

    def _hook(self, *args, _event=_event):
        logs = args[-1] if args and isinstance(args[-1], dict) else {}
        self.seen.append((_event, *[a for a in args if isinstance(a, int)], *sorted(logs)))

    setattr(_Hooks, f"on_{_event}", _hook)


def test_every_hook_in_order():
    hooks, model = _Hooks(), _model(metrics=["mae"])
    _fit(model, hooks, validation_data=(X[:6], Y[:6]))
    train, val = ("loss", "mae"), ("loss", "mae")
    assert hooks.seen == [
        ("train_begin",),
        ("epoch_begin", 0),
        ("train_batch_begin", 0),
        ("train_batch_end", 0, *train),
        ("train_batch_begin", 1),
        ("train_batch_end", 1, *train),
        ("test_begin",),
        ("test_batch_begin", 0),
        ("test_batch_end", 0, *val),
        ("test_end", *val),
        ("epoch_end", 0, "loss", "mae", "val_loss", "val_mae"),
        ("train_end", "loss", "mae", "val_loss", "val_mae"),
    ]
    hooks.seen.clear()
    model.predict(X[:6], callbacks=[hooks])
    assert [e[0] for e in hooks.seen] == [
        "predict_begin",
        "predict_batch_begin",
        "predict_batch_end",
        "predict_end",
    ]
    assert hooks.seen[2] == ("predict_batch_end", 0, "outputs")


def test_old_hooks_and_what_callbacks_are_given():
    class Old(callbacks.Callback):
        batches = 0

        def on_batch_end(self, batch, logs=None):
            self.batches += 1

    old, model = Old(), _model()
    _fit(model, old, epochs=2)
    assert old.batches == 4 and old.model is model
    assert old.params["epochs"] == 2 and old.params["steps"] == 2 and old.params["verbose"] == 0


def test_stop_training_as_the_lecture_notes_do(capsys):
    class UntilGoodEnough(callbacks.Callback):
        def on_epoch_end(self, epoch, logs={}):  # noqa: B006 - as printed there
            if logs.get("loss") < 0.4:
                print("\nLoss is low so cancelling training!")
                self.model.stop_training = True

    history = _fit(_model(), _Scripted(loss=[0.5, 0.39, 0.1]), UntilGoodEnough(), epochs=3)
    assert history.epoch == [0, 1]
    assert capsys.readouterr().out == "\nLoss is low so cancelling training!\n"


@pytest.mark.parametrize(
    "options, values, last",
    [
        ({"patience": 0}, [3, 2, 2.5, 1], 2),
        ({"patience": 2}, [3, 2, 2.5, 2.4, 1], 3),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.8, 2.0, 1.9], 1),
        ({"patience": 1, "mode": "max"}, [1, 2, 1.5, 3], 2),
        ({"patience": 3, "baseline": 0.5}, [3, 2, 1, 2], 3),
        ({"patience": 1, "start_from_epoch": 2}, [1, 2, 3, 4, 5], 3),
    ],
)
def test_early_stopping(options, values, last):
    stop = callbacks.EarlyStopping("score", **{"mode": "min", **options})
    history = _fit(_model(), _Scripted(score=values), stop, epochs=len(values))
    assert history.epoch[-1] == last and stop.stopped_epoch == last


def test_early_stopping_restores_the_best_weights(capsys):
    kept = {}

    class Keep(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            kept[epoch] = self.model.get_weights()

    stop = callbacks.EarlyStopping("score", patience=2, restore_best_weights=True, verbose=1, mode="min")
    model = _model()
    _fit(model, _Scripted(score=[3, 1, 2, 2, 0]), Keep(), stop, epochs=5)
    for now, best in zip(model.get_weights(), kept[1], strict=True):
        np.testing.assert_array_equal(now, best)
    assert capsys.readouterr().out == (
        "Restoring model weights from the end of the best epoch: 2.\nEpoch 4: early stopping\n"
    )


def test_a_missing_metric_is_warned_of():
    with pytest.warns(UserWarning, match="conditioned on metric `val_loss` which is not available. "
                      "Available metrics are: loss"):  # fmt: skip
        _fit(_model(), callbacks.EarlyStopping())
    with pytest.warns(UserWarning, match="mode best is unknown, fallback to auto mode"):
        callbacks.EarlyStopping(mode="best")


def test_directions_follow_the_name():
    for name, op in (
        ("val_accuracy", np.greater),
        ("auc", np.greater),
        ("val_loss", np.less),
        ("mae", np.less),
    ):
        assert callbacks.EarlyStopping(name).monitor_op is op


def test_model_checkpoint(tmp_path, capsys):
    pytest.importorskip("h5py")
    path = str(tmp_path / "deep" / "w.{epoch:02d}-{score:.1f}.h5")
    best = callbacks.ModelCheckpoint(
        path, "score", verbose=1, save_best_only=True, save_weights_only=True, mode="max"
    )
    model = _model()
    _fit(model, _Scripted(score=[1.0, 3.0, 2.0]), best, epochs=3)
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["w.01-1.0.h5", "w.02-3.0.h5"]
    out = capsys.readouterr().out
    improved = "\nEpoch 2: score improved from 1.00000 to 3.00000, saving model to "
    assert f"{improved}{path.format(epoch=2, score=3)}\n" in out
    assert "\nEpoch 3: score did not improve from 3.00000\n" in out
    every = callbacks.ModelCheckpoint(
        str(tmp_path / "b{epoch}-{batch}.h5"), save_freq=3, save_weights_only=True
    )
    _fit(model, every, epochs=3)
    assert sorted(p.name for p in tmp_path.glob("b*")) == ["b2-1.h5", "b3-2.h5"]
    whole = callbacks.ModelCheckpoint(str(tmp_path / "whole.h5"), period=2)
    _fit(model, whole, epochs=2)
    again = keras.models.load_model(tmp_path / "whole.h5")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_model_checkpoint_refuses(tmp_path):
    with pytest.raises(ValueError, match="Unrecognized save_freq: often"):
        callbacks.ModelCheckpoint("x", save_freq="often")
    with pytest.raises(KeyError, match="Failed to format this callback filepath"):
        _fit(_model(), callbacks.ModelCheckpoint(str(tmp_path / "{acc}.h5")))


def test_learning_rate_scheduler(capsys):
    model = _model(0.5)
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)
    history = _fit(model, schedule, epochs=2)
    assert history.history["lr"] == [0.25, 0.125] and float(model.optimizer.lr.numpy()) == 0.125
    assert "\nEpoch 1: LearningRateScheduler setting learning rate to 0.25.\n" in capsys.readouterr().out
    _fit(model, callbacks.LearningRateScheduler(lambda epoch: 0.01))
    assert float(model.optimizer.lr.numpy()) == pytest.approx(0.01)
    with pytest.raises(ValueError, match='The output of the "schedule" function should be float. Got: fast'):
        _fit(model, callbacks.LearningRateScheduler(lambda epoch, rate: "fast"))


def test_reduce_on_plateau(capsys):
    model = _model(1e-3)
    reduce = callbacks.ReduceLROnPlateau(
        "score", factor=0.5, patience=2, verbose=1, cooldown=1, min_lr=3e-4, mode="min"
    )
    history = _fit(model, _Scripted(score=[3.0] * 9), reduce, epochs=9)
    np.testing.assert_allclose(history.history["lr"], [1e-3] * 3 + [5e-4] * 2 + [3e-4] * 4, rtol=1e-6)
    assert "\nEpoch 3: ReduceLROnPlateau reducing learning rate to 0.0005" in capsys.readouterr().out
    with pytest.raises(ValueError, match="ReduceLROnPlateau does not support a factor >= 1.0. Got 1.5"):
        callbacks.ReduceLROnPlateau(factor=1.5)


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    model = _model(metrics=["mae"])
    history = _fit(model, callbacks.CSVLogger(path), epochs=2)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert [float(row["mae"]) for row in rows] == history.history["mae"]
    _fit(model, callbacks.CSVLogger(path, separator=";", append=True))
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch,loss,mae" and len(lines) == 4 and lines[3].startswith("0;")


def test_terminate_on_nan(capsys):
    model = _model()
    x = X.copy()
    x[8] = np.nan
    history = model.fit(
        x, Y, batch_size=4, epochs=3, verbose=0, shuffle=False, callbacks=[callbacks.TerminateOnNaN()]
    )
    assert history.epoch == [0]
    assert capsys.readouterr().out == "Batch 2: Invalid loss, terminating training\n"


def test_lambda_callback():
    seen = []
    made = callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(("begin", epoch)),
        on_batch_end=lambda batch, logs: seen.append(("batch", batch)),
        on_train_end=lambda logs: seen.append("end"),
    )
    _fit(_model(), made)
    assert seen == [("begin", 0), ("batch", 0), ("batch", 1), "end"]


class _Interrupt(callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def test_interrupted_training_goes_on_as_if_nothing_had_happened(tmp_path):
    def model():
        dense = [keras.layers.Dense(4, input_shape=(3,), kernel_initializer="ones"),
                 keras.layers.Dense(1, kernel_initializer="ones")]  # fmt: skip
        made = keras.Sequential(dense)
        made.compile(keras.optimizers.Adam(0.1), "mse")
        return made

    def halve(epoch, rate):
        return rate / 2

    whole = model()
    history = _fit(whole, callbacks.LearningRateScheduler(halve), epochs=5)
    with pytest.raises(KeyboardInterrupt):
        rates, backup = callbacks.LearningRateScheduler(halve), callbacks.BackupAndRestore(tmp_path)
        _fit(model(), rates, backup, _Interrupt(3), epochs=5)
    assert [p.name for p in tmp_path.iterdir()] == ["training_state.npz"]
    again = model()
    rest = _fit(again, callbacks.BackupAndRestore(tmp_path), callbacks.LearningRateScheduler(halve), epochs=5)
    assert rest.epoch == [3, 4] and rest.history["loss"] == history.history["loss"][3:]
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert list(tmp_path.iterdir()) == []
    _fit(model(), callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False), epochs=2)
    assert list(tmp_path.iterdir())
    with pytest.raises(NotImplementedError, match="BackupAndRestore: save_freq must be 'epoch'"):
        callbacks.BackupAndRestore(tmp_path, save_freq=5)


@pytest.fixture
def server():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["Content-Type"], self.headers["X-Key"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    served = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}", received
    served.shutdown()
    thread.join()
    served.server_close()


def test_remote_monitor(server):
    root, received = server
    history = _fit(_model(), callbacks.RemoteMonitor(root, headers={"X-Key": "k"}))
    path, _, key, body = received[0]
    assert (path, key) == ("/publish/epoch/end/", "k")
    assert json.loads(urllib.parse.parse_qs(body)["data"][0]) == {
        "epoch": 0,
        "loss": history.history["loss"][0],
    }
    _fit(_model(), callbacks.RemoteMonitor(root, path="/json", send_as_json=True))
    assert received[1][:2] == ("/json", "application/json") and json.loads(received[1][3])["epoch"] == 0


def test_training_goes_on_without_the_server():
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at http://127.0.0.1:1"):
        history = _fit(_model(), callbacks.RemoteMonitor("http://127.0.0.1:1"))
    assert history.epoch == [0]


class _Writer:
    """What tensorboardX's SummaryWriter is asked to do."""

    made: dict = {}

    def __init__(self, folder):
        self.calls = []
        _Writer.made[folder.rpartition("/")[2]] = self

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.calls.append((name, *args))


@pytest.fixture
def writers(monkeypatch):
    module = types.ModuleType("tensorboardX")
    module.SummaryWriter = _Writer
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    monkeypatch.setattr(_Writer, "made", {})
    return _Writer.made


def test_tensorboard(writers, tmp_path):
    board = callbacks.TensorBoard(tmp_path, histogram_freq=2, write_images=True, update_freq=2)
    history = _fit(_model(metrics=["mae"]), board, epochs=2, validation_data=(X, Y))
    scalars = {part: [c[1:] for c in w.calls if c[0] == "add_scalar"] for part, w in writers.items()}
    logs = history.history
    assert scalars["validation"] == [
        ("epoch_loss", logs["val_loss"][0], 0), ("epoch_mae", logs["val_mae"][0], 0),
        ("epoch_loss", logs["val_loss"][1], 1), ("epoch_mae", logs["val_mae"][1], 1),
    ]  # fmt: skip
    assert [name for name, _, _ in scalars["train"]] == [
        "batch_loss",
        "batch_mae",
        "epoch_loss",
        "epoch_mae",
    ] * 2
    assert [step for name, _, step in scalars["train"] if name == "batch_loss"] == [0, 2]
    assert ("epoch_loss", logs["loss"][1], 1) in scalars["train"]
    histograms = [c for c in writers["train"].calls if c[0] == "add_histogram"]
    assert [(name.rpartition("/")[2], value.shape, step) for _, name, value, step in histograms] == [
        ("kernel_0", (3, 4), 0), ("bias_0", (4,), 0), ("kernel_0", (4, 1), 0), ("bias_0", (1,), 0),
    ]  # fmt: skip
    images = [c for c in writers["train"].calls if c[0] == "add_image"]
    assert [value.shape for _, _, value, _ in images] == [(3, 4), (1, 4), (1, 4), (1, 1)]
    assert writers["train"].calls[0][:2] == ("add_text", "keras")
    assert writers["train"].calls[-1] == ("close",)


def test_tensorboard_names_its_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"needs tensorboardX: pip install 'minitf\[tensorboard\]'"):
        _fit(_model(), callbacks.TensorBoard(tmp_path))
    with pytest.raises(NotImplementedError, match="TensorBoard: embeddings_freq is not supported"):
        callbacks.TensorBoard(embeddings_freq=1)
    with pytest.raises(ValueError, match="Unrecognized arguments in `TensorBoard` Callback: {'colour'}"):
        callbacks.TensorBoard(colour=1)
    with pytest.warns(UserWarning, match="`write_grads` of Keras 1 has no effect"):
        callbacks.TensorBoard(write_grads=True)


def test_the_progress_bar_of_fit(capsys):
    model = _model(metrics=["mae"])
    _fit(model, epochs=2, verbose=2, validation_data=(X, Y))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2"
    assert lines[1].startswith("2/2 - ") and " - val_loss: " in lines[1] and lines[1].endswith("ms/step")
    _fit(model, verbose=1)
    out = capsys.readouterr().out
    assert out.startswith("\r1/2 [==============>...............] - ETA: 0s - loss: ") and out.endswith("\n")
    assert "\b\r2/2 [==============================] - 0s " in out
    _fit(model, verbose=0)
    assert capsys.readouterr().out == ""
