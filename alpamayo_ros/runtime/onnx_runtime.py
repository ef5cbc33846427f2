"""The default runtime: the four stages as ONNX graphs on one CPU thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.chunks import Chunk
from alpamayo_ros.runtime.file_gate import data_file
from alpamayo_ros.runtime.graph_feeds import denoise_feed, encode_feed, fuse_feed
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.onnx_session import DecodeSession, open_session
from alpamayo_ros.runtime.registry import GRAPHS
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.runtime.text_model import load_grammar
from alpamayo_ros.types import Conditioning


def load(files: ModelFiles, profile: ModelProfile) -> StagedRuntime | Fault:
    """Sessions from verified bytes; the fault names the file that does not fit."""
    grammar = load_grammar(files, profile)
    if isinstance(grammar, Fault):
        return grammar
    sessions = []
    for name in GRAPHS:
        session = open_graph(files, name)
        if isinstance(session, Fault):
            return session
        sessions.append(session)
    stages = OnnxStages(sessions)
    slots = token_layout(profile).max_sequence
    if stages.slots != slots:
        text = f'{GRAPHS[2]}: made for {stages.slots} tokens, the profile asks for {slots}'
        return Fault(Code.MODEL_FORMAT, text)
    identity = Identity('onnx', profile.name, files.sha256, files.manifest.version)
    return StagedRuntime(profile, identity, grammar, stages)


def open_graph(files: ModelFiles, name: str) -> Any:
    """A session of a verified graph, with the weights beside it where it has some; or a fault."""
    data = files.get(name)
    if isinstance(data, Fault):
        return data
    return open_session(name, data, weights=files.data.get(data_file(name)))


class OnnxStages:
    """``staged.Stages`` on four sessions: encoder, fusion, decode, denoise."""

    def __init__(self, sessions: list[Any]) -> None:
        self._encoder, self._fusion, decode, self._denoise = sessions
        self._takes = [i.name for i in self._fusion.get_inputs()]
        self._decode = DecodeSession(decode)
        self.slots = self._decode.slots

    def encode(self, images: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Features (N, D) of one timestep."""
        feed = encode_feed(images, valid)
        features: NDArray[np.float32] = self._encoder.run(None, feed)[0]
        return features

    def fuse(
        self, features: Features, given: Conditioning
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scene embeddings (M, D) and learned bias (M, M)."""
        feed = fuse_feed(features, given, self._takes)
        scene, bias = self._fusion.run(None, feed)
        return scene, bias

    def decode(self, chunk: Chunk) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One pass through the backbone, the cache in place."""
        return self._decode.run(chunk)

    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """The unrolled steps of the solver."""
        feed = denoise_feed(condition, noise)
        plans: NDArray[np.float32] = self._denoise.run(None, feed)[0]
        return plans

    def clear(self) -> None:
        """Zero the cache."""
        self._decode.clear()
