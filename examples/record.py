"""Runs the examples and keeps what they print and draw in `examples/output/`.

python examples/record.py [NAME ...]
"""

import os
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
    (FOLDER / "output" / f"{name}.txt").write_bytes(done.stdout)


if __name__ == "__main__":
    for program in sys.argv[1:] or PROGRAMS:
        record(program)
