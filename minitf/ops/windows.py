"""Windows that slide over images: their strides, paddings and formats, for convolution and pooling.

TensorFlow gives them as lists over all dimensions (`[1, 2, 2, 1]`), kernels want pairs over height and
width. Paddings are "SAME", "VALID", or pairs of zeros before and after each dimension ("EXPLICIT").
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from minitf.framework.shapes import TensorShape
from minitf.ops.shape_rules import require_rank

_SPATIAL = {
    "NHWC": (1, 2), "NCHW": (2, 3), "NWC": (1,), "NCW": (2,), "NDHWC": (1, 2, 3), "NCDHW": (2, 3, 4),
}  # fmt: skip
_FORMATS_OF_RANK = {3: ("NWC", "NCW"), 4: ("NHWC", "NCHW"), 5: ("NDHWC", "NCDHW")}


class Attributes(NamedTuple):
    """The attributes that say how a window slides."""

    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    padding: str
    explicit_paddings: tuple[int, ...]
    data_format: str


class Geometry(NamedTuple):
    """How a window slides over the spatial dimensions of images of known size."""

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilations: tuple[int, ...]


def attributes(
    op_name: str,
    rank: int,
    strides: Any,
    padding: Any,
    data_format: str | None,
    dilations: Any = None,
    explicit: bool = True,
) -> Attributes:
    """The op attributes that a public function's arguments mean, for images of `rank` dimensions.

    Raises ValueError in TensorFlow's words for lists of a wrong length and unknown names.
    """
    data_format = check_format(op_name, data_format, rank)
    strides = per_dimension(strides, "strides", data_format)
    dilations = per_dimension(dilations, "dilations", data_format)
    padding, paddings = padding_attributes(op_name, padding, rank, explicit)
    return Attributes(strides, dilations, padding, paddings, data_format)


def check_format(op_name: str, data_format: str | None, rank: int) -> str:
    """`data_format`, or the usual one of images of `rank` dimensions. Raises ValueError if unknown."""
    formats = _FORMATS_OF_RANK[rank]
    if data_format is None:
        return formats[0]
    if data_format not in formats:
        raise ValueError(
            f"Attr 'data_format' of '{op_name}' Op passed string '{data_format}' not in: "
            + ", ".join(f'"{name}"' for name in formats)
            + "."
        )
    return data_format


def per_dimension(value: Any, name: str, data_format: str) -> tuple[int, ...]:
    """A stride, dilation or size for every dimension.

    `value` is one number, one per spatial dimension, or one per dimension; None means 1 throughout.
    Raises ValueError for a list of another length.
    """
    spatial = _SPATIAL[data_format]
    rank, count = len(data_format), len(spatial)
    given = value if hasattr(value, "__iter__") else (1 if value is None else value,)
    values = tuple(int(v) for v in given)
    if len(values) == rank:
        return values
    if len(values) not in (1, count):
        raise ValueError(
            f"{name} should be of length 1, {count} or {rank}. "
            f"Received: {name}={value} of length {len(values)}"
        )
    values = values * count if len(values) == 1 else values
    result = [1] * rank
    for axis, v in zip(spatial, values, strict=True):
        result[axis] = v
    return tuple(result)


def padding_attributes(
    op_name: str, padding: Any, rank: int, explicit: bool = True
) -> tuple[str, tuple[int, ...]]:
    """The attributes `padding` and `explicit_paddings` that a padding argument means."""
    if isinstance(padding, list | tuple) and explicit:
        for pair in padding:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise ValueError(
                    f"When padding is a list, each element of padding must be a list or tuple of size 2. "
                    f"Received: padding={padding} with element {pair}"
                )
        if len(padding) != rank:
            raise ValueError(
                f"When padding is a list, it must be of size {rank}. "
                f"Received: padding={padding} of size {len(padding)}"
            )
        return "EXPLICIT", tuple(int(n) for pair in padding for n in pair)
    if not isinstance(padding, str):
        raise TypeError(f"Expected string for argument 'padding' of '{op_name}' Op, not {padding}.")
    if padding not in ("SAME", "VALID"):
        names = '"SAME", "VALID", "EXPLICIT"' if explicit else '"SAME", "VALID"'
        raise ValueError(f"Attr 'padding' of '{op_name}' Op passed string '{padding}' not in: {names}.")
    return padding, ()


def spatial_axes(data_format: str) -> tuple[int, ...]:
    """The positions of the spatial dimensions."""
    return _SPATIAL[data_format]


def channel_axis(data_format: str) -> int:
    """The position of the channels."""
    return data_format.index("C")


def image_shape(x: Any, data_format: str) -> TensorShape:
    """The shape of images `x`, of the rank that the format says. Raises ValueError otherwise."""
    return require_rank(x, len(data_format))


def slid_shape(
    images: TensorShape,
    window: Sequence[int | None],
    channels: int | None,
    strides: Sequence[int],
    padding: str,
    explicit_paddings: Sequence[int],
    data_format: str,
    dilations: Sequence[int] | None = None,
) -> TensorShape:
    """The shape that a window of spatial sizes `window` makes of `images`, with `channels` channels.

    Raises ValueError in TensorFlow's words where the window does not fit or the attributes are wrong.
    """
    sizes = list(images.sizes)
    axes = spatial_axes(data_format)
    if any(n for i, n in enumerate(explicit_paddings) if i // 2 not in axes):
        raise ValueError("Nonzero explicit padding in the batch or depth dimensions is not supported")
    for axis, size in zip(axes, window, strict=True):
        dilation = dilations[axis] if dilations is not None else 1
        explicit = explicit_paddings[2 * axis : 2 * axis + 2]
        sizes[axis] = _slid_size(sizes[axis], size, strides[axis], padding, explicit, dilation)
    sizes[channel_axis(data_format)] = channels
    return TensorShape(sizes)


def _slid_size(
    size: int | None, window: int | None, stride: int, padding: str, explicit: Sequence[int], dilation: int
) -> int | None:
    if stride <= 0:
        raise ValueError(f"Stride must be > 0, but got {stride}")
    if dilation < 1:
        raise ValueError(f"Dilation rate must be >= 1, but got {dilation}")
    if size is None or (window is None and padding != "SAME"):
        return None
    if padding == "SAME":
        return -(-size // stride)
    size += sum(explicit)
    span = (window - 1) * dilation + 1
    if size < span:
        raise ValueError(f"Negative dimension size caused by subtracting {span} from {size}")
    return (size - span) // stride + 1


@functools.lru_cache(maxsize=1024)
def geometry(
    sizes: tuple[int, ...],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    explicit_paddings: tuple[int, ...],
    data_format: str,
    dilations: tuple[int, ...] | None = None,
) -> Geometry:
    """How a window of spatial sizes `window` slides over images of shape `sizes`."""
    axes = spatial_axes(data_format)
    steps = tuple(strides[axis] for axis in axes)
    gaps = tuple(dilations[axis] for axis in axes) if dilations is not None else (1,) * len(axes)
    pads = tuple(
        _padding(sizes[axis], size, step, padding, explicit_paddings[2 * axis : 2 * axis + 2], gap)
        for axis, size, step, gap in zip(axes, window, steps, gaps, strict=True)
    )
    return Geometry(steps, pads, gaps)


def _padding(
    size: int, window: int, stride: int, padding: str, explicit: Sequence[int], dilation: int
) -> tuple[int, int]:
    if padding == "VALID":
        return 0, 0
    if padding == "EXPLICIT":
        return explicit[0], explicit[1]
    # As few as make ceil(size / stride) windows fit, the odd one at the end.
    total = max((-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2
