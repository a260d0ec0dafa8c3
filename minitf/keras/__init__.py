"""`tf.keras`: models, layers and training on minitf's engine. Names only."""

from minitf.keras import activations, backend, callbacks, constraints, datasets, initializers, layers, losses
from minitf.keras import metrics
from minitf.keras import models, optimizers, preprocessing, regularizers, utils, wrappers
from minitf.keras.engine.input_layer import Input
from minitf.keras.models import Model, Sequential
from minitf.keras.version import __version__, version
