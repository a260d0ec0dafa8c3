"""What the layers of a network of convolutions make of one picture.

Trains the lecture's network for an epoch, builds a model of all its layers' outputs, asks it about a picture
and draws what comes out of each layer: filter 1 as the picture passes through, and filter 50 of the first.

    python examples/keras_feature_maps.py [IMAGES]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import minitf as tf
from minitf import keras

NAMES = [
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
]  # fmt: skip


def trained(count):
    """The network, trained for an epoch on `count` images, and the test images with their classes."""
    (train_images, train_labels), test = keras.datasets.fashion_mnist.load_data()
    model = keras.Sequential()
    model.add(keras.layers.Conv2D(64, (3, 3), activation="relu", input_shape=(28, 28, 1)))
    model.add(keras.layers.MaxPooling2D(2, 2))
    model.add(keras.layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(keras.layers.MaxPooling2D(2, 2))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(128, activation=tf.nn.relu))
    model.add(keras.layers.Dense(10, activation=tf.nn.softmax))
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    images = train_images[:count].reshape(-1, 28, 28, 1) / 255
    model.fit(images, train_labels[:count], epochs=1, verbose=2)
    return model, *test


def draw(image, label, layers, pred, path):
    """Saves the picture: the image, filter 1 of layers 0 to 3, filter 50 of layer 0, the vectors below."""
    figure = plt.figure(figsize=(12, 5.6), layout="constrained")
    figure.suptitle(f"{NAMES[label]}: one picture on its way through {len(layers)} layers", fontsize=15)
    upper, lower = figure.subfigures(2, 1, height_ratios=[2, 2.6])
    maps = [("input", "28 × 28", image)]
    maps += [
        (layers[i].name, f"filter 1, {pred[i].shape[1]} × {pred[i].shape[2]}", pred[i][0, :, :, 1])
        for i in range(4)
    ]
    maps.append((layers[0].name, "filter 50, 26 × 26", pred[0][0, :, :, 50]))
    for axes, (name, what, pixels) in zip(upper.subplots(1, 6), maps, strict=True):
        axes.imshow(pixels, cmap="gray" if name == "input" else "viridis")
        axes.set_title(f"{name}\n{what}", fontsize=10)
        axes.axis("off")
    flat, dense, classes = lower.subplots(1, 3)
    for axes, i, shape in ((flat, 4, (20, 80)), (dense, 5, (8, 16))):
        axes.imshow(pred[i][0].reshape(shape), cmap="viridis", aspect="auto")
        axes.set_title(f"{layers[i].name}: {pred[i].shape[1]:,} numbers", fontsize=10)
        axes.axis("off")
    said = pred[6][0]
    classes.barh(range(10), said, color=["#2a788e" if i == said.argmax() else "#b8c4cc" for i in range(10)])
    classes.set_yticks(range(10), NAMES, fontsize=8)
    classes.invert_yaxis()
    classes.set_xlim(0, 1)
    classes.set_title(f"{layers[6].name}: {NAMES[said.argmax()]}, {said.max():.0%}", fontsize=10)
    classes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def main(count=20000):
    """Trains, asks all layers, and draws."""
    model, test_images, test_labels = trained(count)
    layer_outputs = [layer.output for layer in model.layers]
    activation_model = tf.keras.models.Model(inputs=model.input, outputs=layer_outputs)
    pred = activation_model.predict(test_images[0].reshape(1, 28, 28, 1) / 255)
    print(len(pred), "outputs")
    for layer, output in zip(model.layers, pred, strict=True):
        print(f"{layer.name:16}{output.shape}")
    print("the network says", np.argmax(pred[6]), "and it is", test_labels[0])
    draw(test_images[0], test_labels[0], model.layers, pred, "keras_feature_maps.png")
    print("saved keras_feature_maps.png")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
