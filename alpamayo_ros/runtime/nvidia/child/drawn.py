"""NVIDIA's class with random weights: its times at given sizes, without a checkpoint.

The numbers of the configuration are those of the public one of Alpamayo 1.5.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

import torch

from alpamayo_ros.model.released.vocabulary import BINS
from alpamayo_ros.runtime.nvidia.child.engine import VendorEngine
from alpamayo_ros.runtime.nvidia.child.names import CONFIG, MODEL, PACKAGE
from alpamayo_ros.runtime.nvidia.child.settings import Settings

SPACE = f'{PACKAGE}.action_space'
ACTIONS: dict[str, Any] = {
    '_target_': f'{SPACE}.UnicycleAccelCurvatureActionSpace',
    'accel_mean': 0.02902694707164455, 'accel_std': 0.6810426736454882,
    'curvature_mean': 0.0002692167976330542, 'curvature_std': 0.026148280660833106,
    'accel_bounds': [-9.8, 9.8], 'curvature_bounds': [-0.33, 0.33], 'dt': 0.1,
}  # fmt: skip
PIXELS = {'min_pixels': 163_840, 'max_pixels': 196_608}


def load(settings: Settings) -> VendorEngine:
    """The vendor's class in the sizes of ``settings``, drawn on its device."""
    config_kind = importlib.import_module(CONFIG).Alpamayo1_5Config
    kind = importlib.import_module(MODEL).Alpamayo1_5
    kept = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, settings.dtype))
    try:
        with tempfile.TemporaryDirectory() as name, torch.device(settings.device):
            language_folder(settings, Path(name))
            model = kind(config_kind(**configuration(settings, name)))
    finally:
        torch.set_default_dtype(kept)
    return VendorEngine(model.to(settings.device).eval(), settings)


def language_folder(settings: Settings, folder: Path) -> None:
    """The files of the language model's folder, its configuration with other sizes."""
    for path in Path(settings.vlm).iterdir():
        if path.is_file() and path.suffix != '.safetensors' and path.name != 'config.json':
            (folder / path.name).symlink_to(path.resolve())
    data = json.loads((Path(settings.vlm) / 'config.json').read_text())
    tower, language = settings.sizes['tower'], settings.sizes['language']
    data['text_config'] |= {
        'hidden_size': language['width'], 'intermediate_size': language['ffn'],
        'num_hidden_layers': language['layers'], 'num_attention_heads': language['heads'],
        'num_key_value_heads': language['kv_heads'], 'head_dim': language['head_width'],
        'rope_theta': settings.sizes['theta'], 'dtype': settings.dtype,
    }  # fmt: skip
    rope = data['text_config'].get('rope_scaling') or {}
    data['text_config']['rope_scaling'] = {
        **rope, 'mrope_section': list(settings.sizes['sections'])
    }  # fmt: skip
    data['vision_config'] |= {
        'depth': tower['layers'], 'hidden_size': tower['width'], 'num_heads': tower['heads'],
        'intermediate_size': tower['ffn'], 'out_hidden_size': tower['out'],
        'deepstack_visual_indexes': list(tower['inner']),
    }  # fmt: skip
    (folder / 'config.json').write_text(json.dumps(data))


def configuration(settings: Settings, language: str) -> dict[str, Any]:
    """What the vendor's configuration is made of; ``language``: that model's folder."""
    sizes, expert = settings.sizes, settings.sizes['expert']
    return {
        'vlm_name_or_path': language, 'attn_implementation': settings.attention,
        'model_dtype': settings.dtype, 'add_special_tokens': True, **PIXELS,
        'traj_vocab_size': BINS[1] - BINS[0], 'tokens_per_history_traj': 3 * settings.history,
        'tokens_per_future_traj': 2 * settings.points,
        'traj_tokenizer_cfg': {
            '_target_': f'{SPACE}.discrete_action_space.DiscreteTrajectoryTokenizer',
            '_recursive_': False, 'action_space_cfg': {'_target_': ACTIONS['_target_']},
            'dims_min': [-10, -10], 'dims_max': [10, 10], 'num_bins': 3000,
        },
        'hist_traj_tokenizer_cfg': {
            '_target_': f'{PACKAGE}.models.delta_tokenizer.DeltaTrajectoryTokenizer'
        },
        'action_space_cfg': {**ACTIONS, 'n_waypoints': settings.points},
        'diffusion_cfg': {
            '_target_': f'{PACKAGE}.diffusion.flow_matching.FlowMatching',
            'int_method': 'euler', 'num_inference_steps': settings.steps,
        },
        'action_in_proj_cfg': {
            '_target_': f'{PACKAGE}.models.action_in_proj.PerWaypointActionInProjV2',
            'hidden_size': sizes['hidden'], 'max_freq': 100.0, 'num_enc_layers': 2,
            'num_fourier_feats': 20,
        },
        'action_out_proj_cfg': {'_target_': 'torch.nn.Linear'},
        'expert_cfg': {
            'hidden_size': expert['width'], 'intermediate_size': expert['ffn'],
            'num_attention_heads': expert['heads'], 'head_dim': expert['head_width'],
        },
        'include_camera_ids': settings.named, 'include_frame_nums': settings.named,
    }  # fmt: skip
