"""`ConfigProto` and friends, as TensorFlow scripts fill them in."""

from typing import Any

from minitf.kernels import threads


class _Options:
    """A bag of named options: the known names with their defaults; unknown ones raise ValueError."""

    _defaults: dict[str, Any] = {}

    def __init__(self, **options: Any) -> None:
        for name, default in self._defaults.items():
            value = default() if callable(default) else default
            object.__setattr__(self, name, value)
        for name, value in options.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._defaults:
            raise ValueError(f"Protocol message {type(self).__name__} has no {name!r} field.")
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {getattr(self, name)!r}" for name in self._defaults)


class GPUOptions(_Options):
    """Options for GPUs. There are none here, so they change nothing; scripts may set them."""

    _defaults = {
        "per_process_gpu_memory_fraction": 0.0,
        "allow_growth": False,
        "allocator_type": "",
        "visible_device_list": "",
        "polling_active_delay_usecs": 0,
        "force_gpu_compatible": False,
    }


class OptimizerOptions(_Options):
    """Levels of TensorFlow's graph optimiser. A step plan is always optimised."""

    _defaults = {"opt_level": 0, "global_jit_level": 0, "do_constant_folding": False}
    L0, L1 = -1, 0
    OFF, DEFAULT, ON_1, ON_2 = -1, 0, 1, 2


class GraphOptions(_Options):
    """Options for graphs, of which minitf needs none."""

    _defaults = {
        "optimizer_options": OptimizerOptions,
        "rewrite_options": None,
        "build_cost_model": 0,
    }


class ConfigProto(_Options):
    """A session's options. `intra_op_parallelism_threads` sets the threads that kernels use (0: all).

    Device options are accepted for scripts' sake: there is one device, the CPU.
    """

    _defaults = {
        "intra_op_parallelism_threads": 0,
        "inter_op_parallelism_threads": 0,
        "allow_soft_placement": False,
        "log_device_placement": False,
        "device_count": dict,
        "gpu_options": GPUOptions,
        "graph_options": GraphOptions,
        "operation_timeout_in_ms": 0,
        "isolate_session_state": False,
        "use_per_session_threads": False,
    }


class RunOptions(_Options):
    """Options of one run. Tracing is not supported."""

    _defaults = {"trace_level": 0, "timeout_in_ms": 0, "output_partition_graphs": False}
    NO_TRACE, SOFTWARE_TRACE, HARDWARE_TRACE, FULL_TRACE = 0, 1, 2, 3

    @staticmethod
    def check(options: Any, run_metadata: Any) -> None:
        """Raises NotImplementedError for options that are not supported."""
        if run_metadata is not None:
            raise NotImplementedError("Session.run: run_metadata is not supported")
        if options.trace_level or options.timeout_in_ms:
            raise NotImplementedError(
                "Session.run: RunOptions(trace_level=…, timeout_in_ms=…) are not supported"
            )


class RunMetadata(_Options):
    """What a traced run would report."""

    _defaults = {"step_stats": None, "cost_graph": None, "partition_graphs": list}


def apply_threads(config: ConfigProto | None) -> None:
    """Sets the number of threads that kernels use, if `config` asks for one."""
    if config is not None and config.intra_op_parallelism_threads:
        threads.set_num_threads(config.intra_op_parallelism_threads)
