"""Draws the activation functions side by side, each with its slope, into `activations.png`.

The slope comes from `tf.gradients`: the same differentiation that trains a network.
"""

import matplotlib.pyplot as plt
import numpy as np

import minitf as tf

FUNCTIONS = {
    "sigmoid": tf.nn.sigmoid,
    "tanh": tf.nn.tanh,
    "softsign": tf.nn.softsign,
    "softplus": tf.nn.softplus,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "leaky_relu": tf.nn.leaky_relu,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
}

x = tf.placeholder(tf.float32, [None])
curves = {}
for name, function in FUNCTIONS.items():
    y = function(x)
    curves[name] = (y, tf.gradients(y, x)[0])

points = np.linspace(-8, 8, 801, dtype=np.float32)
probes = np.array([-2, -0.5, 0.5, 2], np.float32)
with tf.Session() as sess:
    drawn = sess.run(curves, feed_dict={x: points})
    table = sess.run(curves, feed_dict={x: probes})

print("function    " + "".join(f"  y({probe:4})" for probe in probes) + "   slope(-2)  slope(2)")
for name, (values, slopes) in table.items():
    numbers = "".join(f"{value:9.4f}" for value in values)
    print(f"{name:12s}{numbers}{slopes[0]:12.4f}{slopes[-1]:10.4f}")

figure, panels = plt.subplots(3, 3, figsize=(9, 7.5), sharex=True, layout="constrained")
for panel, (name, (values, slopes)) in zip(panels.flat, drawn.items()):
    panel.axhline(0, color="0.8", linewidth=1)
    panel.axvline(0, color="0.8", linewidth=1)
    panel.plot(points, values, linewidth=2.5, label="value")
    panel.plot(points, slopes, linestyle="--", label="slope")
    panel.set_title(name)
    panel.set_ylim(-2.2, 6.6) if values.max() > 2 else panel.set_ylim(-1.2, 1.2)
panels.flat[0].legend(loc="lower right")
figure.savefig("activations.png", dpi=80)
print("saved activations.png")
