"""`keras.layers`: every layer by name. Names only."""

from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_layer import Input, InputLayer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.core import (
    Activation, ActivityRegularization, Dense, Dropout, Flatten, Lambda, Masking, Permute, RepeatVector,
    Reshape, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D,
)  # fmt: skip
from minitf.keras.layers.convolutional import Conv2D
from minitf.keras.layers.pooling import AveragePooling2D, MaxPooling2D
from minitf.keras.layers.serialization import deserialize, serialize
