"""`multi_gpu_model`, which has no counterpart here."""

from typing import Any


def multi_gpu_model(
    model: Any, gpus: Any = None, cpu_merge: bool = True, cpu_relocation: bool = False
) -> Any:
    """Raises NotImplementedError: minitf computes on the processor."""
    raise NotImplementedError("multi_gpu_model: minitf computes on the processor; use the model as it is")
