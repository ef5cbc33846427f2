"""How large the activations of a model become on recorded cycles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from alpamayo_ros.export.int8.graph import observed
from alpamayo_ros.faults import Fault
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.chunks import Chunk
from alpamayo_ros.runtime.file_gate import data_file
from alpamayo_ros.runtime.graph_feeds import (
    Feed,
    decode_feed,
    denoise_feed,
    encode_feed,
    fuse_feed,
)
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.onnx_session import open_session
from alpamayo_ros.runtime.recorded import Recorded
from alpamayo_ros.runtime.registry import GRAPHS
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.runtime.text_model import load_grammar
from alpamayo_ros.types import Conditioning

# Of a call's numbers that a range holds.  99.9 % suits the cycles it was calibrated on and no
# others: end points of nano's denoiser then moved by 1.3 m (95 %).
SHARES = (1.0, 0.9999)
ENCODER, FUSION, DECODE, DENOISE = GRAPHS

Ranges = dict[str, dict[str, NDArray[np.float64]]]


@dataclass
class _ObservedStages:
    """``staged.Stages`` on graphs that also give their activations; the cache is copied."""

    sessions: dict[str, Any]
    names: dict[str, list[str]]
    seen: dict[str, dict[str, list[NDArray[np.float64]]]]
    cache: Feed = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.takes = [value.name for value in self.sessions[FUSION].get_inputs()]
        self.clear()

    def _run(self, graph: str, feed: Feed) -> Feed:
        session = self.sessions[graph]
        outputs = [value.name for value in session.get_outputs()]
        found = dict(zip(outputs, session.run(outputs, feed), strict=True))
        for name in self.names[graph]:
            values = found[name] if name in found else feed[name]
            self.seen[graph][name].append(np.quantile(np.abs(values), SHARES))
        return found

    def encode(self, images: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Features (N, D) of one timestep."""
        return self._run(ENCODER, encode_feed(images, valid))['features']

    def fuse(
        self, features: Features, given: Conditioning
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scene embeddings (M, D) and learned bias (M, M)."""
        found = self._run(FUSION, fuse_feed(features, given, self.takes))
        return found['scene'], found['bias']

    def decode(self, chunk: Chunk) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One pass through the backbone."""
        found = self._run(DECODE, {**decode_feed(chunk), **self.cache})
        self.cache = {name: found[f'new_{name}'] for name in self.cache}
        return found['logits'][0], found['hidden'][0]

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """The unrolled steps of the solver."""
        return self._run(DENOISE, denoise_feed(condition, noise))['plans']

    def clear(self) -> None:
        """Zero the cache."""
        shapes = {v.name: v.shape for v in self.sessions[DECODE].get_inputs()}
        self.cache = {n: np.zeros(s, np.float32) for n, s in shapes.items() if n[0] in 'kv'}


def calibrate(
    files: ModelFiles, profile: ModelProfile, cycles: Iterable[Recorded]
) -> Ranges | Fault:
    """For each graph and activation the range that holds each of ``SHARES``, over all calls."""
    grammar = load_grammar(files, profile)
    if isinstance(grammar, Fault):
        return grammar
    sessions, names = dict[str, Any](), dict[str, list[str]]()
    for graph in GRAPHS:
        data = files.get(graph)
        if isinstance(data, Fault):
            return data
        weights = files.data.get(data_file(graph))  # such a graph stays in float (attempt.py)
        kept = graph == FUSION or weights is not None
        wider, names[graph] = (data, []) if kept else observed(data)
        session = open_session(graph, wider, weights=weights)
        if isinstance(session, Fault):
            return session
        sessions[graph] = session
    seen = {graph: defaultdict[str, list[Any]](list) for graph in GRAPHS}
    stages = _ObservedStages(sessions, names, seen)  # type: ignore[arg-type]  # defaultdicts
    runtime = StagedRuntime(profile, Identity('observed', profile.name), grammar, stages)
    for cycle in cycles:
        reasoning = runtime.reason(runtime.encode(cycle.frames), cycle.given)
        runtime.denoise(reasoning.condition, cycle.noise)
    return {
        graph: {name: np.max(found, 0) for name, found in seen[graph].items()} for graph in GRAPHS
    }
