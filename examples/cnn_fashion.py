"""The lecture's network of two convolutions, layer by layer, trained on Fashion-MNIST.

Every weight is a variable of ours, every batch is fed through placeholders: nothing is hidden.
`fashion_mnist.py` uses the same `network` with more comfort.

    python examples/cnn_fashion.py [STEPS]
"""

import sys

import data
import numpy as np

import minitf as tf


def convolution(images, filters, name):
    """Returns relu(images * kernel + bias): (batch, h, w, c) -> (batch, h-2, w-2, filters)."""
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", [3, 3, images.shape[-1], filters])
        bias = tf.get_variable("bias", [filters], initializer=tf.zeros_initializer())
    outputs = tf.nn.conv2d(images, kernel, strides=[1, 1, 1, 1], padding="VALID")
    return tf.nn.relu(tf.nn.bias_add(outputs, bias))


def pooling(images):
    """Returns the largest of every 2x2 pixels: (batch, h, w, c) -> (batch, h/2, w/2, c)."""
    return tf.nn.max_pool(images, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")


def dense(inputs, units, name):
    """Returns inputs · kernel + bias: (batch, features) -> (batch, units)."""
    with tf.variable_scope(name):
        kernel = tf.get_variable("kernel", [inputs.shape[-1], units])
        bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
    return tf.matmul(inputs, kernel) + bias


def network(images):
    """Returns the scores of the ten classes: (batch, 28, 28) -> (batch, 10)."""
    hidden = tf.reshape(images, [-1, 28, 28, 1])
    hidden = pooling(convolution(hidden, 64, "conv1"))  # 26x26, then 13x13
    hidden = pooling(convolution(hidden, 64, "conv2"))  # 11x11, then 5x5
    hidden = tf.reshape(hidden, [-1, 5 * 5 * 64])
    hidden = tf.nn.relu(dense(hidden, 128, "dense1"))
    return dense(hidden, 10, "dense2")


def main(steps=1000):
    """Trains for `steps` batches of 32 and prints the accuracy on 2000 test images as it grows."""
    clothes = data.load()
    tf.set_random_seed(1)
    images = tf.placeholder(tf.float32, [None, 28, 28])
    labels = tf.placeholder(tf.int64, [None])

    logits = network(images)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.reduce_mean(losses)
    train_step = tf.train.AdamOptimizer().minimize(loss)
    correct = tf.equal(tf.argmax(logits, 1), labels)
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))

    count = sum(int(np.prod(v.shape.as_list())) for v in tf.trainable_variables())
    print(f"{clothes.title}: {count:,} weights")
    random = np.random.default_rng(1)
    test = {images: clothes.test_images[:2000], labels: clothes.test_labels[:2000]}
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for step in range(steps + 1):
            if step % 200 == 0:
                print(f"step {step:4d}  test accuracy {sess.run(accuracy, test):.4f}", flush=True)
            batch = random.integers(len(clothes.train_images), size=32)
            feed = {images: clothes.train_images[batch], labels: clothes.train_labels[batch]}
            sess.run(train_step, feed)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
