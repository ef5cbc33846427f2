"""Parts of the vendor's process that need torch and no vendor: the memory of pictures, loading."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from alpamayo_ros.runtime.nvidia.child.load import configuration, refuse
from alpamayo_ros.runtime.nvidia.child.settings import Settings
from alpamayo_ros.runtime.nvidia.child.tower import Tower

pytestmark = pytest.mark.processes

FOREIGN = r"""
import sys
before = set(sys.modules)
for name in sys.argv[1:]:
    __import__(f'alpamayo_ros.runtime.nvidia.child.{name}')
new = {name.split('.')[0] for name in set(sys.modules) - before}
print(*sorted(name for name in new - set(sys.stdlib_module_names) if sys.modules.get(name)))
"""
BEFORE_TORCH = ('launch', 'motion', 'names', 'offline', 'pictures', 'prompt', 'serve', 'settings')


def test_the_vendors_environment_needs_numpy_and_the_standard_library():
    command = [sys.executable, '-c', FOREIGN, *BEFORE_TORCH]
    loaded = subprocess.check_output(command, text=True, timeout=300).split()
    assert loaded == ['alpamayo_ros', 'numpy']


class Qwen:
    """A tower whose tokens are means of patches; it counts the pictures that it saw."""

    def __init__(self) -> None:
        self.pictures = 0

    def get_image_features(self, pixels, grids):
        self.pictures += len(grids)
        each = pixels.reshape(len(grids), -1, 4, pixels.shape[-1]).mean((2, 3))
        flat = each.reshape(-1)
        return tuple(each), [flat + 1, flat + 2]


def pictures(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (4, 3, 64, 96, 3), np.uint8)


def test_only_new_pictures_are_encoded_and_all_are_served_in_order():
    qwen = Qwen()
    tower = Tower(qwen, 'cpu')
    assert tower.hold(pictures(0)) == 12
    moved = np.concatenate([pictures(1)[:1], pictures(0)[:3]])
    assert tower.hold(moved) == 3 and tower.hold(moved) == 0 and qwen.pictures == 15
    fresh = Tower(Qwen(), 'cpu')
    fresh.hold(moved)
    grids = tower.inputs()['image_grid_thw']
    assert grids.tolist() == [[1, 4, 6]] * 12
    kept, new = tower.serve(None, grids.repeat(2, 1)), fresh.serve(None, grids.repeat(2, 1))
    assert len(kept[0]) == 24 and len(kept[1]) == 2
    assert all(map(torch.equal, kept[0], new[0])) and all(map(torch.equal, kept[1], new[1]))
    assert torch.equal(torch.cat(kept[0]) + 1, kept[1][0])


def test_equal_pictures_are_encoded_once():
    tower = Tower(Qwen(), 'cpu')
    assert tower.hold(np.zeros((4, 3, 64, 96, 3), np.uint8)) == 1
    assert len(tower.serve(None, tower.inputs()['image_grid_thw'])[0]) == 12


@pytest.mark.parametrize('problem', ['missing_keys', 'unexpected_keys', 'mismatched_keys'])
def test_weights_that_the_class_does_not_take_whole_are_refused(problem):
    refuse({name: [] for name in ('missing_keys', 'unexpected_keys', 'mismatched_keys')})
    with pytest.raises(ValueError, match=f'the weights have 4 {problem}: a, b, c$'):
        refuse({problem: ['d', 'c', 'b', 'a']})


def test_the_folder_of_the_language_model_is_the_one_that_was_named(tmp_path: Path):
    (tmp_path / 'config.json').write_text(
        json.dumps({'vlm_name_or_path': 'somebody/hub', 'traj_vocab_size': 4000})
    )
    settings = Settings(
        engine='', folder=str(tmp_path), vlm='/here', source=(), device='cpu', dtype='float32',
        attention='sdpa', views=(), frames=4, height=320, width=576, tokens=180, history=16,
        points=64, candidates=3, steps=10, max_words=24, named=True, words='greedy',
        speed='history', guidance=1.0, sizes={},
    )  # fmt: skip
    assert configuration(settings) == {
        'vlm_name_or_path': '/here', 'traj_vocab_size': 4000, 'model_dtype': 'float32'
    }  # fmt: skip
