"""Models as configs and files, in the layouts of Keras 2."""
