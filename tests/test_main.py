"""`python -m minitf`."""

import subprocess
import sys


def test_warmup_compiles_into_the_cache():
    command = [sys.executable, "-m", "minitf", "warmup"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("dense network, gradient descent:")
    assert lines[-1].startswith("compiled kernels are kept in ")
    assert done.stderr == ""


def test_a_command_is_needed():
    done = subprocess.run([sys.executable, "-m", "minitf"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "warmup" in done.stderr
