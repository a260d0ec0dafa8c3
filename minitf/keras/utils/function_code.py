"""Python functions as text: how Keras keeps Lambda layers in its files (marshalled byte code, base64)."""

import base64
import marshal
import types
from typing import Any


def dump_function(function: types.FunctionType) -> tuple[str, Any, Any]:
    """Code, defaults and closure values."""
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = tuple(c.cell_contents for c in function.__closure__) if function.__closure__ else None
    return code, function.__defaults__, closure


def load_function(dumped: Any) -> types.FunctionType:
    """The function again. Byte code fits the Python version it was made with only."""
    if isinstance(dumped, dict):  # Keras 3: {"class_name": "__lambda__", "config": {"code", …}}
        inner = dumped["config"]
        dumped = inner["code"], inner["defaults"], inner["closure"]
    if isinstance(dumped, str):
        dumped = dumped, None, None
    code, defaults, closure = dumped
    cells = tuple(types.CellType(value) for value in closure) if closure else None
    defaults = tuple(defaults) if defaults else None
    raw = base64.b64decode(code.encode("ascii"))
    import minitf

    return types.FunctionType(
        marshal.loads(raw), {"tf": minitf, "__builtins__": __builtins__}, None, defaults, cells
    )
