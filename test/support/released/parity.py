"""Our path beside NVIDIA's own, on one tiny model; figures as JSON, for the tests to judge.

``PYTHON -I parity.py HOME OUT``; ``HOME`` as in ``tiny.py``.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MOST = 8  # words of the tiny model, which never ends by itself
VIEWS = ('cross_left_120fov', 'front_wide_120fov', 'cross_right_120fov', 'front_tele_30fov')
INDEX = {'cross_left_120fov': 0, 'front_wide_120fov': 1, 'cross_right_120fov': 2}
INDEX |= {'front_tele_30fov': 6}


def _modules() -> None:
    """This package by name, as ``launch`` gives it to the vendor's process, and ``tiny``."""
    for name, folder in (('alpamayo_ros', ROOT / 'alpamayo_ros'), ('released', HERE)):
        spec = importlib.util.spec_from_file_location(
            name, folder / '__init__.py', submodule_search_locations=[str(folder)]
        )
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


def settings(folder: Path, home: Path) -> Any:
    """For the tiny model on one processor."""
    from alpamayo_ros.runtime.nvidia.child.settings import Settings

    return Settings(
        engine='', folder=str(folder / 'checkpoint'), vlm=str(folder / 'vlm'),
        source=(str(home / 'alpamayo1.5/src'),), device='cpu', dtype='float32', attention='sdpa',
        views=VIEWS, frames=4, height=320, width=576, tokens=180, history=16, points=64,
        candidates=3, steps=10, max_words=MOST, named=True, words='greedy', speed='history',
        guidance=1.0, sizes={},
    )  # fmt: skip


class Vendor:
    """NVIDIA's helper, processor and class, called as its own example does."""

    def __init__(self, model: Any, vlm: Path) -> None:
        from alpamayo1_5 import helper

        helper.BASE_PROCESSOR_NAME = str(vlm)
        self.model, self.helper = model, helper
        self.processor = helper.get_processor(model.tokenizer)

    def inputs(self, images: np.ndarray, views: tuple[str, ...], route: str) -> Any:
        """Token ids and patches of its own processor."""
        import torch

        frames = torch.from_numpy(images).permute(1, 0, 4, 2, 3).flip(1)
        message = self.helper.create_message(
            frames.flatten(0, 1),
            camera_indices=torch.tensor([INDEX[view] for view in views]),
            nav_text=route or None,
        )
        return self.processor.apply_chat_template(
            message, tokenize=True, add_generation_prompt=False, continue_final_message=True,
            return_dict=True, return_tensors='pt',
        )  # fmt: skip

    def plans(
        self, images: np.ndarray, views: tuple[str, ...], poses: np.ndarray, route: str, **how: Any
    ) -> np.ndarray:
        """Candidates of its own call."""
        import torch

        positions, rotations = self.history(poses)
        data = {
            'tokenized_data': self.inputs(images, views, route),
            'ego_history_xyz': positions[None, None],
            'ego_history_rot': rotations[None, None],
        }
        call = 'sample_trajectories_from_data_with_vlm_rollout'
        call += '_cfg_nav' if 'diffusion_kwargs' in how else ''
        xyz, rot = getattr(self.model, call)(data, max_generation_length=MOST, **how)
        heading = torch.atan2(rot[0, 0, ..., 1, 0], rot[0, 0, ..., 0, 0])
        return torch.cat([xyz[0, 0, ..., :2], heading[..., None]], -1).numpy()

    def history(self, poses: np.ndarray) -> tuple[Any, Any]:
        """World poses through scipy, as its loader makes them; float64 until the end."""
        import torch
        from scipy.spatial.transform import Rotation

        x, y, heading = poses[::-1].T
        origin = Rotation.from_euler('z', 0.7)
        places = origin.apply(np.stack([x, y, 0 * x], -1)) + [200.0, -50.0, 0.0]
        turns = Rotation.from_euler('z', (heading + 0.7)[:, None])
        last = turns[-1].inv()
        positions = torch.from_numpy(last.apply(places - places[-1])).float()
        return positions, torch.from_numpy((last * turns).as_matrix()).float()


def main(home: Path, out: Path) -> None:
    """Write the figures of every comparison to ``out``."""
    _modules()
    import torch

    from alpamayo_ros.runtime.nvidia.child.load import load
    from released import compared, tiny

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tiny.make(home, folder)
        asked = settings(folder, home)
        engine = load(asked)
        vendor = Vendor(engine.model, folder / 'vlm')
        figures = compared.figures(engine, vendor)
    figures['settings'] = asdict(replace(asked, folder='', vlm='', source=()))
    out.write_text(json.dumps(figures, indent=1) + '\n')


if __name__ == '__main__':
    main(Path(sys.argv[1]), Path(sys.argv[2]))
