"""The few CUDA calls that running engines takes, behind a protocol that tests can stand in for."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alpamayo_ros.faults import Code, Fault

INSTALL = 'pip install -r requirements/tensorrt.txt'


class CudaError(RuntimeError):
    """A CUDA call failed; the process ends and is started again."""


class Cuda(Protocol):
    """One device and one stream; all work is in the order of the calls."""

    stream: int

    def capability(self) -> str:
        """Compute capability, such as ``8.9``."""
        ...

    def device(self, count: int) -> int:
        """Address of ``count`` zeroed bytes on the device."""
        ...

    def pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array in memory that the device reads and writes directly."""
        ...

    def upload(self, address: int, source: NDArray[Any]) -> None:
        """Start copying a pinned array to the device."""
        ...

    def download(self, target: NDArray[Any], address: int) -> None:
        """Start copying from the device to a pinned array."""
        ...

    def zero(self, address: int, count: int) -> None:
        """Start zeroing device memory."""
        ...

    def capture(self, work: Callable[[], None]) -> Any:
        """What ``work`` puts on the stream, as a graph."""
        ...

    def launch(self, graph: Any) -> None:
        """Put a captured graph on the stream."""
        ...

    def wait(self) -> None:
        """Until the stream is empty."""
        ...

    def close(self) -> None:
        """Give back all memory and graphs."""
        ...


def no_gpu() -> Fault | None:
    """In one sentence why no GPU answers; nothing is allocated on one that does."""
    try:
        from cuda.bindings import runtime
    except ImportError as error:
        text = f'cuda-bindings is not installed ({error}): {INSTALL}.'
        return Fault(Code.MODEL_PROVIDER, text)
    status, count = runtime.cudaGetDeviceCount()
    if int(status) == 0 and count > 0:
        return None
    text = f'no GPU answers ({status.name}): install the NVIDIA driver, or use --runtime onnx.'
    return Fault(Code.MODEL_PROVIDER, text)


def open_cuda() -> Cuda | Fault:
    """The first GPU, or in one sentence why there is none."""
    missing = no_gpu()
    if missing is not None:
        return missing
    from cuda.bindings import runtime

    return CudaRuntime(runtime)


class CudaRuntime:
    """:class:`Cuda` by NVIDIA's ``cuda.bindings``; not yet run on a GPU (docs/engines.md)."""

    def __init__(self, runtime: Any) -> None:
        self._cuda = runtime
        self._addresses: list[int] = []
        self._pinned: list[int] = []
        self._graphs: list[Any] = []
        self._call(runtime.cudaSetDevice, 0)
        (self._stream,) = self._call(runtime.cudaStreamCreate)
        self.stream = int(self._stream)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> tuple[Any, ...]:
        """What a call returns behind its status."""
        status, *values = function(*arguments)
        if int(status) != 0:
            raise CudaError(f'{getattr(function, "__name__", "CUDA")}: {status}')
        return tuple(values)

    def capability(self) -> str:
        """See :class:`Cuda`."""
        (properties,) = self._call(self._cuda.cudaGetDeviceProperties, 0)
        return f'{properties.major}.{properties.minor}'

    def device(self, count: int) -> int:
        """See :class:`Cuda`."""
        (address,) = self._call(self._cuda.cudaMalloc, count)
        self._addresses.append(int(address))
        self._call(self._cuda.cudaMemset, address, 0, count)
        return int(address)

    def pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """See :class:`Cuda`."""
        count = max(1, int(np.prod(shape)) * dtype.itemsize)
        (address,) = self._call(self._cuda.cudaMallocHost, count)
        self._pinned.append(int(address))
        memory = (ctypes.c_byte * count).from_address(int(address))
        numbers = np.frombuffer(memoryview(memory), dtype, int(np.prod(shape)))
        array: NDArray[Any] = numbers.reshape(shape)
        array[...] = 0
        return array

    def upload(self, address: int, source: NDArray[Any]) -> None:
        """See :class:`Cuda`."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._copy(address, source.ctypes.data, source.nbytes, kind)

    def download(self, target: NDArray[Any], address: int) -> None:
        """See :class:`Cuda`."""
        kind = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._copy(target.ctypes.data, address, target.nbytes, kind)

    def _copy(self, target: int, source: int, count: int, kind: Any) -> None:
        self._call(self._cuda.cudaMemcpyAsync, target, source, count, kind, self._stream)

    def zero(self, address: int, count: int) -> None:
        """See :class:`Cuda`."""
        self._call(self._cuda.cudaMemsetAsync, address, 0, count, self._stream)

    def capture(self, work: Callable[[], None]) -> Any:
        """See :class:`Cuda`."""
        mode = self._cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call(self._cuda.cudaStreamBeginCapture, self._stream, mode)
        try:
            work()
        finally:
            (graph,) = self._call(self._cuda.cudaStreamEndCapture, self._stream)
        (ready,) = self._call(self._cuda.cudaGraphInstantiate, graph, 0)
        self._call(self._cuda.cudaGraphDestroy, graph)
        self._graphs.append(ready)
        return ready

    def launch(self, graph: Any) -> None:
        """See :class:`Cuda`."""
        self._call(self._cuda.cudaGraphLaunch, graph, self._stream)

    def wait(self) -> None:
        """See :class:`Cuda`."""
        self._call(self._cuda.cudaStreamSynchronize, self._stream)

    def close(self) -> None:
        """See :class:`Cuda`."""
        self.wait()
        for graph in self._graphs:
            self._call(self._cuda.cudaGraphExecDestroy, graph)
        for address in self._addresses:
            self._call(self._cuda.cudaFree, address)
        for address in self._pinned:
            self._call(self._cuda.cudaFreeHost, address)
        self._call(self._cuda.cudaStreamDestroy, self._stream)
        self._graphs, self._addresses, self._pinned = [], [], []
