"""GPU readings against the limits, and what is said where nobody can read."""

import sys
from types import SimpleNamespace

import pytest
from shipped import limits

from alpamayo_ros import gpu
from alpamayo_ros.faults import Code
from alpamayo_ros.gpu import GpuReading, gpu_faults, open_gpus


@pytest.mark.parametrize(
    ('celsius', 'memory', 'codes'),
    [
        (89.0, 0.94, []),
        (91.0, 0.5, [Code.GPU_WARN]),
        (96.0, 0.5, [Code.GPU]),
        (50.0, 0.96, [Code.GPU_WARN]),
        (50.0, 0.995, [Code.GPU]),
        (91.0, 0.995, [Code.GPU_WARN, Code.GPU]),
        (float('nan'), 0.5, [Code.GPU]),
        (50.0, float('nan'), [Code.GPU]),
    ],
)
def test_made_up_readings(celsius, memory, codes):
    found = gpu_faults([GpuReading('0 made up', celsius, memory)], limits())
    assert [fault.code for fault in found] == codes
    assert all(fault.values['gpu'] == '0 made up' for fault in found)


def test_without_the_package_the_reason_names_it(monkeypatch):
    monkeypatch.setattr(gpu, 'find_spec', lambda name: None)
    assert 'nvidia-ml-py' in open_gpus()


class NoDriverError(Exception):
    """As pynvml.NVMLError."""


def fake_nvml(broken=False):
    """A driver with two GPUs, the second of which does not answer."""

    def handle(index):
        if index == 1:
            raise NoDriverError('GPU is lost')
        return index

    def init():
        if broken:
            raise NoDriverError('Driver Not Loaded')

    return SimpleNamespace(
        NVMLError=NoDriverError,
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=init,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=handle,
        nvmlDeviceGetName=lambda handle: 'Made Up 1',
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=3, total=4),
        nvmlDeviceGetTemperature=lambda handle, kind: 41,
    )


@pytest.mark.parametrize('broken', [False, True])
def test_the_driver_is_read_or_named(monkeypatch, broken):
    monkeypatch.setattr(gpu, 'find_spec', lambda name: True)
    monkeypatch.setitem(sys.modules, 'pynvml', fake_nvml(broken))
    reader = open_gpus()
    if broken:
        assert 'Driver Not Loaded' in reader
        return
    first, lost = reader.read()
    assert first == GpuReading('0 Made Up 1', 41.0, 0.75)
    assert [fault.code for fault in gpu_faults([lost], limits())] == [Code.GPU, Code.GPU]
