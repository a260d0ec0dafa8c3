"""The lecture's dense network on Fashion-MNIST: built, trained, tested, and asked about one picture.

The program is the lecture's own; only its first lines name minitf, and pictures are saved.

    python examples/keras_mlp.py [IMAGES]
"""

import sys

import matplotlib.pyplot as plt
import numpy as np

import minitf as tf
from minitf import keras

fasion_mnist = keras.datasets.fashion_mnist
(train_images, train_labels), (test_images, test_labels) = fasion_mnist.load_data()
if len(sys.argv) > 1:  # fewer images, for a quick look
    count = int(sys.argv[1])
    train_images, train_labels = train_images[:count], train_labels[:count]

print(train_images.shape)

model = keras.Sequential()
model.add(keras.layers.Flatten(input_shape=(28, 28)))
model.add(keras.layers.Dense(128, activation=tf.nn.relu))
model.add(keras.layers.Dense(10, activation=tf.nn.softmax))

model.summary()

train_imges_scaled = train_images / 255
model.compile(
    optimizer=tf.optimizers.Adam(), loss=tf.losses.sparse_categorical_crossentropy, metrics=["accuracy"]
)
model.fit(train_imges_scaled, train_labels, epochs=5)

test_images_scaled = test_images / 255
model.evaluate(test_images_scaled, test_labels)

print(np.argmax(model.predict([[test_images[0] / 255]])))
print(test_labels[0])
plt.imshow(test_images[0])
plt.savefig("keras_mlp.png", dpi=80)
print("saved keras_mlp.png")
