"""What NVIDIA's class with random weights is made of: sizes, and files of the language model."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from support.released_networks.asked import SETTINGS

from alpamayo_ros.model.released.sizes import sizes
from alpamayo_ros.profile import load_profile
from alpamayo_ros.runtime.nvidia.child import drawn

REAL = replace(
    SETTINGS, sizes=asdict(sizes(load_profile('nvidia-1.5-10b'))), tokens=180, dtype='bfloat16'
)


def test_the_released_numbers():
    found = drawn.configuration(REAL, '/vlm')
    expert = {'hidden_size': 2048, 'intermediate_size': 8256, 'num_attention_heads': 16}
    assert found['expert_cfg'] == {**expert, 'head_dim': 128}
    assert found['action_in_proj_cfg']['hidden_size'] == 512
    assert (found['traj_vocab_size'], found['tokens_per_future_traj']) == (4000, 128)
    assert found['tokens_per_history_traj'] == 48
    assert found['action_space_cfg']['n_waypoints'] == 64


def test_the_language_models_files_with_other_sizes(tmp_path):
    vlm, folder = tmp_path / 'vlm', tmp_path / 'made'
    vlm.mkdir()
    folder.mkdir()
    shapes = {'text_config': {'vocab_size': 151_936}, 'vision_config': {'patch_size': 16}}
    (vlm / 'config.json').write_text(json.dumps(shapes))
    (vlm / 'tokenizer.json').write_text('words')
    (vlm / 'model.safetensors').write_text('weights that are not needed')
    drawn.language_folder(replace(REAL, vlm=str(vlm)), folder)
    assert {path.name for path in folder.iterdir()} == {'config.json', 'tokenizer.json'}
    assert (folder / 'tokenizer.json').read_text() == 'words'
    made = json.loads((folder / 'config.json').read_text())
    assert made['text_config']['num_hidden_layers'] == 36
    assert made['text_config']['vocab_size'] == 151_936
    assert made['text_config']['rope_scaling'] == {'mrope_section': [24, 20, 20]}
    assert made['vision_config']['deepstack_visual_indexes'] == [8, 16, 24]
    assert json.loads((vlm / 'config.json').read_text()) == shapes
