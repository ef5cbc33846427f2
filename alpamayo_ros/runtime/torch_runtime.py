"""The reference: plain torch, nothing cached, every pass over the whole sequence (DESIGN section
7).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from safetensors.torch import load as load_safetensors

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.grammar import Grammar
from alpamayo_ros.model.prompt import prefix_ids
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile
from alpamayo_ros.runtime.base import Condition, Features, Identity
from alpamayo_ros.runtime.decode import Draft, decode
from alpamayo_ros.runtime.manifest import ModelFiles
from alpamayo_ros.runtime.registry import WEIGHTS
from alpamayo_ros.runtime.text import bounded_text
from alpamayo_ros.runtime.text_model import load_grammar
from alpamayo_ros.types import EgoHistory, FrameStack, Reasoning


def load(files: ModelFiles, profile: ModelProfile) -> TorchRuntime | Fault:
    """Model and grammar from verified bytes; a missing or misshapen tensor is a fault that names
    it.
    """
    grammar = load_grammar(files, profile)
    data = files.get(WEIGHTS)
    if isinstance(grammar, Fault):
        return grammar
    if isinstance(data, Fault):
        return data
    model = VLA(profile)
    try:
        model.load_state_dict({k: v.float() for k, v in load_safetensors(data).items()})
    except RuntimeError as error:
        return Fault(Code.MODEL_FORMAT, f'{WEIGHTS}: {error}'[:500])
    identity = Identity('torch', profile.name, files.sha256, files.manifest.version)
    return TorchRuntime(model, grammar, identity)


class TorchRuntime:
    """Runtime protocol on the modules themselves, in float32."""

    def __init__(self, model: VLA, grammar: Grammar, identity: Identity) -> None:
        self.model, self.grammar = model.eval(), grammar
        self.profile = model.profile
        self._identity = identity

    @property
    def identity(self) -> Identity:
        """Kind ``torch`` and the hash of the manifest."""
        return self._identity

    @torch.no_grad()
    def encode(self, frames: FrameStack) -> Features:
        """Features of every timestep."""
        images, valid = torch.tensor(frames.images), torch.tensor(frames.valid).float()
        values = self.model.encode_timestep(images, valid).numpy()
        return Features(values, frames.age_s, frames.valid)

    @torch.no_grad()
    def reason(
        self, features: Features, ego: EgoHistory, navigation: str, prompt: str, draft: str
    ) -> Reasoning:
        """Chain of causation by plain passes over the whole sequence; the draft is not used."""
        text = self.profile.text
        speed = torch.tensor([float(ego.speed_mps[0])])
        age, valid = torch.tensor(features.age_s).float(), torch.tensor(features.valid).float()
        visual = self.model.fuse(torch.tensor(features.values)[None], age[None], valid[None])
        ids = prefix_ids(self.grammar.tokenizer, navigation, prompt, text.max_prefix)
        prefix = torch.tensor([ids])
        out: list[int] = []
        hidden = torch.zeros(1, 0, self.profile.backbone.width)

        def feed(tokens: Sequence[int], start: int) -> Float[np.ndarray, 'N V']:
            nonlocal hidden
            out[start:] = tokens
            coc = torch.tensor([out], dtype=torch.long)
            hidden = self.model.hidden(prefix, torch.ones(prefix.shape), visual, speed, coc)
            rows = hidden[0, hidden.shape[1] - len(tokens) - 1 :]
            return np.asarray(self.model.backbone.logits(rows).numpy())

        decoded = decode(self.grammar, feed, Draft(self.grammar, ''), text.max_coc)
        words, cut = bounded_text(self.grammar.text(decoded.ids))
        condition = Condition(hidden[0].numpy(), float(speed[0]))
        return Reasoning(words, decoded.ids, condition, cut or decoded.truncated)

    @torch.no_grad()
    def denoise(
        self, condition: Condition, noise: Float[np.ndarray, 'K P 3']
    ) -> Float[np.ndarray, 'K P 3']:
        """DDIM as ``VLA.denoise``."""
        hidden = torch.tensor(condition.hidden)[None]
        speed = torch.tensor([condition.speed_mps])
        start = torch.tensor(np.asarray(noise, np.float32))[None]
        plans = self.model.denoise(hidden, torch.ones(hidden.shape[:2]), speed, start)[0]
        return np.asarray(plans.numpy())

    def reset(self) -> None:
        """Nothing is cached."""

    def warm_up(self) -> None:
        """Nothing to warm."""

    def close(self) -> None:
        """Drop the model."""
        del self.model
