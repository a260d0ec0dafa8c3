"""`keras.utils`: helpers around models and data. Names only."""

from minitf.keras.utils.data_utils import Sequence, get_file
from minitf.keras.utils.enqueuers import GeneratorEnqueuer, OrderedEnqueuer, SequenceEnqueuer
from minitf.keras.utils.generic_utils import (
    CustomObjectScope, custom_object_scope, deserialize_keras_object, get_custom_objects,
    get_registered_name, get_registered_object, register_keras_serializable, serialize_keras_object,
)  # fmt: skip
from minitf.keras.utils.layer_utils import get_source_inputs
from minitf.keras.utils.multi_gpu_utils import multi_gpu_model
from minitf.keras.utils.np_utils import normalize, set_random_seed, to_categorical
from minitf.keras.utils.progbar import Progbar
from minitf.keras.utils.vis_utils import model_to_dot, plot_model
