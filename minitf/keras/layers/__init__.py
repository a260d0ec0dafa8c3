"""`keras.layers`: every layer by name. Names only."""

from minitf.keras.engine.base_layer import Layer
from minitf.keras.engine.input_layer import Input, InputLayer
from minitf.keras.engine.input_spec import InputSpec
from minitf.keras.layers.advanced_activations import (
    ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU,
)  # fmt: skip
from minitf.keras.layers.attention import AdditiveAttention, Attention
from minitf.keras.layers.core import (
    Activation, ActivityRegularization, Dense, Dropout, Flatten, Lambda, Masking, Permute, RepeatVector,
    Reshape, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D,
)  # fmt: skip
from minitf.keras.layers.convolutional import (
    Conv1D, Conv2D, Conv2DTranspose, Conv3D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D,
)  # fmt: skip
from minitf.keras.layers.convolutional_recurrent import ConvLSTM2D
from minitf.keras.layers.embeddings import Embedding
from minitf.keras.layers.local import LocallyConnected1D, LocallyConnected2D
from minitf.keras.layers.merge import (
    Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract, add, average, concatenate, dot,
    maximum, minimum, multiply, subtract,
)  # fmt: skip
from minitf.keras.layers.noise import AlphaDropout, GaussianDropout, GaussianNoise
from minitf.keras.layers.normalization import BatchNormalization, LayerNormalization
from minitf.keras.layers.pooling import (
    AveragePooling1D, AveragePooling2D, AveragePooling3D, GlobalAveragePooling1D, GlobalAveragePooling2D,
    GlobalAveragePooling3D, GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D, MaxPooling1D,
    MaxPooling2D, MaxPooling3D,
)  # fmt: skip
from minitf.keras.layers.recurrent import GRU, LSTM, RNN, SimpleRNN
from minitf.keras.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from minitf.keras.layers.resampling import (
    Cropping1D, Cropping2D, Cropping3D, UpSampling1D, UpSampling2D, UpSampling3D, ZeroPadding1D,
    ZeroPadding2D, ZeroPadding3D,
)  # fmt: skip
from minitf.keras.layers.serialization import deserialize, serialize
from minitf.keras.layers.wrappers import Bidirectional, TimeDistributed, Wrapper

CuDNNGRU, CuDNNLSTM = GRU, LSTM
Convolution1D, Convolution2D, Convolution3D = Conv1D, Conv2D, Conv3D
Convolution2DTranspose = Deconvolution2D = Conv2DTranspose
SeparableConvolution1D, SeparableConvolution2D = SeparableConv1D, SeparableConv2D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalAvgPool1D, GlobalAvgPool2D, GlobalAvgPool3D = (
    GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D,
)  # fmt: skip
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D
