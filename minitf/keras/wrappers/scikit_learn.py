"""Models as estimators of scikit-learn: `KerasClassifier` and `KerasRegressor` (of Keras 2.0 to 2.5)."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from minitf.keras.models import Sequential
from minitf.keras.utils.generic_utils import has_arg
from minitf.keras.utils.np_utils import to_categorical

_METHODS = (Sequential.fit, Sequential.predict, Sequential.predict_classes, Sequential.evaluate)


class BaseWrapper:
    """Base: makes a model with `build_fn` and fits it.

    `build_fn` is a function that returns a compiled model, an object that is called for one, or None for a
    subclass with a `__call__` of its own. `sk_params` are arguments of it and of the model's `fit`, `predict`
    and `evaluate`; unknown ones raise ValueError.
    """

    _estimator_type = ""

    def __init__(self, build_fn: Callable | None = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self) -> Callable:
        """The function whose arguments the parameters may be."""
        if self.build_fn is None:
            return self.__call__
        if hasattr(self.build_fn, "__code__") or isinstance(self.build_fn, type):
            return self.build_fn
        return self.build_fn.__call__

    def check_params(self, params: dict[str, Any]) -> None:
        """Raises ValueError for parameters that neither `build_fn` nor the model's methods take."""
        for name in params:
            takers = (*_METHODS, self._builder())
            if name != "nb_epoch" and not any(has_arg(taker, name) for taker in takers):
                raise ValueError(f"{name} is not a legal parameter")

    def get_params(self, **params: Any) -> dict[str, Any]:
        """All parameters, `build_fn` included."""
        return {**copy.deepcopy(self.sk_params), "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> "BaseWrapper":
        """Sets parameters and returns the estimator."""
        self.check_params({name: value for name, value in params.items() if name != "build_fn"})
        self.build_fn = params.pop("build_fn", self.build_fn)
        self.sk_params.update(params)
        return self

    def filter_sk_params(self, fn: Callable, override: dict[str, Any] | None = None) -> dict[str, Any]:
        """Those of the parameters that `fn` takes, and `override`."""
        own = {name: value for name, value in self.sk_params.items() if has_arg(fn, name)}
        return {**own, **(override or {})}

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Makes a new model and fits it; returns its History. Keywords are those of `Model.fit`."""
        builder = self._builder()
        self.model = builder(**self.filter_sk_params(builder))
        if _wants_one_hot(self.model.loss) and np.ndim(y) != 2:
            y = to_categorical(y)
        return self.model.fit(x, y, **{**self.filter_sk_params(Sequential.fit), **kwargs})

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn wants to know of an estimator."""
        from sklearn.utils import ClassifierTags, RegressorTags, Tags, TargetTags

        is_classifier = self._estimator_type == "classifier"
        return Tags(
            estimator_type=self._estimator_type,
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if is_classifier else None,
            regressor_tags=None if is_classifier else RegressorTags(),
        )


def _wants_one_hot(loss: Any) -> bool:
    return getattr(loss, "__name__", loss) == "categorical_crossentropy"


class KerasClassifier(BaseWrapper):
    """A classifier of scikit-learn. Class labels may be anything that can be sorted."""

    _estimator_type = "classifier"

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Fits to labels (samples,) or one-hot rows. Raises ValueError for targets of another shape."""
        y = np.array(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim == 1 or y.ndim == 2 and y.shape[1] == 1:
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(f"Invalid shape for y: {y.shape}")
        self.n_classes_ = len(self.classes_)
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The class of each sample."""
        probabilities = self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs))
        if probabilities.shape[-1] > 1:
            return self.classes_[probabilities.argmax(axis=-1)]
        return self.classes_[(probabilities > 0.5).astype("int32")]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probability of each class (samples, classes); of two classes with one output, both."""
        probabilities = self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs))
        if probabilities.shape[1] == 1:
            probabilities = np.hstack([1 - probabilities, probabilities])
        return probabilities

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy. Raises ValueError for a model without an accuracy metric."""
        y = np.searchsorted(self.classes_, y)
        if _wants_one_hot(self.model.loss) and y.ndim != 2:
            y = to_categorical(y, self.n_classes_)
        options = self.filter_sk_params(Sequential.evaluate, kwargs)
        logs = self.model.evaluate(x, y, return_dict=True, **options)
        for name in ("accuracy", "acc"):
            if name in logs:
                return logs[name]
        raise ValueError(
            'The model is not configured to compute accuracy. You should pass `metrics=["accuracy"]` to the '
            "`model.compile()` method."
        )


class KerasRegressor(BaseWrapper):
    """A regressor of scikit-learn."""

    _estimator_type = "regressor"

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The predictions, without dimensions of size 1."""
        return np.squeeze(self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs)))

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """Minus the loss: larger is better."""
        logs = self.model.evaluate(
            x, y, return_dict=True, **self.filter_sk_params(Sequential.evaluate, kwargs)
        )
        return -logs["loss"]
