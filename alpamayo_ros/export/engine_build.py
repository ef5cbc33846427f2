"""Build TensorRT engines of a model's graphs; TensorRT for RTX does so without a GPU."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alpamayo_ros.export.engine_graph import engine_graph
from alpamayo_ros.export.outside import MAX_PROTOBUF, take_apart, weight_bytes
from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.file_gate import data_file
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.registry import GRAPHS
from alpamayo_ros.runtime.tensorrt.engine_files import (
    ENGINES,
    EngineEntry,
    EngineManifest,
    write_engines,
)
from alpamayo_ros.runtime.tensorrt.library import Library

TIMINGS = 'timing.cache'

Ranges = dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A graph that the library understood: builder, network, and what owns its memory."""

    builder: Any
    network: Any
    keep: tuple[Any, ...]
    said: list[str]


def targets(library: Library) -> list[str]:
    """Compute capabilities that the library can build for without that GPU; '8.9' for SM89."""
    known = getattr(library.module, 'ComputeCapability', None)
    names = [name for name in dir(known) if name.startswith('SM') and name[2:].isdigit()]
    return [f'{name[2:-1]}.{name[-1]}' for name in sorted(names, key=lambda n: int(n[2:]))]


def parse(
    library: Library, name: str, data: bytes, weights: Mapping[str, bytes] | None = None
) -> Parsed | Fault:
    """A strongly typed network of an ONNX graph, or what the parser says about which node.

    ``weights``: those that were taken out of it; the parser reads them where they lie in memory,
    and no file.
    """
    if len(data) >= MAX_PROTOBUF:
        return Fault(Code.MODEL_FORMAT, f'{name} has {len(data)} bytes; a parser takes 2 GiB')
    trt, said = library.module, list[str]()
    logger = library.logger(said)
    builder = trt.Builder(logger)
    typed = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = builder.create_network(typed)
    parser = trt.OnnxParser(network, logger)
    if _read(parser, data, weights or {}):
        return Parsed(builder, network, (parser, logger, data, weights), said)
    errors = [parser.get_error(i) for i in range(parser.num_errors)]
    text = '; '.join(f'{e.node_name()}: {" ".join(e.desc().split())}' for e in errors)
    return Fault(Code.MODEL_FORMAT, f'{name} is not understood: {text or said[-1:]}'[:500])


def _read(parser: Any, data: bytes, weights: Mapping[str, bytes]) -> bool:
    """Whether the parser understands graph and weights."""
    if not weights:
        return bool(parser.parse(data))
    if not parser.load_model_proto(data):
        return False
    given = (
        parser.load_initializer(name, np.frombuffer(values, np.uint8).ctypes.data, len(values))
        for name, values in weights.items()
    )
    return all(given) and bool(parser.parse_model_proto())


def understood(
    library: Library, name: str, files: ModelFiles, bound: int = MAX_PROTOBUF
) -> Parsed | Fault:
    """The network of one of a model's graphs, rewritten; from ``bound`` bytes on in two parts."""
    data = files.get(name)
    if isinstance(data, Fault):
        return data
    model = engine_graph(data, files.data.get(data_file(name), b''))
    weights = take_apart(model, name) if weight_bytes(model) >= bound else {}
    return parse(library, name, model.SerializeToString(), weights)


def shape_ranges(profile: ModelProfile, graph: str, network: Any) -> Ranges:
    """Least, usual and greatest shape of every input; what varies is a number of tokens.

    A pass of the decode graph usually reads the scene, the denoiser usually sees a whole sequence.
    """
    layout = token_layout(profile)
    most = layout.max_sequence
    usual = layout.scene_tokens if graph == 'decode.onnx' else most
    found: Ranges = {}
    for index in range(network.num_inputs):
        value = network.get_input(index)
        found[value.name] = tuple(
            tuple(size if n == -1 else int(n) for n in value.shape) for size in (1, usual, most)
        )  # type: ignore[assignment]  # three of them
    return found


def build(
    library: Library, parsed: Parsed, ranges: Ranges, target: str, timings: Path | None = None
) -> bytes | Fault:
    """A serialised engine for the compute capability ``target`` ('': that of this machine).

    ``timings``: a timing cache to go on from; TensorRT for RTX measures nothing and has none.
    """
    config = parsed.builder.create_builder_config()
    _aim(library, config, target)
    if timings is not None:
        known = timings.read_bytes() if timings.is_file() else b''
        config.set_timing_cache(config.create_timing_cache(known), ignore_mismatch=False)
    if any(low != high for low, _, high in ranges.values()):
        profile = parsed.builder.create_optimization_profile()
        for name, shapes in ranges.items():
            profile.set_shape(name, *shapes)
        config.add_optimization_profile(profile)
    engine = parsed.builder.build_serialized_network(parsed.network, config)
    if engine is None:
        reason = parsed.said[-1] if parsed.said else 'no reason given'
        return Fault(Code.MODEL_FORMAT, f'the graph does not build: {reason}'[:500])
    if timings is not None:
        timings.write_bytes(bytes(config.get_timing_cache().serialize()))
    return bytes(engine)


def build_engines(
    library: Library, files: ModelFiles, profile: ModelProfile, folder: Path, target: str,
    progress: Callable[[str], None] = print, bound: int = MAX_PROTOBUF,
) -> EngineManifest | Fault:  # fmt: skip
    """Engines of all four graphs with their manifest in ``folder``, which stays one's own."""
    _own_folder(folder)
    (folder / ENGINES).unlink(missing_ok=True)
    entries = []
    for name in GRAPHS:
        progress(name)
        entry = _one(library, profile, folder, target, name, files, bound)
        if isinstance(entry, Fault):
            return entry
        entries.append(entry)
    manifest = EngineManifest(
        profile=profile.name,
        profile_sha256=files.manifest.profile_sha256,
        library=library.kind,  # type: ignore[arg-type]  # one of the two, or refused here
        version=library.version,
        target=target,
        engines=tuple(entries),
    )
    write_engines(folder, manifest)
    return manifest


def _one(
    library: Library, profile: ModelProfile, folder: Path, target: str, name: str,
    files: ModelFiles, bound: int,
) -> EngineEntry | Fault:  # fmt: skip
    parsed = understood(library, name, files, bound)
    if isinstance(parsed, Fault):
        return parsed
    ranges = shape_ranges(profile, name, parsed.network)
    timings = folder / TIMINGS if library.kind == 'tensorrt' else None
    engine = build(library, parsed, ranges, target, timings)
    if isinstance(engine, Fault):
        return Fault(engine.code, f'{name}: {engine.message}')
    file = name.replace('.onnx', '.engine')
    hashes = {entry.name: entry.sha256 for entry in files.manifest.files}
    (folder / file).write_bytes(engine)
    return EngineEntry(
        graph=name,
        graph_sha256=hashes[name],
        data_sha256=hashes.get(data_file(name), ''),
        file=file,
        bytes=len(engine),
        sha256=hashlib.sha256(engine).hexdigest(),
        inputs=ranges,
    )


def _aim(library: Library, config: Any, target: str) -> None:
    """For TensorRT for RTX the GPU is named; TensorRT builds for the one it runs on."""
    if target and hasattr(config, 'set_compute_capability'):
        config.num_compute_capabilities = 1
        chosen = getattr(library.module.ComputeCapability, f'SM{target.replace(".", "")}')
        config.set_compute_capability(chosen, 0)


def _own_folder(folder: Path) -> None:
    """A folder that only its owner writes to."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
