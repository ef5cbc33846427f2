"""A CUDA device and a TensorRT in plain memory: an engine is the ONNX graph it was built from.

Addresses are those of numpy arrays, so that a wrong address, size or order shows as wrong numbers.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

from alpamayo_ros.export.engine_graph import engine_graph
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.registry import GRAPHS
from alpamayo_ros.runtime.tensorrt.engine_files import EngineEntry, EngineManifest, write_engines
from alpamayo_ros.runtime.tensorrt.library import Library

GPU = '8.9'
VERSION = '1.7.1.116'


class MemoryCuda:
    """``cuda.Cuda`` in this process; ``allocated`` counts buffers, ``done`` names what ran."""

    def __init__(self) -> None:
        self.stream = 7
        self.allocated = 0
        self.done: list[str] = []
        self._memory: list[NDArray[Any]] = []
        self._recording: list[tuple[str, Callable[[], None]]] | None = None

    def capability(self) -> str:
        """Of the GPU that the engines were built for."""
        return GPU

    def device(self, count: int) -> int:
        """Zeroed memory."""
        self._memory.append(np.zeros(count, np.uint8))
        self.allocated += 1
        return int(self._memory[-1].ctypes.data)

    def pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An ordinary array."""
        self.allocated += 1
        return np.zeros(shape, dtype)

    def submit(self, name: str, work: Callable[[], None]) -> None:
        """Run now, or keep for the graph that is being captured."""
        if self._recording is not None:
            self._recording.append((name, work))
        else:
            self.done.append(name)
            work()

    def upload(self, address: int, source: NDArray[Any]) -> None:
        """Copy bytes."""
        assert source.flags.c_contiguous
        place, count = source.ctypes.data, source.nbytes
        self.submit('upload', lambda: _move(address, place, count))

    def download(self, target: NDArray[Any], address: int) -> None:
        """Copy bytes."""
        assert target.flags.c_contiguous
        place, count = target.ctypes.data, target.nbytes
        self.submit('download', lambda: _move(place, address, count))

    def zero(self, address: int, count: int) -> None:
        """Clear bytes."""
        self.submit('zero', lambda: _clear(address, count))

    def capture(self, work: Callable[[], None]) -> Any:
        """What ``work`` submits."""
        self._recording = graph = []
        work()
        self._recording = None
        return graph

    def launch(self, graph: Any) -> None:
        """All of it, in order."""
        self.done.append('graph')
        for _, work in graph:
            work()

    def wait(self) -> None:
        """Everything has run already."""
        self.done.append('wait')

    def close(self) -> None:
        """Nothing to give back."""


def _move(target: int, source: int, count: int) -> None:
    ctypes.memmove(target, source, count)


def _clear(address: int, count: int) -> None:
    ctypes.memset(address, 0, count)


class Context:
    """An execution context on ONNX Runtime; shapes of outputs follow from those of inputs."""

    def __init__(self, engine: Engine, cuda: MemoryCuda) -> None:
        self._engine, self._cuda = engine, cuda
        self._addresses: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._inputs: dict[str, tuple[int, ...]] = {}

    def set_tensor_address(self, name: str, address: int) -> bool:
        """Where a tensor lies."""
        self._addresses[name] = address
        return name in self._engine.values

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        """Refused where a static size differs."""
        known = self._engine.values[name][1]
        for size, wanted in zip(shape, known, strict=True):
            if isinstance(wanted, str):
                self._sizes[wanted] = size
            elif size != wanted:
                return False
        self._inputs[name] = shape
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """With what the inputs leave open filled in."""
        known = self._engine.values[name][1]
        return tuple(self._sizes[n] if isinstance(n, str) else n for n in known)

    def execute_async_v3(self, stream: int) -> bool:
        """Submit one run on the only stream."""
        assert stream == self._cuda.stream
        shapes = {name: self.get_tensor_shape(name) for name in self._engine.values}
        self._cuda.submit('execute', lambda: self._run(shapes))
        return True

    def _run(self, shapes: dict[str, tuple[int, ...]]) -> None:
        views = {
            n: _view(self._addresses[n], s, self._engine.values[n][0]) for n, s in shapes.items()
        }
        feed = {name: views[name].copy() for name in self._engine.inputs}
        found = self._engine.session.run(list(self._engine.outputs), feed)
        for name, values in zip(self._engine.outputs, found, strict=True):
            views[name][...] = values


def _view(address: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    count = int(np.prod(shape)) * dtype.itemsize
    memory = (ctypes.c_byte * count).from_address(address)
    return np.frombuffer(memory, dtype).reshape(shape)


class Engine:
    """What ``deserialize_cuda_engine`` gives back."""

    def __init__(self, data: bytes, cuda: MemoryCuda) -> None:
        graph = onnx.ModelProto.FromString(data).graph
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(data, options, ['CPUExecutionProvider'])
        self._cuda = cuda
        self.inputs = [value.name for value in graph.input]
        self.outputs = [value.name for value in graph.output]
        self.values = {value.name: _type(value) for value in (*graph.input, *graph.output)}
        self.num_io_tensors = len(self.values)

    def get_tensor_name(self, index: int) -> str:
        """In order."""
        return list(self.values)[index]

    def get_tensor_mode(self, name: str) -> str:
        """Input or output."""
        return 'in' if name in self.inputs else 'out'

    def get_tensor_dtype(self, name: str) -> np.dtype[Any]:
        """numpy's, which ``nptype`` passes on."""
        return self.values[name][0]

    def create_execution_context(self) -> Context:
        """A fresh one."""
        return Context(self, self._cuda)


def _type(value: Any) -> tuple[np.dtype[Any], tuple[int | str, ...]]:
    kind = value.type.tensor_type
    shape = tuple(d.dim_param or d.dim_value for d in kind.shape.dim)
    return helper.tensor_dtype_to_np_dtype(kind.elem_type), shape


def library(cuda: MemoryCuda, broken: str = '') -> Library:
    """A TensorRT whose engines are graphs; ``broken``: what it says instead of loading one."""

    class Logger:
        ERROR, INTERNAL_ERROR = 'error', 'internal'

    class Runtime:
        def __init__(self, logger: Any) -> None:
            self._logger = logger

        def deserialize_cuda_engine(self, data: bytes) -> Engine | None:
            """None where the library refuses."""
            if broken:
                self._logger.log('error', broken)
                return None
            return Engine(data, cuda)

    module = SimpleNamespace(
        __version__=VERSION,
        ILogger=Logger,
        Runtime=Runtime,
        TensorIOMode=SimpleNamespace(INPUT='in', OUTPUT='out'),
        nptype=lambda dtype: dtype,
    )
    return Library('tensorrt_rtx', module)


def write_double_engines(
    folder: Path, files: ModelFiles, profile: ModelProfile, **changes: Any
) -> EngineManifest:
    """A folder as a build leaves it, with rewritten graphs in the place of engines."""
    folder.mkdir(parents=True, mode=0o700)
    entries = tuple(_entry(folder, files, profile, name) for name in GRAPHS)
    manifest = EngineManifest(
        profile=profile.name, profile_sha256=files.manifest.profile_sha256,
        library='tensorrt_rtx', version=VERSION, target=GPU, engines=entries,
    ).model_copy(update=changes)  # fmt: skip
    write_engines(folder, manifest)
    return manifest


def _entry(folder: Path, files: ModelFiles, profile: ModelProfile, name: str) -> EngineEntry:
    data = files.get(name)
    assert isinstance(data, bytes)
    model = engine_graph(data)
    engine, most = model.SerializeToString(), token_layout(profile).max_sequence
    shapes = {value.name: _type(value)[1] for value in model.graph.input}
    ranges = {
        value: tuple(tuple(n if isinstance(d, str) else d for d in shape) for n in (1, most, most))
        for value, shape in shapes.items()
    }
    file = name.replace('.onnx', '.engine')
    (folder / file).write_bytes(engine)
    return EngineEntry(
        graph=name, graph_sha256=hashlib.sha256(data).hexdigest(), file=file, bytes=len(engine),
        sha256=hashlib.sha256(engine).hexdigest(), inputs=ranges,
    )  # fmt: skip
