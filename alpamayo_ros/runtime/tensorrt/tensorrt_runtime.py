"""The four stages as TensorRT engines; not yet run on a GPU (docs/engines.md)."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.chunks import Chunk
from alpamayo_ros.runtime.graph_feeds import decode_feed, denoise_feed, encode_feed, fuse_feed
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.registry import GRAPHS
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.runtime.tensorrt.cuda import Cuda, open_cuda
from alpamayo_ros.runtime.tensorrt.engine import Engine, EngineError
from alpamayo_ros.runtime.tensorrt.engine_files import (
    EngineEntry,
    EngineFiles,
    engine_dir,
    misfit,
    read_engine_manifest,
    read_engines,
    rebuild,
)
from alpamayo_ros.runtime.tensorrt.library import Library, open_library
from alpamayo_ros.runtime.text_model import load_grammar
from alpamayo_ros.types import Conditioning

NEW = 'new_'  # an output of this name is written where the input without it lies


def load(kind: str, files: ModelFiles, profile: ModelProfile) -> StagedRuntime | Fault:
    """Engines of this model for this library and GPU; every reason against it is one sentence."""
    grammar = load_grammar(files, profile)
    library = open_library(kind)
    cuda = open_cuda() if isinstance(library, Library) else library
    for part in (grammar, library, cuda):
        if isinstance(part, Fault):
            return part
    assert not isinstance(grammar, Fault) and not isinstance(library, Fault)
    assert not isinstance(cuda, Fault)
    found = verified(library, cuda.capability(), files, profile)
    stages = found if isinstance(found, Fault) else open_stages(library, cuda, found)
    if isinstance(stages, Fault):
        return stages
    identity = Identity(kind, profile.name, files.sha256, files.manifest.version)
    return StagedRuntime(profile, identity, grammar, stages)


def verified(
    library: Library, gpu: str, files: ModelFiles, profile: ModelProfile
) -> EngineFiles | Fault:
    """The engines of ``profile``, read after everything about them is known to fit."""
    folder = engine_dir(profile.name)
    manifest = read_engine_manifest(folder, profile.name)
    if isinstance(manifest, Fault):
        return manifest
    return misfit(manifest, files, library.kind, library.version, gpu) or read_engines(
        folder, profile.name
    )


def open_stages(library: Library, cuda: Cuda, found: EngineFiles) -> TensorrtStages | Fault:
    """All four engines deserialised."""
    said: list[str] = []
    runtime = library.module.Runtime(library.logger(said))
    entries = {entry.graph: entry for entry in found.manifest.engines}
    lacking = [name for name in GRAPHS if name not in entries]
    if lacking:
        text = f'{found.folder} has no engine of {lacking[0]}: {rebuild(found.manifest.profile)}'
        return Fault(Code.MODEL_FORMAT, text)
    engines = []
    for name in GRAPHS:
        engine = runtime.deserialize_cuda_engine(found.data[name])
        if engine is None:
            reason = said[-1] if said else 'no reason given'
            text = f'{entries[name].file} does not load ({reason})'
            return Fault(Code.MODEL_PROVIDER, f'{text}: {rebuild(found.manifest.profile)}')
        engines.append(bind(library.module, engine, cuda, entries[name]))
    return TensorrtStages(engines, cuda)


def bind(trt: Any, engine: Any, cuda: Cuda, entry: EngineEntry) -> Engine:
    """An engine with its buffers, for the greatest shapes that it was built for."""
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    inputs = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
    outputs = [n for n in names if n not in inputs]
    context = engine.create_execution_context()
    greatest = {name: entry.inputs[name][2] for name in inputs}
    for name in inputs:
        if not context.set_input_shape(name, greatest[name]):
            raise EngineError(f'{entry.file}: {name} refuses {greatest[name]}')
    greatest |= {name: tuple(context.get_tensor_shape(name)) for name in outputs}
    in_place = {n: n.removeprefix(NEW) for n in outputs if n.removeprefix(NEW) in inputs}
    left = tuple(name for name in outputs if name not in in_place)
    dtypes = {name: np.dtype(trt.nptype(engine.get_tensor_dtype(name))) for name in names}
    return Engine(context, cuda, dtypes, greatest, in_place, left)


class TensorrtStages:
    """``staged.Stages`` on four engines that share a stream; keys and values stay on the GPU."""

    def __init__(self, engines: list[Engine], cuda: Cuda) -> None:
        self._encoder, self._fusion, self._decode, self._denoise = engines
        self._cuda = cuda

    def encode(self, images: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Features (N, D) of one timestep."""
        features: NDArray[np.float32] = self._encoder.run(encode_feed(images, valid))['features']
        return features

    def fuse(
        self, features: Features, given: Conditioning
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scene embeddings (M, D) and learned bias (M, M)."""
        found = self._fusion.run(fuse_feed(features, given, self._fusion.takes))
        return found['scene'], found['bias']

    def decode(self, chunk: Chunk) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One pass through the backbone, the cache in place."""
        found = self._decode.run(decode_feed(chunk))
        return found['logits'][0], found['hidden'][0]

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """The unrolled steps of the solver."""
        plans: NDArray[np.float32] = self._denoise.run(denoise_feed(condition, noise))['plans']
        return plans

    def clear(self) -> None:
        """Zero the cache."""
        self._decode.clear()
