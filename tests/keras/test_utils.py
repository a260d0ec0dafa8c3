"""keras.utils: arrays, seeds, pictures, queues; and Keras's names in tf's own namespaces."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import minitf as tf
from minitf import keras


def test_to_categorical():
    one_hot = keras.utils.to_categorical([[0], [2], [1]])
    assert one_hot.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]] and one_hot.dtype == np.float32
    assert keras.utils.to_categorical([[0, 1]], 4, dtype="int8").shape == (1, 2, 4)
    assert keras.utils.to_categorical(1).tolist() == [0, 1]
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        keras.utils.to_categorical([5], num_classes=3)


def test_normalize():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert keras.utils.normalize(x).tolist() == [[0.6, 0.8], [0, 0]]
    np.testing.assert_allclose(keras.utils.normalize(x, axis=0, order=1), [[1, 1], [0, 0]])


def _weights_and_losses():
    model = keras.Sequential(
        [keras.layers.Dense(4, input_shape=(3,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    x = np.random.rand(16, 3)
    first = model.get_weights()
    return first, model.fit(x, x.sum(1), epochs=2, verbose=0).history["loss"]


@pytest.mark.parametrize("set_seed, seed", [(keras.utils.set_random_seed, 5), (tf.set_random_seed, 6)])
def test_seeds_make_programs_repeat_themselves(set_seed, seed):
    runs = []
    for _ in range(2):
        keras.backend.clear_session()
        set_seed(seed)
        np.random.seed(5)
        runs.append(_weights_and_losses())
    for a, b in zip(runs[0][0], runs[1][0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert runs[0][1] == runs[1][1]


def test_a_seed_is_an_int():
    with pytest.raises(ValueError, match="Expected `seed` argument to be an integer. Received: seed=1.5"):
        keras.utils.set_random_seed(1.5)


def _branches():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = keras.layers.Dense(2, activation="relu", name="shared")
    joined = keras.layers.Concatenate(name="join")([shared(a), shared(b)])
    return keras.Model([a, b], keras.layers.Dense(1, name="out")(joined)), a, b


def test_model_to_dot():
    model, _, _ = _branches()
    dot = keras.utils.model_to_dot(
        model, show_shapes=True, show_layer_activations=True, rankdir="LR"
    ).to_string()
    assert dot.startswith("digraph G {\nrankdir=LR;")
    assert r"{out|{Dense|linear}|{input:|output:}|{{(None, 4)}|{(None, 1)}}}" in dot
    assert dot.count(" -> ") == 4  # a and b to shared, which joins itself, and on to out: drawn once each
    with pytest.raises(ValueError, match="This model has not yet been built"):
        keras.utils.model_to_dot(keras.Sequential([keras.layers.Dense(2)]))
    with pytest.raises(NotImplementedError, match="model_to_dot: layer_range is not supported"):
        keras.utils.model_to_dot(model, layer_range=["a", "out"])


def test_nested_models_in_dot():
    inner = keras.Sequential([keras.layers.Dense(2, input_shape=(3,), name="deep")], name="inner")
    outer = keras.Sequential([inner, keras.layers.Dense(1)])
    assert "deep" not in keras.utils.model_to_dot(outer).to_string()
    dot = keras.utils.model_to_dot(outer, expand_nested=True).to_string()
    assert 'style=dashed; label="inner"' in dot and "deep|Dense" in dot


def test_plot_model_needs_graphviz_for_pictures_only(tmp_path, monkeypatch):
    model, _, _ = _branches()
    keras.utils.plot_model(model, tmp_path / "model.dot")
    assert (tmp_path / "model.dot").read_text() == keras.utils.model_to_dot(model).to_string()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImportError, match="You must install graphviz .* for plot_model to work"):
        keras.utils.plot_model(model, tmp_path / "model.png")
    assert not (tmp_path / "model.png").exists()


def test_plot_model_hands_the_text_to_graphviz(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text('#!/bin/sh\nexec 1>&1\necho "drawn $1"\ncat\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    model, _, _ = _branches()
    keras.utils.plot_model(model, tmp_path / "model.svg")
    assert (tmp_path / "model.svg").read_text().startswith("drawn -Tsvg\ndigraph G {")
    program.write_text("#!/bin/sh\necho no such format >&2\nexit 1\n")
    with pytest.raises(RuntimeError, match="`dot -Tpng` failed: no such format"):
        keras.utils.model_to_dot(model).create(format="png")


def test_source_inputs():
    model, a, b = _branches()
    sources = keras.utils.get_source_inputs(model.output)
    assert len(sources) == 2 and sources[0] is a and sources[1] is b
    deep = a
    for _ in range(300):  # branches that meet again are walked once
        deep = keras.layers.Add()([deep, deep])
    assert keras.utils.get_source_inputs(deep) == [a]


class _Numbers(keras.utils.Sequence):
    def __init__(self):
        self.offset = 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == self.offset + 99:
            raise ValueError("broken batch")
        return self.offset + index

    def on_epoch_end(self):
        self.offset += 10


def test_ordered_enqueuer():
    before = threading.active_count()
    enqueuer = keras.utils.OrderedEnqueuer(_Numbers())
    enqueuer.start(workers=3, max_queue_size=2)
    batches = enqueuer.get()
    assert [next(batches) for _ in range(9)] == [0, 1, 2, 3, 10, 11, 12, 13, 20]
    assert enqueuer.is_running()
    enqueuer.stop()
    assert not enqueuer.is_running() and threading.active_count() == before


def test_enqueuers_shuffle_and_pass_errors_on():
    enqueuer = keras.utils.OrderedEnqueuer(_Numbers(), shuffle=True)
    enqueuer.start()
    batches = enqueuer.get()
    assert sorted(next(batches) for _ in range(4)) == [0, 1, 2, 3]
    enqueuer.stop()

    def broken():
        yield 1
        raise ValueError("broken batch")

    enqueuer = keras.utils.GeneratorEnqueuer(broken())
    enqueuer.start()
    with pytest.raises(ValueError, match="broken batch"):
        list(enqueuer.get())
    assert not enqueuer.is_running()
    with pytest.raises(NotImplementedError, match="OrderedEnqueuer: use_multiprocessing=True"):
        keras.utils.OrderedEnqueuer(_Numbers(), use_multiprocessing=True)


def test_generator_enqueuer_ends_with_the_generator():
    enqueuer = keras.utils.GeneratorEnqueuer(i if i != 2 else None for i in range(5))
    enqueuer.start(workers=2)
    assert list(enqueuer.get()) == [0, 1, 3, 4]
    assert not enqueuer.is_running()


def test_keras_in_tensorflows_namespaces():
    assert tf.keras is keras
    assert tf.optimizers.Adam is keras.optimizers.Adam
    assert tf.losses.sparse_categorical_crossentropy is keras.losses.sparse_categorical_crossentropy
    assert tf.losses.MeanSquaredError is keras.losses.MeanSquaredError
    assert tf.metrics.SparseCategoricalAccuracy is keras.metrics.SparseCategoricalAccuracy
    assert tf.initializers.GlorotUniform is keras.initializers.GlorotUniform
    # TF1's own come first.
    assert tf.losses.mean_squared_error.__module__ == "minitf.losses.regression"
    assert tf.metrics.accuracy.__module__ == "minitf.metrics.means"
    for namespace in (tf, tf.losses, tf.metrics, tf.initializers):
        with pytest.raises(AttributeError, match="has no attribute 'nothing_like_it'"):
            namespace.nothing_like_it  # noqa: B018
    assert keras.__version__ == keras.version() == "2.4.0"


def test_keras_is_loaded_when_it_is_asked_for():
    code = (
        "import sys, minitf as tf\n"
        "assert not any(m.startswith('minitf.keras') for m in sys.modules)\n"
        "tf.keras.layers\n"
        "assert 'minitf.keras.layers' in sys.modules\n"
        "assert not [m for m in ('h5py', 'numba', 'tensorboardX', 'PIL') if m in sys.modules]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_there_is_one_processor():
    with pytest.raises(NotImplementedError, match="multi_gpu_model: minitf computes on the processor"):
        keras.utils.multi_gpu_model(None, 2)
