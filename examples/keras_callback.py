"""The lecture's callback: it ends the training of a dense network as soon as the loss is below 0.4.

python examples/keras_callback.py [IMAGES]
"""

import sys

import minitf as tf


class myCallback(tf.keras.callbacks.Callback):  # noqa: N801 - the lecture's name
    """Stops training when an epoch ends with a loss below 0.4."""

    def on_epoch_end(self, epoch, logs={}):  # noqa: B006 - the lecture's signature
        """Looks at the loss."""
        if logs.get("loss") < 0.4:
            print("\n Loss is low so cancelling training!")
            self.model.stop_training = True


callbacks = myCallback()
mnist = tf.keras.datasets.fashion_mnist
(training_images, training_labels), (test_images, test_labels) = mnist.load_data()
if len(sys.argv) > 1:  # fewer images, for a quick look
    count = int(sys.argv[1])
    training_images, training_labels = training_images[:count], training_labels[:count]
training_images_scaled = training_images / 255
test_images_scaled = test_images / 255

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(512, activation=tf.nn.relu),
        tf.keras.layers.Dense(10, activation=tf.nn.softmax),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(training_images_scaled, training_labels, epochs=5, callbacks=[callbacks])
