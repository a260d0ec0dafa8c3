"""Showing tensors while a graph runs: `tf.print` and the older `tf.Print`."""

import itertools
import logging
import os
import pprint
import sys
from typing import Any

import numpy as np

from minitf.framework import dtypes
from minitf.ops.registry import Anything, Mixed, Symbol, gradient, not_differentiable, op
from minitf.ops.shape_rules import same_as_input, scalar
from minitf.ops.summarize import format_value, summarize_value

_LOGGER = logging.getLogger("minitf")


@op("Print", shape=same_as_input, alias=True, state=lambda op: itertools.count())
def _print(state, input: Anything, data: [Mixed], *, message="", first_n=-1, summarize=3) -> Anything:
    if first_n < 0 or next(state) < first_n:
        shown = "".join(f"[{summarize_value(value, summarize)}]" for value in data)
        print(message + shown, file=sys.stderr)
    return input


@gradient(_print)
def _print_gradient(op, grad):
    return [grad] + [None] * (len(op.inputs) - 1)


def Print(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Any:
    """`input_` as it is; when it is needed, the tensors `data` are printed to standard error.

    `message` stands before them; `summarize` (3) elements of each are shown; with `first_n`, only the first
    so many times.
    """
    return _print(
        input_,
        list(data),
        message=message or "",
        first_n=-1 if first_n is None else first_n,
        summarize=3 if summarize is None else summarize,
        name=name,
    )


@op("StringFormat", shape=scalar)
def _string_format(inputs: [Mixed], *, template="%s", placeholder="%s", summarize=3) -> dtypes.string:
    texts = [format_value(value, summarize) for value in inputs]
    parts = template.split(placeholder)
    if len(parts) - 1 != len(texts):
        raise ValueError(
            f"num placeholders in template and num inputs must match: {len(parts) - 1} vs. {len(texts)}"
        )
    whole = "".join(part for pair in itertools.zip_longest(parts, texts, fillvalue="") for part in pair)
    return np.array(whole.encode("utf-8"), object)


_LOG_LEVELS = {"log(info)": logging.INFO, "log(warning)": logging.WARNING, "log(error)": logging.ERROR}


@op("PrintV2", shape=None, stateful=True)
def _print_v2(input: dtypes.string, *, output_stream="stderr", end="\n") -> None:
    text = input.item().decode("utf-8", "replace")
    if output_stream in _LOG_LEVELS:
        _LOGGER.log(_LOG_LEVELS[output_stream], "%s", text)
    elif output_stream.startswith("file://"):
        with open(output_stream[len("file://") :], "a", encoding="utf-8") as file:
            file.write(text + end)
    else:
        print(text, end=end, file=getattr(sys, output_stream), flush=True)


not_differentiable(_string_format, _print_v2)


def print_v2(*inputs: Any, **options: Any) -> Any:
    """An op that prints tensors and Python values (also nested in lists, tuples and dicts) when it runs.

    Options: `output_stream` (sys.stderr by default, sys.stdout, a level of `logging`, or "file://path"),
    `summarize` (3: how many elements of each dimension are shown at its ends; -1 for all), `sep` (" "),
    `end` (a line break), `name`. Raises ValueError for other options and streams.
    """
    stream = _stream_name(options.pop("output_stream", sys.stderr))
    name, summarize = options.pop("name", None), options.pop("summarize", 3)
    separator, end = options.pop("sep", " "), options.pop("end", os.linesep)
    if options:
        raise ValueError(f"Unrecognized keyword arguments for tf.print: {options}")
    if len(inputs) == 1 and isinstance(inputs[0], Symbol) and _is_text(inputs[0]):
        text = inputs[0]
    else:
        tensors: list[Any] = []
        placeholder = _placeholder_for(" ".join(pprint.pformat(_replaced(x, "", [])) for x in inputs))
        template = separator.join(
            x if isinstance(x, str) else pprint.pformat(_replaced(x, placeholder, tensors)) for x in inputs
        )
        text = _string_format(
            tensors,
            template=template.replace(f"'{placeholder}'", placeholder),
            placeholder=placeholder,
            summarize=summarize,
            name=f"{name}_format" if name else None,
        )
    return _print_v2(text, output_stream=stream, end=end, name=name)


def _is_text(x: Any) -> bool:
    return x.shape.rank == 0 and x.dtype.base_dtype == dtypes.string


def _stream_name(stream: Any) -> str:
    if isinstance(stream, str) and stream.startswith("file://"):
        return stream
    if stream is sys.stdout or stream is sys.stderr:
        return "stdout" if stream is sys.stdout else "stderr"
    for name, targets in _LOGGING.items():
        if any(stream is target for target in targets):
            return name
    raise ValueError(
        f"Unsupported output stream, logging level, or file.{stream}. Supported streams are sys.stdout, "
        "sys.stderr, tf.logging.info, tf.logging.warning, tf.logging.error. File needs to be in the form "
        "of 'file://<filepath>'."
    )


_LOGGING = {
    "log(info)": (logging.INFO, logging.info),
    "log(warning)": (logging.WARNING, logging.warning),
    "log(error)": (logging.ERROR, logging.error),
}


def _placeholder_for(text: str) -> str:
    """A placeholder that does not occur in `text`."""
    placeholder = "{}"
    while placeholder in text:
        placeholder += "0"
    return placeholder


def _replaced(value: Any, placeholder: str, tensors: list[Any]) -> Any:
    """A nested structure with its tensors moved to `tensors` and the placeholder in their stead."""
    if isinstance(value, Symbol) or hasattr(value, "_as_tensor"):
        tensors.append(value)
        return placeholder
    if isinstance(value, dict):
        return {key: _replaced(value[key], placeholder, tensors) for key in sorted(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[_replaced(item, placeholder, tensors) for item in value])
    if isinstance(value, list | tuple):
        return type(value)(_replaced(item, placeholder, tensors) for item in value)
    return value
