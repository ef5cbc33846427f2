"""Names and shapes of every tensor of a released Alpamayo 1.5 checkpoint, from its profile.

Counted on the vendor's own class on torch's meta device: 1,159 tensors, 11,078,526,194 numbers.
Sizes that no profile varies are constants here (Qwen3-VL report, 2025; R1's config.json).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from alpamayo_ros.layer_shapes import BackboneShape, DenoiserShape, VisionShape
from alpamayo_ros.profile import ModelProfile

Tensor = tuple[str, tuple[int, ...]]
PLACES = 48 * 48  # learned positions of the vision encoder
MERGED = 4  # neighbouring patches that become one token
PICTURES = 2  # in time, of one patch
FOURIER = 60  # features of time and of the two numbers of an action
HIDDEN = 512  # of the layers that read an action
ACTION = 2  # acceleration and curvature


def tensors(profile: ModelProfile) -> dict[str, tuple[int, ...]]:
    """Shape by name; ValueError for a profile of this package's own networks."""
    if not profile.released:
        raise ValueError(f'{profile.name} is no released model')
    vision, language, expert = profile.vision, profile.backbone, profile.denoiser
    words = (profile.text.vocab_size, language.width)
    head = language.width // language.heads
    return dict(
        [
            *_vision('vlm.model.visual.', vision, language.width),
            ('vlm.model.language_model.embed_tokens.weight', words),
            *_layers('vlm.model.language_model.', language, head),
            ('vlm.lm_head.weight', words),
            *_layers('expert.', expert, head),
            *_actions(expert.width),
        ]
    )


def parameters(profile: ModelProfile) -> dict[str, int]:
    """How many numbers each part has: ``vision``, ``backbone``, ``expert``."""
    counts = {'vision': 0, 'backbone': 0, 'expert': 0}
    for name, shape in tensors(profile).items():
        inner = 'vision' if '.visual.' in name else 'backbone'
        counts[inner if name.startswith('vlm.') else 'expert'] += prod(shape)
    return counts


def _both(name: str, *shape: int) -> Iterator[Tensor]:
    """Weight of ``shape`` and its bias."""
    yield f'{name}.weight', shape
    yield f'{name}.bias', shape[:1]


def _vision(at: str, v: VisionShape, out: int) -> Iterator[Tensor]:
    """The encoder of a picture, and the mergers that hand it to the language model."""
    assert v.ffn is not None  # layer_shapes.wrong_vision
    yield from _both(f'{at}patch_embed.proj', v.width, 3, PICTURES, v.patch, v.patch)
    yield f'{at}pos_embed.weight', (PLACES, v.width)
    for i in range(v.layers):
        block = f'{at}blocks.{i}.'
        yield from _both(f'{block}norm1', v.width)
        yield from _both(f'{block}norm2', v.width)
        yield from _both(f'{block}attn.qkv', 3 * v.width, v.width)
        yield from _both(f'{block}attn.proj', v.width, v.width)
        yield from _both(f'{block}mlp.linear_fc1', v.ffn, v.width)
        yield from _both(f'{block}mlp.linear_fc2', v.width, v.ffn)
    wide = MERGED * v.width
    inner = [(f'{at}deepstack_merger_list.{i}.', wide) for i in range(v.fusion_layers)]
    for merger, normed in ((f'{at}merger.', v.width), *inner):
        yield from _both(f'{merger}norm', normed)
        yield from _both(f'{merger}linear_fc1', wide, wide)
        yield from _both(f'{merger}linear_fc2', out, wide)


def _layers(at: str, shape: BackboneShape | DenoiserShape, head: int) -> Iterator[Tensor]:
    """Layers of Qwen3 and the norm behind them."""
    assert shape.ffn is not None and shape.kv_heads is not None
    width, keys = shape.width, shape.kv_heads * head
    for i in range(shape.layers):
        layer = f'{at}layers.{i}.'
        yield f'{layer}self_attn.q_proj.weight', (shape.heads * head, width)
        yield f'{layer}self_attn.k_proj.weight', (keys, width)
        yield f'{layer}self_attn.v_proj.weight', (keys, width)
        yield f'{layer}self_attn.o_proj.weight', (width, shape.heads * head)
        yield f'{layer}self_attn.q_norm.weight', (head,)
        yield f'{layer}self_attn.k_norm.weight', (head,)
        yield f'{layer}mlp.gate_proj.weight', (shape.ffn, width)
        yield f'{layer}mlp.up_proj.weight', (shape.ffn, width)
        yield f'{layer}mlp.down_proj.weight', (width, shape.ffn)
        yield f'{layer}input_layernorm.weight', (width,)
        yield f'{layer}post_attention_layernorm.weight', (width,)
    yield f'{at}norm.weight', (width,)


def _actions(width: int) -> Iterator[Tensor]:
    """What reads and writes the actions of the expert."""
    for i, (rows, columns) in {
        0: (HIDDEN, FOURIER),
        3: (HIDDEN, HIDDEN),
        6: (width, HIDDEN),
    }.items():
        yield from _both(f'action_in_proj.encoder.trunk.{i}', rows, columns)
    for i in (2, 5):
        yield f'action_in_proj.encoder.trunk.{i}.weight', (HIDDEN,)
    yield from _both('action_in_proj.norm', width)
    yield from _both('action_out_proj', ACTION, width)
