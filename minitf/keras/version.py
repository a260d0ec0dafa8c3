"""Which Keras this behaves like."""

# TensorFlow 2.4's, the last one with the names and the table of `summary()` that minitf keeps to.
__version__ = "2.4.0"


def version() -> str:
    """The version of Keras, `keras.__version__`."""
    return __version__
