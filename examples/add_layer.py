"""Fits y = x² - 0.5 through noise with a network of two layers, and draws it as it learns.

On a screen the curve moves while the network trains; without one, the same pictures are saved as an
animation, `add_layer.gif`. Either way the last picture is saved as `add_layer.png`.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter

import minitf as tf


def add_layer(inputs, in_size, out_size, activation_function=None):
    """Returns activation_function(inputs · weights + biases), shape (batch, out_size)."""
    weights = tf.Variable(tf.random_normal([in_size, out_size], seed=1))
    biases = tf.Variable(tf.zeros([1, out_size]) + 0.1)
    outputs = tf.matmul(inputs, weights) + biases
    return outputs if activation_function is None else activation_function(outputs)


# The data: 300 points of a parabola, with noise.
random = np.random.default_rng(0)
x_data = np.linspace(-1, 1, 300, dtype=np.float32)[:, np.newaxis]
noise = random.normal(0, 0.05, x_data.shape).astype(np.float32)
y_data = np.square(x_data) - 0.5 + noise

# The network: one input, ten hidden units, one output.
xs = tf.placeholder(tf.float32, [None, 1])
ys = tf.placeholder(tf.float32, [None, 1])
hidden = add_layer(xs, 1, 10, activation_function=tf.nn.relu)
prediction = add_layer(hidden, 10, 1)
loss = tf.reduce_mean(tf.reduce_sum(tf.square(ys - prediction), axis=[1]))
train_step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

# The picture: the points stay, the curve moves.
figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
axes.scatter(x_data, y_data, s=8, color="tab:blue", alpha=0.5, label="x² - 0.5 + noise")
(curve,) = axes.plot(x_data, 0 * x_data, color="tab:red", linewidth=3, label="the network")
axes.legend(loc="upper center")

sess = tf.Session()
sess.run(tf.global_variables_initializer())


def learn(frame):
    """Trains for 20 steps (none before the first picture) and moves the curve."""
    for _ in range(20 if frame else 0):
        sess.run(train_step, feed_dict={xs: x_data, ys: y_data})
    fitted, error = sess.run([prediction, loss], feed_dict={xs: x_data, ys: y_data})
    curve.set_ydata(fitted)
    axes.set_title(f"step {20 * frame}, loss {error:.4f}")
    if frame % 5 == 0:
        print(f"step {20 * frame:4d}  loss {error:.5f}")


if plt.get_backend().lower() == "agg":  # no screen
    frames = FuncAnimation(figure, learn, frames=51, init_func=lambda: None)
    frames.save("add_layer.gif", PillowWriter(fps=10), dpi=60)
    print("saved add_layer.gif")
else:
    for frame in range(51):
        learn(frame)
        plt.pause(0.1)
figure.savefig("add_layer.png", dpi=100)
print("saved add_layer.png")
