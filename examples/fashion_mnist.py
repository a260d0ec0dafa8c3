"""Trains a network to tell clothes apart, tests it, and draws what it saw and what it said.

    python examples/fashion_mnist.py                         # two convolutions, about a minute
    python examples/fashion_mnist.py --model mlp --epochs 5  # dense layers, a few seconds

Uses Fashion-MNIST where it can be had and handwritten digits where not (see `data.py`).
"""

import argparse
import time
from pathlib import Path

import data
import matplotlib
import numpy as np
from cnn_fashion import dense, network
from tqdm import tqdm

import minitf as tf


def mlp(images):
    """Returns the scores of the ten classes by two dense layers: (batch, 28, 28) -> (batch, 10)."""
    hidden = tf.nn.relu(dense(tf.reshape(images, [-1, 784]), 256, "dense1"))
    return dense(hidden, 10, "dense2")


MODELS = {"mlp": mlp, "cnn": network}


class Classifier:
    """A model with what trains and tests it, in one graph and one session."""

    def __init__(self, model: str, learning_rate: float):
        """Builds the graph of `model`, a key of MODELS, and initializes its variables."""
        tf.set_random_seed(1)
        self.images = tf.placeholder(tf.float32, [None, 28, 28], name="images")
        self.labels = tf.placeholder(tf.int64, [None], name="labels")
        logits = MODELS[model](self.images)
        self.probabilities = tf.nn.softmax(logits)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=self.labels, logits=logits)
        self.loss = tf.reduce_mean(losses)
        self.train_step = tf.train.AdamOptimizer(learning_rate).minimize(self.loss)
        self.session = tf.Session()
        self.session.run(tf.global_variables_initializer())

    def train(self, images: np.ndarray, labels: np.ndarray, batch_size: int, random) -> float:
        """Shows every image once, in random order; returns the mean loss."""
        losses = []
        order = random.permutation(len(images))
        starts = range(0, len(images) - batch_size + 1, batch_size)
        for start in tqdm(starts, leave=False, disable=None):  # no bar where there is no terminal
            batch = order[start : start + batch_size]
            feed = {self.images: images[batch], self.labels: labels[batch]}
            losses.append(self.session.run([self.train_step, self.loss], feed)[1])
        return float(np.mean(losses))

    def predict(self, images: np.ndarray, batch_size: int = 500) -> np.ndarray:
        """Returns the probability of each class, shape (count, 10)."""
        batches = [images[i : i + batch_size] for i in range(0, len(images), batch_size)]
        return np.concatenate(
            [self.session.run(self.probabilities, {self.images: batch}) for batch in batches]
        )


def draw(dataset: data.Images, probabilities: np.ndarray, path: Path) -> None:
    """Saves a picture of 24 test images: 16 named rightly, then the 8 surest mistakes."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    labels, said = dataset.test_labels, probabilities.argmax(axis=1)
    right = np.flatnonzero(said == labels)[:16]
    wrong = np.flatnonzero(said != labels)
    wrong = wrong[np.argsort(-probabilities[wrong].max(axis=1))][:8]

    figure, panels = plt.subplots(3, 8, figsize=(12, 5.6), layout="constrained")
    accuracy = (said == labels).mean()
    figure.suptitle(
        f"{dataset.title}: {accuracy:.1%} of {len(labels):,} test images named rightly; "
        "bottom row: the surest mistakes",
        fontsize=14,
    )
    for panel in panels.flat:
        panel.axis("off")
    for panel, index in zip(panels.flat, [*right, *wrong]):
        name = dataset.names[said[index]]
        title = f"{name} {probabilities[index].max():.0%}"
        if said[index] != labels[index]:
            title += f"\n(is: {dataset.names[labels[index]]})"
        panel.imshow(dataset.test_images[index], cmap="gray_r")
        panel.set_title(title, fontsize=11, color="green" if index in right else "firebrick")
    figure.savefig(path, dpi=80)


def arguments() -> argparse.Namespace:
    """Returns the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS, default="cnn", help="which network")
    parser.add_argument("--epochs", type=int, default=2, help="how often each image is shown")
    parser.add_argument("--batch-size", type=int, default=64, help="images in a step")
    parser.add_argument("--learning-rate", type=float, default=0.001, help="of the Adam optimizer")
    parser.add_argument("--limit", type=int, help="train on that many images only")
    parser.add_argument("--picture", type=Path, default=Path("fashion_mnist.png"), help="to save")
    return parser.parse_args()


def main() -> None:
    """Loads the images, trains, tests and draws."""
    options = arguments()
    dataset = data.load()
    images, labels = dataset.train_images[: options.limit], dataset.train_labels[: options.limit]
    print(f"{dataset.title}: {len(images):,} images to train on, {options.model}", flush=True)

    random = np.random.default_rng(1)
    classifier = Classifier(options.model, options.learning_rate)
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        loss = classifier.train(images, labels, options.batch_size, random)
        seconds = time.perf_counter() - start
        print(f"epoch {epoch}/{options.epochs}  loss {loss:.4f}  {seconds:.1f} s", flush=True)

    probabilities = classifier.predict(dataset.test_images)
    accuracy = np.mean(probabilities.argmax(axis=1) == dataset.test_labels)
    print(f"test accuracy {accuracy:.4f} on {len(probabilities):,} images it has never seen")
    draw(dataset, probabilities, options.picture)
    print(f"saved {options.picture}")


if __name__ == "__main__":
    main()
