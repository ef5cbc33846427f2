"""Weights of a released checkpoint by their names there, from safetensors files.

Ours lie together where they are used together (queries, keys and values are one matrix), so a
name of the checkpoint is a view of one of our parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from alpamayo_ros.model.released.network import Network
from alpamayo_ros.model.released.sizes import PATCH_PX, StackSize

SHOWN = 3  # names in a message
VISION, WORDS = 'vlm.model.visual.', 'vlm.model.language_model.'
_NAMES = (  # ours and the checkpoint's, tried in this order
    (r'tower\.patches\.', rf'{VISION}patch_embed.proj.'),
    (r'tower\.places\.', rf'{VISION}pos_embed.'),
    (r'tower\.(blocks\.\d+\.)(norm\d)\.', rf'{VISION}\1\2.'),
    (r'tower\.(blocks\.\d+\.)qkv\.', rf'{VISION}\1attn.qkv.'),
    (r'tower\.(blocks\.\d+\.)out\.', rf'{VISION}\1attn.proj.'),
    (r'tower\.(blocks\.\d+\.)up\.', rf'{VISION}\1mlp.linear_fc1.'),
    (r'tower\.(blocks\.\d+\.)down\.', rf'{VISION}\1mlp.linear_fc2.'),
    (r'tower\.merger\.norm\.', rf'{VISION}merger.norm.'),
    (r'tower\.merger\.up\.', rf'{VISION}merger.linear_fc1.'),
    (r'tower\.merger\.down\.', rf'{VISION}merger.linear_fc2.'),
    (r'tower\.inner\.(\d+)\.norm\.', rf'{VISION}deepstack_merger_list.\1.norm.'),
    (r'tower\.inner\.(\d+)\.up\.', rf'{VISION}deepstack_merger_list.\1.linear_fc1.'),
    (r'tower\.inner\.(\d+)\.down\.', rf'{VISION}deepstack_merger_list.\1.linear_fc2.'),
    (r'language\.embed\.', f'{WORDS}embed_tokens.'),
    (r'language\.head\.', 'vlm.lm_head.'),
    (r'language\.stack\.', WORDS),
    (r'expert\.stack\.', 'expert.'),
    (r'expert\.read\.first\.', 'action_in_proj.encoder.trunk.0.'),
    (r'expert\.read\.norm1\.', 'action_in_proj.encoder.trunk.2.'),
    (r'expert\.read\.second\.', 'action_in_proj.encoder.trunk.3.'),
    (r'expert\.read\.norm2\.', 'action_in_proj.encoder.trunk.5.'),
    (r'expert\.read\.third\.', 'action_in_proj.encoder.trunk.6.'),
    (r'expert\.read\.norm\.', 'action_in_proj.norm.'),
    (r'expert\.write\.', 'action_out_proj.'),
)
_LAYER = {  # of a layer of Qwen3; more than one name: rows behind each other
    'norm1': ('input_layernorm',),
    'norm2': ('post_attention_layernorm',),
    'q_norm': ('self_attn.q_norm',),
    'k_norm': ('self_attn.k_norm',),
    'qkv': ('self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'),
    'out': ('self_attn.o_proj',),
    'gate_up': ('mlp.gate_proj', 'mlp.up_proj'),
    'down': ('mlp.down_proj',),
}
_IN_LAYER = re.compile(r'(.*\.?layers\.\d+\.)(\w+)\.weight')


def by_name(network: Network) -> dict[str, Tensor]:
    """Views of all parameters by the checkpoint's names, in its shapes."""
    found: dict[str, Tensor] = {}
    for name, parameter in network.named_parameters():
        size = network.sizes.expert if name.startswith('expert') else network.sizes.language
        found.update(_views(_renamed(name), parameter.detach(), size))
    return found


def load(network: Network, given: Iterable[tuple[str, Tensor]]) -> None:
    """Copy the checkpoint's tensors; ValueError names what is missing, unknown or misshaped."""
    views = by_name(network)
    missing, wrong = set(views), []
    for name, tensor in given:
        if name not in views:
            wrong.append(f'{name} is unknown')
        elif tensor.shape != views[name].shape:
            shapes = tuple(tensor.shape), tuple(views[name].shape)
            wrong.append(f'{name} has the shape {shapes[0]}, expected {shapes[1]}')
        else:
            views[name].copy_(tensor)
        missing.discard(name)
    wrong += [f'{name} is missing' for name in sorted(missing)]
    if wrong:
        more = f' and {len(wrong) - SHOWN} more' if len(wrong) > SHOWN else ''
        raise ValueError(
            f'no checkpoint of these sizes: {"; ".join(wrong[:SHOWN])}{more}; '
            'fetch it again, or choose its profile'
        )


def shards(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of the safetensors files of ``folder``, one at a time."""
    files = sorted(folder.glob('*.safetensors'))
    if not files:
        raise ValueError(f'no *.safetensors in {folder}; expected the folder of a checkpoint')
    for file in files:
        with safe_open(file, framework='pt') as opened:
            for name in opened.keys():
                yield name, opened.get_tensor(name)


@torch.no_grad()
def randomise(network: Network, seed: int, deviation: float = 0.02) -> None:
    """Random matrices, norms of 1, biases of 0: times do not depend on the numbers."""
    generator = torch.Generator(network.language.head.weight.device).manual_seed(seed)
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(0.0, deviation, generator=generator)
        else:
            parameter.fill_(0.0 if name.endswith('bias') else 1.0)


def _renamed(name: str) -> str:
    for ours, theirs in _NAMES:
        found, count = re.subn(rf'^{ours}', theirs, name)
        if count:
            return found
    raise KeyError(name)


def _views(name: str, parameter: Tensor, size: StackSize) -> Iterator[tuple[str, Tensor]]:
    """The parts of one parameter; ``size`` of the stack that it may belong to."""
    layer = _IN_LAYER.fullmatch(name)
    if layer is not None:
        keys = size.kv_heads * size.head_width
        rows = {'qkv': [size.heads * size.head_width, keys, keys], 'gate_up': [size.ffn] * 2}
        parts = parameter.split(rows.get(layer[2], [len(parameter)]))
        for part, view in zip(_LAYER[layer[2]], parts, strict=True):
            yield f'{layer[1]}{part}.weight', view
    elif name == f'{VISION}patch_embed.proj.weight':
        yield name, parameter.reshape(-1, 3, 2, PATCH_PX, PATCH_PX)
    else:
        yield name, parameter
