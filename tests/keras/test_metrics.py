import numpy as np
import pytest

import minitf as tf
from minitf import keras
from minitf.eager.context import eager_mode

T, P = np.float32([0, 1, 1, 0]), np.float32([0.1, 0.9, 0.4, 0.6])


@pytest.fixture(autouse=True)
def eagerly():
    keras.backend.clear_session()
    with eager_mode():
        yield


def test_state_adds_up_until_it_is_reset():
    mean = keras.metrics.Mean()
    assert mean.result().numpy() == 0
    mean.update_state([1.0, 3.0])
    mean.update_state(5.0)
    assert mean.result().numpy() == 3.0
    assert mean(7.0).numpy() == 4.0
    mean.reset_states()
    assert mean.result().numpy() == 0
    mean.update_state([1.0, 3.0], sample_weight=[3.0, 1.0])
    assert mean.result().numpy() == 1.5


def test_decisions():
    expected = {
        "Precision": 0.5, "Recall": 0.5, "TruePositives": 1, "FalsePositives": 1, "TrueNegatives": 1,
        "FalseNegatives": 1, "BinaryAccuracy": 0.5, "AUC": 0.75,
    }  # fmt: skip
    for name, value in expected.items():
        assert getattr(keras.metrics, name)()(T, P).numpy() == pytest.approx(value, abs=1e-5), name
    at = keras.metrics.Precision(thresholds=[0.3, 0.5, 0.95])(T, P).numpy()
    np.testing.assert_allclose(at, [2 / 3, 0.5, 0.0], 1e-6)


def test_classes():
    p = np.float32([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])
    assert keras.metrics.SparseCategoricalAccuracy()([1, 2], p).numpy() == 0.5
    assert keras.metrics.SparseTopKCategoricalAccuracy(k=2)([1, 2], p).numpy() == 1.0
    iou = keras.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]).numpy()
    assert iou == pytest.approx(1 / 3)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"Threshold values must be in \[0, 1\]. Received: \[1.5\]"):
        keras.metrics.Precision(thresholds=[0.5, 1.5])
    with pytest.raises(ValueError, match="`num_thresholds` must be an integer > 1"):
        keras.metrics.AUC(num_thresholds=1)
    with pytest.raises(ValueError, match='Invalid AUC curve value: "ROCK"'):
        keras.metrics.AUC(curve="ROCK")
    with pytest.raises(ValueError, match="`num_labels` is needed only when `multi_label` is True"):
        keras.metrics.AUC(num_labels=2)
    with pytest.raises(ValueError, match="`y_pred` must have rank 2 when `multi_label=True`. Found rank 1"):
        keras.metrics.AUC(multi_label=True)(T, P)
    with pytest.raises(ValueError, match="must always have the same shape.*Got: \\(3,\\)"):
        metric = keras.metrics.MeanTensor()
        metric.update_state([1.0, 2.0])
        metric.update_state([1.0, 2.0, 3.0])


def test_a_metric_of_ones_own_in_a_model():
    class Largest(keras.metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.value = self.add_weight("value", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            return self.value.assign(tf.maximum(self.value.read_value(), tf.reduce_max(y_true)))

        def result(self):
            return self.value.read_value()

    with tf.Graph().as_default():
        model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
        model.compile("sgd", "mse", metrics=[Largest(), keras.metrics.Precision(name="p")])
        x = np.arange(8, dtype=np.float32)[:, None] / 8
        history = model.fit(x, x, batch_size=2, epochs=2, verbose=0, validation_data=(x[:4], x[:4])).history
    assert history["largest"] == [0.875, 0.875] and history["val_largest"] == [0.375, 0.375]
    assert list(history) == ["loss", "largest", "p", "val_loss", "val_largest", "val_p"]


def test_metrics_of_one_name_are_refused():
    with tf.Graph().as_default():
        model = keras.Sequential([keras.layers.Dense(1, input_shape=(1,))])
        model.compile("sgd", "mse", metrics=["mae", "mae"])
        with pytest.raises(ValueError, match="Found two metrics with the same name: mae"):
            model.train_on_batch(np.zeros((2, 1)), np.zeros((2, 1)))
