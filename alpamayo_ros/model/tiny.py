"""A profile at the size of a test: the same architecture, narrow and shallow.

What stays: cameras and views, timesteps, kinds of stem, trunk, bias, denoiser and inputs, biases,
norms, tying, whether heads share keys and a trunk has windows, points and candidates, RoPE base.
"""

from __future__ import annotations

from typing import Any

from alpamayo_ros.layer_shapes import BackboneShape, DenoiserShape, InputTokens, VisionShape
from alpamayo_ros.profile import ModelProfile, View

HEADS, HEAD_WIDTH, LAYERS, FFN = 4, 16, 2, 96
WIDTH = HEADS * HEAD_WIDTH
PATCHES = (4, 7)  # rows and columns of a view; where a trunk pads, its last row is part of one
WINDOWED, WINDOW = (4, 8), (2, 4)  # the same of a trunk with windows, and one of these
TEXT = {'vocab_size': 1024, 'max_prefix': 16, 'max_coc': 72}


def tiny(profile: ModelProfile, sample_steps: int | None = None) -> ModelProfile:
    """Every width becomes 64 in 4 heads, every stack 2 layers, the vocabulary 1,024.

    ``sample_steps``: of the denoiser, which an exported graph unrolls; None: the profile's.
    """
    data = profile.model_dump()
    data['description'] = f'{profile.name} at the size of a test'
    data['views'] = [_view(view, profile.vision).model_dump() for view in profile.views]
    data['text'] |= TEXT
    data['vision'] |= _vision(profile.vision)
    data['backbone'] |= _backbone(profile.backbone)
    data['denoiser'] |= _denoiser(profile.denoiser)
    data['inputs'] |= _inputs(profile.inputs)
    if sample_steps is not None:
        data['diffusion'] |= {'sample_steps': sample_steps}
    return ModelProfile.model_validate(data)


def _view(view: View, vision: VisionShape) -> View:
    patches = PATCHES if vision.window is None else WINDOWED
    height, width = (n * vision.patch for n in patches)
    cut = vision.patch // 4 if view.height % vision.patch else 0
    tokens = 6 if vision.trunk == 'vit' else 2
    return view.model_copy(update={'height': height - cut, 'width': width, 'tokens': tokens})


def _vision(shape: VisionShape) -> dict[str, Any]:
    pool = None if shape.pool is None else (2, 3)
    size = {'width': WIDTH, 'heads': HEADS, 'layers': LAYERS, 'fusion_layers': 1, 'pool': pool}
    return size if shape.window is None else size | {'window': WINDOW, 'global_layers': 1}


def _backbone(shape: BackboneShape) -> dict[str, Any]:
    kv_heads = HEADS if shape.kv_heads == shape.heads else 2
    context = None if shape.context is None else 512
    size = {'width': WIDTH, 'heads': HEADS, 'kv_heads': kv_heads, 'ffn': FFN}
    return size | {'layers': LAYERS, 'context': context}


def _denoiser(shape: DenoiserShape) -> dict[str, Any]:
    size: dict[str, Any] = {'width': WIDTH, 'heads': HEADS, 'layers': LAYERS}
    size['ffn'] = None if shape.ffn is None else FFN
    size['kv_heads'] = None if shape.kv_heads is None else 2
    return size | {'levels': tuple(16 * 2**i for i in range(len(shape.levels)))}


def _inputs(inputs: InputTokens) -> dict[str, Any]:
    return {'map_lines': min(inputs.map_lines, 3), 'map_points': 4}
