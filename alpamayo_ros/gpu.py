"""Temperature and memory of the GPUs, by NVIDIA's management library, and the faults they cause.

The library comes with the driver, its Python side is the package ``nvidia-ml-py``.  Neither is
needed by a model that runs on the CPU; where one is missing the reason is a sentence, not silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.limits import Limits


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU at one instant; ``memory_ratio``: used over total."""

    name: str
    celsius: float
    memory_ratio: float


class GpuReader:
    """Reads every GPU of this machine through an initialised ``pynvml``."""

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml

    def read(self) -> list[GpuReading]:
        """A reading a GPU; NaN for what the driver does not say."""
        nvml, found = self._nvml, []
        for index in range(nvml.nvmlDeviceGetCount()):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
                memory = nvml.nvmlDeviceGetMemoryInfo(handle)
                celsius = nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
                name = f'{index} {nvml.nvmlDeviceGetName(handle)}'
                found.append(GpuReading(name, float(celsius), memory.used / memory.total))
            except nvml.NVMLError:
                found.append(GpuReading(f'{index}', float('nan'), float('nan')))
        return found


def open_gpus() -> GpuReader | str:
    """A reader, or in words why there is none: no package, no driver."""
    if find_spec('pynvml') is None:
        return 'GPUs are not watched: the package nvidia-ml-py is not installed'
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return f'GPUs are not watched: {error}'
    return GpuReader(pynvml)


def gpu_faults(readings: Iterable[GpuReading], limits: Limits) -> list[Fault]:
    """GPU or GPU_WARN for each value beyond its limit; NaN is beyond."""
    found = []
    for gpu in readings:
        heat = ('celsius', gpu.celsius, limits.gpu_warn_celsius, limits.gpu_celsius)
        memory = (
            'memory_ratio', gpu.memory_ratio, limits.gpu_memory_warn_ratio,
            limits.gpu_memory_ratio,
        )  # fmt: skip
        for name, value, warn, limit in (heat, memory):
            if value <= warn:
                continue
            code, level = (Code.GPU_WARN, warn) if value <= limit else (Code.GPU, limit)
            values: dict[str, float | str] = {'gpu': gpu.name, name: value, 'limit': level}
            found.append(Fault(code, f'GPU {gpu.name}.', values))
    return found
