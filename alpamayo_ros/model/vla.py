"""The whole driver in torch: encode a timestep, fuse time, reason, denoise.

Sequence: ``[text prefix] [visual tokens] [ego] [CoC]`` (docs/design.md, "Sequence").  The prefix
is causal; visual and ego tokens see the prefix and each other (with a learned spatial bias) and
share one RoPE position; the CoC is causal and sees all.  The denoiser looks at the hidden states
of everything: words, scene and ego.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from alpamayo_ros.model.backbone import Backbone, causal
from alpamayo_ros.model.diffusion import alpha_bar, ddim_step, sample_steps, to_sample
from alpamayo_ros.model.dit import DiT
from alpamayo_ros.model.fusion import CrossCamera, Temporal, token_view_index
from alpamayo_ros.model.vit import ViewEncoder
from alpamayo_ros.profile import ModelProfile

MASKED = -1e4


class VLA(nn.Module):
    """Vision-language-action driver of a profile, in plain torch for CPU and CUDA."""

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        self.profile = profile
        n = profile.visual_tokens
        self.views = ViewEncoder(profile)
        self.cross = CrossCamera(profile)
        self.temporal = Temporal(profile)
        self.ego = nn.Sequential(
            nn.Linear(1, 64), nn.SiLU(), nn.Linear(64, profile.backbone.width)
        )
        self.spatial_bias = nn.Parameter(torch.zeros(n + 1, n + 1))
        self.backbone = Backbone(profile.backbone, profile.text.vocab_size, profile.max_sequence)
        self.dit = DiT(profile)
        self.register_buffer('alpha_bar', alpha_bar(profile.diffusion), persistent=False)
        view_of = token_view_index(profile)
        first = torch.tensor([int((view_of[:i] == view_of[i]).sum()) for i in range(n)])
        self.register_buffer('token_of', view_of * self.views.queries + first, persistent=False)

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
    def ego_token(self, speed_mps: Tensor) -> Tensor:
        """(B,) m/s -> (B, 1, width).

        Speed alone: longer histories brought nothing (docs/design.md, "Sequence").
        """
        return self.ego(speed_mps[:, None] / 10.0)[:, None]

    def positions(self, prefix: int, coc: int) -> Tensor:
        """RoPE positions of a sequence with ``prefix`` text tokens and ``coc`` CoC tokens.

        Scene tokens share the position ``max_prefix``; the CoC counts on from there.
        """
        top = self.profile.text.max_prefix
        device = self.spatial_bias.device
        return torch.cat(
            [
                torch.arange(prefix, device=device),
                torch.full((self.profile.visual_tokens + 1,), top, device=device),
                torch.arange(top + 1, top + 1 + coc, device=device),
            ]
        )

    def attention_mask(self, prefix_valid: Tensor, coc: int) -> Tensor:
        """Additive mask (B, 1, S, S); ``prefix_valid`` (B, prefix) is 0 on padding."""
        b, p = prefix_valid.shape
        n = self.profile.visual_tokens + 1
        mask = causal(p + n + coc, prefix_valid.device)
        scene = torch.zeros_like(mask)
        scene[p : p + n, p : p + n] = self.spatial_bias
        mask[p : p + n, p : p + n] = 0.0
        pad = torch.zeros(b, p + n + coc, device=prefix_valid.device)
        pad[:, :p] = (1.0 - prefix_valid) * MASKED
        return (mask + scene)[None, None] + pad[:, None, None]

    def hidden(
        self, prefix: Tensor, prefix_valid: Tensor, visual: Tensor, speed_mps: Tensor, coc: Tensor
    ) -> Tensor:
        """Hidden states (B, S, width) of ``[prefix][visual][ego][coc]``.

        prefix and coc are token ids.
        """
        x = torch.cat(
            [
                self.backbone.embed(prefix),
                visual,
                self.ego_token(speed_mps),
                self.backbone.embed(coc),
            ],
            1,
        )
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
        context = [
            (key.repeat_interleave(k, 0), value.repeat_interleave(k, 0))
            for key, value in self.dit.context(hidden)
        ]
        hide = ((1.0 - mask) * MASKED)[:, None, None].repeat_interleave(k, 0)
        speed = speed_mps.repeat_interleave(k)
        x = noise.flatten(0, 1)
        x0 = x
        diffusion = self.profile.diffusion
        for start, stop in sample_steps(diffusion, steps):
            a, z = float(self.alpha_bar[start]), float(self.alpha_bar[stop])
            t = torch.full((b * k,), start / diffusion.train_steps, device=x.device)
            out = self.dit(x, self.dit.condition(t, speed), context, hide)
            x0 = to_sample(out, x, a, diffusion.prediction_type).clamp(-6, 6)
            x = ddim_step(x0, x, a, z)
        return self.dit.to_metres(x0, speed).reshape(b, k, -1, 3)
