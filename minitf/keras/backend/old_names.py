"""Names of Keras 1 that scripts still use."""

from minitf.keras.engine import state

_FORMATS = {"th": "channels_first", "tf": "channels_last"}


def image_dim_ordering() -> str:
    """'tf' for channels_last, 'th' for channels_first (Keras 1's `image_data_format`)."""
    return next(old for old, new in _FORMATS.items() if new == state.image_data_format())


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets the default image format, as 'tf' or 'th'. Raises ValueError for anything else."""
    if dim_ordering not in _FORMATS:
        raise ValueError(f"Unknown dim_ordering: {dim_ordering}")
    state.set_image_data_format(_FORMATS[dim_ordering])
