"""The lecture's network of two convolutions on Fashion-MNIST, in Keras.

python examples/keras_cnn.py [IMAGES]
"""

import sys

import minitf as tf
from minitf import keras

fasion_mnist = keras.datasets.fashion_mnist
(train_images, train_labels), (test_images, test_labels) = fasion_mnist.load_data()
if len(sys.argv) > 1:  # fewer images, for a quick look
    count = int(sys.argv[1])
    train_images, train_labels = train_images[:count], train_labels[:count]

model = keras.Sequential()
model.add(keras.layers.Conv2D(64, (3, 3), activation="relu", input_shape=(28, 28, 1)))
model.add(keras.layers.MaxPooling2D(2, 2))
model.add(keras.layers.Conv2D(64, (3, 3), activation="relu"))
model.add(keras.layers.MaxPooling2D(2, 2))

model.add(keras.layers.Flatten())
model.add(keras.layers.Dense(128, activation=tf.nn.relu))
model.add(keras.layers.Dense(10, activation=tf.nn.softmax))

train_imges_scaled = train_images / 255
model.compile(
    optimizer=tf.optimizers.Adam(), loss=tf.losses.sparse_categorical_crossentropy, metrics=["accuracy"]
)
model.fit(train_imges_scaled.reshape(-1, 28, 28, 1), train_labels, epochs=5)

model.summary()

test_images_scaled = test_images / 255
model.evaluate(test_images_scaled.reshape(-1, 28, 28, 1), test_labels)
