"""Runs the examples and keeps what they print and draw in `examples/output/`.

python examples/record.py [NAME ...]
"""

import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
PROGRAMS = (
    "linear_regression",
    "session",
    "counter",
    "placeholder",
    "add_layer",
    "activations",
    "cnn_fashion",
    "fashion_mnist",
    "keras_mlp",
    "keras_callback",
    "keras_cnn",
    "keras_feature_maps",
)


def record(name: str) -> None:
    """Writes what the program prints to `output/NAME.txt`; its pictures land beside it."""
    print(name, flush=True)
    done = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py"],
        cwd=FOLDER / "output",
        env={**os.environ, "MPLBACKEND": "Agg"},
        stdout=subprocess.PIPE,
        check=True,
    )
    # Of a line that is drawn again and again (a progress bar), what is seen in the end.
    (FOLDER / "output" / f"{name}.txt").write_bytes(re.sub(rb"[^\n]*\r", b"", done.stdout))


if __name__ == "__main__":
    for program in sys.argv[1:] or PROGRAMS:
        record(program)
