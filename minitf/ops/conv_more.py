"""Convolution in one dimension, with holes, and by the number of dimensions; their transposes."""

from typing import Any

from minitf.framework.shapes import TensorShape
from minitf.ops.array import expand_dims, squeeze
from minitf.ops.conv import conv2d, conv2d_transpose, one_of
from minitf.ops.join import concat
from minitf.ops.registry import Symbol, interpreter
from minitf.ops.volume import conv3d, conv3d_transpose
from minitf.ops.windows import per_dimension

_WIDTH_FORMATS = {None: "NWC", "NWC": "NWC", "NHWC": "NWC", "NCW": "NCW", "NCHW": "NCW"}


def _width_format(data_format: str | None) -> str:
    if data_format not in _WIDTH_FORMATS:
        raise ValueError(f"`data_format` must be 'NWC' or 'NCW'. Received: data_format={data_format}")
    return _WIDTH_FORMATS[data_format]


def _with_height(values: Any, name: str, data_format: str) -> list[int]:
    """Strides or dilations of images one pixel high."""
    values = list(per_dimension(values, name, data_format))
    values.insert(data_format.index("W"), 1)
    return values


def _padding_with_height(padding: Any, data_format: str) -> Any:
    if not isinstance(padding, list | tuple):
        return padding
    padding = list(padding)
    padding.insert(data_format.index("W"), [0, 0])
    return padding


def conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Any:
    """Sequences (N, W, C) convolved with filters (KW, C, O).

    `data_format` is "NWC" (the default) or "NCW"; `padding` as of `tf.nn.conv2d`; `input` is the newer name
    of `value`. Returns (N, OW, O), or (N, O, OW).
    """
    value = one_of("input", input, "value", value)
    data_format = _width_format(data_format)
    height = data_format.index("W")
    with interpreter().name_scope(name or "conv1d") as scope:
        result = conv2d(
            expand_dims(value, height),
            expand_dims(filters, 0),
            _with_height(stride, "stride", data_format),
            _padding_with_height(padding, data_format),
            True if use_cudnn_on_gpu is None else use_cudnn_on_gpu,
            data_format.replace("W", "HW"),
            _with_height(dilations, "dilations", data_format),
            name=scope,
        )
        return squeeze(result, [height])


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """The transpose of `conv1d` as a linear map; `filters` are (KW, O, C), `output_shape` three sizes."""
    data_format = _width_format(data_format)
    height = data_format.index("W")
    with interpreter().name_scope(name or "conv1d_transpose") as scope:
        if isinstance(output_shape, Symbol):
            sizes = concat([output_shape[:height], [1], output_shape[height:]], 0)
        else:
            sizes = TensorShape(output_shape).as_list()
            sizes.insert(height, 1)
        result = conv2d_transpose(
            expand_dims(input, height),
            expand_dims(filters, 0),
            sizes,
            _with_height(strides, "stride", data_format),
            _padding_with_height(padding, data_format),
            data_format.replace("W", "HW"),
            scope,
            dilations=_with_height(dilations, "dilations", data_format),
        )
        return squeeze(result, [height])


def atrous_conv2d(value: Any, filters: Any, rate: int, padding: str, name: str | None = None) -> Any:
    """A convolution whose filters have `rate` - 1 holes between taps: `tf.nn.conv2d` with dilations.

    `value` is (N, H, W, C), `filters` (KH, KW, C, O), all strides are 1.
    """
    return convolution(value, filters, padding, dilation_rate=[rate, rate], name=name)


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: str | None = None
) -> Any:
    """The transpose of `atrous_conv2d` as a linear map; `filters` are (KH, KW, O, C)."""
    return conv2d_transpose(
        value, filters, output_shape, 1, padding, name=name or "atrous_conv2d_transpose", dilations=rate
    )


_BY_RANK = {3: conv1d, 4: conv2d, 5: conv3d}


def convolution(
    input: Any,
    filter: Any,
    padding: Any,
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Any:
    """Convolution in one, two or three dimensions, as many as `filter` has besides its channels.

    Args:
      input: (N, …, C), or (N, C, …) if `data_format` begins with "NC".
      filter: (…, C, O). `filters` is its newer name.
      padding: "SAME", "VALID", or a list of pairs.
      strides: one number, or one per spatial dimension.
      dilation_rate: the same of dilations (its newer name); above 1 all strides must be 1.

    Raises:
      ValueError: sizes do not fit, or both strides and dilations are above 1.
    """
    filter = one_of("filters", filters, "filter", filter)
    rates = one_of("dilations", dilations, "dilation_rate", dilation_rate, required=False)
    current = interpreter()
    with current.name_scope(name or "convolution") as scope:
        input = current.convert(input, None, None, "input")
        filter = current.convert(filter, None, None, "filters")
        rank = filter.shape.rank or input.shape.rank
        if rank not in _BY_RANK:
            raise ValueError(
                f"`num_spatial_dims` must be 1, 2, or 3. Received: num_spatial_dims={rank and rank - 2}."
            )
        _check_together(strides, rates)
        function = _BY_RANK[rank]
        return function(input, filter, strides, padding, data_format=data_format, dilations=rates, name=scope)


def _check_together(strides: Any, rates: Any) -> None:
    def above_one(values):
        values = values if hasattr(values, "__iter__") else [1 if values is None else values]
        return any(v != 1 for v in values)

    if above_one(strides) and above_one(rates):
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilations > 1`. "
            f"Received: strides={strides} and dilations={rates}"
        )


_TRANSPOSED = {3: conv1d_transpose, 4: conv2d_transpose, 5: conv3d_transpose}


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Any:
    """The transpose of `convolution`, in as many dimensions as `output_shape` has besides two.

    Raises ValueError unless there are one, two or three.
    """
    if isinstance(output_shape, Symbol):
        rank = output_shape.shape.sizes[0]
    else:
        rank = len(output_shape)
    if rank not in _TRANSPOSED:
        raise ValueError(
            f"`output_shape` must be of length 3, 4 or 5. Received: output_shape={output_shape} "
            f"of length {rank}."
        )
    function = _TRANSPOSED[rank]
    return function(
        input, filters, output_shape, strides,
        padding=padding, data_format=data_format, dilations=dilations, name=name or "conv_transpose",
    )  # fmt: skip
