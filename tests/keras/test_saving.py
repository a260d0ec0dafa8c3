import json

import numpy as np
import pytest

from minitf import keras

h5py = pytest.importorskip("h5py")
X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 40)


@pytest.fixture(autouse=True)
def fresh_names():
    keras.backend.clear_session()


def net(optimizer="adam"):
    model = keras.Sequential(
        [
            keras.layers.Dense(6, activation="relu", input_shape=(4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


OPTIMIZERS = {
    "sgd": lambda o: o.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda o: o.Adam(0.01, clipnorm=1.0),
    "amsgrad": lambda o: o.Adam(0.01, amsgrad=True),
    "rmsprop": lambda o: o.RMSprop(0.01, momentum=0.5, centered=True),
    "adadelta": lambda o: o.Adadelta(1.0),
    "adagrad": lambda o: o.Adagrad(0.1, decay=0.01),
    "adamax": lambda o: o.Adamax(0.01),
    "nadam": lambda o: o.Nadam(0.01),
    "ftrl": lambda o: o.Ftrl(0.1),
    "schedule": lambda o: o.Adam(o.schedules.ExponentialDecay(0.01, 5, 0.9)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resumed_training_equals_uninterrupted_training(name, tmp_path):
    model = net(OPTIMIZERS[name](keras.optimizers))
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "model.h5")
    resumed = keras.models.load_model(tmp_path / "model.h5")
    assert resumed.optimizer.get_config() == model.optimizer.get_config()
    mine = resumed.fit(X, Y, epochs=2, shuffle=False, verbose=0).history
    assert mine == model.fit(X, Y, epochs=2, shuffle=False, verbose=0).history
    for a, b in zip(resumed.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert resumed.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)


def test_the_layout_of_files_of_whole_models(tmp_path):
    model = net()
    model.train_on_batch(X, Y)
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file:
        assert set(file.attrs) >= {"keras_version", "backend", "model_config", "training_config"}
        assert json.loads(file.attrs["model_config"])["class_name"] == "Sequential"
        training = json.loads(file.attrs["training_config"])
        assert training["loss"] == "sparse_categorical_crossentropy" and training["metrics"] == ["accuracy"]
        assert training["optimizer_config"]["class_name"] == "Adam"
        weights = file["model_weights"]
        assert [n.decode() for n in weights.attrs["layer_names"]] == [
            "dense",
            "batch_normalization",
            "dense_1",
        ]
        assert weights["dense"].attrs["weight_names"].tolist() == [b"dense/kernel:0", b"dense/bias:0"]
        assert weights["dense"]["dense"]["kernel:0"].shape == (4, 6)
        names = [n.decode() for n in file["optimizer_weights"].attrs["weight_names"]]
        assert names[:2] == ["Adam/iter:0", "Adam/dense/kernel/m:0"] and len(names) == 13


def test_weights_alone(tmp_path):
    model, other = net(), net()
    model.save_weights(tmp_path / "weights.h5")
    other.load_weights(tmp_path / "weights.h5")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_by_name(tmp_path):
    model = net()
    model.save_weights(tmp_path / "weights.h5")
    other = keras.Sequential([keras.layers.Dense(6, name="dense", input_shape=(4,)), keras.layers.Dense(2)])
    other.load_weights(tmp_path / "weights.h5", by_name=True)
    np.testing.assert_array_equal(other.layers[0].get_weights()[0], model.layers[0].get_weights()[0])


def test_weights_that_do_not_fit_change_nothing(tmp_path):
    net().save_weights(tmp_path / "weights.h5")
    fewer = keras.Sequential([keras.layers.Dense(6, input_shape=(4,))])
    with pytest.raises(ValueError, match="Layer count mismatch .* expected 1 layers, found 3 saved layers"):
        fewer.load_weights(tmp_path / "weights.h5")
    wider = keras.Sequential(
        [
            keras.layers.Dense(6, input_shape=(4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(5),
        ]
    )
    before = wider.get_weights()
    with pytest.raises(
        ValueError, match=r"Shape mismatch in layer .* expects shape \(6, 5\).* shape \(6, 3\)"
    ):
        wider.load_weights(tmp_path / "weights.h5")
    for a, b in zip(before, wider.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_missing_files_and_unknown_formats(tmp_path):
    with pytest.raises(OSError, match="No file or directory found at .*nothing.h5"):
        keras.models.load_model(tmp_path / "nothing.h5")
    with pytest.raises(NotImplementedError, match="models are saved as HDF5"):
        net().save(tmp_path / "model", save_format="tf")
    net().save_weights(tmp_path / "weights.h5")
    with pytest.raises(ValueError, match="No model config found in the file"):
        keras.models.load_model(tmp_path / "weights.h5")
    assert {path.name for path in tmp_path.iterdir()} == {"weights.h5"}


def test_custom_objects(tmp_path):
    class Double(keras.layers.Layer):
        def call(self, inputs):
            return inputs * 2.0

    def gap(y_true, y_pred):
        return keras.backend.mean(keras.backend.abs(y_true - y_pred), axis=-1)

    model = keras.Sequential([Double(input_shape=(4,)), keras.layers.Dense(1)])
    model.compile("sgd", gap, metrics=[gap])
    model.fit(X, np.zeros((40, 1)), verbose=0)
    model.save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="Unknown layer: 'Double'"):
        keras.models.load_model(tmp_path / "model.h5")
    again = keras.models.load_model(tmp_path / "model.h5", custom_objects={"Double": Double, "gap": gap})
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.evaluate(X, np.ones((40, 1)), verbose=0) == model.evaluate(X, np.ones((40, 1)), verbose=0)
    with keras.utils.custom_object_scope({"Double": Double, "gap": gap}):
        keras.models.load_model(tmp_path / "model.h5")


def test_functional_models_with_several_outputs(tmp_path):
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = keras.layers.Dense(3, activation="tanh", name="shared")
    joined = keras.layers.concatenate([shared(a), shared(b)])
    model = keras.Model([a, b], [keras.layers.Dense(3, activation="softmax", name="u")(joined),
                                 keras.layers.Dense(1, name="v")(joined)])  # fmt: skip
    model.compile(
        keras.optimizers.Adam(0.02),
        {"u": keras.losses.SparseCategoricalCrossentropy(), "v": "mse"},
        metrics={"u": ["accuracy"], "v": [keras.metrics.MeanAbsoluteError()]},
        loss_weights={"u": 1.0, "v": 0.3},
    )
    targets = {"u": Y, "v": X[:, :1]}
    model.fit({"a": X, "b": -X}, targets, shuffle=False, verbose=0)
    model.save(tmp_path / "model.h5")
    again = keras.models.load_model(tmp_path / "model.h5")
    mine = again.fit({"a": X, "b": -X}, targets, shuffle=False, verbose=0).history
    other = model.fit({"a": X, "b": -X}, targets, shuffle=False, verbose=0).history
    assert mine == other and list(mine) == [
        "loss", "u_loss", "v_loss", "u_accuracy", "v_mean_absolute_error",
    ]  # fmt: skip


def test_without_optimizer_and_without_compile(tmp_path):
    model = net()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.h5", include_optimizer=False)
    again = keras.models.load_model(tmp_path / "model.h5")
    with pytest.raises(RuntimeError, match="You must compile your model before training/testing"):
        again.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.h5")
    assert keras.models.load_model(tmp_path / "model.h5", compile=False).optimizer is None


def test_subclassed_models_keep_weights_only(tmp_path):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, inputs):
            return self.dense(inputs)

    first, second = Net(), Net()
    first.predict(X), second.predict(X)
    first.save_weights(tmp_path / "weights.h5")
    second.load_weights(tmp_path / "weights.h5")
    np.testing.assert_array_equal(first.predict(X), second.predict(X))
    with pytest.raises(NotImplementedError, match="Net is a subclassed model"):
        first.save(tmp_path / "model.h5")
