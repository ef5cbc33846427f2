"""What a profile amounts to: layers, parameters, memory, length of the sequence.

The networks are built on torch's meta device, which holds no numbers: ten billion parameters are
counted in a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from alpamayo_ros.model.layout import token_layout
from alpamayo_ros.model.vla import VLA
from alpamayo_ros.profile import ModelProfile

BYTES = {'bf16': 2, 'fp8': 1}  # a number in each precision


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the model: its layers in words, and how many parameters it has."""

    name: str
    layers: str
    parameters: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A profile in figures; ``sequence``: at most so many tokens of each kind."""

    profile: str
    description: str
    parts: tuple[Part, ...]
    sequence: dict[str, int]
    context: int
    kv_numbers_a_token: int

    @property
    def parameters(self) -> int:
        """Of all parts."""
        return sum(part.parameters for part in self.parts)

    @property
    def tokens(self) -> int:
        """The longest sequence."""
        return sum(self.sequence.values())

    def as_json(self) -> dict[str, Any]:
        """Everything as plain data, memory in bytes."""
        parts = [
            {'name': part.name, 'layers': part.layers, 'parameters': part.parameters}
            | {f'{kind}_bytes': part.parameters * size for kind, size in BYTES.items()}
            for part in self.parts
        ]
        cache = {kind: self.kv_numbers_a_token * size for kind, size in BYTES.items()}
        return {
            'profile': self.profile,
            'description': self.description,
            'parts': parts,
            'parameters': self.parameters,
            'sequence': self.sequence,
            'tokens': self.tokens,
            'context': self.context,
            'kv_cache_bytes_a_token': cache,
            'kv_cache_bytes': {kind: size * self.tokens for kind, size in cache.items()},
        }


def summarise(profile: ModelProfile) -> Summary:
    """Count a profile without making one number of it."""
    with torch.device('meta'):
        model = VLA(profile)
    layout, b = token_layout(profile), profile.backbone
    more = [m for m in (model.ego, model.age, model.history, model.map) if m is not None]
    parts = (
        Part('vision', _vision(profile), _count(model.views)),
        Part('fusion', _fusion(profile), _count(model.cross, model.temporal)),
        Part('inputs', _inputs(profile), _count(*more) + model.spatial_bias.numel()),
        Part('backbone', _backbone(profile), _count(model.backbone)),
        Part('denoiser', _denoiser(profile), _count(model.denoiser)),
    )
    assert sum(part.parameters for part in parts) == _count(model)
    return Summary(
        profile.name,
        profile.description,
        parts,
        {segment.name: segment.length for segment in layout.segments},
        profile.backbone.context or layout.max_sequence,
        2 * b.layers * b.kv_heads * (b.width // b.heads),
    )


def _count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def _vision(profile: ModelProfile) -> str:
    v, (height, width) = profile.vision, profile.view_size
    kind = 'queries' if v.pool is None else f'means of {v.pool[0]} x {v.pool[1]} cells'
    return (
        f'{len(profile.views)} views of {width} x {height}, patch {v.patch}; '
        f'{v.layers} x {v.width}, {v.heads} heads{_windows(profile)}; {kind}'
    )


def _windows(profile: ModelProfile) -> str:
    v = profile.vision
    if v.window is None or v.global_layers is None:
        return ''
    rows, columns = v.window
    return f', windows of {rows} x {columns} patches in {v.layers - v.global_layers} layers'


def _fusion(profile: ModelProfile) -> str:
    v, n = profile.vision, profile.visual_tokens
    across = f'{n:,} tokens across cameras, {v.fusion_layers} x {v.width}'
    if v.timesteps == 'all':
        return f'{across}; all {profile.frames.count} timesteps go on'
    return f'{across}; {v.fusion_layers} x {v.width} over {profile.frames.count} timesteps'


def _inputs(profile: ModelProfile) -> str:
    found = ['speed']
    if profile.vision.timesteps == 'all':
        found.append('ages')
    if profile.inputs.ego_history:
        found.append(f'{profile.ego_history.count} past instants')
    if profile.inputs.map_lines:
        found.append(f'{profile.inputs.map_lines} lanes of {profile.inputs.map_points} points')
    return f'{", ".join(found)}; bias a pair of {profile.vision.spatial_bias}s'


def _backbone(profile: ModelProfile) -> str:
    b = profile.backbone
    extras = [name for name in ('qkv_bias', 'qk_norm') if getattr(b, name)]
    heads = f'{b.heads} heads ({b.kv_heads} KV) of {b.width // b.heads}'
    words = f'{profile.text.vocab_size:,} words{", tied" if b.tie_embeddings else ""}'
    more = f'RoPE theta {b.rope_theta:,.0f}; {words}'
    return '; '.join([f'{b.layers} x {b.width}, {heads}, SwiGLU {b.ffn}', more, *extras])


def _denoiser(profile: ModelProfile) -> str:
    d, diffusion = profile.denoiser, profile.diffusion
    solver = {'ddim': 'DDIM', 'dpmpp_2m': 'DPM-Solver++'}[diffusion.solver]
    steps = f'DDPM {diffusion.train_steps}, {solver} {diffusion.sample_steps}'
    heads = f'{d.heads} heads ({d.kv_heads or d.heads} KV) of {d.head_width}'
    if d.kind == 'unet':
        levels = '/'.join(map(str, d.levels))
        return f'U-Net {levels}, {d.layers} blocks a level, cross-attention {heads}; {steps}'
    inside = f'GELU {4 * d.width}' if d.ffn is None else f'SwiGLU {d.ffn}'
    return f'DiT {d.layers} x {d.width}, {heads}, {inside}; {steps}'
