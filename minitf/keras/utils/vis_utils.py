"""Pictures of models: `model_to_dot` and `plot_model`, drawn by Graphviz's program `dot`."""

import os
import shutil
import subprocess
from typing import Any


class Dot:
    """A graph in Graphviz's language: `to_string()` is its text, `create` and `write` have it drawn."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def to_string(self) -> str:
        """The text."""
        return "digraph G {\n" + "\n".join(self._lines) + "\n}\n"

    def create(self, prog: str = "dot", format: str = "ps") -> bytes:
        """The picture in a format that Graphviz knows ('png', 'svg', 'pdf', …).

        Raises ImportError when the program is not installed.
        """
        program = shutil.which(prog)
        if program is None:
            raise ImportError(
                "You must install graphviz (see instructions at https://graphviz.gitlab.io/download/) for "
                f"plot_model to work: its program `{prog}` was not found. Without it, plot_model can still "
                "write the graph's text to a file named *.dot."
            )
        result = subprocess.run(
            [program, f"-T{format}"], input=self.to_string().encode(), capture_output=True, check=False
        )
        if result.returncode:
            raise RuntimeError(
                f"`{prog} -T{format}` failed: {result.stderr.decode(errors='replace').strip()}"
            )
        return result.stdout

    def write(self, path: Any, prog: str = "dot", format: str = "raw") -> bool:
        """Writes the picture, or with 'raw' or 'dot' the text, to a file."""
        data = self.to_string().encode() if format in ("raw", "dot") else self.create(prog, format)
        with open(path, "wb") as file:
            file.write(data)
        return True


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int | None = 96,
    subgraph: bool = False,
    layer_range: Any = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Dot:
    """A model's layers as boxes, joined as they are connected. `rankdir` is 'TB' (downwards) or 'LR'.

    Raises ValueError before the model is built.
    """
    for name, value in (("subgraph", subgraph), ("layer_range", layer_range)):
        if value:
            raise NotImplementedError(f"model_to_dot: {name} is not supported")
    if not model.built:
        raise ValueError(
            "This model has not yet been built. Build the model first by calling `build()` or by calling the "
            "model on a batch of data."
        )
    shown = {
        "shapes": show_shapes, "dtype": show_dtype, "names": show_layer_names,
        "activations": show_layer_activations, "trainable": show_trainable,
    }  # fmt: skip
    lines = [f"rankdir={rankdir};", "concentrate=true;", "node [shape=record];"]
    if dpi is not None:
        lines.insert(2, f"dpi={dpi};")
    _add_model(lines, model, shown, expand_nested)
    return Dot(lines)


def _add_model(lines: list[str], model: Any, shown: dict[str, bool], expand: bool) -> tuple[str, str]:
    """Adds a model's boxes and arrows. Returns the first and the last box."""
    if not getattr(model, "_is_graph_network", False):
        lines.append(f"{id(model)} [label={_quoted(model.name)}];")
        return str(id(model)), str(id(model))
    ends: dict[int, tuple[str, str]] = {}
    for node in model._nodes:
        layer = node.layer
        if id(layer) in ends:
            continue
        if expand and hasattr(layer, "layers") and getattr(layer, "_is_graph_network", False):
            lines.append(f"subgraph cluster_{id(layer)} {{")
            lines.append(f"style=dashed; label={_quoted(layer.name)}; labeljust=l;")
            ends[id(layer)] = _add_model(lines, layer, shown, expand)
            lines.append("}")
        else:
            ends[id(layer)] = (str(id(layer)),) * 2
            lines.append(f"{id(layer)} [label={_quoted(_label(layer, shown))}];")
    arrows = {}
    for node in model._nodes:
        for tensor in node.flat_inputs:
            source = tensor._keras_history.layer
            arrows[f"{ends[id(source)][1]} -> {ends[id(node.layer)][0]};"] = True
    lines.extend(arrows)
    order = list(ends.values())
    return order[0][0], order[-1][1]


def _label(layer: Any, shown: dict[str, bool]) -> str:
    name, kind = layer.name, type(layer).__name__
    wrapped = getattr(layer, "layer", None)
    if wrapped is not None:
        name, kind = f"{name}({wrapped.name})", f"{kind}({type(wrapped).__name__})"
    label = kind
    activation = getattr(layer, "activation", None)
    if shown["activations"] and activation is not None:
        label = f"{{{label}|{getattr(activation, '__name__', activation)}}}"
    if shown["names"]:
        label = f"{name}|{label}"
    if shown["dtype"]:
        label = f"{label}|{layer.dtype}"
    if shown["shapes"]:
        label = (
            f"{{{label}|{{input:|output:}}|{{{{{_shape(layer, 'input')}}}|{{{_shape(layer, 'output')}}}}}}}"
        )
    if shown["trainable"]:
        label = f"{'T' if layer.trainable else 'NT'}|{label}"
    return label


def _shape(layer: Any, end: str) -> str:
    try:
        text = str(getattr(layer, f"{end}_shape"))
    except AttributeError:
        return "?"
    return text.replace("{", r"\{").replace("}", r"\}")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', r"\"") + '"'


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int | None = 96,
    layer_range: Any = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Draws a model into a file; see `model_to_dot`. Returns IPython's Image of it where IPython is there.

    The file's extension says the format; '.dot' needs no Graphviz.

    Raises ImportError when Graphviz is not installed.
    """
    dot = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False, layer_range,
        show_layer_activations, show_trainable,
    )  # fmt: skip
    to_file = os.fspath(to_file)
    extension = os.path.splitext(to_file)[1][1:] or "png"
    dot.write(to_file, format=extension)
    if extension not in ("png", "jpg", "jpeg", "gif"):
        return None
    try:
        from IPython import display
    except ImportError:
        return None
    return display.Image(filename=to_file)
