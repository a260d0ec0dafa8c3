"""The house's floors: imports go down only, and importing minitf stays light."""

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "minitf"

# From the ground up. A folder may import from its own floor (where the row has several, not from its
# neighbours' unless listed in MAY_SHARE) and from any below.
FLOORS = [
    ["_version"],
    ["kernels", "framework"],
    ["ops"],
    ["graph"],
    ["runtime"],
    ["eager"],
    [
        "nn",
        "train",
        "layers",
        "losses",
        "metrics",
        "initializers",
        "regularizers",
        "random",
        "math",
        "linalg",
    ],
]
BELOW = {name: level for level, names in enumerate(FLOORS) for name in names}
# Faces that stand on everything, and namespaces of names only.
TOP = len(FLOORS)


def _folder(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def _imports(path: Path):
    """(line, imported module) of every import in a file, those inside functions too."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, base]).rstrip(".")
            for alias in node.names:
                # `from minitf import train` imports a folder.
                yield node.lineno, f"{base}.{alias.name}" if base == "minitf" else base


def _files():
    return [path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE]


def test_imports_go_down():
    upward = []
    for path in _files():
        here = path.relative_to(PACKAGE).parts[0]
        level = BELOW.get(here, TOP)
        for line, module in _imports(path):
            if module.split(".")[0] != "minitf" or _folder(module) in ("", here):
                continue
            if BELOW.get(_folder(module), TOP) > level:
                upward.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not upward, "imports that go up:\n" + "\n".join(upward)


def test_kernels_know_nothing_of_the_rest():
    """Numbers only: no graph, no tensor class, no dtype of TensorFlow's."""
    foreign = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in (PACKAGE / "kernels").rglob("*.py")
        for line, module in _imports(path)
        if module.split(".")[0] == "minitf" and _folder(module) not in ("kernels", "_version")
    ]
    assert not foreign, "\n".join(foreign)


def test_numba_is_used_by_kernels_alone():
    users = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in _files()
        for line, module in _imports(path)
        if module.split(".")[0] == "numba" and path.relative_to(PACKAGE).parts[0] != "kernels"
    ]
    assert not users, "\n".join(users)


def test_nothing_imports_tensorflow():
    users = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in ("minitf", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for line, module in _imports(path)
        if module.split(".")[0] in ("tensorflow", "tf_keras", "keras", "parity")
    ]
    assert not users, "\n".join(users)


def _modules_after(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


HEAVY = ("numba", "scipy", "matplotlib", "tensorflow", "h5py", "PIL", "llvmlite", "pandas")


def test_importing_minitf_stays_light():
    loaded = _modules_after("import minitf")
    assert not [name for name in HEAVY if name in loaded]


def test_a_small_regression_needs_no_compiler():
    loaded = _modules_after(
        "import numpy as np, minitf as tf\n"
        "x = tf.placeholder(tf.float32, [None]); w = tf.Variable(0.5)\n"
        "loss = tf.reduce_mean(tf.square(w * x - 2.0 * x))\n"
        "train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)\n"
        "with tf.Session() as sess:\n"
        "    sess.run(tf.global_variables_initializer())\n"
        "    sess.run(train, {x: np.ones(8, np.float32)})"
    )
    assert not [name for name in HEAVY if name in loaded]
