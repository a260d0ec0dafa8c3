"""The oracle: real TensorFlow beside minitf. This folder imports tensorflow; nothing else may."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# tf.layers needs Keras 2, which is the package tf-keras.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
