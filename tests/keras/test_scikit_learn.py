"""Models as estimators: by themselves, and in scikit-learn's hands where that is installed."""

import numpy as np
import pytest

from minitf import keras
from minitf.keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor

RANDOM = np.random.RandomState(0)
X = RANDOM.normal(size=(60, 2)).astype("float32")
SIDE = np.where(X[:, 0] > 0, "right", "left")


def _classifier(units=4, loss="sparse_categorical_crossentropy", outputs=2, metrics=("accuracy",)):
    model = keras.Sequential([keras.layers.Dense(units, activation="relu", input_shape=(2,))])
    model.add(keras.layers.Dense(outputs, activation="sigmoid" if outputs == 1 else "softmax"))
    model.compile(keras.optimizers.Adam(0.05), loss, metrics=list(metrics))
    return model


def _regressor(units=4):
    model = keras.Sequential([keras.layers.Dense(units, input_shape=(2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    return model


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(1)


@pytest.mark.parametrize(
    "loss, outputs",
    [("sparse_categorical_crossentropy", 2), ("categorical_crossentropy", 2), ("binary_crossentropy", 1)],
)
def test_classifier(loss, outputs):
    classifier = KerasClassifier(_classifier, loss=loss, outputs=outputs, units=6, epochs=15, verbose=0)
    history = classifier.fit(X, SIDE, batch_size=10)
    assert len(history.epoch) == 15 and classifier.model.layers[0].units == 6
    assert classifier.classes_.tolist() == ["left", "right"] and classifier.n_classes_ == 2
    predicted = classifier.predict(X).ravel()
    assert set(predicted) == {"left", "right"} and np.mean(predicted == SIDE) > 0.9
    assert classifier.score(X, SIDE) == pytest.approx(np.mean(predicted == SIDE))
    probabilities = classifier.predict_proba(X)
    assert probabilities.shape == (60, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)


def test_regressor():
    regressor = KerasRegressor(build_fn=_regressor, epochs=30, verbose=0)
    regressor.fit(X, X.sum(1))
    predicted = regressor.predict(X)
    assert predicted.shape == (60,)
    assert regressor.score(X, X.sum(1)) == pytest.approx(-np.mean((predicted - X.sum(1)) ** 2), rel=1e-4)


def test_parameters():
    classifier = KerasClassifier(_classifier, units=3, batch_size=20)
    assert classifier.get_params() == {"units": 3, "batch_size": 20, "build_fn": _classifier}
    assert classifier.set_params(units=5) is classifier and classifier.get_params()["units"] == 5
    for call in (lambda: KerasClassifier(_classifier, layers=3), lambda: classifier.set_params(layers=3)):
        with pytest.raises(ValueError, match="layers is not a legal parameter"):
            call()


def test_builders_of_other_kinds():
    class Builder:
        def __call__(self, units=2):
            return _regressor(units)

    class Own(KerasRegressor):
        def __call__(self, units=2):
            return _regressor(units)

    for made in (KerasRegressor(Builder(), units=7, verbose=0), Own(units=7, verbose=0)):
        made.fit(X, X.sum(1))
        assert made.model.layers[0].units == 7


def test_what_is_refused():
    classifier = KerasClassifier(_classifier, metrics=(), verbose=0)
    with pytest.raises(ValueError, match=r"Invalid shape for y: \(2, 2, 2\)"):
        classifier.fit(X[:2], np.zeros((2, 2, 2)))
    classifier.fit(X, SIDE)
    with pytest.raises(ValueError, match="The model is not configured to compute accuracy"):
        classifier.score(X, SIDE)


def test_in_scikit_learns_hands():
    selection = pytest.importorskip("sklearn.model_selection")
    scores = selection.cross_val_score(KerasClassifier(_classifier, epochs=15, verbose=0), X, SIDE, cv=3)
    assert scores.shape == (3,) and scores.mean() > 0.7
    search = selection.GridSearchCV(KerasRegressor(_regressor, epochs=2, verbose=0), {"units": [1, 3]}, cv=2)
    search.fit(X, X.sum(1))
    assert search.best_params_["units"] in (1, 3)
