"""The reference: the four stages as the modules themselves, in float32."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from safetensors.torch import load as load_safetensors
from torch import Tensor

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.model.scene_inputs import SceneInputs
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.chunks import Chunk
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.past_motion import past_motion
from alpamayo_ros.runtime.registry import WEIGHTS
from alpamayo_ros.runtime.staged import StagedRuntime
from alpamayo_ros.runtime.text_model import grammar_and_weights
from alpamayo_ros.types import Conditioning


def load(files: ModelFiles, profile: ModelProfile) -> StagedRuntime | Fault:
    """Model and grammar from verified bytes; the fault names a missing or misshapen tensor."""
    found = grammar_and_weights(files, profile)
    if isinstance(found, Fault):
        return found
    grammar, data = found
    model = VLA(profile)
    try:
        model.load_state_dict({k: v.float() for k, v in load_safetensors(data).items()})
    except RuntimeError as error:
        return Fault(Code.MODEL_FORMAT, f'{WEIGHTS}: {error}'[:500])
    identity = Identity('torch', profile.name, files.sha256, files.manifest.version)
    return StagedRuntime(profile, identity, grammar, TorchStages(model))


class TorchStages:
    """``staged.Stages`` on the modules, with the static key/value cache of ``model.kv_cache``."""

    def __init__(self, model: VLA) -> None:
        self.model = model.eval()
        self._slots = token_layout(model.profile).max_sequence
        self.clear()

    def _tensor(self, values: NDArray[np.generic]) -> Tensor:
        return torch.tensor(values, device=self.model.device)

    def _floats(self, values: NDArray[np.generic]) -> Tensor:
        return self._tensor(values).float()

    @torch.no_grad()
    def encode(self, images: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Features (N, D) of one timestep."""
        one = self._tensor(images)[None], self._floats(valid)[None]
        return _array(self.model.encode_timestep(*one)[0])

    @torch.no_grad()
    def fuse(
        self, features: Features, given: Conditioning
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scene embeddings (M, D) and learned bias (M, M)."""
        parts = (features.values, features.age_s, features.valid)
        visual = self.model.fuse(*(self._floats(part)[None] for part in parts))
        history, known = (self._floats(part)[None] for part in past_motion(given.ego))
        more = SceneInputs(history, known, age_s=self._floats(features.age_s)[None])
        scene = self.model.scene(visual, self._floats(given.ego.speed_mps[:1]), more)
        return _array(scene[0]), _array(self.model.scene_bias())

    @torch.no_grad()
    def decode(self, chunk: Chunk) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One pass through the backbone, keys and values into the cache."""
        backbone = self.model.backbone
        text = backbone.embed(self._tensor(chunk.ids))
        x = torch.where(self._tensor(chunk.is_text)[:, None], text, self._tensor(chunk.extra))
        positions, mask = self._tensor(chunk.positions), self._tensor(chunk.mask)[None, None]
        hidden = backbone(x[None], positions, mask, self._cache, chunk.start)[0]
        return _array(backbone.logits(hidden)), _array(hidden)

    @torch.no_grad()
    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """As ``VLA.denoise``."""
        hidden = self._tensor(condition.hidden)[None]
        speed, start = self._floats(condition.given.ego.speed_mps[:1]), self._floats(noise)[None]
        mask = torch.ones(hidden.shape[:2], device=hidden.device)
        return _array(self.model.denoise(hidden, mask, speed, start)[0])

    def clear(self) -> None:
        """A fresh cache of zeros."""
        self._cache = self.model.backbone.new_cache(1, self._slots)


def _array(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.detach().cpu().numpy()
    return array
