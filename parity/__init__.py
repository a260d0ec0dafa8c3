"""The oracle: real TensorFlow beside minitf. This folder imports tensorflow; nothing else may."""
