"""The examples run from any folder and print what `examples/output` says they print."""

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import data
from examples.record import PROGRAMS

EXAMPLES = Path(data.__file__).parent
OFFLINE = {"https_proxy": "http://127.0.0.1:9"}  # nobody listens there: every download fails


def run(name, folder, *arguments, **environment):
    """Returns what the example prints when run in `folder`; warnings are errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", *arguments],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def recorded(name):
    return (EXAMPLES / "output" / f"{name}.txt").read_text(encoding="utf-8")


def numbers(text, pattern):
    return [float(value) for value in re.findall(pattern, text)]


def test_every_example_is_recorded():
    helpers = {"data", "record"}
    assert {path.stem for path in EXAMPLES.glob("*.py")} - helpers == set(PROGRAMS)
    assert {path.stem for path in (EXAMPLES / "output").glob("*.txt")} == set(PROGRAMS)


def readme(name="README.md"):
    return (EXAMPLES.parent / name).read_text(encoding="utf-8")


def test_both_readmes_give_the_same_commands_and_examples():
    commands = [
        line
        for line in re.findall(r"^```sh\n(.+)\n```$", readme(), re.MULTILINE)
        if line.startswith("python3 -m venv")
    ]
    assert len(commands) == 2
    for name in ("README.md", "README.zh.md"):
        assert all(f"```sh\n{line}\n```" in readme(name) for line in commands)
        assert set(re.findall(r"\(examples/(\w+)\.py\)", readme(name))) == set(PROGRAMS)


def test_the_readme_program_prints_what_it_says(tmp_path):
    program = re.search(r"```python\n(.+?)```", readme(), re.DOTALL)[1]
    script = [sys.executable, "-W", "error", "-c", program]
    printed = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert float(printed) == pytest.approx(1 + 0.8**20, abs=1e-6)


@pytest.mark.parametrize("name", ["session", "counter", "placeholder"])
def test_exact_output(name, tmp_path):
    assert run(name, tmp_path) == recorded(name)


def test_linear_regression_finds_the_line(tmp_path):
    last = run("linear_regression", tmp_path).splitlines()[-1]
    step, weight, bias = numbers(last, r"[\d.]+")
    assert step == 200
    assert weight == pytest.approx(0.1, abs=2e-3)
    assert bias == pytest.approx(0.3, abs=2e-3)


def test_activations(tmp_path):
    assert run("activations", tmp_path) == recorded("activations")
    assert (tmp_path / "activations.png").read_bytes().startswith(b"\x89PNG")


def test_add_layer_learns_and_draws(tmp_path):
    losses = numbers(run("add_layer", tmp_path), r"loss ([\d.]+)")
    assert len(losses) == 11
    assert losses[-1] < 0.008  # the noise alone is 0.0025
    assert (tmp_path / "add_layer.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "add_layer.gif").read_bytes().startswith(b"GIF89a")


def test_cnn_fashion_without_fashion_mnist(tmp_path):
    printed = run("cnn_fashion", tmp_path, "200", KERAS_HOME=str(tmp_path), **OFFLINE)
    assert "MNIST digits: 243,786 weights" in printed
    first, last = numbers(printed, r"test accuracy ([\d.]+)")
    assert first < 0.3 < 0.8 < last


def test_fashion_mnist_falls_back_to_digits(tmp_path):
    options = ["--model", "mlp", "--epochs", "4", "--batch-size", "50", "--picture", "seen.png"]
    printed = run("fashion_mnist", tmp_path, *options, KERAS_HOME=str(tmp_path), **OFFLINE)
    missing, title, *epochs, tested, saved = printed.splitlines()
    assert missing.startswith(f"Fashion-MNIST is not in {tmp_path}/datasets/fashion-mnist")
    assert missing.endswith("using digits.")
    assert title == "MNIST digits: 4,000 images to train on, mlp"
    losses = numbers("\n".join(epochs), r"loss ([\d.]+)")
    assert losses == sorted(losses, reverse=True) and len(losses) == 4
    assert numbers(tested, r"test accuracy ([\d.]+)")[0] > 0.85
    assert saved == "saved seen.png"
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes()))


def test_load_reads_the_keras_cache(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "datasets/fashion-mnist"
    folder.mkdir(parents=True)
    images = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    for name in data.SIZES:
        write_idx(folder / name, images if "images" in name else np.array([9, 0, 4], np.uint8))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    loaded = data.load()
    assert capsys.readouterr().out == ""
    assert loaded.title == "Fashion-MNIST"
    assert loaded.names[9] == "Ankle boot"
    for part in (loaded.train_images, loaded.test_images):
        assert part.dtype == np.float32
        np.testing.assert_allclose(part * 255, images, rtol=1e-6)
    assert loaded.test_labels.tolist() == [9, 0, 4]
    assert loaded.test_labels.dtype == np.int64


@pytest.mark.parametrize("keep", [0, 3, 20, 40])
def test_a_damaged_file_is_named(keep, tmp_path):
    path = tmp_path / "images.gz"
    write_idx(path, np.zeros((2, 28, 28), np.uint8))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"images\.gz is damaged .*: delete it and run again"):
        data.read_idx(path)


@pytest.mark.parametrize("content", [b"\0\0\x0d\x01" + bytes(8), b"\0\0\x08\x01\0\0\0\x09few"])
def test_a_wrong_idx_header_is_refused(content, tmp_path):
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=r"labels\.gz is damaged"):
        data.read_idx(path)


def test_download_is_all_or_nothing(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"12345")
    target = tmp_path / "cache" / "target.gz"
    with pytest.raises(OSError, match="expected 6 bytes, got 5"):
        data.download(source.as_uri(), target, 6)
    assert list(target.parent.iterdir()) == []
    data.download(source.as_uri(), target, 5)
    assert list(target.parent.iterdir()) == [target]
    assert target.read_bytes() == b"12345"
