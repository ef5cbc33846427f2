"""Weights of Qwen2, Qwen2.5 and Qwen3 text models into the backbone, by name.

The folder is laid out as Hugging Face's: ``config.json`` and ``model.safetensors``, or shards that
``model.safetensors.index.json`` lists.  Tensors are read one at a time; nothing in them can run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from alpamayo_ros.faults import Code, Fault
from alpamayo_ros.model.backbone import Backbone

CONFIG, INDEX, WHOLE = 'config.json', 'model.safetensors.index.json', 'model.safetensors'
HEAD = 'lm_head.weight'
PARTS = (
    ('embed_tokens', 'embed'),
    ('input_layernorm', 'norm1'),
    ('post_attention_layernorm', 'norm2'),
    ('self_attn.o_proj', 'out'),
    ('self_attn.', ''),
    ('_proj', ''),
)
FORMATS = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}
SHOWN = 3  # names in an error, of each kind


class _WrongFolder(Exception):
    """What does not fit, in words."""


def backbone_name(name: str) -> str:
    """``model.layers.0.self_attn.q_proj.weight`` -> ``layers.0.q.weight``."""
    if name == HEAD:
        return 'head.weight'
    name = name.removeprefix('model.')
    for theirs, ours in PARTS:
        name = name.replace(theirs, ours)
    return name


def load_text_weights(backbone: Backbone, folder: Path) -> Fault | None:
    """Copy the weights of a checkpoint into ``backbone``, or say all that does not fit.

    After a fault the backbone holds what it held before.
    """
    try:
        _check_config(backbone, _json(folder / CONFIG))
        files = _files(folder)
        _check_tensors(backbone, files)
        _copy(backbone, files)
    except (OSError, SafetensorError, _WrongFolder) as error:
        return Fault(Code.MODEL_FORMAT, f'{folder}: {error}')
    return None


def number_format(folder: Path) -> torch.dtype | Fault:
    """How wide the numbers of a checkpoint are, by its configuration."""
    try:
        config = _json(folder / CONFIG)
        name = config.get('dtype') or config.get('torch_dtype') or 'float32'
        if name not in FORMATS:
            raise _WrongFolder(f'numbers are {name}; expected is one of {", ".join(FORMATS)}')
    except (OSError, _WrongFolder) as error:
        return Fault(Code.MODEL_FORMAT, f'{folder}: {error}')
    return FORMATS[name]


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise _WrongFolder(f'no {path.name}; expected is the folder of a Qwen2.5 or Qwen3 model')
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise _WrongFolder(f'{path.name} is no JSON ({error}); download it again') from error
    if not isinstance(found, dict):
        raise _WrongFolder(f'{path.name} holds no table; download it again')
    return found


def _check_config(backbone: Backbone, config: dict[str, Any]) -> None:
    """What the shapes of the tensors cannot tell: kind, heads, RoPE, epsilon, tying."""
    s, kind = backbone.shape, 'qwen3' if backbone.shape.qk_norm else 'qwen2'
    rope = config.get('rope_parameters') or config
    wanted = {
        'model_type': (config.get('model_type'), kind),
        'num_attention_heads': (config.get('num_attention_heads'), s.heads),
        'num_key_value_heads': (config.get('num_key_value_heads'), s.kv_heads),
        'rope_theta': (rope.get('rope_theta'), s.rope_theta),
        'rope_type': (rope.get('rope_type', 'default'), 'default'),
        'rope_scaling': (config.get('rope_scaling'), None),
        'rms_norm_eps': (config.get('rms_norm_eps'), backbone.norm.eps),
        'hidden_act': (config.get('hidden_act'), 'silu'),
        'use_sliding_window': (config.get('use_sliding_window', False), False),
        'tie_word_embeddings': (config.get('tie_word_embeddings', False), s.tie_embeddings),
    }
    wrong = [f'{k} is {a}, the profile asks for {b}' for k, (a, b) in wanted.items() if a != b]
    if wrong:
        raise _WrongFolder(f'{CONFIG}: {"; ".join(wrong)}; take a profile with these values')


def _files(folder: Path) -> list[Path]:
    """The shards, in the order of their names."""
    if not (folder / INDEX).is_file():
        if not (folder / WHOLE).is_file():
            raise _WrongFolder(f'neither {INDEX} nor {WHOLE}; download the weights')
        return [folder / WHOLE]
    listed = _json(folder / INDEX).get('weight_map')
    names = sorted({str(name) for name in listed.values()}) if isinstance(listed, dict) else []
    odd = [name for name in names if not re.fullmatch(r'[\w.-]+\.safetensors', name)]
    if odd or not names:
        raise _WrongFolder(f'{INDEX} names {odd[:SHOWN] or "no file"}; download it again')
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        raise _WrongFolder(f'{len(absent)} of {len(names)} shards are missing: {_few(absent)}')
    return [folder / name for name in names]


def _tensors(files: list[Path], tied: bool) -> Iterator[tuple[str, Any, str]]:
    """Each tensor's name in the backbone, its open shard and its name there."""
    for path in files:
        with safe_open(path, framework='pt') as shard:
            for name in shard.keys():
                if not (tied and name == HEAD):  # a copy of the embeddings
                    yield backbone_name(name), shard, name


def _check_tensors(backbone: Backbone, files: list[Path]) -> None:
    state = backbone.state_dict()
    found: dict[str, list[int]] = {}
    for name, shard, theirs in _tensors(files, backbone.head is None):
        if name in found:
            raise _WrongFolder(f'{theirs} is there twice; download the weights again')
        found[name] = shard.get_slice(theirs).get_shape()
    shapes = [
        f'{name} is {found[name]}, not {list(value.shape)}'
        for name, value in state.items()
        if name in found and found[name] != list(value.shape)
    ]
    wrong = {
        'missing': [name for name in state if name not in found],
        'unknown': [name for name in found if name not in state],
        'of another shape': shapes,
    }
    said = [f'{len(names)} {kind}: {_few(names)}' for kind, names in wrong.items() if names]
    if said:
        raise _WrongFolder(f'tensors {"; ".join(said)}; these weights are of another profile')


@torch.no_grad()
def _copy(backbone: Backbone, files: list[Path]) -> None:
    state = backbone.state_dict()
    for name, shard, theirs in _tensors(files, backbone.head is None):
        state[name].copy_(shard.get_tensor(theirs))


def _few(names: list[str]) -> str:
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(names[:SHOWN]) + more
