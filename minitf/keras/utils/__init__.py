"""`keras.utils`: helpers around models and data. Names only."""

from minitf.keras.utils.generic_utils import (
    CustomObjectScope, custom_object_scope, deserialize_keras_object, get_custom_objects,
    get_registered_name, get_registered_object, register_keras_serializable, serialize_keras_object,
)  # fmt: skip
from minitf.keras.utils.progbar import Progbar
