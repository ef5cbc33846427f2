"""The whole driver in torch: encode a timestep, fuse time, reason, denoise.

The backbone reads the sequence of ``model.layout`` (docs/design.md, "Sequence").  The denoiser
looks at the hidden states of everything: words, scene and ego.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from alpamayo_ros.model.backbone import Backbone
from alpamayo_ros.model.diffusion import alpha_bar, denoise_step, levels, sample_steps
from alpamayo_ros.model.dit import DiT
from alpamayo_ros.model.ego import EgoEncoder
from alpamayo_ros.model.fusion import CrossCamera, Temporal, token_view_index
from alpamayo_ros.model.layout import MASKED, token_layout
from alpamayo_ros.model.vit import ViewEncoder
from alpamayo_ros.profile import ModelProfile

EGO_HIDDEN = 64


class VLA(nn.Module):
    """Vision-language-action driver of a profile, in plain torch for CPU and CUDA."""

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        self.profile = profile
        n = profile.visual_tokens
        self.views = ViewEncoder(profile)
        self.cross = CrossCamera(profile)
        self.temporal = Temporal(profile)
        self.layout = token_layout(profile)
        self.ego = EgoEncoder(EGO_HIDDEN, profile.backbone.width)
        scene = self.layout.scene_tokens
        self.spatial_bias = nn.Parameter(torch.zeros(scene, scene))
        longest = self.layout.max_sequence
        self.backbone = Backbone(profile.backbone, profile.text.vocab_size, longest)
        self.dit = DiT(profile)
        self.register_buffer('alpha_bar', alpha_bar(profile.diffusion), persistent=False)
        view_of = token_view_index(profile)
        first = torch.tensor([int((view_of[:i] == view_of[i]).sum()) for i in range(n)])
        self.register_buffer('token_of', view_of * self.views.queries + first, persistent=False)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.spatial_bias.device

    # -- vision ---------------------------------------------------------------------------------
    def view_tokens(self, images: Tensor) -> Tensor:
        """images (B, V, H, W, 3) 0..255 -> tokens (B, N, width), every view on its own."""
        b, v = images.shape[:2]
        index = torch.arange(v, device=images.device).repeat(b)
        tokens = self.views(images.flatten(0, 1), index)
        return tokens.reshape(b, v * self.views.queries, -1)[:, self.token_of]

    def encode_timestep(self, images: Tensor, valid: Tensor) -> Tensor:
        """images (B, V, H, W, 3) 0..255, valid (B, V) -> features (B, N, width).

        Depends on one timestep alone.
        """
        return self.cross(self.view_tokens(images), valid)

    def fuse(self, features: Tensor, age_s: Tensor, valid: Tensor) -> Tensor:
        """features (B, T, N, width), newest first -> visual tokens (B, N, backbone width).

        Age and valid are (B, T, V).
        """
        return self.temporal(features, age_s, valid)

    # -- language -------------------------------------------------------------------------------
    def scene(self, visual: Tensor, speed_mps: Tensor) -> Tensor:
        """Embeddings (B, M, width) of all scene segments: visual tokens and (B,) m/s as one."""
        return torch.cat([visual, self.ego(speed_mps)[:, None]], 1)

    def positions(self, prefix: int, coc: int) -> Tensor:
        """RoPE positions of a sequence with ``prefix`` text tokens and ``coc`` CoC tokens."""
        sequence = self.layout.sequence(prefix=prefix, coc=coc)
        return torch.from_numpy(sequence.positions()).to(self.device)

    def attention_mask(self, prefix_valid: Tensor, coc: int) -> Tensor:
        """Additive mask (B, 1, S, S); ``prefix_valid`` (B, prefix) is 0 on padding."""
        b, p = prefix_valid.shape
        sequence = self.layout.sequence(prefix=p, coc=coc)
        mask = torch.from_numpy(sequence.mask()).to(prefix_valid.device)
        bias = torch.zeros_like(mask)
        bias[sequence.scene, sequence.scene] = self.spatial_bias
        pad = torch.zeros(b, len(sequence), device=prefix_valid.device)
        pad[:, :p] = (1.0 - prefix_valid) * MASKED
        return (mask + bias)[None, None] + pad[:, None, None]

    def hidden(
        self, prefix: Tensor, prefix_valid: Tensor, visual: Tensor, speed_mps: Tensor, coc: Tensor
    ) -> Tensor:
        """Hidden states (B, S, width) of the whole sequence; prefix and coc are token ids."""
        embed = self.backbone.embed
        x = torch.cat([embed(prefix), self.scene(visual, speed_mps), embed(coc)], 1)
        mask = self.attention_mask(prefix_valid, coc.shape[1])
        return self.backbone(x, self.positions(prefix.shape[1], coc.shape[1]), mask)

    # -- action ---------------------------------------------------------------------------------
    def denoise(
        self,
        hidden: Tensor,
        mask: Tensor,
        speed_mps: Tensor,
        noise: Tensor,
        steps: int | None = None,
    ) -> Tensor:
        """DDIM from noise (B, K, P, 3) to metres (B, K, P, 3).

        ``mask`` (B, S) is 0 where hidden is padding.
        """
        b, k = noise.shape[:2]
        context, hide = self.dit.context(hidden), ((1.0 - mask) * MASKED)[:, None, None]
        speed = speed_mps.repeat_interleave(k)
        x = x0 = noise.flatten(0, 1)
        diffusion = self.profile.diffusion
        for start, stop in sample_steps(diffusion, steps):
            t = torch.full((b * k,), start / diffusion.train_steps, device=x.device)
            out = self.dit(x, self.dit.condition(t, speed), context, hide)
            step = levels(float(self.alpha_bar[start]), float(self.alpha_bar[stop]))
            x0, x = denoise_step(out, x, step, diffusion.prediction_type)
        return self.dit.to_metres(x0, speed).reshape(b, k, -1, 3)
