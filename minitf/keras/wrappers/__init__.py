"""`keras.wrappers`: Keras models as other libraries know models. Names only."""

from minitf.keras.wrappers import scikit_learn
