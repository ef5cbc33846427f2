"""What the vendor's class makes of the tiny numbers, as JSON; runs in its own interpreter.

``python vendor.py HOME PATCHES OUT``: HOME as in ``released/tiny.py``, PATCHES an .npy of the
pictures' rows, OUT the file written.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / 'released')]
import tiny  # noqa: E402
import torch  # noqa: E402
import toy  # noqa: E402


def fill(model: torch.nn.Module, ends_after: int | None) -> None:
    """All weights from their names."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(torch.from_numpy(toy.weight(name, tuple(tensor.shape), ends_after)))


def run(model: torch.nn.Module, rows: np.ndarray) -> dict[str, object]:
    """Words and candidates of its public call, made greedy by top_k = 1."""
    ids = torch.tensor([toy.prompt()])
    past = torch.from_numpy(toy.poses()).float()
    cos, sin, one = past[:, 2].cos(), past[:, 2].sin(), torch.ones(16)
    turn = torch.stack([cos, -sin, 0 * one, sin, cos, 0 * one, 0 * one, 0 * one, one], -1)
    xyz = torch.cat([past[:, :2], 0 * past[:, :1]], -1)[None, None]
    rot = turn.reshape(1, 1, 16, 3, 3)
    grid = torch.tensor([[1, 2 * toy.ROWS, 2 * toy.COLUMNS]] * toy.PICTURES)
    data = {
        'tokenized_data': {
            'input_ids': ids, 'attention_mask': torch.ones_like(ids),
            'pixel_values': torch.from_numpy(rows), 'image_grid_thw': grid,
        },
        'ego_history_xyz': xyz, 'ego_history_rot': rot,
    }  # fmt: skip
    words: list[list[int]] = []
    generate, sample = model.vlm.generate, model.diffusion.sample

    def kept(*args: object, **options: object) -> object:
        out = generate(*args, **options)
        words.extend(out.sequences[:, ids.shape[1] :].tolist())
        return out

    def fixed(*args: object, **options: object) -> torch.Tensor:
        with mock.patch('torch.randn', lambda *a, **k: torch.from_numpy(toy.noise())):
            return sample(*args, **options)

    model.vlm.generate, model.diffusion.sample = kept, fixed
    at, turned = model.sample_trajectories_from_data_with_vlm_rollout(
        data, top_k=1, num_traj_samples=toy.CANDIDATES, max_generation_length=toy.BUDGET
    )
    model.vlm.generate, model.diffusion.sample = generate, sample
    heading = torch.atan2(turned[..., 1, 0], turned[..., 0, 0])
    points = torch.cat([at[..., :2], heading[..., None]], -1)[0, 0]
    speed = model.action_space.estimate_t0_states(xyz[0], rot[0])['v']
    assert all(row == words[0] for row in words)
    return {'words': words[0], 'points': points.tolist(), 'speed_mps': float(speed)}


def main(home: str, patches: str, out: str) -> None:
    """Both texts: one that its budget cuts off, one that ends by itself."""
    sys.path.insert(0, str(Path(home) / 'alpamayo1.5/src'))
    torch.manual_seed(0)
    torch.set_num_threads(1)
    from alpamayo1_5.models.alpamayo1_5 import Alpamayo1_5

    with tempfile.TemporaryDirectory() as folder:
        tiny.make_vlm(Path(home) / 'qwen.tiktoken', Path(folder))
        model = Alpamayo1_5(tiny.config(Path(folder))).eval()
    rows = np.load(patches, allow_pickle=False)  # noqa: TID251
    fill(model, None)
    found = {'cut': run(model, rows)}
    ends_after = found['cut']['words'][5]
    fill(model, ends_after)
    found['ended'] = {**run(model, rows), 'ends_after': ends_after}
    Path(out).write_text(json.dumps(found))


if __name__ == '__main__':
    main(*sys.argv[1:])
