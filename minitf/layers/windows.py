"""What the arguments of convolution and pooling layers mean."""

from typing import Any

_CHANNEL_AXES = {"channels_last": -1, "channels_first": 1}


def several(value: Any, count: int, name: str) -> tuple[int, ...]:
    """`value`, an int or `count` of them, as a tuple. Raises ValueError in TensorFlow's words."""
    values = (value,) * count if isinstance(value, int) else value
    try:
        values = tuple(int(v) for v in values)
    except (TypeError, ValueError):
        values = ()
    if len(values) != count:
        raise ValueError(f"The `{name}` argument must be a tuple of {count} integers. Received: {value}")
    return values


def checked_padding(padding: Any) -> str:
    """'same' or 'valid'. Raises ValueError for others."""
    lowered = padding.lower() if isinstance(padding, str) else padding
    if lowered not in ("valid", "same"):
        raise ValueError(f'The `padding` argument must be one of "valid", "same". Received: {padding}')
    return lowered


def checked_format(data_format: str) -> str:
    """'channels_last' or 'channels_first'. Raises ValueError for others."""
    lowered = data_format.lower()
    if lowered not in _CHANNEL_AXES:
        raise ValueError(
            'The `data_format` argument must be one of "channels_first", "channels_last". '
            f"Received: {data_format}"
        )
    return lowered


def channel_axis(data_format: str) -> int:
    """Which dimension holds the channels."""
    return _CHANNEL_AXES[data_format]


def added_axis(data_format: str) -> int:
    """Where a second dimension of space goes beside a single one: before it."""
    return 2 if data_format == "channels_first" else 1


def op_format(data_format: str, rank: int) -> str:
    """The op's name for the format: 'NHWC' or 'NCHW' for two dimensions of space, 'NWC', 'NDHWC', …."""
    space = "DHW"[-rank:]
    return f"NC{space}" if data_format == "channels_first" else f"N{space}C"


def per_dimension(values: tuple[int, ...], data_format: str) -> list[int]:
    """One number for each of the op's dimensions, 1 for batch and channels."""
    return [1, 1, *values] if data_format == "channels_first" else [1, *values, 1]
