"""The whole driver in torch: encode a timestep, fuse time, reason, denoise.

The backbone reads the sequence of ``model.layout`` (docs/design.md, "Sequence").  The denoiser
looks at the hidden states of everything: words, scene and ego; without ``denoiser.sees_scene`` of
everything but the visual tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from alpamayo_ros.model.backbone import Backbone
from alpamayo_ros.model.denoiser.denoiser import Denoiser
from alpamayo_ros.model.denoiser.dit import DiT
from alpamayo_ros.model.denoiser.unet import TemporalUNet
from alpamayo_ros.model.diffusion import alpha_bar
from alpamayo_ros.model.ego import EgoEncoder
from alpamayo_ros.model.layout import MASKED, Sequence, bias_groups, token_layout
from alpamayo_ros.model.sampler import advance, sampler
from alpamayo_ros.model.scene_inputs import HistoryTokens, MapTokens, SceneInputs
from alpamayo_ros.model.vision.fusion import AgeToken, CrossCamera, EveryTimestep, Temporal
from alpamayo_ros.model.vision.trunk_views import TrunkViews
from alpamayo_ros.model.vision.views import ViewEncoder
from alpamayo_ros.profile import ModelProfile

EGO_HIDDEN = 64
ABSENT = SceneInputs()


class VLA(nn.Module):
    """Vision-language-action driver of a profile, in plain torch for CPU and CUDA."""

    dit: DiT  # or ``unet``: weights are named after the kind of denoiser

    def __init__(self, profile: ModelProfile) -> None:
        super().__init__()
        self.profile, self.layout = profile, token_layout(profile)
        vision, inputs = profile.vision, profile.inputs
        every = vision.timesteps == 'all'
        self.views = (TrunkViews if vision.trunk == 'vit' else ViewEncoder)(profile)
        self.cross = CrossCamera(profile)
        self.temporal = (EveryTimestep if every else Temporal)(profile)
        self.ego = EgoEncoder(EGO_HIDDEN, profile.backbone.width)
        self.age = AgeToken(profile, EGO_HIDDEN) if every else None
        self.history = HistoryTokens(profile) if inputs.ego_history else None
        self.map = MapTokens(profile) if inputs.map_lines else None
        self._learn_bias()
        positions = profile.backbone.context or self.layout.max_sequence
        self.backbone = Backbone(profile.backbone, profile.text.vocab_size, positions)
        unet = profile.denoiser.kind == 'unet'
        self.add_module(profile.denoiser.kind, (TemporalUNet if unet else DiT)(profile))
        self.register_buffer('alpha_bar', alpha_bar(profile.diffusion), persistent=False)
        first = [i * self.views.queries for i in range(len(profile.views))]
        token_of = [
            f + k for f, v in zip(first, profile.views, strict=True) for k in range(v.tokens)
        ]
        self.register_buffer('token_of', torch.tensor(token_of), persistent=False)

    def _learn_bias(self) -> None:
        """A bias a pair of scene tokens, or a pair of groups of them."""
        size, groups = self.layout.scene_tokens, None
        if self.profile.vision.spatial_bias == 'view':
            groups = torch.tensor(bias_groups(self.profile, self.layout))
            size = len(self.profile.views) + len(self.layout.segments)
        self.register_buffer('bias_group', groups, persistent=False)
        self.spatial_bias = nn.Parameter(torch.zeros(size, size))

    @property
    def denoiser(self) -> Denoiser:
        """The trajectory denoiser, of whichever kind."""
        found = getattr(self, self.profile.denoiser.kind)
        assert isinstance(found, Denoiser)
        return found

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.spatial_bias.device

    # -- vision ---------------------------------------------------------------------------------
    def view_tokens(self, images: Tensor) -> Tensor:
        """images (B, V, H, W, 3) 0..255 -> tokens (B, N, width), every view on its own."""
        return self._by_view(self.views(images.flatten(0, 1), self._view_index(images)))

    def patch_tokens(self, patches: Tensor) -> Tensor:
        """Stem outputs (B, V, patches, width), of ``views.patches`` -> tokens (B, N, width)."""
        assert isinstance(self.views, ViewEncoder)
        return self._by_view(self.views.pooled(patches.flatten(0, 1), self._view_index(patches)))

    def _view_index(self, seen: Tensor) -> Tensor:
        return torch.arange(seen.shape[1], device=seen.device).repeat(len(seen))

    def _by_view(self, tokens: Tensor) -> Tensor:
        """(B * V, queries, width) -> (B, N, width): as many of each view as it has."""
        views = len(self.profile.views)
        return tokens.reshape(-1, views * tokens.shape[1], tokens.shape[2])[:, self.token_of]

    def encode_timestep(self, images: Tensor, valid: Tensor) -> Tensor:
        """images (B, V, H, W, 3) 0..255, valid (B, V) -> features (B, N, width).

        Depends on one timestep alone.
        """
        return self.cross(self.view_tokens(images), valid)

    def fuse(self, features: Tensor, age_s: Tensor, valid: Tensor) -> Tensor:
        """features (B, T, N, width), newest first -> visual tokens (B, N, backbone width).

        (B, T * N, backbone width), oldest first, where the backbone reads every timestep.  Age and
        valid are (B, T, V).
        """
        return self.temporal(features, age_s, valid)

    # -- language -------------------------------------------------------------------------------
    def scene(self, visual: Tensor, speed_mps: Tensor, more: SceneInputs = ABSENT) -> Tensor:
        """Embeddings (B, M, width) of the scene segments: pictures, (B,) m/s, and ``more``."""
        parts = [visual, self.ego(speed_mps)[:, None]]
        if self.map is not None:
            parts.insert(0, self.map.tokens(more, len(visual)))
        if self.age is not None:
            if more.age_s is None:
                raise ValueError('a backbone that reads every timestep needs SceneInputs.age_s')
            parts.append(self.age(more.age_s))
        if self.history is not None:
            parts.append(self.history.tokens(more, len(visual)))
        return torch.cat(parts, 1)

    def scene_bias(self) -> Tensor:
        """(M, M) learned bias between scene tokens."""
        if self.bias_group is None:
            return self.spatial_bias
        return self.spatial_bias[self.bias_group][:, self.bias_group]

    def sequence(self, prefix: int, coc: int, prior: int = 0) -> Sequence:
        """A sequence with so many tokens of text."""
        counts = {'prefix': prefix, 'coc': coc}
        if prior or 'prior' in self.layout.names:
            counts['prior'] = prior
        return self.layout.sequence(**counts)

    def positions(self, prefix: int, coc: int, prior: int = 0) -> Tensor:
        """RoPE positions of a sequence with so many tokens of text."""
        return torch.from_numpy(self.sequence(prefix, coc, prior).positions()).to(self.device)

    def attention_mask(
        self, prefix_valid: Tensor, coc: int, prior_valid: Tensor | None = None
    ) -> Tensor:
        """Additive mask (B, 1, S, S); ``prefix_valid`` (B, prefix) is 0 on padding.

        So is ``prior_valid`` (B, prior).
        """
        b, p = prefix_valid.shape
        prior = 0 if prior_valid is None else prior_valid.shape[1]
        sequence = self.sequence(p, coc, prior)
        mask = torch.from_numpy(sequence.mask()).to(prefix_valid.device)
        bias = torch.zeros_like(mask)
        bias[sequence.scene, sequence.scene] = self.scene_bias()
        pad = torch.zeros(b, len(sequence), device=prefix_valid.device)
        pad[:, :p] = (1.0 - prefix_valid) * MASKED
        if prior_valid is not None:
            pad[:, sequence.span('prior')] = (1.0 - prior_valid) * MASKED
        return (mask + bias)[None, None] + pad[:, None, None]

    def hidden(
        self,
        prefix: Tensor,
        prefix_valid: Tensor,
        visual: Tensor,
        speed_mps: Tensor,
        coc: Tensor,
        more: SceneInputs = ABSENT,
        prior: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Hidden states (B, S, width) of the whole sequence; prefix and coc are token ids.

        ``prior``: ids of the chain of causation of the cycle before and which of them are real,
        both (B, R).
        """
        embed, scene = self.backbone.embed, self.scene(visual, speed_mps, more)
        before = [] if prior is None else [embed(prior[0])]
        x = torch.cat([embed(prefix), scene, *before, embed(coc)], 1)
        mask = self.attention_mask(prefix_valid, coc.shape[1], prior[1] if prior else None)
        count = prior[0].shape[1] if prior else 0
        return self.backbone(x, self.positions(prefix.shape[1], coc.shape[1], count), mask)

    # -- action ---------------------------------------------------------------------------------
    def denoiser_mask(
        self, prefix_valid: Tensor, coc_valid: Tensor, prior_valid: Tensor | None = None
    ) -> Tensor:
        """(B, S) 1 where the denoiser looks: real text, and the scene as far as it sees it."""
        seen = ~torch.from_numpy(self.layout.visual()) | self.profile.denoiser.sees_scene
        scene = seen.to(coc_valid).expand(len(coc_valid), -1)
        before = [] if prior_valid is None else [prior_valid]
        return torch.cat([prefix_valid, scene, *before, coc_valid], 1)

    def denoise(
        self,
        hidden: Tensor,
        mask: Tensor,
        speed_mps: Tensor,
        noise: Tensor,
        steps: int | None = None,
    ) -> Tensor:
        """The profile's solver from noise (B, K, P, 3) to metres (B, K, P, 3).

        ``mask`` (B, S) from :meth:`denoiser_mask`: 0 where it may not look.
        """
        b, k = noise.shape[:2]
        net = self.denoiser
        context, hide = net.context(hidden), ((1.0 - mask) * MASKED)[:, None, None]
        speed = speed_mps.repeat_interleave(k)
        x = x0 = noise.flatten(0, 1)
        diffusion = self.profile.diffusion
        for step in sampler(diffusion, steps):
            t = torch.full((b * k,), step.start / diffusion.train_steps, device=x.device)
            out = net(x, net.condition(t, speed), context, hide).float()
            x0, x = advance(out, x, x0, step.numbers, diffusion.prediction_type)
        return net.to_metres(x0, speed).reshape(b, k, -1, 3)

    def regress(self, hidden: Tensor, mask: Tensor, speed_mps: Tensor) -> Tensor:
        """One plan (B, P, 3) in metres of a denoiser that is trained as a regression so far."""
        net = self.denoiser
        t = torch.ones(len(speed_mps), device=speed_mps.device)
        silent = hidden.new_zeros(len(speed_mps), self.profile.trajectory.points, 3)
        hide = ((1.0 - mask) * MASKED)[:, None, None]
        out = net(silent, net.condition(t, speed_mps), net.context(hidden), hide)
        return net.to_metres(out.float(), speed_mps)
