"""The one place that holds the version; pyproject.toml reads it too."""

__version__ = "0.1.0"

# The release whose names and behaviour `import minitf as tf` follows; what scripts compare `tf.VERSION` with.
TENSORFLOW_VERSION = "1.15.5"
